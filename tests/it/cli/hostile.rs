//! Nothing of a cell, a model or an error reaches a terminal or a log alive, in whatever form it is printed.

use serde_json::Value;

use crate::support::cli::{Desk, Ended, Model, SAMPLES, answer};

/// ESC, other control characters, bidi controls, invisible characters: all that must never be printed.
fn alive(text: &str) -> Option<char> {
    text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    })
}

fn assert_safe(ended: &Ended) {
    for text in [&ended.out, &ended.err] {
        if let Some(c) = alive(text) {
            let at = text.find(c).unwrap_or_default();
            let near: String = text[at..].chars().take(60).collect();
            panic!("{} is alive in {near:?}", c.escape_unicode());
        }
    }
}

fn desk() -> Desk {
    let desk = Desk::new(SAMPLES);
    desk.write("statuses.csv", include_bytes!("../../fixtures/hostile.csv"));
    desk
}

fn cells() -> Vec<csv::StringRecord> {
    let text = include_bytes!("../../fixtures/hostile.csv");
    csv::Reader::from_reader(text.as_slice()).records().map(Result::unwrap).collect()
}

#[test]
fn every_form_of_output_is_safe() {
    let desk = desk();
    for format in ["table", "json", "jsonl", "csv"] {
        let ended = desk.run(&["--as-of", "2026-03-13", "--format", format, "-vv"]);
        assert_eq!(ended.code, 0, "{format}: {}", ended.err);
        assert_safe(&ended);
        assert!(ended.out.len() > 1000, "{format}: something was printed");
    }
    let pretty =
        desk.run(&["--force", "-vv", "--log-format", "pretty", "--progress", "plain", "--color", "never"]);
    assert_safe(&pretty);
}

#[test]
fn json_gives_the_cells_back_as_they_are() {
    let rows = desk().run(&["--as-of", "2026-03-13", "--dry-run", "--format", "json"]).json();
    let rows = rows.as_array().unwrap();
    let cells = cells();
    assert_eq!(rows.len(), cells.len() - 1, "all but the blank row");
    for row in rows {
        let number = row["Row Number"].as_u64().unwrap() as usize;
        let cell = &cells[number - 2];
        let comment = cell[5].replace('\0', "\u{fffd}");
        assert_eq!(row["Comment"], Value::from(comment), "{}", &cell[0]);
    }
}

#[test]
fn every_hostile_row_has_the_state_that_is_expected_of_it() {
    let rows = desk().run(&["--as-of", "2026-03-13", "--dry-run", "--format", "json"]).json();
    let state = |number: usize| {
        let row = rows.as_array().unwrap().iter().find(|row| row["Row Number"] == number)?;
        row["Is Valid"].as_str().map(str::to_owned)
    };
    let expected = include_bytes!("../../fixtures/hostile-expect.csv");
    for (index, record) in csv::Reader::from_reader(expected.as_slice()).records().enumerate() {
        let record = record.unwrap();
        let (id, class, valid) = (&record[0], &record[1], &record[4]);
        match class {
            "blank" => assert_eq!(state(index + 2), None, "{id} is skipped"),
            // Wrong in a way that code can see; the other classes need a model.
            "size" | "error-value" => {
                assert_eq!((valid, state(index + 2).as_deref()), ("false", Some("NO")), "{id}");
            }
            _ => assert!(state(index + 2).is_some(), "{id} has a state"),
        }
    }
}

#[test]
fn csv_on_standard_output_holds_no_formula() {
    let out = desk().run(&["--as-of", "2026-03-13", "--dry-run", "--format", "csv"]).out;
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    for record in reader.records() {
        for field in &record.unwrap() {
            assert!(!field.starts_with(['=', '@', '\t', '\r']), "{field}");
        }
    }
}

#[test]
fn explain_is_safe_for_every_row() {
    let desk = desk();
    for number in [4, 20, 30, 31, 33, 37, 38, 39, 40, 41, 42, 53] {
        for format in ["table", "json"] {
            let ended = desk.run(&["explain", &format!("@{number}"), "--format", format]);
            assert_eq!(ended.code, 0, "{ended:?}");
            assert_safe(&ended);
        }
    }
}

#[test]
fn errors_with_hostile_names_are_safe() {
    let desk = desk();
    desk.write("bad.csv", "Project\u{1b}[31m,Status\u{202e},Comment\u{9b}\na,b,c\n");
    let ended = desk.run(&["--source", "bad.csv"]);
    assert_eq!(ended.code, 2);
    assert_safe(&ended);
    assert_safe(&desk.run(&["explain", "\u{1b}]0;owned\u{7}"]));
    assert_safe(&desk.run(&["check", "--source", "no\u{1b}[2J.csv"]));
    assert_safe(&desk.run(&["check-text", "--status", "On\u{200b} Track", "--comment", "x\u{1b}[2J"]));
    assert_safe(&desk.run(&["runs", "show", "\u{1b}[2J"]));
}

#[test]
fn what_a_model_says_is_safe() {
    let model = Model::answering(|_, _| {
        answer(
            r#"{"is_valid": false, "issues": ["\u001b[2J\u202e wiped \u009b31m"], "rewrite_suggestion": "\u001b]0;owned\u0007"}"#,
        )
    });
    let desk = Desk::with_model(2, &model.url());
    for args in [
        &["--format", "table", "-vv"][..],
        &["--format", "csv", "--force"],
        &["explain", "Project 1", "--raw"],
        &["check-text", "--status", "On Track", "--comment", "x"],
        &["runs", "show"],
    ] {
        let ended = desk.run(args);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_safe(&ended);
    }
    let told = desk.run(&["explain", "Project 1"]).out;
    assert!(told.contains("wiped"), "{told}");
}

#[test]
fn an_error_page_of_a_server_is_safe() {
    use crate::support::http::Answer;
    let model =
        Model::answering(|_, _| Answer::text(500, &[], "\u{1b}[2J<h1>\u{202e}oops</h1>\r\nINFO forged"));
    let desk = Desk::with_model(1, &model.url());
    for format in ["pretty", "json"] {
        let ended = desk.run(&["-vv", "--log-format", format, "--summary", "report.json"]);
        assert!([3, 4].contains(&ended.code), "{ended:?}");
        assert_safe(&ended);
        assert_eq!(alive(&desk.read("report.json")), None);
        assert!(!ended.err.lines().any(|line| line.starts_with("INFO forged")), "{}", ended.err);
    }
}
