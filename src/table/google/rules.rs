//! A tab that shows the rulebook, for people to read.

use std::collections::HashSet;
use std::sync::Arc;

use google_sheets4::api::Request;
use serde_json::json;

use super::account::{Account, READ_WRITE, View};
use super::fault::Fault;
use super::place::{Place, Role};
use super::sink::{CELL_UNITS, MARK, new_tab_id, request};
use super::tabs::{TAB_FIELDS, Tab};
use super::values::{Area, text};
use crate::domain::clip::clip;
use crate::domain::fold::fold;
use crate::domain::rules::sheet;
use crate::table::{Requests, TableError};

/// A tab of a spreadsheet that the rules are published to.
#[derive(Debug)]
pub struct RulesTab {
    place: Place,
    requests: Requests,
}

/// What publishing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The tab shows these rules now.
    Written,
    /// It showed them already.
    Unchanged,
}

/// The tab is ours because it says so; the value that tells it from results.
const RULES: &str = "rules";
/// So often it is tried, if the tab changes or the answer is lost meanwhile.
const TRIES: usize = 5;

/// What is known of the tab.
struct Present {
    tab: Tab,
    is_marked: bool,
    /// What stands in it, row by row.
    rows: Vec<Vec<String>>,
}

impl RulesTab {
    /// A tab of this name; it is made if it does not exist.
    pub fn new(account: Arc<Account>, spreadsheet_id: String, tab: String) -> Self {
        let place = Place { account, spreadsheet_id, tab, role: Role::Editor };
        Self { place, requests: Requests::default() }
    }

    /// What people call it.
    pub fn name(&self) -> String {
        self.place.name()
    }

    /// Makes the tab show these rows, in one atomic request; what people keep in columns further right stays.
    ///
    /// # Errors
    /// If the tab cannot be written, or holds something else than rules.
    pub async fn publish(&mut self, rows: &[Vec<String>]) -> Result<Published, TableError> {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| trimmed(row.iter().map(|cell| clip(cell, CELL_UNITS).0.into_owned()).collect()))
            .collect();
        let mut refused = None;
        let mut published = Published::Unchanged;
        for _ in 0..TRIES {
            let present = self.look().await?;
            if let Some(present) = &present {
                if present.ours(width(&rows)) == trimmed_rows(rows.iter().cloned()) {
                    return Ok(published);
                }
                self.refuse_others(present, &rows)?;
            }
            published = Published::Written;
            let list = || requests(present.as_ref(), &self.place.tab, &rows);
            let id = &self.place.spreadsheet_id;
            match self.place.account.update(id, &list, &mut self.requests).await {
                // Writing the same once more does no harm: the next look decides.
                Ok(_) | Err(Fault::Unknown(_)) => {}
                Err(Fault::Refused(why)) => refused = Some(why),
                Err(fault) => return Err(self.place.error(&fault)),
            }
        }
        Err(match refused {
            Some(why) => self.place.error(&Fault::Refused(why)),
            None => self.place.unavailable("the rules do not stay as they are written".to_owned()),
        })
    }

    async fn look(&mut self) -> Result<Option<Present>, TableError> {
        let fields = format!("sheets({TAB_FIELDS},developerMetadata(metadataKey,metadataValue))");
        let (account, id) = (&self.place.account, &self.place.spreadsheet_id);
        let spreadsheet = account.get(id, READ_WRITE, &[], &fields, &mut self.requests).await;
        let sheets = spreadsheet.map_err(|fault| self.place.error(&fault))?.sheets.unwrap_or_default();
        let named = |name: &dyn Fn(&str) -> bool| {
            sheets
                .iter()
                .find(|sheet| sheet.properties.as_ref().and_then(|of| of.title.as_deref()).is_some_and(name))
        };
        let wanted = fold(&self.place.tab);
        let sheet = named(&|title| title == self.place.tab).or_else(|| named(&|title| fold(title) == wanted));
        let Some((sheet, tab)) = sheet.and_then(|sheet| Some((sheet, Tab::of(sheet)?))) else {
            return Ok(None);
        };
        let metadata = sheet.developer_metadata.iter().flatten();
        let mut marks = metadata.filter(|entry| entry.metadata_key.as_deref() == Some(MARK));
        let is_marked = marks.any(|entry| entry.metadata_value.as_deref() == Some(RULES));
        let area = Area::rows(tab.id, 0..tab.rows.max(1));
        let values = account.values(id, &[area], View::Rows, &mut self.requests).await;
        let values = values.map_err(|fault| self.place.error(&fault))?;
        let rows = values.lines(area).iter().map(|line| line.iter().map(text).collect()).collect();
        Ok(Some(Present { tab, is_marked, rows }))
    }

    /// What is in a tab that we have not made is somebody's, unless it is blank or shows rules already.
    fn refuse_others(&self, present: &Present, rules: &[Vec<String>]) -> Result<(), TableError> {
        if present.is_marked || present.shows_rules(rules) {
            return Ok(());
        }
        Err(self.place.malformed(
            "the tab holds something else than these rules; empty it if nobody needs it, or name another tab as \
             sheets.rules_sheet_name, it is made if it does not exist. Nothing was asked and nothing was written",
        ))
    }
}

impl Present {
    /// True for a blank tab, for a table of rules, and for what the Python StatusValidator writes: the lines of its
    /// rules in the first column, nothing else. At least half of them have to be lines of the present rules.
    fn shows_rules(&self, rules: &[Vec<String>]) -> bool {
        let of_one_column = self.rows.iter().all(|row| row.iter().skip(1).all(|cell| cell.trim().is_empty()));
        if !of_one_column {
            return self.rows.first().is_some_and(|row| sheet::is_header(row));
        }
        let known: HashSet<&str> =
            rules.iter().flatten().flat_map(|text| text.lines()).map(str::trim).collect();
        let lines =
            self.rows.iter().filter_map(|row| row.first()).flat_map(|text| text.lines()).map(str::trim);
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        lines.iter().filter(|line| known.contains(*line)).count() * 2 >= lines.len()
    }

