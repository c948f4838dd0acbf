//! Rectangles of cells, closed and open.

use std::ops::Range;

use serde_json::{Map, Value};

use super::letters;
use crate::sandbox::sheets::json::Object;

/// A rectangle of cells. Ends are excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rect {
    pub(crate) top: u32,
    pub(crate) left: u32,
    pub(crate) bottom: u32,
    pub(crate) right: u32,
}

impl Rect {
    /// From rows and columns.
    pub(crate) fn new(rows: Range<u32>, columns: Range<u32>) -> Self {
        Self { top: rows.start, bottom: rows.end, left: columns.start, right: columns.end }
    }

    /// One cell.
    pub(crate) fn cell(row: u32, column: u32) -> Self {
        Self::new(row..row + 1, column..column + 1)
    }

    /// Its rows.
    pub(crate) fn rows(self) -> Range<u32> {
        self.top..self.bottom
    }

    /// Its columns.
    pub(crate) fn columns(self) -> Range<u32> {
        self.left..self.right
    }

    /// How many rows it has.
    pub(crate) fn height(self) -> u32 {
        self.bottom.saturating_sub(self.top)
    }

    /// How many columns it has.
    pub(crate) fn width(self) -> u32 {
        self.right.saturating_sub(self.left)
    }

    /// True if it has no cell.
    pub(crate) fn is_empty(self) -> bool {
        self.height() == 0 || self.width() == 0
    }

    /// True if the cell is one of its cells.
    pub(crate) fn contains(self, row: u32, column: u32) -> bool {
        self.rows().contains(&row) && self.columns().contains(&column)
    }

    /// True if all cells of the other one are its cells.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.top <= other.top
            && self.left <= other.left
            && self.bottom >= other.bottom
            && self.right >= other.right
    }

    /// The cells that both have; none if there is none.
    pub(crate) fn meet(self, other: Self) -> Option<Self> {
        let both = Self {
            top: self.top.max(other.top),
            left: self.left.max(other.left),
            bottom: self.bottom.min(other.bottom),
            right: self.right.min(other.right),
        };
        (both.top < both.bottom && both.left < both.right).then_some(both)
    }

    /// `A1:B2`; `A1` for one cell.
    pub(crate) fn a1(self) -> String {
        let first = format!("{}{}", letters(self.left), self.top + 1);
        if self.height() == 1 && self.width() == 1 {
            return first;
        }
        format!("{first}:{}{}", letters(self.right.saturating_sub(1)), self.bottom)
    }

    /// Its cells, row by row.
    pub(crate) fn cells(self) -> impl Iterator<Item = (u32, u32)> {
        self.rows().flat_map(move |row| self.columns().map(move |column| (row, column)))
    }
}

/// A rectangle that may be open at any side, such as `A:B` or a whole sheet. Ends are excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    pub(crate) top: Option<u32>,
    pub(crate) bottom: Option<u32>,
    pub(crate) left: Option<u32>,
    pub(crate) right: Option<u32>,
}

impl From<Rect> for Bounds {
    fn from(rect: Rect) -> Self {
        Self {
            top: Some(rect.top),
            bottom: Some(rect.bottom),
            left: Some(rect.left),
            right: Some(rect.right),
        }
    }
}

impl Bounds {
    /// The part of it that a grid of that size has. Empty if it begins outside.
    pub(crate) fn clip(self, rows: u32, columns: u32) -> Rect {
        let side = |start: Option<u32>, end: Option<u32>, size: u32| {
            let start = start.unwrap_or(0).min(size);
            start..end.unwrap_or(size).clamp(start, size)
        };
        Rect::new(side(self.top, self.bottom, rows), side(self.left, self.right, columns))
    }

    /// True if it begins inside a grid of that size.
    pub(crate) fn begins_inside(self, rows: u32, columns: u32) -> bool {
        self.top.unwrap_or(0) < rows && self.left.unwrap_or(0) < columns
    }

    /// True if it is one cell.
    pub(crate) fn is_cell(self) -> bool {
        let one = |start: Option<u32>, end: Option<u32>| {
            start.zip(end).is_some_and(|(start, end)| start.checked_add(1) == Some(end))
        };
        one(self.top, self.bottom) && one(self.left, self.right)
    }

    /// As it was asked for: open sides stay open. `A1:B2`, `A:B`, `A5:B`, `2:3`.
    pub(crate) fn a1(self) -> String {
        let corner = |column: Option<u32>, row: Option<u32>| {
            let row = row.map(|row| (row + 1).to_string()).unwrap_or_default();
            format!("{}{row}", column.map(letters).unwrap_or_default())
        };
        let first = corner(self.left, self.top);
        if self.is_cell() {
            return first;
        }
        let last = |end: Option<u32>| end.map(|end| end.saturating_sub(1));
        format!("{first}:{}", corner(last(self.right), last(self.bottom)))
    }

    /// From a `GridRange` of JSON.
    pub(crate) fn read(range: &Map<String, Value>) -> Self {
        let side =
            |name: &str| range.get(name).and_then(Value::as_i64).and_then(|index| u32::try_from(index).ok());
        Self {
            top: side("startRowIndex"),
            bottom: side("endRowIndex"),
            left: side("startColumnIndex"),
            right: side("endColumnIndex"),
        }
    }

    /// As a `GridRange` of JSON.
    pub(crate) fn json(self, sheet: i32) -> Value {
        Object::new()
            .id("sheetId", sheet)
            .some("startRowIndex", self.top)
            .some("endRowIndex", self.bottom)
            .some("startColumnIndex", self.left)
            .some("endColumnIndex", self.right)
            .into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn open_sides_are_closed_to_the_grid() {
        let open = Bounds { left: Some(1), right: Some(3), ..Bounds::default() };
        assert_eq!(open.clip(10, 5), Rect::new(0..10, 1..3));
        assert_eq!((open.a1().as_str(), open.clip(10, 2).a1().as_str()), ("B:C", "B1:B10"));
        assert!(Bounds { top: Some(10), ..open }.clip(10, 5).is_empty());
        assert!(!Bounds { top: Some(10), ..open }.begins_inside(10, 5));
        let from_row = Bounds { top: Some(1000), left: Some(0), right: Some(2), bottom: None };
        assert_eq!(from_row.a1(), "A1001:B");
        let rows = Bounds { top: Some(1), bottom: Some(3), ..Bounds::default() };
        assert_eq!(rows.a1(), "2:3");
        let columns = Bounds { top: Some(0), bottom: Some(2), left: Some(26), right: None };
        assert_eq!(columns.a1(), "AA1:2");
    }

    #[test]
    fn grid_ranges_go_both_ways() {
        let range = json!({"sheetId": 7, "startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 1});
        let bounds = Bounds::read(range.as_object().unwrap());
        assert_eq!(bounds, Bounds { top: Some(0), bottom: Some(2), left: Some(1), right: None });
        assert_eq!(bounds.json(7), range);
        assert_eq!(Bounds::default().json(0), json!({}));
    }

    #[test]
    fn what_rectangles_have_in_common() {
        let rect = Rect::new(1..4, 1..4);
        assert_eq!(rect.meet(Rect::new(3..9, 0..2)), Some(Rect::new(3..4, 1..2)));
        assert_eq!(rect.meet(Rect::new(4..9, 0..2)), None);
        assert!(rect.covers(Rect::cell(1, 3)) && !rect.covers(Rect::new(0..2, 1..2)));
        assert_eq!((Rect::cell(0, 0).a1().as_str(), rect.a1().as_str()), ("A1", "B2:D4"));
    }
}
