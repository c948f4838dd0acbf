//! Where runs meet trouble: dead actors, runs after runs, providers that go out, twins that come late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use status_validator::domain::entry::Entry;
use status_validator::domain::results::ResultRow;
use status_validator::engine::*;
use status_validator::llm::LlmError;
use status_validator::store::Store;
use status_validator::table::memory::{MemorySink, MemorySource};
use status_validator::table::*;
use status_validator::testing::{FakeModel, Step};

use crate::support::{
    assert_every_row_in_one_state, entry, model, paused_parts, projects, soon, wait, with_store,
};

/// The dispatcher dies while the reader waits for its credit.
#[test]
fn a_dead_dispatcher_marks_no_row_as_gone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.sqlite");
    let (source, sink) = (projects(60), MemorySink::new());
    let limits = Limits { page_rows: 5, batch_size: 5, queue_depth: 2, ..Limits::default() };
    crate::support::run(
        with_store(paused_parts(&source, sink.clone(), model(10)), &path),
        RunRequest::default(),
    );
    let before = sink.rows();

    let died = AtomicBool::new(false);
    let deadly = move |e: &Stamped| {
        if matches!(e.event, Event::Settled { row: 33, .. }) && !died.swap(true, Ordering::SeqCst) {
            panic!("scripted");
        }
    };
    let parts = with_store(paused_parts(&source, sink.clone(), model(10)), &path);
    let parts = Parts { limits, observer: Some(Arc::new(deadly)), ..parts };
    let report = wait(async {
        let engine = Engine::start(parts).unwrap();
        let report = soon(engine.handle().run(RunRequest::default())).await;
        engine.shutdown(Duration::from_secs(5)).await;
        report
    });
    println!("{:?}", report.as_ref().map(|r| (r.outcome, r.tally.clone())));
    let gone = sink.rows().iter().filter(|r| r["Row Number"].contains("not in the source")).count();
    assert_eq!(gone, 0, "rows marked as gone by a failed run");
    assert!(matches!(report, Err(RunError::ActorDied("dispatcher"))));
    let _ = before;
}

/// A second run after all workers were given up.
#[test]
fn a_run_without_workers_ends() {
    let parts = paused_parts(&projects(60), MemorySink::new(), FakeModel::new("m", |_, _| Step::Panic));
    let parts = Parts { limits: Limits { max_workers: 1, ..Limits::default() }, ..parts };
    wait(async {
        let engine = Engine::start(parts).unwrap();
        let first = soon(engine.handle().run(RunRequest::default())).await.unwrap();
        println!("{:?} {:?}", first.outcome, first.failure);
        let second = soon(engine.handle().run(RunRequest::default())).await.unwrap();
        println!("{:?} {:?}", second.outcome, second.failure);
        engine.shutdown(Duration::from_secs(1)).await;
    });
}

/// Plan writes.
#[test]
fn a_plan_writes_nothing() {
    let (source, sink) = (projects(30), MemorySink::new());
    let parts = paused_parts(&source, sink.clone(), model(10));
    let parts = Parts { limits: Limits { commit_interval: Duration::ZERO, ..Limits::default() }, ..parts };
    wait(async {
        let engine = Engine::start(parts).unwrap();
        soon(engine.handle().run(RunRequest::default())).await.unwrap();
        let before = sink.rows();
        source.edit(|rows| rows[1..].reverse());
        let plan = RunRequest { mode: Mode::Plan, ..RunRequest::default() };
        let report = soon(engine.handle().run(plan)).await.unwrap();
        println!("{:?} {:?}", report.outcome, report.tally.rows_written);
        assert_eq!(sink.rows(), before);
        engine.shutdown(Duration::from_secs(1)).await;
    });
}

/// The same with a sink that must be opened, as the files must.
struct MustOpen(MemorySink, bool);
impl TableSink for MustOpen {
    fn name(&self) -> String {
        "must open".into()
    }
    fn open(&mut self, how: &SinkOptions) -> BoxFuture<'_, Result<(), TableError>> {
        self.1 = true;
        self.0.open(how)
    }
    fn upsert<'a>(&'a mut self, rows: &'a [ResultRow]) -> BoxFuture<'a, Result<(), TableError>> {
        if !self.1 {
            let e =
                TableError::Unavailable { table: "t".into(), detail: "not open".into(), retry_after: None };
            return std::future::ready(Err(e)).boxed();
        }
        self.0.upsert(rows)
    }
    fn commit(&mut self) -> BoxFuture<'_, Result<Committed, TableError>> {
        self.0.commit()
    }
    fn mark_gone(&mut self, a: bool) -> BoxFuture<'_, Result<(), TableError>> {
        self.0.mark_gone(a)
    }
}

