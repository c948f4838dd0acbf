//! The dated items of a comment's done and next parts, and how far each date can be trusted to be the item's.

use std::ops::Range;

use super::dates::{self, FoundDate};
use super::parts::{self, PartKind};
use super::tokens::{Kind, Token, has_stem, is_one_of};

/// What a comment says about time, as far as its parts are labelled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// The done part, if there is one.
    pub done: Option<Side>,
    /// The next part, if there is one.
    pub next: Option<Side>,
}

/// One side of the report date: all parts that are about what is done, or about what is next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// The dates that surely stand in these parts.
    pub dates: Vec<ItemDate>,
    /// The dates behind them that may belong to them or not.
    pub stray: Vec<FoundDate>,
    /// True if there may be dates that were not read.
    pub hints: bool,
}

/// A date in an item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemDate {
    /// The date.
    pub date: FoundDate,
    /// The item around it, in bytes.
    pub item: Range<usize>,
    /// True if the wording makes it the item's own date, not a term, a validity or another event's date.
    pub own: bool,
    /// True if a word in the item speaks of the other side of the report date, or another date stands in it.
    pub mixed: bool,
}

/// Reads the timeline of a comment.
pub fn timeline(text: &str, tokens: &[Token], found: &[FoundDate]) -> Timeline {
    let mut timeline = Timeline::default();
    for part in parts::in_tokens(text, tokens) {
        let side = match part.kind {
            PartKind::Done => timeline.done.get_or_insert_default(),
            PartKind::Next => timeline.next.get_or_insert_default(),
            PartKind::Now | PartKind::Other => continue,
        };
        let within = |stretch: &Range<usize>| {
            let stretch = stretch.clone();
            found.iter().filter(move |date| stretch.contains(&date.span.start))
        };
        let item = |date: &FoundDate| item_date(text, tokens, date, &part.sure, part.kind);
        side.dates.extend(within(&part.sure).map(item));
        side.stray.extend(within(&part.tail).cloned());
        side.hints |= dates::hints(text, tokens, found, part.sure.start..part.tail.end);
    }
    timeline
}

fn item_date(
    text: &str,
    tokens: &[Token],
    date: &FoundDate,
    part: &Range<usize>,
    kind: PartKind,
) -> ItemDate {
    let first = tokens.partition_point(|token| token.start < date.span.start);
    let past = tokens.partition_point(|token| token.start < date.span.end);
    let open =
        tokens.get(..first).unwrap_or_default().iter().rev().take_while(|token| token.start >= part.start);
    let start =
        open.take_while(|token| !ends_item(text, token)).last().map_or(date.span.start, |token| token.start);
    let rest = tokens.get(past..).unwrap_or_default().iter().take_while(|token| token.end <= part.end);
    let end =
        rest.take_while(|token| !ends_item(text, token)).last().map_or(date.span.end, |token| token.end);

    let before = first.checked_sub(1).and_then(|at| tokens.get(at)).filter(|token| token.start >= part.start);
    let word_before = before.filter(|token| token.kind == Kind::Word).map_or("", |token| token.text(text));
    let ranged = date.first != date.last && is_one_of(word_before, &["from", "с", "со"]);
    let own = ranged || !is_one_of(word_before, FAR_PREPOSITIONS);
    let around =
        tokens.iter().filter(|token| (start..end).contains(&token.start) && token.kind == Kind::Word);
    let stems = if kind == PartKind::Done { AHEAD } else { BEHIND };
    let mixed = around.map(|token| token.text(text)).any(|word| has_stem(word, stems));
    ItemDate { date: date.clone(), item: start..end, own, mixed }
}

fn ends_item(text: &str, token: &Token) -> bool {
    match token.kind {
        Kind::Break | Kind::Mark(',' | ';') => true,
        // A full stop that is followed by a space or by nothing.
        Kind::Mark('.' | '!' | '?') => {
            !text.get(token.end..).is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
        }
        _ => false,
    }
}

/// Words after which a date is a term, a start or another document's date.
const FAR_PREPOSITIONS: &[&str] = &[
    "of",
    "from",
    "since",
    "until",
    "till",
    "by",
    "to",
    "due",
    "before",
    "after",
    "for",
    "dated",
    "than",
    "or",
    "от",
    "с",
    "со",
    "до",
    "к",
    "ко",
    "на",
    "после",
    "перед",
    "по",
    "не",
    "или",
    "через",
];

