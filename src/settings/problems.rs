//! What is wrong with the settings: everything at once, each with its key, value, source and a hint.

use std::fmt;

use super::origin::Origin;

/// All that is wrong with the settings. Nothing was started and nothing was spent.
///
/// Values of secrets never occur in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key's whole path, such as `llm.max_workers`; empty where a file as a whole is meant.
    pub key: String,
    /// The value as given, quoted and cut; `***` where it is or may be a secret.
    pub value: Option<String>,
    /// Where the value came from; nothing where the key is not given at all.
    pub origin: Option<Origin>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: Option<String>,
}

impl SettingsError {
    /// All problems: those with a place in a file first, in its order.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl std::error::Error for SettingsError {}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("the settings have a problem")?,
            n => write!(f, "the settings have {n} problems")?,
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n\n{problem}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), &self.value) {
            ("", _) => f.write_str(&self.what)?,
            (key, Some(value)) => write!(f, "{key} = {value}: {}", self.what)?,
            (key, None) => write!(f, "{key}: {}", self.what)?,
        }
        if let Some(origin) = &self.origin {
            write!(f, "\n  from {origin}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self { key: key.into(), value: None, origin: None, what: what.into(), hint: None }
    }

    pub(super) fn of_file(origin: Origin, what: impl Into<String>) -> Self {
        Self::new("", what).from(origin)
    }

    pub(super) fn value(mut self, shown: impl Into<String>) -> Self {
        self.value = Some(shown.into());
        self
    }

    pub(super) fn from(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Something gave nothing and did not say why.
pub(super) fn incomplete() -> SettingsError {
    SettingsError { problems: vec![Problem::new("", "the settings are incomplete")] }
}

/// Problems as they are found.
#[derive(Clone, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    /// Keys that an unknown key was probably meant to be: not to be reported as missing as well.
    meant: Vec<String>,
    /// A whole file could not be read: whatever is missing may be in it.
    unreadable: bool,
}

impl Problems {
    pub(super) fn add(&mut self, problem: Problem) {
        if !self.found.contains(&problem) {
            self.found.push(problem);
        }
    }

    /// Adds a problem that keeps a whole file from being read.
    pub(super) fn add_unreadable(&mut self, problem: Problem) {
        self.unreadable = true;
        self.add(problem);
    }

    /// Remembers the key that an unknown one was meant to be.
    pub(super) fn meant(&mut self, key: String) {
        self.meant.push(key);
    }

    /// True if something is known to be wrong with the key or the section it is in, so that saying
    /// "missing" would only repeat it.
    pub(super) fn concern(&self, key: &str) -> bool {
        let hit = |found: &str| {
            let found = job_less(found);
            !found.is_empty()
                && key.strip_prefix(found).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.unreadable || self.found.iter().any(|p| hit(&p.key)) || self.meant.iter().any(|key| hit(key))
    }

    pub(super) fn into_error(mut self) -> Option<SettingsError> {
        if self.found.is_empty() {
            return None;
        }
        self.found.sort_by_key(|problem| problem.origin.as_ref().map_or((2, 0, 0), Origin::order));
        Some(SettingsError { problems: self.found })
    }
}

/// The key without its job: `jobs.weekly.llm.enabled` is about `llm.enabled`.
fn job_less(key: &str) -> &str {
    key.strip_prefix("jobs.").and_then(|rest| rest.split_once('.')).map_or(key, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_a_problem() {
        let mut problems = Problems::default();
        problems.add(Problem::new("columns.status", "is missing"));
        let origin = Origin::file("a.toml", 3, 7);
        problems.add(Problem::new("llm.max_workers", "is no number").value("\"x\"").from(origin).hint("8"));
        assert_eq!(
            problems.into_error().unwrap().to_string(),
            "the settings have 2 problems\n\nllm.max_workers = \"x\": is no number\n  from a.toml:3:7\n  \
             hint: 8\n\ncolumns.status: is missing"
        );
    }

    #[test]
    fn a_wrong_section_concerns_all_its_keys() {
        let mut problems = Problems::default();
        problems.add(Problem::new("jobs.weekly.columns", "is no table"));
        problems.meant("rules_text".into());
        assert!(problems.concern("columns.status") && problems.concern("rules_text"));
        assert!(!problems.concern("columns_x") && !problems.concern("llm.enabled"));
    }
}
