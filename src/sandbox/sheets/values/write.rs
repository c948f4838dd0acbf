//! Puts the values of a body into cells.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::proto::text_format;
use super::render::Rendering;
use super::{Input, text};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::cell::{Cell, Content, MAX_CHARACTERS};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::entry::{self, Entered};
use crate::sandbox::sheets::formula::Calculator;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::spreadsheet::Spreadsheet;

/// The values of a body, by rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Block {
    /// What is to be written; `null` leaves a cell as it is.
    rows: Vec<Vec<Value>>,
    width: u32,
    /// The answer gives them by columns, too.
    columns: bool,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) tab: usize,
    /// The rectangle of the body.
    pub(super) rect: Rect,
    pub(super) rows: BTreeSet<u32>,
    pub(super) columns: BTreeSet<u32>,
    pub(super) cells: u32,
    by_columns: bool,
}

impl Block {
    /// The values of a `ValueRange`.
    pub(super) fn read(body: &Map<String, Value>) -> Result<Self, Refusal> {
        let lines: Vec<Vec<Value>> = body
            .get("values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|line| line.as_array().cloned().unwrap_or_default())
            .collect();
        for (at, line) in lines.iter().enumerate() {
            let odd = line.iter().enumerate().find(|(_, value)| value.is_array() || value.is_object());
            if let Some((index, value)) = odd {
                let shown = text_format(value, 0);
                return Err(Refusal::invalid(format!("Invalid values[{at}][{index}]: {shown}")));
            }
            if line.iter().any(is_too_long) {
                return Err(too_long());
            }
        }
        let columns = text(body, "majorDimension") == "COLUMNS";
        let rows = if columns { transposed(&lines) } else { lines };
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        Ok(Self { width: u32::try_from(width).unwrap_or(u32::MAX), rows, columns })
    }

    /// How many rows it has.
    pub(super) fn height(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    /// How many columns its longest row has.
    pub(super) fn width(&self) -> u32 {
        self.width
    }

    /// Writes it, its first value into this cell. The cells have to be there.
    pub(super) fn write(
        &self,
        draft: &mut Draft,
        tab: usize,
        row: u32,
        column: u32,
        input: Input,
    ) -> Result<Written, Refusal> {
        let (height, width) = (self.height().max(1), self.width.max(1));
        let mut written = Written {
            tab,
            rect: Rect::new(row..row + height, column..column + width),
            rows: BTreeSet::new(),
            columns: BTreeSet::new(),
            cells: 0,
            by_columns: self.columns,
        };
        let now = draft.now;
        for (values, row) in self.rows.iter().zip(row..) {
            for (value, column) in values.iter().zip(column..) {
                if value.is_null() {
                    continue;
                }
                let kind = draft.book.tab(tab).and_then(|tab| {
                    tab.grid.cell(row, column).number_format().map(|(kind, _)| kind.to_owned())
                });
                let entered = taken(value, input, kind.as_deref(), &draft.book, now);
                if let Some(tab) = draft.book.tab_mut(tab)
                    && (entered.content != Content::Blank || !tab.grid.cell(row, column).is_blank())
                {
                    tab.grid.edit(row, column, |cell| enter(cell, entered));
                }
                written.rows.insert(row);
                written.columns.insert(column);
                written.cells += 1;
            }
        }
        Ok(written)
    }
}

/// Enters what was typed, with the format and the link that go with it.
pub(crate) fn enter(cell: &mut Cell, entered: Entered) {
    cell.enter(entered.content);
    if let Some((kind, pattern)) = entered.format
        && cell.number_format().is_none()
    {
        let format = json!({"type": kind, "pattern": pattern});
        cell.change(|extra| {
            extra.format.insert("numberFormat".into(), format);
        });
    }
    if entered.link {
        let uri = match cell.content() {
            Content::Text(text) => text.to_string(),
            _ => return,
        };
        cell.change(|extra| {
            let text = extra.format.entry("textFormat").or_insert_with(|| json!({}));
            text["link"] = json!({"uri": uri});
        });
    }
}

fn taken(value: &Value, input: Input, kind: Option<&str>, book: &Spreadsheet, now: Timestamp) -> Entered {
    let plain = |content| Entered { content, format: None, link: false };
    match value {
        Value::Bool(value) => plain(Content::Bool(*value)),
        Value::Number(value) => plain(Content::Number(value.as_f64().unwrap_or_default())),
        Value::String(text) if input == Input::UserEntered => entry::entered(text, kind, book, now),
        Value::String(text) => plain(Content::text(text)),
        _ => plain(Content::Blank),
    }
}

fn is_too_long(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.len() > MAX_CHARACTERS && text.encode_utf16().count() > MAX_CHARACTERS)
}

/// A cell would hold too much.
pub(crate) fn too_long() -> Refusal {
    Refusal::invalid(format!(
        "Your input contains more than the maximum of {MAX_CHARACTERS} characters in a single cell."
    ))
}

fn transposed(lines: &[Vec<Value>]) -> Vec<Vec<Value>> {
    let height = lines.iter().map(Vec::len).max().unwrap_or(0);
    let row = |at: usize| -> Vec<Value> {
        let last = lines.iter().rposition(|line| line.len() > at).map_or(0, |last| last + 1);
        lines.iter().take(last).map(|line| line.get(at).cloned().unwrap_or(Value::Null)).collect()
    };
    (0..height).map(row).collect()
}

impl Written {
    /// The fields of an `UpdateValuesResponse`, but for the id of the spreadsheet.
    pub(super) fn json(
        &self,
        book: &Spreadsheet,
        rendering: Option<Rendering>,
        now: Timestamp,
    ) -> Map<String, Value> {
        let count = |set: &BTreeSet<u32>| u32::try_from(set.len()).unwrap_or(u32::MAX);
        let data = rendering.map(|rendering| {
            let rendering = Rendering { columns: self.by_columns, ..rendering };
            rendering.value_range(&Calculator::new(book, now), self.tab, self.rect)
        });
        Object::new()
            .with("updatedRange", book.shown(self.tab, &self.rect.a1()))
            .count("updatedRows", count(&self.rows))
            .count("updatedColumns", count(&self.columns))
            .count("updatedCells", self.cells)
            .some("updatedData", data)
            .into_map()
    }

    /// The `UpdateValuesResponse`.
    pub(super) fn response(&self, book: &Spreadsheet, rendering: Option<Rendering>, now: Timestamp) -> Value {
        Object::new().with("spreadsheetId", book.id.as_str()).and(self.json(book, rendering, now)).into()
    }
}
