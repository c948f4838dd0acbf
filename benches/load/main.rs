//! The daemon under load: 200 clients that validate entries, and 1,000 that listen, beside a run; a sandbox's model that
//! answers at once stands in for a provider. Prints how long answers take, how much a run is slowed, and memory.
//!
//! `cargo bench --bench load`; `LOAD_ROWS`, `LOAD_SECONDS` and `LOAD_ROUNDS` change its size.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod client;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::{Client, Met, crowd};

const CLIENTS: usize = 200;
const LISTENERS: usize = 1000;

/// A process of ours and what it said in its line.
struct Running {
    child: Child,
    said: String,
}

impl Running {
    fn start(folder: &Path, args: &[&str], mark: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_status-validator"));
        command.args(args).current_dir(folder).stdin(Stdio::null());
        let is_daemon = args.contains(&"serve");
        command.stdout(if is_daemon { Stdio::null() } else { Stdio::piped() });
        command.stderr(if is_daemon { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().expect("the program starts");
        let stream: Box<dyn std::io::Read + Send> = match is_daemon {
            true => Box::new(child.stderr.take().unwrap()),
            false => Box::new(child.stdout.take().unwrap()),
        };
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let said = lines.find(|line| line.contains(mark)).expect("it says where it is");
        std::thread::spawn(move || lines.for_each(drop)); // it may go on talking
        Self { child, said }
    }

    /// Kilobytes that it held at most.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn size(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let (rows, seconds, rounds) = (size("LOAD_ROWS", 4000), size("LOAD_SECONDS", 30), size("LOAD_ROUNDS", 5));
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox =
        Running::start(folder.path(), &["sandbox", "--listen", "127.0.0.1:0", "--dir", "."], "ready at");
    let model = sandbox.said.split("ready at ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let settings = format!(
        r#"
rules_text = "Every comment says what was done."
[source]
path = "projects.csv"
[target]
path = "review.csv"
[columns]
status = "Status"
comment = "Comment"
identifier = "Project"
[llm]
max_workers = 20
[llm.providers.1]
name = "sandbox"
model = "m"
base_url = "{model}/v1"
"#
    );
    std::fs::write(folder.path().join("serve.toml"), settings).expect("settings");
    table(folder.path(), rows, 0);
    let daemon =
        Running::start(folder.path(), &["-c", "serve.toml", "serve", "--listen", "127.0.0.1:0"], "status at");
    let address = daemon.said.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();

    println!("{CLIENTS} clients for {seconds} s, nothing else:");
    told(&crowd(&address, CLIENTS, 999, Instant::now() + Duration::from_secs(seconds)).await, seconds as f64);
    let (mut alone, mut crowded, mut heard) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        // In turns, so that what else the machine does meets all alike.
        alone.push(run(&address, folder.path(), rows, 3 * round).await);
        let until = Instant::now() + Duration::from_secs(3600);
        let near = address.clone();
        let load = tokio::spawn(async move { crowd(&near, CLIENTS, round, until).await });
        crowded.push(run(&address, folder.path(), rows, 3 * round + 1).await);
        load.abort();
        let listeners = listen(&address).await;
        heard.push(run(&address, folder.path(), rows, 3 * round + 2).await);
        drop(listeners);
    }
    let (alone, crowded, heard) = (median(alone), median(crowded), median(heard));
    println!(
        "a run of {rows} rows, medians of {rounds}: alone {alone:.2} s; with {CLIENTS} clients {crowded:.2} s ({:+.1} %); \
              with {LISTENERS} listeners {heard:.2} s ({:+.1} %)",
        percent(crowded, alone),
        percent(heard, alone)
    );
    println!("the daemon held {:.1} MB at most", daemon.peak() as f64 / 1024.0);
}

fn told(met: &Met, seconds: f64) {
    let at = |share: f64| {
        let place = ((met.answered.len() as f64 - 1.0) * share).max(0.0) as usize;
        met.answered.get(place).copied().unwrap_or_default().as_secs_f64() * 1000.0
    };
    println!(
        "  {} answers ({:.0} a second), {} told to come again, {} errors; half within {:.1} ms, 99 of 100 within {:.1} ms",
        met.answered.len(),
        met.answered.len() as f64 / seconds,
        met.put_off,
        met.others.len(),
        at(0.5),
        at(0.99)
    );
    for other in met.others.iter().take(3) {
        println!("  error: {other}");
    }
}

fn percent(of: f64, base: f64) -> f64 {
    (of / base - 1.0) * 100.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A table of so many rows that nobody has seen.
fn table(folder: &Path, rows: u64, number: u64) {
    let lines =
        (0..rows).map(|row| format!("Project {row},On Track,Step {row} of round {number} is done.\n"));
    let text = format!("Project,Status,Comment\n{}", lines.collect::<String>());
    std::fs::write(folder.join("projects.csv"), text).expect("a table");
}

/// Runs over a new table. Gives the seconds that the run says it took.
async fn run(address: &str, folder: &Path, rows: u64, number: u64) -> f64 {
    table(folder, rows, number);
    let mut client = Client::new(address).await.expect("a connection");
    let begun = client.ask("POST /api/v1/runs", "{}").await.expect("an answer");
    let begun: serde_json::Value = serde_json::from_str(&begun.body).expect("JSON");
    let line = format!("GET /api/v1/runs/{}", begun["run_id"].as_str().expect("a run"));
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let answer = client.ask(&line, "").await.expect("an answer");
        let run: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        if run["ended"].is_string() {
            let report = &run["report"];
            assert_eq!(report["outcome"], "ok", "{report}");
            assert_eq!(report["llm"]["answers"], rows);
            return report["elapsed_s"].as_f64().expect("a time");
        }
    }
}

/// Those who listen to events and read them.
async fn listen(address: &str) -> tokio::task::JoinSet<()> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..LISTENERS {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
        let ask = format!("GET /events HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.expect("a request");
        all.spawn(async move {
            let mut bytes = [0; 4096];
            while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
        });
    }
    all
}
