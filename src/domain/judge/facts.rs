//! The dates and numbers of a text, and whether another text adds any.
//!
//! Writing a date or a number another way adds nothing: `5 Mar`, `05.03` and `2026-03-05` are one date. Where
//! a way of writing is ambiguous, a text is given the benefit of the doubt.

use std::collections::HashSet;

use super::digits::{Fact, Reading, atoms, parts, readings, run_len};
use crate::domain::fold::fold;

/// How many tokens a day may stand away from its month: `5, 6 and 7 March`.
const MAX_REACH: usize = 8;

/// The dates and numbers that texts state.
#[derive(Debug)]
pub(super) struct Facts(HashSet<Fact>);

impl Facts {
    /// The facts of all these texts.
    pub(super) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut facts = HashSet::new();
        for text in texts {
            for claim in claims(text) {
                facts.extend(atoms(claim.text));
                for fact in claim.readings.into_iter().flatten() {
                    if let Fact::Date { month, .. } = fact {
                        facts.insert(Fact::Month(month));
                    }
                    facts.insert(fact);
                }
            }
        }
        Self(facts)
    }

    /// The first date or number of a text that is none of the facts, as it is written there. Numbers that only
    /// count the points of a list are none.
    pub(super) fn first_foreign<'t>(&self, text: &'t str) -> Option<&'t str> {
        let knows = |reading: &Reading| reading.iter().all(|fact| self.0.contains(fact));
        claims(text).into_iter().find(|claim| !claim.readings.iter().any(knows)).map(|claim| claim.text)
    }
}

/// A piece of text that states something; only one of its readings is meant.
struct Claim<'t> {
    text: &'t str,
    readings: Vec<Reading>,
}

fn claims(text: &str) -> Vec<Claim<'_>> {
    let tokens = tokens(text);
    let taken = taken_months(&tokens);
    let mut claims = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match *token {
            Token::Digits(part) => {
                let dated = dates_beside(&tokens, &taken, at);
                let readings = if dated.is_empty() { readings(part) } else { dated };
                claims.push(Claim { text: part, readings });
            }
            Token::Month { text, month, sure } => {
                let has_day =
                    before(&tokens, at).is_some_and(is_day) || after(&tokens, at).is_some_and(is_day);
                if sure && !has_day {
                    claims.push(Claim { text, readings: vec![vec![Fact::Month(month)]] });
                }
            }
            Token::Joint | Token::Stop => {}
        }
    }
    claims
}

#[derive(Clone, Copy)]
enum Token<'t> {
    /// A part of a run of digits.
    Digits(&'t str),
    /// A month's name; not `sure` if it may be another word.
    Month { text: &'t str, month: u8, sure: bool },
    /// What may stand between a day and its month.
    Joint,
    /// Anything else.
    Stop,
}

impl Token<'_> {
    fn day(self) -> Option<u8> {
        let Self::Digits(part) = self else { return None };
        let day = if part.len() <= 2 { part.parse().ok()? } else { return None };
        (1..=31).contains(&day).then_some(day)
    }
}

/// The dates that a day makes with the months beside it.
fn dates_beside(tokens: &[Token<'_>], taken: &[bool], at: usize) -> Vec<Reading> {
    let Some(day) = tokens[at].day() else { return Vec::new() };
    let next = month_in(tokens[at + 1..].iter()).map(|(_, month)| month);
    let last = month_in(tokens[..at].iter().rev())
        .filter(|(distance, _)| !taken[at - 1 - distance])
        .map(|(_, month)| month);
    [next, last].into_iter().flatten().map(|month| vec![Fact::Date { day, month }]).collect()
}

/// The months that belong to a day before them, as in `5 Mar, 20 gates`, and not, as in `Mar 5`, to one after.
fn taken_months(tokens: &[Token<'_>]) -> Vec<bool> {
    let mut taken = vec![false; tokens.len()];
    for month in 0..tokens.len() {
        if matches!(tokens[month], Token::Month { .. })
            && let Some((day, _)) = before(tokens, month).filter(|found| is_day(*found))
        {
            let free = |(at, token): (usize, Token<'_>)| matches!(token, Token::Month { .. }) && !taken[at];
            taken[month] = !before(tokens, day).is_some_and(free);
        }
    }
    taken
}

/// The first month, with how many tokens stand before it, if those are joints and days.
fn month_in<'a>(tokens: impl Iterator<Item = &'a Token<'a>>) -> Option<(usize, u8)> {
    for (distance, token) in tokens.take(MAX_REACH).enumerate() {
        match token {
            Token::Month { month, .. } => return Some((distance, *month)),
            Token::Joint => {}
            Token::Digits(_) if token.day().is_some() => {}
            Token::Digits(_) | Token::Stop => return None,
        }
    }
    None
}

/// The token before a place, joints left out.
fn before<'t>(tokens: &[Token<'t>], at: usize) -> Option<(usize, Token<'t>)> {
    let reach = at.saturating_sub(MAX_REACH)..at;
    reach.rev().map(|at| (at, tokens[at])).find(|(_, token)| !matches!(token, Token::Joint))
}

