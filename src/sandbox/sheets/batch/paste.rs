//! Copies and cuts cells.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::cells::copied;
use super::request::{Fields, Reply, cells, grid, index, needed, place, tab, tab_mut, text};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::cell::{Cell, Content};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::formula::{Calculator, Formula, rewritten};
use crate::sandbox::sheets::lines;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::tab::Rule;
use crate::sandbox::sheets::value::Scalar;

/// What of the cells is pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Everything,
    EverythingButBorders,
    Values,
    Format,
    Formulas,
    Validation,
    ConditionalFormats,
}

impl What {
    fn read(request: &Fields) -> Self {
        match text(request, "pasteType") {
            "PASTE_VALUES" => Self::Values,
            "PASTE_FORMAT" => Self::Format,
            "PASTE_NO_BORDERS" => Self::EverythingButBorders,
            "PASTE_FORMULA" => Self::Formulas,
            "PASTE_DATA_VALIDATION" => Self::Validation,
            "PASTE_CONDITIONAL_FORMATTING" => Self::ConditionalFormats,
            _ => Self::Everything,
        }
    }

    fn has_format(self) -> bool {
        matches!(self, Self::Everything | Self::EverythingButBorders | Self::Format)
    }

    /// Puts what is pasted of a cell into another one.
    fn put(self, target: &mut Cell, source: &Taken, by: (i64, i64)) {
        let content = match source.cell.content() {
            Content::Formula(formula) => Content::Formula(copied(formula, by)),
            content => content.clone(),
        };
        let from = source.cell.extra().clone();
        match self {
            Self::Everything | Self::EverythingButBorders | Self::Formulas => target.enter(content),
            Self::Values => target.enter(source.value.clone()),
            _ => {}
        }
        target.change(|extra| match self {
            Self::Everything => *extra = from,
            Self::EverythingButBorders => {
                let borders = extra.format.get("borders").cloned();
                *extra = from;
                replace(&mut extra.format, "borders", borders);
            }
            Self::Values | Self::Formulas => extra.runs = from.runs,
            Self::Format => {
                extra.format = from.format;
                extra.runs = from.runs;
            }
            Self::Validation => extra.validation = from.validation,
            Self::ConditionalFormats => {}
        });
    }
}

fn replace(fields: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => fields.insert(name.to_owned(), value),
        None => fields.shift_remove(name),
    };
}

/// A cell as it was before anything was pasted.
#[derive(Clone, Debug)]
struct Taken {
    cell: Cell,
    /// What it came to.
    value: Content,
}

fn take(draft: &Draft, at: usize, rect: Rect) -> Result<Vec<Vec<Taken>>, Refusal> {
    let grid = &tab(draft, at)?.grid;
    let calc = Calculator::new(&draft.book, draft.now);
    let value = |row, column| match calc.value((at, row, column)) {
        Scalar::Blank => Content::Blank,
        Scalar::Number(value) => Content::Number(value),
        Scalar::Text(text) => Content::Text(text),
        Scalar::Bool(value) => Content::Bool(value),
        Scalar::Error(fault) => Content::Error(fault.kind),
    };
    let line = |row| {
        let cells = rect
            .columns()
            .map(|column| Taken { cell: grid.cell(row, column).clone(), value: value(row, column) });
        cells.collect()
    };
    Ok(rect.rows().map(line).collect())
}

/// `copyPaste`
pub(super) fn copy(draft: &mut Draft, request: &Fields) -> Reply {
    let (from, source) = cells(draft, request, "source")?;
    let transposed = text(request, "pasteOrientation") == "TRANSPOSE";
    let target = place(draft, needed(request, "destination")?)?;
    let asked = draft.book.closed(target)?;
    let (height, width) =
        if transposed { (source.width(), source.height()) } else { (source.height(), source.width()) };
    let times =
        |space: u32, one: u32| if one > 0 && space.is_multiple_of(one) { space.max(one) } else { one };
    let (height_all, width_all) = (times(asked.height(), height), times(asked.width(), width));
    let grid = tab(draft, target.tab)?.grid.rect();
    let area = Rect::new(asked.top..asked.top + height_all, asked.left..asked.left + width_all);
    check_inside(grid, area)?;
    let what = What::read(request);
    let taken = take(draft, from, source)?;
    if what == What::ConditionalFormats || what.has_format() {
        copy_rules(draft, (from, source), (target.tab, area), transposed)?;
    }
    if what.has_format() && !transposed {
        copy_merges(draft, (from, source), (target.tab, area))?;
    }
    let tab = tab_mut(draft, target.tab)?;
    for (row, column) in area.cells() {
        let (down, right) = ((row - area.top) % height.max(1), (column - area.left) % width.max(1));
        let (down, right) = if transposed { (right, down) } else { (down, right) };
        let Some(cell) = taken.get(down as usize).and_then(|line| line.get(right as usize)) else { continue };
        let by = (
            i64::from(row) - i64::from(source.top + down),
            i64::from(column) - i64::from(source.left + right),
        );
        if !cell.cell.is_void() || !tab.grid.cell(row, column).is_void() {
            tab.grid.edit(row, column, |target| what.put(target, cell, by));
        }
    }
    Ok(None)
}