#[test]
fn a_plan_of_known_rows_succeeds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.sqlite");
    let source = projects(30);
    crate::support::run(
        with_store(paused_parts(&source, MemorySink::new(), model(10)), &path),
        RunRequest::default(),
    );
    let sink = MustOpen(MemorySink::new(), false);
    let limits = Limits { page_rows: 4, batch_size: 2, queue_depth: 1, ..Limits::default() };
    let plan = RunRequest { mode: Mode::Plan, ..RunRequest::default() };
    let report = crate::support::run(
        Parts { limits, ..with_store(paused_parts(&source, sink, model(10)), &path) },
        plan,
    );
    println!("plan: {:?} {:?} {} {:?}", report.outcome, report.failure, report.elapsed_s, report.tally);
    assert_eq!(report.outcome, RunOutcome::Ok, "{:?}", report.failure);
    let runs = Store::open(&path).unwrap().runs(10).unwrap();
    assert_eq!(
        runs.len(),
        1,
        "a plan stands in the history, as a run that never ended: {:?}",
        runs[0].outcome
    );
}

/// A panic in the run's own task.
#[test]
fn a_run_that_panicked_is_not_under_way() {
    let died = AtomicBool::new(false);
    let deadly = move |e: &Stamped| {
        if matches!(e.event, Event::RunStarted { .. }) && !died.swap(true, Ordering::SeqCst) {
            panic!("scripted");
        }
    };
    let parts = Parts {
        observer: Some(Arc::new(deadly)),
        ..paused_parts(&projects(3), MemorySink::new(), model(10))
    };
    wait(async {
        let engine = Engine::start(parts).unwrap();
        println!("{:?}", soon(engine.handle().run(RunRequest::default())).await.map(|r| r.outcome));
        let second = soon(engine.handle().run(RunRequest::default())).await;
        engine.shutdown(Duration::from_secs(1)).await;
        assert!(second.is_ok(), "{second:?}");
    });
}

/// Rows that were queued before a provider went out still ask it.
#[test]
fn a_provider_that_is_out_is_not_asked() {
    let bad = FakeModel::new("bad", |_, _| Step::Fail {
        after: Duration::from_millis(1),
        error: LlmError::Auth("revoked".into()),
    });
    let good = model(1);
    let parts = paused_parts(&projects(50), MemorySink::new(), bad.clone());
    let parts = Parts {
        providers: vec![Provider::new(bad.clone()), Provider::new(good)],
        limits: Limits { max_workers: 1, ..Limits::default() },
        ..parts
    };
    let report = crate::support::run(parts, RunRequest::default());
    assert_eq!((report.tally.rows_valid, bad.calls()), (50, 1));
}

/// A row that arrives when its twin's answer is here, but perhaps not kept yet.
#[test]
fn a_late_twin_pays_nothing() {
    let model = model(10);
    let answered = Arc::new(tokio::sync::Notify::new());
    let notify = Arc::clone(&answered);
    let mut parts = paused_parts(&projects(1), MemorySink::new(), model.clone());
    parts.placement = Placement::OwnThread;
    parts.observer = Some(Arc::new(move |event: &Stamped| {
        if matches!(event.event, Event::CallEnded { .. }) {
            notify.notify_one();
        }
    }));
    wait(async {
        let engine = Engine::start(parts).unwrap();
        let handle = engine.handle();
        let late = async {
            answered.notified().await;
            handle.validate(Entry { row: 2, ..entry(1) }).await.unwrap()
        };
        let (first, late) = tokio::join!(handle.validate(entry(1)), late);
        assert_eq!((first.unwrap().row, late.row), (1, 2));
        engine.shutdown(Duration::from_secs(2)).await;
        assert_eq!(model.calls(), 1);
    });
}

/// A table that asks for an hour.
#[test]
fn patience_with_the_table_is_bounded() {
    struct AnHour(MemorySink);
    impl TableSink for AnHour {
        fn name(&self) -> String {
            "hour".into()
        }
        fn open(&mut self, how: &SinkOptions) -> BoxFuture<'_, Result<(), TableError>> {
            self.0.open(how)
        }
        fn upsert<'a>(&'a mut self, _: &'a [ResultRow]) -> BoxFuture<'a, Result<(), TableError>> {
            let retry_after = Some(Duration::from_secs(3600));
            let e = TableError::Unavailable { table: "t".into(), detail: "429".into(), retry_after };
            std::future::ready(Err(e)).boxed()
        }
        fn commit(&mut self) -> BoxFuture<'_, Result<Committed, TableError>> {
            self.0.commit()
        }
        fn mark_gone(&mut self, a: bool) -> BoxFuture<'_, Result<(), TableError>> {
            self.0.mark_gone(a)
        }
    }
    let report = crate::support::run(
        paused_parts(&projects(3), AnHour(MemorySink::new()), model(10)),
        RunRequest::default(),
    );
    assert!(report.elapsed_s < 60.0, "{} s with a patience of 15", report.elapsed_s);
}

