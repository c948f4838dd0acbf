//! The daemon: when it runs, and where it answers.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::merged::Merged;
use crate::domain::timetable::Cron;

/// How the daemon works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeSettings {
    /// Where the status page and the API are served. Other machines reach it only with a token.
    pub listen: SocketAddr,
    /// When the job runs: a cron expression in the time zone of the settings; unset: only when asked.
    pub schedule: Option<Cron>,
    /// Whether a run that was missed while the daemon was down is made up for, once.
    pub catch_up: bool,
    /// The file with the token that the API asks for.
    pub token_file: Option<PathBuf>,
    /// Whether the status page shows texts of the table.
    pub show_content: bool,
}

/// Resolves `[serve]`; `None` only after a problem.
pub(super) fn resolve(merged: &mut Merged) -> Option<ServeSettings> {
    let listen: SocketAddr = merged.text("serve.listen")?.trim().parse().ok()?;
    let token_file = merged.path("serve.token_file");
    if !listen.ip().is_loopback() && token_file.is_none() {
        let hint = "set serve.token_file as well, or listen on 127.0.0.1";
        merged.problem("serve.listen", "would let other machines in without a token", hint);
    }
    Some(ServeSettings {
        listen,
        schedule: merged.text("serve.schedule").and_then(|text| text.parse().ok()),
        catch_up: merged.text("serve.catch_up").as_deref() == Some("once"),
        token_file,
        show_content: merged.flag("serve.show_content"),
    })
}
