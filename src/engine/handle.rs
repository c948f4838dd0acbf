//! The engine from outside: a handle that works in any async runtime, and without one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::board::{Board, JobStatus, ProviderStatus};
use super::cache::Look;
use super::error::{RunError, StartError, ValidateError};
use super::lifecycle::ShutdownReport;
use super::parts::Parts;
use super::report::{RunReport, Tally};
use super::request::RunRequest;
use crate::domain::entry::Entry;
use crate::domain::outcome::Outcome;
use crate::store::{Store, StoreError};

/// Talks to a running engine. Cheap to clone, and at home on every thread.
#[derive(Clone)]
pub struct EngineHandle {
    commands: mpsc::UnboundedSender<Command>,
    board: Arc<Board>,
}

/// A run that has begun.
#[derive(Debug)]
pub struct Started {
    /// Its id.
    pub run_id: String,
    pub(super) report: oneshot::Receiver<Result<RunReport, RunError>>,
}

impl Started {
    /// Waits for its end. The run goes on if nobody waits.
    ///
    /// # Errors
    /// If the run could not get to work, or the engine itself failed. Rows that could not be judged are no error: the
    /// report counts them.
    pub async fn report(self) -> Result<RunReport, RunError> {
        self.report.await.unwrap_or(Err(RunError::ShuttingDown))
    }
}

type Judged = oneshot::Sender<Result<Outcome, ValidateError>>;

/// What the engine's thread is asked.
pub(super) enum Command {
    Run { request: Box<RunRequest>, reply: oneshot::Sender<Result<Started, RunError>> },
    Cancel { run: String, reply: oneshot::Sender<bool> },
    Validate { job: Option<String>, entry: Box<Entry>, reply: Judged },
    Replace { jobs: Vec<Parts>, reply: oneshot::Sender<Result<(), StartError>> },
    Inspect(Look),
    Shutdown { grace: Duration, reply: oneshot::Sender<ShutdownReport> },
}

impl EngineHandle {
    pub(super) fn new(commands: mpsc::UnboundedSender<Command>, board: Arc<Board>) -> Self {
        Self { commands, board }
    }

    /// Judges one row for the first job: the same checks, cache and limits as in a run. Nothing is written to a table.
    ///
    /// # Errors
    /// [`ValidateError::Busy`] if too many rows are queued, [`ValidateError::ShuttingDown`] if the engine ends.
    pub async fn validate(&self, entry: Entry) -> Result<Outcome, ValidateError> {
        self.judge(None, entry).await
    }

    /// [`EngineHandle::validate`] for the job of this name.
    ///
    /// # Errors
    /// Those, and [`ValidateError::UnknownJob`].
    pub async fn validate_for(&self, job: &str, entry: Entry) -> Result<Outcome, ValidateError> {
        self.judge(Some(job.to_owned()), entry).await
    }

    async fn judge(&self, job: Option<String>, entry: Entry) -> Result<Outcome, ValidateError> {
        let (reply, outcome) = oneshot::channel();
        let entry = Box::new(entry);
        self.commands
            .send(Command::Validate { job, entry, reply })
            .map_err(|_| ValidateError::ShuttingDown)?;
        outcome.await.unwrap_or(Err(ValidateError::ShuttingDown))
    }

    /// Runs over the whole table of a job, to the end. Runs of several jobs go on side by side and take turns.
    ///
    /// # Errors
    /// If the run could not begin, or the engine itself failed. Rows that could not be judged are no
    /// error: the report counts them.
    pub async fn run(&self, request: RunRequest) -> Result<RunReport, RunError> {
        self.start(request).await?.report().await
    }

    /// Starts a run and gives its id.
    ///
    /// # Errors
    /// [`RunError::AlreadyRunning`] if one of the same job is under way, [`RunError::UnknownJob`],
    /// [`RunError::ShuttingDown`].
    pub async fn start(&self, request: RunRequest) -> Result<Started, RunError> {
        let (reply, started) = oneshot::channel();
        let request = Box::new(request);
        self.commands.send(Command::Run { request, reply }).map_err(|_| RunError::ShuttingDown)?;
        started.await.unwrap_or(Err(RunError::ShuttingDown))
    }

    /// Ends a run early: rows in work are finished and written, the others left for the next run. False if no such run is
    /// under way.
    pub async fn cancel(&self, run_id: &str) -> bool {
        let (reply, cancelled) = oneshot::channel();
        let run = run_id.to_owned();
        self.commands.send(Command::Cancel { run, reply }).is_ok() && cancelled.await.unwrap_or(false)
    }

    /// From now on these are the jobs, on the store and under the clock that the engine was started with. Runs under way
    /// are not touched: they keep what they began with.
    ///
    /// # Errors
    /// If parts make no sense, or another instance works on one of their tables. The jobs stay as they were then.
    pub async fn replace_jobs(&self, jobs: Vec<Parts>) -> Result<(), StartError> {
        let (reply, replaced) = oneshot::channel();
        self.commands.send(Command::Replace { jobs, reply }).map_err(|_| StartError::ended())?;
        replaced.await.unwrap_or_else(|_| Err(StartError::ended()))
    }

    /// The counters of the first job's run that is under way, or of its last one.
    pub fn progress(&self) -> Tally {
        self.board.tally()
    }

    /// The jobs, and how they stand.
    pub fn jobs(&self) -> Vec<JobStatus> {
        self.board.jobs()
    }

    /// The providers, and how they are asked.
    pub fn providers(&self) -> Vec<ProviderStatus> {
        self.board.providers()
    }

    /// Looks something up in the store, which only the engine may write to. `look` must be quick: what the engine wants to
    /// keep waits meanwhile.
    ///
    /// # Errors
    /// Those of the store, and [`InspectError::ShuttingDown`].
    pub async fn inspect<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, InspectError> {
        let (reply, found) = oneshot::channel();
        let look: Look = Box::new(move |store| {
            let found = store.and_then(|store| look(store).map_err(Arc::new));
            reply.send(found).ok(); // who asked may have gone
        });
        self.commands.send(Command::Inspect(look)).map_err(|_| InspectError::ShuttingDown)?;
        found.await.map_err(|_| InspectError::ShuttingDown)?.map_err(InspectError::Store)
    }

    pub(super) async fn shut_down(&self, grace: Duration) -> Option<ShutdownReport> {
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

/// Why nothing could be looked up.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InspectError {
    /// The store fails.
    #[error("the store fails: {0}")]
    Store(Arc<StoreError>),
    /// The engine ends.
    #[error("the engine is shutting down")]
    ShuttingDown,
}
