//! A model that answers at once and costs nothing, in the form of an OpenAI-compatible chat endpoint.
//!
//! It is a stand-in, not a judge: it goes by two rules of thumb (a comment of a few words tells nothing, and trouble in a
//! comment contradicts a green status), so that a review made with it shows what findings look like. Equal rows get
//! equal answers.

use serde_json::{Map, Value, json};

use super::reply::Reply;
use crate::domain::tokens::{Kind, tokens};

/// Answers a request below `/v1/`.
pub(super) fn answer(method: &str, path: &str, body: &[u8]) -> Reply {
    match (method, path) {
        ("POST", "/v1/chat/completions") => match serde_json::from_slice(body) {
            Ok(request) => completion(&request),
            Err(error) => refused(400, "invalid_request_error", &format!("The body is no JSON: {error}")),
        },
        ("GET", "/v1/models") => Reply::json(
            200,
            json!({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "sandbox"}]}),
        ),
        _ => refused(404, "invalid_request_error", &format!("Unknown request URL: {method} {path}.")),
    }
}

/// What the model is called.
pub(super) const MODEL: &str = "rule-of-thumb";
/// A comment of fewer words tells nothing.
const FEW_WORDS: usize = 5;
/// Statuses that say that all is well, and beginnings of words that say it is not.
const GREEN: [&str; 4] = ["on track", "completed", "в графике", "завершен"];
const TROUBLE: [&str; 10] =
    ["problem", "blocked", "delay", "overdue", "fail", "проблем", "срыв", "задерж", "просроч", "отста"];

/// A finding: the words that show it, and what is wrong.
struct Finding {
    quote: String,
    message: &'static str,
}

fn completion(request: &Value) -> Reply {
    if texts(request).next().is_none() {
        return refused(400, "invalid_request_error", "Missing required parameter: 'messages'.");
    }
    let content = said(request);
    let prompt_tokens = texts(request).map(tokens_of).sum::<usize>();
    let completion_tokens = tokens_of(&content);
    let id = blake3::hash(request.to_string().as_bytes()).to_hex();
    Reply::json(
        200,
        json!({
            "id": format!("chatcmpl-{}", &id[..24]),
            "object": "chat.completion",
            "created": 0,
            "model": request["model"].as_str().unwrap_or(MODEL),
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": null},
                "finish_reason": "stop",
            }],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": prompt_tokens + completion_tokens,
                "prompt_tokens_details": {"cached_tokens": 0},
            },
        }),
    )
}

/// The texts of the messages.
fn texts(request: &Value) -> impl DoubleEndedIterator<Item = &str> {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    messages.iter().map(|message| message["content"].as_str().unwrap_or_default())
}

/// What the model says.
fn said(request: &Value) -> String {
    let is_russian = texts(request)
        .any(|text| text.contains("language of the answer is Russian") || text.contains("reply in Russian"));
    let row = texts(request).rev().find_map(row).unwrap_or_default();
    let found = review(&row, is_russian);
    match request.pointer("/response_format/json_schema/schema/properties/rules/properties") {
        Some(Value::Object(rules)) => by_rules(rules, found.as_ref()),
        _ => free(found.as_ref()),
    }
    .to_string()
}

/// The row in a message: the first object in it that has a comment.
fn row(text: &str) -> Option<Map<String, Value>> {
    let is_row = |object: &Map<String, Value>| object.contains_key("comment");
    text.match_indices('{').find_map(|(at, _)| {
        let mut values =
            serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<Map<String, Value>>();
        values.next()?.ok().filter(is_row)
    })
}

fn review(row: &Map<String, Value>, is_russian: bool) -> Option<Finding> {
    let value = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let comment = value("comment");
    let status = if row.contains_key("status") { value("status") } else { value("status_value") };
    let words: Vec<&str> = tokens(comment)
        .iter()
        .filter(|token| token.kind == Kind::Word)
        .map(|token| token.text(comment))
        .collect();
    let pick = |en, ru| if is_russian { ru } else { en };
    if words.len() < FEW_WORDS {
        let message = pick(
            "too short to tell what was done and what is next",
            "слишком коротко: не видно, что сделано и что дальше",
        );
        return Some(Finding { quote: String::new(), message });
    }
    let status = status.trim().to_lowercase();
    let is_trouble = |word: &&str| TROUBLE.iter().any(|start| word.to_lowercase().starts_with(start));
    let trouble = words.into_iter().find(is_trouble).filter(|_| GREEN.contains(&status.as_str()))?;
    let message = pick(
        "the comment speaks of trouble, the status does not",
        "комментарий говорит о проблеме, статус — нет",
    );
    Some(Finding { quote: trouble.to_owned(), message })
}

