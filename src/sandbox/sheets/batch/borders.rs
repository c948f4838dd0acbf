//! Borders around cells and between them.

use serde_json::{Map, Value};

use super::request::{Fields, Reply, cells, object, tab_mut, text};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::format::complete_colors;

/// `updateBorders`: a side that is not given stays as it is.
pub(super) fn update(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, rect) = cells(draft, request, "range")?;
    let border = |name: &str| object(request, name).map(drawn);
    let [top, bottom, left, right] = ["top", "bottom", "left", "right"].map(border);
    let (horizontal, vertical) = (border("innerHorizontal"), border("innerVertical"));
    let tab = tab_mut(draft, at)?;
    for (row, column) in rect.cells() {
        let pick = |edge: bool, outer: &Option<Border>, inner: &Option<Border>| {
            if edge { outer.clone() } else { inner.clone() }
        };
        let sides = [
            ("top", pick(row == rect.top, &top, &horizontal)),
            ("bottom", pick(row + 1 == rect.bottom, &bottom, &horizontal)),
            ("left", pick(column == rect.left, &left, &vertical)),
            ("right", pick(column + 1 == rect.right, &right, &vertical)),
        ];
        if sides.iter().all(|(_, border)| border.is_none()) {
            continue;
        }
        tab.grid.edit(row, column, |cell| cell.change(|extra| set(&mut extra.format, sides)));
    }
    Ok(None)
}

/// A border to draw, or to take away.
type Border = Option<Value>;

fn drawn(border: &Fields) -> Border {
    let style = text(border, "style");
    if matches!(style, "NONE" | "") {
        return None;
    }
    let mut border = border.clone();
    border.entry("color").or_insert_with(|| Value::Object(Map::new()));
    let width = match style {
        "SOLID_MEDIUM" => 2,
        "SOLID_THICK" | "DOUBLE" => 3,
        _ => 1,
    };
    border.insert("width".into(), width.into());
    let mut border = Value::Object(border);
    complete_colors(&mut border);
    Some(border)
}

fn set(format: &mut Fields, sides: [(&str, Option<Border>); 4]) {
    let mut borders = match format.get("borders") {
        Some(Value::Object(borders)) => borders.clone(),
        _ => Map::new(),
    };
    for (side, border) in sides {
        match border {
            None => {}
            Some(None) => {
                borders.shift_remove(side);
            }
            Some(Some(border)) => {
                borders.insert(side.to_owned(), border);
            }
        }
    }
    if borders.is_empty() {
        format.shift_remove("borders");
    } else {
        format.insert("borders".into(), Value::Object(borders));
    }
}
