//! Removes rows that stand twice, and blanks that stand around texts.

use std::collections::HashSet;

use serde_json::Value;

use super::cells::copied;
use super::request::{Dimension, Fields, Reply, cells, objects, tab, tab_mut};
use crate::sandbox::sheets::cell::{Cell, Content};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::formula::Calculator;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::value::Scalar;

/// `deleteDuplicates`: rows are the same if their values are, whatever case, format or formula.
pub(super) fn delete_duplicates(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, rect) = cells(draft, request, "range")?;
    let mut columns: Vec<u32> = Vec::new();
    for range in objects(request, "comparisonColumns") {
        let range = Dimension::read(draft, range)?.closed(draft)?;
        columns.extend(range.filter(|column| rect.columns().contains(column)));
    }
    if columns.is_empty() {
        columns.extend(rect.columns());
    }
    let calc = Calculator::new(&draft.book, draft.now);
    let found = tab(draft, at)?;
    let mut known = HashSet::new();
    let mut kept: Vec<(u32, Vec<Cell>)> = Vec::new();
    let last = rect.bottom.min(found.grid.kept_rows());
    for row in rect.top..last {
        let key: Vec<String> = columns.iter().map(|column| folded(&calc.value((at, row, *column)))).collect();
        if known.insert(key) {
            kept.push((row, rect.columns().map(|column| found.grid.cell(row, column).clone()).collect()));
        }
    }
    let removed = (last.saturating_sub(rect.top) as usize) - kept.len();
    let grid = &mut tab_mut(draft, at)?.grid;
    let mut to = rect.top;
    for (from, line) in kept {
        for (mut cell, column) in line.into_iter().zip(rect.left..) {
            if let Content::Formula(formula) = cell.content() {
                let formula = copied(formula, (i64::from(to) - i64::from(from), 0));
                cell.rewrite(Content::Formula(formula));
            }
            grid.put(to, column, cell);
        }
        to += 1;
    }
    for row in to..last {
        for column in rect.columns() {
            grid.take(row, column);
        }
    }
    Ok(Some(Object::new().count("duplicatesRemovedCount", u32::try_from(removed).unwrap_or(u32::MAX)).into()))
}

fn folded(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => format!("t{}", text.to_lowercase()),
        other => format!("{other:?}"),
    }
}

/// `trimWhitespace`
pub(super) fn trim_whitespace(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, rect) = cells(draft, request, "range")?;
    let mut count = 0;
    tab_mut(draft, at)?.grid.edit_kept(rect, |_, _, cell| {
        let Content::Text(text) = cell.content() else { return };
        let trimmed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if trimmed != **text {
            count += 1;
            cell.enter(Content::text(&trimmed));
        }
    });
    let reply: Value = Object::new().count("cellsChangedCount", count).into();
    Ok(Some(reply))
}
