//! The engine and its providers: how fast they are asked, who is asked when one fails, and what is remembered.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use status_validator::domain::columns::ColumnNames;
use status_validator::engine::{
    Engine, Event, FailureKind, Limits, Parts, Placement, Provider, RunOutcome, RunReport, RunRequest,
};
use status_validator::llm::openai::{OpenAiModel, OpenAiParams, PromptMarks};
use status_validator::llm::{LlmError, ModelId, Room};
use status_validator::net::Network;
use status_validator::table::memory::MemorySink;
use status_validator::testing::{FakeModel, Step};
use tokio::time::Instant;

use crate::support::http::{Answer, Request, Server};
use crate::support::{Log, VALID, paused_parts, projects, run, with_store};

fn dead() -> FakeModel {
    FakeModel::new("dead", |_, _| Step::Fail {
        after: Duration::from_millis(5),
        error: LlmError::Unavailable { detail: "no connection".into(), retry_after: None },
    })
}

fn after(ms: u64) -> Step {
    Step::Answer { after: Duration::from_millis(ms), text: VALID.into() }
}

/// A run over so many rows with these models and twenty workers, under a paused clock.
fn run_with(rows: usize, models: &[&FakeModel], change: impl FnOnce(Parts) -> Parts) -> RunReport {
    let parts = paused_parts(&projects(rows), MemorySink::new(), models[0].clone());
    let providers = models.iter().map(|&model| Provider::new(model.clone())).collect();
    let limits = Limits { max_workers: WORKERS, ..parts.limits };
    run(change(Parts { providers, limits, ..parts }), RunRequest::default())
}

const WORKERS: usize = 20;

#[test]
fn a_dead_provider_costs_few_requests_before_the_next_one_has_everything() {
    for delay in [1, 2000] {
        let dead = FakeModel::new("dead", move |_, _| Step::Fail {
            after: Duration::from_millis(delay),
            error: LlmError::Unavailable { detail: "no connection".into(), retry_after: None },
        });
        let alive = FakeModel::content_after(Duration::from_millis(100));
        let report = run_with(400, &[&dead, &alive], |parts| parts);
        assert_eq!((report.outcome, report.tally.rows_valid), (RunOutcome::Ok, 400));
        assert!(dead.calls() <= WORKERS as u64 + 5, "{} calls", dead.calls());
    }
}

#[test]
fn a_total_outage_ends_the_run_within_seconds_with_one_message() {
    let (one, two) = (dead(), dead());
    let report = run_with(1000, &[&one, &two], |parts| parts);
    assert_eq!(report.outcome, RunOutcome::Failed);
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Providers);
    assert!(failure.text.contains("no connection"), "{}", failure.text);
    assert!(report.elapsed_s < 30.0, "{}", report.elapsed_s);
    assert!(one.calls() + two.calls() <= 2 * (WORKERS as u64 + 5), "{} {}", one.calls(), two.calls());
    assert_eq!(report.tally.not_checked.len(), 1, "{:?}", report.tally.not_checked);
}

#[test]
fn the_only_provider_is_waited_for_when_it_fails_for_a_minute() {
    let down = Mutex::new(None);
    let model = FakeModel::new("moody", move |_, call| {
        let mut down = down.lock().unwrap();
        if call < 50 || down.get_or_insert_with(Instant::now).elapsed() > Duration::from_secs(60) {
            return after(300);
        }
        Step::Fail {
            after: Duration::from_millis(5),
            error: LlmError::Unavailable { detail: "down".into(), retry_after: None },
        }
    });
    let report = run_with(300, &[&model], |parts| parts);
    let tally = &report.tally;
    assert_eq!((report.outcome, tally.rows_valid), (RunOutcome::Ok, 300), "{:?}", tally.not_checked);
    assert!(model.calls() <= 300 + 3 * WORKERS as u64, "{} calls", model.calls());
}

#[test]
fn a_refused_key_is_not_tried_by_every_row() {
    let refused = FakeModel::new("refused", |_, _| Step::Fail {
        after: Duration::from_millis(50),
        error: LlmError::Auth("401".into()),
    });
    let report = run_with(300, &[&refused], |parts| parts);
    assert_eq!(report.failure.unwrap().kind, FailureKind::Providers);
    assert!(refused.calls() <= WORKERS as u64, "{} calls", refused.calls());
}

#[test]
fn being_asked_to_wait_uses_up_no_attempt() {
    let model = FakeModel::new("slow", |_, call| match call {
        0..7 => Step::Fail {
            after: Duration::from_millis(100),
            error: LlmError::RateLimited { retry_after: Some(Duration::from_secs(3)) },
        },
        _ => after(100),
    });
    let report = run_with(1, &[&model], |mut parts| {
        parts.limits.attempts = 1;
        parts
    });
    assert_eq!((report.tally.rows_valid, report.tally.llm.rate_limited), (1, 7));
    assert!(report.elapsed_s >= 21.0, "{}", report.elapsed_s);
}

