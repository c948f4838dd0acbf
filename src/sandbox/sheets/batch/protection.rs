//! Protected ranges.

use serde_json::{Map, Value, json};

use super::request::{Fields, Reply, integer, mask, needed, object, place, sheet, tab, tab_mut, text};
use crate::sandbox::sheets::a1::Bounds;
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::tab::Area;
use crate::sandbox::sheets::view;

/// `addProtectedRange`
pub(super) fn add(draft: &mut Draft, request: &Fields) -> Reply {
    let range = needed(request, "protectedRange")?;
    let (at, bounds) = range_of(draft, range)?;
    let mut ids = draft.ids.clone();
    let wanted = integer(range, "protectedRangeId").filter(|id| *id > 0 && find(draft, *id).is_none());
    let id = wanted.unwrap_or_else(|| ids.number(|id| find(draft, id).is_some()));
    draft.ids = ids;
    let area = Area { id, bounds, body: body(range, &draft.user) };
    let mut shown = view::protected_range(&area, tab(draft, at)?.id);
    // The reply tells the editors that were asked for; that whoever asks is one of them shows when it is read.
    shown["editors"] = Value::Object(object(range, "editors").cloned().unwrap_or_default());
    tab_mut(draft, at)?.protections.push(area);
    Ok(Some(json!({"protectedRange": shown})))
}

/// `updateProtectedRange`
pub(super) fn update(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = mask(request, "ProtectedRange")?;
    let range = needed(request, "protectedRange")?;
    let (mut at, index) = position(draft, integer(range, "protectedRangeId").unwrap_or(0))?;
    let mut area = tab_mut(draft, at)?.protections.remove(index);
    let new = body(range, &draft.user);
    mask.write(&mut area.body, &new);
    for name in ["range", "namedRangeId", "protectedRangeId", "requestingUserCanEdit", "tableId"] {
        area.body.shift_remove(name);
    }
    if mask.has("range") || mask.has("namedRangeId") {
        (at, area.bounds) = range_of(draft, range)?;
    }
    let list = &mut tab_mut(draft, at)?.protections;
    list.insert(index.min(list.len()), area);
    Ok(None)
}

/// `deleteProtectedRange`
pub(super) fn delete(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, index) = position(draft, integer(request, "protectedRangeId").unwrap_or(0))?;
    tab_mut(draft, at)?.protections.remove(index);
    Ok(None)
}

fn find(draft: &Draft, id: i32) -> Option<(usize, usize)> {
    draft
        .book
        .tabs
        .iter()
        .enumerate()
        .find_map(|(at, tab)| tab.protections.iter().position(|area| area.id == id).map(|index| (at, index)))
}

fn position(draft: &Draft, id: i32) -> Result<(usize, usize), Refusal> {
    find(draft, id).ok_or_else(|| Refusal::invalid(format!("No protected range with id: {id}")))
}

fn range_of(draft: &Draft, range: &Fields) -> Result<(usize, Bounds), Refusal> {
    let name = text(range, "namedRangeId");
    if !name.is_empty() {
        let named = draft.book.names.iter().find(|named| named.id == name);
        let named = named.ok_or_else(|| Refusal::invalid(format!("No NamedRange with id: {name}")))?;
        return Ok((sheet(draft, named.sheet)?, named.bounds));
    }
    let place = place(draft, needed(range, "range")?)?;
    draft.book.closed(place)?;
    Ok((place.tab, place.bounds))
}

/// What a protection says but for its range. Whoever protects may edit.
fn body(range: &Fields, user: &str) -> Fields {
    let mut body = Map::new();
    for name in ["description", "warningOnly", "unprotectedRanges"] {
        if let Some(value) = range.get(name) {
            body.insert(name.to_owned(), value.clone());
        }
    }
    let mut editors = object(range, "editors").cloned().unwrap_or_default();
    let users = editors.entry("users").or_insert_with(|| json!([]));
    if let Value::Array(users) = users
        && !users.iter().any(|other| other.as_str() == Some(user))
    {
        users.push(user.into());
    }
    body.insert("editors".into(), Value::Object(editors));
    body
}
