//! Writes fields of cells.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::request::{
    Fields, Reply, cells, grid, index, integer, mask, object, objects, sheet, tab, tab_mut, text,
};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::cell::{Cell, Content, MAX_CHARACTERS, link_of};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::entry;
use crate::sandbox::sheets::format::{color_pair, complete_colors};
use crate::sandbox::sheets::formula::{Formula, rewritten};
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::schema::Mask;
use crate::sandbox::sheets::shift::Axis;
use crate::sandbox::sheets::spreadsheet::Spreadsheet;
use crate::sandbox::sheets::value::ErrorKind;
use crate::sandbox::sheets::values::too_long;

/// `updateCells`: cells of the range that no row covers lose the fields.
pub(super) fn update(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = cell_mask(request)?;
    let (at, rect, start) = match object(request, "start") {
        Some(start) => {
            let at = grid(draft, start)?;
            let (row, column) =
                (index(start, "rowIndex")?.unwrap_or(0), index(start, "columnIndex")?.unwrap_or(0));
            let grid = &tab(draft, at)?.grid;
            for (name, index, size) in [("row", row, grid.rows()), ("column", column, grid.columns())] {
                if index >= size {
                    return Err(Refusal::invalid(format!(
                        "GridCoordinate.{name}Index[{index}] is after last {name} in grid[{}]",
                        size.saturating_sub(1)
                    )));
                }
            }
            (at, Rect::new(row..grid.rows(), column..grid.columns()), true)
        }
        None => {
            let (at, rect) = cells(draft, request, "range")?;
            (at, rect, false)
        }
    };
    write_rows(draft, at, rect, request, &mask)?;
    if !start {
        clear_rest(draft, at, rect, request, &mask)?;
    }
    Ok(None)
}

/// `appendCells`: below the last row that has something entered.
pub(super) fn append(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = cell_mask(request)?;
    let at = sheet(draft, integer(request, "sheetId").unwrap_or(0))?;
    let count = u32::try_from(objects(request, "rows").count()).unwrap_or(u32::MAX);
    let grid = &tab(draft, at)?.grid;
    let first = grid.last_row().map_or(0, |row| row + 1);
    let (rows, columns) = (grid.rows(), grid.columns());
    if first + count > rows {
        draft.book.check_room(at, Axis::Rows, first + count - rows)?;
        tab_mut(draft, at)?.grid.resize(first + count, columns);
    }
    write_rows(draft, at, Rect::new(first..first + count, 0..columns), request, &mask)?;
    Ok(None)
}

/// `repeatCell`: the same cell everywhere; references of a formula go along.
pub(super) fn repeat(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = cell_mask(request)?;
    let (at, rect) = cells(draft, request, "range")?;
    let nothing = Map::new();
    let data = NewCell::read(object(request, "cell").unwrap_or(&nothing), &mask, &draft.book)?;
    if data.is_empty() {
        tab_mut(draft, at)?.grid.edit_kept(rect, |_, _, cell| data.write(cell, &mask, None));
        return Ok(None);
    }
    let tab = tab_mut(draft, at)?;
    for (row, column) in rect.cells() {
        let by = (i64::from(row) - i64::from(rect.top), i64::from(column) - i64::from(rect.left));
        tab.grid.edit(row, column, |cell| data.write(cell, &mask, Some(by)));
    }
    Ok(None)
}

fn write_rows(
    draft: &mut Draft,
    at: usize,
    rect: Rect,
    request: &Fields,
    mask: &Mask,
) -> Result<(), Refusal> {
    for (line, row) in objects(request, "rows").zip(rect.top..) {
        if row >= rect.bottom {
            return Err(beyond("row", row, rect.bottom));
        }
        let data = line.get("values").and_then(Value::as_array).into_iter().flatten();
        for (data, column) in data.filter_map(Value::as_object).zip(rect.left..) {
            if column >= rect.right {
                return Err(beyond("column", column, rect.right));
            }
            let data = NewCell::read(data, mask, &draft.book)?;
            let grid = &mut tab_mut(draft, at)?.grid;
            if !data.is_empty() || !grid.cell(row, column).is_void() {
                grid.edit(row, column, |cell| data.write(cell, mask, None));
            }
        }
    }
    Ok(())
}

