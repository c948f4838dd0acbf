//! Long tables: memory does not grow with them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::support::cli::{Desk, SAMPLES};

/// Few rules: memory does not depend on them, and tests are not optimised.
const RULES: &str = r#"
    version = "1"
    [[rule]]
    id = "R1"
    title = "Status"
    text = "The status is an allowed one."
    check = { kind = "allowed-status" }
    [[rule]]
    id = "R2"
    title = "Length"
    text = "The comment has 80 to 900 characters."
    check = { kind = "length", min = 80, max = 900 }
"#;

/// The mark only rises, so a look now and then is enough.
const LOOK: std::time::Duration = std::time::Duration::from_millis(20);

/// A long table, code checks only, in a process of its own. Gives its peak memory in MiB and its rows a second.
fn review(rows: usize) -> (f64, f64) {
    let dir = tempfile::tempdir().unwrap();
    write_table(&dir.path().join("statuses.csv"), rows);
    std::fs::write(dir.path().join("rules.toml"), RULES).unwrap();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_status-validator"));
    command
        .current_dir(dir.path())
        .args(["--config", samples.join("Settings.toml").to_str().unwrap()])
        .args(["--source", "statuses.csv", "--output", "results.csv", "--summary", "summary.json"])
        .args(["--format", "table"])
        .env("SV_RULES_FILE", dir.path().join("rules.toml"))
        .env("SV_CACHE_PATH", dir.path().join("store.sqlite"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let (status, peak) = watched(command);
    assert!(status.success(), "{status}");
    let summary = std::fs::read_to_string(dir.path().join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["rows_read"], rows, "{summary}");
    assert_eq!(summary["rows_written"], rows, "{summary}");
    (peak, summary["rows_per_s"].as_f64().unwrap())
}

/// Runs a program to its end. Gives its peak memory in MiB.
fn watched(mut command: Command) -> (ExitStatus, f64) {
    let mut child = command.spawn().unwrap();
    let pid = child.id();
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || ended.send(child.wait().unwrap()));
    let mut peak = 0.0_f64;
    loop {
        peak = peak.max(high_water_mark(pid).unwrap_or_default());
        if let Ok(status) = end.recv_timeout(LOOK) {
            return (status, peak);
        }
    }
}

fn write_table(path: &Path, rows: usize) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    writeln!(file, "ID,Project,Project Manager,Status,Completion Date,Comment").unwrap();
    for i in 0..rows {
        writeln!(
            file,
            "L-{i},Project {i},Dana Mockford,On Track,2026-05-14,\
             \"Done: stage {i} agreed 6 Mar. Now: naming rules. Next: rules published 26 Mar, board 9 Apr.\""
        )
        .unwrap();
    }
    file.flush().unwrap();
}

/// The peak of a process's resident memory in MiB, as Linux tells it.
fn high_water_mark(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_table() {
    let (short, _) = review(20_000);
    let (long, rows_per_s) = review(200_000);
    println!(
        "20,000 rows: {short:.1} MiB; 200,000 rows: {long:.1} MiB, {rows_per_s:.0} rows/s (debug build)"
    );
    assert!(long < 80.0, "{long} MiB");
    assert!(long - short < 10.0, "{short} MiB, then {long} MiB");
}

/// A workbook of half a megabyte whose texts unfold to half a gigabyte.
fn bomb(path: &Path) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let deflated =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for name in ["[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"]
    {
        zip.start_file(name, deflated).unwrap();
        zip.write_all(b"<sst uniqueCount=\"4000000000\">").unwrap();
    }
    let block = vec![b' '; 1 << 20];
    for _ in 0..512 {
        zip.write_all(&block).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_bomb_is_refused_in_little_memory() {
    let desk = Desk::new(SAMPLES);
    bomb(&desk.path("bomb.xlsx"));
    let size = std::fs::metadata(desk.path("bomb.xlsx")).unwrap().len();
    let mut command = desk.command(&["run", "--source", "bomb.xlsx"]);
    command.stdout(Stdio::null()).stderr(std::fs::File::create(desk.path("told")).unwrap());
    let (status, peak) = watched(command);
    println!("{} KiB that unfold to 512 MiB: refused with {peak:.1} MiB", size / 1024);
    assert_eq!(status.code(), Some(4), "{}", desk.read("told"));
    assert!(desk.read("told").contains("bomb.xlsx: cannot be read"), "{}", desk.read("told"));
    assert!(peak < 64.0, "{peak} MiB");
}
