//! Fills an office: spreadsheets under chosen ids, sheets of typed cells.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use serde_json::json;

use super::a1::MAX_COLUMNS;
use super::cell::{Cell, Content, MAX_CHARACTERS};
use super::entry;
use super::json::Object;
use super::office::{Document, Office};
use super::spreadsheet::{NEW_COLUMNS, NEW_ROWS, Spreadsheet};
use super::tab::{Area, Tab};
use super::value::ErrorKind;

/// A cell to be loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Typed {
    /// Nothing.
    #[default]
    Blank,
    /// A text, as it is.
    Text(String),
    /// A number.
    Number(f64),
    /// A truth value.
    Bool(bool),
    /// A date, or a date and a time, in the locale's usual format.
    Date(DateTime),
    /// An error.
    Error(ErrorKind),
    /// A formula, with its `=`.
    Formula(String),
}

/// Why something is not loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// There is no spreadsheet of that id.
    #[error("there is no spreadsheet «{0}»")]
    NoSpreadsheet(String),
    /// There is one of that id already.
    #[error("there is a spreadsheet «{0}» already")]
    Taken(String),
    /// There is no such range.
    #[error("there is no range «{0}»")]
    NoRange(String),
    /// A sheet cannot be that large.
    #[error("a sheet of {rows} rows and {columns} columns is too large")]
    TooLarge {
        /// Its rows.
        rows: usize,
        /// The columns of its longest row.
        columns: usize,
    },
    /// A cell holds too much.
    #[error("row {row}, column {column}: a cell takes {MAX_CHARACTERS} characters at most")]
    TooLong {
        /// Its row, from 1.
        row: usize,
        /// Its column, from 1.
        column: usize,
    },
}

impl Office {
    /// Opens an empty spreadsheet under a chosen id. Its sheet goes when the first one is loaded.
    pub fn open_spreadsheet(&mut self, id: &str, title: &str, now: Timestamp) -> Result<(), LoadError> {
        if self.documents.iter().any(|document| document.book.id == id) {
            return Err(LoadError::Taken(id.to_owned()));
        }
        self.open(Spreadsheet::new(id, title), now);
        Ok(())
    }

    /// Sets the locale of a spreadsheet, such as `ru_RU`, and its time zone, such as `Europe/Moscow`.
    pub fn set_locale(&mut self, id: &str, locale: &str, time_zone: &str) -> Result<(), LoadError> {
        let book = &mut self.loaded(id)?.book;
        locale.clone_into(&mut book.locale);
        time_zone.clone_into(&mut book.time_zone);
        Ok(())
    }

    /// Loads a sheet; one of the same title is replaced and keeps its id and its place.
    pub fn load_sheet(&mut self, id: &str, title: &str, rows: &[Vec<Typed>]) -> Result<(), LoadError> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let size = |count: usize, least: u32| u32::try_from(count).ok().map(|count| count.max(least));
        let sizes = size(rows.len(), NEW_ROWS)
            .zip(size(columns, NEW_COLUMNS).filter(|columns| *columns <= MAX_COLUMNS));
        let too_large = || LoadError::TooLarge { rows: rows.len(), columns };
        let (height, width) = sizes.ok_or_else(too_large)?;
        let mut ids = self.ids.clone();
        let book = &mut self.loaded(id)?.book;
        let mut draft = book.clone();
        let pristine =
            matches!(draft.tabs.as_slice(), [tab] if **tab == Tab::new(0, "Sheet1", NEW_ROWS, NEW_COLUMNS));
        let place = draft.titled(title).or(pristine.then_some(0));
        let new_id = match place.and_then(|at| draft.tab(at)) {
            Some(tab) => tab.id,
            None => ids.number(|id| draft.position(id).is_some()),
        };
        let mut tab = Tab::new(new_id, title, height, width);
        for (cells, row) in rows.iter().zip(0u32..) {
            for (typed, column) in cells.iter().zip(0u32..) {
                let too_long = || LoadError::TooLong { row: row as usize + 1, column: column as usize + 1 };
                tab.grid.put(row, column, cell(typed, &draft).ok_or_else(too_long)?);
            }
        }
        match place.and_then(|at| draft.tabs.get_mut(at)) {
            Some(place) => *place = Arc::new(tab),
            None => draft.tabs.push(Arc::new(tab)),
        }
        draft.check_size().map_err(|_| too_large())?;
        *book = draft;
        self.ids = ids;
        Ok(())
    }

    /// Shares a spreadsheet with the caller, or takes it away: Sheets answers 403, Drive does not find it.
    pub fn share(&mut self, id: &str, shared: bool) -> Result<(), LoadError> {
        self.loaded(id)?.shared = shared;
        Ok(())
    }

    /// Lets only somebody else edit a range, such as `Statuses!A:C`: writes of the caller that touch it are
    /// refused. Gives the id of the protection, for [`unlock`](Self::unlock).
    pub fn lock(&mut self, id: &str, range: &str) -> Result<i32, LoadError> {
        let mut ids = self.ids.clone();
        let document = self.loaded(id)?;
        let place = document.book.find(range).map_err(|_| LoadError::NoRange(range.to_owned()))?;
        let taken: Vec<i32> =
            document.book.tabs.iter().flat_map(|tab| tab.area_ids().collect::<Vec<_>>()).collect();
        let protection = ids.number(|id| taken.contains(&id));
        if let Some(tab) = document.book.tab_mut(place.tab) {
            let body = Object::new().with("requestingUserCanEdit", false).into_map();
            tab.protections.push(Area { id: protection, bounds: place.bounds, body });
        }
        self.ids = ids;
        Ok(protection)
    }

    /// Takes such a lock away.
    pub fn unlock(&mut self, id: &str, protection: i32) -> Result<(), LoadError> {
        let book = &mut self.loaded(id)?.book;
        for at in 0..book.tabs.len() {
            if let Some(tab) = book.tab_mut(at) {
                tab.protections.retain(|area| area.id != protection || !area.is_locked());
            }
        }
        Ok(())
    }

    fn loaded(&mut self, id: &str) -> Result<&mut Document, LoadError> {
        let found = self.documents.iter_mut().find(|document| document.book.id == id);
        found.ok_or_else(|| LoadError::NoSpreadsheet(id.to_owned()))
    }
}