/// Stems of words that place something ahead: a future date beside them is no wrong date in a done part.
const AHEAD: &[&str] = &[
    "plan",
    "schedul",
    "due",
    "deadline",
    "expect",
    "delivery",
    "deliveries",
    "shipment",
    "valid",
    "expir",
    "will",
    "postpon",
    "reschedul",
    "moved",
    "shift",
    "extend",
    "extension",
    "until",
    "till",
    "reserv",
    "book",
    "appoint",
    "target",
    "forecast",
    "start",
    "begin",
    "term",
    "date",
    "effective",
    "renew",
    "prolong",
    "announce",
    "invit",
    "next",
    "slot",
    "window",
    "план",
    "запланир",
    "назнач",
    "срок",
    "действ",
    "продл",
    "перен",
    "сдвин",
    "ожида",
    "поставк",
    "отгрузк",
    "заброн",
    "будет",
    "будут",
    "прогноз",
    "намеч",
    "отлож",
    "дат",
    "начал",
    "вступ",
    "старт",
    "объявл",
    "пригла",
    "следующ",
    "окн",
    "истека",
    "аренд",
    "резерв",
];

/// Stems of words that place something behind: a past date beside them is no wrong date in a next part.
const BEHIND: &[&str] = &[
    "receiv",
    "rais",
    "found",
    "since",
    "missed",
    "after",
    "agreed",
    "approved",
    "signed",
    "based",
    "data",
    "according",
    "minutes",
    "order",
    "decision",
    "decided",
    "request",
    "remark",
    "letter",
    "protocol",
    "start",
    "opened",
    "continu",
    "ongoing",
    "was",
    "were",
    "had",
    "reported",
    "identified",
    "issue",
    "incident",
    "follow",
    "outage",
    "planned",
    "original",
    "instead",
    "backlog",
    "получ",
    "выявл",
    "поступ",
    "протокол",
    "приказ",
    "решени",
    "письм",
    "замечан",
    "начат",
    "начал",
    "просроч",
    "сорван",
    "был",
    "фактич",
    "продолж",
    "итог",
    "после",
    "соглас",
    "данн",
    "вместо",
    "перенес",
    "инцидент",
    "запрос",
    "заявк",
    "обращен",
    "редакц",
    "состоян",
    "предписан",
];

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn of(text: &str) -> Timeline {
        let tokens = tokens(text);
        timeline(text, &tokens, &dates::in_tokens(text, &tokens, 2026))
    }

    fn items(text: &str, side: Option<Side>) -> Vec<(&str, bool, bool)> {
        let dates = side.unwrap_or_default().dates;
        dates.into_iter().map(|date| (&text[date.item], date.own, date.mixed)).collect()
    }

    #[test]
    fn dates_belong_to_their_items() {
        let text =
            "Сделано: выгружены данные (05.03), доступ продлён до 31.12; замена 27.02. Дальше: пуск 20.03.";
        let timeline = of(text);
        assert_eq!(
            items(text, timeline.done),
            [
                ("выгружены данные (05.03)", true, false),
                ("доступ продлён до 31.12", false, true),
                ("замена 27.02", true, false)
            ],
        );
        assert_eq!(items(text, timeline.next), [("пуск 20.03", true, false)]);
    }

    #[test]
    fn a_date_of_something_else_is_not_the_items_own() {
        let text = "Next: remarks of 5 Mar closed, audit 7 Apr to 9 Apr, training from 16 Mar to 27 Mar, site no sooner than 15 Apr";
        let next = items(text, of(text).next);
        assert_eq!(next.iter().map(|item| item.1).collect::<Vec<_>>(), [false, true, true, false]);
    }

    #[test]
    fn stray_dates_and_hints_are_told() {
        let text = "Done: a 5 Mar. In between came 20 Mar. Next: in April";
        let timeline = of(text);
        assert_eq!(timeline.done.map(|side| (side.stray.len(), side.hints)), Some((1, false)));
        assert_eq!(timeline.next.map(|side| side.hints), Some(true));
        assert_eq!(of("On 5 March we finished."), Timeline::default());
    }
}
