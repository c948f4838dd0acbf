//! The calls of Google Sheets: what goes into each and what comes out.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::a1::Rect;
use super::batch::{self, copied_title, renumber};
use super::call::{Answer, Call, Endpoint, Route};
use super::draft::Draft;
use super::ids::Ids;
use super::json::Object;
use super::office::Office;
use super::query::Query;
use super::refusal::Refusal;
use super::schema::{Mask, read_body};
use super::spreadsheet::Spreadsheet;
use super::tab::Tab;
use super::values;
use super::view::{self, Wish};

/// Carries out a call.
pub(super) fn answer(
    office: &mut Office,
    route: &Route,
    query: &Query,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    let (request, root, response) = messages(route.endpoint());
    query.check(parameters(route.endpoint()))?;
    let mask = query.fields(response)?;
    let body = if request.is_empty() { Map::new() } else { read_body(call.body, request, root)? };
    let mut shown = carry_out(office, route, query, &body, mask.as_ref(), call)?;
    if let Some(mask) = mask {
        mask.prune(&mut shown);
    }
    Ok(Answer::json(200, shown))
}

/// The messages of a call: its body, the field of the request that the body is, and its answer.
fn messages(endpoint: Endpoint) -> (&'static str, &'static str, &'static str) {
    match endpoint {
        Endpoint::Create => ("Spreadsheet", "spreadsheet", "Spreadsheet"),
        Endpoint::Get => ("", "", "Spreadsheet"),
        Endpoint::GetByDataFilter => ("GetSpreadsheetByDataFilterRequest", "", "Spreadsheet"),
        Endpoint::BatchUpdate => ("BatchUpdateSpreadsheetRequest", "", "BatchUpdateSpreadsheetResponse"),
        Endpoint::CopyTo => ("CopySheetToAnotherSpreadsheetRequest", "", "SheetProperties"),
        Endpoint::Metadata => ("", "", "DeveloperMetadata"),
        Endpoint::MetadataSearch => ("SearchDeveloperMetadataRequest", "", "SearchDeveloperMetadataResponse"),
        Endpoint::ValuesGet => ("", "", "ValueRange"),
        Endpoint::ValuesBatchGet => ("", "", "BatchGetValuesResponse"),
        Endpoint::ValuesBatchGetByDataFilter => {
            ("BatchGetValuesByDataFilterRequest", "", "BatchGetValuesByDataFilterResponse")
        }
        Endpoint::ValuesUpdate => ("ValueRange", "data", "UpdateValuesResponse"),
        Endpoint::ValuesBatchUpdate => ("BatchUpdateValuesRequest", "", "BatchUpdateValuesResponse"),
        Endpoint::ValuesBatchUpdateByDataFilter => {
            ("BatchUpdateValuesByDataFilterRequest", "", "BatchUpdateValuesByDataFilterResponse")
        }
        Endpoint::ValuesAppend => ("ValueRange", "data", "AppendValuesResponse"),
        Endpoint::ValuesClear => ("ClearValuesRequest", "", "ClearValuesResponse"),
        Endpoint::ValuesBatchClear => ("BatchClearValuesRequest", "", "BatchClearValuesResponse"),
        Endpoint::ValuesBatchClearByDataFilter => {
            ("BatchClearValuesByDataFilterRequest", "", "BatchClearValuesByDataFilterResponse")
        }
        _ => ("", "", ""),
    }
}

/// The parameters that a call takes in its query; those that end with `?` are flags.
fn parameters(endpoint: Endpoint) -> &'static [&'static str] {
    match endpoint {
        Endpoint::Get => &["ranges", "includeGridData?", "excludeTablesInBandedRanges?", "commentsViewMode"],
        Endpoint::ValuesGet => &["majorDimension", "valueRenderOption", "dateTimeRenderOption"],
        Endpoint::ValuesBatchGet => {
            &["ranges", "majorDimension", "valueRenderOption", "dateTimeRenderOption"]
        }
        Endpoint::ValuesUpdate => &[
            "valueInputOption",
            "includeValuesInResponse?",
            "responseValueRenderOption",
            "responseDateTimeRenderOption",
        ],
        Endpoint::ValuesAppend => &[
            "valueInputOption",
            "insertDataOption",
            "includeValuesInResponse?",
            "responseValueRenderOption",
            "responseDateTimeRenderOption",
        ],
        _ => &[],
    }
}

