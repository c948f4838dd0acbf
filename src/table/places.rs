//! Where our columns stand in a results table: found by their headers, never by position.

use crate::domain::columns::{HeaderProblem, HeaderProblems};
use crate::domain::fold::fold;
use crate::domain::results::ResultColumn;

/// The places of our columns, counted from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places(Vec<(ResultColumn, usize)>);

/// Columns that only a results table has: without any of them, a table is something else.
const TELLING: [ResultColumn; 5] = [
    ResultColumn::RowNumber,
    ResultColumn::IsValid,
    ResultColumn::RewriteSuggestion,
    ResultColumn::RawLlmJson,
    ResultColumn::CheckDate,
];

/// True if this is the header of a results table, whoever wrote it.
pub(crate) fn is_results_header<S: AsRef<str>>(names: &[S]) -> bool {
    let telling = TELLING.map(|column| fold(column.name()));
    names.iter().any(|name| telling.contains(&fold(name.as_ref())))
}

/// The headers by which a results table is known, for people.
pub(crate) fn telling_headers() -> String {
    TELLING.map(|column| format!("«{}»", column.name())).join(", ")
}

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
                    setting: "results table".into(),
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
    fn a_header_of_something_else_is_known_and_doubled_columns_are_refused() {
        assert!(is_results_header(&["x", "check DATE"]));
        assert!(!is_results_header(&["Project name", "Comment", "Issues", "Key"]));
        let columns = Layout { identifier: true, project_manager: false }.columns();
        let error = Places::locate(&["Issues", "x", "issues"], &columns).unwrap_err().to_string();
        assert!(error.contains("«Issues»") && error.contains("1, 3"), "{error}");
        assert!(Places::locate(&["Source URL", "Source URL"], &columns).is_ok(), "not of this layout");
    }
}
