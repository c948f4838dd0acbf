//! What models' answers led to, row by row and run by run: for `explain`, and to know what was judged when.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::sql::{At, Key, Print, checksum, from_versioned_json, to_versioned_json};
use super::{Store, StoreError};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::key::RowKey;
use crate::domain::verdict::Verdict;

/// Which rows of a job are wanted, with their last judgement or that of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JudgedRows {
    /// The job's name in the settings.
    pub job: String,
    /// As this run judged them; none: as they were judged last.
    pub run: Option<String>,
    /// Only those that are valid, or those that are not.
    pub valid: Option<bool>,
    /// Only those after this key.
    pub after: Option<RowKey>,
    /// At most so many.
    pub limit: usize,
}

/// One row judged with a model's answer in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The job's name in the settings.
    pub job: String,
    /// The row.
    pub row_key: RowKey,
    /// The run.
    pub run: String,
    /// The call whose answer it rests on.
    pub fingerprint: Fingerprint,
    /// The verdict, code checks included.
    pub verdict: Verdict,
    /// When; kept to the microsecond.
    pub at: Timestamp,
}

impl Store {
    /// The last judgements of a row, newest first, at most `limit`.
    pub fn history(&mut self, job: &str, row_key: &RowKey, limit: usize) -> Result<Vec<Judged>, StoreError> {
        let (judged, unreadable) = self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT run, at, fingerprint, verdict, checksum FROM history
                 WHERE job = ?1 AND row_key = ?2 ORDER BY at DESC, rowid DESC",
            )?;
            let mut rows = statement.query(params![job, Key(row_key)])?;
            let (mut judged, mut unreadable) = (Vec::new(), 0);
            while judged.len() < limit {
                let Some(row) = rows.next()? else { break };
                match Judged::read(row, job, row_key) {
                    Some(one) => judged.push(one),
                    None => unreadable += 1,
                }
            }
            Ok((judged, unreadable))
        })?;
        self.notes.unreadable_records += unreadable;
        Ok(judged)
    }
}

impl Store {
    /// Rows of a job by key, each once.
    pub fn judged(&mut self, wanted: &JudgedRows) -> Result<Vec<Judged>, StoreError> {
        let after = wanted.after.as_ref().map(|key| key.as_str()).unwrap_or_default();
        let (judged, unreadable) = self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT row_key, run, at, fingerprint, verdict, checksum FROM history AS one
                 WHERE job = ?1 AND row_key > ?2 AND (?3 IS NULL OR is_valid = ?3)
                 AND CASE WHEN ?4 IS NULL
                     THEN rowid = (SELECT rowid FROM history WHERE job = ?1 AND row_key = one.row_key
                                   ORDER BY at DESC, rowid DESC LIMIT 1)
                     ELSE run = ?4 END
                 ORDER BY row_key",
            )?;
            let mut rows = statement.query(params![wanted.job, after, wanted.valid, wanted.run])?;
            let (mut judged, mut unreadable) = (Vec::new(), 0);
            while judged.len() < wanted.limit {
                let Some(row) = rows.next()? else { break };
                let key = RowKey::stored(row.get::<_, String>("row_key")?);
                match Judged::read(row, &wanted.job, &key) {
                    Some(one) => judged.push(one),
                    None => unreadable += 1,
                }
            }
            Ok((judged, unreadable))
        })?;
        self.notes.unreadable_records += unreadable;
        Ok(judged)
    }
}

impl Judged {
    pub(super) fn write(&self, conn: &Connection) -> rusqlite::Result<()> {
        let verdict = to_versioned_json(&self.verdict)?;
        conn.prepare_cached(
            "INSERT INTO history (job, row_key, run, at, fingerprint, is_valid, verdict, checksum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (job, row_key, run) DO UPDATE SET
                 at = excluded.at, fingerprint = excluded.fingerprint, is_valid = excluded.is_valid,
                 verdict = excluded.verdict, checksum = excluded.checksum",
        )?
        .execute(params![
            self.job,
            Key(&self.row_key),
            self.run,
            At(self.at),
            Print(self.fingerprint),
            self.verdict.valid,
            verdict,
            self.checksum(&verdict),
        ])?;
        Ok(())
    }

    pub(super) fn read(row: &Row<'_>, job: &str, row_key: &RowKey) -> Option<Self> {
        let verdict: String = row.get("verdict").ok()?;
        let judged = Self {
            job: job.to_owned(),
            row_key: row_key.clone(),
            run: row.get("run").ok()?,
            fingerprint: row.get::<_, Print>("fingerprint").ok()?.0,
            verdict: from_versioned_json(&verdict)?,
            at: row.get::<_, At>("at").ok()?.0,
        };
        let stored: [u8; 32] = row.get("checksum").ok()?;
        (stored == judged.checksum(&verdict)).then_some(judged)
    }

    fn checksum(&self, verdict: &str) -> [u8; 32] {
        checksum(
            "history",
            &[
                self.job.as_bytes(),
                self.row_key.as_str().as_bytes(),
                self.run.as_bytes(),
                &self.fingerprint.0,
                verdict.as_bytes(),
                &self.at.as_microsecond().to_le_bytes(),
            ],
        )
    }
}
