//! Where the header of the results is, if people have written above it or have edited it between runs; cells that they
//! have merged.

use serde_json::{Value, json};
use status_validator::domain::results::ResultRow;
use status_validator::sandbox::Door;
use status_validator::sandbox::sheets::Typed;
use status_validator::table::{TableError, TableSink as _};

use super::sink::{row, run};
use crate::support::stand::{REVIEW, Stand, TARGET, options};

fn rows(count: u64) -> Vec<ResultRow> {
    (2..count + 2).map(|n| row(&format!("p{n}"), n)).collect()
}

async fn open_error(stand: &Stand) -> TableError {
    stand.sink().open(&options()).await.unwrap_err()
}

/// A person writes texts side by side.
fn write(stand: &Stand, row: u32, column: u32, texts: &[&str]) {
    let cell = |text: &&str| json!({"userEnteredValue": {"stringValue": text}});
    let values: Vec<Value> = texts.iter().map(cell).collect();
    let start = json!({"sheetId": stand.tab_id(TARGET, REVIEW), "rowIndex": row, "columnIndex": column});
    stand.edit(&json!([{"updateCells": {
        "start": start, "rows": [{"values": values}], "fields": "userEnteredValue"}}]));
}

fn insert_rows(stand: &Stand, count: u32) {
    let tab = stand.tab_id(TARGET, REVIEW);
    let range = json!({"sheetId": tab, "dimension": "ROWS", "startIndex": 0, "endIndex": count});
    stand.edit(&json!([{"insertDimension": {"range": range}}]));
}

#[tokio::test(start_paused = true)]
async fn a_legend_above_the_header_is_no_header() {
    let every = ["Row Number", "Is Valid", "Issues", "Rewrite Suggestion", "Raw LLM JSON"];
    for legend in [&["Check date", "25.11.2026"][..], &every[..]] {
        let stand = Stand::new();
        run(&stand, &rows(4)).await;
        insert_rows(&stand, 2);
        write(&stand, 0, 0, legend);
        let before = stand.review();
        stand.sandbox.clear_seen();
        let done = run(&stand.another(), &rows(4)).await;
        assert_eq!((done.written, done.unchanged, done.warnings.len()), (0, 4, 0), "{done:?}");
        assert_eq!((stand.review(), stand.count(Door::Write)), (before, 0));
        let done = run(&stand.another(), &rows(5)).await;
        assert_eq!((done.written, done.unchanged, stand.review().len()), (1, 4, 8));
    }
}

#[tokio::test(start_paused = true)]
async fn a_tab_is_blank_only_if_all_of_it_is() {
    for (rows_above, rows_of_tab) in [(149, 1_000), (30_000, 40_000), (20, 1_000)] {
        let stand = Stand::new();
        let tab = json!({"title": REVIEW, "gridProperties": {"rowCount": rows_of_tab, "columnCount": 12}});
        stand.edit(&json!([{"addSheet": {"properties": tab}}]));
        write(&stand, rows_above, 0, &["Week", "Budget"]);
        let before = stand.review();
        let error = open_error(&stand).await;
        assert!(matches!(error, TableError::Mismatch { .. }), "{error}");
        let told = error.to_string();
        for words in [TARGET, REVIEW, "something else", "sheets.target_sheet_name", "nothing was written"] {
            assert!(told.contains(words), "{words}: {told}");
        }
        if rows_above > 100 {
            assert!(
                told.contains(&format!("row {} is the first that is not blank", rows_above + 1)),
                "{told}"
            );
        }
        assert_eq!((stand.review(), stand.count(Door::Write)), (before, 0), "untouched");
        assert!(stand.count(Door::Read) < 8, "{}", stand.count(Door::Read));
    }

    // A formula that gives nothing is somebody's.
    let stand = Stand::new();
    let formulas = [vec![Typed::Formula("=IF(FALSE, 1, \"\")".into())]];
    stand.sandbox.with_office(|office| office.load_sheet(TARGET, REVIEW, &formulas).unwrap());
    assert!(open_error(&stand).await.to_string().contains("row 1 is the first"));

    // Results are not begun anew above those that people have moved far down.
    let stand = Stand::new();
    run(&stand, &rows(3)).await;
    insert_rows(&stand, 120);
    let before = stand.review();
    let told = open_error(&stand).await.to_string();
    assert!(
        told.contains("row 121 is the first") && told.contains("put it back above the results"),
        "{told}"
    );
    assert_eq!(stand.review(), before);
}

