//! What a cell comes to: a number, a text, a truth value, an error or nothing.

use std::sync::Arc;

use serde_json::Value;

use super::json::{Object, number};

/// The value of a cell, or of a part of a formula.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Scalar {
    /// Nothing.
    #[default]
    Blank,
    /// A number; dates and times are numbers, too.
    Number(f64),
    /// A text.
    Text(Arc<str>),
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// An error.
    Error(Fault),
}

/// An error in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    /// More about it; may be empty.
    pub(crate) message: Arc<str>,
}

/// The kinds of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// `#ERROR!`: the formula cannot be read.
    Error,
    /// `#NULL!`
    Null,
    /// `#DIV/0!`
    DivideByZero,
    /// `#VALUE!`
    Value,
    /// `#REF!`
    Reference,
    /// `#NAME?`
    Name,
    /// `#NUM!`
    Number,
    /// `#N/A`
    NotAvailable,
}

/// Kinds of errors: what is shown, and the name that the API gives.
const KINDS: [(ErrorKind, &str, &str); 8] = [
    (ErrorKind::Error, "#ERROR!", "ERROR"),
    (ErrorKind::Null, "#NULL!", "NULL_VALUE"),
    (ErrorKind::DivideByZero, "#DIV/0!", "DIVIDE_BY_ZERO"),
    (ErrorKind::Value, "#VALUE!", "VALUE"),
    (ErrorKind::Reference, "#REF!", "REF"),
    (ErrorKind::Name, "#NAME?", "NAME"),
    (ErrorKind::Number, "#NUM!", "NUM"),
    (ErrorKind::NotAvailable, "#N/A", "N_A"),
];

impl ErrorKind {
    /// As a cell shows it.
    pub fn shown(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("#ERROR!", |(_, shown, _)| shown)
    }

    /// The kind that a cell shows so.
    pub fn of_shown(text: &str) -> Option<Self> {
        KINDS.iter().find(|(_, shown, _)| *shown == text).map(|(kind, ..)| *kind)
    }

    fn api_name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("ERROR", |(.., name)| name)
    }

    /// The kind of an API name.
    pub(crate) fn of_api_name(text: &str) -> Option<Self> {
        KINDS.iter().find(|(.., name)| *name == text).map(|(kind, ..)| *kind)
    }

    /// An error of this kind.
    pub(crate) fn because(self, message: impl Into<Arc<str>>) -> Fault {
        Fault { kind: self, message: message.into() }
    }
}

impl From<ErrorKind> for Scalar {
    fn from(kind: ErrorKind) -> Self {
        Self::Error(kind.because(""))
    }
}

impl From<Fault> for Scalar {
    fn from(fault: Fault) -> Self {
        Self::Error(fault)
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl Scalar {
    /// True for nothing.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Blank)
    }

    /// An `ExtendedValue` of the API; none for nothing.
    pub(crate) fn extended(&self) -> Option<Value> {
        let object = Object::new();
        let object = match self {
            Self::Blank => return None,
            Self::Number(value) => object.with("numberValue", number(*value)),
            Self::Text(text) => object.with("stringValue", &**text),
            Self::Bool(value) => object.with("boolValue", *value),
            Self::Error(fault) => {
                let error = Object::new().with("type", fault.kind.api_name()).text("message", &fault.message);
                object.with("errorValue", error)
            }
        };
        Some(object.into())
    }

    /// As `UNFORMATTED_VALUE` gives it. An error tells its reason.
    pub(crate) fn unformatted(&self) -> Value {
        match self {
            Self::Blank => Value::from(""),
            Self::Number(value) => number(*value),
            Self::Text(text) => Value::from(&**text),
            Self::Bool(value) => Value::from(*value),
            Self::Error(fault) if fault.message.is_empty() => Value::from(fault.kind.shown()),
            Self::Error(fault) => Value::from(format!("{} ({})", fault.kind.shown(), fault.message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_in_answers() {
        let fault = Scalar::Error(ErrorKind::DivideByZero.because("why"));
        for (value, extended, unformatted) in [
            (Scalar::Number(2.0), json!({"numberValue": 2}), json!(2)),
            (Scalar::Bool(false), json!({"boolValue": false}), json!(false)),
            (Scalar::from("x"), json!({"stringValue": "x"}), json!("x")),
            (
                fault,
                json!({"errorValue": {"type": "DIVIDE_BY_ZERO", "message": "why"}}),
                json!("#DIV/0! (why)"),
            ),
            (ErrorKind::NotAvailable.into(), json!({"errorValue": {"type": "N_A"}}), json!("#N/A")),
        ] {
            assert_eq!((value.extended(), value.unformatted()), (Some(extended), unformatted));
        }
        assert_eq!(Scalar::Blank.extended(), None);
    }

    #[test]
    fn errors_are_known_by_what_is_shown() {
        for (kind, shown, name) in KINDS {
            assert_eq!((ErrorKind::of_shown(shown), ErrorKind::of_api_name(name)), (Some(kind), Some(kind)));
        }
    }
}