/// A cell; none if its text is too long.
fn cell(typed: &Typed, book: &Spreadsheet) -> Option<Cell> {
    let fits = |text: &str| text.len() <= MAX_CHARACTERS || text.encode_utf16().count() <= MAX_CHARACTERS;
    Some(Cell::new(match typed {
        Typed::Blank => Content::Blank,
        Typed::Text(text) | Typed::Formula(text) if !fits(text) => return None,
        Typed::Text(text) => Content::text(text),
        Typed::Number(value) => Content::Number(*value),
        Typed::Bool(value) => Content::Bool(*value),
        Typed::Error(kind) => Content::Error(*kind),
        Typed::Formula(text) => entry::formula(text, book),
        Typed::Date(moment) => {
            let kind = if moment.time() == Time::midnight() { "DATE" } else { "DATE_TIME" };
            let mut cell = Cell::new(Content::Number(entry::serial(*moment)));
            let pattern = book.locale().pattern(kind);
            cell.change(|extra| {
                extra.format.insert("numberFormat".into(), json!({"type": kind, "pattern": pattern}));
            });
            return Some(cell);
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_are_loaded_replaced_and_added() {
        let mut office = Office::new(1);
        office.open_spreadsheet("book", "Book", Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(
            office.open_spreadsheet("book", "B", Timestamp::UNIX_EPOCH),
            Err(LoadError::Taken("book".into()))
        );
        let text = |text: &str| vec![vec![Typed::Text(text.into())]];
        office.load_sheet("book", "Statuses", &text("a")).unwrap();
        office.load_sheet("book", "Rules", &text("b")).unwrap();
        office.load_sheet("book", "Statuses", &text("c")).unwrap();
        let tabs = &office.documents[0].book.tabs;
        let shown: Vec<_> = tabs.iter().map(|tab| (tab.title.as_str(), tab.id == 0)).collect();
        assert_eq!(shown, [("Statuses", true), ("Rules", false)]);
        assert_eq!(tabs[0].grid.cell(0, 0).content(), &Content::text("c"));
        assert_eq!(office.load_sheet("none", "T", &[]), Err(LoadError::NoSpreadsheet("none".into())));
    }

    #[test]
    fn what_does_not_fit_is_not_loaded() {
        let mut office = Office::new(1);
        office.open_spreadsheet("book", "Book", Timestamp::UNIX_EPOCH).unwrap();
        let before = office.clone();
        let long = vec![vec![Typed::Blank, Typed::Text("x".repeat(50_001))]];
        assert_eq!(office.load_sheet("book", "T", &long), Err(LoadError::TooLong { row: 1, column: 2 }));
        let wide = vec![vec![Typed::Blank; 20_000]];
        assert!(matches!(office.load_sheet("book", "T", &wide), Err(LoadError::TooLarge { .. })));
        assert_eq!(office, before);
    }
}
