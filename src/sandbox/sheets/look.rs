//! Looks at an office without a call: for tests and tools.

use jiff::Timestamp;
use serde_json::Value;

use super::cell::Content;
use super::formula::Calculator;
use super::office::Office;
use super::shift::Axis;
use super::spreadsheet::Spreadsheet;
use super::tab::Tab;
use super::values::shown;
use super::view;

/// A spreadsheet as it is at a moment.
#[derive(Clone, Copy, Debug)]
pub struct BookLook<'a> {
    book: &'a Spreadsheet,
    now: Timestamp,
}

/// A sheet of it.
#[derive(Clone, Copy, Debug)]
pub struct SheetLook<'a> {
    book: &'a Spreadsheet,
    tab: &'a Tab,
    at: usize,
    now: Timestamp,
}

/// A cell of it.
#[derive(Clone, Debug, PartialEq)]
pub struct CellLook {
    /// What was entered, an `ExtendedValue`; none for nothing.
    pub entered: Option<Value>,
    /// What it comes to, an `ExtendedValue`; none for nothing.
    pub effective: Option<Value>,
    /// What it shows.
    pub text: String,
    /// Its formula, with the `=`.
    pub formula: Option<String>,
    /// Its links.
    pub links: Vec<LinkLook>,
    /// Its note; empty if it has none.
    pub note: String,
    /// The format that was entered, a `CellFormat`; an empty object if there is none.
    pub format: Value,
    /// The rule for what may be entered, a `DataValidationRule`.
    pub validation: Option<Value>,
}

/// A link in the text of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkLook {
    /// Where it begins, in UTF-16.
    pub start: usize,
    /// Where it ends, in UTF-16.
    pub end: usize,
    /// Where it leads.
    pub uri: String,
}

impl Office {
    /// The ids of all spreadsheets, in the order in which they came.
    pub fn spreadsheets(&self) -> impl Iterator<Item = &str> {
        self.documents.iter().map(|document| document.book.id.as_str())
    }

    /// Looks at a spreadsheet, shared or not. The moment is for formulas that ask for it.
    pub fn look(&self, id: &str, now: Timestamp) -> Option<BookLook<'_>> {
        let document = self.documents.iter().find(|document| document.book.id == id)?;
        Some(BookLook { book: &document.book, now })
    }
}

impl<'a> BookLook<'a> {
    /// Its title.
    pub fn title(self) -> &'a str {
        &self.book.title
    }

    /// Its sheets in their order.
    pub fn sheets(self) -> impl Iterator<Item = SheetLook<'a>> {
        let Self { book, now } = self;
        book.tabs.iter().enumerate().map(move |(at, tab)| SheetLook { book, tab, at, now })
    }

    /// The sheet of a title.
    pub fn sheet(self, title: &str) -> Option<SheetLook<'a>> {
        self.sheets().find(|sheet| sheet.title() == title)
    }

    /// Its named ranges, `NamedRange`s.
    pub fn named_ranges(self) -> Vec<Value> {
        self.book.shown_names()
    }
}

impl<'a> SheetLook<'a> {
    /// Its title.
    pub fn title(self) -> &'a str {
        &self.tab.title
    }

    /// Its id.
    pub fn sheet_id(self) -> i32 {
        self.tab.id
    }

    /// True if people do not see it.
    pub fn is_hidden(self) -> bool {
        self.tab.hidden
    }

    /// How many rows its grid has.
    pub fn rows(self) -> u32 {
        self.tab.grid.rows()
    }

    /// How many columns its grid has.
    pub fn columns(self) -> u32 {
        self.tab.grid.columns()
    }

    /// One past the last row that has something entered.
    pub fn entered_rows(self) -> u32 {
        self.tab.grid.last_row().map_or(0, |row| row + 1)
    }

    /// The columns that somebody has hidden.
    pub fn hidden_columns(self) -> Vec<u32> {
        (0..self.columns()).filter(|column| self.tab.dims(Axis::Columns).get(*column).hidden).collect()
    }

    /// The rows that somebody has hidden.
    pub fn hidden_rows(self) -> Vec<u32> {
        (0..self.rows()).filter(|row| self.tab.dims(Axis::Rows).get(*row).hidden).collect()
    }

    /// A cell, by its row and its column from 0.
    pub fn cell(self, row: u32, column: u32) -> CellLook {
        let calc = Calculator::new(self.book, self.now);
        let cell = self.tab.grid.cell(row, column);
        let key = (self.at, row, column);
        let value = calc.value(key);
        let links = view::hyperlinks(&calc, key, cell);
        CellLook {
            entered: cell.content().extended(),
            effective: value.extended(),
            text: shown(&calc, key, cell, &value),
            formula: match cell.content() {
                Content::Formula(formula) => Some(formula.text().to_owned()),
                _ => None,
            },
            links: links.into_iter().map(|(start, end, uri)| LinkLook { start, end, uri }).collect(),
            note: cell.extra().note.clone(),
            format: Value::Object(cell.extra().format.clone()),
            validation: cell.extra().validation.clone(),
        }
    }

    /// What the cells show, row by row up to the last one that has something.
    pub fn texts(self) -> Vec<Vec<String>> {
        let calc = Calculator::new(self.book, self.now);
        let grid = &self.tab.grid;
        let text = |row, column| {
            let key = (self.at, row, column);
            shown(&calc, key, grid.cell(row, column), &calc.value(key))
        };
        let width = grid.entered_columns();
        (0..self.entered_rows()).map(|row| (0..width).map(|column| text(row, column)).collect()).collect()
    }

    /// Everything else about the sheet as the API shows it: `merges`, `basicFilter`, `filterViews`,
    /// `protectedRanges`, `conditionalFormats`, `bandedRanges`, groups.
    pub fn shown(self) -> Value {
        view::sheet_without_cells(self.book, self.at, self.now)
    }
}

impl CellLook {
    /// The background that was entered, a `Color`; none if there is none.
    pub fn background(&self) -> Option<&Value> {
        self.format.get("backgroundColor")
    }
}
