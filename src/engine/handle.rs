//! The engine from outside: a handle that works in any async runtime, and without one.

use tokio::sync::{mpsc, oneshot};

use super::error::{RunError, ValidateError};
use super::event::Bus;
use super::report::{RunReport, Tally};
use super::request::RunRequest;
use crate::domain::entry::Entry;
use crate::domain::outcome::Outcome;

/// Talks to a running engine. Cheap to clone, and at home on every thread.
#[derive(Clone)]
pub struct EngineHandle {
    commands: mpsc::UnboundedSender<Command>,
    bus: Bus,
}

/// What the engine's thread is asked.
pub(super) enum Command {
    Run { request: Box<RunRequest>, reply: oneshot::Sender<Result<RunReport, RunError>> },
    Validate { entry: Box<Entry>, reply: oneshot::Sender<Result<Outcome, ValidateError>> },
    Shutdown { grace: std::time::Duration, reply: oneshot::Sender<super::lifecycle::ShutdownReport> },
}

impl EngineHandle {
    pub(super) fn new(commands: mpsc::UnboundedSender<Command>, bus: Bus) -> Self {
        Self { commands, bus }
    }

    /// Judges one row: the same checks, cache and limits as in a run. Nothing is written to a table.
    ///
    /// # Errors
    /// [`ValidateError::Busy`] if too many rows are queued, [`ValidateError::ShuttingDown`] if the engine ends.
    pub async fn validate(&self, entry: Entry) -> Result<Outcome, ValidateError> {
        let (reply, outcome) = oneshot::channel();
        let entry = Box::new(entry);
        self.commands.send(Command::Validate { entry, reply }).map_err(|_| ValidateError::ShuttingDown)?;
        outcome.await.unwrap_or(Err(ValidateError::ShuttingDown))
    }

    /// Runs over the whole table.
    ///
    /// # Errors
    /// If the run could not begin, or the engine itself failed. Rows that could not be judged are no
    /// error: the report counts them.
    pub async fn run(&self, request: RunRequest) -> Result<RunReport, RunError> {
        let (reply, report) = oneshot::channel();
        let request = Box::new(request);
        self.commands.send(Command::Run { request, reply }).map_err(|_| RunError::ShuttingDown)?;
        report.await.unwrap_or(Err(RunError::ShuttingDown))
    }

    /// The counters of the present run, or of the last one.
    pub fn progress(&self) -> Tally {
        self.bus.tally()
    }

    pub(super) async fn shut_down(
        &self,
        grace: std::time::Duration,
    ) -> Option<super::lifecycle::ShutdownReport> {
        let (reply, report) = oneshot::channel();
        self.commands.send(Command::Shutdown { grace, reply }).ok()?;
        report.await.ok()
    }
}

impl std::fmt::Debug for EngineHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineHandle").finish_non_exhaustive()
    }
}
