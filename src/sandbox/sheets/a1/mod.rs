//! A1 notation: how ranges are written, and how the API writes them back.

mod bounds;
mod parse;
mod title;

pub(crate) use bounds::{Bounds, Rect};
pub(crate) use parse::{corner, parse};
pub(crate) use title::quoted;

/// The most columns a sheet may have.
pub(crate) const MAX_COLUMNS: u32 = 18_278;

/// The letters of a column, from 0.
pub(crate) fn letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = u64::from(column) + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or_default()));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// The column of its letters, from 0; none for what is no column of any sheet.
pub(crate) fn column(letters: &str) -> Option<u32> {
    if letters.is_empty() || letters.len() > 3 || !letters.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let digits = letters.bytes().map(|byte| u32::from(byte.to_ascii_uppercase() - b'A') + 1);
    Some(digits.fold(0, |sum, digit| sum * 26 + digit) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_both_ways() {
        for (number, name) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (18_277, "ZZZ")] {
            assert_eq!((letters(number).as_str(), column(name)), (name, Some(number)));
        }
        assert_eq!((column("aa"), column("AAAA"), column(""), column("Я")), (Some(26), None, None, None));
        assert!((0..MAX_COLUMNS).all(|number| column(&letters(number)) == Some(number)));
    }
}
