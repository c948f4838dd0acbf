//! Reading an answer that came with a success: its text wherever the server puts it, and its usage.

use serde_json::Value;

use super::excerpt::Scrubber;
use super::usage;
use crate::llm::limits::RateLimits;
use crate::llm::{LlmError, Reply};

/// What the request was, where the answer does not say it.
pub(super) struct Asked<'a> {
    pub(super) model: &'a str,
    pub(super) max_output_tokens: u32,
    pub(super) requests: u32,
}

/// Reads an answer.
///
/// # Errors
/// `Truncated` and `Refused` by the finish reason, `Unavailable` if the server broke off, `BadReply` if
/// there is no text.
pub(super) fn read(body: &Value, asked: &Asked<'_>, scrubber: &Scrubber) -> Result<Reply, LlmError> {
    let usage = usage::read(body.get("usage").unwrap_or(&Value::Null));
    let choices = body.get("choices").and_then(Value::as_array);
    let Some(choice) = choices.and_then(|choices| choices.first()) else {
        let keys: Vec<&str> =
            body.as_object().into_iter().flat_map(|o| o.keys()).map(String::as_str).collect();
        let detail = format!("JSON without `choices`, with these keys: [{}]", keys.join(", "));
        return Err(LlmError::BadReply(scrubber.excerpt(&detail)));
    };
    let message = choice.get("message").unwrap_or(&Value::Null);
    let refusal = message.get("refusal").and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    match choice.get("finish_reason").and_then(Value::as_str) {
        Some("content_filter" | "blacklist") => {
            return Err(LlmError::Refused(
                scrubber.excerpt(refusal.unwrap_or("by the provider's content filter")),
            ));
        }
        Some("length") => {
            let used = u32::try_from(usage.completion_tokens).unwrap_or(u32::MAX);
            return Err(LlmError::Truncated(if used > 0 { used } else { asked.max_output_tokens }));
        }
        Some(reason @ ("error" | "insufficient_system_resource")) => {
            let detail = format!("the provider broke off its answer: {reason}");
            return Err(LlmError::Unavailable { detail, retry_after: None });
        }
        // Unknown reasons say nothing about the text.
        Some(_) | None => {}
    }
    match (text(message), refusal) {
        (Some(text), _) => {
            let text = scrubber.without_key(&text);
            Ok(Reply {
                text,
                model: model(body, asked),
                usage,
                requests: asked.requests,
                limits: RateLimits::default(),
            })
        }
        (None, Some(refusal)) => Err(LlmError::Refused(scrubber.excerpt(refusal))),
        (None, None) => Err(LlmError::BadReply("an empty answer".to_owned())),
    }
}

/// The answer in an error that says that it is no JSON (Groq's `failed_generation`): whoever reads answers may know
/// better, and if not, it is repaired like any other.
pub(super) fn salvaged(body: &Value, asked: &Asked<'_>, scrubber: &Scrubber) -> Option<Reply> {
    let text = body.pointer("/error/failed_generation")?.as_str().filter(|text| !text.trim().is_empty())?;
    Some(Reply {
        text: scrubber.without_key(text),
        model: asked.model.to_owned(),
        usage: usage::read(body.get("usage").unwrap_or(&Value::Null)),
        requests: asked.requests,
        limits: RateLimits::default(),
    })
}

/// The text of a message: a string, text parts, or the arguments of a function call. Reasoning, wherever
/// it stands, is never taken for the answer.
fn text(message: &Value) -> Option<String> {
    let content = match message.get("content") {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(parts)) => Some(parts.iter().filter_map(text_part).collect()),
        _ => None,
    };
    let call = || {
        let arguments = message
            .pointer("/tool_calls/0/function/arguments")
            .or_else(|| message.pointer("/function_call/arguments"))?;
        match arguments {
            Value::String(text) => Some(text.clone()),
            Value::Object(_) => Some(arguments.to_string()),
            _ => None,
        }
    };
    let said = |text: &String| !text.trim().is_empty();
    content.filter(said).or_else(|| call().filter(said))
}

fn text_part(part: &Value) -> Option<&str> {
    match part.get("type").and_then(Value::as_str) {
        Some("text" | "output_text") | None => {
            part.get("text").and_then(Value::as_str).or_else(|| part.as_str())
        }
        Some(_) => None,
    }
}

/// The longest name of a model that is taken over.
const LONGEST_NAME: usize = 200;

