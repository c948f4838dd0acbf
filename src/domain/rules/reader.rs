//! Reading TOML tables with all problems at once: unknown keys, wrong types, missing values.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::RulebookError;

/// Collects the problems of a text, each with its line.
pub(crate) struct Problems<'t> {
    text: &'t str,
    found: RefCell<Vec<RulebookError>>,
}

/// Reads one table key by key; [`Reader::finish`] reports the keys that nobody asked for.
pub(crate) struct Reader<'r> {
    table: &'r DeTable<'r>,
    span: Range<usize>,
    rule: Option<String>,
    problems: &'r Problems<'r>,
    known: Vec<&'static str>,
}

impl<'t> Problems<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, found: RefCell::default() }
    }

    pub(crate) fn add(&self, span: Option<Range<usize>>, rule: Option<&str>, problem: impl Into<String>) {
        let line =
            span.and_then(|span| self.text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
        let rule = rule.map(str::to_owned);
        self.found.borrow_mut().push(RulebookError { line, rule, problem: problem.into() });
    }

    /// The problems in the order of the text.
    pub(crate) fn into_found(self) -> Vec<RulebookError> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|error| error.line);
        found
    }
}

impl<'r> Reader<'r> {
    pub(crate) fn new(
        table: &'r DeTable<'r>,
        span: Range<usize>,
        rule: Option<String>,
        problems: &'r Problems<'r>,
    ) -> Self {
        Self { table, span, rule, problems, known: Vec::new() }
    }

    /// The value of a key, if it is there; the key is known from now on.
    pub(crate) fn value(&mut self, key: &'static str) -> Option<&'r Spanned<DeValue<'r>>> {
        self.known.push(key);
        self.table.get(key)
    }

    /// A text.
    pub(crate) fn string(&mut self, key: &'static str) -> Option<String> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(value, key, "a text in quotes");
        }
        text
    }

    /// A text that must be there and not be blank.
    pub(crate) fn required(&mut self, key: &'static str) -> Option<String> {
        if self.table.get(key).is_none() {
            self.known.push(key);
            self.problem(&format!("`{key}` is missing"));
            return None;
        }
        let text = self.string(key)?;
        if text.trim().is_empty() {
            self.problem_at(key, &format!("`{key}` is blank"));
            return None;
        }
        Some(text)
    }

    /// A list of texts, none of them blank.
    pub(crate) fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        let value = self.value(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(value, key, "a list of texts");
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) if !text.trim().is_empty() => texts.push(text.to_owned()),
                Some(_) => self.report(Some(item.span()), &format!("`{key}` holds a blank text")),
                None => self.wrong(item, key, "a list of texts"),
            }
        }
        Some(texts)
    }

    /// One of a few words, by name; must be there.
    pub(crate) fn one_of<T: Copy>(&mut self, key: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.required(key)?;
        self.choose(key, &text, choices)
    }

    /// A list of words out of a few.
    pub(crate) fn list_of<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<Vec<T>> {
        let texts = self.strings(key)?;
        Some(texts.iter().filter_map(|text| self.choose(key, text, choices)).collect())
    }

    /// One of a few words.
    pub(crate) fn choose<T: Copy>(&self, key: &str, text: &str, choices: &[(&'static str, T)]) -> Option<T> {
        let chosen = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
        if chosen.is_none() {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            let hint = unknown(text, &names);
            self.problem_at(key, &format!("`{key}` is {text:?}: {hint}"));
        }
        chosen
    }

    /// A whole number from 0.
    pub(crate) fn count(&mut self, key: &'static str) -> Option<usize> {
        let value = self.value(key)?;
        let integer = value.get_ref().as_integer();
        let count = integer.and_then(|integer| usize::from_str_radix(integer.as_str(), integer.radix()).ok());
        if count.is_none() {
            self.wrong(value, key, "a whole number from 0");
        }
        count
    }

    /// A number.
    pub(crate) fn number(&mut self, key: &'static str) -> Option<f64> {
        let value = self.value(key)?;
        let digits = match value.get_ref() {
            DeValue::Float(float) => Some(float.as_str()),
            DeValue::Integer(integer) if integer.radix() == 10 => Some(integer.as_str()),
            _ => None,
        };
        let number = digits.and_then(|digits| digits.parse().ok());
        if number.is_none() {
            self.wrong(value, key, "a number");
        }
        number
    }

    /// Reports a problem of the whole table.
    pub(crate) fn problem(&self, problem: &str) {
        self.report(Some(self.span.clone()), problem);
    }

    /// Reports a problem of one key.
    pub(crate) fn problem_at(&self, key: &str, problem: &str) {
        let span = self.table.get(key).map_or(self.span.clone(), Spanned::span);
        self.report(Some(span), problem);
    }

    /// Reports the keys that nobody asked for.
    pub(crate) fn finish(self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !self.known.contains(&name) {
                self.report(
                    Some(key.span()),
                    &format!("unknown key `{name}`: {}", unknown(name, &self.known)),
                );
            }
        }
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, key: &str, wanted: &str) {
        let found = value.get_ref().type_str();
        self.report(Some(value.span()), &format!("`{key}` is of type {found}: {wanted} is needed"));
    }

    fn report(&self, span: Option<Range<usize>>, problem: &str) {
        self.problems.add(span, self.rule.as_deref(), problem);
    }
}

/// A hint for an unknown name: the near miss, or all that is known.
pub(crate) fn unknown(name: &str, known: &[&str]) -> String {
    let near =
        known.iter().map(|known| (strsim::damerau_levenshtein(name, known), known)).min_by_key(|(d, _)| *d);
    match near {
        Some((distance, near)) if distance * 3 <= near.len() + 1 => format!("did you mean `{near}`?"),
        _ => format!(
            "known are {}",
            known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}
