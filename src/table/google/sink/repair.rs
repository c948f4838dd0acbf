//! Putting right what a write did to rows and columns that had moved.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::rows::Form;
use super::snapshot::Snapshot;
use super::survey::Copy;
use super::tab::{Leftovers, ResultsTab, Sent};
use super::undo::{Debt, moved_columns};
use super::write::{Added, Cells, Content, Restore, RowWrite, Write, told};
use crate::domain::key::RowKey;
use crate::domain::results::ResultColumn;
use crate::domain::upsert::double_mark;
use crate::table::google::account::View;
use crate::table::google::fault::Fault;
use crate::table::google::values::{Area, text};
use crate::table::{Requests, TableError};

/// So often a repair may hit a tab that has changed once more.
const ROUNDS: usize = 30;

impl ResultsTab {
    /// Puts back what earlier writes overwrote by mistake, the last write first. Gives a look at the tab as it is
    /// then; none if it could not be done yet and has to be settled first.
    pub(super) async fn repair(
        &mut self,
        mut now: Snapshot,
        count: &mut Requests,
    ) -> Result<Option<Snapshot>, TableError> {
        for _ in 0..ROUNDS {
            let Some(copy) = self.copies.last().cloned() else { return Ok(Some(now)) };
            let rows = self.owed(&copy, &now, count).await?;
            if rows.is_empty() {
                self.copies.retain(|known| known.id != copy.id);
                self.spent.push(copy);
                continue;
            }
            tracing::warn!(
                target = %self.place.name(), rows = rows.len(),
                "people moved rows while they were written; what was overwritten is put back"
            );
            let write = Write { rows, added: Vec::new() };
            // Nothing is removed while something is still owed.
            match self.send(&write, &now, Leftovers::Stay, count).await? {
                Sent::Done => {}
                Sent::Unknown => return Ok(None),
                Sent::Refused(_) => self.survey(count).await?,
            }
            now = self.snapshot(count).await?;
        }
        Err(self.place.unavailable(
            "people kept changing the tab while rows were put back; the copy of the tab is kept, run again"
                .into(),
        ))
    }

    /// The rows of the tab that hold what was meant for others, each with what it held before.
    async fn owed(
        &mut self,
        copy: &Copy,
        now: &Snapshot,
        count: &mut Requests,
    ) -> Result<Vec<RowWrite>, TableError> {
        let Some((record, copied)) = self.read_copy(copy, count).await? else { return Ok(Vec::new()) };
        let debts = record.debts(&copied);
        if debts.is_empty() {
            return Ok(Vec::new());
        }
        let moved = moved_columns(&copied.header, &now.header);
        let Some(key_column) = moved(record.key_column()) else { return Ok(Vec::new()) };
        let holders = self.holders(&debts, key_column, now, &moved, count).await?;
        let wanted: Vec<u32> = {
            let mut rows: Vec<u32> = holders.iter().map(|(debt, _)| debt.row).collect();
            rows.sort_unstable();
            rows
        };
        let former = self.rows(copy.id, &wanted, count).await.map_err(|fault| self.place.error(&fault))?;
        let restored = holders.into_iter().filter_map(|(debt, at)| {
            let former = former.get(&debt.row).map(Vec::as_slice).unwrap_or_default();
            restored(copy, debt, at, former, now, &moved)
        });
        let mut rows: Vec<RowWrite> = restored.collect();
        rows.sort_by_key(|row| row.row);
        rows.dedup_by_key(|row| row.row);
        Ok(rows)
    }

    /// Where the cells of debts are now: the rows whose key cell and cells say what was written by mistake.
    async fn holders<'d>(
        &self,
        debts: &'d [Debt],
        key_column: u32,
        now: &Snapshot,
        moved: &(dyn Fn(u32) -> Option<u32> + Sync),
        count: &mut Requests,
    ) -> Result<Vec<(&'d Debt, u32)>, TableError> {
        let area = Area::column(self.tab.id, key_column);
        let account = &self.place.account;
        let keys = account.values(&self.place.spreadsheet_id, &[area], View::Columns, count).await;
        let keys = keys.map_err(|fault| self.place.error(&fault))?;
        let by_key: HashMap<&str, &Debt> = debts.iter().map(|debt| (debt.key.as_str(), debt)).collect();
        let below = now.header_row + 1;
        let said = (0u32..).zip(keys.line(area)).filter(|(row, _)| *row >= below);
        let candidates: Vec<(u32, &Debt)> = said
            .filter_map(|(row, value): (u32, &Value)| Some((row, *by_key.get(text(value).as_str())?)))
            .collect();
        let rows: Vec<u32> = candidates.iter().map(|(row, _)| *row).collect();
        let texts = self.rows(self.tab.id, &rows, count).await.map_err(|fault| self.place.error(&fault))?;
        let holds = |(row, debt): &(u32, &Debt)| {
            let columns: Option<Vec<u32>> = debt.columns.iter().map(|column| moved(*column)).collect();
            let (Some(columns), Some(texts)) = (columns, texts.get(row)) else { return false };
            let cells =
                columns.iter().map(|at| texts.get(*at as usize).map(String::as_str).unwrap_or_default());
            told(cells) == debt.now
        };
        Ok(candidates.into_iter().filter(holds).map(|(row, debt)| (debt, row)).collect())
    }
}

