//! A sheet of a spreadsheet: its cells and everything that hangs on them.

use serde_json::{Map, Value};

use super::a1::{Bounds, Rect};
use super::dims::Dims;
use super::grid::Grid;
use super::shift::{Axis, Shift};

/// A sheet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tab {
    pub(crate) id: i32,
    pub(crate) title: String,
    pub(crate) hidden: bool,
    pub(crate) right_to_left: bool,
    /// The colour of its tab: the fields `tabColor` and `tabColorStyle`.
    pub(crate) color: Map<String, Value>,
    pub(crate) frozen_rows: u32,
    pub(crate) frozen_columns: u32,
    pub(crate) hide_gridlines: bool,
    pub(crate) row_control_after: bool,
    pub(crate) column_control_after: bool,
    pub(crate) grid: Grid,
    pub(crate) row_dims: Dims,
    pub(crate) column_dims: Dims,
    pub(crate) merges: Vec<Rect>,
    pub(crate) filter: Option<Area>,
    pub(crate) filter_views: Vec<Area>,
    pub(crate) protections: Vec<Area>,
    pub(crate) bandings: Vec<Area>,
    pub(crate) rules: Vec<Rule>,
}

/// Something that holds over a range: a filter, a protection, alternating colours.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) id: i32,
    pub(crate) bounds: Bounds,
    /// All of its fields but its id and its range.
    pub(crate) body: Map<String, Value>,
}

/// A rule of conditional formatting.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) ranges: Vec<Bounds>,
    /// All of its fields but its ranges.
    pub(crate) body: Map<String, Value>,
}

impl Area {
    /// True for a protection of somebody else, which the caller must not write into.
    pub(crate) fn is_locked(&self) -> bool {
        self.body.get("requestingUserCanEdit") == Some(&Value::Bool(false))
    }
}

