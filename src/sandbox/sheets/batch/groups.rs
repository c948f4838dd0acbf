//! Groups of rows and columns.

use serde_json::Value;

use super::request::{Dimension, Fields, Reply, flag, index, mask, needed, tab, tab_mut};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::shift::Axis;

/// `addDimensionGroup`
pub(super) fn add(draft: &mut Draft, request: &Fields) -> Reply {
    let dimension = Dimension::read(draft, needed(request, "range")?)?;
    let range = dimension.closed(draft)?;
    let tab = tab_mut(draft, dimension.tab)?;
    tab.dims_mut(dimension.axis).group(range);
    match dimension.axis {
        Axis::Rows => tab.row_control_after = true,
        Axis::Columns => tab.column_control_after = true,
    }
    all(draft, &dimension)
}

/// `deleteDimensionGroup`
pub(super) fn delete(draft: &mut Draft, request: &Fields) -> Reply {
    let dimension = Dimension::read(draft, needed(request, "range")?)?;
    let range = dimension.closed(draft)?;
    if !tab_mut(draft, dimension.tab)?.dims_mut(dimension.axis).ungroup(range) {
        return Err(Refusal::invalid("The range is not part of a group."));
    }
    all(draft, &dimension)
}

/// `updateDimensionGroup`
pub(super) fn update(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = mask(request, "DimensionGroup")?;
    let group = needed(request, "dimensionGroup")?;
    let dimension = Dimension::read(draft, needed(group, "range")?)?;
    let range = dimension.closed(draft)?;
    let depth = index(group, "depth")?.unwrap_or(0);
    if mask.has("collapsed") {
        let dims = tab_mut(draft, dimension.tab)?.dims_mut(dimension.axis);
        if !dims.collapse(&range, depth, flag(group, "collapsed")) {
            return Err(Refusal::invalid("There is no group with this range and depth."));
        }
    }
    Ok(None)
}

/// The reply: all groups of the sheet along the axis.
fn all(draft: &Draft, dimension: &Dimension) -> Reply {
    let tab = tab(draft, dimension.tab)?;
    let groups = tab.dims(dimension.axis).groups();
    let groups: Vec<Value> = groups.iter().map(|group| group.json(dimension.axis, tab.id)).collect();
    Ok(Some(Object::new().list("dimensionGroups", groups).into()))
}
