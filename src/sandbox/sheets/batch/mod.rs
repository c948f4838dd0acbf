//! `spreadsheets.batchUpdate`: changes in order, all or none.

mod banding;
mod borders;
mod cells;
mod dimensions;
mod fill;
mod filters;
mod groups;
mod import;
mod merges;
mod metadata;
mod names;
mod paste;
mod properties;
mod protection;
mod ranges;
mod replace;
mod request;
mod rules;
mod sheets;
mod sort;
mod tidy;
mod validation;

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::json::Object;
use super::refusal::Refusal;
use super::schema::UNSERVED;
use request::{Fields, Reply};

pub(crate) use properties::set_properties;
pub(crate) use sheets::{copied_title, renumber};

/// The most requests of a batch.
const MAX_REQUESTS: usize = 100_000;

/// Carries out the requests of a body; gives their replies.
pub(crate) fn apply(draft: &mut Draft, body: &Map<String, Value>) -> Result<Vec<Value>, Refusal> {
    let requests = body.get("requests").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if requests.is_empty() {
        return Err(Refusal::invalid("Must specify at least one request."));
    }
    if requests.len() > MAX_REQUESTS {
        return Err(Refusal::invalid(format!("A batch must not have more than {MAX_REQUESTS} requests.")));
    }
    let mut replies = Vec::with_capacity(requests.len());
    for (at, request) in requests.iter().enumerate() {
        let chosen = request.as_object().and_then(|request| request.iter().next());
        let Some((kind, fields)) = chosen else {
            return Err(Refusal::invalid("No request set.").within(&format!("requests[{at}]")));
        };
        let nothing = Map::new();
        let reply = carry_out(draft, kind, fields.as_object().unwrap_or(&nothing))
            .map_err(|refusal| refusal.within(&format!("requests[{at}].{kind}")))?;
        replies.push(match reply {
            Some(reply) => Object::new().with(kind, reply).into(),
            None => json!({}),
        });
    }
    Ok(replies)
}

fn carry_out(draft: &mut Draft, kind: &str, fields: &Fields) -> Reply {
    match KINDS.iter().find(|(name, _)| *name == kind) {
        Some((_, request)) => request(draft, fields),
        None if UNSERVED.contains(&kind) => Err(Refusal::not_modelled(kind)),
        None => Err(Refusal::invalid("Unknown kind of request.")),
    }
}

/// Carries out one kind of request.
type Request = fn(&mut Draft, &Fields) -> Reply;

/// Every kind of request that is served.
const KINDS: [(&str, Request); 54] = [
    ("addBanding", banding::add),
    ("addConditionalFormatRule", rules::add),
    ("addDimensionGroup", groups::add),
    ("addFilterView", filters::add_view),
    ("addNamedRange", names::add),
    ("addProtectedRange", protection::add),
    ("addSheet", sheets::add),
    ("appendCells", cells::append),
    ("appendDimension", dimensions::append),
    ("autoFill", fill::auto_fill),
    ("autoResizeDimensions", dimensions::auto_resize),
    ("clearBasicFilter", filters::clear_basic),
    ("copyPaste", paste::copy),
    ("createDeveloperMetadata", metadata::create),
    ("cutPaste", paste::cut),
    ("deleteBanding", banding::delete),
    ("deleteConditionalFormatRule", rules::delete),
    ("deleteDeveloperMetadata", metadata::delete),
    ("deleteDimension", dimensions::delete),
    ("deleteDimensionGroup", groups::delete),
    ("deleteDuplicates", tidy::delete_duplicates),
    ("deleteFilterView", filters::delete_view),
    ("deleteNamedRange", names::delete),
    ("deleteProtectedRange", protection::delete),
    ("deleteRange", ranges::delete),
    ("deleteSheet", sheets::delete),
    ("duplicateFilterView", filters::duplicate_view),
    ("duplicateSheet", sheets::duplicate),
    ("findReplace", replace::find_replace),
    ("insertDimension", dimensions::insert),
    ("insertRange", ranges::insert),
    ("mergeCells", merges::merge),
    ("moveDimension", dimensions::relocate),
    ("pasteData", import::paste),
    ("randomizeRange", sort::randomize),
    ("repeatCell", cells::repeat),
    ("setBasicFilter", filters::set_basic),
    ("setDataValidation", validation::set),
    ("sortRange", sort::sort),
    ("textToColumns", import::to_columns),
    ("trimWhitespace", tidy::trim_whitespace),
    ("unmergeCells", merges::unmerge),
    ("updateBanding", banding::update),
    ("updateBorders", borders::update),
    ("updateCells", cells::update),
    ("updateConditionalFormatRule", rules::update),
    ("updateDeveloperMetadata", metadata::update),
    ("updateDimensionGroup", groups::update),
    ("updateDimensionProperties", dimensions::update_properties),
    ("updateFilterView", filters::update_view),
    ("updateNamedRange", names::update),
    ("updateProtectedRange", protection::update),
    ("updateSheetProperties", properties::update_sheet),
    ("updateSpreadsheetProperties", properties::update_spreadsheet),
];

#[cfg(test)]
mod tests;
