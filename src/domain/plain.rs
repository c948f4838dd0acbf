//! Texts of others on their way to people: what moves a cursor, reorders what is read or hides a word is shown as its code.

use std::borrow::Cow;

/// The text as one safe line: line breaks and tabs are shown as `\n`, `\r` and `\t`.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_unsafe(c) => push_escaped(&mut safe, c),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// True for characters that a terminal acts upon, that reorder what is read, or that nobody sees.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'                       // soft hyphen
            | '\u{61c}'                    // Arabic letter mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // fillers of Hangul
            | '\u{180e}'                   // Mongolian vowel separator
            | '\u{200b}'..='\u{200f}'      // zero-width characters and directional marks
            | '\u{2028}'..='\u{202e}'      // line and paragraph separators, bidi embeddings and overrides
            | '\u{2060}'..='\u{206f}'      // word joiner, invisible operators, bidi isolates
            | '\u{feff}'                   // byte order mark
            | '\u{fff9}'..='\u{fffb}'      // interlinear annotations
            | '\u{e0000}'..='\u{e007f}'    // tags
        )
}

pub(crate) fn push_escaped(safe: &mut String, c: char) {
    safe.extend(c.escape_unicode());
}