fn model(body: &Value, asked: &Asked<'_>) -> String {
    let named = body.get("model").and_then(Value::as_str).unwrap_or_default().trim();
    let is_plain = !named.is_empty() && named.len() <= LONGEST_NAME && !named.chars().any(char::is_control);
    if is_plain { named } else { asked.model }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(body: &Value) -> Result<Reply, LlmError> {
        let asked = Asked { model: "asked", max_output_tokens: 1024, requests: 2 };
        super::read(body, &asked, &Scrubber::new(None))
    }

    fn answer(message: Value, finish_reason: Value) -> Value {
        json!({"choices": [{"message": message, "finish_reason": finish_reason}]})
    }

    #[test]
    fn the_usual_answer() {
        let mut body = answer(json!({"role": "assistant", "content": "{}", "refusal": null}), json!("stop"));
        body["model"] = json!("m-2026");
        body["usage"] = json!({"prompt_tokens": 7});
        let reply = read(&body).unwrap();
        assert_eq!((reply.text.as_str(), reply.model.as_str()), ("{}", "m-2026"));
        assert_eq!((reply.usage.prompt_tokens, reply.requests), (7, 2));
    }

    #[test]
    fn the_text_is_found_wherever_it_stands() {
        let messages = [
            json!({"content": "t"}),
            json!({"content": "t", "reasoning_content": "no", "reasoning": "no"}),
            json!({"content": [{"type": "thinking", "thinking": "no", "text": "no"}, {"type": "text", "text": "t"}]}),
            json!({"content": ["t"]}),
            json!({"content": null, "tool_calls": [{"function": {"arguments": "t"}}]}),
            json!({"content": "", "function_call": {"arguments": "t"}}),
            json!({"content": "t", "refusal": ""}),
        ];
        for message in messages {
            assert_eq!(read(&answer(message.clone(), json!(null))).unwrap().text, "t", "{message}");
        }
        let object = json!({"function_call": {"arguments": {"is_valid": true}}});
        assert_eq!(read(&answer(object, json!("function_call"))).unwrap().text, r#"{"is_valid":true}"#);
    }

    #[test]
    fn reasoning_alone_is_no_answer() {
        let silent = [
            json!({"content": null, "reasoning_content": "I think"}),
            json!({"content": "  \n", "reasoning": "I think"}),
            json!({"content": [{"type": "thinking", "thinking": "hm"}]}),
            json!({"content": 5}),
            json!({}),
            json!(null),
        ];
        for message in silent {
            let error = read(&answer(message.clone(), json!("stop"))).unwrap_err();
            assert_eq!(error, LlmError::BadReply("an empty answer".into()), "{message}");
        }
    }

    #[test]
    fn the_finish_reason_decides_before_the_text() {
        let said = json!({"content": "half an ans"});
        assert_eq!(read(&answer(said.clone(), json!("length"))), Err(LlmError::Truncated(1024)));
        let mut counted = answer(said.clone(), json!("length"));
        counted["usage"] = json!({"completion_tokens": 900});
        assert_eq!(read(&counted), Err(LlmError::Truncated(900)));
        for reason in ["content_filter", "blacklist"] {
            assert!(matches!(read(&answer(said.clone(), json!(reason))), Err(LlmError::Refused(_))));
        }
        assert!(matches!(read(&answer(said.clone(), json!("error"))), Err(LlmError::Unavailable { .. })));
        assert!(read(&answer(said, json!("eos_token"))).is_ok());
    }

    #[test]
    fn a_refusal_is_told_in_the_models_words() {
        let message = json!({"content": null, "refusal": "I cannot help."});
        assert_eq!(read(&answer(message, json!("stop"))), Err(LlmError::Refused("I cannot help.".into())));
    }

    #[test]
    fn other_json_is_not_an_answer() {
        for body in [
            json!({}),
            json!([]),
            json!("text"),
            json!(null),
            json!({"choices": []}),
            json!({"choices": null}),
        ] {
            assert!(matches!(read(&body), Err(LlmError::BadReply(_))), "{body}");
        }
    }

    #[test]
    fn a_strange_model_name_gives_way_to_the_one_asked_for() {
        for name in [json!(null), json!(""), json!(5), json!("a\u{1b}[2J"), json!("m".repeat(300))] {
            let mut body = answer(json!({"content": "t"}), json!("stop"));
            body["model"] = name;
            assert_eq!(read(&body).unwrap().model, "asked");
        }
    }

    proptest! {
        #[test]
        fn an_answer_is_never_blank(content in "\\PC{0,30}", reason in proptest::option::of("[a-z_]{0,20}")) {
            if let Ok(reply) = read(&answer(json!({"content": content}), json!(reason))) {
                prop_assert!(!reply.text.trim().is_empty());
            }
        }
    }
}
