//! A row as the code checks see it: read and cut at most once, however many checks look.

use std::borrow::Cow;
use std::cell::OnceCell;

use jiff::civil::Date;
use unicode_normalization::{IsNormalized, is_nfc_quick};

use super::completion::{Completion, DateFormat};
use crate::domain::dates::{self, FoundDate};
use crate::domain::entry::Entry;
use crate::domain::fold::squeeze;
use crate::domain::rules::ReviewContext;
use crate::domain::timeline::{Timeline, timeline};
use crate::domain::tokens::{Token, tokens};

/// How far off, in days, a date without a year surely is in the report date's year.
const CLEAR_DAYS: i32 = 183;

/// A row under review.
pub(crate) struct Row<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) context: &'a ReviewContext<'a>,
    /// The status as it is compared: see [`comparable`].
    pub(crate) status: Cow<'a, str>,
    /// How the rulebook wants completion dates written.
    pub(crate) format: DateFormat,
    pub(crate) completion: Completion,
    tokens: OnceCell<Vec<Token>>,
    dates: OnceCell<Vec<FoundDate>>,
    timeline: OnceCell<Timeline>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(entry: &'a Entry, context: &'a ReviewContext<'a>, format: DateFormat) -> Self {
        Self {
            entry,
            context,
            status: comparable(&entry.status),
            format,
            completion: Completion::read(&entry.completion_date, format),
            tokens: OnceCell::new(),
            dates: OnceCell::new(),
            timeline: OnceCell::new(),
        }
    }

    pub(crate) fn comment(&self) -> &'a str {
        &self.entry.comment
    }

    /// The comment's tokens.
    pub(crate) fn tokens(&self) -> &[Token] {
        self.tokens.get_or_init(|| tokens(self.comment()))
    }

    /// The comment's dates.
    pub(crate) fn dates(&self) -> &[FoundDate] {
        self.dates.get_or_init(|| dates::in_tokens(self.comment(), self.tokens(), self.as_of().year()))
    }

    /// The comment's timeline.
    pub(crate) fn timeline(&self) -> &Timeline {
        self.timeline.get_or_init(|| timeline(self.comment(), self.tokens(), self.dates()))
    }

    /// The report date.
    pub(crate) fn as_of(&self) -> Date {
        self.context.as_of
    }

    /// The text of the context's language.
    pub(crate) fn say(&self, en: &'static str, ru: &'static str) -> &'static str {
        self.context.language.pick(en, ru)
    }

    /// False if a date has no year and lies so far off that another year may be meant.
    pub(crate) fn year_is_clear(&self, date: &FoundDate) -> bool {
        let days = self.as_of().until(date.first).map_or(i32::MAX, |span| span.get_days().abs());
        date.year_written || days <= CLEAR_DAYS
    }

    /// A date as the rulebook writes dates.
    pub(crate) fn date(&self, date: Date) -> String {
        match self.format {
            DateFormat::Iso => date.to_string(),
            DateFormat::Dotted => format!("{:02}.{:02}.{:04}", date.day(), date.month(), date.year()),
        }
    }

    /// A word in the quotation marks of the context's language.
    pub(crate) fn quoted(&self, word: &str) -> String {
        format!("{}{word}{}", self.say("“", "«"), self.say("”", "»"))
    }

    /// True if the status is one of these (which are comparable already).
    pub(crate) fn has_status(&self, statuses: &[String]) -> bool {
        statuses.iter().any(|status| *status == self.status)
    }
}

/// A status as it is compared: edges trimmed, white space folded, NFC; case and look-alikes kept.
pub(crate) fn comparable(status: &str) -> Cow<'_, str> {
    let trimmed = status.trim();
    let plain = trimmed.is_ascii() || is_nfc_quick(trimmed.chars()) == IsNormalized::Yes;
    let mut spaces = trimmed.chars().map(|c| (c.is_whitespace(), c == ' '));
    let mut after_space = false;
    let tidy = spaces.all(|(white, space)| {
        let fine = !white || (space && !after_space);
        after_space = white;
        fine
    });
    if plain && tidy { Cow::Borrowed(trimmed) } else { Cow::Owned(squeeze(status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_compare_after_squeezing() {
        for text in [
            "On Track",
            "  On\u{a0}Track ",
            "On \t Track",
            "Й",
            "И\u{306}",
            "",
            " ",
            "on track",
            "a\u{2003}b",
        ] {
            assert_eq!(comparable(text), squeeze(text), "{text:?}");
        }
        assert!(matches!(comparable(" В графике "), Cow::Borrowed("В графике")));
    }
}
