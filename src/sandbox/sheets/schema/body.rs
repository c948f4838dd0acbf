//! Reads the body of a call as a message: what the message has no field for is refused, what stands for
//! nothing is dropped, and everything left has the form that the API gives it in answers.

use serde_json::{Map, Value};

use super::{Field, Holds, Message, Shape, message, snake_case, values_of};
use crate::sandbox::sheets::json::number;
use crate::sandbox::sheets::refusal::{Refusal, Violation};

/// Reads a body. `root` is the field of the request that the body is; it is empty where it is all of it.
pub(crate) fn read_body(body: &[u8], name: &str, root: &str) -> Result<Map<String, Value>, Refusal> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| no_json(body, &error))?;
    let mut reader = Reader::default();
    let read = match value {
        Value::Object(fields) => reader.object(fields, message(name), root),
        other => {
            reader.wrong(root, &message_type(name), &other);
            Map::new()
        }
    };
    if reader.violations.is_empty() { Ok(read) } else { Err(Refusal::violations(reader.violations)) }
}

fn no_json(body: &[u8], error: &serde_json::Error) -> Refusal {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let shown: String = line.chars().skip(error.column().saturating_sub(20)).take(40).collect();
    let description = format!("Invalid JSON payload received. Unexpected token.\n{shown}\n^");
    Refusal::violations(vec![Violation { field: String::new(), description }])
}

fn message_type(name: &str) -> String {
    match name {
        "List" => "type.googleapis.com/google.protobuf.ListValue".into(),
        _ => format!("type.googleapis.com/google.apps.sheets.v4.{name}"),
    }
}

#[derive(Default)]
struct Reader {
    violations: Vec<Violation>,
}

impl Reader {
    fn object(&mut self, fields: Map<String, Value>, message: &Message, path: &str) -> Map<String, Value> {
        let mut read = Map::new();
        let mut chosen: Vec<&'static str> = Vec::new();
        for (name, value) in fields {
            let Some(field) = message.field(&name) else {
                self.unknown(&name, path);
                continue;
            };
            if value.is_null() {
                continue;
            }
            if let Some(choice) = message.choice(field.name) {
                if chosen.contains(&choice) {
                    // The message is named, not the choice within it, as Google's APIs have it for `requests[0]`
                    // and the like; the body itself has no name.
                    let place = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
                    let description = format!(
                        "Invalid value{place} (oneof), oneof field '{choice}' is already set. Cannot set '{}'",
                        field.name
                    );
                    self.violations.push(Violation { field: path.to_owned(), description });
                    continue;
                }
                chosen.push(choice);
            }
            let inner = snake_case(field.name);
            let inner = if path.is_empty() { inner } else { format!("{path}.{inner}") };
            if let Some(value) = self.field(value, field, &inner) {
                read.insert(field.name.to_owned(), value);
            }
        }
        read
    }

