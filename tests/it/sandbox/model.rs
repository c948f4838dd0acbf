//! The engine and its HTTP client against the model of the sandbox, over real sockets: faults, limits, refusals, kept
//! prompts, deadlines and bills.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use status_validator::domain::money::{MicroUsd, Price};
use status_validator::domain::prompt::StaticPrompt;
use status_validator::domain::rules::Rulebook;
use status_validator::engine::{
    Engine, Event, Limits, Parts, Placement, Provider, RunOutcome, RunReport, RunRequest, Stamped,
};
use status_validator::llm::openai::{OpenAiModel, OpenAiParams, PromptMarks};
use status_validator::llm::{ChatModel, ModelId, Question, Room};
use status_validator::net::Network;
use status_validator::sandbox::model::limits::{Limits as ModelLimits, Tells};
use status_validator::sandbox::model::{Behaviour, Keeps, Latency, PromptCache};
use status_validator::sandbox::{Sandbox, SandboxParams};
use status_validator::table::memory::MemorySink;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::support::stand::key;
use crate::support::{Log, columns, projects, with_store};

/// A sandbox that is served, and what talks to its model.
struct Stage {
    sandbox: Sandbox,
    url: String,
    _serving: AbortOnDropHandle<()>,
}

impl Stage {
    async fn new(behaviour: Behaviour) -> Self {
        let sandbox = Sandbox::new(SandboxParams::new(key()));
        sandbox.behave(behaviour).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = sandbox.clone();
        let serving =
            tokio::spawn(async move { serving.serve(listener, std::future::pending::<()>()).await });
        Self { sandbox, url, _serving: AbortOnDropHandle::new(serving) }
    }

    fn model(&self, request_timeout: Duration) -> OpenAiModel {
        OpenAiModel::new(self.params(request_timeout)).unwrap()
    }

    fn params(&self, request_timeout: Duration) -> OpenAiParams {
        OpenAiParams {
            id: ModelId { provider: "sandbox".into(), model: "m".into() },
            base_url: format!("{}/v1", self.url),
            api_key: Some(SecretString::from("sk-1")),
            organization: None,
            http_referer: None,
            x_title: None,
            temperature: Some(0.0),
            max_output_tokens: 256,
            request_timeout,
            reasoning_enabled: false,
            connect_timeout: Duration::from_secs(5),
            prompt_marks: PromptMarks::None,
            network: Network::default(),
        }
    }

    fn parts(&self, rows: usize, limits: Limits, request_timeout: Duration) -> Parts {
        let model = self.model(request_timeout);
        Parts {
            source: Some(Box::new(projects(rows))),
            sink: Some(Box::new(MemorySink::new())),
            providers: vec![Provider { max_output_tokens: 256, ..Provider::new(model) }],
            placement: Placement::Shared,
            limits,
            seed: Some(1),
            ..Parts::new(Rulebook::Free("Every comment says what was done.".into()), columns())
        }
    }
}

async fn run(parts: Parts) -> RunReport {
    let engine = Engine::start(parts).unwrap();
    let report = engine.handle().run(RunRequest::default()).await.unwrap();
    assert!(engine.shutdown(Duration::from_secs(30)).await.clean);
    report
}

fn question() -> Question {
    let fixed = StaticPrompt {
        system: "Judge. Answer in JSON.".into(),
        rules: "Rule 1.".into(),
        schema: json!({"type": "object"}),
        cache_key: "rules_0123456789abcdef".into(),
    };
    Question { fixed: Arc::new(fixed), row: "{\"comment\": \"x\"}".into(), hint: None, room: Room::Usual }
}

const WORKERS: usize = 20;

fn workers(max_workers: usize) -> Limits {
    Limits { max_workers, attempts: 6, ..Limits::default() }
}

