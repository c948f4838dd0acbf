//! Reading back what writes left in hidden tabs.

use super::additions::Additions;
use super::snapshot::{Snapshot, areas, find_header};
use super::survey::Copy;
use super::tab::{LOOKS, ResultsTab};
use super::undo::Changes;
use crate::table::google::account::View;
use crate::table::google::fault::Fault;
use crate::table::google::values::{Area, text};
use crate::table::places::Places;
use crate::table::{Requests, TableError};

impl ResultsTab {
    /// What a write changed, and its copy of the tab; none if it is gone or nothing of ours.
    pub(super) async fn read_changes(
        &mut self,
        copy: &Copy,
        count: &mut Requests,
    ) -> Result<Option<(Changes, Snapshot)>, TableError> {
        let mut copy = copy.clone();
        let mut guess = shifted(&self.places);
        for _ in 0..LOOKS {
            let first_rows = self.first_rows(copy.rows);
            let mut areas = areas(copy.id, &guess, first_rows);
            areas.push(Area::column(copy.id, 0));
            let account = &self.place.account;
            let values = match account.values(&self.place.spreadsheet_id, &areas, View::Columns, count).await
            {
                Ok(values) => values,
                Err(Fault::Refused(_)) => {
                    // It has fewer rows than was thought, or somebody has deleted it.
                    self.survey(count).await?;
                    let Some(found) = self.copies.iter().find(|found| found.id == copy.id) else {
                        return Ok(None);
                    };
                    copy = found.clone();
                    continue;
                }
                Err(fault) => return Err(self.place.error(&fault)),
            };
            let Some(record) = Changes::read(values.line(Area::column(copy.id, 0))) else { return Ok(None) };
            let header = find_header(values.lines(Area::rows(copy.id, 0..first_rows)), &[]).ok().flatten();
            let Some(header) = header else { return Ok(Some((record, Snapshot::default()))) };
            let mut snapshot = Snapshot::of(&values, copy.id, &guess, header);
            let is_read = snapshot.was_read_from(&guess);
            guess = snapshot.places.clone();
            if is_read {
                snapshot.header = snapshot.header.split_off(1.min(snapshot.header.len()));
                return Ok(Some((record, snapshot)));
            }
        }
        Ok(None)
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
        let columns = lines.get(1..).unwrap_or_default();
        let header = match find_header(columns, &[]).ok().flatten() {
            Some(header) => header.names,
            None => {
                let at = record.header_row as usize;
                columns.iter().map(|column| column.get(at).map(text).unwrap_or_default()).collect()
            }
        };
        Ok(Some((record, header)))
    }
}

/// Our columns in a copy, which has one more column before them.
fn shifted(places: &Places) -> Places {
    let mut shifted = Places::default();
    places.iter().for_each(|(column, at)| shifted.add(&[column], at + 1));
    shifted
}
