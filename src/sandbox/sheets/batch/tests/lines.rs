//! Rows and columns: inserted, deleted, moved, hidden, sized, grouped; and ranges of cells that make room.

use serde_json::{Value, json};

use crate::sandbox::sheets::bench::Bench;

fn lines(kind: &str, dimension: &str, start: u32, end: u32) -> Value {
    json!([{kind: {"range": {"sheetId": 0, "dimension": dimension, "startIndex": start, "endIndex": end}}}])
}

#[test]
fn rows_and_columns_come_and_go() {
    let mut bench = Bench::of(3, 3, &json!([["a", "b"], ["c", "=A1"]]));
    bench.batch(&lines("insertDimension", "ROWS", 0, 2));
    bench.batch(&lines("insertDimension", "COLUMNS", 1, 2));
    assert_eq!(bench.formulas("Sheet1"), json!([[], [], ["a", "", "b"], ["c", "", "=A3"]]));
    assert_eq!(bench.read("Sheet1", "")["range"], json!("Sheet1!A1:D5"));
    bench.batch(&lines("deleteDimension", "ROWS", 0, 3));
    assert_eq!(bench.formulas("Sheet1"), json!([["c", "", "=#REF!"]]));
    bench.batch(&json!([{"appendDimension": {"sheetId": 0, "dimension": "ROWS", "length": 8}}]));
    assert_eq!(bench.read("Sheet1", "")["range"], json!("Sheet1!A1:D10"));
    bench.type_in("A1", &json!([["1"], ["2"], ["3"], ["4"]]));
    let moved = json!([{"moveDimension": {"source": {"sheetId": 0, "dimension": "ROWS", "startIndex": 0, "endIndex": 2}, "destinationIndex": 4}}]);
    bench.batch(&moved);
    assert_eq!(bench.values("A1:A4"), json!([["3"], ["4"], ["1"], ["2"]]));
}

#[test]
fn what_cannot_be_inserted_or_deleted() {
    let mut bench = Bench::of(4, 3, &json!([]));
    let grow =
        json!({"range": {"dimension": "ROWS", "startIndex": 4, "endIndex": 6}, "inheritFromBefore": true});
    bench.batch(&json!([{"updateSheetProperties": {"properties": {"gridProperties": {"frozenRowCount": 1}}, "fields": "gridProperties.frozenRowCount"}}]));
    for (requests, expected) in [
        (
            lines("insertDimension", "ROWS", 4, 5),
            "insertDimension: range.startIndex must be less than the grid size (4) if inheritFromBefore is false.",
        ),
        (
            lines("insertDimension", "ROWS", 5, 6),
            "insertDimension: range.startIndex is larger than current grid size (4)",
        ),
        (
            json!([{"insertDimension": {"range": {"dimension": "ROWS", "endIndex": 1}}}]),
            "insertDimension: range.startIndex must be set.",
        ),
        (
            json!([{"insertDimension": {"range": {"dimension": "ROWS", "startIndex": -1, "endIndex": 1}}}]),
            "insertDimension: DimensionRange indexes must be >= 0",
        ),
        (
            lines("insertDimension", "ROWS", 1, 5_000_000),
            "insertDimension: This action would increase the number of cells in the workbook above the limit of 10000000 cells.",
        ),
        (
            lines("insertDimension", "COLUMNS", 1, 20_000),
            "insertDimension: This action would increase the number of columns in the sheet above the maximum limit of 18278 columns.",
        ),
        (
            lines("deleteDimension", "COLUMNS", 0, 3),
            "deleteDimension: You can't delete all the columns on the sheet.",
        ),
        (
            lines("deleteDimension", "ROWS", 4, 5),
            "deleteDimension: Cannot delete a row that doesn't exist. Tried to delete row index 4 but there are only 4 rows.",
        ),
        (
            lines("deleteDimension", "COLUMNS", 2, 9),
            "deleteDimension: Cannot delete a column that doesn't exist. Tried to delete column index 3 but there are only 3 columns.",
        ),
        (
            lines("deleteDimension", "ROWS", 1, 4),
            "deleteDimension: Sorry, it is not possible to delete all non-frozen rows.",
        ),
        (
            json!([{"appendDimension": {"dimension": "ROWS", "length": 2_000_000_000}}]),
            "appendDimension: This action would increase the number of cells in the workbook above the limit of 10000000 cells.",
        ),
    ] {
        assert_eq!(bench.batch_refused(&requests), format!("Invalid requests[0].{expected}"));
    }
    bench.batch(&json!([{"insertDimension": grow}]));
    assert_eq!(bench.read("Sheet1", "")["range"], json!("Sheet1!A1:C6"));
}

