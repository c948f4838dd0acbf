//! Cells that go on with others, and texts that become cells.

use serde_json::{Value, json};

use crate::sandbox::sheets::bench::Bench;

fn source(range: &Value, dimension: &str, length: i32) -> Value {
    json!([{"autoFill": {"sourceAndDestination": {"source": range, "dimension": dimension, "fillLength": length}}}])
}

#[test]
fn series_go_on() {
    let typed = json!([["1", "Item 1", "=A1*2", "2020-01-31", "7"], ["3", "", "", "", ""]]);
    let mut bench = Bench::of(6, 8, &typed);
    let column = |column: u32, rows: u32| json!({"endRowIndex": rows, "startColumnIndex": column, "endColumnIndex": column + 1});
    bench.batch(&source(&column(0, 2), "ROWS", 2));
    for at in 1..5 {
        bench.batch(&source(&column(at, 1), "ROWS", 2));
    }
    assert_eq!(bench.formulas("A3:A4"), json!([[5], [7]]));
    assert_eq!(bench.formulas("B2:C3"), json!([["Item 2", "=A2*2"], ["Item 3", "=A3*2"]]));
    assert_eq!(bench.values("D2:E3"), json!([["2020-02-01", "7"], ["2020-02-02", "7"]]));
    bench.batch(&json!([{"autoFill": {"useAlternateSeries": true, "range": {"startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 4, "endColumnIndex": 8}}}]));
    assert_eq!(bench.values("E1:H1"), json!([["7", "8", "9", "10"]]));
    let backwards = json!({"startRowIndex": 2, "endRowIndex": 4, "endColumnIndex": 1});
    bench.batch(&source(&backwards, "ROWS", -2));
    assert_eq!(bench.values("A1:A2"), json!([["1"], ["3"]]));
    bench.batch(&source(&column(0, 0), "ROWS", 2));
    bench.batch_refused(&source(&column(0, 2), "ROWS", 5));
    bench.batch_refused(&source(&column(0, 2), "ROWS", -1));
}

#[test]
fn texts_become_cells() {
    let mut bench = Bench::of(3, 2, &json!([["a, b,c"], ["no comma"], ["5;6"]]));
    bench.batch(&json!([{"textToColumns": {"source": {"endColumnIndex": 1}, "delimiterType": "COMMA"}}]));
    assert_eq!(bench.values("A1:C3"), json!([["a", "b", "c"], ["no comma"], ["5;6"]]));
    bench.batch(&json!([{"textToColumns": {"source": {"startRowIndex": 2, "endColumnIndex": 1}}}]));
    assert_eq!(bench.read("A3:B3", "valueRenderOption=UNFORMATTED_VALUE")["values"], json!([[5, 6]]));
    let paste = json!([{"pasteData": {"coordinate": {"rowIndex": 2, "columnIndex": 1}, "data": "1|=B3+1\nx", "delimiter": "|", "type": "PASTE_NORMAL"}}]);
    bench.batch(&paste);
    assert_eq!(bench.values("B3:C4"), json!([["1", "2"], ["x"]]));
    bench.batch_refused(&json!([{"textToColumns": {"source": {"endColumnIndex": 2}}}]));
    bench.batch_refused(&json!([{"pasteData": {"data": "x"}}]));
}

#[test]
fn rows_are_shuffled_as_a_whole() {
    let rows: Vec<Value> = (1..=9).map(|row| json!([row.to_string(), format!("=A{row}*2")])).collect();
    let mut bench = Bench::of(9, 2, &Value::Array(rows.clone()));
    bench.batch(&json!([{"randomizeRange": {"range": {"endRowIndex": 9}}}]));
    let shuffled = bench.read("A1:B9", "valueRenderOption=UNFORMATTED_VALUE")["values"].take();
    let shuffled: Vec<(i64, i64)> = shuffled
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row[0].as_i64().unwrap(), row[1].as_i64().unwrap()))
        .collect();
    assert!(shuffled.iter().all(|(number, twice)| *twice == number * 2), "{shuffled:?}");
    let mut numbers: Vec<i64> = shuffled.iter().map(|(number, _)| *number).collect();
    assert_ne!(numbers, (1..=9).collect::<Vec<i64>>());
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=9).collect::<Vec<i64>>());
}
