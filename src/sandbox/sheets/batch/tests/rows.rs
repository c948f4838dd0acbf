//! Rows sorted, searched and tidied.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sandbox::sheets::bench::Bench;

fn sort(range: &Value, specs: &Value) -> Value {
    json!([{"sortRange": {"range": range, "sortSpecs": specs}}])
}

#[test]
fn cells_move_with_all_that_is_theirs() {
    let mut bench =
        Bench::of(5, 3, &json!([["name", "n"], ["b", "2"], ["a", "=1+0", "=B3*10"], ["", ""], ["c", "x"]]));
    bench.batch(&json!([
        {"updateCells": {"start": {"rowIndex": 1}, "fields": "note", "rows": [{"values": [{"note": "of b"}]}]}},
        {"updateDimensionProperties": {"range": {"dimension": "ROWS", "startIndex": 1, "endIndex": 2}, "properties": {"hiddenByUser": true}, "fields": "hiddenByUser"}},
        {"addNamedRange": {"namedRange": {"name": "Second", "range": {"startRowIndex": 1, "endRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 1}}}},
    ]));
    bench.batch(&sort(
        &json!({"startRowIndex": 1}),
        &json!([{"dimensionIndex": 0, "sortOrder": "ASCENDING"}]),
    ));
    assert_eq!(
        bench.formulas("Sheet1"),
        json!([["name", "n"], ["a", "=1+0", "=B2*10"], ["b", 2], ["c", "x"]])
    );
    assert_eq!(bench.cell("A3", "note"), json!({"note": "of b"}));
    assert_eq!(bench.values("Second"), json!([["a"]]), "what hangs on rows stays");
    let hidden = bench
        .office
        .look("book", crate::sandbox::sheets::bench::now())
        .unwrap()
        .sheet("Sheet1")
        .unwrap()
        .hidden_rows();
    assert_eq!(hidden, [1]);
}

#[test]
fn values_have_an_order() {
    let typed = json!([["b"], ["10"], [""], ["TRUE"], ["a"], ["2"], ["=1/0"], ["B"], ["FALSE"]]);
    let by = |order: &str| json!([{"dimensionIndex": 0, "sortOrder": order}]);
    let mut bench = Bench::of(9, 1, &typed);
    bench.batch(&sort(&json!({}), &by("ASCENDING")));
    let read = |bench: &mut Bench| bench.read("Sheet1", "majorDimension=COLUMNS")["values"][0].take();
    assert_eq!(read(&mut bench), json!(["2", "10", "a", "b", "B", "FALSE", "TRUE", "#DIV/0!"]));
    bench.batch(&sort(&json!({}), &by("DESCENDING")));
    assert_eq!(read(&mut bench), json!(["#DIV/0!", "TRUE", "FALSE", "b", "B", "a", "10", "2"]));
    let mut two = Bench::of(3, 2, &json!([["1", "a"], ["2", "b"], ["1", "c"]]));
    two.batch(&sort(
        &json!({}),
        &json!([{"dimensionIndex": 0}, {"dimensionIndex": 1, "sortOrder": "DESCENDING"}]),
    ));
    assert_eq!(two.values("Sheet1"), json!([["1", "c"], ["1", "a"], ["2", "b"]]));
    two.batch(&json!([{"mergeCells": {"range": {"endRowIndex": 2, "endColumnIndex": 1}}}]));
    two.batch_refused(&sort(&json!({}), &by("ASCENDING")));
    two.batch_refused(&sort(&json!({"startColumnIndex": 1}), &by("ASCENDING")));
}

#[test]
fn text_is_found_and_replaced() {
    let typed =
        json!([["Google Sheets", "=CONCATENATE(\"ee\",\"x\")", "feed"], ["Google Docs", "33", "'33"]]);
    let mut bench = Bench::of(3, 3, &typed);
    let replace = |more: Value| {
        let mut request = json!({"allSheets": true});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([{"findReplace": request}])
    };
    let replies = bench.batch(&replace(json!({"find": "E", "replacement": "o"})));
    assert_eq!(
        replies[0]["findReplace"],
        json!({"valuesChanged": 3, "rowsChanged": 2, "sheetsChanged": 1, "occurrencesChanged": 6})
    );
    assert_eq!(
        bench.values("Sheet1"),
        json!([["Googlo Shoots", "eex", "food"], ["Googlo Docs", "33", "33"]])
    );
    bench.batch(&replace(
        json!({"find": "o.* (.*)", "replacement": "$1 Rocks", "searchByRegex": true, "matchCase": true}),
    ));
    assert_eq!(bench.values("A1:A2"), json!([["GShoots Rocks"], ["GDocs Rocks"]]));
    let replies = bench.batch(&replace(json!({"find": "ee", "replacement": "a", "includeFormulas": true})));
    assert_eq!(replies[0]["findReplace"]["formulasChanged"], json!(1));
    assert_eq!(bench.formulas("B1"), json!([["=CONCATENATE(\"a\",\"x\")"]]));
    bench.batch(&replace(json!({"find": "33", "replacement": "44", "matchEntireCell": true})));
    assert_eq!(bench.read("B2:C2", "valueRenderOption=UNFORMATTED_VALUE")["values"], json!([[44, "44"]]));
    let none = bench.batch(&replace(json!({"find": "nowhere", "replacement": "x"})));
    assert_eq!(none, json!([{"findReplace": {}}]));
    bench.batch_refused(&replace(json!({"find": "("  , "searchByRegex": true})));
    bench.batch_refused(&json!([{"findReplace": {"find": "x"}}]));
    let both = bench.batch_refused(&replace(json!({"find": "x", "sheetId": 0})));
    assert!(both.contains("oneof field 'scope' is already set"), "{both}");
}

#[test]
fn rows_that_stand_twice_go() {
    let mut bench = Bench::of(
        6,
        3,
        &json!([
            ["a", "1", "keep1"],
            ["A", "=1", "keep2"],
            ["b", "1", "keep3"],
            ["a", "1", "keep4"],
            ["c", "", "keep5"]
        ]),
    );
    let replies = bench.batch(&json!([{"deleteDuplicates": {"range": {"endColumnIndex": 2}}}]));
    assert_eq!(replies[0]["deleteDuplicates"], json!({"duplicatesRemovedCount": 2}));
    assert_eq!(
        bench.values("Sheet1"),
        json!([
            ["a", "1", "keep1"],
            ["b", "1", "keep2"],
            ["c", "", "keep3"],
            ["", "", "keep4"],
            ["", "", "keep5"]
        ])
    );
    let by_second = json!({"range": {"endRowIndex": 3, "endColumnIndex": 2}, "comparisonColumns": [{"dimension": "COLUMNS", "startIndex": 1, "endIndex": 2}]});
    bench.batch(&json!([{"deleteDuplicates": by_second}]));
    assert_eq!(bench.values("A1:B3"), json!([["a", "1"], ["c"]]));
}

#[test]
fn blanks_around_texts_go() {
    let mut bench = Bench::new();
    bench.write("A1", "valueInputOption=RAW", &json!([["  a \n b\t", "c", " =1", 5]]));
    let replies = bench.batch(&json!([{"trimWhitespace": {"range": {}}}]));
    assert_eq!(replies[0]["trimWhitespace"], json!({"cellsChangedCount": 2}));
    assert_eq!(bench.formulas("A1:D1"), json!([["a b", "c", "=1", 5]]));
}

proptest! {
    #[test]
    fn sorting_loses_nothing_and_keeps_rows_together(keys in prop::collection::vec(0u32..5, 1..12), descending: bool) {
        let rows: Vec<Value> = keys.iter().enumerate().map(|(at, key)| json!([key, format!("row {at}"), format!("=A{}", at + 1)])).collect();
        let mut bench = Bench::of(12, 3, &json!(rows));
        let order = if descending { "DESCENDING" } else { "ASCENDING" };
        bench.batch(&sort(&json!({}), &json!([{"dimensionIndex": 0, "sortOrder": order}])));
        let sorted = bench.read("Sheet1", "valueRenderOption=UNFORMATTED_VALUE")["values"].take();
        let mut expected: Vec<(u32, usize)> = keys.iter().copied().zip(0..).collect();
        expected.sort_by_key(|(key, _)| if descending { 10 - key } else { *key });
        let expected: Vec<Value> = expected.iter().map(|(key, at)| json!([key, format!("row {at}"), key])).collect();
        prop_assert_eq!(sorted, json!(expected));
    }
}
