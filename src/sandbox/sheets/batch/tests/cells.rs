//! Fields of cells.

use serde_json::{Value, json};

use crate::sandbox::sheets::bench::Bench;

fn text(value: &str) -> Value {
    json!({"userEnteredValue": {"stringValue": value}})
}

#[test]
fn nothing_is_parsed_but_formulas() {
    let mut bench = Bench::new();
    let values = json!([text("=1+1"), text("0042"), {"userEnteredValue": {"formulaValue": "=1+1"}}, {"userEnteredValue": {"numberValue": 1.0}}, {"userEnteredValue": {"boolValue": false}}]);
    bench.batch(&json!([{"updateCells": {"start": {"sheetId": 0}, "rows": [{"values": values}], "fields": "userEnteredValue"}}]));
    assert_eq!(bench.values("A1:E1"), json!([["=1+1", "0042", "2", "1", "FALSE"]]));
    assert_eq!(
        bench.cell("A1", "userEnteredValue,effectiveValue"),
        json!({"userEnteredValue": {"stringValue": "=1+1"}, "effectiveValue": {"stringValue": "=1+1"}})
    );
    assert_eq!(
        bench.cell("C1", "userEnteredValue,effectiveValue,formattedValue"),
        json!({
            "userEnteredValue": {"formulaValue": "=1+1"}, "effectiveValue": {"numberValue": 2}, "formattedValue": "2"
        })
    );
}

