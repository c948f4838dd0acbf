//! Putting right rows that were added while people moved columns. Pure.
//!
//! Rows are added by column numbers, and between looking and writing people may have moved columns. So each write that
//! adds rows also keeps, in the same atomic request, the header as it is then, in a hidden tab, and says there what
//! was to be under which header. Whoever comes after a crash finds both.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::moved::moved_columns;
use super::record::{Record, shortened};
use super::snapshot::Snapshot;
use super::write::{Added, Cells, Content, RowWrite, mark, whole};
use crate::domain::key::RowKey;
use crate::domain::results::ResultColumn;

/// What a write was meant to add.
pub(super) type Additions = Record<AddedNote>;

/// What is noted of a row that was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AddedNote {
    pub(super) key: RowKey,
    /// What its cells say, by the columns that were written.
    cells: Vec<(u32, String)>,
}

/// Rows whose cells are under wrong headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Astray {
    /// The column that their keys are in.
    pub(super) key_column: u32,
    /// Each column that was written: where its cells are, and where they belong.
    moves: Vec<Move>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Move {
    written: u32,
    from: Option<u32>,
    to: Option<u32>,
}

impl Additions {
    /// What these rows are meant to be, by this look.
    pub(super) fn of(added: &[Added], snapshot: &Snapshot, key_column: u32) -> Self {
        let cell = |(column, content): &(u32, Content)| (*column, mark(&content.text()));
        let note =
            |row: &Added| AddedNote { key: row.key.clone(), cells: row.cells.iter().map(cell).collect() };
        let rows = snapshot.header_row + 1..;
        Self::new(snapshot, key_column, rows.zip(added.iter().map(note)).collect())
    }

    /// Whether the cells are under wrong headers, and where. `then` is the header as it was when the rows were added,
    /// from the first column on.
    pub(super) fn astray(&self, then: &[String], now: &[String]) -> Option<Astray> {
        let written: HashSet<u32> =
            self.notes.iter().flat_map(|(_, note)| &note.cells).map(|(column, _)| *column).collect();
        let (mut then, now) = (shortened(then), shortened(now));
        let name = |header: &[String], column: u32| header.get(column as usize).cloned().unwrap_or_default();
        if written.iter().all(|column| name(&then, *column) == name(&self.header, *column)) {
            return None;
        }
        let width = written.iter().max().map_or(0, |last| *last as usize + 1);
        then.resize(then.len().max(width), String::new());
        let (from, to) = (moved_columns(&then, &now), moved_columns(&self.header, &now));
        let moves = written.into_iter().map(|written| Move { written, from: from(written), to: to(written) });
        Some(Astray { key_column: from(self.key_column)?, moves: moves.collect() })
    }
}

