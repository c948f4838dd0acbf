//! Counting tokens the way OpenAI's present models do (`o200k_base`). Other models cut texts a little differently:
//! for them the count is an estimate.

use std::sync::LazyLock;

use serde_json::Value;
use tiktoken_rs::CoreBPE;

/// Tokens of a prompt: its messages and the schema that the answer has to fit.
///
/// Each message costs three tokens more than its text and its role, and the answer is begun with three
/// (<https://developers.openai.com/cookbook/examples/how_to_count_tokens_with_tiktoken>).
pub fn prompt_tokens<'a>(messages: impl IntoIterator<Item = &'a str>, schema: Option<&Value>) -> u64 {
    let texts: u64 = messages.into_iter().map(|text| text_tokens(text) + A_MESSAGE).sum();
    texts + BEGINNING + schema.map_or(0, |schema| text_tokens(&schema.to_string()))
}

/// Tokens of a text.
pub fn text_tokens(text: &str) -> u64 {
    encoder().map_or_else(
        || by_length(text),
        |encoder| pieces(text).map(|piece| encoder.count_ordinary(piece) as u64).sum(),
    )
}

/// The tokens of a text, as numbers. Empty if the encoding cannot be loaded.
pub fn encode(text: &str) -> Vec<u32> {
    encoder().map_or_else(Vec::new, |encoder| {
        pieces(text).flat_map(|piece| encoder.encode_ordinary(piece)).collect()
    })
}

/// What a message costs beside its text.
pub const A_MESSAGE: u64 = 4;
/// What the beginning of the answer costs.
pub const BEGINNING: u64 = 3;

/// Loaded when it is first needed: it takes about 0.1 s and 50 MB.
static ENCODER: LazyLock<Option<CoreBPE>> = LazyLock::new(|| match tiktoken_rs::o200k_base() {
    Ok(encoder) => Some(encoder),
    Err(error) => {
        tracing::error!(%error, "tokens are estimated by length: the encoding could not be loaded");
        None
    }
});

fn encoder() -> Option<&'static CoreBPE> {
    ENCODER.as_ref()
}

/// The encoder fails on very long runs of one character, so texts are cut: each cut costs a token at most.
const LONGEST_PIECE: usize = 8_000;

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, more) = rest.split_at(rest.floor_char_boundary(LONGEST_PIECE));
        rest = more;
        Some(piece)
    })
}

/// Russian and English have more than three characters a token.
fn by_length(text: &str) -> u64 {
    text.chars().count().div_ceil(3) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_are_those_of_the_encoding() {
        for (text, tokens) in [("", 0), ("hello world", 2), ("Сделано: согласован план работ.", 9)]
        {
            assert_eq!(text_tokens(text), tokens, "{text}");
            assert_eq!(encode(text).len() as u64, tokens, "{text}");
        }
        assert_eq!(text_tokens(&" ".repeat(1_000_000)), 125 * 63);
        assert_eq!(prompt_tokens(["hello world", ""], None), 2 + 2 * A_MESSAGE + BEGINNING);
        assert!(prompt_tokens([], Some(&json!({"type": "object"}))) > BEGINNING + 3);
    }
}
