//! Finds the JSON object that is the answer, in thoughts, fences and prose around it.
//!
//! The last object with a member of an answer counts: what comes before may repeat words of the row. Thoughts
//! do not count, nor what precedes an object that breaks off. The work is bounded whatever the text.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The longest answer that is looked at, in bytes.
const MAX_TEXT: usize = 1 << 20;
/// How many bytes are parsed in all: failed attempts overlap. (The depth is bounded by `serde_json`, at 128.)
const MAX_WORK: usize = 2 << 20;

/// Why a text holds no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoObject {
    /// Nothing but white space.
    Empty,
    /// Too long, or too intricate to be searched.
    TooMuch,
    /// An object that breaks off at the end of the text.
    Unfinished,
    /// No object with a member of an answer.
    None,
    /// The object has a member twice.
    Duplicate,
}

/// The last object that has at least one of the `members`.
pub(super) fn last_object(text: &str, members: &[&str]) -> Result<Map<String, Value>, NoObject> {
    if text.len() > MAX_TEXT {
        return Err(NoObject::TooMuch);
    }
    if text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty() {
        return Err(NoObject::Empty);
    }
    let found = search(text, members)?.ok_or(NoObject::None)?;
    if found.duplicate { Err(NoObject::Duplicate) } else { Ok(found.object) }
}

struct Found {
    object: Map<String, Value>,
    duplicate: bool,
    end: usize,
}

fn search(text: &str, members: &[&str]) -> Result<Option<Found>, NoObject> {
    let mut found: Option<Found> = None;
    let mut before_thought: Option<Found> = None;
    let mut thinking = false;
    let mut work = 0;
    let mut at = 0;
    while let Some(step) = text[at..].find(['{', '<']) {
        at += step;
        if let Some(tag) = Tag::at(&text[at..]) {
            if tag.closes {
                found = before_thought.take(); // some models close a thought that they never opened
            } else if !thinking {
                before_thought = found.take();
            }
            thinking = !tag.closes;
            at += tag.len;
            continue;
        }
        if text.as_bytes()[at] == b'<' {
            at += 1;
            continue;
        }
        let (parsed, used) = parse_object(&text[at..]);
        work += used;
        if work > MAX_WORK {
            return Err(NoObject::TooMuch);
        }
        match parsed {
            Parsed::Object { object, duplicate } if members.iter().any(|name| object.contains_key(*name)) => {
                at += used;
                found = Some(Found { object, duplicate, end: at });
            }
            Parsed::Unfinished => return Err(NoObject::Unfinished),
            Parsed::Object { .. } | Parsed::Broken => at += 1,
        }
    }
    // some models never close a thought: then only an object at the very end is the answer
    Ok(found.filter(|found| !thinking || is_closing(&text[found.end..])).or(before_thought))
}

fn is_closing(tail: &str) -> bool {
    tail.chars().all(|c| c.is_whitespace() || c == '`')
}

/// A tag that begins or ends a thought.
struct Tag {
    closes: bool,
    len: usize,
}

impl Tag {
    const NAMES: [&str; 3] = ["think>", "thinking>", "reasoning>"];

    fn at(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('<')?;
        let name = inner.strip_prefix('/').unwrap_or(inner);
        let starts = |tag: &&&str| {
            name.as_bytes().get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
        };
        let tag = Self::NAMES.iter().find(starts)?;
        Some(Self { closes: name.len() < inner.len(), len: text.len() - name.len() + tag.len() })
    }
}

enum Parsed {
    Object { object: Map<String, Value>, duplicate: bool },
    Unfinished,
    Broken,
}

/// Parses the object that a text begins with; also says how many bytes were looked at.
fn parse_object(text: &str) -> (Parsed, usize) {
    let duplicate = Cell::new(false);
    let mut rest = Metered { bytes: text.as_bytes(), used: 0 };
    let result = Unique(&duplicate).deserialize(&mut serde_json::Deserializer::from_reader(&mut rest));
    let parsed = match result {
        Ok(Value::Object(object)) => Parsed::Object { object, duplicate: duplicate.get() },
        Err(error) if error.is_eof() => Parsed::Unfinished,
        Ok(_) | Err(_) => Parsed::Broken,
    };
    (parsed, rest.used)
}

/// Counts what is read; the parser asks byte by byte, so an object ends where the count does.
struct Metered<'a> {
    bytes: &'a [u8],
    used: usize,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.used += read;
        Ok(read)
    }
}

