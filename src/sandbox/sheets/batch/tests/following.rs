//! Whatever happens to rows and columns, what refers to a cell goes on referring to it.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sandbox::sheets::bench::Bench;

const SIDE: u32 = 5;

/// A change of the first sheet, as a request.
fn any_change() -> impl Strategy<Value = Value> {
    let dimension = prop_oneof![Just("ROWS"), Just("COLUMNS")];
    (dimension, 0..SIDE, 1..3u32, 0..=SIDE, 0..6u32).prop_map(|(dimension, start, count, to, kind)| {
        let range = json!({"sheetId": 0, "dimension": dimension, "startIndex": start, "endIndex": start + count});
        let area = json!({"startRowIndex": start, "endRowIndex": start + 1, "startColumnIndex": to.min(SIDE - 1), "endColumnIndex": to.min(SIDE - 1) + 1});
        match kind {
            0 | 1 => json!({"insertDimension": {"range": range, "inheritFromBefore": start > 0}}),
            2 => json!({"deleteDimension": {"range": range}}),
            3 => json!({"moveDimension": {"source": range, "destinationIndex": to}}),
            4 => json!({"insertRange": {"range": area, "shiftDimension": dimension}}),
            _ => json!({"deleteRange": {"range": area, "shiftDimension": dimension}}),
        }
    })
}

/// A sheet of cells that hold their own names, and a second sheet of formulas, each for one of them.
fn labelled() -> Bench {
    let name =
        |row: u32, column: u32| format!("{}{}", char::from(b'A' + u8::try_from(column).unwrap()), row + 1);
    let table = |of: &dyn Fn(u32, u32) -> String| -> Value {
        (0..SIDE)
            .map(|row| (0..SIDE).map(|column| of(row, column)).collect::<Vec<_>>())
            .collect::<Vec<_>>()
            .into()
    };
    let mut bench = Bench::of(SIDE, SIDE, &table(&|row, column| format!("cell {}", name(row, column))));
    bench.batch(&json!([{"addSheet": {"properties": {"sheetId": 9, "title": "Formulas"}}}]));
    bench.type_in("Formulas!A1", &table(&|row, column| format!("=Sheet1!{}", name(row, column))));
    for row in 0..SIDE {
        for column in 0..SIDE {
            let range = json!({"startRowIndex": row, "endRowIndex": row + 1, "startColumnIndex": column, "endColumnIndex": column + 1});
            bench.batch(&json!([{"addNamedRange": {"namedRange": {"name": format!("name_{}", name(row, column)), "range": range}}}]));
        }
        let line = json!({"dimensionRange": {"dimension": "ROWS", "startIndex": row, "endIndex": row + 1}});
        bench.batch(&json!([{"createDeveloperMetadata": {"developerMetadata": {"metadataKey": "row", "metadataValue": row.to_string(), "visibility": "DOCUMENT", "location": line}}}]));
    }
    bench
}

/// All that the first sheet shows.
fn shown(bench: &mut Bench) -> Vec<String> {
    let values = bench.values("Sheet1");
    let rows = values.as_array().cloned().unwrap_or_default();
    rows.iter()
        .flat_map(|row| row.as_array().unwrap().clone())
        .filter_map(|cell| cell.as_str().map(str::to_owned))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn formulas_and_names_find_their_cells(changes in prop::collection::vec(any_change(), 1..6)) {
        let mut bench = labelled();
        let mut whole_lines = true;
        for change in &changes {
            let (status, _) = bench.call("POST", ":batchUpdate", "", &json!({"requests": [change]}));
            whole_lines &= status != 200 || change.get("insertRange").is_none() && change.get("deleteRange").is_none();
        }
        let left = shown(&mut bench);
        let formulas = bench.values("Formulas!A1:E5");
        let mut found = 0;
        for row in 0..SIDE as usize {
            for column in 0..SIDE as usize {
                let name = format!("{}{}", char::from(b'A' + column as u8), row + 1);
                let label = format!("cell {name}");
                let formula = formulas[row][column].as_str().unwrap_or_default();
                let (status, named) = bench.call("GET", &format!("/values/name_{name}"), "", &Value::Null);
                if left.contains(&label) {
                    prop_assert_eq!(formula, &label);
                    prop_assert_eq!((status, &named["values"]), (200, &json!([[label]])));
                    found += 1;
                } else if whole_lines {
                    prop_assert_eq!(formula, "#REF!");
                    prop_assert_eq!(status, 400, "the name of a deleted cell is gone");
                }
            }
        }
        prop_assert_eq!(found, left.iter().filter(|text| text.starts_with("cell ")).count());
    }

    #[test]
    fn metadata_stays_with_its_row(changes in prop::collection::vec(any_change(), 1..6)) {
        let mut bench = labelled();
        for change in &changes {
            if change.get("insertRange").is_none() && change.get("deleteRange").is_none() {
                bench.call("POST", ":batchUpdate", "", &json!({"requests": [change]}));
            }
        }
        for row in 0..SIDE {
            let filter = json!({"developerMetadataLookup": {"metadataKey": "row", "metadataValue": row.to_string()}});
            let answer = bench.ok("POST", "/values:batchGetByDataFilter", "", &json!({"dataFilters": [filter]}));
            let ending = (row + 1).to_string();
            let mut cells = answer["valueRanges"][0]["valueRange"]["values"][0].as_array().cloned().unwrap_or_default();
            cells.retain(|cell| cell != &json!(""));
            prop_assert!(cells.iter().all(|cell| cell.as_str().unwrap().ends_with(&ending)), "row {}: {:?}", row, cells);
        }
    }
}
