//! The model's HTTP client against a real socket: what is sent, and what becomes of every kind of answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::{Value, json};
use status_validator::domain::money::{MicroUsd, Usage};
use status_validator::domain::prompt::StaticPrompt;
use status_validator::llm::openai::negotiate::Feature;
use status_validator::llm::openai::{OpenAiModel, OpenAiParams, PromptMarks};
use status_validator::llm::{ChatModel, LlmError, ModelId, Question, Reply, Room};
use status_validator::net::Network;

use crate::support::http::{Answer, Request, Server};

const KEY: &str = "sk-Canary-5F2e81C0d94B";

fn params(base_url: String) -> OpenAiParams {
    OpenAiParams {
        id: ModelId { provider: "primary".into(), model: "gpt-x".into() },
        base_url,
        api_key: Some(SecretString::from(KEY)),
        organization: Some("org-1".into()),
        http_referer: Some("https://pmo.test".into()),
        x_title: Some("Проверка".into()),
        temperature: Some(0.0),
        max_output_tokens: 1024,
        request_timeout: Duration::from_secs(20),
        reasoning_enabled: false,
        connect_timeout: Duration::from_secs(5),
        prompt_marks: PromptMarks::Auto,
        network: Network::default(),
    }
}

fn model(server: &Server) -> OpenAiModel {
    OpenAiModel::new(params(server.url())).unwrap()
}

fn impatient(server: &Server) -> OpenAiModel {
    let request_timeout = Duration::from_millis(200);
    OpenAiModel::new(OpenAiParams { request_timeout, ..params(server.url()) }).unwrap()
}

fn question() -> Question {
    let fixed = StaticPrompt {
        system: "Judge. Answer in JSON.".into(),
        rules: "Rule 1.".into(),
        schema: json!({"type": "object"}),
        cache_key: "rules_0123456789abcdef".into(),
    };
    Question {
        fixed: Arc::new(fixed),
        row: "the row".into(),
        hint: Some("the hint".into()),
        room: Room::Usual,
    }
}

