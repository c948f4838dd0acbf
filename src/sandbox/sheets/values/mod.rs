//! The calls that read and write values.

mod append;
mod clear;
mod filter;
mod get;
mod proto;
mod render;
mod table;
mod update;
mod write;

use serde_json::{Map, Value};

use super::query::Query;
use super::refusal::Refusal;

pub(crate) use append::append;
pub(crate) use clear::{batch_clear, batch_clear_by_filter, clear};
pub(crate) use filter::{matches, selected};
pub(crate) use get::{batch_get, batch_get_by_filter, get};
pub(crate) use render::shown;
pub(crate) use update::{batch_update, batch_update_by_filter, update};
pub(crate) use write::{enter, too_long};

/// How strings of a body are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// As they are.
    Raw,
    /// As if typed.
    UserEntered,
}

impl Input {
    fn of(name: &str) -> Result<Self, Refusal> {
        match name {
            "RAW" => Ok(Self::Raw),
            "USER_ENTERED" => Ok(Self::UserEntered),
            _ => Err(Refusal::invalid("'valueInputOption' is required but not specified")),
        }
    }

    fn of_query(query: &Query) -> Result<Self, Refusal> {
        Self::of(query.choice("valueInputOption", "ValueInputOption")?)
    }

    fn of_body(body: &Map<String, Value>) -> Result<Self, Refusal> {
        Self::of(text(body, "valueInputOption"))
    }
}

/// A text of a body that was read; empty if it is not there.
fn text<'a>(body: &'a Map<String, Value>, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The messages of a list of a body.
fn messages<'a>(body: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Map<String, Value>> {
    body.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

#[cfg(test)]
mod tests;
