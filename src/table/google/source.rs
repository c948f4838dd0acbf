//! A tab of a Google spreadsheet as a source: read a page of cells at a time, while people go on editing.
//!
//! One request gives a page as it is at one moment. Between two pages people may insert and delete rows, so each
//! page begins with the last rows of the one before: if they have moved, reading follows them, and the source says that
//! it was disturbed, since other rows may have come past; if they cannot be found (somebody has sorted the tab), it ends
//! with an error, since rows would be read twice or not at all. Each page also brings the header of the same moment: cells are never taken for those of another column.

mod page;
mod seam;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use self::page::{Page, is_same_header};
use self::seam::{Again, Place as Found, SIDE, Seam};
use super::account::{Account, READ_ONLY};
use super::cells::CELL_FIELDS;
use super::fault::Fault;
use super::place::{Place, Role};
use super::tabs::{self, TAB_FIELDS, Tab};
use crate::domain::cell::Cell;
use crate::domain::entry::RowLink;
use crate::domain::fold::fold;
use crate::table::a1::{column_name, quoted_sheet};
use crate::table::{Header, Requests, RowCount, SourceRow, TableError, TableSource};

/// A tab of a Google spreadsheet that statuses are read from.
///
/// Rows have the numbers that Google shows; hidden and filtered rows are rows, blank rows below the last
/// filled one are none. Dates, numbers, booleans and errors keep their types; of merged cells only the top left
/// one has a value. The account reads with a scope that allows nothing else.
#[derive(Debug)]
pub struct GoogleSource {
    params: GoogleSourceParams,
    place: Place,
    open: Option<Open>,
    requests: Requests,
}

/// Which tab, and where its table begins.
#[derive(Clone, Debug)]
pub struct GoogleSourceParams {
    /// Who reads it.
    pub account: Arc<Account>,
    /// The spreadsheet.
    pub spreadsheet_id: String,
    /// The tab's name.
    pub tab: String,
    /// The tab's number, which counts where it is given: it stays when the tab is renamed.
    pub gid: Option<i32>,
    /// The row of the header, from 1.
    pub header_row: u64,
    /// The first row of data, below the header.
    pub data_start_row: u64,
}

#[derive(Debug)]
struct Open {
    tab: Tab,
    /// The row of the header, from 1, and what stands in it once it was read.
    header_row: u64,
    header: Option<Vec<Cell>>,
    /// Columns of the header.
    width: u32,
    /// Rows that were read and not given yet.
    ready: VecDeque<Ready>,
    /// The first row that is not ready, from 1.
    next: u64,
    /// Rows behind the seam that were blank: rows only if a filled one follows.
    blank: u64,
    /// True if the last page went to the tab's end.
    is_read: bool,
    seam: Seam,
    /// Rows of the next page.
    page_rows: u64,
    warnings: Vec<String>,
}

#[derive(Debug)]
enum Ready {
    Row(SourceRow),
    Blank(Range<u64>),
}

/// Cells of a page. The client spends 3 KB on each until they are ours.
const PAGE_CELLS: u64 = 8_000;
/// Rows of the longest page, for the blank part of a tab.
const LONGEST_PAGE: u64 = 50_000;
/// Rows of the shortest page.
const SHORTEST_PAGE: u64 = 8;
/// So far rows that have moved are looked for.
const SEARCH: u64 = 200;

impl GoogleSource {
    /// A source that looks at the spreadsheet when it is opened.
    pub fn new(params: GoogleSourceParams) -> Self {
        let place = Place {
            account: Arc::clone(&params.account),
            spreadsheet_id: params.spreadsheet_id.clone(),
            tab: params.tab.clone(),
            role: Role::Viewer,
        };
        Self { params, place, open: None, requests: Requests::default() }
    }

