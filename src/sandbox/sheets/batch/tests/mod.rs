//! Changes of all kinds.

mod atomic;
mod cells;
mod fill;
mod following;
mod lines;
mod objects;
mod paste;
mod rows;
mod sheets;

use serde_json::json;

use super::*;
use crate::sandbox::sheets::bench::Bench;
use crate::sandbox::sheets::schema;

#[test]
fn every_kind_of_request_is_either_served_or_said_not_to_be() {
    for field in &schema::message("Request").fields {
        let served = KINDS.iter().any(|(kind, _)| *kind == field.name);
        assert_ne!(served, UNSERVED.contains(&field.name), "{}", field.name);
    }
}

#[test]
fn what_is_not_served_is_refused_as_a_whole() {
    let mut bench = Bench::of(5, 5, &json!([["a"]]));
    let clear = json!({"updateCells": {"range": {"endRowIndex": 1}, "fields": "*"}});
    for kind in UNSERVED {
        let refused = bench.batch_refused(&json!([clear, {kind: {}}]));
        let expected = format!(
            "Invalid requests[1].{kind}: The sandbox does not model {kind}, which Google Sheets has; nothing was changed."
        );
        assert_eq!(refused, expected);
    }
    assert_eq!(bench.values("A1"), json!([["a"]]));
}

#[test]
fn a_batch_says_which_request_is_at_fault() {
    let mut bench = Bench::new();
    let path = "Invalid JSON payload received. Unknown name \"x\" at 'requests[0].add_sheet.properties': Cannot find field.";
    for (requests, expected) in [
        (json!([]), "Must specify at least one request."),
        (json!([{}]), "Invalid requests[0]: No request set."),
        (
            json!([{"addSheet": {}}, {"deleteSheet": {"sheetId": 5}}]),
            "Invalid requests[1].deleteSheet: No sheet with id: 5",
        ),
        (
            json!([{"repeatCell": {"range": {"sheetId": 5}, "fields": "*"}}]),
            "Invalid requests[0].repeatCell: No grid with id: 5",
        ),
        (json!([{"addSheet": {"properties": {"x": 1}}}]), path),
        (
            json!([{"updateCells": {"range": {}, "rows": []}}]),
            "Invalid requests[0].updateCells: At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)",
        ),
        (
            json!([{"updateCells": {"range": {}, "fields": "notes"}}]),
            "Invalid requests[0].updateCells: Invalid field: notes",
        ),
    ] {
        assert_eq!(bench.batch_refused(&requests), expected);
    }
}

#[test]
fn the_answer_may_repeat_the_spreadsheet() {
    let mut bench = Bench::of(3, 3, &json!([["a", "b"]]));
    let body = json!({
        "requests": [{"addSheet": {"properties": {"title": "T"}}}],
        "includeSpreadsheetInResponse": true,
        "responseRanges": ["Sheet1!A1:B1"],
        "responseIncludeGridData": true,
    });
    let answer = bench.ok("POST", ":batchUpdate", "", &body);
    let sheets = answer["updatedSpreadsheet"]["sheets"].as_array().unwrap();
    assert_eq!(sheets.len(), 1, "only what meets the ranges");
    assert_eq!(sheets[0]["data"][0]["rowData"][0]["values"][1]["formattedValue"], json!("b"));
    let more = json!({"requests": [{"addSheet": {"properties": {"title": "U"}}}]});
    let masked = bench.ok("POST", ":batchUpdate", "fields=replies.addSheet.properties.title", &more);
    assert_eq!(masked, json!({"replies": [{"addSheet": {"properties": {"title": "U"}}}]}));
}
