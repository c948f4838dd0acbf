//! Texts as a workbook stores them.
//!
//! XML cannot hold most control characters, and a carriage return in it is read back as a line feed. Excel
//! stores such a character as `_xHHHH_`, its UTF-16 unit in hexadecimal, and a text that looks like such an
//! escape with its underscore escaped.

use std::borrow::Cow;

/// `_xHHHH_`.
const ESCAPE_LENGTH: usize = 7;

/// The content of an XML text element that reads back as `text`.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + text.len() / 16);
    for (at, character) in text.char_indices() {
        match character {
            '&' => encoded.push_str("&amp;"),
            '<' => encoded.push_str("&lt;"),
            '>' => encoded.push_str("&gt;"),
            '_' if starts_like_an_escape(&text[at..]) => encoded.push_str("_x005F_"),
            _ if !fits_xml(character) => encoded.push_str(&format!("_x{:04X}_", u32::from(character))),
            _ => encoded.push(character),
        }
    }
    encoded
}

/// The value of an XML attribute in double quotes.
pub(super) fn attribute(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => encoded.push_str("&amp;"),
            '<' => encoded.push_str("&lt;"),
            '>' => encoded.push_str("&gt;"),
            '"' => encoded.push_str("&quot;"),
            _ if !fits_xml(character) => encoded.push('\u{fffd}'),
            '\t' | '\n' => encoded.push_str(&format!("&#{};", u32::from(character))),
            _ => encoded.push(character),
        }
    }
    encoded
}

/// What Excel shows for a stored text whose XML entities are resolved already.
pub(super) fn decode(stored: &str) -> Cow<'_, str> {
    if !stored.contains("_x") {
        return Cow::Borrowed(stored);
    }
    let mut units: Vec<u16> = Vec::new(); // escapes may be halves of a surrogate pair
    let mut decoded = String::with_capacity(stored.len());
    let mut rest = stored;
    while let Some(character) = rest.chars().next() {
        if let Some((unit, after)) = split_escape(rest) {
            units.push(unit);
            rest = after;
            continue;
        }
        flush(&mut units, &mut decoded);
        decoded.push(character);
        rest = &rest[character.len_utf8()..];
    }
    flush(&mut units, &mut decoded);
    Cow::Owned(decoded)
}

/// True for a text that a spreadsheet could take for a formula when somebody edits its cell.
pub(super) fn looks_like_a_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

fn flush(units: &mut Vec<u16>, decoded: &mut String) {
    decoded
        .extend(char::decode_utf16(units.drain(..)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

fn split_escape(text: &str) -> Option<(u16, &str)> {
    let (escape, rest) = text.split_at_checked(ESCAPE_LENGTH)?;
    let digits = escape.strip_prefix("_x")?.strip_suffix('_')?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((u16::from_str_radix(digits, 16).ok()?, rest))
}

/// True if the underscore that `text` begins with would be read as the start of an escape, once the
/// characters after it are encoded: what is encoded begins with an underscore too.
fn starts_like_an_escape(text: &str) -> bool {
    let Some((start, rest)) = text.split_at_checked(ESCAPE_LENGTH - 1) else {
        return false;
    };
    let Some(digits) = start.strip_prefix("_x") else {
        return false;
    };
    digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && rest.starts_with(|next: char| next == '_' || !fits_xml(next))
}

/// True for a character that survives in XML 1.0 as it is.
fn fits_xml(character: char) -> bool {
    match character {
        '\t' | '\n' => true,
        '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_xml_cannot_hold_are_escaped() {
        for (text, encoded) in [
            ("a\tb\nc", "a\tb\nc"),
            ("a\rb", "a_x000D_b"),
            ("\0\u{1b}[31m", "_x0000__x001B_[31m"),
            ("\u{fffe}", "_xFFFE_"),
            ("_x0041_", "_x005F_x0041_"),
            ("_x0041\u{1}", "_x005F_x0041_x0001_"),
            ("_x004", "_x004"),
            ("_X0041_ _xZZZZ_ __", "_X0041_ _xZZZZ_ __"),
            ("<&>\"'", "&lt;&amp;&gt;\"'"),
        ] {
            assert_eq!(encode(text), encoded);
        }
        assert_eq!(attribute("a\"<&>\n\u{1}"), "a&quot;&lt;&amp;&gt;&#10;\u{fffd}");
    }

    #[test]
    fn foreign_escapes_are_read() {
        for (stored, text) in [
            ("_xD83D__xDE00_", "😀"),
            ("_xD83D_x", "\u{fffd}x"),
            ("_x000a_", "\n"),
            ("_x005F_x0041_", "_x0041_"),
            ("ё_x", "ё_x"),
            ("_xяяяя_", "_xяяяя_"),
        ] {
            assert_eq!(decode(stored), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_text_reads_back(text in r"([_x0-9AF\x00\x01\r\n<&é😀\x{fffe}]|_x00|_x0041_|\PC){0,24}") {
            let encoded = encode(&text);
            proptest::prop_assert!(encoded.chars().all(fits_xml));
            let xml = quick_xml::escape::unescape(&encoded).unwrap();
            proptest::prop_assert_eq!(decode(&xml), text);
        }
    }
}