/// A JSON value; the cell is set if an object has a member twice, where `serde_json` keeps the last silently.
#[derive(Clone, Copy)]
struct Unique<'a>(&'a Cell<bool>);

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self)?;
            if object.insert(name, value).is_some() {
                self.0.set(true);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The member `v` of the object that is found.
    fn found(text: &str) -> Result<i64, NoObject> {
        last_object(text, &["v", "w"]).map(|object| object.get("v").and_then(Value::as_i64).unwrap_or(-1))
    }

    #[test]
    fn the_answer_is_found_in_whatever_surrounds_it() {
        let cases = [
            (r#"{"v":1}"#, Ok(1)),
            ("\u{feff} \n{\"v\":1}\n", Ok(1)),
            ("```json\n{\"v\": 1}\n```", Ok(1)),
            ("Sure {here} it is: {\"v\":1}. Anything {else}?", Ok(1)),
            (r#"{"v":1} {"v":2}"#, Ok(2)),
            (r#"{"v":1}{"v":2}}"#, Ok(2)),
            (r#"[{"v":1},{"v":2}]"#, Ok(2)),
            (r#"{"v":1} {"x":2} {}"#, Ok(1)),
            (r#"{"answer":{"v":1}}"#, Ok(1)),
            (r#"{"x":"{\"v\":7}","y":[{"v":1}]}"#, Ok(1)),
            (r#"{"v":1,"x":{"v":2}}"#, Ok(1)),
            (r#"{"w":0}"#, Ok(-1)),
            ("", Err(NoObject::Empty)),
            (" \u{feff}\n", Err(NoObject::Empty)),
            ("yes", Err(NoObject::None)),
            ("{}", Err(NoObject::None)),
            ("null", Err(NoObject::None)),
            ("<html><body>{v:1}</body></html>", Err(NoObject::None)),
            ("{'v': 1}", Err(NoObject::None)),
            (r#"{"v":1,}"#, Err(NoObject::None)),
            (r#"{"x":"{\"v\":7}"}"#, Err(NoObject::None)),
            (r#"{"v":1"#, Err(NoObject::Unfinished)),
            (r#"{"v":1} {"v":2, "x":[{"v":3}"#, Err(NoObject::Unfinished)),
            (r#"{"x":"{"v":1}"#, Ok(1)),
            (r#"{"v":1,"v":2}"#, Err(NoObject::Duplicate)),
            (r#"{"v":1,"x":[{"a":1,"a":2}]}"#, Err(NoObject::Duplicate)),
            (r#"{"v":1e999}"#, Err(NoObject::None)),
            ("{\"v\":1,\"x\":\"\\ud83d\"}", Err(NoObject::None)),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn thoughts_do_not_count() {
        let cases = [
            (r#"<think>{"v":1}</think>{"v":2}"#, Ok(2)),
            (r#"<Think>{"v":1}</THINK> {"v":2}"#, Ok(2)),
            (r#"<think>a</think><thinking>{"v":1}</thinking>{"v":2}"#, Ok(2)),
            (r#"<think>{"v":1}</think>"#, Err(NoObject::None)),
            (r#"{"v":1}</think> {"v":2}"#, Ok(2)),
            (r#"{"v":1}</think>"#, Err(NoObject::None)),
            (r#"<think>say {"v":1}, or not"#, Err(NoObject::None)),
            ("<think>so:\n```json\n{\"v\":1}\n```\n", Ok(1)),
            (r#"<think>{"v":1} <think> {"v":2}"#, Ok(2)),
            (r#"{"v":1,"x":"<think>"}"#, Ok(1)),
            (r#"{"v":1,"x":"</think>"}"#, Ok(1)),
            (r#"a < b {"v":1} <b>"#, Ok(1)),
            (r#"{"v":1} <think>{"v":2}</think> {"x":3}"#, Ok(1)),
            (r#"{"v":1} The row has a <think> tag, {"v":2} has not."#, Ok(1)),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn rubbish_ends_soon() {
        let deep = |n: usize| [r#"{"x":"#.repeat(n), "1".into(), "}".repeat(n)].concat();
        assert_eq!(found(&deep(100)), Err(NoObject::None));
        assert_eq!(found(&deep(100_000)), Err(NoObject::TooMuch));
        assert_eq!(found(&format!("{} {}", deep(200), r#"{"v":1}"#)), Ok(1));
        assert_eq!(found(&"x".repeat(MAX_TEXT + 1)), Err(NoObject::TooMuch));
        for unit in ["{", "{}", "[", "\"", "<", "<think>", "</think>", "{\"v\"", "{\"x\":[{},", "ж{"] {
            let text = unit.repeat(MAX_TEXT / 8 / unit.len());
            assert!(found(&text).is_err(), "{unit}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            prop_assert!(found(&text).is_err());
        }

        #[test]
        fn pieces_of_answers_do_not_panic(
            parts in proptest::collection::vec(
                proptest::sample::select(&[
                    "{", "}", "[", "]", "\"v\"", ":", ",", "1", "\"", "\\", "<think>", "</think>", "{\"v\":1}", "ё",
                ][..]),
                0..40,
            ),
        ) {
            if let Ok(value) = found(&parts.concat()) {
                prop_assert!([-1, 1, 11, 111].contains(&value) || value > 100);
            }
        }

        #[test]
        fn an_answer_is_found_after_any_prose(before in "[^{}<]*", after in "[^{}<]*") {
            prop_assert_eq!(found(&format!("{before}{{\"v\":5}}{after}")), Ok(5));
        }
    }
}
