//! Replays recorded exchanges: what the real service answered, the sandbox answers.
//!
//! Ids that the server chooses are bound where they are seen first and compared from then on. Times, sizes in
//! pixels, the users of protections and the address of a spreadsheet are not compared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use status_validator::sandbox::sheets::{Call, Office};

use crate::support::reference;

/// Recorded answers that the sandbox knowingly does not give, each with its reason.
const DEVIATIONS: [(&str, &str); 0] = [];

/// Fields that are not compared.
const IGNORED: [&str; 5] = ["createdTime", "modifiedTime", "spreadsheetUrl", "users", "pixelSize"];

/// Fields whose values the server chooses.
const BOUND: [&str; 3] = ["sheetId", "namedRangeId", "protectedRangeId"];

#[test]
fn recorded_exchanges_are_answered_as_they_were() {
    let (Some(recorded), Some(constants)) =
        (reference::file("sheets-vectors.jsonl"), reference::json("sheets-vectors-constants.json"))
    else {
        return;
    };
    let mut episodes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in recorded.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        episodes.entry(record["name"].as_str().unwrap().to_owned()).or_default().push(record);
    }
    let constants = constants.as_object().unwrap();
    let (mut passed, mut deviations) = (0, BTreeSet::new());
    for (name, records) in &episodes {
        let mut episode = Episode::new(constants, records);
        for record in records {
            match episode.replay(record) {
                Ok(()) => passed += 1,
                Err(difference) => {
                    println!("{name} {}: {difference}", record["seq"]);
                    deviations.insert(name.as_str());
                }
            }
        }
    }
    let all: usize = episodes.values().map(Vec::len).sum();
    println!("{passed} of {all} exchanges in {} recordings", episodes.len());
    for (name, reason) in DEVIATIONS {
        println!("known: {name}: {reason}");
    }
    let known: BTreeSet<&str> = DEVIATIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(deviations, known, "recordings with another answer");
    assert!(all > 1000, "the recordings are not all there: {all}");
}

struct Episode<'a> {
    office: Office,
    constants: &'a Map<String, Value>,
    /// What stands in the recording, and what the sandbox has in its place.
    known: Vec<(String, String)>,
}

impl<'a> Episode<'a> {
    fn new(constants: &'a Map<String, Value>, records: &[Value]) -> Self {
        let mut office = Office::new(7);
        // A spreadsheet that was refused to the recorded caller belongs to somebody else.
        for record in records.iter().filter(|record| record["status"] == json!(403)) {
            let id = record["path"].as_str().unwrap().rsplit('/').next().unwrap();
            office.open_spreadsheet(id, "not ours", jiff::Timestamp::UNIX_EPOCH).unwrap();
            office.share(id, false).unwrap();
        }
        Self { office, constants, known: Vec::new() }
    }

    fn replay(&mut self, record: &Value) -> Result<(), String> {
        let path = self.substitute(record["path"].as_str().unwrap());
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let pairs = record["query"].as_array().unwrap().iter().map(|pair| {
            format!("{}={}", encode(pair[0].as_str().unwrap()), encode(pair[1].as_str().unwrap()))
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        let body = match &record["request_body"] {
            Value::Null => String::new(),
            body => self.substitute(&body.to_string()),
        };
        let now = "2026-03-13T06:00:00Z".parse().unwrap();
        let method = record["method"].as_str().unwrap();
        let answer =
            self.office.answer(&Call { method, path: &path, query: &query, body: body.as_bytes(), now });
        let shown = answer.body.clone().unwrap_or(Value::Null);
        if json!(answer.status) != record["status"] {
            return Err(format!("status {} instead of {}: {shown}", answer.status, record["status"]));
        }
        self.compare(&record["response_body"], &shown, "")
    }

    fn compare(&mut self, wanted: &Value, given: &Value, path: &str) -> Result<(), String> {
        let key = path.rsplit('.').next().unwrap_or_default();
        let key = key.split('[').next().unwrap_or_default();
        if IGNORED.contains(&key) {
            return Ok(());
        }
        let wanted = wanted.as_str().and_then(|name| self.constants.get(name)).unwrap_or(wanted).clone();
        let differs = || Err(format!("{path}: {given} instead of {wanted}"));
        let chosen = wanted
            .as_str()
            .is_some_and(|text| text.starts_with("SPREADSHEET_") && matches!(key, "id" | "spreadsheetId"));
        if chosen || (BOUND.contains(&key) && plain(&wanted) != "0") {
            self.bind(plain(&wanted), plain(given));
        }
        match (&wanted, given) {
            (Value::Object(wanted), Value::Object(given)) => {
                for (name, value) in wanted {
                    let Some(given) = given.get(name) else {
                        return Err(format!("{path}.{name} is missing"));
                    };
                    self.compare(value, given, &format!("{path}.{name}"))?;
                }
                match given.keys().find(|name| !wanted.contains_key(*name)) {
                    Some(name) => Err(format!("{path}.{name} is too much: {}", given[name])),
                    None => Ok(()),
                }
            }
            (Value::Array(wanted), Value::Array(given)) if wanted.len() == given.len() => {
                let pairs = wanted.iter().zip(given).enumerate();
                pairs.into_iter().try_for_each(|(at, (wanted, given))| {
                    self.compare(wanted, given, &format!("{path}[{at}]"))
                })
            }
            (Value::Number(wanted), Value::Number(given)) if wanted.as_f64() == given.as_f64() => Ok(()),
            (Value::String(text), given) if given.as_str() == Some(&self.substitute(text)) => Ok(()),
            (wanted, given) if self.substitute(&plain(wanted)) == plain(given) && !wanted.is_string() => {
                Ok(())
            }
            _ => differs(),
        }
    }

    fn bind(&mut self, old: String, new: String) {
        if !self.known.iter().any(|(known, _)| *known == old) {
            self.known.push((old, new));
            self.known.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
        }
    }

    /// The text with the sandbox's own ids; an id inside of a word is none.
    fn substitute(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (old, new) in &self.known {
            let mut result = String::new();
            let mut rest = text.as_str();
            while let Some((before, after)) = rest.split_once(old.as_str()) {
                let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
                let inside =
                    word(before.chars().last().or(result.chars().last())) || word(after.chars().next());
                result.push_str(before);
                result.push_str(if inside { old } else { new });
                rest = after;
            }
            result.push_str(rest);
            text = result;
        }
        text
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
