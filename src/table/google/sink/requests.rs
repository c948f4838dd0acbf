//! The requests that carry out a write: one list, all of it or nothing. Pure.
//!
//! Cells are typed: texts are strings, whatever they begin with. A write that changes rows takes a copy of the tab
//! first, in the same list, so that whatever it overwrites can be brought back; one that adds rows keeps the header.

use google_sheets4::FieldMask;
use google_sheets4::api::{
    AppendCellsRequest, CellData, ExtendedValue, GridCoordinate, Link, Request, RowData, TextFormat,
    TextFormatRun, UpdateCellsRequest,
};
use serde_json::json;

use super::write::{Added, Cells, Content, RowWrite, Write, stretches};
use crate::domain::key::RowKey;
use crate::table::google::values::Area;

/// What a write has to know of the tab.
#[derive(Clone, Debug)]
pub(super) struct Around<'a> {
    pub(super) fence: FenceMove<'a>,
    /// Copies of the tab that are not needed any more.
    pub(super) old_copies: &'a [i32],
    /// Where the copy goes.
    pub(super) copy: CopyTo,
    /// What is to be known of the write from the copy alone: cells of one of its columns.
    pub(super) record: &'a [(u32, String)],
}

/// Takes earlier fences away and puts a new one up, on the header of the keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct FenceMove<'a> {
    pub(super) tab: i32,
    pub(super) header_row: u32,
    pub(super) key_column: u32,
    /// Those of earlier writes, by id.
    pub(super) old: &'a [String],
    /// That of this write.
    pub(super) new: &'a str,
}

/// The tab that a copy becomes.
#[derive(Clone, Debug)]
pub(super) struct CopyTo {
    pub(super) id: i32,
    pub(super) title: String,
    /// Its place behind all other tabs.
    pub(super) index: usize,
    /// The first rows of the tab, the header among them.
    pub(super) first_rows: u32,
    /// The columns of the tab.
    pub(super) columns: u32,
    /// The column of the copy for what is to be known of the write.
    pub(super) notes: u32,
    /// People have filtered the tab: what is filtered away would not come back from a filtered copy.
    pub(super) is_filtered: bool,
}

/// What is written of a cell; formats are people's.
const FIELDS: [&str; 2] = ["userEnteredValue", "textFormatRuns"];

/// The whole list.
pub(super) fn requests(write: &Write, around: &Around<'_>) -> Vec<Request> {
    let (mut list, tab) = (without_fences(around.fence.old), around.fence.tab);
    list.extend(delete_tabs(around.old_copies));
    let (id, notes) = (around.copy.id, around.copy.notes);
    let (copied, changed) = match write {
        Write::Change(rows) => (copy(around), changes(rows, tab)),
        Write::Add(rows) => (copy_of_header(around), vec![append(rows, tab)]),
    };
    list.extend(copied);
    // Not before: what is named in a tab is named in its copy too.
    list.push(fence(around.fence));
    let note = |(row, text): &(u32, String)| {
        update_cells(id, *row, notes, vec![vec![cell(&Content::Text(text.clone()))]])
    };
    list.extend(around.record.iter().map(note));
    list.extend(changed);
    list
}

/// Adds rows below the last filled one.
fn append(rows: &[Added], tab: i32) -> Request {
    Request {
        append_cells: Some(AppendCellsRequest {
            sheet_id: Some(tab),
            rows: Some(rows.iter().map(|row| whole_row(&row.cells)).collect()),
            fields: Some(FieldMask::new(&FIELDS)),
            ..AppendCellsRequest::default()
        }),
        ..Request::default()
    }
}

/// Takes fences of earlier writes away. A fence lets one of two writes through that know the same one before: the
/// second finds it gone.
fn without_fences(old: &[String]) -> Vec<Request> {
    old.iter().map(|id| request(&json!({"deleteNamedRange": {"namedRangeId": id}}))).collect()
}