/// The token after a place, joints left out.
fn after<'t>(tokens: &[Token<'t>], at: usize) -> Option<(usize, Token<'t>)> {
    let reach = at + 1..tokens.len().min(at + 1 + MAX_REACH);
    reach.map(|at| (at, tokens[at])).find(|(_, token)| !matches!(token, Token::Joint))
}

fn is_day((_, token): (usize, Token<'_>)) -> bool {
    token.day().is_some()
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut open_brackets = 0_usize;
    let mut previous = '\n';
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let len = if c.is_ascii_digit() {
            let len = run_len(rest);
            if counts_a_point(previous, &rest[..len], &rest[len..], open_brackets) {
                tokens.push(Token::Stop);
            } else {
                for (index, part) in parts(&rest[..len]).into_iter().enumerate() {
                    if index > 0 {
                        tokens.push(Token::Joint);
                    }
                    tokens.push(Token::Digits(part));
                }
            }
            len
        } else if c.is_alphabetic() {
            let len = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            tokens.push(word(&rest[..len]));
            len
        } else {
            match c {
                '(' => open_brackets += 1,
                ')' => open_brackets = open_brackets.saturating_sub(1),
                _ => {}
            }
            match c {
                c if c.is_whitespace() => {}
                ',' | '-' | '–' | '—' | '‑' | '/' | '&' | '.' => tokens.push(Token::Joint),
                _ => tokens.push(Token::Stop),
            }
            c.len_utf8()
        };
        previous = rest[..len].chars().next_back().unwrap_or(c);
        rest = &rest[len..];
    }
    tokens
}

/// True for `1.` and `2)` where they begin a line, and for `2)` in running text.
fn counts_a_point(previous: char, run: &str, after: &str, open_brackets: usize) -> bool {
    let mut after = after.chars();
    let mark = after.next();
    let spaced = after.next().is_none_or(char::is_whitespace);
    run.len() <= 2
        && spaced
        && match mark {
            Some('.') => previous == '\n',
            Some(')') => previous.is_whitespace() && open_brackets == 0,
            _ => false,
        }
}

fn word(text: &str) -> Token<'_> {
    let folded = fold(text);
    if JOINING_WORDS.contains(&folded.as_str()) {
        return Token::Joint;
    }
    let is_name = |names: &&[&str; 3]| {
        let [english, short, russian] = names;
        folded == *english
            || folded == *short
            || (folded == "sept" && *short == "sep")
            || folded.strip_prefix(russian).is_some_and(|ending| ending.chars().count() <= 3)
            || (folded.chars().count() >= 3 && russian.starts_with(folded.as_str()))
            || (*short == "may" && ["май", "мая", "мае", "маю", "маем"].contains(&folded.as_str()))
    };
    match (1_u8..).zip(&MONTHS).find(|(_, names)| is_name(names)) {
        Some((month, _)) => {
            let sure = !text.starts_with(|c: char| c.is_ascii_lowercase());
            Token::Month { text, month, sure }
        }
        None => Token::Stop,
    }
}

const JOINING_WORDS: [&str; 22] = [
    "and",
    "to",
    "of",
    "or",
    "till",
    "until",
    "through",
    "the",
    "st",
    "nd",
    "rd",
    "th",
    "и",
    "по",
    "до",
    "или",
    "го",
    "е",
    "й",
    "числа",
    "с",
    "ого",
];

