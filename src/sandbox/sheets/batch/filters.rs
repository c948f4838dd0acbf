//! Filters of sheets, and views of them.

use serde_json::{Map, Value, json};

use super::request::{
    Fields, Reply, index, integer, mask, needed, object, objects, place, sheet, tab, tab_mut, text,
};
use super::sort::sort_rows;
use crate::sandbox::sheets::a1::{Bounds, Rect};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::format::complete_colors;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::tab::Area;
use crate::sandbox::sheets::view;

/// `setBasicFilter`
pub(super) fn set_basic(draft: &mut Draft, request: &Fields) -> Reply {
    let filter = needed(request, "filter")?;
    let place = place(draft, needed(filter, "range")?)?;
    let rect = draft.book.closed(place)?;
    let body = body(filter, rect)?;
    sort_below_header(draft, place.tab, rect, filter)?;
    tab_mut(draft, place.tab)?.filter = Some(Area { id: 0, bounds: rect.into(), body });
    Ok(None)
}

/// `clearBasicFilter`
pub(super) fn clear_basic(draft: &mut Draft, request: &Fields) -> Reply {
    let at = sheet(draft, integer(request, "sheetId").unwrap_or(0))?;
    tab_mut(draft, at)?.filter = None;
    Ok(None)
}

/// `addFilterView`
pub(super) fn add_view(draft: &mut Draft, request: &Fields) -> Reply {
    let filter = needed(request, "filter")?;
    let (at, bounds) = range_of(draft, filter)?;
    let rect = tab(draft, at)?.clip(bounds);
    let wanted = integer(filter, "filterViewId").filter(|id| *id != 0);
    let taken = |draft: &Draft, id: i32| find_view(draft, id).is_some();
    let id = match wanted {
        Some(id) if taken(draft, id) => {
            return Err(Refusal::invalid(format!("Filter view with id {id} already exists.")));
        }
        Some(id) => id,
        None => {
            let mut ids = draft.ids.clone();
            let id = ids.number(|id| taken(draft, id));
            draft.ids = ids;
            id
        }
    };
    let mut body = body(filter, rect)?;
    if !body.contains_key("title") {
        let number = tab(draft, at)?.filter_views.len() + 1;
        body.insert("title".into(), format!("Filter {number}").into());
    }
    let area = Area { id, bounds: rect.into(), body };
    let shown = view::filter_view(&area, tab(draft, at)?.id);
    tab_mut(draft, at)?.filter_views.push(area);
    Ok(Some(json!({"filter": shown})))
}

/// `duplicateFilterView`
pub(super) fn duplicate_view(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, index) = view_of(draft, request, "filterId")?;
    let mut ids = draft.ids.clone();
    let id = ids.number(|id| find_view(draft, id).is_some());
    draft.ids = ids;
    let tab = tab_mut(draft, at)?;
    let Some(mut area) = tab.filter_views.get(index).cloned() else { return Ok(None) };
    area.id = id;
    let title = format!("Copy of {}", area.body.get("title").and_then(Value::as_str).unwrap_or_default());
    area.body.insert("title".into(), title.into());
    let shown = view::filter_view(&area, tab.id);
    tab.filter_views.push(area);
    Ok(Some(json!({"filter": shown})))
}

/// `updateFilterView`
pub(super) fn update_view(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = mask(request, "FilterView")?;
    let filter = needed(request, "filter")?;
    let (at, index) = view_of(draft, filter, "filterViewId")?;
    let bounds = if mask.has("range") && filter.contains_key("range") {
        Some(range_of(draft, filter)?.1)
    } else {
        None
    };
    let rect = tab(draft, at)?.clip(bounds.unwrap_or_default());
    let new = body(filter, rect)?;
    let tab = tab_mut(draft, at)?;
    let rows = (tab.grid.rows(), tab.grid.columns());
    if let Some(area) = tab.filter_views.get_mut(index) {
        mask.write(&mut area.body, &new);
        for name in ["range", "filterViewId"] {
            area.body.shift_remove(name);
        }
        if let Some(bounds) = bounds {
            area.bounds = bounds.clip(rows.0, rows.1).into();
        }
    }
    Ok(None)
}

/// `deleteFilterView`
pub(super) fn delete_view(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, index) = view_of(draft, request, "filterId")?;
    tab_mut(draft, at)?.filter_views.remove(index);
    Ok(None)
}

fn find_view(draft: &Draft, id: i32) -> Option<(usize, usize)> {
    draft
        .book
        .tabs
        .iter()
        .enumerate()
        .find_map(|(at, tab)| tab.filter_views.iter().position(|view| view.id == id).map(|index| (at, index)))
}

fn view_of(draft: &Draft, fields: &Fields, name: &str) -> Result<(usize, usize), Refusal> {
    let id = integer(fields, name).unwrap_or(0);
    find_view(draft, id).ok_or_else(|| Refusal::invalid(format!("No filter view with id: {id}")))
}

/// The range of a filter: its own one, or the one of a name.
fn range_of(draft: &Draft, filter: &Fields) -> Result<(usize, Bounds), Refusal> {
    let name = text(filter, "namedRangeId");
    if !name.is_empty() {
        let named = draft.book.names.iter().find(|named| named.id == name);
        let named = named.ok_or_else(|| Refusal::invalid(format!("No NamedRange with id: {name}")))?;
        return Ok((sheet(draft, named.sheet)?, named.bounds));
    }
    let nothing = Map::new();
    let place = place(draft, object(filter, "range").unwrap_or(&nothing))?;
    draft.book.closed(place)?;
    Ok((place.tab, place.bounds))
}

/// What a filter says but for its range: criteria are kept as a list, which is the newer way to write them.
fn body(filter: &Fields, rect: Rect) -> Result<Fields, Refusal> {
    let mut body = filter.clone();
    for name in ["range", "filterViewId", "namedRangeId"] {
        body.shift_remove(name);
    }
    if let Some(Value::Object(criteria)) = body.shift_remove("criteria")
        && !body.contains_key("filterSpecs")
    {
        let specs = criteria.into_iter().filter_map(|(column, criteria)| {
            let column: u32 = column.parse().ok()?;
            Some(json!({"columnIndex": column, "filterCriteria": criteria}))
        });
        body.insert("filterSpecs".into(), specs.collect());
    }
    for spec in objects(&body, "filterSpecs") {
        let column = index(spec, "columnIndex")?.unwrap_or(0);
        if !rect.columns().contains(&column) {
            return Err(Refusal::invalid(format!("The filter column {column} is not inside of the range.")));
        }
    }
    let mut body = Value::Object(body);
    complete_colors(&mut body);
    Ok(body.as_object().cloned().unwrap_or_default())
}

fn sort_below_header(draft: &mut Draft, at: usize, rect: Rect, filter: &Fields) -> Result<(), Refusal> {
    let specs: Vec<&Fields> = objects(filter, "sortSpecs").collect();
    if specs.is_empty() || rect.height() < 2 {
        return Ok(());
    }
    sort_rows(draft, at, Rect { top: rect.top + 1, ..rect }, &specs)
}
