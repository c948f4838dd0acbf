//! Dates and times as people write them, and the numbers that stand for them.

use jiff::civil::{Date, DateTime, Time};

use super::locale::{Locale, Part};

/// A date or a time that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moment {
    /// Days since the end of 1899; the time of the day is a fraction.
    pub(super) value: f64,
    /// The type and the pattern that show it as it was written.
    pub(super) format: (&'static str, String),
}

/// The day that is number 0.
const FIRST_DAY: Date = jiff::civil::date(1899, 12, 30);

/// The number of a moment.
pub(crate) fn serial(moment: DateTime) -> f64 {
    let days = (moment.date() - FIRST_DAY).get_days();
    f64::from(days) + day_fraction(moment.time())
}

/// The moment of a number, to the millisecond; none outside of the calendar.
pub(crate) fn moment(serial: f64) -> Option<DateTime> {
    if !(-700_000.0..2_960_000.0).contains(&serial) {
        return None;
    }
    let milliseconds = (serial * 86_400_000.0).round() as i64;
    FIRST_DAY.to_datetime(Time::midnight()).checked_add(jiff::Span::new().milliseconds(milliseconds)).ok()
}

fn day_fraction(time: Time) -> f64 {
    let seconds =
        f64::from(time.hour()) * 3600.0 + f64::from(time.minute()) * 60.0 + f64::from(time.second());
    (seconds + f64::from(time.subsec_nanosecond()) / 1e9) / 86_400.0
}

/// Reads a date, a time, or both; a date without a year is in `year`.
pub(super) fn read(text: &str, locale: &Locale, year: i16) -> Option<Moment> {
    if text.len() > 60 || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if let Some((date, pattern)) = day(text, locale, year) {
        return Some(Moment { value: serial(date.into()), format: ("DATE", pattern) });
    }
    if let Some((value, pattern)) = time(text) {
        return Some(Moment { value, format: ("TIME", pattern) });
    }
    let cuts = text.match_indices([' ', 'T']).map(|(at, _)| at);
    for at in cuts {
        let (Some(first), Some(last)) = (text.get(..at), text.get(at + 1..)) else { continue };
        let (Some((date, pattern)), Some((value, _))) = (day(first, locale, year), time(last.trim())) else {
            continue;
        };
        if value >= 1.0 {
            return None;
        }
        let default = pattern == locale.date || first.contains(locale.separator);
        let hours = locale.date_time.rsplit(' ').next().unwrap_or("H:mm:ss");
        let pattern = if default { locale.date_time.to_owned() } else { format!("{pattern} {hours}") };
        return Some(Moment { value: serial(date.into()) + value, format: ("DATE_TIME", pattern) });
    }
    None
}

/// A time of the day or a duration: `10:30`, `10:30:15`, `9:05 PM`. As a part of a day, with its pattern.
fn time(text: &str) -> Option<(f64, String)> {
    let lower = text.to_ascii_lowercase();
    let (clock, noon) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(clock), _) => (clock.trim_end(), Some(false)),
        (None, Some(clock)) => (clock.trim_end(), Some(true)),
        (None, None) => (lower.as_str(), None),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (*hour, *minute, None),
        [hour, minute, second] => (*hour, *minute, Some(*second)),
        _ => return None,
    };
    let number = |text: &str, longest: usize| {
        let fits = (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if fits { text.parse::<u32>().ok() } else { None }
    };
    let (mut hours, minutes) = (number(hour, 4)?, number(minute, 2)?);
    let (whole, fraction) = second.map_or((Some(0), ""), |second| match second.split_once('.') {
        Some((whole, fraction)) => (number(whole, 2), fraction),
        None => (number(second, 2), ""),
    });
    let seconds = whole?;
    if minutes > 59 || seconds > 59 || (noon.is_some() && !(1..=12).contains(&hours)) {
        return None;
    }
    if let Some(noon) = noon {
        hours = hours % 12 + if noon { 12 } else { 0 };
    }
    let fraction = if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse::<f64>().ok()? };
    let value = (f64::from(hours * 3600 + minutes * 60 + seconds) + fraction) / 86_400.0;
    let digits = if hour.starts_with('0') { "hh" } else { "h" };
    let digits = if hours > 23 { "[h]" } else { digits };
    let seconds = if second.is_some() { ":ss" } else { "" };
    let half = if noon.is_some() { " am/pm" } else { "" };
    Some((value, format!("{digits}:mm{seconds}{half}")))
}