#[tokio::test(start_paused = true)]
async fn a_header_that_was_renamed_between_runs_is_told() {
    let stand = Stand::new();
    run(&stand, &rows(3)).await;
    write(&stand, 0, 5, &["Валидно?"]);
    let done = run(&stand.another(), &rows(3)).await;
    let told = done.warnings.join("; ");
    for words in ["lacks", "«Is Valid» (renamed to «Валидно?» in column F?)", "delete the one that is added"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(stand.review()[0][14], "Is Valid");
    assert_eq!(stand.column("Is Valid"), ["YES", "YES", "YES"]);
    let done = run(&stand.another(), &rows(3)).await;
    assert_eq!((done.warnings.len(), done.unchanged), (0, 3), "told once: {done:?}");

    write(&stand, 0, 5, &["Is Valid"]);
    let error = open_error(&stand).await;
    assert!(matches!(error, TableError::Header { .. }), "{error}");
    let told = error.to_string();
    for words in ["«Is Valid»", "columns 6, 15", "delete all but one of them", "what was judged is kept"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let tab = stand.tab_id(TARGET, REVIEW);
    let added = json!({"sheetId": tab, "dimension": "COLUMNS", "startIndex": 14, "endIndex": 15});
    stand.edit(&json!([{"deleteDimension": {"range": added}}]));
    let done = run(&stand.another(), &rows(3)).await;
    assert_eq!((done.unchanged, done.warnings.len()), (3, 0), "as it was before");
}

#[tokio::test(start_paused = true)]
async fn most_of_a_header_of_ours_is_enough_and_less_is_not() {
    let stand = Stand::new();
    run(&stand, &rows(3)).await;
    write(&stand, 0, 0, &["№", "Project name", "Status", "Date", "Text"]);
    let done = run(&stand.another(), &rows(3)).await;
    assert!(done.warnings[0].contains("«Row Number» (renamed to «№» in column A?)"), "{:?}", done.warnings);
    assert_eq!(stand.review().len(), 4, "rows are known by their keys");

    let stand = Stand::new();
    run(&stand, &rows(3)).await;
    write(&stand, 0, 0, &["a", "b", "c", "d", "e", "f", "g", "h"]);
    let before = stand.review();
    let told = open_error(&stand).await.to_string();
    assert!(told.contains("had results once") && told.contains("put it back above the results"), "{told}");
    assert_eq!(stand.review(), before);
}

#[tokio::test(start_paused = true)]
async fn merged_cells_are_told_and_their_rows_are_not_marked() {
    let stand = Stand::new();
    run(&stand, &rows(4)).await;
    let tab = stand.tab_id(TARGET, REVIEW);
    let merge = |rows: [u32; 2], columns: [u32; 2]| {
        let range = json!({"sheetId": tab, "startRowIndex": rows[0], "endRowIndex": rows[1],
            "startColumnIndex": columns[0], "endColumnIndex": columns[1]});
        json!({"mergeCells": {"range": range, "mergeType": "MERGE_ALL"}})
    };
    let column = json!({"appendDimension": {"sheetId": tab, "dimension": "COLUMNS", "length": 4}});
    stand.edit(&json!([column, merge([2, 3], [0, 14]), merge([3, 5], [15, 17])]));
    let merged = stand.review()[2].clone();
    assert_eq!((merged[0].as_str(), merged[13].as_str()), ("3", ""), "Google keeps the first cell only");
    let done = run(&stand.another(), &rows(4)).await;
    assert_eq!((done.written, done.unchanged, done.marked_gone), (1, 3, 0), "{done:?}");
    let told = done.warnings.join("; ");
    assert!(told.contains("merged: A3:N3;") && told.contains("unmerge them"), "only ours: {told}");
    assert_eq!(stand.review()[2], merged, "it is left as it is");
    assert_eq!(stand.column("Key"), ["p2", "", "p4", "p5", "p3"]);
    let done = run(&stand.another(), &rows(4)).await;
    assert_eq!((done.written, done.unchanged, done.marked_gone), (0, 4, 0), "added once");
}
