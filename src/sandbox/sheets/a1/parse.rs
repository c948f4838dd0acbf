//! Reads a range.

use super::{Bounds, column, title};

/// A range as it is written; titles and names are not looked up yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The title of the sheet, if there is one.
    pub(crate) title: Option<String>,
    /// The cells; none for a whole sheet.
    pub(crate) cells: Option<Bounds>,
    /// A name instead of cells: of a range, or of a sheet where no title stands before it.
    pub(crate) name: Option<String>,
}

/// Reads a range. What is neither cells nor a title is a name.
pub(crate) fn parse(text: &str) -> Reference {
    let (title, rest) = title::split(text);
    let cells = rest.and_then(bounds);
    let name = if cells.is_none() { rest.map(str::to_owned) } else { None };
    Reference { title, cells, name }
}

/// True for a text that is read as cells where no quotes stand around it.
pub(super) fn looks_like_cells(text: &str) -> bool {
    let cell = corner(text).is_some_and(|corner| corner.row.is_some() && corner.column.is_some());
    cell || row_column(text).is_some()
}

/// One end of a range: `B2`, `B`, `2`, with or without `$`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corner {
    pub(crate) row: Option<u32>,
    pub(crate) column: Option<u32>,
}

/// Reads one end of a range.
pub(crate) fn corner(text: &str) -> Option<Corner> {
    let text = text.strip_prefix('$').unwrap_or(text);
    let digits = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (letters, rest) = text.split_at_checked(digits)?;
    let row = rest.strip_prefix('$').filter(|_| !letters.is_empty()).unwrap_or(rest);
    let column = if letters.is_empty() { None } else { Some(column(letters)?) };
    let row = if row.is_empty() && rest.is_empty() { None } else { Some(row_number(row)?) };
    (row.is_some() || column.is_some()).then_some(Corner { row, column })
}

/// A row, from 0, of its number.
fn row_number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits { None } else { text.parse::<u32>().ok()?.checked_sub(1) }
}

fn bounds(text: &str) -> Option<Bounds> {
    let Some((first, last)) = text.split_once(':') else {
        let corner = corner(text).filter(|corner| corner.row.is_some() && corner.column.is_some());
        let corner = corner.or_else(|| row_column(text))?;
        return Some(between(corner, corner));
    };
    match (corner(first), corner(last)) {
        (Some(first), Some(last)) => Some(between(first, last)),
        _ => Some(between(row_column(first)?, row_column(last)?)),
    }
}

/// The cells between two ends, in whatever order they are written.
fn between(first: Corner, last: Corner) -> Bounds {
    let side = |first: Option<u32>, last: Option<u32>| match (first, last) {
        (Some(first), Some(last)) => (Some(first.min(last)), Some(first.max(last) + 1)),
        (Some(first), None) => (Some(first), None),
        (None, Some(last)) => (None, Some(last + 1)),
        (None, None) => (None, None),
    };
    let (top, bottom) = side(first.row, last.row);
    let (left, right) = side(first.column, last.column);
    Bounds { top, bottom, left, right }
}

/// The other notation: `R2C3`.
fn row_column(text: &str) -> Option<Corner> {
    let rest = text.strip_prefix(['R', 'r'])?;
    let (row, column) = rest.split_once(['C', 'c'])?;
    if row.is_empty() && column.is_empty() {
        return Some(Corner { row: Some(0), column: Some(0) });
    }
    Some(Corner { row: Some(row_number(row)?), column: Some(row_number(column)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Option<String> {
        parse(text).cells.map(Bounds::a1)
    }

    #[test]
    fn cells_are_read() {
        for (text, expected) in [
            ("A1", "A1"),
            ("a1:b2", "A1:B2"),
            ("$B$3", "B3"),
            ("$B$3:C$4", "B3:C4"),
            ("D4:A1", "A1:D4"),
            ("B1:A2", "A1:B2"),
            ("A:A", "A:A"),
            ("C:A", "A:C"),
            ("2:2", "2:2"),
            ("A1:1", "A1:1"),
            ("A5:A", "A5:A"),
            ("A1:C", "A1:C"),
            ("A1:A1", "A1"),
            ("R1C1:R2C3", "A1:C2"),
            ("R2C3", "C2"),
            ("ZZZ1", "ZZZ1"),
        ] {
            assert_eq!(cells(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_cell_is_a_name() {
        for text in [
            "A", "1", "A0", "AAAA1", "A1:", ":A1", "A1:B2:C3", "A 1", "Total", "", "A-1", "$", "A$", "1A",
            "A1:x!",
        ] {
            let reference = parse(text);
            if !text.contains('!') {
                assert_eq!((reference.cells, reference.name.as_deref()), (None, Some(text)), "{text}");
            }
        }
    }

    #[test]
    fn titles_stand_before_cells() {
        let reference = parse("'My ''Tab'!B2");
        assert_eq!(reference.title.as_deref(), Some("My 'Tab"));
        assert_eq!(reference.cells.map(Bounds::a1).as_deref(), Some("B2"));
        let whole = parse("'D3'");
        assert_eq!((whole.title.as_deref(), whole.cells, whole.name), (Some("D3"), None, None));
        let name = parse("Sheet1!Total");
        assert_eq!((name.title.as_deref(), name.name.as_deref()), (Some("Sheet1"), Some("Total")));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(top in 0u32..5000, left in 0u32..700, height in 1u32..50, width in 1u32..50) {
            let bounds = Bounds {
                top: Some(top),
                bottom: Some(top + height),
                left: Some(left),
                right: Some(left + width),
            };
            proptest::prop_assert_eq!(parse(&bounds.a1()).cells, Some(bounds));
        }

        #[test]
        fn any_text_is_read_without_harm(text in "\\PC{0,12}|[A-Z$0-9:!' ]{0,12}") {
            let _ = parse(&text);
        }
    }
}