/// A row that gets back what it held. `former` are the texts of its row in the copy, whose first column is not the
/// tab's.
fn restored(
    copy: &Copy,
    debt: &Debt,
    at: u32,
    former: &[String],
    now: &Snapshot,
    moved: &(dyn Fn(u32) -> Option<u32> + Sync),
) -> Option<RowWrite> {
    let cells = now.cells(at).cloned().unwrap_or_default();
    let key_column = now.places.of(ResultColumn::Key).and_then(|place| u32::try_from(place).ok())?;
    let columns: Vec<(u32, u32)> =
        debt.columns.iter().filter_map(|column| Some((column + 1, moved(*column)?))).collect();
    let was = |column: u32| former.get(column as usize).cloned().unwrap_or_default();
    let texts: Vec<(u32, String)> = columns.iter().map(|(from, to)| (*to, was(*from))).collect();
    let key = match texts.iter().find(|(to, _)| *to == key_column) {
        Some((_, key)) => key.clone(),
        None => cells.key.clone(),
    };
    let is_nameless = key.trim().is_empty();
    let key = match is_nameless {
        true => RowKey::theirs(&format!("{:016x}", fastrand::u64(..))),
        false => RowKey::stored(key),
    };
    let restore =
        Restore { copy: copy.id, row: debt.row, columns, marks: is_nameless.then_some(key_column), texts };
    Some(RowWrite { row: at, was: cells.identity(), key, cells: Cells::Restore(restore) })
}

/// Rows that were added while the columns moved, so that their cells are under wrong headers: with what puts them
/// right. Looked for only where rows are missing though they were written.
pub(super) async fn stray_additions(
    tab: &ResultsTab,
    added: &[Added],
    before: &Snapshot,
    after: &Snapshot,
    count: &mut Requests,
) -> Result<Vec<RowWrite>, TableError> {
    if before.header == after.header || added.is_empty() {
        return Ok(Vec::new());
    }
    let there: HashSet<RowKey> = after.keys().map(|(key, _)| key).collect();
    let missing: HashMap<&str, &Added> =
        added.iter().filter(|row| !there.contains(&row.key)).map(|row| (row.key.as_str(), row)).collect();
    let mut strays = Vec::new();
    let mut from = after.header_row + 1;
    while !missing.is_empty() && from < tab.tab.rows {
        let to = (from + PAGE_ROWS).min(tab.tab.rows);
        let rows: Vec<u32> = (from..to).collect();
        let texts = match tab.rows(tab.tab.id, &rows, count).await {
            Ok(texts) => texts,
            Err(Fault::Refused(_)) => break, // rows have gone: the next round looks again
            Err(fault) => return Err(tab.place.error(&fault)),
        };
        for row in rows {
            let cells = texts.get(&row).map(Vec::as_slice).unwrap_or_default();
            let found = cells.iter().find_map(|cell| missing.get(cell.as_str()));
            strays.extend(found.and_then(|sent| put_right(row, sent, cells, before, after)));
        }
        from = to;
    }
    Ok(strays)
}

/// Rows that were added once and stand there twice, as when two programs write at a time: the second ones, marked.
pub(super) fn doubled_additions<'k>(
    added: impl Iterator<Item = &'k RowKey>,
    now: &Snapshot,
    form: &Form,
) -> Vec<RowWrite> {
    let keys: HashSet<&str> = added.map(RowKey::as_str).collect();
    let mut first: HashMap<&str, u32> = HashMap::new();
    let mut doubles = Vec::new();
    for (n, cells) in now.rows.iter().enumerate().filter(|(_, cells)| keys.contains(cells.key.as_str())) {
        let row = now.row(n);
        match first.get(cells.key.as_str()) {
            None => drop(first.insert(&cells.key, row)),
            Some(first) => {
                let mark = double_mark(form.language, u64::from(*first) + 1);
                if cells.number != mark {
                    let key = RowKey::stored(cells.key.clone());
                    doubles.push(form.marked(row, cells, key, mark, &now.places));
                }
            }
        }
    }
    doubles
}

/// Rows that are looked through at a time.
const PAGE_ROWS: u32 = 1000;

/// The cells of a stray row where they belong, and those blank that hold what was sent and belong nowhere.
fn put_right(
    row: u32,
    Added { key, cells: sent }: &Added,
    cells: &[String],
    before: &Snapshot,
    after: &Snapshot,
) -> Option<RowWrite> {
    let says = |text: &str| sent.iter().any(|(_, content)| content.text() == text);
    let matching = cells.iter().filter(|cell| !cell.is_empty() && says(cell)).count();
    let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
    if matching * 2 < filled {
        return None; // somebody else's row that happens to say the same word
    }
    let column = |at: u32| before.places.at(at as usize);
    let mut put: Vec<(u32, Content)> = sent
        .iter()
        .filter_map(|(at, content)| {
            let place = after.places.of(column(*at)?)?;
            Some((u32::try_from(place).ok()?, content.clone()))
        })
        .collect();
    let taken: HashSet<u32> = put.iter().map(|(at, _)| *at).collect();
    let blank =
        (0u32..).zip(cells).filter(|(at, cell)| !taken.contains(at) && !cell.is_empty() && says(cell));
    put.extend(blank.map(|(at, _)| (at, Content::Blank)));
    let was = after.cells(row).cloned().unwrap_or_default().identity();
    Some(RowWrite { row, was, key: key.clone(), cells: Cells::Put(put) })
}
