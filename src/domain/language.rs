//! The language of issues and rewrites.

use serde::{Deserialize, Serialize};

/// A language that the program speaks to the project office.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Russian.
    Ru,
}

impl Language {
    /// Picks the text of this language.
    pub fn pick<'a>(self, en: &'a str, ru: &'a str) -> &'a str {
        match self {
            Self::En => en,
            Self::Ru => ru,
        }
    }

    /// The two-letter code.
    pub fn code(self) -> &'static str {
        self.pick("en", "ru")
    }
}
