//! Tests of the negotiation of parameters.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Feature::*;
use super::*;

fn carried(is_openai: bool) -> BTreeSet<Feature> {
    Wishes::new(is_openai, true, true, None).granted(&Capabilities::default())
}

fn refused_by(is_openai: bool, body: &Value) -> Vec<Feature> {
    let said = Envelope::of_error(body.to_string().as_bytes());
    refused(&carried(is_openai), &said).into_iter().collect()
}

fn openai(message: &str, param: Value, code: Value) -> Value {
    json!({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}})
}

#[test]
fn every_known_shape_of_a_refusal_is_understood() {
    let elsewhere = [
        (
            openai(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                 'max_completion_tokens' instead.",
                json!("max_tokens"),
                json!("unsupported_parameter"),
            ),
            MaxTokens,
        ),
        (
            openai(
                "Unsupported parameter: 'max_tokens' is not supported.",
                Value::Null,
                json!("invalid_request_body"),
            ),
            MaxTokens,
        ),
        (
            openai(
                "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value \
                 is supported.",
                json!("temperature"),
                json!("unsupported_value"),
            ),
            Temperature,
        ),
        (
            openai("Unknown parameter: 'reasoning'.", json!("reasoning"), json!("unknown_parameter")),
            Reasoning,
        ),
        (
            openai("Unrecognized request argument supplied: prompt_cache_key", Value::Null, Value::Null),
            PromptCacheKey,
        ),
        (
            json!({"object": "error", "message": {"detail": [{"type": "extra_forbidden",
                "loc": ["body", "prompt_cache_key"], "msg": "Extra inputs are not permitted"}]}}),
            PromptCacheKey,
        ),
        (
            json!({"object": "error", "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'max_tokens'), \
                'msg': 'Extra inputs are not permitted'}]"}),
            MaxTokens,
        ),
        (
            json!([{"error": {"code": 400, "message": "Invalid JSON payload received. Unknown name \"reasoning\": \
                Cannot find field.", "status": "INVALID_ARGUMENT"}}]),
            Reasoning,
        ),
        (json!({"error": "'response_format.type' must be 'text'"}), JsonSchema),
        (
            json!({"error": {"message": "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), \
                'msg': \"Input should be 'text' or 'json_object'\"}]", "type": "Internal Server Error"}}),
            JsonSchema,
        ),
        (
            openai(
                "Invalid schema for response_format 'status_review': …",
                json!("response_format"),
                Value::Null,
            ),
            JsonSchema,
        ),
        (
            openai("Conversation roles must alternate user/assistant/user", Value::Null, Value::Null),
            SeparateTurns,
        ),
    ];
    for (body, feature) in &elsewhere {
        assert_eq!(refused_by(false, body), [*feature], "{body}");
    }
    let effort = openai("Unrecognized request argument supplied: reasoning_effort", Value::Null, Value::Null);
    assert_eq!(refused_by(true, &effort), [ReasoningEffort]);
    let mistral = json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "msg": "…"}]});
    assert_eq!(refused_by(true, &mistral), [MaxCompletionTokens]);
}

#[test]
fn naming_a_parameter_is_not_blaming_it() {
    for body in [
        openai(
            "max_tokens is too large: 90000. This model supports at most 4096.",
            json!("max_tokens"),
            Value::Null,
        ),
        openai("`max_tokens` must be less than or equal to `8192`", Value::Null, Value::Null),
        openai("You may lower temperature for better answers.", Value::Null, Value::Null),
        openai("Unknown parameter: 'foo'.", json!("foo"), json!("unknown_parameter")),
        openai("Unsupported content for reasoning models.", Value::Null, Value::Null),
        openai("my_temperature is an unknown parameter", Value::Null, Value::Null),
        openai("An unknown error occurred, temperature of the card is high", Value::Null, Value::Null),
        openai(
            "Failed to generate JSON. response_format unsupported",
            Value::Null,
            json!("json_validate_failed"),
        ),
        json!({}),
        json!("temperature"),
    ] {
        assert_eq!(refused_by(false, &body), [], "{body}");
    }
}

