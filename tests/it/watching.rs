//! What is shipped for those who watch over it: units of systemd, alerts, a dashboard.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use status_validator::engine::RunRequest;
use status_validator::http::Metrics;
use status_validator::table::memory::MemorySink;

use crate::support::cli::{Desk, SAMPLES};
use crate::support::{model, paused_parts, projects, run};

fn shipped(place: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(place)
}

/// The score that systemd gives: 0 is best, 10 is worst.
#[test]
fn units_are_understood_and_leave_little_open() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("systemd-analyze is not here: units are not looked at");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut copies = Vec::new();
    for entry in std::fs::read_dir(shipped("systemd")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        // Installed it is somewhere else.
        let text = text.replace("/usr/bin/status-validator", env!("CARGO_BIN_EXE_status-validator"));
        let copy = folder.path().join(path.file_name().unwrap());
        std::fs::write(&copy, text.replace("/usr/bin/logger", "/bin/true")).unwrap();
        if path.extension().is_some_and(|ending| ending == "service") {
            let scored = Command::new("systemd-analyze")
                .args(["security", "--offline=true"])
                .arg(&path)
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&scored.stdout).into_owned();
            let line = told
                .lines()
                .find(|line| line.contains("Overall exposure level"))
                .unwrap_or_else(|| panic!("{told}"));
            let score: f64 = line.split(": ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
            println!("{}: {score}", path.file_name().unwrap().display());
            assert!(score <= 2.0, "{line}");
        }
        copies.push(copy);
    }
    let verified =
        Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&copies).output().unwrap();
    let told = String::from_utf8_lossy(&verified.stderr);
    let ours: Vec<&str> = told.lines().filter(|line| line.contains("status-validator")).collect();
    assert!(verified.status.success() && ours.is_empty(), "{told}");
}

/// The names of all metrics there are.
fn emitted() -> BTreeSet<String> {
    let source =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/metrics.rs")).unwrap();
    let names = source.split('"').filter(|part| part.starts_with("sv_") && !part.contains(' '));
    names.map(str::to_owned).collect()
}

#[test]
fn alerts_and_the_dashboard_ask_for_metrics_that_there_are() {
    let emitted = emitted();
    assert!(emitted.len() > 25, "{emitted:?}");
    let name = regex_of_names();
    for place in ["prometheus/alerts.yml", "grafana/dashboard.json"] {
        let text = std::fs::read_to_string(shipped(place)).unwrap();
        let asked: BTreeSet<String> = name(&text);
        assert!(asked.len() >= 8, "{place}: {asked:?}");
        for metric in asked {
            let family = metric.trim_end_matches("_bucket");
            assert!(emitted.contains(family), "{place}: {metric}");
        }
    }
    let dashboard: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(shipped("grafana/dashboard.json")).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
}

fn regex_of_names() -> impl Fn(&str) -> BTreeSet<String> {
    |text: &str| {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        words.filter(|word| word.starts_with("sv_")).map(str::to_owned).collect()
    }
}

#[test]
fn the_counters_say_what_the_report_says_in_the_format_of_prometheus() {
    let metrics = std::sync::Arc::new(Metrics::new().unwrap());
    let mut parts = paused_parts(&projects(40), MemorySink::new(), model(10));
    metrics.know("default", vec![parts.providers[0].model.id().clone()]);
    parts.observer = Some(std::sync::Arc::<Metrics>::clone(&metrics));
    let report = run(parts, RunRequest::default());
    let text = metrics.text();
    let value = |line: &str| -> f64 {
        let found = text.lines().find_map(|known| known.strip_prefix(line)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("{line} is not in:\n{text}")).parse().unwrap()
    };
    let tally = &report.tally;
    for (line, counted) in [
        ("sv_rows_read_total{job=\"default\"}", tally.rows_read),
        ("sv_rows_reviewed_total{origin=\"model\",verdict=\"valid\"}", tally.rows_valid),
        ("sv_llm_requests_total{model=\"content\",outcome=\"ok\",provider=\"fake\"}", tally.llm.answers),
        (
            "sv_llm_tokens_total{model=\"content\",provider=\"fake\",type=\"output\"}",
            tally.llm.completion_tokens,
        ),
        ("sv_sink_rows_written_total{op=\"write\"}", tally.rows_written),
        ("sv_runs_total{outcome=\"ok\",trigger=\"cli\"}", 1),
        ("sv_run_in_progress{job=\"default\"}", 0),
        ("sv_llm_request_duration_seconds_count{model=\"content\",provider=\"fake\"}", tally.llm.requests),
    ] {
        assert_eq!(value(line), counted as f64, "{line}");
    }
    assert_format(&text);
}

/// Each sample stands under the TYPE of its family, once.
fn assert_format(text: &str) {
    let (mut family, mut seen) = (String::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
            assert!(kind != "counter" || name.ends_with("_total"), "{line}");
            family = name.to_owned();
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let parts = ["_bucket", "_sum", "_count"].map(|part| format!("{family}{part}"));
            assert!(name == family || parts.iter().any(|part| part == name), "{line} is not of {family}");
            assert!(value.parse::<f64>().is_ok() && seen.insert(series.to_owned()), "{line}");
        }
    }
    assert!(seen.len() > 20);
}

#[test]
fn a_run_leaves_its_metrics_in_a_file_that_others_may_read() {
    let desk = Desk::new(SAMPLES);
    let ended = desk.run(&["-q", "--metrics-file", "sv.prom"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let text = desk.read("sv.prom");
    assert!(text.contains("sv_rows_read_total{job=\"default\"} 70") && !text.contains("# EOF"), "{text}");
    assert_format(&text);
    #[cfg(unix)]
    {
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&desk.path("sv.prom").metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o644);
    }
    let ended = desk.run(&["-q", "--metrics-file", "no/such/folder/sv.prom"]);
    assert!(ended.code == 3 && ended.err.contains("--metrics-file"), "{ended:?}");
    assert_eq!(desk.results(), 70, "the results are there all the same");
}
