//! The script that a comment is written in.

use serde::Serialize;

use super::{Flaw, Outcome, Reader, Row};
use crate::domain::language::Language;

/// The share of a comment's letters that belong to a script.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ScriptShare {
    /// The script.
    pub script: Script,
    /// At least this share, from 0 to 1.
    pub min_share: f64,
}

/// A script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Script {
    /// Latin letters.
    Latin,
    /// Cyrillic letters.
    Cyrillic,
}

impl ScriptShare {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let script = reader.one_of("script", &[("latin", Script::Latin), ("cyrillic", Script::Cyrillic)]);
        let min_share = reader.number("min_share").unwrap_or(0.5);
        if !(min_share > 0.0 && min_share <= 1.0) {
            reader.problem("`min_share` is a share above 0 and up to 1, such as 0.5");
            return None;
        }
        Some(Self { script: script?, min_share })
    }

    /// A comment without letters is in no wrong script.
    pub(super) fn review(&self, row: &Row<'_>) -> Outcome {
        let (letters, matching) = count(row.comment(), self.script);
        if letters == 0 || share(matching, letters) >= self.min_share {
            return Outcome::Pass;
        }
        let language = match self.script {
            Script::Latin => row.say("Latin", "латинских"),
            Script::Cyrillic => row.say("Cyrillic", "кириллических"),
        };
        let percent = (share(matching, letters) * 100.0).floor();
        let least = self.min_share * 100.0;
        Outcome::fail(Flaw::new(match row.context.language {
            Language::En => format!(
                "the comment is in another language: {percent}% of its letters are {language}, at least {least}% are needed"
            ),
            Language::Ru => {
                format!("комментарий на другом языке: {language} букв {percent} %, нужно не меньше {least} %")
            }
        }))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a comment has far fewer letters than 2^52")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

fn count(text: &str, script: Script) -> (usize, usize) {
    let (mut letters, mut matching) = (0, 0);
    for c in text.chars() {
        let of = script_of(c);
        if of.is_some() || (!c.is_ascii() && c.is_alphabetic()) {
            letters += 1;
            matching += usize::from(of == Some(script));
        }
    }
    (letters, matching)
}

/// The script of a letter, if it is one of the two.
pub(super) fn script_of(c: char) -> Option<Script> {
    match c {
        'a'..='z' | 'A'..='Z' => Some(Script::Latin),
        '\u{400}'..='\u{481}' | '\u{48a}'..='\u{52f}' | '\u{1c80}'..='\u{1c8a}' | '\u{a640}'..='\u{a66e}' => {
            Some(Script::Cyrillic)
        }
        'ª'
        | 'º'
        | 'À'..='Ö'
        | 'Ø'..='ö'
        | 'ø'..='\u{24f}'
        | '\u{1e00}'..='\u{1eff}'
        | 'Ａ'..='Ｚ'
        | 'ａ'..='ｚ' => Some(Script::Latin),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Check;
    use super::super::testing::of_comment;
    use super::*;

    fn passes(script: Script, comment: &str) -> bool {
        of_comment(&Check::ScriptShare(ScriptShare { script, min_share: 0.5 }), comment) == Outcome::Pass
    }

    #[test]
    fn only_letters_count() {
        for (comment, latin, cyrillic) in [
            ("Done: 12 gates", true, false),
            ("Сделано: релиз 0.9 API Kafka", false, true),
            ("абab 123 +-*", true, true),
            ("абвab", false, true),
            ("12 500 — 😀", true, true),
            ("تم تركيب Mar", false, false),
            ("façade déjà", true, false),
            ("м²", false, true),
        ] {
            assert_eq!(passes(Script::Latin, comment), latin, "{comment}");
            assert_eq!(passes(Script::Cyrillic, comment), cyrillic, "{comment}");
        }
    }
}
