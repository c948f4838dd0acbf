//! The cells of a range with all that is known of them, as far as it is asked for.

use serde_json::{Map, Value, json};

use super::condition;
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::cell::{Cell, Content, link_of};
use crate::sandbox::sheets::format;
use crate::sandbox::sheets::formula::Calculator;
use crate::sandbox::sheets::json::{Object, number};
use crate::sandbox::sheets::metadata::{Location, Metadata};
use crate::sandbox::sheets::schema::Mask;
use crate::sandbox::sheets::shift::Axis;
use crate::sandbox::sheets::tab::Tab;
use crate::sandbox::sheets::value::Scalar;
use crate::sandbox::sheets::values;

/// The size of a row and of a column that nobody has changed, in pixels.
const SIZES: [u32; 2] = [21, 100];

/// The `GridData` of a rectangle. What is blank at its ends is left out.
pub(super) fn show(calc: &Calculator<'_>, at: usize, rect: Rect, mask: &Mask) -> Value {
    let Some(tab) = calc.book().tab(at) else { return json!({}) };
    let cells = mask.at("rowData").and_then(|mask| mask.at("values"));
    let rows = cells.map(|mask| row_data(calc, at, tab, rect, mask)).unwrap_or_default();
    let dims = |name: &str, axis: Axis| match mask.at(name) {
        Some(mask) => dimensions(calc, tab, axis, rect, mask),
        None => Vec::new(),
    };
    let mut data = Object::new()
        .count("startRow", rect.top)
        .count("startColumn", rect.left)
        .list("rowData", rows)
        .list("rowMetadata", dims("rowMetadata", Axis::Rows))
        .list("columnMetadata", dims("columnMetadata", Axis::Columns))
        .into();
    mask.prune(&mut data);
    data
}

fn row_data(calc: &Calculator<'_>, at: usize, tab: &Tab, rect: Rect, mask: &Mask) -> Vec<Value> {
    let mut rows = Vec::new();
    let dressed = has_dress(tab, rect, mask);
    let last = if dressed { rect.bottom } else { rect.bottom.min(tab.grid.kept_rows()) };
    for row in rect.top..last.max(rect.top) {
        let mut cells: Vec<Value> = Vec::new();
        for column in rect.columns() {
            let shown = cell_data(calc, (at, row, column), tab.grid.cell(row, column), mask, dressed);
            cells.push(Value::Object(shown));
        }
        while cells.last().is_some_and(|cell| cell.as_object().is_some_and(Map::is_empty)) {
            cells.pop();
        }
        rows.push(Object::new().list("values", cells).into());
    }
    while rows.last().is_some_and(|row: &Value| row.as_object().is_some_and(Map::is_empty)) {
        rows.pop();
    }
    rows
}

/// True if cells may look different without having anything of their own.
fn has_dress(tab: &Tab, rect: Rect, mask: &Mask) -> bool {
    let meets = |bounds| tab.clip(bounds).meet(rect).is_some();
    mask.has("effectiveFormat")
        && (tab.rules.iter().flat_map(|rule| &rule.ranges).any(|range| meets(*range))
            || tab.bandings.iter().any(|area| meets(area.bounds)))
}

/// The `CellData` of a cell, as far as the mask goes.
fn cell_data(
    calc: &Calculator<'_>,
    key: (usize, u32, u32),
    cell: &Cell,
    mask: &Mask,
    dressed: bool,
) -> Map<String, Value> {
    if cell.is_void() && !dressed {
        return Map::new();
    }
    let extra = cell.extra();
    let value = if cell.is_blank() { None } else { Some(calc.value(key)) };
    let effective = value.as_ref().filter(|_| mask.has("effectiveValue")).and_then(|value| value.extended());
    let shown = value.as_ref().filter(|_| mask.has("formattedValue"));
    let shown = shown.map(|value| values::shown(calc, key, cell, value)).filter(|text| !text.is_empty());
    let link = if mask.has("hyperlink") { single_link(calc, key, cell) } else { None };
    let format = Some(&extra.format).filter(|format| !format.is_empty());
    let mut data = Object::new()
        .some("userEnteredValue", cell.content().extended())
        .some("effectiveValue", effective)
        .some("formattedValue", shown)
        .some("userEnteredFormat", format.cloned())
        .some(
            "effectiveFormat",
            mask.has("effectiveFormat").then(|| effective_format(calc, key, cell)).flatten(),
        )
        .some("hyperlink", link)
        .text("note", &extra.note)
        .list("textFormatRuns", extra.runs.clone())
        .some("dataValidation", extra.validation.clone())
        .into();
    mask.prune(&mut data);
    match data {
        Value::Object(data) => data,
        _ => Map::new(),
    }
}

