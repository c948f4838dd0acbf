//! Finding the configured columns in a header row.

use std::fmt;

use super::fold::fold;

/// The names of the columns that matter, as the settings give them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnNames {
    /// The status.
    pub status: String,
    /// The comment.
    pub comment: String,
    /// The planned or actual completion date.
    pub completion_date: Option<String>,
    /// What names a row, the project as a rule.
    pub identifier: Option<String>,
    /// The project manager.
    pub project_manager: Option<String>,
    /// Further columns that are shown to the model.
    pub context: Vec<String>,
}

/// Where the configured columns stand, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The status.
    pub status: usize,
    /// The comment.
    pub comment: usize,
    /// The completion date.
    pub completion_date: Option<usize>,
    /// What names a row.
    pub identifier: Option<usize>,
    /// The project manager.
    pub project_manager: Option<usize>,
    /// Further columns for the model, with their names.
    pub context: Vec<(String, usize)>,
}

/// Everything that is wrong with a header, in one error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderProblems(pub Vec<HeaderProblem>);

/// One configured column that the header does not settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderProblem {
    /// No header matches; the nearest one is named where there is one, and all that exist.
    Missing {
        /// The setting, such as `columns.status`.
        setting: String,
        /// The configured name.
        name: String,
        /// A header that may have been meant.
        near: Option<String>,
        /// The headers that are there.
        found: Vec<String>,
    },
    /// Several headers match: which one is meant cannot be guessed.
    Doubled {
        /// The setting.
        setting: String,
        /// The configured name.
        name: String,
        /// The matching columns, counted from 1.
        columns: Vec<usize>,
    },
}

impl Columns {
    /// Finds each configured column by its header, trimmed and case-folded.
    ///
    /// # Errors
    /// All missing and doubled columns at once.
    pub fn locate(header: &[String], names: &ColumnNames) -> Result<Self, HeaderProblems> {
        let mut locator =
            Locator { header, folded: header.iter().map(|h| fold(h)).collect(), problems: Vec::new() };
        let status = locator.find("columns.status", &names.status);
        let comment = locator.find("columns.comment", &names.comment);
        let completion_date = locator.find_optional("columns.completion_date", &names.completion_date);
        let identifier = locator.find_optional("columns.identifier", &names.identifier);
        let project_manager = locator.find_optional("columns.project_manager", &names.project_manager);
        let context: Vec<_> = names
            .context
            .iter()
            .filter_map(|name| Some((name.clone(), locator.find("columns.context", name)?)))
            .collect();
        match (status, comment) {
            (Some(status), Some(comment)) if locator.problems.is_empty() => {
                Ok(Self { status, comment, completion_date, identifier, project_manager, context })
            }
            _ => Err(HeaderProblems(locator.problems)),
        }
    }

    /// True for the columns whose blankness makes a row blank.
    pub(crate) fn meaningful(&self) -> impl Iterator<Item = usize> {
        [Some(self.status), Some(self.comment), self.completion_date, self.identifier, self.project_manager]
            .into_iter()
            .flatten()
    }
}

struct Locator<'a> {
    header: &'a [String],
    folded: Vec<String>,
    problems: Vec<HeaderProblem>,
}

impl Locator<'_> {
    fn find_optional(&mut self, setting: &str, name: &Option<String>) -> Option<usize> {
        name.as_ref().and_then(|name| self.find(setting, name))
    }

    fn find(&mut self, setting: &str, name: &str) -> Option<usize> {
        let wanted = fold(name);
        let hits: Vec<usize> = (0..self.folded.len()).filter(|&i| self.folded[i] == wanted).collect();
        match hits.as_slice() {
            [only] => return Some(*only),
            [] => self.problems.push(HeaderProblem::Missing {
                setting: setting.to_owned(),
                name: name.to_owned(),
                near: self.nearest(&wanted),
                found: self.header.iter().filter(|h| !h.trim().is_empty()).cloned().collect(),
            }),
            several => self.problems.push(HeaderProblem::Doubled {
                setting: setting.to_owned(),
                name: name.to_owned(),
                columns: several.iter().map(|i| i + 1).collect(),
            }),
        }
        None
    }

    fn nearest(&self, wanted: &str) -> Option<String> {
        let scored = self.folded.iter().zip(self.header).filter(|(folded, _)| !folded.is_empty());
        scored
            .map(|(folded, header)| (strsim::jaro_winkler(folded, wanted), header))
            .filter(|(score, _)| *score > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, header)| header.trim().to_owned())
    }
}

impl fmt::Display for HeaderProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for HeaderProblems {}

impl fmt::Display for HeaderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { setting, name, near, found } => {
                write!(f, "no column «{name}» ({setting})")?;
                if let Some(near) = near {
                    write!(f, ", did you mean «{near}»?")?;
                } else {
                    write!(f, ", the header has: {}", found.join(", "))?;
                }
                Ok(())
            }
            Self::Doubled { setting, name, columns } => {
                let columns: Vec<_> = columns.iter().map(ToString::to_string).collect();
                write!(f, "several columns are named «{name}» ({setting}): columns {}", columns.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> ColumnNames {
        ColumnNames {
            status: "Status".into(),
            comment: "Comment".into(),
            completion_date: Some("Completion Date".into()),
            identifier: Some("Project".into()),
            project_manager: None,
            context: vec!["Phase".into()],
        }
    }

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn headers_match_after_trimming_and_folding() {
        let found = Columns::locate(
            &header(&[" STATUS ", "comment", "Completion\u{a0}Date", "Project", "phase"]),
            &names(),
        )
        .unwrap();
        assert_eq!(found.context, [("Phase".to_owned(), 4)]);
        assert_eq!((found.status, found.completion_date), (0, Some(2)));
    }

    #[test]
    fn all_problems_come_at_once() {
        let error = Columns::locate(&header(&["Statuss", "Comment", "Comment", "Project"]), &names())
            .unwrap_err()
            .to_string();
        for part in ["did you mean «Statuss»", "columns 2, 3", "no column «Completion Date»", "«Phase»"] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }
}
