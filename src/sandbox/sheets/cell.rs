//! A cell: what was entered, and what it looks like.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use super::formula::Formula;
use super::value::{ErrorKind, Scalar};

/// The most characters a cell may hold, in UTF-16.
pub(crate) const MAX_CHARACTERS: usize = 50_000;

/// A cell of a grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    content: Content,
    extra: Option<Arc<Extra>>,
}

/// What was entered into a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Content {
    #[default]
    Blank,
    Number(f64),
    Text(Arc<str>),
    Bool(bool),
    Error(ErrorKind),
    Formula(Arc<Formula>),
}

/// Everything else about a cell. Most cells have none of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Extra {
    /// The format that was entered, a `CellFormat`.
    pub(crate) format: Map<String, Value>,
    /// Runs of format over parts of the text, `TextFormatRun`s.
    pub(crate) runs: Vec<Value>,
    /// A note.
    pub(crate) note: String,
    /// A `DataValidationRule`.
    pub(crate) validation: Option<Value>,
}

static NOTHING: LazyLock<Extra> = LazyLock::new(Extra::default);

impl Cell {
    /// A cell of this content and nothing else.
    pub(crate) fn new(content: Content) -> Self {
        Self { content, extra: None }
    }

    /// What was entered.
    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    /// Format, runs, note and validation.
    pub(crate) fn extra(&self) -> &Extra {
        self.extra.as_deref().unwrap_or(&NOTHING)
    }

    /// True if nothing was entered; it may be formatted all the same.
    pub(crate) fn is_blank(&self) -> bool {
        self.content == Content::Blank
    }

    /// True if there is nothing at all.
    pub(crate) fn is_void(&self) -> bool {
        self.is_blank() && self.extra.is_none()
    }

    /// Enters something. Runs and a link of what was there before go with it.
    pub(crate) fn enter(&mut self, content: Content) {
        self.content = content;
        if !self.extra().runs.is_empty() || self.cell_link().is_some() {
            self.change(|extra| {
                extra.runs.clear();
                unlink(&mut extra.format);
            });
        }
    }

    /// Replaces what was entered and leaves everything else; for formulas whose references move.
    pub(crate) fn rewrite(&mut self, content: Content) {
        self.content = content;
    }

    /// Changes format, runs, note or validation.
    pub(crate) fn change(&mut self, act: impl FnOnce(&mut Extra)) {
        let mut extra = self.extra.take().unwrap_or_default();
        act(Arc::make_mut(&mut extra));
        self.extra = (*extra != *NOTHING).then_some(extra);
    }

    /// The link of the whole cell, as its format has it.
    pub(crate) fn cell_link(&self) -> Option<&str> {
        link_of(self.extra().format.get("textFormat"))
    }

    /// The number format: its type and its pattern, which may be empty.
    pub(crate) fn number_format(&self) -> Option<(&str, &str)> {
        let format = self.extra().format.get("numberFormat")?;
        let part = |name| format.get(name).and_then(Value::as_str).unwrap_or_default();
        Some((part("type"), part("pattern")))
    }
}

impl Content {
    /// The value, where no formula has to be worked out.
    pub(crate) fn scalar(&self) -> Option<Scalar> {
        Some(match self {
            Self::Blank => Scalar::Blank,
            Self::Number(value) => Scalar::Number(*value),
            Self::Text(text) => Scalar::Text(Arc::clone(text)),
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Error(kind) => (*kind).into(),
            Self::Formula(_) => return None,
        })
    }

    /// A text; nothing for an empty one.
    pub(crate) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Blank } else { Self::Text(text.into()) }
    }

    /// As an `ExtendedValue` of the API; none for nothing.
    pub(crate) fn extended(&self) -> Option<Value> {
        match self {
            Self::Formula(formula) => Some(serde_json::json!({"formulaValue": formula.text()})),
            other => other.scalar()?.extended(),
        }
    }
}

/// The link of a `TextFormat`.
pub(crate) fn link_of(format: Option<&Value>) -> Option<&str> {
    format?.get("link")?.get("uri")?.as_str().filter(|uri| !uri.is_empty())
}

/// Takes the link out of a `CellFormat`.
fn unlink(format: &mut Map<String, Value>) {
    let Some(Value::Object(text)) = format.get_mut("textFormat") else { return };
    text.shift_remove("link");
    if text.is_empty() {
        format.shift_remove("textFormat");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entering_takes_away_runs_and_links() {
        let mut cell = Cell::new(Content::text("old"));
        cell.change(|extra| {
            extra.runs.push(json!({"format": {"link": {"uri": "https://example.com"}}}));
            extra.note = "stays".into();
            let format = json!({"textFormat": {"bold": true, "link": {"uri": "https://example.com"}}});
            extra.format = format.as_object().unwrap().clone();
        });
        assert_eq!(cell.cell_link(), Some("https://example.com"));
        cell.enter(Content::Number(1.0));
        assert!(cell.extra().runs.is_empty() && cell.cell_link().is_none());
        assert_eq!(cell.extra().note, "stays");
        assert_eq!(Value::Object(cell.extra().format.clone()), json!({"textFormat": {"bold": true}}));
    }

    #[test]
    fn a_cell_without_anything_is_void() {
        let mut cell = Cell::default();
        cell.change(|extra| extra.note = "x".into());
        assert!(cell.is_blank() && !cell.is_void());
        cell.change(|extra| extra.note.clear());
        assert!(cell.is_void());
        assert!(std::mem::size_of::<Cell>() <= 32, "a million cells have to fit");
    }
}
