//! Small notes that outlive a run: what was learnt about a provider.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::sql::At;
use super::{Store, StoreError};

/// A note as it was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// JSON; its form and version are the business of whoever wrote it.
    pub json: String,
    /// When it was written.
    pub at: Timestamp,
}

impl Store {
    /// Keeps a note under `key`, in place of an older one.
    pub fn remember(&mut self, key: &str, json: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.prepare_cached(
                "INSERT INTO memory (key, json, at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key) DO UPDATE SET json = excluded.json, at = excluded.at",
            )?
            .execute(params![key, json, At(now)])?;
            Ok(())
        })
    }

    /// The note under `key`.
    pub fn recall(&self, key: &str) -> Result<Option<Note>, StoreError> {
        self.read(|conn| {
            conn.prepare_cached("SELECT json, at FROM memory WHERE key = ?1")?
                .query_row([key], |row| Ok(Note { json: row.get(0)?, at: row.get::<_, At>(1)?.0 }))
                .optional()
        })
    }
}
