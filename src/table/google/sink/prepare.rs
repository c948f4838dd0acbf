//! Getting a results tab ready before its first row is written: made where it is missing, given a header where it is
//! blank, completed where columns are missing, taken over where another tool made it. All in one atomic request.

use google_sheets4::api::Request;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::format::Looks;
use super::requests::{FenceMove, fence, request};
use super::snapshot::Header;
use super::survey::{Survey, new_fence, new_tab_id};
use super::tab::{ResultsTab, Unsettled, first_rows, something_else, survey};
use crate::domain::language::Language;
use crate::domain::results::ResultColumn;
use crate::table::google::account::{SERVER_LIMIT, View};
use crate::table::google::fault::Fault;
use crate::table::google::place::Place;
use crate::table::google::tabs::Tab;
use crate::table::google::values::{Area, Values, text};
use crate::table::places::{Owner, Places};
use crate::table::{Requests, TableError};

/// What was found where the results are to be.
#[derive(Debug)]
pub(super) enum Standing {
    /// No such tab.
    Absent,
    /// A tab with nothing in it.
    Blank(Tab),
    /// A tab with results.
    Table(Tab, Header),
}

/// Which tab is to be got ready, and how.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) place: Place,
    pub(super) columns: Vec<ResultColumn>,
    pub(super) language: Language,
}

/// Rows of a new tab, as Google itself makes it.
const ROWS: u32 = 1000;
/// So many cells are looked at first where a tab seems to be blank.
const PAGE_CELLS: u32 = 40_000;
/// So often it is tried, if people change things meanwhile.
const TRIES: usize = 5;

impl Wanted {
    /// Looks at what there is, and changes nothing.
    pub(super) async fn find(&self, survey: &Survey, count: &mut Requests) -> Result<Standing, TableError> {
        let Some(tab) = survey.find(&self.place.tab) else { return Ok(Standing::Absent) };
        let owner = if survey.is_marked(tab.id) { Owner::Ours } else { Owner::Unknown };
        let header = first_rows(&self.place, tab, owner, &self.columns, count).await?;
        if let Some(header) = header {
            return Ok(Standing::Table(tab.clone(), header));
        }
        match self.first_filled(tab, count).await? {
            None => Ok(Standing::Blank(tab.clone())),
            first_filled => Err(something_else(&self.place, owner, first_filled)),
        }
    }

    /// The first row of a tab, from 0, that is not blank. Blank rows are no
    /// burden to read, so ever more are looked at.
    async fn first_filled(&self, tab: &Tab, count: &mut Requests) -> Result<Option<u32>, TableError> {
        let (mut from, mut cells) = (0, PAGE_CELLS);
        while from < tab.rows {
            let page = (cells / tab.columns.max(1)).max(1);
            let to = from.saturating_add(page).min(tab.rows);
            let area = Area::rows(tab.id, from..to);
            let account = &self.place.account;
            // Formulas as formulas: one that gives nothing is people's, too.
            let values = account.values(&self.place.spreadsheet_id, &[area], View::Rows, count).await;
            let values = values.map_err(|fault| self.place.error(&fault))?;
            let is_filled = |line: &Vec<Value>| line.iter().any(|value| !text(value).trim().is_empty());
            if let Some(row) = (from..to).zip(values.lines(area)).find(|(_, line)| is_filled(line)) {
                return Ok(Some(row.0));
            }
            (from, cells) = (to, cells.saturating_mul(4));
        }
        Ok(None)
    }

    /// The tab, if it lacks nothing.
    pub(super) fn ready(
        &self,
        standing: &Standing,
        survey: &Survey,
    ) -> Result<Option<ResultsTab>, TableError> {
        let Standing::Table(tab, header) = standing else { return Ok(None) };
        if !survey.is_marked(tab.id) || !header.places.missing(&self.columns).is_empty() {
            return Ok(None);
        }
        let mut found = ResultsTab::new(self.place.clone(), tab.clone(), self.columns.clone(), header);
        found.know(survey)?;
        Ok(Some(found))
    }

