//! Tables in memory: for embedding, for examples, for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt as _};

use super::{Committed, Header, RowCount, SinkOptions, SourceRow, TableError, TableSink, TableSource};
use crate::domain::cell::Cell;
use crate::domain::key::RowKey;
use crate::domain::results::{ResultColumn, ResultRow};
use crate::domain::upsert::{RowChange, change, gone_mark, is_gone_mark, is_suspicious_shrink};

/// A source whose rows are in memory. Clones share the rows, so a test can edit them between runs.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    shared: Arc<Mutex<Vec<Vec<Cell>>>>,
    next: usize,
}

impl MemorySource {
    /// A table of texts; the first row is the header.
    pub fn new<R, C>(rows: impl IntoIterator<Item = R>) -> Self
    where
        R: IntoIterator<Item = C>,
        C: Into<String>,
    {
        let rows = rows.into_iter().map(|row| row.into_iter().map(Cell::text).collect()).collect();
        Self { shared: Arc::new(Mutex::new(rows)), next: 0 }
    }

    /// Changes the rows, the header included.
    pub fn edit<T>(&self, edit: impl FnOnce(&mut Vec<Vec<Cell>>) -> T) -> T {
        edit(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TableSource for MemorySource {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn open(&mut self) -> BoxFuture<'_, Result<Header, TableError>> {
        self.next = 1;
        let header = self.edit(|rows| {
            let names = rows.first().map(|row| row.iter().map(Cell::display).collect());
            names.map(|names| Header { names, rows: RowCount::Exactly(rows.len() as u64 - 1) })
        });
        let empty = || TableError::Malformed { table: self.name(), detail: "it is empty".to_owned() };
        std::future::ready(header.ok_or_else(empty)).boxed()
    }

    fn next_page(&mut self, max_rows: usize) -> BoxFuture<'_, Result<Vec<SourceRow>, TableError>> {
        let first = self.next;
        let page: Vec<SourceRow> = self.edit(|rows| {
            let numbered = rows.iter().enumerate().skip(first).take(max_rows);
            numbered.map(|(i, cells)| SourceRow::new(i as u64 + 1, cells.clone())).collect()
        });
        self.next += page.len();
        std::future::ready(Ok(page)).boxed()
    }
}

/// A results table in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemorySink {
    shared: Arc<Mutex<Rows>>,
    seen: BTreeSet<RowKey>,
    taken: Vec<ResultRow>,
    mark: Option<bool>,
    options: Option<SinkOptions>,
}

#[derive(Debug, Default)]
struct Rows {
    by_key: BTreeMap<RowKey, BTreeMap<&'static str, String>>,
    order: Vec<RowKey>,
    written: u64,
}

impl MemorySink {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows in the order in which they were added: column name to text.
    pub fn rows(&self) -> Vec<BTreeMap<&'static str, String>> {
        let rows = self.lock();
        rows.order.iter().filter_map(|key| rows.by_key.get(key).cloned()).collect()
    }

    /// The text in a column of the row with this key.
    pub fn cell(&self, key: &str, column: ResultColumn) -> Option<String> {
        self.lock().by_key.get(&RowKey::stored(key))?.get(column.name()).cloned()
    }

    /// How many rows were added or changed since the beginning.
    pub fn writes(&self) -> u64 {
        self.lock().written
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Rows> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn merge(&mut self) -> Committed {
        let mut done = Committed::default();
        let Some(options) = self.options.clone() else { return done };
        let columns = options.layout.columns();
        let shared = Arc::clone(&self.shared);
        let mut table = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let Rows { by_key, order, written } = &mut *table;
        for row in self.taken.drain(..) {
            let Some(old) = by_key.get_mut(&row.key) else {
                let cells = columns.iter().map(|column| (column.name(), row.text(*column))).collect();
                by_key.insert(row.key.clone(), cells);
                order.push(row.key);
                done.written += 1;
                continue;
            };
            let existing = |column: ResultColumn| old.get(column.name()).cloned();
            match change(existing, &row, &columns, options.language, |text| text) {
                RowChange::Unchanged => done.unchanged += 1,
                RowChange::Set(cells) => {
                    old.extend(cells.into_iter().map(|(column, text)| (column.name(), text)));
                    done.written += 1;
                }
            }
        }
        if let Some(accept_shrink) = self.mark.take() {
            let total = by_key.len() as u64;
            let number = ResultColumn::RowNumber.name();
            let gone: Vec<_> = by_key.iter_mut().filter(|(key, _)| !self.seen.contains(key)).collect();
            if is_suspicious_shrink(total, gone.len() as u64) && !accept_shrink {
                done.shrink_refused = gone.len() as u64;
            } else {
                for (_, cells) in gone {
                    let cell = cells.entry(number).or_default();
                    if !is_gone_mark(cell) {
                        *cell = gone_mark(options.language, options.today);
                        done.marked_gone += 1;
                    }
                }
            }
        }
        *written += done.written;
        done
    }
}

impl TableSink for MemorySink {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn open(&mut self, how: &SinkOptions) -> BoxFuture<'_, Result<(), TableError>> {
        self.seen.clear();
        self.taken.clear();
        self.mark = None;
        self.options = Some(how.clone());
        std::future::ready(Ok(())).boxed()
    }

    fn upsert<'a>(&'a mut self, rows: &'a [ResultRow]) -> BoxFuture<'a, Result<(), TableError>> {
        self.seen.extend(rows.iter().map(|row| row.key.clone()));
        self.taken.extend(rows.iter().cloned());
        std::future::ready(Ok(())).boxed()
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<Committed, TableError>> {
        std::future::ready(Ok(self.merge())).boxed()
    }

    fn mark_gone(&mut self, accept_shrink: bool) -> BoxFuture<'_, Result<(), TableError>> {
        self.mark = Some(accept_shrink);
        std::future::ready(Ok(())).boxed()
    }
}
