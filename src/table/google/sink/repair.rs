//! Putting right what a write did to rows and columns that had moved.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::additions::AddedNote;
use super::moved::{moved_columns, trimmed};
use super::rows::Form;
use super::snapshot::Snapshot;
use super::survey::{Copy, CopyKind};
use super::tab::{Leftovers, ResultsTab, Sent};
use super::undo::Debt;
use super::write::{Cells, Restore, RowWrite, Write, told};
use crate::domain::key::RowKey;
use crate::domain::results::ResultColumn;
use crate::domain::upsert::double_mark;
use crate::table::google::account::View;
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
                "people moved rows or columns while they were written; what went astray is put right"
            );
            let write = Write::Change(rows);
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

    /// What puts right what a write did by mistake.
    async fn owed(
        &mut self,
        copy: &Copy,
        now: &Snapshot,
        count: &mut Requests,
    ) -> Result<Vec<RowWrite>, TableError> {
        let mut rows = match copy.kind {
            CopyKind::Whole => self.overwritten(copy, now, count).await?,
            CopyKind::Header => self.strayed(copy, now, count).await?,
        };
        rows.sort_by_key(|row| row.row);
        rows.dedup_by_key(|row| row.row);
        Ok(rows)
    }

    /// The rows that hold what was meant for others, each with what it held before.
    async fn overwritten(
        &mut self,
        copy: &Copy,
        now: &Snapshot,
        count: &mut Requests,
    ) -> Result<Vec<RowWrite>, TableError> {
        let Some((changes, copied)) = self.read_changes(copy, count).await? else { return Ok(Vec::new()) };
        let debts = changes.debts(&copied);
        if debts.is_empty() {
            return Ok(Vec::new());
        }
        let then = trimmed(&copied.header);
        let moved = moved_columns(&then, &now.header);
        let Some(key_column) = moved(changes.key_column) else { return Ok(Vec::new()) };
        let holders = self.holders(&debts, key_column, now, &moved, count).await?;
        let mut wanted: Vec<u32> = holders.iter().map(|(debt, _)| debt.row).collect();
        wanted.sort_unstable();
        let former = self.rows(copy.id, &wanted, count).await.map_err(|fault| self.place.error(&fault))?;
        let restored = holders.into_iter().filter_map(|(debt, at)| {
            let former = former.get(&debt.row).map(Vec::as_slice).unwrap_or_default();
            restored(copy, debt, at, former, now, &moved)
        });
        Ok(restored.collect())
    }

    /// Rows that were added while columns moved, so that their cells are under wrong headers.
    async fn strayed(
        &mut self,
        copy: &Copy,
        now: &Snapshot,
        count: &mut Requests,
    ) -> Result<Vec<RowWrite>, TableError> {
        let Some((additions, then)) = self.read_additions(copy, count).await? else { return Ok(Vec::new()) };
        let Some(astray) = additions.astray(&then, &now.header) else { return Ok(Vec::new()) };
        let notes: HashMap<&str, &AddedNote> =
            additions.notes.iter().map(|(_, note)| (note.key.as_str(), note)).collect();
        let found = self.rows_with(astray.key_column, &notes, now, count).await?;
        let put = found.iter().filter_map(|(row, note, texts)| astray.put_right(note, *row, texts, now));
        Ok(put.collect())
    }

    /// The rows that say one of these keys in a column, and all their texts.
    async fn rows_with<'n, N>(
        &self,
        column: u32,
        wanted: &HashMap<&str, &'n N>,
        now: &Snapshot,
        count: &mut Requests,
    ) -> Result<Vec<(u32, &'n N, Vec<String>)>, TableError> {
        let area = Area::column(self.tab.id, column);
        let account = &self.place.account;
        let keys = account.values(&self.place.spreadsheet_id, &[area], View::Columns, count).await;
        let keys = keys.map_err(|fault| self.place.error(&fault))?;
        let below = now.header_row + 1;
        let said = (0u32..).zip(keys.line(area)).filter(|(row, _)| *row >= below);
        let found: Vec<(u32, &N)> = said
            .filter_map(|(row, value): (u32, &Value)| Some((row, *wanted.get(text(value).as_str())?)))
            .collect();
        let rows: Vec<u32> = found.iter().map(|(row, _)| *row).collect();
        let mut texts =
            self.rows(self.tab.id, &rows, count).await.map_err(|fault| self.place.error(&fault))?;
        Ok(found.into_iter().map(|(row, note)| (row, note, texts.remove(&row).unwrap_or_default())).collect())
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
        let by_key: HashMap<&str, &Debt> = debts.iter().map(|debt| (debt.key.as_str(), debt)).collect();
        let candidates = self.rows_with(key_column, &by_key, now, count).await?;
        let holds = |(_, debt, texts): &(u32, &Debt, Vec<String>)| {
            let columns: Option<Vec<u32>> = debt.columns.iter().map(|column| moved(*column)).collect();
            let Some(columns) = columns else { return false };
            let cells =
                columns.iter().map(|at| texts.get(*at as usize).map(String::as_str).unwrap_or_default());
            told(cells) == debt.now
        };
        Ok(candidates.into_iter().filter(holds).map(|(row, debt, _)| (debt, row)).collect())
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