/// `cutPaste`: what refers to the cells goes along with them.
pub(super) fn cut(draft: &mut Draft, request: &Fields) -> Reply {
    let (from, source) = cells(draft, request, "source")?;
    let destination = needed(request, "destination")?;
    let to = grid(draft, destination)?;
    let (top, left) =
        (index(destination, "rowIndex")?.unwrap_or(0), index(destination, "columnIndex")?.unwrap_or(0));
    let area = Rect::new(top..top + source.height(), left..left + source.width());
    check_inside(tab(draft, to)?.grid.rect(), area)?;
    let what = What::read(request);
    let mut taken = take(draft, from, source)?;
    if from != to {
        let title = tab(draft, from)?.title.clone();
        taken.iter_mut().flatten().for_each(|taken| name_sheet(&mut taken.cell, &title));
    }
    let grid = &mut tab_mut(draft, from)?.grid;
    for (row, column) in source.cells() {
        grid.take(row, column);
    }
    let mut moved = Vec::new();
    tab_mut(draft, from)?.merges.retain(|merge| {
        let inside = source.covers(*merge);
        if inside {
            moved.push(*merge);
        }
        !inside
    });
    let tab = tab_mut(draft, to)?;
    for (line, row) in taken.iter().zip(area.top..) {
        for (cell, column) in line.iter().zip(area.left..) {
            if !cell.cell.is_void() || !tab.grid.cell(row, column).is_void() {
                tab.grid.edit(row, column, |target| what.put(target, cell, (0, 0)));
            }
        }
    }
    if what.has_format() {
        tab.merges.extend(moved.into_iter().map(|merge| offset(merge, source, area.top, area.left)));
    }
    follow(draft, (from, source), (to, area))?;
    Ok(None)
}

/// Lets a formula that leaves its sheet say which sheet it means.
fn name_sheet(cell: &mut Cell, title: &str) {
    let Content::Formula(formula) = cell.content() else { return };
    let text = rewritten(formula.text(), formula.decimal_comma(), |mut reference| {
        reference.title.get_or_insert_with(|| title.to_owned());
        Some(reference)
    });
    if let Some(text) = text {
        let formula = Formula::new(&text, formula.decimal_comma());
        cell.rewrite(Content::Formula(Arc::new(formula)));
    }
}

/// Lets formulas and names that mean the cut cells mean where they are now.
fn follow(
    draft: &mut Draft,
    (from, source): (usize, Rect),
    (to, area): (usize, Rect),
) -> Result<(), Refusal> {
    let (old, new) = (tab(draft, from)?.title.clone(), tab(draft, to)?.title.clone());
    let (old_id, new_id) = (tab(draft, from)?.id, tab(draft, to)?.id);
    let grid = tab(draft, from)?.grid.rect();
    let other = from != to;
    lines::rewrite_formulas(&mut draft.book, &old, |mut reference| {
        let rect = reference.rect(grid.bottom, grid.right);
        if rect.is_empty() || !source.covers(rect) {
            return Some(reference);
        }
        if other {
            reference.title = Some(new.clone());
        }
        Some(reference.moved(offset(rect, source, area.top, area.left).into()))
    });
    for named in &mut draft.book.names {
        let rect = named.bounds.clip(grid.bottom, grid.right);
        if named.sheet == old_id && source.covers(rect) {
            named.sheet = new_id;
            named.bounds = offset(rect, source, area.top, area.left).into();
        }
    }
    Ok(())
}

fn offset(rect: Rect, from: Rect, top: u32, left: u32) -> Rect {
    let (row, column) = (rect.top - from.top + top, rect.left - from.left + left);
    Rect::new(row..row + rect.height(), column..column + rect.width())
}

fn check_inside(grid: Rect, area: Rect) -> Result<(), Refusal> {
    if grid.covers(area) {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "The paste area {} exceeds grid limits. Max rows: {}, max columns: {}",
        area.a1(),
        grid.bottom,
        grid.right
    )))
}

/// Copies the rules of conditional formatting that hold over the cells.
fn copy_rules(
    draft: &mut Draft,
    (from, source): (usize, Rect),
    (to, area): (usize, Rect),
    transposed: bool,
) -> Result<(), Refusal> {
    let tab_from = tab(draft, from)?;
    let rules = tab_from.rules.iter().filter_map(|rule| {
        let parts = rule.ranges.iter().filter_map(|range| tab_from.clip(*range).meet(source));
        let parts: Vec<Rect> = parts.collect();
        (!parts.is_empty()).then(|| (rule.body.clone(), parts))
    });
    let rules: Vec<(Map<String, Value>, Vec<Rect>)> = rules.collect();
    let target = tab_mut(draft, to)?;
    for (body, parts) in rules {
        let placed = parts.into_iter().map(|part| {
            let moved = offset(part, source, area.top, area.left);
            let whole = part == source || transposed;
            if whole { area } else { moved }.into()
        });
        let placed: Vec<_> = placed.collect();
        match target.rules.iter_mut().find(|rule| rule.body == body) {
            Some(rule) => {
                for range in placed {
                    if !rule.ranges.contains(&range) {
                        rule.ranges.push(range);
                    }
                }
            }
            None => target.rules.push(Rule { ranges: placed, body }),
        }
    }
    Ok(())
}

fn copy_merges(
    draft: &mut Draft,
    (from, source): (usize, Rect),
    (to, area): (usize, Rect),
) -> Result<(), Refusal> {
    let inside: Vec<Rect> =
        tab(draft, from)?.merges.iter().copied().filter(|merge| source.covers(*merge)).collect();
    let target = tab_mut(draft, to)?;
    if (from, source) != (to, area) {
        target.merges.retain(|merge| merge.meet(area).is_none() || (from == to && source.covers(*merge)));
    }
    for top in (area.top..area.bottom).step_by(source.height().max(1) as usize) {
        for left in (area.left..area.right).step_by(source.width().max(1) as usize) {
            for merge in &inside {
                let merge = offset(*merge, source, top, left);
                if !target.merges.contains(&merge) {
                    target.merges.push(merge);
                }
            }
        }
    }
    Ok(())
}
