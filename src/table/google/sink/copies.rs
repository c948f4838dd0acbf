//! Reading back what writes left in hidden tabs.

use serde_json::Value;

use super::additions::Additions;
use super::snapshot::find_header;
use super::survey::Copy;
use super::tab::{LOOKS, ResultsTab};
use super::undo::{Changes, Copied};
use crate::table::google::account::View;
use crate::table::google::fault::Fault;
use crate::table::google::values::{Area, text};
use crate::table::{Requests, TableError};

impl ResultsTab {
    /// What a write changed, and what it found; none if its copy of the tab is gone or nothing of ours.
    pub(super) async fn read_changes(
        &mut self,
        copy: &Copy,
        count: &mut Requests,
    ) -> Result<Option<(Changes, Copied)>, TableError> {
        let mut copy = copy.clone();
        for _ in 0..LOOKS {
            match self.changes(&copy, count).await {
                Ok(found) => return Ok(found),
                Err(Fault::Refused(_)) => {
                    // It has fewer rows than was thought, or somebody has deleted it.
                    self.survey(count).await?;
                    let Some(found) = self.copies.iter().find(|found| found.id == copy.id) else {
                        return Ok(None);
                    };
                    copy = found.clone();
                }
                Err(fault) => return Err(self.place.error(&fault)),
            }
        }
        Err(self.place.unavailable(format!(
            "the hidden tab «{}» could not be read; what people had in their rows is safe in it, run again",
            copy.title()
        )))
    }

    async fn changes(&self, copy: &Copy, count: &mut Requests) -> Result<Option<(Changes, Copied)>, Fault> {
        let notes = Area::column(copy.id, copy.notes);
        let first = Area::rows(copy.id, 0..self.first_rows(copy.rows));
        let account = &self.place.account;
        let values =
            account.values(&self.place.spreadsheet_id, &[notes, first], View::Columns, count).await?;
        let Some(changes) = Changes::read(values.line(notes)) else { return Ok(None) };
        let header = header_of(before(values.lines(first), copy.notes), changes.header_row);
        let mut noted: Vec<u32> = changes.notes.iter().map(|(row, _)| *row).collect();
        noted.sort_unstable();
        let mut rows = self.rows(copy.id, &noted, count).await?;
        rows.values_mut().for_each(|texts| texts.truncate(copy.notes as usize));
        Ok(Some((changes, Copied { header, rows })))
    }

    /// What a write added, and the header as it was then; none if its tab is gone or nothing of ours.
    pub(super) async fn read_additions(
        &mut self,
        copy: &Copy,
        count: &mut Requests,
    ) -> Result<Option<(Additions, Vec<String>)>, TableError> {
        let area = Area { tab: copy.id, rows: (0, None), columns: (0, None) };
        let account = &self.place.account;
        let values = match account.values(&self.place.spreadsheet_id, &[area], View::Columns, count).await {
            Ok(values) => values,
            Err(Fault::Refused(_)) => return Ok(None), // somebody has deleted it
            Err(fault) => return Err(self.place.error(&fault)),
        };
        let lines = values.lines(area);
        let Some(record) = lines.first().and_then(|notes| Additions::read(notes)) else { return Ok(None) };
        let header = header_of(lines.get(1..).unwrap_or_default(), record.header_row);
        Ok(Some((record, header)))
    }
}

/// The columns before one.
fn before(columns: &[Vec<Value>], end: u32) -> &[Vec<Value>] {
    columns.get(..end as usize).unwrap_or(columns)
}

/// The header among the first rows of a copy, given by columns; else what stands where the header was to be.
fn header_of(columns: &[Vec<Value>], expected_row: u32) -> Vec<String> {
    let at = |row: u32| {
        columns.iter().map(|column| column.get(row as usize).map(text).unwrap_or_default()).collect()
    };
    find_header(columns, &[]).ok().flatten().map_or_else(|| at(expected_row), |header| header.names)
}
