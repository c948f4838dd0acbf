//! Putting right what a write did to rows and columns that had moved.

use std::collections::{HashMap, HashSet};

use super::additions::AddedNote;
use super::moved::{moved_columns, trimmed};
use super::snapshot::Snapshot;
use super::survey::{Copy, CopyKind};
use super::tab::{ResultsTab, Sent, lines, row_areas};
use super::undo::Debt;
use super::write::{Cells, Restore, RowWrite, Write, mark, whole};
use crate::domain::key::RowKey;
use crate::domain::results::ResultColumn;
use crate::table::google::account::View;
use crate::table::google::fault::Fault;
use crate::table::google::values::{Area, Values, text};
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
            let Some(rows) = self.owed(&copy, &now, count).await? else {
                now = self.snapshot(count).await?;
                continue;
            };
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
            match self.send(&write, &now, count).await? {
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

    /// What puts right what a write did by mistake; none if the tab has changed since it was looked at.
    async fn owed(
        &mut self,
        copy: &Copy,
        now: &Snapshot,
        count: &mut Requests,
    ) -> Result<Option<Vec<RowWrite>>, TableError> {
        let rows = match copy.kind {
            CopyKind::Whole => self.overwritten(copy, now, count).await?,
            CopyKind::Header => self.strayed(copy, now, count).await?,
        };
        let Some(mut rows) = rows else { return Ok(None) };
        rows.sort_by_key(|row| row.row);
        rows.dedup_by_key(|row| row.row);
        Ok(Some(rows))
    }

    /// The rows that hold what was meant for others, each with what it held before.
    async fn overwritten(
        &mut self,
        copy: &Copy,
        now: &Snapshot,
        count: &mut Requests,
    ) -> Result<Option<Vec<RowWrite>>, TableError> {
        let nothing = Ok(Some(Vec::new()));
        let Some((changes, copied)) = self.read_changes(copy, count).await? else { return nothing };
        let debts = changes.debts(&copied);
        if debts.is_empty() {
            return nothing;
        }
        let then = trimmed(&copied.header);
        let moved = moved_columns(&then, &now.header);
        let Some(key_column) = moved(changes.key_column) else { return nothing };
        let by_key: HashMap<&str, &Debt> = debts.iter().map(|debt| (debt.key.as_str(), debt)).collect();
        let Some(found) = self.rows_with(key_column, &by_key, now, count).await? else { return Ok(None) };
        let holders: Vec<_> =
            found.iter().filter_map(|found| Some((found, found.mistaken(&then, &moved)?))).collect();
        let is_whole = |debt: &Debt, cells: &[(u32, u32)]| cells.len() == debt.cells.len();
        let whole: HashSet<u32> = holders
            .iter()
            .filter(|(found, cells)| is_whole(found.note, cells))
            .map(|(found, _)| found.note.row)
            .collect();
        // Where a row says all that was written, others that say most of it are not meant.
        let meant = holders
            .into_iter()
            .filter(|(found, cells)| is_whole(found.note, cells) || !whole.contains(&found.note.row));
        let restored = meant.filter_map(|(found, cells)| {
            let former = copied.rows.get(&found.note.row).map(Vec::as_slice).unwrap_or_default();
            restored(copy, found, cells, former, now)
        });
        Ok(Some(restored.collect()))
    }

    /// Rows that were added while columns moved, so that their cells are under wrong headers.
    async fn strayed(
        &mut self,
        copy: &Copy,
        now: &Snapshot,
        count: &mut Requests,
    ) -> Result<Option<Vec<RowWrite>>, TableError> {
        let nothing = Ok(Some(Vec::new()));
        let Some((additions, then)) = self.read_additions(copy, count).await? else { return nothing };
        let Some(astray) = additions.astray(&then, &now.header) else { return nothing };
        let notes: HashMap<&str, &AddedNote> =
            additions.notes.iter().map(|(_, note)| (note.key.as_str(), note)).collect();
        let Some(found) = self.rows_with(astray.key_column, &notes, now, count).await? else {
            return Ok(None);
        };
        let put = found.iter().filter_map(|row| astray.put_right(row.note, row.row, &row.texts, now));
        Ok(Some(put.collect()))
    }

    /// The rows that say one of these keys in a column; none if the tab has changed since it was looked at, for then
    /// nothing can be said of what is not found.
    async fn rows_with<'n, N>(
        &mut self,
        column: u32,
        wanted: &HashMap<&str, &'n N>,
        now: &Snapshot,
        count: &mut Requests,
    ) -> Result<Option<Vec<Found<'n, N>>>, TableError> {
        if column >= self.tab.columns {
            self.survey(count).await?;
            if column >= self.tab.columns {
                return Ok(Some(Vec::new())); // people have deleted the column
            }
        }
        let keys = [Area::column(self.tab.id, column)];
        let Some(said) = self.beside_header(&keys, now, count).await? else { return Ok(None) };
        let said = (0u32..).zip(said.lines(keys[0])).skip(now.header_row as usize + 1);
        let found: Vec<(u32, &N)> = said
            .filter_map(|(row, cells)| Some((row, *wanted.get(text(cells.first()?).as_str())?)))
            .collect();
        if found.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let rows: Vec<u32> = found.iter().map(|(row, _)| *row).collect();
        let areas = row_areas(self.tab.id, &rows);
        let Some(values) = self.beside_header(&areas, now, count).await? else { return Ok(None) };
        let mut texts: HashMap<u32, Vec<String>> =
            areas.iter().flat_map(|area| lines(&values, *area)).collect();
        let mut rows = Vec::new();
        for (row, note) in found {
            let texts = texts.remove(&row).unwrap_or_default();
            let key = texts.get(column as usize).map(String::as_str).unwrap_or_default();
            let is_same = now.cells(row).cloned().unwrap_or_default().is_of(&texts, &now.places);
            if !is_same || wanted.get(key).is_none_or(|wanted| !std::ptr::eq(*wanted, note)) {
                return Ok(None);
            }
            rows.push(Found { row, note, texts });
        }
        Ok(Some(rows))
    }

    /// Reads areas of the tab together with its header; none if that is another one by now.
    async fn beside_header(
        &mut self,
        areas: &[Area],
        now: &Snapshot,
        count: &mut Requests,
    ) -> Result<Option<Values>, TableError> {
        let header = Area::rows(self.tab.id, now.header_row..now.header_row + 1);
        let areas: Vec<Area> = areas.iter().copied().chain([header]).collect();
        match self.place.account.values(&self.place.spreadsheet_id, &areas, View::Rows, count).await {
            Ok(values) => {
                let names: Vec<String> = values.line(header).iter().map(text).collect();
                let (names, known) = (trimmed(&names), trimmed(&now.header));
                // People's own headers may be formulas, which are read as such here.
                let same = |(name, known): (&String, &String)| name == known || name.starts_with('=');
                let is_same = names.len() == known.len() && names.iter().zip(&known).all(same);
                Ok(Some(values).filter(|_| is_same))
            }
            // Rows or columns have gone.
            Err(Fault::Refused(_)) => self.survey(count).await.map(|()| None),
            Err(fault) => Err(self.place.error(&fault)),
        }
    }
}

