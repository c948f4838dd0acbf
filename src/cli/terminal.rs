//! Text on its way to people: nothing of a cell, a model or a server reaches a terminal or a log as a control
//! code.
//!
//! [`line`] and [`block`] show control characters, bidi controls and invisible characters as `\u{…}`; what is
//! left cannot move the cursor, change colours, forge a line or hide a word.

use std::borrow::Cow;
use std::fmt::Write as _;

pub(crate) use crate::domain::plain::{is_unsafe, line};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The text as safe lines: its line feeds stay, everything else as in [`line`].
pub(crate) fn block(text: &str) -> String {
    let lines: Vec<Cow<'_, str>> = text.split('\n').map(|part| line(part.trim_end_matches('\r'))).collect();
    lines.join("\n")
}

/// JSON as it is safe to show: what JSON itself does not escape is escaped its way, so the value stays the
/// same. Unsafe characters occur in JSON only inside strings and between tokens, where a line feed is safe.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let bad = |c: char| is_unsafe(c) && c != '\n';
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if bad(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                write!(safe, "\\u{unit:04x}").unwrap_or_default();
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// The text cut to a width in terminal columns, with an ellipsis where something was cut.
pub(crate) fn clip(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let mut cut = String::new();
    let mut used = 1; // the ellipsis
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used > width {
            break;
        }
        cut.push_str(grapheme);
    }
    cut.push('…');
    Cow::Owned(cut)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_texts_are_shown_not_obeyed() {
        for (text, shown) in [
            ("plain «текст» 🚀", "plain «текст» 🚀"),
            ("\u{1b}[2J\u{1b}]0;owned\u{7}", "\\u{1b}[2J\\u{1b}]0;owned\\u{7}"),
            ("a\r\nINFO forged\tline", "a\\r\\nINFO forged\\tline"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("abc\u{202e}fdp.exe", "abc\\u{202e}fdp.exe"),
            ("On\u{200b} Track\u{feff}", "On\\u{200b} Track\\u{feff}"),
        ] {
            assert_eq!(line(text), shown);
        }
        assert_eq!(block("one\r\ntwo\u{1b}"), "one\ntwo\\u{1b}");
    }

    #[test]
    fn cutting_keeps_characters_whole() {
        assert_eq!(clip("short", 5), "short");
        assert_eq!(clip("longer", 4), "lon…");
        assert_eq!(clip("поезд", 3), "по…");
        assert_eq!(clip("日本語", 4), "日…");
        assert_eq!(clip("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(clip("abc", 0), "…");
    }

    /// Any character, those that matter more often than chance has it.
    fn any_text() -> impl Strategy<Value = String> {
        let c = prop_oneof![
            any::<char>(),
            prop::char::range('\0', '\u{9f}'),
            prop::char::range('\u{2000}', '\u{2070}'),
        ];
        proptest::collection::vec(c, 0..40).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in any_text()) {
            prop_assert!(!line(&text).contains(is_unsafe));
            prop_assert!(!block(&text).contains(|c| is_unsafe(c) && c != '\n'));
        }

        #[test]
        fn safe_text_is_untouched_and_twice_is_once(text in any_text()) {
            let once = line(&text).into_owned();
            prop_assert_eq!(line(&once), once.as_str());
            let safe: String = text.chars().filter(|c| !is_unsafe(*c)).collect();
            prop_assert_eq!(line(&safe), safe.as_str());
        }

        #[test]
        fn json_is_safe_and_means_the_same(text in any_text()) {
            let written = serde_json::to_string(&text).unwrap();
            let safe = json(&written);
            prop_assert!(!safe.contains(|c| is_unsafe(c) && c != '\n'));
            prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        }

        #[test]
        fn cut_texts_fit(text in any_text(), width in 1usize..20) {
            let safe = line(&text).into_owned();
            prop_assert!(clip(&safe, width).width() <= width);
        }
    }
}