    async fn open_tab(&mut self) -> Result<Header, TableError> {
        self.open = None;
        self.place.tab.clone_from(&self.params.tab);
        let tab = self.find_tab().await?;
        let header_row = self.params.header_row.max(1);
        if header_row > u64::from(tab.rows) {
            let detail = format!("header_row is {header_row}, but the tab has {} rows", tab.rows);
            return Err(self.place.malformed(detail));
        }
        let mut open = Open {
            width: tab.columns,
            tab,
            header_row,
            header: None,
            ready: VecDeque::new(),
            next: self.params.data_start_row.max(header_row + 1),
            blank: 0,
            is_read: false,
            seam: Seam::default(),
            page_rows: 1,
            warnings: Vec::new(),
        };
        let header = self.read(&mut open, header_row..header_row + 1).await?;
        let names: Vec<String> = header.first().iter().map(Cell::display).collect();
        if names.is_empty() {
            let detail = format!("row {header_row}, which header_row names, is blank");
            return Err(self.place.malformed(detail));
        }
        open.width = u32::try_from(names.len()).unwrap_or(open.width);
        open.page_rows = (PAGE_CELLS / u64::from(open.width)).max(SHORTEST_PAGE);
        open.header = Some(header.first().to_vec());
        if fold(&open.tab.title) != fold(&self.params.tab) {
            let (now, configured) = (open.tab.title.clone(), &self.params.tab);
            open.warn(&format!(
                "sheets.source_sheet_name is «{configured}», but the tab with the number {}, which is read, is called \
                 «{now}» now",
                open.tab.id
            ));
        }
        let rows = RowCount::AtMost((u64::from(open.tab.rows) + 1).saturating_sub(open.next));
        self.open = Some(open);
        Ok(Header { names, rows })
    }

    async fn find_tab(&mut self) -> Result<Tab, TableError> {
        let found = self.tabs().await?;
        let tab = tabs::find(&found, self.params.gid, &self.params.tab);
        let tab = tab.cloned().map_err(|detail| TableError::Mismatch { table: self.place.name(), detail })?;
        self.place.call(&tab.title, &self.params.tab);
        Ok(tab)
    }

    async fn tabs(&mut self) -> Result<Vec<Tab>, TableError> {
        let id = self.params.spreadsheet_id.as_str();
        let fields = format!("sheets({TAB_FIELDS})");
        let spreadsheet = self.params.account.get(id, READ_ONLY, &[], &fields, &mut self.requests).await;
        let spreadsheet = spreadsheet.map_err(|fault| self.place.error(&fault))?;
        Ok(Tab::all(spreadsheet.sheets.as_ref()))
    }

    async fn read_page(&mut self, max_rows: usize) -> Result<Vec<SourceRow>, TableError> {
        let Some(mut open) = self.open.take() else {
            return Err(self.place.unavailable("not open, or failed before; it must be opened again".into()));
        };
        while !open.has(max_rows) && !open.is_read {
            self.fetch(&mut open).await?;
        }
        let rows = open.give(max_rows, &self.place.url());
        self.open = Some(open);
        Ok(rows)
    }

    /// Reads the next page and takes its rows in.
    async fn fetch(&mut self, open: &mut Open) -> Result<(), TableError> {
        // What is read once more takes its part of the page.
        let common = open.seam.before() + open.seam.behind().min(SIDE as u64);
        let new = open.page_rows.saturating_sub(common).max(SHORTEST_PAGE);
        let end = open.next + open.seam.behind() + open.blank + new;
        let expected = open.next - open.seam.before();
        let mut from = expected;
        let mut page = self.read(open, from..end).await?;
        if !open.seam.fits(&page.rows) {
            // Somebody has inserted or deleted rows, edited some just here, or sorted them.
            from = from.saturating_sub(SEARCH).max(self.params.data_start_row).max(open.header_row + 1);
            page = self.read(open, from..end + SEARCH).await?;
        }
        let was_disturbed = open.seam.is_disturbed();
        let skipped = match open.seam.find(&page.rows, usize::try_from(expected - from).unwrap_or(usize::MAX))
        {
            Found::Same(rows) | Found::Moved(rows) => rows,
            Found::Lost => return Err(self.lost(open)),
        };
        if open.seam.is_disturbed() && !was_disturbed {
            open.warn(
                "rows were inserted, deleted or edited here while the tab was read; reading went on behind the last \
                 row that was read, and the next run reads what was inserted above it",
            );
        }
        page.rows.drain(..skipped.min(page.rows.len()));
        let first = from + skipped as u64;
        if let Some((number, cells)) = open.seam.repeated(&page.rows) {
            let there = self.read(open, number..number + 1).await?;
            if there.first() != cells.as_slice() {
                return Err(self.lost(open));
            }
        }
        let has_more = page.rows.len() as u64 > open.seam.behind();
        open.take_in(first, page).map_err(|Again| self.lost(open))?;
        open.page_rows = match has_more {
            true => (PAGE_CELLS / u64::from(open.width)).max(SHORTEST_PAGE),
            false => (open.page_rows * 4).min(LONGEST_PAGE),
        };
        Ok(())
    }

