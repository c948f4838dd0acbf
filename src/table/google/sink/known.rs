//! What the tab said when it was opened: so that rows that say the same are not looked at again.

use std::collections::{HashMap, HashSet};

use jiff::tz::TimeZone;

use super::rows::Form;
use super::snapshot::{Header, Snapshot, areas};
use crate::domain::foreign::{ForeignVerdicts, JudgedText};
use crate::domain::key::RowKey;
use crate::domain::results::ResultColumn;
use crate::domain::upsert::is_gone_mark;
use crate::table::google::account::View;
use crate::table::google::place::Place;
use crate::table::google::tabs::Tab;
use crate::table::google::values::{Area, text};
use crate::table::{Requests, TableError};

/// Hashes of rows: 16 bytes a row, however much it says.
#[derive(Debug, Default)]
pub(super) struct Known {
    told: HashMap<[u8; 8], [u8; 8]>,
    /// Rows that are not marked as gone.
    present: HashSet<[u8; 8]>,
    foreign: ForeignVerdicts,
    /// True if rows bear the mark of people's rows.
    pub(super) has_marks: bool,
    /// True if writes of earlier runs may still change what was seen.
    is_unsure: bool,
}

/// Values that are looked at in one request.
const PAGE_VALUES: u32 = 40_000;

/// Looks through a tab from top to bottom.
pub(super) async fn read(
    place: &Place,
    tab: &Tab,
    header: &Header,
    form: &Form,
    zone: &TimeZone,
    count: &mut Requests,
) -> Result<Known, TableError> {
    let id = &place.spreadsheet_id;
    let first_rows = header.row + 1;
    let areas = areas(tab.id, &header.places, first_rows);
    let values = place.account.values(id, &areas, View::Columns, count).await;
    let values = values.map_err(|fault| place.error(&fault))?;
    let snapshot = Snapshot::of(values, tab.id, &header.places, header.clone()).without_hidden(tab);
    let mut known = Known { has_marks: snapshot.has_marks(), ..Known::default() };
    let keys: Vec<(RowKey, u32)> = snapshot.keys().collect();
    let is_present = |row: u32| snapshot.cells(row).is_none_or(|cells| !is_gone_mark(&cells.number));
    known.present.extend(keys.iter().filter(|(_, row)| is_present(*row)).map(|(key, _)| short(key)));
    let width = snapshot.places.iter().map(|(_, at)| at + 1).max().unwrap_or(1);
    let width = u32::try_from(width).unwrap_or(u32::MAX);
    let page_rows = (PAGE_VALUES / width).max(1);
    let mut keys = keys.into_iter().peekable();
    let mut from = first_rows;
    while let Some((_, next)) = keys.peek() {
        from = from.max(*next);
        let area = Area { tab: tab.id, rows: (from, Some(from + page_rows)), columns: (0, Some(width)) };
        let values = place.account.values(id, &[area], View::Rows, count).await;
        let values = values.map_err(|fault| place.error(&fault))?;
        let lines = values.lines(area);
        while let Some((key, row)) = keys.next_if(|(_, row)| *row < from + page_rows) {
            let line = lines.get((row - from) as usize).map(Vec::as_slice).unwrap_or_default();
            let cell =
                |column| snapshot.places.of(column).and_then(|at| line.get(at)).map(text).unwrap_or_default();
            let cells = snapshot.cells(row).cloned().unwrap_or_default();
            if cells.key.trim().is_empty() {
                let [status, completion_date, comment] =
                    [ResultColumn::StatusValue, ResultColumn::CompletionDate, ResultColumn::Comment]
                        .map(cell);
                let judged =
                    JudgedText { status: &status, completion_date: &completion_date, comment: &comment };
                known.foreign.add(key, judged, &cell(ResultColumn::CheckDate), zone);
            } else if cell(ResultColumn::Key) == cells.key {
                known.told.insert(short(&key), form.told(cell));
            }
        }
        from += page_rows;
    }
    Ok(known)
}

impl Known {
    /// All of it may turn out otherwise: rows that hold what was meant for others are put right later.
    pub(super) fn doubted(self) -> Self {
        Self { told: HashMap::new(), is_unsure: true, ..self }
    }

    /// True if the row of this key said just this.
    pub(super) fn says(&self, key: &RowKey, told: &[u8; 8]) -> bool {
        self.told.get(&short(key)) == Some(told)
    }

    /// What the row of this key says is about to change.
    pub(super) fn forget(&mut self, key: &RowKey) {
        self.told.remove(&short(key));
    }

    /// True if every row that was there, and not marked as gone, is surely among these.
    pub(super) fn is_within(&self, seen: &HashSet<[u8; 8]>) -> bool {
        !self.is_unsure && self.present.is_subset(seen)
    }

    /// The verdicts that another tool wrote.
    pub(super) fn take_foreign(&mut self) -> ForeignVerdicts {
        std::mem::take(&mut self.foreign)
    }
}

/// 64 bits of a key's hash: tables may be long.
pub(super) fn short(key: &RowKey) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&blake3::hash(key.as_str().as_bytes()).as_bytes()[..8]);
    short
}
