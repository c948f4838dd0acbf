//! Values read, written, appended and cleared.

use serde_json::{Value, json};

use crate::sandbox::sheets::bench::{Bench, encoded};
use crate::sandbox::sheets::office::Switches;

#[test]
fn what_is_blank_at_the_ends_is_left_out() {
    let mut bench = Bench::of(6, 4, &json!([["", ""], ["", "b2", ""], [], ["a4", "", "", ""]]));
    for (range, query, expected) in [
        ("Sheet1", "", json!([[], ["", "b2"], [], ["a4"]])),
        ("A1:B2", "", json!([[], ["", "b2"]])),
        ("B2:C6", "", json!([["b2"]])),
        ("A5:D6", "", Value::Null),
        ("Sheet1", "majorDimension=COLUMNS", json!([["", "", "", "a4"], ["", "b2"]])),
        ("C:D", "majorDimension=COLUMNS", Value::Null),
    ] {
        let read = bench.read(range, query);
        assert_eq!(read["values"], expected, "{range}");
        assert_eq!(read.get("values").is_none(), expected.is_null(), "{range}");
    }
    assert_eq!(bench.read("B2:C6", "")["range"], json!("Sheet1!B2:C6"));
    assert_eq!(bench.read("A:B", "majorDimension=COLUMNS")["range"], json!("Sheet1!A1:B6"));
}

#[test]
fn values_are_given_in_three_forms() {
    let typed = json!([["=1/2", "2020-01-01", "5%", "TRUE", "=1/0", "=TODAY()", "x"]]);
    let mut bench = Bench::of(2, 7, &typed);
    let mut read = |query: &str| bench.read("A1:G1", query)["values"][0].take();
    assert_eq!(read(""), json!(["0.5", "2020-01-01", "5%", "TRUE", "#DIV/0!", "3/13/2026", "x"]));
    let reason = "#DIV/0! (Function DIVIDE parameter 2 cannot be zero.)";
    assert_eq!(
        read("valueRenderOption=UNFORMATTED_VALUE"),
        json!([0.5, 43831, 0.05, true, reason, 46094, "x"])
    );
    assert_eq!(
        read("valueRenderOption=UNFORMATTED_VALUE&dateTimeRenderOption=FORMATTED_STRING"),
        json!([0.5, "2020-01-01", 0.05, true, reason, "3/13/2026", "x"])
    );
    assert_eq!(
        read("valueRenderOption=FORMULA"),
        json!(["=1/2", 43831, 0.05, true, "=1/0", "=TODAY()", "x"])
    );
}

#[test]
fn raw_values_stay_what_they_are() {
    let mut bench = Bench::new();
    bench.write(
        "A1",
        "valueInputOption=RAW",
        &json!([["=1+1", "0042", "2020-01-01", "TRUE", 5, 1.5, true, "'x"]]),
    );
    let expected = json!([["=1+1", "0042", "2020-01-01", "TRUE", 5, 1.5, true, "'x"]]);
    assert_eq!(bench.read("A1:H1", "valueRenderOption=UNFORMATTED_VALUE")["values"], expected);
    assert_eq!(bench.formulas("A1:H1"), expected);
}

#[test]
fn an_update_tells_the_rectangle_of_its_body() {
    for (range, values, expected) in [
        ("A1", json!([["a", "b"], ["c", "d"]]), json!(["Sheet1!A1:B2", 2, 2, 4])),
        ("A1:B2", json!([["a", "b"]]), json!(["Sheet1!A1:B1", 1, 2, 2])),
        ("B2:Z9", json!([["a", "b", "c"], ["d"]]), json!(["Sheet1!B2:D3", 2, 3, 4])),
        (
            "A1:D6",
            json!([["x", null, null, null], [], [], [], [], [null, null, null, "y"]]),
            json!(["Sheet1!A1:D6", 2, 2, 2]),
        ),
        ("A1", json!([["", ""]]), json!(["Sheet1!A1:B1", 1, 2, 2])),
        ("A1", json!([[null]]), json!(["Sheet1!A1", null, null, null])),
        ("A:A", json!([["x"]]), json!(["Sheet1!A1", 1, 1, 1])),
    ] {
        let mut bench = Bench::new();
        let answer = bench.write(range, "valueInputOption=RAW", &values);
        let told = ["updatedRange", "updatedRows", "updatedColumns", "updatedCells"]
            .map(|name| answer[name].clone());
        assert_eq!(json!(told), expected, "{range} {values}");
    }
}

