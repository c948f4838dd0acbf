//! Several jobs in one engine: they share workers, limits, budget and store, and none of them starves.

use std::time::Duration;

use status_validator::domain::money::{MicroUsd, Price};
use status_validator::domain::outcome::RowState;
use status_validator::engine::*;
use status_validator::llm::LlmError;
use status_validator::table::memory::MemorySink;
use status_validator::testing::{FakeModel, Step};

use crate::support::{
    Log, VALID, assert_every_row_in_one_state, entry, keys, model, paused_parts, projects, soon, wait,
};

fn job(name: &str, rows: usize, model: &FakeModel) -> Parts {
    named(name, rows, MemorySink::new(), model)
}

fn named(name: &str, rows: usize, sink: MemorySink, model: &FakeModel) -> Parts {
    let mut parts = paused_parts(&projects(rows), sink, model.clone());
    parts.job = name.into();
    // Each job's rows say something else.
    parts.rulebook =
        std::sync::Arc::new(status_validator::domain::rules::Rulebook::Free(format!("Rules of {name}.")));
    parts
}

fn ask(job: &str) -> RunRequest {
    RunRequest { job: Some(job.into()), ..RunRequest::default() }
}

#[test]
fn a_small_job_and_single_rows_are_not_starved_by_a_large_one() {
    let (model, log) = (model(1000), Log::default());
    let mut large = job("large", 2000, &model);
    large.observer = Some(std::sync::Arc::new(log.observer()));
    large.limits.max_workers = 5;
    let small = job("small", 20, &model);
    wait(async {
        let engine = Engine::start_jobs(vec![large, small]).unwrap();
        let handle = engine.handle();
        let running = handle.start(ask("large")).await.unwrap();
        let small = soon(handle.run(ask("small"))).await.unwrap();
        assert_every_row_in_one_state(&small);
        // Alone it takes 4 s; beside one other it has every second turn of five workers.
        assert!((4.0..=10.0).contains(&small.elapsed_s), "{}", small.elapsed_s);
        let singles: Vec<_> = (0..3).map(|n| handle.validate_for("small", entry(n))).collect();
        for single in soon(futures_util::future::join_all(singles)).await {
            single.unwrap();
        }
        let settled: Vec<_> =
            log.events().into_iter().filter(|e| matches!(e.event, Event::Settled { .. })).collect();
        let of_large = settled.iter().filter(|event| &*event.job == "large").count();
        assert!(of_large < 200, "they came in their turns, not at the end: {of_large}");
        assert_eq!(settled.iter().filter(|event| &*event.job == "small").count(), 23);
        let large = soon(running.report()).await.unwrap();
        assert_eq!(large.tally.rows_valid, 2000);
        assert_eq!(large.tally.llm.requests, 2000, "the others are not in its report");
        assert!(engine.shutdown(Duration::from_secs(5)).await.clean);
    });
    assert_eq!(model.peak(), 5, "one pool for all of them");
}

#[test]
fn what_two_jobs_ask_alike_is_asked_once() {
    let model = model(100);
    let sinks = [MemorySink::new(), MemorySink::new()];
    let jobs = ["one", "two"].iter().zip(&sinks).map(|(name, sink)| {
        let parts = paused_parts(&projects(30), sink.clone(), model.clone());
        Parts { job: (*name).into(), ..parts }
    });
    let jobs = jobs.collect();
    wait(async {
        let engine = Engine::start_jobs(jobs).unwrap();
        let handle = engine.handle();
        let (one, two) = soon(async { tokio::join!(handle.run(ask("one")), handle.run(ask("two"))) }).await;
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!((one.tally.rows_valid, two.tally.rows_valid), (30, 30));
        let known = |report: &RunReport| report.tally.deduplicated + report.tally.cache_hits;
        assert_eq!(known(&one) + known(&two), 30);
        engine.shutdown(Duration::from_secs(5)).await;
    });
    assert_eq!(model.calls(), 30);
    assert_eq!(keys(&sinks[0]).len(), 30);
    assert_eq!(keys(&sinks[0]), keys(&sinks[1]));
}

#[test]
fn the_cap_of_a_day_holds_over_runs_side_by_side_and_single_rows() {
    let model = model(200);
    let price = Price { input: 1.0, cached_input: None, output: 1.0 };
    let cap = MicroUsd(20_000);
    let priced = |name: &str| {
        let mut parts = job(name, 400, &model);
        parts.providers[0].price = Some(price);
        parts.providers[0].max_output_tokens = 10;
        parts.limits.max_cost_per_day = Some(cap);
        parts
    };
    wait(async {
        let engine = Engine::start_jobs(vec![priced("one"), priced("two")]).unwrap();
        let handle = engine.handle();
        let (one, two) = soon(async { tokio::join!(handle.run(ask("one")), handle.run(ask("two"))) }).await;
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!((one.outcome, two.outcome), (RunOutcome::Budget, RunOutcome::Budget));
        let spent = MicroUsd::from_usd_rounded_up(one.tally.llm.cost_usd + two.tally.llm.cost_usd);
        assert!(spent <= cap && spent.0 > cap.0 / 2, "{spent:?} of {cap:?}");
        // Calls under way counted as estimated: a little is left, but not for many.
        let mut reason = None;
        for n in 0..100 {
            if let RowState::NotChecked { reason: why } =
                soon(handle.validate_for("one", entry(n))).await.unwrap().state
            {
                reason = Some(why);
                break;
            }
        }
        let reason = reason.expect("the cap is reached");
        assert!(reason.contains("cap"), "{reason}");
        assert!(model.calls() * 110 <= cap.0);
        engine.shutdown(Duration::from_secs(5)).await;
    });
}