    /// Makes of what there is a tab that lacks nothing. A write of an earlier process that may still come is waited
    /// for, unless the tab is made: that write makes the same one and is refused, or is meant for one that is gone.
    pub(super) async fn prepare(
        &self,
        unsettled: &mut Option<Unsettled>,
        count: &mut Requests,
    ) -> Result<ResultsTab, TableError> {
        let mut refused = None;
        for _ in 0..TRIES {
            let survey = survey(&self.place, count).await?;
            let standing = self.find(&survey, count).await?;
            if let Some(ready) = self.ready(&standing, &survey)? {
                return Ok(ready);
            }
            // A tab is made once: of two that are to have one name the second is refused, however late it comes.
            let is_made = matches!(standing, Standing::Absent);
            if !is_made && let Some(earlier) = unsettled.take() {
                tokio::time::sleep_until(earlier.until).await;
                continue;
            }
            let (tab, header, list) = match standing {
                Standing::Absent => self.made(),
                Standing::Blank(tab) => self.headed(tab),
                Standing::Table(tab, header) => self.completed(tab, header, &survey, count).await?,
            };
            let sent = Instant::now();
            let list = || list.clone();
            match self.place.account.update(&self.place.spreadsheet_id, &list, count).await {
                Ok(_) => {
                    *unsettled = None;
                    let mut ready = ResultsTab::new(self.place.clone(), tab, self.columns.clone(), &header);
                    ready.survey(count).await?;
                    return Ok(ready);
                }
                // Somebody was quicker, or changed what was found: look again.
                Err(Fault::Refused(why)) => refused = Some(why),
                Err(Fault::Unknown(_)) if is_made => {}
                // There is no fence yet by which it could be told whether it will still be carried out.
                Err(Fault::Unknown(_)) => tokio::time::sleep_until(sent + SERVER_LIMIT).await,
                Err(fault) => return Err(self.place.error(&fault)),
            }
        }
        Err(match refused {
            Some(why) => self.place.error(&Fault::Refused(why)),
            None => self
                .place
                .unavailable("the results tab cannot be made, the connection breaks each time".into()),
        })
    }

    fn made(&self) -> (Tab, Header, Vec<Request>) {
        let (title, width) = (self.place.tab.clone(), self.columns.len());
        let columns = u32::try_from(width).unwrap_or(u32::MAX);
        let tab = Tab { id: new_tab_id(), title, rows: ROWS, columns, merges: Vec::new() };
        let grid = json!({"rowCount": tab.rows, "columnCount": tab.columns});
        let made = json!({"sheetId": tab.id, "title": tab.title, "gridProperties": grid});
        let (header, mut list) =
            (self.new_header(), vec![request(&json!({"addSheet": {"properties": made}}))]);
        list.extend(self.furnished(&tab, &header));
        (tab, header, list)
    }

    fn headed(&self, tab: Tab) -> (Tab, Header, Vec<Request>) {
        let header = self.new_header();
        let lacking = u32::try_from(self.columns.len()).unwrap_or(u32::MAX).saturating_sub(tab.columns);
        let mut list = widened(&tab, lacking);
        list.extend(self.furnished(&tab, &header));
        (tab, header, list)
    }

    fn new_header(&self) -> Header {
        let names = self.columns.iter().map(|column| column.name().to_owned()).collect();
        Header { row: 0, names, places: Places::of_new_table(&self.columns) }
    }

    /// Header, looks and fence of a tab that had nothing.
    fn furnished(&self, tab: &Tab, header: &Header) -> Vec<Request> {
        let names: Vec<(u32, &str)> = (0..).zip(header.names.iter().map(String::as_str)).collect();
        let mut list = header_cells(tab.id, header.row, &names);
        list.extend(self.looks(tab, header).of_new());
        list.push(self.fenced(tab, header));
        list
    }

