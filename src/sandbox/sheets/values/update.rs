//! Overwrites values.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::filter::{echoed, matches};
use super::render::Rendering;
use super::write::{Block, Written};
use super::{Input, messages, text};
use crate::sandbox::sheets::a1::letters;
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::query::Query;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::spreadsheet::Place;

/// `values.update`: writes a range.
pub(crate) fn update(
    draft: &mut Draft,
    range: &str,
    query: &Query,
    body: &Map<String, Value>,
) -> Result<Value, Refusal> {
    let rendering = Rendering::of_response(query)?;
    let input = Input::of_query(query)?;
    let place = draft.book.find(range)?;
    check_own_range(draft, place, range, body)?;
    let written = write(draft, place, &Block::read(body)?, input)?;
    Ok(written.response(&draft.book, rendering, draft.now))
}

/// `values.batchUpdate`: writes several ranges, all or none.
pub(crate) fn batch_update(draft: &mut Draft, body: &Map<String, Value>) -> Result<Value, Refusal> {
    let input = Input::of_body(body)?;
    let mut all = Vec::new();
    for (at, data) in messages(body, "data").enumerate() {
        let place = |refusal: Refusal| refusal.within(&format!("data[{at}]"));
        let found = draft.book.find(text(data, "range")).map_err(place)?;
        let block = Block::read(data).map_err(place)?;
        all.push(write(draft, found, &block, input).map_err(place)?);
    }
    let rendering = Rendering::of_response_body(body);
    let responses = all.iter().map(|written| written.response(&draft.book, rendering, draft.now)).collect();
    Ok(totals(draft, &all, responses))
}

/// `values.batchUpdateByDataFilter`: writes what data filters select, all or nothing.
pub(crate) fn batch_update_by_filter(draft: &mut Draft, body: &Map<String, Value>) -> Result<Value, Refusal> {
    let input = Input::of_body(body)?;
    let rendering = Rendering::of_response_body(body);
    let mut all = Vec::new();
    let mut filters = Vec::new();
    for (at, data) in messages(body, "data").enumerate() {
        let place = |refusal: Refusal| refusal.within(&format!("data[{at}]"));
        let nothing = Map::new();
        let filter = data.get("dataFilter").and_then(Value::as_object).unwrap_or(&nothing);
        let block = Block::read(data).map_err(place)?;
        for found in matches(&draft.book, filter).map_err(place)? {
            all.push(write(draft, found, &block, input).map_err(place)?);
            filters.push(echoed(filter));
        }
    }
    let responses = all.iter().zip(filters).map(|(written, filter)| {
        let fields = written.json(&draft.book, rendering, draft.now);
        Object::new().and(fields).with("dataFilter", filter).into()
    });
    let responses = responses.collect();
    Ok(totals(draft, &all, responses))
}

/// What several writes come to: rows, columns and sheets count once.
fn totals(draft: &Draft, all: &[Written], responses: Vec<Value>) -> Value {
    let distinct = |of: fn(&Written) -> &BTreeSet<u32>| {
        let lines = all.iter().flat_map(|written| of(written).iter().map(|line| (written.tab, *line)));
        u32::try_from(lines.collect::<BTreeSet<_>>().len()).unwrap_or(u32::MAX)
    };
    let sheets: BTreeSet<usize> =
        all.iter().filter(|written| written.cells > 0).map(|written| written.tab).collect();
    Object::new()
        .with("spreadsheetId", draft.book.id.as_str())
        .count("totalUpdatedRows", distinct(|written| &written.rows))
        .count("totalUpdatedColumns", distinct(|written| &written.columns))
        .count("totalUpdatedCells", all.iter().map(|written| written.cells).sum())
        .count("totalUpdatedSheets", u32::try_from(sheets.len()).unwrap_or(u32::MAX))
        .list("responses", responses)
        .into()
}

/// The range of the body, where it has one, must be the one of the path.
fn check_own_range(
    draft: &Draft,
    place: Place,
    range: &str,
    body: &Map<String, Value>,
) -> Result<(), Refusal> {
    let own = text(body, "range");
    if own.is_empty() || draft.book.find(own)? == place {
        return Ok(());
    }
    Err(Refusal::invalid(format!("Request range[{range}] does not match value's range[{own}]")))
}

/// Writes a block into a range. One cell is only where it begins; more cells are what it must not leave.
fn write(draft: &mut Draft, place: Place, block: &Block, input: Input) -> Result<Written, Refusal> {
    let rect = draft.book.closed(place)?;
    let Some(tab) = draft.book.tab(place.tab) else { return Err(Refusal::not_found()) };
    let (rows, columns) = (tab.grid.rows(), tab.grid.columns());
    let anchor = place.bounds.is_cell();
    let (bottom, right) = if anchor { (rows, columns) } else { (rect.bottom, rect.right) };
    let outside = |what: String| {
        let shown = draft.book.shown(place.tab, &rect.a1());
        Refusal::invalid(format!("Requested writing within range [{shown}], but tried writing to {what}"))
    };
    if rect.left + block.width() > right {
        return Err(outside(format!("column [{}]", letters(right))));
    }
    let needed = rect.top + block.height();
    if needed > bottom {
        if !(anchor && draft.switches.update_grows_rows) {
            return Err(outside(format!("row [{}]", bottom + 1)));
        }
        if let Some(tab) = draft.book.tab_mut(place.tab) {
            tab.grid.resize(needed, columns);
        }
        draft.book.check_size()?;
    }
    block.write(draft, place.tab, rect.top, rect.left, input)
}