fn answer(text: &str) -> Value {
    json!({"model": "gpt-x-2026", "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 3}})
}

fn refusal(message: &str, param: Value, code: Value) -> Answer {
    let error = json!({"message": message, "type": "invalid_request_error", "param": param, "code": code});
    Answer::json(400, &json!({"error": error}))
}

/// Asks a server that always gives this answer.
async fn asked(answer: Answer) -> Result<Reply, LlmError> {
    let server = Server::scripted(vec![answer]).await;
    let outcome = model(&server).ask(&question()).await;
    assert_eq!(server.requests().len(), 1, "one question is one request");
    outcome.map_err(|none| none.error)
}

/// The text of the error, after a look for the key.
fn told(error: &LlmError) -> String {
    let told = format!("{error} {error:?}");
    assert!(!told.to_lowercase().contains("canary"), "{told}");
    error.to_string()
}

#[tokio::test]
async fn a_question_is_sent_static_part_first_and_its_answer_read() {
    let server = Server::scripted(vec![Answer::json(200, &answer("{\"is_valid\": true}"))]).await;
    let model = model(&server);
    let reply = model.ask(&question()).await.unwrap();
    assert_eq!(reply.text, "{\"is_valid\": true}");
    assert_eq!((reply.model.as_str(), reply.requests), ("gpt-x-2026", 1));
    assert_eq!((reply.usage.prompt_tokens, reply.usage.completion_tokens), (20, 3));

    let requests = server.requests();
    let request = &requests[0];
    assert_eq!(request.line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(request.header("authorization"), Some(&*format!("Bearer {KEY}")));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("openai-organization"), Some("org-1"));
    assert_eq!(request.header("http-referer"), Some("https://pmo.test"));
    assert_eq!(request.header("x-title"), Some("Проверка"));
    let body = request.json();
    let contents: Vec<&str> =
        body["messages"].as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap()).collect();
    assert_eq!(contents, ["Judge. Answer in JSON.", "Rule 1.", "the row", "the hint"]);
    assert!(request.body.find("the row") > request.body.find("prompt_cache_key"));
    assert!(request.body.find("response_format") > request.body.find("the hint"));
    assert_eq!((&body["max_tokens"], &body["temperature"]), (&json!(1024), &json!(0.0)));
    assert_eq!(body["response_format"]["json_schema"]["strict"], json!(true));
}

#[tokio::test]
async fn leading_blank_lines_and_a_byte_order_mark_are_no_harm() {
    let body = format!("\n\n\n\u{feff}{}", answer("yes"));
    assert_eq!(asked(Answer::text(200, &[], &body)).await.unwrap().text, "yes");
}

#[tokio::test]
async fn what_a_server_takes_for_no_json_is_read_all_the_same() {
    let error = json!({"message": "Failed to generate JSON.", "type": "invalid_request_error",
        "code": "json_validate_failed", "failed_generation": "Here it is: {\"is_valid\": true}"});
    let reply = asked(Answer::json(400, &json!({"error": error}))).await.unwrap();
    assert_eq!(reply.text, "Here it is: {\"is_valid\": true}");
    let silent = json!({"error": {"message": "m", "code": "json_validate_failed", "failed_generation": ""}});
    assert!(matches!(asked(Answer::json(400, &silent)).await, Err(LlmError::BadReply(_))));
}

#[tokio::test]
async fn a_429_says_when_to_come_back() {
    let limited = json!({"error": {"message": "slow", "type": "requests", "code": "rate_limit_exceeded"}});
    let with_header = Answer::text(429, &[("retry-after", "2.5")], &limited.to_string());
    let expected = LlmError::RateLimited { retry_after: Some(Duration::from_millis(2500)) };
    assert_eq!(asked(with_header).await, Err(expected));
    let in_words = json!({"error": {"message": "Limit 5, Used 5. Please try again in 84ms."}});
    let expected = LlmError::RateLimited { retry_after: Some(Duration::from_millis(84)) };
    assert_eq!(asked(Answer::json(429, &in_words)).await, Err(expected));
}

#[tokio::test]
async fn a_server_in_trouble_is_unavailable() {
    let page = "<html><head><title>502 Bad Gateway</title></head></html>";
    let error = asked(Answer::text(502, &[("content-type", "text/html")], page)).await.unwrap_err();
    assert_eq!(told(&error), "unavailable: 502 an HTML page, 502 Bad Gateway");
    let error = asked(Answer::text(500, &[], "")).await.unwrap_err();
    assert!(matches!(error, LlmError::Unavailable { .. }), "{error:?}");
    let in_success = json!({"error": {"code": 503, "message": "upstream gone"}});
    let error = asked(Answer::json(200, &in_success)).await.unwrap_err();
    assert_eq!(told(&error), "unavailable: 503 upstream gone");
}

#[tokio::test]
async fn what_is_not_an_answer_says_what_it_is() {
    let cases = [
        ("<!DOCTYPE html><title>Login</title>", "an HTML page, Login"),
        ("", "an empty body"),
        ("{}", "JSON without `choices`"),
        ("[]", "JSON without `choices`"),
        ("{\"choices\": [", "broken JSON"),
        ("hello", "broken JSON"),
    ];
    for (body, expected) in cases {
        let error = asked(Answer::text(200, &[], body)).await.unwrap_err();
        assert!(
            matches!(&error, LlmError::BadReply(detail) if detail.contains(expected)),
            "{body}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_breaks_within_the_answer_is_told_as_that() {
    let whole = answer("text").to_string();
    let cuts: [&[u8]; 3] = [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        &format!("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{whole}").into_bytes(),
    ];
    for cut in cuts {
        let error = asked(Answer::Cut(cut.to_vec())).await.unwrap_err();
        assert!(
            matches!(&error, LlmError::Unavailable { detail, .. } if detail.contains("broke")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_unavailable() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let model = OpenAiModel::new(params(format!("http://{closed}"))).unwrap();
    let error = model.ask(&question()).await.unwrap_err().error;
    assert!(
        matches!(&error, LlmError::Unavailable { detail, .. } if detail.contains("no connection")),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_deadline_holds_against_silence_and_against_a_drip() {
    let whole = format!("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{}", " ".repeat(100_000));
    for slow in [Answer::Hang, Answer::Drip(whole.into_bytes(), Duration::from_millis(2))] {
        let server = Server::scripted(vec![slow]).await;
        let started = Instant::now();
        let error = impatient(&server).ask(&question()).await.unwrap_err().error;
        assert_eq!(error, LlmError::Timeout(Duration::from_millis(200)));
        assert!(started.elapsed() < Duration::from_secs(10));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Server::scripted(vec![Answer::json(200, &answer("stolen"))]).await;
    let location = format!("{}/secret/path?token=1", target.url());
    for status in [301, 302, 307, 308] {
        let error = asked(Answer::text(status, &[("location", &location)], "")).await.unwrap_err();
        let told = told(&error);
        assert!(matches!(error, LlmError::UnknownModel(_)) && told.contains("base_url"), "{told}");
        assert!(told.contains("127.0.0.1") && !told.contains("secret"), "{told}");
    }
    assert_eq!(target.requests().len(), 0);
}

/// A server that refuses these fields, one at a time, each in its own way.
fn strict(request: &Request) -> Answer {
    let body = request.json();
    let has = |key: &str| body.get(key).is_some();
    if has("max_tokens") {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
             'max_completion_tokens' instead.";
        return refusal(message, json!("max_tokens"), json!("unsupported_parameter"));
    }
    if has("temperature") {
        let message = "Unsupported value: 'temperature' does not support 0 with this model.";
        return refusal(message, json!("temperature"), json!("unsupported_value"));
    }
    if has("prompt_cache_key") {
        return refusal("Unrecognized request argument supplied: prompt_cache_key", Value::Null, Value::Null);
    }
    if has("reasoning") {
        let fault = json!({"type": "extra_forbidden", "loc": ["body", "reasoning"], "msg": "Extra inputs are not permitted"});
        return Answer::json(422, &json!({"object": "error", "message": {"detail": [fault]}}));
    }
    if body["response_format"]["type"] == "json_schema" {
        let message = "[{'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text' or 'json_object'\"}]";
        return Answer::json(500, &json!({"error": {"message": message, "type": "Internal Server Error"}}));
    }
    if has("response_format") {
        return Answer::json(400, &json!({"error": "'response_format.type' must be 'text'"}));
    }
    Answer::json(200, &answer("at last"))
}

#[tokio::test]
async fn what_is_refused_is_left_out_at_once_and_remembered() {
    let server = Server::answering(|_, request| strict(request)).await;
    let model = OpenAiModel::new(OpenAiParams { reasoning_enabled: true, ..params(server.url()) }).unwrap();
    let reply = model.ask(&question()).await.unwrap();
    assert_eq!((reply.text.as_str(), reply.requests), ("at last", 7));

    let again = model.ask(&question()).await.unwrap();
    assert_eq!(again.requests, 1);
    let requests = server.requests();
    assert_eq!(requests.len(), 8);
    assert_eq!(requests[6].body, requests[7].body);
    let mut body = requests[7].json();
    body["messages"] = Value::Null;
    let expected = json!({"model": "gpt-x", "messages": null, "max_completion_tokens": 1024, "reasoning_effort": "high"});
    assert_eq!(body, expected);

    let kept = model.memory().unwrap();
    let next_run =
        OpenAiModel::new(OpenAiParams { reasoning_enabled: true, ..params(server.url()) }).unwrap();
    assert!(!next_run.is_known());
    next_run.recall(&kept);
    assert!(next_run.is_known());
    assert_eq!(next_run.ask(&question()).await.unwrap().requests, 1);
}

#[tokio::test]
async fn an_answer_and_a_refusal_say_what_the_limits_are() {
    let limits = [
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-remaining-requests", "499"),
        ("x-ratelimit-reset-requests", "120ms"),
    ];
    let told = |status, body: Value| Answer::text(status, &limits, &body.to_string());
    let slow = json!({"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}});
    let server = Server::scripted(vec![told(200, answer("fine")), told(429, slow)]).await;
    let model = model(&server);
    let answered = model.ask(&question()).await.unwrap().limits;
    let refused = model.ask(&question()).await.unwrap_err();
    assert!(matches!(refused.error, LlmError::RateLimited { .. }), "{refused:?}");
    for limits in [answered, *refused.limits] {
        let requests = limits.requests.unwrap();
        assert_eq!(
            (requests.limit, requests.remaining, requests.period),
            (500, 499, Duration::from_secs(60))
        );
    }
}

#[test]
fn an_account_tells_keys_apart_and_gives_none_away() {
    let account = |key: &str| {
        let api_key = Some(SecretString::from(key.to_owned()));
        OpenAiModel::new(OpenAiParams { api_key, ..params("http://127.0.0.1:1".into()) }).unwrap().account()
    };
    let (one, two) = (account("sk-canary-1"), account("sk-canary-2"));
    assert!(one != two && one == account("sk-canary-1"));
    assert!(!one.contains("canary"), "{one}");
}

#[tokio::test]
async fn workers_that_meet_a_refusal_together_step_down_once() {
    let server = Server::answering(|_, request| {
        if request.json()["response_format"]["type"] == "json_schema" {
            return Answer::json(400, &json!({"error": "response_format json_schema is not supported"}));
        }
        Answer::json(200, &answer("fine"))
    })
    .await;
    let model = model(&server);
    let question = question();
    let replies = futures_util::future::join_all((0..8).map(|_| model.ask(&question))).await;
    assert!(replies.iter().all(|reply| reply.as_ref().is_ok_and(|reply| reply.requests <= 2)), "{replies:?}");
    assert_eq!(model.capabilities().refused().collect::<Vec<_>>(), [Feature::JsonSchema]);
}

#[tokio::test]
async fn a_server_that_refuses_everything_is_given_up() {
    let server = Server::answering(|_, request| {
        let body = request.json();
        if body["reasoning"]["effort"] == "high" {
            return refusal("Supported values: 'low'", json!("reasoning"), json!("unsupported_value"));
        }
        let mut fields = body.as_object().unwrap().keys();
        let field = fields.rfind(|key| !["model", "messages"].contains(&key.as_str()));
        let message = format!("Unknown parameter: '{}'.", field.map_or("model", String::as_str));
        refusal(&message, Value::Null, json!("unknown_parameter"))
    })
    .await;
    let model = OpenAiModel::new(OpenAiParams { reasoning_enabled: true, ..params(server.url()) }).unwrap();
    let error = model.ask(&question()).await.unwrap_err().error;
    assert!(matches!(error, LlmError::BadRequest(_)), "{error:?}");
    assert_eq!(server.requests().len(), 9, "the question and eight alterations");
    let error = model.ask(&question()).await.unwrap_err().error;
    assert_eq!(told(&error), "request refused: 400 unknown_parameter Unknown parameter: 'model'.");
    assert_eq!(server.requests().len(), 10, "what was learnt last is not forgotten");
}

#[tokio::test]
async fn a_long_answer_is_not_read_to_its_end() {
    let long = "x".repeat(10 << 20);
    let error = asked(Answer::json(200, &answer(&long))).await.unwrap_err();
    assert_eq!(error, LlmError::BadReply("longer than 1048576 bytes".into()));
    let error = asked(Answer::text(503, &[], &long)).await.unwrap_err();
    assert!(matches!(&error, LlmError::Unavailable { detail, .. } if detail.chars().count() <= 300));
}

#[tokio::test]
async fn no_usage_can_spoil_an_answer() {
    for usage in [
        json!(null),
        json!("free"),
        json!([]),
        json!({"prompt_tokens": null, "completion_tokens": "3"}),
        json!({"prompt_tokens": -1, "completion_tokens": 2.5, "prompt_tokens_details": null}),
    ] {
        let mut body = answer("fine");
        body["usage"] = usage;
        assert_eq!(asked(Answer::json(200, &body)).await.unwrap().usage, Usage::default(), "{body}");
    }
    let mut body = answer("fine");
    body["usage"] =
        json!({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}, "cost": 0.002});
    let usage = asked(Answer::json(200, &body)).await.unwrap().usage;
    assert_eq!((usage.prompt_tokens, usage.cached_tokens, usage.stated_cost), (10, 4, Some(MicroUsd(2000))));
}

#[tokio::test]
async fn the_key_is_nowhere_to_be_read() {
    let echo = format!("Incorrect API key provided: {KEY}; header: Bearer {KEY}");
    let half = format!("Incorrect key: {}****", &KEY[..14]);
    for answer in [
        Answer::json(401, &json!({"error": {"message": echo, "code": "invalid_api_key"}})),
        Answer::json(401, &json!({"error": {"message": half, "code": KEY}})),
        Answer::json(400, &json!({"error": echo})),
        Answer::text(200, &[], &echo),
        Answer::json(200, &json!({KEY: 1})),
        Answer::json(200, &json!({"choices": [{"message": {"refusal": echo}}]})),
        Answer::text(302, &[("location", &format!("https://h.test/?key={KEY}"))], ""),
        Answer::text(404, &[], &echo),
    ] {
        told(&asked(answer).await.unwrap_err());
    }
    let server = Server::scripted(vec![Answer::Hang]).await;
    assert!(!format!("{:?} {:?}", model(&server), params(server.url())).contains("Canary"));
    let broken = SecretString::from(format!("{KEY}\n{KEY}"));
    let error = OpenAiModel::new(OpenAiParams { api_key: Some(broken), ..params(server.url()) }).unwrap_err();
    assert!(error.to_string().contains("`api_key`") && !format!("{error:?}").contains("Canary"));
}

#[tokio::test]
async fn a_question_may_be_dropped_and_the_next_one_is_answered() {
    let server =
        Server::answering(|nth, _| if nth == 0 { Answer::Hang } else { Answer::json(200, &answer("fine")) })
            .await;
    let model = model(&server);
    let question = question();
    let dropped = tokio::time::timeout(Duration::from_millis(100), model.ask(&question)).await;
    assert!(dropped.is_err());
    assert_eq!(model.ask(&question).await.unwrap().text, "fine");
}
