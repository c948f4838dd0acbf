//! Reads values.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::filter::{echoed, matches};
use super::messages;
use super::render::Rendering;
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::formula::Calculator;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::query::Query;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::spreadsheet::Spreadsheet;

/// `values.get`: the values of a range.
pub(crate) fn get(book: &Spreadsheet, range: &str, query: &Query, now: Timestamp) -> Result<Value, Refusal> {
    let rendering = Rendering::of_query(query)?;
    let place = book.find(range)?;
    let rect = book.closed(place)?;
    Ok(rendering.value_range(&Calculator::new(book, now), place.tab, rect))
}

/// `values.batchGet`: the values of several ranges.
pub(crate) fn batch_get(book: &Spreadsheet, query: &Query, now: Timestamp) -> Result<Value, Refusal> {
    let rendering = Rendering::of_query(query)?;
    let calc = Calculator::new(book, now);
    let mut ranges = Vec::new();
    for range in query.all("ranges") {
        let place = book.find(range)?;
        ranges.push(rendering.value_range(&calc, place.tab, book.closed(place)?));
    }
    Ok(Object::new().with("spreadsheetId", book.id.as_str()).list("valueRanges", ranges).into())
}

/// `values.batchGetByDataFilter`: the values of what data filters select. A range stands there once, with all
/// filters that select it.
pub(crate) fn batch_get_by_filter(
    book: &Spreadsheet,
    body: &Map<String, Value>,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let rendering = Rendering::of_body(body);
    let calc = Calculator::new(book, now);
    let mut found: Vec<(usize, Rect, Vec<Value>)> = Vec::new();
    for filter in messages(body, "dataFilters") {
        for place in matches(book, filter)? {
            let rect = book.closed(place)?;
            match found.iter_mut().find(|(tab, other, _)| *tab == place.tab && *other == rect) {
                Some((.., filters)) => filters.push(echoed(filter)),
                None => found.push((place.tab, rect, vec![echoed(filter)])),
            }
        }
    }
    let ranges = found.into_iter().map(|(tab, rect, filters)| {
        let values = rendering.value_range(&calc, tab, rect);
        Object::new().with("valueRange", values).with("dataFilters", filters).into()
    });
    Ok(Object::new().with("spreadsheetId", book.id.as_str()).list("valueRanges", ranges.collect()).into())
}
