//! Undoing what a write did to rows that it was not meant for.
//!
//! A write changes rows by their numbers, and between looking and writing people may have moved them. So each
//! write that changes rows first copies the tab, in the same atomic request, and says in the copy what it was meant
//! to change. What was overwritten by mistake is found by comparing the two, and brought back from the copy. The
//! copy is in the spreadsheet itself: whoever comes after a crash can do the same.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::snapshot::Snapshot;
use super::write::Write;
use crate::domain::key::RowKey;
use crate::table::google::values::text;

/// What a write was meant to change, as it stands in the first column of the copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The header that the write went by.
    header: Vec<String>,
    header_row: u32,
    key_column: u32,
    rows: Vec<RowRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct RowRecord {
    row: u32,
    note: RowNote,
}

/// The first cell of the copy's row that the header had.
#[derive(Serialize, Deserialize)]
struct HeaderNote {
    header: Vec<String>,
    key_column: u32,
}

/// The first cell of each row that was to be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RowNote {
    /// How the row was known.
    was: String,
    /// What its key cell says since.
    key: RowKey,
    /// What its cells say since.
    now: String,
    /// The columns that were written.
    columns: Vec<u32>,
}

/// A row that holds what was meant for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Debt {
    /// The row in the copy that holds its former cells.
    pub(super) row: u32,
    /// What its key cell says now.
    pub(super) key: RowKey,
    /// What the cells say now.
    pub(super) now: String,
    /// The columns that were overwritten, as the copy has them without its first one.
    pub(super) columns: Vec<u32>,
}

impl Record {
    /// What `write` is meant to change, by this header.
    pub(super) fn of(write: &Write, snapshot: &Snapshot, key_column: u32) -> Self {
        let row = |row: &super::write::RowWrite| RowRecord {
            row: row.row,
            note: RowNote {
                was: row.was.clone(),
                key: row.key.clone(),
                now: row.now(),
                columns: row.columns(),
            },
        };
        Self {
            header: trimmed(&snapshot.header),
            header_row: snapshot.header_row,
            key_column,
            rows: write.rows.iter().map(row).collect(),
        }
    }

    /// The cells of the copy's first column that say so: row and text.
    pub(super) fn cells(&self) -> impl Iterator<Item = (u32, String)> {
        let header = HeaderNote { header: self.header.clone(), key_column: self.key_column };
        let header = (self.header_row, serde_json::to_string(&header).unwrap_or_default());
        let rows =
            self.rows.iter().map(|row| (row.row, serde_json::to_string(&row.note).unwrap_or_default()));
        std::iter::once(header).chain(rows)
    }

    /// Reads the first column of a copy back; none if it is not one of ours.
    pub(super) fn read(column: &[Value]) -> Option<Self> {
        let texts = || (0u32..).zip(column.iter().map(text));
        let header =
            |(row, text): (u32, String)| Some((row, serde_json::from_str::<HeaderNote>(&text).ok()?));
        let (header_row, HeaderNote { header, key_column }) = texts().find_map(header)?;
        let rows = texts()
            .filter_map(|(row, text)| Some(RowRecord { row, note: serde_json::from_str(&text).ok()? }));
        Some(Self { header, header_row, key_column, rows: rows.collect() })
    }

    /// The column of the keys that the write went by.
    pub(super) fn key_column(&self) -> u32 {
        self.key_column
    }

    /// The rows that hold what was meant for others
    pub(super) fn debts(&self, copied: &Snapshot) -> Vec<Debt> {
        let columns_moved = trimmed(&copied.header) != self.header;
        let strayed = |row: &&RowRecord| {
            let found = copied.cells(row.row).cloned().unwrap_or_default();
            columns_moved || found.identity() != row.note.was
        };
        self.rows
            .iter()
            .filter(strayed)
            .map(|RowRecord { row, note }| Debt {
                row: *row,
                key: note.key.clone(),
                now: note.now.clone(),
                columns: note.columns.clone(),
            })
            .collect()
    }
}

/// Where the columns of a header are in another one: people may have inserted and deleted columns meanwhile. None for
/// a column that is gone.
pub(super) fn moved_columns(before: &[String], after: &[String]) -> impl Fn(u32) -> Option<u32> {
    let (before, after) = (trimmed(before), trimmed(after));
    let kept = kept(&before, &after);
    let (old_width, new_width) = (before.len(), after.len());
    move |column| {
        let column = column as usize;
        if column >= old_width {
            return u32::try_from(new_width + (column - old_width)).ok();
        }
        if let Some((_, new)) = kept.iter().find(|(old, _)| *old == column) {
            return u32::try_from(*new).ok();
        }
        // A renamed column stands between the same neighbours as before.
        let above = kept.iter().rev().find(|(old, _)| *old < column);
        let below = kept.iter().find(|(old, _)| *old > column);
        let (old_from, new_from) = above.map_or((0, 0), |(old, new)| (old + 1, new + 1));
        let (old_to, new_to) = below.copied().unwrap_or((old_width, new_width));
        let is_renamed = old_to - old_from == new_to.saturating_sub(new_from);
        is_renamed.then(|| u32::try_from(new_from + (column - old_from)).ok()).flatten()
    }
}

