//! The header and the keys of a results tab, as they were at one moment. Pure.

use std::collections::HashMap;

use serde_json::Value;

use super::rows::KEY_UNITS;
use crate::domain::columns::HeaderProblems;
use crate::domain::key::RowKey;
use crate::domain::results::ResultColumn;
use crate::domain::upsert::ExistingKeys;
use crate::table::google::tabs::Tab;
use crate::table::google::values::{Area, Values, text};
use crate::table::places::{Owner, Places, header_score};

/// What is known of a tab without reading its results.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    /// The row of the header, from 0.
    pub(super) header_row: u32,
    /// The names in it.
    pub(super) header: Vec<String>,
    /// Where our columns stand.
    pub(super) places: Places,
    /// The cells that tell whose row each is, for all rows below the header.
    pub(super) rows: Vec<KeyCells>,
}

/// The cells that tell whose row it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyCells {
    pub(super) key: String,
    pub(super) project: String,
    pub(super) number: String,
    pub(super) verdict: String,
}

/// People may write this many rows above the header.
pub(super) const ROWS_ABOVE: u32 = 100;

/// The columns of [`KeyCells`].
const KEY_COLUMNS: [ResultColumn; 4] =
    [ResultColumn::Key, ResultColumn::ProjectName, ResultColumn::RowNumber, ResultColumn::IsValid];

/// The header of a tab, if it has one.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) row: u32,
    pub(super) names: Vec<String>,
    pub(super) places: Places,
}

/// Finds the header in the first rows of a tab of ours, given by columns.
///
/// # Errors
/// If one of `columns` stands in it more than once.
pub(super) fn find_header(
    first_rows: &[Vec<Value>],
    columns: &[ResultColumn],
) -> Result<Option<Header>, HeaderProblems> {
    find_header_of(Owner::Ours, first_rows, columns)
}

/// Finds the header in the first rows of a tab, given by columns: people may have a legend above it that has some of
/// our names, too.
///
/// # Errors
/// If one of `columns` stands in it more than once.
pub(super) fn find_header_of(
    owner: Owner,
    first_rows: &[Vec<Value>],
    columns: &[ResultColumn],
) -> Result<Option<Header>, HeaderProblems> {
    let depth = first_rows.iter().map(Vec::len).max().unwrap_or_default();
    let names = |row: usize| -> Vec<String> {
        first_rows.iter().map(|column| column.get(row).map(text).unwrap_or_default()).collect()
    };
    let scored = (0..depth).filter_map(|row| Some((header_score(&names(row), owner)?, row)));
    // Of equals, `max_by_key` would give the last.
    let Some((_, row)) = scored.rev().max_by_key(|(score, _)| *score) else { return Ok(None) };
    let names = names(row);
    let places = Places::locate(&names, columns)?;
    Ok(Some(Header { row: u32::try_from(row).unwrap_or(u32::MAX), names, places }))
}

/// What has to be read of a tab for a snapshot of it, with our columns at these places.
pub(super) fn areas(tab: i32, places: &Places, first_rows: u32) -> Vec<Area> {
    let columns = KEY_COLUMNS.iter().filter_map(|column| column_area(tab, places, *column));
    std::iter::once(Area::rows(tab, 0..first_rows)).chain(columns).collect()
}

fn column_area(tab: i32, places: &Places, column: ResultColumn) -> Option<Area> {
    let place = u32::try_from(places.of(column)?).ok()?;
    Some(Area::column(tab, place))
}

impl Snapshot {
    /// Puts together what [`areas`] asked for.
    pub(super) fn of(mut values: Values, tab: i32, places: &Places, header: Header) -> Self {
        let below = usize::try_from(header.row).unwrap_or_default() + 1;
        let lines = KEY_COLUMNS.map(|column| {
            let area = column_area(tab, places, column);
            area.map(|area| values.take_line(area)).unwrap_or_default()
        });
        let height = lines.iter().map(Vec::len).max().unwrap_or_default();
        let [mut key, mut project, mut number, mut verdict] = lines.map(|line| line.into_iter().skip(below));
        let rows = (below..height)
            .map(|_| KeyCells {
                key: key.next().unwrap_or_default(),
                project: project.next().unwrap_or_default(),
                number: number.next().unwrap_or_default(),
                verdict: verdict.next().unwrap_or_default(),
            })
            .collect();
        Self { header_row: header.row, header: header.names, places: header.places, rows }
    }

