//! Numbers as people write them: grouped, with a currency, as a share, in brackets.

use super::locale::Locale;

/// A number that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) value: f64,
    /// The type and the pattern that show it as it was written; none for a plain number.
    pub(super) format: Option<(&'static str, String)>,
}

/// Reads a number; none for what is no number of the locale.
pub(super) fn read(text: &str, locale: &Locale) -> Option<Number> {
    let (text, bracketed) = match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => (inner.trim(), true),
        None => (text, false),
    };
    let mut rest = text;
    let mut negative = bracketed;
    let mut signed = bracketed;
    let mut money = false;
    loop {
        if let Some(after) = rest.strip_prefix(['+', '-', '−']).filter(|_| !signed) {
            negative = !rest.starts_with('+');
            (rest, signed) = (after.trim_start(), true);
        } else if let Some(after) = rest.strip_prefix(locale.currency).filter(|_| !money) {
            (rest, money) = (after.trim_start(), true);
        } else {
            break;
        }
    }
    let percent = match rest.strip_suffix('%') {
        Some(before) => {
            rest = before.trim_end();
            true
        }
        None => false,
    };
    if let Some(before) = rest.strip_suffix(locale.currency).filter(|_| !money && !percent) {
        (rest, money) = (before.trim_end(), true);
    }
    let digits = digits(rest, locale)?;
    let mut value = digits.value;
    if percent {
        value /= 100.0;
    }
    if negative {
        value = -value;
    }
    let format = match (percent, money, digits.exponent, digits.grouped) {
        (true, ..) => Some(("PERCENT", if digits.places == 0 { "0%".into() } else { "0.00%".into() })),
        (_, true, ..) => Some(("CURRENCY", locale.money(digits.places > 0))),
        (_, _, true, _) => Some(("SCIENTIFIC", "0.00E+00".into())),
        (.., true) => Some(("NUMBER", grouped_pattern(digits.places))),
        _ => None,
    };
    value.is_finite().then_some(Number { value, format })
}

fn grouped_pattern(places: usize) -> String {
    if places == 0 { "#,##0".into() } else { format!("#,##0.{}", "0".repeat(places)) }
}

struct Digits {
    value: f64,
    /// How many digits stand after the point.
    places: usize,
    grouped: bool,
    exponent: bool,
}

fn digits(text: &str, locale: &Locale) -> Option<Digits> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once(locale.decimal) {
        Some((whole, fraction)) => (whole, fraction),
        None => (mantissa, ""),
    };
    let (whole, grouped) = ungrouped(whole, locale.group)?;
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(&whole) || !all_digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let power = match exponent {
        Some(exponent) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || digits.len() > 4 || !all_digits(digits) {
                return None;
            }
            format!("e{exponent}")
        }
        None => String::new(),
    };
    let value = format!("{whole}.{fraction}0{power}").parse().ok()?;
    Some(Digits { value, places: fraction.len(), grouped, exponent: exponent.is_some() })
}

/// The digits without what groups them; none if they are grouped wrongly.
fn ungrouped(text: &str, group: char) -> Option<(String, bool)> {
    let blank = |c: char| matches!(c, '\u{a0}' | '\u{202f}') || (c == ' ' && group.is_whitespace());
    let is_group = |c: char| c == group || (group.is_whitespace() && blank(c));
    if !text.contains(is_group) {
        return Some((text.to_owned(), false));
    }
    let mut parts = text.split(is_group);
    let first = parts.next().filter(|first| (1..=3).contains(&first.len()))?;
    let mut digits = first.to_owned();
    for part in parts {
        if part.len() != 3 {
            return None;
        }
        digits.push_str(part);
    }
    Some((digits, true))
}
