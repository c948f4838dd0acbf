//! What people should know of a results tab before it is written: columns that it lacks, cells that are merged. Pure.

use super::snapshot::Header;
use crate::domain::results::ResultColumn;
use crate::table::a1::column_name;
use crate::table::google::tabs::{Tab, extent};

/// So many merged cells, or headers that may have been renamed, are named.
const LISTED: usize = 10;

/// Columns that no tool but this one writes: a table that is taken over lacks them.
const NEW: [ResultColumn; 4] =
    [ResultColumn::SourceUrl, ResultColumn::Rules, ResultColumn::Severity, ResultColumn::Key];

/// A warning for `columns` that the header lacks; `is_ours` if the tab had all of them once. Who has renamed one gets
/// a second one, and should know.
pub(super) fn missing_columns(header: &Header, columns: &[ResultColumn], is_ours: bool) -> Option<String> {
    let is_strange = |column: &ResultColumn| is_ours || !NEW.contains(column);
    let missing: Vec<String> = header
        .places
        .missing(columns)
        .into_iter()
        .filter(is_strange)
        .map(|column| match renamed(header, columns, column) {
            candidates if candidates.is_empty() => format!("«{}»", column.name()),
            candidates => format!("«{}» (renamed to {}?)", column.name(), candidates.join(" or ")),
        })
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "the header of the results lacks columns, which are added behind the others: {}; to keep a renamed one, \
             delete the one that is added and give the old one its name back",
            missing.join(", ")
        )
    })
}

/// Headers that are not ours and stand where a column should, between those that are its neighbours in a new table.
fn renamed(header: &Header, columns: &[ResultColumn], column: ResultColumn) -> Vec<String> {
    let Some(at) = columns.iter().position(|known| *known == column) else { return Vec::new() };
    let place = |column: &ResultColumn| header.places.of(*column);
    let before = columns.iter().take(at).rev().find_map(place);
    let after = columns.iter().skip(at + 1).find_map(place);
    let between = match (before, after) {
        (Some(before), Some(after)) if before < after => before + 1..after,
        (Some(before), _) => before + 1..before + 2,
        (None, Some(after)) => after.saturating_sub(1)..after,
        (None, None) => 0..0,
    };
    let names = header.names.iter().enumerate().skip(between.start).take(between.len());
    names
        .filter(|(at, name)| !name.trim().is_empty() && header.places.at(*at).is_none())
        .take(LISTED)
        .map(|(at, name)| format!("«{}» in column {}", name.trim(), letters(at)))
        .collect()
}

/// A warning for merged cells in our columns below the header: Google keeps only what is in the first cell of each.
pub(super) fn merged_cells(tab: &Tab, header: &Header) -> Option<String> {
    let is_in_the_way = |(rows, columns): &(std::ops::Range<u32>, std::ops::Range<u32>)| {
        let is_ours = |at: usize| u32::try_from(at).is_ok_and(|at| columns.contains(&at));
        rows.end > header.row.saturating_add(1) && header.places.iter().any(|(_, at)| is_ours(at))
    };
    let mut merges: Vec<_> = tab.merges.iter().map(extent).filter(is_in_the_way).collect();
    merges.sort_by_key(|(rows, columns)| (rows.start, columns.start));
    let named: Vec<String> = merges
        .iter()
        .take(LISTED)
        .map(|(rows, columns)| {
            let (last_row, last_column) = (rows.end.min(tab.rows), columns.end.min(tab.columns));
            let (first, last) = (column_name(columns.start), column_name(last_column.saturating_sub(1)));
            format!("{first}{}:{last}{last_row}", rows.start + 1)
        })
        .collect();
    let more = merges.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!named.is_empty()).then(|| {
        format!(
            "cells of the results are merged: {}{more}; only the first cell of each shows what it says, and a result \
             whose project and key are hidden by that is added again; unmerge them (Format, Merge cells, Unmerge)",
            named.join(", ")
        )
    })
}

fn letters(column: usize) -> String {
    u32::try_from(column).map(column_name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use google_sheets4::api::GridRange;

    use super::*;
    use crate::domain::results::Layout;
    use crate::table::places::Places;

    fn header(names: &[&str]) -> Header {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Header { row: 1, places: Places::locate(&names, &[]).unwrap(), names }
    }

    #[test]
    fn a_renamed_column_is_looked_for_where_it_stood() {
        let columns = Layout { identifier: true, project_manager: false }.columns();
        let mut names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        assert_eq!(missing_columns(&header(&names), &columns, true), None);
        names[5] = "Валидно?";
        names.insert(5, "Note");
        names[0] = "№";
        names[14] = "Mine";
        let told = missing_columns(&header(&names), &columns, true).unwrap();
        for words in [
            "«Row Number» (renamed to «№» in column A?)",
            "«Is Valid» (renamed to «Note» in column F or «Валидно?» in column G?)",
            "«Key» (renamed to «Mine» in column O?)",
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
        let told = missing_columns(&header(&names), &columns, false).unwrap();
        assert!(!told.contains("«Key»"), "no other tool has it: {told}");
    }

    #[test]
    fn merged_cells_are_told_if_they_are_ours_and_below_the_header() {
        let merge = |rows: [i32; 2], columns: [i32; 2]| GridRange {
            sheet_id: None,
            start_row_index: Some(rows[0]),
            end_row_index: Some(rows[1]),
            start_column_index: Some(columns[0]),
            end_column_index: Some(columns[1]),
        };
        let merges =
            vec![merge([4, 6], [2, 3]), merge([0, 1], [0, 5]), merge([2, 3], [0, 3]), merge([2, 9], [3, 5])];
        let tab = Tab { rows: 10, columns: 5, merges, ..Tab::default() };
        let header = header(&["Note", "Issues", "Key"]);
        let told = merged_cells(&tab, &header).unwrap();
        assert!(told.contains("merged: A3:C3, C5:C6; only"), "{told}");
        assert!(tab.hides(2, 1) && tab.hides(5, 2) && !tab.hides(2, 0) && !tab.hides(3, 1));
        assert_eq!(merged_cells(&Tab::default(), &header), None);
    }
}
