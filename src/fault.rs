//! Fault points: named places between reading, paying, storing, sending and confirming at which a test makes the
//! program die, fail or wait. They exist in builds with the feature `fault-points`; in others they are nothing.
//!
//! The variable `FAILPOINTS` says what happens, as the crate [`fail`](https://docs.rs/fail) reads it:
//! `FAILPOINTS='K6-answer-stored=2*off->return(kill)'` dies at the third answer that was stored. What can be returned:
//! `kill` (signal 9), `error`, `disk-full`, `fsync` (errors of the system); `sleep(MILLISECONDS)` waits, each time or,
//! with a count before it, as often as that says.

use std::io;

/// A place where something can be made to go wrong. The numbers tell the way of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "fault-points"), allow(dead_code, reason = "the names are for builds with faults"))]
pub(crate) enum Point {
    /// The settings are read, nothing is open.
    SettingsRead,
    /// A page of the source is read.
    SourceRead,
    /// The rows of a page are admitted.
    RowsPlanned,
    /// A call is on its way: written down, and sent or about to be.
    CallSent,
    /// An answer has arrived and is not kept.
    AnswerArrived,
    /// An answer is kept, and who asked for that does not know it.
    AnswerStored,
    /// Results are in the outbox and not with the writer.
    OutboxWritten,
    /// A results table is about to be written.
    TableWrites,
    /// A write of a results table is on its way, or a file's successor is complete beside it.
    TableSent,
    /// The results table is written, and nobody has noted it.
    TableAnswered,
    /// The results table is written and looked at, and the outbox still holds its rows.
    TableVerified,
    /// The run stands in the history.
    RunEnded,
    /// The store is closed, which moves its journal into its file.
    StoreCloses,
    /// The store is made or brought up to the newest tables.
    StoreMigrates,
    /// The daemon has read its settings again and works by the old ones.
    SettingsReloaded,
    /// A transaction of the store is about to be committed.
    StoreCommits,
}

impl Point {
    /// The name by which `FAILPOINTS` knows it.
    #[cfg(feature = "fault-points")]
    fn name(self) -> &'static str {
        match self {
            Self::SettingsRead => "K1-settings-read",
            Self::SourceRead => "K2-source-read",
            Self::RowsPlanned => "K3-rows-planned",
            Self::CallSent => "K4-call-sent",
            Self::AnswerArrived => "K5-answer-arrived",
            Self::AnswerStored => "K6-answer-stored",
            Self::OutboxWritten => "K7-outbox-written",
            Self::TableWrites => "K8-table-writes",
            Self::TableSent => "K9-table-sent",
            Self::TableAnswered => "K10-table-answered",
            Self::TableVerified => "K11-table-verified",
            Self::RunEnded => "K12-run-ended",
            Self::StoreCloses => "K13-store-closes",
            Self::StoreMigrates => "K14-store-migrates",
            Self::SettingsReloaded => "K15-settings-reloaded",
            Self::StoreCommits => "store-commits",
        }
    }
}

/// Passes a point.
///
/// # Errors
/// What is made to happen there.
pub(crate) fn at(point: Point) -> io::Result<()> {
    #[cfg(feature = "fault-points")]
    fail::fail_point!(point.name(), |what| armed::act(what.as_deref().unwrap_or("error")));
    let _ = point;
    Ok(())
}

/// Passes a point at which nothing can fail: only death and delay count.
pub(crate) fn pass(point: Point) {
    at(point).unwrap_or_default();
}

/// Does what takes a while, and passes the point in the midst of it.
pub(crate) async fn during<T>(point: Point, work: impl Future<Output = T>) -> T {
    #[cfg(feature = "fault-points")]
    {
        let mut work = std::pin::pin!(work);
        if !armed::is_armed() {
            return work.await;
        }
        if let Ok(done) = tokio::time::timeout(armed::MIDST, &mut work).await {
            pass(point);
            return done;
        }
        pass(point);
        work.await
    }
    #[cfg(not(feature = "fault-points"))]
    {
        let _ = point;
        work.await
    }
}

/// Reads what is to happen where. Called once, before anything else.
///
/// # Panics
/// In builds with faults, if `FAILPOINTS` cannot be read.
pub(crate) fn arm() {
    #[cfg(feature = "fault-points")]
    armed::arm();
}

#[cfg(feature = "fault-points")]
mod armed {
    use std::io;
    use std::sync::OnceLock;
    use std::time::Duration;

    static ARMED: OnceLock<()> = OnceLock::new();

    pub(super) fn arm() {
        if std::env::var_os("FAILPOINTS").is_some() {
            ARMED.get_or_init(|| std::mem::forget(fail::FailScenario::setup())); // dropped, it would disarm them
        }
    }

    pub(super) fn is_armed() -> bool {
        ARMED.get().is_some()
    }

    /// By then a request has left and its answer, from a server that takes its time, has not come.
    pub(super) const MIDST: Duration = Duration::from_millis(10);

    pub(super) fn act(what: &str) -> io::Result<()> {
        match what {
            "kill" => {
                #[cfg(unix)]
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).ok();
                // Where there is no such signal, or it is slow.
                std::process::abort();
            }
            "disk-full" => Err(io::ErrorKind::StorageFull.into()),
            "fsync" => Err(io::Error::other("the disk did not take what was written")),
            _ => Err(io::Error::other("an error was asked for")),
        }
    }
}