/// The months' English names, their short forms and their Russian stems; in Russian `May` has none.
const MONTHS: [[&str; 3]; 12] = [
    ["january", "jan", "январ"],
    ["february", "feb", "феврал"],
    ["march", "mar", "март"],
    ["april", "apr", "апрел"],
    ["may", "may", "мая"],
    ["june", "jun", "июн"],
    ["july", "jul", "июл"],
    ["august", "aug", "август"],
    ["september", "sep", "сентябр"],
    ["october", "oct", "октябр"],
    ["november", "nov", "ноябр"],
    ["december", "dec", "декабр"],
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn foreign<'t>(row: &str, rewrite: &'t str) -> Option<&'t str> {
        Facts::of([row, "2026-06-30", "2026-03-13"]).first_foreign(rewrite)
    }

    #[test]
    fn the_same_facts_in_other_words_are_not_foreign() {
        let cases = [
            ("Done 5 Mar, gate 12", "Done: gate 12 on 05.03.2026"),
            ("Done 5 Mar", "Done: March 5th, 2026"),
            ("Done 5 Mar", "Done: 5-03-2026 (2026-03-05)"),
            ("Готово 05.03", "Готово: 5 марта 2026 г."),
            ("Готово 5 марта", "Готово: 5-го марта; отчёт 13.03"),
            ("5–7 March", "from 5 Mar to 7 Mar"),
            ("5, 6 and 7 March", "5 March, 6 March, 7 March"),
            ("Mar 5, Apr 20", "5 Mar and 20 Apr"),
            ("с 5 по 7 апр.", "5.04–7.04"),
            ("20 gates by 5 Mar", "5 Mar, 20 gates"),
            ("7 gates, 5 Mar, 20 Apr", "5 Mar, 20 Apr, 7 gates"),
            ("5 000 passes, 1,5 mln, 12.50 %", "5000 passes; 1.5 mln; 12.5%"),
            ("budget 1,200", "budget 1200"),
            ("v1.2.3 at 14:30", "at 14:30: v1.2.3"),
            ("3 of 4 done", "3/4 done"),
            ("in March", "in Mar"),
            ("done", "1. Done\n2. Next: [date?]\n 3) end"),
            ("done", "1) done 2) next [date?]"),
            ("done", "It may move, we march on"),
            ("done", "End date 30 Jun 2026, 30.06"),
            ("done", ""),
        ];
        for (row, rewrite) in cases {
            assert_eq!(foreign(row, rewrite), None, "{row} -> {rewrite}");
        }
    }

    #[test]
    fn a_new_date_or_number_is_foreign() {
        let cases = [
            ("Done 5 Mar", "Done 6 Mar", "6"),
            ("Done 5 Mar, next 20 Apr", "Next 20 Mar", "20"),
            ("Done 5 Mar, next 20 Apr", "Done Apr 5", "5"),
            ("Done 5 Mar, next 20 Apr", "Done 05.04.2026", "05.04.2026"),
            ("Done 5 Mar", "Done 5 Mar 2027", "2027"),
            ("Done 5 Mar", "Done 5.03.2027", "5.03.2027"),
            ("12 gates", "15 gates", "15"),
            ("12 gates", "12,5 gates", "12,5"),
            ("5 000 passes", "50 000 passes", "50 000"),
            ("Готово", "Готово 20 марта", "20"),
            ("Готово в марте", "Готово в апреле", "апреле"),
            ("Done", "Next: April", "April"),
            ("(gate 12)", "(gates 12 and 15)", "15"),
            ("Done", "Done:\n20 gates", "20"),
        ];
        for (row, rewrite, expected) in cases {
            assert_eq!(foreign(row, rewrite), Some(expected), "{row} -> {rewrite}");
        }
    }

    proptest! {
        #[test]
        fn a_text_adds_nothing_to_itself(
            text in r"([0-9]{1,4}|[.,/:()\n –-]|Mar|may|мая|апреля|of|и|gates|ж){0,30}",
        ) {
            prop_assert_eq!(Facts::of([text.as_str()]).first_foreign(&text), None, "{}", text);
        }

        #[test]
        fn no_text_panics(row in ".*", text in ".*") {
            Facts::of([row.as_str()]).first_foreign(&text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn every_day_can_be_written_in_any_way(day in 1u8..=31, month in 1u8..=12) {
            let [english, short, russian] = MONTHS[usize::from(month) - 1];
            let ways = [
                format!("{day} {english}"), format!("{short} {day}"), format!("{day}.{month:02}"),
                format!("{day:02}.{month:02}.2026"), format!("2026-{month:02}-{day:02}"),
                format!("{day} {russian}"), format!("{month}/{day}/2026"),
            ];
            for row in &ways {
                for rewrite in &ways {
                    prop_assert_eq!(foreign(row, rewrite), None, "{} -> {}", row, rewrite);
                }
            }
        }
    }
}
