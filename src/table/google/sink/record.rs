//! What a write says of itself in the spreadsheet, in a column of a hidden tab. Pure.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::moved::trimmed;
use super::snapshot::Snapshot;
use super::write::mark;
use crate::table::google::values::text;

/// The header that a write went by, and a note on each row of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record<N> {
    /// As [`shortened`].
    pub(super) header: Vec<String>,
    pub(super) header_row: u32,
    pub(super) key_column: u32,
    /// By the row whose first cell holds the note.
    pub(super) notes: Vec<(u32, N)>,
}

/// What stands beside the header.
#[derive(Serialize, Deserialize)]
struct HeaderNote {
    header: Vec<String>,
    key_column: u32,
}

impl<N: Serialize + DeserializeOwned> Record<N> {
    pub(super) fn new(snapshot: &Snapshot, key_column: u32, notes: Vec<(u32, N)>) -> Self {
        let (header, header_row) = (shortened(&snapshot.header), snapshot.header_row);
        Self { header, header_row, key_column, notes }
    }

    /// The cells of the column that say so: row and text.
    pub(super) fn cells(&self) -> impl Iterator<Item = (u32, String)> {
        let header = HeaderNote { header: self.header.clone(), key_column: self.key_column };
        let header = (self.header_row, serde_json::to_string(&header).unwrap_or_default());
        let notes =
            self.notes.iter().map(|(row, note)| (*row, serde_json::to_string(note).unwrap_or_default()));
        std::iter::once(header).chain(notes)
    }

    /// Reads the column back; none if it is not one of ours.
    pub(super) fn read(column: &[Value]) -> Option<Self> {
        let texts = || (0u32..).zip(column.iter().map(text));
        let header =
            |(row, text): (u32, String)| Some((row, serde_json::from_str::<HeaderNote>(&text).ok()?));
        let (header_row, HeaderNote { header, key_column }) = texts().find_map(header)?;
        let notes = texts().filter_map(|(row, text)| Some((row, serde_json::from_str(&text).ok()?)));
        Some(Self { header, header_row, key_column, notes: notes.collect() })
    }
}

/// A header that fits into a cell however long its names are: they are only ever compared. Without what is empty at
/// its end.
pub(super) fn shortened(header: &[String]) -> Vec<String> {
    let short = |name: &String| if name.is_empty() { String::new() } else { mark(name) };
    trimmed(header).iter().map(short).collect()
}
