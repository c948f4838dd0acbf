//! Phone numbers: Russian, North American, British and international forms.
//!
//! A number counts as a phone by the shape of its groups; dates, amounts and document numbers have others.

use std::ops::Range;

use super::Row;
use crate::domain::tokens::{Kind, Token, is_one_of};

/// More groups than any phone number has.
const MAX_GROUPS: usize = 7;

/// The phone numbers in a comment.
pub(super) fn find(row: &Row<'_>) -> Vec<Range<usize>> {
    let text = row.comment();
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, token) in row.tokens().iter().enumerate() {
        let passed = found.last().is_some_and(|phone| token.start < phone.end);
        if token.kind != Kind::Number || passed {
            continue;
        }
        let chain = Chain::starting(text, row.tokens(), at);
        let phone = (1..=chain.groups.len()).rev().find_map(|count| chain.phone(row, count));
        found.extend(phone);
    }
    found
}

/// Groups of digits with only phone punctuation between them.
struct Chain<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// The token of the first group.
    at: usize,
    groups: Vec<Group>,
    plus: bool,
    bracket: bool,
}

struct Group {
    token: usize,
    digits: usize,
    /// What stands between it and the group before it.
    link: Link,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    Start,
    Space,
    Hyphen,
    Dot,
    /// Round a number in brackets.
    Bracket,
}

impl<'a> Chain<'a> {
    fn starting(text: &'a str, tokens: &'a [Token], at: usize) -> Self {
        let mark_before = |at: usize, mark| {
            at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|token| token.is_mark(mark))
        };
        let bracket = mark_before(at, '(');
        let plus = mark_before(at, '+') || (bracket && mark_before(at - 1, '+'));
        let width = |at: usize| tokens.get(at).map_or(0, Token::width);
        let mut groups = vec![Group { token: at, digits: width(at), link: Link::Start }];
        let mut last = at;
        while groups.len() < MAX_GROUPS {
            let Some((next, link)) = next_group(tokens, last) else { break };
            groups.push(Group { token: next, digits: width(next), link });
            last = next;
        }
        Self { text, tokens, at, groups, plus, bracket }
    }

    /// The span of the first `count` groups, if they make a phone number that stands alone.
    fn phone(&self, row: &Row<'_>, count: usize) -> Option<Range<usize>> {
        let groups = self.groups.get(..count)?;
        let digits: usize = groups.iter().map(|group| group.digits).sum();
        if !(5..=15).contains(&digits) || !self.stands_alone(groups) {
            return None;
        }
        let lens: Vec<usize> = groups.iter().map(|group| group.digits).collect();
        if !(self.has_shape(groups, &lens, digits) || self.is_announced(groups, &lens, digits)) {
            return None;
        }
        let (first, last) = (self.tokens.get(self.at)?, self.tokens.get(groups.last()?.token)?);
        let start = first.start - usize::from(self.bracket) - usize::from(self.plus);
        let dated = row.dates().iter().any(|date| date.span.start < last.end && date.span.end > start);
        (!dated).then_some(start..last.end)
    }

    fn has_shape(&self, groups: &[Group], lens: &[usize], digits: usize) -> bool {
        let any = |link| groups.iter().any(|group| group.link == link);
        let (hyphens, dots, brackets) = (any(Link::Hyphen), any(Link::Dot), any(Link::Bracket));
        let marked = hyphens || dots || brackets;
        // Amounts: 12 500, +1 200 000.
        let amount = lens.iter().skip(1).all(|len| *len == 3) && !marked;
        let all = |link| groups.iter().skip(1).all(|group| group.link == link);
        if self.plus {
            return digits >= 10
                && (!amount || digits >= 11 || lens.len() == 1)
                && lens.iter().all(|len| lens.len() == 1 || *len <= 7);
        }
        let first = self.token_text(0);
        let leads = digits == 11 && (first.starts_with('8') || first.starts_with('7'));
        if leads && !dots {
            match lens {
                [11] => {
                    return ["89", "79", "8800", "7800", "8495", "8499", "7495", "7499", "8812"]
                        .iter()
                        .any(|code| first.starts_with(code))
                        && !self.is_document_number();
                }
                [1, 3..=5, ..] if hyphens || brackets => return true,
                [1, 3, 3, 2, 2] | [1, 3, 3, 4] | [1, 3, 7] | [1, 4, 2, 2, 2] => return true,
                _ => {}
            }
        }
        if self.is_document_number() {
            return false;
        }
        match lens {
            [3, 3, 2, 2] | [4, 2, 2, 2] | [4, 3, 3] | [5, 1, 2, 2] | [5, 3, 2] | [3, 7]
                if self.bracket && brackets =>
            {
                true
            }
            [3, 3, 2, 2] => hyphens,
            [3, 3, 4] => (self.bracket && brackets) || all(Link::Hyphen) || all(Link::Dot),
            [1, 3, 3, 4] => first == "1" && (brackets || hyphens || dots),
            [3, 2, 2] => all(Link::Hyphen),
            // British numbers open with a zero, which no amount does.
            [3, 4, 4] | [4, 3, 4] | [5, 6] | [5, 3, 3] | [4, 4, 3] => first.starts_with('0') && !dots,
            _ => false,
        }
    }

    /// `тел. 12-34-56`, `phone 5550199`: a word says what the number is.
    fn is_announced(&self, groups: &[Group], lens: &[usize], digits: usize) -> bool {
        let amount = lens.len() > 1
            && lens.iter().skip(1).all(|len| *len == 3)
            && groups.iter().skip(1).all(|group| group.link == Link::Space);
        let dots = groups.iter().any(|group| group.link == Link::Dot);
        !amount && !dots && (5..=12).contains(&digits) && is_one_of(self.word_before(), ANNOUNCING)
    }

    /// `договор № 123-45-67`: a word or a sign says that the number is something else.
    fn is_document_number(&self) -> bool {
        let sign = self.before().is_some_and(|token| matches!(token.kind, Kind::Mark('№' | '#')));
        sign || is_one_of(self.word_before(), DOCUMENTS)
    }

    /// True if no letter, digit, dash or the like joins the number to something larger.
    fn stands_alone(&self, groups: &[Group]) -> bool {
        let start = self.tokens.get(self.at).map_or(0, |token| token.start)
            - usize::from(self.bracket)
            - usize::from(self.plus);
        let before = self.text.get(..start).and_then(|text| text.chars().next_back());
        let joined_before = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '–' | '/' | '_' | '+' | '=' | '$' | '€' | '\\'))
            // `1.123-45-67` is a clause; after a word a full stop ends an abbreviation.
            || (matches!(before, Some('.' | ',')) && self.before().is_some_and(|mark| self.number_ends_at(mark.start)));
        let Some(last) = groups.last().map(|group| group.token) else { return false };
        let end = self.tokens.get(last).map_or(0, |token| token.end);
        let mut after = self.text.get(end..).unwrap_or_default().chars();
        let joined_after = match after.next() {
            Some(c) if c.is_alphanumeric() || matches!(c, '_' | '%' | '=') => true,
            Some('-' | '–' | '/' | '.' | ',' | ':') => after.next().is_some_and(char::is_alphanumeric),
            _ => false,
        };
        !(joined_before || joined_after)
    }

    fn number_ends_at(&self, byte: usize) -> bool {
        self.tokens.iter().any(|token| token.kind == Kind::Number && token.end == byte)
    }

    fn token_text(&self, group: usize) -> &'a str {
        self.groups
            .get(group)
            .and_then(|group| self.tokens.get(group.token))
            .map_or("", |token| token.text(self.text))
    }

    /// The token before the number and its opening marks.
    fn before(&self) -> Option<&Token> {
        self.tokens.get(self.at.checked_sub(1 + usize::from(self.bracket) + usize::from(self.plus))?)
    }

    /// The word before the number, past a colon, a full stop or a dash.
    fn word_before(&self) -> &'a str {
        let Some(end) = self.at.checked_sub(1 + usize::from(self.bracket) + usize::from(self.plus)) else {
            return "";
        };
        let back = self.tokens.get(..=end).unwrap_or_default().iter().rev();
        let mut back = back
            .skip_while(|token| matches!(token.kind, Kind::Mark(':' | '.' | '-' | '–' | '—' | '№' | '#')));
        back.next().filter(|token| token.kind == Kind::Word).map_or("", |token| token.text(self.text))
    }
}

