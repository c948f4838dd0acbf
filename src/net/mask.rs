//! Tokens in what a server says: it may give back what it was sent.

use std::borrow::Cow;

/// The text with access tokens and signed tokens masked, however the server came by them: whatever follows `Bearer`,
/// Google's access tokens (`ya29.`, <https://developers.google.com/identity/protocols/oauth2>) and JSON web tokens
/// (`eyJ`, RFC 7519).
pub(crate) fn tokens(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let (mut rest, mut told, mut after_bearer) = (text, 0, false);
    while let Some(start) = rest.find(is_of_token) {
        let word = &rest[start..];
        let end = word.find(|c| !is_of_token(c)).unwrap_or(word.len());
        let at = text.len() - word.len();
        let word = &word[..end];
        let token = token_in(word).or((after_bearer && word.len() > SHORTEST).then_some(0));
        if let Some(start) = token {
            masked.push_str(&text[told..at + start]);
            masked.push_str("***");
            told = at + end;
        }
        after_bearer = word.eq_ignore_ascii_case("bearer");
        rest = &text[at + end..];
    }
    if told == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[told..]);
    Cow::Owned(masked)
}

/// Shorter words are words: «Bearer token».
const SHORTEST: usize = 12;

/// Letters of tokens (RFC 6750, 2.1).
fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '+' | '/')
}

/// Where a token begins in a word: it may stand in an address, or behind an encoded sign.
fn token_in(word: &str) -> Option<usize> {
    let starts = ["ya29.", "eyJ"].into_iter().filter_map(|head| word.find(head));
    starts.min().filter(|start| word.len() - start > SHORTEST)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_are_masked_and_words_stay() {
        for (text, masked) in [
            ("you sent Bearer abcdef0123456789.", "you sent Bearer ***"),
            ("ya29.a0AfH6SM-x_y was refused", "*** was refused"),
            ("assertion=eyJhbGciOiJSUzI1NiJ9.e30.c2ln&x=1", "assertion=***&x=1"),
            ("«Bearer token» of the account", "«Bearer token» of the account"),
            ("access_token%3Dya29.a0AfH6SM-x_y", "access_token%3D***"),
            ("at https://host/x/eyJhbGciOiJSUzI1NiJ9.e30", "at https://host/x/***"),
            ("see https://example.org/a/very/long/path", "see https://example.org/a/very/long/path"),
            ("", ""),
        ] {
            assert_eq!(tokens(text), masked);
        }
    }

    proptest! {
        #[test]
        fn no_token_survives_whatever_stands_around_it(before in "[^a-zA-Z0-9._~+/-]{0,20}", after in "[^a-zA-Z0-9._~+/-]{1,20}") {
            let text = format!("{before}ya29.canary-4711-4711{after}Bearer canary-4711-4711{after}");
            prop_assert!(!tokens(&text).contains("4711"));
        }
    }
}
