//! What the model says: by labels where it has them for the row, else by rule of thumb. Pure.
//!
//! The rule of thumb is a stand-in, not a judge: a comment of a few words tells nothing, and trouble in a comment
//! contradicts a green status. A review made with it shows what findings look like. Equal rows get equal answers.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::cache::parts;
use super::golden::Golden;
use super::gullible;
use crate::domain::tokens::{Kind, tokens};

/// How well the model judges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judgement<'a> {
    /// What people said of rows.
    pub(super) golden: &'a Golden,
    /// The share of answers that are wrong about one rule.
    pub(super) error_rate: f64,
    /// It obeys orders that stand outside of the data.
    pub(super) gullible: bool,
    pub(super) seed: u64,
}

/// What the model says to a request: JSON of the form that was asked for.
pub(super) fn said(request: &Value, judgement: &Judgement<'_>) -> String {
    let texts = texts(request);
    let is_russian = texts
        .iter()
        .any(|text| text.contains("language of the answer is Russian") || text.contains("reply in Russian"));
    let row = texts.iter().rev().find_map(|text| row(text)).unwrap_or_default();
    let obeys = judgement.gullible
        && texts.iter().any(|text| self::row(text).is_some() && gullible::is_ordered_to_pass(text));
    let schema = request.pointer("/response_format/json_schema/schema");
    let rules = match schema.and_then(|schema| schema.pointer("/properties/rules/properties")) {
        Some(Value::Object(rules)) => Some(rules.keys().cloned().collect()),
        Some(_) => None,
        None => texts.iter().find_map(|text| rules_to_decide(text)).filter(|_| schema.is_none()),
    };
    match (rules, schema) {
        (Some(rules), _) if obeys => by_rules(&[], &rules),
        (Some(rules), _) => by_rules(&found_in(&rules, &row, is_russian, judgement), &rules),
        (None, Some(schema)) if !schema["properties"]["is_valid"].is_object() => instance(schema),
        (None, _) if obeys => of_free(None),
        (None, _) => of_free(review(&row, is_russian).as_ref()),
    }
    .to_string()
}

/// The rules that a prompt asks for, where no schema says it.
fn rules_to_decide(text: &str) -> Option<Vec<String>> {
    let (_, rest) = text.split_once("Rules to decide: ")?;
    let ids = rest.lines().next()?.split(',').map(|id| id.trim().to_owned());
    Some(ids.filter(|id| !id.is_empty()).collect())
}

/// The texts of the messages.
pub(super) fn texts(request: &Value) -> Vec<&str> {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    messages.iter().flat_map(parts).map(|part| part.text).collect()
}

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

/// What is wrong with a row, by the rule that it violates.
fn found_in(
    rules: &[String],
    row: &Map<String, Value>,
    is_russian: bool,
    judgement: &Judgement<'_>,
) -> Vec<(String, Finding)> {
    let comment = row.get("comment").and_then(Value::as_str).unwrap_or_default();
    let Some(labelled) = judgement.golden.of(comment) else {
        // The finding goes to the rule about the status and the comment, if that is asked.
        let blamed = rules.iter().find(|id| *id == "R10").or_else(|| rules.last());
        return blamed.cloned().zip(review(row, is_russian)).into_iter().collect();
    };
    let mut violated: BTreeSet<&String> = labelled.iter().filter(|rule| rules.contains(rule)).collect();
    let mut random = super::random(judgement.seed, comment);
    if random.f64() < judgement.error_rate
        && let Some(wrong) = rules.get(random.usize(..rules.len().max(1)))
        && !violated.remove(wrong)
    {
        violated.insert(wrong);
    }
    let message = if is_russian { "правило нарушено" } else { "the rule is violated" };
    violated.into_iter().map(|rule| (rule.clone(), Finding { quote: String::new(), message })).collect()
}

/// An answer for numbered rules.
fn by_rules(found: &[(String, Finding)], rules: &[String]) -> Value {
    let word = |id: &String| if found.iter().any(|(rule, _)| rule == id) { "fail" } else { "pass" };
    let words: Map<String, Value> = rules.iter().map(|id| (id.clone(), word(id).into())).collect();
    let issues: Vec<Value> = found
        .iter()
        .map(|(id, found)| json!({"rule": id, "quote": found.quote, "message": found.message}))
        .collect();
    json!({"issues": issues, "rules": words, "rewrite_suggestion": ""})
}

