//! Long tabs: 50,000 source rows go through, beside as many results that are known, in little memory.

use std::io::{BufWriter, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::cli::{Desk, SAMPLES};
use crate::support::served::Served;

const ROWS: usize = 50_000;
/// Rows that the results tab does not have yet.
const NEW: usize = 600;
/// Peak of what the process may hold, its code aside: that of a build for tests alone takes 37 MiB.
const MOST_HELD: f64 = 80.0;
/// Peak with its code, of a build as people have it.
const MOST: f64 = 100.0;

/// Few rules: memory does not depend on them, and tests are not optimised.
const RULES: &str = r#"
    version = "1"
    [[rule]]
    id = "R1"
    title = "Status"
    text = "The status is an allowed one."
    check = { kind = "allowed-status" }
"#;

#[test]
fn fifty_thousand_rows_stream() {
    let desk = Desk::new(SAMPLES);
    desk.write("rules.toml", RULES);
    tables(&desk);
    let sheets = ["--sheet", "weeks:Statuses=long.csv", "--sheet", "results:Status Review=known.csv"];
    let sandbox = Served::logged(&desk, &[&sheets[..], &["--target", "results"]].concat());
    let began = Instant::now();
    let mut child = desk
        .command(&["run", "--config", "try/sandbox.toml", "--summary", "summary.json", "--format", "table"])
        .env("SV_RULES_FILE", desk.path("rules.toml"))
        .env("SV_LLM__ENABLED", "false")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut peak, mut code) = (0.0_f64, 0.0_f64);
    let status = loop {
        peak = peak.max(memory(child.id(), "VmHWM:").unwrap_or_default());
        code = code.max(memory(child.id(), "RssFile:").unwrap_or_default());
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(300), "it does not end");
        std::thread::park_timeout(Duration::from_millis(10)); // the mark only rises
    };
    let took = began.elapsed().as_secs_f64();
    assert!(status.success(), "{status}");
    let summary: Value = serde_json::from_str(&desk.read("summary.json")).unwrap();
    println!(
        "{ROWS} source rows: {peak:.1} MiB, of which {code:.1} are code, {took:.1} s, {}",
        summary["sheets"]
    );
    assert_eq!(
        (&summary["rows_read"], &summary["rows_written"], &summary["rows_unchanged"]),
        (&ROWS.into(), &NEW.into(), &(ROWS - NEW).into()),
        "{summary}"
    );
    assert!(peak > code && peak - code < MOST_HELD, "{peak} MiB, {code} of them code");
    assert!(cfg!(debug_assertions) || peak < MOST, "{peak} MiB");
    let mut keys = sandbox.column("results", "Key");
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), ROWS, "each row once");
}

/// The statuses, and what an earlier run said of all but the last of them.
fn tables(desk: &Desk) {
    let file = |name| BufWriter::new(std::fs::File::create(desk.path(name)).unwrap());
    let (mut source, mut known) = (file("long.csv"), file("known.csv"));
    writeln!(source, "Project,Status,Completion Date,Comment").unwrap();
    writeln!(
        known,
        "Row Number,Project name,Status Value,Completion Date,Comment,Is Valid,Issues,Rewrite Suggestion,\
         Raw LLM JSON,Check date,Model,Rules,Severity,Key"
    )
    .unwrap();
    for i in 0..ROWS {
        let says =
            format!("On Track,2026-05-14,Done: stage {i} agreed. Now: naming rules. Next: the board's yes.");
        writeln!(source, "Project {i},{says}").unwrap();
        if i < ROWS - NEW {
            writeln!(known, "{},Project {i},{says},YES,,,,13.03.2026 09:00,code checks,,,project {i}", i + 2)
                .unwrap();
        }
    }
    source.flush().unwrap();
    known.flush().unwrap();
}

/// A figure of a process's memory in MiB, as Linux tells it.
fn memory(pid: u32, name: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}
