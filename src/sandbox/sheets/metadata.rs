//! Developer metadata: values that programs attach to a spreadsheet, a sheet, a row or a column.

use serde_json::{Map, Value};

use super::a1::Bounds;
use super::dims::dimension_range;
use super::json::Object;
use super::shift::{Axis, Shift};

/// A piece of metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) id: i32,
    pub(crate) key: String,
    pub(crate) value: String,
    /// `DOCUMENT` or `PROJECT`.
    pub(crate) visibility: String,
    pub(crate) location: Location,
}

/// What metadata is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Spreadsheet,
    Sheet(i32),
    /// A row or a column of a sheet.
    Line(i32, Axis, u32),
}

impl Location {
    /// Reads a `DeveloperMetadataLocation`; none if it is none that metadata can have.
    pub(crate) fn read(location: &Map<String, Value>) -> Option<Self> {
        if location.get("spreadsheet").and_then(Value::as_bool) == Some(true) {
            return Some(Self::Spreadsheet);
        }
        let id = |value: Option<&Value>| value.and_then(Value::as_i64).and_then(|id| i32::try_from(id).ok());
        if let Some(range) = location.get("dimensionRange") {
            let axis = Axis::of(range.get("dimension")?.as_str()?)?;
            let edge = |name: &str| range.get(name)?.as_i64().and_then(|edge| u32::try_from(edge).ok());
            let (start, end) = (edge("startIndex")?, edge("endIndex")?);
            let sheet = id(range.get("sheetId")).unwrap_or(0);
            return (start.checked_add(1) == Some(end)).then_some(Self::Line(sheet, axis, start));
        }
        id(location.get("sheetId")).map(Self::Sheet)
    }

    /// The API's name of its kind.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Spreadsheet => "SPREADSHEET",
            Self::Sheet(_) => "SHEET",
            Self::Line(_, Axis::Rows, _) => "ROW",
            Self::Line(_, Axis::Columns, _) => "COLUMN",
        }
    }

    /// The sheet it is on.
    pub(crate) fn sheet(self) -> Option<i32> {
        match self {
            Self::Spreadsheet => None,
            Self::Sheet(sheet) | Self::Line(sheet, ..) => Some(sheet),
        }
    }

    /// The same place on another sheet.
    pub(crate) fn on(self, sheet: i32) -> Self {
        match self {
            Self::Spreadsheet => self,
            Self::Sheet(_) => Self::Sheet(sheet),
            Self::Line(_, axis, at) => Self::Line(sheet, axis, at),
        }
    }

    /// The cells it stands for on its sheet.
    pub(crate) fn bounds(self) -> Bounds {
        match self {
            Self::Line(_, Axis::Rows, at) => {
                Bounds { top: Some(at), bottom: Some(at + 1), ..Bounds::default() }
            }
            Self::Line(_, Axis::Columns, at) => {
                Bounds { left: Some(at), right: Some(at + 1), ..Bounds::default() }
            }
            _ => Bounds::default(),
        }
    }

    /// Where it is after a change of its sheet; none if its row or column is gone.
    pub(crate) fn shifted(self, sheet: i32, shift: &Shift) -> Option<Self> {
        match self {
            Self::Line(own, axis, at) if own == sheet && axis == shift.axis && shift.band.is_none() => {
                shift.change.index(at).map(|at| Self::Line(own, axis, at))
            }
            other => Some(other),
        }
    }

    fn json(self) -> Value {
        let object = Object::new().with("locationType", self.kind());
        match self {
            Self::Spreadsheet => object.with("spreadsheet", true),
            Self::Sheet(sheet) => object.with("sheetId", sheet),
            Self::Line(sheet, axis, at) => {
                object.with("dimensionRange", dimension_range(axis, &(at..at + 1), sheet))
            }
        }
        .into()
    }
}

impl Metadata {
    /// As the API shows it.
    pub(crate) fn json(&self) -> Value {
        Object::new()
            .with("metadataId", self.id)
            .with("metadataKey", self.key.as_str())
            .text("metadataValue", &self.value)
            .with("location", self.location.json())
            .with("visibility", self.visibility.as_str())
            .into()
    }

