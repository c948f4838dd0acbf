//! Inserts, deletes, moves and sizes rows and columns.

use super::properties::resize;
use super::request::{Dimension, Fields, Reply, axis, flag, grid, index, mask, needed, tab, tab_mut};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::formula::Calculator;
use crate::sandbox::sheets::lines;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::shift::Axis;
use crate::sandbox::sheets::values;

/// `insertDimension`
pub(super) fn insert(draft: &mut Draft, request: &Fields) -> Reply {
    let dimension = Dimension::read(draft, needed(request, "range")?)?;
    let range = dimension.bounded()?;
    let size = tab(draft, dimension.tab)?.grid.size(dimension.axis);
    let inherit_before = flag(request, "inheritFromBefore");
    if range.start > size {
        return Err(Refusal::invalid(format!("range.startIndex is larger than current grid size ({size})")));
    }
    if range.start == size && !inherit_before {
        return Err(Refusal::invalid(format!(
            "range.startIndex must be less than the grid size ({size}) if inheritFromBefore is false."
        )));
    }
    if range.start == 0 && inherit_before {
        return Err(Refusal::invalid(
            "range.startIndex must be greater than 0 if inheritFromBefore is true.",
        ));
    }
    let count = range.end - range.start;
    lines::insert(draft, dimension.tab, dimension.axis, range.start, count, inherit_before)?;
    Ok(None)
}

/// `deleteDimension`
pub(super) fn delete(draft: &mut Draft, request: &Fields) -> Reply {
    let dimension = Dimension::read(draft, needed(request, "range")?)?;
    let tab = tab(draft, dimension.tab)?;
    let (size, what) = (tab.grid.size(dimension.axis), dimension.axis.one());
    let range = dimension.start.unwrap_or(0)..dimension.end.unwrap_or(size);
    if range.start >= size || range.end > size {
        let at = range.start.max(size);
        return Err(Refusal::invalid(format!(
            "Cannot delete a {what} that doesn't exist. Tried to delete {what} index {at} but there are only {size} {what}s."
        )));
    }
    if range.end - range.start == size {
        return Err(Refusal::invalid(format!("You can't delete all the {what}s on the sheet.")));
    }
    let frozen = if dimension.axis == Axis::Rows { tab.frozen_rows } else { tab.frozen_columns };
    if frozen > 0 && range.start <= frozen && range.end == size {
        return Err(Refusal::invalid(format!("Sorry, it is not possible to delete all non-frozen {what}s.")));
    }
    lines::delete(draft, dimension.tab, dimension.axis, range);
    Ok(None)
}

/// `appendDimension`
pub(super) fn append(draft: &mut Draft, request: &Fields) -> Reply {
    let at = grid(draft, request)?;
    let axis = axis(request, "dimension")?;
    let length = index(request, "length")?.filter(|length| *length > 0);
    let length = length.ok_or_else(|| Refusal::invalid("length must be greater than 0"))?;
    draft.book.check_room(at, axis, length)?;
    let size = tab(draft, at)?.grid.size(axis) + length;
    resize(draft, at, axis, size)?;
    Ok(None)
}

/// `moveDimension`
pub(super) fn relocate(draft: &mut Draft, request: &Fields) -> Reply {
    let dimension = Dimension::read(draft, needed(request, "source")?)?;
    let from = dimension.closed(draft)?;
    let size = tab(draft, dimension.tab)?.grid.size(dimension.axis);
    let to = index(request, "destinationIndex")?.unwrap_or(0);
    if to > size {
        return Err(Refusal::invalid(format!("destinationIndex is larger than current grid size ({size})")));
    }
    if from.contains(&to) || to == from.end {
        return Ok(None);
    }
    lines::relocate(draft, dimension.tab, dimension.axis, from, to);
    Ok(None)
}

/// `updateDimensionProperties`
pub(super) fn update_properties(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = mask(request, "DimensionProperties")?;
    let dimension = Dimension::read(draft, needed(request, "range")?)?;
    let range = dimension.closed(draft)?;
    let properties = needed(request, "properties")?;
    let size = index(properties, "pixelSize")?.filter(|size| *size > 0);
    let hidden = flag(properties, "hiddenByUser");
    tab_mut(draft, dimension.tab)?.dims_mut(dimension.axis).edit(range, |dim| {
        if mask.has("pixelSize") {
            dim.size = size;
        }
        if mask.has("hiddenByUser") {
            dim.hidden = hidden;
        }
    });
    Ok(None)
}

/// How wide a character is and what stands beside a text, in pixels.
const CHARACTER: u32 = 7;
const MARGIN: u32 = 8;

/// The height of a line of text.
const LINE: u32 = 21;

/// `autoResizeDimensions`: as large as what stands in it.
pub(super) fn auto_resize(draft: &mut Draft, request: &Fields) -> Reply {
    let dimension = Dimension::read(draft, needed(request, "dimensions")?)?;
    let range = dimension.closed(draft)?;
    let now = draft.now;
    let calc = Calculator::new(&draft.book, now);
    let found = tab(draft, dimension.tab)?;
    let across = 0..found.grid.size(dimension.axis.across());
    let mut sizes = vec![None; range.len()];
    for (row, column, cell) in found.grid.cells_in(dimension.axis.rect(range.clone(), across)) {
        let key = (dimension.tab, row, column);
        let text = values::shown(&calc, key, cell, &calc.value(key));
        let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX / 16);
        let (at, size) = match dimension.axis {
            Axis::Rows => (row, text.lines().count().max(1) as u32 * LINE),
            Axis::Columns => (column, text.lines().map(count).max().unwrap_or(0) * CHARACTER + MARGIN),
        };
        if let Some(place) = sizes.get_mut((at - range.start) as usize)
            && !text.is_empty()
        {
            *place = (*place).max(Some(size));
        }
    }
    let dims = tab_mut(draft, dimension.tab)?.dims_mut(dimension.axis);
    for (index, size) in range.zip(sizes) {
        if size.is_some() || dimension.axis == Axis::Rows {
            dims.edit(index..index + 1, |dim| {
                dim.size = size.filter(|size| *size != LINE || dimension.axis == Axis::Columns)
            });
        }
    }
    Ok(None)
}
