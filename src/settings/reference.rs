//! `Settings.toml` is the reference for people: these tests hold it to the mirror of all keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::from_toml;
use super::kind::Kind;
use super::layer::{Findings, Layer, Values};
use super::node::Node;
use super::origin::Origin;
use super::raw::{self, KEYS, Key};

const REFERENCE: &str = include_str!("../../Settings.toml");

/// A documented key.
struct Entry {
    /// False if it stands behind a `#`.
    active: bool,
    /// The comment above, in one line.
    comment: String,
}

#[test]
fn every_key_is_documented_and_no_other() {
    let known: BTreeSet<&str> = KEYS.iter().map(|key| key.path).collect();
    let values = uncommented();
    let documented: BTreeSet<String> = values.values.keys().map(|path| raw::pattern(path)).collect();
    let documented: BTreeSet<&str> = documented.iter().map(String::as_str).collect();
    assert_eq!(documented, known);
}

#[test]
fn documented_defaults_are_the_real_ones() {
    let values = uncommented();
    let entries = entries();
    for key in KEYS {
        let entry = entry(&entries, key);
        let Some(default) = key.default else {
            assert!(entry.comment.contains("No default."), "{}: {}", key.path, entry.comment);
            continue;
        };
        let written = match key.kind {
            Kind::Flag | Kind::Whole(..) | Kind::Number { .. } => format!("Default: {default}."),
            _ => format!("Default: \"{default}\"."),
        };
        assert!(entry.comment.contains(&written), "{} does not say {written} {}", key.path, entry.comment);
        if !entry.active {
            let (shown, _) = &values.values[&key.path.replace('*', "1")];
            let real = key.kind.admit(&Node::bare(default, Origin::Default)).unwrap();
            assert_eq!(Some(shown), real.as_ref(), "{}", key.path);
        }
    }
}

#[test]
fn documented_bounds_are_the_real_ones() {
    let entries = entries();
    for key in KEYS {
        let comment = &entry(&entries, key).comment;
        let wanted = match key.kind {
            Kind::Whole(min, max) => vec![format!("From {min} to {max}.")],
            Kind::Number { min, above: false, max } => vec![format!("From {min} to {max}.")],
            Kind::Number { min, max, .. } => vec![format!("Above {min}, up to {max}.")],
            Kind::Choice(words) => words.iter().map(|word| format!("\"{word}\"")).collect(),
            _ => Vec::new(),
        };
        for part in wanted {
            assert!(comment.contains(&part), "{} does not say {part} {comment}", key.path);
        }
    }
}

/// The reference with all its keys set; none is unknown, none has a value that does not fit.
fn uncommented() -> Values {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => key.to_owned(),
        _ => line.to_owned(),
    };
    let text: Vec<String> = REFERENCE.lines().map(line).collect();
    let mut found = Findings::default();
    let tree = from_toml::parse(&text.join("\n"), &Path::new("Settings.toml").into(), &mut found.problems);
    let layer = Layer::check("file", "/".into(), &tree, &mut found);
    if let Some(error) = found.problems.into_error() {
        // The one thing that is not to be set as it stands: the dots stand for a key.
        assert_eq!(error.problems().len(), 1, "{error}");
        assert_eq!(error.problems()[0].key, "llm.providers.1.api_key", "{error}");
    }
    let mut own = layer.own;
    own.values.entry("llm.providers.1.api_key".into()).or_insert(("…".into(), Origin::Default));
    own
}

fn entries() -> BTreeMap<String, Entry> {
    let (mut section, mut comment) = (String::new(), String::new());
    let mut entries = BTreeMap::new();
    for line in REFERENCE.lines() {
        let (active, line) = line.strip_prefix('#').map_or((true, line), |line| (false, line));
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = format!("{name}.");
        } else if line.is_empty() {
            comment.clear();
        } else if let Some(prose) = line.strip_prefix(' ') {
            comment = format!("{comment} {prose}");
        } else if let Some((name, _)) = line.split_once(" = ") {
            entries.insert(
                raw::pattern(&format!("{section}{name}")),
                Entry { active, comment: comment.clone() },
            );
        }
    }
    entries
}

/// The entry of a key, or of the inline table that it is part of.
fn entry<'a>(entries: &'a BTreeMap<String, Entry>, key: &Key) -> &'a Entry {
    let table = key.path.rsplit_once('.').map_or("", |(table, _)| table);
    entries.get(key.path).or_else(|| entries.get(table)).unwrap_or_else(|| panic!("{} is missing", key.path))
}