#[test]
fn a_parameter_that_was_not_sent_is_not_to_blame() {
    let said = Envelope::of_error(
        openai("Unsupported parameter: 'temperature'", json!("temperature"), Value::Null)
            .to_string()
            .as_bytes(),
    );
    let plain = Wishes::new(true, false, false, None).granted(&Capabilities::default());
    assert!(refused(&plain, &said).is_empty());
}

#[test]
fn several_faults_are_learnt_at_once() {
    let fault = |name| json!({"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs"});
    let body = json!({"detail": [fault("prompt_cache_key"), fault("reasoning"), fault("seed")]});
    assert_eq!(refused_by(false, &body), [Reasoning, PromptCacheKey]);
}

#[test]
fn effort_steps_down_before_it_is_dropped() {
    let wishes = Wishes::new(true, false, true, None);
    let said = Envelope::of_error(
        openai(
            "Unsupported value: 'reasoning_effort' does not support 'high' with this model. Supported values are: …",
            json!("reasoning_effort"),
            json!("unsupported_value"),
        )
        .to_string()
        .as_bytes(),
    );
    let mut known = Capabilities::default();
    known.learn(&refused(&wishes.granted(&known), &said));
    assert_eq!(known.refused().collect::<Vec<_>>(), [HighEffort]);
    assert!(wishes.granted(&known).contains(&ReasoningEffort));
    known.learn(&refused(&wishes.granted(&known), &said));
    assert!(!wishes.granted(&known).contains(&ReasoningEffort));
}

#[test]
fn each_ladder_steps_down_and_ends() {
    let wishes = Wishes::new(false, true, false, None);
    let mut known = Capabilities::default();
    assert!(known.learn(&BTreeSet::from([JsonSchema, MaxTokens])));
    let granted = wishes.granted(&known);
    assert!(granted.contains(&JsonObject) && granted.contains(&MaxCompletionTokens));
    known.learn(&BTreeSet::from([JsonObject, MaxCompletionTokens]));
    let granted: Vec<_> = wishes.granted(&known).into_iter().collect();
    assert_eq!(granted, [Temperature, PromptCacheKey, SeparateTurns]);
}

#[test]
fn workers_that_meet_the_same_refusal_step_once() {
    let wishes = Wishes::new(false, true, false, None);
    let mut shared = Capabilities::default();
    let both_sent = wishes.granted(&shared);
    let said = Envelope::of_error(b"{\"error\": \"'response_format.type' must be 'text'\"}");
    assert!(shared.learn(&refused(&both_sent, &said)));
    assert!(!shared.learn(&refused(&both_sent, &said)));
    assert!(wishes.granted(&shared).contains(&JsonObject));
}

#[test]
fn capabilities_are_kept_as_json_with_a_version() {
    let mut known = Capabilities::default();
    known.learn(&BTreeSet::from([MaxTokens, JsonSchema]));
    let text = serde_json::to_string(&known).unwrap();
    assert_eq!(text, r#"{"version":1,"refused":["json_schema","max_tokens"]}"#);
    assert_eq!(serde_json::from_str::<Capabilities>(&text).unwrap(), known);
    assert!(serde_json::from_str::<Capabilities>(r#"{"version":2,"refused":[]}"#).is_err());
    assert!(serde_json::from_str::<Capabilities>(r#"{"version":1,"refused":["magic"]}"#).is_err());
}

proptest! {
    #[test]
    fn whatever_is_said_only_what_was_carried_is_refused(message in "\\PC{0,80}", param in "\\PC{0,20}") {
        let said = Envelope { message, params: vec![param], ..Envelope::default() };
        prop_assert!(refused(&carried(false), &said).is_subset(&carried(false)));
    }

    #[test]
    fn order_of_learning_does_not_matter(steps in proptest::collection::vec(0usize..10, 0..10)) {
        let all = [JsonSchema, JsonObject, Reasoning, ReasoningEffort, HighEffort, Temperature, MaxTokens,
            MaxCompletionTokens, PromptCacheKey, SeparateTurns];
        let (mut forth, mut back) = (Capabilities::default(), Capabilities::default());
        for &step in &steps { forth.learn(&BTreeSet::from([all[step]])); }
        for &step in steps.iter().rev() { back.learn(&BTreeSet::from([all[step]])); }
        prop_assert_eq!(forth, back);
    }
}
