//! A text as words, numbers and marks with their places: what the code checks look at, cut once a row.

/// A piece of text that carries meaning; white space between pieces has none but keeps them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// The first byte.
    pub start: usize,
    /// The byte past the last.
    pub end: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A run of letters.
    Word,
    /// A run of ASCII digits.
    Number,
    /// Any other visible character.
    Mark(char),
    /// A run of line breaks.
    Break,
}

impl Token {
    /// The token's text.
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// Its length in bytes.
    pub fn width(&self) -> usize {
        self.end - self.start
    }

    /// True if it is this mark.
    pub fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// Cuts a text into tokens.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 5);
    for (start, c) in text.char_indices() {
        let end = start + c.len_utf8();
        let kind = match class(c) {
            Class::Letter => Kind::Word,
            Class::Digit => Kind::Number,
            Class::Break => Kind::Break,
            Class::Space => continue,
            Class::Mark => Kind::Mark(c),
            Class::Joiner => {
                match tokens.last_mut() {
                    Some(last) if last.end == start && last.kind == Kind::Word => last.end = end,
                    _ => {}
                }
                continue;
            }
        };
        match tokens.last_mut() {
            Some(last) if last.end == start && last.kind == kind && !matches!(kind, Kind::Mark(_)) => {
                last.end = end;
            }
            _ => tokens.push(Token { kind, start, end }),
        }
    }
    tokens
}

enum Class {
    Letter,
    Digit,
    Space,
    Break,
    Mark,
    Joiner,
}

fn class(c: char) -> Class {
    match c {
        'a'..='z' | 'A'..='Z' | 'А'..='я' | 'Ё' | 'ё' => Class::Letter,
        '0'..='9' => Class::Digit,
        ' ' | '\t' | '\u{a0}' => Class::Space,
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Class::Break,
        '!'..='~' => Class::Mark,
        c if is_joiner(c) => Class::Joiner,
        c if c.is_alphabetic() => Class::Letter,
        c if c.is_whitespace() || c.is_control() => Class::Space,
        _ => Class::Mark,
    }
}

/// Accents, soft hyphens and invisible characters: inside a word they do not end it.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{fe0f}' | '\u{feff}')
}

/// The letters of a word for comparison: lower case, `ё` as `е`, accents and invisible characters left out.
pub fn folded(word: &str) -> impl Iterator<Item = char> {
    let mut letters = word.chars().peekable();
    std::iter::from_fn(move || {
        let letter = letters.by_ref().find(|c| !is_joiner(*c))?;
        let letter = lower(letter);
        // The decomposed short и is another letter; other accents only mark stress or a typist's system.
        if letter == 'и' && letters.next_if_eq(&'\u{306}').is_some() {
            return Some('й');
        }
        Some(if letter == 'ё' { 'е' } else { letter })
    })
}

/// True if a word, folded, is one of these (which are written folded).
pub fn is_one_of(word: &str, folded_words: &[&str]) -> bool {
    let Some(first) = folded(word).next() else { return false };
    folded_words.iter().any(|known| known.starts_with(first) && same(word, known))
}

/// True if a word, folded, equals `known` (which is written folded).
pub fn same(word: &str, known: &str) -> bool {
    folded(word).eq(known.chars())
}

/// True if a word, folded, begins with one of these stems.
pub fn has_stem(word: &str, stems: &[&str]) -> bool {
    let Some(first) = folded(word).next() else { return false };
    stems.iter().any(|stem| {
        stem.starts_with(first) && {
            let mut letters = folded(word);
            stem.chars().all(|c| letters.next() == Some(c))
        }
    })
}

fn lower(c: char) -> char {
    match c {
        'a'..='z' | 'а'..='я' => c,
        'A'..='Z' => c.to_ascii_lowercase(),
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|token| token.text(text)).collect()
    }

    #[test]
    fn cuts_words_numbers_and_marks() {
        assert_eq!(cut("etcd9: 0,19 дБ\r\n—ok"), ["etcd", "9", ":", "0", ",", "19", "дБ", "\r\n", "—", "ok"]);
        assert_eq!(cut("\u{200b} \u{301}"), Vec::<&str>::new());
        assert_eq!(cut("so\u{200b}on"), ["so\u{200b}on"]);
    }

    #[test]
    fn folding_forgives_case_yo_accents_and_invisible_letters() {
        assert!(same("Ещё", "еще"));
        assert!(same("ближаи\u{306}шее", "ближайшее"));
        assert!(same("so\u{ad}ON", "soon"));
        assert!(!same("sооn", "soon"), "Cyrillic letters are other letters");
        assert!(has_stem("Планируется", &["план"]));
        assert!(!has_stem("пла", &["план"]));
    }

    proptest::proptest! {
        #[test]
        fn tokens_are_in_order_and_on_character_boundaries(text in "\\PC{0,60}") {
            let mut end = 0;
            for token in tokens(&text) {
                proptest::prop_assert!(token.start >= end && token.end > token.start);
                proptest::prop_assert!(!token.text(&text).is_empty());
                end = token.end;
            }
        }
    }
}
