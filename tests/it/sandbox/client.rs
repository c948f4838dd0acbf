//! Answers as the Rust client of the API reads them: every field has the name and the type that it expects.

use google_sheets4::api;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use status_validator::sandbox::sheets::{Call, Office};

/// Reads an answer with the client's type and writes it again: what the client does not know is lost.
fn fits<T: DeserializeOwned + Serialize>(answer: &Value) {
    let read: T = serde_json::from_value(answer.clone()).unwrap_or_else(|error| panic!("{error}: {answer}"));
    let written = serde_json::to_value(&read).unwrap();
    assert_same(answer, &written, "");
}

fn assert_same(ours: &Value, theirs: &Value, path: &str) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (name, value) in ours {
                let known =
                    theirs.get(name).unwrap_or_else(|| panic!("{path}.{name} is not known to the client"));
                assert_same(value, known, &format!("{path}.{name}"));
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{path}");
            ours.iter().zip(theirs).for_each(|(ours, theirs)| assert_same(ours, theirs, path));
        }
        (Value::Number(ours), Value::Number(theirs)) => {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            assert!((ours - theirs).abs() < 1e-6, "{path}: {ours} {theirs}");
        }
        (ours, theirs) => assert_eq!(ours, theirs, "{path}"),
    }
}

struct Desk(Office);

impl Desk {
    fn call(&mut self, method: &str, path: &str, query: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("/v4/spreadsheets/book{path}");
        let now = "2026-03-13T06:00:00Z".parse().unwrap();
        let answer = self.0.answer(&Call { method, path: &path, query, body: body.as_bytes(), now });
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body.unwrap()
    }

    fn batch(&mut self, requests: &Value) -> Value {
        self.call("POST", ":batchUpdate", "", &json!({"requests": requests}))
    }
}

fn desk() -> Desk {
    let mut office = Office::new(1);
    office.open_spreadsheet("book", "Book", jiff::Timestamp::UNIX_EPOCH).unwrap();
    Desk(office)
}

#[test]
fn values_are_read() {
    let mut desk = desk();
    let body = json!({"values": [["a", 1, true, "=1/0", "5%"]]});
    let query = "valueInputOption=USER_ENTERED&includeValuesInResponse=true";
    fits::<api::UpdateValuesResponse>(&desk.call("PUT", "/values/A1", query, &body));
    fits::<api::AppendValuesResponse>(&desk.call("POST", "/values/A1:append", query, &body));
    fits::<api::ValueRange>(&desk.call("GET", "/values/A1:E2", "", &Value::Null));
    fits::<api::BatchGetValuesResponse>(&desk.call(
        "GET",
        "/values:batchGet",
        "ranges=A1&ranges=B1:C2",
        &Value::Null,
    ));
    let many = json!({"valueInputOption": "RAW", "data": [{"range": "A9", "values": [["x"]]}]});
    fits::<api::BatchUpdateValuesResponse>(&desk.call("POST", "/values:batchUpdate", "", &many));
    let filters = json!({"dataFilters": [{"a1Range": "A1:B2"}]});
    fits::<api::BatchGetValuesByDataFilterResponse>(&desk.call(
        "POST",
        "/values:batchGetByDataFilter",
        "",
        &filters,
    ));
    fits::<api::BatchClearValuesByDataFilterResponse>(&desk.call(
        "POST",
        "/values:batchClearByDataFilter",
        "",
        &filters,
    ));
    fits::<api::ClearValuesResponse>(&desk.call("POST", "/values/A1:clear", "", &json!({})));
    fits::<api::BatchClearValuesResponse>(&desk.call(
        "POST",
        "/values:batchClear",
        "",
        &json!({"ranges": ["A1"]}),
    ));
}

