//! A tab of a Google spreadsheet as a results table.
//!
//! - [`prepare`]: the tab is made, completed or taken over, once; [`format`]: how it looks; [`notices`]: what people
//!   should know of it.
//! - [`commit`]: look, write, look again. [`snapshot`]: what a look gives; [`rows`], [`write`]: what is to change;
//!   [`requests`]: in the words of the API; [`tab`]: looked at and sent.
//! - What people moved between look and write: [`undo`] for rows that changed, [`additions`] for rows that were added,
//!   [`moved`] for columns, [`record`] for what a write says of itself, [`copies`] reads it back; [`repair`]
//!   puts it right.
//! - [`survey`]: what the program leaves in the spreadsheet besides cells: a fence, a mark, a copy for a moment.

mod additions;
mod commit;
mod copies;
mod format;
mod known;
mod moved;
mod notices;
mod prepare;
mod record;
mod repair;
mod requests;
mod rows;
mod snapshot;
mod survey;
mod tab;
mod undo;
mod write;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use self::commit::{Commit, Waiting};
use self::known::{Known, short};
use self::prepare::{Standing, Wanted};
pub(super) use self::requests::request;
pub(super) use self::rows::CELL_UNITS;
use self::rows::{Form, KEY_UNITS, text_of};
pub(super) use self::survey::{MARK, new_tab_id};
use self::tab::{ResultsTab, Unsettled, survey};
use super::account::{Account, SERVER_LIMIT};
use super::place::{Place, Role};
use crate::domain::foreign::ForeignVerdicts;
use crate::domain::key::RowKey;
use crate::domain::results::ResultRow;
use crate::table::{Committed, Gone, Requests, SinkOptions, TableError, TableSink};

/// A tab of a Google spreadsheet that results are kept in.
///
/// Our columns are found by their headers, rows by their keys, each time anew: people may insert, sort, delete and
/// filter rows and add columns at any moment, also between a look and a write. Texts are written as texts, never as
/// formulas; those of more than 50,000 UTF-16 units are cut. A tab that is missing is made, one of the Python
/// StatusValidator is taken over as it is.
#[derive(Debug)]
pub struct GoogleSink {
    place: Place,
    open: Option<Open>,
    requests: Requests,
    /// A write of this process that may still be carried out.
    unsettled: Option<Unsettled>,
}

/// Which tab of which spreadsheet.
#[derive(Clone, Debug)]
pub struct GoogleSinkParams {
    /// Who writes it.
    pub account: Arc<Account>,
    /// The spreadsheet.
    pub spreadsheet_id: String,
    /// The tab; made if the spreadsheet does not have it.
    pub tab: String,
}

#[derive(Debug)]
struct Open {
    options: SinkOptions,
    form: Form,
    wanted: Wanted,
    tab: Option<ResultsTab>,
    known: Known,
    waiting: Waiting,
    waiting_bytes: usize,
    sent: HashSet<RowKey>,
    seen: HashSet<[u8; 8]>,
    unchanged: u64,
    gone: Gone,
    warnings: Vec<String>,
    cut_cells: usize,
}

/// More rows, or more bytes of them, than this are not kept back.
const FULL_ROWS: usize = 1_000;
const FULL_BYTES: usize = 8_000_000;
/// So many warnings about rows are given, the others counted.
const MAX_WARNINGS: usize = 100;

impl GoogleSink {
    /// A sink that looks at the spreadsheet when it is opened.
    pub fn new(params: GoogleSinkParams) -> Self {
        let GoogleSinkParams { account, spreadsheet_id, tab } = params;
        let place = Place { account, spreadsheet_id, tab, role: Role::Editor };
        Self { place, open: None, requests: Requests::default(), unsettled: None }
    }

    /// Proves that the account may change the spreadsheet, without changing it.
    ///
    /// # Errors
    /// If it may not, with what to do.
    pub async fn prove_writable(&mut self) -> Result<(), TableError> {
        tab::prove_writable(&self.place, &mut self.requests).await
    }

    async fn open_tab(&mut self, how: &SinkOptions) -> Result<(), TableError> {
        self.open = None;
        let columns = how.layout.columns();
        let form = Form { columns: columns.clone(), language: how.language };
        let wanted = Wanted { place: self.place.clone(), columns, language: how.language };
        let survey = survey(&self.place, &mut self.requests).await?;
        let standing = wanted.find(&survey, &mut self.requests).await?;
        let mut warnings = Vec::new();
        let known = match &standing {
            Standing::Absent | Standing::Blank(_) => Known::default(),
            Standing::Table(found, header) => {
                if found.title != self.place.tab {
                    warnings.push(format!(
                        "the results tab «{}» is called «{}» now; set sheets.target_sheet_name to that",
                        self.place.tab, found.title
                    ));
                }
                warnings.extend(notices::missing_columns(
                    header,
                    &wanted.columns,
                    survey.is_marked(found.id),
                ));
                warnings.extend(notices::merged_cells(found, header));
                known::read(&self.place, found, header, &form, &how.time_zone, &mut self.requests).await?
            }
        };
        let mut tab = wanted.ready(&standing, &survey)?;
        if let Some(tab) = &mut tab {
            tab.has_marks = known.has_marks;
        }
        self.unsettled = self.unsettled.take().or_else(|| unsettled(how.unsettled?));
        let owes = match &standing {
            Standing::Table(found, _) => !survey.copies(found.id).is_empty(),
            Standing::Absent | Standing::Blank(_) => false,
        };
        let known = if owes || self.unsettled.is_some() { known.doubted() } else { known };
        self.open = Some(Open {
            options: how.clone(),
            form,
            wanted,
            tab,
            known,
            waiting: Waiting::new(),
            waiting_bytes: 0,
            sent: HashSet::new(),
            seen: HashSet::new(),
            unchanged: 0,
            gone: Gone::Keep,
            warnings,
            cut_cells: 0,
        });
        Ok(())
    }

