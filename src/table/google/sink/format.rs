//! How a results tab looks: applied once, when the program makes a tab or takes one over, and people's own from then
//! on. Pure.

use google_sheets4::api::Request;
use serde_json::{Value, json};

use super::requests::request;
use super::survey::MARK;
use super::write::stretches;
use crate::domain::language::Language;
use crate::domain::results::{IsValid, ResultColumn};
use crate::table::google::values::Area;
use crate::table::places::Places;

/// A tab that is to be formatted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks<'a> {
    pub(super) tab: i32,
    /// The name that the settings have for it.
    pub(super) name: &'a str,
    pub(super) header_row: u32,
    pub(super) places: &'a Places,
    pub(super) language: Language,
}

impl Looks<'_> {
    /// A tab that was made just now, or that is blank.
    pub(super) fn of_new(&self) -> Vec<Request> {
        let mut list = vec![
            request(&json!({"updateSheetProperties": {
                "properties": {"sheetId": self.tab, "gridProperties": {"frozenRowCount": self.header_row + 1}},
                "fields": "gridProperties.frozenRowCount",
            }})),
            self.format(
                (self.header_row, Some(self.header_row + 1)),
                (0, Some(self.width())),
                &json!({
                    "textFormat": {"bold": true},
                    "backgroundColorStyle": {"rgbColor": {"red": 0.91, "green": 0.93, "blue": 0.96}},
                    "wrapStrategy": "WRAP",
                    "verticalAlignment": "MIDDLE",
                }),
                "textFormat.bold,backgroundColorStyle,wrapStrategy,verticalAlignment",
            ),
            request(&json!({"setBasicFilter": {"filter": {"range": self.table()}}})),
        ];
        for (column, place) in self.columns() {
            let wrap = if is_prose(column) { "WRAP" } else { "CLIP" };
            list.push(self.format(
                (self.header_row + 1, None),
                (place, Some(place + 1)),
                &json!({"wrapStrategy": wrap, "verticalAlignment": "TOP"}),
                "wrapStrategy,verticalAlignment",
            ));
            list.push(self.dimension(place, &json!({"pixelSize": width(column)}), "pixelSize"));
        }
        list.extend(self.colours());
        list.extend(self.of_any());
        list.extend(self.protection());
        list
    }

    /// What every results tab gets, whoever made it: our key out of sight, and the mark that it is ours.
    pub(super) fn of_any(&self) -> Vec<Request> {
        let key = self.columns().find(|(column, _)| *column == ResultColumn::Key);
        let hidden =
            key.map(|(_, place)| self.dimension(place, &json!({"hiddenByUser": true}), "hiddenByUser"));
        let mark = request(&json!({"createDeveloperMetadata": {"developerMetadata": {
            "metadataKey": MARK,
            "metadataValue": self.name,
            "location": {"sheetId": self.tab},
            "visibility": "DOCUMENT",
        }}}));
        hidden.into_iter().chain([mark]).collect()
    }

    /// Verdicts in colours; the words say the same.
    pub(super) fn colours(&self) -> Vec<Request> {
        let Some((_, place)) = self.columns().find(|(column, _)| *column == ResultColumn::IsValid) else {
            return Vec::new();
        };
        let range = self.area((self.header_row + 1, None), (place, Some(place + 1))).range();
        let words = [
            (IsValid::Yes, [0.85, 0.94, 0.86]),
            (IsValid::No, [0.98, 0.85, 0.84]),
            (IsValid::NotChecked, [1.0, 0.95, 0.80]),
        ];
        let rule = |(word, [red, green, blue]): (IsValid, [f64; 3])| {
            let condition = json!({"type": "TEXT_EQ", "values": [{"userEnteredValue": word.as_str()}]});
            let colour =
                json!({"backgroundColorStyle": {"rgbColor": {"red": red, "green": green, "blue": blue}}});
            let rule = json!({"ranges": [range], "booleanRule": {"condition": condition, "format": colour}});
            request(&json!({"addConditionalFormatRule": {"rule": rule, "index": 0}}))
        };
        words.map(rule).into()
    }

    /// A warning for whoever edits our columns by hand.
    pub(super) fn protection(&self) -> Vec<Request> {
        let mut places: Vec<u32> = self.columns().map(|(_, place)| place).collect();
        places.sort_unstable();
        let description = self.language.pick(
            "Status Validator keeps these columns: what is written here by hand is overwritten",
            "Эти столбцы ведёт Status Validator: правки от руки будут перезаписаны",
        );
        let protect = |columns: std::ops::Range<u32>| {
            let range = self.area((self.header_row, None), (columns.start, Some(columns.end))).range();
            let protected = json!({"range": range, "description": description, "warningOnly": true});
            request(&json!({"addProtectedRange": {"protectedRange": protected}}))
        };
        stretches(&places).into_iter().map(protect).collect()
    }

    fn columns(&self) -> impl Iterator<Item = (ResultColumn, u32)> {
        self.places.iter().filter_map(|(column, place)| Some((column, u32::try_from(place).ok()?)))
    }

    fn width(&self) -> u32 {
        self.columns().map(|(_, place)| place + 1).max().unwrap_or(1)
    }

    fn table(&self) -> Value {
        json!(self.area((self.header_row, None), (0, Some(self.width()))).range())
    }

    fn area(&self, rows: (u32, Option<u32>), columns: (u32, Option<u32>)) -> Area {
        Area { tab: self.tab, rows, columns }
    }

    fn format(
        &self,
        rows: (u32, Option<u32>),
        columns: (u32, Option<u32>),
        format: &Value,
        fields: &str,
    ) -> Request {
        let fields: Vec<String> =
            fields.split(',').map(|field| format!("userEnteredFormat.{field}")).collect();
        request(&json!({"repeatCell": {
            "range": self.area(rows, columns).range(),
            "cell": {"userEnteredFormat": format},
            "fields": fields.join(","),
        }}))
    }

    fn dimension(&self, column: u32, properties: &Value, fields: &str) -> Request {
        request(&json!({"updateDimensionProperties": {
            "range": {
                "sheetId": self.tab, "dimension": "COLUMNS", "startIndex": column, "endIndex": column + 1,
            },
            "properties": properties,
            "fields": fields,
        }}))
    }
}

