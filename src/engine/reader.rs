//! SheetReader: pages through the source, has code review each row, and offers the rows.
//!
//! - Owns: the source. Holds one page.
//! - Receives: [`OpenSource`], [`ReadSource`] from the lifecycle. Sends: `Offer` to the dispatcher, one at a time:
//!   its reply is the credit for the next page.
//! - On panic: it is part of the spine. The lifecycle sees `Closed` and ends the run with an error that says so.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::dispatcher::{Dispatcher, NoRun, Offer, Offered};
use super::event::{Bus, Event, Settled};
use super::schedule::LineId;
use crate::domain::columns::{ColumnNames, Columns};
use crate::domain::entry::{Entry, ReadRow, read_row};
use crate::domain::fold::fold;
use crate::domain::judge::Judge;
use crate::domain::key::Occurrences;
use crate::domain::outcome::SkipReason;
use crate::fault::{self, Point};
use crate::table::{RowCount, TableError, TableSource};

/// Open the source at its top and find the columns. The reply means reading can begin.
#[derive(Message)]
#[rtype(result = "Result<Columns, Arc<TableError>>")]
pub(crate) struct OpenSource(pub(crate) ColumnNames);

/// Read the source, which is open, to its end. The reply means every row was offered and taken.
#[derive(Message)]
#[rtype(result = "Result<ReadEnd, Arc<TableError>>")]
pub(crate) struct ReadSource {
    /// The line of the run's rows.
    pub(crate) run: LineId,
    pub(crate) columns: Columns,
    pub(crate) judge: Arc<Judge>,
    /// Only the row with this identifier, key or number.
    pub(crate) only_row: Option<String>,
    pub(crate) page_rows: usize,
    pub(crate) cancel: CancellationToken,
}

/// How reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// With the last row.
    Complete,
    /// With the last row, but rows moved meanwhile: one that was not read may be there.
    Disturbed,
    /// Early: it was told to stop.
    Cancelled,
}

/// The actor.
pub(crate) struct SheetReader {
    source: Arc<Mutex<Box<dyn TableSource>>>,
    dispatcher: Addr<Dispatcher>,
    bus: Bus,
}

impl SheetReader {
    /// A reader of this source.
    pub(crate) fn new(source: Box<dyn TableSource>, dispatcher: Addr<Dispatcher>, bus: Bus) -> Self {
        Self { source: Arc::new(Mutex::new(source)), dispatcher, bus }
    }
}

impl Actor for SheetReader {
    type Context = Context<Self>;
}

impl Supervised for SheetReader {}

impl Handler<OpenSource> for SheetReader {
    type Result = ResponseActFuture<Self, Result<Columns, Arc<TableError>>>;

    fn handle(&mut self, OpenSource(names): OpenSource, _ctx: &mut Self::Context) -> Self::Result {
        let (source, bus) = (Arc::clone(&self.source), self.bus.clone());
        let opening = async move {
            let mut source = source.lock().await;
            let header = source.open().await;
            bus.table_requests(source.take_requests());
            let header = header?;
            match header.rows {
                RowCount::Exactly(rows) => bus.emit(Event::RowsExpected(rows)),
                RowCount::AtMost(rows) => bus.emit(Event::RowsAtMost(rows)),
                RowCount::Unknown => {}
            }
            Columns::locate(&header.names, &names)
                .map_err(|problems| TableError::Header { table: source.name(), problems })
        };
        Box::pin(async move { opening.await.map_err(Arc::new) }.into_actor(self))
    }
}

impl Handler<ReadSource> for SheetReader {
    type Result = ResponseActFuture<Self, Result<ReadEnd, Arc<TableError>>>;

    fn handle(&mut self, read: ReadSource, _ctx: &mut Self::Context) -> Self::Result {
        let reading = Reading {
            source: Arc::clone(&self.source),
            dispatcher: self.dispatcher.clone(),
            bus: self.bus.clone(),
            keys: Occurrences::default(),
            read,
        };
        Box::pin(async move { reading.run().await.map_err(Arc::new) }.into_actor(self))
    }
}

struct Reading {
    source: Arc<Mutex<Box<dyn TableSource>>>,
    dispatcher: Addr<Dispatcher>,
    bus: Bus,
    keys: Occurrences,
    read: ReadSource,
}

impl Reading {
    async fn run(mut self) -> Result<ReadEnd, TableError> {
        let source = Arc::clone(&self.source);
        let mut source = source.lock().await;
        loop {
            if self.read.cancel.is_cancelled() {
                return Ok(ReadEnd::Cancelled);
            }
            let page = source.next_page(self.read.page_rows).await;
            self.bus.table_requests(source.take_requests());
            let page = page?;
            fault::at(Point::SourceRead).map_err(|error| TableError::from_io(source.name(), &error, ""))?;
            if page.is_empty() {
                return Ok(if source.was_disturbed() { ReadEnd::Disturbed } else { ReadEnd::Complete });
            }
            let mut offered = Vec::with_capacity(page.len());
            for row in page {
                self.bus.emit(Event::RowRead { row: row.row });
                for warning in row.warnings {
                    self.bus.emit(Event::Warning(format!("row {}: {warning}", row.row)));
                }
                if let Some(mut entry) = self.entry(row.row, &row.cells) {
                    entry.link = row.link;
                    let review = self.read.judge.review(&entry);
                    offered.push(Offered { entry, review });
                }
            }
            match self.dispatcher.send(Offer { run: self.read.run, rows: offered }).await {
                Ok(Ok(())) => fault::pass(Point::RowsPlanned),
                // The dispatcher died; whoever finishes the run learns the same and says so.
                Ok(Err(NoRun)) | Err(_) => return Ok(ReadEnd::Cancelled),
            }
        }
    }

    fn entry(&mut self, row: u64, cells: &[crate::domain::cell::Cell]) -> Option<Entry> {
        let skip = |reason| {
            self.bus.emit(Event::Settled { row, state: Settled::Skipped(reason) });
            None
        };
        match read_row(row, cells, &self.read.columns, &mut self.keys) {
            ReadRow::Blank { .. } => skip(SkipReason::Blank),
            ReadRow::Entry { entry, duplicate_of } => {
                if self.read.only_row.as_ref().is_some_and(|wanted| !is_meant(&entry, wanted)) {
                    return skip(SkipReason::NotAsked);
                }
                let is_named = entry.identifier.as_ref().is_some_and(|name| !name.trim().is_empty());
                match duplicate_of {
                    _ if entry.identifier.is_some() && !is_named => {
                        self.bus.emit(Event::Warning(format!("row {row} has no identifier")));
                    }
                    Some(first) => self.bus.emit(Event::Duplicate { row, first }),
                    None => {}
                }
                Some(*entry)
            }
        }
    }
}

/// True if people mean this row: by its identifier, its key, or its number.
fn is_meant(entry: &Entry, wanted: &str) -> bool {
    entry.key.as_str() == wanted
        || wanted.strip_prefix('@').is_some_and(|number| number == entry.row.to_string())
        || entry.identifier.as_ref().is_some_and(|identifier| fold(identifier) == fold(wanted))
}
