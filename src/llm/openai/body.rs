//! The body of a request. What is the same for all rows stands first, byte for byte, so that it is cached.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::negotiate::Feature;
use crate::llm::Question;

/// What is the same in all requests of one provider.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) model: String,
    pub(super) temperature: Option<f64>,
    pub(super) max_output_tokens: u32,
}

impl Form {
    /// The request for a question, with the features that are `granted` and no others. `place` is one of those over
    /// which the requests are spread, from 0.
    pub(super) fn fill(
        &self,
        question: &Question,
        granted: &BTreeSet<Feature>,
        place: u32,
    ) -> Result<Vec<u8>, serde_json::Error> {
        let fixed = &question.fixed;
        let limit = |feature| granted.contains(&feature).then(|| question.room.of(self.max_output_tokens));
        let effort = if granted.contains(&Feature::HighEffort) { "high" } else { "medium" };
        serde_json::to_vec(&Body {
            model: &self.model,
            prompt_cache_key: granted.contains(&Feature::PromptCacheKey).then(|| match place {
                0 => fixed.cache_key.clone(),
                place => format!("{}_{place}", fixed.cache_key),
            }),
            prompt_cache_options: granted.contains(&Feature::Breakpoint).then_some(EXPLICIT),
            messages: messages(question, granted.contains(&Feature::SeparateTurns), Mark::of(granted)),
            response_format: ResponseFormat::of(&fixed.schema, granted),
            max_tokens: limit(Feature::MaxTokens),
            max_completion_tokens: limit(Feature::MaxCompletionTokens),
            temperature: self.temperature.filter(|_| granted.contains(&Feature::Temperature)),
            reasoning: granted.contains(&Feature::Reasoning).then_some(Reasoning { effort }),
            reasoning_effort: granted.contains(&Feature::ReasoningEffort).then_some(effort),
        })
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_options: Option<Mode>,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Content<'a>,
}

/// A text, or one in two parts of which the first ends where the prompt stops being the same for all rows.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<Part<'a>>),
}

#[derive(Serialize)]
struct Part<'a> {
    r#type: &'static str,
    text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_breakpoint: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Clone, Copy, Serialize)]
struct Mode {
    mode: &'static str,
}

#[derive(Clone, Copy, Serialize)]
struct CacheControl {
    r#type: &'static str,
}

/// Nothing is kept but what is marked (<https://platform.openai.com/docs/guides/prompt-caching>).
const EXPLICIT: Mode = Mode { mode: "explicit" };
/// Kept for five minutes after its last use (<https://openrouter.ai/docs/features/prompt-caching>).
const EPHEMERAL: CacheControl = CacheControl { r#type: "ephemeral" };

/// How the end of the static part is marked.
#[derive(Clone, Copy)]
enum Mark {
    None,
    Breakpoint,
    CacheControl,
}

impl Mark {
    fn of(granted: &BTreeSet<Feature>) -> Self {
        match () {
            () if granted.contains(&Feature::Breakpoint) => Self::Breakpoint,
            () if granted.contains(&Feature::CacheControl) => Self::CacheControl,
            () => Self::None,
        }
    }

    /// The static part, and what follows it within the same message.
    fn put<'a>(self, fixed: &'a str, rest: Option<String>) -> Content<'a> {
        let part = |text, marked: bool| Part {
            r#type: "text",
            text,
            prompt_cache_breakpoint: (marked && matches!(self, Self::Breakpoint)).then_some(EXPLICIT),
            cache_control: (marked && matches!(self, Self::CacheControl)).then_some(EPHEMERAL),
        };
        match (self, rest) {
            (Self::None, None) => Content::Text(fixed.into()),
            (Self::None, Some(rest)) => Content::Text(format!("{fixed}\n\n{rest}").into()),
            (_, rest) => {
                let rest = rest.map(|rest| part(rest.into(), false));
                Content::Parts(std::iter::once(part(fixed.into(), true)).chain(rest).collect())
            }
        }
    }
}