/// The next group of digits and what links it, if only phone punctuation stands between.
fn next_group(tokens: &[Token], last: usize) -> Option<(usize, Link)> {
    let end = tokens.get(last)?.end;
    let next = tokens.get(last + 1)?;
    let near = |token: &Token, end: usize| token.start <= end + 2;
    if next.kind == Kind::Number && next.start > end && near(next, end) {
        return Some((last + 1, Link::Space));
    }
    let after = tokens.get(last + 2)?;
    match next.kind {
        Kind::Mark('-' | '\u{2010}' | '\u{2011}' | '–')
            if after.kind == Kind::Number && near(next, end) && near(after, next.end) =>
        {
            Some((last + 2, Link::Hyphen))
        }
        Kind::Mark('.') if after.kind == Kind::Number && next.start == end && after.start == next.end => {
            Some((last + 2, Link::Dot))
        }
        Kind::Mark('(') if after.kind == Kind::Number && near(next, end) && after.start == next.end => {
            Some((last + 2, Link::Bracket))
        }
        Kind::Mark(')') => {
            let hyphen = matches!(after.kind, Kind::Mark('-' | '\u{2011}'));
            let number = if hyphen { last + 3 } else { last + 2 };
            let found = tokens
                .get(number)
                .filter(|token| token.kind == Kind::Number && near(token, next.end + usize::from(hyphen)));
            found.map(|_| (number, Link::Bracket))
        }
        _ => None,
    }
}

