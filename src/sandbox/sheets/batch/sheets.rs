//! Adds, deletes and duplicates sheets.

use std::sync::Arc;

use serde_json::{Value, json};

use super::request::{Fields, Reply, flag, index, integer, needed, object, sheet, tab, text};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::format::complete_colors;
use crate::sandbox::sheets::lines;
use crate::sandbox::sheets::metadata::Metadata;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::spreadsheet::{LOST, NEW_COLUMNS, NEW_ROWS, Named, Spreadsheet};
use crate::sandbox::sheets::tab::Tab;
use crate::sandbox::sheets::view;

/// `addSheet`
pub(super) fn add(draft: &mut Draft, request: &Fields) -> Reply {
    let nothing = Fields::new();
    let properties = object(request, "properties").unwrap_or(&nothing);
    let id = new_id(draft, integer(properties, "sheetId"))?;
    let title = match text(properties, "title") {
        "" => next_title(&draft.book),
        title => {
            check_title(&draft.book, title, None)?;
            title.to_owned()
        }
    };
    if !matches!(text(properties, "sheetType"), "" | "GRID") {
        return Err(Refusal::invalid("The sandbox only serves sheets of the type GRID."));
    }
    let grid = object(properties, "gridProperties").unwrap_or(&nothing);
    let rows = index(grid, "rowCount")?.unwrap_or(NEW_ROWS);
    let columns = index(grid, "columnCount")?.unwrap_or(NEW_COLUMNS);
    check_grid(rows, columns)?;
    let mut tab = Tab::new(id, title, rows, columns);
    tab.hidden = flag(properties, "hidden");
    tab.right_to_left = flag(properties, "rightToLeft");
    tab.frozen_rows = index(grid, "frozenRowCount")?.unwrap_or(0);
    tab.frozen_columns = index(grid, "frozenColumnCount")?.unwrap_or(0);
    tab.hide_gridlines = flag(grid, "hideGridlines");
    tab.row_control_after = flag(grid, "rowGroupControlAfter");
    tab.column_control_after = flag(grid, "columnGroupControlAfter");
    for name in ["tabColor", "tabColorStyle"] {
        if let Some(color) = properties.get(name) {
            tab.color.insert(name.to_owned(), color.clone());
        }
    }
    let mut color = std::mem::take(&mut tab.color).into();
    complete_colors(&mut color);
    tab.color = color.as_object().cloned().unwrap_or_default();
    let count = draft.book.tabs.len();
    let at = index(properties, "index")?.map_or(count, |at| (at as usize).min(count));
    draft.book.tabs.insert(at, Arc::new(tab));
    draft.book.check_size()?;
    reply(draft, at)
}

/// `deleteSheet`
pub(super) fn delete(draft: &mut Draft, request: &Fields) -> Reply {
    let id = integer(request, "sheetId").unwrap_or(0);
    let at = sheet(draft, id)?;
    if draft.book.tabs.len() == 1 {
        return Err(Refusal::invalid("You can't remove all the sheets in a document."));
    }
    if draft.book.tabs.iter().all(|tab| tab.id == id || tab.hidden) {
        return Err(Refusal::invalid("You can't remove all the visible sheets in a document."));
    }
    let title = draft.book.tabs.remove(at).title.clone();
    let keeps = draft.switches.keeps_deleted_names;
    draft.book.names.retain_mut(|named| {
        let is_on_it = named.sheet == id;
        if is_on_it {
            named.sheet = LOST;
        }
        !is_on_it || (keeps && !named.scoped)
    });
    draft.book.metadata.retain(|metadata| metadata.location.sheet() != Some(id));
    lines::rewrite_formulas(&mut draft.book, &title, |_| None);
    Ok(None)
}

/// `duplicateSheet`
pub(super) fn duplicate(draft: &mut Draft, request: &Fields) -> Reply {
    let from = sheet(draft, integer(request, "sourceSheetId").unwrap_or(0))?;
    let source = tab(draft, from)?.clone();
    let id = new_id(draft, integer(request, "newSheetId"))?;
    let title = match text(request, "newSheetName") {
        "" => copied_title(&draft.book, &source.title),
        title => {
            check_title(&draft.book, title, None)?;
            title.to_owned()
        }
    };
    let source_id = source.id;
    let mut copy = Tab { id, title, ..source };
    renumber(draft, &mut copy);
    let count = draft.book.tabs.len();
    let at = (index(request, "insertSheetIndex")?.unwrap_or(0) as usize).min(count);
    draft.book.tabs.insert(at, Arc::new(copy));
    draft.book.check_size()?;
    copy_metadata(draft, source_id, id);
    if draft.switches.copies_named_ranges {
        copy_names(draft, source_id, id);
    }
    reply(draft, at)
}

