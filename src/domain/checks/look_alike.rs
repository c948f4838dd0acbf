//! Characters that hide or pretend: what the eye cannot tell from another word.

use super::script_share::{Script, script_of};
use crate::domain::language::Language;

/// Letters of other scripts by the Latin letter that they look like.
const TWINS: &[(char, char)] = &[
    ('А', 'A'),
    ('В', 'B'),
    ('С', 'C'),
    ('Е', 'E'),
    ('Н', 'H'),
    ('І', 'I'),
    ('Ј', 'J'),
    ('К', 'K'),
    ('М', 'M'),
    ('О', 'O'),
    ('Р', 'P'),
    ('Ѕ', 'S'),
    ('Т', 'T'),
    ('Х', 'X'),
    ('У', 'Y'),
    ('а', 'a'),
    ('с', 'c'),
    ('е', 'e'),
    ('һ', 'h'),
    ('і', 'i'),
    ('ј', 'j'),
    ('о', 'o'),
    ('р', 'p'),
    ('ѕ', 's'),
    ('х', 'x'),
    ('у', 'y'),
    ('ԁ', 'd'),
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ν', 'N'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
    ('Χ', 'X'),
    ('Υ', 'Y'),
    ('Ζ', 'Z'),
    ('ο', 'o'),
];

/// True if two texts look the same: letters of other scripts as their twins, invisible characters left out.
pub(super) fn looks_like(one: &str, other: &str) -> bool {
    skeleton(one).eq(skeleton(other))
}

/// The characters of `text` that make it differ from what it looks like, each once: invisible ones, and
/// letters of another script than most of `text` that have a twin in it.
pub(super) fn impostors(text: &str) -> Vec<char> {
    let of = |script| text.chars().filter(|c| script_of(*c) == Some(script)).count();
    let main = if of(Script::Cyrillic) > of(Script::Latin) { Script::Cyrillic } else { Script::Latin };
    let mut found = Vec::new();
    for c in text.chars() {
        let foreign = c.is_alphabetic() && script_of(c) != Some(main) && has_twin(c);
        if (is_invisible(c) || foreign) && !found.contains(&c) {
            found.push(c);
        }
    }
    found
}

/// A character by code point and kind: `U+041E (a Cyrillic letter)`.
pub(super) fn describe(c: char, language: Language) -> String {
    let kind = match c {
        '\u{200b}' => language.pick("zero width space", "пробел нулевой ширины"),
        '\u{200c}' | '\u{200d}' | '\u{2060}' => language.pick("an invisible joiner", "невидимый соединитель"),
        '\u{feff}' => language.pick("byte order mark", "метка порядка байтов"),
        '\u{ad}' => language.pick("soft hyphen", "мягкий перенос"),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            language.pick("a text direction mark", "знак направления текста")
        }
        c if is_invisible(c) => language.pick("an invisible character", "невидимый знак"),
        c => match script_of(c) {
            Some(Script::Cyrillic) => language.pick("a CYRILLIC letter", "КИРИЛЛИЧЕСКАЯ буква"),
            Some(Script::Latin) => language.pick("a LATIN letter", "ЛАТИНСКАЯ буква"),
            None => language.pick("a letter of another script", "буква другого алфавита"),
        },
    };
    format!("U+{:04X} ({kind})", u32::from(c))
}

/// True for characters that leave no trace on the page.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control() && !c.is_whitespace()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// True for a text that shows nothing: white space and invisible characters alone.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

fn skeleton(text: &str) -> impl Iterator<Item = char> {
    let latin = |c| TWINS.iter().find(|(letter, _)| *letter == c).map_or(c, |(_, twin)| *twin);
    text.chars().filter(|c| !is_invisible(*c)).map(latin)
}

fn has_twin(c: char) -> bool {
    TWINS.iter().any(|(letter, twin)| *letter == c || *twin == c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impostors_are_found_in_both_scripts() {
        for (text, expected) in [
            ("\u{41e}n Track", vec!['\u{41e}']),
            ("On\u{200b} Track", vec!['\u{200b}']),
            ("В гpaфике", vec!['p', 'a']),
            ("On Track", vec![]),
            ("Отстает", vec![]),
            ("Сбой API", vec!['A', 'P', 'I']),
        ] {
            assert_eq!(impostors(text), expected, "{text:?}");
        }
        assert!(looks_like("\u{41e}n\u{200b} Track", "On Track"));
        assert!(!looks_like("On track", "On Track"));
    }

    #[test]
    fn characters_are_named_by_code_point() {
        assert_eq!(describe('\u{41e}', Language::En), "U+041E (a CYRILLIC letter)");
        assert_eq!(describe('\u{200b}', Language::Ru), "U+200B (пробел нулевой ширины)");
        assert_eq!(describe('\u{202e}', Language::En), "U+202E (a text direction mark)");
    }
}
