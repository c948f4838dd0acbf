//! The character encodings of CSV files: which one a file has, and both ways through it.

use std::borrow::Cow;

/// An encoding in which the characters that structure a CSV file can be told without decoding it: UTF-8,
/// UTF-16 and every encoding of the WHATWG standard but ISO-2022-JP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

/// A text that the encoding has no bytes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the encoding of the file has no such character")]
pub(super) struct Unencodable;

/// How many bytes a code unit has, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// One byte; a character outside ASCII has bytes that are never structure.
    Byte,
    /// Two bytes, the lower first.
    PairLe,
    /// Two bytes, the higher first.
    PairBe,
}

impl Encoding {
    /// UTF-8.
    pub const UTF_8: Self = Self(&encoding_rs::UTF_8_INIT);
    /// UTF-16, the lower byte first.
    pub const UTF_16LE: Self = Self(&encoding_rs::UTF_16LE_INIT);
    /// UTF-16, the higher byte first.
    pub const UTF_16BE: Self = Self(&encoding_rs::UTF_16BE_INIT);
    /// The Cyrillic code page of Windows, also called CP1251.
    pub const WINDOWS_1251: Self = Self(&encoding_rs::WINDOWS_1251_INIT);

    /// The encoding of a name such as `utf-8`, `cp1251` or `latin1`; none for an unknown one and for those
    /// in which structure cannot be told from text.
    pub fn for_label(label: &str) -> Option<Self> {
        encoding_rs::Encoding::for_label_no_replacement(label.trim().as_bytes())
            .filter(|encoding| *encoding != encoding_rs::ISO_2022_JP)
            .map(Self)
    }

    /// The standard's name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The encoding that a byte order mark says, and the mark's length.
    pub(super) fn of_bom(start: &[u8]) -> Option<(Self, usize)> {
        encoding_rs::Encoding::for_bom(start).map(|(encoding, length)| (Self(encoding), length))
    }

    /// Guesses from the start of a file without a byte order mark; `whole` says that there is no more of it.
    ///
    /// UTF-16 shows in the higher bytes of its characters, which in European scripts and those of the Near
    /// East are below 8 and in other encodings do not occur in text. A few damaged bytes do not make UTF-8
    /// another encoding; what is neither is the code page of Russian Windows.
    pub(super) fn guess(start: &[u8], whole: bool) -> Self {
        let is_higher = |side: usize| {
            let low = start.iter().skip(side).step_by(2).filter(|byte| **byte < 8).count();
            low > start.len() / 4
        };
        if is_higher(1) {
            return Self::UTF_16LE;
        }
        if is_higher(0) {
            return Self::UTF_16BE;
        }
        match std::str::from_utf8(start) {
            Ok(_) => Self::UTF_8,
            // the start may end within a character
            Err(error) if error.error_len().is_none() && !whole => Self::UTF_8,
            Err(_) if is_damaged_utf_8(start) => Self::UTF_8,
            Err(_) => Self::WINDOWS_1251,
        }
    }

    /// The byte order mark; empty where the encoding has none.
    pub(super) fn bom(self) -> &'static [u8] {
        match self.unit() {
            Unit::PairLe => b"\xFF\xFE",
            Unit::PairBe => b"\xFE\xFF",
            Unit::Byte if self == Self::UTF_8 => b"\xEF\xBB\xBF",
            Unit::Byte => b"",
        }
    }

    pub(super) fn unit(self) -> Unit {
        if self == Self::UTF_16LE {
            Unit::PairLe
        } else if self == Self::UTF_16BE {
            Unit::PairBe
        } else {
            Unit::Byte
        }
    }

    /// The text of `bytes`; true if some are not text and stand as U+FFFD.
    pub(super) fn decode(self, bytes: &[u8]) -> (Cow<'_, str>, bool) {
        self.0.decode_without_bom_handling(bytes)
    }

    /// Appends the bytes of `text`.
    pub(super) fn encode(self, text: &str, bytes: &mut Vec<u8>) -> Result<(), Unencodable> {
        match self.unit() {
            Unit::PairLe => bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
            Unit::PairBe => bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Unit::Byte => match self.0.encode(text) {
                (encoded, _, false) => bytes.extend_from_slice(&encoded),
                (_, _, true) => return Err(Unencodable),
            },
        }
        Ok(())
    }
}

/// True where characters of several bytes are ten times as frequent as bytes that are no character.
fn is_damaged_utf_8(bytes: &[u8]) -> bool {
    let (mut characters, mut damages) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        characters += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        damages += usize::from(!chunk.invalid().is_empty());
    }
    characters > 10 * damages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(encoding: Encoding, text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        encoding.encode(text, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn encodings_are_guessed() {
        let russian = "Проект;Статус;Комментарий\r\nЗамена окон;В графике;Сделано 140 окон\r\n";
        let english = "Project,Status\nGate,On Track\n";
        for encoding in [Encoding::UTF_8, Encoding::UTF_16LE, Encoding::UTF_16BE] {
            for text in [russian, english] {
                assert_eq!(Encoding::guess(&encoded(encoding, text), true), encoding, "{text}");
            }
        }
        let cp1251 = encoded(Encoding::WINDOWS_1251, russian);
        assert_eq!(Encoding::guess(&cp1251, true), Encoding::WINDOWS_1251);
        assert_eq!(Encoding::guess(b"", true), Encoding::UTF_8);
        assert_eq!(Encoding::guess(b"a,b\nNUL \0 here,c\n", true), Encoding::UTF_8, "one NUL is no UTF-16");
    }

    #[test]
    fn a_character_cut_by_the_end_of_the_start_is_still_utf_8() {
        let start = &"Статус".as_bytes()[..5];
        assert_eq!(Encoding::guess(start, false), Encoding::UTF_8);
        assert_eq!(Encoding::guess(start, true), Encoding::WINDOWS_1251);
    }

    #[test]
    fn a_damaged_byte_does_not_change_the_encoding_of_the_rest() {
        let mut bytes = "Статус;Комментарий\n".as_bytes().to_vec();
        bytes.push(0xFF);
        assert_eq!(Encoding::guess(&bytes, true), Encoding::UTF_8);
    }

    #[test]
    fn labels_are_those_of_the_standard() {
        assert_eq!(Encoding::for_label(" CP1251 "), Some(Encoding::WINDOWS_1251));
        assert_eq!(Encoding::for_label("utf-16"), Some(Encoding::UTF_16LE));
        assert_eq!(Encoding::for_label("koi8-r").map(Encoding::name), Some("KOI8-R"));
        for unusable in ["iso-2022-jp", "utf-7", "hz-gb-2312", ""] {
            assert_eq!(Encoding::for_label(unusable), None, "{unusable}");
        }
    }

    #[test]
    fn every_byte_of_the_code_page_survives_and_nothing_is_lost_silently() {
        let bytes: Vec<u8> = (0..=255).collect();
        let (text, malformed) = Encoding::WINDOWS_1251.decode(&bytes);
        assert!(!malformed);
        assert_eq!(encoded(Encoding::WINDOWS_1251, &text), bytes);
        assert_eq!(Encoding::WINDOWS_1251.encode("✅", &mut Vec::new()), Err(Unencodable));
    }

    proptest::proptest! {
        #[test]
        fn unicode_encodings_carry_every_text(text in "(?s).{0,40}") {
            for encoding in [Encoding::UTF_8, Encoding::UTF_16LE, Encoding::UTF_16BE] {
                let bytes = encoded(encoding, &text);
                proptest::prop_assert_eq!(encoding.decode(&bytes), (Cow::Borrowed(&*text), false));
            }
        }
    }
}
