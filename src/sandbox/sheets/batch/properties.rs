//! Changes the properties of sheets and of the spreadsheet.

use serde_json::{Map, Value};

use super::request::{Fields, Reply, flag, index, integer, mask, sheet, tab, tab_mut, text};
use super::sheets::{check_grid, check_title, properties};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::format::complete_colors;
use crate::sandbox::sheets::formula::Reference;
use crate::sandbox::sheets::lines;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::schema::Mask;
use crate::sandbox::sheets::shift::Axis;
use crate::sandbox::sheets::spreadsheet::time_zone;

/// `updateSheetProperties`
pub(super) fn update_sheet(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = mask(request, "SheetProperties")?;
    let properties = properties(request)?;
    let mut at = sheet(draft, integer(properties, "sheetId").unwrap_or(0))?;
    let listed = mask != Mask::All;
    if mask.has("title") && (listed || properties.contains_key("title")) {
        rename(draft, at, text(properties, "title"))?;
    }
    if mask.has("hidden") {
        hide(draft, at, flag(properties, "hidden"))?;
    }
    if mask.has("rightToLeft") {
        tab_mut(draft, at)?.right_to_left = flag(properties, "rightToLeft");
    }
    if mask.has("tabColor") || mask.has("tabColorStyle") {
        let mut color = Map::new();
        for name in ["tabColor", "tabColorStyle"] {
            if let Some(value) = properties.get(name).filter(|_| mask.has(name)) {
                color.insert(name.to_owned(), value.clone());
            }
        }
        let mut color = Value::Object(color);
        complete_colors(&mut color);
        tab_mut(draft, at)?.color = color.as_object().cloned().unwrap_or_default();
    }
    if mask.has("index") && (listed || properties.contains_key("index")) {
        at = reorder(draft, at, index(properties, "index")?.unwrap_or(0));
    }
    if let Some(mask) = mask.at("gridProperties") {
        let nothing = Map::new();
        let grid = properties.get("gridProperties").and_then(Value::as_object).unwrap_or(&nothing);
        update_grid(draft, at, grid, mask)?;
    }
    Ok(None)
}

fn rename(draft: &mut Draft, at: usize, title: &str) -> Result<(), Refusal> {
    if title.is_empty() {
        return Err(Refusal::invalid("The sheet name cannot be empty."));
    }
    check_title(&draft.book, title, Some(at))?;
    let old = std::mem::replace(&mut tab_mut(draft, at)?.title, title.to_owned());
    let renamed = |mut reference: Reference| {
        if reference.title.is_some() {
            reference.title = Some(title.to_owned());
        }
        Some(reference)
    };
    lines::rewrite_formulas(&mut draft.book, &old, renamed);
    Ok(())
}

fn hide(draft: &mut Draft, at: usize, hidden: bool) -> Result<(), Refusal> {
    let visible = draft.book.tabs.iter().enumerate().any(|(other, tab)| other != at && !tab.hidden);
    if hidden && !visible {
        return Err(Refusal::invalid("You can't hide all the sheets in a document."));
    }
    tab_mut(draft, at)?.hidden = hidden;
    Ok(())
}

/// Moves a sheet before the one at an index, counted before it moves; gives where it is then.
fn reorder(draft: &mut Draft, at: usize, to: u32) -> usize {
    let to = (to as usize).min(draft.book.tabs.len());
    let to = if to > at { to - 1 } else { to };
    if to != at {
        let tab = draft.book.tabs.remove(at);
        draft.book.tabs.insert(to, tab);
    }
    to
}

