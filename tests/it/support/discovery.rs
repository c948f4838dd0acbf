//! Requests held against Google's own description of its Sheets API, where that is at hand.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::reference;

/// The discovery document of the Sheets API.
pub(crate) struct Discovery {
    schemas: Map<String, Value>,
    common: Map<String, Value>,
    methods: Vec<Method>,
}

struct Method {
    verb: String,
    path: Regex,
    parameters: Map<String, Value>,
    body: Option<String>,
}

impl Discovery {
    /// Reading it takes a moment: all tests of a process share one.
    pub(crate) fn get() -> Option<&'static Self> {
        static DISCOVERY: LazyLock<Option<Discovery>> = LazyLock::new(Discovery::load);
        DISCOVERY.as_ref()
    }

    fn load() -> Option<Self> {
        let document = reference::json("sheets.v4.json")?;
        let mut methods = Vec::new();
        let parameter = Regex::new(r"\\\{[^}]*\}").unwrap();
        collect(&document["resources"], &parameter, &mut methods);
        let object = |name: &str| document[name].as_object().unwrap().clone();
        Some(Self { schemas: object("schemas"), common: object("parameters"), methods })
    }

    /// What is wrong with a request; nothing if it is one of the API's.
    pub(crate) fn faults(
        &self,
        verb: &str,
        path: &str,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Vec<String> {
        let found = self.methods.iter().find(|method| method.verb == verb && method.path.is_match(path));
        let Some(method) = found else { return vec![format!("{verb} {path} is no method of the API")] };
        let mut faults = Vec::new();
        for (name, value) in query {
            match method.parameters.get(name).or_else(|| self.common.get(name)) {
                None => faults.push(format!("{path}: there is no parameter {name}")),
                Some(parameter) => check_enum(parameter, value, name, &mut faults),
            }
        }
        match (&method.body, body) {
            (Some(schema), Some(body)) => self.check(&self.schemas[schema], body, schema, &mut faults),
            (None, Some(body)) => faults.push(format!("{path} takes no body: {body}")),
            (_, None) => {}
        }
        faults
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            return self.check(&self.schemas[name], value, at, faults);
        }
        let wrong = |expected: &str| format!("{at}: {expected} expected, found {value}");
        match schema["type"].as_str().unwrap_or("any") {
            "object" => match (value.as_object(), schema["properties"].as_object()) {
                (None, _) => faults.push(wrong("an object")),
                (Some(fields), Some(properties)) => {
                    for (name, value) in fields {
                        match properties.get(name) {
                            Some(property) => self.check(property, value, &format!("{at}.{name}"), faults),
                            None => faults.push(format!("{at} has no field {name}")),
                        }
                    }
                }
                (Some(_), None) => {}
            },
            "array" => match value.as_array() {
                Some(items) => {
                    items
                        .iter()
                        .for_each(|item| self.check(&schema["items"], item, &format!("{at}[]"), faults));
                }
                None => faults.push(wrong("an array")),
            },
            "string" => match value.as_str() {
                Some(text) => check_enum(schema, text, at, faults),
                None => faults.push(wrong("a string")),
            },
            "boolean" if !value.is_boolean() => faults.push(wrong("a boolean")),
            "number" if !value.is_number() => faults.push(wrong("a number")),
            "integer" if value.as_i64().is_none_or(|n| i32::try_from(n).is_err()) => {
                faults.push(wrong("an int32"));
            }
            _ => {}
        }
    }
}

fn check_enum(schema: &Value, text: &str, at: &str, faults: &mut Vec<String>) {
    if let Some(words) = schema["enum"].as_array()
        && !words.iter().any(|word| word == text)
    {
        faults.push(format!("{at}: {text} is none of {}", schema["enum"]));
    }
}

fn collect(resources: &Value, parameter: &Regex, methods: &mut Vec<Method>) {
    for resource in resources.as_object().into_iter().flat_map(Map::values) {
        for method in resource["methods"].as_object().into_iter().flat_map(Map::values) {
            let path = method["flatPath"].as_str().unwrap();
            let pattern = parameter.replace_all(&regex::escape(path), "[^/:]+").into_owned();
            methods.push(Method {
                verb: method["httpMethod"].as_str().unwrap().to_owned(),
                path: Regex::new(&format!("^/{pattern}$")).unwrap(),
                parameters: method["parameters"].as_object().cloned().unwrap_or_default(),
                body: method["request"]["$ref"].as_str().map(str::to_owned),
            });
        }
        collect(&resource["resources"], parameter, methods);
    }
}

#[test]
fn faults_are_found() {
    let Some(discovery) = Discovery::get() else { return };
    let none: &[(String, String)] = &[];
    let query = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let body = serde_json::json!({"requests": [{"deleteSheet": {"sheetId": 5}}]});
    let path = "/v4/spreadsheets/x:batchUpdate";
    assert_eq!(discovery.faults("POST", path, &query("prettyPrint", "false"), Some(&body)), [""; 0]);
    for (verb, path, query, body) in [
        ("GET", path, none.to_vec(), None),
        ("POST", "/v4/spreadsheets/x:batchUpdates", none.to_vec(), None),
        ("GET", "/v4/spreadsheets/x", query("field", "a"), None),
        ("GET", "/v4/spreadsheets/x/values/A1", query("majorDimension", "DIAGONALS"), None),
        (
            "POST",
            path,
            none.to_vec(),
            Some(serde_json::json!({"requests": [{"deleteSheet": {"sheetID": 5}}]})),
        ),
        ("POST", path, none.to_vec(), Some(serde_json::json!({"requests": {"deleteSheet": {}}}))),
        (
            "POST",
            path,
            none.to_vec(),
            Some(serde_json::json!({"requests": [{"deleteSheet": {"sheetId": "5"}}]})),
        ),
    ] {
        let faults = discovery.faults(verb, path, &query, body.as_ref());
        assert_eq!(faults.len(), 1, "{verb} {path} {body:?}: {faults:?}");
    }
}
