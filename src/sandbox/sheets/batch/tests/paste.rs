//! Cells copied and cut.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sandbox::sheets::bench::Bench;

fn range(top: u32, left: u32, bottom: u32, right: u32) -> Value {
    json!({"sheetId": 0, "startRowIndex": top, "endRowIndex": bottom, "startColumnIndex": left, "endColumnIndex": right})
}

fn copy(source: &Value, destination: &Value, more: &Value) -> Value {
    let mut request = json!({"source": source, "destination": destination});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!([{"copyPaste": request}])
}

#[test]
fn formulas_go_along_and_formats_and_notes_too() {
    let mut bench = Bench::of(6, 6, &json!([["1", "=A1+$A$1"], ["2", "5%"]]));
    bench.batch(
        &json!([{"updateCells": {"start": {}, "fields": "note", "rows": [{"values": [{"note": "n"}]}]}}]),
    );
    bench.batch(&copy(&range(0, 0, 2, 2), &range(2, 3, 3, 4), &json!({})));
    assert_eq!(bench.formulas("D3:E4"), json!([[1, "=D3+$A$1"], [2, 0.05]]));
    assert_eq!((bench.values("E4"), bench.cell("D3", "note")), (json!([["5%"]]), json!({"note": "n"})));
}

#[test]
fn only_what_is_asked_for_is_pasted() {
    for (kind, formula, percent, note) in [
        ("PASTE_NORMAL", json!("=C1*2"), "50%", true),
        ("PASTE_VALUES", json!(0.5), "0.5", false),
        ("PASTE_FORMULA", json!("=C1*2"), "0.5", false),
        ("PASTE_FORMAT", Value::Null, "", false),
        ("PASTE_NO_BORDERS", json!("=C1*2"), "50%", true),
        ("PASTE_DATA_VALIDATION", Value::Null, "", false),
    ] {
        let mut bench = Bench::of(3, 4, &json!([["0.25", "=A1*2", "0.25"]]));
        let cell = json!({
            "userEnteredFormat": {"numberFormat": {"type": "PERCENT", "pattern": "0%"}, "borders": {"top": {"style": "SOLID"}}},
            "dataValidation": {"condition": {"type": "NUMBER_GREATER", "values": [{"userEnteredValue": "0"}]}},
            "note": "n",
        });
        bench.batch(&json!([{"updateCells": {"start": {"columnIndex": 1}, "fields": "userEnteredFormat,note,dataValidation", "rows": [{"values": [cell]}]}}]));
        bench.batch(&copy(&range(0, 1, 1, 2), &range(0, 3, 1, 4), &json!({"pasteType": kind})));
        assert_eq!(
            bench.formulas("D1"),
            if formula.is_null() { Value::Null } else { json!([[formula]]) },
            "{kind}"
        );
        assert_eq!(
            bench.values("D1").pointer("/0/0").and_then(Value::as_str).unwrap_or_default(),
            percent,
            "{kind}"
        );
        let data = bench.cell("D1", "note,dataValidation,userEnteredFormat");
        assert_eq!(data.get("note").is_some(), note, "{kind}");
        assert_eq!(data.get("dataValidation").is_some(), note || kind == "PASTE_DATA_VALIDATION", "{kind}");
        let borders = data.pointer("/userEnteredFormat/borders").is_some();
        assert_eq!(borders, matches!(kind, "PASTE_NORMAL" | "PASTE_FORMAT"), "{kind}");
    }
}