/// A day, with the pattern it is written in.
fn day(text: &str, locale: &Locale, year: i16) -> Option<(Date, String)> {
    numeric(text, locale, year).or_else(|| with_month_name(text, locale, year))
}

/// A day of numbers: `2020-01-31`, `1/31/2020`, `31.1.`, `1/2`.
fn numeric(text: &str, locale: &Locale, this_year: i16) -> Option<(Date, String)> {
    let separator = text.chars().find(|c| !c.is_ascii_digit()).filter(|c| matches!(c, '/' | '-' | '.'))?;
    if separator == '.' && locale.separator != '.' {
        return None;
    }
    let parts: Vec<&str> = text.split(separator).collect();
    if !parts
        .iter()
        .all(|part| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return None;
    }
    let order: Vec<Part> = match parts.as_slice() {
        [first, _, _] if first.len() == 4 => vec![Part::Year, Part::Month, Part::Day],
        [_, _, _] => locale.order.to_vec(),
        // A year of four digits behind a month: the first day of it.
        [_, year] if separator == '/' && year.len() == 4 => vec![Part::Month, Part::Year],
        [_, _] if separator != '.' => {
            locale.order.iter().copied().filter(|part| *part != Part::Year).collect()
        }
        _ => return None,
    };
    let (mut day, mut month, mut year) = (1, 0, this_year);
    let mut pattern = Vec::new();
    let padded = parts.iter().any(|part| part.len() == 2 && part.starts_with('0'));
    for (part, text) in order.iter().zip(&parts) {
        let number: i16 = text.parse().ok()?;
        match part {
            Part::Year => {
                year = full_year(number, text.len())?;
                pattern.push(if text.len() == 4 { "yyyy" } else { "yy" });
            }
            _ if text.len() > 2 => return None,
            Part::Month => {
                month = number;
                pattern.push(if padded { "MM" } else { "M" });
            }
            Part::Day => {
                day = number;
                pattern.push(if padded { "dd" } else { "d" });
            }
        }
    }
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let iso = order.first() == Some(&Part::Year) && parts.iter().skip(1).all(|part| part.len() == 2);
    let pattern = if iso {
        ["yyyy", "mm", "dd"].join(&separator.to_string())
    } else {
        pattern.join(&separator.to_string())
    };
    Some((date, pattern))
}

/// A year of two digits is in this century up to 29.
fn full_year(year: i16, digits: usize) -> Option<i16> {
    match digits {
        4 => Some(year),
        1 | 2 if year < 30 => Some(2000 + year),
        1 | 2 => Some(1900 + year),
        _ => None,
    }
}

/// A day with the name of its month: `5 Jan 2020`, `January 5, 2020`, `5-Jan`.
fn with_month_name(text: &str, locale: &Locale, this_year: i16) -> Option<(Date, String)> {
    let parts: Vec<&str> = text.split([' ', ',', '-']).filter(|part| !part.is_empty()).collect();
    let (position, month, long) = parts
        .iter()
        .enumerate()
        .find_map(|(position, part)| month_name(part, locale).map(|(month, long)| (position, month, long)))?;
    let name = if long { "mmmm" } else { "mmm" };
    let number = |index: usize| parts.get(index)?.parse::<i16>().ok();
    let full = |index: usize| parts.get(index).and_then(|text| full_year(text.parse().ok()?, text.len()));
    let separator = if text.contains('-') { "-" } else { " " };
    let (day, year, pattern) = match (position, parts.len()) {
        (0, 2) if parts.get(1)?.len() == 4 => (1, number(1)?, format!("{name}{separator}yyyy")),
        (0, 2) => (number(1)?, this_year, format!("{name}{separator}d")),
        (0, 3) => (number(1)?, full(2)?, format!("{name} d, yyyy")),
        (1, 2) => (number(0)?, this_year, format!("d{separator}{name}")),
        (1, 3) => (number(0)?, full(2)?, format!("d{separator}{name}{separator}yyyy")),
        _ => return None,
    };
    Some((Date::new(year, month, i8::try_from(day).ok()?).ok()?, pattern))
}

fn month_name(word: &str, locale: &Locale) -> Option<(i8, bool)> {
    let folded = word.trim_end_matches('.').to_lowercase();
    let find = |names: &[&str; 12]| {
        let same = |name: &&str| name.trim_end_matches('.').to_lowercase() == folded;
        names.iter().position(same).and_then(|at| i8::try_from(at + 1).ok())
    };
    let [long, short] = &locale.months;
    find(short).map(|month| (month, false)).or_else(|| find(long).map(|month| (month, true)))
}
