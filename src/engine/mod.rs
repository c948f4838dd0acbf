//! The engine: five kinds of actors that read rows, judge them and write the results.
//!
//! ```text
//!                        Offer (credit)            Validate (1 a worker)
//!  SheetReader --------------------------> Dispatcher -----------------> LlmWorker x max_workers --> ChatModel
//!    one page in memory                     |   |  ^ EngineHandle::validate = Single
//!    TableSource                     Lookup |   | Record (credit)
//!                                    Keep   v   v
//!                              CacheActor      Writer --> TableSink
//! ```
//!
//! - Decisions are state machines without I/O and clock: [`schedule`] (which row, which worker, when) and
//!   [`batch`] (what is written when). Actors carry them out.
//! - Back-pressure is a withheld reply. Mailboxes bound nothing and are not relied upon.
//! - Every actor runs under [`supervise`]. Workers, cache and writer are limbs: they come back and the run
//!   goes on. Reader and dispatcher are the spine: if one dies, the run ends with an error that says so.
//! - Addresses form a DAG; what flows up is a reply.
//! - Everything that happens is an [`Event`]; report, progress and tests live on them.
//! - Rows in memory: a page, one for each worker, `queue_depth`, and two batches, whatever the table's length.

mod advice;
mod batch;
mod board;
mod cache;
mod clock;
mod desk;
mod dispatcher;
mod error;
mod event;
mod handle;
mod lifecycle;
mod parts;
mod reader;
mod report;
mod request;
mod run;
mod schedule;
mod station;
mod supervise;
mod trend;
mod worker;
mod writer;

use std::thread::JoinHandle;
use std::time::Duration;

pub use advice::{TIERS, advice};
pub use board::{JobStatus, ProviderStatus, RunStatus};
pub use cache::StoreFactory;
pub use clock::{Clock, FixedClock, SystemClock};
pub use error::{RunError, StartError, ValidateError};
pub use event::{By, CallEnd, Event, Observer, Settled, Stamped};
pub use handle::{EngineHandle, InspectError, Started};
pub use lifecycle::ShutdownReport;
pub use parts::{Limits, Parts, Placement, Provider};
pub use report::{
    Failure, FailureKind, LlmTally, RunOutcome, RunReport, Savings, SheetsTally, Tally, WorkersTally,
};
pub use request::{Mode, Only, RunRequest, Trigger};
pub use trend::Trend;

/// The name under which calls for single rows stand in the ledger.
const SINGLE_RUN: &str = "single";

/// A running engine. It has a thread and an actix system of its own, so it works inside any async runtime
/// and without one, and several live side by side in one process.
///
/// [`Engine::shutdown`] ends it in order. If it is dropped instead, it ends when the last handle is gone: a run
/// that is under way is then cancelled, and what is inside is finished without anyone waiting.
#[derive(Debug)]
pub struct Engine {
    handle: EngineHandle,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts an engine.
    ///
    /// # Errors
    /// If another instance works on the same store or table, the store cannot be opened, or the machine gives no thread.
    pub fn start(parts: Parts) -> Result<Self, StartError> {
        Self::start_jobs(vec![parts])
    }

    /// Starts an engine with several jobs, which share its workers, its store and the limits of their providers. The store,
    /// the clock, the observer, the placement and the seed are those of the first one.
    ///
    /// # Errors
    /// Those of [`Engine::start`], and if two jobs have the same name, or there is none.
    pub fn start_jobs(jobs: Vec<Parts>) -> Result<Self, StartError> {
        let (handle, thread) = lifecycle::start(jobs)?;
        Ok(Self { handle, thread: Some(thread) })
    }

    /// A handle to it.
    pub fn handle(&self) -> EngineHandle {
        self.handle.clone()
    }

    /// Ends it: no new rows, rows inside are finished and written, the store is closed, threads are joined.
    /// What is not finished within `grace` is left to the next run; nothing that was paid for is lost.
    pub async fn shutdown(mut self, grace: Duration) -> ShutdownReport {
        let report = self.handle.shut_down(grace).await.unwrap_or_default();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            return ShutdownReport { clean: false, ..report };
        }
        report
    }
}