/// An answer for rules in free text.
fn of_free(found: Option<&Finding>) -> Value {
    let issues: Vec<&str> = found.map(|found| found.message).into_iter().collect();
    json!({"issues": issues, "is_valid": found.is_none(), "rewrite_suggestion": ""})
}

/// The plainest value that fits a schema of somebody else's.
fn instance(schema: &Value) -> Value {
    if let Some(first) = schema.pointer("/enum/0").or(schema.get("const")) {
        return first.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            Value::Object(properties.map(|(name, schema)| (name.clone(), instance(schema))).collect())
        }
        Some("array") => json!([]),
        Some("string") => json!(""),
        Some("boolean") => json!(true),
        Some("integer" | "number") => json!(0),
        _ => schema.pointer("/anyOf/0").map_or(Value::Null, instance),
    }
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

    fn none() -> Judgement<'static> {
        static NONE: std::sync::LazyLock<Golden> = std::sync::LazyLock::new(Golden::default);
        Judgement { golden: &NONE, error_rate: 0.0, gullible: false, seed: 1 }
    }

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
            "messages": [
                {"role": "system", "content": format!("{}\n{}", prompt.system, prompt.rules)},
                {"role": "user", "content": row_message(entry, as_of, "fence")},
            ],
            "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": prompt.schema}},
        });
        let review = rulebook.review(entry, &ReviewContext { allowed_statuses: &[], as_of, language });
        let content = said(&request, &none());
        let reading = Asked { rulebook, entry, review: &review, language };
        read_answer(&content, &reading).unwrap_or_else(|error| panic!("{error}: {content}"));
        content
    }

    #[test]
    fn its_answers_are_ones_that_we_take() {
        let numbered = |text: &str| Rulebook::from_toml(text).unwrap();
        let en =
            [numbered(include_str!("../../../examples/rules-en.toml")), Rulebook::Free("Be clear.".into())];
        let ru = [
            numbered(include_str!("../../../examples/rules-ru.toml")),
            Rulebook::Free("Пишите ясно.".into()),
        ];
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

    #[test]
    fn labels_decide_and_a_share_of_the_answers_is_wrong() {
        let comments: Vec<String> = (0..400).map(|n| format!("comment {n}")).collect();
        let statuses: String = comments.iter().enumerate().map(|(n, text)| format!("{n},{text}\n")).collect();
        let labels: String =
            (0..400).map(|n| format!("{n},{}\n", if n % 4 == 0 { "5" } else { "" })).collect();
        let golden =
            Golden::read(&format!("id,comment\n{statuses}"), &format!("id,rules_violated\n{labels}"))
                .unwrap();
        let rules = json!({"properties": {"rules": {"properties": {"R4": {}, "R5": {}, "R10": {}}}}});
        let wrong = |error_rate| {
            let judgement = Judgement { golden: &golden, error_rate, gullible: false, seed: 3 };
            let asked = |comment: &String| {
                let request = json!({"messages": [{"content": json!({"comment": comment}).to_string()}],
                    "response_format": {"json_schema": {"schema": rules}}});
                serde_json::from_str::<Value>(&said(&request, &judgement)).unwrap()
            };
            let is_wrong = |(n, comment): (usize, &String)| {
                let answer = asked(comment);
                let fails = |rule: &str| answer["rules"][rule] == "fail";
                assert_eq!(answer, asked(comment), "equal rows get equal answers");
                fails("R4") || fails("R10") || fails("R5") != (n % 4 == 0)
            };
            comments.iter().enumerate().filter(|row| is_wrong(*row)).count()
        };
        assert_eq!(wrong(0.0), 0);
        assert!((20..=60).contains(&wrong(0.1)), "{}", wrong(0.1));
    }

    #[test]
    fn schemas_of_others_are_filled_in() {
        let schema = json!({"type": "object", "properties": {
            "kind": {"type": "string", "enum": ["a", "b"]}, "n": {"type": ["integer", "null"]},
            "list": {"type": "array"}, "ok": {"type": "boolean"}, "x": {"anyOf": [{"type": "string"}]}}});
        let request = json!({"messages": [], "response_format": {"json_schema": {"schema": schema}}});
        let answer: Value = serde_json::from_str(&said(&request, &none())).unwrap();
        assert_eq!(answer, json!({"kind": "a", "n": 0, "list": [], "ok": true, "x": ""}));
    }
}
