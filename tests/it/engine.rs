//! The engine under a paused clock: speed, order, identity, cost.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use status_validator::domain::cell::Cell;
use status_validator::engine::{Event, Limits, Mode, Parts, RunOutcome, RunRequest, Stamped};
use status_validator::table::csv::{CsvSource, CsvSourceParams};
use status_validator::table::memory::{MemorySink, MemorySource};
use status_validator::testing::{FakeModel, Step};

use crate::support::{
    Log, VALID, assert_every_row_in_one_state, keys, paused_parts, projects, run, with_store,
};

fn limits(max_workers: usize) -> Limits {
    Limits { max_workers, queue_depth: 2 * max_workers, ..Limits::default() }
}

#[test]
fn eight_workers_finish_400_rows_of_a_second_in_51() {
    let (sink, model, log) =
        (MemorySink::new(), FakeModel::content_after(Duration::from_secs(1)), Log::default());
    let parts = paused_parts(&projects(400), sink.clone(), model.clone());
    let parts = Parts { limits: limits(8), observer: Some(std::sync::Arc::new(log.observer())), ..parts };
    let report = run(parts, RunRequest::default());

    println!("400 rows, 1 s, 8 workers: {:.2} s of paused time (ideal 50)", report.elapsed_s);
    assert!(report.elapsed_s <= 51.0, "{}", report.elapsed_s);
    assert_eq!(report.tally.workers.peak_in_flight, 8);
    assert_eq!(model.peak(), 8);
    assert_eq!((report.outcome, report.tally.rows_valid), (RunOutcome::Ok, 400));
    assert_eq!(sink.rows().len(), 400);
    assert_no_row_waits_while_a_worker_is_idle(&log.events(), 8);
}

/// Replays the log: whenever time moves on, either no row is queued or every worker has one.
fn assert_no_row_waits_while_a_worker_is_idle(events: &[Stamped], workers: usize) {
    let (mut queued, mut busy) = (BTreeSet::new(), BTreeSet::new());
    let mut now = Duration::ZERO;
    for Stamped { at, event, .. } in events {
        if *at > now {
            assert!(
                queued.is_empty() || busy.len() == workers,
                "at {now:?} rows {queued:?} waited while only workers {busy:?} were busy"
            );
            now = *at;
        }
        match event {
            Event::Queued { row } => drop(queued.insert(*row)),
            Event::CallStarted { row, worker, .. } => {
                queued.remove(row);
                busy.insert(*worker);
            }
            Event::CallEnded { worker, .. } => drop(busy.remove(worker)),
            _ => {}
        }
    }
}

#[test]
fn one_worker_is_strictly_sequential() {
    let (sink, model) = (MemorySink::new(), FakeModel::content_after(Duration::from_secs(1)));
    let parts = paused_parts(&projects(20), sink, model.clone());
    let report = run(Parts { limits: limits(1), ..parts }, RunRequest::default());
    assert_eq!(model.peak(), 1);
    assert!(report.elapsed_s >= 20.0);
    let rows: Vec<bool> =
        model.asked().iter().enumerate().map(|(i, row)| row.contains(&format!("number {i}."))).collect();
    assert!(rows.iter().all(|in_order| *in_order), "in the order of the table");
}

#[test]
fn equal_rows_share_one_call() {
    let source = projects(3);
    source.edit(|rows| {
        for row in &mut rows[1..] {
            row[3] = Cell::text("The very same comment.");
        }
    });
    let (sink, model) = (MemorySink::new(), FakeModel::content_after(Duration::from_secs(1)));
    let report = run(paused_parts(&source, sink.clone(), model.clone()), RunRequest::default());
    assert_eq!((model.calls(), report.tally.deduplicated), (1, 2));
    assert_eq!(sink.rows().len(), 3);
}

