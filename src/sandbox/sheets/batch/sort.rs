//! Sorts rows.

use std::cmp::Ordering;

use serde_json::Value;

use super::cells::copied;
use super::request::{Fields, Reply, cells, index, objects, tab, tab_mut, text};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::cell::{Cell, Content};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::formula::{Calculator, order};
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::value::Scalar;

/// `sortRange`
pub(super) fn sort(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, rect) = cells(draft, request, "range")?;
    let specs: Vec<&Fields> = objects(request, "sortSpecs").collect();
    sort_rows(draft, at, rect, &specs)?;
    Ok(None)
}

/// Sorts the rows of a rectangle. Cells move with all that is theirs; what hangs on rows stays.
pub(super) fn sort_rows(draft: &mut Draft, at: usize, rect: Rect, specs: &[&Fields]) -> Result<(), Refusal> {
    let found = tab(draft, at)?;
    if found.merges.iter().any(|merge| merge.height() > 1 && merge.meet(rect).is_some()) {
        return Err(Refusal::invalid("You can't sort a range that contains vertically merged cells."));
    }
    let mut keys = Vec::new();
    for spec in specs {
        let column = index(spec, "dimensionIndex")?.unwrap_or(0);
        if !rect.columns().contains(&column) {
            return Err(Refusal::invalid(format!("The sort column {column} is not inside of the range.")));
        }
        keys.push(Key { column, descending: text(spec, "sortOrder") == "DESCENDING", spec });
    }
    let calc = Calculator::new(&draft.book, draft.now);
    let mut rows: Vec<(u32, Vec<Scalar>)> = rect
        .rows()
        .map(|row| (row, keys.iter().map(|key| calc.value((at, row, key.column))).collect()))
        .collect();
    rows.sort_by(|(left_row, left), (right_row, right)| {
        let mut order = Ordering::Equal;
        for (key, (left, right)) in keys.iter().zip(left.iter().zip(right)) {
            let colors = key
                .color_order(found.grid.cell(*left_row, key.column), found.grid.cell(*right_row, key.column));
            order = order.then(colors.unwrap_or_else(|| compare(left, right, key.descending)));
        }
        order
    });
    let rows: Vec<u32> = rows.into_iter().map(|(row, _)| row).collect();
    arrange(draft, at, rect, &rows)
}

/// `randomizeRange`
pub(super) fn randomize(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, rect) = cells(draft, request, "range")?;
    if tab(draft, at)?.merges.iter().any(|merge| merge.height() > 1 && merge.meet(rect).is_some()) {
        return Err(Refusal::invalid("You can't randomize a range that contains vertically merged cells."));
    }
    let mut rows: Vec<u32> = rect.rows().collect();
    draft.ids.shuffle(&mut rows);
    arrange(draft, at, rect, &rows)?;
    Ok(None)
}

/// Puts the rows of a rectangle into this order. Cells move with all that is theirs.
fn arrange(draft: &mut Draft, at: usize, rect: Rect, rows: &[u32]) -> Result<(), Refusal> {
    let found = tab(draft, at)?;
    let old: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| rect.columns().map(|column| found.grid.cell(*row, column).clone()).collect())
        .collect();
    let grid = &mut tab_mut(draft, at)?.grid;
    for ((cells, from), to) in old.into_iter().zip(rows).zip(rect.top..) {
        if *from == to {
            continue;
        }
        let down = i64::from(to) - i64::from(*from);
        for (mut cell, column) in cells.into_iter().zip(rect.left..) {
            if let Content::Formula(formula) = cell.content() {
                let formula = copied(formula, (down, 0));
                cell.rewrite(Content::Formula(formula));
            }
            grid.put(to, column, cell);
        }
    }
    Ok(())
}

struct Key<'a> {
    column: u32,
    descending: bool,
    spec: &'a Fields,
}

impl Key<'_> {
    /// Cells of the colour asked for come first; none if no colour is asked for.
    fn color_order(&self, left: &Cell, right: &Cell) -> Option<Ordering> {
        let (name, wanted) =
            ["backgroundColorStyle", "backgroundColor", "foregroundColorStyle", "foregroundColor"]
                .into_iter()
                .find_map(|name| self.spec.get(name).map(|color| (name, color)))?;
        let plain = name.trim_end_matches("Style");
        let wanted = wanted.get("rgbColor").unwrap_or(wanted);
        let has = |cell: &Cell| {
            let format = &cell.extra().format;
            let color = if plain.starts_with("background") {
                format.get(plain)
            } else {
                format.get("textFormat").and_then(|text| text.get(plain))
            };
            color.is_some_and(|color| same_color(color, wanted))
        };
        Some(has(right).cmp(&has(left)))
    }
}

fn same_color(left: &Value, right: &Value) -> bool {
    ["red", "green", "blue"].into_iter().all(|part| {
        let share = |color: &Value| color.get(part).and_then(Value::as_f64).unwrap_or_default();
        (share(left) - share(right)).abs() < 1.0 / 512.0
    })
}

/// The order of two values; nothing comes last, whatever the direction.
fn compare(left: &Scalar, right: &Scalar, descending: bool) -> Ordering {
    match (left.is_blank(), right.is_blank()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if descending => order(right, left),
        (false, false) => order(left, right),
    }
}
