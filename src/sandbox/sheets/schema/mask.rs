//! Field masks: which fields of a message are meant. `a.b`, `a/b`, `a(b,c)`, `*`.

use serde_json::{Map, Value};

use super::{Holds, Message, camel_case, message};

/// A set of fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mask {
    /// Every field.
    All,
    /// These fields, in the order they were named first.
    Fields(Vec<(String, Mask)>),
}

/// Why a text is no mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MaskError {
    /// It cannot be read.
    Malformed,
    /// It names a field that is not there; with its path.
    Unknown(String),
}

impl Mask {
    /// Reads a mask.
    pub(crate) fn parse(text: &str) -> Result<Self, MaskError> {
        let mut rest = text;
        let mut fields = Self::Fields(Vec::new());
        items(&mut rest, &mut Vec::new(), &mut fields, 0)?;
        if rest.is_empty() { Ok(fields) } else { Err(MaskError::Malformed) }
    }

    /// Reads a mask of fields of a message.
    pub(crate) fn of(text: &str, name: &str) -> Result<Self, MaskError> {
        let mask = Self::parse(text)?;
        match mask.unknown(message(name)) {
            Some(path) => Err(MaskError::Unknown(path)),
            None => Ok(mask),
        }
    }

    /// What is meant of a field; none if the field is not meant at all.
    pub(crate) fn at(&self, field: &str) -> Option<&Self> {
        match self {
            Self::All => Some(&Self::All),
            Self::Fields(fields) => fields.iter().find(|(name, _)| name == field).map(|(_, mask)| mask),
        }
    }

    /// True if anything of the field is meant.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.at(field).is_some()
    }

    /// Adds a path to the mask.
    pub(crate) fn add(&mut self, path: &[String]) {
        let Self::Fields(fields) = self else { return };
        match path {
            [] => *self = Self::All,
            [star, ..] if star == "*" => *self = Self::All,
            [first, rest @ ..] => match fields.iter_mut().find(|(name, _)| name == first) {
                Some((_, mask)) => mask.add(rest),
                None => {
                    let mut mask = Self::Fields(Vec::new());
                    mask.add(rest);
                    fields.push((first.clone(), mask));
                }
            },
        }
    }

    /// Leaves of a value what is meant. Lists and maps are gone through.
    pub(crate) fn prune(&self, value: &mut Value) {
        let Self::Fields(_) = self else { return };
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| self.has(name));
                for (name, value) in fields {
                    if let Some(mask) = self.at(name) {
                        mask.prune(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.prune(item)),
            _ => {}
        }
    }

    /// Makes the fields that are meant in `target` what they are in `source`, also where that is nothing.
    pub(crate) fn write(&self, target: &mut Map<String, Value>, source: &Map<String, Value>) {
        let Self::Fields(fields) = self else {
            target.clone_from(source);
            return;
        };
        for (name, mask) in fields {
            let given = source.get(name);
            match (mask, given) {
                (Self::All, Some(value)) => {
                    target.insert(name.clone(), value.clone());
                }
                (Self::All, None) => {
                    target.shift_remove(name);
                }
                (Self::Fields(_), given) => {
                    let nothing = Map::new();
                    let given = given.and_then(Value::as_object).unwrap_or(&nothing);
                    let mut inner = match target.get(name) {
                        Some(Value::Object(inner)) => inner.clone(),
                        _ => Map::new(),
                    };
                    mask.write(&mut inner, given);
                    if inner.is_empty() {
                        target.shift_remove(name);
                    } else {
                        target.insert(name.clone(), Value::Object(inner));
                    }
                }
            }
        }
    }

    /// The path of a field that the message does not have.
    fn unknown(&self, message: &'static Message) -> Option<String> {
        let Self::Fields(fields) = self else { return None };
        fields.iter().find_map(|(name, mask)| {
            let Some(field) = message.field(name) else { return Some(name.clone()) };
            let inner = match (field.holds, mask) {
                (Holds::Any, _) | (_, Self::All) => None,
                (Holds::Message(inner), mask) => mask.unknown(super::message(inner)),
                (_, Self::Fields(inner)) => inner.first().map(|(name, _)| name.clone()),
            };
            inner.map(|path| format!("{name}.{path}"))
        })
    }
}