#[test]
fn cells_of_a_range_that_no_row_covers_lose_the_fields() {
    let mut bench = Bench::of(4, 4, &json!([["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]]));
    bench.batch(&json!([{"updateCells": {"range": {"endColumnIndex": 4}, "fields": "note", "rows": [{"values": [{"note": "n"}]}]}}]));
    let range = json!({"startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 2});
    bench.batch(&json!([{"updateCells": {"range": range, "fields": "userEnteredValue", "rows": [{"values": [text("x")]}]}}]));
    assert_eq!(bench.values("A1:C3"), json!([["x", "", "c"], ["", "", "f"], ["g", "h", "i"]]));
    assert_eq!(bench.cell("A1", "note"), json!({"note": "n"}), "fields that are not listed stay");
    bench.batch(&json!([{"updateCells": {"start": {"rowIndex": 2}, "fields": "userEnteredValue", "rows": [{"values": [{}]}, {"values": [text("y")]}]}}]));
    assert_eq!(bench.values("A3:C4"), json!([["", "h", "i"], ["y"]]));
    bench.batch(&json!([{"updateCells": {"range": {}, "fields": "*"}}]));
    assert_eq!(bench.sheet("data.rowData.values"), json!({"data": [{}]}));
}

#[test]
fn cells_outside_are_not_written() {
    let mut bench = Bench::of(2, 2, &json!([]));
    let update = |area: Value, values: Value| {
        let mut request = json!({"fields": "userEnteredValue", "rows": values});
        request.as_object_mut().unwrap().extend(area.as_object().unwrap().clone());
        json!([{"updateCells": request}])
    };
    let wide = json!([{"values": [text("a"), text("b"), text("c")]}]);
    let tall = json!([{"values": []}, {"values": []}, {"values": [text("c")]}]);
    for (area, rows, expected) in [
        (
            json!({"start": {}}),
            wide.clone(),
            "Attempting to write column: 2, beyond the last requested column of: 1",
        ),
        (json!({"start": {}}), tall, "Attempting to write row: 2, beyond the last requested row of: 1"),
        (
            json!({"range": {"endColumnIndex": 1}}),
            wide,
            "Attempting to write column: 1, beyond the last requested column of: 0",
        ),
        (
            json!({"start": {"rowIndex": 2}}),
            json!([]),
            "GridCoordinate.rowIndex[2] is after last row in grid[1]",
        ),
        (
            json!({"start": {"columnIndex": 5}}),
            json!([]),
            "GridCoordinate.columnIndex[5] is after last column in grid[1]",
        ),
        (
            json!({"range": {"startRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 2}}),
            json!([]),
            "Range (Sheet1!A3:B) exceeds grid limits. Max rows: 2, max columns: 2",
        ),
        (
            json!({"start": {}}),
            json!([{"values": [text(&"x".repeat(50_001))]}]),
            "Your input contains more than the maximum of 50000 characters in a single cell.",
        ),
    ] {
        assert_eq!(
            bench.batch_refused(&update(area, rows)),
            format!("Invalid requests[0].updateCells: {expected}")
        );
    }
}

#[test]
fn rows_are_appended_behind_the_last_one_with_data() {
    let mut bench = Bench::of(3, 2, &json!([["a"], ["b"]]));
    bench.batch(
        &json!([{"repeatCell": {"range": {"startRowIndex": 2}, "cell": {"note": "n"}, "fields": "note"}}]),
    );
    let rows = json!([{"values": [text("c"), text("d")]}, {"values": [text("e")]}]);
    bench.batch(&json!([{"appendCells": {"sheetId": 0, "rows": rows, "fields": "userEnteredValue"}}]));
    assert_eq!(bench.read("Sheet1", "")["range"], json!("Sheet1!A1:B4"));
    assert_eq!(bench.values("Sheet1"), json!([["a"], ["b"], ["c", "d"], ["e"]]));
    let wide = json!([{"values": [{}, {}, text("x")]}]);
    let refused = bench.batch_refused(&json!([{"appendCells": {"sheetId": 0, "rows": wide, "fields": "*"}}]));
    assert_eq!(
        refused,
        "Invalid requests[0].appendCells: Attempting to write column: 2, beyond the last requested column of: 1"
    );
}

#[test]
fn a_repeated_formula_goes_along() {
    let mut bench = Bench::of(3, 4, &json!([]));
    let range = json!({"startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 1, "endColumnIndex": 3});
    let cell = json!({"userEnteredValue": {"formulaValue": "=A1+$A1+A$3"}});
    bench.batch(&json!([{"repeatCell": {"range": range, "cell": cell, "fields": "userEnteredValue"}}]));
    assert_eq!(
        bench.formulas("B1:C2"),
        json!([["=A1+$A1+A$3", "=B1+$A1+B$3"], ["=A2+$A2+A$3", "=B2+$A2+B$3"]])
    );
}

#[test]
fn formats_are_merged_field_by_field() {
    let mut bench = Bench::new();
    let repeat = |format: Value, fields: &str| json!([{"repeatCell": {"range": {"endRowIndex": 1, "endColumnIndex": 1}, "cell": {"userEnteredFormat": format}, "fields": fields}}]);
    bench.batch(&repeat(
        json!({"textFormat": {"bold": true, "fontSize": 12}, "backgroundColor": {"red": 1}}),
        "userEnteredFormat",
    ));
    bench.batch(&repeat(
        json!({"textFormat": {"italic": true}}),
        "userEnteredFormat.textFormat(italic,fontSize)",
    ));
    let format = bench.cell("A1", "userEnteredFormat")["userEnteredFormat"].take();
    assert_eq!(format["textFormat"], json!({"bold": true, "italic": true}));
    assert_eq!(format["backgroundColorStyle"], json!({"rgbColor": {"red": 1}}));
    bench.batch(&repeat(
        json!({"backgroundColorStyle": {"rgbColor": {"blue": 0.5}}}),
        "userEnteredFormat.backgroundColorStyle",
    ));
    let format = bench.cell("A1", "userEnteredFormat.backgroundColor");
    assert_eq!(format["userEnteredFormat"]["backgroundColor"].to_string(), r#"{"blue":0.49803922}"#);
    bench.batch(&repeat(json!({}), "userEnteredFormat.backgroundColor"));
    assert_eq!(
        bench.cell("A1", "userEnteredFormat"),
        json!({"userEnteredFormat": {"textFormat": {"bold": true, "italic": true}}})
    );
    bench.batch(&repeat(json!({}), "userEnteredFormat"));
    assert_eq!(bench.cell("A1", "userEnteredFormat"), Value::Null);
}

#[test]
fn links_in_parts_of_a_text() {
    let mut bench = Bench::new();
    let link = |at: u32, uri: &str| json!({"startIndex": at, "format": {"link": {"uri": uri}}});
    let plain = |at: u32| json!({"startIndex": at, "format": {}});
    let cell = json!({
        "userEnteredValue": {"stringValue": "one two three"},
        "textFormatRuns": [link(8, "https://example.com/3"), link(0, "https://example.com/1"), plain(3)],
    });
    bench.batch(&json!([{"updateCells": {"start": {}, "rows": [{"values": [cell]}], "fields": "userEnteredValue,textFormatRuns"}}]));
    let runs = bench.cell("A1", "textFormatRuns,hyperlink");
    assert_eq!(runs.get("hyperlink"), None, "a cell with two links has none of its own");
    assert_eq!(runs["textFormatRuns"][0]["format"]["underline"], json!(true));
    let sheet =
        bench.office.look("book", crate::sandbox::sheets::bench::now()).unwrap().sheet("Sheet1").unwrap();
    let links: Vec<(usize, usize, String)> =
        sheet.cell(0, 0).links.into_iter().map(|link| (link.start, link.end, link.uri)).collect();
    assert_eq!(links, [(0, 3, "https://example.com/1".into()), (8, 13, "https://example.com/3".into())]);
    let late = json!({"userEnteredValue": {"stringValue": "ab"}, "textFormatRuns": [link(2, "https://example.com")]});
    let number =
        json!({"userEnteredValue": {"numberValue": 1}, "textFormatRuns": [link(0, "https://example.com")]});
    for cell in [late, number] {
        bench.batch_refused(
            &json!([{"updateCells": {"start": {}, "rows": [{"values": [cell]}], "fields": "*"}}]),
        );
    }
    let whole = json!({"userEnteredFormat": {"textFormat": {"link": {"uri": "https://example.com/w"}}}});
    bench.batch(&json!([{"repeatCell": {"range": {"startRowIndex": 1, "endRowIndex": 2, "endColumnIndex": 1}, "cell": whole, "fields": "userEnteredFormat.textFormat.link"}}]));
    assert_eq!(bench.cell("A2", "hyperlink"), json!({"hyperlink": "https://example.com/w"}));
}

#[test]
fn borders_are_drawn_around_and_between() {
    let mut bench = Bench::of(3, 3, &json!([]));
    let solid = json!({"style": "SOLID", "color": {"red": 1}});
    let range = json!({"startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 2});
    bench.batch(&json!([{"updateBorders": {"range": range, "top": solid, "innerVertical": {"style": "SOLID_THICK"}}}]));
    let mut sides = |cell: &str| -> Vec<String> {
        let format = bench.cell(cell, "userEnteredFormat.borders");
        format["userEnteredFormat"]["borders"]
            .as_object()
            .map(|sides| sides.keys().cloned().collect())
            .unwrap_or_default()
    };
    assert_eq!(
        (sides("A1"), sides("B1"), sides("A2")),
        (vec!["top".into(), "right".into()], vec!["top".into(), "left".into()], vec!["right".to_owned()])
    );
    bench.batch(&json!([{"updateBorders": {"range": range, "top": {"style": "NONE"}}}]));
    let format = bench.cell("A1", "userEnteredFormat.borders")["userEnteredFormat"]["borders"].take();
    assert_eq!(
        format,
        json!({"right": {"style": "SOLID_THICK", "color": {}, "width": 3, "colorStyle": {"rgbColor": {}}}})
    );
}

#[test]
fn rules_for_what_may_be_entered() {
    let mut bench = Bench::of(3, 1, &json!([]));
    let rule = json!({"condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": "y"}]}, "strict": true, "showCustomUi": false});
    bench.batch(&json!([{"setDataValidation": {"range": {"endRowIndex": 2}, "rule": rule}}]));
    let shown =
        json!({"condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": "y"}]}, "strict": true});
    assert_eq!(bench.cell("A2", "dataValidation"), json!({"dataValidation": shown}));
    bench.type_in("A1", &json!([["other"]]));
    bench.batch(&json!([{"setDataValidation": {"range": {"endRowIndex": 1}}}]));
    assert_eq!(
        (
            bench.cell("A1", "dataValidation"),
            bench.cell("A2", "dataValidation")["dataValidation"]["strict"].take()
        ),
        (Value::Null, json!(true))
    );
}
