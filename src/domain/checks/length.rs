//! The comment's length.

use serde::Serialize;

use super::{Flaw, Outcome, Reader, Row};

/// How many characters a comment has: trimmed, a line break of any kind counting as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Length {
    /// At least so many.
    pub min: usize,
    /// At most so many.
    pub max: usize,
}

impl Length {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (min, max) = (reader.count("min"), reader.count("max"));
        if min.is_none() && max.is_none() {
            reader.problem("needs `min` or `max`, a number of characters");
            return None;
        }
        let length = Self { min: min.unwrap_or(0), max: max.unwrap_or(usize::MAX) };
        if length.min > length.max {
            reader.problem("`min` is greater than `max`");
            return None;
        }
        Some(length)
    }

    pub(super) fn review(&self, row: &Row<'_>) -> Outcome {
        let length = characters(row.comment());
        let message = if length < self.min {
            format!(
                "{}: {length}, {} {}",
                row.say("the comment is too short, in characters", "комментарий слишком короткий, знаков"),
                row.say("at least", "нужно не меньше"),
                self.min
            )
        } else if length > self.max {
            format!(
                "{}: {length}, {} {}",
                row.say("the comment is too long, in characters", "комментарий слишком длинный, знаков"),
                row.say("at most", "допускается не больше"),
                self.max
            )
        } else {
            return Outcome::Pass;
        };
        Outcome::fail(Flaw::new(message))
    }
}

fn characters(comment: &str) -> usize {
    let trimmed = comment.trim();
    let pairs = if trimmed.contains('\r') { trimmed.matches("\r\n").count() } else { 0 };
    trimmed.chars().count() - pairs
}

#[cfg(test)]
mod tests {
    use super::super::Check;
    use super::super::testing::of_comment;
    use super::*;

    #[test]
    fn characters_are_counted_as_people_count() {
        for (comment, length) in [
            ("", 0),
            (" a ", 1),
            ("\u{a0}я\u{a0}", 1),
            ("a\r\nb", 3),
            ("a\rb", 3),
            ("a\nb", 3),
            ("a\n\rb", 4),
            ("м²😀", 3),
        ] {
            assert_eq!(characters(comment), length, "{comment:?}");
        }
    }

    #[test]
    fn both_bounds_are_allowed_lengths() {
        let check = Check::Length(Length { min: 3, max: 5 });
        for (comment, passes) in
            [("ab", false), ("abc", true), ("  abcde  ", true), ("abcdef", false), ("", false)]
        {
            assert_eq!(of_comment(&check, comment) == Outcome::Pass, passes, "{comment}");
        }
    }
}
