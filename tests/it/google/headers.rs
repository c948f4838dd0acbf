//! Where the header of the results is, if people have written above it.

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
        assert!(matches!(error, TableError::Malformed { .. }), "{error}");
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
