//! Ctrl-C and SIGTERM: the first one ends a run in good order, the second one at once. Nothing is lost
//! either way: what was paid for is in the store before it is anywhere else. A daemon is asked by SIGHUP to read
//! its settings again, and by SIGUSR1 to run now.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::screen::Screen;

/// Which signal came first.
#[derive(Clone, Default)]
pub(crate) struct Signals(Arc<AtomicU8>);

impl Signals {
    /// Listens from now on; the first signal cancels `stop`. Needs a running tokio runtime.
    pub(crate) fn listen(screen: Screen, stop: CancellationToken) -> std::io::Result<Self> {
        let signals = Self::default();
        let mut next = Source::new()?;
        let came = signals.clone();
        tokio::spawn(async move {
            let first = next.signal().await;
            came.0.store(first.code(), Ordering::SeqCst);
            screen.say(
                "Stopping: rows in work are finished and written. Once more stops at once; nothing is lost.",
            );
            stop.cancel();
            let second = next.signal().await;
            screen.hide();
            std::process::exit(i32::from(second.code()));
        });
        Ok(signals)
    }

    /// Listens from now on; ready when the first signal has come. Needs a running tokio runtime.
    pub(crate) fn first() -> std::io::Result<impl Future<Output = ()>> {
        let mut next = Source::new()?;
        Ok(async move {
            next.signal().await;
        })
    }

    /// How the program ends if a signal came.
    pub(crate) fn exit(&self) -> Option<Exit> {
        let code = self.0.load(Ordering::SeqCst);
        [Exit::Interrupted, Exit::Terminated].into_iter().find(|exit| exit.code() == code)
    }
}

/// What a daemon is asked by signals.
pub(crate) enum Asked {
    /// To end in good order, and how the program ends then.
    Stop(Exit),
    /// To read its settings again (SIGHUP).
    Reload,
    /// To run now (SIGUSR1).
    Run,
}

/// The signals of a daemon.
pub(crate) struct Asks {
    ends: Source,
    #[cfg(unix)]
    reload: tokio::signal::unix::Signal,
    #[cfg(unix)]
    run: tokio::signal::unix::Signal,
}

impl Asks {
    /// Listens from now on. Needs a running tokio runtime.
    pub(crate) fn listen() -> std::io::Result<Self> {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            ends: Source::new()?,
            #[cfg(unix)]
            reload: signal(SignalKind::hangup())?,
            #[cfg(unix)]
            run: signal(SignalKind::user_defined1())?,
        })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> Asked {
        #[cfg(unix)]
        tokio::select! {
            exit = self.ends.signal() => Asked::Stop(exit),
            _ = self.reload.recv() => Asked::Reload,
            _ = self.run.recv() => Asked::Run,
        }
        #[cfg(not(unix))]
        Asked::Stop(self.ends.signal().await)
    }

    /// The next signal to end leaves at once.
    pub(crate) fn leave_at_the_next(mut self, screen: Screen) {
        tokio::spawn(async move {
            let exit = self.ends.signal().await;
            screen.hide();
            std::process::exit(i32::from(exit.code()));
        });
    }
}

#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn signal(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }
}

#[cfg(not(unix))]
struct Source;

#[cfg(not(unix))]
impl Source {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn signal(&mut self) -> Exit {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Exit::Interrupted
    }
}
