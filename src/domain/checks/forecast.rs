//! A new forecast, where the comment gives one, lies after the completion date.

use super::{Flaw, Outcome, Row};
use crate::domain::dates::{FoundDate, is_dash};
use crate::domain::tokens::{Kind, is_one_of, same};

/// Words that may stand between the word that announces a forecast and its date.
const BETWEEN: &[&str] = &[
    "forecast",
    "completion",
    "complete",
    "finish",
    "delivery",
    "date",
    "end",
    "of",
    "the",
    "project",
    "is",
    "now",
    "new",
    "for",
    "on",
    "by",
    "expected",
    "estimated",
    "deadline",
    "to",
    "прогноз",
    "прогнозная",
    "прогнозный",
    "прогнозируемая",
    "завершения",
    "завершение",
    "окончания",
    "окончание",
    "сдачи",
    "сдача",
    "дата",
    "срок",
    "проекта",
    "работ",
    "новый",
    "новая",
    "ожидается",
    "на",
    "к",
    "до",
    "теперь",
    "по",
    "проекту",
    "ввода",
    "пуска",
];

/// Words before an announcement that make it an earlier one, or a denial.
const NOT_NEW: &[&str] = &[
    "previous",
    "old",
    "original",
    "initial",
    "earlier",
    "former",
    "last",
    "first",
    "no",
    "not",
    "without",
    "was",
    "прежний",
    "прежняя",
    "старый",
    "старая",
    "исходный",
    "исходная",
    "предыдущий",
    "предыдущая",
    "первоначальный",
    "первоначальная",
    "был",
    "была",
    "без",
    "нет",
    "не",
];

/// The most words between announcement and date.
const MAX_BETWEEN: usize = 8;

/// Fails if every forecast in the comment lies on or before the completion date. Says nothing of a comment
/// without one: whether there is a forecast in other words is for the model.
pub(super) fn review(row: &Row<'_>) -> Outcome {
    let Some(completion) = row.completion.date() else { return Outcome::Undecided };
    let forecasts: Vec<&FoundDate> = (0..row.tokens().len()).filter_map(|at| forecast_at(row, at)).collect();
    let late = |date: &&FoundDate| date.last <= completion && date.sure && row.year_is_clear(date);
    let Some(quoted) = forecasts.last().filter(|_| forecasts.iter().all(late)) else {
        return if forecasts.is_empty() { Outcome::Undecided } else { Outcome::Pass };
    };
    let message = format!(
        "{} {}",
        row.say(
            "the new forecast is not later than the completion date",
            "новый прогноз не позже даты завершения"
        ),
        row.date(completion),
    );
    Outcome::fail(Flaw::new(message).quoting(row.comment().get(quoted.span.clone()).unwrap_or_default()))
}

/// The date that is announced at a token: `New forecast completion: 8 May`, `Прогноз завершения — 08.05`.
fn forecast_at<'r>(row: &'r Row<'_>, at: usize) -> Option<&'r FoundDate> {
    let (text, tokens) = (row.comment(), row.tokens());
    let word = |at: usize| {
        let token = tokens.get(at).filter(|token| token.kind == Kind::Word);
        token.map_or("", |token| token.text(text))
    };
    let is_new = |word: &str| is_one_of(word, &["new", "новый", "новая"]);
    let announced = is_one_of(word(at), &["forecast", "прогноз", "прогнозная", "прогнозный"])
        || (is_new(word(at))
            && is_one_of(word(at + 1), &["date", "completion", "finish", "deadline", "end", "дата", "срок"]));
    let before = at.checked_sub(1).map_or("", word);
    let older = is_one_of(before, NOT_NEW)
        || (is_new(before) && is_one_of(at.checked_sub(2).map_or("", word), NOT_NEW));
    if !announced
        || older
        || (same(word(at), "forecast") && is_one_of(before, &["weather", "demand", "sales"]))
    {
        return None;
    }
    let mut next = at + 1;
    while let Some(token) = tokens.get(next).filter(|_| next - at <= MAX_BETWEEN) {
        if let Some(date) = row.dates().iter().find(|date| date.span.start == token.start) {
            return Some(date);
        }
        let passes = match token.kind {
            Kind::Word => is_one_of(token.text(text), BETWEEN),
            Kind::Mark(mark) => matches!(mark, ':' | '(' | '«' | '*' | '=') || is_dash(mark),
            Kind::Number | Kind::Break => false,
        };
        if !passes {
            return None;
        }
        next += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Check;
    use super::super::testing::{of_comment, quotes};
    use super::*;

    // The completion date of the tests' row is 2026-05-29.

    #[test]
    fn a_forecast_that_is_not_later_fails() {
        for (comment, quoted) in [
            ("Delayed. New forecast completion: 8 May 2026.", "8 May 2026"),
            ("Новая прогнозная дата завершения: 08.05.2026.", "08.05.2026"),
            ("Прогноз — 29.05.", "29.05"),
            ("New date: 2026-05-15", "2026-05-15"),
            ("Forecast 15 May", "15 May"),
            ("New completion date is 2026-05-01.", "2026-05-01"),
        ] {
            assert_eq!(quotes(&of_comment(&Check::Forecast, comment)), [quoted], "{comment}");
        }
    }

    #[test]
    fn a_later_one_passes() {
        for comment in [
            "Forecast completion 17 June 2026.",
            "Новый прогноз завершения 24.06.2026.",
            "Previous forecast 8 May 2026, new forecast 15 Jun 2026.",
            "Forecast: 8 May 2026 for stage 1. New forecast: 30 Jun 2026.",
        ] {
            assert_eq!(of_comment(&Check::Forecast, comment), Outcome::Pass, "{comment}");
        }
    }

    #[test]
    fn what_is_no_clear_forecast_is_left_to_the_model() {
        for comment in [
            "Completion moves to 8 May 2026.",
            "The weather forecast 8 May 2026",
            "Прогноз погоды на 08.05",
            "Forecast accuracy 12% on 8 May",
            "Previous forecast: 8 May 2026.",
            "Ошибка прогноза 08.05",
            "",
        ] {
            assert_eq!(of_comment(&Check::Forecast, comment), Outcome::Undecided, "{comment}");
        }
    }
}
