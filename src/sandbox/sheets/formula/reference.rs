//! A reference to cells in a formula, with the marks that keep it in place when the formula is copied.

use crate::sandbox::sheets::a1::{self, Bounds, Rect};

/// A reference: `A1`, `$A$1:B2`, `A:A`, `Tab!A1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The title of another sheet.
    pub(crate) title: Option<String>,
    pub(crate) first: End,
    /// The other end; none for a single cell.
    pub(crate) last: Option<End>,
}

/// An end of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) column: Option<u32>,
    pub(crate) row: Option<u32>,
    /// The column stays when the formula is copied.
    pub(crate) column_fixed: bool,
    /// The row stays when the formula is copied.
    pub(crate) row_fixed: bool,
}

impl End {
    /// Reads an end: `A1`, `$A$1`, `A`, `1`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let corner = a1::corner(text)?;
        let column_fixed = text.starts_with('$') && corner.column.is_some();
        let row_fixed = match corner.column {
            Some(_) => text.get(1..).is_some_and(|rest| rest.contains('$')),
            None => text.starts_with('$'),
        };
        Some(Self { column: corner.column, row: corner.row, column_fixed, row_fixed })
    }

    fn text(self) -> String {
        let mark = |fixed: bool| if fixed { "$" } else { "" };
        let column = self.column.map(|column| format!("{}{}", mark(self.column_fixed), a1::letters(column)));
        let row = self.row.map(|row| format!("{}{}", mark(self.row_fixed), row + 1));
        format!("{}{}", column.unwrap_or_default(), row.unwrap_or_default())
    }
}

impl Reference {
    /// The cells it means.
    pub(crate) fn bounds(&self) -> Bounds {
        let last = self.last.unwrap_or(self.first);
        let side = |first: Option<u32>, last: Option<u32>| match (first, last) {
            (Some(first), Some(last)) => (Some(first.min(last)), Some(first.max(last) + 1)),
            (first, last) => (first.or(last.map(|_| 0)), None),
        };
        let (top, bottom) = side(self.first.row, last.row);
        let (left, right) = side(self.first.column, last.column);
        Bounds { top, bottom, left, right }
    }

    /// As it is written in a formula.
    pub(crate) fn text(&self) -> String {
        let title = self.title.as_ref().map(|title| format!("{}!", a1::quoted(title))).unwrap_or_default();
        let last = self.last.map(|last| format!(":{}", last.text())).unwrap_or_default();
        format!("{title}{}{last}", self.first.text())
    }

    /// With its ends in order, and as one cell if it is one.
    pub(crate) fn ordered(mut self) -> Self {
        let Some(mut last) = self.last else { return self };
        let first = &mut self.first;
        if first.row.zip(last.row).is_some_and(|(first, last)| first > last) {
            std::mem::swap(&mut first.row, &mut last.row);
            std::mem::swap(&mut first.row_fixed, &mut last.row_fixed);
        }
        if first.column.zip(last.column).is_some_and(|(first, last)| first > last) {
            std::mem::swap(&mut first.column, &mut last.column);
            std::mem::swap(&mut first.column_fixed, &mut last.column_fixed);
        }
        let whole = first.row.is_none() || first.column.is_none();
        let one = (first.row, first.column) == (last.row, last.column);
        self.last = (!one || whole).then_some(last);
        self
    }

    /// As it is after its formula was copied that far; none if it would leave the sheet.
    pub(crate) fn copied(mut self, down: i64, right: i64) -> Option<Self> {
        let go = |index: Option<u32>, fixed: bool, by: i64| match index {
            Some(index) if !fixed => u32::try_from(i64::from(index) + by).ok().map(Some),
            index => Some(index),
        };
        for end in std::iter::once(&mut self.first).chain(self.last.as_mut()) {
            end.row = go(end.row, end.row_fixed, down)?;
            end.column = go(end.column, end.column_fixed, right)?;
        }
        Some(self.ordered())
    }

    /// The same reference to other cells.
    pub(crate) fn moved(mut self, bounds: Bounds) -> Self {
        self = self.ordered();
        let last_of = |end: Option<u32>| end.map(|end| end.saturating_sub(1));
        if self.first.row.is_some() {
            self.first.row = bounds.top;
        }
        if self.first.column.is_some() {
            self.first.column = bounds.left;
        }
        if let Some(last) = &mut self.last {
            if last.row.is_some() {
                last.row = last_of(bounds.bottom);
            }
            if last.column.is_some() {
                last.column = last_of(bounds.right);
            }
        }
        self
    }

    /// The cells of it that a grid of that size has.
    pub(crate) fn rect(&self, rows: u32, columns: u32) -> Rect {
        self.bounds().clip(rows, columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Reference {
        let (first, last) = text.split_once(':').map_or((text, None), |(first, last)| (first, Some(last)));
        Reference {
            title: None,
            first: End::read(first).unwrap(),
            last: last.map(|last| End::read(last).unwrap()),
        }
    }

    #[test]
    fn copies_go_along_but_for_what_is_fixed() {
        for (text, expected) in [
            ("A1", Some("B3")),
            ("$A1", Some("$A3")),
            ("A$1", Some("B$1")),
            ("$A$1:B2", Some("$A$1:C4")),
            ("A:A", Some("B:B")),
            ("2:3", Some("4:5")),
        ] {
            let copied = reference(text).copied(2, 1).map(|reference| reference.text());
            assert_eq!(copied.as_deref(), expected, "{text}");
        }
        assert_eq!(reference("A1").copied(-1, 0), None);
        assert_eq!(reference("A$1").copied(-1, 0).map(|reference| reference.text()).as_deref(), Some("A$1"));
    }

    #[test]
    fn ends_are_put_in_order() {
        for (text, expected) in [
            ("B3:A2", "A2:B3"),
            ("$A3:$A3", "$A3"),
            ("B$1:A2", "A$1:B2"),
            ("A:A", "A:A"),
            ("A1", "A1"),
            ("3:2", "2:3"),
        ] {
            assert_eq!(reference(text).ordered().text(), expected);
        }
    }
}
