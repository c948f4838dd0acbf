//! Verdicts that another tool left in a results table, and when it gave them.
//!
//! The Python StatusValidator keeps its results in the same columns, but without a key. Its rows are taken over
//! as they stand; what it judged lately, `--checkdate` need not pay for again.

use std::collections::HashMap;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use super::dates::find_dates;
use super::entry::Entry;
use super::fold::squeeze;
use super::key::RowKey;

/// Verdicts of rows that another tool wrote, by row key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignVerdicts(HashMap<RowKey, ForeignVerdict>);

/// When a verdict was given, and for which text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ForeignVerdict {
    at: Timestamp,
    text: [u8; 8],
}

/// The columns of a results table that say what was judged.
#[derive(Clone, Copy, Debug)]
pub struct JudgedText<'a> {
    /// The status.
    pub status: &'a str,
    /// The completion date.
    pub completion_date: &'a str,
    /// The comment.
    pub comment: &'a str,
}

impl ForeignVerdicts {
    /// Remembers a verdict. One whose `Check date` cannot be read counts as never given.
    pub fn add(&mut self, key: RowKey, judged: JudgedText<'_>, check_date: &str, zone: &TimeZone) {
        if let Some(at) = read_check_date(check_date, zone) {
            self.0.insert(key, ForeignVerdict { at, text: judged.hash() });
        }
    }

    /// True if the row was judged at `not_before` or later, for the very text that it has now.
    pub fn stands(&self, entry: &Entry, not_before: Timestamp) -> bool {
        let completion_date = entry.completion_date.to_string();
        let judged =
            JudgedText { status: &entry.status, completion_date: &completion_date, comment: &entry.comment };
        self.0.get(&entry.key).is_some_and(|known| known.at >= not_before && known.text == judged.hash())
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl JudgedText<'_> {
    /// Equal for equal texts. A date counts as a date, however the table shows it.
    fn hash(self) -> [u8; 8] {
        let date = match find_dates(self.completion_date, 0).as_slice() {
            [only] if only.year_written && only.first == only.last => only.first.to_string(),
            _ => squeeze(self.completion_date),
        };
        let mut hasher = blake3::Hasher::new();
        for text in [squeeze(self.status), date, squeeze(self.comment)] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let mut short = [0; 8];
        short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        short
    }
}

/// Reads a `Check date`: as it is written, and as spreadsheets show it in other countries. A day without a time is
/// its first moment; a moment that clocks skipped or had twice is the one after or the first one.
pub fn read_check_date(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    const DAYS: [&str; 3] = ["%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y"];
    const TIMES: [&str; 2] = ["%H:%M", "%H:%M:%S"];
    let text = squeeze(text).replace('T', " ");
    let (day, time) = text.split_once(' ').unwrap_or((&text, ""));
    let day = DAYS.iter().find_map(|form| Date::strptime(form, day).ok())?;
    let time = match time {
        "" => civil::Time::midnight(),
        time => TIMES.iter().find_map(|form| Time::strptime(form, time).ok())?,
    };
    zone.to_timestamp(DateTime::from_parts(day, time)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::DateCell;

    fn moscow() -> TimeZone {
        TimeZone::get("Europe/Moscow").unwrap()
    }

    #[test]
    fn check_dates_are_read_however_a_spreadsheet_shows_them() {
        let expected: Timestamp = "2025-10-06T04:05:00Z".parse().unwrap();
        for text in [
            "06.10.2025 07:05",
            "06.10.2025 7:05",
            "6.10.2025 7:05:00",
            " 06.10.2025\u{a0}07:05 ",
            "2025-10-06 07:05",
            "2025-10-06T07:05:00",
            "10/6/2025 7:05:00",
        ] {
            assert_eq!(read_check_date(text, &moscow()), Some(expected), "{text}");
        }
        let midnight: Timestamp = "2025-10-05T21:00:00Z".parse().unwrap();
        assert_eq!(read_check_date("06.10.2025", &moscow()), Some(midnight));
        for text in
            ["", "yesterday", "45936.29", "32.10.2025 07:05", "06.10.2025 25:05", "06.10.2025 07:05 MSK"]
        {
            assert_eq!(read_check_date(text, &moscow()), None, "{text}");
        }
    }

    #[test]
    fn a_verdict_stands_for_its_own_text_and_for_its_own_week() {
        let mut entry = Entry {
            row: 2,
            key: RowKey::of_identifier("Gate", 1),
            status: "On Track".into(),
            comment: "Posts are set.".into(),
            completion_date: DateCell::Date(civil::date(2025, 11, 30)),
            identifier: Some("Gate".into()),
            project_manager: None,
            context: Vec::new(),
            input_error: None,
            link: None,
        };
        let judged =
            JudgedText { status: "On Track ", completion_date: "30.11.2025", comment: "Posts are set." };
        let mut verdicts = ForeignVerdicts::default();
        verdicts.add(entry.key.clone(), judged, "06.10.2025 7:05:00", &moscow());
        verdicts.add(RowKey::of_identifier("Roof", 1), judged, "soon", &moscow());
        let monday: Timestamp = "2025-10-05T21:00:00Z".parse().unwrap();
        assert!(verdicts.stands(&entry, monday));
        assert!(!verdicts.stands(&entry, "2025-10-06T04:05:01Z".parse().unwrap()));
        for change in [
            |entry: &mut Entry| entry.comment.push_str(" Gates hang."),
            |entry: &mut Entry| entry.completion_date = DateCell::Text("01.12.2025".into()),
            |entry: &mut Entry| entry.key = RowKey::of_identifier("Roof", 1),
        ] {
            let mut changed = entry.clone();
            change(&mut changed);
            assert!(!verdicts.stands(&changed, monday));
        }
        entry.completion_date = DateCell::Text("2025-11-30".into());
        assert!(verdicts.stands(&entry, monday), "a date is a date");
    }
}
