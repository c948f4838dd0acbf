//! Cutting a text to what a cell of a table can hold.

use std::borrow::Cow;

use unicode_segmentation::GraphemeCursor;

/// Stands at the end of a text that was cut.
pub const CUT_MARK: &str = "… [cut]";

/// The units that [`CUT_MARK`] takes; all of its characters are one unit each.
const CUT_MARK_UNITS: usize = 7;

/// A cluster longer than this many bytes is a pile of combining marks, not a letter: it may be split.
const LONGEST_CLUSTER: usize = 256;

/// Cuts `text` to at most `max_units` UTF-16 units, [`CUT_MARK`] included, and says whether it did.
///
/// Spreadsheets count their cell limits in UTF-16 units (50,000 in Google Sheets, 32,767 in Excel). The cut
/// falls between grapheme clusters, so no flag, family or accented letter is split. Where not even the mark
/// fits, it is left out.
pub fn clip(text: &str, max_units: usize) -> (Cow<'_, str>, bool) {
    if prefix(text, max_units).len() == text.len() {
        return (Cow::Borrowed(text), false);
    }
    match max_units.checked_sub(CUT_MARK_UNITS) {
        Some(room) => (Cow::Owned(format!("{}{CUT_MARK}", whole_clusters(text, room))), true),
        None => (Cow::Borrowed(whole_clusters(text, max_units)), true),
    }
}

/// The longest start of `text` that has at most `max_units` units.
fn prefix(text: &str, max_units: usize) -> &str {
    if text.len() <= max_units {
        return text; // no character has more units than bytes
    }
    let mut units = 0;
    for (at, character) in text.char_indices() {
        units += character.len_utf16();
        if units > max_units {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

/// As [`prefix`], back to the end of the last whole grapheme cluster.
fn whole_clusters(text: &str, max_units: usize) -> &str {
    let prefix = prefix(text, max_units);
    let mut cursor = GraphemeCursor::new(prefix.len(), text.len(), true);
    if matches!(cursor.is_boundary(text, 0), Ok(true)) {
        return prefix;
    }
    match cursor.prev_boundary(text, 0) {
        Ok(Some(at)) if prefix.len() - at <= LONGEST_CLUSTER => prefix.get(..at).unwrap_or(prefix),
        _ => prefix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> usize {
        text.encode_utf16().count()
    }

    #[test]
    fn the_mark_takes_what_it_is_counted_as() {
        assert_eq!(units(CUT_MARK), CUT_MARK_UNITS);
    }

    #[test]
    fn a_text_that_fits_is_left_alone() {
        for text in ["", "abcdefghij", "ящикящикящ", "😀😀😀😀😀"] {
            assert_eq!(clip(text, 10), (Cow::Borrowed(text), false));
        }
    }

    #[test]
    fn a_text_that_does_not_fit_is_cut_and_marked() {
        let cases = [
            ("abcdefghijk", 10, "abc… [cut]"),
            ("😀😀😀😀😀😀", 10, "😀… [cut]"), // the fourth half would be half an emoji
            ("ab🇷🇸🇷🇸🇷🇸", 12, "ab… [cut]"),     // three units left: not half a flag
            ("abe\u{301}defghij", 10, "ab… [cut]"), // the accent stays with its letter
            ("ab\r\ncdefghi", 10, "ab… [cut]"),
            ("abcdef", 5, "abcde"), // no room for the mark
            ("😀", 1, ""),
            ("a", 0, ""),
        ];
        for (text, max, expected) in cases {
            assert_eq!(clip(text, max), (Cow::Borrowed(expected), true), "{text:?} to {max}");
        }
    }

    #[test]
    fn a_pile_of_combining_marks_is_cut_all_the_same() {
        let pile = format!("x{}", "\u{301}".repeat(60_000));
        let (cut, was_cut) = clip(&pile, 50_000);
        assert!(was_cut);
        assert_eq!(units(&cut), 50_000);
    }

    #[test]
    fn the_limits_of_spreadsheets_are_kept_to_the_unit() {
        let done = "Done. ".repeat(10_000);
        assert!(!clip(&done[..50_000], 50_000).1);
        assert_eq!(units(&clip(&done[..50_001], 50_000).0), 50_000);
        let emoji = "😀".repeat(30_000);
        let (cut, _) = clip(&emoji, 50_000);
        assert_eq!(units(&cut), 49_999);
    }

    proptest::proptest! {
        #[test]
        fn the_result_fits_and_starts_as_the_text(text in "\\PC{0,60}", max in 0usize..70) {
            let (cut, was_cut) = clip(&text, max);
            proptest::prop_assert!(units(&cut) <= max);
            proptest::prop_assert_eq!(was_cut, units(&text) > max);
            proptest::prop_assert!(text.starts_with(cut.strip_suffix(CUT_MARK).unwrap_or(&cut)));
            let (again, twice) = clip(&cut, max);
            proptest::prop_assert!(!twice && again == cut, "cutting twice is cutting once");
        }
    }
}
