//! Caps on costs: whatever answers cost and however calls end, no more is spent than the cap and one request a worker.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use status_validator::domain::money::{MicroUsd, Price, Usage};
use status_validator::domain::rules::Rulebook;
use status_validator::engine::{Limits, Parts, Provider, RunOutcome, RunReport, RunRequest};
use status_validator::llm::limits::RateLimits;
use status_validator::llm::{ChatModel, LlmError, ModelId, NoAnswer, Question, Reply};
use status_validator::table::memory::MemorySink;

use crate::support::{VALID, paused_parts, projects, run, with_store};

const PRICE: Price = Price { input: 1.0, cached_input: Some(0.1), output: 4.0 };

/// A model that knows what it has cost: between next to nothing and many times what anybody would expect.
#[derive(Clone)]
struct Dear {
    id: ModelId,
    till: Arc<Mutex<Till>>,
}

struct Till {
    random: fastrand::Rng,
    taken: MicroUsd,
    dearest: MicroUsd,
}

impl Dear {
    fn new(seed: u64) -> Self {
        let till = Till {
            random: fastrand::Rng::with_seed(seed),
            taken: MicroUsd::default(),
            dearest: MicroUsd::default(),
        };
        Self {
            id: ModelId { provider: "fake".into(), model: "dear".into() },
            till: Arc::new(Mutex::new(till)),
        }
    }

    /// What it has cost, and the dearest request.
    fn bill(&self) -> (MicroUsd, MicroUsd) {
        let till = self.till.lock().unwrap();
        (till.taken, till.dearest)
    }
}

impl ChatModel for Dear {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn is_limited(&self) -> bool {
        false
    }

    fn ask<'a>(&'a self, _: &'a Question) -> BoxFuture<'a, Result<Reply, NoAnswer>> {
        async move {
            let (takes, end, usage) = {
                let mut till = self.till.lock().unwrap();
                let prompt_tokens = till.random.u64(10..4000);
                let usage = Usage {
                    prompt_tokens,
                    cached_tokens: till.random.u64(0..=prompt_tokens),
                    completion_tokens: till.random.u64(1..800),
                    ..Usage::default()
                };
                (Duration::from_millis(till.random.u64(10..3000)), till.random.u8(0..10), usage)
            };
            tokio::time::sleep(takes).await;
            let cost = PRICE.of(&usage);
            let mut till = self.till.lock().unwrap();
            let refused = LlmError::RateLimited { retry_after: None };
            if end == 0 {
                return Err(refused.into());
            }
            till.taken += cost;
            till.dearest = till.dearest.max(cost);
            let text = if end == 1 { "no JSON".to_owned() } else { VALID.to_owned() };
            match end {
                2 => Err(NoAnswer { usage: Some(usage), ..LlmError::Truncated(256).into() }),
                _ => Ok(Reply {
                    text,
                    model: "dear".into(),
                    usage,
                    requests: 1,
                    limits: RateLimits::default(),
                }),
            }
        }
        .boxed()
    }
}

fn parts(model: &Dear, limits: Limits, rules: u64, store: &Path) -> Parts {
    let parts = paused_parts(&projects(150), MemorySink::new(), model.clone());
    let provider = Provider { price: Some(PRICE), max_output_tokens: 256, ..Provider::new(model.clone()) };
    let rulebook = Arc::new(Rulebook::Free(format!("Rule {rules}.")));
    with_store(Parts { providers: vec![provider], limits, rulebook, ..parts }, store)
}

fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("SV_BUDGET_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(100)
}

#[test]
fn a_run_keeps_within_its_cap_and_one_request_a_worker() {
    let mut worst: f64 = 0.0;
    for seed in seeds() {
        let dir = tempfile::tempdir().unwrap();
        let model = Dear::new(seed);
        let mut random = fastrand::Rng::with_seed(seed);
        let workers = random.usize(1..20);
        let cap = MicroUsd(random.u64(10_000..200_000));
        let limits = Limits { max_workers: workers, max_cost: Some(cap), ..Limits::default() };
        let report = run(parts(&model, limits, 1, &dir.path().join("s.sqlite")), RunRequest::default());
        assert_honest(&report, &model, seed);
        let (taken, dearest) = model.bill();
        let over = taken.0.saturating_sub(cap.0) as f64 / dearest.0.max(1) as f64;
        assert!(over <= workers as f64, "seed {seed}: {over} requests over, {workers} workers");
        worst = worst.max(over / workers as f64);
        assert!(matches!(report.outcome, RunOutcome::Budget | RunOutcome::Ok | RunOutcome::Partial));
    }
    println!("at most {worst:.2} requests a worker over the cap");
}

#[test]
fn a_day_keeps_within_its_cap_whatever_the_number_of_runs() {
    for seed in seeds().step_by(5) {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("s.sqlite");
        let model = Dear::new(seed);
        let workers = fastrand::Rng::with_seed(seed).usize(1..10);
        let cap = MicroUsd(150_000);
        let limits = Limits { max_workers: workers, max_cost_per_day: Some(cap), ..Limits::default() };
        let mut outcome = RunOutcome::Ok;
        for nth in 0..4 {
            outcome = run(parts(&model, limits, nth, &store), RunRequest::default()).outcome;
        }
        let (taken, dearest) = model.bill();
        assert_eq!(outcome, RunOutcome::Budget, "seed {seed}");
        assert!(taken.0 <= cap.0 + workers as u64 * dearest.0, "seed {seed}: {taken:?} of {cap:?}");
    }
}

/// What the report says it cost is what it cost, failed calls and retries included.
fn assert_honest(report: &RunReport, model: &Dear, seed: u64) {
    let (taken, _) = model.bill();
    let told = MicroUsd::from_usd_rounded_up(report.tally.llm.cost_usd);
    assert!(told.0.abs_diff(taken.0) <= 1, "seed {seed}: {told:?} told, {taken:?} taken");
}
