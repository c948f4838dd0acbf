//! Reading a rulebook from TOML: everything wrong with it is reported at once.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::reader::{Problems, Reader, unknown};
use super::{AsOfPeriod, NumberedRules, Rule, RuleId, Rulebook, RulebookErrors, Severity};
use crate::domain::checks::{Check, KINDS, comparable};
use crate::domain::fold::fold;

/// Ids stand in the results and in the model's answer: short, and without what separates them there.
const MAX_ID: usize = 32;

impl Rulebook {
    /// Reads numbered rules from TOML.
    ///
    /// # Errors
    /// All problems of the text, each with its line and its rule where they can be told.
    pub fn from_toml(text: &str) -> Result<Self, RulebookErrors> {
        let problems = Problems::new(text);
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            problems.add(error.span(), None, format!("not valid TOML: {}", error.message()));
        }
        let numbered = read_rulebook(document.get_ref(), &problems);
        let found = problems.into_found();
        match numbered {
            Some(numbered) if found.is_empty() => Ok(Self::Numbered(numbered)),
            _ => Err(RulebookErrors(found)),
        }
    }
}

fn read_rulebook(document: &DeTable<'_>, problems: &Problems<'_>) -> Option<NumberedRules> {
    let mut reader = Reader::new(document, 0..0, None, problems);
    let version = reader.required("version");
    let preamble = reader.string("preamble").unwrap_or_default();
    let periods = [("day", AsOfPeriod::Day), ("week", AsOfPeriod::Week), ("never", AsOfPeriod::Never)];
    let period =
        reader.string("as_of_period").and_then(|text| reader.choose("as_of_period", &text, &periods));
    let empty_comment = reader.strings("empty_comment").unwrap_or_default();
    let tables = rule_tables(&mut reader);
    let rules: Vec<_> =
        tables.into_iter().enumerate().map(|(index, table)| read_rule(index, table, problems)).collect();

    check_ids(&rules, problems);
    let ids: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    for id in empty_comment.iter().filter(|id| !ids.contains(&id.as_str())) {
        reader.problem_at(
            "empty_comment",
            &format!("`empty_comment` names {id:?}, which is no rule's id: {}", unknown(id, &ids)),
        );
    }
    check_formats(&rules, problems);
    reader.finish();

    let rules = rules.into_iter().map(|read| read.rule).collect::<Option<Vec<_>>>()?;
    let empty_comment = empty_comment.into_iter().map(RuleId::new).collect();
    Some(NumberedRules {
        version: version?,
        preamble,
        as_of_period: period.unwrap_or_default(),
        rules,
        empty_comment,
    })
}

fn rule_tables<'r>(reader: &mut Reader<'r>) -> Vec<(&'r DeTable<'r>, Range<usize>)> {
    let tables: Option<Vec<_>> = reader.value("rule").and_then(|value| {
        let tables = value.get_ref().as_array()?.iter();
        tables.map(|table| Some((table.get_ref().as_table()?, table.span()))).collect()
    });
    match tables {
        Some(tables) if !tables.is_empty() => tables,
        _ => {
            reader.problem("there are no rules: each one is a `[[rule]]` table");
            Vec::new()
        }
    }
}

/// A rule as far as it could be read.
struct ReadRule {
    /// The id or, without one, the place: `#3`.
    name: String,
    span: Range<usize>,
    rule: Option<Rule>,
}

fn read_rule(index: usize, (table, span): (&DeTable<'_>, Range<usize>), problems: &Problems<'_>) -> ReadRule {
    let id = table.get("id").and_then(|id| id.get_ref().as_str()).filter(|id| !id.trim().is_empty());
    let name = id.map_or_else(|| format!("#{}", index + 1), str::to_owned);
    let mut reader = Reader::new(table, span.clone(), Some(name.clone()), problems);
    let id = reader.required("id");
    if id.as_deref().is_some_and(|id| !is_id(id)) {
        let problem = format!(
            "`id` is at most {MAX_ID} letters, digits and signs without spaces, commas and semicolons"
        );
        reader.problem_at("id", &problem);
    }
    let title = reader.string("title").unwrap_or_default();
    let text = reader.required("text");
    let severities =
        [Severity::Must, Severity::Should, Severity::Style].map(|severity| (severity.as_str(), severity));
    let severity = reader.string("severity").and_then(|text| reader.choose("severity", &text, &severities));
    let mut statuses = |key| -> Vec<String> {
        let list = reader.strings(key).unwrap_or_default();
        list.iter().map(|status| comparable(status).into_owned()).collect()
    };
    let (applies_to, except) = (statuses("applies_to"), statuses("except"));
    if let Some(both) = applies_to.iter().find(|status| except.contains(status)) {
        reader.problem_at("except", &format!("{both:?} is both in `applies_to` and in `except`"));
    }
    let parts = reader.value("check").map(|value| (value, read_parts(value, &name, problems)));
    let parts = match parts {
        Some((_, parts)) => parts,
        None => Some(Parts { asks_model: true, checks: Vec::new() }),
    };
    reader.finish();
    let rule = || {
        let Parts { asks_model, checks } = parts?;
        let severity = severity.unwrap_or(Severity::Must);
        Some(Rule {
            id: RuleId::new(id?),
            title,
            text: text?,
            severity,
            applies_to,
            except,
            asks_model,
            checks,
        })
    };
    ReadRule { rule: rule(), name, span }
}

fn is_id(id: &str) -> bool {
    id.chars().count() <= MAX_ID
        && !id.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';'))
}

