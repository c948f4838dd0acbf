//! Row keys: what makes a row of the source and a row of the results the same row.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::clip::clip;
use super::fold::fold;

/// The identity of a row: its identifier, folded, plus which occurrence of it this is; without an
/// identifier column, its row number.
///
/// The text form stands in the hidden `Key` column. It is injective: no two different rows share one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowKey(String);

impl RowKey {
    /// The key of the `occurrence`-th row (from 1) that carries this identifier.
    pub fn of_identifier(identifier: &str, occurrence: u32) -> Self {
        let mut key = fold(identifier);
        if key.starts_with('@') {
            key.insert(0, '@'); // keeps `@17`, a row number, apart from a project of that name
        }
        if occurrence > 1 || key.is_empty() || ends_like_an_occurrence(&key) {
            key.push_str(&format!(" #{occurrence}"));
        }
        Self(key)
    }

    /// The key of a row in a table without an identifier column.
    pub fn of_row(row: u64) -> Self {
        Self(format!("@{row}"))
    }

    /// The key as a cell of so many UTF-16 units holds it: one that is too long ends in its hash instead.
    pub fn within(self, max_units: usize) -> Self {
        if !clip(&self.0, max_units).1 {
            return self;
        }
        let hash = blake3::hash(self.0.as_bytes()).to_string();
        let (start, _) = clip(&self.0, max_units.saturating_sub(hash.len() + 1));
        Self(format!("{start} {hash}"))
    }

    /// What stands in the `Key` cell of a row of people that a write hit by mistake and that was put back: it
    /// tells the row from all others, and that it is theirs. No key of a source row begins like this.
    pub(crate) fn theirs(stamp: &str) -> Self {
        Self(format!("{THEIRS}{stamp}"))
    }

    /// What finds the marks of [`RowKey::theirs`], as a regular expression for a whole cell.
    pub(crate) const THEIRS_PATTERN: &str = "^@theirs [0-9a-f]{16}$";

    /// True for the mark of [`RowKey::theirs`].
    pub(crate) fn is_theirs(&self) -> bool {
        self.0.starts_with(THEIRS)
    }

    /// A key as it was stored.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text that is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const THEIRS: &str = "@theirs ";

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn ends_like_an_occurrence(key: &str) -> bool {
    key.rsplit_once('#').is_some_and(|(_, tail)| !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()))
}

/// Numbers the occurrences of identifiers while a table is read from top to bottom.
///
/// Holds a 64-bit hash and a row number for each identifier, not its text: tables may be long.
#[derive(Debug, Default)]
pub struct Occurrences {
    /// The first row of each identifier. Bytes, because an aligned pair would take a third more.
    first_row: HashMap<Short, [u8; 4]>,
    /// How often an identifier occurs, where more than once.
    count: HashMap<Short, u32>,
}

/// The first 64 bits of an identifier's hash: two of a million different identifiers share them once in
/// forty million tables, and then the later one is taken for a second occurrence.
type Short = [u8; 8];

/// The key of a row, and the first row that has the same identifier where there is one.
#[derive(Debug, PartialEq, Eq)]
pub struct Numbered {
    /// The row's key.
    pub key: RowKey,
    /// The row number of the identifier's first occurrence, if this row is a later one.
    pub duplicate_of: Option<u64>,
}

impl Occurrences {
    /// Gives the next key for `identifier`, which stands in row `row`.
    pub fn next(&mut self, identifier: &str, row: u64) -> Numbered {
        let mut short = Short::default();
        short.copy_from_slice(&blake3::hash(fold(identifier).as_bytes()).as_bytes()[..8]);
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        match self.first_row.entry(short) {
            Entry::Vacant(free) => {
                free.insert(row.to_le_bytes());
                Numbered { key: RowKey::of_identifier(identifier, 1), duplicate_of: None }
            }
            Entry::Occupied(first) => {
                let count = self.count.entry(short).or_insert(1);
                *count += 1;
                Numbered {
                    key: RowKey::of_identifier(identifier, *count),
                    duplicate_of: Some(u64::from(u32::from_le_bytes(*first.get()))),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occurrences_are_numbered_after_folding() {
        let mut occurrences = Occurrences::default();
        assert_eq!(occurrences.next("Twin project", 2).key.as_str(), "twin project");
        let second = occurrences.next("  TWIN  Project ", 3);
        assert_eq!(second.key.as_str(), "twin project #2");
        assert_eq!(second.duplicate_of, Some(2));
    }

    #[test]
    fn a_key_too_long_for_a_cell_stays_different_from_all_others() {
        let long = |end: &str| RowKey::stored(format!("{}{end}", "длинный ".repeat(100)));
        let (a, b) = (long("один").within(200), long("два").within(200));
        assert!(a != b && a.as_str().encode_utf16().count() <= 200, "{a}");
        assert_eq!(RowKey::stored("short").within(200).as_str(), "short");
        assert!(!RowKey::of_identifier("@theirs 1", 1).is_theirs());
    }

    proptest::proptest! {
        #[test]
        fn different_rows_never_share_a_key(
            left in "[@#a1 ]{0,5}", right in "[@#a1 ]{0,5}", n in 1u32..4, m in 1u32..4, row in 0u64..200,
        ) {
            let (a, b) = (RowKey::of_identifier(&left, n), RowKey::of_identifier(&right, m));
            proptest::prop_assert_eq!(a == b, fold(&left) == fold(&right) && n == m, "{} {}", a, b);
            proptest::prop_assert!(!a.is_theirs());
            proptest::prop_assert_ne!(a, RowKey::of_row(row));
        }
    }
}
