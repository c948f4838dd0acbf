//! Cell references in A1 style.

use std::fmt;

use super::{MAX_COLUMNS, MAX_ROWS};
use crate::table::a1::column_name;

/// A cell: its row counted from 1 as Excel shows it, its column counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) row: u32,
    pub(super) column: u32,
}

/// A rectangle of cells, both corners included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) first: Place,
    pub(super) last: Place,
}

impl Place {
    /// Reads `B5`, also with dollar signs; none for anything else or outside of a sheet.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('$').unwrap_or(text);
        let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, digits) = text.split_at_checked(letters)?;
        let column = parse_column(name)?;
        let digits = digits.strip_prefix('$').unwrap_or(digits);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None; // `parse` would take a sign
        }
        let row = digits.parse().ok().filter(|row| (1..=MAX_ROWS).contains(row))?;
        Some(Self { row, column })
    }
}

impl Area {
    /// Reads `A1:C9` or a single cell.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once(':').unwrap_or((text, text));
        let (first, last) = (Place::parse(first)?, Place::parse(last)?);
        (first.row <= last.row && first.column <= last.column).then_some(Self { first, last })
    }

    /// The area with dollar signs, as defined names have it.
    pub(super) fn absolute(self) -> String {
        let corner = |place: Place| format!("${}${}", column_name(place.column), place.row);
        format!("{}:{}", corner(self.first), corner(self.last))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", column_name(self.column), self.row)
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.last != self.first { write!(f, ":{}", self.last) } else { Ok(()) }
    }
}

fn parse_column(letters: &str) -> Option<u32> {
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let number = letters
        .bytes()
        .fold(0, |number, letter| number * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1);
    (number <= MAX_COLUMNS).then(|| number - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_as_they_are_written() {
        for (text, row, column) in
            [("A1", 1, 0), ("Z9", 9, 25), ("AA10", 10, 26), ("XFD1048576", 1_048_576, 16_383)]
        {
            let place = Place { row, column };
            assert_eq!(Place::parse(text), Some(place));
            assert_eq!(place.to_string(), text);
        }
        assert_eq!(Place::parse("$b$7"), Some(Place { row: 7, column: 1 }));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in
            ["", "A", "1", "A0", "XFE1", "A1048577", "AAAA1", "A+1", "A1B", "Я1", "A99999999999", "1A"]
        {
            assert_eq!(Place::parse(text), None, "{text}");
        }
        for text in ["B2:A1", "A1:", ":A1", "A1:B2:C3", "A:B"] {
            assert_eq!(Area::parse(text), None, "{text}");
        }
    }

    #[test]
    fn areas_are_written_both_ways() {
        let area = Area::parse("A1:$O$51").unwrap();
        assert_eq!((area.to_string(), area.absolute()), ("A1:O51".into(), "$A$1:$O$51".into()));
        assert_eq!(Area::parse("C3").unwrap().to_string(), "C3");
    }
}
