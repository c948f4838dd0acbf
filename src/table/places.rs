//! Where our columns stand in a results table: found by their headers, never by position.

use std::collections::HashSet;

use crate::domain::columns::{HeaderProblem, HeaderProblems};
use crate::domain::fold::fold;
use crate::domain::results::ResultColumn;

/// The places of our columns, counted from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places(Vec<(ResultColumn, usize)>);

/// Together with «Is Valid», two of these tell a results table from others.
const TELLING: [ResultColumn; 4] = [
    ResultColumn::Issues,
    ResultColumn::RewriteSuggestion,
    ResultColumn::RawLlmJson,
    ResultColumn::RowNumber,
];
const MIN_TELLING: usize = 2;
/// Fewer of our names than this may be there by chance.
const MIN_NAMES: usize = 5;
/// Half of the columns that every results table is given: a table that is known to be ours has more than that.
const HALF: usize = 7;

/// What is known of a table before its header is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It bears our mark: it had all our columns once.
    Ours,
    /// Nothing.
    Unknown,
}

/// How surely a row is the header of a results table, whoever wrote it: so many of our names it has; none if it is
/// something else. The best of a table's rows is its header, the topmost of equals.
pub(crate) fn header_score<S: AsRef<str>>(names: &[S], owner: Owner) -> Option<usize> {
    let names: HashSet<String> = names.iter().map(|name| fold(name.as_ref())).collect();
    let has = |column: &ResultColumn| names.contains(&fold(column.name()));
    let count = ResultColumn::ALL.iter().filter(|column| has(column)).count();
    let told = TELLING.iter().filter(|column| has(column)).count();
    let is_told = count >= MIN_NAMES && told >= MIN_TELLING && has(&ResultColumn::IsValid);
    (is_told || (owner == Owner::Ours && count > HALF)).then_some(count)
}

/// By what the header of a results table is known, for people.
pub(crate) fn telling_headers() -> String {
    let telling = TELLING.map(|column| format!("«{}»", column.name())).join(", ");
    let sure = ResultColumn::IsValid.name();
    format!("«{sure}» with {MIN_TELLING} of {telling}, and {MIN_NAMES} names of our columns in all")
}

/// What to do about two columns of one name.
const DOUBLED: &str = "results table; delete all but one of them, the next run brings that up to date; nothing was \
                       written, and what was judged is kept";

impl Places {
    /// The places of `columns` in a table that has no others.
    pub(crate) fn of_new_table(columns: &[ResultColumn]) -> Self {
        Self(columns.iter().enumerate().map(|(index, column)| (*column, index)).collect())
    }

    /// Finds those of our columns that the header has, whether or not they are among `columns`.
    ///
    /// # Errors
    /// If one of `columns` stands there more than once: which one is meant cannot be guessed.
    pub(crate) fn locate<S: AsRef<str>>(
        header: &[S],
        columns: &[ResultColumn],
    ) -> Result<Self, HeaderProblems> {
        let folded: Vec<String> = header.iter().map(|name| fold(name.as_ref())).collect();
        let (mut places, mut problems) = (Vec::new(), Vec::new());
        for column in ResultColumn::ALL {
            let name = fold(column.name());
            let hits: Vec<usize> = (0..folded.len()).filter(|at| folded.get(*at) == Some(&name)).collect();
            places.extend(hits.first().map(|at| (column, *at)));
            if hits.len() > 1 && columns.contains(&column) {
                problems.push(HeaderProblem::Doubled {
                    setting: DOUBLED.into(),
                    name: column.name().into(),
                    columns: hits.iter().map(|at| at + 1).collect(),
                });
            }
        }
        if problems.is_empty() { Ok(Self(places)) } else { Err(HeaderProblems(problems)) }
    }

    /// The place of a column, if the table has it.
    pub(crate) fn of(&self, column: ResultColumn) -> Option<usize> {
        self.0.iter().find(|(known, _)| *known == column).map(|(_, index)| *index)
    }

    /// Those of `columns` that the table lacks.
    pub(crate) fn missing(&self, columns: &[ResultColumn]) -> Vec<ResultColumn> {
        columns.iter().copied().filter(|column| self.of(*column).is_none()).collect()
    }

