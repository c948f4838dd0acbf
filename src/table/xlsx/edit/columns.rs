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
    let tag = match raw.split_once('>') {
        Some((tag, _)) => format!("{}/>", tag.trim_end_matches('/')),
        None => raw.to_owned(),
    };
    let part = |first: u32, last: u32| {
        let tag = with_attribute(&tag, "min", &(first + 1).to_string());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::xlsx::edit::strings::SharedTexts;
    use crate::table::xlsx::edit::xml::Part;

    fn hidden(columns: &str, column: u32) -> String {
        let xml = format!("<worksheet>{columns}<sheetData/></worksheet>");
        let mut part = Part { name: "sheet".into(), xml };
        let sheet = Sheet::new(part.clone(), SharedTexts::default()).unwrap();
        let mut edits = Edits::default();
        hide(&sheet, column, &mut edits);
        part.apply(edits).unwrap();
        part.xml
            .strip_prefix("<worksheet>")
            .unwrap()
            .strip_suffix("<sheetData/></worksheet>")
            .unwrap()
            .to_owned()
    }

    #[test]
    fn one_column_is_hidden_and_the_others_stay() {
        let new = "<col min=\"3\" max=\"3\" width=\"9\" hidden=\"1\" customWidth=\"1\"/>";
        for (columns, expected) in [
            ("", format!("<cols>{new}</cols>")),
            ("<cols/>", format!("<cols>{new}</cols>")),
            ("<cols><col min=\"1\" max=\"2\"/></cols>", format!("<cols><col min=\"1\" max=\"2\"/>{new}</cols>")),
            ("<cols><col min=\"4\" max=\"9\"/></cols>", format!("<cols>{new}<col min=\"4\" max=\"9\"/></cols>")),
            ("<cols><col min=\"3\" max=\"3\" style=\"7\"></col></cols>",
                "<cols><col min=\"3\" max=\"3\" style=\"7\" hidden=\"1\"/></cols>".to_owned()),
            ("<cols><col min=\"2\" max=\"16384\" width=\"5\"/></cols>",
                "<cols><col min=\"2\" max=\"2\" width=\"5\"/><col min=\"3\" max=\"3\" width=\"5\" hidden=\"1\"/>\
                 <col min=\"4\" max=\"16384\" width=\"5\"/></cols>".to_owned()),
        ] {
            assert_eq!(hidden(columns, 2), expected);
        }
    }
}
