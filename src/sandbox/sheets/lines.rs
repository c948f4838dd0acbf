//! Inserts, deletes and moves cells, with everything that refers to them: formulas, names, metadata, areas.

use std::ops::Range;
use std::sync::Arc;

use super::cell::Content;
use super::draft::Draft;
use super::formula::{Formula, Reference, rewritten};
use super::refusal::Refusal;
use super::shift::{Axis, Change, Shift};
use super::spreadsheet::Spreadsheet;

/// Inserts rows or columns; they look like those before or after them.
pub(crate) fn insert(
    draft: &mut Draft,
    tab: usize,
    axis: Axis,
    at: u32,
    count: u32,
    inherit_before: bool,
) -> Result<(), Refusal> {
    draft.book.check_room(tab, axis, count)?;
    apply(&mut draft.book, tab, &Shift::whole(axis, Change::Insert { at, count }), inherit_before);
    let Some(tab) = draft.book.tab_mut(tab) else { return Ok(()) };
    let model = if inherit_before { at.checked_sub(1) } else { Some(at + count) };
    let across = 0..tab.grid.size(axis.across());
    let Some(model) = model.map(|model| axis.rect(model..model + 1, across)) else { return Ok(()) };
    let formats: Vec<_> = tab
        .grid
        .cells_in(model)
        .filter(|(.., cell)| !cell.extra().format.is_empty() || cell.extra().validation.is_some())
        .map(|(row, column, cell)| (row, column, cell.extra().clone()))
        .collect();
    for (row, column, like) in formats {
        for new in at..at + count {
            let (row, column) = if axis == Axis::Rows { (new, column) } else { (row, new) };
            tab.grid.edit(row, column, |cell| {
                cell.change(|extra| {
                    extra.format.clone_from(&like.format);
                    extra.validation.clone_from(&like.validation);
                });
            });
        }
    }
    Ok(())
}

/// Deletes rows or columns.
pub(crate) fn delete(draft: &mut Draft, tab: usize, axis: Axis, range: Range<u32>) {
    apply(&mut draft.book, tab, &Shift::whole(axis, Change::Remove(range.clone())), false);
    if let Some(tab) = draft.book.tab_mut(tab) {
        let frozen = tab.frozen(axis);
        let gone = range.end.min(*frozen).saturating_sub(range.start);
        *frozen -= gone;
    }
}

/// Moves rows or columns before another one, counted before anything has moved.
pub(crate) fn relocate(draft: &mut Draft, tab: usize, axis: Axis, from: Range<u32>, to: u32) {
    apply(&mut draft.book, tab, &Shift::whole(axis, Change::Move { from, to }), false);
}

/// Moves the cells of a band aside, or into a gap.
pub(crate) fn shift_band(draft: &mut Draft, tab: usize, axis: Axis, change: Change, band: Range<u32>) {
    apply(&mut draft.book, tab, &Shift { axis, change, band: Some(band) }, false);
}

fn apply(book: &mut Spreadsheet, at: usize, shift: &Shift, inherit_before: bool) {
    let Some(tab) = book.tab_mut(at) else { return };
    let (id, title) = (tab.id, tab.title.clone());
    if shift.band.is_some() {
        tab.grid.shift_band(shift);
    } else {
        tab.grid.change(shift.axis, &shift.change);
        tab.dims_mut(shift.axis).change(&shift.change, inherit_before);
    }
    tab.shift_areas(shift);
    book.names.retain_mut(|named| {
        let after = if named.sheet == id { shift.bounds(named.bounds) } else { Some(named.bounds) };
        if let Some(after) = after {
            named.bounds = after;
        }
        after.is_some()
    });
    book.metadata.retain_mut(|metadata| {
        let after = metadata.location.shifted(id, shift);
        if let Some(after) = after {
            metadata.location = after;
        }
        after.is_some()
    });
    rewrite_formulas(book, &title, |reference| {
        let after = shift.bounds(reference.bounds())?;
        Some(reference.moved(after))
    });
}

/// Rewrites the references of all formulas to a sheet.
pub(crate) fn rewrite_formulas(
    book: &mut Spreadsheet,
    title: &str,
    other: impl Fn(Reference) -> Option<Reference>,
) {
    let folded = title.to_lowercase();
    for at in 0..book.tabs.len() {
        let Some(tab) = book.tab(at) else { continue };
        let own = tab.title.to_lowercase() == folded;
        let mut changes = Vec::new();
        for (row, column, cell) in tab.grid.cells_in(tab.grid.rect()) {
            let Content::Formula(formula) = cell.content() else { continue };
            let text = rewritten(formula.text(), formula.decimal_comma(), |reference| {
                let meant = match &reference.title {
                    Some(title) => title.to_lowercase() == folded,
                    None => own,
                };
                if meant { other(reference) } else { Some(reference) }
            });
            if let Some(text) = text {
                changes.push((row, column, Formula::new(&text, formula.decimal_comma())));
            }
        }
        if changes.is_empty() {
            continue;
        }
        let Some(tab) = book.tab_mut(at) else { continue };
        for (row, column, formula) in changes {
            tab.grid.edit(row, column, |cell| cell.rewrite(Content::Formula(Arc::new(formula))));
        }
    }
}
