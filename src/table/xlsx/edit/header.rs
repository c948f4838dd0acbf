//! The header of a results sheet: in which row it stands, and where our columns are.

use super::sheet::Sheet;
use super::{Damage, Stop};
use crate::domain::results::ResultColumn;
use crate::table::places::{Owner, Places, header_score, telling_headers};
use crate::table::xlsx::MAX_COLUMNS;

/// Where our columns stand, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) row: u32,
    places: Places,
    /// Columns that are still to be added to the header.
    pub(super) added: Vec<ResultColumn>,
    /// The column that new ones are formatted like.
    pub(super) model: Option<u32>,
}

/// People may write this many rows above the header.
const ROWS_ABOVE: u32 = 100;

impl Header {
    /// The header that a sheet has; none for a sheet without filled cells.
    ///
    /// # Errors
    /// The sheet holds something else, or two columns have the same name.
    pub(super) fn find(sheet: &Sheet, name: &str, columns: &[ResultColumn]) -> Result<Option<Self>, Stop> {
        if sheet.last_filled_row() == 0 {
            return Ok(None);
        }
        let mut best: Option<(usize, u32, Vec<String>)> = None;
        for row in sheet.rows.iter().take_while(|row| row.number <= ROWS_ABOVE) {
            let mut names = Vec::new();
            for cell in sheet.cells_of(row).iter().filter(|cell| cell.is_filled) {
                let at = cell.place.column as usize;
                names.resize(names.len().max(at + 1), String::new());
                if let Some(name) = names.get_mut(at) {
                    *name = sheet.text(cell)?;
                }
            }
            if let Some(score) = header_score(&names, Owner::Unknown)
                && best.as_ref().is_none_or(|(known, ..)| *known < score)
            {
                best = Some((score, row.number, names));
            }
        }
        if let Some((_, row, names)) = best {
            return Self::of_row(row, &names, columns).map(Some);
        }
        Err(Stop::NoResults(format!(
            "sheet «{name}» exists already and holds something else, none of its first {ROWS_ABOVE} rows has {}; it was \
             not touched: name another sheet, or put the header back",
            telling_headers()
        )))
    }

    /// The header of a sheet without one, which begins it.
    pub(super) fn of_blank(columns: &[ResultColumn]) -> Self {
        Self { row: 1, places: Places::default(), added: Vec::new(), model: None }.with_missing(columns, 0)
    }

    /// Adds the columns that are missing, behind the `width` columns that the sheet uses.
    ///
    /// # Errors
    /// The sheet is full.
    pub(super) fn complete(self, sheet: &Sheet, columns: &[ResultColumn]) -> Result<Self, Damage> {
        let header = self.with_missing(columns, sheet.width());
        let is_over = header.places.iter().any(|(_, column)| column >= MAX_COLUMNS as usize);
        if is_over { Err(sheet.part.damage("has no room for further columns")) } else { Ok(header) }
    }

    /// Where a column stands, also one that is to be added.
    pub(super) fn column(&self, column: ResultColumn) -> Option<u32> {
        self.places.of(column).and_then(|place| u32::try_from(place).ok())
    }

    fn of_row(row: u32, names: &[String], columns: &[ResultColumn]) -> Result<Self, Stop> {
        let places = Places::locate(names, columns).map_err(Stop::Header)?;
        let plain = places.iter().filter(|(column, _)| {
            !matches!(column, ResultColumn::RowNumber | ResultColumn::ProjectName | ResultColumn::SourceUrl)
        });
        let model = plain.map(|(_, at)| at).max().and_then(|at| u32::try_from(at).ok());
        Ok(Self { row, places, added: Vec::new(), model })
    }

    fn with_missing(mut self, columns: &[ResultColumn], width: u32) -> Self {
        self.added = self.places.missing(columns);
        self.places.add(&self.added, width as usize);
        self
    }
}
