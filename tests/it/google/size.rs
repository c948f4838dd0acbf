//! How many requests a table of a thousand rows takes, for the results alone and through the whole engine.

use std::time::Duration;

use status_validator::domain::results::{IsValid, ResultRow};
use status_validator::engine::{Parts, RunOutcome, RunReport, RunRequest};
use status_validator::sandbox::sheets::Typed;
use status_validator::sandbox::{Door, Quota, SandboxParams};
use status_validator::table::TableSink as _;
use status_validator::testing::FakeModel;

use super::sink::{row, run};
use crate::support::stand::{Stand, key, options, texts};
use crate::support::{self, paused_parts, projects, with_store};

const ROWS: u64 = 1_000;

/// Reads and writes so far; forgets them.
fn spent(stand: &Stand) -> (usize, usize) {
    let spent = (stand.count(Door::Read), stand.count(Door::Write));
    stand.sandbox.clear_seen();
    spent
}

#[tokio::test(start_paused = true)]
async fn a_thousand_rows_take_a_few_requests() {
    let stand = Stand::new();
    let mut rows: Vec<ResultRow> = (2..ROWS + 2).map(|n| row(&format!("Project {n}"), n)).collect();
    let mut sink = stand.sink();
    sink.open(&options()).await.unwrap();
    sink.upsert(&rows).await.unwrap();
    assert!(sink.is_full(), "so many are not kept back");
    sink.mark_gone(false).await.unwrap();
    assert_eq!(sink.commit().await.unwrap().written, ROWS);
    sink.close().await.unwrap();
    let counted = sink.take_requests();
    stand.assert_proper_requests();
    let (reads, writes) = spent(&stand);
    println!("{ROWS} new rows: {reads} reads, {writes} writes");
    assert!(reads <= 20 && writes <= 10, "{reads} reads, {writes} writes");
    assert_eq!((counted.reads as usize, counted.writes as usize), (reads, writes), "what is told is true");
    assert_eq!(stand.column("Key").len(), ROWS as usize);

    let again = run(&stand.another(), &rows).await;
    assert_eq!((again.written, again.unchanged), (0, ROWS));
    let (reads, writes) = spent(&stand);
    println!("the same rows again: {reads} reads, {writes} writes");
    assert!(reads <= 6 && writes == 0, "{reads} reads, {writes} writes");

    for row in &mut rows {
        row.is_valid = IsValid::No;
    }
    let changed = run(&stand.another(), &rows).await;
    assert_eq!((changed.written, changed.unchanged), (ROWS, 0));
    let (reads, writes) = spent(&stand);
    println!("{ROWS} changed rows: {reads} reads, {writes} writes");
    assert!(reads <= 30 && writes <= 10, "{reads} reads, {writes} writes");
    assert!(stand.column("Is Valid").iter().all(|word| word == "NO"));
}

/// A run of the whole engine over the stand's source, with its results in the stand's target.
pub(crate) fn engine_run(stand: &Stand, store: &std::path::Path) -> (RunReport, u64) {
    let stand = stand.another();
    let model = FakeModel::content_after(Duration::from_millis(200));
    let parts = paused_parts(&projects(0), stand.sink(), model.clone());
    let parts = Parts { source: Some(Box::new(stand.source())), ..with_store(parts, store) };
    let report = support::run(parts, RunRequest::default());
    (report, model.calls())
}

#[test]
fn the_engine_reviews_a_sheet_once_and_then_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.sqlite");
    let stand = Stand::with(SandboxParams { quota: Some(Quota::default()), ..SandboxParams::new(key()) });
    let header = ["Project", "Status", "Completion Date", "Comment"];
    let mut rows = texts(&[header]);
    rows.extend((0..300).map(|n| {
        let [project, comment] = [format!("Project {n}"), format!("Comment number {n}.")].map(Typed::Text);
        let due = Typed::Date(jiff::civil::date(2026, 6, 30).at(0, 0, 0, 0));
        vec![project, Typed::Text("On Track".into()), due, comment]
    }));
    stand.statuses(&rows);

    let (report, calls) = engine_run(&stand, &store);
    assert_eq!((report.outcome, calls), (RunOutcome::Ok, 300));
    let (reads, writes) = spent(&stand);
    println!("the engine, 300 new rows: {reads} reads, {writes} writes in {:.0} s", report.elapsed_s);
    assert_eq!(stand.column("Project name").len(), 300);
    assert_eq!(stand.column("Completion Date")[299], "2026-06-30");
    assert!(stand.column("Is Valid").iter().all(|word| word == "YES"));

    let (report, calls) = engine_run(&stand, &store);
    assert_eq!((report.outcome, calls), (RunOutcome::Ok, 0), "nothing is asked twice");
    assert_eq!(report.tally.rows_unchanged, 300);
    let (reads, writes) = spent(&stand);
    println!("the engine, nothing new: {reads} reads, {writes} writes");
    assert_eq!(writes, 0);
    assert!(reads <= 12, "{reads}");

    // One comment is edited, one project is gone, one is new.
    rows.remove(300);
    rows[1][3] = Typed::Text("Edited.".into());
    rows.push(texts(&[["Project new", "On Track", "2026-07-31", "Begun."]]).remove(0));
    stand.statuses(&rows);
    let (report, calls) = engine_run(&stand, &store);
    assert_eq!((report.outcome, calls), (RunOutcome::Ok, 2));
    let numbers = stand.column("Row Number");
    assert_eq!(numbers.len(), 301);
    assert_eq!(numbers.iter().filter(|number| number.starts_with("not in the source since")).count(), 1);
    assert_eq!(stand.column("Comment")[0], "Edited.");
    stand.assert_proper_requests();
    let refused = stand.sandbox.seen().iter().filter(|seen| seen.status != Some(200)).count();
    assert_eq!(refused, 0);
}
