//! Reads the parts of a request.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::sandbox::sheets::a1::{Bounds, Rect};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::schema::{Mask, MaskError};
use crate::sandbox::sheets::shift::Axis;
use crate::sandbox::sheets::spreadsheet::Place;
use crate::sandbox::sheets::tab::Tab;

/// A request, or a part of one.
pub(super) type Fields = Map<String, Value>;

/// What a request comes to: its reply, if it has one.
pub(super) type Reply = Result<Option<Value>, Refusal>;

/// A text; empty if it is not there.
pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A flag.
pub(super) fn flag(fields: &Fields, name: &str) -> bool {
    fields.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// A whole number, if it is there.
pub(super) fn integer(fields: &Fields, name: &str) -> Option<i32> {
    fields.get(name).and_then(Value::as_i64).and_then(|value| i32::try_from(value).ok())
}

/// A count or an index, if it is there; it must not be negative.
pub(super) fn index(fields: &Fields, name: &str) -> Result<Option<u32>, Refusal> {
    let Some(value) = integer(fields, name) else { return Ok(None) };
    let index = u32::try_from(value);
    index.map(Some).map_err(|_| Refusal::invalid(format!("{name} must be >= 0")))
}

/// A message inside of the request.
pub(super) fn object<'a>(fields: &'a Fields, name: &str) -> Option<&'a Fields> {
    fields.get(name).and_then(Value::as_object)
}

/// A message that has to be there.
pub(super) fn needed<'a>(fields: &'a Fields, name: &str) -> Result<&'a Fields, Refusal> {
    object(fields, name).ok_or_else(|| Refusal::invalid(format!("{name} must be set.")))
}

/// The messages of a list.
pub(super) fn objects<'a>(fields: &'a Fields, name: &str) -> impl Iterator<Item = &'a Fields> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// The fields that an update is about, of that message; `root` is the name by which they may be prefixed.
pub(super) fn mask(fields: &Fields, message: &str) -> Result<Mask, Refusal> {
    let text = text(fields, "fields");
    if text.is_empty() {
        return Err(Refusal::invalid(
            "At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)",
        ));
    }
    Mask::of(text, message).map_err(|error| match error {
        MaskError::Unknown(path) => Refusal::invalid(format!("Invalid field: {path}")),
        MaskError::Malformed => Refusal::invalid(format!("Invalid field: {text}")),
    })
}

/// The position of the sheet of an id.
pub(super) fn sheet(draft: &Draft, id: i32) -> Result<usize, Refusal> {
    draft.book.position(id).ok_or_else(|| Refusal::invalid(format!("No sheet with id: {id}")))
}

/// The position of the sheet that a range or a coordinate names.
pub(super) fn grid(draft: &Draft, fields: &Fields) -> Result<usize, Refusal> {
    let id = integer(fields, "sheetId").unwrap_or(0);
    draft.book.position(id).ok_or_else(|| Refusal::invalid(format!("No grid with id: {id}")))
}

/// A sheet by its position.
pub(super) fn tab(draft: &Draft, at: usize) -> Result<&Tab, Refusal> {
    draft.book.tab(at).ok_or_else(Refusal::not_found)
}

/// A sheet by its position, to change it.
pub(super) fn tab_mut(draft: &mut Draft, at: usize) -> Result<&mut Tab, Refusal> {
    draft.book.tab_mut(at).ok_or_else(Refusal::not_found)
}

/// A `GridRange`: its sheet and its cells, as asked for.
pub(super) fn place(draft: &Draft, range: &Fields) -> Result<Place, Refusal> {
    let tab = grid(draft, range)?;
    for (start, end) in [("startRowIndex", "endRowIndex"), ("startColumnIndex", "endColumnIndex")] {
        let (first, last) = (integer(range, start), integer(range, end));
        if first.is_some_and(|first| first < 0) || last.is_some_and(|last| last < 0) {
            return Err(Refusal::invalid("GridRange indexes must be >= 0"));
        }
        if let Some((first, last)) = first.zip(last)
            && first > last
        {
            return Err(Refusal::invalid(format!("{start}[{first}] must be less than {end}[{last}]")));
        }
    }
    Ok(Place { tab, bounds: Bounds::read(range) })
}

/// A `GridRange` of a request: its sheet and the cells of it that are there.
pub(super) fn cells(draft: &Draft, fields: &Fields, name: &str) -> Result<(usize, Rect), Refusal> {
    let place = place(draft, needed(fields, name)?)?;
    Ok((place.tab, draft.book.closed(place)?))
}

/// A `DimensionRange`: its sheet, its axis and its rows or columns, as asked for.
pub(super) struct Dimension {
    pub(super) tab: usize,
    pub(super) axis: Axis,
    pub(super) start: Option<u32>,
    pub(super) end: Option<u32>,
}

impl Dimension {
    /// Reads one.
    pub(super) fn read(draft: &Draft, range: &Fields) -> Result<Self, Refusal> {
        let tab = grid(draft, range)?;
        let axis = axis(range, "dimension")?;
        let side = |name| match integer(range, name) {
            Some(index) if index < 0 => Err(Refusal::invalid("DimensionRange indexes must be >= 0")),
            Some(index) => Ok(u32::try_from(index).ok()),
            None => Ok(None),
        };
        let (start, end) = (side("startIndex")?, side("endIndex")?);
        if let Some((start, end)) = start.zip(end)
            && start >= end
        {
            return Err(Refusal::invalid(format!(
                "endIndex[{end}] must be greater than startIndex[{start}]"
            )));
        }
        Ok(Self { tab, axis, start, end })
    }

    /// Both ends, which have to be there.
    pub(super) fn bounded(&self) -> Result<Range<u32>, Refusal> {
        let set = |side: Option<u32>, name: &str| {
            side.ok_or_else(|| Refusal::invalid(format!("range.{name} must be set.")))
        };
        Ok(set(self.start, "startIndex")?..set(self.end, "endIndex")?)
    }

    /// The rows or columns of it that are there; it must begin inside of the sheet.
    pub(super) fn closed(&self, draft: &Draft) -> Result<Range<u32>, Refusal> {
        let size = tab(draft, self.tab)?.grid.size(self.axis);
        let start = self.start.unwrap_or(0);
        if start >= size {
            return Err(Refusal::invalid(format!(
                "range.startIndex is larger than current grid size ({size})"
            )));
        }
        Ok(start..self.end.unwrap_or(size).min(size))
    }
}

/// An axis.
pub(super) fn axis(fields: &Fields, name: &str) -> Result<Axis, Refusal> {
    Axis::of(text(fields, name)).ok_or_else(|| Refusal::invalid(format!("No {name} was specified.")))
}
