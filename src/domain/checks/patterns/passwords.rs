//! Passwords and keys that are given by name: `password: …`, `пароль — …`.

use std::ops::Range;

use super::Row;
use crate::domain::dates;
use crate::domain::tokens::{Kind, is_one_of, same};

const NAMES: &[&str] =
    &["password", "passwd", "pwd", "passphrase", "passcode", "pass", "пароль", "пароля", "паролем", "пин"];

/// Names of longer secrets: a short value behind them is a description.
const LONG_NAMES: &[&str] = &["key", "apikey", "token", "secret", "ключ", "токен", "секрет"];

/// Shorter values of a key are words or numbers about it.
const MIN_KEY: usize = 12;

/// Passwords that look like words.
const NOTORIOUS: &[&str] =
    &["qwerty", "admin", "letmein", "iloveyou", "root", "пароль", "йцукен", "qwertyuiop"];

/// The passwords in a comment, each with the word that names it.
pub(super) fn find(row: &Row<'_>) -> Vec<Range<usize>> {
    let (text, tokens) = (row.comment(), row.tokens());
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word) {
        let word = token.text(text);
        let named = is_one_of(word, NAMES);
        if !(named || is_one_of(word, LONG_NAMES)) {
            continue;
        }
        let Some(link) = tokens.get(at + 1) else { continue };
        let linked = match link.kind {
            Kind::Mark(':' | '=') => true,
            Kind::Mark(mark) => dates::is_dash(mark) && link.start > token.end,
            Kind::Word => same(link.text(text), "is"),
            _ => false,
        };
        let Some(first) = tokens.get(at + 2).filter(|first| linked && first.kind != Kind::Break) else {
            continue;
        };
        let value = value(text.get(first.start..).unwrap_or_default());
        let end = first.start + value.len();
        let ends_clause = text.get(end..).unwrap_or_default().trim_start_matches([' ', '\u{a0}']);
        let alone = ends_clause.is_empty() || ends_clause.starts_with(|c: char| !c.is_alphanumeric());
        let strong = if named { is_password(value, alone) } else { is_key(value) };
        if strong
            && (link.kind != Kind::Word || has_digit(value))
            && row.dates().iter().all(|date| date.span.start != first.start)
        {
            found.push(token.start..end);
        }
    }
    found
}

/// A value: up to white space, without the punctuation of the sentence and without quotation marks.
fn value(rest: &str) -> &str {
    let end = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default().trim_end_matches(['.', ',', ';', ':', ')', '»', '"', '”', '!', '?'])
}

/// True for what only a password looks like: letters with digits or signs inside, or digits alone at the end
/// of a clause. A plain word may be prose: `password: changed`.
fn is_password(value: &str, alone: bool) -> bool {
    let value = value.trim_start_matches(['«', '"', '“', '(']);
    let letters = value.chars().any(char::is_alphabetic);
    let signs = value.chars().any(|c| matches!(c, '!' | '@' | '#' | '$' | '%' | '^' | '&' | '*' | '_'));
    let inner_capital =
        value.chars().skip(1).any(char::is_uppercase) && value.chars().any(char::is_lowercase);
    if value.chars().count() < 4 || value.contains("://") {
        return false;
    }
    if is_one_of(value, NOTORIOUS) {
        return true;
    }
    match (letters, has_digit(value)) {
        (true, true) => true,
        (true, false) => signs || (inner_capital && value.is_ascii() && !value.contains('-')),
        (false, true) => alone && !is_year(value) && value.bytes().all(|byte| byte.is_ascii_digit()),
        (false, false) => false,
    }
}

fn is_key(value: &str) -> bool {
    let value = value.trim_start_matches(['«', '"', '“', '(']);
    let form = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | '=');
    let letters = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    value.len() >= MIN_KEY && letters && has_digit(value) && value.chars().all(form) && !value.contains("--")
}

fn is_year(value: &str) -> bool {
    value.len() == 4 && (value.starts_with("19") || value.starts_with("20"))
}

fn has_digit(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{entry, with_row};
    use super::*;

    fn found(text: &str) -> Vec<String> {
        with_row(&entry(text), |row| find(row).into_iter().map(|span| text[span].to_owned()).collect())
    }

    #[test]
    fn named_passwords_are_found() {
        for (text, expected) in [
            ("login admin, password: hunter2.", "password: hunter2"),
            ("Пароль: Qwerty12, не забудьте", "Пароль: Qwerty12"),
            ("пароль — S3cret!", "пароль — S3cret"),
            ("password=P@ssword", "password=P@ssword"),
            ("пароль: qwerty", "пароль: qwerty"),
            ("password is Winter2026", "password is Winter2026"),
            ("пароль: 123456.", "пароль: 123456"),
            ("pwd: \"abc123\"", "pwd: \"abc123"),
            ("token: 0123456789abcdefABCDEF", "token: 0123456789abcdefABCDEF"),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
    }

    #[test]
    fn talk_about_passwords_is_not() {
        for text in [
            "password: changed on 5 Mar",
            "пароль: сброшен 05.03",
            "пароль: 05.03",
            "password policy: 12 characters",
            "пароль — 8 символов",
            "password: 2026 policy",
            "key: users trained",
            "ключ: 12 шт.",
            "token: refreshed 12 Mar",
            "Key: B2B-клиенты",
            "secret: https://example.invalid/vault1",
            "reset password",
            "password:",
            "пароль",
            "пароль: 1000 учётных записей сброшено",
            "the key is phase2",
            "key — 2026-03-05",
            "pass: 9 of 10 tests",
            "password: SSO",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }
}
