//! Making a provider's words fit to be shown: one line, short, without the key.

use secrecy::{ExposeSecret, SecretString};

/// The longest excerpt, in characters.
pub(super) const LONGEST: usize = 300;

/// Cuts and cleans text from outside. Knows the key, so that a provider that echoes it cannot spread it.
pub(super) struct Scrubber(Option<SecretString>);

/// What stands in the key's place.
const MASK: &str = "***";
/// So many characters of a key in a row are hidden even without the rest: servers and cuts leave heads.
const HEAD: usize = 8;

impl Scrubber {
    pub(super) fn new(key: Option<SecretString>) -> Self {
        Self(key)
    }

    /// One line of at most [`LONGEST`] characters, without control characters and without the key.
    pub(super) fn excerpt(&self, text: &str) -> String {
        let clean = self.without_key(text);
        let mut line = String::new();
        for (nth, word) in
            clean.split(|c: char| c.is_whitespace() || is_unseen(c)).filter(|w| !w.is_empty()).enumerate()
        {
            if nth > 0 {
                line.push(' ');
            }
            line.push_str(word);
            if line.len() > LONGEST * 4 {
                break;
            }
        }
        match line.char_indices().nth(LONGEST) {
            None => line,
            Some(_) => line.chars().take(LONGEST - 1).chain(['…']).collect(),
        }
    }

    /// The text without the key, otherwise as it is.
    pub(super) fn without_key(&self, text: &str) -> String {
        let key = self.0.as_ref().map_or("", |key| key.expose_secret());
        // A placeholder such as "x" for a local server is no secret, and would tear every word apart.
        if key.len() < HEAD / 2 {
            return text.to_owned();
        }
        let needed = key.chars().count().min(HEAD);
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (chars, bytes) = common_head(rest, key);
            if chars >= needed {
                clean.push_str(MASK);
                rest = rest.get(bytes..).unwrap_or_default();
            } else {
                clean.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
        clean
    }
}

/// How many characters and bytes of a text are the start of the key, in whatever case it is echoed.
fn common_head(text: &str, key: &str) -> (usize, usize) {
    let same = text.chars().zip(key.chars()).take_while(|(left, right)| left.eq_ignore_ascii_case(right));
    same.fold((0, 0), |(chars, bytes), (c, _)| (chars + 1, bytes + c.len_utf8()))
}

/// Control characters and those that turn the direction of writing.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scrubber(key: &str) -> Scrubber {
        Scrubber::new(Some(SecretString::from(key)))
    }

    #[test]
    fn the_key_is_masked_whole_or_in_part() {
        let scrubber = scrubber("sk-live-0123456789");
        assert_eq!(scrubber.excerpt("key sk-live-0123456789 refused"), "key *** refused");
        assert_eq!(scrubber.excerpt("sk-live-0123****"), "*******");
        assert_eq!(scrubber.excerpt("code SK-Live-0123456789"), "code ***");
        assert_eq!(scrubber.excerpt("sk-test is another"), "sk-test is another");
    }

    #[test]
    fn a_placeholder_for_a_key_masks_nothing() {
        assert_eq!(scrubber("x").excerpt("max exceeded"), "max exceeded");
        assert_eq!(Scrubber::new(None).excerpt("plain"), "plain");
    }

    #[test]
    fn lines_and_terminal_codes_become_one_plain_line() {
        let text = "a\r\n\tb \u{1b}[31mred\u{202e}x";
        assert_eq!(Scrubber::new(None).excerpt(text), "a b [31mred x");
    }

    #[test]
    fn a_cut_cannot_bring_the_key_to_light() {
        let text = format!("{}sk-live-0123456789", "ю".repeat(LONGEST - 9));
        let excerpt = scrubber("sk-live-0123456789").excerpt(&text);
        assert!(!excerpt.contains("sk-live"));
    }

    proptest! {
        #[test]
        fn never_too_long_never_two_lines_never_the_key(before in "\\PC{0,400}", after in ".{0,400}") {
            let key = "sk-canary-7f3a9c";
            let excerpt = scrubber(key).excerpt(&format!("{before}{key}{after}"));
            prop_assert!(excerpt.chars().count() <= LONGEST);
            prop_assert!(!excerpt.contains(key));
            prop_assert!(!excerpt.chars().any(char::is_control));
        }
    }
}