/// The longest list of names that both headers have in the same order: their places in each.
fn kept(before: &[String], after: &[String]) -> Vec<(usize, usize)> {
    let width = after.len() + 1;
    let mut longest = vec![0u32; (before.len() + 1) * width];
    let at = |longest: &[u32], i: usize, j: usize| longest.get(i * width + j).copied().unwrap_or_default();
    for (i, old) in before.iter().enumerate().rev() {
        for (j, new) in after.iter().enumerate().rev() {
            let length = match old == new {
                true => at(&longest, i + 1, j + 1) + 1,
                false => at(&longest, i + 1, j).max(at(&longest, i, j + 1)),
            };
            if let Some(cell) = longest.get_mut(i * width + j) {
                *cell = length;
            }
        }
    }
    let (mut i, mut j, mut kept) = (0, 0, Vec::new());
    while let (Some(old), Some(new)) = (before.get(i), after.get(j)) {
        if old == new && at(&longest, i, j) == at(&longest, i + 1, j + 1) + 1 {
            kept.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if at(&longest, i + 1, j) >= at(&longest, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    kept
}

fn trimmed(header: &[String]) -> Vec<String> {
    let used = header.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    header.iter().take(used).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::write::{Cells, Content, RowWrite};
    use super::*;
    use crate::table::google::sink::snapshot::KeyCells;

    fn names(names: &str) -> Vec<String> {
        names.split(' ').map(|name| name.trim_matches('_').to_owned()).collect()
    }

    fn snapshot(header: &str, keys: &str) -> Snapshot {
        let cells = |key: String| KeyCells { key, ..KeyCells::default() };
        Snapshot {
            header: names(header),
            rows: names(keys).into_iter().map(cells).collect(),
            ..Snapshot::default()
        }
    }

    fn write(snapshot: &Snapshot, rows: &[u32]) -> Write {
        let row = |row: &u32| {
            let cells = snapshot.cells(*row).unwrap();
            RowWrite {
                row: *row,
                was: cells.identity(),
                key: RowKey::stored(cells.key.clone()),
                cells: Cells::Put(vec![
                    (1, Content::Text("NO".into())),
                    (2, Content::Text(cells.key.clone())),
                ]),
            }
        };
        Write { rows: rows.iter().map(row).collect(), added: Vec::new() }
    }

    #[test]
    fn what_a_write_was_meant_to_change_is_read_back_from_its_copy() {
        let seen = snapshot("Note Valid Key _ _", "a b c");
        let record = Record::of(&write(&seen, &[1, 3]), &seen, 2);
        let mut column = vec![Value::Null; 4];
        record.cells().for_each(|(row, text)| column[row as usize] = text.into());
        assert_eq!(Record::read(&column), Some(record));
        assert_eq!(Record::read(&[Value::from("Project"), Value::from("{}")]), None);
    }

    #[test]
    fn rows_that_had_moved_are_debts() {
        let seen = snapshot("Note Valid Key", "a b c");
        let record = Record::of(&write(&seen, &[1, 2, 3]), &seen, 2);
        let debts = |header: &str, keys: &str| {
            let debts = record.debts(&snapshot(header, keys));
            debts.into_iter().map(|debt| (debt.row, debt.key.to_string())).collect::<Vec<_>>()
        };
        let owed = |row: u32, key: &str| (row, key.to_owned());
        assert_eq!(debts("Note Valid Key", "a b c"), []);
        assert_eq!(debts("Note Valid Key _", "a c b"), [owed(2, "b"), owed(3, "c")]);
        assert_eq!(debts("Note Valid Key", "_ a b c").len(), 3);
        assert_eq!(debts("New Note Valid Key", "a b c").len(), 3, "their cells went into other columns");
    }

    #[test]
    fn columns_are_followed_by_their_names() {
        let moved = |before: &str, after: &str| {
            let (before, after) = (names(before), names(after));
            let find = moved_columns(&before, &after);
            (0..before.len() as u32 + 1).map(find).collect::<Vec<_>>()
        };
        assert_eq!(moved("A B C", "A B C"), [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(moved("A B C", "A New B C"), [Some(0), Some(2), Some(3), Some(4)]);
        assert_eq!(moved("A B C", "A C"), [Some(0), None, Some(1), Some(2)]);
        assert_eq!(moved("A B C", "A Renamed C"), [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(moved("A B C", "Old A Other C"), [Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(moved("A _ B", "A _ _ B"), [Some(0), Some(1), Some(3), Some(4)]);
    }
}
