//! The rulebook: free text, or numbered rules.

mod errors;
mod parse;
pub(crate) mod reader;
mod review;
pub mod sheet;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::checks::Check;
pub use errors::{RulebookError, RulebookErrors};

/// A rule's id, such as `R5`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(Arc<str>);

impl RuleId {
    /// The id as written in the rulebook.
    pub fn new(id: impl Into<String>) -> Self {
        Self(Arc::from(id.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much a violation matters; the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Must be mended.
    Must,
    /// Should be mended.
    Should,
    /// A matter of style.
    Style,
}

impl Severity {
    /// The word that stands in the results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Style => "style",
        }
    }
}

/// What rows are checked against.
#[derive(Clone, Debug, PartialEq)]
pub enum Rulebook {
    /// Text that only a model understands.
    Free(String),
    /// Numbered rules, some of which code can decide.
    Numbered(NumberedRules),
}

impl Rulebook {
    /// A rulebook in free text.
    pub fn free(text: impl Into<String>) -> Self {
        Self::Free(text.into())
    }

    /// How long a model's answer stays good; free text may look at the date, so it gets the default.
    pub fn as_of_period(&self) -> AsOfPeriod {
        match self {
            Self::Free(_) => AsOfPeriod::default(),
            Self::Numbered(numbered) => numbered.as_of_period,
        }
    }

    /// The rules that a model is asked about, in order; none for free text, which is asked about as a whole.
    pub fn model_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules().iter().filter(|rule| rule.asks_model)
    }

    /// The rule with this id.
    pub fn rule(&self, id: &RuleId) -> Option<&Rule> {
        self.rules().iter().find(|rule| rule.id == *id)
    }

    /// The numbered rules, in order; none for free text.
    pub fn rules(&self) -> &[Rule] {
        match self {
            Self::Free(_) => &[],
            Self::Numbered(numbered) => &numbered.rules,
        }
    }

    /// The statuses that rules and checks name: a rulebook fits settings that allow all of them.
    pub fn named_statuses(&self) -> Vec<&str> {
        let mut statuses: Vec<&str> = Vec::new();
        for rule in self.rules() {
            let of_checks = rule.checks.iter().flat_map(Check::named_statuses);
            for status in rule.applies_to.iter().chain(&rule.except).chain(of_checks) {
                if !statuses.contains(&status.as_str()) {
                    statuses.push(status);
                }
            }
        }
        statuses
    }

    /// A text that is equal for equal rulebooks and changes with anything that they hold: what a cache key hashes.
    pub fn canonical(&self) -> String {
        match self {
            Self::Free(text) => serde_json::json!({ "free": text }),
            Self::Numbered(numbered) => serde_json::json!({ "numbered": numbered }),
        }
        .to_string()
    }
}

/// A rulebook of numbered rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NumberedRules {
    /// The office's own version mark, shown in reports.
    pub version: String,
    /// What applies to all rules; shown to the model before them.
    pub preamble: String,
    /// How long a model's answer stays good while the report date moves on.
    pub as_of_period: AsOfPeriod,
    /// The rules, in the office's order; ids are unique.
    pub rules: Vec<Rule>,
    /// The rules that a row with an empty comment violates; all other rules about its comment do not apply
    /// and no model is asked. If there are none, an empty comment is reviewed like any other.
    pub empty_comment: Vec<RuleId>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// The id, such as `R5`.
    pub id: RuleId,
    /// A short name.
    pub title: String,
    /// The whole text, for people and for the model.
    pub text: String,
    /// How much a violation matters.
    pub severity: Severity,
    /// The only statuses that the rule applies to; empty: all.
    pub applies_to: Vec<String>,
    /// Statuses that the rule does not apply to.
    pub except: Vec<String>,
    /// True if a model is asked about the rule.
    pub asks_model: bool,
    /// What code can decide of it.
    pub checks: Vec<Check>,
}

/// How long an answer stays good while the report date moves on. The period is part of the fingerprint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AsOfPeriod {
    /// Each day is judged anew.
    Day,
    /// Until the ISO week ends: what a weekly status needs.
    #[default]
    Week,
    /// For ever: the rules do not look at the date.
    Never,
}

/// What code checks need besides the row.
#[derive(Clone, Copy, Debug)]
pub struct ReviewContext<'a> {
    /// The allowed statuses; empty: any.
    pub allowed_statuses: &'a [String],
    /// The report date.
    pub as_of: jiff::civil::Date,
    /// The language of messages.
    pub language: super::language::Language,
}

/// What code found out about a row.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeReview {
    /// The violations, in rulebook order.
    pub findings: Vec<super::verdict::Finding>,
    /// Rules that code has decided for this row; a model's word on them does not count. A rule that code
    /// alone should check and cannot decide is not among them.
    pub decided: std::collections::BTreeMap<RuleId, Decided>,
    /// True if rules are left that only a model can decide for this row.
    pub asks_model: bool,
}

/// What code decided about a rule for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// The row keeps the rule.
    Pass,
    /// The row violates it.
    Fail,
    /// The rule does not apply to the row.
    NotApplicable,
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
version = "1"
preamble = "p"
empty_comment = ["R1"]
[[rule]]
id = "R1"
text = "the length"
applies_to = ["On Track"]
check = ["model", { kind = "length", min = 10 }]
[[rule]]
id = "R2"
text = "no vague words"
check = { kind = "forbidden-words", words = ["soon"] }
"#;

    fn canonical(text: &str) -> String {
        Rulebook::from_toml(text).expect("a good rulebook").canonical()
    }

    #[test]
    fn any_change_changes_the_canonical_text() {
        let known = canonical(RULES);
        assert_eq!(known, canonical(&RULES.replace("min = 10", "min  =   10")));
        for (old, new) in [
            ("version = \"1\"", "version = \"2\""),
            ("preamble = \"p\"", "preamble = \"q\""),
            ("min = 10", "min = 11"),
            ("\"soon\"", "\"sooner\""),
            ("[\"On Track\"]", "[\"On Hold\"]"),
            ("no vague words", "no vague word"),
            ("[\"R1\"]", "[]"),
            ("\"model\", ", ""),
            ("version", "as_of_period = \"day\"\nversion"),
        ] {
            assert_ne!(known, canonical(&RULES.replacen(old, new, 1)), "{new}");
        }
        assert_ne!(Rulebook::free("a").canonical(), Rulebook::free("b").canonical());
    }

    #[test]
    fn rules_are_found() {
        let rulebook = Rulebook::from_toml(RULES).expect("a good rulebook");
        assert_eq!(rulebook.model_rules().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["R1"]);
        assert_eq!(rulebook.rule(&RuleId::new("R2")).map(|rule| rule.asks_model), Some(false));
        assert_eq!(rulebook.rule(&RuleId::new("r2")), None);
        assert_eq!(rulebook.named_statuses(), ["On Track"]);
        assert_eq!(rulebook.as_of_period(), AsOfPeriod::Week);
        assert_eq!(Rulebook::free("x").model_rules().count(), 0);
    }
}