/// An answer for numbered rules: the finding goes to the rule about the status and the comment, if that is asked.
fn by_rules(rules: &Map<String, Value>, found: Option<&Finding>) -> Value {
    let blamed =
        rules.keys().find(|id| *id == "R10").or_else(|| rules.keys().next_back()).filter(|_| found.is_some());
    let word = |id: &String| if Some(id) == blamed { "fail" } else { "pass" };
    let words: Map<String, Value> = rules.keys().map(|id| (id.clone(), word(id).into())).collect();
    let issues: Vec<Value> = blamed
        .zip(found)
        .map(|(id, found)| json!({"rule": id, "quote": found.quote, "message": found.message}))
        .into_iter()
        .collect();
    json!({"issues": issues, "rules": words, "rewrite_suggestion": ""})
}

/// An answer for rules in free text.
fn free(found: Option<&Finding>) -> Value {
    let issues: Vec<&str> = found.map(|found| found.message).into_iter().collect();
    json!({"issues": issues, "is_valid": found.is_none(), "rewrite_suggestion": ""})
}

/// Four characters are about a token.
fn tokens_of(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

fn refused(status: u16, kind: &str, message: &str) -> Reply {
    Reply::json(status, json!({"error": {"message": message, "type": kind, "param": null, "code": null}}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::{Asked, read_answer};
    use crate::domain::entry::{DateCell, Entry};
    use crate::domain::key::RowKey;
    use crate::domain::language::Language;
    use crate::domain::prompt::{StaticPrompt, row_message};
    use crate::domain::rules::{ReviewContext, Rulebook};

    fn entry(status: &str, comment: &str) -> Entry {
        Entry {
            row: 2,
            key: RowKey::of_row(2),
            status: status.into(),
            comment: comment.into(),
            completion_date: DateCell::Missing,
            identifier: None,
            project_manager: None,
            context: Vec::new(),
            input_error: None,
            link: None,
        }
    }

    /// How the model answers about a row; the answer is one that we would take.
    fn asked(rulebook: &Rulebook, language: Language, entry: &Entry) -> String {
        let as_of = jiff::civil::date(2026, 3, 13);
        let prompt = StaticPrompt::new(rulebook, &[], language);
        let request = json!({
            "model": MODEL,
            "messages": [
                {"role": "system", "content": format!("{}\n{}", prompt.system, prompt.rules)},
                {"role": "user", "content": row_message(entry, as_of, "fence")},
            ],
            "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": prompt.schema}},
        });
        let review = rulebook.review(entry, &ReviewContext { allowed_statuses: &[], as_of, language });
        let content = said(&request);
        let reading = Asked { rulebook, entry, review: &review, language };
        read_answer(&content, &reading).unwrap_or_else(|error| panic!("{error}: {content}"));
        content
    }

    #[test]
    fn its_answers_are_ones_that_we_take() {
        let numbered = |text: &str| Rulebook::from_toml(text).unwrap();
        let en = [numbered(include_str!("../../examples/rules-en.toml")), Rulebook::Free("Be clear.".into())];
        let ru =
            [numbered(include_str!("../../examples/rules-ru.toml")), Rulebook::Free("Пишите ясно.".into())];
        for (language, rulebooks, status, trouble, word) in [
            (
                Language::En,
                en,
                "On Track",
                "Done: gate 5 Mar. The vendor is blocked since then.",
                "speaks of trouble",
            ),
            (
                Language::Ru,
                ru,
                "В графике",
                "Сделано: ворота 05.03. Срыв поставки, ждём дальше.",
                "говорит о проблеме",
            ),
        ] {
            for rulebook in &rulebooks {
                assert!(asked(rulebook, language, &entry(status, trouble)).contains(word));
                let short = asked(rulebook, language, &entry(status, "Ok."));
                assert!(short.contains(language.pick("too short", "слишком коротко")), "{short}");
                let fine = asked(rulebook, language, &entry(status, "a b c d e f g"));
                assert!(fine.contains("\"issues\":[]"), "{fine}");
            }
        }
    }
}
