//! Spreadsheets as the API shows them.

mod condition;
mod grid_data;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::a1::{Bounds, Rect};
use super::format;
use super::formula::Calculator;
use super::json::Object;
use super::metadata::{Location, Metadata};
use super::schema::Mask;
use super::shift::Axis;
use super::spreadsheet::Spreadsheet;
use super::tab::{Area, Rule, Tab};

pub(crate) use grid_data::hyperlinks;

/// What of a spreadsheet is asked for.
pub(crate) struct Wish<'a> {
    /// Only what meets one of these rectangles of the sheets; none for everything.
    pub(crate) places: Option<Vec<(usize, Rect)>>,
    /// The fields that are shown.
    pub(crate) mask: &'a Mask,
    /// The cells as well.
    pub(crate) grid_data: bool,
}

/// A spreadsheet.
pub(crate) fn spreadsheet(book: &Spreadsheet, wish: &Wish<'_>, now: Timestamp) -> Value {
    let calc = Calculator::new(book, now);
    let positions = (0..book.tabs.len())
        .filter(|at| wish.places.as_ref().is_none_or(|places| places.iter().any(|(tab, _)| tab == at)));
    let sheets = match wish.mask.at("sheets") {
        Some(mask) => positions.filter_map(|at| sheet(&calc, at, wish, mask)).collect(),
        None => Vec::new(),
    };
    let on_spreadsheet = |metadata: &&Metadata| metadata.location.sheet().is_none();
    let metadata = book.metadata.iter().filter(on_spreadsheet).map(Metadata::json);
    let mut shown = Object::new()
        .with("spreadsheetId", book.id.as_str())
        .some("properties", wish.mask.has("properties").then(|| properties(book)))
        .list("sheets", sheets)
        .list("namedRanges", book.shown_names())
        .with("spreadsheetUrl", format!("https://docs.google.com/spreadsheets/d/{}/edit", book.id))
        .list("developerMetadata", metadata.collect())
        .into();
    wish.mask.prune(&mut shown);
    shown
}

fn properties(book: &Spreadsheet) -> Value {
    Object::new()
        .with("title", book.title.as_str())
        .with("locale", book.locale.as_str())
        .with("autoRecalc", book.auto_recalc.as_str())
        .with("timeZone", book.time_zone.as_str())
        .with("defaultFormat", format::default_format().clone())
        .and(book.other.clone())
        .with("spreadsheetTheme", format::theme())
        .into()
}

/// The properties of a sheet.
pub(crate) fn sheet_properties(book: &Spreadsheet, at: usize) -> Value {
    let Some(tab) = book.tab(at) else { return json!({}) };
    let grid = Object::new()
        .with("rowCount", tab.grid.rows())
        .with("columnCount", tab.grid.columns())
        .count("frozenRowCount", tab.frozen_rows)
        .count("frozenColumnCount", tab.frozen_columns)
        .flag("hideGridlines", tab.hide_gridlines)
        .flag("rowGroupControlAfter", tab.row_control_after)
        .flag("columnGroupControlAfter", tab.column_control_after);
    Object::new()
        .with("sheetId", tab.id)
        .with("title", tab.title.as_str())
        .with("index", at)
        .with("sheetType", "GRID")
        .with("gridProperties", grid)
        .flag("hidden", tab.hidden)
        .and(tab.color.clone())
        .flag("rightToLeft", tab.right_to_left)
        .into()
}

/// Everything about a sheet but its cells.
pub(crate) fn sheet_without_cells(book: &Spreadsheet, at: usize, now: Timestamp) -> Value {
    let wish = Wish { places: None, mask: &Mask::All, grid_data: false };
    sheet(&Calculator::new(book, now), at, &wish, &Mask::All).unwrap_or_default()
}

