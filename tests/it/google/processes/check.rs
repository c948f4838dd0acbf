//! `check` tells which spreadsheet, which tab, which account, and what to do.

use serde_json::Value;

use crate::support::cli::{Desk, Ended, SAMPLES};
use crate::support::served::Served;

const ACCOUNT: &str = "sandbox@status-validator.iam.gserviceaccount.com";

/// `check` with the sandbox's settings, lines that begin so replaced; the tab's name counts, not its number.
fn check(desk: &Desk, changes: &[(&str, &str)]) -> Ended {
    let settings = desk.read("try/sandbox.toml");
    let line = |line: &str| {
        let changed = changes.iter().find(|(key, _)| line.starts_with(&format!("{key} = ")));
        changed.map_or_else(|| line.to_owned(), |(key, value)| format!("{key} = {value:?}"))
    };
    let lines = settings.lines().filter(|line| !line.starts_with("source_sheet_gid")).map(line);
    desk.write("try/mine.toml", lines.collect::<Vec<_>>().join("\n"));
    desk.run(&["check", "--config", "try/mine.toml"])
}

/// What is told of one thing.
fn told<'a>(ended: &'a Ended, mark: &str, what: &str) -> &'a str {
    let line =
        ended.out.lines().find(|line| line.starts_with(mark) && line[mark.len()..].trim().starts_with(what));
    line.unwrap_or_else(|| panic!("no {mark} of the {what}: {ended:?}"))
}

#[test]
fn what_is_right_is_named_and_nothing_is_written() {
    let desk = Desk::new(SAMPLES);
    let sandbox = Served::start(&desk, &["--target", "results"]);
    let tabs = sandbox.tabs("results");
    let ended = check(&desk, &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(told(&ended, "ok", "account").contains(ACCOUNT));
    let source = told(&ended, "ok", "source");
    assert!(source.contains("spreadsheets/d/sandbox «Statuses»: the header matches"), "{source}");
    let target = told(&ended, "ok", "target");
    assert!(target.contains("spreadsheets/d/results «Status Review»: can be written"), "{target}");
    assert!(ended.out.ends_with("Everything is ready: status-validator run\n"), "{}", ended.out);
    assert_eq!(sandbox.tabs("results"), tabs);
    assert!(!desk.path("try/status_validator.sqlite").exists());
}

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let desk = Desk::new(SAMPLES);
    let _sandbox = Served::start(&desk, &["--target", "results"]);
    let hint = "copy the id from the address of the spreadsheet";
    for (key, what, other, tab) in [
        ("source_spreadsheet_id", "source", "target", "Statuses"),
        ("target_spreadsheet_id", "target", "source", "Status Review"),
    ] {
        let ended = check(&desk, &[(key, "absent-1")]);
        assert_eq!(ended.code, 2, "{ended:?}");
        let line = told(&ended, "error", what);
        for words in ["spreadsheets/d/absent-1", tab, "no spreadsheet of this id", hint] {
            assert!(line.contains(words), "{words}: {line}");
        }
        told(&ended, "ok", other);
        assert!(told(&ended, "ok", "account").contains(ACCOUNT), "whom to share with is told");
    }

    let ended = check(&desk, &[("source_sheet_name", "Weeks")]);
    assert_eq!(ended.code, 2, "{ended:?}");
    let line = told(&ended, "error", "source");
    for words in ["d/sandbox «Weeks»", "no tab is named «Weeks»", "«Statuses»", "sheets.source_sheet_name"]
    {
        assert!(line.contains(words), "{words}: {line}");
    }
}

#[test]
fn a_key_of_another_account_is_told_from_a_wrong_spreadsheet() {
    let desk = Desk::new(SAMPLES);
    let sandbox = Served::start(&desk, &["--target", "results"]);
    let mut key: Value = serde_json::from_str(&desk.read("try/service-account.json")).unwrap();
    key["client_email"] = "stranger@elsewhere.iam.gserviceaccount.com".into();
    desk.write("try/stranger.json", key.to_string());
    restrict(&desk, "try/stranger.json");
    let ended = check(&desk, &[("credentials_file", "stranger.json")]);
    assert_eq!(ended.code, 7, "{ended:?}");
    for (what, place) in [("source", "d/sandbox «Statuses»"), ("target", "d/results «Status Review»")] {
        let line = told(&ended, "error", what);
        let email = "stranger@elsewhere.iam.gserviceaccount.com";
        for words in [place, "access refused", email, "account not found", "make another one and share"] {
            assert!(line.contains(words), "{words}: {line}");
        }
    }

    // The right account, with a key of an earlier sandbox.
    let old = desk.read("try/service-account.json");
    drop(sandbox);
    let _anew = Served::start(&desk, &["--target", "results"]);
    let address: Value = serde_json::from_str(&desk.read("try/service-account.json")).unwrap();
    let mut key: Value = serde_json::from_str(&old).unwrap();
    key["token_uri"] = address["token_uri"].clone();
    desk.write("try/old.json", key.to_string());
    restrict(&desk, "try/old.json");
    let ended = check(&desk, &[("credentials_file", "old.json")]);
    assert_eq!(ended.code, 7, "{ended:?}");
    let line = told(&ended, "error", "source");
    assert!(line.contains(ACCOUNT) && line.contains("signing in"), "{line}");
}

/// A key that others can read is an error of its own.
fn restrict(desk: &Desk, name: &str) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(desk.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = (desk, name);
}
