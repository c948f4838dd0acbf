//! The whole engine with both of its tables in Google Sheets, when something goes wrong with them.

use status_validator::engine::{RunOutcome, RunReport};
use status_validator::sandbox::sheets::{Office, Typed};
use status_validator::sandbox::{Arrival, Door, Fault};

use super::size::engine_run;
use crate::support::assert_every_row_in_one_state;
use crate::support::stand::{REVIEW, STATUSES, Stand, TARGET, texts};

fn statuses(rows: usize) -> Vec<Vec<Typed>> {
    let row = |n| [format!("Project {n}"), "On Track".into(), "2026-06-30".into(), format!("Comment {n}.")];
    let rows: Vec<[String; 4]> = (0..rows).map(row).collect();
    let header = texts(&[["Project", "Status", "Completion Date", "Comment"]]);
    header.into_iter().chain(texts(&rows)).collect()
}

fn assert_each_once(stand: &Stand, rows: usize) {
    let mut found = stand.column("Project name");
    let mut expected: Vec<String> = (0..rows).map(|n| format!("Project {n}")).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert!(stand.column("Is Valid").iter().all(|word| word == "YES"));
}

fn told(report: &RunReport) -> String {
    serde_json::to_string(report).unwrap()
}

#[test]
fn what_was_judged_is_kept_while_the_results_are_out_of_reach() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.sqlite");
    let stand = Stand::new();
    stand.statuses(&statuses(60));
    // Somebody takes the spreadsheet away in the middle of the run.
    stand.sandbox.set_script(|arrival: &Arrival, office: &mut Office| {
        if arrival.door == Door::Write && arrival.of_door == 2 {
            office.share(TARGET, false).unwrap();
        }
        Fault::None
    });
    let (report, calls) = engine_run(&stand, &store);
    assert!(matches!(report.outcome, RunOutcome::Failed | RunOutcome::Partial), "{:?}", report.outcome);
    assert!(calls > 0);
    assert_every_row_in_one_state(&report);
    assert!(told(&report).contains("as Editor"), "what to do is told: {}", told(&report));

    stand.sandbox.clear_script();
    stand.sandbox.with_office(|office| office.share(TARGET, true).unwrap());
    let (report, more) = engine_run(&stand, &store);
    assert_eq!((report.outcome, calls + more), (RunOutcome::Ok, 60), "no row is paid for twice");
    assert_each_once(&stand, 60);
    let (report, calls) = engine_run(&stand, &store);
    assert_eq!((report.tally.rows_unchanged, calls), (60, 0));
    assert_eq!(stand.tabs(), ["Sheet1", REVIEW]);
}

#[test]
fn a_run_comes_through_a_bad_day() {
    for (seed, fault) in [
        Fault::CommitThenReset,
        Fault::CommitThenStatus(503),
        Fault::ResetBeforeCommit,
        Fault::Status(429),
        Fault::Html(502),
        Fault::CommitThenCut,
    ]
    .into_iter()
    .enumerate()
    {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store.sqlite");
        let stand = Stand::new();
        stand.statuses(&statuses(60));
        let (mut dice, each) = (fastrand::Rng::with_seed(seed as u64), fault.clone());
        stand.sandbox.set_script(
            move |_: &Arrival, _: &mut Office| {
                if dice.u8(..4) == 0 { each.clone() } else { Fault::None }
            },
        );
        let (mut paid, mut runs) = (0, 0);
        loop {
            let (report, calls) = engine_run(&stand, &store);
            assert_every_row_in_one_state(&report);
            (paid, runs) = (paid + calls, runs + 1);
            if report.outcome == RunOutcome::Ok {
                break;
            }
            assert!(runs < 3, "{fault:?}: {}", told(&report));
        }
        assert_eq!(paid, 60, "{fault:?}: no row is paid for twice");
        assert_each_once(&stand, 60);
        stand.sandbox.clear_script();
        let (report, calls) = engine_run(&stand, &store);
        assert_eq!(
            (report.outcome, report.tally.rows_unchanged, calls),
            (RunOutcome::Ok, 60, 0),
            "{fault:?}"
        );
        assert_eq!(stand.tabs(), ["Sheet1", REVIEW], "{fault:?}");
    }
}

#[test]
fn people_work_in_the_source_while_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.sqlite");
    let stand = Stand::new();
    stand.statuses(&statuses(40));
    engine_run(&stand, &store);
    // A column is inserted between the header and the first page.
    let seen = stand.count(Door::Read) as u64;
    stand.sandbox.set_script(move |arrival: &Arrival, office: &mut Office| {
        if arrival.path.contains("source-1") && arrival.of_door > seen + 2 {
            let tab = crate::support::stand::tab_id(office, "source-1", STATUSES).unwrap();
            let range =
                serde_json::json!({"sheetId": tab, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1});
            let insert = serde_json::json!([{"insertDimension": {"range": range}}]);
            crate::support::stand::edit(office, "source-1", &insert);
        }
        Fault::None
    });
    let before = stand.review();
    let (report, calls) = engine_run(&stand, &store);
    assert!(report.outcome != RunOutcome::Ok, "{}", told(&report));
    assert_eq!(calls, 0, "nothing is asked about cells under wrong headers");
    assert_eq!(stand.review(), before);
    stand.sandbox.clear_script();
    let (report, calls) = engine_run(&stand, &store);
    assert_eq!((report.outcome, report.tally.rows_unchanged, calls), (RunOutcome::Ok, 40, 0));
}
