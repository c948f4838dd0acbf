//! Whether a known answer still counts.
//!
//! The inputs of a question are in its fingerprint; this is about the rest: who answered, and when.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// An answer that is stored, as far as its freshness goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownAnswer<'a> {
    /// The model that was asked, as the settings name it, not as the provider spells it in the reply.
    pub model: &'a str,
    /// When it answered.
    pub at: Timestamp,
}

/// What a run demands of known answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// The models of all configured providers; an answer of any other does not count.
    pub models: Vec<String>,
    /// Answers before this moment do not count; those at it do.
    pub not_before: Option<Timestamp>,
    /// No known answer counts.
    pub force: bool,
}

/// Whether an answer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It counts.
    Fresh,
    /// It does not.
    Stale(StaleReason),
}

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleReason {
    /// The run asks for everything anew.
    Forced,
    /// Its model is not configured any more.
    OtherModel,
    /// It was given too long ago.
    TooOld,
}

impl Freshness {
    /// Decides about one answer. An answer from the future, as a wrong clock leaves it, is not too old.
    pub fn standing(&self, answer: &KnownAnswer<'_>) -> Standing {
        if self.force {
            Standing::Stale(StaleReason::Forced)
        } else if !self.models.iter().any(|model| model == answer.model) {
            Standing::Stale(StaleReason::OtherModel)
        } else if self.not_before.is_some_and(|moment| answer.at < moment) {
            Standing::Stale(StaleReason::TooOld)
        } else {
            Standing::Fresh
        }
    }
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forced => "everything is to be asked anew",
            Self::OtherModel => "its model is not configured any more",
            Self::TooOld => "it was given before the current week",
        })
    }
}

/// The first moment of the ISO week that `now` lies in, where the office's clocks are: Monday 00:00, or the
/// moment after it where the clocks skip that.
pub fn monday_of(now: Timestamp, timezone: &TimeZone) -> Timestamp {
    let today = now.to_zoned_datetime(timezone.clone()).date();
    let monday = today.saturating_sub(i64::from(today.weekday().to_monday_zero_offset()).days());
    let midnight = monday.to_zoned_datetime(timezone.clone());
    // only the very first week of the calendar has no Monday
    midnight.map_or(Timestamp::MIN, |midnight| midnight.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn freshness() -> Freshness {
        Freshness {
            models: vec!["m-large".into(), "m-small".into()],
            not_before: Some(at("2026-03-09T00:00:00Z")),
            force: false,
        }
    }

    #[test]
    fn an_answer_counts_or_says_why_not() {
        use StaleReason::{Forced, OtherModel, TooOld};
        let unlimited = Freshness { not_before: None, ..freshness() };
        let forced = Freshness { force: true, ..freshness() };
        let none = Freshness::default();
        let cases = [
            (&freshness(), "m-small", "2026-03-13T10:00:00Z", Standing::Fresh),
            (&freshness(), "m-large", "2026-03-09T00:00:00Z", Standing::Fresh),
            (&freshness(), "m-large", "2026-03-08T23:59:59.999Z", Standing::Stale(TooOld)),
            (&freshness(), "m-large", "2999-01-01T00:00:00Z", Standing::Fresh),
            (&freshness(), "m-old", "2026-03-13T10:00:00Z", Standing::Stale(OtherModel)),
            (&freshness(), "M-Large", "2026-03-13T10:00:00Z", Standing::Stale(OtherModel)),
            (&freshness(), "", "2026-03-13T10:00:00Z", Standing::Stale(OtherModel)),
            (&unlimited, "m-large", "1999-01-01T00:00:00Z", Standing::Fresh),
            (&forced, "m-large", "2026-03-13T10:00:00Z", Standing::Stale(Forced)),
            (&none, "m-large", "2026-03-13T10:00:00Z", Standing::Stale(OtherModel)),
        ];
        for (freshness, model, moment, expected) in cases {
            let answer = KnownAnswer { model, at: at(moment) };
            assert_eq!(freshness.standing(&answer), expected, "{model} {moment}");
        }
    }

    #[test]
    fn a_week_begins_on_monday_where_the_office_is() {
        let cases = [
            ("2026-03-13T10:00:00Z", "UTC", "2026-03-09T00:00:00Z"),
            ("2026-03-13T10:00:00Z", "Europe/Moscow", "2026-03-08T21:00:00Z"),
            // Sunday evening in London is Monday in Moscow
            ("2026-03-15T22:00:00Z", "UTC", "2026-03-09T00:00:00Z"),
            ("2026-03-15T22:00:00Z", "Europe/Moscow", "2026-03-15T21:00:00Z"),
            ("2026-03-09T00:00:00Z", "UTC", "2026-03-09T00:00:00Z"),
            // a change of the clocks during the week
            ("2026-03-29T12:00:00Z", "Europe/Berlin", "2026-03-22T23:00:00Z"),
            // clocks that skipped this Monday's midnight
            ("2021-03-24T12:00:00Z", "Asia/Tehran", "2021-03-21T20:30:00Z"),
        ];
        for (now, zone, expected) in cases {
            let zone = TimeZone::get(zone).unwrap();
            assert_eq!(monday_of(at(now), &zone), at(expected), "{now}");
        }
    }

    proptest! {
        #[test]
        fn monday_is_at_most_a_week_ago(second in -377_705_023_201_i64..=253_402_207_200) {
            let now = Timestamp::from_second(second).unwrap();
            let monday = monday_of(now, &TimeZone::UTC);
            prop_assert!(monday <= now);
            prop_assert!(monday == Timestamp::MIN || now.as_second() - monday.as_second() < 7 * 86_400);
        }
    }
}
