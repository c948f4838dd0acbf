//! Ranges that only somebody else may edit.

use super::a1::Rect;
use super::refusal::Refusal;
use super::spreadsheet::Spreadsheet;
use super::tab::{Area, Tab};

/// Refuses a change that has touched a locked range: its cells, its size, or the protection itself. The range
/// may have gone elsewhere as a whole.
pub(crate) fn check(old: &Spreadsheet, new: &Spreadsheet) -> Result<(), Refusal> {
    for tab in &old.tabs {
        for area in tab.protections.iter().filter(|area| area.is_locked()) {
            let after = new.tabs.iter().find(|other| other.id == tab.id);
            let held = after.is_some_and(|after| is_same(tab, area, after));
            if !held {
                return Err(Refusal::invalid(
                    "You are trying to edit a protected cell or object. Please contact the spreadsheet owner to \
                     remove protection if you need to edit.",
                ));
            }
        }
    }
    Ok(())
}

fn is_same(tab: &Tab, area: &Area, after: &Tab) -> bool {
    let Some(new) = after.protections.iter().find(|other| other.id == area.id && other.body == area.body)
    else {
        return false;
    };
    let (old, new) = (tab.clip(area.bounds), after.clip(new.bounds));
    let cells = |tab: &Tab, rect: Rect| -> Vec<_> {
        let cells = tab.grid.cells_in(rect);
        cells.map(|(row, column, cell)| (row - rect.top, column - rect.left, cell.clone())).collect()
    };
    (old.height(), old.width()) == (new.height(), new.width()) && cells(tab, old) == cells(after, new)
}
