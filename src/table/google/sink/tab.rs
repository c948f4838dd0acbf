//! The results tab: looked at, changed, and looked at again.
//!
//! Whatever is remembered of it here is only a guess at how it is now. Every look checks the guess; every write names
//! the fences that it knows, so that one of two writes fails that began with the same knowledge.

use std::collections::HashMap;

use google_sheets4::api::Request;
use tokio::time::Instant;

use super::additions::Additions;
use super::requests::{Around, CopyTo, FenceMove, delete_tabs, request, requests, without_marks};
use super::snapshot::{Header, ROWS_ABOVE, Snapshot, areas, find_header, find_header_of};
use super::survey::{Copy, CopyKind, Survey, fields, new_fence};
use super::undo::Changes;
use super::write::Write;
use crate::domain::columns::{HeaderProblem, HeaderProblems};
use crate::domain::results::ResultColumn;
use crate::fault::{self, Point};
use crate::table::google::account::{READ_WRITE, SERVER_LIMIT, View};
use crate::table::google::fault::Fault;
use crate::table::google::place::Place;
use crate::table::google::tabs::Tab;
use crate::table::google::values::{Area, Values, text};
use crate::table::places::{Owner, Places, telling_headers};
use crate::table::{Requests, TableError};

/// The results tab as it was when it was last looked at.
#[derive(Debug)]
pub(super) struct ResultsTab {
    pub(super) place: Place,
    pub(super) tab: Tab,
    /// Our columns, as the layout has them.
    columns: Vec<ResultColumn>,
    pub(super) places: Places,
    header_row: u32,
    fences: Vec<String>,
    /// Copies that may still hold what was overwritten by mistake, the newest last.
    pub(super) copies: Vec<Copy>,
    /// Copies that are not needed any more, to be removed by the next write.
    pub(super) spent: Vec<Copy>,
    /// Copies of tabs that are gone, to be removed likewise.
    orphans: Vec<i32>,
    /// Rows bear the mark of people's rows, which is needed only while there are copies.
    pub(super) has_marks: bool,
    tabs: usize,
    is_filtered: bool,
    /// Whether the server refuses to remove a fence that is not there; not known until it is tried.
    fences_hold: Option<bool>,
    pub(super) unsettled: Option<Unsettled>,
}

/// A write that may still be carried out.
#[derive(Clone, Debug)]
pub(super) struct Unsettled {
    /// Until then.
    pub(super) until: Instant,
    /// The fence that it leaves; not known of another process's write.
    pub(super) fence: Option<String>,
    /// It removes a fence that the next write removes too, so only one of them can be carried out.
    pub(super) is_fenced: bool,
}

/// How a write ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It was carried out.
    Done,
    /// It was not: the tab is no longer as it was.
    Refused(String),
    /// Nobody knows.
    Unknown,
}

/// Rows below the header that are read with it, in case people insert some above.
const ROWS_BELOW: u32 = 20;
/// So often what is left is tried to be removed.
const TIDY_TRIES: usize = 3;
/// So often a look is repeated because the columns moved meanwhile.
pub(super) const LOOKS: usize = 5;

impl ResultsTab {
    /// A tab that has this header.
    pub(super) fn new(place: Place, tab: Tab, columns: Vec<ResultColumn>, header: &Header) -> Self {
        Self {
            place,
            tab,
            columns,
            places: header.places.clone(),
            header_row: header.row,
            fences: Vec::new(),
            copies: Vec::new(),
            spent: Vec::new(),
            orphans: Vec::new(),
            has_marks: false,
            tabs: 0,
            is_filtered: false,
            fences_hold: None,
            unsettled: None,
        }
    }

    /// Takes over what a survey found around the tab.
    ///
    /// # Errors
    /// If the tab is gone.
    pub(super) fn know(&mut self, survey: &Survey) -> Result<(), TableError> {
        self.tab = survey.tab(self.tab.id).cloned().ok_or_else(|| TableError::NotFound {
            table: self.place.name(),
            detail: "the tab was deleted during the run; nothing that was judged is lost: the next run makes a new one"
                .to_owned(),
        })?;
        self.fences = survey.fences(self.tab.id);
        self.tabs = survey.count;
        self.is_filtered = survey.is_filtered(self.tab.id);
        let spent = std::mem::take(&mut self.spent);
        let copies = survey.copies(self.tab.id);
        self.orphans = survey.orphans();
        (self.spent, self.copies) =
            copies.into_iter().partition(|copy| spent.iter().any(|known| known.id == copy.id));
        Ok(())
    }

    /// Looks at what is around the tab.
    pub(super) async fn survey(&mut self, count: &mut Requests) -> Result<(), TableError> {
        let survey = survey(&self.place, count).await?;
        self.know(&survey)
    }

