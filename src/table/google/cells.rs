//! Cells of a grid as the rest of the program knows them.

use google_sheets4::api::{CellData, ErrorValue};
use jiff::ToSpan as _;
use jiff::civil::{Date, date};

use crate::domain::cell::Cell;

/// The fields of a grid that [`cell`] reads.
pub(super) const CELL_FIELDS: &str = "rowData(values(effectiveValue,effectiveFormat(numberFormat(type))))";

/// A cell with its type: dates are numbers that are shown as dates, formulas count as what they give.
pub(super) fn cell(data: CellData) -> Cell {
    let Some(value) = data.effective_value else { return Cell::Empty };
    if let Some(text) = value.string_value {
        return if text.is_empty() { Cell::Empty } else { Cell::Text(text) };
    }
    if let Some(number) = value.number_value {
        let format =
            data.effective_format.and_then(|format| format.number_format).and_then(|form| form.type_);
        let is_date = matches!(format.as_deref(), Some("DATE" | "DATE_TIME"));
        return match serial_date(number).filter(|_| is_date) {
            Some(date) => Cell::Date(date),
            None => Cell::Number(number),
        };
    }
    if let Some(value) = value.bool_value {
        return Cell::Bool(value);
    }
    value.error_value.map_or(Cell::Empty, |error| Cell::Error(error_name(&error).to_owned()))
}

/// The day of a serial number: days since 30 December 1899
/// (<https://developers.google.com/workspace/sheets/api/guides/concepts#datetime_serial_numbers>).
fn serial_date(serial: f64) -> Option<Date> {
    const LAST: f64 = 2_958_465.0; // 31 December 9999
    let days = serial.floor();
    if !(0.0..=LAST).contains(&days) {
        return None;
    }
    date(1899, 12, 30).checked_add((days as i64).days()).ok()
}

/// An error as the cell shows it.
fn error_name(error: &ErrorValue) -> &'static str {
    match error.type_.as_deref().unwrap_or_default() {
        "NULL_VALUE" => "#NULL!",
        "DIVIDE_BY_ZERO" => "#DIV/0!",
        "VALUE" => "#VALUE!",
        "REF" => "#REF!",
        "NAME" => "#NAME?",
        "NUM" => "#NUM!",
        "N_A" => "#N/A",
        "LOADING" => "Loading...",
        _ => "#ERROR!",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(json: serde_json::Value) -> Cell {
        cell(serde_json::from_value(json).unwrap())
    }

    #[test]
    fn cells_keep_their_types() {
        let dated = |number: f64, form: &str| {
            of(
                json!({"effectiveValue": {"numberValue": number}, "effectiveFormat": {"numberFormat": {"type": form}}}),
            )
        };
        for (json, expected) in [
            (json!({}), Cell::Empty),
            (json!({"effectiveValue": {"stringValue": " a "}}), Cell::Text(" a ".into())),
            (json!({"effectiveValue": {"stringValue": ""}}), Cell::Empty),
            (json!({"effectiveValue": {"stringValue": "#N/A"}}), Cell::Text("#N/A".into())),
            (json!({"effectiveValue": {"numberValue": 7}}), Cell::Number(7.0)),
            (json!({"effectiveValue": {"boolValue": false}}), Cell::Bool(false)),
            (json!({"effectiveValue": {"errorValue": {"type": "N_A"}}}), Cell::Error("#N/A".into())),
            (json!({"effectiveValue": {"errorValue": {"type": "NEW"}}}), Cell::Error("#ERROR!".into())),
        ] {
            assert_eq!(of(json.clone()), expected, "{json}");
        }
        assert_eq!(dated(43831.0, "DATE"), Cell::Date(date(2020, 1, 1)));
        assert_eq!(dated(36162.75, "DATE_TIME"), Cell::Date(date(1999, 1, 2)));
        assert_eq!(dated(0.0, "DATE"), Cell::Date(date(1899, 12, 30)));
        assert_eq!(dated(43831.0, "NUMBER"), Cell::Number(43831.0));
        assert_eq!(dated(0.5, "TIME"), Cell::Number(0.5));
        assert_eq!(dated(-1.0, "DATE"), Cell::Number(-1.0));
        assert_eq!(dated(f64::MAX, "DATE"), Cell::Number(f64::MAX));
    }
}