/// A sheet; none if it is not there.
fn sheet(calc: &Calculator<'_>, at: usize, wish: &Wish<'_>, mask: &Mask) -> Option<Value> {
    let tab = calc.book().tab(at)?;
    let data = mask.at("data").filter(|_| wish.grid_data).map(|mask| data(calc, at, wish, mask));
    let wanted = |name: &str, list: Vec<Value>| if mask.has(name) { list } else { Vec::new() };
    let areas =
        |areas: &[Area], show: fn(&Area, i32) -> Value| areas.iter().map(|area| show(area, tab.id)).collect();
    let on_sheet = |metadata: &&Metadata| metadata.location == Location::Sheet(tab.id);
    let metadata = calc.book().metadata.iter().filter(on_sheet).map(Metadata::json).collect();
    let merges = tab.merges.iter().map(|merge| Bounds::from(*merge).json(tab.id)).collect();
    let rules = tab.rules.iter().map(|found| rule(found, tab.id)).collect();
    let shown = Object::new()
        .some("properties", mask.has("properties").then(|| sheet_properties(calc.book(), at)))
        .list("data", data.unwrap_or_default())
        .list("merges", wanted("merges", merges))
        .list("conditionalFormats", wanted("conditionalFormats", rules))
        .list("filterViews", wanted("filterViews", areas(&tab.filter_views, filter_view)))
        .list("protectedRanges", wanted("protectedRanges", areas(&tab.protections, protected_range)))
        .some("basicFilter", tab.filter.as_ref().map(|filter| basic_filter(filter, tab.id)))
        .list("bandedRanges", wanted("bandedRanges", areas(&tab.bandings, banded_range)))
        .list("developerMetadata", metadata)
        .list("rowGroups", groups(tab, Axis::Rows))
        .list("columnGroups", groups(tab, Axis::Columns));
    Some(shown.into())
}

fn groups(tab: &Tab, axis: Axis) -> Vec<Value> {
    tab.dims(axis).groups().iter().map(|group| group.json(axis, tab.id)).collect()
}

/// The cells of a sheet: those of each range asked for, or all.
fn data(calc: &Calculator<'_>, at: usize, wish: &Wish<'_>, mask: &Mask) -> Vec<Value> {
    let whole = calc.book().tab(at).map(|tab| tab.grid.rect());
    let rects: Vec<Rect> = match &wish.places {
        Some(places) => places.iter().filter(|(tab, _)| *tab == at).map(|(_, rect)| *rect).collect(),
        None => whole.into_iter().collect(),
    };
    rects.into_iter().map(|rect| grid_data::show(calc, at, rect, mask)).collect()
}

/// A protected range.
pub(crate) fn protected_range(area: &Area, sheet: i32) -> Value {
    let editors: &[&str] =
        if area.is_locked() { &["unprotectedRanges"] } else { &["unprotectedRanges", "editors"] };
    Object::new()
        .with("protectedRangeId", area.id)
        .with("range", area.bounds.json(sheet))
        .and(only(&area.body, &["description", "warningOnly"]))
        .flag("requestingUserCanEdit", !area.is_locked())
        .and(only(&area.body, editors))
        .into()
}

fn only(fields: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), fields.get(*name)?.clone()))).collect()
}

/// The filter of a sheet.
fn basic_filter(area: &Area, sheet: i32) -> Value {
    Object::new().with("range", area.bounds.json(sheet)).and(filter_body(area)).into()
}

/// A view of a filter.
pub(crate) fn filter_view(area: &Area, sheet: i32) -> Value {
    Object::new()
        .with("filterViewId", area.id)
        .and(only(&area.body, &["title"]))
        .with("range", area.bounds.json(sheet))
        .and(filter_body(area))
        .into()
}

/// The criteria of a filter, in both ways of writing them.
fn filter_body(area: &Area) -> Map<String, Value> {
    let specs = area.body.get("filterSpecs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let criteria: Map<String, Value> = specs
        .iter()
        .map(|spec| {
            let column = spec.get("columnIndex").and_then(Value::as_u64).unwrap_or(0);
            (column.to_string(), spec.get("filterCriteria").cloned().unwrap_or_else(|| json!({})))
        })
        .collect();
    Object::new()
        .and(only(&area.body, &["sortSpecs"]))
        .some("criteria", (!criteria.is_empty()).then_some(criteria))
        .and(only(&area.body, &["filterSpecs"]))
        .into_map()
}

/// Alternating colours.
pub(crate) fn banded_range(area: &Area, sheet: i32) -> Value {
    Object::new()
        .with("bandedRangeId", area.id)
        .with("range", area.bounds.json(sheet))
        .and(area.body.clone())
        .into()
}

/// A rule of conditional formatting.
pub(crate) fn rule(rule: &Rule, sheet: i32) -> Value {
    let ranges: Vec<Value> = rule.ranges.iter().map(|range| range.json(sheet)).collect();
    Object::new().with("ranges", ranges).and(rule.body.clone()).into()
}

#[cfg(test)]
mod tests;