fn carry_out(
    office: &mut Office,
    route: &Route,
    query: &Query,
    body: &Map<String, Value>,
    mask: Option<&Mask>,
    call: &Call<'_>,
) -> Result<Value, Refusal> {
    let (id, range, now) = (route.part(0), route.part(1), call.now);
    match route.endpoint() {
        Endpoint::Create => create(office, body, call),
        Endpoint::Get => get(&office.document(id)?.book, query, mask, call),
        Endpoint::GetByDataFilter => get_by_filter(&office.document(id)?.book, body, mask, call),
        Endpoint::BatchUpdate => office.change(id, now, |draft| batch_update(draft, body)),
        Endpoint::CopyTo => copy_to(office, id, range, body, call),
        Endpoint::Metadata => metadata(&office.document(id)?.book, range),
        Endpoint::MetadataSearch => search(&office.document(id)?.book, body),
        Endpoint::ValuesGet => values::get(&office.document(id)?.book, range, query, now),
        Endpoint::ValuesBatchGet => values::batch_get(&office.document(id)?.book, query, now),
        Endpoint::ValuesBatchGetByDataFilter => {
            values::batch_get_by_filter(&office.document(id)?.book, body, now)
        }
        Endpoint::ValuesUpdate => office.change(id, now, |draft| values::update(draft, range, query, body)),
        Endpoint::ValuesBatchUpdate => office.change(id, now, |draft| values::batch_update(draft, body)),
        Endpoint::ValuesBatchUpdateByDataFilter => {
            office.change(id, now, |draft| values::batch_update_by_filter(draft, body))
        }
        Endpoint::ValuesAppend => office.change(id, now, |draft| values::append(draft, range, query, body)),
        Endpoint::ValuesClear => office.change(id, now, |draft| values::clear(draft, range)),
        Endpoint::ValuesBatchClear => office.change(id, now, |draft| values::batch_clear(draft, body)),
        Endpoint::ValuesBatchClearByDataFilter => {
            office.change(id, now, |draft| values::batch_clear_by_filter(draft, body))
        }
        _ => Err(Refusal::not_found()),
    }
}

/// `spreadsheets.get`. With a mask, the mask alone decides whether cells are given.
fn get(book: &Spreadsheet, query: &Query, mask: Option<&Mask>, call: &Call<'_>) -> Result<Value, Refusal> {
    let ranges = query.all("ranges");
    let grid_data = mask.is_some() || query.flag("includeGridData");
    show(book, &ranges, grid_data, mask, call.now)
}

fn show(
    book: &Spreadsheet,
    ranges: &[&str],
    grid_data: bool,
    mask: Option<&Mask>,
    now: jiff::Timestamp,
) -> Result<Value, Refusal> {
    let mut places = Vec::new();
    for range in ranges {
        let place = book.find(range)?;
        places.push((place.tab, book.closed(place)?));
    }
    let places = (!ranges.is_empty()).then_some(places);
    Ok(view::spreadsheet(book, &Wish { places, mask: mask.unwrap_or(&Mask::All), grid_data }, now))
}

/// `spreadsheets.getByDataFilter`
fn get_by_filter(
    book: &Spreadsheet,
    body: &Map<String, Value>,
    mask: Option<&Mask>,
    call: &Call<'_>,
) -> Result<Value, Refusal> {
    let mut places: Vec<(usize, Rect)> = Vec::new();
    let filters = body.get("dataFilters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for filter in filters.iter().filter_map(Value::as_object) {
        for place in values::matches(book, filter)? {
            places.push((place.tab, book.closed(place)?));
        }
    }
    let grid_data =
        mask.is_some() || body.get("includeGridData").and_then(Value::as_bool).unwrap_or_default();
    let places = (!filters.is_empty()).then_some(places);
    Ok(view::spreadsheet(book, &Wish { places, mask: mask.unwrap_or(&Mask::All), grid_data }, call.now))
}