fn beyond(what: &str, index: u32, end: u32) -> Refusal {
    let last = end.saturating_sub(1);
    Refusal::invalid(format!(
        "Attempting to write {what}: {index}, beyond the last requested {what} of: {last}"
    ))
}

/// Clears the fields in the cells that the rows of the request leave out.
fn clear_rest(
    draft: &mut Draft,
    at: usize,
    rect: Rect,
    request: &Fields,
    mask: &Mask,
) -> Result<(), Refusal> {
    let widths: Vec<u32> = objects(request, "rows")
        .map(|row| row.get("values").and_then(Value::as_array).map_or(0, |values| values.len() as u32))
        .collect();
    let nothing = NewCell::read(&Map::new(), mask, &draft.book)?;
    tab_mut(draft, at)?.grid.edit_kept(rect, |row, column, cell| {
        let covered = widths.get((row - rect.top) as usize).is_some_and(|width| column - rect.left < *width);
        if !covered {
            nothing.write(cell, mask, None);
        }
    });
    Ok(())
}

/// The fields of a cell that are to be written. A field of a colour stands for both of its spellings.
fn cell_mask(request: &Fields) -> Result<Mask, Refusal> {
    Ok(with_color_pairs(mask(request, "CellData")?))
}

/// A mask that names both spellings of each colour it names.
pub(super) fn with_color_pairs(mask: Mask) -> Mask {
    let Mask::Fields(fields) = mask else { return mask };
    let mut paired: Vec<(String, Mask)> = Vec::new();
    for (name, inner) in fields {
        match color_pair(&name) {
            Some((plain, style)) => {
                for name in [plain, style] {
                    if !paired.iter().any(|(other, _)| *other == name) {
                        paired.push((name, Mask::All));
                    }
                }
            }
            None => paired.push((name, with_color_pairs(inner))),
        }
    }
    Mask::Fields(paired)
}

/// What is to be written into a cell.
struct NewCell {
    content: Content,
    format: Map<String, Value>,
    runs: Vec<Value>,
    note: String,
    validation: Option<Value>,
}

/// Fields that the API only gives, so that writing them does nothing.
const UNSERVED: [&str; 4] = ["pivotTable", "dataSourceTable", "dataSourceFormula", "chipRuns"];

impl NewCell {
    fn read(data: &Fields, mask: &Mask, book: &Spreadsheet) -> Result<Self, Refusal> {
        if let Some(name) = UNSERVED.iter().find(|name| data.contains_key(**name) && mask.has(name)) {
            return Err(Refusal::not_modelled(name));
        }
        let content = match object(data, "userEnteredValue").filter(|_| mask.has("userEnteredValue")) {
            Some(value) => entered(value, book)?,
            None => Content::Blank,
        };
        let mut format = Value::Object(object(data, "userEnteredFormat").cloned().unwrap_or_default());
        complete_colors(&mut format);
        let runs = if mask.has("textFormatRuns") { read_runs(data)? } else { Vec::new() };
        if let (Some(last), Content::Text(text)) = (runs.last(), &content)
            && mask.has("userEnteredValue")
        {
            let start = last.get("startIndex").and_then(Value::as_u64).unwrap_or(0);
            if start >= text.encode_utf16().count() as u64 {
                return Err(Refusal::invalid("A text format run must start inside of the text."));
            }
        }
        if !runs.is_empty() && mask.has("userEnteredValue") && !matches!(content, Content::Text(_)) {
            return Err(Refusal::invalid("Text format runs are only valid on strings that were entered."));
        }
        Ok(Self {
            content,
            format: format.as_object().cloned().unwrap_or_default(),
            runs,
            note: text(data, "note").to_owned(),
            validation: data.get("dataValidation").cloned(),
        })
    }

    fn is_empty(&self) -> bool {
        self.content == Content::Blank
            && self.format.is_empty()
            && self.runs.is_empty()
            && self.note.is_empty()
            && self.validation.is_none()
    }