/// Puts a fence up, on the header of the keys.
pub(super) fn fence(fence: FenceMove<'_>) -> Request {
    let FenceMove { tab, header_row, key_column, new, .. } = fence;
    let cell =
        Area { tab, rows: (header_row, Some(header_row + 1)), columns: (key_column, Some(key_column + 1)) };
    let named = json!({"namedRangeId": new, "name": new, "range": cell.range()});
    request(&json!({"addNamedRange": {"namedRange": named}}))
}

/// Takes the marks of people's rows away, which are needed only as long as something may have to be put right. They
/// are found by what they say, so nothing else is hit wherever they are.
pub(super) fn without_marks(tab: i32) -> Request {
    request(&json!({"findReplace": {
        "sheetId": tab,
        "find": RowKey::THEIRS_PATTERN,
        "searchByRegex": true,
        "matchCase": true,
        "matchEntireCell": true,
        "replacement": "",
    }}))
}

/// Removes tabs of ours.
pub(super) fn delete_tabs(tabs: &[i32]) -> Vec<Request> {
    tabs.iter().map(|tab| request(&json!({"deleteSheet": {"sheetId": tab}}))).collect()
}

/// Copies the tab as it is when the write is carried out, hidden, with a column behind all others for what the
/// write was meant to change: before them it would move what formulas speak of.
fn copy(around: &Around<'_>) -> Vec<Request> {
    let CopyTo { id, title, index, columns, notes, is_filtered, .. } = &around.copy;
    let mut list = vec![
        request(&json!({"duplicateSheet": {
            "sourceSheetId": around.fence.tab,
            "insertSheetIndex": index,
            "newSheetId": id,
            "newSheetName": title,
        }})),
        request(&json!({"updateSheetProperties": {
            "properties": {"sheetId": id, "hidden": true},
            "fields": "hidden",
        }})),
    ];
    if *is_filtered {
        list.push(request(&json!({"clearBasicFilter": {"sheetId": id}})));
    }
    let more = notes.saturating_sub(*columns) + 1;
    list.push(request(&json!({"appendDimension": {"sheetId": id, "dimension": "COLUMNS", "length": more}})));
    list
}

/// Copies the first rows of the tab, as they are when the write is carried out, to a hidden tab, with a column before
/// them for what the write was meant to add.
fn copy_of_header(around: &Around<'_>) -> Vec<Request> {
    let CopyTo { id, title, index, first_rows, columns, .. } = &around.copy;
    let noted = around.record.iter().map(|(row, _)| row + 1).max().unwrap_or_default();
    let grid = json!({"rowCount": noted.max(*first_rows), "columnCount": columns + 1});
    let area = |tab, from| Area { tab, rows: (0, Some(*first_rows)), columns: (from, Some(from + columns)) };
    vec![
        request(&json!({"addSheet": {"properties": {
            "sheetId": id, "title": title, "index": index, "hidden": true, "gridProperties": grid,
        }}})),
        request(&json!({"copyPaste": {
            "source": area(around.fence.tab, 0).range(),
            "destination": area(*id, 1).range(),
            "pasteType": "PASTE_VALUES",
            "pasteOrientation": "NORMAL",
        }})),
    ]
}

/// The changes of rows that stand in the tab. Rows that stand together and change in the same columns go together.
fn changes(rows: &[RowWrite], tab: i32) -> Vec<Request> {
    let mut list = Vec::new();
    // Open blocks: first row, first column, cells.
    let mut blocks: Vec<(u32, u32, Vec<Vec<CellData>>)> = Vec::new();
    for row in rows {
        let mut cells = match &row.cells {
            Cells::Put(cells) => cells.clone(),
            Cells::Restore(restore) => {
                list.extend(restored(restore, row.row, tab));
                let key =
                    restore.key_column.map(|column| (column, Content::Text(row.key.as_str().to_owned())));
                key.into_iter().collect()
            }
        };
        cells.sort_by_key(|(column, _)| *column);
        let columns: Vec<u32> = cells.iter().map(|(column, _)| *column).collect();
        let mut cells = cells.iter();
        for stretch in stretches(&columns) {
            let line: Vec<CellData> =
                cells.by_ref().take(stretch.len()).map(|(_, content)| cell(content)).collect();
            let below = |(first, column, lines): &&mut (u32, u32, Vec<Vec<CellData>>)| {
                *column == stretch.start
                    && u32::try_from(lines.len()).is_ok_and(|height| first + height == row.row)
                    && lines.first().is_some_and(|first| first.len() == line.len())
            };
            match blocks.iter_mut().rev().take(NEAR).find(below) {
                Some((_, _, lines)) => lines.push(line),
                None => blocks.push((row.row, stretch.start, vec![line])),
            }
        }
    }
    list.extend(blocks.into_iter().map(|(row, column, lines)| update_cells(tab, row, column, lines)));
    list
}

