//! A results table that prints what it is given: beside the true one, or, for a dry run, in its place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{self, BoxFuture, FutureExt as _};
use tokio_util::sync::CancellationToken;

use super::rows::RowPrinter;
use crate::domain::foreign::ForeignVerdicts;
use crate::domain::results::ResultRow;
use crate::table::{Committed, Requests, SinkOptions, TableError, TableSink};

/// Prints rows on their way to a table.
pub(crate) struct Echo {
    printer: Arc<Mutex<RowPrinter>>,
    to: Beyond,
}

enum Beyond {
    /// The true table.
    Table(Box<dyn TableSink>),
    /// Nothing. Once nobody reads what is printed, judging on would only cost money.
    Nothing { stop: CancellationToken },
}

impl Echo {
    /// Prints what goes to `table`.
    pub(crate) fn beside(table: Box<dyn TableSink>, printer: Arc<Mutex<RowPrinter>>) -> Self {
        Self { printer, to: Beyond::Table(table) }
    }

    /// Prints, and writes nothing.
    pub(crate) fn alone(printer: Arc<Mutex<RowPrinter>>, stop: CancellationToken) -> Self {
        Self { printer, to: Beyond::Nothing { stop } }
    }

    fn table(&self) -> Option<&dyn TableSink> {
        match &self.to {
            Beyond::Table(table) => Some(table.as_ref()),
            Beyond::Nothing { .. } => None,
        }
    }

    fn table_mut(&mut self) -> Option<&mut Box<dyn TableSink>> {
        match &mut self.to {
            Beyond::Table(table) => Some(table),
            Beyond::Nothing { .. } => None,
        }
    }

    fn printer(&self) -> MutexGuard<'_, RowPrinter> {
        self.printer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TableSink for Echo {
    fn name(&self) -> String {
        match &self.to {
            Beyond::Table(table) => table.name(),
            Beyond::Nothing { .. } => "standard output".to_owned(),
        }
    }

    fn open(&mut self, how: &SinkOptions) -> BoxFuture<'_, Result<(), TableError>> {
        self.printer().begin(how.layout);
        match &mut self.to {
            Beyond::Table(table) => table.open(how),
            Beyond::Nothing { .. } => done(()),
        }
    }

    fn upsert<'a>(&'a mut self, rows: &'a [ResultRow]) -> BoxFuture<'a, Result<(), TableError>> {
        let in_vain = {
            let mut printer = self.printer();
            printer.rows(rows);
            printer.is_in_vain()
        };
        match &mut self.to {
            Beyond::Table(table) => table.upsert(rows),
            Beyond::Nothing { stop } => {
                if in_vain {
                    stop.cancel();
                }
                done(())
            }
        }
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<Committed, TableError>> {
        match &mut self.to {
            Beyond::Table(table) => table.commit(),
            Beyond::Nothing { .. } => done(Committed::default()),
        }
    }

    fn close(&mut self) -> BoxFuture<'_, Result<(), TableError>> {
        match &mut self.to {
            Beyond::Table(table) => table.close(),
            Beyond::Nothing { .. } => done(()),
        }
    }

    fn is_full(&self) -> bool {
        self.table().is_some_and(|table| table.is_full())
    }

    fn settles_within(&self) -> Duration {
        self.table().map(|table| table.settles_within()).unwrap_or_default()
    }

    fn is_settled(&self) -> bool {
        self.table().is_none_or(|table| table.is_settled())
    }

    fn foreign_verdicts(&mut self) -> ForeignVerdicts {
        self.table_mut().map(|table| table.foreign_verdicts()).unwrap_or_default()
    }

    fn take_requests(&mut self) -> Requests {
        self.table_mut().map(|table| table.take_requests()).unwrap_or_default()
    }

    fn mark_gone(&mut self, accept_shrink: bool) -> BoxFuture<'_, Result<(), TableError>> {
        match &mut self.to {
            Beyond::Table(table) => table.mark_gone(accept_shrink),
            Beyond::Nothing { .. } => done(()),
        }
    }
}

fn done<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, Result<T, TableError>> {
    future::ready(Ok(value)).boxed()
}