#[test]
fn what_hangs_on_rows_goes_with_them() {
    let mut bench = Bench::of(10, 4, &json!([["h", "i"], ["a"], ["b"], ["c"]]));
    let range = |start: u32, end: u32| json!({"sheetId": 0, "startRowIndex": start, "endRowIndex": end, "startColumnIndex": 0, "endColumnIndex": 2});
    let rule = json!({"ranges": [range(1, 4)], "booleanRule": {"condition": {"type": "NOT_BLANK"}, "format": {"textFormat": {"bold": true}}}});
    bench.batch(&json!([
        {"mergeCells": {"range": range(5, 7), "mergeType": "MERGE_ALL"}},
        {"addNamedRange": {"namedRange": {"name": "Body", "range": range(1, 4)}}},
        {"setBasicFilter": {"filter": {"range": range(0, 4)}}},
        {"addProtectedRange": {"protectedRange": {"range": range(1, 2), "warningOnly": true}}},
        {"addConditionalFormatRule": {"rule": rule}},
        {"updateDimensionProperties": {"range": {"dimension": "ROWS", "startIndex": 3, "endIndex": 4}, "properties": {"hiddenByUser": true, "pixelSize": 50}, "fields": "hiddenByUser,pixelSize"}},
        {"createDeveloperMetadata": {"developerMetadata": {"metadataKey": "k", "visibility": "DOCUMENT", "location": {"dimensionRange": {"dimension": "ROWS", "startIndex": 3, "endIndex": 4}}}}},
        {"addDimensionGroup": {"range": {"dimension": "ROWS", "startIndex": 2, "endIndex": 4}}},
    ]));
    bench.batch(&lines("insertDimension", "ROWS", 2, 4));
    let sheet = bench
        .sheet("merges,basicFilter.range,protectedRanges.range,conditionalFormats.ranges,rowGroups.range");
    let rows = |value: &Value| json!([value["startRowIndex"], value["endRowIndex"]]);
    assert_eq!(rows(&sheet["merges"][0]), json!([7, 9]));
    assert_eq!(rows(&sheet["basicFilter"]["range"]), json!([0, 6]));
    assert_eq!(rows(&sheet["protectedRanges"][0]["range"]), json!([1, 2]));
    assert_eq!(rows(&sheet["conditionalFormats"][0]["ranges"][0]), json!([1, 6]));
    assert_eq!(sheet["rowGroups"][0]["range"]["startIndex"], json!(4));
    assert_eq!(rows(&bench.fields("namedRanges")["namedRanges"][0]["range"]), json!([1, 6]));
    let metadata = bench.sheet("data.rowMetadata")["data"][0]["rowMetadata"].take();
    assert_eq!((&metadata[5]["hiddenByUser"], &metadata[5]["pixelSize"]), (&json!(true), &json!(50)));
    assert_eq!(metadata[5]["developerMetadata"][0]["location"]["dimensionRange"]["startIndex"], json!(5));
    assert_eq!(metadata[3], json!({"pixelSize": 21}));
    bench.batch(&lines("deleteDimension", "ROWS", 1, 9));
    let sheet = bench.sheet("merges,basicFilter.range,protectedRanges,conditionalFormats,rowGroups");
    assert_eq!(
        sheet,
        json!({"basicFilter": {"range": {"startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 0, "endColumnIndex": 2}}})
    );
    assert_eq!(bench.fields("namedRanges"), json!({}));
}

#[test]
fn a_smaller_sheet_loses_what_was_outside() {
    let mut bench = Bench::of(4, 4, &json!([["a", "=D4"], [], [], ["", "", "", "d"]]));
    let resize = |rows: u32, columns: u32| json!([{"updateSheetProperties": {"properties": {"gridProperties": {"rowCount": rows, "columnCount": columns}}, "fields": "gridProperties(rowCount,columnCount)"}}]);
    bench.batch(&resize(2, 2));
    bench.batch(&resize(4, 4));
    assert_eq!(bench.formulas("Sheet1"), json!([["a", "=#REF!"]]));
    assert_eq!(
        bench.batch_refused(&resize(0, 4)),
        "Invalid requests[0].updateSheetProperties: A sheet must have at least one row and one column."
    );
    assert_eq!(
        bench.batch_refused(&resize(4_000_000, 4)),
        "Invalid requests[0].updateSheetProperties: This action would increase the number of cells in the workbook above the limit of 10000000 cells."
    );
}

#[test]
fn new_rows_look_like_their_neighbours() {
    let mut bench = Bench::of(3, 2, &json!([["a"], ["b"]]));
    let bold = json!({"userEnteredFormat": {"textFormat": {"bold": true}}});
    bench.batch(&json!([{"repeatCell": {"range": {"startRowIndex": 0, "endRowIndex": 1}, "cell": bold, "fields": "userEnteredFormat"}}]));
    let insert = |inherit: bool| json!([{"insertDimension": {"range": {"dimension": "ROWS", "startIndex": 1, "endIndex": 2}, "inheritFromBefore": inherit}}]);
    bench.batch(&insert(true));
    assert_eq!(bench.cell("B2", "userEnteredFormat"), bold);
    bench.batch(
        &json!([{"deleteDimension": {"range": {"dimension": "ROWS", "startIndex": 1, "endIndex": 2}}}]),
    );
    bench.batch(&insert(false));
    assert_eq!(bench.cell("B2", "userEnteredFormat"), Value::Null);
}

#[test]
fn columns_are_as_wide_as_their_texts() {
    let mut bench = Bench::of(2, 3, &json!([["x".repeat(100), "y"]]));
    bench.batch(&json!([{"autoResizeDimensions": {"dimensions": {"dimension": "COLUMNS", "startIndex": 0, "endIndex": 3}}}]));
    let sizes = bench.sheet("data.columnMetadata.pixelSize")["data"][0]["columnMetadata"].take();
    let size = |at: usize| sizes[at]["pixelSize"].as_u64().unwrap();
    assert!(size(0) > 500 && size(1) < 100 && size(2) == 100, "{sizes}");
}

#[test]
fn groups_are_told_in_the_reply() {
    let mut bench = Bench::of(9, 9, &json!([]));
    let replies = bench.batch(&lines("addDimensionGroup", "COLUMNS", 1, 5));
    assert_eq!(
        replies[0]["addDimensionGroup"]["dimensionGroups"],
        json!([{"range": {"dimension": "COLUMNS", "startIndex": 1, "endIndex": 5}, "depth": 1}])
    );
    assert_eq!(
        bench.sheet("properties.gridProperties.columnGroupControlAfter")["properties"]["gridProperties"],
        json!({"columnGroupControlAfter": true})
    );
    let group = json!({"range": {"dimension": "COLUMNS", "startIndex": 1, "endIndex": 5}, "depth": 1, "collapsed": true});
    bench.batch(&json!([{"updateDimensionGroup": {"dimensionGroup": group, "fields": "collapsed"}}]));
    assert_eq!(bench.sheet("columnGroups")["columnGroups"], json!([group]));
    let replies = bench.batch(&lines("deleteDimensionGroup", "COLUMNS", 1, 5));
    assert_eq!(replies, json!([{"deleteDimensionGroup": {}}]));
    bench.batch_refused(&lines("deleteDimensionGroup", "COLUMNS", 1, 5));
}

#[test]
fn cells_make_room_and_close_up() {
    let mut bench = Bench::of(4, 3, &json!([["a", "b", "c"], ["d", "e", "=B1"], ["g", "h", "i"]]));
    let band = |kind: &str, dimension: &str| {
        let range = json!({"startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 1, "endColumnIndex": 2});
        json!([{kind: {"range": range, "shiftDimension": dimension}}])
    };
    bench.batch(&band("insertRange", "ROWS"));
    assert_eq!(
        bench.formulas("Sheet1"),
        json!([["a", "", "c"], ["d", "b", "=B2"], ["g", "e", "i"], ["", "h"]])
    );
    bench.batch(&band("deleteRange", "ROWS"));
    assert_eq!(bench.formulas("Sheet1"), json!([["a", "b", "c"], ["d", "e", "=B1"], ["g", "h", "i"]]));
    bench.batch(&band("insertRange", "COLUMNS"));
    assert_eq!(
        bench.formulas("A1:C2"),
        json!([["a", "", "b"], ["d", "e", "=C1"]]),
        "what leaves the sheet is lost"
    );
    bench.batch(&band("deleteRange", "COLUMNS"));
    assert_eq!(bench.formulas("A1:C2"), json!([["a", "b"], ["d", "e", "=B1"]]));
    bench.batch(&json!([{"mergeCells": {"range": {"startRowIndex": 2, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 2}}}]));
    bench.batch_refused(&band("insertRange", "ROWS"));
}