/// The format that holds; none if it is the default one. A blank cell without a format has none.
fn effective_format(calc: &Calculator<'_>, key: (usize, u32, u32), cell: &Cell) -> Option<Value> {
    let tab = calc.book().tab(key.0)?;
    let banding = condition::banding(tab, key.1, key.2);
    let taken = calc.format(key).filter(|_| cell.number_format().is_none());
    let taken = taken.map(|(kind, pattern)| {
        let pattern = if pattern.is_empty() { calc.book().locale().pattern(&kind) } else { pattern };
        Object::new().with("numberFormat", json!({"type": kind, "pattern": pattern})).into_map()
    });
    let rule = condition::rule_format(calc, key);
    if cell.is_void() && banding.is_none() && rule.is_none() {
        return None;
    }
    let layers: Vec<&Map<String, Value>> =
        [banding.as_ref(), taken.as_ref(), Some(&cell.extra().format), rule.as_ref()]
            .into_iter()
            .flatten()
            .collect();
    let mut format = format::effective(&layers);
    if !cell.is_blank() {
        align(&mut format, calc, key, cell);
    }
    if let Some(Value::Object(number)) = format.get_mut("numberFormat")
        && number.get("pattern").and_then(Value::as_str).unwrap_or_default().is_empty()
    {
        let pattern =
            calc.book().locale().pattern(number.get("type").and_then(Value::as_str).unwrap_or_default());
        if !pattern.is_empty() {
            number.insert("pattern".into(), pattern.into());
        }
    }
    if format == *format::default_format() && cell.is_blank() { None } else { Some(format) }
}

/// What nobody has said about the looks of a value: numbers stand right, and links look like links.
fn align(format: &mut Value, calc: &Calculator<'_>, key: (usize, u32, u32), cell: &Cell) {
    let side = match calc.value(key) {
        Scalar::Number(_) => "RIGHT",
        Scalar::Bool(_) | Scalar::Error(_) => "CENTER",
        _ => "LEFT",
    };
    let linked = !hyperlinks(calc, key, cell).is_empty();
    if let Some(fields) = format.as_object_mut() {
        fields.entry("horizontalAlignment").or_insert(side.into());
        let display = if linked { "LINKED" } else { "PLAIN_TEXT" };
        fields.entry("hyperlinkDisplayType").or_insert(display.into());
    }
}

/// The link of a cell; none if it has several or none.
fn single_link(calc: &Calculator<'_>, key: (usize, u32, u32), cell: &Cell) -> Option<String> {
    let links = hyperlinks(calc, key, cell);
    match links.as_slice() {
        [(_, _, uri)] => Some(uri.clone()),
        _ => None,
    }
}

/// All links of a cell: where each begins and ends in its text, in UTF-16, and where it leads.
pub(crate) fn hyperlinks(
    calc: &Calculator<'_>,
    key: (usize, u32, u32),
    cell: &Cell,
) -> Vec<(usize, usize, String)> {
    let length = || match calc.value(key) {
        Scalar::Blank => 0,
        value => values::shown(calc, key, cell, &value).encode_utf16().count(),
    };
    if let Some(uri) = calc.link(key) {
        return vec![(0, length(), uri)];
    }
    let runs = &cell.extra().runs;
    let start = |run: &Value| run.get("startIndex").and_then(Value::as_u64).map_or(0, |start| start as usize);
    let Content::Text(_) = cell.content() else {
        return cell.cell_link().map(|uri| (0, length(), uri.to_owned())).into_iter().collect();
    };
    let mut links: Vec<(usize, usize, String)> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        let Some(uri) = link_of(run.get("format")) else { continue };
        let (from, to) = (start(run), runs.get(at + 1).map_or_else(length, start));
        match links.last_mut() {
            Some((_, end, before)) if *end == from && before == uri => *end = to,
            _ => links.push((from, to, uri.to_owned())),
        }
    }
    if links.is_empty() {
        links.extend(cell.cell_link().map(|uri| (0, length(), uri.to_owned())));
    }
    links
}

fn dimensions(calc: &Calculator<'_>, tab: &Tab, axis: Axis, rect: Rect, mask: &Mask) -> Vec<Value> {
    let [row, column] = SIZES;
    let default = if axis == Axis::Rows { row } else { column };
    let filtered = if axis == Axis::Rows && mask.has("hiddenByFilter") {
        condition::filtered_rows(calc, tab)
    } else {
        Default::default()
    };
    let attached = |index: u32| -> Vec<Value> {
        let place = Location::Line(tab.id, axis, index);
        calc.book()
            .metadata
            .iter()
            .filter(|metadata| metadata.location == place)
            .map(Metadata::json)
            .collect()
    };
    axis.of_rect(rect)
        .map(|index| {
            let dim = tab.dims(axis).get(index);
            Object::new()
                .flag("hiddenByFilter", filtered.contains(&index))
                .flag("hiddenByUser", dim.hidden)
                .with("pixelSize", number(f64::from(dim.size.unwrap_or(default))))
                .list("developerMetadata", attached(index))
                .into()
        })
        .collect()
}