    /// True if a `DeveloperMetadataLookup` selects it.
    pub(crate) fn meets(&self, lookup: &Map<String, Value>) -> bool {
        let text = |name: &str| lookup.get(name).and_then(Value::as_str);
        let id = lookup.get("metadataId").and_then(Value::as_i64);
        let place = lookup.get("metadataLocation").and_then(Value::as_object).and_then(Location::read);
        let exact = text("locationMatchingStrategy") == Some("EXACT_LOCATION");
        id.is_none_or(|id| id == i64::from(self.id))
            && text("metadataKey").is_none_or(|key| key == self.key)
            && text("metadataValue").is_none_or(|value| value == self.value)
            && text("visibility").is_none_or(|visibility| visibility == self.visibility)
            && text("locationType").is_none_or(|kind| kind == self.location.kind())
            && place.is_none_or(|place| self.location == place || (!exact && self.location.touches(place)))
    }
}

impl Location {
    /// True if both are on one sheet and have cells in common.
    fn touches(self, other: Self) -> bool {
        match (self, other) {
            (Self::Spreadsheet, _) | (_, Self::Spreadsheet) => true,
            (Self::Line(own, axis, at), Self::Line(sheet, other, index)) => {
                own == sheet && (axis != other || at == index)
            }
            (own, other) => own.sheet() == other.sheet(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::sheets::shift::Change;

    fn metadata(location: &Value) -> Metadata {
        let location = Location::read(location.as_object().unwrap()).unwrap();
        Metadata { id: 5, key: "k".into(), value: "v".into(), visibility: "DOCUMENT".into(), location }
    }

    fn row(at: u32) -> Value {
        json!({"dimensionRange": {"sheetId": 3, "dimension": "ROWS", "startIndex": at, "endIndex": at + 1}})
    }

    #[test]
    fn metadata_goes_with_its_row_and_dies_with_it() {
        let location = metadata(&row(4)).location;
        let insert = Shift::whole(Axis::Rows, Change::Insert { at: 4, count: 2 });
        assert_eq!(location.shifted(3, &insert), Some(Location::Line(3, Axis::Rows, 6)));
        assert_eq!(location.shifted(9, &insert), Some(location));
        assert_eq!(location.shifted(3, &Shift::whole(Axis::Rows, Change::Remove(4..5))), None);
        let columns = Shift::whole(Axis::Columns, Change::Remove(4..5));
        assert_eq!(location.shifted(3, &columns), Some(location));
    }

    #[test]
    fn lookups_select() {
        let metadata = metadata(&row(4));
        for (lookup, expected) in [
            (json!({"metadataKey": "k"}), true),
            (json!({"metadataKey": "k", "metadataValue": "x"}), false),
            (json!({"metadataId": 5, "locationType": "ROW", "visibility": "DOCUMENT"}), true),
            (json!({"metadataLocation": row(4), "locationMatchingStrategy": "EXACT_LOCATION"}), true),
            (json!({"metadataLocation": {"sheetId": 3}}), true),
            (
                json!({"metadataLocation": {"sheetId": 3}, "locationMatchingStrategy": "EXACT_LOCATION"}),
                false,
            ),
            (json!({"metadataLocation": row(5)}), false),
            (json!({"metadataLocation": {"spreadsheet": true}}), true),
        ] {
            assert_eq!(metadata.meets(lookup.as_object().unwrap()), expected, "{lookup}");
        }
    }

    #[test]
    fn a_location_is_one_thing() {
        let many = json!({"dimensionRange": {"dimension": "ROWS", "startIndex": 1, "endIndex": 3}});
        assert_eq!(Location::read(many.as_object().unwrap()), None);
        assert_eq!(Location::read(json!({}).as_object().unwrap()), None);
        let shown = metadata(&row(4)).json();
        assert_eq!(shown["location"]["locationType"], json!("ROW"));
        assert_eq!(shown["location"]["dimensionRange"]["startIndex"], json!(4));
    }
}