#[test]
fn what_was_paid_for_is_not_paid_for_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let (source, sink) = (projects(30), MemorySink::new());
    let preview = MemorySink::new();
    let ask = |source: &MemorySource, request: RunRequest| {
        let model = FakeModel::content_after(Duration::from_secs(1));
        let parts = with_store(paused_parts(source, sink.clone(), model.clone()), &path);
        let report = run(Parts { preview: Some(Box::new(preview.clone())), ..parts }, request);
        assert_every_row_in_one_state(&report);
        (model.calls(), report)
    };

    let (calls, report) = ask(&source, RunRequest { mode: Mode::DryRun, ..RunRequest::default() });
    assert_eq!((calls, report.tally.rows_valid), (30, 30));
    assert_eq!((preview.rows().len(), sink.rows().len()), (30, 0), "a dry run shows, and writes nothing");

    // Dry run, then real run: nothing is asked again, everything is written.
    let (calls, _) = ask(&source, RunRequest::default());
    assert_eq!((calls, sink.rows().len()), (0, 30));

    // A row on top: one call, for that row.
    source.edit(|rows| {
        let new = ["Project new", "On Track", "2026-06-30", "A new comment."].map(Cell::text).to_vec();
        rows.insert(1, new);
    });
    assert_eq!(ask(&source, RunRequest::default()).0, 1);

    // Sorted another way: none.
    source.edit(|rows| rows[1..].reverse());
    let (calls, report) = ask(&source, RunRequest::default());
    assert_eq!((calls, report.tally.cache_hits), (0, 31));

    // One comment edited: one.
    source.edit(|rows| rows[5][3] = Cell::text("An edited comment."));
    assert_eq!(ask(&source, RunRequest::default()).0, 1);

    // Nothing changed: none, and nothing is written.
    let writes = sink.writes();
    let (calls, report) = ask(&source, RunRequest::default());
    assert_eq!((calls, report.tally.rows_unchanged, sink.writes()), (0, 31, writes));
    assert_eq!(keys(&sink).len(), 31, "each row stands once");
}

#[test]
fn other_rules_statuses_or_language_judge_every_row_again() {
    use status_validator::domain::language::Language;
    use status_validator::domain::rules::Rulebook;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let source = projects(10);
    let ask = |edit: &dyn Fn(&mut Parts)| {
        let model = FakeModel::content_after(Duration::from_secs(1));
        let mut parts = with_store(paused_parts(&source, MemorySink::new(), model.clone()), &path);
        edit(&mut parts);
        run(parts, RunRequest::default());
        model.calls()
    };
    assert_eq!(ask(&|_| ()), 10);
    assert_eq!(ask(&|_| ()), 0);
    assert_eq!(ask(&|parts| parts.rulebook = std::sync::Arc::new(Rulebook::Free("Other rules.".into()))), 10);
    assert_eq!(ask(&|parts| parts.allowed_statuses = vec!["On Track".into()]), 10);
    assert_eq!(ask(&|parts| parts.wording.language = Language::Ru), 10);
    assert_eq!(
        ask(&|parts| parts.as_of = Some(crate::support::AS_OF.yesterday().unwrap())),
        0,
        "the same week"
    );
    assert_eq!(ask(&|parts| parts.as_of = Some(jiff::civil::date(2026, 3, 17))), 10, "the next week");
}

#[test]
fn a_limit_narrows_what_is_judged_and_the_next_run_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let (source, sink) = (projects(10), MemorySink::new());
    let mut calls = Vec::new();
    for _ in 0..4 {
        let model = FakeModel::content_after(Duration::from_secs(1));
        let parts = with_store(paused_parts(&source, sink.clone(), model.clone()), &path);
        let report = run(parts, RunRequest { limit: Some(4), ..RunRequest::default() });
        assert_every_row_in_one_state(&report);
        calls.push(model.calls());
    }
    assert_eq!(calls, [4, 4, 2, 0]);
    assert_eq!(sink.rows().len(), 10);
    assert!(sink.rows().iter().all(|row| !row["Row Number"].contains("source")), "nothing is marked as gone");
}

