//! One write: which rows of the tab it changes, which it adds, and how what it says is told later. Pure.

use std::collections::BTreeMap;

use crate::domain::key::RowKey;

/// What one atomic request changes in the tab.
#[derive(Clone, Debug)]
pub(super) enum Write {
    /// Rows that stand in the tab, from top to bottom.
    Change(Vec<RowWrite>),
    /// Rows that are added below the last one.
    Add(Vec<Added>),
}

/// A row that is added.
#[derive(Clone, Debug)]
pub(super) struct Added {
    pub(super) key: RowKey,
    /// Its cells, by column from 0.
    pub(super) cells: Vec<(u32, Content)>,
}

impl Write {
    /// True if it changes nothing.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Change(rows) => rows.is_empty(),
            Self::Add(rows) => rows.is_empty(),
        }
    }

    /// The keys of its rows.
    pub(super) fn keys(&self) -> impl Iterator<Item = &RowKey> {
        let (changed, added) = match self {
            Self::Change(rows) => (rows.as_slice(), [].as_slice()),
            Self::Add(rows) => ([].as_slice(), rows.as_slice()),
        };
        changed.iter().map(|row| &row.key).chain(added.iter().map(|row| &row.key))
    }
}

/// A row that stands in the tab and gets other cells.
#[derive(Clone, Debug)]
pub(super) struct RowWrite {
    /// Where it stood when it was looked at, from 0.
    pub(super) row: u32,
    /// What the row said then, as [`whole`] tells it.
    pub(super) was: String,
    /// What its key cell says afterwards.
    pub(super) key: RowKey,
    /// What it gets.
    pub(super) cells: Cells,
}

/// The new cells of a row.
#[derive(Clone, Debug)]
pub(super) enum Cells {
    /// These, by column from 0.
    Put(Vec<(u32, Content)>),
    /// What stood there before another write, from the copy that it made.
    Restore(Restore),
}

/// Cells that come back from a copy of the tab.
#[derive(Clone, Debug)]
pub(super) struct Restore {
    pub(super) copy: i32,
    pub(super) row: u32,
    /// From which column of the copy to which of the tab.
    pub(super) columns: Vec<(u32, u32)>,
    /// The column of the keys, if the key is written there besides, for it is not in the copy.
    pub(super) key_column: Option<u32>,
    /// What the restored cells say, for later recognition.
    pub(super) texts: Vec<(u32, String)>,
}

/// What a cell holds. There is no formula among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Blank,
    Text(String),
    Number(u64),
    /// A text that leads somewhere.
    Link {
        text: String,
        address: String,
    },
}

impl Content {
    /// What is read back.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Blank => String::new(),
            Self::Text(text) | Self::Link { text, .. } => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl RowWrite {
    /// What its cells say afterwards, by column, each as [`mark`] tells it.
    pub(super) fn marks(&self) -> Vec<(u32, String)> {
        let mut texts: BTreeMap<u32, String> = match &self.cells {
            Cells::Put(cells) => cells.iter().map(|(column, content)| (*column, content.text())).collect(),
            Cells::Restore(restore) => restore.texts.iter().cloned().collect(),
        };
        if let Cells::Restore(Restore { key_column: Some(key_column), .. }) = self.cells {
            texts.insert(key_column, self.key.as_str().to_owned());
        }
        texts.into_iter().map(|(column, text)| (column, mark(&text))).collect()
    }
}

/// A short mark of a text: there are as many as cells.
pub(super) fn mark(text: &str) -> String {
    told(std::iter::once(text)).chars().take(8).collect()
}

/// A short mark of texts in their order.
fn told<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// A short mark of all that a row says, people's columns too: rows that are alike may take each other's place, no others.
/// Formulas count as such, for they change as rows and columns move.
pub(super) fn whole(texts: &[String]) -> String {
    let used = texts.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
    told(texts.iter().take(used).map(|text| if text.starts_with('=') { "=" } else { text.as_str() }))
}

/// Consecutive columns of a sorted list: where each stretch begins and ends.
pub(super) fn stretches(columns: &[u32]) -> Vec<std::ops::Range<u32>> {
    let mut stretches: Vec<std::ops::Range<u32>> = Vec::new();
    for column in columns {
        match stretches.last_mut() {
            Some(last) if last.end == *column => last.end += 1,
            _ => stretches.push(*column..*column + 1),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_row_says_is_marked_cell_by_cell() {
        let put = |cells| RowWrite {
            row: 5,
            was: String::new(),
            key: RowKey::stored("gate"),
            cells: Cells::Put(cells),
        };
        let a = put(vec![(3, Content::Text("x".into())), (1, Content::Number(7)), (2, Content::Blank)]);
        assert_eq!(a.marks(), [(1, mark("7")), (2, mark("")), (3, mark("x"))]);
        let restored = RowWrite {
            cells: Cells::Restore(Restore {
                copy: 9,
                row: 4,
                columns: vec![(2, 1), (3, 2)],
                key_column: Some(3),
                texts: vec![(1, "7".into()), (2, String::new()), (3, "lost".into())],
            }),
            key: RowKey::stored("x"),
            ..put(Vec::new())
        };
        assert_eq!(restored.marks(), a.marks());
    }

    #[test]
    fn rows_are_alike_if_they_say_the_same_from_end_to_end() {
        let texts =
            |texts: &str| texts.split(' ').map(|text| text.trim_matches('_').to_owned()).collect::<Vec<_>>();
        assert_eq!(whole(&texts("a _ b _ _")), whole(&texts("a _ b")));
        assert_eq!(whole(&texts("a =B2")), whole(&texts("a =C2")), "formulas follow the cells they speak of");
        assert_ne!(whole(&texts("a b")), whole(&texts("b a")));
        assert_ne!(whole(&texts("_ a")), whole(&texts("a")));
    }

    #[test]
    fn columns_fall_into_stretches() {
        assert_eq!(stretches(&[0, 1, 2, 5, 7, 8]), [0..3, 5..6, 7..9]);
        assert!(stretches(&[]).is_empty());
    }
}
