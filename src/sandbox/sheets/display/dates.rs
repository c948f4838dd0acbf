//! Shows a date or a time by a section of a pattern.

use jiff::civil::DateTime;

use super::pattern::{Piece, Section};
use crate::sandbox::sheets::entry::{Locale, moment};

/// The number as the section shows it; none if it is no moment of the calendar.
pub(super) fn show(section: &Section, value: f64, locale: &Locale) -> Option<String> {
    let pieces = &section.pieces;
    let fraction = pieces.iter().any(|piece| matches!(piece, Piece::Fraction(_)));
    // Without parts of a second the seconds are rounded, not cut.
    let value = if fraction { value } else { (value * 86_400.0).round() / 86_400.0 };
    let moment = moment(value)?;
    let half = pieces.iter().any(|piece| matches!(piece, Piece::Half(_)));
    let mut text = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Slash => text.push('/'),
            Piece::Point => text.push('.'),
            Piece::Comma => text.push(','),
            Piece::Date('m', count) if *count <= 2 && is_minute(pieces, at) => {
                push(&mut text, i64::from(moment.minute()), *count);
            }
            Piece::Date(letter, count) => push_date(&mut text, *letter, *count, moment, half, locale),
            Piece::Elapsed(letter, count) => {
                let seconds = (value * 86_400.0).round() as i64;
                let passed = match letter {
                    'h' => seconds / 3600,
                    'm' => seconds / 60,
                    _ => seconds,
                };
                push(&mut text, passed, *count);
            }
            Piece::Half(short) => {
                let name = if moment.hour() < 12 { "AM" } else { "PM" };
                text.push_str(if *short { name.get(..1).unwrap_or_default() } else { name });
            }
            Piece::Fraction(digits) => {
                let nanoseconds = format!("{:09}", moment.subsec_nanosecond());
                text.push(locale.decimal);
                text.push_str(nanoseconds.get(..(*digits).min(9)).unwrap_or_default());
            }
            Piece::Digit(mark) => text.push(*mark),
            Piece::Percent => text.push('%'),
            Piece::Exponent | Piece::Value => {}
        }
    }
    Some(text)
}

fn push(text: &mut String, number: i64, width: usize) {
    text.push_str(&format!("{number:0width$}", width = width.min(8)));
}

fn push_date(text: &mut String, letter: char, count: usize, moment: DateTime, half: bool, locale: &Locale) {
    let [long_months, short_months] = &locale.months;
    let [long_days, short_days] = &locale.days;
    let month = usize::try_from(moment.month()).unwrap_or(1).saturating_sub(1);
    let weekday = usize::try_from(moment.date().weekday().to_sunday_zero_offset()).unwrap_or(0);
    let name = |names: &[&'static str], at: usize| names.get(at).copied().unwrap_or_default();
    match (letter, count) {
        ('y', 1 | 2) => push(text, i64::from(moment.year().rem_euclid(100)), 2),
        ('y', _) => push(text, i64::from(moment.year()), 4),
        ('m', 1 | 2) => push(text, i64::from(moment.month()), count),
        ('m', 3) => text.push_str(name(short_months, month)),
        ('m', 5) => text.extend(name(long_months, month).chars().next()),
        ('m', _) => text.push_str(name(long_months, month)),
        ('d', 1 | 2) => push(text, i64::from(moment.day()), count),
        ('d', 3) => text.push_str(name(short_days, weekday)),
        ('d', _) => text.push_str(name(long_days, weekday)),
        ('h', _) => {
            let hour = i64::from(moment.hour());
            let hour = if half { (hour + 11) % 12 + 1 } else { hour };
            push(text, hour, count.min(2));
        }
        ('s', _) => push(text, i64::from(moment.second()), count.min(2)),
        _ => {}
    }
}

/// True if an `m` stands for minutes: behind hours, or before seconds.
fn is_minute(pieces: &[Piece], at: usize) -> bool {
    let clock = |piece: &&Piece| matches!(piece, Piece::Date(..) | Piece::Elapsed(..));
    let before = pieces.get(..at).unwrap_or_default().iter().rev().find(clock);
    let after = pieces.get(at + 1..).unwrap_or_default().iter().find(clock);
    matches!(before, Some(Piece::Date('h', _) | Piece::Elapsed('h', _)))
        || matches!(after, Some(Piece::Date('s', _) | Piece::Elapsed('s', _)))
}
