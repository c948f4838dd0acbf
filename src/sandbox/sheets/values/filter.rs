//! Data filters: ranges that are named by notation, by indexes or by their metadata.

use serde_json::{Map, Value};

use crate::sandbox::sheets::a1::Bounds;
use crate::sandbox::sheets::metadata::Metadata;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::spreadsheet::{Place, Spreadsheet};

/// The ranges that a filter selects.
pub(crate) fn matches(book: &Spreadsheet, filter: &Map<String, Value>) -> Result<Vec<Place>, Refusal> {
    if let Some(range) = filter.get("a1Range").and_then(Value::as_str) {
        return Ok(vec![book.find(range)?]);
    }
    if let Some(range) = filter.get("gridRange").and_then(Value::as_object) {
        let id = range.get("sheetId").and_then(Value::as_i64).unwrap_or(0);
        let tab = i32::try_from(id).ok().and_then(|id| book.position(id));
        let tab = tab.ok_or_else(|| Refusal::invalid(format!("No grid with id: {id}")))?;
        return Ok(vec![Place { tab, bounds: Bounds::read(range) }]);
    }
    Ok(selected(book, filter)?
        .into_iter()
        .filter_map(|metadata| {
            let tab = book.position(metadata.location.sheet()?)?;
            Some(Place { tab, bounds: metadata.location.bounds() })
        })
        .collect())
}

/// The metadata that a filter selects: by a lookup, or whatever is attached inside of a range.
pub(crate) fn selected<'a>(
    book: &'a Spreadsheet,
    filter: &Map<String, Value>,
) -> Result<Vec<&'a Metadata>, Refusal> {
    if let Some(lookup) = filter.get("developerMetadataLookup").and_then(Value::as_object) {
        return Ok(book.metadata.iter().filter(|metadata| metadata.meets(lookup)).collect());
    }
    if !filter.contains_key("a1Range") && !filter.contains_key("gridRange") {
        return Err(Refusal::invalid("A data filter must say what it selects."));
    }
    let mut all = Vec::new();
    for place in matches(book, filter)? {
        let Some(tab) = book.tab(place.tab) else { continue };
        let rect = tab.clip(place.bounds);
        all.extend(book.metadata.iter().filter(|metadata| {
            metadata.location.sheet() == Some(tab.id)
                && rect.meet(tab.clip(metadata.location.bounds())).is_some()
        }));
    }
    Ok(all)
}

/// A filter as answers repeat it: fields that are zero are left out.
pub(super) fn echoed(filter: &Map<String, Value>) -> Value {
    let mut filter = filter.clone();
    if let Some(Value::Object(range)) = filter.get_mut("gridRange") {
        range.retain(|_, value| value.as_i64() != Some(0));
    }
    Value::Object(filter)
}