/// The row above has no more stretches than this.
const NEAR: usize = 32;

/// Brings cells back from a copy, as they were: formulas, formats and links of people too.
fn restored(restore: &super::write::Restore, to: u32, tab: i32) -> Vec<Request> {
    let mut pairs = restore.columns.clone();
    pairs.sort_by_key(|(_, to)| *to);
    let mut stretches: Vec<(u32, u32, u32)> = Vec::new();
    for (from, to) in pairs {
        match stretches.last_mut() {
            Some((first_from, first_to, length))
                if *first_from + *length == from && *first_to + *length == to =>
            {
                *length += 1;
            }
            _ => stretches.push((from, to, 1)),
        }
    }
    let area = |tab, row, column, length| Area {
        tab,
        rows: (row, Some(row + 1)),
        columns: (column, Some(column + length)),
    };
    let paste = |(from, column, length): (u32, u32, u32)| {
        request(&json!({"copyPaste": {
            "source": area(restore.copy, restore.row, from, length).range(),
            "destination": area(tab, to, column, length).range(),
            "pasteType": "PASTE_NORMAL",
            "pasteOrientation": "NORMAL",
        }}))
    };
    stretches.into_iter().map(paste).collect()
}

fn update_cells(tab: i32, row: u32, column: u32, lines: Vec<Vec<CellData>>) -> Request {
    let index = |number: u32| Some(i32::try_from(number).unwrap_or(i32::MAX));
    let start = GridCoordinate { sheet_id: Some(tab), row_index: index(row), column_index: index(column) };
    let rows = lines.into_iter().map(|line| RowData { values: Some(line) }).collect();
    Request {
        update_cells: Some(UpdateCellsRequest {
            start: Some(start),
            rows: Some(rows),
            fields: Some(FieldMask::new(&FIELDS)),
            ..UpdateCellsRequest::default()
        }),
        ..Request::default()
    }
}

/// A row from its first column on.
fn whole_row(cells: &[(u32, Content)]) -> RowData {
    let width = cells.iter().map(|(column, _)| *column as usize + 1).max().unwrap_or_default();
    let mut line = vec![CellData::default(); width];
    for (column, content) in cells {
        if let Some(place) = line.get_mut(*column as usize) {
            *place = cell(content);
        }
    }
    RowData { values: Some(line) }
}

fn cell(content: &Content) -> CellData {
    let text = |text: &str| ExtendedValue { string_value: Some(text.to_owned()), ..ExtendedValue::default() };
    let mut data = CellData::default();
    match content {
        Content::Blank => {}
        Content::Text(told) | Content::Link { text: told, .. } if told.is_empty() => {}
        Content::Text(told) => data.user_entered_value = Some(text(told)),
        Content::Number(number) => {
            let value = ExtendedValue { number_value: Some(*number as f64), ..ExtendedValue::default() };
            data.user_entered_value = Some(value);
        }
        Content::Link { text: told, address } => {
            let link = Some(Link { uri: Some(address.clone()) });
            let format = Some(TextFormat { link, ..TextFormat::default() });
            data.user_entered_value = Some(text(told));
            data.text_format_runs = Some(vec![TextFormatRun { start_index: Some(0), format }]);
        }
    }
    data
}

/// A request in the words of the API.
pub(in super::super) fn request(words: &serde_json::Value) -> Request {
    // Through text, since field masks are only read from borrowed strings. Words that are no request become an empty
    // one, which the server refuses.
    serde_json::from_str(&words.to_string()).unwrap_or_else(|error| {
        tracing::error!(%error, "a request is not in the words of the API");
        Request::default()
    })
}