/// Who checks a rule.
struct Parts {
    asks_model: bool,
    checks: Vec<Check>,
}

/// `"model"`, a code check, or a list of these.
fn read_parts(value: &Spanned<DeValue<'_>>, rule: &str, problems: &Problems<'_>) -> Option<Parts> {
    let items: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
        DeValue::Array(items) => items.iter().collect(),
        _ => vec![value],
    };
    let problem = |span, problem: String| problems.add(Some(span), Some(rule), problem);
    if items.is_empty() {
        problem(
            value.span(),
            "`check` is empty: \"model\", or code checks such as { kind = \"length\", min = 80 }".into(),
        );
        return None;
    }
    let mut parts = Parts { asks_model: false, checks: Vec::new() };
    let mut good = true;
    for item in items {
        match item.get_ref() {
            DeValue::String(word) if word == "model" => {
                if parts.asks_model {
                    problem(item.span(), "`check` names \"model\" twice".into());
                    good = false;
                }
                parts.asks_model = true;
            }
            DeValue::Table(table) => match read_check(table, item.span(), rule, problems) {
                Some(check) => parts.checks.push(check),
                None => good = false,
            },
            DeValue::String(word) => {
                let hint = if KINDS.contains(&word.as_ref()) {
                    format!("a code check is a table: {{ kind = \"{word}\" }}")
                } else {
                    unknown(word, &["model"])
                };
                problem(item.span(), format!("`check` is {:?}: {hint}", word.as_ref()));
                good = false;
            }
            other => {
                let found = other.type_str();
                problem(
                    item.span(),
                    format!(
                        "`check` is of type {found}: \"model\", a table with `kind`, or a list of these is needed"
                    ),
                );
                good = false;
            }
        }
    }
    good.then_some(parts)
}

fn read_check(table: &DeTable<'_>, span: Range<usize>, rule: &str, problems: &Problems<'_>) -> Option<Check> {
    let mut reader = Reader::new(table, span, Some(rule.to_owned()), problems);
    let kind = reader.required("kind")?;
    if !KINDS.contains(&kind.as_str()) {
        reader.problem_at("kind", &format!("unknown check kind `{kind}`: {}", unknown(&kind, &KINDS)));
        return None;
    }
    let check = Check::read(&kind, &mut reader);
    reader.finish();
    check
}

fn check_ids(rules: &[ReadRule], problems: &Problems<'_>) {
    for (index, rule) in rules.iter().enumerate() {
        let same = |other: &&ReadRule| fold(&other.name) == fold(&rule.name);
        if rules.iter().take(index).any(|other| same(&other)) {
            problems.add(
                Some(rule.span.clone()),
                Some(&rule.name),
                "another rule has this id: ids are unique, whatever their case",
            );
        }
    }
}

