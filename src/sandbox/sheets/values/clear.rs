//! Clears values; formats, notes and everything else stay.

use serde_json::{Map, Value};

use super::filter::matches;
use super::messages;
use crate::sandbox::sheets::cell::Content;
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::spreadsheet::Place;

/// `values.clear`: clears a range.
pub(crate) fn clear(draft: &mut Draft, range: &str) -> Result<Value, Refusal> {
    let place = draft.book.find(range)?;
    let cleared = clear_place(draft, place)?;
    Ok(Object::new().with("spreadsheetId", draft.book.id.as_str()).with("clearedRange", cleared).into())
}

/// `values.batchClear`: clears several ranges, all or none.
pub(crate) fn batch_clear(draft: &mut Draft, body: &Map<String, Value>) -> Result<Value, Refusal> {
    let ranges = body.get("ranges").and_then(Value::as_array);
    let mut cleared = Vec::new();
    for (at, range) in ranges.into_iter().flatten().filter_map(Value::as_str).enumerate() {
        let within = |refusal: Refusal| refusal.within(&format!("range[{at}]"));
        let place = draft.book.find(range).map_err(within)?;
        cleared.push(Value::from(clear_place(draft, place).map_err(within)?));
    }
    Ok(answer(draft, cleared))
}

/// `values.batchClearByDataFilter`: clears what data filters select.
pub(crate) fn batch_clear_by_filter(draft: &mut Draft, body: &Map<String, Value>) -> Result<Value, Refusal> {
    let mut cleared = Vec::new();
    for filter in messages(body, "dataFilters") {
        for place in matches(&draft.book, filter)? {
            cleared.push(Value::from(clear_place(draft, place)?));
        }
    }
    Ok(answer(draft, cleared))
}

fn answer(draft: &Draft, cleared: Vec<Value>) -> Value {
    Object::new().with("spreadsheetId", draft.book.id.as_str()).list("clearedRanges", cleared).into()
}

fn clear_place(draft: &mut Draft, place: Place) -> Result<String, Refusal> {
    let rect = draft.book.closed(place)?;
    if let Some(tab) = draft.book.tab_mut(place.tab) {
        tab.grid.edit_kept(rect, |_, _, cell| cell.enter(Content::Blank));
    }
    Ok(draft.book.shown(place.tab, &rect.a1()))
}
