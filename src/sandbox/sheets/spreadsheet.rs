//! A spreadsheet: its sheets, its named ranges and its developer metadata.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Map, Value, json};

use super::a1::{self, Bounds, Rect};
use super::entry::Locale;
use super::metadata::Metadata;
use super::refusal::Refusal;
use super::shift::Axis;
use super::tab::Tab;

/// The rows of a new sheet.
pub(crate) const NEW_ROWS: u32 = 1000;

/// The columns of a new sheet.
pub(crate) const NEW_COLUMNS: u32 = 26;

/// The most cells that all sheets of a spreadsheet may have together.
const MAX_CELLS: u64 = 10_000_000;

/// A spreadsheet. Sheets are shared until they are changed, so a copy is cheap.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spreadsheet {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) locale: String,
    pub(crate) time_zone: String,
    pub(crate) auto_recalc: String,
    /// Properties that are kept as they were set.
    pub(crate) other: Map<String, Value>,
    pub(crate) tabs: Vec<Arc<Tab>>,
    pub(crate) names: Vec<Named>,
    pub(crate) metadata: Vec<Metadata>,
}

/// A named range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The sheet it is on, or [`LOST`].
    pub(crate) sheet: i32,
    /// It is only meant where the title of its sheet is said: `'Copy of Plan'!Total`.
    pub(crate) scoped: bool,
    pub(crate) bounds: Bounds,
}

/// The sheet of a name whose sheet was deleted; ids of sheets are not negative.
pub(crate) const LOST: i32 = -1;

/// A range that was found: its sheet and its cells, as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The position of the sheet.
    pub(crate) tab: usize,
    pub(crate) bounds: Bounds,
}