#[test]
fn while_one_row_is_asked_to_wait_no_other_is_sent() {
    let paused = Arc::new(Mutex::new(None::<Instant>));
    let early = Arc::new(Mutex::new(0));
    let (until, count) = (Arc::clone(&paused), Arc::clone(&early));
    let model = FakeModel::new("strict", move |_, call| {
        let mut until = until.lock().unwrap();
        let now = Instant::now();
        if until.is_some_and(|until| now < until) {
            *count.lock().unwrap() += 1;
        }
        if call == 60 {
            *until = Some(now + Duration::from_millis(50) + Duration::from_secs(20));
            return Step::Fail {
                after: Duration::from_millis(50),
                error: LlmError::RateLimited { retry_after: Some(Duration::from_secs(20)) },
            };
        }
        after(1000)
    });
    let report = run_with(200, &[&model], |parts| parts);
    assert_eq!(report.tally.rows_valid, 200);
    let early = *early.lock().unwrap();
    assert!(early < WORKERS, "{early} calls left after the refusal was sent and before the pause was over");
}

/// A bucket of requests in virtual time, as a model: says nothing but no.
fn bucket(per_minute: f64, burst_s: f64) -> FakeModel {
    let rate = per_minute / 60.0;
    let state = Mutex::new(None::<(Instant, f64)>);
    FakeModel::new("bucket", move |_, call| {
        let mut state = state.lock().unwrap();
        let now = Instant::now();
        let (at, level) = state.unwrap_or((now, rate * burst_s));
        let level = (level + now.duration_since(at).as_secs_f64() * rate).min((rate * burst_s).max(1.0));
        let is_taken = level >= 1.0;
        *state = Some((now, if is_taken { level - 1.0 } else { level }));
        if is_taken {
            return after(1000 + (call * 7919 % 4000));
        }
        let error = LlmError::RateLimited { retry_after: None };
        Step::Fail { after: Duration::from_millis(120), error }
    })
    .limited()
}

#[test]
fn a_limit_is_found_used_and_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    for (nth, rows) in [(1, 1500), (2, 1500)] {
        let model = bucket(600.0, 5.0);
        let report = run_with(rows, &[&model], |parts| {
            let limits = Limits { max_workers: 100, ..parts.limits };
            let parts = with_store(Parts { limits, ..parts }, &path);
            // Each run has rows of its own, since answers are kept.
            Parts { rulebook: Arc::new(format_rules(nth)), ..parts }
        });
        assert_eq!(report.tally.rows_valid, rows as u64);
        let refused = report.tally.llm.rate_limited as f64 / report.tally.llm.requests as f64;
        let used = rows as f64 / (10.0 * report.elapsed_s);
        assert!(refused <= 0.01, "run {nth}: {refused:.4} refused");
        // The last answers take up to five seconds of their own.
        assert!(used >= 0.95, "run {nth}: {used:.3} of the limit used in {} s", report.elapsed_s);
    }
}

fn format_rules(n: u32) -> status_validator::domain::rules::Rulebook {
    status_validator::domain::rules::Rulebook::Free(format!("Rule of run {n}."))
}

fn openai(server: &Server) -> OpenAiModel {
    OpenAiModel::new(OpenAiParams {
        id: ModelId { provider: "primary".into(), model: "gpt-x".into() },
        base_url: server.url(),
        api_key: Some(SecretString::from("sk-1")),
        organization: None,
        http_referer: None,
        x_title: None,
        temperature: Some(0.0),
        max_output_tokens: 256,
        request_timeout: Duration::from_secs(20),
        reasoning_enabled: false,
        connect_timeout: Duration::from_secs(5),
        prompt_marks: PromptMarks::Auto,
        network: Network::default(),
    })
    .unwrap()
}

/// Refuses two parameters, one at a time, as OpenAI does.
fn fussy(request: &Request) -> Answer {
    let body = request.json();
    let refusal = |param: &str| {
        let message = format!("Unsupported parameter: '{param}' is not supported with this model.");
        let error = json!({"message": message, "type": "invalid_request_error", "param": param, "code": "unsupported_parameter"});
        Answer::json(400, &json!({"error": error}))
    };
    for param in ["temperature", "prompt_cache_key"] {
        if body.get(param).is_some() {
            return refusal(param);
        }
    }
    let choice = json!({"message": {"role": "assistant", "content": VALID}, "finish_reason": "stop"});
    Answer::json(200, &json!({"model": "gpt-x", "choices": [choice], "usage": Value::Null}))
}

