//! What can be wrong with a rulebook.

use std::fmt;

/// Everything that is wrong with a rulebook, in the order of the text; at least one problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct RulebookErrors(pub Vec<RulebookError>);

/// One problem of a rulebook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulebookError {
    /// The line, from 1, where it can be told.
    pub line: Option<usize>,
    /// The rule, by its id or, without one, by its place: `#3`.
    pub rule: Option<String>,
    /// What is wrong and what to do.
    pub problem: String,
}

impl fmt::Display for RulebookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(rule) = &self.rule {
            write!(f, "rule {rule}: ")?;
        }
        f.write_str(&self.problem)
    }
}

fn lines(errors: &[RulebookError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