    /// Rows whose key and project are hidden in merged cells of this tab are taken for people's: a number alone would
    /// make another row of them, one that the source does not have.
    pub(super) fn without_hidden(mut self, tab: &Tab) -> Self {
        let place = |column| self.places.of(column).and_then(|at| u32::try_from(at).ok());
        let (Some(key), Some(project)) = (place(ResultColumn::Key), place(ResultColumn::ProjectName)) else {
            return self;
        };
        let first = self.row(0);
        for (row, cells) in (first..).zip(&mut self.rows) {
            let is_nameless = cells.key.trim().is_empty() && cells.project.trim().is_empty();
            if is_nameless && tab.hides(row, key) && tab.hides(row, project) {
                *cells = KeyCells::default();
            }
        }
        self
    }

    /// True if our columns stand where this snapshot was read from.
    pub(super) fn was_read_from(&self, places: &Places) -> bool {
        KEY_COLUMNS.iter().all(|column| self.places.of(*column) == places.of(*column))
    }

    /// The row, from 0, of the n-th row below the header.
    pub(super) fn row(&self, n: usize) -> u32 {
        self.header_row.saturating_add(1).saturating_add(u32::try_from(n).unwrap_or(u32::MAX))
    }

    /// The cells of a row, counted from 0.
    pub(super) fn cells(&self, row: u32) -> Option<&KeyCells> {
        let n = row.checked_sub(self.header_row + 1)?;
        self.rows.get(usize::try_from(n).ok()?)
    }

    /// Each row that is ours with its key, from top to bottom.
    pub(super) fn keys(&self) -> impl Iterator<Item = (RowKey, u32)> {
        let mut known = ExistingKeys::default();
        let keys = self.rows.iter().enumerate();
        keys.filter_map(move |(n, cells)| {
            known.next(|column| cells.get(column)).map(|key| (key.within(KEY_UNITS), self.row(n)))
        })
    }

    /// True if a row bears the mark of people's rows.
    pub(super) fn has_marks(&self) -> bool {
        self.rows.iter().any(|cells| RowKey::stored(cells.key.as_str()).is_theirs())
    }

    /// Where these keys stand.
    pub(super) fn find<'a>(&self, wanted: impl Fn(&RowKey) -> bool + 'a) -> HashMap<RowKey, u32> {
        self.keys().filter(|(key, _)| wanted(key)).collect()
    }
}

impl KeyCells {
    fn get(&self, column: ResultColumn) -> Option<String> {
        match column {
            ResultColumn::Key => Some(self.key.clone()),
            ResultColumn::ProjectName => Some(self.project.clone()),
            ResultColumn::RowNumber => Some(self.number.clone()),
            ResultColumn::IsValid => Some(self.verdict.clone()),
            _ => None,
        }
    }

    /// True if a row with these texts, from the first column on, is the one that these cells are of.
    pub(super) fn is_of(&self, texts: &[String], places: &Places) -> bool {
        let text =
            |column| places.of(column).and_then(|at| texts.get(at)).map(String::as_str).unwrap_or_default();
        // A project may stand there as a formula that gives it.
        let is_key = text(ResultColumn::Key) == self.key;
        is_key && (!self.key.trim().is_empty() || text(ResultColumn::RowNumber) == self.number)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Rows as columns.
    fn columns(rows: &[&[&str]]) -> Vec<Vec<Value>> {
        let width = rows.iter().map(|row| row.len()).max().unwrap_or_default();
        let column =
            |at: usize| rows.iter().map(|row| json!(row.get(at).copied().unwrap_or_default())).collect();
        (0..width).map(column).collect()
    }

    #[test]
    fn the_row_with_the_most_of_our_names_is_the_header() {
        let legend = ["Is Valid", "Issues", "Row Number", "Comment", "Model"];
        let header = ["Row Number", "Is Valid", "Issues", "Comment", "Model", "Project name", "Mine"];
        let rows = columns(&[&["Statuses"], &legend, &[], &header, &["2", "YES"], &header]);
        let found = find_header_of(Owner::Unknown, &rows, &[]).unwrap().unwrap();
        assert_eq!((found.row, found.places.of(ResultColumn::ProjectName)), (3, Some(5)));
        assert!(find_header_of(Owner::Unknown, &columns(&[&["Check date", "Key"]]), &[]).unwrap().is_none());
    }
}