#[test]
fn rows_that_left_the_source_are_marked_unless_nearly_all_left() {
    let (source, sink) = (projects(10), MemorySink::new());
    let model = || FakeModel::content_after(Duration::from_secs(1));
    run(paused_parts(&source, sink.clone(), model()), RunRequest::default());
    source.edit(|rows| rows.truncate(10));
    let report = run(paused_parts(&source, sink.clone(), model()), RunRequest::default());
    assert_eq!(report.tally.rows_marked_gone, 1);
    assert!(
        sink.cell("project 9", status_validator::domain::results::ResultColumn::RowNumber)
            .unwrap()
            .starts_with("not in the source since")
    );

    source.edit(|rows| rows.truncate(2));
    let report = run(paused_parts(&source, sink.clone(), model()), RunRequest::default());
    assert_eq!(report.tally.rows_marked_gone, 0);
    assert!(report.tally.warnings.iter().any(|warning| warning.contains("--accept-shrink")));
    let request = RunRequest { accept_shrink: true, ..RunRequest::default() };
    assert_eq!(run(paused_parts(&source, sink.clone(), model()), request).tally.rows_marked_gone, 8);
}

#[test]
fn a_failing_model_hides_no_verdict() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let (source, sink) = (projects(3), MemorySink::new());
    let parts = |model: FakeModel| with_store(paused_parts(&source, sink.clone(), model), &path);
    run(parts(FakeModel::content_after(Duration::from_secs(1))), RunRequest::default());

    source.edit(|rows| rows[1][3] = Cell::text("Everything is on fire."));
    let broken = || FakeModel::new("content", |_, _| Step::Hang);
    let report = run(parts(broken()), RunRequest { force: true, ..RunRequest::default() });
    assert_eq!(report.outcome, RunOutcome::Failed, "the only provider is given up");
    assert_eq!(
        (report.tally.rows_not_checked, report.tally.rows_valid, report.tally.verdicts_kept),
        (1, 2, 2)
    );
    let rows: HashMap<String, _> = sink.rows().into_iter().map(|row| (row["Key"].clone(), row)).collect();
    assert_eq!(rows["project 1"]["Is Valid"], "YES");
    let edited = &rows["project 0"];
    assert_eq!(edited["Is Valid"], "NOT CHECKED");
    assert!(edited["Issues"].contains("last verdict: YES"), "{}", edited["Issues"]);
}

