//! Reading a model's answer: lenient in form, strict in content.

use std::collections::BTreeMap;

use super::rules::RuleId;

/// An answer that fits the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a rulebook in free text.
    Free {
        /// The model's verdict.
        is_valid: bool,
        /// What it objects to.
        issues: Vec<String>,
        /// A text that would pass; empty if none.
        rewrite: String,
    },
    /// To numbered rules.
    Ruled {
        /// The model's word on every rule it was asked about.
        rules: BTreeMap<RuleId, RuleWord>,
        /// What it objects to.
        issues: Vec<ModelIssue>,
        /// A text that would pass; empty if none.
        rewrite: String,
    },
}

/// The model's word on one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleWord {
    /// Kept.
    Pass,
    /// Violated.
    Fail,
    /// Does not apply.
    Na,
}

/// One objection of the model.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct ModelIssue {
    /// The rule's id.
    pub rule: String,
    /// Words of the row that show it; empty where something is missing.
    pub quote: String,
    /// What is wrong.
    pub message: String,
}

/// An answer that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct BadAnswer {
    /// What is wrong with it: sent back to the model as a hint, and shown if it does not help.
    pub problem: String,
}