impl Astray {
    /// What puts a row right that has the key of this note where keys went; none if it is right, or somebody else's.
    pub(super) fn put_right(
        &self,
        note: &AddedNote,
        row: u32,
        texts: &[String],
        now: &Snapshot,
    ) -> Option<RowWrite> {
        let text = |at: Option<u32>| at.and_then(|at| texts.get(at as usize)).cloned().unwrap_or_default();
        let said = |column: u32| note.cells.iter().find(|(written, _)| *written == column);
        let says = |at: Option<u32>, column: u32| {
            at.is_some() && said(column).is_some_and(|(_, said)| mark(&text(at)) == *said)
        };
        let found: Vec<&Move> = self.moves.iter().filter(|cell| says(cell.from, cell.written)).collect();
        let is_wrong = |cell: &&&Move| !text(cell.from).is_empty() && !says(cell.to, cell.written);
        if found.len() * 2 < note.cells.len() || found.iter().filter(is_wrong).count() == 0 {
            return None;
        }
        let number = now.places.of(ResultColumn::RowNumber);
        let content = |to: u32, text: String| match text.parse() {
            Ok(row) if Some(to as usize) == number => Content::Number(row),
            _ => Content::Text(text),
        };
        let mut put: Vec<(u32, Content)> =
            found.iter().filter_map(|cell| Some((cell.to?, content(cell.to?, text(cell.from))))).collect();
        let taken: HashSet<u32> = put.iter().map(|(to, _)| *to).collect();
        let left = found.iter().filter_map(|cell| cell.from);
        let left = left.filter(|from| !taken.contains(from) && !text(Some(*from)).is_empty());
        put.extend(left.map(|from| (from, Content::Blank)));
        Some(RowWrite { row, was: whole(texts), key: note.key.clone(), cells: Cells::Put(put) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::google::sink::snapshot::KeyCells;
    use crate::table::places::Places;

    fn names(names: &str) -> Vec<String> {
        names.split('|').map(|name| name.trim().to_owned()).collect()
    }

    fn seen(header: &str) -> Snapshot {
        let header = names(header);
        let places = Places::locate(&header, &[]).unwrap();
        Snapshot { places, header, rows: vec![KeyCells::default()], ..Snapshot::default() }
    }

    /// What is put where after a row was added by `before`, landed in `then`, and stands there `now`.
    fn put_right(before: &str, then: &str, now: &str, texts: &str) -> Option<Vec<(u32, String)>> {
        let added = Added {
            key: RowKey::stored("gate"),
            cells: vec![
                (0, Content::Number(7)),
                (1, Content::Text("Done".into())),
                (2, Content::Blank),
                (3, Content::Text("gate".into())),
            ],
        };
        let record = Additions::of(&[added], &seen(before), 3);
        let astray = record.astray(&names(then), &names(now))?;
        let (row, note) = &record.notes[0];
        let put = astray.put_right(note, *row, &names(texts), &seen(now))?;
        let Cells::Put(cells) = put.cells else { panic!("{put:?}") };
        let mut cells: Vec<(u32, String)> = cells.iter().map(|(at, content)| (*at, content.text())).collect();
        cells.sort();
        Some(cells)
    }

    fn cells(cells: &[(u32, &str)]) -> Option<Vec<(u32, String)>> {
        Some(cells.iter().map(|(at, text)| (*at, (*text).to_owned())).collect())
    }

    const BEFORE: &str = "Row Number|Comment|Issues|Key";

    #[test]
    fn rows_under_their_headers_are_left_alone() {
        assert_eq!(put_right(BEFORE, BEFORE, "Comment|Row Number|Issues|Key", "Done|7||gate"), None);
        assert_eq!(put_right(BEFORE, "Row Number|Comment|Issues|Key|New", BEFORE, "7|Done||gate"), None);
    }

    #[test]
    fn cells_go_where_they_belong_and_what_is_people_s_stays() {
        let then = "Row Number|Note|Comment|Issues|Key";
        assert_eq!(
            put_right(BEFORE, then, then, "7|Done||gate|"),
            cells(&[(0, "7"), (1, ""), (2, "Done"), (3, ""), (4, "gate")])
        );
        assert_eq!(
            put_right(BEFORE, then, then, "7|a note since|||gate|"),
            None,
            "the key is not where the write put it"
        );
        assert_eq!(
            put_right(BEFORE, then, then, "7|a note since||gate|"),
            cells(&[(0, "7"), (3, ""), (4, "gate")]),
            "the note stays, the comment is lost to it and written anew"
        );
        assert_eq!(
            put_right(BEFORE, then, "Key|Row Number|Note|Comment|Issues", "|7|Done||gate"),
            cells(&[(0, "gate"), (1, "7"), (2, ""), (3, "Done"), (4, "")])
        );
    }

    #[test]
    fn a_row_that_is_put_right_is_not_touched_again() {
        let then = "Comment|Row Number|Issues|Key";
        assert_eq!(
            put_right(BEFORE, then, then, "7|Done||gate"),
            cells(&[(0, "Done"), (1, "7"), (2, ""), (3, "gate")])
        );
        assert_eq!(put_right(BEFORE, then, then, "Done|7||gate"), None);
    }

    #[test]
    fn a_header_without_names_at_its_end_is_followed() {
        let before = "Row Number|Comment|Issues|Key";
        assert_eq!(
            put_right(before, "Row Number|Comment|Key", "Row Number|Comment|Key", "7|Done||gate"),
            cells(&[(0, "7"), (1, "Done"), (2, "gate"), (3, "")]),
            "a column of ours was deleted"
        );
    }
}