impl Tab {
    /// An empty sheet.
    pub(crate) fn new(id: i32, title: impl Into<String>, rows: u32, columns: u32) -> Self {
        Self {
            id,
            title: title.into(),
            hidden: false,
            right_to_left: false,
            color: Map::new(),
            frozen_rows: 0,
            frozen_columns: 0,
            hide_gridlines: false,
            row_control_after: false,
            column_control_after: false,
            grid: Grid::new(rows, columns),
            row_dims: Dims::default(),
            column_dims: Dims::default(),
            merges: Vec::new(),
            filter: None,
            filter_views: Vec::new(),
            protections: Vec::new(),
            bandings: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// What is known of its rows or columns.
    pub(crate) fn dims(&self, axis: Axis) -> &Dims {
        match axis {
            Axis::Rows => &self.row_dims,
            Axis::Columns => &self.column_dims,
        }
    }

    /// What is known of its rows or columns, to change it.
    pub(crate) fn dims_mut(&mut self, axis: Axis) -> &mut Dims {
        match axis {
            Axis::Rows => &mut self.row_dims,
            Axis::Columns => &mut self.column_dims,
        }
    }

    /// How many rows or columns do not move when the sheet is scrolled.
    pub(crate) fn frozen(&mut self, axis: Axis) -> &mut u32 {
        match axis {
            Axis::Rows => &mut self.frozen_rows,
            Axis::Columns => &mut self.frozen_columns,
        }
    }

    /// Moves what hangs on the cells, but not the cells themselves.
    pub(crate) fn shift_areas(&mut self, shift: &Shift) {
        self.merges = self.merges.iter().filter_map(|merge| shift.rect(*merge)).collect();
        self.merges.retain(|merge| merge.height() > 1 || merge.width() > 1);
        self.filter = self.filter.take().and_then(|filter| shifted(filter, shift));
        for areas in [&mut self.filter_views, &mut self.protections, &mut self.bandings] {
            *areas = std::mem::take(areas).into_iter().filter_map(|area| shifted(area, shift)).collect();
        }
        for rule in &mut self.rules {
            rule.ranges = rule.ranges.iter().filter_map(|range| shift.bounds(*range)).collect();
        }
        self.rules.retain(|rule| !rule.ranges.is_empty());
    }

    /// The part of a range that the sheet has.
    pub(crate) fn clip(&self, bounds: Bounds) -> Rect {
        bounds.clip(self.grid.rows(), self.grid.columns())
    }

    /// Every area with an id, of whatever kind.
    pub(crate) fn area_ids(&self) -> impl Iterator<Item = i32> {
        [&self.filter_views, &self.protections, &self.bandings].into_iter().flatten().map(|area| area.id)
    }
}

fn shifted(mut area: Area, shift: &Shift) -> Option<Area> {
    area.bounds = shift.bounds(area.bounds)?;
    if let Some(Value::Array(specs)) = area.body.get_mut("filterSpecs")
        && shift.axis == Axis::Columns
        && shift.band.is_none()
    {
        specs.retain_mut(|spec| move_index(spec, "columnIndex", shift));
    }
    if let Some(Value::Array(specs)) = area.body.get_mut("sortSpecs")
        && shift.axis == Axis::Columns
        && shift.band.is_none()
    {
        specs.retain_mut(|spec| move_index(spec, "dimensionIndex", shift));
    }
    if let Some(Value::Array(ranges)) = area.body.get_mut("unprotectedRanges") {
        ranges.retain_mut(|range| {
            let Some(bounds) = range.as_object().map(Bounds::read) else { return false };
            let sheet = range.get("sheetId").and_then(Value::as_i64).and_then(|id| i32::try_from(id).ok());
            let after = shift.bounds(bounds);
            if let Some(after) = after {
                *range = after.json(sheet.unwrap_or(0));
            }
            after.is_some()
        });
    }
    Some(area)
}

/// Moves the column that a part of a filter is about; false if the column is gone.
fn move_index(spec: &mut Value, name: &str, shift: &Shift) -> bool {
    let index = spec.get(name).and_then(Value::as_u64).and_then(|index| u32::try_from(index).ok());
    let after = shift.change.index(index.unwrap_or(0));
    if let Some(after) = after {
        spec[name] = Value::from(after);
    }
    after.is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::sheets::shift::Change;

    fn area(bounds: Rect, body: &Value) -> Area {
        Area { id: 1, bounds: bounds.into(), body: body.as_object().unwrap().clone() }
    }

    #[test]
    fn areas_go_with_their_cells() {
        let mut tab = Tab::new(0, "T", 10, 10);
        tab.merges = vec![Rect::new(1..3, 1..3), Rect::new(5..6, 0..2)];
        let specs = json!({"filterSpecs": [{"columnIndex": 1}, {"columnIndex": 3}]});
        tab.filter = Some(area(Rect::new(0..5, 0..4), &specs));
        tab.rules = vec![
            Rule { ranges: vec![Rect::new(1..2, 0..1).into()], body: Map::new() },
            Rule { ranges: vec![Rect::new(1..2, 1..2).into(), Rect::cell(0, 9).into()], body: Map::new() },
        ];
        tab.shift_areas(&Shift::whole(Axis::Columns, Change::Remove(1..2)));
        assert_eq!(tab.merges, [Rect::new(1..3, 1..2)], "a merge of one cell is none");
        let filter = tab.filter.clone().unwrap();
        assert_eq!(filter.bounds, Rect::new(0..5, 0..3).into());
        assert_eq!(Value::Object(filter.body), json!({"filterSpecs": [{"columnIndex": 2}]}));
        assert_eq!(tab.rules.len(), 2);
        assert_eq!(tab.rules[1].ranges, [Rect::cell(0, 8).into()]);
        tab.shift_areas(&Shift::whole(Axis::Rows, Change::Remove(0..5)));
        assert!(tab.filter.is_none() && tab.merges.is_empty() && tab.rules.is_empty());
    }
}
