//! What systemd hears of the daemon, by the protocol of `sd_notify(3)`; nothing where there is no service manager.

use std::time::Duration;

/// The service manager.
#[derive(Clone, Copy)]
pub(super) struct Service;

impl Service {
    /// The daemon serves.
    pub(super) fn ready(self) {
        self.notify(State::Ready);
    }

    /// One line on what it does.
    pub(super) fn status(self, line: &str) {
        self.notify(State::Status(line));
    }

    /// Does `work`, and says twice in each span of the watchdog that this thread turns; at the end, that it stops.
    pub(super) async fn beside(self, work: impl Future<Output = ()>) {
        let beat = async {
            let Some(span) = watchdog() else { return std::future::pending().await };
            let mut beats = tokio::time::interval(span / 2);
            loop {
                beats.tick().await;
                self.notify(State::Watchdog);
            }
        };
        tokio::select! {
            () = work => self.notify(State::Stopping),
            () = beat => {}
        }
    }

    #[cfg(unix)]
    fn notify(self, state: State<'_>) {
        if let Err(error) = sd_notify::notify(&[state]) {
            tracing::debug!(%error, "the service manager cannot be told");
        }
    }

    #[cfg(not(unix))]
    fn notify(self, _: State<'_>) {}
}

#[cfg(unix)]
use sd_notify::NotifyState as State;

#[cfg(not(unix))]
enum State<'a> {
    Ready,
    Status(&'a str),
    Watchdog,
    Stopping,
}

fn watchdog() -> Option<Duration> {
    #[cfg(unix)]
    return sd_notify::watchdog_enabled();
    #[cfg(not(unix))]
    None
}
