//! Inserts and deletes cells, so that others make room or close up.

use super::merges::check_whole;
use super::request::{Fields, Reply, axis, cells, tab};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::lines;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::shift::{Axis, Change};

/// `insertRange`
pub(super) fn insert(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, rect) = cells(draft, request, "range")?;
    let axis = axis(request, "shiftDimension")?;
    check_band(draft, at, axis, rect)?;
    let along = axis.of_rect(rect);
    let band = axis.across().of_rect(rect);
    let change = Change::Insert { at: along.start, count: along.end - along.start };
    lines::shift_band(draft, at, axis, change, band);
    Ok(None)
}

/// `deleteRange`
pub(super) fn delete(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, rect) = cells(draft, request, "range")?;
    let axis = axis(request, "shiftDimension")?;
    check_band(draft, at, axis, rect)?;
    let band = axis.across().of_rect(rect);
    lines::shift_band(draft, at, axis, Change::Remove(axis.of_rect(rect)), band);
    Ok(None)
}

/// Merges of what moves must move as a whole.
fn check_band(draft: &Draft, at: usize, axis: Axis, rect: Rect) -> Result<(), Refusal> {
    let found = tab(draft, at)?;
    let along = axis.of_rect(rect).start..found.grid.size(axis);
    check_whole(found, axis.rect(along, axis.across().of_rect(rect)))
}
