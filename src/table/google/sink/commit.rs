//! A commit: look, write, look again, until every row that waits stands in the tab once.
//!
//! Rows are found by key at the moment of writing. A write goes out as one atomic request; whether it was carried
//! out is never assumed where the answer was lost, but settled first. What people did between the look and the write
//! is found by the next look, and what a write then hit by mistake is put back (see [`super::undo`]).

use std::collections::{HashMap, HashSet};

use super::rows::{Form, text_of};
use super::snapshot::Snapshot;
use super::tab::{ResultsTab, Sent};
use super::write::{Added, RowWrite, Write};
use crate::domain::key::RowKey;
use crate::domain::results::ResultRow;
use crate::domain::upsert::{double_mark, gone_mark, is_gone_mark, is_suspicious_shrink};
use crate::table::google::fault::Fault;
use crate::table::{Committed, Gone, Requests, TableError};

/// Results that wait, by key.
pub(super) type Waiting = HashMap<RowKey, ResultRow>;

/// A commit under way.
pub(super) struct Commit<'a> {
    pub(super) tab: &'a mut ResultsTab,
    pub(super) form: &'a Form,
    pub(super) waiting: &'a mut Waiting,
    /// Rows of a write of which nobody knows whether it was carried out.
    pub(super) sent: &'a mut HashSet<RowKey>,
    pub(super) count: &'a mut Requests,
    pub(super) today: jiff::civil::Date,
    /// The last write, until a look has shown what came of it.
    pub(super) last: Option<Last>,
    pub(super) done: Committed,
}

/// A write that was sent.
pub(super) struct Last {
    write: Write,
    /// Whether it is known to have been carried out.
    is_certain: bool,
}

/// A row that is to say something else instead of its number.
struct Mark {
    row: u32,
    key: RowKey,
    mark: String,
}

/// Cells of one write: the client spends some 5 KB on each while a request is made.
const WRITE_CELLS: usize = 5_000;
/// Google advises requests of no more than 2 MB.
const WRITE_BYTES: usize = 1_500_000;
/// So often the tab may turn out to have changed between a look and a write before it is left in peace.
const ROUNDS: usize = 60;
/// So often in a row a write may be refused.
const REFUSALS: usize = 6;

