//! The outbox: results that a target has not confirmed yet. They outlive every crash.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::sql::{At, Count, Id, Key, checksum, from_versioned_json, to_versioned_json};
use super::{Store, StoreError};
use crate::domain::key::RowKey;
use crate::domain::results::ResultRow;

/// Names one version of a row's result, so that confirming an older one does not drop a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WriteId(pub Uuid);

/// A result on its way to a target. There is one a row and target: the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The target's id.
    pub target: String,
    /// Names this version of the result.
    pub write_id: WriteId,
    /// The run that found it.
    pub run: String,
    /// What is to stand in the target. Its key is the entry's key.
    pub row: ResultRow,
}

/// What a target has to take, in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Results.
    pub rows: u64,
    /// When the oldest of them was found.
    pub since: Option<Timestamp>,
}

impl Store {
    /// What `target` has to take: in the order of row keys, those after `after`, at most `limit`.
    ///
    /// Entries that cannot be read stay where they are and show up in [`Store::notices`]; the next result
    /// for their rows replaces them.
    pub fn pending(
        &mut self,
        target: &str,
        after: Option<&RowKey>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let (entries, unreadable) = self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT target, row_key, write_id, run, payload, checksum FROM outbox
                 WHERE target = ?1 AND row_key >= ?2 AND row_key IS NOT ?3 ORDER BY row_key",
            )?;
            let mut rows =
                statement.query(params![target, after.map_or("", RowKey::as_str), after.map(Key)])?;
            let (mut entries, mut unreadable) = (Vec::new(), 0);
            while entries.len() < limit {
                let Some(row) = rows.next()? else { break };
                match OutboxEntry::read(row) {
                    Some(entry) => entries.push(entry),
                    None => unreadable += 1,
                }
            }
            Ok((entries, unreadable))
        })?;
        self.notes.unreadable_records += unreadable;
        Ok(entries)
    }

    /// Drops what the target has confirmed; where a newer result has come meanwhile, it stays. Says how
    /// many were dropped.
    pub fn confirm(&mut self, target: &str, confirmed: &[(RowKey, WriteId)]) -> Result<usize, StoreError> {
        self.write(|tx| {
            let mut delete =
                tx.prepare_cached("DELETE FROM outbox WHERE target = ?1 AND row_key = ?2 AND write_id = ?3")?;
            confirmed
                .iter()
                .map(|(key, write_id)| delete.execute(params![target, Key(key), Id(write_id.0)]))
                .sum()
        })
    }

    /// How many results `target` has to take, and since when the oldest waits.
    pub fn waiting(&self, target: &str) -> Result<Waiting, StoreError> {
        self.read(|conn| {
            conn.prepare_cached("SELECT count(*), min(created_at) FROM outbox WHERE target = ?1")?.query_row(
                [target],
                |row| {
                    let (Count(rows), since) = (row.get(0)?, row.get::<_, Option<At>>(1)?);
                    Ok(Waiting { rows, since: since.map(|at| at.0) })
                },
            )
        })
    }
}

impl OutboxEntry {
    pub(super) fn write(&self, conn: &Connection, now: Timestamp) -> rusqlite::Result<()> {
        let payload = to_versioned_json(&self.row)?;
        conn.prepare_cached(
            "INSERT INTO outbox (target, row_key, write_id, run, payload, checksum, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (target, row_key) DO UPDATE SET
                 write_id = excluded.write_id, run = excluded.run, payload = excluded.payload,
                 checksum = excluded.checksum, created_at = excluded.created_at",
        )?
        .execute(params![
            self.target,
            Key(&self.row.key),
            Id(self.write_id.0),
            self.run,
            payload,
            self.checksum(&payload),
            At(now),
        ])?;
        Ok(())
    }

    /// Reads an entry; none if it is damaged or in a form that is not known here.
    pub(super) fn read(row: &Row<'_>) -> Option<Self> {
        let payload: String = row.get("payload").ok()?;
        let key: String = row.get("row_key").ok()?;
        let entry = Self {
            target: row.get("target").ok()?,
            write_id: WriteId(row.get::<_, Id>("write_id").ok()?.0),
            run: row.get("run").ok()?,
            row: from_versioned_json(&payload)?,
        };
        let stored: [u8; 32] = row.get("checksum").ok()?;
        (entry.row.key.as_str() == key && stored == entry.checksum(&payload)).then_some(entry)
    }

    fn checksum(&self, payload: &str) -> [u8; 32] {
        let fields =
            [self.target.as_bytes(), self.write_id.0.as_bytes(), self.run.as_bytes(), payload.as_bytes()];
        checksum("outbox", &fields)
    }
}