/// `spreadsheets.batchUpdate`
fn batch_update(draft: &mut Draft, body: &Map<String, Value>) -> Result<Value, Refusal> {
    let replies = batch::apply(draft, body)?;
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or_default();
    let updated = if flag("includeSpreadsheetInResponse") {
        let ranges = body.get("responseRanges").and_then(Value::as_array);
        let ranges: Vec<&str> = ranges.into_iter().flatten().filter_map(Value::as_str).collect();
        Some(show(&draft.book, &ranges, flag("responseIncludeGridData"), None, draft.now)?)
    } else {
        None
    };
    Ok(Object::new()
        .with("spreadsheetId", draft.book.id.as_str())
        .with("replies", replies)
        .some("updatedSpreadsheet", updated)
        .into())
}

/// `spreadsheets.create`: an empty spreadsheet, changed into the one that is asked for.
fn create(office: &mut Office, body: &Map<String, Value>, call: &Call<'_>) -> Result<Value, Refusal> {
    let mut ids = office.ids.clone();
    let book = Spreadsheet::new(ids.file(), "Untitled spreadsheet");
    let mut draft = office.draft(book, call.now);
    draft.ids = ids;
    if let Some(Value::Object(properties)) = body.get("properties") {
        let listed: Vec<(String, Mask)> = properties.keys().map(|name| (name.clone(), Mask::All)).collect();
        batch::set_properties(&mut draft, properties, &Mask::Fields(listed))?;
    }
    let requests = requests_of(body, &mut draft.ids);
    if !requests.is_empty() {
        let wanted = body.get("sheets").and_then(Value::as_array).is_some_and(|sheets| !sheets.is_empty());
        if wanted {
            draft.book.tabs = vec![Arc::new(Tab::new(i32::MAX, "\u{0}", 1, 1))];
        }
        batch::apply(&mut draft, &Object::new().with("requests", requests).into_map())?;
        draft.book.tabs.retain(|tab| !wanted || tab.id != i32::MAX);
    }
    office.ids = draft.ids;
    let id = office.open(draft.book, call.now);
    let book = &office.document(&id)?.book;
    Ok(view::spreadsheet(book, &Wish { places: None, mask: &Mask::All, grid_data: false }, call.now))
}