/// A fifth of all requests goes wrong in one of 25 ways, hangs, drips and stalls among them.
#[tokio::test]
async fn with_a_fifth_of_requests_going_wrong_every_row_is_validated_at_little_cost() {
    let latency = Latency { median_s: 0.05, spread: 0.5 };
    let faults = vec!["chat:20%=mix".to_owned()];
    let stage = Stage::new(Behaviour { latency, faults, seed: 3, ..Behaviour::default() }).await;
    let rows = 200;
    let parts = stage.parts(rows, workers(WORKERS), Duration::from_secs(1));
    let report = run(parts).await;
    let tally = &report.tally;
    assert_eq!(tally.rows_valid + tally.rows_invalid, rows as u64, "{:?}", tally.not_checked);
    let each = stage.sandbox.seen().len() as f64 / rows as f64;
    println!(
        "{each:.2} requests a row, {} refused, {} timed out, {:.0} s",
        tally.llm.rate_limited, tally.llm.timeouts, report.elapsed_s
    );
    assert!(each <= 1.4, "{each} requests a row");
    assert!(tally.llm.timeouts > 0 && tally.llm.rate_limited > 0);
    let advice = report.advice.clone().unwrap_or_default();
    assert!(advice.contains("(429): lower max_workers from 20 to 10"), "{advice}");
}

/// Whatever a provider does to keep a connection, a row ends by its deadline.
#[tokio::test]
async fn hangs_drips_and_stalls_cost_at_most_the_deadline() {
    let faults = ["hang", "commit-then-hang", "drip 200ms", "stall", "cut", "huge"];
    futures_util::future::join_all(faults.map(ends_in_time)).await;
}

async fn ends_in_time(fault: &str) {
    let faults = vec![format!("chat={fault}")];
    let stage = Stage::new(Behaviour { faults, ..Behaviour::default() }).await;
    let log = Log::default();
    let limits = Limits { row_deadline: Duration::from_secs(2), ..workers(4) };
    let parts = stage.parts(4, limits, Duration::from_millis(500));
    let report = run(Parts { observer: Some(Arc::new(log.observer())), ..parts }).await;
    assert_eq!(report.tally.rows_valid, 0, "{fault}");
    let longest = log.longest_row();
    assert!(longest <= Duration::from_secs(3), "{fault}: {longest:?}");
}

impl Log {
    /// The longest time from a row's first call to its end.
    fn longest_row(&self) -> Duration {
        let mut begun = HashMap::new();
        let mut longest = Duration::ZERO;
        for Stamped { at, event, .. } in self.events() {
            match event {
                Event::CallStarted { row, .. } => drop(begun.entry(row).or_insert(at)),
                Event::Settled { row, .. } => {
                    longest = longest.max(begun.get(&row).map_or(Duration::ZERO, |begun| at - *begun));
                }
                _ => {}
            }
        }
        longest
    }
}

#[tokio::test]
async fn limits_that_are_told_are_kept_without_a_refusal() {
    let limits =
        ModelLimits { requests_per_minute: Some(6000.0), tells: Tells::All, ..ModelLimits::default() };
    let latency = Latency { median_s: 0.1, spread: 0.3 };
    let stage = Stage::new(Behaviour { limits, latency, ..Behaviour::default() }).await;
    let report = run(stage.parts(150, workers(40), Duration::from_secs(20))).await;
    let llm = &report.tally.llm;
    assert_eq!(report.outcome, RunOutcome::Ok);
    assert!(llm.rate_limited <= 1, "{} refused", llm.rate_limited);
    let limit = llm.requests_per_minute.unwrap();
    assert!((limit / 6000.0 - 1.0).abs() < 0.05, "{limit}");
}

/// Every parameter that can be left out is refused, and each costs one request, in the first run alone.
#[tokio::test]
async fn refused_parameters_cost_one_request_each_ever() {
    let refuses = ["max_tokens", "temperature", "json_schema", "json_object", "prompt_cache_key"];
    let refuses = refuses.map(str::to_owned).to_vec();
    let asked = refuses.len();
    let stage = Stage::new(Behaviour { refuses, ..Behaviour::default() }).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    for (rules, extra) in [("One.", asked), ("Two.", 0)] {
        stage.sandbox.clear_seen();
        let parts = stage.parts(40, workers(WORKERS), Duration::from_secs(20));
        let parts = Parts { rulebook: Arc::new(Rulebook::Free(rules.into())), ..parts };
        let report = run(with_store(parts, &path)).await;
        assert_eq!(report.outcome, RunOutcome::Ok, "{:?}", report.tally.not_checked);
        assert_eq!(stage.sandbox.seen().len(), 40 + extra, "{rules}");
    }
}

