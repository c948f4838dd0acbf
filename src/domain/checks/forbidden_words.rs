//! Words that a comment must not use: whole words, any case, `ё` as `е`, phrases over any white space.

use serde::Serialize;

use super::{Flaw, MAX_FLAWS, Outcome, Reader, Row};
use crate::domain::tokens::{Kind, Token, folded, same, tokens};

/// Words and phrases that a comment must not use.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForbiddenWords {
    words: Vec<String>,
    /// By the first letter's class, so that most words of a comment are passed over at one look.
    #[serde(skip)]
    phrases: Vec<Vec<Phrase>>,
}

/// A phrase as it is looked for.
#[derive(Clone, Debug, PartialEq)]
struct Phrase {
    words: Vec<String>,
    /// Before each further word: true if a full stop may stand there, as in `и т. д.`.
    dotted: Vec<bool>,
}

/// Classes of first letters; upper and lower case of Latin and Cyrillic share a class.
const CLASSES: usize = 32;

impl ForbiddenWords {
    /// Makes the check. A phrase without a letter matches nothing.
    pub fn new(words: Vec<String>) -> Self {
        let mut phrases = vec![Vec::new(); CLASSES];
        for phrase in words.iter().flat_map(|word| Phrase::variants(word)) {
            let first = phrase.words.first().and_then(|word| word.chars().next());
            if let Some(list) = first.and_then(|first| phrases.get_mut(class(first))) {
                list.push(phrase);
            }
        }
        // The longest first: `in most cases` is one finding, not two.
        phrases.iter_mut().for_each(|list| list.sort_by_key(|phrase| std::cmp::Reverse(phrase.words.len())));
        Self { words, phrases }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let words = reader.strings("words");
        let Some(words) = words.filter(|words| !words.is_empty()) else {
            reader.problem("needs `words`, a list of words and phrases");
            return None;
        };
        for word in &words {
            if Phrase::variants(word).is_empty() {
                reader.problem(&format!("`words` holds {word:?}, which has no letters"));
            }
        }
        Some(Self::new(words))
    }

    pub(super) fn review(&self, row: &Row<'_>) -> Outcome {
        let (text, tokens) = (row.comment(), row.tokens());
        let mut flaws: Vec<Flaw> = Vec::new();
        let mut at = 0;
        while flaws.len() < MAX_FLAWS {
            let Some(token) = tokens.get(at) else { break };
            let found = (token.kind == Kind::Word).then(|| self.find(text, tokens, at)).flatten();
            let Some(past) = found else {
                at += 1;
                continue;
            };
            let last = tokens.get(past - 1).unwrap_or(token);
            let flaw = Flaw::new(row.say("forbidden word", "запрещённое слово"))
                .quoting(text.get(token.start..last.end).unwrap_or_default());
            if !flaws.contains(&flaw) {
                flaws.push(flaw);
            }
            at = past;
        }
        Outcome::from_flaws(flaws)
    }

    /// The token past the phrase that starts at `at`, if one does.
    fn find(&self, text: &str, tokens: &[Token], at: usize) -> Option<usize> {
        let word = tokens.get(at)?.text(text);
        let list = self.phrases.get(class(word.chars().next()?))?;
        list.iter().find_map(|phrase| phrase.match_at(text, tokens, at))
    }
}

impl Phrase {
    /// The ways to write a phrase: as given, and abbreviations also without their inner stops (`и тд`).
    fn variants(written: &str) -> Vec<Self> {
        let cut = tokens(written);
        let mut phrase = Self { words: Vec::new(), dotted: Vec::new() };
        let mut stop = false;
        for token in &cut {
            match token.kind {
                Kind::Word | Kind::Number => {
                    if !phrase.words.is_empty() {
                        phrase.dotted.push(stop);
                    }
                    phrase.words.push(folded(token.text(written)).collect());
                    stop = false;
                }
                Kind::Mark(mark) => stop |= mark == '.',
                Kind::Break => {}
            }
        }
        if !cut.iter().any(|token| token.kind == Kind::Word) {
            return Vec::new();
        }
        let joined = phrase.joined();
        std::iter::once(phrase).chain(joined).collect()
    }

    /// The phrase with its dotted words run together, if it has any.
    fn joined(&self) -> Option<Self> {
        let mut joined = Self { words: Vec::new(), dotted: Vec::new() };
        for (index, word) in self.words.iter().enumerate() {
            let dotted = index.checked_sub(1).and_then(|before| self.dotted.get(before)).copied();
            match (dotted, joined.words.last_mut()) {
                (Some(true), Some(last)) => last.push_str(word),
                (dotted, _) => {
                    joined.dotted.extend(dotted.filter(|_| index > 0));
                    joined.words.push(word.clone());
                }
            }
        }
        self.dotted.contains(&true).then_some(joined)
    }

    fn match_at(&self, text: &str, tokens: &[Token], at: usize) -> Option<usize> {
        let mut next = at;
        for (index, word) in self.words.iter().enumerate() {
            if index > 0 {
                next = self.gap(tokens, next, index - 1);
            }
            let token = tokens.get(next)?;
            if !(matches!(token.kind, Kind::Word | Kind::Number) && same(token.text(text), word)) {
                return None;
            }
            next += 1;
        }
        is_whole(tokens, at, next).then_some(next)
    }