    /// Writes what the mask says; `by` is how far a formula has gone from where it was written for.
    fn write(&self, cell: &mut Cell, mask: &Mask, by: Option<(i64, i64)>) {
        if mask.has("userEnteredValue") {
            cell.enter(match &self.content {
                Content::Formula(formula) => Content::Formula(copied(formula, by.unwrap_or_default())),
                content => content.clone(),
            });
        }
        let is_text = matches!(cell.content(), Content::Text(_));
        cell.change(|extra| {
            if let Some(mask) = mask.at("userEnteredFormat") {
                mask.write(&mut extra.format, &self.format);
            }
            if mask.has("textFormatRuns") {
                extra.runs.clone_from(if is_text { &self.runs } else { const { &Vec::new() } });
                if extra.runs.iter().any(|run| link_of(run.get("format")).is_some())
                    && let Some(Value::Object(format)) = extra.format.get_mut("textFormat")
                    && !(mask.has("userEnteredFormat") && self.format.contains_key("textFormat"))
                {
                    format.shift_remove("link");
                }
            }
            if mask.has("note") {
                extra.note.clone_from(&self.note);
            }
            if mask.has("dataValidation") {
                extra.validation.clone_from(&self.validation);
            }
        });
    }
}

/// A formula as it is after it was copied that far.
pub(super) fn copied(formula: &Arc<Formula>, (down, right): (i64, i64)) -> Arc<Formula> {
    if (down, right) == (0, 0) {
        return Arc::clone(formula);
    }
    let text = rewritten(formula.text(), formula.decimal_comma(), |reference| reference.copied(down, right));
    text.map_or_else(|| Arc::clone(formula), |text| Arc::new(Formula::new(&text, formula.decimal_comma())))
}

/// The content that an `ExtendedValue` stands for. Nothing is parsed but formulas.
fn entered(value: &Fields, book: &Spreadsheet) -> Result<Content, Refusal> {
    if let Some(text) = value.get("stringValue").or_else(|| value.get("formulaValue")).and_then(Value::as_str)
        && text.len() > MAX_CHARACTERS
        && text.encode_utf16().count() > MAX_CHARACTERS
    {
        return Err(too_long());
    }
    Ok(match value.iter().next().map(|(name, value)| (name.as_str(), value)) {
        Some(("numberValue", value)) => Content::Number(value.as_f64().unwrap_or_default()),
        Some(("boolValue", value)) => Content::Bool(value.as_bool().unwrap_or_default()),
        Some(("stringValue", value)) => Content::text(value.as_str().unwrap_or_default()),
        Some(("formulaValue", value)) => entry::formula(value.as_str().unwrap_or_default(), book),
        Some(("errorValue", value)) => {
            let kind = value.get("type").and_then(Value::as_str).and_then(ErrorKind::of_api_name);
            Content::Error(kind.unwrap_or(ErrorKind::Error))
        }
        _ => Content::Blank,
    })
}

/// The runs of a cell in order. A link is underlined and has its own colour unless it says otherwise.
fn read_runs(data: &Fields) -> Result<Vec<Value>, Refusal> {
    let mut runs: Vec<Value> = objects(data, "textFormatRuns").cloned().map(Value::Object).collect();
    let start = |run: &Value| run.get("startIndex").and_then(Value::as_i64).unwrap_or(0);
    if runs.iter().any(|run| start(run) < 0) {
        return Err(Refusal::invalid("TextFormatRun.startIndex must be >= 0"));
    }
    runs.sort_by_key(start);
    for run in &mut runs {
        if link_of(run.get("format")).is_some()
            && let Some(Value::Object(format)) = run.get_mut("format")
        {
            if !format.contains_key("foregroundColor") && !format.contains_key("foregroundColorStyle") {
                format.insert("foregroundColorStyle".into(), json!({"themeColor": "LINK"}));
            }
            format.entry("underline").or_insert(Value::Bool(true));
        }
        complete_colors(run);
    }
    Ok(runs)
}