/// The changes that make an empty spreadsheet the one of a body.
fn requests_of(body: &Map<String, Value>, ids: &mut Ids) -> Vec<Value> {
    let mut requests = Vec::new();
    let list = |fields: &Map<String, Value>, name: &str| -> Vec<Value> {
        fields.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    for sheet in list(body, "sheets") {
        let Value::Object(sheet) = sheet else { continue };
        let mut properties = sheet.get("properties").cloned().unwrap_or_else(|| json!({}));
        let wanted = properties.get("sheetId").and_then(Value::as_i64);
        let id = wanted.unwrap_or_else(|| i64::from(ids.number(|_| false)));
        properties["sheetId"] = id.into();
        requests.push(json!({"addSheet": {"properties": properties}}));
        for data in list(&sheet, "data") {
            let start = json!({
                "sheetId": id,
                "rowIndex": data.get("startRow").cloned().unwrap_or_default(),
                "columnIndex": data.get("startColumn").cloned().unwrap_or_default(),
            });
            let rows = data.get("rowData").cloned().unwrap_or_else(|| json!([]));
            requests.push(json!({"updateCells": {"start": start, "rows": rows, "fields": "*"}}));
        }
        let on_sheet = |mut range: Value| {
            range["sheetId"] = id.into();
            range
        };
        for merge in list(&sheet, "merges") {
            requests.push(json!({"mergeCells": {"range": on_sheet(merge), "mergeType": "MERGE_ALL"}}));
        }
        for (at, mut rule) in list(&sheet, "conditionalFormats").into_iter().enumerate() {
            if let Some(Value::Array(ranges)) = rule.get_mut("ranges") {
                *ranges = std::mem::take(ranges).into_iter().map(on_sheet).collect();
            }
            requests.push(json!({"addConditionalFormatRule": {"rule": rule, "index": at}}));
        }
        for (name, request, field) in [
            ("protectedRanges", "addProtectedRange", "protectedRange"),
            ("bandedRanges", "addBanding", "bandedRange"),
            ("filterViews", "addFilterView", "filter"),
        ] {
            for mut area in list(&sheet, name) {
                area["range"] = on_sheet(area.get("range").cloned().unwrap_or_else(|| json!({})));
                requests.push(json!({request: {field: area}}));
            }
        }
        if let Some(mut filter) = sheet.get("basicFilter").cloned() {
            filter["range"] = on_sheet(filter.get("range").cloned().unwrap_or_else(|| json!({})));
            requests.push(json!({"setBasicFilter": {"filter": filter}}));
        }
    }
    for range in list(body, "namedRanges") {
        requests.push(json!({"addNamedRange": {"namedRange": range}}));
    }
    for metadata in list(body, "developerMetadata") {
        requests.push(json!({"createDeveloperMetadata": {"developerMetadata": metadata}}));
    }
    requests
}

/// `spreadsheets.sheets.copyTo`
fn copy_to(
    office: &mut Office,
    id: &str,
    sheet: &str,
    body: &Map<String, Value>,
    call: &Call<'_>,
) -> Result<Value, Refusal> {
    let source = &office.document(id)?.book;
    let at = sheet.parse().ok().and_then(|sheet| source.position(sheet));
    let tab = at.and_then(|at| source.tab(at)).cloned();
    let tab = tab.ok_or_else(|| Refusal::invalid(format!("The sheet ({sheet}) is not found.")))?;
    let target = body.get("destinationSpreadsheetId").and_then(Value::as_str).unwrap_or_default().to_owned();
    office.change(&target, call.now, |draft| {
        let taken: Vec<i32> = draft.book.tabs.iter().map(|tab| tab.id).collect();
        let title = copied_title(&draft.book, &tab.title);
        let mut copy = Tab { id: draft.ids.number(|id| taken.contains(&id)), title, hidden: false, ..tab };
        renumber(draft, &mut copy);
        draft.book.tabs.push(Arc::new(copy));
        draft.book.check_size()?;
        Ok(view::sheet_properties(&draft.book, draft.book.tabs.len() - 1))
    })
}

/// `spreadsheets.developerMetadata.get`
fn metadata(book: &Spreadsheet, id: &str) -> Result<Value, Refusal> {
    let id: i32 = id.parse().map_err(|_| Refusal::not_found())?;
    let found = book.metadata.iter().find(|metadata| metadata.id == id);
    found
        .map(|metadata| metadata.json())
        .ok_or_else(|| Refusal::invalid(format!("No metadata with id: {id}")))
}

/// `spreadsheets.developerMetadata.search`
fn search(book: &Spreadsheet, body: &Map<String, Value>) -> Result<Value, Refusal> {
    let mut found: Vec<(i32, Value, Vec<Value>)> = Vec::new();
    for filter in body.get("dataFilters").and_then(Value::as_array).into_iter().flatten() {
        let Some(fields) = filter.as_object() else { continue };
        for metadata in values::selected(book, fields)? {
            match found.iter_mut().find(|(id, ..)| *id == metadata.id) {
                Some((.., filters)) => filters.push(filter.clone()),
                None => found.push((metadata.id, metadata.json(), vec![filter.clone()])),
            }
        }
    }
    let matched = found
        .into_iter()
        .map(|(_, metadata, filters)| json!({"developerMetadata": metadata, "dataFilters": filters}));
    Ok(Object::new().list("matchedDeveloperMetadata", matched.collect()).into())
}