    /// The header and the keys as they are now.
    ///
    /// # Errors
    /// If a column of ours has gone since the tab was first looked at: somebody has edited the header.
    pub(super) async fn snapshot(&mut self, count: &mut Requests) -> Result<Snapshot, TableError> {
        for _ in 0..LOOKS {
            let found =
                match self.look(self.tab.id, &self.places, self.first_rows(self.tab.rows), count).await {
                    Ok(found) => found,
                    Err(Fault::Refused(_)) => {
                        // Rows or columns have gone; a tab that has gone is named by the survey.
                        self.survey(count).await?;
                        self.find_header(count).await?;
                        continue;
                    }
                    Err(fault) => return Err(self.place.error(&fault)),
                };
            let Some(snapshot) = found else {
                self.find_header(count).await?;
                continue;
            };
            let is_read = snapshot.was_read_from(&self.places) && snapshot.header_row == self.header_row;
            self.accept(&snapshot.header, &snapshot.places)?;
            (self.places, self.header_row) = (snapshot.places.clone(), snapshot.header_row);
            if is_read {
                self.has_marks = snapshot.has_marks();
                return Ok(snapshot);
            }
        }
        Err(self.place.unavailable("its columns are moved about all the time; the results are kept".into()))
    }

    /// So many rows of a tab with so many are looked at for the header.
    pub(super) fn first_rows(&self, rows: u32) -> u32 {
        (self.header_row + 1 + ROWS_BELOW).min(rows.max(1))
    }

    /// Reads the header and the keys of a tab; none if its header is not among the first rows.
    async fn look(
        &self,
        tab: i32,
        places: &Places,
        first_rows: u32,
        count: &mut Requests,
    ) -> Result<Option<Snapshot>, Fault> {
        let areas = areas(tab, places, first_rows);
        let account = &self.place.account;
        let values = account.values(&self.place.spreadsheet_id, &areas, View::Columns, count).await?;
        let header = find_header(values.lines(Area::rows(tab, 0..first_rows)), &[]).ok().flatten();
        Ok(header.map(|header| Snapshot::of(values, tab, places, header).without_hidden(&self.tab)))
    }

    /// Looks for the header further below.
    async fn find_header(&mut self, count: &mut Requests) -> Result<(), TableError> {
        let header = first_rows(&self.place, &self.tab, Owner::Ours, &self.columns, count).await?;
        let header = header.ok_or_else(|| self.header_gone(&[], &self.columns))?;
        self.accept(&header.names, &header.places)?;
        (self.places, self.header_row) = (header.places, header.row);
        Ok(())
    }

    /// Every column that the tab had must still be there.
    fn accept(&self, names: &[String], places: &Places) -> Result<(), TableError> {
        let gone = places.missing(&self.columns);
        if gone.is_empty() { Ok(()) } else { Err(self.header_gone(names, &gone)) }
    }

    fn header_gone(&self, names: &[String], gone: &[ResultColumn]) -> TableError {
        let found: Vec<String> = names.iter().filter(|name| !name.trim().is_empty()).cloned().collect();
        let missing = |column: &ResultColumn| HeaderProblem::Missing {
            setting: "the results, edited during the run; put the header back, the results are kept".into(),
            name: column.name().into(),
            near: None,
            found: found.clone(),
        };
        let problems = HeaderProblems(gone.iter().map(missing).collect());
        TableError::Header { table: self.place.name(), problems }
    }

    /// The texts of these rows, by row, from the first column on; formulas as formulas.
    pub(super) async fn rows(
        &self,
        tab: i32,
        rows: &[u32],
        count: &mut Requests,
    ) -> Result<HashMap<u32, Vec<String>>, Fault> {
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        let areas = row_areas(tab, rows);
        let values = self.place.account.values(&self.place.spreadsheet_id, &areas, View::Rows, count).await?;
        Ok(areas.iter().flat_map(|area| lines(&values, *area)).collect())
    }

