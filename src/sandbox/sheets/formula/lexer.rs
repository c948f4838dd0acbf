//! Cuts a formula into its parts.

use std::ops::Range;

use super::reference::{End, Reference};
use crate::sandbox::sheets::value::ErrorKind;

/// A part of a formula and where it stands, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Number(f64),
    Text(String),
    Error(ErrorKind),
    Reference(Reference),
    /// A name of a function, of a range or a truth value.
    Name(String),
    /// An operator or a bracket.
    Mark(&'static str),
    /// What stands between arguments.
    Separator,
}

/// Marks, longer ones before their beginnings.
const MARKS: [&str; 15] = ["<>", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "^", "&", "%", "(", ")"];

/// Cuts a formula, without its `=`. None if it has parts that are none.
pub(super) fn tokens(text: &str, start: usize, decimal_comma: bool) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut at = start;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let (kind, length) = token(rest, decimal_comma)?;
        tokens.push(Token { kind, span: at..at + length });
        at += length;
    }
    Some(tokens)
}

fn token(rest: &str, decimal_comma: bool) -> Option<(Kind, usize)> {
    if let Some(inner) = rest.strip_prefix('"') {
        let (text, length) = quoted(inner, '"')?;
        return Some((Kind::Text(text), length + 1));
    }
    if rest.starts_with('#') {
        let end =
            rest.find(|c: char| !c.is_ascii_alphanumeric() && !"#/!?".contains(c)).unwrap_or(rest.len());
        let shown = rest.get(..end)?;
        return Some((Kind::Error(ErrorKind::of_shown(shown)?), end));
    }
    if let Some(found) = reference(rest) {
        return Some(found);
    }
    if let Some(found) = number(rest, decimal_comma) {
        return Some(found);
    }
    if rest.starts_with(';') || (rest.starts_with(',') && !decimal_comma) {
        return Some((Kind::Separator, 1));
    }
    if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
        return Some((Kind::Mark(mark), mark.len()));
    }
    let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    let name = rest.get(..end).filter(|name| !name.is_empty())?;
    Some((Kind::Name(name.to_owned()), end))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

/// A text up to its closing quote; a doubled quote stands for one. The length has the closing quote.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            text.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            text.push(quote);
            chars.next();
        } else {
            return Some((text, at + quote.len_utf8()));
        }
    }
    None
}

/// A reference, with the title of its sheet if it has one.
fn reference(rest: &str) -> Option<(Kind, usize)> {
    let (title, skipped) = if let Some(inner) = rest.strip_prefix('\'') {
        let (title, length) = quoted(inner, '\'')?;
        inner.get(length..)?.strip_prefix('!')?;
        (Some(title), length + 2)
    } else {
        let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        match rest.get(end..)?.strip_prefix('!') {
            Some(_) if end > 0 => (Some(rest.get(..end)?.to_owned()), end + 1),
            _ => (None, 0),
        }
    };
    let cells = rest.get(skipped..)?;
    if title.is_some() && cells.starts_with("#REF!") {
        return Some((Kind::Error(ErrorKind::Reference), skipped + 5));
    }
    let (first, first_length) = end(cells)?;
    let last = cells.get(first_length..).and_then(|rest| rest.strip_prefix(':')).and_then(end);
    let reference = match last {
        Some((last, length)) => {
            let reference = Reference { title, first, last: Some(last) };
            return Some((Kind::Reference(reference), skipped + first_length + 1 + length));
        }
        None if first.row.is_some() && first.column.is_some() => Reference { title, first, last: None },
        None => return None,
    };
    Some((Kind::Reference(reference), skipped + first_length))
}

/// An end of a reference; what goes on as a word or is called is none.
fn end(text: &str) -> Option<(End, usize)> {
    let length = text.find(|c: char| !is_word(c) && c != '$').unwrap_or(text.len());
    let called = text.get(length..)?.starts_with('(');
    let end = End::read(text.get(..length)?)?;
    (!called).then_some((end, length))
}

fn number(rest: &str, decimal_comma: bool) -> Option<(Kind, usize)> {
    let point = if decimal_comma { ',' } else { '.' };
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(rest);
    let whole = length;
    if let Some(fraction) = rest.get(length..)?.strip_prefix(point) {
        let places = digits(fraction);
        if whole + places > 0 {
            length += 1 + places;
        }
    }
    if length == 0 {
        return None;
    }
    if let Some(exponent) = rest.get(length..)?.strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let places = digits(exponent.get(sign..)?);
        if places > 0 {
            length += 1 + sign + places;
        }
    }
    let value = rest.get(..length)?.replace(point, ".").parse().ok()?;
    Some((Kind::Number(value), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, decimal_comma: bool) -> Option<String> {
        let tokens = tokens(text, 0, decimal_comma)?;
        let parts = tokens.iter().map(|token| match &token.kind {
            Kind::Number(value) => format!("n{value}"),
            Kind::Text(text) => format!("t{text}"),
            Kind::Error(kind) => format!("e{}", kind.shown()),
            Kind::Reference(reference) => format!("r{}", reference.text()),
            Kind::Name(name) => format!("w{name}"),
            Kind::Mark(mark) => (*mark).to_owned(),
            Kind::Separator => ";".into(),
        });
        Some(parts.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn formulas_are_cut() {
        for (text, expected) in [
            ("1+2.5e-1", "n1 + n0.25"),
            ("SUM(a1:B$2, 'It''s'!C3;Tab!A:A)", "wSUM ( rA1:B$2 ; r'It''s'!C3 ; rTab!A:A )"),
            ("\"a\"\"b\"&\"\"", "ta\"b & t"),
            ("#REF!+Sheet1!#REF!*#DIV/0!", "e#REF! + e#REF! * e#DIV/0!"),
            ("A1<>B1", "rA1 <> rB1"),
            ("LOG10(5)", "wLOG10 ( n5 )"),
            ("TRUE", "wTRUE"),
            ("Total_1 * 5%", "wTotal_1 * n5 %"),
            ("2:3", "r2:3"),
            ("Лист1!A1", "r'Лист1'!A1"),
        ] {
            assert_eq!(shown(text, false).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(shown("SUM(1,5;2)", true).as_deref(), Some("wSUM ( n1.5 ; n2 )"));
        for text in ["\"open", "{1}", "'open!A1", "a ? b", "#OOPS!"] {
            assert_eq!(shown(text, false), None, "{text}");
        }
        assert_eq!(shown("SUM(A1,B1)", true), None, "a comma separates nothing here");
    }
}
