//! A results table that fails as scripted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::{BoxFuture, FutureExt as _};

use crate::domain::results::ResultRow;
use crate::table::memory::MemorySink;
use crate::table::{Committed, SinkOptions, TableError, TableSink};

/// What happens instead of, or after, a visit to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the visit succeeds.
    None,
    /// Refused before anything was written; works later.
    Refused,
    /// Written, but the answer was lost.
    AnswerLost,
    /// The table's code panics.
    Panic,
}

type Script = dyn Fn(u64) -> Fault + Send + Sync;

/// A [`MemorySink`] behind a script of faults.
pub struct FaultySink {
    inner: MemorySink,
    script: Arc<Script>,
    visits: AtomicU64,
}

impl FaultySink {
    /// Wraps a table; the script is given the number of the visit, from 0.
    pub fn new(inner: MemorySink, script: impl Fn(u64) -> Fault + Send + Sync + 'static) -> Self {
        Self { inner, script: Arc::new(script), visits: AtomicU64::new(0) }
    }

    fn next(&self) -> Fault {
        (self.script)(self.visits.fetch_add(1, Ordering::SeqCst))
    }
}

fn unavailable(detail: &str) -> TableError {
    TableError::Unavailable { table: "memory".into(), detail: detail.into(), retry_after: None }
}

#[expect(clippy::panic, reason = "the script asks for a panic")]
fn before(fault: Fault) -> Result<(), TableError> {
    match fault {
        Fault::Refused => Err(unavailable("scripted refusal")),
        Fault::Panic => panic!("scripted panic of the table"),
        Fault::None | Fault::AnswerLost => Ok(()),
    }
}

fn after<T>(fault: Fault, value: T) -> Result<T, TableError> {
    match fault {
        Fault::AnswerLost => Err(unavailable("scripted loss of the answer")),
        Fault::None | Fault::Refused | Fault::Panic => Ok(value),
    }
}

impl TableSink for FaultySink {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn open(&mut self, how: &SinkOptions) -> BoxFuture<'_, Result<(), TableError>> {
        self.inner.open(how)
    }

    fn upsert<'a>(&'a mut self, rows: &'a [ResultRow]) -> BoxFuture<'a, Result<(), TableError>> {
        async move {
            let fault = self.next();
            before(fault)?;
            self.inner.upsert(rows).await?;
            after(fault, ())
        }
        .boxed()
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<Committed, TableError>> {
        async move {
            let fault = self.next();
            before(fault)?;
            let committed = self.inner.commit().await?;
            after(fault, committed)
        }
        .boxed()
    }

    fn mark_gone(&mut self, accept_shrink: bool) -> BoxFuture<'_, Result<(), TableError>> {
        self.inner.mark_gone(accept_shrink)
    }
}