    /// The value of a field; none if it says nothing.
    fn field(&mut self, value: Value, field: &Field, path: &str) -> Option<Value> {
        match (field.shape, value) {
            (Shape::List, Value::Array(items)) => {
                let read: Vec<Value> = items
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| self.element(item, field.holds, &format!("{path}[{at}]")))
                    .collect();
                (!read.is_empty()).then_some(Value::Array(read))
            }
            (Shape::List, single) => Some(Value::Array(vec![self.element(single, field.holds, path)])),
            (Shape::Map, Value::Object(entries)) => {
                let read = entries.into_iter().map(|(key, value)| {
                    let value = self.element(value, field.holds, &format!("{path}[\"{key}\"]"));
                    (key, value)
                });
                let read: Map<String, Value> = read.collect();
                (!read.is_empty()).then_some(Value::Object(read))
            }
            (Shape::Map, other) => {
                self.wrong(path, "Map", &other);
                None
            }
            (Shape::One, Value::Array(items)) if !matches!(field.holds, Holds::Any | Holds::List) => {
                let description = format!(
                    "Invalid JSON payload received. Unknown name \"{}\" at '{}': Proto field is not repeating, \
                     cannot start list.",
                    field.name,
                    path.rsplit_once('.').map_or("", |(parent, _)| parent)
                );
                drop(items);
                self.violations.push(Violation { field: path.to_owned(), description });
                None
            }
            (Shape::One, value) => {
                let read = self.element(value, field.holds, path);
                let says_something = field.present || !is_default(&read, field.holds);
                says_something.then_some(read)
            }
        }
    }

    fn element(&mut self, value: Value, holds: Holds, path: &str) -> Value {
        let read = match (holds, &value) {
            (Holds::Any, _) | (Holds::Text | Holds::Mask, Value::String(_)) => Some(value.clone()),
            (Holds::List, Value::Array(_)) => Some(value.clone()),
            (Holds::Bool, _) => boolean(&value).map(Value::Bool),
            (Holds::Int | Holds::Index, _) => integer(&value).map(Value::from),
            (Holds::Double | Holds::Float, _) => double(&value).map(number),
            (Holds::Enum(name), _) => enumerated(&value, name).map(Value::from),
            (Holds::Message(_), Value::Null) => Some(Value::Object(Map::new())),
            (Holds::Message(name), Value::Object(_)) => {
                let Value::Object(fields) = value else { return Value::Null };
                return Value::Object(self.object(fields, message(name), path));
            }
            _ => None,
        };
        read.unwrap_or_else(|| {
            let kind = match holds {
                Holds::Bool => "TYPE_BOOL".into(),
                Holds::Int | Holds::Index => "TYPE_INT32".into(),
                Holds::Double => "TYPE_DOUBLE".into(),
                Holds::Float => "TYPE_FLOAT".into(),
                Holds::Text => "TYPE_STRING".into(),
                Holds::Mask => "type.googleapis.com/google.protobuf.FieldMask".into(),
                Holds::List | Holds::Any => message_type("List"),
                Holds::Enum(name) | Holds::Message(name) => message_type(name),
            };
            let path = if holds == Holds::Index { format!("{path}.value") } else { path.to_owned() };
            self.wrong(&path, &kind, &value);
            Value::Null
        })
    }

    fn wrong(&mut self, path: &str, kind: &str, value: &Value) {
        self.violations.push(Violation::invalid_value(path, kind, value));
    }

    fn unknown(&mut self, name: &str, path: &str) {
        let place = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
        let description =
            format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
        self.violations.push(Violation { field: path.to_owned(), description });
    }
}

impl Violation {
    /// A value that is not of its field's type.
    fn invalid_value(path: &str, kind: &str, value: &Value) -> Self {
        let description = format!("Invalid value at '{path}' ({kind}), {value}");
        Self { field: path.to_owned(), description }
    }
}

/// The value of an enum that a text of the query names.
pub(crate) fn read_enum(text: &str, name: &str, field: &str) -> Result<&'static str, Violation> {
    let value = Value::from(text);
    enumerated(&value, name)
        .ok_or_else(|| Violation::invalid_value(&snake_case(field), &message_type(name), &value))
}

