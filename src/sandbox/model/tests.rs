//! The model as its clients have it, without a network.

use super::limits::Kind;
use super::*;

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn model(behaviour: Behaviour) -> Model {
    let mut model = Model::new();
    model.behave(behaviour).unwrap();
    model
}

fn request(changes: &Value) -> Vec<u8> {
    let mut request = json!({"model": "m", "max_tokens": 100, "messages": [
        {"role": "system", "content": "Judge in JSON."},
        {"role": "user", "content": json!({"status": "On Track", "comment": "Too short."}).to_string()}]});
    let changes = changes.as_object().unwrap().clone();
    request.as_object_mut().unwrap().extend(changes);
    request.to_string().into_bytes()
}

fn limited(limits: Limits) -> Model {
    model(Behaviour { limits, ..Behaviour::default() })
}

use super::limits::Limits;

#[test]
fn an_answer_is_a_completion_with_a_bill() {
    let mut model = model(Behaviour::default());
    let Course { after, reply, ticket } = model.begin(&request(&json!({})), None, at(0.0));
    assert_eq!((after, reply.status, ticket.is_some()), (Duration::ZERO, 200, true));
    let answer = reply.json_body();
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(content.contains("too short"), "{content}");
    let usage = &answer["usage"];
    assert_eq!(usage["completion_tokens"], tokenizer::text_tokens(content));
    let texts = ["Judge in JSON.", "{\"status\":\"On Track\",\"comment\":\"Too short.\"}"];
    assert_eq!(usage["prompt_tokens"], tokenizer::prompt_tokens(texts, None));
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let mut model = model(Behaviour { refuses: vec!["max_tokens".into()], ..Behaviour::default() });
    for (body, told) in [
        (b"{".to_vec(), "no JSON"),
        (b"{\"messages\": []}".to_vec(), "messages"),
        (request(&json!({})), "max_completion_tokens"),
    ] {
        let course = model.begin(&body, None, at(0.0));
        assert!(course.ticket.is_none() && course.reply.status == 400);
        assert!(course.reply.json_body().to_string().contains(told), "{told}");
    }
}

#[test]
fn an_answer_longer_than_asked_for_is_cut() {
    let mut model = model(Behaviour::default());
    let answer = model.begin(&request(&json!({"max_tokens": 5})), None, at(0.0)).reply.json_body();
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["usage"]["completion_tokens"], 5);
}

#[test]
fn limits_are_kept_and_told() {
    let limits = Limits { requests_per_minute: Some(120.0), burst_s: 1.0, ..Limits::default() };
    let mut model = limited(limits);
    let first = model.begin(&request(&json!({})), None, at(0.0)).reply;
    assert_eq!(first.header_of("x-ratelimit-limit-requests"), Some("120"));
    assert_eq!(first.header_of("x-ratelimit-remaining-requests"), Some("1"));
    assert_eq!(first.header_of("x-ratelimit-reset-requests"), Some("500ms"));
    model.begin(&request(&json!({})), None, at(0.0));
    let refused = model.begin(&request(&json!({})), None, at(0.0));
    assert!(refused.reply.status == 429 && refused.ticket.is_none());
    assert_eq!(refused.reply.header_of("retry-after"), Some("1"));
    assert_eq!(refused.reply.header_of("retry-after-ms"), Some("501"));
    assert!(refused.reply.json_body().to_string().contains("(RPM): Limit 120, Used 120, Requested 1."));
    assert_eq!(model.begin(&request(&json!({})), None, at(0.501)).reply.status, 200);

    let mut silent = limited(Limits { tells: Tells::Nothing, kind: Kind::Window, ..limits });
    let replies: Vec<Reply> =
        (0..121).map(|_| silent.begin(&request(&json!({})), None, at(1.0)).reply).collect();
    let last = replies.last().unwrap();
    assert_eq!(
        (last.status, last.header_of("retry-after"), replies[0].header_of("x-ratelimit-limit-requests")),
        (429, None, None)
    );
}