/// Texts of several lines.
fn is_prose(column: ResultColumn) -> bool {
    matches!(
        column,
        ResultColumn::ProjectName
            | ResultColumn::Comment
            | ResultColumn::Issues
            | ResultColumn::RewriteSuggestion
            | ResultColumn::ProjectManager
    )
}

/// How wide a column is, in pixels.
fn width(column: ResultColumn) -> u32 {
    match column {
        ResultColumn::RowNumber => 70,
        ResultColumn::Rules | ResultColumn::Severity | ResultColumn::IsValid => 95,
        ResultColumn::StatusValue | ResultColumn::CompletionDate => 115,
        ResultColumn::SourceUrl | ResultColumn::CheckDate | ResultColumn::Model | ResultColumn::Key => 130,
        ResultColumn::ProjectManager | ResultColumn::RawLlmJson => 150,
        ResultColumn::ProjectName => 200,
        ResultColumn::Comment | ResultColumn::Issues | ResultColumn::RewriteSuggestion => 380,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::results::Layout;

    #[test]
    fn every_request_is_one_of_the_api() {
        let places = Places::of_new_table(&Layout { identifier: true, project_manager: true }.columns());
        let looks = Looks { tab: 7, name: "Review", header_row: 0, places: &places, language: Language::Ru };
        for made in looks.of_new() {
            let mut words = json!(made);
            google_sheets4::common::remove_json_null_values(&mut words);
            assert_eq!(words.as_object().map(serde_json::Map::len), Some(1), "{words}");
        }
    }

    #[test]
    fn columns_that_stand_apart_are_protected_apart() {
        let mut places = Places::of_new_table(&[ResultColumn::RowNumber, ResultColumn::Comment]);
        places.add(&[ResultColumn::Key], 5);
        let looks = Looks { tab: 7, name: "Review", header_row: 2, places: &places, language: Language::En };
        assert_eq!(looks.protection().len(), 2);
    }
}