    /// The place of the next word, past line breaks and, in an abbreviation, a full stop.
    fn gap(&self, tokens: &[Token], mut next: usize, gap: usize) -> usize {
        let stop = tokens.get(next).is_some_and(|token| token.is_mark('.'));
        if stop && self.dotted.get(gap) == Some(&true) {
            next += 1;
        }
        while tokens.get(next).is_some_and(|token| token.kind == Kind::Break) {
            next += 1;
        }
        next
    }
}

/// True if nothing joins the words to a larger whole: `etcd9`, `some_name`, `so-called`, `/etc/hosts`, `a@etc`.
fn is_whole(tokens: &[Token], at: usize, past: usize) -> bool {
    let (Some(first), Some(last)) = (tokens.get(at), tokens.get(past - 1)) else { return false };
    let tight_before =
        at.checked_sub(1).and_then(|before| tokens.get(before)).filter(|token| token.end == first.start);
    let tight_after = tokens.get(past).filter(|token| token.start == last.end);
    let wordy = |at: Option<usize>, edge: usize| {
        at.and_then(|at| tokens.get(at)).is_some_and(|token| {
            matches!(token.kind, Kind::Word | Kind::Number) && (token.end == edge || token.start == edge)
        })
    };
    let joined_before = tight_before.is_some_and(|token| match token.kind {
        Kind::Word | Kind::Number | Kind::Mark('_' | '@' | '\\' | '$' | '#') => true,
        Kind::Mark('-' | '\u{2010}' | '\u{2011}') => wordy(at.checked_sub(2), token.start),
        // `boxes/etc` is a list, `/etc` and `~/etc/` are paths.
        Kind::Mark('/') => {
            !wordy(at.checked_sub(2), token.start) || tight_after.is_some_and(|after| after.is_mark('/'))
        }
        _ => false,
    });
    let joined_after = tight_after.is_some_and(|token| match token.kind {
        Kind::Word | Kind::Number | Kind::Mark('_' | '@' | '\\' | '(' | '=') => true,
        Kind::Mark('-' | '\u{2010}' | '\u{2011}') => wordy(Some(past + 1), token.end),
        _ => false,
    });
    !(joined_before || joined_after)
}

fn class(first: char) -> usize {
    let first = if matches!(first, 'ё' | 'Ё') { 'е' } else { first };
    u32::from(first) as usize % CLASSES
}

#[cfg(test)]
mod tests {
    use super::super::Check;
    use super::super::testing::{of_comment, quotes};
    use super::*;

    fn found(comment: &str) -> Vec<String> {
        let words = [
            "soon",
            "some",
            "if possible",
            "etc",
            "and so on",
            "ASAP",
            "partially",
            "скоро",
            "почти",
            "в целом",
            "в ближайшее время",
            "частично",
            "и т.д.",
            "и др.",
            "ещё рано",
            "активно",
        ];
        let check = Check::ForbiddenWords(ForbiddenWords::new(words.map(str::to_owned).to_vec()));
        quotes(&of_comment(&check, comment)).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn whole_words_in_any_case_are_found() {
        for (comment, expected) in [
            ("Soon, and asap!", vec!["Soon", "asap"]),
            ("if\u{a0}possible; If\r\n  possible", vec!["if\u{a0}possible", "If\r\n  possible"]),
            ("Cables, boxes, etc.", vec!["etc"]),
            ("boxes/etc", vec!["etc"]),
            ("(soon)", vec!["soon"]),
            ("СКОРО. Почти!", vec!["СКОРО", "Почти"]),
            ("в  целом\nготово", vec!["в  целом"]),
            (
                "шкафы, столы и т. д. и т.д., и т.\u{a0}д., и тд и др.",
                vec!["и т. д", "и т.д", "и т.\u{a0}д", "и тд", "и др"],
            ),
            ("еще рано, Ещё рано", vec!["еще рано", "Ещё рано"]),
            ("в ближаи\u{306}шее время", vec!["в ближаи\u{306}шее время"]),
            ("so\u{ad}on", vec!["so\u{ad}on"]),
            ("soon soon soon", vec!["soon"]),
        ] {
            assert_eq!(found(comment), expected, "{comment}");
        }
    }

    #[test]
    fn parts_of_other_words_are_not() {
        for comment in [
            "etcd cluster",
            "sooner",
            "something",
            "скоростного",
            "частичных",
            "в целоме",
            "/etc/hosts",
            "~/etc",
            "some_name",
            "soon@example",
            "etc9",
            "9etc",
            "активно-адаптивная сеть",
            "handsome",
            "if impossible",
            "and so, on",
            "и другие",
            "и т",
            "в\u{200b} целый",
            "",
            "sоon",
            "part payments",
            "etc-d",
        ] {
            assert_eq!(found(comment), Vec::<String>::new(), "{comment}");
        }
    }

    #[test]
    fn findings_are_bounded() {
        assert_eq!(found("soon some etc asap partially скоро почти активно").len(), MAX_FLAWS);
    }
}