    fn lost(&self, open: &Open) -> TableError {
        self.place.unavailable(format!(
            "its rows around row {} were sorted or changed while they were read, so that some would be read twice and \
             others not at all; run again, what was judged is not paid for again",
            open.next
        ))
    }

    /// Reads rows as they are now, trailing blank ones left out. If the tab was renamed, it is found again.
    ///
    /// # Errors
    /// If the header is not the one that was read first.
    async fn read(&mut self, open: &mut Open, rows: Range<u64>) -> Result<Page, TableError> {
        let mut is_second_look = false;
        loop {
            let end = rows.end.min(u64::from(open.tab.rows) + 1);
            if rows.start >= end {
                return Ok(Page { rows: Vec::new(), asked: rows.start..rows.start });
            }
            let tab = quoted_sheet(&open.tab.title);
            let range = |rows: Range<u64>, columns: u32| {
                format!("{tab}!A{}:{}{}", rows.start, column_name(columns.max(1) - 1), rows.end - 1)
            };
            let header_row = open.header_row..open.header_row + 1;
            let header = open.header.as_ref().map(|_| range(header_row.clone(), open.tab.columns));
            let ranges: Vec<String> =
                header.into_iter().chain([range(rows.start..end, open.width)]).collect();
            let fields = format!("sheets({TAB_FIELDS},data({CELL_FIELDS}))");
            let id = self.params.spreadsheet_id.as_str();
            let answer = self.params.account.get(id, READ_ONLY, &ranges, &fields, &mut self.requests).await;
            match answer {
                Ok(spreadsheet) => {
                    let sheet = spreadsheet.sheets.into_iter().flatten().next();
                    let now = sheet.as_ref().and_then(Tab::of);
                    if let (Some(sheet), Some(now)) = (sheet, now.filter(|now| now.id == open.tab.id)) {
                        open.tab = now;
                        let mut data = sheet.data.into_iter().flatten();
                        if let Some(header) = &open.header {
                            let now = Page::of(data.next(), header_row);
                            if !is_same_header(header, now.first()) {
                                return Err(self.place.unavailable(format!(
                                    "its header in row {} was edited or moved while it was read; run again, what was \
                                     judged is not paid for again",
                                    open.header_row
                                )));
                            }
                        }
                        return Ok(Page::of(data.next(), rows.start..end));
                    }
                }
                // The tab has another name, or fewer rows or columns than before.
                Err(Fault::Refused(why)) if is_second_look => {
                    return Err(self.place.error(&Fault::Refused(why)));
                }
                Err(Fault::Refused(_)) => {}
                Err(fault) => return Err(self.place.error(&fault)),
            }
            self.look_again(open).await?;
            is_second_look = true;
        }
    }

    /// Finds the tab by its number, whatever it is called now, and whatever has its name.
    async fn look_again(&mut self, open: &mut Open) -> Result<(), TableError> {
        let found = self.tabs().await?.into_iter().find(|tab| tab.id == open.tab.id);
        let tab = found.ok_or_else(|| TableError::NotFound {
            table: self.place.name(),
            detail: "the tab was deleted while it was read; restore it, or name another one".to_owned(),
        })?;
        if tab.title != open.tab.title {
            open.warn(&format!("the tab was renamed to «{}» while it was read", tab.title));
            self.place.call(&tab.title, &self.params.tab);
        }
        open.width = open.width.min(tab.columns);
        open.tab = tab;
        Ok(())
    }
}