    /// Carries out a write, all of it or nothing. What earlier writes left and nobody needs any more
    /// goes with it: a program that comes after a crash must not go by it, for the tab has moved on.
    pub(super) async fn send(
        &mut self,
        write: &Write,
        snapshot: &Snapshot,
        count: &mut Requests,
    ) -> Result<Sent, TableError> {
        let Some(key_column) = snapshot.places.of(ResultColumn::Key).and_then(|at| u32::try_from(at).ok())
        else {
            return Err(self.header_gone(&snapshot.header, &[ResultColumn::Key]));
        };
        let fence = new_fence(self.tab.id);
        let last = self.copies.iter().chain(&self.spent).max_by_key(|copy| copy.number);
        let (kind, record): (CopyKind, Vec<(u32, String)>) = match write {
            Write::Change(rows) => {
                (CopyKind::Whole, Changes::of(rows, snapshot, key_column).cells().collect())
            }
            Write::Add(rows) => {
                (CopyKind::Header, Additions::of(rows, snapshot, key_column).cells().collect())
            }
        };
        let columns = self.tab.columns.max(u32::try_from(snapshot.header.len()).unwrap_or_default());
        let copy = Copy::after(last, kind, &self.tab, columns);
        let old_copies = self.leftovers();
        let (fences, title, tabs) = (self.fences.clone(), copy.title(), self.tabs);
        let around = Around {
            fence: FenceMove {
                tab: self.tab.id,
                header_row: snapshot.header_row,
                key_column,
                old: &fences,
                new: &fence,
            },
            old_copies: &old_copies,
            copy: CopyTo {
                id: copy.id,
                title,
                index: tabs.saturating_sub(old_copies.len()),
                first_rows: self.first_rows(self.tab.rows),
                columns,
                notes: copy.notes,
                is_filtered: self.is_filtered,
            },
            record: &record,
        };
        let sent = self.carry_out(&|| requests(write, &around), Some(&fence), count).await?;
        if sent == Sent::Done {
            self.forget(&old_copies);
            self.copies.push(copy);
            self.tabs = around.copy.index + 1;
        }
        Ok(sent)
    }

    /// Removes the copies that are not needed any more, and the marks that only they needed. What cannot be removed is
    /// left for the next run.
    pub(super) async fn tidy(&mut self, count: &mut Requests) -> Result<(), TableError> {
        for _ in 0..TIDY_TRIES {
            let old_copies = self.leftovers();
            let drops_marks = self.has_marks && self.copies.is_empty();
            if old_copies.is_empty() && !drops_marks {
                break;
            }
            let tab = self.tab.id;
            let list = || {
                let marks = drops_marks.then(|| without_marks(tab));
                marks.into_iter().chain(delete_tabs(&old_copies)).collect()
            };
            if self.carry_out(&list, None, count).await? == Sent::Done {
                self.forget(&old_copies);
                self.has_marks &= !drops_marks;
                break;
            }
            self.survey(count).await?;
        }
        Ok(())
    }

    /// Tabs of ours that nobody needs any more.
    fn leftovers(&self) -> Vec<i32> {
        self.spent.iter().map(|copy| copy.id).chain(self.orphans.iter().copied()).collect()
    }

    fn forget(&mut self, removed: &[i32]) {
        self.spent.retain(|copy| !removed.contains(&copy.id));
        self.orphans.retain(|id| !removed.contains(id));
    }

    /// Sends a list of requests. If it leaves a fence, what is not known of it is settled later by that.
    async fn carry_out(
        &mut self,
        list: &(dyn Fn() -> Vec<Request> + Sync),
        fence: Option<&str>,
        count: &mut Requests,
    ) -> Result<Sent, TableError> {
        fault::at(Point::TableWrites).map_err(|error| self.place.unavailable(error.to_string()))?;
        let update = self.place.account.update(&self.place.spreadsheet_id, list, count);
        match fault::during(Point::TableSent, update).await {
            Ok(answer) => {
                fault::pass(Point::TableAnswered);
                if let Some(fence) = fence {
                    // The server may have given it another id than the one that was asked for.
                    let replies = answer.replies.into_iter().flatten();
                    let made = replies.filter_map(|reply| reply.add_named_range?.named_range?.named_range_id);
                    self.fences = made.collect();
                    if self.fences.is_empty() {
                        self.fences = vec![fence.to_owned()];
                    }
                }
                Ok(Sent::Done)
            }
            Err(Fault::Refused(why)) => Ok(Sent::Refused(why)),
            Err(Fault::Unknown(why)) => {
                tracing::warn!(target = %self.place.name(), why, "a write may or may not have been carried out");
                self.unsettled = fence.map(|fence| Unsettled {
                    until: Instant::now() + SERVER_LIMIT,
                    fence: Some(fence.to_owned()),
                    is_fenced: !self.fences.is_empty(),
                });
                Ok(Sent::Unknown)
            }
            Err(fault) => Err(self.place.error(&fault)),
        }
    }

    /// Makes sure that no earlier write can be carried out behind our back: it has been, or it never will be.
    pub(super) async fn settle(&mut self, count: &mut Requests) -> Result<(), TableError> {
        let Some(unsettled) = self.unsettled.clone() else { return Ok(()) };
        let survey = survey(&self.place, count).await?;
        self.know(&survey)?;
        let is_done = unsettled.fence.as_ref().is_some_and(|fence| survey.has_fence(fence));
        let is_fenced = unsettled.is_fenced && !self.fences.is_empty();
        let is_harmless = is_done || (is_fenced && self.fences_hold(count).await?);
        if !is_harmless {
            let pause = unsettled.until.saturating_duration_since(Instant::now());
            if !pause.is_zero() {
                tracing::info!(?pause, target = %self.place.name(), "waiting until an earlier write cannot be carried out any more");
            }
            tokio::time::sleep_until(unsettled.until).await;
            self.survey(count).await?;
        }
        self.unsettled = None;
        Ok(())
    }

