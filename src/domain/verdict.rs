//! What was found about a row, and whether it passes.

use serde::{Deserialize, Serialize};

use super::rules::{RuleId, Severity};

/// The judgement of one row: derived by code from code checks and, where one was asked, a model's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// True if no rule is violated.
    pub valid: bool,
    /// The violations, in rulebook order.
    pub findings: Vec<Finding>,
    /// A text that would pass, where the model gave one that adds no facts.
    pub rewrite: Option<String>,
    /// Why a rewrite was withheld and the like; not violations.
    pub notes: Vec<String>,
    /// What a person should look at although it decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<String>,
}

/// One violation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The violated rule; none for a rulebook in free text.
    pub rule: Option<RuleId>,
    /// How much it matters; none for a rulebook in free text.
    pub severity: Option<Severity>,
    /// What is wrong, in the project office's language, without the quote.
    pub message: String,
    /// The words of the row that show it; they occur in the row.
    pub quote: Option<String>,
    /// Who found it.
    pub by: FoundBy,
}

/// Who found a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// A code check: exact, repeatable, and not to be overruled by a model.
    Code,
    /// The model.
    Model,
}

impl Verdict {
    /// A verdict from findings: valid exactly if there are none.
    pub fn from_findings(findings: Vec<Finding>) -> Self {
        Self { valid: findings.is_empty(), findings, rewrite: None, notes: Vec::new(), look: None }
    }

    /// The ids of the violated rules, each once, in order of the findings.
    pub fn rules(&self) -> Vec<&RuleId> {
        let mut ids: Vec<&RuleId> = Vec::new();
        for id in self.findings.iter().filter_map(|finding| finding.rule.as_ref()) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// The gravest severity among the findings.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().filter_map(|finding| finding.severity).min()
    }
}

impl Finding {
    /// The finding as one line for people: `R5 — message: «quote»`.
    pub fn line(&self) -> String {
        let mut line = String::new();
        if let Some(rule) = &self.rule {
            line.push_str(rule.as_str());
            line.push_str(" — ");
        }
        line.push_str(&self.message);
        if let Some(quote) = &self.quote {
            line.push_str(": «");
            line.push_str(&super::fold::squeeze(quote));
            line.push('»');
        }
        line
    }
}