/// Lets a copy have the metadata of its source, with ids of its own.
fn copy_metadata(draft: &mut Draft, source: i32, copy: i32) {
    let found = draft.book.metadata.iter().filter(|metadata| metadata.location.sheet() == Some(source));
    let found: Vec<Metadata> = found.cloned().collect();
    for metadata in found {
        let id = draft.ids.number(|id| draft.book.metadata.iter().any(|metadata| metadata.id == id));
        let location = metadata.location.on(copy);
        draft.book.metadata.push(Metadata { id, location, ..metadata });
    }
}

/// Lets a copy have the named ranges of its source, by names that hold within the copy.
fn copy_names(draft: &mut Draft, source: i32, copy: i32) {
    let found: Vec<Named> = draft.book.names.iter().filter(|named| named.sheet == source).cloned().collect();
    for named in found {
        let id = draft.ids.name(|id| draft.book.names.iter().any(|named| named.id == id));
        draft.book.names.push(Named { id, sheet: copy, scoped: true, ..named });
    }
}

/// Gives what hangs on a copied sheet ids of its own.
pub(crate) fn renumber(draft: &mut Draft, copy: &mut Tab) {
    let taken: Vec<i32> = draft.book.tabs.iter().flat_map(|tab| tab.area_ids().collect::<Vec<_>>()).collect();
    for areas in [&mut copy.filter_views, &mut copy.protections, &mut copy.bandings] {
        for area in areas {
            area.id = draft.ids.number(|id| taken.contains(&id));
            // What is left open of a protected sheet is left open of its copy.
            let open = area.body.get_mut("unprotectedRanges").and_then(Value::as_array_mut);
            for range in open.into_iter().flatten() {
                range["sheetId"] = Value::from(copy.id);
            }
        }
    }
}

fn reply(draft: &Draft, at: usize) -> Reply {
    Ok(Some(json!({"properties": view::sheet_properties(&draft.book, at)})))
}

fn new_id(draft: &mut Draft, wanted: Option<i32>) -> Result<i32, Refusal> {
    let taken = |id: i32| draft.book.position(id).is_some();
    match wanted {
        Some(id) if id < 0 => Err(Refusal::invalid("Sheet id must be non-negative.")),
        Some(id) if taken(id) => Err(Refusal::invalid(format!("Sheet with id {id} already exists."))),
        Some(id) => Ok(id),
        None => Ok(draft.ids.number(taken)),
    }
}

/// Refuses a title that a sheet must not have, or that another one has.
pub(super) fn check_title(book: &Spreadsheet, title: &str, own: Option<usize>) -> Result<(), Refusal> {
    if title.chars().count() > 100 {
        return Err(Refusal::invalid("The sheet name cannot be greater than 100 characters."));
    }
    match book.titled(title) {
        Some(at) if Some(at) != own => Err(Refusal::invalid(format!(
            "A sheet with the name \"{title}\" already exists. Please enter another name."
        ))),
        _ => Ok(()),
    }
}

/// Refuses a size that a grid must not have.
pub(super) fn check_grid(rows: u32, columns: u32) -> Result<(), Refusal> {
    if rows == 0 || columns == 0 {
        return Err(Refusal::invalid("A sheet must have at least one row and one column."));
    }
    Ok(())
}

fn next_title(book: &Spreadsheet) -> String {
    let mut number = book.tabs.len() + 1;
    while book.titled(&format!("Sheet{number}")).is_some() {
        number += 1;
    }
    format!("Sheet{number}")
}

/// The title of a copy: `Copy of Sheet1`, `Copy of Sheet1 2`.
pub(crate) fn copied_title(book: &Spreadsheet, title: &str) -> String {
    let first = format!("Copy of {title}");
    if book.titled(&first).is_none() {
        return first;
    }
    let mut number = 2;
    while book.titled(&format!("{first} {number}")).is_some() {
        number += 1;
    }
    format!("{first} {number}")
}

/// A part of a request that has to be there.
pub(super) fn properties(request: &Fields) -> Result<&Fields, Refusal> {
    needed(request, "properties")
}
