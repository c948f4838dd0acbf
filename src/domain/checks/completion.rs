//! The completion date: present, real, and fitting the status.

use jiff::civil::Date;
use serde::Serialize;

use super::row::comparable;
use super::{Flaw, Outcome, Reader, Row};
use crate::domain::entry::DateCell;

/// How completion dates are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum DateFormat {
    /// `YYYY-MM-DD`.
    #[serde(rename = "YYYY-MM-DD")]
    Iso,
    /// `DD.MM.YYYY`.
    #[serde(rename = "DD.MM.YYYY")]
    Dotted,
}

/// What the completion date's cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completion {
    Missing,
    /// Fits the format's form, but no calendar has such a day.
    NoSuchDay,
    OtherForm,
    Date(Date),
}

/// Statuses that bind the completion date to the report date.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DateAgainstStatus {
    /// With these, it is on or after the report date.
    pub not_before: Vec<String>,
    /// With these, it is on or before the report date.
    pub not_after: Vec<String>,
}

impl DateFormat {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.one_of("format", &[("YYYY-MM-DD", Self::Iso), ("DD.MM.YYYY", Self::Dotted)])
    }

    /// The format as people write it in a language's letters.
    fn shown(self, row: &Row<'_>) -> &'static str {
        match self {
            Self::Iso => row.say("YYYY-MM-DD", "ГГГГ-ММ-ДД"),
            Self::Dotted => row.say("DD.MM.YYYY", "ДД.ММ.ГГГГ"),
        }
    }
}

impl Completion {
    pub(super) fn read(cell: &DateCell, format: DateFormat) -> Self {
        let text = match cell {
            DateCell::Missing => return Self::Missing,
            DateCell::Date(date) => return Self::Date(*date),
            DateCell::Text(text) => text.trim(),
        };
        if text.is_empty() {
            return Self::Missing;
        }
        let bytes = text.as_bytes();
        let (form, year, month, day) = match format {
            DateFormat::Iso => ("dddd-dd-dd", 0..4, 5..7, 8..10),
            DateFormat::Dotted => ("dd.dd.dddd", 6..10, 3..5, 0..2),
        };
        let fits = bytes.len() == form.len()
            && form
                .bytes()
                .zip(bytes)
                .all(|(form, byte)| if form == b'd' { byte.is_ascii_digit() } else { form == *byte });
        if !fits {
            return Self::OtherForm;
        }
        let date = || {
            let [year, month, day] = [year, month, day].map(|part| text.get(part).unwrap_or_default());
            Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
        };
        date().map_or(Self::NoSuchDay, Self::Date)
    }

    /// The date, if there is a real one.
    pub(crate) fn date(self) -> Option<Date> {
        match self {
            Self::Date(date) => Some(date),
            Self::Missing | Self::NoSuchDay | Self::OtherForm => None,
        }
    }
}

/// The completion date is there, real, and in the rulebook's format; a typed date cell needs no format.
pub(super) fn review_presence(row: &Row<'_>) -> Outcome {
    let flaw = match row.completion {
        Completion::Date(_) => return Outcome::Pass,
        Completion::Missing => Flaw::new(row.say("the completion date is missing", "нет даты завершения")),
        Completion::NoSuchDay => Flaw::new(
            row.say("the calendar has no such completion date", "такой даты завершения нет в календаре"),
        ),
        Completion::OtherForm => Flaw::new(format!(
            "{} {}",
            row.say("the completion date is not written as", "дата завершения записана не в формате"),
            row.format.shown(row),
        )),
    };
    Outcome::fail(flaw.quoting(&row.entry.completion_date.to_string()))
}

impl DateAgainstStatus {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let before = reader.strings("not_before");
        let after = reader.strings("not_after");
        if before.is_none() && after.is_none() {
            reader.problem("needs `not_before` or `not_after`, a list of statuses");
            return None;
        }
        let comparable = |list: Option<Vec<String>>| {
            list.unwrap_or_default().iter().map(|status| comparable(status).into_owned()).collect()
        };
        Some(Self { not_before: comparable(before), not_after: comparable(after) })
    }

    pub(super) fn review(&self, row: &Row<'_>) -> Outcome {
        let Some(date) = row.completion.date() else { return Outcome::NotApplicable };
        let early = date < row.as_of() && row.has_status(&self.not_before);
        let late = date > row.as_of() && row.has_status(&self.not_after);
        if !(early || late) {
            return Outcome::Pass;
        }
        let what = if early {
            row.say("the completion date is before the report date", "дата завершения раньше отчётной даты")
        } else {
            row.say("the completion date is after the report date", "дата завершения позже отчётной даты")
        };
        let with = row.say("with the status", "при статусе");
        let message = format!("{what} {} {with} {}", row.date(row.as_of()), row.quoted(&row.status));
        Outcome::fail(Flaw::new(message).quoting(&row.entry.completion_date.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, quotes, with_row};
    use super::*;
    use jiff::civil::date;

    fn read(text: &str, format: DateFormat) -> Completion {
        Completion::read(&DateCell::Text(text.into()), format)
    }

    #[test]
    fn only_real_days_in_the_format_are_dates() {
        use Completion::{Date, Missing, NoSuchDay, OtherForm};
        for (text, iso, dotted) in [
            ("2026-05-14", Date(date(2026, 5, 14)), OtherForm),
            ("\u{a0}2026-05-14\n", Date(date(2026, 5, 14)), OtherForm),
            ("14.05.2026", OtherForm, Date(date(2026, 5, 14))),
            ("2024-02-29", Date(date(2024, 2, 29)), OtherForm),
            ("2026-02-29", NoSuchDay, OtherForm),
            ("31.04.2026", OtherForm, NoSuchDay),
            ("2026-13-01", NoSuchDay, OtherForm),
            ("Q2 2026", OtherForm, OtherForm),
            ("2026-5-14", OtherForm, OtherForm),
            ("2026-05-14 10:00", OtherForm, OtherForm),
            ("05/20/2026", OtherForm, OtherForm),
            ("２０２６-05-14", OtherForm, OtherForm),
            ("TBC", OtherForm, OtherForm),
            (" ", Missing, Missing),
        ] {
            assert_eq!(read(text, DateFormat::Iso), iso, "{text}");
            assert_eq!(read(text, DateFormat::Dotted), dotted, "{text}");
        }
        let typed = DateCell::Date(date(2026, 5, 14));
        assert_eq!(Completion::read(&typed, DateFormat::Dotted), Date(date(2026, 5, 14)));
    }

    #[test]
    fn the_status_binds_the_date() {
        let check =
            DateAgainstStatus { not_before: vec!["On Track".into()], not_after: vec!["Completed".into()] };
        for (status, day, fails) in [
            ("On Track", "2026-03-12", true),
            ("On Track", "2026-03-13", false),
            (" On\u{a0}Track ", "2026-03-12", true),
            ("Completed", "2026-03-14", true),
            ("Completed", "2026-03-13", false),
            ("Delayed", "2020-01-01", false),
        ] {
            let mut entry = entry("");
            (entry.status, entry.completion_date) = (status.into(), DateCell::Text(day.into()));
            let outcome = with_row(&entry, |row| check.review(row));
            assert_eq!(quotes(&outcome) == [day], fails, "{status} {day}: {outcome:?}");
        }
        let mut missing = entry("");
        missing.completion_date = DateCell::Text("TBC".into());
        assert_eq!(with_row(&missing, |row| check.review(row)), Outcome::NotApplicable);
        assert_eq!(quotes(&with_row(&missing, review_presence)), ["TBC"]);
    }
}
