//! The results tab: made, filled, kept in step.

use std::time::Duration;

use serde_json::json;
use status_validator::domain::key::RowKey;
use status_validator::domain::results::{IsValid, ResultRow};
use status_validator::sandbox::{Door, FaultScript};
use status_validator::table::google::{GoogleSink, GoogleSinkParams};
use status_validator::table::{Committed, TableError, TableSink as _};

use crate::support::stand::{REVIEW, Stand, TARGET, options};

pub(crate) fn row(project: &str, number: u64) -> ResultRow {
    ResultRow {
        key: RowKey::of_identifier(project, 1),
        row: number,
        project: Some(project.to_owned()),
        link: None,
        project_manager: None,
        status: "On Track".into(),
        completion_date: "2026-06-30".into(),
        comment: format!("Done: {number} gates"),
        is_valid: IsValid::Yes,
        issues: String::new(),
        rewrite: String::new(),
        raw: "{}".into(),
        check_date: "13.03.2026 09:00".into(),
        model: "small".into(),
        rules: String::new(),
        severity: String::new(),
    }
}

/// A run that offers these rows.
pub(crate) async fn run(stand: &Stand, rows: &[ResultRow]) -> Committed {
    let mut sink = stand.sink();
    sink.open(&options()).await.unwrap();
    sink.upsert(rows).await.unwrap();
    sink.mark_gone(false).await.unwrap();
    let committed = sink.commit().await.unwrap();
    sink.close().await.unwrap();
    committed
}

#[tokio::test(start_paused = true)]
async fn a_tab_is_made_and_filled_and_left_alone() {
    let stand = Stand::new();
    let rows: Vec<ResultRow> = (2..7).map(|number| row(&format!("p{number}"), number)).collect();
    let done = run(&stand, &rows).await;
    assert_eq!((done.written, done.unchanged, done.marked_gone), (5, 0, 0));
    assert_eq!(stand.tabs(), ["Sheet1", REVIEW]);
    assert_eq!(stand.column("Key"), ["p2", "p3", "p4", "p5", "p6"]);
    stand.assert_proper_requests();
    stand.sandbox.clear_seen();
    let again = run(&stand, &rows).await;
    assert_eq!((again.written, again.unchanged), (0, 5));
    assert_eq!(stand.count(Door::Write), 0);
    let mut changed = rows.clone();
    changed[2].is_valid = IsValid::No;
    let done = run(&stand, &changed).await;
    assert_eq!((done.written, done.unchanged), (1, 4));
    assert_eq!(stand.column("Is Valid"), ["YES", "YES", "NO", "YES", "YES"]);
    assert_eq!(stand.tabs(), ["Sheet1", REVIEW], "no copy is left behind");
    let done = run(&stand, &changed[1..]).await;
    assert_eq!((done.written, done.marked_gone), (0, 1));
    assert_eq!(stand.column("Row Number")[0], "not in the source since 2026-03-13");
    stand.assert_proper_requests();
    assert!(tokio::time::Instant::now().elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn writes_whose_answers_are_lost_leave_each_row_once() {
    for fault in
        ["write:1=commit-then-reset", "write:2=commit-then-503", "write:1..2=cut", "write:2=late 90s"]
    {
        let stand = Stand::new();
        stand.sandbox.set_script(FaultScript::new([fault.parse().unwrap()]));
        let rows: Vec<ResultRow> = (2..12).map(|number| row(&format!("P{number}"), number)).collect();
        let mut sink = stand.sink();
        let mut tries = 0;
        loop {
            let done: Result<(), TableError> = async {
                sink.open(&options()).await?;
                sink.upsert(&rows).await?;
                sink.commit().await?;
                sink.close().await
            }
            .await;
            let Err(error) = done else { break };
            tries += 1;
            assert!(error.is_transient() && tries < 5, "{fault}: {error}");
            tokio::time::sleep(sink.settles_within()).await;
        }
        let wanted: Vec<String> = (2..12).map(|number| format!("p{number}")).collect();
        assert_eq!(stand.column("Key"), wanted, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tab_may_have_any_name() {
    for name in ["Проверка статусов", "It's «Q1»!", "D3", "A1:B2", "2026", "tab 'x' & + % #", "🌵", "R1C1"]
    {
        let stand = Stand::new();
        let params = |tab: &str| GoogleSinkParams {
            account: std::sync::Arc::clone(&stand.account),
            spreadsheet_id: TARGET.into(),
            tab: tab.into(),
        };
        for tab in [name.to_owned(), name.to_owned(), format!(" {} ", name.to_uppercase())] {
            let mut sink = GoogleSink::new(params(&tab));
            sink.open(&options()).await.unwrap();
            sink.upsert(&[row("p2", 2), row("p3", 3)]).await.unwrap();
            sink.mark_gone(false).await.unwrap();
            let done = sink.commit().await.unwrap_or_else(|error| panic!("{tab}: {error}"));
            assert_eq!(done.written + done.unchanged, 2, "{tab}: {done:?}");
            sink.close().await.unwrap();
        }
        assert_eq!(stand.tabs(), ["Sheet1", name], "one tab, found again");
        assert_eq!(stand.texts(TARGET, name).len(), 3, "{name}");
        stand.assert_proper_requests();
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_run_left_of_a_tab_that_is_gone_is_removed() {
    let stand = Stand::new();
    run(&stand, &[row("p2", 2)]).await;
    let lost = json!({"sheetId": 77, "title": "status-validator added 5 1 0", "hidden": true});
    let similar = json!({"sheetId": 78, "title": "status-validator notes"});
    stand.edit(&json!([{"addSheet": {"properties": lost}}, {"addSheet": {"properties": similar}}]));
    run(&stand.another(), &[row("p2", 2)]).await;
    assert_eq!(stand.tabs(), ["Sheet1", REVIEW, "status-validator notes"]);
}