impl Open {
    /// True if so many rows are ready.
    fn has(&self, rows: usize) -> bool {
        let ready = self.ready.iter().map(|ready| match ready {
            Ready::Row(_) => 1,
            Ready::Blank(range) => usize::try_from(range.end - range.start).unwrap_or(usize::MAX),
        });
        ready.fold(0, usize::saturating_add) >= rows.max(1)
    }

    /// Takes in the rows of a page that were not given away before, the first of them with this number.
    ///
    /// # Errors
    /// If one of them was given away before.
    fn take_in(&mut self, first: u64, page: Page) -> Result<(), Again> {
        let is_last = page.asked.end > u64::from(self.tab.rows);
        let read = page.rows.len();
        let ready = self.seam.divide(first, &page.rows, is_last)?;
        let mut blank_from = None;
        for (number, cells) in (first..).zip(page.rows.into_iter().take(ready)) {
            if cells.is_empty() {
                blank_from.get_or_insert(number);
                continue;
            }
            if let Some(from) = blank_from.take() {
                self.ready.push_back(Ready::Blank(from..number));
            }
            let mut row = SourceRow::new(number, cells);
            row.warnings.extend(self.merged_above(number));
            self.ready.push_back(Ready::Row(row));
        }
        self.next = first + ready as u64;
        self.blank = page.asked.end.saturating_sub(first + read as u64);
        self.is_read = is_last;
        Ok(())
    }

    /// A warning for a row whose cell belongs to one above.
    fn merged_above(&self, number: u64) -> Option<String> {
        let index = i32::try_from(number - 1).ok()?;
        let width = i32::try_from(self.width).ok()?;
        let merge = self.tab.merges.iter().find(|merge| {
            merge.start_row_index.unwrap_or_default() < index
                && merge.end_row_index.is_none_or(|end| index < end)
                && merge.start_column_index.unwrap_or_default() < width
        })?;
        let column = u32::try_from(merge.start_column_index.unwrap_or_default()).ok()?;
        let first = merge.start_row_index.unwrap_or_default() + 1;
        Some(format!(
            "its cell in column {} is merged with the one of row {first}, which has the value",
            column_name(column)
        ))
    }

    fn warn(&mut self, text: &str) {
        self.warnings.push(text.to_owned());
    }

    /// Up to so many rows that are ready.
    fn give(&mut self, max_rows: usize, url: &str) -> Vec<SourceRow> {
        let mut rows = Vec::new();
        while rows.len() < max_rows.max(1) {
            match self.ready.pop_front() {
                Some(Ready::Row(row)) => rows.push(row),
                Some(Ready::Blank(mut range)) => {
                    rows.extend(range.next().map(|number| SourceRow::new(number, Vec::new())));
                    if !range.is_empty() {
                        self.ready.push_front(Ready::Blank(range));
                    }
                }
                None => break,
            }
        }
        for row in &mut rows {
            let place = format!("gid={}&range={row}:{row}", self.tab.id, row = row.row);
            row.link = Some(RowLink { url: url.to_owned(), place });
        }
        if let Some(first) = rows.first_mut() {
            first.warnings.append(&mut self.warnings);
        }
        rows
    }
}

impl TableSource for GoogleSource {
    fn name(&self) -> String {
        self.place.name()
    }

    fn open(&mut self) -> BoxFuture<'_, Result<Header, TableError>> {
        self.open_tab().boxed()
    }

    fn next_page(&mut self, max_rows: usize) -> BoxFuture<'_, Result<Vec<SourceRow>, TableError>> {
        self.read_page(max_rows).boxed()
    }

    fn was_disturbed(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.seam.is_disturbed())
    }

    fn take_requests(&mut self) -> Requests {
        std::mem::take(&mut self.requests)
    }
}
