//! What a cell shows: values as texts, by the pattern of their number format and the locale.

mod dates;
mod fractions;
mod numbers;
mod pattern;

use super::entry::Locale;
use super::value::Scalar;
use pattern::Section;

/// What is shown of a value. The format is a type and a pattern; without a pattern the type's own one counts.
pub(crate) fn show(value: &Scalar, format: Option<(&str, &str)>, locale: &Locale) -> String {
    match value {
        Scalar::Blank => String::new(),
        Scalar::Text(text) => text.to_string(),
        Scalar::Bool(value) => {
            let [yes, no] = locale.truth;
            if *value { yes } else { no }.into()
        }
        Scalar::Error(fault) => fault.kind.shown().into(),
        Scalar::Number(value) => number(*value, format, locale),
    }
}

/// True if numbers of this format are dates or times.
pub(crate) fn is_date(format: Option<(&str, &str)>) -> bool {
    let Some((kind, pattern)) = format else { return false };
    match kind {
        "DATE" | "TIME" | "DATE_TIME" => true,
        "" | "NUMBER" => pattern::sections(pattern).first().is_some_and(Section::is_date),
        _ => false,
    }
}

fn number(value: f64, format: Option<(&str, &str)>, locale: &Locale) -> String {
    let (kind, pattern) = format.unwrap_or_default();
    let default = locale.pattern(kind);
    let pattern = if pattern.is_empty() { default.as_str() } else { pattern };
    if pattern.is_empty() || kind == "TEXT" {
        return general(value, locale);
    }
    let sections = pattern::sections(pattern);
    let Some((section, value)) = pattern::section_for(&sections, value) else {
        return general(value, locale);
    };
    if section.is_date() {
        return dates::show(section, value, locale).unwrap_or_else(|| general(value, locale));
    }
    fractions::show(section, value, locale).unwrap_or_else(|| numbers::show(section, value, locale))
}

/// A number without a pattern: as many digits as it has, up to ten that matter.
pub(crate) fn general(value: f64, locale: &Locale) -> String {
    let size = value.abs();
    let text = if value.fract() == 0.0 && size < 1e15 {
        format!("{value:.0}")
    } else if size >= 1e15 || (size > 0.0 && size < 1e-10) {
        scientific(value, 5, true)
    } else {
        let magnitude = size.log10().floor() as i32;
        let places = usize::try_from(9 - magnitude).unwrap_or(0).min(20);
        trimmed(&format!("{value:.places$}"))
    };
    let text = if text == "-0" { "0".to_owned() } else { text };
    text.replace('.', &locale.decimal.to_string())
}

/// `1.5E+05`, with so many digits after the point.
fn scientific(value: f64, places: usize, trim: bool) -> String {
    let text = format!("{value:.places$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    let mantissa = if trim { trimmed(mantissa) } else { mantissa.to_owned() };
    format!("{mantissa}E{sign}{digits:0>2}")
}

/// Without zeros at the end of a fraction.
fn trimmed(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests;
