//! `run` by code checks: what is printed, what is written, which rows are looked at.

use serde_json::Value;

use crate::support::cli::{Desk, SAMPLES};

const AS_OF: [&str; 2] = ["--as-of", "2026-03-13"];

fn flags<'a>(more: &[&'a str]) -> Vec<&'a str> {
    AS_OF.iter().chain(more).copied().collect()
}

#[test]
fn the_samples_are_reviewed_and_a_second_run_changes_nothing() {
    let desk = Desk::new(SAMPLES);
    let first = desk.run(&AS_OF);
    assert_eq!(first.code, 0, "{first:?}");
    let [reviewed, known, written, model, time, results] = first.summary();
    assert!(reviewed.starts_with("70 rows: 55 OK, 15 to fix, 0 not checked"), "{reviewed}");
    assert_eq!(known, "0 from cache, 0 the same as another row, 70 decided by code");
    assert_eq!(written, "70 rows, 0 unchanged, 0 marked as gone");
    assert_eq!(model, "none: R4 R5 R6 R7 R8 R9 R10 R13 wait for one");
    assert!(time.ends_with("rows/s"), "{time}");
    assert!(results.starts_with("review.csv. To have the other rules judged"), "{results}");
    assert_eq!(first.out.lines().count(), 70, "a JSON line a row");

    let table = desk.read("review.csv");
    let second = desk.run(&AS_OF);
    assert_eq!(second.code, 0);
    assert!(second.summary()[2].starts_with("nothing: 70 rows said the same already"), "{}", second.err);
    assert_eq!(desk.read("review.csv"), table, "the file is the same byte for byte");
}

#[test]
fn a_dry_run_prints_json_and_writes_nothing() {
    let desk = Desk::new(SAMPLES);
    let dry = desk.run(&flags(&["--dry-run", "--limit", "3"]));
    assert_eq!(dry.code, 0);
    // As the predecessor prints it: arrays of texts, the header first.
    let rows: Vec<Vec<String>> = serde_json::from_value(dry.json()).unwrap();
    assert_eq!(rows.len(), 1 + 3);
    assert_eq!(rows[0][..3], ["Row Number", "Project name", "Project manager"]);
    assert_eq!((rows[1][0].as_str(), rows[1][1].as_str()), ("2", "Target data architecture"));
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    assert!(!desk.path("review.csv").exists());
    assert_eq!(dry.summary()[2], "nothing: this was a dry run");
    assert!(dry.summary()[5].contains("67 rows, left for the next run"), "{}", dry.err);
}

#[test]
fn every_format_has_every_row() {
    let desk = Desk::new(SAMPLES);
    let csv = desk.run(&flags(&["--dry-run", "--format", "csv"])).out;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.headers().unwrap().get(1), Some("Project name"));
    assert_eq!(reader.records().map(Result::unwrap).count(), 70);
    let lines = desk.run(&flags(&["--dry-run", "--format", "jsonl"])).out;
    let parsed = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert!(parsed.clone().all(|row| row["Comment"].is_string()));
    assert_eq!(parsed.count(), 70);
    let table = desk.run(&flags(&["--dry-run", "--format", "table"])).out;
    assert!(
        table.contains("Access passes") && !table.contains("New canteen"),
        "only what is to fix: {table}"
    );
}

#[test]
fn a_part_of_the_rows_can_be_looked_at() {
    let desk = Desk::new(SAMPLES);
    const AS_JSON: [&str; 3] = ["--dry-run", "--format", "json"];
    let flags = |more: [&'static str; 2]| flags(&[more.as_slice(), &AS_JSON].concat());
    let row = desk.run(&flags(["--row", "new CANTEEN"]));
    assert_eq!(row.json().as_array().unwrap().len(), 1);
    let number = desk.run(&flags(["--row", "@5"]));
    assert_eq!(number.json()[0]["Row Number"], 5);
    let invalid = desk.run(&flags(["--only", "invalid"]));
    let invalid = invalid.json();
    assert!(!invalid.as_array().unwrap().is_empty());
    assert!(invalid.as_array().unwrap().iter().all(|row| row["Is Valid"] == "NO"));
    assert_eq!(desk.run(&flags(["--only", "errors"])).json(), Value::Array(Vec::new()));
}

#[test]
fn a_limit_narrows_what_is_checked_and_never_what_is_kept() {
    let desk = Desk::new(SAMPLES);
    desk.run(&AS_OF);
    let limited = desk.run(&flags(&["--limit", "2"]));
    assert_eq!(limited.code, 0);
    assert_eq!(desk.results(), 70);
    assert!(desk.read("review.csv").contains("Lift dispatch room"));
}

#[test]
fn findings_are_told_from_failures_by_the_exit_code() {
    let desk = Desk::new(SAMPLES);
    assert_eq!(desk.run(&AS_OF).code, 0);
    assert_eq!(desk.run(&flags(&["--fail-on", "invalid"])).code, 1);
    assert_eq!(desk.run(&flags(&["--fail-on", "must"])).code, 1);
    assert_eq!(desk.run(&flags(&["--fail-on", "invalid", "--row", "New canteen"])).code, 0);
}

#[test]
fn the_report_is_written_as_json_and_as_a_whole() {
    let desk = Desk::new(SAMPLES);
    let run = desk.run(&flags(&["--summary", "report.json", "-q"]));
    assert_eq!((run.code, run.err.as_str()), (0, ""), "quiet is quiet");
    let report: Value = serde_json::from_str(&desk.read("report.json")).unwrap();
    for (name, value) in [("rows_read", 70), ("rows_valid", 55), ("rows_invalid", 15), ("rows_written", 70)] {
        assert_eq!(report[name], value, "{name}");
    }
    assert_eq!((&report["outcome"], &report["job"]), (&"ok".into(), &"default".into()));
    assert_eq!(report["llm"]["requests"], 0);
}

#[test]
fn every_flag_of_the_predecessor_works() {
    let desk = Desk::new(SAMPLES);
    let settings = desk.path("Settings.toml");
    let line = [
        "--config",
        settings.to_str().unwrap(),
        "--limit",
        "5",
        "--dry-run",
        "--verbose",
        "--force",
        "--checkdate",
    ];
    let ended = desk.run(&flags(&line));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json().as_array().unwrap().len(), 1 + 5);
}

#[test]
fn publishing_rules_without_a_spreadsheet_is_refused_before_anything_happens() {
    let desk = Desk::new(SAMPLES);
    let ended = desk.run(&["--rules"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("Google spreadsheet") && ended.err.contains("nothing was written"),
        "{ended:?}"
    );
    assert!(!desk.path("review.csv").exists() && !desk.path("status_validator.sqlite").exists());
}

#[test]
fn a_reader_that_goes_away_is_no_disaster() {
    let desk = Desk::new(SAMPLES);
    let wide = (0..5000).map(|i| format!("Project {i},,On Track,2026-05-14,{}\n", "word ".repeat(50)));
    let header = "Project,Project Manager,Status,Completion Date,Comment\n";
    desk.write("statuses.csv", format!("{header}{}", wide.collect::<String>()));
    let mut child = desk.start(&flags(&["--format", "jsonl"]));
    drop(child.stdout.take()); // as `| head` does
    let ended = crate::support::cli::Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!ended.err.contains("panic"), "{ended:?}");
    assert_eq!(desk.results(), 5000, "the results are written all the same");
}
