//! What a text means when it is typed into a cell: a number, a date, a formula, or itself.

mod dates;
mod locale;
mod numbers;

use std::sync::Arc;

use jiff::Timestamp;

pub(crate) use dates::{moment, serial};
pub(crate) use locale::Locale;

use super::cell::Content;
use super::formula::{Formula, canonical};
use super::spreadsheet::Spreadsheet;
use super::value::ErrorKind;

/// What was typed, understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entered {
    pub(crate) content: Content,
    /// The type and the pattern of the number format that goes with it.
    pub(crate) format: Option<(&'static str, String)>,
    /// The text is an address of the web, which becomes a link.
    pub(crate) link: bool,
}

impl Entered {
    fn plain(content: Content) -> Self {
        Self { content, format: None, link: false }
    }
}

/// Understands a text as if it was typed into a cell whose number format has this type.
pub(crate) fn entered(text: &str, kind: Option<&str>, book: &Spreadsheet, now: Timestamp) -> Entered {
    if let Some(rest) = text.strip_prefix('\'') {
        return Entered::plain(Content::text(rest));
    }
    if kind == Some("TEXT") {
        return Entered::plain(Content::text(text));
    }
    let locale = book.locale();
    if text.starts_with('=') && text.len() > 1 {
        return Entered::plain(formula(text, book));
    }
    let trimmed = text.trim();
    if let Some(truth) = truth(trimmed, locale) {
        return Entered::plain(Content::Bool(truth));
    }
    if let Some(error) = ErrorKind::of_shown(trimmed) {
        return Entered::plain(Content::Error(error));
    }
    if let Some(number) = numbers::read(trimmed, locale) {
        return Entered { content: Content::Number(number.value), format: number.format, link: false };
    }
    if let Some(date) = dates::read(trimmed, locale, book.clock(now).year()) {
        return Entered { content: Content::Number(date.value), format: Some(date.format), link: false };
    }
    if is_signed_formula(text, book) {
        return Entered::plain(formula(&format!("={text}"), book));
    }
    Entered { content: Content::text(text), format: None, link: is_address(text) }
}

/// A formula, with its `=`.
pub(crate) fn formula(text: &str, book: &Spreadsheet) -> Content {
    let decimal_comma = book.locale().decimal_comma();
    Content::Formula(Arc::new(Formula::new(&canonical(text, decimal_comma, book), decimal_comma)))
}

/// The number that a text would be if it was typed; none if it would be none.
pub(crate) fn as_number(text: &str, locale: &Locale) -> Option<f64> {
    let text = text.trim();
    let date = || dates::read(text, locale, 1900).map(|date| date.value);
    numbers::read(text, locale).map(|number| number.value).or_else(date)
}

fn truth(text: &str, locale: &Locale) -> Option<bool> {
    let is = |word: &str| text.to_lowercase() == word.to_lowercase();
    let [yes, no] = locale.truth;
    if is("true") || is(yes) { Some(true) } else { (is("false") || is(no)).then_some(false) }
}

/// True for `+text`, and for `-text` that can be read as a formula.
fn is_signed_formula(text: &str, book: &Spreadsheet) -> bool {
    if text.len() > 1 && text.starts_with('+') {
        return true;
    }
    let signed = text.strip_prefix('-').is_some_and(|rest| !rest.starts_with(char::is_whitespace));
    signed && Formula::new(&format!("={text}"), book.locale().decimal_comma()).expr().is_some()
}

/// True if the text is an address of the web and nothing else.
fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| rest.contains('.') && !rest.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests;
