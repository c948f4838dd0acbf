//! Something was done lately.

use jiff::ToSpan as _;
use serde::Serialize;

use super::{Flaw, Outcome, Reader, Row};

/// At least one done item is dated within so many days before the report date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Freshness {
    /// The days; both ends count.
    pub days: u16,
}

impl Freshness {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let days = reader.count("days").unwrap_or(14);
        match u16::try_from(days) {
            Ok(days @ 1..=3660) => Some(Self { days }),
            _ => {
                reader.problem("`days` is a number of days from 1 to 3660");
                None
            }
        }
    }

    pub(super) fn review(self, row: &Row<'_>) -> Outcome {
        let Some(done) = &row.timeline().done else { return Outcome::Undecided };
        let as_of = row.as_of();
        let Ok(since) = as_of.checked_sub(i64::from(self.days).days()) else { return Outcome::Undecided };
        let fresh = |first, last| last >= since && first <= as_of;
        let own = || done.dates.iter().filter(|date| date.own && date.date.sure);
        if own().any(|date| fresh(date.date.first, date.date.last)) {
            return Outcome::Pass;
        }
        if done.hints || !done.stray.is_empty() {
            return Outcome::Undecided;
        }
        if done.dates.is_empty() {
            return Outcome::NotApplicable;
        }
        let all_read = done.dates.iter().all(|date| date.date.sure && row.year_is_clear(&date.date));
        let latest = own().max_by_key(|date| date.date.last);
        let (true, Some(latest)) = (all_read, latest) else { return Outcome::Undecided };
        if done.dates.iter().any(|date| fresh(date.date.first, date.date.last)) {
            return Outcome::Undecided;
        }
        let message = format!(
            "{} {}–{}",
            row.say(
                "no done item is dated within the reporting period",
                "нет пункта «сделано» с датой в отчётном периоде"
            ),
            row.date(since),
            row.date(as_of),
        );
        Outcome::fail(
            Flaw::new(message).quoting(row.comment().get(latest.date.span.clone()).unwrap_or_default()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::Check;
    use super::super::testing::{of_comment, quotes};
    use super::*;

    const CHECK: Check = Check::Freshness(Freshness { days: 14 });

    #[test]
    fn one_fresh_item_is_enough() {
        for comment in [
            "Done: a (20 Feb), b (27 Feb). Next: c",
            "Сделано: а 13.03.2026.",
            "Done: a 20 Feb to 1 Mar.",
            "✔ 27.02 — камеры\n➡ 20.03 — приёмка",
        ] {
            assert_eq!(of_comment(&CHECK, comment), Outcome::Pass, "{comment}");
        }
    }

    #[test]
    fn old_work_only_fails() {
        for (comment, quoted) in [
            ("Done: 140 items described (20 Feb). In progress: x. Next: 300 items by 31 Mar.", "20 Feb"),
            ("Сделано: а 10.02, б 26.02. Дальше: в 20.03.", "26.02"),
            ("Сделано: утверждено 05.03.2025. В работе: в.", "05.03.2025"),
        ] {
            assert_eq!(quotes(&of_comment(&CHECK, comment)), [quoted], "{comment}");
        }
    }

    #[test]
    fn without_a_date_the_rule_does_not_apply() {
        assert_eq!(of_comment(&CHECK, "Done: all tills upgraded. Next: b 20 Mar."), Outcome::NotApplicable);
    }

    #[test]
    fn what_can_be_read_otherwise_is_left_to_the_model() {
        for comment in [
            "On 20 February we finished.",
            "Done: a 20 Feb, b yesterday. Next: c",
            "Done: a 20 Feb. We also did b on 5 Mar. Next: c",
            "Done: worked to the plan of 20 Feb. Next: c",
            "Done: a 20 Feb, b since 1 Mar.",
            "Done: in March 30 tills were upgraded.",
            "Done: a 28 Dec.",
            "",
        ] {
            assert_eq!(of_comment(&CHECK, comment), Outcome::Undecided, "{comment}");
        }
    }
}
