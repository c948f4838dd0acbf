//! What the API's JSON may look like: bodies are read by it, field masks are checked against it.

mod body;
mod mask;
mod messages;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) use body::{read_body, read_enum};
pub(crate) use mask::{Mask, MaskError};
pub(crate) use messages::UNSERVED;

/// A message of the API.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<Field>,
}

/// A field of a message.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) holds: Holds,
    pub(crate) shape: Shape,
    /// Shown also when it holds its default.
    pub(crate) present: bool,
}

/// How many values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    One,
    List,
    Map,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Int,
    /// An integer that may be left out, which is not zero.
    Index,
    Float,
    Double,
    Bool,
    Text,
    /// A field mask.
    Mask,
    /// A list of JSON values.
    List,
    /// Anything, unread.
    Any,
    Enum(&'static str),
    Message(&'static str),
}

/// The message of that name; an empty one for a name that is not there.
pub(crate) fn message(name: &str) -> &'static Message {
    SCHEMA.messages.get(name).unwrap_or(&SCHEMA.none)
}

/// The values of an enum, the default first.
pub(crate) fn values_of(name: &str) -> &'static [&'static str] {
    SCHEMA.enums.get(name).map_or(&[], Vec::as_slice)
}

impl Message {
    /// The field of that name, in camel or snake case.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name).or_else(|| {
            let camel = camel_case(name);
            self.fields.iter().find(|field| field.name == camel)
        })
    }

    /// The choice that a field belongs to.
    fn choice(&self, field: &str) -> Option<&'static str> {
        messages::CHOICES
            .iter()
            .find(|(message, _, fields)| {
                *message == self.name && (fields.is_empty() || fields.contains(&field))
            })
            .map(|(_, choice, _)| *choice)
    }
}

/// `start_row_index` as `startRowIndex`.
pub(crate) fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut raise = false;
    for c in name.chars() {
        if c == '_' {
            raise = true;
        } else if raise {
            camel.extend(c.to_uppercase());
            raise = false;
        } else {
            camel.push(c);
        }
    }
    camel
}

/// `startRowIndex` as `start_row_index`, which is how the API names fields in its errors.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

struct Schema {
    messages: HashMap<&'static str, Message>,
    enums: HashMap<&'static str, Vec<&'static str>>,
    none: Message,
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema {
    messages: entries(messages::MESSAGES)
        .map(|(name, fields)| (name, Message { name, fields: fields.split(',').filter_map(field).collect() }))
        .collect(),
    enums: entries(messages::ENUMS)
        .map(|(name, values)| (name, values.split_whitespace().collect()))
        .collect(),
    none: Message { name: "", fields: Vec::new() },
});

/// `name: text` for each entry; lines that begin with a blank go on with the entry above.
fn entries(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut rest = table;
    std::iter::from_fn(move || {
        let end = rest
            .match_indices('\n')
            .map(|(at, _)| at + 1)
            .find(|at| !rest.get(*at..).unwrap_or_default().starts_with(' '))?;
        let (entry, after) = rest.split_at_checked(end)?;
        rest = after;
        entry.split_once(':').map(|(name, text)| (name, text.trim()))
    })
}

fn field(text: &'static str) -> Option<Field> {
    let (name, kind) = text.trim().split_once(' ')?;
    let (kind, present) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
    let inside = |open, close| kind.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let (kind, shape) = match (inside('[', ']'), inside('{', '}')) {
        (Some(kind), _) => (kind, Shape::List),
        (None, Some(kind)) => (kind, Shape::Map),
        (None, None) => (kind, Shape::One),
    };
    let holds = match kind {
        "int" => Holds::Int,
        "index" => Holds::Index,
        "float" => Holds::Float,
        "double" => Holds::Double,
        "bool" => Holds::Bool,
        "string" => Holds::Text,
        "mask" => Holds::Mask,
        "list" => Holds::List,
        "any" => Holds::Any,
        other => other.strip_prefix('@').map_or(Holds::Message(other), Holds::Enum),
    };
    Some(Field { name, holds, shape, present })
}

#[cfg(test)]
mod tests;
