//! Widths and visibility of columns.

use super::sheet::Sheet;
use super::xml::{Edits, with_attribute};

/// Hides a column, whether the sheet says something about it or not.
pub(super) fn hide(sheet: &Sheet, column: u32, edits: &mut Edits) {
    let prefix = &sheet.prefix;
    let number = column + 1;
    let hidden = format!(
        "<{prefix}col min=\"{number}\" max=\"{number}\" width=\"9\" hidden=\"1\" customWidth=\"1\"/>"
    );
    let Some(columns) = &sheet.columns else {
        edits.insert(sheet.data.open.start, format!("<{prefix}cols>{hidden}</{prefix}cols>"));
        return;
    };
    let Some(run) = sheet.column_formats.iter().find(|run| run.last >= column) else {
        columns.append(&sheet.part, &hidden, edits);
        return;
    };
    if run.first > column {
        edits.insert(run.span.start, hidden);
        return;
    }
    let raw = sheet.part.at(&run.span);
    let part = |first: u32, last: u32| {
        let tag = with_attribute(raw, "min", &(first + 1).to_string());
        with_attribute(&tag, "max", &(last + 1).to_string())
    };
    let mut split = String::new();
    if run.first < column {
        split.push_str(&part(run.first, column - 1));
    }
    split.push_str(&with_attribute(&part(column, column), "hidden", "1"));
    if run.last > column {
        split.push_str(&part(column + 1, run.last));
    }
    edits.replace(run.span.clone(), split);
}