fn is_default(value: &Value, holds: Holds) -> bool {
    match (holds, value) {
        (Holds::Int | Holds::Double | Holds::Float, value) => value.as_f64() == Some(0.0),
        (Holds::Bool, value) => value == &Value::Bool(false),
        (Holds::Text | Holds::Mask, Value::String(text)) => text.is_empty(),
        (Holds::Enum(name), value) => value.as_str() == values_of(name).first().copied(),
        _ => false,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i32> {
    match value {
        Value::Number(number) => number.as_i64().and_then(|whole| i32::try_from(whole).ok()).or_else(|| {
            let float = number.as_f64()?;
            (float.fract() == 0.0 && float.abs() <= f64::from(i32::MAX)).then_some(float as i32)
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

fn enumerated(value: &Value, name: &str) -> Option<&'static str> {
    let values = values_of(name);
    match value {
        Value::String(text) => values.iter().copied().find(|value| value == text),
        Value::Number(number) => values.get(usize::try_from(number.as_u64()?).ok()?).copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(name: &str, body: &Value) -> Result<Value, Vec<String>> {
        read_body(body.to_string().as_bytes(), name, "")
            .map(Value::Object)
            .map_err(|refusal| refusal.message().lines().map(str::to_owned).collect())
    }

    #[test]
    fn what_says_nothing_is_dropped() {
        for (name, body, expected) in [
            (
                "GridRange",
                json!({"sheetId": 0, "startRowIndex": 0, "endRowIndex": "2"}),
                json!({"startRowIndex": 0, "endRowIndex": 2}),
            ),
            ("Color", json!({"red": 0, "green": 0.5, "blue": null}), json!({"green": 0.5})),
            ("TextFormat", json!({"bold": false, "link": {}}), json!({"bold": false, "link": {}})),
            (
                "DataValidationRule",
                json!({"strict": true, "showCustomUi": false, "inputMessage": ""}),
                json!({"strict": true}),
            ),
            (
                "ValueRange",
                json!({"majorDimension": null, "values": [[1, null, "x"], []]}),
                json!({"values": [[1, null, "x"], []]}),
            ),
            ("Editors", json!({"users": [], "groups": []}), json!({})),
            ("GridRange", json!({"start_row_index": 1.0}), json!({"startRowIndex": 1})),
            (
                "SheetProperties",
                json!({"hidden": "true", "sheetId": 0}),
                json!({"hidden": true, "sheetId": 0}),
            ),
        ] {
            assert_eq!(read(name, &body).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (name, body, expected) in [
            (
                "BatchUpdateSpreadsheetRequest",
                json!({"requests": [{"fly": {}}]}),
                "Invalid JSON payload received. Unknown name \"fly\" at 'requests[0]': Cannot find field.",
            ),
            (
                "ValueRange",
                json!({"data": 1}),
                "Invalid JSON payload received. Unknown name \"data\": Cannot find field.",
            ),
            (
                "ValueRange",
                json!({"values": ["A"]}),
                "Invalid value at 'values[0]' (type.googleapis.com/google.protobuf.ListValue), \"A\"",
            ),
            (
                "DataFilter",
                json!({"gridRange": {"endRowIndex": "x"}}),
                "Invalid value at 'grid_range.end_row_index.value' (TYPE_INT32), \"x\"",
            ),
            ("GridProperties", json!({"rowCount": 1.5}), "Invalid value at 'row_count' (TYPE_INT32), 1.5"),
            ("NamedRange", json!({"name": 5}), "Invalid value at 'name' (TYPE_STRING), 5"),
            (
                "ValueRange",
                json!({"majorDimension": "DIAGONAL"}),
                "Invalid value at 'major_dimension' (type.googleapis.com/google.apps.sheets.v4.Dimension), \"DIAGONAL\"",
            ),
            (
                "ConditionalFormatRule",
                json!({"booleanRule": {}, "gradientRule": {}}),
                "Invalid value (oneof), oneof field 'rule' is already set. Cannot set 'gradientRule'",
            ),
            (
                "AddConditionalFormatRuleRequest",
                json!({"rule": {"booleanRule": {}, "gradientRule": {}}}),
                "Invalid value at 'rule' (oneof), oneof field 'rule' is already set. Cannot set 'gradientRule'",
            ),
            (
                "UpdateCellsRequest",
                json!({"rows": [{"values": [{"userEnteredValue": {"stringValue": "x", "numberValue": 1}}]}]}),
                "Invalid value at 'rows[0].values[0].user_entered_value' (oneof), oneof field 'value' is already set. Cannot set 'numberValue'",
            ),
            (
                "BatchUpdateSpreadsheetRequest",
                json!({"requests": [{"addSheet": {}, "deleteSheet": {}}]}),
                "Invalid value at 'requests[0]' (oneof), oneof field 'kind' is already set. Cannot set 'deleteSheet'",
            ),
        ] {
            assert_eq!(read(name, &body).unwrap_err(), [expected], "{body}");
        }
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let body = json!({"values": ["A", "B"], "range": 1});
        assert_eq!(read("ValueRange", &body).unwrap_err().len(), 3);
        assert!(read_body(b"{\"values\": [", "ValueRange", "data").is_err());
        assert_eq!(read_body(b"", "ValueRange", "data").unwrap(), Map::new());
        let root = read_body(b"{\"values\": \"X\"}", "ValueRange", "data").unwrap_err();
        assert!(root.message().contains("'data.values'"), "{}", root.message());
    }
}
