//! Undoing what a write did to rows that it was not meant for. Pure.
//!
//! A write changes rows by their numbers, and between looking and writing people may have moved them. So each
//! write that changes rows first copies the tab, in the same atomic request, and says in the copy what it was meant
//! to change. What was overwritten by mistake is found by comparing the two, and brought back from the copy. The
//! copy is in the spreadsheet itself: whoever comes after a crash can do the same.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::record::{Record, shortened};
use super::snapshot::Snapshot;
use super::write::{RowWrite, whole};
use crate::domain::key::RowKey;

/// What a write was meant to change.
pub(super) type Changes = Record<RowNote>;

/// What is noted of a row that was to be changed, beside it in the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RowNote {
    /// What the row said, as a whole.
    was: String,
    /// What its key cell says since.
    key: RowKey,
    /// The columns that were written, and what their cells say since.
    cells: Vec<(u32, String)>,
}

/// A row that holds what was meant for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Debt {
    /// The row in the copy that holds its former cells.
    pub(super) row: u32,
    /// What its key cell says now.
    pub(super) key: RowKey,
    /// The columns that were overwritten, and what their cells say now.
    pub(super) cells: Vec<(u32, String)>,
}

/// The tab as a write found it, without what the copy says of the write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) header: Vec<String>,
    /// The texts of the rows that are noted.
    pub(super) rows: HashMap<u32, Vec<String>>,
}

impl Changes {
    /// What these changes are meant for, by this look.
    pub(super) fn of(rows: &[RowWrite], snapshot: &Snapshot, key_column: u32) -> Self {
        let note =
            |row: &RowWrite| RowNote { was: row.was.clone(), key: row.key.clone(), cells: row.marks() };
        Self::new(snapshot, key_column, rows.iter().map(|row| (row.row, note(row))).collect())
    }

    /// The rows that hold what was meant for others.
    pub(super) fn debts(&self, copied: &Copied) -> Vec<Debt> {
        let columns_moved = shortened(&copied.header) != self.header;
        let strayed = |(row, note): &&(u32, RowNote)| {
            let found = copied.rows.get(row).map(Vec::as_slice).unwrap_or_default();
            columns_moved || whole(found) != note.was
        };
        let debt = |(row, note): &(u32, RowNote)| Debt {
            row: *row,
            key: note.key.clone(),
            cells: note.cells.clone(),
        };
        self.notes.iter().filter(strayed).map(debt).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::write::{Cells, Content};
    use super::*;

    fn names(names: &str) -> Vec<String> {
        names.split(' ').map(|name| name.trim_matches('_').to_owned()).collect()
    }

    fn seen(header: &str) -> Snapshot {
        Snapshot { header: names(header), ..Snapshot::default() }
    }

    /// A tab with rows of a note, a verdict and a key.
    fn copied(header: &str, rows: &[&str]) -> Copied {
        Copied { header: names(header), rows: (1..).zip(rows.iter().map(|row| names(row))).collect() }
    }

    fn write(tab: &Copied, rows: &[u32]) -> Vec<RowWrite> {
        let row = |row: &u32| {
            let texts = &tab.rows[row];
            let cells = vec![(1, Content::Text("NO".into())), (2, Content::Text(texts[2].clone()))];
            let key = RowKey::stored(texts[2].clone());
            RowWrite { row: *row, was: whole(texts), key, cells: Cells::Put(cells) }
        };
        rows.iter().map(row).collect()
    }

    const ROWS: [&str; 3] = ["x YES a", "_ YES b", "_ YES c"];

    #[test]
    fn what_a_write_was_meant_to_change_is_read_back_from_its_copy() {
        let header = "Note Valid Key _ _";
        let record = Changes::of(&write(&copied(header, &ROWS), &[1, 3]), &seen(header), 2);
        let mut column = vec![Value::Null; 4];
        record.cells().for_each(|(row, text)| column[row as usize] = text.into());
        assert_eq!(Changes::read(&column), Some(record));
        assert_eq!(Changes::read(&[Value::from("Project"), Value::from("{}")]), None);
    }

    #[test]
    fn rows_that_had_moved_are_debts() {
        let header = "Note Valid Key";
        let record = Changes::of(&write(&copied(header, &ROWS), &[1, 2, 3]), &seen(header), 2);
        let debts = |header: &str, rows: &[&str]| {
            let debts = record.debts(&copied(header, rows));
            debts.into_iter().map(|debt| (debt.row, debt.key.to_string())).collect::<Vec<_>>()
        };
        let owed = |row: u32, key: &str| (row, key.to_owned());
        assert_eq!(debts(header, &ROWS), []);
        assert_eq!(
            debts("Note Valid Key _", &["x YES a", "_ YES c", "_ YES b _"]),
            [owed(2, "b"), owed(3, "c")]
        );
        assert_eq!(
            debts(header, &["y YES a", "_ YES b", "_ YES c"]),
            [owed(1, "a")],
            "the same key is not enough"
        );
        assert_eq!(debts(header, &["_", "x YES a", "_ YES b"]).len(), 3);
        assert_eq!(debts("New Note Valid Key", &ROWS).len(), 3, "their cells went into other columns");
    }
}
