//! Parameters that a model refuses, in the words that servers have for it. Pure.

use serde_json::{Value, json};

/// The error for the first parameter of a request that is refused; none if there is none.
///
/// Beside names of parameters, `json_schema` and `json_object` stand for these forms of `response_format`, and `high`
/// for that effort.
pub(super) fn refusal(request: &Value, refused: &[String]) -> Option<Value> {
    let name = refused.iter().find(|name| is_in(request, name))?;
    let (message, param, code) = match name.as_str() {
        "max_tokens" => (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' \
             instead."
                .to_owned(),
            json!(name),
            json!("unsupported_parameter"),
        ),
        "temperature" => {
            let value = &request["temperature"];
            (
                format!(
                    "Unsupported value: 'temperature' does not support {value} with this model. Only the default (1) \
                     value is supported."
                ),
                json!(name),
                json!("unsupported_value"),
            )
        }
        "json_schema" | "json_object" => (
            format!("Invalid parameter: 'response_format' of type '{name}' is not supported with this model."),
            json!("response_format"),
            Value::Null,
        ),
        "high" => (
            "Unsupported value: 'reasoning_effort' does not support 'high' with this model. Supported values are: \
             'low' and 'medium'."
                .to_owned(),
            json!("reasoning_effort"),
            json!("unsupported_value"),
        ),
        // Older models name the parameter in the message alone.
        name => (format!("Unrecognized request argument supplied: {name}"), Value::Null, Value::Null),
    };
    Some(
        json!({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}),
    )
}

fn is_in(request: &Value, name: &str) -> bool {
    match name {
        "json_schema" | "json_object" => request["response_format"]["type"] == name,
        "high" => request["reasoning_effort"] == "high" || request["reasoning"]["effort"] == "high",
        "prompt_cache_breakpoint" | "cache_control" => {
            let messages = request["messages"].as_array().into_iter().flatten();
            messages
                .filter_map(|message| message["content"].as_array())
                .flatten()
                .any(|part| part.get(name).is_some())
        }
        name => request.get(name).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_and_refused_is_named() {
        let request = json!({"max_tokens": 5, "temperature": 0.0, "response_format": {"type": "json_schema"},
            "messages": [{"content": [{"text": "a", "cache_control": {"type": "ephemeral"}}]}],
            "reasoning_effort": "high", "prompt_cache_key": "k"});
        for name in [
            "max_tokens",
            "temperature",
            "json_schema",
            "high",
            "prompt_cache_key",
            "cache_control",
            "reasoning_effort",
        ] {
            let error = refusal(&request, &["seed".to_owned(), name.to_owned()]).unwrap();
            let named = if name == "json_schema" { "response_format" } else { name };
            assert!(error["error"]["message"].as_str().unwrap().contains(named), "{error}");
        }
        assert_eq!(refusal(&request, &["seed".to_owned(), "json_object".to_owned()]), None);
    }
}