    /// A tab that has a header and lacks something: columns, or our mark.
    async fn completed(
        &self,
        tab: Tab,
        mut header: Header,
        survey: &Survey,
        count: &mut Requests,
    ) -> Result<(Tab, Header, Vec<Request>), TableError> {
        let missing = header.places.missing(&self.columns);
        let mut list = Vec::new();
        if !missing.is_empty() {
            let length = u32::try_from(missing.len()).unwrap_or(u32::MAX);
            let first = self.room(&tab, &header, length, count).await?;
            list.extend(widened(&tab, (first + length).saturating_sub(tab.columns)));
            let names: Vec<(u32, &str)> = (first..).zip(missing.iter().map(|column| column.name())).collect();
            list.extend(header_cells(tab.id, header.row, &names));
            list.extend(like_the_others(&tab, &header, first..first + length));
            header.places.add(&missing, first as usize);
            header.names.resize(header.names.len().max(first as usize), String::new());
            header.names.truncate(first as usize);
            header.names.extend(missing.iter().map(|column| column.name().to_owned()));
        }
        let looks = self.looks(&tab, &header);
        if !survey.is_marked(tab.id) {
            // People had this tab before: what they have made of it stays.
            list.extend(looks.of_any());
            if !survey.is_coloured(tab.id) {
                list.extend(looks.colours());
            }
            if !survey.is_protected(tab.id) {
                list.extend(looks.protection());
            }
        }
        list.push(self.fenced(&tab, &header));
        Ok((tab, header, list))
    }

    /// The first of so many columns behind the header that are blank from top to bottom.
    async fn room(
        &self,
        tab: &Tab,
        header: &Header,
        length: u32,
        count: &mut Requests,
    ) -> Result<u32, TableError> {
        let used = header.names.iter().rposition(|name| !name.trim().is_empty()).map_or(0, |last| last + 1);
        let mut first = u32::try_from(used).unwrap_or(u32::MAX);
        loop {
            let columns: Vec<u32> = (first..first + length).filter(|column| *column < tab.columns).collect();
            let areas: Vec<Area> = columns.iter().map(|column| Area::column(tab.id, *column)).collect();
            if areas.is_empty() {
                return Ok(first);
            }
            let account = &self.place.account;
            let values = account.values(&self.place.spreadsheet_id, &areas, View::Columns, count).await;
            let values: Values = values.map_err(|fault| self.place.error(&fault))?;
            let is_used = |area: &Area| values.line(*area).iter().any(|value| !text(value).trim().is_empty());
            match areas.iter().rposition(is_used).and_then(|last| columns.get(last)) {
                Some(last) => first = last + 1,
                None => return Ok(first),
            }
        }
    }

    fn looks<'a>(&'a self, tab: &Tab, header: &'a Header) -> Looks<'a> {
        Looks {
            tab: tab.id,
            name: &self.place.tab,
            header_row: header.row,
            places: &header.places,
            language: self.language,
        }
    }

    fn fenced(&self, tab: &Tab, header: &Header) -> Request {
        let key = header.places.of(ResultColumn::Key).and_then(|place| u32::try_from(place).ok());
        fence(FenceMove {
            tab: tab.id,
            header_row: header.row,
            key_column: key.unwrap_or_default(),
            old: &[],
            new: &new_fence(tab.id),
        })
    }
}

/// Adds so many columns at the right end of a tab.
fn widened(tab: &Tab, columns: u32) -> Vec<Request> {
    let more = json!({"appendDimension": {"sheetId": tab.id, "dimension": "COLUMNS", "length": columns}});
    if columns == 0 { Vec::new() } else { vec![request(&more)] }
}

/// Writes names into a row, which stand side by side.
fn header_cells(tab: i32, row: u32, names: &[(u32, &str)]) -> Vec<Request> {
    let cell = |(_, name): &(u32, &str)| json!({"userEnteredValue": {"stringValue": name}});
    let Some((first, _)) = names.first() else { return Vec::new() };
    vec![request(&json!({"updateCells": {
        "start": {"sheetId": tab, "rowIndex": row, "columnIndex": first},
        "rows": [{"values": names.iter().map(cell).collect::<Vec<_>>()}],
        "fields": "userEnteredValue",
    }}))]
}

/// New headers look like the last one of ours.
fn like_the_others(tab: &Tab, header: &Header, columns: std::ops::Range<u32>) -> Vec<Request> {
    let Some(model) = header.places.iter().filter_map(|(_, place)| u32::try_from(place).ok()).max() else {
        return Vec::new();
    };
    let row = (header.row, Some(header.row + 1));
    let area =
        |columns: (u32, u32)| Area { tab: tab.id, rows: row, columns: (columns.0, Some(columns.1)) }.range();
    vec![request(&json!({"copyPaste": {
        "source": area((model, model + 1)),
        "destination": area((columns.start, columns.end)),
        "pasteType": "PASTE_FORMAT",
        "pasteOrientation": "NORMAL",
    }}))]
}
