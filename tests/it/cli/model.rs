//! `run` with a model: what is known is not asked again, what fails is told, what is stopped goes on.

use std::io::Read as _;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::VALID;
use crate::support::cli::{Desk, Ended, Model, answer};
use crate::support::http::Answer;

#[test]
fn a_dry_run_is_paid_once_and_the_true_run_writes_every_row() {
    let model = Model::content();
    let desk = Desk::with_model(5, &model.url());
    let dry = desk.run(&["--dry-run"]);
    assert_eq!((dry.code, model.requests()), (0, 5), "{dry:?}");
    assert!(!desk.path("review.csv").exists());
    let full = desk.run(&[]);
    assert_eq!((full.code, model.requests()), (0, 5), "nothing is paid for twice");
    assert_eq!(desk.results(), 5);
    assert!(full.summary()[1].starts_with("5 from cache"), "{}", full.err);
    assert!(full.summary()[1].ends_with("; saved about $0.0055"), "{}", full.err);
    assert!(full.summary()[3].contains("not asked, $0.00"), "{}", full.err);
    assert!(
        dry.summary()[3].contains("5 requests, 5,000 tokens in (0 cached, 0.0%), 250 out, $0.0055"),
        "{}",
        dry.err
    );
}

#[test]
fn a_plan_says_what_a_run_would_ask_and_leaves_no_trace() {
    let model = Model::content();
    let desk = Desk::with_model(4, &model.url());
    let plan = desk.run(&["plan", "--format", "json"]);
    assert_eq!((plan.code, model.requests()), (0, 0), "{plan:?}");
    let plan = plan.json();
    assert_eq!((&plan["rows_to_ask"], &plan["cache_hits"]), (&4.into(), &0.into()));
    let (low, high) = (plan["cost_usd"]["min"].as_f64().unwrap(), plan["cost_usd"]["max"].as_f64().unwrap());
    assert!(0.0 < low && low < high, "{plan}");
    assert!(!desk.path("review.csv").exists());
    assert_eq!(desk.run(&["runs", "list"]).out, "no runs yet\n");

    desk.run(&[]);
    desk.projects(6);
    let plan = desk.run(&["plan"]);
    assert!(plan.out.contains("Ask       2 rows of local (m-1)"), "{}", plan.out);
    assert!(plan.out.contains("Known     4 rows from cache"), "{}", plan.out);
}