#[test]
fn a_spreadsheet_with_everything_is_read() {
    let mut desk = desk();
    let values = json!({"values": [["name", "n"], ["a", "=TODAY()"], ["https://example.com", "2020-01-01"], ["b", "=1/0"]]});
    desk.call("PUT", "/values/A1", "valueInputOption=USER_ENTERED", &values);
    let range = json!({"startRowIndex": 0, "endRowIndex": 4, "startColumnIndex": 0, "endColumnIndex": 2});
    let color = json!({"red": 0.3, "green": 0.5});
    let condition = json!({"type": "NUMBER_GREATER", "values": [{"userEnteredValue": "1"}]});
    let run = json!({"startIndex": 1, "format": {"link": {"uri": "https://example.com"}, "bold": true}});
    let cell = json!({"userEnteredValue": {"stringValue": "rich"}, "textFormatRuns": [run], "note": "n",
        "userEnteredFormat": {"backgroundColor": color, "borders": {"top": {"style": "SOLID", "color": color}}, "textRotation": {"angle": 45}}});
    let replies = desk.batch(&json!([
        {"updateCells": {"start": {"rowIndex": 5}, "rows": [{"values": [cell]}], "fields": "*"}},
        {"mergeCells": {"range": {"startRowIndex": 7, "endRowIndex": 9, "endColumnIndex": 2}}},
        {"addNamedRange": {"namedRange": {"name": "N", "range": range}}},
        {"addProtectedRange": {"protectedRange": {"range": range, "description": "d", "unprotectedRanges": [range]}}},
        {"setBasicFilter": {"filter": {"range": range, "criteria": {"1": {"condition": condition}}}}},
        {"addFilterView": {"filter": {"range": range, "title": "V", "sortSpecs": [{"dimensionIndex": 0, "sortOrder": "ASCENDING"}]}}},
        {"addConditionalFormatRule": {"rule": {"ranges": [range], "booleanRule": {"condition": condition, "format": {"textFormat": {"italic": true}}}}}},
        {"addConditionalFormatRule": {"rule": {"ranges": [range], "gradientRule": {"minpoint": {"type": "MIN", "color": color}, "maxpoint": {"type": "NUMBER", "value": "5", "color": color}}}}},
        {"addBanding": {"bandedRange": {"range": {"startRowIndex": 20, "endRowIndex": 24, "endColumnIndex": 3}, "rowProperties": {"headerColor": color, "firstBandColor": color, "secondBandColor": color}}}},
        {"setDataValidation": {"range": range, "rule": {"condition": condition, "strict": true, "inputMessage": "m"}}},
        {"addDimensionGroup": {"range": {"dimension": "ROWS", "startIndex": 1, "endIndex": 3}}},
        {"createDeveloperMetadata": {"developerMetadata": {"metadataKey": "k", "visibility": "DOCUMENT", "location": {"dimensionRange": {"dimension": "ROWS", "startIndex": 1, "endIndex": 2}}}}},
        {"updateDimensionProperties": {"range": {"dimension": "COLUMNS", "startIndex": 1, "endIndex": 2}, "properties": {"hiddenByUser": true}, "fields": "hiddenByUser"}},
        {"updateSheetProperties": {"properties": {"tabColor": color, "rightToLeft": true, "gridProperties": {"frozenRowCount": 1}}, "fields": "tabColor,rightToLeft,gridProperties.frozenRowCount"}},
        {"findReplace": {"find": "a", "replacement": "c", "allSheets": true}},
        {"deleteDuplicates": {"range": range}},
        {"trimWhitespace": {"range": range}},
        {"duplicateSheet": {"sourceSheetId": 0}},
        {"updateConditionalFormatRule": {"sheetId": 0, "index": 0, "newIndex": 1}},
        {"deleteConditionalFormatRule": {"sheetId": 0, "index": 0}},
    ]));
    fits::<api::BatchUpdateSpreadsheetResponse>(&replies);
    fits::<api::Spreadsheet>(&desk.call("GET", "", "includeGridData=true", &Value::Null));
    let lookup = json!({"dataFilters": [{"developerMetadataLookup": {"metadataKey": "k"}}]});
    fits::<api::SearchDeveloperMetadataResponse>(&desk.call(
        "POST",
        "/developerMetadata:search",
        "",
        &lookup,
    ));
    let copied = desk.call("POST", "/sheets/0:copyTo", "", &json!({"destinationSpreadsheetId": "book"}));
    fits::<api::SheetProperties>(&copied);
}
