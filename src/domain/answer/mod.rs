//! Reading a model's answer: lenient in form, strict in content.
//!
//! `extract` finds the JSON object in whatever surrounds it; `fit` decides whether it is an answer to the
//! question; `quote` whether quoted words stand in the row.

mod extract;
mod fit;
mod quote;

use std::collections::BTreeMap;

use super::entry::Entry;
use super::language::Language;
use super::rules::{CodeReview, RuleId, Rulebook};

/// An answer that fits the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a rulebook in free text.
    Free {
        /// The model's verdict.
        is_valid: bool,
        /// What it objects to; empty exactly if the row is valid.
        issues: Vec<String>,
        /// A text that would pass; empty if none. Not yet compared with the facts of the row.
        rewrite: String,
    },
    /// To numbered rules.
    Ruled {
        /// The model's word on every rule it was asked about.
        rules: BTreeMap<RuleId, RuleWord>,
        /// What it objects to: at least one for each rule that it was asked about and that fails.
        issues: Vec<ModelIssue>,
        /// A text that would pass; empty if none. Not yet compared with the facts of the row.
        rewrite: String,
        /// How many issues were dropped because they name a rule that the rulebook does not have.
        dropped: usize,
    },
}

/// The model's word on one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleWord {
    /// Kept.
    Pass,
    /// Violated.
    Fail,
    /// Does not apply.
    Na,
}

/// One objection of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelIssue {
    /// The rule that is violated: one that the model was asked about.
    pub rule: RuleId,
    /// Words of the row that show it, at most 200 characters; empty where something is missing.
    pub quote: String,
    /// What is wrong, on one line, at most 300 characters.
    pub message: String,
}

/// An answer that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct BadAnswer {
    /// What is wrong with it, in the office's language: sent back to the model as a hint, and shown if it does
    /// not help. Repeats nothing of the answer, whose words may come from the row.
    pub problem: String,
}

/// What an answer has to answer.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The rules.
    pub rulebook: &'a Rulebook,
    /// The row; quotes must occur in it.
    pub entry: &'a Entry,
    /// What code has decided: the model's word on that is not looked at.
    pub review: &'a CodeReview,
    /// The language of problems.
    pub language: Language,
}

/// Reads the text of an answer.
///
/// # Errors
/// [`BadAnswer`] if there is no whole JSON object with the members asked for, if a member has the wrong type,
/// if verdict and issues contradict each other, or if a quote does not occur in the row.
pub fn read_answer(text: &str, asked: &Asked<'_>) -> Result<Answer, BadAnswer> {
    let members: &[&str] = match asked.rulebook {
        Rulebook::Free(_) => &["is_valid", "issues", "rewrite_suggestion"],
        Rulebook::Numbered(_) => &["rules", "issues", "rewrite_suggestion"],
    };
    let found = extract::last_object(text, members);
    let answer = found.map_err(fit::Misfit::from).and_then(|object| match asked.rulebook {
        Rulebook::Free(_) => fit::free(&object),
        Rulebook::Numbered(numbered) => fit::ruled(&object, numbered, asked),
    });
    answer.map_err(|misfit| BadAnswer { problem: misfit.describe(asked.language) })
}

#[cfg(test)]
mod tests;
