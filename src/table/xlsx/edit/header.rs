//! The header of a results sheet: in which row it stands, and where our columns are.

use super::sheet::Sheet;
use super::{Damage, Stop};
use crate::domain::columns::{HeaderProblem, HeaderProblems};
use crate::domain::fold::fold;
use crate::domain::results::ResultColumn;
use crate::table::xlsx::MAX_COLUMNS;

/// Where our columns stand, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) row: u32,
    places: Vec<(ResultColumn, u32)>,
    /// Columns that are still to be added to the header.
    pub(super) added: Vec<ResultColumn>,
    /// The column that new ones are formatted like.
    pub(super) model: Option<u32>,
}

/// People may write this many rows above the header.
const ROWS_ABOVE: u32 = 100;

/// All columns that may be ours, whatever the source has.
const OURS: [ResultColumn; 16] = [
    ResultColumn::RowNumber,
    ResultColumn::ProjectName,
    ResultColumn::SourceUrl,
    ResultColumn::ProjectManager,
    ResultColumn::StatusValue,
    ResultColumn::CompletionDate,
    ResultColumn::Comment,
    ResultColumn::IsValid,
    ResultColumn::Issues,
    ResultColumn::RewriteSuggestion,
    ResultColumn::RawLlmJson,
    ResultColumn::CheckDate,
    ResultColumn::Model,
    ResultColumn::Rules,
    ResultColumn::Severity,
    ResultColumn::Key,
];

/// Columns that only a results table has: a row without any of them is no header.
const TELLING: [ResultColumn; 5] = [
    ResultColumn::RowNumber,
    ResultColumn::IsValid,
    ResultColumn::RewriteSuggestion,
    ResultColumn::RawLlmJson,
    ResultColumn::CheckDate,
];

impl Header {
    /// The header that a sheet has; none for a sheet without filled cells.
    ///
    /// # Errors
    /// The sheet holds something else, or two columns have the same name.
    pub(super) fn find(sheet: &Sheet, name: &str, columns: &[ResultColumn]) -> Result<Option<Self>, Stop> {
        if sheet.last_filled_row() == 0 {
            return Ok(None);
        }
        for row in sheet.rows.iter().take_while(|row| row.number <= ROWS_ABOVE) {
            let mut names = Vec::new();
            for cell in sheet.cells_of(row).iter().filter(|cell| cell.is_filled) {
                names.push((cell.place.column, fold(&sheet.text(cell)?)));
            }
            if let Some(header) = Self::of_row(row.number, &names, columns)? {
                return Ok(Some(header));
            }
        }
        let telling = TELLING.map(|column| format!("«{}»", column.name())).join(", ");
        Err(Stop::NoResults(format!(
            "sheet «{name}» holds something else, no row has the headers {telling}; name another sheet"
        )))
    }

    /// The header of a sheet without one, which begins it.
    pub(super) fn of_blank(columns: &[ResultColumn]) -> Self {
        Self { row: 1, places: Vec::new(), added: Vec::new(), model: None }.with_missing(columns, 0)
    }

    /// Adds the columns that are missing, behind the `width` columns that the sheet uses.
    ///
    /// # Errors
    /// The sheet is full.
    pub(super) fn complete(self, sheet: &Sheet, columns: &[ResultColumn]) -> Result<Self, Damage> {
        let header = self.with_missing(columns, sheet.width());
        match header.places.iter().any(|(_, column)| *column >= MAX_COLUMNS) {
            true => Err(sheet.part.damage("has no room for further columns")),
            false => Ok(header),
        }
    }

    /// Where a column stands, also one that is to be added.
    pub(super) fn column(&self, column: ResultColumn) -> Option<u32> {
        self.places.iter().find(|(candidate, _)| *candidate == column).map(|(_, place)| *place)
    }

    fn of_row(row: u32, names: &[(u32, String)], columns: &[ResultColumn]) -> Result<Option<Self>, Stop> {
        let mut places = Vec::new();
        let mut problems = Vec::new();
        for column in OURS {
            let hits = names.iter().filter(|(_, name)| *name == fold(column.name())).map(|(at, _)| *at);
            let hits: Vec<u32> = hits.collect();
            places.extend(hits.first().map(|at| (column, *at)));
            if hits.len() > 1 && columns.contains(&column) {
                problems.push(HeaderProblem::Doubled {
                    setting: "target".into(),
                    name: column.name().into(),
                    columns: hits.iter().map(|at| *at as usize + 1).collect(),
                });
            }
        }
        let is_telling = TELLING.iter().any(|column| places.iter().any(|(found, _)| found == column));
        if !is_telling || places.len() < 2 {
            return Ok(None);
        }
        if !problems.is_empty() {
            return Err(Stop::Header(HeaderProblems(problems)));
        }
        let plain = places.iter().filter(|(column, _)| {
            !matches!(column, ResultColumn::RowNumber | ResultColumn::ProjectName | ResultColumn::SourceUrl)
        });
        let model = plain.map(|(_, at)| *at).max();
        Ok(Some(Self { row, places, added: Vec::new(), model }))
    }

    fn with_missing(mut self, columns: &[ResultColumn], width: u32) -> Self {
        let missing = columns.iter().copied().filter(|column| self.column(*column).is_none());
        self.added = missing.collect();
        self.places.extend(self.added.iter().copied().zip(width..));
        self
    }
}