#[test]
fn a_wrong_answer_is_asked_again_with_a_hint_and_never_kept() {
    let model = FakeModel::new("forgetful", |question, _| Step::Answer {
        after: Duration::from_millis(10),
        text: if question.hint.is_some() { VALID.into() } else { r#"{"is_valid": "false"}"#.into() },
    });
    let sink = MemorySink::new();
    let report = run(paused_parts(&projects(2), sink.clone(), model.clone()), RunRequest::default());
    assert_eq!((model.calls(), report.tally.llm.answers, report.tally.llm.retries), (4, 2, 2));
    assert_eq!(report.tally.rows_valid, 2);
}

#[test]
fn a_cancelled_run_finishes_what_is_in_flight_and_says_so() {
    let (sink, model) = (MemorySink::new(), FakeModel::content_after(Duration::from_secs(1)));
    let request = RunRequest::default();
    let cancel = request.cancel.clone();
    let stop_at_tenth = move |event: &Stamped| {
        if matches!(event.event, Event::Settled { .. }) && event.at >= Duration::from_secs(2) {
            cancel.cancel();
        }
    };
    let parts = paused_parts(&projects(100), sink.clone(), model.clone());
    let parts = Parts { limits: limits(4), observer: Some(std::sync::Arc::new(stop_at_tenth)), ..parts };
    let report = run(parts, request);
    assert_eq!(report.outcome, RunOutcome::Interrupted);
    assert_every_row_in_one_state(&report);
    assert_eq!(report.tally.llm.answers, model.calls(), "what was asked was waited for");
    assert_eq!(sink.rows().len() as u64, report.tally.rows_valid, "and written");
    assert!(report.tally.rows_valid < 100);
}

#[test]
fn a_cap_holds_and_the_next_run_goes_on() {
    use status_validator::domain::money::{MicroUsd, Price};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let (source, sink) = (projects(40), MemorySink::new());
    let price = Price { input: 1.0, cached_input: None, output: 10.0 }; // 200 micro-dollars an answer of the fake
    let ask = |max_cost: Option<u64>, max_cost_per_day: Option<u64>| {
        let model = FakeModel::content_after(Duration::from_secs(1));
        let mut parts = with_store(paused_parts(&source, sink.clone(), model.clone()), &path);
        parts.providers[0].price = Some(price);
        parts.providers[0].max_output_tokens = 10;
        parts.limits = Limits {
            max_cost: max_cost.map(MicroUsd),
            max_cost_per_day: max_cost_per_day.map(MicroUsd),
            ..limits(4)
        };
        let report = run(parts, RunRequest::default());
        assert_every_row_in_one_state(&report);
        assert_eq!(sink.rows().len() as u64, report.tally.rows_valid, "what was judged is written");
        (report.outcome, (report.tally.llm.cost_usd * 1e6).round() as u64, model.calls())
    };
    let (outcome, spent, calls) = ask(Some(2_000), None);
    assert_eq!(outcome, RunOutcome::Budget);
    assert!((1..=2_000).contains(&spent) && calls < 40, "{spent} of 2000, {calls} calls");

    let (outcome, today, _) = ask(None, Some(3_000));
    assert_eq!(outcome, RunOutcome::Budget);
    assert!(spent + today <= 3_000, "{spent} before, {today} now");

    let (outcome, rest, _) = ask(None, None);
    assert_eq!((outcome, spent + today + rest), (RunOutcome::Ok, 40 * 200), "nothing was paid for twice");
}

#[test]
fn a_run_without_models_keeps_what_models_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let (source, sink) = (projects(3), MemorySink::new());
    let no = r#"{"is_valid": false, "issues": ["it does not say what was done"], "rewrite_suggestion": ""}"#;
    let model = FakeModel::new("strict", move |_, _| Step::Answer { after: Duration::ZERO, text: no.into() });
    let parts = || with_store(paused_parts(&source, sink.clone(), model.clone()), &path);
    run(parts(), RunRequest::default());
    let before = sink.rows();
    let report = run(Parts { providers: Vec::new(), ..parts() }, RunRequest::default());
    assert_eq!((report.tally.rows_invalid, report.tally.cache_hits, sink.rows()), (3, 3, before));

    source.edit(|rows| rows[1][3] = Cell::text("Another comment."));
    let report = run(Parts { providers: Vec::new(), ..parts() }, RunRequest::default());
    assert_eq!((report.tally.decided_by_code, report.tally.cache_hits), (1, 2));

    let only_changed =
        RunRequest { only: Some(status_validator::engine::Only::Changed), ..RunRequest::default() };
    let report = run(Parts { providers: Vec::new(), ..parts() }, only_changed);
    assert_eq!(
        (report.tally.decided_by_code, report.tally.rows_skipped),
        (1, 2),
        "what is known is left out"
    );
}

/// A CSV file does not say how many rows it has: the run before does.
#[test]
fn how_many_rows_to_expect_is_known_from_the_run_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("statuses.csv");
    let text =
        "Project,Status,Completion Date,Comment\nA,On Track,2026-06-30,one\nB,On Track,2026-06-30,two\n";
    std::fs::write(&path, text).unwrap();
    for expected in [None, Some(2)] {
        let log = Log::default();
        let csv = CsvSource::new(CsvSourceParams {
            path: path.clone(),
            header_row: 1,
            data_start_row: 2,
            encoding: None,
            delimiter: None,
        });
        let parts = paused_parts(&projects(1), MemorySink::new(), FakeModel::content_after(Duration::ZERO));
        let parts = Parts {
            source: Some(Box::new(csv)),
            observer: Some(std::sync::Arc::new(log.observer())),
            ..with_store(parts, &dir.path().join("store.sqlite"))
        };
        assert_eq!(run(parts, RunRequest::default()).outcome, RunOutcome::Ok);
        let told = |event: &Stamped| match event.event {
            Event::RowsExpected(rows) => Some(rows),
            _ => None,
        };
        assert_eq!(log.events().iter().find_map(told), expected);
        assert!(log.events().iter().any(|event| event.event == Event::RowsAtMost(3)));
    }
}