/// How deep parentheses may be nested.
const DEPTH: usize = 32;

fn items(rest: &mut &str, path: &mut Vec<String>, mask: &mut Mask, depth: usize) -> Result<(), MaskError> {
    if depth > DEPTH {
        return Err(MaskError::Malformed);
    }
    loop {
        let length = path.len();
        loop {
            let end = rest.find(['.', '/', ',', '(', ')']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() {
                return Err(MaskError::Malformed);
            }
            path.push(if name.contains('_') { camel_case(name) } else { name.to_owned() });
            *rest = after;
            match rest.strip_prefix(['.', '/']) {
                Some(after) => *rest = after,
                None => break,
            }
        }
        if let Some(inner) = rest.strip_prefix('(') {
            *rest = inner;
            items(rest, path, mask, depth + 1)?;
            *rest = rest.strip_prefix(')').ok_or(MaskError::Malformed)?;
        } else {
            mask.add(path);
        }
        path.truncate(length);
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn leaves(mask: &Mask) -> Vec<String> {
        match mask {
            Mask::All => vec!["*".into()],
            Mask::Fields(fields) => fields
                .iter()
                .flat_map(|(name, inner)| match inner {
                    Mask::All => vec![name.clone()],
                    inner => leaves(inner).into_iter().map(|leaf| format!("{name}.{leaf}")).collect(),
                })
                .collect(),
        }
    }

    #[test]
    fn masks_are_read() {
        for (text, expected) in [
            ("a", vec!["a"]),
            ("a.b,c", vec!["a.b", "c"]),
            ("a/b/c", vec!["a.b.c"]),
            ("a(b,c/d(e,f)),g", vec!["a.b", "a.c.d.e", "a.c.d.f", "g"]),
            ("a.b(c).d", vec![]),
            ("a.b,a", vec!["a"]),
            ("a,a.b", vec!["a"]),
            ("a.*", vec!["a"]),
            ("*", vec!["*"]),
            ("start_row", vec!["startRow"]),
        ] {
            match Mask::parse(text) {
                Ok(mask) => assert_eq!(leaves(&mask), expected, "{text}"),
                Err(error) => assert!(expected.is_empty() && error == MaskError::Malformed, "{text}"),
            }
        }
        for text in ["", "a,", ",a", "a(b", "a)b", "a..b", "a(", "()", &"a(".repeat(100)] {
            assert_eq!(Mask::parse(text), Err(MaskError::Malformed), "{text}");
        }
    }

    #[test]
    fn unknown_fields_are_named_with_their_path() {
        for text in
            ["sheets.data.rowData.values.note", "sheets(properties(sheetId,title),charts/spec/title)", "*"]
        {
            assert!(Mask::of(text, "Spreadsheet").is_ok(), "{text}");
        }
        for (text, path) in [
            ("sheets.sheetProperties", "sheets.sheetProperties"),
            ("properties, sheets", " sheets"),
            ("spreadsheetId.x", "spreadsheetId.x"),
        ] {
            assert_eq!(Mask::of(text, "Spreadsheet"), Err(MaskError::Unknown(path.into())));
        }
    }

    #[test]
    fn what_is_not_meant_is_left_out_of_an_answer() {
        let mut value = json!({"a": [{"b": 1, "c": 2}, {"c": 3}], "d": 4});
        Mask::parse("a.b").unwrap().prune(&mut value);
        assert_eq!(value, json!({"a": [{"b": 1}, {}]}));
    }

    #[test]
    fn only_what_is_meant_is_written() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": 3, "e": 4}).as_object().unwrap().clone();
        let source = json!({"a": {"b": 9}, "d": 5, "e": 6}).as_object().unwrap().clone();
        Mask::parse("a(b,c),d").unwrap().write(&mut target, &source);
        assert_eq!(Value::Object(target.clone()), json!({"a": {"b": 9}, "d": 5, "e": 4}));
        Mask::parse("a.b").unwrap().write(&mut target, &Map::new());
        assert_eq!(Value::Object(target.clone()), json!({"d": 5, "e": 4}));
        Mask::All.write(&mut target, &source);
        assert_eq!(target, source);
    }
}
