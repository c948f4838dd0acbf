//! The daemon: when it runs, and where it answers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::merged::Merged;
use crate::domain::timetable::Cron;

/// How the daemon works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeSettings {
    /// Where the status page and the API are served. Other machines reach it only with a token.
    pub listen: ListenSettings,
    /// Names, with their ports, under which requests may come besides those of the address.
    pub hosts: Vec<String>,
    /// When the job runs: a cron expression in the time zone of the settings; unset: only when asked.
    pub schedule: Option<Cron>,
    /// Each run by schedule begins up to so much later, by chance.
    pub jitter: Duration,
    /// Whether a run that was missed while the daemon was down is made up for, once.
    pub catch_up: bool,
    /// Whether edits of the source start runs.
    pub watch: bool,
    /// The file with the token that the API asks for.
    pub token_file: Option<PathBuf>,
    /// Whether the status page shows texts of the table.
    pub show_content: bool,
}

/// Where the daemon listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenSettings {
    /// At an address.
    Address(SocketAddr),
    /// At a socket in the file system; a path that is not whole counts from the current folder.
    Socket(PathBuf),
}

/// Resolves `[serve]`; `None` only after a problem.
pub(super) fn resolve(merged: &mut Merged) -> Option<ServeSettings> {
    let listen = merged.text("serve.listen")?;
    let listen = match listen.trim().strip_prefix("unix:") {
        Some(path) => ListenSettings::Socket(path.into()),
        None => ListenSettings::Address(listen.trim().parse().ok()?),
    };
    let token_file = merged.path("serve.token_file");
    let is_open = matches!(listen, ListenSettings::Address(address) if !address.ip().is_loopback());
    if is_open && token_file.is_none() {
        let hint = "set serve.token_file as well, or listen on 127.0.0.1";
        merged.problem("serve.listen", "would let other machines in without a token", hint);
    }
    Some(ServeSettings {
        listen,
        hosts: merged.list("serve.hosts"),
        schedule: merged.text("serve.schedule").and_then(|text| text.parse().ok()),
        jitter: Duration::from_secs(merged.whole("serve.jitter_seconds")),
        catch_up: merged.text("serve.catch_up").as_deref() == Some("once"),
        watch: merged.flag("serve.watch"),
        token_file,
        show_content: merged.flag("serve.show_content"),
    })
}