/// Words that announce a phone number.
const ANNOUNCING: &[&str] = &[
    "phone",
    "tel",
    "telephone",
    "mobile",
    "cell",
    "call",
    "fax",
    "whatsapp",
    "viber",
    "hotline",
    "dial",
    "тел",
    "телефон",
    "телефону",
    "моб",
    "мобильный",
    "звоните",
    "звонить",
    "позвонить",
    "факс",
    "ватсап",
    "вотсап",
    "доб",
];

/// Words that announce another number.
const DOCUMENTS: &[&str] = &[
    "no",
    "nr",
    "id",
    "inn",
    "order",
    "contract",
    "agreement",
    "invoice",
    "ticket",
    "po",
    "sku",
    "item",
    "part",
    "serial",
    "account",
    "case",
    "act",
    "code",
    "article",
    "номер",
    "договор",
    "договора",
    "договору",
    "контракт",
    "контракта",
    "заказ",
    "заказа",
    "счет",
    "счета",
    "счету",
    "инн",
    "кпп",
    "огрн",
    "снилс",
    "приказ",
    "приказа",
    "приказу",
    "артикул",
    "код",
    "заявка",
    "заявки",
    "заявке",
    "акт",
    "акта",
    "акту",
    "гост",
    "ту",
    "инв",
    "лот",
    "тикет",
    "шифр",
    "серия",
];

#[cfg(test)]
mod tests {
    use super::super::super::testing::{entry, with_row};
    use super::*;

    fn found(text: &str) -> Vec<String> {
        with_row(&entry(text), |row| find(row).into_iter().map(|span| text[span].to_owned()).collect())
    }

    #[test]
    fn phones_are_found_in_many_forms() {
        for phone in [
            "+7 000 000-00-00",
            "+7 (900) 123-45-67",
            "+79001234567",
            "+7(900)1234567",
            "+7-900-123-45-67",
            "+7 900 123 45 67",
            "8 (900) 123-45-67",
            "8(495)123-45-67",
            "8-900-123-45-67",
            "8 900 123 45 67",
            "89001234567",
            "8 800 555-35-35",
            "8 (4012) 12-34-56",
            "(495) 123-45-67",
            "900 123-45-67",
            "123-45-67",
            "+44 20 7946 0958",
            "+1 555 123 4567",
            "+1.555.123.4567",
            "(555) 123-4567",
            "555-123-4567",
            "555.123.4567",
            "1-800-555-0199",
            "020 7946 0958",
            "07700 900123",
            "+375 29 123-45-67",
            "+49 30 123456",
            "+7\u{a0}900\u{a0}123\u{2011}45\u{2011}67",
            "8‑900‑123‑45‑67",
        ] {
            for text in [
                format!("Звоните: {phone}."),
                format!("call {phone}, please"),
                format!("12 марта, {phone}"),
                phone.to_owned(),
            ] {
                let expected = phone.trim_start_matches('"');
                assert_eq!(found(&text), [expected], "{text}");
            }
        }
        assert_eq!(found("тел. 12-34-56"), ["12-34-56"]);
        assert_eq!(found("phone 5550199"), ["5550199"]);
        assert_eq!(found("+7 900 123-45-67, +7 900 123-45-68"), ["+7 900 123-45-67", "+7 900 123-45-68"]);
        assert_eq!(found("тел.8-900-123-45-67"), ["8-900-123-45-67"]);
    }

    #[test]
    fn other_numbers_are_not() {
        for text in [
            "12 500 договоров",
            "96 000 листов",
            "1 240 сотрудников",
            "+1 200 000 руб.",
            "+12 500",
            "5 000 000 000",
            "2026-03-04",
            "27.02.2026–13.03.2026",
            "27.02.2026 - 13.03.2026",
            "2026-03-04 2026-03-11",
            "06.04–10.04",
            "2021–2023",
            "51-80",
            "релиз 0.10 — 19.03",
            "version 10.0.19045.4046",
            "192.168.100.200",
            "договор № 123-45-67",
            "контракт 123-456-7890",
            "заказ 89001234567",
            "ИНН 7701234567",
            "A-123-45-67",
            "123-45-67-89-01",
            "123-45-67/2026",
            "10:30-11:45",
            "1,240 of 1,240",
            "2 400 000 из 3 000 000",
            "8 из 10, 123",
            "№ 89001234567",
            "0,19 и 0,22",
            "SKU-555-123-4567",
            "555-123-4567-x",
            "600 60 70",
            "100 200 300 400",
            "ISBN 978-5-02-038000-1",
            "80 000 000 000",
            "24 мая 10 000 000 руб.",
            "05-03-2026 10:30",
            "2 000-3 000",
            "phone 12 500",
            "8 марта 900 123 человека",
            "п. 4.123-45-67",
            "x=123-45-67",
            "123-45-67%",
            "12.03 8 900 000 000",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }
}
