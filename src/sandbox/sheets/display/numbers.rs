//! Shows a number by a section of a pattern.

use super::pattern::{Piece, Section};
use super::{general, scientific};
use crate::sandbox::sheets::entry::Locale;

/// The number as the section shows it.
pub(super) fn show(section: &Section, value: f64, locale: &Locale) -> String {
    let pieces = &section.pieces;
    let layout = Layout::of(pieces);
    if let Some(exponent) = layout.exponent {
        return with_exponent(pieces, exponent, value, locale);
    }
    let hundred = 100f64.powi(i32::try_from(layout.percents).unwrap_or(0));
    let scaled = value * hundred / 1000f64.powi(i32::try_from(layout.scalings).unwrap_or(0));
    let places = layout.places;
    let digits = format!("{:.places$}", scaled.abs() * (1.0 + 4.0 * f64::EPSILON));
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let whole = whole.trim_start_matches('0');
    let negative = scaled < 0.0 && digits.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    let mut text = String::new();
    if negative {
        text.push('-');
    }
    let mut writer = Writer { whole, fraction, layout: &layout, locale, seen: 0, shown_places: 0 };
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Percent => text.push('%'),
            Piece::Slash => text.push('/'),
            Piece::Value => text.push_str(&general(value, locale)),
            Piece::Point => text.push(locale.decimal),
            Piece::Digit(mark) if layout.is_whole(at) => text.push_str(&writer.whole(*mark)),
            Piece::Digit(mark) => text.push_str(&writer.fraction(*mark)),
            _ => {}
        }
    }
    text
}

/// Where the digits of a section stand.
struct Layout {
    /// How many stand before the point.
    wholes: usize,
    /// How many stand behind it.
    places: usize,
    point: Option<usize>,
    exponent: Option<usize>,
    grouped: bool,
    /// Commas behind the last whole digit: each divides by a thousand.
    scalings: usize,
    percents: usize,
}

impl Layout {
    fn of(pieces: &[Piece]) -> Self {
        let is_digit = |piece: &Piece| matches!(piece, Piece::Digit(_));
        let point = pieces.iter().position(|piece| *piece == Piece::Point);
        let end = point.unwrap_or(pieces.len());
        let before = pieces.get(..end).unwrap_or_default();
        let last = before.iter().rposition(is_digit);
        let behind = point.and_then(|_| pieces.get(pieces.iter().rposition(is_digit)?.max(end)..));
        let commas = |range: Option<&[Piece]>| {
            range.unwrap_or_default().iter().filter(|piece| **piece == Piece::Comma).count()
        };
        Self {
            wholes: before.iter().filter(|piece| is_digit(piece)).count(),
            places: pieces.iter().skip(end).filter(|piece| is_digit(piece)).count(),
            point,
            exponent: pieces.iter().position(|piece| *piece == Piece::Exponent),
            grouped: last.is_some_and(|last| commas(before.get(..last)) > 0),
            scalings: last.map_or(0, |last| commas(before.get(last..))) + commas(behind),
            percents: pieces.iter().filter(|piece| **piece == Piece::Percent).count(),
        }
    }

    fn is_whole(&self, at: usize) -> bool {
        self.point.is_none_or(|point| at < point)
    }
}

struct Writer<'a> {
    whole: &'a str,
    fraction: &'a str,
    layout: &'a Layout,
    locale: &'a Locale,
    /// Places for whole digits that were passed.
    seen: usize,
    shown_places: usize,
}

impl Writer<'_> {
    /// What stands in a place before the point; the first place takes all digits that have none.
    fn whole(&mut self, mark: char) -> String {
        let left = self.layout.wholes - self.seen;
        let first = self.seen == 0;
        self.seen += 1;
        let length = self.whole.len();
        let mut text = String::new();
        let from = if first { 0 } else { length.saturating_sub(left) };
        let to = (length + 1).saturating_sub(left);
        if length < left {
            match mark {
                '0' => text.push('0'),
                '?' => text.push(' '),
                _ => {}
            }
            if mark == '0' {
                self.group(&mut text, left);
            }
            return text;
        }
        for (at, digit) in self.whole.chars().enumerate().take(to).skip(from) {
            text.push(digit);
            self.group(&mut text, length - at);
        }
        text
    }

    /// Adds what groups thousands behind a digit that is so far from the point.
    fn group(&self, text: &mut String, position: usize) {
        if self.layout.grouped && position > 1 && (position - 1).is_multiple_of(3) {
            text.push(self.locale.group);
        }
    }

    fn fraction(&mut self, mark: char) -> String {
        let at = self.shown_places;
        self.shown_places += 1;
        let rest_is_zero = self.fraction.get(at..).is_none_or(|rest| rest.bytes().all(|byte| byte == b'0'));
        match (mark, rest_is_zero) {
            ('#', true) => String::new(),
            ('?', true) => " ".into(),
            _ => self.fraction.get(at..=at).unwrap_or("0").into(),
        }
    }
}

fn with_exponent(pieces: &[Piece], exponent: usize, value: f64, locale: &Locale) -> String {
    let digits = |range: Option<&[Piece]>| {
        range.unwrap_or_default().iter().filter(|piece| matches!(piece, Piece::Digit(_))).count()
    };
    let point = pieces.iter().position(|piece| *piece == Piece::Point).filter(|point| *point < exponent);
    let places = point.map_or(0, |point| digits(pieces.get(point..exponent)));
    let text = scientific(value, places, false);
    let (mantissa, power) = text.split_once('E').unwrap_or((&text, "+0"));
    let (sign, power) = power.split_at(1);
    let width = digits(pieces.get(exponent..));
    let power = power.trim_start_matches('0');
    let literal = |range: Option<&[Piece]>| -> String {
        range
            .unwrap_or_default()
            .iter()
            .filter_map(|piece| match piece {
                Piece::Literal(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    };
    let (before, after) = (literal(pieces.get(..exponent)), literal(pieces.get(exponent..)));
    format!("{before}{}E{sign}{power:0>width$}{after}", mantissa.replace('.', &locale.decimal.to_string()))
}
