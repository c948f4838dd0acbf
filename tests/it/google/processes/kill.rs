//! The program killed at any moment while its tables are in Google Sheets: the next run finishes, and nothing is paid
//! for twice but what was on its way.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;
use status_validator::domain::results::ResultRow;
use status_validator::sandbox::sheets::Switches;
use status_validator::sandbox::{Door, Fault};
use status_validator::store::Store;
use status_validator::table::{SinkOptions, TableSink as _};

use crate::google::sink::{row, run as run_sink};
use crate::support::cli::{Desk, SAMPLES};
use crate::support::served::{Asked, Served, run};
use crate::support::stand::{REVIEW, Stand, options};

const ROWS: usize = 100;
const WORKERS: usize = 4;
const KILLS: usize = 6;
/// A run that waits for a write of a killed process takes three minutes.
const NO_WAIT: Duration = Duration::from_secs(25);

/// Raise it for a long sweep: `SV_KILL_SEEDS=100 cargo test --test it google::processes::kill`.
fn seeds() -> u64 {
    std::env::var("SV_KILL_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(2)
}

#[test]
fn killed_at_any_moment_it_finishes_where_fences_hold() {
    let mut kills = 0;
    for seed in 0..seeds() {
        let mut rng = Rng::with_seed(seed);
        // Half of the moments are told by the tables' requests, of which most belong to the last commit.
        let (in_the_midst, told) = killed(seed, "honoured", &mut |begun| match rng.bool() {
            true => (begun.tables + rng.usize(0..14), usize::MAX),
            false => (usize::MAX, begun.model + rng.usize(0..25)),
        });
        println!("{told}");
        kills += in_the_midst;
    }
    assert!(kills as u64 >= 3 * seeds(), "the moments are within runs: {kills}");
}

#[test]
fn killed_while_nothing_is_written_it_finishes_without_fences() {
    let mut rng = Rng::with_seed(77);
    let (kills, told) = killed(77, "ignored", &mut |begun| (usize::MAX, begun.model + rng.usize(0..12)));
    println!("{told}");
    assert_eq!(kills, KILLS);
}

/// Runs that are killed when the sandbox has seen so many requests for tables, or so many for the model; then one that
/// is left alone. Gives how many were killed in their midst, and how it went.
fn killed(seed: u64, fence: &str, moment: &mut dyn FnMut(Asked) -> (usize, usize)) -> (usize, String) {
    let desk = Desk::new(SAMPLES);
    desk.projects(ROWS);
    let slow = ["--fault", "chat=slow 30ms", "--fault", "write=slow 150ms", "--fault", "read=slow 30ms"];
    let to = ["--sheet", "weeks:Statuses=projects.csv", "--target", "results", "--fence", fence];
    let sandbox = Served::logged(&desk, &[&to[..], &slow].concat());
    // The results tab is there before anybody is killed.
    let first = desk.run(&["run", "--config", "try/sandbox.toml", "--limit", "1"]);
    assert!(matches!(first.code, 0 | 3), "{first:?}");

    let mut in_the_midst = 0;
    for kill in 1..=KILLS {
        let begun = Asked::so_far(&desk);
        let (tables, model) = moment(begun);
        let mut child = start(&desk);
        let done = wait_until(&mut child, || {
            let asked = Asked::so_far(&desk);
            asked.tables >= tables || asked.model >= model
        });
        if done {
            assert!(child.wait().unwrap().success(), "seed {seed}, run {kill}");
            break; // nothing is left to be killed at
        }
        in_the_midst += 1;
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        let (asked, kept) = (Asked::so_far(&desk), answers(&desk));
        assert!(
            asked.model <= kept + WORKERS * kill,
            "seed {seed}, kill {kill}: {asked:?}, {kept} answers kept"
        );
    }
    let (before, kept) = (Asked::so_far(&desk), answers(&desk));
    let began = Instant::now();
    let (ended, summary) = run(&desk);
    let took = began.elapsed();
    let asked = Asked::so_far(&desk);
    assert!(took < NO_WAIT, "seed {seed}: {took:?}: {ended:?}");
    assert_eq!(
        asked.model - before.model,
        answers(&desk) - kept,
        "it asks for what is not kept, and no more"
    );
    assert_eq!(answers(&desk), ROWS);
    assert_eq!(summary["rows_not_checked"], 0, "{summary}");
    sandbox.assert_each_once("results", ROWS, &format!("seed {seed}"));
    let (_, again) = run(&desk);
    assert_eq!((&again["sheets"]["writes"], &again["llm"]["requests"]), (&0.into(), &0.into()), "{again}");
    let (requests, took) = (asked.model, took.as_secs_f64());
    let told = format!("{requests} requests for {ROWS} rows, the last run took {took:.1} s");
    (in_the_midst, format!("seed {seed}, fence {fence}: {in_the_midst} kills, {told}"))
}

fn start(desk: &Desk) -> Child {
    let mut command = desk.command(&["run", "--config", "try/sandbox.toml"]);
    command.env("SV_LLM__MAX_WORKERS", WORKERS.to_string());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits for a moment; true if the process ended before.
fn wait_until(child: &mut Child, is_now: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !is_now() {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the moment never comes");
        std::thread::park_timeout(Duration::from_millis(3)); // leaves the processor to who is waited for
    }
    false
}

fn answers(desk: &Desk) -> usize {
    Store::open(desk.path("try/status_validator.sqlite")).unwrap().stats().unwrap().answers as usize
}

/// How long a run waits if the one before was killed while a write was on its way that comes after 170 s.
async fn waits(is_there: bool, named_range_ids: bool) -> Duration {
    let about = format!("a tab was there: {is_there}, fences hold: {named_range_ids}");
    let stand = Stand::new();
    let switches = Switches { named_range_ids, ..Switches::default() };
    stand.sandbox.with_office(|office| office.set_switches(switches));
    let rows: Vec<ResultRow> = (2..8).map(|n| row(&format!("p{n}"), n)).collect();
    if is_there {
        run_sink(&stand, &rows[..2]).await;
    }
    stand.fault(Door::Write, 1, Fault::LateCommit(Duration::from_secs(170)));
    let sent = async {
        while stand.sandbox.seen().iter().all(|seen| seen.fault == Fault::None) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = run_sink(&stand, &rows) => panic!("{about}: it was not killed"),
        () = sent => {}
    }
    let began = tokio::time::Instant::now();
    let other = stand.another();
    let mut sink = other.sink();
    sink.open(&SinkOptions { unsettled: Some(Duration::ZERO), ..options() }).await.unwrap();
    sink.upsert(&rows).await.unwrap();
    sink.commit().await.unwrap_or_else(|error| panic!("{about}: {error}"));
    sink.close().await.unwrap();
    let waited = began.elapsed();
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(stand.column("Key"), ["p2", "p3", "p4", "p5", "p6", "p7"], "{about}: each row once");
    assert_eq!(stand.tabs(), ["Sheet1", REVIEW], "{about}: nothing is left behind");
    waited
}

#[tokio::test(start_paused = true)]
async fn after_a_kill_in_the_midst_of_a_write_only_a_server_without_fences_is_waited_for() {
    let mut waited = Vec::new();
    for (is_there, fences) in [(true, true), (true, false), (false, true), (false, false)] {
        waited.push(waits(is_there, fences).await.as_secs_f64());
    }
    println!("seconds: tab there {:?}, tab missing {:?} (fences hold, do not)", &waited[..2], &waited[2..]);
    assert!(waited[0] < 5.0, "a fence keeps the late write out");
    assert!(waited[1] >= 179.0 && waited[1] < 185.0, "nothing but time does");
    assert!(waited[2] < 5.0 && waited[3] < 5.0, "a tab is made once, by whichever comes first");
}
