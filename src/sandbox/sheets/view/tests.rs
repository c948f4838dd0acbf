//! Spreadsheets as they are shown.

use serde_json::{Value, json};

use crate::sandbox::sheets::bench::{Bench, encoded};

fn get(bench: &mut Bench, query: &str) -> Value {
    bench.ok("GET", "", query, &Value::Null)
}

#[test]
fn cells_are_shown_where_they_are_asked_for() {
    let mut bench = Bench::of(4, 3, &json!([["a"], [], ["", "5%"]]));
    assert!(get(&mut bench, "")["sheets"][0].get("data").is_none());
    assert!(
        get(&mut bench, "includeGridData=true&fields=sheets.properties")["sheets"][0].get("data").is_none()
    );
    let all = get(&mut bench, "includeGridData=true")["sheets"][0]["data"][0].take();
    assert_eq!(
        all["rowMetadata"],
        json!([{"pixelSize": 21}, {"pixelSize": 21}, {"pixelSize": 21}, {"pixelSize": 21}])
    );
    assert_eq!(all["columnMetadata"].as_array().unwrap().len(), 3);
    assert_eq!(all["rowData"].as_array().unwrap().len(), 3);
    assert_eq!(all["rowData"][1], json!({}));
    let percent = &all["rowData"][2]["values"][1];
    assert_eq!(percent["userEnteredFormat"], json!({"numberFormat": {"type": "PERCENT", "pattern": "0%"}}));
    assert_eq!(percent["effectiveFormat"]["horizontalAlignment"], json!("RIGHT"));
    assert_eq!(percent["effectiveValue"], json!({"numberValue": 0.05}));
    assert_eq!(all["rowData"][2]["values"][0], json!({}));
    let masked = get(&mut bench, "fields=sheets.data.rowData.values.formattedValue");
    let rows = json!([{"values": [{"formattedValue": "a"}]}, {}, {"values": [{}, {"formattedValue": "5%"}]}]);
    assert_eq!(masked, json!({"sheets": [{"data": [{"rowData": rows}]}]}));
}

#[test]
fn ranges_limit_sheets_and_cells() {
    let mut bench = Bench::of(4, 3, &json!([["a", "b"], ["c", "d"]]));
    bench.batch(&json!([{"addSheet": {"properties": {"title": "Other", "sheetId": 5}}}]));
    let fields = encoded("sheets(properties.title,data(startRow,startColumn,rowData.values.formattedValue))");
    let shown = get(&mut bench, &format!("ranges=B2:C4&ranges=A1&fields={fields}"));
    assert_eq!(
        shown,
        json!({"sheets": [{"properties": {"title": "Sheet1"}, "data": [
            {"startRow": 1, "startColumn": 1, "rowData": [{"values": [{"formattedValue": "d"}]}]},
            {"rowData": [{"values": [{"formattedValue": "a"}]}]},
        ]}]})
    );
    let filter = json!({"dataFilters": [{"gridRange": {"sheetId": 5}}], "includeGridData": false});
    let shown = bench.ok("POST", ":getByDataFilter", "", &filter);
    assert_eq!(shown["sheets"].as_array().unwrap().len(), 1);
    assert_eq!(shown["sheets"][0]["properties"]["title"], json!("Other"));
    assert_eq!(bench.refused("GET", "", "ranges=Nope!A1", &Value::Null), "Unable to parse range: Nope!A1");
}

#[test]
fn both_spellings_of_a_mask_are_the_same() {
    let mut bench = Bench::of(2, 2, &json!([["a"]]));
    let masks = [
        "sheets.data.rowData.values.formattedValue",
        "sheets/data/rowData/values/formattedValue",
        "sheets(data(rowData(values(formattedValue))))",
        "sheets.data.row_data.values.formatted_value",
    ];
    let shown: Vec<Value> =
        masks.iter().map(|mask| get(&mut bench, &format!("fields={}", encoded(mask)))).collect();
    assert!(shown.iter().all(|one| *one == shown[0]), "{shown:?}");
    let everything = get(&mut bench, "fields=*");
    assert_eq!(everything["sheets"][0]["data"][0]["rowData"][0]["values"][0]["formattedValue"], json!("a"));
    assert_eq!(get(&mut bench, "fields=namedRanges"), json!({}));
}

#[test]
fn what_a_formula_shows() {
    let mut bench = Bench::of(
        2,
        6,
        &json!([[
            "=TODAY()",
            "=HYPERLINK(\"https://example.com\",\"x\")",
            "=1/0",
            "=1=1",
            "2020-01-05",
            "=E1+1"
        ]]),
    );
    let mut cell = |name: &str, fields: &str| bench.cell(name, fields);
    let date = cell("A1", "formattedValue,effectiveFormat.numberFormat");
    assert_eq!(
        date,
        json!({"formattedValue": "3/13/2026", "effectiveFormat": {"numberFormat": {"type": "DATE", "pattern": "M/d/yyyy"}}})
    );
    let link = cell("B1", "hyperlink,formattedValue,effectiveFormat.textFormat.underline");
    assert_eq!((&link["hyperlink"], &link["formattedValue"]), (&json!("https://example.com"), &json!("x")));
    assert_eq!(cell("C1", "effectiveValue")["effectiveValue"]["errorValue"]["type"], json!("DIVIDE_BY_ZERO"));
    assert_eq!(cell("D1", "formattedValue"), json!({"formattedValue": "TRUE"}));
    assert_eq!(cell("F1", "formattedValue"), json!({"formattedValue": "2020-01-06"}));
}
