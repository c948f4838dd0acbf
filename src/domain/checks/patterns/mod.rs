//! What a comment must not give away: phone numbers, e-mail addresses, passwords and keys.

mod emails;
mod keys;
mod passwords;
mod phones;

use std::ops::Range;

use serde::Serialize;

use super::{Flaw, MAX_FLAWS, Outcome, Reader, Row};

/// The patterns to look for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Patterns {
    /// Each at most once.
    pub find: Vec<Pattern>,
}

/// A kind of private data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pattern {
    /// Phone numbers.
    Phone,
    /// E-mail addresses.
    Email,
    /// Passwords, tokens, API keys and private keys.
    Key,
}

const NAMES: [(&str, Pattern); 3] =
    [("phone", Pattern::Phone), ("email", Pattern::Email), ("key", Pattern::Key)];

impl Patterns {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut find = Vec::new();
        let all = || NAMES.iter().map(|(_, pattern)| *pattern).collect();
        for pattern in reader.list_of("find", &NAMES).unwrap_or_else(all) {
            if !find.contains(&pattern) {
                find.push(pattern);
            }
        }
        if find.is_empty() {
            reader.problem("`find` is empty: nothing would be looked for");
            return None;
        }
        Some(Self { find })
    }

    pub(super) fn review(&self, row: &Row<'_>) -> Outcome {
        let mut found: Vec<(Range<usize>, Pattern)> = Vec::new();
        for pattern in &self.find {
            let spans = match pattern {
                Pattern::Phone => phones::find(row),
                Pattern::Email => emails::find(row.comment()),
                Pattern::Key => {
                    let mut spans = keys::find(row.comment());
                    spans.extend(passwords::find(row));
                    spans
                }
            };
            found.extend(spans.into_iter().map(|span| (span, *pattern)));
        }
        found.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        let mut flaws = Vec::new();
        let mut end = 0;
        for (span, pattern) in found {
            if span.start >= end && flaws.len() < MAX_FLAWS {
                end = span.end;
                flaws.push(
                    Flaw::new(pattern.message(row)).quoting(row.comment().get(span).unwrap_or_default()),
                );
            }
        }
        Outcome::from_flaws(flaws)
    }
}

impl Pattern {
    fn message(self, row: &Row<'_>) -> &'static str {
        match self {
            Self::Phone => row.say("phone number", "номер телефона"),
            Self::Email => row.say("e-mail address", "адрес электронной почты"),
            Self::Key => row.say("password or key", "пароль или ключ"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Check;
    use super::super::testing::{of_comment, quotes};
    use super::*;

    #[test]
    fn all_kinds_are_found_in_their_order() {
        let all = Check::Patterns(Patterns { find: vec![Pattern::Key, Pattern::Email, Pattern::Phone] });
        let comment = "Звоните +7 000 000-00-00 или пишите test@example.invalid, пароль: Qwerty12.";
        assert_eq!(
            quotes(&of_comment(&all, comment)),
            ["+7 000 000-00-00", "test@example.invalid", "пароль: Qwerty12"]
        );
        let phones = Check::Patterns(Patterns { find: vec![Pattern::Phone] });
        assert_eq!(quotes(&of_comment(&phones, comment)), ["+7 000 000-00-00"]);
    }
}