/// A row of the tab that says the key of a note.
struct Found<'n, N> {
    row: u32,
    note: &'n N,
    /// All its texts, from the first column on.
    texts: Vec<String>,
}

impl<N> Found<'_, N> {
    fn text(&self, column: u32) -> String {
        self.texts.get(column as usize).cloned().unwrap_or_default()
    }
}

impl Found<'_, Debt> {
    /// The cells that were written by mistake: their columns in the copy and in the tab. None if one of them says
    /// something else: the row for which it was meant has the same key and may say almost the same. A column without a
    /// name, which cannot be followed if people move it, tells nothing.
    fn mistaken(&self, then: &[String], moved: &impl Fn(u32) -> Option<u32>) -> Option<Vec<(u32, u32)>> {
        let mut cells = Vec::new();
        for (column, said) in &self.note.cells {
            let at = moved(*column);
            let text = at.map(|at| self.text(at)).unwrap_or_default();
            // A row that was put back without a key got the mark of people's rows instead.
            let is_marked = *said == mark("") && RowKey::stored(text.as_str()).is_theirs();
            let is_named = then.get(*column as usize).is_some_and(|name| !name.trim().is_empty());
            match at.filter(|_| is_marked || mark(&text) == *said) {
                Some(at) => cells.push((*column, at)),
                None if is_named => return None,
                None => {}
            }
        }
        Some(cells)
    }
}

/// A row that gets back what it held: `former`, by the copy.
fn restored(
    copy: &Copy,
    holder: &Found<'_, Debt>,
    columns: Vec<(u32, u32)>,
    former: &[String],
    now: &Snapshot,
) -> Option<RowWrite> {
    let (debt, at) = (holder.note, holder.row);
    let key_column = now.places.of(ResultColumn::Key).and_then(|place| u32::try_from(place).ok())?;
    let was = |column: u32| former.get(column as usize).cloned().unwrap_or_default();
    let texts: Vec<(u32, String)> = columns.iter().map(|(from, to)| (*to, was(*from))).collect();
    let restored = texts.iter().find(|(to, _)| *to == key_column);
    let key = restored.map_or_else(|| holder.text(key_column), |(_, key)| key.clone());
    let is_nameless = key.trim().is_empty();
    // The key is written in any case: should this write go astray too, the row is found by it.
    let writes_key = is_nameless || restored.is_none();
    let key = match is_nameless {
        true => RowKey::theirs(&format!("{:016x}", fastrand::u64(..))),
        false => RowKey::stored(key),
    };
    let restore = Restore {
        copy: copy.id,
        row: debt.row,
        columns,
        key_column: writes_key.then_some(key_column),
        texts,
    };
    Some(RowWrite { row: at, was: whole(&holder.texts), key, cells: Cells::Restore(restore) })
}
