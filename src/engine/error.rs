//! Why a run or a single row got no result from the engine.

use std::sync::Arc;
use std::time::Duration;

use crate::store::{LockError, StoreError};
use crate::table::TableError;

/// Why a run could not begin or go on. Nothing that was paid for is lost.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RunError {
    /// The source cannot be read. Nothing was spent.
    #[error("the source cannot be read: {0}")]
    Source(Arc<TableError>),
    /// The results table cannot be written. Nothing was spent.
    #[error("the results table cannot be written: {0}")]
    Target(Arc<TableError>),
    /// The store fails.
    #[error("the store fails: {0}")]
    Store(Arc<StoreError>),
    /// The engine was assembled without a table.
    #[error("this engine has no table: it judges single rows only")]
    NoTable,
    /// The engine was assembled without a preview.
    #[error("this engine has no preview: it makes no dry runs")]
    NoPreview,
    /// One run of a job at a time.
    #[error("a run is under way: wait for it, or cancel it")]
    AlreadyRunning,
    /// The engine has no job of this name.
    #[error("there is no job «{0}»")]
    UnknownJob(String),
    /// A part of the engine that a run cannot do without has died.
    #[error("the {0} died; what was paid for is kept, the next run goes on from there")]
    ActorDied(&'static str),
    /// The engine ends.
    #[error("the engine is shutting down")]
    ShuttingDown,
}

/// Why a single row got no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidateError {
    /// Too many rows are queued.
    #[error("too many rows are queued; try again in {retry_after:?}")]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// The engine has no job of this name.
    #[error("there is no job «{0}»")]
    UnknownJob(String),
    /// The store fails: what was spent today cannot be told.
    #[error("the store fails: {0}")]
    Store(String),
    /// The engine ends.
    #[error("the engine is shutting down")]
    ShuttingDown,
}

/// Why an engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another instance works on the same store or the same table.
    #[error(transparent)]
    Claim(#[from] LockError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine gives no thread or no event loop.
    #[error("the engine's thread cannot start: {0}")]
    Thread(#[from] std::io::Error),
    /// A part does not fit.
    #[error("{0}")]
    Parts(String),
}

impl StartError {
    /// The engine has ended meanwhile.
    pub(super) fn ended() -> Self {
        Self::Parts("the engine is shutting down".to_owned())
    }
}