#[tokio::test]
async fn a_refused_parameter_costs_one_request_ever_however_many_workers() {
    let server = Server::answering(|_, request| fussy(request)).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let rows = 60;
    for (nth, extra) in [(1, 2), (2, 0)] {
        let before = server.requests().len();
        let columns = ColumnNames {
            status: "Status".into(),
            comment: "Comment".into(),
            completion_date: None,
            identifier: Some("Project".into()),
            project_manager: None,
            context: Vec::new(),
        };
        let parts = Parts {
            source: Some(Box::new(projects(rows))),
            sink: Some(Box::new(MemorySink::new())),
            providers: vec![Provider::new(openai(&server))],
            placement: Placement::Shared,
            limits: Limits { max_workers: WORKERS, ..Limits::default() },
            ..Parts::new(format_rules(nth), columns)
        };
        let engine = Engine::start(with_store(parts, &path)).unwrap();
        let report = engine.handle().run(RunRequest::default()).await.unwrap();
        engine.shutdown(Duration::from_secs(30)).await;
        assert_eq!(report.tally.rows_valid, rows as u64, "{:?}", report.tally.not_checked);
        assert_eq!(server.requests().len() - before, rows + extra, "run {nth}");
        assert_eq!(report.tally.llm.requests, (rows + extra) as u64, "run {nth}");
    }
}

#[test]
fn a_provider_that_is_given_up_is_named_once() {
    let log = Log::default();
    let (dead, alive) = (dead(), FakeModel::content_after(Duration::from_millis(100)));
    run_with(100, &[&dead, &alive], |parts| Parts { observer: Some(Arc::new(log.observer())), ..parts });
    let out: Vec<_> = log
        .events()
        .into_iter()
        .filter_map(|stamped| match stamped.event {
            Event::ProviderOut { provider, reason } => Some((provider, reason)),
            _ => None,
        })
        .collect();
    assert!(out.len() <= 1, "{out:?}");
    assert!(
        out.iter().all(|(provider, reason)| *provider == 0 && reason.contains("no connection")),
        "{out:?}"
    );
}

#[test]
fn an_answer_that_was_cut_gets_room_then_brevity_and_is_named_if_nothing_helps() {
    let cut = || Step::Fail { after: Duration::from_millis(10), error: LlmError::Truncated(1024) };
    let patient = FakeModel::new("wordy", move |question, call| match call {
        0 => cut(),
        1 => {
            assert_eq!((question.room, question.hint.as_deref()), (Room::Double, None));
            cut()
        }
        _ => {
            assert!(question.hint.as_deref().is_some_and(|hint| hint.contains("too long")), "{question:?}");
            after(10)
        }
    });
    assert_eq!(run_with(1, &[&patient], |parts| parts).tally.rows_valid, 1);

    let endless = FakeModel::new("endless", move |_, _| cut());
    let report = run_with(1, &[&endless], |parts| parts);
    assert_eq!((report.tally.rows_not_checked, endless.calls()), (1, 3));
    let reason = report.tally.not_checked.keys().next().unwrap();
    assert!(reason.contains("cut at 1024 tokens") && reason.contains("max_output_tokens"), "{reason}");
}

#[test]
fn an_answer_that_does_not_fit_is_repaired_once_and_then_asked_of_the_next_provider() {
    let confused = FakeModel::new("confused", |_, _| Step::Answer {
        after: Duration::from_millis(10),
        text: r#"{"verdict": "fine"}"#.into(),
    });
    let alive = FakeModel::content_after(Duration::from_millis(10));
    let report = run_with(3, &[&confused, &alive], |parts| Parts {
        limits: Limits { attempts: 9, ..parts.limits },
        ..parts
    });
    assert_eq!(report.tally.rows_valid, 3);
    assert_eq!((confused.calls(), alive.calls()), (6, 3));
}

/// A fifth of all requests fails in any way that passes.
#[test]
fn with_a_fifth_of_requests_failing_every_row_is_validated_at_little_cost() {
    for seed in 0..5 {
        let model = FakeModel::new("shaky", move |_, call| {
            let mut rng = fastrand::Rng::with_seed(seed * 1_000_003 + call);
            let takes = Duration::from_millis(rng.u64(200..2000));
            let fail = |error| Step::Fail { after: takes, error };
            if rng.f64() >= 0.2 {
                return Step::Answer { after: takes, text: VALID.into() };
            }
            let down = |detail: &str| LlmError::Unavailable { detail: detail.into(), retry_after: None };
            match rng.u8(0..8) {
                0 => fail(LlmError::RateLimited { retry_after: Some(Duration::from_secs(1)) }),
                1 => fail(LlmError::RateLimited { retry_after: None }),
                2 => fail(down("503")),
                3 => fail(down("the connection broke")),
                4 => fail(LlmError::Timeout(Duration::from_secs(2))),
                5 => fail(LlmError::BadReply("<html>".into())),
                6 => fail(LlmError::Truncated(256)),
                _ => Step::Answer { after: takes, text: r#"{"is_valid": "maybe"}"#.into() },
            }
        });
        let report = run_with(1000, &[&model], |parts| Parts {
            limits: Limits { attempts: 6, ..parts.limits },
            ..parts
        });
        let tally = &report.tally;
        assert_eq!(tally.rows_valid, 1000, "seed {seed}: {:?}", tally.not_checked);
        let each = model.calls() as f64 / 1000.0;
        assert!(each <= 1.4, "seed {seed}: {each} requests a row");
    }
}
