//! A real process, killed with -9 in the midst of its work: nothing is lost, nothing that had arrived is paid
//! for again, and every row stands in the results once.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use status_validator::store::Store;
use tokio::sync::mpsc;

use crate::support::http::{Answer, Server};
use crate::support::{VALID, wait};

const ROWS: usize = 300;
const WORKERS: usize = 8;
const KILLS: usize = 20;

#[test]
fn killed_twenty_times_it_finishes_and_pays_for_nothing_twice() {
    wait(async {
        let (asked, mut hears) = mpsc::unbounded_channel();
        let server = Server::answering(move |_, _| {
            asked.send(()).ok();
            let answer = json!({
                "model": "m-1",
                "choices": [{"message": {"role": "assistant", "content": VALID}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5}
            });
            Answer::json(200, &answer).after(Duration::from_millis(30))
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path(), &server.url());
        let mut rng = fastrand::Rng::with_seed(7);
        let mut asked_again = 0;
        for kill in 0..KILLS {
            let mut child = start(dir.path());
            // From «before anything was sent» to «in full swing».
            for _ in 0..rng.usize(0..25) {
                tokio::select! {
                    _ = hears.recv() => {}
                    () = ended(&mut child) => break,
                }
            }
            child.kill().unwrap(); // SIGKILL
            child.wait().unwrap();
            server.is_quiet().await;
            while hears.try_recv().is_ok() {}
            let (answered, requests) = (answers(dir.path()), server.requests().len());
            asked_again = requests - answered;
            assert!(
                asked_again <= WORKERS * (kill + 1),
                "after kill {kill}: {requests} requests, {answered} answers kept"
            );
        }
        let before = server.requests().len();
        let kept = answers(dir.path());
        let mut last = start(dir.path());
        ended(&mut last).await;
        assert!(last.wait().unwrap().success(), "the last run finishes");
        assert_eq!(
            server.requests().len() - before,
            ROWS - kept,
            "it asks for what is not kept, and no more"
        );
        assert_eq!(answers(dir.path()), ROWS);

        let rows = results(dir.path());
        assert_eq!(rows.len(), ROWS, "every row stands in the results");
        assert!(rows.values().all(|(count, valid)| *count == 1 && valid == "YES"), "once, and judged");
        println!(
            "{KILLS} kills: {} requests for {ROWS} rows, {asked_again} lost with a process",
            server.requests().len()
        );
    });
}

fn prepare(dir: &Path, url: &str) {
    let mut source = csv::Writer::from_path(dir.join("statuses.csv")).unwrap();
    source.write_record(["Project", "Status", "Comment"]).unwrap();
    for i in 0..ROWS {
        source
            .write_record([format!("Project {i}"), "On Track".into(), format!("Comment number {i}.")])
            .unwrap();
    }
    source.flush().unwrap();
    let settings = format!(
        r#"
        rules_text = "Every comment says what was done."
        allowed_statuses = ["On Track"]
        [source]
        path = "statuses.csv"
        [target]
        path = "results.csv"
        [columns]
        status = "Status"
        comment = "Comment"
        identifier = "Project"
        [llm]
        max_workers = {WORKERS}
        [llm.providers.1]
        name = "local"
        model = "m-1"
        base_url = "{url}/v1"
        "#
    );
    std::fs::write(dir.join("Settings.toml"), settings).unwrap();
}

fn start(dir: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_status-validator"))
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for a process to end, without taking its exit status away.
async fn ended(child: &mut Child) {
    while child.try_wait().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
}

fn answers(dir: &Path) -> usize {
    let path = dir.join("status_validator.sqlite");
    if !path.exists() {
        return 0; // killed before it had a store
    }
    Store::open(path).unwrap().stats().unwrap().answers as usize
}

/// By key: how often it stands there, and its verdict.
fn results(dir: &Path) -> BTreeMap<String, (usize, String)> {
    let text = std::fs::read_to_string(dir.join("results.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|header| header == name).unwrap();
    let (key, valid) = (column("Key"), column("Is Valid"));
    let mut rows = BTreeMap::new();
    for record in reader.records() {
        let record = record.unwrap();
        let row = rows.entry(record[key].to_owned()).or_insert((0, String::new()));
        row.0 += 1;
        row.1 = record[valid].to_owned();
    }
    rows
}