#[test]
fn explain_tells_what_the_model_said_and_what_it_cost() {
    let says = r#"{"is_valid": false, "issues": ["no date"], "rewrite_suggestion": ""}"#;
    let model = Model::answering(move |_, _| answer(says));
    let desk = Desk::with_model(2, &model.url());
    assert_eq!(desk.run(&["--fail-on", "must"]).code, 1, "free rules know no severity");
    let told = desk.run(&["explain", "project 2", "--raw"]).out;
    for part in
        ["Row 3 Project 2 (key: project 2)", "by m-1-2026 (local)", "1,000 tokens in", says, "no date", "FIX"]
    {
        assert!(told.contains(part), "«{part}» is not in {told}");
    }
    let json = desk.run(&["explain", "@3", "--format", "json"]).json();
    assert_eq!(json[0]["verdict"]["valid"], false);
    assert_eq!(json[0]["history"].as_array().unwrap().len(), 1);
    let missing = desk.run(&["explain", "Projekt 2"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("did you mean «Project"), "{}", missing.err);
}

#[test]
fn the_store_can_be_looked_at_pruned_and_cleared() {
    let model = Model::content();
    let desk = Desk::with_model(3, &model.url());
    assert!(desk.run(&["cache", "stats"]).out.contains("nothing is stored yet"));
    assert!(!desk.path("status_validator.sqlite").exists(), "looking makes no store");
    desk.run(&[]);
    let stats = desk.run(&["cache", "stats", "--format", "json"]).json();
    assert_eq!((&stats["answers"], &stats["by_model"]["m-1-2026"]), (&3.into(), &3.into()));
    assert!(desk.run(&["cache", "stats"]).out.contains("Spent     $0.0033"));
    assert!(desk.run(&["cache", "verify"]).out.contains("sound"));
    assert!(desk.run(&["cache", "prune", "--older-than", "90d"]).out.starts_with("removed 0 answers"));
    let unconfirmed = desk.run(&["cache", "clear"]);
    assert_eq!(unconfirmed.code, 2);
    assert!(unconfirmed.err.contains("--yes"), "{}", unconfirmed.err);
    assert!(desk.run(&["cache", "clear", "--yes"]).out.starts_with("removed 3 answers"));
    desk.run(&[]);
    assert_eq!(model.requests(), 6, "cleared answers are asked for again");
}

#[test]
fn past_runs_are_listed_and_shown() {
    let model = Model::content();
    let desk = Desk::with_model(3, &model.url());
    desk.run(&[]);
    let runs = desk.run(&["runs", "list", "--format", "json"]).json();
    let id = runs[0]["run_id"].as_str().unwrap();
    assert_eq!((&runs[0]["outcome"], &runs[0]["report"]["rows_valid"]), (&"ok".into(), &3.into()));
    let list = desk.run(&["runs", "list"]).out;
    assert!(list.contains(&id[..13]), "{list}");
    for name in [id, &id[..13], "last"] {
        let shown = desk.run(&["runs", "show", name]).out;
        assert!(shown.contains(id) && shown.contains("3 OK, 0 to fix"), "{shown}");
    }
    assert_eq!(desk.run(&["runs", "show", "no-such"]).code, 2);
}

#[test]
fn a_refused_key_ends_with_7_and_is_never_printed() {
    let refusal = serde_json::json!({"error": {"message": "Incorrect API key provided: sk-canary-4711"}});
    let model = Model::answering(move |_, _| Answer::json(401, &refusal));
    let desk = Desk::with_model(4, &model.url());
    let ended = desk.run(&["-vv", "--summary", "report.json"]);
    assert_eq!(ended.code, 7, "{ended:?}");
    assert!(ended.err.contains("access refused"), "{}", ended.err);
    assert_eq!(ended.summary()[0].split(':').next(), Some("4 rows"));
    for text in [ended.out, ended.err, desk.read("report.json")] {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn rows_that_could_not_be_checked_end_with_3_and_the_next_run_asks_for_them_alone() {
    let model = Model::answering(|nth, _| match nth {
        0 => answer("no JSON at all"),
        _ => answer(VALID),
    });
    let desk = Desk::with_model(4, &model.url());
    let settings = desk.read("Settings.toml").replace("max_workers = 2", "max_workers = 1");
    desk.write("Settings.toml", settings);
    let first = desk.run(&[]);
    assert_eq!(first.code, 3, "{first:?}");
    assert!(first.summary()[0].starts_with("4 rows: 3 OK, 0 to fix, 1 not checked ("), "{}", first.err);
    assert!(first.summary()[5].contains("only the 1 row not checked"), "{}", first.err);
    assert_eq!(desk.results(), 4);
    assert!(desk.read("review.csv").contains("NOT CHECKED"));

    let asked = model.requests();
    assert_eq!(desk.run(&["run", "--only", "errors"]).code, 0);
    assert_eq!(model.requests(), asked + 1);
    assert!(!desk.read("review.csv").contains("NOT CHECKED"));
}

#[test]
#[cfg(unix)]
fn a_signal_finishes_what_is_in_flight_and_the_next_run_goes_on() {
    const ROWS: usize = 300;
    /// What a stopped run may take; systemd kills after twice as long.
    const LIMIT: Duration = Duration::from_secs(45);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let model = Model::answering(|_, _| answer(VALID).after(Duration::from_millis(150)));
        let desk = Desk::with_model(ROWS, &model.url());
        let child = desk.start(&["--summary", "report.json"]);
        while model.requests() < 3 {
            std::thread::yield_now();
        }
        signalled(&child, signal);
        let told = Instant::now();
        let ended = Ended::from(child.wait_with_output().unwrap());
        assert!(told.elapsed() < LIMIT, "{:?}", told.elapsed());
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.err.contains("Stopping"), "{}", ended.err);
        assert!(ended.summary()[5].contains("run again to go on"), "{}", ended.err);
        let report: Value = serde_json::from_str(&desk.read("report.json")).unwrap();
        assert_eq!(report["outcome"], "interrupted");
        let (asked, written) = (model.requests(), desk.results());
        assert!((3..ROWS).contains(&asked), "{asked}");
        assert_eq!(written, asked, "every answer that was asked for is written");
        let quick = Model::content();
        desk.write("Settings.toml", desk.read("Settings.toml").replace(&model.url(), &quick.url()));
        assert_eq!(desk.run(&[]).code, 0);
        assert_eq!(quick.requests(), ROWS - asked, "nothing is asked twice");
        assert_eq!(desk.results(), ROWS);
    }
}

#[test]
#[cfg(unix)]
fn a_second_signal_leaves_at_once_and_loses_nothing() {
    let model = Model::answering(|nth, _| match nth {
        0 => answer(VALID),
        _ => Answer::Hang,
    });
    let desk = Desk::with_model(6, &model.url());
    let mut child = desk.start(&[]);
    while model.requests() < 3 {
        std::thread::yield_now();
    }
    signalled(&child, "INT");
    let mut stderr = child.stderr.take().unwrap();
    let (mut said, mut byte) = (String::new(), [0]);
    while !said.contains("Stopping") && stderr.read(&mut byte).unwrap() > 0 {
        said.push(char::from(byte[0]));
    }
    signalled(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let calm = Model::content();
    desk.write("Settings.toml", desk.read("Settings.toml").replace(&model.url(), &calm.url()));
    assert_eq!(desk.run(&[]).code, 0);
    assert_eq!(calm.requests(), 5, "the one answer that had come is known");
    assert_eq!(desk.results(), 6);
}

#[cfg(unix)]
fn signalled(child: &std::process::Child, signal: &str) {
    let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}
