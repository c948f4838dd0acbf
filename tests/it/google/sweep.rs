//! Faults and people between any two requests, for many seeds: whatever happens, the results end up right and people
//! lose nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use status_validator::domain::results::{IsValid, ResultRow};
use status_validator::sandbox::sheets::{Office, Switches};
use status_validator::sandbox::{Arrival, Door, Fault};
use status_validator::table::{SinkOptions, TableSink as _};

use super::people::People;
use super::sink::{row, run};
use crate::support::stand::{REVIEW, Stand, options};

/// How many seeds are tried; `SV_SHEET_SEEDS` raises it.
fn seeds() -> u64 {
    std::env::var("SV_SHEET_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}

#[test]
fn whatever_happens_the_results_are_right_and_people_lose_nothing() {
    let first: u64 = std::env::var("SV_SHEET_FIRST").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let (mut totals, mut failed) = (Totals::default(), Vec::new());
    for seed in first..first + seeds() {
        let run = || {
            let mut paused = tokio::runtime::Builder::new_current_thread();
            let runtime = paused.enable_all().start_paused(true).build().unwrap();
            runtime.block_on(try_seed(seed))
        };
        match std::panic::catch_unwind(run) {
            Ok(of_seed) => totals.add(of_seed),
            Err(_) => failed.push(seed),
        }
    }
    println!("{} seeds: {totals:?}", seeds());
    assert!(failed.is_empty(), "failed: {failed:?}");
}

/// What happened in all seeds together.
#[derive(Debug, Default)]
#[allow(dead_code, reason = "printed")]
struct Totals {
    requests: usize,
    faults: u64,
    edits: u64,
    broken_off: u64,
    failed: u64,
    rows: usize,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.faults += other.faults;
        self.edits += other.edits;
        self.broken_off += other.broken_off;
        self.failed += other.failed;
        self.rows += other.rows;
    }
}

async fn try_seed(seed: u64) -> Totals {
    fastrand::seed(seed); // names and ids that the program makes up
    let mut rng = Rng::with_seed(seed);
    let stand = Stand::new();
    let honoured = seed.is_multiple_of(2);
    stand.sandbox.with_office(|office| {
        office.set_switches(Switches { named_range_ids: honoured, ..Switches::default() });
    });
    let mut rows: Vec<ResultRow> = (2..2 + rng.u64(3..14)).map(|n| row(&format!("p{n}"), n)).collect();
    let people = Arc::new(Mutex::new(People::default()));
    if rng.u8(0..4) > 0 {
        let known = rng.usize(0..=rows.len());
        run(&stand, &rows[..known]).await;
        stand.sandbox.with_office(|office| people.lock().unwrap().settle_in(office, &mut rng));
    }
    for row in &mut rows {
        if rng.bool() {
            row.is_valid = IsValid::No;
            row.issues = format!("R5 — no date in row {}", row.row);
            row.comment.push_str(", and more");
        }
    }
    stand.sandbox.clear_seen();

    let mut totals = Totals { rows: rows.len(), ..Totals::default() };
    let happened = Arc::new(Mutex::new((0u64, 0u64)));
    stand.sandbox.set_script(script(rng.fork(), Arc::clone(&people), Arc::clone(&happened)));
    let mut unsettled = None;
    for _ in 0..3 {
        match attempt(&stand.another(), &rows, unsettled, &mut rng).await {
            Ended::Well => unsettled = None,
            Ended::Failed { is_settled } => {
                totals.failed += 1;
                unsettled = (!is_settled).then_some(Duration::ZERO).or(unsettled);
            }
            Ended::BrokenOff => {
                totals.broken_off += 1;
                unsettled = Some(Duration::ZERO);
            }
        }
    }
    stand.sandbox.clear_script();
    (totals.faults, totals.edits) = *happened.lock().unwrap();
    totals.requests = stand.sandbox.seen().len();

    // A last run that nobody disturbs.
    let quiet = stand.another();
    let mut sink = quiet.sink();
    let about = format!("seed {seed}");
    sink.open(&SinkOptions { unsettled, ..options() })
        .await
        .unwrap_or_else(|error| panic!("{about}: {error}"));
    sink.upsert(&rows).await.unwrap();
    sink.mark_gone(true).await.unwrap();
    sink.commit().await.unwrap_or_else(|error| panic!("{about}: {error}"));
    sink.close().await.unwrap_or_else(|error| panic!("{about}: {error}"));
    // What was still on its way has arrived by now, or never will.
    tokio::time::sleep(Duration::from_secs(200)).await;
    let people = people.lock().unwrap();
    stand.sandbox.with_office(|office| people.assert_untouched(office, &about));
    assert_results(&stand, &rows, &about, &people.log);
    crate::support::stand::assert_proper(&stand.sandbox.seen());
    totals
}

enum Ended {
    Well,
    Failed { is_settled: bool },
    BrokenOff,
}

/// A run as the engine makes it, which may be killed in its midst.
async fn attempt(stand: &Stand, rows: &[ResultRow], unsettled: Option<Duration>, rng: &mut Rng) -> Ended {
    let mut sink = stand.sink();
    let killed_after = rng.bool().then(|| Duration::from_millis(rng.u64(0..400_000)));
    let lot = rng.usize(1..=rows.len());
    let work = async {
        sink.open(&SinkOptions { unsettled, ..options() }).await?;
        for rows in rows.chunks(lot) {
            sink.upsert(rows).await?;
            sink.commit().await?;
        }
        sink.mark_gone(true).await?;
        sink.commit().await?;
        sink.close().await
    };
    match tokio::time::timeout(killed_after.unwrap_or(Duration::from_secs(1_000_000)), work).await {
        Ok(Ok(())) => Ended::Well,
        Ok(Err(_)) => Ended::Failed { is_settled: sink.is_settled() },
        Err(_) => Ended::BrokenOff,
    }
}

fn script(
    mut rng: Rng,
    people: Arc<Mutex<People>>,
    happened: Arc<Mutex<(u64, u64)>>,
) -> impl FnMut(&Arrival, &mut Office) -> Fault + Send {
    let (faulty, busy) = (rng.f64() * 0.3, rng.f64() * 0.5);
    move |arrival, office| {
        let mut happened = happened.lock().unwrap();
        if rng.f64() < busy {
            let mut people = people.lock().unwrap();
            people.log.push(format!("before request {} ({:?})", arrival.number, arrival.door));
            people.act(office, &mut rng);
            happened.1 += 1;
        }
        if rng.f64() >= faulty {
            return Fault::None;
        }
        happened.0 += 1;
        let fault = match rng.u8(0..14) {
            0 | 1 => Fault::ResetBeforeCommit,
            2 | 3 => Fault::CommitThenReset,
            4 | 5 if arrival.door == Door::Write => Fault::LateCommit(Duration::from_secs(rng.u64(1..170))),
            6 => Fault::Status(429),
            7 => Fault::Status(503),
            8 => Fault::CommitThenStatus(503),
            9 => Fault::CommitThenCut,
            10 => Fault::Hang,
            11 => Fault::CommitThenHang,
            12 => Fault::Html(502),
            _ => Fault::Slow(Duration::from_secs(rng.u64(1..80))),
        };
        people
            .lock()
            .unwrap()
            .log
            .push(format!("request {} ({:?}): {fault:?}", arrival.number, arrival.door));
        fault
    }
}

/// Every row of the source stands in the results once, with its own text beside its own verdict.
fn assert_results(stand: &Stand, rows: &[ResultRow], about: &str, log: &[String]) {
    let table = stand.review();
    let at = |name: &str| table[0].iter().position(|header| header == name).unwrap();
    for row in rows {
        let found: Vec<&Vec<String>> =
            table.iter().filter(|cells| cells[at("Key")] == row.key.as_str()).collect();
        assert_eq!(
            found.len(),
            1,
            "{about}: {} stands there {} times\n{log:#?}\n{table:#?}",
            row.key,
            found.len()
        );
        let said = [at("Row Number"), at("Project name"), at("Comment"), at("Is Valid"), at("Issues")]
            .map(|at| found[0][at].as_str());
        let number = row.row.to_string();
        let expected = [
            number.as_str(),
            row.project.as_deref().unwrap(),
            &row.comment,
            row.is_valid.as_str(),
            &row.issues,
        ];
        assert_eq!(said, expected, "{about}\n{log:#?}");
    }
    assert!(!table.iter().flatten().any(|cell| cell.starts_with("@theirs")), "{about}\n{log:#?}\n{table:#?}");
    let tabs = stand.tabs();
    assert_eq!(tabs, ["Sheet1", REVIEW], "{about}: nothing of ours is left behind");
}
