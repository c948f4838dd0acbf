//! Operators, and how values become numbers, texts and truth values.

use std::cmp::Ordering;

use super::parser::{Binary, Unary};
use crate::sandbox::sheets::cell::MAX_CHARACTERS;
use crate::sandbox::sheets::display;
use crate::sandbox::sheets::entry::{self, Locale};
use crate::sandbox::sheets::value::{ErrorKind, Fault, Scalar};

/// An operator of one operand.
pub(super) fn unary(operator: Unary, value: &Scalar, locale: &Locale) -> Scalar {
    let result = match operator {
        Unary::Plus => return value.clone(),
        Unary::Minus => operand(value, "UMINUS", 1, locale).map(|value| -value),
        Unary::Percent => operand(value, "UNARY_PERCENT", 1, locale).map(|value| value / 100.0),
    };
    result.map_or_else(Scalar::from, Scalar::Number)
}

/// An operator of two operands.
pub(super) fn binary(operator: Binary, left: &Scalar, right: &Scalar, locale: &Locale) -> Scalar {
    let name = match operator {
        Binary::Join => return join(left, right, locale).unwrap_or_else(Scalar::from),
        Binary::Add => "ADD",
        Binary::Subtract => "MINUS",
        Binary::Multiply => "MULTIPLY",
        Binary::Divide => "DIVIDE",
        Binary::Power => "POW",
        _ => return compared(operator, left, right).map_or_else(Scalar::from, Scalar::Bool),
    };
    let operands =
        operand(left, name, 1, locale).and_then(|left| Ok((left, operand(right, name, 2, locale)?)));
    let (left, right) = match operands {
        Ok(operands) => operands,
        Err(fault) => return fault.into(),
    };
    let value = match operator {
        Binary::Add => left + right,
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide if right == 0.0 => {
            return ErrorKind::DivideByZero.because("Function DIVIDE parameter 2 cannot be zero.").into();
        }
        Binary::Divide => left / right,
        _ => left.powf(right),
    };
    finite(value).map_or_else(Scalar::from, Scalar::Number)
}

/// A number, unless it is none.
pub(super) fn finite(value: f64) -> Result<f64, Fault> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(ErrorKind::Number.because("Result was not a number that can be shown."))
}

fn operand(value: &Scalar, name: &str, position: u32, locale: &Locale) -> Result<f64, Fault> {
    number(value, locale).map_err(|fault| match (fault.kind, value) {
        (ErrorKind::Value, Scalar::Text(text)) => ErrorKind::Value.because(format!(
            "Function {name} parameter {position} expects number values. But '{text}' is a text and cannot be \
             coerced to a number."
        )),
        _ => fault,
    })
}

/// A value as a number. A text counts if it would be a number when entered.
pub(super) fn number(value: &Scalar, locale: &Locale) -> Result<f64, Fault> {
    match value {
        Scalar::Blank => Ok(0.0),
        Scalar::Number(value) => Ok(*value),
        Scalar::Bool(value) => Ok(f64::from(u8::from(*value))),
        Scalar::Text(text) => entry::as_number(text, locale).ok_or_else(|| {
            ErrorKind::Value.because(format!("'{text}' is a text and cannot be coerced to a number."))
        }),
        Scalar::Error(fault) => Err(fault.clone()),
    }
}

/// A value as a text.
pub(super) fn text(value: &Scalar, locale: &Locale) -> Result<String, Fault> {
    match value {
        Scalar::Error(fault) => Err(fault.clone()),
        other => Ok(display::show(other, None, locale)),
    }
}

/// A value as a truth value.
pub(super) fn truth(value: &Scalar) -> Result<bool, Fault> {
    match value {
        Scalar::Blank => Ok(false),
        Scalar::Bool(value) => Ok(*value),
        Scalar::Number(value) => Ok(*value != 0.0),
        Scalar::Text(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Scalar::Text(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Scalar::Text(text) => {
            Err(ErrorKind::Value.because(format!("'{text}' is a text and cannot be coerced to a boolean.")))
        }
        Scalar::Error(fault) => Err(fault.clone()),
    }
}

fn join(left: &Scalar, right: &Scalar, locale: &Locale) -> Result<Scalar, Fault> {
    let mut joined = Joined::by("CONCATENATE");
    joined.push(&text(left, locale)?)?;
    joined.push(&text(right, locale)?)?;
    Ok(joined.into())
}

/// A text that grows, and not beyond what a cell may hold: a few formulas that double a text would fill the memory.
pub(super) struct Joined {
    text: String,
    /// In UTF-16, as cells count.
    characters: usize,
    function: &'static str,
}

impl Joined {
    /// Nothing yet, by that function.
    pub(super) fn by(function: &'static str) -> Self {
        Self { text: String::new(), characters: 0, function }
    }

    /// Adds a part.
    pub(super) fn push(&mut self, part: &str) -> Result<(), Fault> {
        self.characters += part.encode_utf16().count();
        if self.characters > MAX_CHARACTERS {
            return Err(too_long(self.function));
        }
        self.text.push_str(part);
        Ok(())
    }
}

impl From<Joined> for Scalar {
    fn from(joined: Joined) -> Self {
        joined.text.into()
    }
}

/// Refuses a text that a cell could not hold.
pub(super) fn short(text: &str, function: &str) -> Result<(), Fault> {
    if text.len() > MAX_CHARACTERS && text.encode_utf16().count() > MAX_CHARACTERS {
        return Err(too_long(function));
    }
    Ok(())
}

fn too_long(function: &str) -> Fault {
    ErrorKind::Value.because(format!(
        "Text result of {function} is longer than the limit of {MAX_CHARACTERS} characters."
    ))
}

fn compared(operator: Binary, left: &Scalar, right: &Scalar) -> Result<bool, Fault> {
    for value in [left, right] {
        if let Scalar::Error(fault) = value {
            return Err(fault.clone());
        }
    }
    let order = order(left, right);
    Ok(match operator {
        Binary::Equal => order == Ordering::Equal,
        Binary::NotEqual => order != Ordering::Equal,
        Binary::Less => order == Ordering::Less,
        Binary::LessOrEqual => order != Ordering::Greater,
        Binary::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

/// The order of two values: numbers before texts before truth values; nothing is what the other one needs.
pub(crate) fn order(left: &Scalar, right: &Scalar) -> Ordering {
    let rank = |value: &Scalar| match value {
        Scalar::Blank => 0,
        Scalar::Number(_) => 1,
        Scalar::Text(_) => 2,
        Scalar::Bool(_) => 3,
        Scalar::Error(_) => 4,
    };
    match (left, right) {
        (Scalar::Number(left), Scalar::Number(right)) => left.total_cmp(right),
        (Scalar::Text(left), Scalar::Text(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
        (Scalar::Bool(left), Scalar::Bool(right)) => left.cmp(right),
        (Scalar::Blank, Scalar::Blank) => Ordering::Equal,
        (Scalar::Blank, other) => order(&nothing_like(other), other),
        (other, Scalar::Blank) => order(other, &nothing_like(other)),
        (left, right) => rank(left).cmp(&rank(right)),
    }
}

fn nothing_like(other: &Scalar) -> Scalar {
    match other {
        Scalar::Number(_) => Scalar::Number(0.0),
        Scalar::Bool(_) => Scalar::Bool(false),
        _ => Scalar::from(""),
    }
}
