//! The other commands: `check`, `check-text`, `config`, `completions`, `man`, and help.

use crate::support::cli::{Desk, SAMPLES};

#[test]
fn check_says_that_everything_is_ready_and_writes_nothing() {
    let desk = Desk::new(SAMPLES);
    let ended = desk.run(&["check"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    for part in [
        "14 rules, a model judges 8 of them",
        "the header matches",
        "can be written",
        "will be made",
        "Everything is ready",
    ] {
        assert!(ended.out.contains(part), "«{part}» is not in {}", ended.out);
    }
    assert!(!desk.path("review.csv").exists() && !desk.path("status_validator.sqlite").exists());
}

#[test]
fn check_says_everything_that_is_wrong_in_one_go() {
    let desk = Desk::new(&SAMPLES.replace("\"rules.toml\"", "\"absent.toml\""));
    desk.write("status_validator.sqlite", [0; 100]);
    desk.write("typo.csv", "Project,Statuss,Comment\n");
    let ended = desk.run(&["check", "--source", "typo.csv"]);
    assert_eq!(ended.code, 2, "the gravest counts: {ended:?}");
    for part in ["absent.toml", "did you mean «Statuss»", "Mend what is marked"] {
        assert!(ended.out.contains(part), "«{part}» is not in {}", ended.out);
    }
    let ended = desk.run(&["doctor", "--source", "absent.csv", "--rules-file", "rules.toml"]);
    assert_eq!(ended.code, 4, "{ended:?}");
}

#[test]
#[cfg(unix)]
fn check_objects_to_a_key_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::with_model(1, "http://127.0.0.1:9");
    let settings =
        desk.read("Settings.toml").replace("api_key = \"sk-canary-4711\"", "api_key_file = \"key.txt\"");
    desk.write("Settings.toml", settings);
    desk.write("key.txt", "sk-canary-4711");
    let mode =
        |mode| std::fs::set_permissions(desk.path("key.txt"), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let open = desk.run(&["check"]);
    assert_eq!(open.code, 7, "{open:?}");
    assert!(open.out.contains("key.txt") && open.out.contains("chmod 600"), "{}", open.out);
    mode(0o600);
    let closed = desk.run(&["check"]);
    assert_eq!(closed.code, 0, "{closed:?}");
    assert!(closed.out.contains("local (m-1): key found"), "{}", closed.out);
    assert!(!open.out.contains("canary") && !closed.out.contains("canary"));
}

#[test]
fn one_text_is_judged_from_flags_or_standard_input() {
    let desk = Desk::new(SAMPLES);
    let base = ["check-text", "--as-of", "2026-03-13", "--status", "On Track", "--date", "2026-05-14"];
    let with = |more: &[&'static str]| base.iter().chain(more).copied().collect::<Vec<_>>();
    let bad = desk.run(&with(&["--comment", "Almost done.", "--fail-on", "invalid"]));
    assert_eq!(bad.code, 1, "{bad:?}");
    assert!(
        bad.out.starts_with("FIX\n") && bad.out.contains("R11 — ") && bad.out.contains("R12 — "),
        "{}",
        bad.out
    );
    assert!(bad.err.contains("for want of a model: R4"), "{}", bad.err);
    let good = "Done: target model agreed with 4 departments 6 Mar, inventory of 63 sources accepted 12 Mar. \
                In progress: naming rules. Next: rules published 26 Mar, architecture board 9 Apr.\n";
    let good = desk.run_with_input(&with(&["--fail-on", "invalid"]), good);
    assert_eq!((good.code, good.out.as_str()), (0, "OK\n"), "{good:?}");
    let json = desk.run(&with(&["--comment", "Almost done.", "--format", "json"])).json();
    assert_eq!(json["state"]["verdict"]["valid"], false);
}

#[test]
fn the_settings_are_shown_with_their_origin_and_without_secrets() {
    let desk = Desk::with_model(1, "http://127.0.0.1:9");
    let mut command = desk.command(&["config", "show", "--origin"]);
    let shown = command.env("SV_LLM__MAX_WORKERS", "7").output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("llm.max_workers = 7  # variable SV_LLM__MAX_WORKERS"), "{shown}");
    assert!(shown.contains("header_row = 1  # default"), "{shown}");
    let json = desk.run(&["config", "show", "--format", "json"]);
    let keys = json.json();
    let key = keys.as_array().unwrap().iter().find(|key| key["key"] == "llm.providers.1.api_key").unwrap();
    assert_eq!(key["value"], "***");
    assert!(!shown.contains("canary") && !json.out.contains("canary") && !json.err.contains("canary"));
}

#[test]
fn the_predecessors_file_is_shown_resolved_without_any_key() {
    let desk = Desk::new(SAMPLES);
    desk.write("config.yaml", include_str!("../../fixtures/config.example.yaml"));
    let shown = desk.run(&["--config", "config.yaml", "config", "show"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(
        shown.out.contains("columns.status = ") && shown.out.contains("llm.max_workers = "),
        "{}",
        shown.out
    );
    assert!(shown.err.contains("OPENAI_API_KEY_1"), "the missing key is a warning: {}", shown.err);
}

#[test]
fn shells_and_readers_get_their_pages() {
    let desk = Desk::new(SAMPLES);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = desk.run(&["completions", shell]);
        assert_eq!(script.code, 0);
        assert!(script.out.contains("check-text") && script.out.contains("dry-run"), "{shell}");
    }
    let page = desk.run(&["man"]).out;
    assert!(page.contains(".TH status-validator 1"), "{page:.200}");
    assert!(page.contains("status\\-validator\\-explain") && page.contains("accept\\-shrink"));
}

#[test]
fn help_names_every_command_and_every_flag_of_the_predecessor() {
    let help = Desk::new(SAMPLES).run(&["--help"]).out;
    for part in [
        "run",
        "plan",
        "check",
        "check-text",
        "explain",
        "cache",
        "runs",
        "config",
        "completions",
        "man",
        "--config",
        "--limit",
        "--dry-run",
        "--verbose",
        "--force",
        "--checkdate",
        "--rules",
        "Examples:",
        "Exit codes:",
        "Input:",
        "Checking:",
        "Output:",
        "General:",
    ] {
        assert!(help.contains(part), "«{part}» is not in {help}");
    }
    assert!(!help.to_lowercase().contains("api_key") && !help.contains("--api-key"), "no secret is a flag");
}

#[test]
fn the_log_obeys_its_filter_and_is_json_away_from_a_terminal() {
    let desk = Desk::new(SAMPLES);
    let mut command = desk.command(&["--progress", "none"]);
    let output = command.env("SV_LOG", "status_validator=debug").output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let records: Vec<serde_json::Value> = err
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(records.iter().any(|record| record["message"] == "run started"), "{err}");
}
