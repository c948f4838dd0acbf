//! Named ranges.

use serde_json::json;

use super::request::{Fields, Reply, mask, needed, place, tab, text};
use crate::sandbox::sheets::a1;
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::spreadsheet::Named;

/// `addNamedRange`
pub(super) fn add(draft: &mut Draft, request: &Fields) -> Reply {
    let range = needed(request, "namedRange")?;
    let name = text(range, "name");
    let strict = draft.switches.named_range_ids;
    check_name(draft, name, None)?;
    let wanted = Some(text(range, "namedRangeId")).filter(|id| strict && !id.is_empty());
    let taken = |id: &str| draft.book.names.iter().any(|named| named.id == id);
    let id = match wanted {
        Some(id) if taken(id) => {
            return Err(Refusal::invalid(format!(
                "Cannot add named range with id: {id}, a named range with that id already exists."
            )));
        }
        Some(id) => id.to_owned(),
        None => draft.ids.name(taken),
    };
    let place = place(draft, needed(range, "range")?)?;
    draft.book.closed(place)?;
    let sheet = tab(draft, place.tab)?.id;
    let named = Named { id, name: name.to_owned(), sheet, scoped: false, bounds: place.bounds };
    let reply = json!({"namedRange": named.json(&draft.book)});
    draft.book.names.push(named);
    Ok(Some(reply))
}

/// `updateNamedRange`
pub(super) fn update(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = mask(request, "NamedRange")?;
    let range = needed(request, "namedRange")?;
    let at = position(draft, text(range, "namedRangeId"))?;
    let mut named = draft.book.names.get(at).cloned().ok_or_else(Refusal::not_found)?;
    if mask.has("name") {
        let name = text(range, "name");
        if name != named.shown(&draft.book) {
            check_name(draft, name, Some(at))?;
            name.clone_into(&mut named.name);
            named.scoped = false;
        }
    }
    if mask.has("range") {
        let place = place(draft, needed(range, "range")?)?;
        draft.book.closed(place)?;
        named.sheet = tab(draft, place.tab)?.id;
        named.bounds = place.bounds;
    }
    if let Some(place) = draft.book.names.get_mut(at) {
        *place = named;
    }
    Ok(None)
}

/// `deleteNamedRange`
pub(super) fn delete(draft: &mut Draft, request: &Fields) -> Reply {
    match position(draft, text(request, "namedRangeId")) {
        Ok(at) => {
            draft.book.names.remove(at);
            Ok(None)
        }
        Err(refusal) if draft.switches.named_range_ids => Err(refusal),
        Err(_) => Ok(None),
    }
}

fn position(draft: &Draft, id: &str) -> Result<usize, Refusal> {
    let at = draft.book.names.iter().position(|named| named.id == id);
    at.ok_or_else(|| Refusal::invalid(format!("No NamedRange with id: {id}")))
}

fn check_name(draft: &Draft, name: &str, own: Option<usize>) -> Result<(), Refusal> {
    let letters = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let truth = name.eq_ignore_ascii_case("true") || name.eq_ignore_ascii_case("false");
    if !letters || truth || name.chars().count() > 250 || a1::parse(name).cells.is_some() {
        return Err(Refusal::invalid(format!("Invalid name: {name}")));
    }
    let folded = name.to_lowercase();
    let same = draft.book.names.iter().position(|named| !named.scoped && named.name.to_lowercase() == folded);
    if draft.switches.named_range_ids && same.is_some() && same != own {
        return Err(Refusal::invalid(format!(
            "Cannot add named range with name: {name}, a named range with that name already exists."
        )));
    }
    Ok(())
}
