//! What is done is not dated after the report date, what comes next not before it.

use super::{Flaw, Outcome, Row};
use crate::domain::timeline::{ItemDate, Side};

/// An item longer than this, in bytes, is quoted by its date alone.
const MAX_QUOTE: usize = 160;

/// Checks the order of dates. Fails only where a date surely is its item's own; passes only where all is read.
pub(super) fn review(row: &Row<'_>) -> Outcome {
    let timeline = row.timeline();
    let as_of = row.as_of();
    let mut flaws = Vec::new();
    for date in dates(timeline.done.as_ref()).filter(|date| date.date.first > as_of) {
        if is_item_date(row, date) {
            flaws.push(flaw(
                row,
                date,
                row.say(
                    "a done item is dated after the report date",
                    "пункт «сделано» датирован позже отчётной даты",
                ),
            ));
        }
    }
    for date in dates(timeline.next.as_ref()).filter(|date| date.date.last < as_of) {
        let others = dates(timeline.next.as_ref()).filter(|other| other.item == date.item).count() > 1;
        if is_item_date(row, date) && !others {
            flaws.push(flaw(
                row,
                date,
                row.say(
                    "a next step is dated before the report date",
                    "пункт «дальше» датирован раньше отчётной даты",
                ),
            ));
        }
    }
    if !flaws.is_empty() {
        return Outcome::from_flaws(flaws);
    }
    match (&timeline.done, &timeline.next) {
        (Some(done), Some(next))
            if in_order(row, done, |date| date.last <= as_of)
                && in_order(row, next, |date| date.first >= as_of) =>
        {
            Outcome::Pass
        }
        _ => Outcome::Undecided,
    }
}

fn dates(side: Option<&Side>) -> impl Iterator<Item = &ItemDate> {
    side.into_iter().flat_map(|side| &side.dates)
}

fn is_item_date(row: &Row<'_>, date: &ItemDate) -> bool {
    date.own && !date.mixed && date.date.sure && row.year_is_clear(&date.date)
}

fn in_order(row: &Row<'_>, side: &Side, fits: impl Fn(&crate::domain::dates::FoundDate) -> bool) -> bool {
    let read =
        side.dates.iter().all(|date| date.date.sure && row.year_is_clear(&date.date) && fits(&date.date));
    read && !side.hints && side.stray.iter().all(|date| date.sure && fits(date))
}

fn flaw(row: &Row<'_>, date: &ItemDate, message: &str) -> Flaw {
    let item = date.item.clone();
    let span = if item.len() <= MAX_QUOTE { item } else { date.date.span.clone() };
    let quote = row.comment().get(span).unwrap_or_default();
    Flaw::new(format!("{message} ({})", row.date(row.as_of()))).quoting(quote)
}

#[cfg(test)]
mod tests {
    use super::super::Check;
    use super::super::testing::{of_comment, quotes};
    use super::*;

    #[test]
    fn dates_on_the_wrong_side_fail() {
        for (comment, quoted) in [
            (
                "Done: 6 consoles installed (4 Mar). Next: building 3 connected 5 Mar, acceptance 27 Mar.",
                "building 3 connected 5 Mar",
            ),
            (
                "Сделано: проведена проверка фамилий (20.03). Дальше: публикация 27.03.",
                "проведена проверка фамилий (20.03)",
            ),
            (
                "Сделано: а 02.03. Дальше: вскрытие конвертов 20.03.2025, договор 17.04.2026.",
                "вскрытие конвертов 20.03.2025",
            ),
            ("Done: racks powered 14 March. Next: copy moved 26 March", "racks powered 14 March"),
            ("Next: desk opens 12.03.2026\nDone: list approved 27.02", "desk opens 12.03.2026"),
        ] {
            assert_eq!(quotes(&of_comment(&Check::DateOrder, comment)), [quoted], "{comment}");
        }
    }

    #[test]
    fn dates_on_their_sides_pass() {
        for comment in [
            "Done: report approved 6 Mar, proof sent 13 Mar. In progress: x. Next: publication on 13 Mar.",
            "Сделано: а (27.02 и 10.03). Дальше: б 06.04–10.04.",
        ] {
            assert_eq!(of_comment(&Check::DateOrder, comment), Outcome::Pass, "{comment}");
        }
    }

    #[test]
    fn what_can_be_read_otherwise_is_left_to_the_model() {
        for comment in [
            "Done: licences extended until 31 Dec 2026. Next: a 20 Mar.",
            "Done: delivery agreed, planned 20 Apr; contract signed 5 Mar. Next: a 20 Mar.",
            "Сделано: доступ продлён до 31.12. Дальше: б 20.03.",
            "Сделано: поставка назначена на 20.04. Дальше: б 20.03.",
            "Done: a 5 Mar. Next: remarks received 5 Mar closed. ",
            "Дальше: устранение замечаний от 05.03 к 20.03. Сделано: а 05.03.",
            "Done: a 5 Mar. Next: go-live 20 Mar. The milestone was planned for 27 Feb and missed.",
            "On 20 March we finished, next we hand over on 5 March.",
            "Done: a 20 Dec. Next: b 20 Mar.",
            "Done: in March 30 tills were upgraded. Next: b 20 Mar.",
            "Done: a 9-20 Mar. Next: b 20 Mar.",
            "Done: a 5 Mar.",
            "Done: a on Monday. Next: b 20 Mar",
            "",
        ] {
            assert_eq!(of_comment(&Check::DateOrder, comment), Outcome::Undecided, "{comment}");
        }
    }
}
