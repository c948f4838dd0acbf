//! A batch is carried out as a whole or not at all.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sandbox::sheets::bench::Bench;

/// Requests of every family, in a sheet of eight rows and eight columns; some of them cannot be carried out.
fn any_request() -> impl Strategy<Value = Value> {
    (0usize..33, 0u32..9, 1u32..4, 0u32..9, 1u32..4, 0u32..9).prop_map(|(kind, top, height, left, width, to)| {
        let range = json!({"startRowIndex": top, "endRowIndex": top + height, "startColumnIndex": left, "endColumnIndex": left + width});
        let rows = json!({"dimension": "ROWS", "startIndex": top, "endIndex": top + height});
        let columns = json!({"dimension": "COLUMNS", "startIndex": left, "endIndex": left + width});
        let cell = json!({"userEnteredValue": {"formulaValue": format!("=A{}", to + 1)}, "note": "n"});
        match kind {
            0 => json!({"updateCells": {"range": range, "fields": "*", "rows": [{"values": [cell]}]}}),
            1 => json!({"appendCells": {"fields": "*", "rows": [{"values": [cell]}]}}),
            2 => json!({"repeatCell": {"range": range, "fields": "userEnteredValue,note", "cell": cell}}),
            3 => json!({"insertDimension": {"range": rows}}),
            4 => json!({"insertDimension": {"range": columns, "inheritFromBefore": true}}),
            5 => json!({"deleteDimension": {"range": rows}}),
            6 => json!({"deleteDimension": {"range": columns}}),
            7 => json!({"moveDimension": {"source": rows, "destinationIndex": to}}),
            8 => json!({"insertRange": {"range": range, "shiftDimension": "ROWS"}}),
            9 => json!({"deleteRange": {"range": range, "shiftDimension": "COLUMNS"}}),
            10 => json!({"mergeCells": {"range": range, "mergeType": "MERGE_ALL"}}),
            11 => json!({"unmergeCells": {"range": range}}),
            12 => json!({"sortRange": {"range": range, "sortSpecs": [{"dimensionIndex": left}]}}),
            13 => json!({"copyPaste": {"source": range, "destination": {"startRowIndex": to, "endRowIndex": to + 1, "startColumnIndex": top, "endColumnIndex": top + 1}}}),
            14 => json!({"cutPaste": {"source": range, "destination": {"rowIndex": to, "columnIndex": top}}}),
            15 => json!({"findReplace": {"find": "1", "replacement": "x", "allSheets": true, "includeFormulas": true}}),
            16 => json!({"deleteDuplicates": {"range": range}}),
            17 => json!({"trimWhitespace": {"range": range}}),
            18 => json!({"setBasicFilter": {"filter": {"range": range}}}),
            19 => json!({"addNamedRange": {"namedRange": {"name": format!("n{to}x"), "range": range}}}),
            20 => json!({"addProtectedRange": {"protectedRange": {"range": range}}}),
            21 => json!({"addConditionalFormatRule": {"index": 0, "rule": {"ranges": [range], "booleanRule": {"condition": {"type": "BLANK"}, "format": {}}}}}),
            22 => json!({"deleteConditionalFormatRule": {"index": to % 2}}),
            23 => json!({"addBanding": {"bandedRange": {"range": range, "rowProperties": {"firstBandColor": {"red": 1}}}}}),
            24 => json!({"updateBorders": {"range": range, "top": {"style": "SOLID"}}}),
            25 => json!({"setDataValidation": {"range": range, "rule": {"condition": {"type": "BOOLEAN"}}}}),
            26 => json!({"addDimensionGroup": {"range": rows}}),
            27 => json!({"deleteDimensionGroup": {"range": rows}}),
            28 => json!({"updateDimensionProperties": {"range": columns, "properties": {"hiddenByUser": true}, "fields": "hiddenByUser"}}),
            29 => json!({"createDeveloperMetadata": {"developerMetadata": {"metadataKey": "k", "visibility": "DOCUMENT", "location": {"sheetId": 0}}}}),
            30 => json!({"addSheet": {"properties": {"title": format!("T{to}")}}}),
            31 => json!({"duplicateSheet": {"sourceSheetId": 0}}),
            _ => json!({"updateSheetProperties": {"properties": {"title": format!("S{to}"), "gridProperties": {"rowCount": 6 + to}}, "fields": "title,gridProperties.rowCount"}}),
        }
    })
}

/// The content of a sheet in which something stands everywhere.
fn full() -> Bench {
    let rows: Vec<Vec<String>> = (0..8)
        .map(|row| {
            (0..8)
                .map(|column| match (row * column) % 4 {
                    0 => format!("{}", row + column),
                    1 => format!("=A{}+1", row + 1),
                    2 => format!(" text {row} "),
                    _ => String::new(),
                })
                .collect()
        })
        .collect();
    Bench::of(8, 8, &json!(rows))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_failing_batch_leaves_everything_as_it_was(before in prop::collection::vec(any_request(), 0..6), batch in prop::collection::vec(any_request(), 0..8)) {
        let mut bench = full();
        for request in before {
            bench.call("POST", ":batchUpdate", "", &json!({"requests": [request]}));
        }
        let mut requests = batch;
        requests.push(json!({"deleteNamedRange": {"namedRangeId": "nobody has this one"}}));
        bench.batch_refused(&json!(requests));
    }

    #[test]
    fn a_batch_is_what_its_requests_are_one_by_one(requests in prop::collection::vec(any_request(), 1..8)) {
        let (mut one, mut all) = (full(), full());
        let mut taken = Vec::new();
        for request in requests {
            let (status, _) = one.call("POST", ":batchUpdate", "", &json!({"requests": [request]}));
            if status == 200 {
                taken.push(request);
            }
        }
        if !taken.is_empty() {
            all.batch(&json!(taken));
        }
        let query = "includeGridData=true";
        prop_assert_eq!(one.ok("GET", "", query, &Value::Null), all.ok("GET", "", query, &Value::Null));
    }
}