#[test]
fn null_leaves_a_cell_and_an_empty_text_empties_it() {
    let mut bench = Bench::of(3, 3, &json!([["a", "b", "c"]]));
    bench.write("A1", "valueInputOption=RAW", &json!([[null, "", "new"]]));
    assert_eq!(bench.values("A1:C1"), json!([["a", "", "new"]]));
    let columns = json!({"majorDimension": "COLUMNS", "values": [["1", "2"], [null, "3"]]});
    bench.ok("PUT", "/values/A1", "valueInputOption=RAW", &columns);
    assert_eq!(bench.values("A1:C2"), json!([["1", "", "new"], ["2", "3"]]));
}

#[test]
fn an_update_stays_inside_of_its_range() {
    let mut bench = Bench::of(10, 4, &json!([["x"]]));
    for (range, values, expected) in [
        (
            "A1:B2",
            json!([[1, 2, 3]]),
            "Requested writing within range [Sheet1!A1:B2], but tried writing to column [C]",
        ),
        (
            "A1:B2",
            json!([[1], [2], [3]]),
            "Requested writing within range [Sheet1!A1:B2], but tried writing to row [3]",
        ),
        (
            "A9:C",
            json!([[1], [2], [3]]),
            "Requested writing within range [Sheet1!A9:C10], but tried writing to row [11]",
        ),
        (
            "D1",
            json!([[1, 2]]),
            "Requested writing within range [Sheet1!D1], but tried writing to column [E]",
        ),
        (
            "A10",
            json!([[1], [2]]),
            "Requested writing within range [Sheet1!A10], but tried writing to row [11]",
        ),
        ("E1", json!([[1]]), "Range (Sheet1!E1) exceeds grid limits. Max rows: 10, max columns: 4"),
        ("A11:B", json!([[1]]), "Range (Sheet1!A11:B) exceeds grid limits. Max rows: 10, max columns: 4"),
        ("Nope!A1", json!([[1]]), "Unable to parse range: Nope!A1"),
        (
            "A1",
            json!([[{"a": 1}]]),
            "Invalid values[0][0]: struct_value {\n  fields {\n    key: \"a\"\n    value {\n      number_value: 1\n    }\n  }\n}\n",
        ),
    ] {
        let path = format!("/values/{}", encoded(range));
        let refused = bench.refused("PUT", &path, "valueInputOption=RAW", &json!({"values": values}));
        assert_eq!(refused, expected, "{range}");
    }
    let long = json!({"values": [["x".repeat(50_001)]]});
    let refused = bench.refused("PUT", "/values/A1", "valueInputOption=RAW", &long);
    assert_eq!(refused, "Your input contains more than the maximum of 50000 characters in a single cell.");
    assert_eq!(
        bench.refused("PUT", "/values/A1", "", &json!({})),
        "'valueInputOption' is required but not specified"
    );
    let other = json!({"range": "B1", "values": [[1]]});
    let refused = bench.refused("PUT", "/values/A1", "valueInputOption=RAW", &other);
    assert_eq!(refused, "Request range[A1] does not match value's range[B1]");
    bench.office.set_switches(Switches { update_grows_rows: true, ..Switches::default() });
    bench.write("A10", "valueInputOption=RAW", &json!([[1], [2], [3]]));
    assert_eq!(bench.read("A:A", "")["range"], json!("Sheet1!A1:A12"));
}

#[test]
fn several_updates_count_rows_and_columns_once() {
    let mut bench = Bench::new();
    bench.batch(&json!([{"addSheet": {"properties": {"title": "Other", "sheetId": 9}}}]));
    let body = json!({"valueInputOption": "USER_ENTERED", "includeValuesInResponse": true, "data": [
        {"range": "A1:D1", "values": [["a", "1", null, "d"]]},
        {"range": "Sheet1!A4", "values": [["=1+1"]]},
        {"range": "Other!B1", "majorDimension": "COLUMNS", "values": [["x", "y"]]},
    ]});
    let answer = bench.ok("POST", "/values:batchUpdate", "", &body);
    let totals =
        ["Rows", "Columns", "Cells", "Sheets"].map(|name| answer[format!("totalUpdated{name}")].clone());
    assert_eq!(json!(totals), json!([4, 4, 6, 2]));
    assert_eq!(
        answer["responses"][1]["updatedData"],
        json!({"range": "Sheet1!A4", "majorDimension": "ROWS", "values": [["2"]]})
    );
    assert_eq!(answer["responses"][2]["updatedData"]["values"], json!([["x", "y"]]));
    for (range, values, expected) in [
        ("Nope!A1", json!([]), "Invalid data[1]: Unable to parse range: Nope!A1"),
        (
            "A1:B1",
            json!([[1], [2]]),
            "Invalid data[1]: Requested writing within range [Sheet1!A1:B1], but tried writing to row [2]",
        ),
    ] {
        let data = json!([{"range": "C9", "values": [["lost"]]}, {"range": range, "values": values}]);
        let body = json!({"valueInputOption": "RAW", "data": data});
        assert_eq!(bench.refused("POST", "/values:batchUpdate", "", &body), expected);
    }
    assert_eq!(bench.values("C9"), Value::Null);
}