#[test]
fn jobs_are_replaced_beside_a_run_that_keeps_what_it_began_with() {
    let (before, after) = (model(1000), model(10));
    wait(async {
        let engine = Engine::start_jobs(vec![job("weekly", 40, &before), job("gone", 40, &before)]).unwrap();
        let handle = engine.handle();
        let old = handle.start(ask("weekly")).await.unwrap();
        let gone = handle.start(ask("gone")).await.unwrap();
        let mut new = job("weekly", 60, &after);
        new.limits.max_workers = 12;
        handle.replace_jobs(vec![new, job("fresh", 10, &after)]).await.unwrap();
        assert!(matches!(handle.start(ask("weekly")).await, Err(RunError::AlreadyRunning)));
        assert!(matches!(handle.start(ask("gone")).await, Err(RunError::UnknownJob(_))));
        let fresh = soon(handle.run(ask("fresh"))).await.unwrap();
        assert_eq!(fresh.tally.rows_valid, 10);
        let names: Vec<_> = handle.jobs().into_iter().map(|job| (job.name, job.running.is_some())).collect();
        assert_eq!(names, [("weekly".to_owned(), true), ("fresh".to_owned(), false)]);
        let (old, gone) = (soon(old.report()).await.unwrap(), soon(gone.report()).await.unwrap());
        assert_eq!((old.tally.rows_valid, gone.tally.rows_valid), (40, 40));
        let new = soon(handle.run(ask("weekly"))).await.unwrap();
        assert_eq!(new.tally.rows_read, 60);
        assert!(engine.shutdown(Duration::from_secs(5)).await.clean);
    });
    assert_eq!((before.peak(), after.peak()), (10, 12), "five for each of the old jobs");
}

#[test]
fn a_run_is_cancelled_by_its_id_and_others_go_on() {
    let model = model(1000);
    wait(async {
        let engine = Engine::start_jobs(vec![job("one", 100, &model), job("two", 30, &model)]).unwrap();
        let handle = engine.handle();
        let one = handle.start(ask("one")).await.unwrap();
        let two = handle.start(ask("two")).await.unwrap();
        assert!(handle.cancel(&one.run_id).await);
        assert!(!handle.cancel("nobody").await);
        let one = soon(one.report()).await.unwrap();
        assert_eq!(one.outcome, RunOutcome::Interrupted);
        assert_eq!(soon(two.report()).await.unwrap().outcome, RunOutcome::Ok);
        assert!(!handle.cancel(&one.run_id).await);
        engine.shutdown(Duration::from_secs(5)).await;
    });
}

#[test]
fn a_provider_that_one_job_has_lost_is_lost_for_its_run_alone() {
    let broken = FakeModel::new("broken", |_, _| Step::Fail {
        after: Duration::from_millis(10),
        error: LlmError::Auth("no".into()),
    });
    let works =
        FakeModel::new("works", |_, _| Step::Answer { after: Duration::from_millis(10), text: VALID.into() });
    wait(async {
        let engine = Engine::start_jobs(vec![job("one", 10, &broken), job("two", 10, &works)]).unwrap();
        let handle = engine.handle();
        let (one, two) = soon(async { tokio::join!(handle.run(ask("one")), handle.run(ask("two"))) }).await;
        assert_eq!(one.unwrap().outcome, RunOutcome::Failed);
        assert_eq!(two.unwrap().outcome, RunOutcome::Ok);
        engine.shutdown(Duration::from_secs(5)).await;
    });
}

#[test]
fn three_engines_live_side_by_side_and_leave_no_thread() {
    let before = threads();
    let model = model(1);
    wait(async {
        let engines: Vec<_> = (0..3)
            .map(|n| {
                let parts = Parts { placement: Placement::OwnThread, ..job(&format!("job {n}"), 20, &model) };
                Engine::start(parts).unwrap()
            })
            .collect();
        let handles: Vec<_> = engines.iter().map(Engine::handle).collect();
        let runs = handles.iter().map(|handle| handle.run(RunRequest::default()));
        for report in soon(futures_util::future::join_all(runs)).await {
            assert_eq!(report.unwrap().tally.rows_valid, 20);
        }
        for engine in engines {
            assert!(engine.shutdown(Duration::from_secs(5)).await.clean);
        }
    });
    assert_eq!(threads(), before, "every thread is gone");
}

/// Waits without any runtime: parks the thread until it is woken.
fn park<T>(work: impl Future<Output = T>) -> T {
    struct Parked(std::thread::Thread);
    impl std::task::Wake for Parked {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Parked(std::thread::current())).into();
    let mut work = std::pin::pin!(work);
    loop {
        match work.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(done) => return done,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn it_works_from_a_program_without_any_runtime() {
    let parts = Parts { placement: Placement::OwnThread, ..job("alone", 20, &model(1)) };
    let engine = Engine::start(parts).unwrap();
    assert_eq!(park(engine.handle().run(RunRequest::default())).unwrap().tally.rows_valid, 20);
    assert!(matches!(park(engine.handle().validate(entry(1))).unwrap().state, RowState::Judged { .. }));
    assert!(park(engine.shutdown(Duration::from_secs(5))).clean);
}

/// The engine's threads of this process, where the system tells.
fn threads() -> Option<usize> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let names = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    Some(names.filter(|name| name.starts_with("status-valid") || name.starts_with("actix")).count())
}
