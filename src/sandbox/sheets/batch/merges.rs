//! Merges cells and parts them.

use super::request::{Fields, Reply, cells, tab_mut, text};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::cell::Content;
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::tab::Tab;

/// `mergeCells`: of the values only the first one is left.
pub(super) fn merge(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, rect) = cells(draft, request, "range")?;
    let tab = tab_mut(draft, at)?;
    check_whole(tab, rect)?;
    let parts: Vec<Rect> = match text(request, "mergeType") {
        "MERGE_COLUMNS" => rect.columns().map(|column| Rect::new(rect.rows(), column..column + 1)).collect(),
        "MERGE_ROWS" => rect.rows().map(|row| Rect::new(row..row + 1, rect.columns())).collect(),
        _ => vec![rect],
    };
    tab.merges.retain(|merge| !rect.covers(*merge));
    for part in parts {
        if part.height() > 1 || part.width() > 1 {
            tab.merges.push(part);
            gather(tab, part);
        }
    }
    Ok(None)
}

/// Leaves the value of the first cell, and nothing in the others.
fn gather(tab: &mut Tab, part: Rect) {
    tab.grid.edit_kept(part, |row, column, cell| {
        if (row, column) != (part.top, part.left) {
            cell.enter(Content::Blank);
        }
    });
}

/// `unmergeCells`
pub(super) fn unmerge(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, rect) = cells(draft, request, "range")?;
    let tab = tab_mut(draft, at)?;
    check_whole(tab, rect)?;
    tab.merges.retain(|merge| !rect.covers(*merge));
    Ok(None)
}

/// Refuses a rectangle that has only a part of a merge.
pub(super) fn check_whole(tab: &Tab, rect: Rect) -> Result<(), Refusal> {
    let cut = tab.merges.iter().any(|merge| merge.meet(rect).is_some() && !rect.covers(*merge));
    if cut {
        return Err(Refusal::invalid(
            "You must select all cells in a merged range to merge or unmerge them.",
        ));
    }
    Ok(())
}
