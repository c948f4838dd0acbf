//! Spreadsheets as CSV, and from CSV.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Fault, document, file};
use crate::sandbox::sheets::a1::MAX_COLUMNS;
use crate::sandbox::sheets::call::{Answer, Call};
use crate::sandbox::sheets::entry;
use crate::sandbox::sheets::formula::Calculator;
use crate::sandbox::sheets::office::Office;
use crate::sandbox::sheets::query::Query;
use crate::sandbox::sheets::spreadsheet::{NEW_COLUMNS, NEW_ROWS, Spreadsheet};
use crate::sandbox::sheets::tab::Tab;
use crate::sandbox::sheets::values::{enter, shown};

/// `files.export`: the first sheet as a text.
pub(super) fn export(book: &Spreadsheet, query: &Query, now: Timestamp) -> Result<Answer, Fault> {
    let (media_type, delimiter) = match query.get("mimeType") {
        Some("text/csv") => ("text/csv", b','),
        Some("text/tab-separated-values") => ("text/tab-separated-values", b'\t'),
        Some(other) => {
            let message = format!("The sandbox exports text/csv and text/tab-separated-values, not {other}.");
            return Err(Fault::new(400, "badRequest", message).at("mimeType"));
        }
        None => return Err(Fault::new(400, "required", "Required parameter: mimeType").at("mimeType")),
    };
    Ok(Answer::text(media_type, written(book, delimiter, now)))
}

/// The first sheet, as wide as its widest row.
fn written(book: &Spreadsheet, delimiter: u8, now: Timestamp) -> String {
    let Some(grid) = book.tab(0).map(|tab| &tab.grid) else { return String::new() };
    let calc = Calculator::new(book, now);
    let width = grid.entered_columns();
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in 0..grid.last_row().map_or(0, |row| row + 1) {
        let record = (0..width).map(|column| {
            let key = (0, row, column);
            shown(&calc, key, grid.cell(row, column), &calc.value(key))
        });
        if writer.write_record(record).is_err() {
            break;
        }
    }
    let text = writer.into_inner().unwrap_or_default();
    let text = String::from_utf8(text).unwrap_or_default();
    text.strip_suffix("\r\n").map_or_else(|| text.clone(), str::to_owned)
}

/// `files.update` with CSV as its contents: one sheet takes the place of all.
pub(super) fn import(office: &mut Office, id: &str, call: &Call<'_>) -> Result<Value, Fault> {
    let book = document(office, id)?.book.clone();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(call.body);
    let mut rows: Vec<csv::StringRecord> = Vec::new();
    for record in reader.records() {
        rows.push(record.map_err(|_| {
            Fault::new(400, "badContent", "Bad content. The supplied file cannot be read as CSV.")
        })?);
    }
    let width = rows.iter().map(csv::StringRecord::len).max().unwrap_or(0);
    let size = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    if size(width) > MAX_COLUMNS {
        return Err(Fault::new(400, "badContent", "Bad content. The supplied file has too many columns."));
    }
    let title = book.tab(0).map_or("Sheet1", |tab| tab.title.as_str()).to_owned();
    let mut tab = Tab::new(0, title, size(rows.len()).max(NEW_ROWS), size(width).max(NEW_COLUMNS));
    for (record, row) in rows.iter().zip(0..) {
        for (text, column) in record.iter().zip(0..).filter(|(text, _)| !text.is_empty()) {
            let entered = entry::entered(text, None, &book, call.now);
            tab.grid.edit(row, column, |cell| enter(cell, entered));
        }
    }
    let imported = office.change(id, call.now, |draft| {
        draft.book.tabs = vec![Arc::new(tab)];
        draft.book.names.clear();
        draft.book.metadata.retain(|metadata| metadata.location.sheet().is_none());
        draft.book.check_size()
    });
    imported.map_err(|refusal| Fault::new(400, "badContent", refusal.message()))?;
    let mut shown = file::json(document(office, id)?);
    shown["title"] = shown["name"].clone();
    shown["kind"] = json!("drive#file");
    Ok(shown)
}