/// Completion dates have one format.
fn check_formats(rules: &[ReadRule], problems: &Problems<'_>) {
    let mut known = None;
    for read in rules {
        for check in read.rule.iter().flat_map(|rule| &rule.checks) {
            let Check::DatePresent { format } = check else { continue };
            if known.is_some_and(|known| known != *format) {
                problems.add(
                    Some(read.span.clone()),
                    Some(&read.name),
                    "another rule wants another date format: completion dates have one",
                );
            }
            known = Some(*format);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<String> {
        match Rulebook::from_toml(text) {
            Ok(_) => Vec::new(),
            Err(RulebookErrors(errors)) => errors.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let text = r#"verison = "1"
as_of_period = "weak"
empty_comment = ["R1", "R9"]

[[rule]]
id = "R1"
text = " "
severity = "high"
check = { kind = "forbiden-words", words = ["soon"] }

[[rule]]
aplies_to = ["On Track"]
text = "a"
check = ["model", "length", { kind = "length", min = 9, max = 3 }]

[[rule]]
id = "r1"
text = "b"
check = { kind = "script-share", script = "greek", share = 0.5 }

[[rule]]
id = "R 4"
text = 5
applies_to = ["A"]
except = ["A"]
check = []
"#;
        let expected = [
            "line 1: `version` is missing",
            "line 1: unknown key `verison`: did you mean `version`?",
            "line 2: `as_of_period` is \"weak\": did you mean `week`?",
            "line 3: `empty_comment` names \"R9\", which is no rule's id: did you mean `R1`?",
            "line 7: rule R1: `text` is blank",
            "line 8: rule R1: `severity` is \"high\": known are `must`, `should`, `style`",
            "line 9: rule R1: unknown check kind `forbiden-words`: did you mean `forbidden-words`?",
            "line 11: rule #2: `id` is missing",
            "line 12: rule #2: unknown key `aplies_to`: did you mean `applies_to`?",
            "line 14: rule #2: `check` is \"length\": a code check is a table: { kind = \"length\" }",
            "line 14: rule #2: `min` is greater than `max`",
            "line 16: rule r1: another rule has this id: ids are unique, whatever their case",
            "line 19: rule r1: `script` is \"greek\": known are `latin`, `cyrillic`",
            "line 19: rule r1: unknown key `share`: known are `kind`, `script`, `min_share`",
            "line 22: rule R 4: `id` is at most 32 letters, digits and signs without spaces, commas and semicolons",
            "line 23: rule R 4: `text` is of type integer: a text in quotes is needed",
            "line 25: rule R 4: \"A\" is both in `applies_to` and in `except`",
            "line 26: rule R 4: `check` is empty: \"model\", or code checks such as { kind = \"length\", min = 80 }",
        ];
        let mut found = errors(text);
        found.sort_by_key(|error| expected.iter().position(|expected| expected == error));
        assert_eq!(found, expected);
    }

    #[test]
    fn rubbish_is_refused_with_a_reason() {
        for (text, said) in [
            ("", "there are no rules"),
            ("rule = 5", "there are no rules"),
            ("version = \"1\"\nrule = [1]", "there are no rules"),
            ("version = ", "not valid TOML"),
            ("version = \"1\"\n[[rule]]\nid = \"a\"\nid = \"a\"\ntext = \"b\"", "line 4: not valid TOML"),
            ("\u{0}\u{feff}", "not valid TOML"),
            ("version = \"1\"\n[[rule]]\nid=\"a\"\ntext=\"b\"\ncheck = 5", "`check` is of type integer"),
            ("version = \"1\"\n[[rule]]\nid=\"a\"\ntext=\"b\"\ncheck = {}", "`kind` is missing"),
            (
                "version = \"1\"\n[[rule]]\nid=\"a\"\ntext=\"b\"\ncheck = { kind = \"length\" }",
                "needs `min` or `max`",
            ),
            (
                "version = \"1\"\n[[rule]]\nid=\"a\"\ntext=\"b\"\ncheck = { kind = \"length\", min = -1 }",
                "a whole number from 0",
            ),
            (
                "version = \"1\"\n[[rule]]\nid=\"a\"\ntext=\"b\"\ncheck = { kind = \"freshness\", days = 0 }",
                "from 1 to",
            ),
            (
                "version = \"1\"\n[[rule]]\nid=\"a\"\ntext=\"b\"\ncheck = { kind = \"patterns\", find = [\"fone\"] }",
                "did you mean `phone`?",
            ),
            (
                "version = \"1\"\n[[rule]]\nid=\"a\"\ntext=\"b\"\ncheck = { kind = \"forbidden-words\", words = [\"...\"] }",
                "no letters",
            ),
            (
                "version = \"1\"\n[[rule]]\nid=\"a\"\ntext=\"b\"\ncheck = { kind = \"script-share\", script = \"latin\", min_share = 50 }",
                "above 0 and up to 1",
            ),
            ("version = \"1\"\n[[rule]]\nid=\"a\"\ntext=\"b\"\ncheck = [\"model\", \"model\"]", "twice"),
        ] {
            let found = errors(text);
            assert!(found.iter().any(|error| error.contains(said)), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn a_rule_without_a_check_is_the_models() {
        let rulebook = Rulebook::from_toml("version = \"1\"\n[[rule]]\nid = \"A\"\ntext = \"be nice\"")
            .expect("a good rulebook");
        assert_eq!(
            rulebook.rules().iter().map(|rule| (rule.asks_model, rule.severity)).collect::<Vec<_>>(),
            [(true, Severity::Must)]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(\\PC|\n|\\[\\[rule\\]\\]\n|id = \"R1\"\n|text = \"a\"\n|check = |\"model\"|\\{ kind = \"length\" \\}){0,20}") {
            if let Err(RulebookErrors(errors)) = Rulebook::from_toml(&text) {
                proptest::prop_assert!(!errors.is_empty());
            }
        }
    }
}