/// The share of the prompt that is kept, one after the other and with twenty at a time.
#[tokio::test]
async fn with_many_workers_as_much_of_the_prompt_is_kept_as_with_one() {
    let rules = "Each item has a day and a month, an owner, and a measure. ".repeat(120);
    for keeps in [Keeps::Automatic, Keeps::Breakpoints, Keeps::Marks] {
        let mut shares = Vec::new();
        for max_workers in [1, WORKERS] {
            let prompt_cache = PromptCache { keeps, ..PromptCache::default() };
            let latency = Latency { median_s: 0.01, spread: 0.3 };
            let stage = Stage::new(Behaviour { prompt_cache, latency, ..Behaviour::default() }).await;
            let parts = stage.parts(100, workers(max_workers), Duration::from_secs(20));
            let model = OpenAiModel::new(OpenAiParams {
                prompt_marks: match keeps {
                    Keeps::Marks => PromptMarks::CacheControl,
                    Keeps::Breakpoints => PromptMarks::Breakpoint,
                    Keeps::Automatic | Keeps::Nothing => PromptMarks::None,
                },
                ..stage.params(Duration::from_secs(20))
            })
            .unwrap();
            let providers = vec![Provider::new(model)];
            let parts = Parts { rulebook: Arc::new(Rulebook::Free(rules.clone())), providers, ..parts };
            let report = run(parts).await;
            assert_eq!(report.tally.llm.requests, 100, "{keeps:?}");
            shares.push(report.tally.llm.cached_share());
        }
        println!("{keeps:?}: {:.4} with one worker, {:.4} with {WORKERS}", shares[0], shares[1]);
        assert!(shares[0] > 0.8, "{keeps:?} {shares:?}");
        assert!((shares[0] - shares[1]).abs() < 0.01, "{keeps:?} {shares:?}");
    }
}

#[tokio::test]
async fn the_behaviour_is_read_and_changed_while_it_runs() {
    let stage = Stage::new(Behaviour::default()).await;
    rustls::crypto::ring::default_provider().install_default().ok(); // another test may have done so
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = format!("{}/model", stage.url);
    let mut behaviour: Value = client.get(&address).send().await.unwrap().json().await.unwrap();
    assert_eq!(behaviour["latency"]["median_s"], 0.0);
    behaviour["limits"]["requests_per_minute"] = json!(1.0);
    behaviour["faults"] = json!(["chat=503"]);
    let changed = client.put(&address).json(&behaviour).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    assert_eq!(stage.sandbox.behaviour().limits.requests_per_minute, Some(1.0));
    let error = stage.model(Duration::from_secs(5)).ask(&question()).await.unwrap_err().error;
    assert!(error.to_string().contains("503"), "{error}");
    for wrong in [json!({"latencies": 1}), json!({"faults": ["chat=explode"]}), json!("x"), json!([])] {
        let refused = client.put(&address).json(&wrong).send().await.unwrap();
        assert_eq!(refused.status(), 400, "{wrong}");
    }
    assert_eq!(client.delete(&address).send().await.unwrap().status(), 405);
}

/// A cap holds, whatever answers really cost: to within one request a worker.
#[tokio::test]
async fn a_cap_on_costs_is_kept() {
    let latency = Latency { median_s: 0.01, spread: 0.5 };
    let stage = Stage::new(Behaviour { latency, ..Behaviour::default() }).await;
    let price = Price { input: 1.0, cached_input: None, output: 4.0 };
    let limits = Limits { max_cost: Some(MicroUsd(50_000)), ..workers(8) };
    let mut parts = stage.parts(300, limits, Duration::from_secs(20));
    parts.providers[0].price = Some(price);
    let report = run(parts).await;
    let llm = &report.tally.llm;
    assert_eq!(report.outcome, RunOutcome::Budget);
    let each = llm.cost_usd / llm.answers as f64;
    assert!(llm.cost_usd <= 0.05 + 8.0 * each && llm.cost_usd > 0.03, "{} of 0.05", llm.cost_usd);
}