fn update_grid(draft: &mut Draft, at: usize, grid: &Fields, mask: &Mask) -> Result<(), Refusal> {
    let listed = |name: &str| mask.has(name) && (*mask != Mask::All || grid.contains_key(name));
    let size = |axis| tab(draft, at).map(|tab| tab.grid.size(axis));
    let rows = if listed("rowCount") { index(grid, "rowCount")?.unwrap_or(0) } else { size(Axis::Rows)? };
    let columns =
        if listed("columnCount") { index(grid, "columnCount")?.unwrap_or(0) } else { size(Axis::Columns)? };
    check_grid(rows, columns)?;
    for (axis, size) in [(Axis::Rows, rows), (Axis::Columns, columns)] {
        resize(draft, at, axis, size)?;
    }
    draft.book.check_size()?;
    let tab = tab_mut(draft, at)?;
    for (axis, name) in [(Axis::Rows, "frozenRowCount"), (Axis::Columns, "frozenColumnCount")] {
        if mask.has(name) {
            *tab.frozen(axis) = index(grid, name)?.unwrap_or(0);
        }
        let size = tab.grid.size(axis);
        if *tab.frozen(axis) >= size && *tab.frozen(axis) > 0 {
            let what = axis.one();
            return Err(Refusal::invalid(format!("You can't freeze all visible {what}s on the sheet.")));
        }
    }
    for (name, flag_of) in [
        ("hideGridlines", &mut tab.hide_gridlines),
        ("rowGroupControlAfter", &mut tab.row_control_after),
        ("columnGroupControlAfter", &mut tab.column_control_after),
    ] {
        if mask.has(name) {
            *flag_of = flag(grid, name);
        }
    }
    Ok(())
}

/// Makes a sheet longer or wider, or cuts it with all that is on what goes.
pub(super) fn resize(draft: &mut Draft, at: usize, axis: Axis, size: u32) -> Result<(), Refusal> {
    let tab = tab_mut(draft, at)?;
    let old = tab.grid.size(axis);
    if size < old {
        lines::delete(draft, at, axis, size..old);
    } else if size > old {
        let (rows, columns) = (tab.grid.rows(), tab.grid.columns());
        match axis {
            Axis::Rows => tab.grid.resize(size, columns),
            Axis::Columns => tab.grid.resize(rows, size),
        }
    }
    Ok(())
}

/// `updateSpreadsheetProperties`
pub(super) fn update_spreadsheet(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = mask(request, "SpreadsheetProperties")?;
    set_properties(draft, properties(request)?, &mask)?;
    Ok(None)
}

/// Sets properties of the spreadsheet.
pub(crate) fn set_properties(draft: &mut Draft, properties: &Fields, mask: &Mask) -> Result<(), Refusal> {
    let listed = |name: &str| mask.has(name) && (*mask != Mask::All || properties.contains_key(name));
    let given = |name: &str| listed(name).then(|| text(properties, name));
    let book = &mut draft.book;
    if let Some(title) = given("title") {
        if title.is_empty() {
            return Err(Refusal::invalid("The title of a spreadsheet cannot be empty."));
        }
        title.clone_into(&mut book.title);
    }
    if let Some(locale) = given("locale") {
        if !is_locale(locale) {
            return Err(Refusal::invalid(format!("Unsupported locale: {locale}")));
        }
        locale.clone_into(&mut book.locale);
    }
    if let Some(zone) = given("timeZone") {
        if time_zone(zone).is_none() {
            return Err(Refusal::invalid(format!("Invalid time zone: {zone}")));
        }
        zone.clone_into(&mut book.time_zone);
    }
    if let Some(interval) = given("autoRecalc").filter(|interval| !interval.is_empty()) {
        interval.clone_into(&mut book.auto_recalc);
    }
    for name in ["iterativeCalculationSettings", "importFunctionsExternalUrlAccessAllowed"] {
        if listed(name) {
            match properties.get(name) {
                Some(value) => book.other.insert(name.to_owned(), value.clone()),
                None => book.other.shift_remove(name),
            };
        }
    }
    Ok(())
}

/// True for `en`, `fil`, `en_US`.
fn is_locale(name: &str) -> bool {
    let (language, country) = name.split_once('_').map_or((name, None), |(first, last)| (first, Some(last)));
    let letters = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    letters(language, 2..=3) && country.is_none_or(|country| letters(country, 2..=3))
}