impl Spreadsheet {
    /// An empty spreadsheet with one sheet.
    pub(crate) fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            locale: "en_US".into(),
            time_zone: "Etc/GMT".into(),
            auto_recalc: "ON_CHANGE".into(),
            other: Map::new(),
            tabs: vec![Arc::new(Tab::new(0, "Sheet1", NEW_ROWS, NEW_COLUMNS))],
            names: Vec::new(),
            metadata: Vec::new(),
        }
    }

    /// How numbers and dates are written in it.
    pub(crate) fn locale(&self) -> &'static Locale {
        Locale::of(&self.locale)
    }

    /// A moment, by the clock of the spreadsheet.
    pub(crate) fn clock(&self, now: Timestamp) -> DateTime {
        time_zone(&self.time_zone).unwrap_or(TimeZone::UTC).to_datetime(now)
    }

    /// A sheet by its position.
    pub(crate) fn tab(&self, at: usize) -> Option<&Tab> {
        self.tabs.get(at).map(Arc::as_ref)
    }

    /// A sheet by its position, to change it.
    pub(crate) fn tab_mut(&mut self, at: usize) -> Option<&mut Tab> {
        self.tabs.get_mut(at).map(Arc::make_mut)
    }

    /// The position of the sheet of that id.
    pub(crate) fn position(&self, id: i32) -> Option<usize> {
        self.tabs.iter().position(|tab| tab.id == id)
    }

    /// The position of the sheet of that title, in whatever case.
    pub(crate) fn titled(&self, title: &str) -> Option<usize> {
        let exact = self.tabs.iter().position(|tab| tab.title == title);
        exact.or_else(|| {
            let folded = title.to_lowercase();
            self.tabs.iter().position(|tab| tab.title.to_lowercase() == folded)
        })
    }

    /// The named range of that name, in whatever case. Where a sheet is said, its own name comes first.
    pub(crate) fn named(&self, name: &str, sheet: Option<i32>) -> Option<&Named> {
        let folded = name.to_lowercase();
        let mut same = self.names.iter().filter(|named| named.name.to_lowercase() == folded);
        let own = |named: &&Named| named.scoped && Some(named.sheet) == sheet;
        same.clone().find(own).or_else(|| same.find(|named| !named.scoped))
    }

    /// The named ranges as the API shows them. Those whose sheet was deleted are not shown.
    pub(crate) fn shown_names(&self) -> Vec<Value> {
        self.names.iter().filter(|named| named.sheet != LOST).map(|named| named.json(self)).collect()
    }

    /// Finds a range that is written in A1 notation or is a name.
    pub(crate) fn find(&self, range: &str) -> Result<Place, Refusal> {
        self.place(range).ok_or_else(|| Refusal::invalid(format!("Unable to parse range: {range}")))
    }

    fn place(&self, range: &str) -> Option<Place> {
        let reference = a1::parse(range);
        let sheet = match &reference.title {
            Some(title) => Some(self.titled(title)?),
            None => None,
        };
        if let Some(name) = &reference.name {
            let said = sheet.and_then(|at| self.tab(at)).map(|tab| tab.id);
            if let Some(named) = self.named(name, said) {
                return Some(Place { tab: self.position(named.sheet)?, bounds: named.bounds });
            }
            let tab = if sheet.is_none() { self.titled(name)? } else { return None };
            return Some(Place { tab, bounds: Bounds::default() });
        }
        Some(Place { tab: sheet.unwrap_or(0), bounds: reference.cells.unwrap_or_default() })
    }

    /// The cells of a range that are inside of its sheet; it must begin inside.
    pub(crate) fn closed(&self, place: Place) -> Result<Rect, Refusal> {
        let Some(tab) = self.tab(place.tab) else { return Err(Refusal::not_found()) };
        let (rows, columns) = (tab.grid.rows(), tab.grid.columns());
        if place.bounds.begins_inside(rows, columns) {
            return Ok(place.bounds.clip(rows, columns));
        }
        let shown = self.shown(place.tab, &place.bounds.a1());
        Err(Refusal::invalid(format!(
            "Range ({shown}) exceeds grid limits. Max rows: {rows}, max columns: {columns}"
        )))
    }

    /// Cells as the API writes them, with the title of their sheet.
    pub(crate) fn shown(&self, tab: usize, cells: &str) -> String {
        let title = self.tab(tab).map_or("", |tab| tab.title.as_str());
        format!("{}!{cells}", a1::quoted(title))
    }

    /// Refuses what has made a sheet too wide, or the sheets hold too many cells.
    pub(crate) fn check_size(&self) -> Result<(), Refusal> {
        self.tabs.iter().try_for_each(|tab| check_columns(tab.grid.columns()))?;
        check_cells(self.tabs.iter().map(|tab| cells(tab.grid.rows(), tab.grid.columns())).sum())
    }

    /// Refuses what would do so: so many more rows or columns of a sheet.
    pub(crate) fn check_room(&self, tab: usize, axis: Axis, more: u32) -> Result<(), Refusal> {
        let Some(grid) = self.tab(tab).map(|tab| &tab.grid) else { return Ok(()) };
        if axis == Axis::Columns {
            check_columns(grid.columns().saturating_add(more))?;
        }
        let all: u64 = self.tabs.iter().map(|tab| cells(tab.grid.rows(), tab.grid.columns())).sum();
        check_cells(all + cells(more, grid.size(axis.across())))
    }
}

fn cells(rows: u32, columns: u32) -> u64 {
    u64::from(rows) * u64::from(columns)
}

fn check_cells(cells: u64) -> Result<(), Refusal> {
    if cells <= MAX_CELLS {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "This action would increase the number of cells in the workbook above the limit of {MAX_CELLS} cells."
    )))
}

fn check_columns(columns: u32) -> Result<(), Refusal> {
    if columns <= a1::MAX_COLUMNS {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "This action would increase the number of columns in the sheet above the maximum limit of {} columns.",
        a1::MAX_COLUMNS
    )))
}