    /// True if the server refuses to remove a fence that is not there. Trying changes nothing.
    async fn fences_hold(&mut self, count: &mut Requests) -> Result<bool, TableError> {
        if let Some(known) = self.fences_hold {
            return Ok(known);
        }
        let holds = match self.place.account.update(&self.place.spreadsheet_id, &missing_fence, count).await {
            Ok(_) => false,
            Err(Fault::Refused(_)) => true,
            Err(Fault::Unknown(_)) => return Ok(false), // to be tried another time
            Err(fault) => return Err(self.place.error(&fault)),
        };
        self.fences_hold = Some(holds);
        Ok(holds)
    }
}

/// Proves that the account may change the spreadsheet, by asking for what cannot be done: a refusal of the request
/// comes only to who may write.
pub(super) async fn prove_writable(place: &Place, count: &mut Requests) -> Result<(), TableError> {
    match place.account.update(&place.spreadsheet_id, &missing_fence, count).await {
        Ok(_) | Err(Fault::Refused(_)) => Ok(()),
        Err(fault) => Err(place.error(&fault)),
    }
}

/// Removes a fence that nobody has put up.
fn missing_fence() -> Vec<Request> {
    vec![request(&serde_json::json!({"deleteNamedRange": {"namedRangeId": new_fence(0)}}))]
}

/// Looks at what a spreadsheet has besides cells.
pub(super) async fn survey(place: &Place, count: &mut Requests) -> Result<Survey, TableError> {
    let answer = place.account.get(&place.spreadsheet_id, READ_WRITE, &[], &fields(), count).await;
    answer.map(Survey::of).map_err(|fault| place.error(&fault))
}

/// The header of a tab, none for a tab without a filled cell in its first rows.
///
/// # Errors
/// If the tab holds something else than results, or one of our columns twice.
pub(super) async fn first_rows(
    place: &Place,
    tab: &Tab,
    owner: Owner,
    columns: &[ResultColumn],
    count: &mut Requests,
) -> Result<Option<Header>, TableError> {
    let area = Area::rows(tab.id, 0..ROWS_ABOVE.min(tab.rows.max(1)));
    let values = place.account.values(&place.spreadsheet_id, &[area], View::Columns, count).await;
    let values = values.map_err(|fault| place.error(&fault))?;
    let lines = values.lines(area);
    let header = find_header_of(owner, lines, columns);
    match header.map_err(|problems| TableError::Header { table: place.name(), problems })? {
        Some(header) => Ok(Some(header)),
        None if lines.iter().flatten().all(|value| text(value).trim().is_empty()) => Ok(None),
        None => Err(something_else(place, owner, None)),
    }
}

/// The error for a tab without a header of ours; `first_filled` is the first row, from 0, that is not blank, if those
/// that were searched are.
pub(super) fn something_else(place: &Place, owner: Owner, first_filled: Option<u32>) -> TableError {
    let another = "name another tab as sheets.target_sheet_name, it is made if it does not exist";
    let kept = "nothing was written, and what was judged is kept";
    let filled = first_filled.map(|row| format!(", and row {} is the first that is not blank", row + 1));
    let looked = format!("none of its first {ROWS_ABOVE} rows is their header{}", filled.unwrap_or_default());
    place.malformed(match owner {
        Owner::Unknown => format!(
            "the tab exists already and holds something else than results: {looked} (that has {}); {another}; {kept}",
            telling_headers()
        ),
        Owner::Ours => format!(
            "the tab had results once, but {looked}; put it back above the results, among those rows, or {another}; \
             {kept}"
        ),
    })
}

/// These rows of a tab, as few areas as can be.
pub(super) fn row_areas(tab: i32, rows: &[u32]) -> Vec<Area> {
    super::write::stretches(rows).into_iter().map(|rows| Area::rows(tab, rows)).collect()
}

/// The rows of an area and their texts.
pub(super) fn lines(values: &Values, area: Area) -> impl Iterator<Item = (u32, Vec<String>)> {
    let lines = values.lines(area);
    let end = area.rows.1.unwrap_or(area.rows.0);
    (area.rows.0..end).map(move |row| {
        let line = lines.get((row - area.rows.0) as usize);
        (row, line.into_iter().flatten().map(text).collect())
    })
}