    async fn write(&mut self) -> Result<Committed, TableError> {
        let Some(open) = &mut self.open else { return Err(not_open(&self.place)) };
        // Nothing is gone if everything that was there has come again.
        let gone = if open.known.is_within(&open.seen) { Gone::Keep } else { open.gone };
        let is_owing = open.tab.as_ref().is_some_and(|tab| !tab.copies.is_empty());
        if open.waiting.is_empty() && gone == Gone::Keep && !is_owing {
            open.gone = Gone::Keep;
            return Ok(open.report(Committed::default()));
        }
        let mut tab = match open.tab.take() {
            Some(tab) => tab,
            None => open.wanted.prepare(&mut self.unsettled, &mut self.requests).await?,
        };
        tab.unsettled = tab.unsettled.take().or(self.unsettled.take());
        let seen = &open.seen;
        let commit = Commit {
            tab: &mut tab,
            form: &open.form,
            waiting: &mut open.waiting,
            sent: &mut open.sent,
            count: &mut self.requests,
            today: open.options.today,
            last: None,
            done: Committed::default(),
        };
        let committed = commit.run(gone, &|key| seen.contains(&short(key))).await;
        self.unsettled = tab.unsettled.clone();
        open.tab = Some(tab);
        let committed = committed?;
        open.gone = Gone::Keep;
        open.waiting_bytes = 0;
        Ok(open.report(committed))
    }
}

impl Open {
    fn take(&mut self, row: &ResultRow) {
        let row = ResultRow { key: row.key.clone().within(KEY_UNITS), ..row.clone() };
        self.warn_of_cuts(&row);
        let is_new = self.seen.insert(short(&row.key));
        let told = self.form.told(|column| text_of(&row, column));
        if self.known.says(&row.key, &told) {
            self.waiting.remove(&row.key);
            self.unchanged += u64::from(is_new); // a row that is given again after an error counts once
            return;
        }
        self.waiting_bytes += self.form.columns.iter().map(|column| row.text(*column).len()).sum::<usize>();
        self.known.forget(&row.key);
        self.waiting.insert(row.key.clone(), row);
    }

    fn warn_of_cuts(&mut self, row: &ResultRow) {
        for column in self.form.cut(row) {
            self.cut_cells += 1;
            if self.cut_cells <= MAX_WARNINGS {
                let name = column.name();
                self.warnings.push(format!("row {}: «{name}» was cut to {CELL_UNITS} characters", row.row));
            }
        }
    }

    /// What was done since the last commit, with what was known before it.
    fn report(&mut self, mut committed: Committed) -> Committed {
        committed.unchanged += std::mem::take(&mut self.unchanged);
        committed.warnings.append(&mut self.warnings);
        let hidden = self.cut_cells.saturating_sub(MAX_WARNINGS);
        if hidden > 0 {
            committed.warnings.push(format!("{hidden} more cells were cut"));
        }
        self.cut_cells = 0;
        committed
    }
}

impl TableSink for GoogleSink {
    fn name(&self) -> String {
        self.place.name()
    }

    fn open(&mut self, how: &SinkOptions) -> BoxFuture<'_, Result<(), TableError>> {
        let how = how.clone();
        async move { self.open_tab(&how).await }.boxed()
    }

    fn upsert<'a>(&'a mut self, rows: &'a [ResultRow]) -> BoxFuture<'a, Result<(), TableError>> {
        let Some(open) = &mut self.open else {
            return std::future::ready(Err(not_open(&self.place))).boxed();
        };
        rows.iter().for_each(|row| open.take(row));
        std::future::ready(Ok(())).boxed()
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<Committed, TableError>> {
        self.write().boxed()
    }

    fn mark_gone(&mut self, accept_shrink: bool) -> BoxFuture<'_, Result<(), TableError>> {
        if let Some(open) = &mut self.open {
            open.gone = Gone::marked(accept_shrink);
        }
        std::future::ready(Ok(())).boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, Result<(), TableError>> {
        async move {
            match self.open.as_mut().and_then(|open| open.tab.as_mut()) {
                Some(tab) => tab.tidy(&mut self.requests).await,
                None => Ok(()),
            }
        }
        .boxed()
    }

    fn is_full(&self) -> bool {
        let full = |open: &Open| open.waiting.len() >= FULL_ROWS || open.waiting_bytes >= FULL_BYTES;
        self.open.as_ref().is_some_and(full)
    }

    fn settles_within(&self) -> Duration {
        SERVER_LIMIT
    }

    fn is_settled(&self) -> bool {
        self.unsettled.is_none()
    }

    fn foreign_verdicts(&mut self) -> ForeignVerdicts {
        self.open.as_mut().map(|open| open.known.take_foreign()).unwrap_or_default()
    }

    fn take_requests(&mut self) -> Requests {
        std::mem::take(&mut self.requests)
    }
}

/// A write of another process that began so long ago.
fn unsettled(age: Duration) -> Option<Unsettled> {
    let left = SERVER_LIMIT.checked_sub(age)?;
    Some(Unsettled { until: Instant::now() + left, fence: None, is_fenced: true })
}

fn not_open(place: &Place) -> TableError {
    place.unavailable("not open; it must be opened first".to_owned())
}