impl Commit<'_> {
    /// Brings all rows that wait to the tab, then marks those that are gone. Rows leave `waiting` when they are seen
    /// in the tab.
    pub(super) async fn run(
        mut self,
        gone: Gone,
        seen: &(dyn Fn(&RowKey) -> bool + Sync),
    ) -> Result<Committed, TableError> {
        let (mut refusals, mut why) = (0, String::new());
        for _ in 0..ROUNDS {
            self.tab.settle(self.count).await?;
            let now = self.tab.snapshot(self.count).await?;
            let Some(now) = self.tab.repair(now, self.count).await? else { continue };
            let doubles = self.doubles(&now);
            let is_repair = !doubles.is_empty();
            let next = if is_repair {
                self.marked(doubles, &now).await?.map(Write::Change)
            } else {
                self.arrived(&now);
                self.next(&now, gone, seen).await?
            };
            let Some(write) = next else { continue };
            if write.is_empty() {
                return Ok(self.done);
            }
            match self.tab.send(&write, &now, self.count).await? {
                sent @ (Sent::Done | Sent::Unknown) => {
                    refusals = 0;
                    if !is_repair {
                        self.last = Some(Last { write, is_certain: sent == Sent::Done });
                    }
                }
                Sent::Refused(reason) => {
                    refusals += 1;
                    if refusals >= REFUSALS {
                        why = reason;
                        break;
                    }
                    self.tab.survey(self.count).await?;
                }
            }
        }
        Err(match refusals >= REFUSALS {
            true => self.tab.place.error(&Fault::Refused(why)),
            false => self.tab.place.unavailable(
                "people kept changing the tab while it was written; the results are kept, run again"
                    .to_owned(),
            ),
        })
    }

    /// What to write next; nothing of it if nothing is left, none if the tab has changed while it was looked at.
    async fn next(
        &mut self,
        now: &Snapshot,
        gone: Gone,
        seen: &(dyn Fn(&RowKey) -> bool + Sync),
    ) -> Result<Option<Write>, TableError> {
        while !self.waiting.is_empty() {
            let Some(write) = self.next_results(now).await? else { return Ok(None) };
            if !write.is_empty() {
                return Ok(Some(write));
            }
        }
        let gone = self.gone(now, gone, seen);
        Ok(self.marked(gone, now).await?.map(Write::Change))
    }

    /// The next lot of rows that wait: first those that stand in the tab, then those that do not. Those that say the
    /// same already leave.
    async fn next_results(&mut self, now: &Snapshot) -> Result<Option<Write>, TableError> {
        let at: HashMap<RowKey, u32> = now.find(|key| self.waiting.contains_key(key));
        if at.is_empty() {
            return Ok(Some(Write::Add(self.added(now))));
        }
        let lot = self.lot(|key| at.contains_key(key));
        let mut rows: Vec<u32> = lot.iter().filter_map(|key| at.get(key)).copied().collect();
        rows.sort_unstable();
        let Some(texts) = self.texts(&rows, now).await? else { return Ok(None) };
        let mut changes = Vec::new();
        for key in lot {
            let (Some(row), Some(at)) = (self.waiting.get(&key), at.get(&key)) else { continue };
            let texts = texts.get(at).map(Vec::as_slice).unwrap_or_default();
            match self.form.changed(*at, texts, row, &now.places) {
                Some(change) => changes.push(change),
                None => self.leaves_unchanged(&key),
            }
        }
        changes.sort_by_key(|row| row.row);
        Ok(Some(Write::Change(changes)))
    }

    /// All texts of these rows, from top to bottom; none if rows were moved since they were looked at.
    async fn texts(
        &mut self,
        rows: &[u32],
        now: &Snapshot,
    ) -> Result<Option<HashMap<u32, Vec<String>>>, TableError> {
        let texts = match self.tab.rows(self.tab.tab.id, rows, self.count).await {
            Ok(texts) => texts,
            // Rows have gone since.
            Err(Fault::Refused(_)) => return self.tab.survey(self.count).await.map(|()| None),
            Err(fault) => return Err(self.tab.place.error(&fault)),
        };
        let is_same = |row: &u32| {
            let texts = texts.get(row).map(Vec::as_slice).unwrap_or_default();
            now.cells(*row).cloned().unwrap_or_default().is_of(texts, &now.places)
        };
        let is_all = rows.iter().all(is_same);
        Ok(Some(texts).filter(|_| is_all))
    }

    /// Rows that get a mark instead of their number; none if they were moved since they were looked at.
    async fn marked(
        &mut self,
        mut marks: Vec<Mark>,
        now: &Snapshot,
    ) -> Result<Option<Vec<RowWrite>>, TableError> {
        marks.sort_by_key(|mark| mark.row);
        let rows: Vec<u32> = marks.iter().map(|mark| mark.row).collect();
        let Some(texts) = self.texts(&rows, now).await? else { return Ok(None) };
        let row = |Mark { row, key, mark }| {
            let texts = texts.get(&row).map(Vec::as_slice).unwrap_or_default();
            self.form.marked(row, texts, key, mark, &now.places)
        };
        Ok(Some(marks.into_iter().map(row).collect()))
    }

    /// The next rows that are added.
    fn added(&self, now: &Snapshot) -> Vec<Added> {
        let cells = |key: RowKey| {
            let cells = self.form.added(self.waiting.get(&key)?, &now.places);
            Some(Added { key, cells })
        };
        self.lot(|_| true).into_iter().filter_map(cells).collect()
    }

    /// Keys of rows that go together into one write, in the order of the source.
    fn lot(&self, is_among: impl Fn(&RowKey) -> bool) -> Vec<RowKey> {
        let mut order: Vec<(&RowKey, &ResultRow)> =
            self.waiting.iter().filter(|(key, _)| is_among(key)).collect();
        order.sort_by_key(|(key, row)| (row.row, (*key).clone()));
        let mut bytes = 0;
        let fits = |(key, row): (&RowKey, &ResultRow)| {
            bytes += self.form.columns.iter().map(|column| text_of(row, *column).len() + 40).sum::<usize>();
            Some(key.clone()).filter(|_| bytes <= WRITE_BYTES)
        };
        let mut lot: Vec<RowKey> = order.iter().copied().take(self.most_rows()).map_while(fits).collect();
        if lot.is_empty() {
            lot.extend(order.first().map(|(key, _)| (*key).clone())); // a row too long for company
        }
        lot
    }

    fn leaves_unchanged(&mut self, key: &RowKey) {
        self.waiting.remove(key);
        // Written after all, by a write of which nobody knew.
        let counter = if self.sent.remove(key) { &mut self.done.written } else { &mut self.done.unchanged };
        *counter += 1;
    }

    /// Rows that the last write added and somebody else too, as when two programs write at a time: the second ones.
    fn doubles(&mut self, now: &Snapshot) -> Vec<Mark> {
        let Some(Last { write: Write::Add(added), is_certain }) = &self.last else { return Vec::new() };
        // Only a write of which nobody knew can have been carried out besides another one.
        let unsure = |key: &&RowKey| !is_certain || self.sent.contains(*key);
        let keys: HashSet<&str> =
            added.iter().map(|row| &row.key).filter(unsure).map(RowKey::as_str).collect();
        let mut first: HashMap<&str, u32> = HashMap::new();
        let mut doubles = Vec::new();
        for (n, cells) in now.rows.iter().enumerate().filter(|(_, cells)| keys.contains(cells.key.as_str())) {
            let row = now.row(n);
            let first = *first.entry(&cells.key).or_insert(row);
            let mark = double_mark(self.form.language, u64::from(first) + 1);
            if first != row && cells.number != mark {
                doubles.push(Mark { row, key: RowKey::stored(cells.key.clone()), mark });
            }
        }
        if !doubles.is_empty() {
            let told = "rows stand in the results twice, though written once: the second ones are marked, delete them";
            self.done.warnings.push(told.to_owned());
        }
        doubles
    }

    /// Rows of the last write that are seen in the tab leave.
    fn arrived(&mut self, now: &Snapshot) {
        let Some(Last { write, is_certain }) = self.last.take() else { return };
        let written: HashSet<RowKey> = write.keys().cloned().collect();
        if !is_certain {
            let is_mark = |key: &RowKey| written.contains(key) && !self.waiting.contains_key(key);
            let marked = now.find(is_mark).into_values().filter(|row| is_gone(now, *row)).count();
            self.done.marked_gone += marked as u64;
            return self.sent.extend(written); // whether they say what they should is seen by comparing
        }
        for key in now.find(|key| written.contains(key)).into_keys() {
            let is_result = self.waiting.remove(&key).is_some();
            self.sent.remove(&key);
            let counter = if is_result { &mut self.done.written } else { &mut self.done.marked_gone };
            *counter += 1;
        }
    }

    /// The next rows that are gone from the source, to be marked.
    fn gone(&mut self, now: &Snapshot, gone: Gone, seen: &(dyn Fn(&RowKey) -> bool + Sync)) -> Vec<Mark> {
        if gone == Gone::Keep {
            return Vec::new();
        }
        let present: Vec<(RowKey, u32)> = now.keys().filter(|(_, at)| !is_gone(now, *at)).collect();
        let total = present.len() as u64;
        let lost: Vec<(RowKey, u32)> = present.into_iter().filter(|(key, _)| !seen(key)).collect();
        if gone == Gone::Mark && is_suspicious_shrink(total, lost.len() as u64) {
            self.done.shrink_refused = lost.len() as u64;
            return Vec::new();
        }
        let mark = gone_mark(self.form.language, self.today);
        let mark = |(key, row)| Mark { row, key, mark: mark.clone() };
        lost.into_iter().take(self.most_rows()).map(mark).collect()
    }

    /// So many rows go into one write.
    fn most_rows(&self) -> usize {
        (WRITE_CELLS / self.form.columns.len().max(1)).max(1)
    }
}

fn is_gone(now: &Snapshot, row: u32) -> bool {
    now.cells(row).is_some_and(|cells| is_gone_mark(&cells.number))
}
