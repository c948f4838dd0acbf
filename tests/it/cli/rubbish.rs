//! Bad input gets a clear error that names what is wrong, an exit code, and nothing is spent or written.

use serde_json::Value;

use crate::support::cli::{Desk, Ended, SAMPLES};

/// Runs over a source with this content.
fn source(name: &str, content: impl AsRef<[u8]>) -> (Desk, Ended) {
    let desk = Desk::new(SAMPLES);
    desk.write(name, content);
    let ended = desk.run(&["--source", name]);
    (desk, ended)
}

fn refused(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, code, "{ended:?}");
    for word in words {
        assert!(ended.err.contains(word), "«{word}» is not in {}", ended.err);
    }
    assert_eq!(ended.out, "");
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
}

#[test]
fn all_problems_of_the_settings_come_at_once() {
    let desk = Desk::new(
        "header_row = \"first\"\nrules_text = \"be clear\"\n\
         [source]\npath = \"statuses.csv\"\n[columns]\nstatus = \"Status\"\ncomment = \"Comment\"\n\
         [llm]\nmax_worker = 5\n[llm.providers.3]\nmodel = \"m\"\n",
    );
    let ended = desk.run(&["--summary", "report.json"]);
    refused(&ended, 2, &["max_worker", "llm.max_workers", "header_row", "Settings.toml:1", "llm.providers"]);
    let report: Value = serde_json::from_str(&desk.read("report.json")).unwrap();
    assert_eq!((&report["outcome"], &report["rows_read"]), (&"failed".into(), &0.into()));
    assert!(report["failure"]["text"].as_str().unwrap().contains("max_worker"));
}

#[test]
fn a_folder_without_settings_says_so_first() {
    let desk = Desk::new(SAMPLES);
    std::fs::rename(desk.path("Settings.toml"), desk.path("config.yaml")).unwrap();
    let ended = desk.run(&[]);
    refused(
        &ended,
        2,
        &["there is no Settings.toml in this folder", "--config config.yaml", "columns.status"],
    );
    assert!(desk.run(&["check"]).out.contains("there is no Settings.toml"));
}

#[test]
fn a_source_that_is_not_there() {
    let desk = Desk::new(SAMPLES);
    refused(&desk.run(&["--source", "absent.csv"]), 4, &["absent.csv", "not found"]);
    assert!(!desk.path("review.csv").exists());
}

#[test]
fn a_folder_as_source() {
    let desk = Desk::new(SAMPLES);
    std::fs::create_dir(desk.path("folder.csv")).unwrap();
    refused(&desk.run(&["--source", "folder.csv"]), 4, &["folder.csv"]);
}

#[test]
fn tables_of_other_kinds() {
    let (_desk, ended) = source("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    refused(&ended, 2, &["old.xls", ".csv", ".xlsx"]);
    let (_desk, ended) = source("broken.xlsx", b"PK\x03\x04 this is no workbook");
    refused(&ended, 4, &["broken.xlsx"]);
}

#[test]
fn an_empty_file_and_one_with_a_header_only() {
    let (_desk, ended) = source("empty.csv", "");
    assert!([2, 4].contains(&ended.code), "{ended:?}");
    assert!(ended.err.contains("empty.csv"), "{ended:?}");
    let (desk, ended) = source("header.csv", "Project,Project Manager,Status,Completion Date,Comment\n");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.summary()[0].starts_with("0 rows: 0 OK, 0 to fix, 0 not checked"), "{}", ended.err);
    assert!(desk.path("status_validator.sqlite").exists());
}

#[test]
fn a_header_that_does_not_fit_is_told_with_near_misses() {
    let (desk, ended) =
        source("typo.csv", "Project,Project Manager,Statuss,Completion Date,Comment,Comment\na,b,c,d,e,f\n");
    refused(&ended, 2, &["typo.csv", "did you mean «Statuss»", "columns.comment", "5, 6"]);
    assert!(!desk.path("review.csv").exists());
}

#[test]
fn a_rulebook_that_is_not_there_or_has_equal_ids() {
    let desk = Desk::new(SAMPLES);
    refused(&desk.run(&["--rules-file", "absent.toml"]), 2, &["absent.toml"]);
    let rule = "[[rule]]\nid = \"R1\"\ntitle = \"t\"\ntext = \"t\"\nseverity = \"must\"\ncheck = \"model\"\n";
    desk.write("twice.toml", format!("{rule}{rule}"));
    refused(&desk.run(&["--rules-file", "twice.toml"]), 2, &["twice.toml", "R1"]);
}

#[test]
fn a_report_that_cannot_be_written_is_found_before_anything_is_spent() {
    let desk = Desk::new(SAMPLES);
    refused(
        &desk.run(&["--summary", "no/such/folder/report.json"]),
        2,
        &["--summary no/such/folder/report.json"],
    );
    assert!(!desk.path("review.csv").exists());
}

#[test]
fn usage_errors_end_with_2_and_help_with_0() {
    let desk = Desk::new(SAMPLES);
    refused(&desk.run(&["--dryrun"]), 2, &["--dry-run"]);
    refused(&desk.run(&["--limit", "5", "check"]), 2, &["flags of a command stand after it"]);
    refused(&desk.run(&["--as-of", "13.03.2026"]), 2, &["YYYY-MM-DD"]);
    for args in [&["--help"][..], &["run", "-h"], &["--version"]] {
        let ended = desk.run(args);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_takes_no_more_is_told() {
    let desk = Desk::new(SAMPLES);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = desk.command(&["--dry-run"]).stdout(full).output().unwrap();
    let ended = Ended::from(output);
    refused(&ended, 4, &["standard output cannot be written", "No space left"]);
}

#[test]
fn a_store_of_another_program_is_left_alone() {
    let desk = Desk::new(SAMPLES);
    desk.write("status_validator.sqlite", "this is a note of mine");
    let ended = desk.run(&["--limit", "1"]);
    assert_eq!(desk.read("status_validator.sqlite"), "this is a note of mine");
    assert!([0, 2, 4].contains(&ended.code), "{ended:?}");
}
