//! Alternating colours.

use serde_json::{Map, Value, json};

use super::cells::with_color_pairs;
use super::request::{Fields, Reply, integer, mask, needed, place, tab, tab_mut};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::format::complete_colors;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::tab::Area;
use crate::sandbox::sheets::view;

/// `addBanding`
pub(super) fn add(draft: &mut Draft, request: &Fields) -> Reply {
    let range = needed(request, "bandedRange")?;
    let body = body(range);
    if body.is_empty() {
        return Err(Refusal::invalid(
            "At least one of rowProperties and columnProperties must be specified.",
        ));
    }
    let place = place(draft, needed(range, "range")?)?;
    let rect = draft.book.closed(place)?;
    check_free(draft, place.tab, rect, None)?;
    let wanted = integer(range, "bandedRangeId").filter(|id| *id != 0);
    if let Some(id) = wanted.filter(|id| find(draft, *id).is_some()) {
        return Err(Refusal::invalid(format!("Banded range with id {id} already exists.")));
    }
    let mut ids = draft.ids.clone();
    let id = wanted.unwrap_or_else(|| ids.number(|id| find(draft, id).is_some()));
    draft.ids = ids;
    let area = Area { id, bounds: place.bounds, body };
    let shown = view::banded_range(&area, tab(draft, place.tab)?.id);
    tab_mut(draft, place.tab)?.bandings.push(area);
    Ok(Some(json!({"bandedRange": shown})))
}

/// `updateBanding`
pub(super) fn update(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = with_color_pairs(mask(request, "BandedRange")?);
    let range = needed(request, "bandedRange")?;
    let (at, index) = position(draft, integer(range, "bandedRangeId").unwrap_or(0))?;
    let place = if mask.has("range") && range.contains_key("range") {
        let place = place(draft, needed(range, "range")?)?;
        let rect = draft.book.closed(place)?;
        check_free(draft, place.tab, rect, Some((at, index)))?;
        Some(place)
    } else {
        None
    };
    let mut area = tab_mut(draft, at)?.bandings.remove(index);
    mask.write(&mut area.body, &body(range));
    for name in ["range", "bandedRangeId", "bandedRangeReference"] {
        area.body.shift_remove(name);
    }
    let at = place.map_or(at, |place| place.tab);
    if let Some(place) = place {
        area.bounds = place.bounds;
    }
    let list = &mut tab_mut(draft, at)?.bandings;
    list.insert(index.min(list.len()), area);
    Ok(None)
}

/// `deleteBanding`
pub(super) fn delete(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, index) = position(draft, integer(request, "bandedRangeId").unwrap_or(0))?;
    tab_mut(draft, at)?.bandings.remove(index);
    Ok(None)
}

fn find(draft: &Draft, id: i32) -> Option<(usize, usize)> {
    draft
        .book
        .tabs
        .iter()
        .enumerate()
        .find_map(|(at, tab)| tab.bandings.iter().position(|area| area.id == id).map(|index| (at, index)))
}

fn position(draft: &Draft, id: i32) -> Result<(usize, usize), Refusal> {
    find(draft, id).ok_or_else(|| Refusal::invalid(format!("No banded range with id: {id}")))
}

fn check_free(draft: &Draft, at: usize, rect: Rect, own: Option<(usize, usize)>) -> Result<(), Refusal> {
    let found = tab(draft, at)?;
    let taken = found
        .bandings
        .iter()
        .enumerate()
        .any(|(index, area)| Some((at, index)) != own && found.clip(area.bounds).meet(rect).is_some());
    if taken {
        return Err(Refusal::invalid(
            "You cannot add alternating background colors to a range that already has alternating background colors.",
        ));
    }
    Ok(())
}

fn body(range: &Fields) -> Fields {
    let mut body = Map::new();
    for name in ["rowProperties", "columnProperties"] {
        if let Some(value) = range.get(name) {
            body.insert(name.to_owned(), value.clone());
        }
    }
    let mut body = Value::Object(body);
    complete_colors(&mut body);
    body.as_object().cloned().unwrap_or_default()
}
