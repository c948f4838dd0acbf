//! The engine under seeded scripts of faults: whatever fails, every row ends in exactly one state, stands
//! in the table once, and equal seeds give equal event logs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use status_validator::engine::{Event, Limits, Parts, RunReport, RunRequest, Stamped};
use status_validator::llm::LlmError;
use status_validator::table::memory::MemorySink;
use status_validator::testing::{FakeModel, Fault, FaultySink, Step};

use crate::support::{Log, VALID, assert_every_row_in_one_state, keys, paused_parts, projects, run};

/// Raise it for a long sweep: `SV_FAULT_SEEDS=20000 cargo test --test it faults`.
fn seeds() -> u64 {
    std::env::var("SV_FAULT_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(500)
}

#[test]
fn whatever_fails_every_row_ends_in_one_state_and_stands_once() {
    let (mut restarts, mut not_checked, mut rows) = (0, 0, 0);
    for seed in 0..seeds() {
        let (report, _) = play(seed);
        restarts += report.tally.workers.restarts;
        not_checked += report.tally.rows_not_checked;
        rows += report.tally.rows_read;
    }
    println!("{} scripts, {rows} rows, {restarts} restarts, {not_checked} not checked", seeds());
    assert!(restarts > 0 && not_checked > 0 && not_checked < rows, "the scripts bite, and not too hard");
}

#[test]
fn the_same_seed_gives_the_same_event_log() {
    for seed in 0..20 {
        let has_fresh_id = |e: &Stamped| matches!(e.event, Event::RunStarted { .. } | Event::RunEnded { .. });
        let [first, second] =
            [(); 2].map(|()| play(seed).1.into_iter().filter(|e| !has_fresh_id(e)).collect::<Vec<_>>());
        for (n, (a, b)) in first.iter().zip(&second).enumerate() {
            assert_eq!(a, b, "seed {seed}, event {n}");
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

/// Keeps the many panics that the scripts ask for off the test's output.
fn quiet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let scripted = panic.payload_as_str().is_some_and(|text| text.contains("scripted"));
            if !scripted {
                report(panic);
            }
        }));
    });
}

fn play(seed: u64) -> (RunReport, Vec<Stamped>) {
    quiet();
    let mut rng = fastrand::Rng::with_seed(seed);
    let rows = rng.usize(1..60);
    let workers = rng.usize(1..9);
    let queue_depth = rng.usize(1..10);
    let batch_size = rng.usize(1..8);
    let page_rows = rng.usize(1..20);
    let severity = rng.u8(0..35);

    let sink = MemorySink::new();
    let table = FaultySink::new(sink.clone(), move |visit| {
        let mut rng = fastrand::Rng::with_seed(seed ^ (visit + 1).wrapping_mul(0x9e37_79b9));
        match rng.u8(0..100) {
            0..10 => Fault::Refused,
            10..20 => Fault::AnswerLost,
            20..25 => Fault::Panic,
            _ => Fault::None,
        }
    });
    let model = FakeModel::new("faulty", move |_, call| step(seed, call, severity));
    let log = Log::default();
    let record = log.observer();
    // Whoever hears of these events dies: the handlers of workers and of the writer.
    let deadly = move |event: &Stamped| {
        record(event);
        let n = match event.event {
            Event::Took { row, worker } => row * 31 + worker as u64,
            Event::Taken { rows } => rows as u64 * 17,
            _ => return,
        };
        let mut rng = fastrand::Rng::with_seed(seed ^ n ^ event.at.as_millis() as u64);
        assert!(rng.u8(0..100) >= 4, "scripted death of a handler");
    };
    let parts = paused_parts(&projects(rows), table, model.clone());
    let parts = Parts {
        limits: Limits {
            max_workers: workers,
            queue_depth,
            batch_size,
            page_rows,
            call_deadline: Duration::from_secs(30),
            sink_patience: Duration::from_secs(3600),
            ..Limits::default()
        },
        observer: Some(Arc::new(deadly)),
        seed: Some(seed),
        ..parts
    };
    let report = run(parts, RunRequest::default());
    let events = log.events();

    assert_every_row_in_one_state(&report);
    assert_eq!(report.tally.rows_read as usize, rows, "seed {seed}");
    assert!(model.peak() <= workers, "seed {seed}: {} calls at once with {workers} workers", model.peak());
    let expected: BTreeSet<String> = (0..rows).map(|i| format!("project {i}")).collect();
    assert_eq!(keys(&sink), expected.into_iter().collect::<Vec<_>>(), "seed {seed}: each row once");
    let settled = events.iter().filter(|e| matches!(e.event, Event::Settled { .. })).count();
    assert_eq!(settled, rows, "seed {seed}");
    assert_bounded(&events, page_rows + queue_depth + workers, seed);
    (report, events)
}

fn step(seed: u64, call: u64, severity: u8) -> Step {
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003) ^ call);
    let after = Duration::from_millis(rng.u64(1..3000));
    let fail = |error| Step::Fail { after, error };
    if rng.u8(0..100) >= severity {
        return Step::Answer { after, text: VALID.into() };
    }
    match rng.u8(0..8) {
        0 => Step::Panic,
        1 => Step::Hang,
        2 => fail(LlmError::RateLimited { retry_after: Some(Duration::from_secs(2)) }),
        3 => fail(LlmError::Unavailable { detail: "scripted".into(), retry_after: None }),
        4 => fail(LlmError::Timeout(Duration::from_secs(3))),
        5 => fail(LlmError::Refused("scripted".into())),
        6 => Step::Answer { after, text: "{}".into() },
        _ => Step::Answer { after, text: "<html>".into() },
    }
}

/// Rows inside are never more than a page, one for each worker and the queue.
fn assert_bounded(events: &[Stamped], bound: usize, seed: u64) {
    let mut inside = 0_usize;
    for Stamped { event, .. } in events {
        match event {
            Event::Admitted { .. } => inside += 1,
            Event::Settled { .. } => inside = inside.saturating_sub(1),
            _ => {}
        }
        assert!(inside <= bound, "seed {seed}: {inside} rows inside, the bound is {bound}");
    }
}
