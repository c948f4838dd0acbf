//! Rows as one request gives them, and how they are fitted to those before.

use std::ops::Range;

use google_sheets4::api::GridData;

use crate::domain::cell::Cell;
use crate::table::google::cells::cell;

/// Rows of a tab at one moment.
#[derive(Debug)]
pub(super) struct Page {
    /// The rows up to the last filled one; blank cells at their ends are left out.
    pub(super) rows: Vec<Vec<Cell>>,
    /// The rows that were asked for, from 1.
    pub(super) asked: Range<u64>,
}

impl Page {
    pub(super) fn of(data: Option<GridData>, asked: Range<u64>) -> Self {
        let rows = data.and_then(|data| data.row_data).unwrap_or_default();
        let mut rows: Vec<Vec<Cell>> = rows
            .into_iter()
            .map(|row| {
                let mut cells: Vec<Cell> = row.values.into_iter().flatten().map(cell).collect();
                let filled = cells.iter().rposition(|cell| *cell != Cell::Empty).map_or(0, |last| last + 1);
                cells.truncate(filled);
                cells
            })
            .collect();
        let filled = rows.iter().rposition(|cells| !cells.is_empty()).map_or(0, |last| last + 1);
        rows.truncate(filled);
        Self { rows, asked }
    }

    /// The first row; blank where there is none.
    pub(super) fn first(&self) -> &[Cell] {
        self.rows.first().map(Vec::as_slice).unwrap_or_default()
    }
}

/// True if every column is still where it was. One name may have become another one: a person mended it, or a formula
/// gives the time of day. New columns may have come behind.
pub(super) fn is_same_header(before: &[Cell], now: &[Cell]) -> bool {
    let mut others = before.iter().enumerate().filter(|(at, name)| now.get(*at) != Some(*name));
    match (others.next(), others.next()) {
        (None, _) => true,
        (Some((at, name)), None) => {
            now.get(at).is_some_and(|new| !new.is_blank()) && (name.is_blank() || !now.contains(name))
        }
        (Some(_), Some(_)) => false,
    }
}

/// The last rows that were read, by which the next page is fitted to the ones before.
#[derive(Debug, Default)]
pub(super) struct Seam {
    rows: Vec<Vec<Cell>>,
    /// Blank rows below them.
    blank: u64,
}

/// Rows that two pages have in common, as a rule.
const OVERLAP: usize = 3;

impl Seam {
    /// Rows that the next page has to begin with.
    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64 + self.blank
    }

    /// A row was read. The seam ends with a filled one and what is blank below it: blank rows look all the same.
    pub(super) fn push(&mut self, cells: &[Cell]) {
        if cells.is_empty() {
            self.blank += 1;
            return;
        }
        if self.blank > 0 {
            self.rows.clear();
            self.blank = 0;
        }
        if self.rows.len() == OVERLAP {
            self.rows.remove(0);
        }
        self.rows.push(cells.to_vec());
    }

    /// True if the rows from `at` on continue it. One of several may have been edited meanwhile.
    pub(super) fn fits(&self, rows: &[Vec<Cell>], at: usize) -> bool {
        let same =
            self.rows.iter().enumerate().filter(|(offset, cells)| rows.get(at + offset) == Some(*cells));
        same.count() >= self.rows.len().div_ceil(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &[&str]) -> Vec<Vec<Cell>> {
        texts
            .iter()
            .map(|text| if text.is_empty() { Vec::new() } else { vec![Cell::Text((*text).to_owned())] })
            .collect()
    }

    fn seam(texts: &[&str]) -> Seam {
        let mut seam = Seam::default();
        rows(texts).iter().for_each(|cells| seam.push(cells));
        seam
    }

    #[test]
    fn a_page_is_fitted_by_its_first_rows() {
        let seam = seam(&["a", "b", "c", "d"]);
        assert_eq!(seam.len(), 3);
        assert!(seam.fits(&rows(&["b", "c", "d", "e"]), 0));
        assert!(seam.fits(&rows(&["b", "edited", "d", "e"]), 0));
        assert!(!seam.fits(&rows(&["new", "b", "c", "d"]), 0), "a row was inserted above");
        assert!(seam.fits(&rows(&["new", "b", "c", "d"]), 1));
        assert!(!seam.fits(&rows(&["z", "d", "a", "c"]), 0), "sorted");
        assert!(Seam::default().fits(&rows(&[]), 0), "nothing was read yet");
    }

    #[test]
    fn a_header_may_gain_names_and_change_one_but_nothing_moves() {
        let names = |names: &str| -> Vec<Cell> { names.split('|').map(Cell::text).collect() };
        let before = names("Project|Status|Comment");
        for (now, same) in [
            ("Project|Status|Comment", true),
            ("Project|Status|Comment|New", true),
            ("Project|State|Comment", true),
            ("Project|State|Note", false),
            ("Project|Status|", false),
            ("Project|Status", false),
            ("Project|Status|New|Comment", false),
            ("New|Project|Status|Comment", false),
            ("Status|Comment", false),
            ("Status|Project|Comment", false),
        ] {
            assert_eq!(is_same_header(&before, &names(now)), same, "{now}");
        }
        assert!(is_same_header(&names("a||c"), &names("a|b|c")), "a column that had no name got one");
    }

    #[test]
    fn blank_rows_alone_are_no_seam() {
        let seam = seam(&["a", "", "b", "", ""]);
        assert_eq!(seam.len(), 3, "the last filled row and two blank ones");
        assert!(seam.fits(&rows(&["b"]), 0));
        assert!(!seam.fits(&rows(&["", "", "b"]), 0));
    }
}
