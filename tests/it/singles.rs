//! Rows that are sent alone, beside runs and without them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use status_validator::engine::*;
use status_validator::llm::LlmError;
use status_validator::store::Store;
use status_validator::table::memory::MemorySink;
use status_validator::testing::{FakeModel, Step};

use tokio::sync::Notify;

use crate::support::{
    VALID, assert_every_row_in_one_state, entry, model, paused_parts, projects, soon, wait,
};

/// One error of the store, and single rows are never judged again.
#[test]
fn a_passing_error_of_the_store_passes() {
    struct KillsCache(AtomicUsize);
    impl Clock for KillsCache {
        fn now(&self) -> jiff::Timestamp {
            let here = std::thread::current().name().unwrap_or_default().to_owned();
            if here != "status-validator" && self.0.fetch_add(1, Ordering::SeqCst) == 0 {
                panic!("scripted");
            }
            "2026-03-13T09:00:00Z".parse().unwrap()
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.sqlite");
    let opened = AtomicUsize::new(0);
    let mut parts = paused_parts(&projects(1), MemorySink::new(), model(10));
    parts.placement = Placement::OwnThread;
    parts.clock = Arc::new(KillsCache(AtomicUsize::new(0)));
    parts.store = Arc::new(move || match opened.fetch_add(1, Ordering::SeqCst) {
        1 => Store::open(path.parent().unwrap()),
        _ => Store::open(&path),
    });
    wait(async {
        let engine = Engine::start(parts).unwrap();
        let first = soon(engine.handle().validate(entry(1))).await.unwrap();
        drop(first); // it may be lost with the store
        let second = soon(engine.handle().validate(entry(2))).await.unwrap();
        let judged = matches!(second.state, status_validator::domain::outcome::RowState::Judged { .. });
        assert!(judged);
        engine.shutdown(Duration::from_secs(1)).await;
    });
}

/// A provider that declined one row sent alone is asked about the next.
#[test]
fn a_provider_that_recovered_is_asked_again_without_a_run() {
    let model = FakeModel::new("m", |_, n| match n {
        0 => Step::Fail { after: Duration::ZERO, error: LlmError::Quota("topped up soon".into()) },
        _ => Step::Answer { after: Duration::ZERO, text: VALID.into() },
    });
    let mut parts = paused_parts(&projects(1), MemorySink::new(), model);
    parts.placement = Placement::Shared;
    wait(async {
        let engine = Engine::start(parts).unwrap();
        soon(engine.handle().validate(entry(1))).await.unwrap();
        let second = soon(engine.handle().validate(entry(2))).await.unwrap();
        let judged = matches!(second.state, status_validator::domain::outcome::RowState::Judged { .. });
        engine.shutdown(Duration::from_secs(1)).await;
        assert!(judged);
    });
}

/// Single rows beside a run.
#[test]
fn a_run_ends_and_counts_its_own_rows_while_single_rows_come() {
    let mut parts = paused_parts(&projects(3), MemorySink::new(), model(100));
    parts.placement = Placement::Shared;
    wait(async {
        let engine = Engine::start(parts).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let in_full_swing = Notify::new();
        let singles = async {
            let one = |lane: u64| {
                let (handle, stop, in_full_swing) = (engine.handle(), Arc::clone(&stop), &in_full_swing);
                async move {
                    for n in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        handle.validate(entry(1000 * lane + n)).await.ok();
                        in_full_swing.notify_one();
                    }
                }
            };
            tokio::join!(one(1), one(2), one(3));
        };
        let run = async {
            in_full_swing.notified().await;
            let report = soon(engine.handle().run(RunRequest::default())).await;
            stop.store(true, Ordering::SeqCst);
            report
        };
        let (report, ()) = tokio::join!(run, singles);
        engine.shutdown(Duration::from_secs(2)).await;
        assert_every_row_in_one_state(&report.unwrap());
    });
}

#[test]
fn a_report_counts_the_rows_of_the_run_only() {
    let mut parts = paused_parts(&projects(3), MemorySink::new(), model(300));
    parts.placement = Placement::Shared;
    wait(async {
        let engine = Engine::start(parts).unwrap();
        let handle = engine.handle();
        let (single, report) =
            tokio::join!(handle.validate(entry(9)), soon(handle.run(RunRequest::default())));
        single.unwrap();
        engine.shutdown(Duration::from_secs(2)).await;
        assert_every_row_in_one_state(&report.unwrap());
    });
}

/// A burst of single rows.
#[test]
fn a_burst_of_single_rows_is_bounded() {
    let mut parts = paused_parts(&projects(1), MemorySink::new(), model(50));
    parts.placement = Placement::Shared;
    parts.limits = Limits { max_workers: 1, queue_depth: 2, ..Limits::default() };
    wait(async {
        let engine = Engine::start(parts).unwrap();
        let handle = engine.handle();
        let all = futures_util::future::join_all((0..40).map(|n| handle.validate(entry(n)))).await;
        let taken = all.iter().filter(|r| r.is_ok()).count();
        engine.shutdown(Duration::from_secs(5)).await;
        assert!(taken <= 4, "{taken} of 40 rows were inside at once; queue_depth is 2");
    });
}

/// A cancelled run and a row that somebody sent alone.
#[test]
fn a_cancelled_run_leaves_single_rows_alone() {
    let mut parts = paused_parts(&projects(50), MemorySink::new(), model(200));
    parts.placement = Placement::Shared;
    parts.limits = Limits { max_workers: 1, queue_depth: 100, ..Limits::default() };
    let request = RunRequest::default();
    let (cancel, busy) = (request.cancel.clone(), Arc::new(Notify::new()));
    let is_busy = Arc::clone(&busy);
    parts.observer = Some(Arc::new(move |event: &Stamped| match event.event {
        Event::CallStarted { .. } => is_busy.notify_one(),
        Event::Queued { row: 1 } => cancel.cancel(), // the single row; those of the table begin with 2
        _ => {}
    }));
    wait(async {
        let engine = Engine::start(parts).unwrap();
        let handle = engine.handle();
        let single = async {
            busy.notified().await;
            handle.validate(entry(1)).await
        };
        let (report, single) = tokio::join!(soon(handle.run(request)), single);
        assert_eq!(report.unwrap().outcome, RunOutcome::Interrupted);
        engine.shutdown(Duration::from_secs(5)).await;
        let state = single.unwrap().state;
        let judged = matches!(state, status_validator::domain::outcome::RowState::Judged { .. });
        assert!(judged, "{state:?}");
    });
}
