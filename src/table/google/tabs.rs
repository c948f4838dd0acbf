//! The tabs of a spreadsheet, and which of them is meant.

use google_sheets4::api::{GridRange, Sheet};

use crate::domain::fold::fold;

/// A tab as it is now.
#[derive(Clone, Debug, Default)]
pub(super) struct Tab {
    /// Stays the same while the tab lives, whatever it is called.
    pub(super) id: i32,
    pub(super) title: String,
    pub(super) rows: u32,
    pub(super) columns: u32,
    /// Cells that are shown as one.
    pub(super) merges: Vec<GridRange>,
}

/// The fields of a spreadsheet that [`Tab::of`] reads.
pub(super) const TAB_FIELDS: &str =
    "properties(sheetId,title,sheetType,gridProperties(rowCount,columnCount)),merges";

impl Tab {
    /// A tab with cells; none for a chart that has a tab of its own.
    pub(super) fn of(sheet: &Sheet) -> Option<Self> {
        let properties = sheet.properties.as_ref()?;
        let grid = properties.grid_properties.as_ref()?;
        let count = |number: Option<i32>| number.and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
        Some(Self {
            id: properties.sheet_id.unwrap_or_default(),
            title: properties.title.clone().unwrap_or_default(),
            rows: count(grid.row_count),
            columns: count(grid.column_count),
            merges: sheet.merges.clone().unwrap_or_default(),
        })
    }

    /// True if a cell belongs to a merged one that begins elsewhere, and so says nothing itself.
    pub(super) fn hides(&self, row: u32, column: u32) -> bool {
        self.merges.iter().any(|merge| {
            let (rows, columns) = extent(merge);
            rows.contains(&row) && columns.contains(&column) && (rows.start, columns.start) != (row, column)
        })
    }

    /// All tabs with cells, in their order.
    pub(super) fn all(sheets: Option<&Vec<Sheet>>) -> Vec<Self> {
        sheets.into_iter().flatten().filter_map(Self::of).collect()
    }
}

/// The rows and columns of a range, from 0.
pub(super) fn extent(range: &GridRange) -> (std::ops::Range<u32>, std::ops::Range<u32>) {
    let number = |index: Option<i32>| index.and_then(|index| u32::try_from(index).ok());
    let from = |start: Option<i32>| number(start).unwrap_or_default();
    let to = |end: Option<i32>| number(end).unwrap_or(u32::MAX);
    (
        from(range.start_row_index)..to(range.end_row_index),
        from(range.start_column_index)..to(range.end_column_index),
    )
}

/// Finds the tab with this number, else the one of this name: just so, or but for case and spaces.
///
/// # Errors
/// What there is instead, and what to do.
pub(super) fn find<'a>(tabs: &'a [Tab], gid: Option<i32>, name: &str) -> Result<&'a Tab, String> {
    let folded = fold(name);
    let alike = |tab: &&Tab| fold(&tab.title) == folded;
    let named = tabs.iter().find(|tab| tab.title == name).or_else(|| tabs.iter().find(alike));
    if let Some(gid) = gid {
        let Some(numbered) = tabs.iter().find(|tab| tab.id == gid) else {
            let what = format!("no tab has the number {gid} (sheets.source_sheet_gid)");
            return Err(format!("{what}; the tabs are {}; mend it, or leave it out", listed(tabs)));
        };
        // A number that was only ever used for links may be wrong: reading another tab must not go unnoticed.
        return match named {
            Some(named) if named.id != gid => Err(format!(
                "sheets.source_sheet_gid = {gid} is the tab «{}», but «{name}» has the number {}; mend one of the two",
                numbered.title, named.id
            )),
            _ => Ok(numbered),
        };
    }
    if let Some(tab) = named {
        return Ok(tab);
    }
    let scored = tabs.iter().map(|tab| (strsim::jaro_winkler(&fold(&tab.title), &folded), tab));
    let near = scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    Err(match near {
        Some((_, tab)) => format!("no tab is named «{name}»; did you mean «{}»?", tab.title),
        None => {
            format!(
                "no tab is named «{name}»; the tabs are {}; set sheets.source_sheet_name to one",
                listed(tabs)
            )
        }
    })
}

/// So many tabs are named in an error.
const LISTED: usize = 20;

fn listed(tabs: &[Tab]) -> String {
    let names: Vec<String> =
        tabs.iter().take(LISTED).map(|tab| format!("«{}» ({})", tab.title, tab.id)).collect();
    let more = if tabs.len() > LISTED { " and more" } else { "" };
    format!("{}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_is_found_by_its_number_or_by_its_name() {
        let tab = |id: i32, title: &str| Tab { id, title: title.to_owned(), ..Tab::default() };
        let tabs = [tab(0, "Notes"), tab(7, "Статусы  недели"), tab(9, "It's «Q1»!"), tab(12, "notes ")];
        let found = |gid, name| find(&tabs, gid, name).map(|tab| tab.id);
        assert_eq!(found(None, "It's «Q1»!"), Ok(9));
        assert_eq!(found(None, "статусы недели"), Ok(7));
        assert_eq!(found(None, "notes "), Ok(12), "the very name comes first");
        assert_eq!(found(Some(7), "renamed since"), Ok(7), "the number counts");
        let told = found(None, "Статус недели").unwrap_err();
        assert!(told.contains("did you mean «Статусы  недели»?"), "{told}");
        assert!(found(None, "Budget").unwrap_err().contains("«Notes» (0), «Статусы  недели» (7)"));
        assert!(found(Some(3), "Notes").unwrap_err().contains("number 3"));
        let told = found(Some(7), "Notes").unwrap_err();
        assert!(told.contains("is the tab «Статусы  недели»") && told.contains("number 0"), "{told}");
    }
}
