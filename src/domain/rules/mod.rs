//! The rulebook: free text, or numbered rules.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule's id, such as `R5`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(String);

impl RuleId {
    /// The id as written in the rulebook.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
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

/// A rulebook of numbered rules.
#[derive(Clone, Debug, PartialEq)]
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
    /// and no model is asked.
    pub empty_comment: Vec<RuleId>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
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
    pub checks: Vec<super::checks::Check>,
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
    /// Rules that code has decided for this row; a model's word on them does not count.
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

// Stands in until the code checks are merged.
impl Rulebook {
    /// What code finds out about a row.
    pub fn review(&self, _entry: &super::entry::Entry, _context: &ReviewContext<'_>) -> CodeReview {
        let asks_model = match self {
            Self::Free(_) => true,
            Self::Numbered(numbered) => numbered.rules.iter().any(|rule| rule.asks_model),
        };
        CodeReview { findings: Vec::new(), decided: std::collections::BTreeMap::new(), asks_model }
    }
}