    /// Gives `columns` places from `index` on.
    pub(crate) fn add(&mut self, columns: &[ResultColumn], index: usize) {
        self.0.extend(columns.iter().copied().zip(index..));
    }

    /// The column at a place, if it is ours.
    pub(crate) fn at(&self, index: usize) -> Option<ResultColumn> {
        self.0.iter().find(|(_, known)| *known == index).map(|(column, _)| *column)
    }

    /// All columns and their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ResultColumn, usize)> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::results::Layout;

    #[test]
    fn columns_are_found_by_their_headers_wherever_they_stand() {
        let columns = Layout { identifier: true, project_manager: false }.columns();
        let header = ["Note", " is VALID ", "Key", "Source URL", ""];
        let mut places = Places::locate(&header, &columns).unwrap();
        assert_eq!((places.of(ResultColumn::IsValid), places.of(ResultColumn::Key)), (Some(1), Some(2)));
        assert_eq!(places.of(ResultColumn::SourceUrl), Some(3), "ours, though not of this layout");
        assert_eq!((places.at(1), places.at(0)), (Some(ResultColumn::IsValid), None));
        let missing = places.missing(&columns);
        assert_eq!((missing.len(), missing[0]), (columns.len() - 2, ResultColumn::RowNumber));
        places.add(&missing, 5);
        assert_eq!((places.of(missing[1]), places.missing(&columns).len()), (Some(6), 0));
    }

    #[test]
    fn a_results_table_is_known_by_several_names_together() {
        let python = [
            "Row Number",
            "Project name",
            "Project manager",
            "Status Value",
            "Completion Date",
            "Comment",
            "Is Valid",
            "Issues",
            "Rewrite Suggestion",
            "Raw LLM JSON",
            "Check date",
            "Model",
        ];
        let score = |names: &[&str]| header_score(names, Owner::Unknown);
        assert_eq!(score(&python), Some(12));
        let cleared = ["Note", "PROJECT  name", "is valid", "Comment", "issues ", "Row Number", "Owner"];
        assert_eq!(score(&cleared), Some(5), "people have deleted, renamed and added some");
        for other in [
            &["Asset", "Check date", "Comment", "Key", "Model"][..],
            &[
                "Key",
                "Project name",
                "Project manager",
                "Severity",
                "Issues",
                "Comment",
                "Completion Date",
                "Model",
            ],
            &["Row Number", "Is Valid", "Issues", "Field"],
            &["Is Valid", "Is Valid", "Issues", "Issues", "Row Number", "Row Number"],
            &["Check date", "25.11.2026"],
            &[],
        ] {
            assert_eq!(score(other), None, "{other:?}");
        }
        assert!(telling_headers().contains("«Is Valid» with 2 of «Issues», «Rewrite Suggestion»"));
    }

    #[test]
    fn a_table_with_our_mark_is_known_by_most_of_its_columns() {
        let mut names = Layout { identifier: true, project_manager: false }
            .columns()
            .iter()
            .map(|c| c.name())
            .collect::<Vec<_>>();
        let at = names.iter().position(|name| *name == "Is Valid").unwrap();
        names[at] = "Валидно?";
        assert_eq!(header_score(&names, Owner::Unknown), None);
        assert_eq!(header_score(&names, Owner::Ours), Some(13));
        assert_eq!(header_score(&names[..6], Owner::Ours), None, "half of them are not most");
        assert_eq!(header_score(&["Check date", "Key"], Owner::Ours), None);
    }

    #[test]
    fn doubled_columns_are_refused() {
        let columns = Layout { identifier: true, project_manager: false }.columns();
        let error = Places::locate(&["Issues", "x", "issues"], &columns).unwrap_err().to_string();
        for words in ["«Issues»", "1, 3", "delete all but one of them", "what was judged is kept"] {
            assert!(error.contains(words), "{words}: {error}");
        }
        assert!(Places::locate(&["Source URL", "Source URL"], &columns).is_ok(), "not of this layout");
    }
}
