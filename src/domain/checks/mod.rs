//! Code checks: what a program can decide of a rule, exactly and for nothing. One file a check.
//!
//! A check that cannot decide says so: a false alarm costs more trust than a case left to the model.

mod allowed_status;
mod completion;
mod date_order;
mod forbidden_words;
mod forecast;
mod freshness;
mod length;
mod look_alike;
mod patterns;
mod row;
mod script_share;

use serde::Serialize;

pub(crate) use allowed_status::review as review_status;
pub use completion::{DateAgainstStatus, DateFormat};
pub use forbidden_words::ForbiddenWords;
pub use freshness::Freshness;
pub use length::Length;
pub(crate) use look_alike::is_blank;
pub use patterns::{Pattern, Patterns};
pub(crate) use row::{Row, comparable};
pub use script_share::{Script, ScriptShare};

use super::rules::reader::Reader;

/// A code check with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Check {
    /// The status is one of the allowed ones.
    AllowedStatus,
    /// The completion date is a real date in a given format.
    DatePresent {
        /// The format.
        format: DateFormat,
    },
    /// The completion date fits the status.
    DateAgainstStatus(DateAgainstStatus),
    /// What is done lies before the report date, what is next after it.
    DateOrder,
    /// Something was done lately.
    Freshness(Freshness),
    /// A new forecast lies after the completion date.
    Forecast,
    /// The comment avoids certain words.
    ForbiddenWords(ForbiddenWords),
    /// The comment is neither too short nor too long.
    Length(Length),
    /// The comment holds no phone numbers, e-mail addresses or keys.
    Patterns(Patterns),
    /// The comment is written in a given script.
    ScriptShare(ScriptShare),
}

/// What a check found out about a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The row keeps what is checked.
    Pass,
    /// It does not; at least one flaw.
    Fail(Vec<Flaw>),
    /// Code cannot tell.
    Undecided,
    /// There is nothing to check.
    NotApplicable,
}

/// A violation, without the rule that it violates.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flaw {
    /// What is wrong, in the language of the context, without the quote.
    pub(crate) message: String,
    /// Words of the row that show it.
    pub(crate) quote: Option<String>,
}

/// The most flaws that one check reports: more would hide the rest of the row's findings.
pub(crate) const MAX_FLAWS: usize = 5;

/// The names of the checks in a rulebook.
pub(crate) const KINDS: [&str; 10] = [
    "allowed-status",
    "date-present",
    "date-against-status",
    "date-order",
    "freshness",
    "forecast",
    "forbidden-words",
    "length",
    "patterns",
    "script-share",
];

impl Check {
    /// Reads a check's parameters. Problems go to the reader; `None` if there were any, or the kind is unknown.
    pub(crate) fn read(kind: &str, reader: &mut Reader<'_>) -> Option<Self> {
        match kind {
            "allowed-status" => Some(Self::AllowedStatus),
            "date-present" => DateFormat::read(reader).map(|format| Self::DatePresent { format }),
            "date-against-status" => DateAgainstStatus::read(reader).map(Self::DateAgainstStatus),
            "date-order" => Some(Self::DateOrder),
            "freshness" => Freshness::read(reader).map(Self::Freshness),
            "forecast" => Some(Self::Forecast),
            "forbidden-words" => ForbiddenWords::read(reader).map(Self::ForbiddenWords),
            "length" => Length::read(reader).map(Self::Length),
            "patterns" => Patterns::read(reader).map(Self::Patterns),
            "script-share" => ScriptShare::read(reader).map(Self::ScriptShare),
            _ => None,
        }
    }

    /// Checks a row.
    pub(crate) fn review(&self, row: &Row<'_>) -> Outcome {
        match self {
            Self::AllowedStatus => allowed_status::review(row),
            Self::DatePresent { .. } => completion::review_presence(row),
            Self::DateAgainstStatus(check) => check.review(row),
            Self::DateOrder => date_order::review(row),
            Self::Freshness(check) => check.review(row),
            Self::Forecast => forecast::review(row),
            Self::ForbiddenWords(check) => check.review(row),
            Self::Length(check) => check.review(row),
            Self::Patterns(check) => check.review(row),
            Self::ScriptShare(check) => check.review(row),
        }
    }

    /// True if the check looks at the comment, so that it has nothing to say of an empty one.
    pub(crate) fn reads_comment(&self) -> bool {
        !matches!(self, Self::AllowedStatus | Self::DatePresent { .. } | Self::DateAgainstStatus(_))
    }

    /// The statuses that the parameters name.
    pub(crate) fn named_statuses(&self) -> impl Iterator<Item = &String> {
        let lists = match self {
            Self::DateAgainstStatus(check) => Some(check.not_before.iter().chain(&check.not_after)),
            _ => None,
        };
        lists.into_iter().flatten()
    }

    /// True if a pass answers the whole rule even where a model is asked too: the model is there for
    /// wordings that code does not understand, and these date checks say so themselves.
    pub(crate) fn settles(&self) -> bool {
        matches!(self, Self::DateOrder | Self::Freshness(_))
    }
}

impl Flaw {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), quote: None }
    }

    /// With the words that show it; white space alone is no quote.
    pub(crate) fn quoting(mut self, words: &str) -> Self {
        let words = words.trim();
        self.quote = (!words.is_empty()).then(|| words.to_owned());
        self
    }
}

impl Outcome {
    /// A failure with one flaw.
    pub(crate) fn fail(flaw: Flaw) -> Self {
        Self::Fail(vec![flaw])
    }

    /// A failure if there are flaws, else a pass.
    pub(crate) fn from_flaws(mut flaws: Vec<Flaw>) -> Self {
        flaws.truncate(MAX_FLAWS);
        if flaws.is_empty() { Self::Pass } else { Self::Fail(flaws) }
    }
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::domain::entry::{DateCell, Entry};
    use crate::domain::key::RowKey;
    use crate::domain::language::Language;
    use crate::domain::rules::ReviewContext;

    pub(super) const STATUSES: [&str; 5] = ["On Track", "At Risk", "Delayed", "Completed", "On Hold"];

    /// A row with a comment and everything else in order.
    pub(super) fn entry(comment: &str) -> Entry {
        Entry {
            row: 2,
            key: RowKey::of_row(2),
            status: "On Track".into(),
            comment: comment.into(),
            completion_date: DateCell::Text("2026-05-29".into()),
            identifier: None,
            project_manager: None,
            context: Vec::new(),
            input_error: None,
            link: None,
        }
    }

    /// Runs `look` on a row, on 2026-03-13 and with messages in English.
    pub(super) fn with_row<T>(entry: &Entry, look: impl FnOnce(&Row<'_>) -> T) -> T {
        let allowed = STATUSES.map(str::to_owned);
        let context = ReviewContext {
            allowed_statuses: &allowed,
            as_of: jiff::civil::date(2026, 3, 13),
            language: Language::En,
        };
        look(&Row::new(entry, &context, DateFormat::Iso))
    }

    /// Runs a check on a comment.
    pub(super) fn of_comment(check: &Check, comment: &str) -> Outcome {
        with_row(&entry(comment), |row| check.review(row))
    }

    /// The quotes of a failure; empty if it is none.
    pub(super) fn quotes(outcome: &Outcome) -> Vec<&str> {
        match outcome {
            Outcome::Fail(flaws) => flaws.iter().filter_map(|flaw| flaw.quote.as_deref()).collect(),
            _ => Vec::new(),
        }
    }
}