#[derive(Serialize)]
struct Reasoning {
    effort: &'static str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat<'a> {
    JsonSchema { json_schema: NamedSchema<'a> },
    JsonObject,
}

#[derive(Serialize)]
struct NamedSchema<'a> {
    name: &'static str,
    strict: bool,
    schema: &'a Value,
}

impl<'a> ResponseFormat<'a> {
    fn of(schema: &'a Value, granted: &BTreeSet<Feature>) -> Option<Self> {
        if granted.contains(&Feature::JsonSchema) {
            let json_schema = NamedSchema { name: "status_review", strict: true, schema };
            return Some(Self::JsonSchema { json_schema });
        }
        granted.contains(&Feature::JsonObject).then_some(Self::JsonObject)
    }
}

/// System text, rules, the row, and the hint after it: a `system` message at the end is refused by some
/// servers and moved to the front by others, where it would spoil the cache.
fn messages(question: &Question, separate_turns: bool, mark: Mark) -> Vec<Message<'_>> {
    let rules = question.fixed.rules.as_str();
    let turns = [Some(&question.row), question.hint.as_ref()].into_iter().flatten().map(String::as_str);
    let user = |content| Message { role: "user", content };
    let system = Content::Text(question.fixed.system.as_str().into());
    let mut messages = vec![Message { role: "system", content: system }];
    if separate_turns {
        messages.push(user(mark.put(rules, None)));
        messages.extend(turns.map(|turn| user(Content::Text(turn.into()))));
    } else {
        messages.push(user(mark.put(rules, Some(turns.collect::<Vec<&str>>().join("\n\n")))));
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::Feature::*;
    use super::*;
    use crate::domain::prompt::StaticPrompt;
    use crate::llm::Room;
    use serde_json::json;

    fn question(row: &str, hint: Option<&str>) -> Question {
        let fixed = StaticPrompt {
            system: "Judge.".into(),
            rules: "Rule 1.".into(),
            schema: json!({"type": "object"}),
            cache_key: "rules_0123456789abcdef".into(),
        };
        Question { fixed: fixed.into(), row: row.into(), hint: hint.map(Into::into), room: Room::Usual }
    }

    fn form() -> Form {
        Form { model: "m".into(), temperature: Some(0.0), max_output_tokens: 1024 }
    }

    fn filled(question: &Question, granted: &[Feature]) -> String {
        String::from_utf8(form().fill(question, &granted.iter().copied().collect(), 0).unwrap()).unwrap()
    }

    #[test]
    fn the_static_part_stands_first_and_is_the_same_for_every_row() {
        let features = [JsonSchema, MaxTokens, Temperature, PromptCacheKey, SeparateTurns];
        let (one, two) =
            (filled(&question("row one", None), &features), filled(&question("2", None), &features));
        let static_part = concat!(
            r#"{"model":"m","prompt_cache_key":"rules_0123456789abcdef","messages":["#,
            r#"{"role":"system","content":"Judge."},{"role":"user","content":"Rule 1."},"#,
            r#"{"role":"user","content":""#
        );
        assert!(one.starts_with(static_part) && two.starts_with(static_part), "{one}");
        assert!(one.ends_with(concat!(
            r#"row one"}],"response_format":{"type":"json_schema","json_schema":{"name":"status_review","#,
            r#""strict":true,"schema":{"type":"object"}}},"max_tokens":1024,"temperature":0.0}"#
        )));
    }

    #[test]
    fn the_end_of_the_static_part_is_marked_where_it_has_to_be() {
        let marked = |features: &[Feature]| -> Value {
            serde_json::from_str(&filled(&question("row", None), features)).unwrap()
        };
        let body = marked(&[Breakpoint, SeparateTurns]);
        assert_eq!(body["prompt_cache_options"], json!({"mode": "explicit"}));
        let part =
            json!({"type": "text", "text": "Rule 1.", "prompt_cache_breakpoint": {"mode": "explicit"}});
        assert_eq!(body["messages"][1]["content"], json!([part]));
        assert_eq!(body["messages"][2]["content"], "row");
        let body = marked(&[CacheControl]);
        let part = json!({"type": "text", "text": "Rule 1.", "cache_control": {"type": "ephemeral"}});
        assert_eq!(body["messages"][1]["content"], json!([part, {"type": "text", "text": "row"}]));
        assert_eq!(body.get("prompt_cache_options"), None);
    }

    #[test]
    fn each_place_has_a_key_of_its_own() {
        let granted = BTreeSet::from([PromptCacheKey]);
        let key = |place| {
            let body = form().fill(&question("row", None), &granted, place).unwrap();
            serde_json::from_slice::<Value>(&body).unwrap()["prompt_cache_key"].clone()
        };
        assert_eq!((key(0), key(7)), (json!("rules_0123456789abcdef"), json!("rules_0123456789abcdef_7")));
    }

    #[test]
    fn the_hint_comes_last_as_a_user() {
        let body: Value =
            serde_json::from_str(&filled(&question("row", Some("hint")), &[SeparateTurns])).unwrap();
        let roles: Vec<_> =
            body["messages"].as_array().unwrap().iter().map(|m| (&m["role"], &m["content"])).collect();
        assert_eq!(roles.len(), 4);
        assert_eq!(roles[3], (&json!("user"), &json!("hint")));
    }

    #[test]
    fn an_answer_that_was_cut_gets_twice_the_room() {
        let question = Question { room: Room::Double, ..question("row", None) };
        let body = filled(&question, &[MaxTokens, SeparateTurns]);
        assert!(body.contains(r#""max_tokens":2048"#), "{body}");
    }

    #[test]
    fn without_features_only_the_question_is_left() {
        let body: Value = serde_json::from_str(&filled(&question("row", Some("hint")), &[])).unwrap();
        let expected = json!({"model": "m", "messages": [
            {"role": "system", "content": "Judge."},
            {"role": "user", "content": "Rule 1.\n\nrow\n\nhint"}]});
        assert_eq!(body, expected);
    }

    #[test]
    fn each_form_of_reasoning_and_limit_has_its_name() {
        let openai = filled(&question("row", None), &[ReasoningEffort, HighEffort, MaxCompletionTokens]);
        assert!(openai.ends_with(r#""max_completion_tokens":1024,"reasoning_effort":"high"}"#), "{openai}");
        let router = filled(&question("row", None), &[Reasoning, JsonObject]);
        assert!(
            router.ends_with(r#""response_format":{"type":"json_object"},"reasoning":{"effort":"medium"}}"#),
            "{router}"
        );
    }
}
