//! Ranges of values: how they are asked for by numbers, not by names, and how their answers are told apart.

use google_sheets4::api::{BatchGetValuesByDataFilterResponse, DataFilter, GridRange};
use serde_json::Value;

/// A rectangle of a tab, counted from 0, ends excluded; without an end it goes on as far as the tab does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) tab: i32,
    pub(super) rows: (u32, Option<u32>),
    pub(super) columns: (u32, Option<u32>),
}

impl Area {
    /// A whole column.
    pub(super) fn column(tab: i32, column: u32) -> Self {
        Self { tab, rows: (0, None), columns: (column, Some(column + 1)) }
    }

    /// Whole rows.
    pub(super) fn rows(tab: i32, rows: std::ops::Range<u32>) -> Self {
        Self { tab, rows: (rows.start, Some(rows.end)), columns: (0, None) }
    }

    /// As requests have it.
    pub(super) fn range(self) -> GridRange {
        let index = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        GridRange {
            sheet_id: Some(self.tab),
            start_row_index: Some(index(self.rows.0)),
            end_row_index: self.rows.1.map(index),
            start_column_index: Some(index(self.columns.0)),
            end_column_index: self.columns.1.map(index),
        }
    }

    pub(super) fn filter(self) -> DataFilter {
        DataFilter { grid_range: Some(self.range()), ..DataFilter::default() }
    }

    /// True if an answer says that it was given for this area. Zeros are left out of answers.
    fn is_of(self, filter: &DataFilter) -> bool {
        let Some(range) = &filter.grid_range else { return false };
        let number = |index: Option<i32>| index.and_then(|index| u32::try_from(index).ok());
        range.sheet_id.unwrap_or_default() == self.tab
            && number(range.start_row_index).unwrap_or_default() == self.rows.0
            && number(range.start_column_index).unwrap_or_default() == self.columns.0
            && number(range.end_row_index) == self.rows.1
            && number(range.end_column_index) == self.columns.1
    }
}

/// The texts of some areas, as they were at one moment.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<(Vec<DataFilter>, Vec<Vec<Value>>)>);

impl Values {
    pub(super) fn of(answer: BatchGetValuesByDataFilterResponse) -> Self {
        let ranges = answer.value_ranges.into_iter().flatten();
        Self(
            ranges
                .map(|matched| {
                    let values = matched.value_range.and_then(|range| range.values);
                    (matched.data_filters.unwrap_or_default(), values.unwrap_or_default())
                })
                .collect(),
        )
    }

    /// The lines (rows or columns, as they were asked for) of an area; short ones lack their blank ends.
    pub(super) fn lines(&self, area: Area) -> &[Vec<Value>] {
        let found = self.0.iter().find(|(filters, _)| filters.iter().any(|filter| area.is_of(filter)));
        found.map(|(_, lines)| lines.as_slice()).unwrap_or_default()
    }

    /// The only line of an area.
    pub(super) fn line(&self, area: Area) -> &[Value] {
        self.lines(area).first().map(Vec::as_slice).unwrap_or_default()
    }

    /// The texts of the only line of an area, which has none afterwards: long ones are not held twice.
    pub(super) fn take_line(&mut self, area: Area) -> Vec<String> {
        let found = self.0.iter_mut().find(|(filters, _)| filters.iter().any(|filter| area.is_of(filter)));
        let line = found.and_then(|(_, lines)| lines.first_mut()).map(std::mem::take);
        line.unwrap_or_default().into_iter().map(into_text).collect()
    }
}

/// A value as people read it, in its own place.
fn into_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => text(&other),
    }
}

/// A value as people read it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |n| n.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_told_apart_by_their_areas_in_any_order() {
        let answer = json!({"valueRanges": [
            {"valueRange": {"values": [["Key", "a", 7]]},
             "dataFilters": [{"gridRange": {"sheetId": 5, "startColumnIndex": 3, "endColumnIndex": 4}}]},
            {"valueRange": {}, "dataFilters": [{"gridRange": {"startColumnIndex": 3, "endColumnIndex": 4}}]},
            {"valueRange": {"values": [["x"], [], [true]]},
             "dataFilters": [{"gridRange": {"sheetId": 5, "endRowIndex": 3}}]},
        ]});
        let mut values = Values::of(serde_json::from_value(answer).unwrap());
        let line: Vec<String> = values.line(Area::column(5, 3)).iter().map(text).collect();
        assert_eq!(line, ["Key", "a", "7"]);
        assert!(values.line(Area::column(0, 3)).is_empty());
        assert!(values.line(Area::column(5, 4)).is_empty());
        assert_eq!(values.lines(Area::rows(5, 0..3)).len(), 3);
        assert_eq!(values.take_line(Area::column(5, 3)), ["Key", "a", "7"]);
        assert!(
            values.take_line(Area::column(5, 3)).is_empty()
                && values.take_line(Area::column(5, 4)).is_empty()
        );
        assert_eq!(text(&json!(1e3)), "1000");
        assert_eq!(
            (text(&json!(0.5)), text(&json!(true)), text(&json!(null))),
            ("0.5".into(), "TRUE".into(), String::new())
        );
    }
}