#[test]
fn a_source_is_repeated_where_it_fits_several_times() {
    let mut bench = Bench::of(8, 8, &json!([["a", "b"]]));
    bench.batch(&copy(&range(0, 0, 1, 2), &range(2, 0, 4, 4), &json!({})));
    assert_eq!(bench.values("A3:D4"), json!([["a", "b", "a", "b"], ["a", "b", "a", "b"]]));
    bench.batch(&copy(&range(0, 0, 1, 2), &range(6, 0, 7, 3), &json!({})));
    assert_eq!(bench.values("A7:H7"), json!([["a", "b"]]), "three columns are no multiple of two");
    bench.batch(&copy(&range(0, 0, 1, 2), &range(4, 6, 5, 7), &json!({"pasteOrientation": "TRANSPOSE"})));
    assert_eq!(bench.values("G5:H6"), json!([["a"], ["b"]]));
    bench.batch_refused(&copy(&range(0, 0, 1, 2), &range(0, 7, 1, 8), &json!({})));
}

#[test]
fn rules_and_merges_are_copied_with_the_format() {
    let mut bench = Bench::of(8, 8, &json!([["a"]]));
    let rule = json!({"ranges": [range(0, 0, 2, 2)], "booleanRule": {"condition": {"type": "NOT_BLANK"}, "format": {}}});
    bench.batch(
        &json!([{"addConditionalFormatRule": {"rule": rule}}, {"mergeCells": {"range": range(0, 0, 2, 1)}}]),
    );
    bench.batch(&copy(&range(0, 0, 2, 2), &range(4, 4, 5, 5), &json!({})));
    let sheet = bench.sheet("merges,conditionalFormats.ranges");
    assert_eq!(sheet["merges"], json!([strip(range(0, 0, 2, 1)), strip(range(4, 4, 6, 5))]));
    assert_eq!(
        sheet["conditionalFormats"][0]["ranges"],
        json!([strip(range(0, 0, 2, 2)), strip(range(4, 4, 6, 6))])
    );
}

/// A range as answers have it: without the id of the first sheet.
fn strip(mut range: Value) -> Value {
    range.as_object_mut().unwrap().shift_remove("sheetId");
    range
}

#[test]
fn what_refers_to_cut_cells_follows_them() {
    let mut bench = Bench::of(6, 6, &json!([["1", "=A1"], ["=SUM(A1:A1)", "=A1:A2"]]));
    bench.batch(&json!([
        {"addSheet": {"properties": {"sheetId": 5, "title": "Other"}}},
        {"addNamedRange": {"namedRange": {"name": "One", "range": range(0, 0, 1, 1)}}},
        {"cutPaste": {"source": range(0, 0, 1, 2), "destination": {"sheetId": 5, "rowIndex": 2, "columnIndex": 3}}},
    ]));
    assert_eq!(bench.formulas("Other!D3:E3"), json!([[1, "=Other!D3"]]));
    assert_eq!(bench.formulas("Sheet1"), json!([[], ["=SUM(Other!D3)", "=A1:A2"]]));
    assert_eq!(bench.values("One"), json!([["1"]]));
}

proptest! {
    #[test]
    fn copied_away_and_back_everything_is_as_it_was(
        height in 1u32..4, width in 1u32..4, top in 5u32..9, left in 5u32..9, transpose: bool,
    ) {
        let mut bench = Bench::of(14, 14, &json!([["1", "=A1", "5%"], ["x", "=$A$1", ""], ["=B2", "2020-01-01", "=SUM(A1:B2)"]]));
        bench.batch(&json!([{"updateCells": {"start": {"rowIndex": 1, "columnIndex": 1}, "fields": "note,userEnteredFormat", "rows": [{"values": [
            {"note": "n", "userEnteredFormat": {"textFormat": {"bold": true}}}
        ]}]}}]));
        let before = bench.sheet("data.rowData");
        let source = range(0, 0, height, width);
        let (high, wide) = if transpose { (width, height) } else { (height, width) };
        let there = range(top, left, top + high, left + wide);
        let how = json!({"pasteOrientation": if transpose { "TRANSPOSE" } else { "NORMAL" }});
        bench.batch(&copy(&source, &there, &how));
        bench.batch(&copy(&there, &source, &how));
        bench.batch(&json!([{"updateCells": {"range": there, "fields": "*"}}]));
        prop_assert_eq!(bench.sheet("data.rowData"), before);
    }
}