/// --only invalid --force.
#[test]
fn only_invalid_asks_about_invalid_rows_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.sqlite");
    let source = projects(10);
    crate::support::run(
        with_store(paused_parts(&source, MemorySink::new(), model(10)), &path),
        RunRequest::default(),
    );
    let again = model(10);
    let request = RunRequest { only: Some(Only::Invalid), force: true, ..RunRequest::default() };
    crate::support::run(with_store(paused_parts(&source, MemorySink::new(), again.clone()), &path), request);
    assert_eq!(again.calls(), 0, "all rows are known to be valid");
}

/// The reader dies; the next run on the same engine.
struct DiesOnce(MemorySource, Arc<AtomicUsize>);
impl TableSource for DiesOnce {
    fn name(&self) -> String {
        "dies".into()
    }
    fn open(&mut self) -> BoxFuture<'_, Result<Header, TableError>> {
        self.0.open()
    }
    fn next_page(&mut self, n: usize) -> BoxFuture<'_, Result<Vec<SourceRow>, TableError>> {
        assert!(self.1.fetch_add(1, Ordering::SeqCst) != 1, "scripted");
        self.0.next_page(n)
    }
}

#[test]
fn a_run_after_a_dead_reader_counts_its_own_rows() {
    let parts = paused_parts(&projects(10), MemorySink::new(), model(2000));
    let parts = Parts {
        source: Some(Box::new(DiesOnce(projects(10), Arc::default()))),
        limits: Limits { page_rows: 5, queue_depth: 10, ..Limits::default() },
        ..parts
    };
    wait(async {
        let engine = Engine::start(parts).unwrap();
        let first = soon(engine.handle().run(RunRequest::default())).await;
        println!("{:?}", first.map(|r| r.outcome));
        let second = soon(engine.handle().run(RunRequest::default())).await.unwrap();
        engine.shutdown(Duration::from_secs(100)).await;
        assert_every_row_in_one_state(&second);
    });
}

/// A source that people work in.
struct Disturbed(MemorySource);
impl TableSource for Disturbed {
    fn name(&self) -> String {
        "disturbed".into()
    }
    fn open(&mut self) -> BoxFuture<'_, Result<Header, TableError>> {
        self.0.open()
    }
    fn next_page(&mut self, n: usize) -> BoxFuture<'_, Result<Vec<SourceRow>, TableError>> {
        self.0.next_page(n)
    }
    fn was_disturbed(&self) -> bool {
        true
    }
}

#[test]
fn a_source_that_was_disturbed_is_no_proof_that_rows_are_gone() {
    let sink = MemorySink::new();
    crate::support::run(paused_parts(&projects(10), sink.clone(), model(1)), RunRequest::default());
    let parts = paused_parts(&projects(8), sink.clone(), model(1));
    let parts = Parts { source: Some(Box::new(Disturbed(projects(8)))), ..parts };
    let report = crate::support::run(parts, RunRequest::default());
    assert_eq!((report.outcome, report.tally.rows_marked_gone), (RunOutcome::Ok, 0));
    assert!(report.tally.warnings.iter().any(|told| told.contains("left to the next run")), "{report:?}");
    let report = crate::support::run(paused_parts(&projects(8), sink, model(1)), RunRequest::default());
    assert_eq!(report.tally.rows_marked_gone, 2);
}

#[test]
fn an_endless_grace_is_a_grace() {
    wait(async {
        let engine = Engine::start(paused_parts(&projects(1), MemorySink::new(), model(1))).unwrap();
        assert!(engine.shutdown(Duration::MAX).await.clean);
    });
}

/// A cache that dies for good.
#[test]
fn a_dead_store_is_called_a_dead_store() {
    struct DiesAfter(AtomicUsize);
    impl Clock for DiesAfter {
        fn now(&self) -> jiff::Timestamp {
            let here = std::thread::current().name().unwrap_or_default().to_owned();
            // begin_run and one look-up pass
            if here != "status-validator" && self.0.fetch_add(1, Ordering::SeqCst) >= 3 {
                panic!("scripted");
            }
            "2026-03-13T09:00:00Z".parse().unwrap()
        }
    }
    let model = model(1);
    let mut parts = paused_parts(&projects(4), MemorySink::new(), model.clone());
    parts.placement = Placement::OwnThread;
    parts.clock = Arc::new(DiesAfter(AtomicUsize::new(0)));
    wait(async {
        let engine = Engine::start(parts).unwrap();
        let report =
            tokio::time::timeout(Duration::from_secs(60), engine.handle().run(RunRequest::default())).await;
        let report = report.expect("hangs").unwrap();
        engine.shutdown(Duration::from_secs(5)).await;
        println!("{:?} {:?} {:?}", report.outcome, report.failure, report.tally.not_checked);
        assert_eq!(report.failure.map(|f| f.kind), Some(FailureKind::Store));
        assert_eq!(report.tally.llm.retries, 0, "nothing was sent, nothing was retried");
    });
}