#[test]
fn what_was_reserved_comes_back_and_so_does_a_place() {
    let limits =
        Limits { tokens_per_minute: Some(60_000.0), at_once: Some(1), reserves: true, ..Limits::default() };
    let mut model = limited(limits);
    let first = model.begin(&request(&json!({"max_tokens": 900})), None, at(0.0));
    let busy = model.begin(&request(&json!({})), None, at(0.0));
    assert!(busy.reply.json_body().to_string().contains("concurrent"));
    model.end(&first.ticket.unwrap(), true, at(0.0));
    assert!(model.begin(&request(&json!({"max_tokens": 800})), None, at(0.0)).ticket.is_some());
}

#[test]
fn a_prompt_that_was_answered_is_found_again() {
    let long = "Every item has a date. ".repeat(400);
    let body = request(&json!({"messages": [{"content": long}, {"content": "{\"comment\": \"x\"}"}]}));
    let mut model = model(Behaviour::default());
    let first = model.begin(&body, None, at(0.0));
    model.end(&first.ticket.unwrap(), true, at(1.0));
    let second = model.begin(&body, None, at(2.0)).reply.json_body();
    assert!(second["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64() > Some(2000), "{second}");
}

#[test]
fn each_trouble_is_what_it_says() {
    for (word, trouble) in WORDS {
        let course = model(Behaviour::default()).begin(&request(&json!({})), Some(trouble), at(0.0));
        let expected = match trouble {
            Trouble::RateLimit | Trouble::TokenLimit | Trouble::Busy | Trouble::Quota => 429,
            Trouble::Overloaded => 529,
            Trouble::BadKey => 401,
            Trouble::NoModel => 404,
            _ => 200,
        };
        assert_eq!((course.reply.status, course.ticket.is_some()), (expected, expected == 200), "{word}");
    }
}

#[test]
fn a_behaviour_is_json_and_unknown_words_are_refused() {
    let behaviour = Behaviour {
        latency: Latency { median_s: 4.0, spread: 0.5 },
        faults: vec!["chat:20%=mix".into()],
        ..Behaviour::default()
    };
    let json = serde_json::to_string(&behaviour).unwrap();
    assert_eq!(serde_json::from_str::<Behaviour>(&json).unwrap(), behaviour);
    assert!(serde_json::from_str::<Behaviour>("{\"latencies\": 1}").is_err());
    assert_eq!(serde_json::from_str::<Behaviour>("{}").unwrap(), Behaviour::default());
    let mut model = Model::new();
    let wrong = Behaviour { faults: vec!["chat=explode".into()], ..Behaviour::default() };
    assert!(model.behave(wrong).unwrap_err().to_string().contains("explode"));
    assert_eq!(model.behaviour(), &Behaviour::default(), "nothing has changed");
    for (changes, told) in [
        (json!({"limits": {"requests_per_minute": -5.0}}), "limits.requests_per_minute"),
        (json!({"limits": {"requests_per_minute": 0.0}}), "above 0"),
        (json!({"limits": {"tokens_per_minute": -1.0}}), "limits.tokens_per_minute"),
        (json!({"limits": {"at_once": 0}}), "1 or more"),
        (json!({"limits": {"burst_s": -1.0}}), "limits.burst_s"),
        (json!({"latency": {"median_s": -1.0}}), "latency.median_s"),
        (json!({"latency": {"spread": 9.0}}), "from 0 to 3"),
        (json!({"prompt_cache": {"forgets_s": -1.0}}), "prompt_cache.forgets_s"),
        (json!({"error_rate": 1.1}), "from 0 to 1"),
    ] {
        let error = model.behave(serde_json::from_value(changes).unwrap()).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
        assert_eq!(model.behaviour(), &Behaviour::default());
    }
    let nan = Limits { tokens_per_minute: Some(f64::NAN), ..Limits::default() };
    assert!(model.behave(Behaviour { limits: nan, ..Behaviour::default() }).is_err());
}
