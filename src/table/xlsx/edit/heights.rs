//! Heights of rows. A spreadsheet program fits the rows that it edits, but not those that others wrote.

use unicode_width::UnicodeWidthStr as _;

use super::xml::{attribute, with_attribute};

/// A row gets no more lines than this: a text of 2,000 lines is not to fill the screen.
const MOST_LINES: usize = 12;
/// Points that a line of the default font takes.
const LINE_HEIGHT: usize = 15;

/// How many lines a text takes in a column that is `width` characters wide.
pub(super) fn lines(text: &str, width: f64) -> usize {
    let width = (width as usize).max(1);
    text.lines().map(|line| line.width().saturating_sub(1) / width + 1).sum()
}

/// The start tag of a row that is to show so many lines; rows that are high enough, hidden, or have a
/// height that somebody gave them stay as they are.
pub(super) fn with_height(tag: &str, lines: usize) -> String {
    let is_set = |name| attribute(tag, name).is_some_and(|value| value == "1" || value == "true");
    let points = lines.min(MOST_LINES) * LINE_HEIGHT;
    let old = attribute(tag, "ht").and_then(|height| height.parse().ok());
    let is_enough = old.map_or(lines <= 1, |height: f64| height >= points as f64);
    if is_enough || is_set("customHeight") || is_set("hidden") {
        return tag.to_owned();
    }
    let tag = with_attribute(tag, "ht", &points.to_string());
    // without this, the row would be fitted to all of its lines
    if lines > MOST_LINES { with_attribute(&tag, "customHeight", "1") } else { tag }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_they_wrap() {
        for (text, expected) in
            [("", 0), ("1234567890", 1), ("12345678901", 2), ("a\n\nb", 3), ("日本語日本語", 2)]
        {
            assert_eq!(lines(text, 10.7), expected, "{text}");
        }
        assert_eq!(lines("abc", 0.0), 3);
    }

    #[test]
    fn rows_grow_to_a_bound_and_never_against_people() {
        for (tag, lines, expected) in [
            ("<row r=\"1\">", 1, "<row r=\"1\">"),
            ("<row r=\"1\">", 3, "<row r=\"1\" ht=\"45\">"),
            ("<row r=\"1\">", 2_000, "<row r=\"1\" ht=\"180\" customHeight=\"1\">"),
            ("<row ht=\"15\">", 2, "<row ht=\"30\">"),
            ("<row ht=\"60.5\">", 4, "<row ht=\"60.5\">"),
            ("<row ht=\"15\" customHeight=\"1\">", 9, "<row ht=\"15\" customHeight=\"1\">"),
            ("<row hidden=\"1\">", 9, "<row hidden=\"1\">"),
        ] {
            assert_eq!(with_height(tag, lines), expected);
        }
    }
}
