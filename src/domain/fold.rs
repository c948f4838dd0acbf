//! How texts are compared: normal form, case, white space.

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

/// Folds a name for comparison: NFC, default case folding, every run of white space (no-break space
/// included) one space, edges trimmed. Invisible and look-alike characters are kept: they must not match.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return join_words(text.split_ascii_whitespace().map(str::to_ascii_lowercase));
    }
    let folded: String = text.nfc().default_case_fold().nfc().collect();
    join_words(folded.split_whitespace())
}

/// Trims the edges and makes every run of white space (no-break space included) one space; NFC, case kept.
pub fn squeeze(text: &str) -> String {
    let normal: String = text.nfc().collect();
    join_words(normal.split_whitespace())
}

fn join_words(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut joined = String::new();
    for word in words {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(word.as_ref());
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_fold_together() {
        for (left, right) in [
            ("Café menu", "Cafe\u{301} menu"),
            ("  TWIN  Project ", "Twin project"),
            ("On\u{a0}Track", "on track"),
            ("Straße", "STRASSE"),
            ("Наименование", "НАИМЕНОВАНИЕ"),
        ] {
            assert_eq!(fold(left), fold(right));
        }
    }

    #[test]
    fn hidden_and_look_alike_characters_stay_different() {
        assert_ne!(fold("On\u{200b} Track"), fold("On Track"));
        assert_ne!(fold("\u{41e}n Track"), fold("On Track"));
    }
}