/// The time zone of a name, or of a distance such as `GMT-07:00`.
pub(crate) fn time_zone(name: &str) -> Option<TimeZone> {
    let Some((hours, minutes)) = name.strip_prefix("GMT").and_then(|distance| distance.split_once(':'))
    else {
        return TimeZone::get(name).ok();
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if !(-18..=18).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    let seconds = (hours.abs() * 60 + minutes) * 60 * if name.contains('-') { -1 } else { 1 };
    Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
}

impl Named {
    /// Its name, with the title of its sheet where that belongs to it.
    pub(crate) fn shown(&self, book: &Spreadsheet) -> String {
        match book.position(self.sheet) {
            Some(tab) if self.scoped => book.shown(tab, &self.name),
            _ => self.name.clone(),
        }
    }

    /// As the API shows it.
    pub(crate) fn json(&self, book: &Spreadsheet) -> Value {
        json!({"namedRangeId": self.id, "name": self.shown(book), "range": self.bounds.json(self.sheet)})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Spreadsheet {
        let mut book = Spreadsheet::new("id", "Book");
        for (id, title) in [(1, "My Tab"), (2, "D3"), (3, "Лист"), (4, "It's")] {
            book.tabs.push(Arc::new(Tab::new(id, title, 10, 5)));
        }
        let bounds = Rect::new(0..3, 1..3).into();
        book.names.push(Named { id: "n".into(), name: "Total".into(), sheet: 1, scoped: false, bounds });
        book
    }

    fn found(range: &str) -> Result<String, String> {
        let book = book();
        let place = book.find(range).map_err(|refusal| refusal.message().to_owned())?;
        let rect = book.closed(place).map_err(|refusal| refusal.message().to_owned())?;
        Ok(book.shown(place.tab, &rect.a1()))
    }

    #[test]
    fn ranges_are_found_and_closed_to_the_grid() {
        for (range, expected) in [
            ("A1:B2", "Sheet1!A1:B2"),
            ("Sheet1", "Sheet1!A1:Z1000"),
            ("sheet1!a1:b2", "Sheet1!A1:B2"),
            ("My Tab!A:A", "'My Tab'!A1:A10"),
            ("'My Tab'", "'My Tab'!A1:E10"),
            ("My Tab", "'My Tab'!A1:E10"),
            ("D3", "Sheet1!D3"),
            ("'D3'", "'D3'!A1:E10"),
            ("'D3'!A1:A1", "'D3'!A1"),
            ("Лист!2:3", "'Лист'!A2:E3"),
            ("'It''s'!E10", "'It''s'!E10"),
            ("It's!A1", "'It''s'!A1"),
            ("Total", "'My Tab'!B1:C3"),
            ("Sheet1!total", "'My Tab'!B1:C3"),
            ("My Tab!A1:ZZ99", "'My Tab'!A1:E10"),
            ("My Tab!C3:A1", "'My Tab'!A1:C3"),
        ] {
            assert_eq!(found(range).as_deref(), Ok(expected), "{range}");
        }
    }

    #[test]
    fn what_is_not_there_is_said() {
        for (range, expected) in [
            ("Nope!A1", "Unable to parse range: Nope!A1"),
            ("My Tab!A1:", "Unable to parse range: My Tab!A1:"),
            ("'A1'", "Unable to parse range: 'A1'"),
            ("", "Unable to parse range: "),
            ("My Tab!F1", "Range ('My Tab'!F1) exceeds grid limits. Max rows: 10, max columns: 5"),
            ("My Tab!11:20", "Range ('My Tab'!11:20) exceeds grid limits. Max rows: 10, max columns: 5"),
            ("TAB1", "Range (Sheet1!TAB1) exceeds grid limits. Max rows: 1000, max columns: 26"),
            ("My Tab!A11:B", "Range ('My Tab'!A11:B) exceeds grid limits. Max rows: 10, max columns: 5"),
        ] {
            assert_eq!(found(range), Err(expected.to_owned()), "{range}");
        }
    }
}