#[test]
fn rows_are_appended_below_a_table() {
    let append = |bench: &mut Bench, range: &str, query: &str, values: Value| {
        let path = format!("/values/{}:append", encoded(range));
        let answer =
            bench.ok("POST", &path, &format!("valueInputOption=RAW{query}"), &json!({"values": values}));
        json!([answer.get("tableRange"), answer["updates"]["updatedRange"]])
    };
    let mut bench = Bench::of(5, 4, &json!([]));
    assert_eq!(append(&mut bench, "Sheet1", "", json!([["h", "i"]])), json!([null, "Sheet1!A1:B1"]));
    assert_eq!(
        append(&mut bench, "Sheet1!A1", "", json!([["1"], ["2", "3"]])),
        json!(["Sheet1!A1:B1", "Sheet1!A2:B3"])
    );
    assert_eq!(append(&mut bench, "D5", "", json!([["x"]])), json!([null, "Sheet1!D5"]));
    let grown = append(&mut bench, "A1:B1", "", json!([["4"], ["5"], ["6"], ["7", "", "", "", "wide"]]));
    assert_eq!(grown, json!(["Sheet1!A1:B3", "Sheet1!A4:E7"]));
    assert_eq!(bench.read("Sheet1", "")["range"], json!("Sheet1!A1:E7"));
    assert_eq!(
        append(&mut bench, "A1", "&insertDataOption=INSERT_ROWS", json!([["8"]])),
        json!(["Sheet1!A1:B7", "Sheet1!A8"])
    );
    assert_eq!(bench.read("Sheet1", "")["range"], json!("Sheet1!A1:E8"), "a row is inserted in any case");
    let mut empty = Bench::of(5, 4, &json!([]));
    let inserted = append(&mut empty, "Sheet1", "&insertDataOption=INSERT_ROWS", json!([["a"], ["b"]]));
    assert_eq!(inserted, json!([null, "Sheet1!A1:A2"]));
    assert_eq!(empty.read("Sheet1", "")["range"], json!("Sheet1!A1:D7"));
}

#[test]
fn inserted_rows_push_down_what_is_below() {
    let mut bench = Bench::of(6, 2, &json!([["a", "=A4"], ["b"], [], ["below"]]));
    let body = json!({"values": [["c"], ["d"]]});
    bench.ok("POST", "/values/A1:append", "valueInputOption=RAW&insertDataOption=INSERT_ROWS", &body);
    assert_eq!(bench.values("A1:A9"), json!([["a"], ["b"], ["c"], ["d"], [], ["below"]]));
    assert_eq!(bench.formulas("B1"), json!([["=A6"]]));
    let over = json!({"values": [["e"], ["f"]]});
    bench.ok("POST", "/values/A1:append", "valueInputOption=RAW", &over);
    assert_eq!(bench.values("A4:A9"), json!([["d"], ["e"], ["f"]]), "without it the rows are overwritten");
}

#[test]
fn only_values_are_cleared() {
    let mut bench = Bench::of(5, 5, &json!([["a", "b"], ["c", "5%"]]));
    bench.batch(
        &json!([{"updateCells": {"start": {}, "fields": "note", "rows": [{"values": [{"note": "n"}]}]}}]),
    );
    let answer = bench.ok("POST", "/values/A1%3AZ9:clear", "", &json!({}));
    assert_eq!(answer["clearedRange"], json!("Sheet1!A1:E5"));
    assert_eq!((bench.values("A1:E5"), bench.cell("A1", "note")), (Value::Null, json!({"note": "n"})));
    bench.type_in("B2", &json!([[0.5]]));
    assert_eq!(bench.values("B2"), json!([["50%"]]), "the format is still there");
    bench.type_in("A1", &json!([["a", "b"], ["c", "d"]]));
    let ranges = json!({"ranges": ["A1", "Sheet1!B2:C9"]});
    let answer = bench.ok("POST", "/values:batchClear", "", &ranges);
    assert_eq!(answer["clearedRanges"], json!(["Sheet1!A1", "Sheet1!B2:C5"]));
    assert_eq!(bench.values("A1:E5"), json!([["", "b"], ["c"]]));
    let refused = bench.refused("POST", "/values:batchClear", "", &json!({"ranges": ["B1", "F1:G"]}));
    assert_eq!(
        refused,
        "Invalid range[0]: Range (Sheet1!F1:G) exceeds grid limits. Max rows: 5, max columns: 5"
            .replace("[0]", "[1]")
    );
}

