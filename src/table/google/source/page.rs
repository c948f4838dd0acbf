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

#[cfg(test)]
mod tests {
    use super::*;

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
}
