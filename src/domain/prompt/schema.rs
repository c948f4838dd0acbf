//! The JSON schema of an answer, within what strict structured output takes: every property required, no
//! further properties, and no keywords but `type`, `properties`, `items`, `required`, `enum`.

use serde_json::{Map, Value, json};

use crate::domain::rules::{Rule, Rulebook};

/// Strict structured output takes at most this many `enum` values in a schema.
const MAX_ENUM_VALUES: usize = 1000;

/// The schema for answers to a rulebook. Models write members in this order: the issues, then the verdict.
pub(super) fn of_answer(rulebook: &Rulebook) -> Value {
    match rulebook {
        Rulebook::Free(_) => object([
            ("issues", json!({"type": "array", "items": string()})),
            ("is_valid", json!({"type": "boolean"})),
            ("rewrite_suggestion", string()),
        ]),
        Rulebook::Numbered(numbered) => of_ruled(numbered.rules.iter().filter(|rule| rule.asks_model)),
    }
}

fn of_ruled<'a>(asked: impl Iterator<Item = &'a Rule>) -> Value {
    let ids: Vec<&str> = asked.map(|rule| rule.id.as_str()).collect();
    let (id, word) = if !ids.is_empty() && ids.len() * 4 <= MAX_ENUM_VALUES {
        (one_of(&ids), one_of(&["pass", "fail", "na"]))
    } else {
        (string(), string())
    };
    let issue = object([("rule", id), ("quote", string()), ("message", string())]);
    object([
        ("issues", json!({"type": "array", "items": issue})),
        ("rules", object(ids.into_iter().map(|id| (id, word.clone())))),
        ("rewrite_suggestion", string()),
    ])
}

fn object<'a>(properties: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let properties: Map<String, Value> =
        properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let required: Vec<&String> = properties.keys().collect();
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}

fn string() -> Value {
    json!({"type": "string"})
}

fn one_of(values: &[&str]) -> Value {
    json!({"type": "string", "enum": values})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::prompt::tests::numbered;

    /// Walks a schema and asserts what strict structured output demands of every part.
    fn assert_strict(schema: &Value) {
        let schema = schema.as_object().unwrap();
        for keyword in schema.keys() {
            let known = ["type", "properties", "items", "required", "additionalProperties", "enum"];
            assert!(known.contains(&keyword.as_str()), "{keyword}");
        }
        if schema["type"] == "object" {
            assert_eq!(schema["additionalProperties"], false);
            let properties = schema["properties"].as_object().unwrap();
            let required: Vec<&str> =
                schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            assert_eq!(properties.keys().collect::<Vec<_>>(), required);
            properties.values().for_each(assert_strict);
        }
        if schema["type"] == "array" {
            assert_strict(&schema["items"]);
        }
    }

    fn members(schema: &Value) -> Vec<&str> {
        schema["properties"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn free_text_asks_for_issues_before_the_verdict() {
        let schema = of_answer(&Rulebook::Free("any".into()));
        assert_strict(&schema);
        assert_eq!(members(&schema), ["issues", "is_valid", "rewrite_suggestion"]);
    }

    #[test]
    fn numbered_rules_ask_for_a_word_on_each_model_rule() {
        let schema = of_answer(&numbered());
        assert_strict(&schema);
        assert_eq!(members(&schema), ["issues", "rules", "rewrite_suggestion"]);
        assert_eq!(members(&schema["properties"]["rules"]), ["R5", "R8"]);
        let words = &schema["properties"]["rules"]["properties"]["R8"]["enum"];
        assert_eq!(*words, json!(["pass", "fail", "na"]));
        let issue = &schema["properties"]["issues"]["items"];
        assert_eq!(members(issue), ["rule", "quote", "message"]);
        assert_eq!(issue["properties"]["rule"]["enum"], json!(["R5", "R8"]));
    }

    #[test]
    fn a_long_rulebook_stays_within_the_limit_of_enum_values() {
        let Rulebook::Numbered(mut rules) = numbered() else { panic!("numbered rules") };
        let model_rule = rules.rules[0].clone();
        rules.rules = (0..251)
            .map(|n| Rule { id: crate::domain::rules::RuleId::new(format!("R{n}")), ..model_rule.clone() })
            .collect();
        let schema = of_answer(&Rulebook::Numbered(rules));
        assert_strict(&schema);
        assert!(!schema.to_string().contains("enum"));
        assert_eq!(members(&schema["properties"]["rules"]).len(), 251);
    }
}