#[test]
fn data_filters_name_ranges_in_three_ways() {
    let mut bench = Bench::of(5, 3, &json!([["a", "b"], ["c", "d"], ["e", "f"]]));
    let row = json!({"sheetId": 0, "dimension": "ROWS", "startIndex": 1, "endIndex": 2});
    bench.batch(&json!([{"createDeveloperMetadata": {"developerMetadata": {
        "metadataKey": "row", "visibility": "DOCUMENT", "location": {"dimensionRange": row}
    }}}]));
    let by_key = json!({"developerMetadataLookup": {"metadataKey": "row"}});
    let by_grid = json!({"gridRange": {"sheetId": 0, "startRowIndex": 0, "endRowIndex": 1}});
    let body = json!({"dataFilters": [{"a1Range": "A2:C2"}, by_grid, by_key]});
    let answer = bench.ok("POST", "/values:batchGetByDataFilter", "", &body);
    assert_eq!(
        answer["valueRanges"],
        json!([
            {
                "valueRange": {"range": "Sheet1!A2:C2", "majorDimension": "ROWS", "values": [["c", "d"]]},
                "dataFilters": [{"a1Range": "A2:C2"}, by_key],
            },
            {
                "valueRange": {"range": "Sheet1!A1:C1", "majorDimension": "ROWS", "values": [["a", "b"]]},
                "dataFilters": [{"gridRange": {"endRowIndex": 1}}],
            },
        ])
    );
    bench.batch(&json!([{"insertDimension": {"range": {"sheetId": 0, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}}}]));
    let write = json!({"valueInputOption": "RAW", "data": [{"dataFilter": by_key, "values": [["new"]]}]});
    let answer = bench.ok("POST", "/values:batchUpdateByDataFilter", "", &write);
    assert_eq!(
        answer["responses"][0]["updatedRange"],
        json!("Sheet1!A3"),
        "metadata has gone along with its row"
    );
    assert_eq!(answer["responses"][0]["dataFilter"], by_key);
    let cleared = bench.ok("POST", "/values:batchClearByDataFilter", "", &json!({"dataFilters": [by_key]}));
    assert_eq!(cleared["clearedRanges"], json!(["Sheet1!A3:C3"]));
    let found = bench.ok("POST", "/developerMetadata:search", "", &json!({"dataFilters": [by_key]}));
    let id = found["matchedDeveloperMetadata"][0]["developerMetadata"]["metadataId"].clone();
    let one = bench.ok("GET", &format!("/developerMetadata/{id}"), "", &Value::Null);
    assert_eq!(one["location"]["dimensionRange"]["startIndex"], json!(2));
    let gone = json!({"dataFilters": [{"gridRange": {"sheetId": 77}}]});
    assert_eq!(bench.refused("POST", "/values:batchGetByDataFilter", "", &gone), "No grid with id: 77");
}

#[test]
fn a_write_takes_away_links_and_typed_addresses_become_links() {
    let mut bench = Bench::new();
    let link = json!({"link": {"uri": "https://example.com/a"}});
    bench.batch(&json!([{"updateCells": {"start": {}, "fields": "userEnteredValue,textFormatRuns", "rows": [{"values": [
        {"userEnteredValue": {"stringValue": "see 😀 here"}, "textFormatRuns": [{"startIndex": 7, "format": link}]}
    ]}]}}]));
    assert_eq!(bench.cell("A1", "hyperlink"), json!({"hyperlink": "https://example.com/a"}));
    bench.type_in("A1", &json!([["see 😀 here"]]));
    assert_eq!(bench.cell("A1", "hyperlink,textFormatRuns"), Value::Null);
    bench.type_in("A1", &json!([["https://example.com/b"]]));
    assert_eq!(bench.cell("A1", "hyperlink"), json!({"hyperlink": "https://example.com/b"}));
    bench.write("A2", "valueInputOption=RAW", &json!([["https://example.com/b"]]));
    assert_eq!(bench.cell("A2", "hyperlink"), Value::Null);
}

#[test]
fn the_locale_says_what_typed_texts_mean() {
    let mut bench = Bench::new();
    bench.batch(
        &json!([{"updateSpreadsheetProperties": {"properties": {"locale": "ru_RU"}, "fields": "locale"}}]),
    );
    bench.type_in("A1", &json!([["23.11.2026 14:49", "1,5", "=SUM(1,5;2)", "=SUM(1,2)"]]));
    assert_eq!(bench.values("A1:D1"), json!([["23.11.2026 14:49:00", "1,5", "3,5", "1,2"]]));
    bench.type_in(
        "A2",
        &json!([[
            "=HYPERLINK(\"https://example.com\";\"label\")",
            "=HYPERLINK(\"https://example.com\",\"label\")"
        ]]),
    );
    assert_eq!(bench.values("A2:B2"), json!([["label", "#ERROR!"]]));
    assert_eq!(bench.cell("A2", "hyperlink"), json!({"hyperlink": "https://example.com"}));
}