    /// Columns that hold rules, or will: what stands further right is people's.
    fn columns(&self, needed: usize) -> usize {
        let is_table = self.rows.first().is_some_and(|row| sheet::is_header(row));
        if is_table { needed.max(sheet::COLUMNS) } else { needed }
    }

    /// What stands in those columns.
    fn ours(&self, needed: usize) -> Vec<Vec<String>> {
        let columns = self.columns(needed);
        trimmed_rows(self.rows.iter().map(|row| row.iter().take(columns).cloned().collect()))
    }
}

/// What makes a tab show these rows.
fn requests(present: Option<&Present>, name: &str, rows: &[Vec<String>]) -> Vec<Request> {
    let width = present.map_or(width(rows), |present| present.columns(width(rows)));
    let height = rows.len().max(1);
    let (mut list, tab) = match present {
        Some(Present { tab, .. }) => (Vec::new(), tab.clone()),
        None => {
            let (id, title) = (new_tab_id(), name.to_owned());
            let grid = json!({"rowCount": height.max(100), "columnCount": width.max(6)});
            let made = json!({"sheetId": id, "title": title, "gridProperties": grid});
            let tab = Tab {
                id,
                title,
                rows: u32::try_from(height.max(100)).unwrap_or(u32::MAX),
                columns: u32::try_from(width.max(6)).unwrap_or(u32::MAX),
                merges: Vec::new(),
            };
            (vec![request(&json!({"addSheet": {"properties": made}}))], tab)
        }
    };
    for (dimension, has, needs) in [("ROWS", tab.rows, height), ("COLUMNS", tab.columns, width)] {
        let lacks = u32::try_from(needs).unwrap_or(u32::MAX).saturating_sub(has);
        if lacks > 0 {
            let more = json!({"sheetId": tab.id, "dimension": dimension, "length": lacks});
            list.push(request(&json!({"appendDimension": more})));
        }
    }
    // Rows that are not given are blanked: what an earlier rulebook had more goes in the same stroke.
    let before = present.map(|present| present.rows.len()).unwrap_or_default();
    let columns = u32::try_from(width).unwrap_or(u32::MAX);
    let area = Area {
        tab: tab.id,
        rows: (0, Some(u32::try_from(height.max(before)).unwrap_or(u32::MAX))),
        columns: (0, Some(columns)),
    };
    let cell = |text: &String| match text.as_str() {
        "" => json!({}),
        text => json!({"userEnteredValue": {"stringValue": text}}),
    };
    let line = |row: &Vec<String>| json!({"values": row.iter().map(cell).collect::<Vec<_>>()});
    list.push(request(&json!({"updateCells": {
        "range": area.range(),
        "rows": rows.iter().map(line).collect::<Vec<_>>(),
        "fields": "userEnteredValue",
    }})));
    if present.is_none_or(|present| !present.is_marked) {
        list.push(request(&json!({"createDeveloperMetadata": {"developerMetadata": {
            "metadataKey": MARK,
            "metadataValue": RULES,
            "location": {"sheetId": tab.id},
            "visibility": "DOCUMENT",
        }}})));
    }
    if present.is_none_or(|present| present.rows.is_empty()) {
        list.extend(looks(tab.id, width));
    }
    list
}

/// How a new tab looks.
fn looks(tab: i32, width: usize) -> Vec<Request> {
    let format = |range: serde_json::Value, format: serde_json::Value, fields: &str| {
        request(
            &json!({"repeatCell": {"range": range, "cell": {"userEnteredFormat": format}, "fields": fields}}),
        )
    };
    let mut list = vec![format(
        json!({"sheetId": tab, "startColumnIndex": 0, "endColumnIndex": width}),
        json!({"wrapStrategy": "WRAP", "verticalAlignment": "TOP"}),
        "userEnteredFormat.wrapStrategy,userEnteredFormat.verticalAlignment",
    )];
    let widths: &[u32] = if width > 1 { &[80, 180, 560, 80, 180, 120] } else { &[900] };
    if width > 1 {
        list.push(format(
            json!({"sheetId": tab, "startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 0, "endColumnIndex": width}),
            json!({"textFormat": {"bold": true}}),
            "userEnteredFormat.textFormat.bold",
        ));
        list.push(request(&json!({"updateSheetProperties": {
            "properties": {"sheetId": tab, "gridProperties": {"frozenRowCount": 1}},
            "fields": "gridProperties.frozenRowCount",
        }})));
    }
    list.extend(widths.iter().take(width).enumerate().map(|(column, pixels)| {
        request(&json!({"updateDimensionProperties": {
            "range": {"sheetId": tab, "dimension": "COLUMNS", "startIndex": column, "endIndex": column + 1},
            "properties": {"pixelSize": pixels},
            "fields": "pixelSize",
        }}))
    }));
    list
}

fn width(rows: &[Vec<String>]) -> usize {
    rows.iter().map(Vec::len).max().unwrap_or_default().max(1)
}

fn trimmed(mut row: Vec<String>) -> Vec<String> {
    row.truncate(row.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1));
    row
}

/// Rows without blank ends, as they are compared.
fn trimmed_rows(rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = rows.map(trimmed).collect();
    rows.truncate(rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1));
    rows
}
