//! The reader of dates: tokens in, dates out.

use jiff::civil::Date;

use super::super::tokens::{Kind, Token};
use super::{FoundDate, words};

/// Years further than this from the report date's are counts, such as `10 March 2400 employees`.
const YEARS_AROUND: i16 = 10;

pub(super) struct Scanner<'a> {
    text: &'a str,
    tokens: &'a [Token],
    year: i16,
    found: Vec<Found>,
}

/// A date and the tokens it covers.
struct Found {
    tokens: std::ops::Range<usize>,
    first: Date,
    last: Date,
    year_written: bool,
    sure: bool,
}

/// A day and a month whose year is still to come.
struct YearOf {
    year: i16,
    written: bool,
    past: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token], year: i16) -> Self {
        Self { text, tokens, year, found: Vec::new() }
    }

    pub(super) fn run(mut self) -> Vec<FoundDate> {
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            let found = match token.kind {
                Kind::Number => self.numeric(at).or_else(|| self.day_month(at)),
                Kind::Word => self.month_day(at).or_else(|| self.ordinal_month(at)),
                Kind::Mark(_) | Kind::Break => None,
            };
            match found {
                Some(found) => {
                    at = found.tokens.end;
                    self.push(found);
                }
                None => at += 1,
            }
        }
        self.found.iter().filter_map(|found| self.place(found)).collect()
    }

    fn place(&self, found: &Found) -> Option<FoundDate> {
        let first = self.tokens.get(found.tokens.start)?;
        let last = self.tokens.get(found.tokens.end.checked_sub(1)?)?;
        let Found { first: from, last: to, year_written, sure, .. } = *found;
        Some(FoundDate { span: first.start..last.end, first: from, last: to, year_written, sure })
    }

    /// Adds a date, or makes it the end of a range that the previous one opens.
    fn push(&mut self, mut found: Found) {
        let opened = self.found.last().and_then(|previous| {
            let link = previous.tokens.end;
            let linked =
                link + 1 == found.tokens.start && self.links(link) && previous.first == previous.last;
            let mut from = previous.first;
            if linked && !previous.year_written && found.year_written {
                from = from.with().year(found.first.year()).build().ok()?;
                if from > found.first {
                    from = from.with().year(found.first.year() - 1).build().ok()?;
                }
            }
            (linked && from <= found.first).then_some((previous.tokens.start, from, previous.sure))
        });
        if let Some((start, from, sure)) = opened {
            self.found.pop();
            found = Found { tokens: start..found.tokens.end, first: from, sure: sure && found.sure, ..found };
        }
        self.found.push(found);
    }

    fn links(&self, at: usize) -> bool {
        match self.kind(at) {
            Some(Kind::Mark(mark)) => words::is_dash(mark),
            Some(Kind::Word) => words::is_range_word(self.word(at)),
            _ => false,
        }
    }

    /// `2026-03-06`, `06.03.2026`, `06.03`, `20/03/2026`, `06–10.04`.
    fn numeric(&self, at: usize) -> Option<Found> {
        let Kind::Mark(mark) = self.kind(at + 1)? else { return None };
        if !self.tight(at + 1) || !self.tight(at + 2) || self.kind(at + 2)? != Kind::Number {
            return None;
        }
        if words::is_dash(mark)
            && self.width(at) == 2
            && let Some(found) = self.days_to_dotted(at)
        {
            return Some(found);
        }
        if !(matches!(mark, '.' | '/') || words::is_dash(mark)) || !self.opens_number(at) {
            return None;
        }
        let third = self.kind(at + 3) == Some(Kind::Mark(mark))
            && self.tight(at + 3)
            && self.tight(at + 4)
            && self.kind(at + 4) == Some(Kind::Number);
        if third {
            return self.full(at, mark);
        }
        (mark == '.').then(|| self.dotted(at)).flatten()
    }

    fn full(&self, at: usize, mark: char) -> Option<Found> {
        let (a, b, c) = (self.number(at)?, self.number(at + 2)?, self.number(at + 4)?);
        let widths = (self.width(at), self.width(at + 2), self.width(at + 4));
        if !self.closes_number(at + 5) {
            return None;
        }
        let (date, sure) = match widths {
            (4, 1..=2, 1..=2) => (day_of(a, b, c)?, true),
            (1..=2, 1..=2, 4) if mark == '.' => (day_of(c, b, a)?, true),
            (1..=2, 1..=2, 4) => match (day_of(c, b, a), day_of(c, a, b)) {
                (Some(date), None) | (None, Some(date)) => (date, true),
                (Some(one), Some(other)) => (one, one == other),
                (None, None) => return None,
            },
            (2, 2, 2) if mark == '.' => {
                let year = self.year - self.year.rem_euclid(100) + c;
                ((year - self.year).abs() <= YEARS_AROUND).then_some((day_of(year, b, a)?, true))?
            }
            _ => return None,
        };
        (1900..=2199).contains(&date.year()).then_some(())?;
        let past = if self.is_year_word(at + 5) { at + 6 } else { at + 5 };
        Some(Found { tokens: at..past, first: date, last: date, year_written: true, sure })
    }

    /// `06.03`: both parts of two digits, and nothing around that makes it a size or a version.
    fn dotted(&self, at: usize) -> Option<Found> {
        let (day, month) = (self.number(at)?, self.number(at + 2)?);
        if (self.width(at), self.width(at + 2)) != (2, 2) || !self.closes_number(at + 3) {
            return None;
        }
        if at > 0 && self.kind(at - 1) == Some(Kind::Word) && words::names_a_number(self.word(at - 1)) {
            return None;
        }
        // `п. 10.04`: the clause's own full stop stands between.
        if at > 1 && self.kind(at - 1) == Some(Kind::Mark('.')) && words::names_a_number(self.word(at - 2)) {
            return None;
        }
        let amount = match self.kind(at + 3) {
            Some(Kind::Word) => words::is_unit(self.word(at + 3)),
            Some(Kind::Mark(mark)) => {
                matches!(mark, '%' | '‰' | '°' | '₽' | '€' | '$' | '×' | '*' | '±' | '=')
            }
            _ => false,
        };
        if amount {
            return None;
        }
        let date = day_of(self.year, month, day)?;
        Some(Found { tokens: at..at + 3, first: date, last: date, year_written: false, sure: true })
    }

    /// `06–10.04`.
    fn days_to_dotted(&self, at: usize) -> Option<Found> {
        if !self.opens_number(at) {
            return None;
        }
        let Kind::Mark('.') = self.kind(at + 3)? else { return None };
        if !self.tight(at + 3) || !self.tight(at + 4) || self.kind(at + 4)? != Kind::Number {
            return None;
        }
        let end = if self.kind(at + 5) == Some(Kind::Mark('.')) && self.tight(at + 5) && self.tight(at + 6) {
            self.full(at + 2, '.')?
        } else {
            self.dotted(at + 2)?
        };
        let first = day_of(end.first.year(), end.first.month().into(), self.number(at)?)?;
        (first < end.first).then_some(Found { tokens: at..end.tokens.end, first, ..end })
    }

    /// `6 Mar`, `6th of March 2026`, `6 марта 2026 г.`, `7-9 Apr`, `3 and 5 March`.
    fn day_month(&self, at: usize) -> Option<Found> {
        let day = self.day_number(at)?;
        let mut next = at + 1;
        if self.kind(next) == Some(Kind::Word) && self.tight(next) && words::is_day_ending(self.word(next)) {
            next += 1;
        } else if self.is_dash(next) && self.tight(next) && words::is_day_ending(self.word(next + 1)) {
            next += 2;
        }
        if let Some(month) = self.month_after(next) {
            let year = self.year_after(month.1);
            let date = day_of(year.year, month.0, day)?;
            return Some(self.single(at..year.past, date, year.written));
        }
        let ranged = self.links(next);
        let listed = self.is_and(next);
        if !(ranged || listed) {
            return None;
        }
        self.day_number(next + 1)?;
        let end = self.day_month(next + 1)?;
        let first = day_of(end.first.year(), end.first.month().into(), day)?;
        if ranged {
            return (first < end.first).then_some(Found { tokens: at..end.tokens.end, first, ..end });
        }
        // `buildings 1 and 2 March`: the first number may count something else.
        Some(Found { tokens: at..at + 1, first, last: first, year_written: end.year_written, sure: false })
    }

    /// `March 6`, `Mar 6, 2026`, `March 24-31`.
    fn month_day(&self, at: usize) -> Option<Found> {
        let word = self.word(at);
        if !words::may_lead(word) {
            return None;
        }
        let month = i16::from(words::month(word)?);
        let mut next = at + 1;
        if self.kind(next) == Some(Kind::Mark('.')) && self.tight(next) {
            next += 1;
        }
        let day = self.day_number(next)?;
        let mut past = next + 1;
        if self.kind(past) == Some(Kind::Word) && self.tight(past) && words::is_day_ending(self.word(past)) {
            past += 1;
        }
        if !self.closes_number(past) || matches!(self.kind(past), Some(Kind::Mark('%' | '/' | ':'))) {
            return None;
        }
        // `March 6 Apr`: the number belongs to what follows.
        if self.month_after(past).is_some() {
            return None;
        }
        let mut last_day = day;
        if self.is_dash(past)
            && self.tight(past)
            && self.tight(past + 1)
            && let Some(end) = self.day_number(past + 1).filter(|end| *end > day)
        {
            (last_day, past) = (end, past + 2);
        }
        let year = self.year_after(past);
        let (first, last) = (day_of(year.year, month, day)?, day_of(year.year, month, last_day)?);
        let counts = self.kind(past) == Some(Kind::Word) && !year.written && !is_link_word(self.word(past));
        let found = Found { tokens: at..year.past, first, last, year_written: year.written, sure: !counts };
        Some(found)
    }

    /// `Пятого марта`, `двадцать первого марта 2026`, `fifth of March`, `twenty-first of March`.
    fn ordinal_month(&self, at: usize) -> Option<Found> {
        let word = self.word(at);
        let (day, next) = match words::tens(word) {
            Some(tens) => {
                let unit = if self.is_dash(at + 1) { at + 2 } else { at + 1 };
                (tens + words::ordinal(self.word(unit)).filter(|day| *day < 10)?, unit + 1)
            }
            None => (words::ordinal(word)?, at + 1),
        };
        let (month, past) = self.month_after(next)?;
        let year = self.year_after(past);
        let date = day_of(year.year, month, day.into())?;
        Some(self.single(at..year.past, date, year.written))
    }

    fn single(&self, tokens: std::ops::Range<usize>, date: Date, year_written: bool) -> Found {
        Found { tokens, first: date, last: date, year_written, sure: true }
    }

    /// The month at a place (after `of` or a tight hyphen), and the place after it.
    fn month_after(&self, at: usize) -> Option<(i16, usize)> {
        let at = match self.kind(at)? {
            Kind::Word if self.word(at).eq_ignore_ascii_case("of") => at + 1,
            Kind::Mark(mark) if words::is_dash(mark) && self.tight(at) && self.tight(at + 1) => at + 1,
            _ => at,
        };
        if self.kind(at)? != Kind::Word {
            return None;
        }
        Some((words::month(self.word(at))?.into(), at + 1))
    }

    /// The year after a day and a month: written, or the report date's.
    fn year_after(&self, at: usize) -> YearOf {
        let mut next = at;
        match self.kind(next) {
            Some(Kind::Mark('.' | ',')) if self.tight(next) => next += 1,
            Some(Kind::Mark(mark)) if words::is_dash(mark) && self.tight(next) && self.tight(next + 1) => {
                next += 1
            }
            _ => {}
        }
        let written = (self.kind(next) == Some(Kind::Number) && self.width(next) == 4)
            .then(|| self.number(next))
            .flatten()
            .filter(|year| (year - self.year).abs() <= YEARS_AROUND);
        match written {
            Some(year) => {
                let past = if self.is_year_word(next + 1) { next + 2 } else { next + 1 };
                YearOf { year, written: true, past }
            }
            None => YearOf { year: self.year, written: false, past: at },
        }
    }

    /// A number of one or two digits, 1 to 31, that is no part of a larger one.
    fn day_number(&self, at: usize) -> Option<i16> {
        let number = self.number(at).filter(|_| self.width(at) <= 2)?;
        ((1..=31).contains(&number) && self.opens_number(at)).then_some(number)
    }

    /// True if nothing tight before a number makes it a part of something larger.
    fn opens_number(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return true };
        match self.kind(before) {
            Some(Kind::Mark(
                '№' | '#' | '$' | '€' | '£' | '≈' | '~' | '±' | '<' | '>' | '≤' | '≥' | '=' | '×',
            )) => false,
            Some(Kind::Word) => !self.tight(at),
            Some(Kind::Mark('.' | ',' | '/' | ':' | '_' | '@' | '\\' | '+')) if self.tight(at) => {
                // After a sentence without a space (`Готово.05.03`) a date may start; inside a number not.
                before > 0
                    && self.kind(before - 1) == Some(Kind::Word)
                    && matches!(self.kind(before), Some(Kind::Mark('.' | ',' | ':')))
            }
            Some(Kind::Mark(mark)) if words::is_dash(mark) && self.tight(at) && self.tight(before) => {
                // A tight dash may close a range that a date opens, or follow a label; `A-06.03` is a code.
                self.found.last().is_some_and(|found| found.tokens.end == before)
                    || self.kind(before.wrapping_sub(1)) == Some(Kind::Number)
                    || matches!(self.kind(before.wrapping_sub(1)), Some(Kind::Mark(')' | '»' | '"')))
            }
            _ => true,
        }
    }

    /// True if nothing tight after a number makes it a part of something larger.
    fn closes_number(&self, past: usize) -> bool {
        if !self.tight(past) {
            return true;
        }
        match self.kind(past) {
            Some(Kind::Number) => false,
            Some(Kind::Word) => self.is_year_word(past) || self.word(past).starts_with('T'),
            Some(Kind::Mark('.' | ',')) => {
                !(self.tight(past + 1) && self.kind(past + 1) == Some(Kind::Number))
            }
            Some(Kind::Mark('%' | '/' | '_' | '@')) => false,
            _ => true,
        }
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// The text of a word; empty for anything else.
    fn word(&self, at: usize) -> &'a str {
        match self.tokens.get(at) {
            Some(token) if token.kind == Kind::Word => token.text(self.text),
            _ => "",
        }
    }

    fn number(&self, at: usize) -> Option<i16> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Number)?;
        token.text(self.text).parse().ok()
    }

    fn width(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(0, Token::width)
    }

    /// True if a token stands right after the one before it.
    fn tight(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        matches!((before, self.tokens.get(at)), (Some(before), Some(token)) if before.end == token.start)
    }

    fn is_dash(&self, at: usize) -> bool {
        matches!(self.kind(at), Some(Kind::Mark(mark)) if words::is_dash(mark))
    }

    fn is_and(&self, at: usize) -> bool {
        self.kind(at) == Some(Kind::Mark(',')) || words::is_and(self.word(at))
    }

    fn is_year_word(&self, at: usize) -> bool {
        words::is_year_word(self.word(at))
    }
}

/// Words that may follow `March 6`; before any other word the number may count what the word names.
fn is_link_word(word: &str) -> bool {
    super::super::tokens::is_one_of(
        word,
        &[
            "and", "or", "to", "the", "a", "an", "with", "for", "we", "on", "at", "by", "as", "after",
            "when", "while", "but", "is", "was", "in", "from", "of", "it", "i", "they", "through", "till",
            "until", "per", "via",
        ],
    )
}

fn day_of(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}
