//! A row of the source as the rest of the program sees it.

use std::fmt;

use jiff::civil;
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::columns::Columns;
use super::key::{Occurrences, RowKey};

/// A project's weekly status: one row of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The row number in the source, counted from 1 with the header.
    pub row: u64,
    /// The row's identity.
    pub key: RowKey,
    /// The status as read.
    pub status: String,
    /// The comment as read.
    pub comment: String,
    /// The completion date as read.
    pub completion_date: DateCell,
    /// What names the row, if the table has such a column.
    pub identifier: Option<String>,
    /// The project manager, if the table has such a column.
    pub project_manager: Option<String>,
    /// Further columns for the model: name and value.
    pub context: Vec<(String, String)>,
    /// The first spreadsheet error value in a column that is checked: such a row needs no model.
    pub input_error: Option<String>,
    /// Where the row can be looked at.
    pub link: Option<RowLink>,
}

impl Entry {
    /// An entry that is sent alone: known by its number, with nothing but a status and a comment.
    pub fn single(row: u64, status: impl Into<String>, comment: impl Into<String>) -> Self {
        Self {
            row,
            key: RowKey::of_row(row),
            status: status.into(),
            comment: comment.into(),
            completion_date: DateCell::Missing,
            identifier: None,
            project_manager: None,
            context: Vec::new(),
            input_error: None,
            link: None,
        }
    }
}

/// A completion date: text to be parsed by the rulebook's format, or a real date from a typed cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateCell {
    /// No such column, or an empty cell.
    Missing,
    /// Text as read.
    Text(String),
    /// A date cell of a typed table.
    Date(civil::Date),
}

impl fmt::Display for DateCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Date(date) => write!(f, "{date}"),
        }
    }
}

/// A link to a row of the source. Built from ids and file names only, never from cell text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowLink {
    /// The file or the page, the same for all rows of a source.
    pub url: String,
    /// The place in it, such as `'Sheet1'!A5`; empty where the source has no such notion.
    pub place: String,
}

/// What became of one row of the source when it was read.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadRow {
    /// A status to check.
    Entry {
        /// The status.
        entry: Box<Entry>,
        /// The first row with the same identifier, if this is a later one.
        duplicate_of: Option<u64>,
    },
    /// Nothing to check: every configured column is blank.
    Blank {
        /// The row number.
        row: u64,
    },
}

/// Turns the cells of a row into an entry. NUL, which no table can hold, becomes U+FFFD.
pub fn read_row(row: u64, cells: &[Cell], columns: &Columns, keys: &mut Occurrences) -> ReadRow {
    let cell = |index: usize| cells.get(index).unwrap_or(&Cell::Empty);
    if columns.meaningful().all(|index| cell(index).is_blank()) {
        return ReadRow::Blank { row };
    }
    let text = |index: usize| {
        let text = cell(index).display();
        if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
    };
    let identifier = columns.identifier.map(text);
    let (key, duplicate_of) = match &identifier {
        Some(identifier) => {
            let numbered = keys.next(identifier, row);
            (numbered.key, numbered.duplicate_of)
        }
        None => (RowKey::of_row(row), None),
    };
    let completion_date = match columns.completion_date.map(cell) {
        None | Some(Cell::Empty) => DateCell::Missing,
        Some(Cell::Date(date)) => DateCell::Date(*date),
        Some(other) => DateCell::Text(other.display().replace('\0', "\u{fffd}")),
    };
    let checked = [Some(columns.status), Some(columns.comment), columns.completion_date];
    let input_error = checked.into_iter().flatten().find_map(|index| match cell(index) {
        Cell::Error(name) => Some(name.clone()),
        _ => None,
    });
    let entry = Entry {
        row,
        key,
        status: text(columns.status),
        comment: text(columns.comment),
        completion_date,
        project_manager: columns.project_manager.map(text),
        context: columns.context.iter().map(|(name, index)| (name.clone(), text(*index))).collect(),
        identifier,
        input_error,
        link: None,
    };
    ReadRow::Entry { entry: Box::new(entry), duplicate_of }
}
