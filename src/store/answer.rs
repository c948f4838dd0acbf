//! An answer as the store keeps it: it says who gave it and what it cost, and it notices damage.

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, Row, params};

use super::sql::{At, Money, Print, checksum, from_versioned_json, to_versioned_json};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::money::{MicroUsd, Usage};

/// An answer that was paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The provider's name in the settings.
    pub provider: String,
    /// The model asked for: the answer counts while this one is among the configured ones.
    pub model_asked: String,
    /// The model that answered, as the provider names it.
    pub model: String,
    /// The answer as it came.
    pub text: String,
    /// What it used.
    pub usage: Usage,
    /// What it cost.
    pub cost: MicroUsd,
    /// When it came; kept to the microsecond.
    pub at: Timestamp,
}

impl StoredAnswer {
    /// Makes this the answer to the call, given by the attempt `seq`, unless the call has a later one.
    pub(super) fn write(
        &self,
        conn: &Connection,
        fingerprint: Fingerprint,
        seq: i64,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let usage = to_versioned_json(&self.usage)?;
        conn.prepare_cached(
            "INSERT INTO call (fingerprint, state, sent_by, answered_by, provider, model_asked, model, answer,
                               usage, cost, answered_at, checksum, used_at)
             VALUES (?1, 2, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (fingerprint) DO UPDATE SET
                 state = 2, answered_by = excluded.answered_by, provider = excluded.provider,
                 model_asked = excluded.model_asked, model = excluded.model, answer = excluded.answer,
                 usage = excluded.usage, cost = excluded.cost, answered_at = excluded.answered_at,
                 checksum = excluded.checksum, used_at = excluded.used_at
             WHERE answered_by IS NULL OR answered_by < excluded.answered_by",
        )?
        .execute(params![
            Print(fingerprint),
            seq,
            self.provider,
            self.model_asked,
            self.model,
            self.text,
            usage,
            Money(self.cost),
            At(self.at),
            self.checksum(fingerprint, &usage),
            At(now),
        ])?;
        Ok(())
    }

    /// Reads the answer to `fingerprint` from the columns of [`ANSWER`]; none if it is damaged.
    pub(super) fn read(row: &Row<'_>, fingerprint: Fingerprint) -> Option<Self> {
        let usage: String = row.get("usage").ok()?;
        let answer = Self {
            provider: row.get("provider").ok()?,
            model_asked: row.get("model_asked").ok()?,
            model: row.get("model").ok()?,
            text: row.get("answer").ok()?,
            usage: from_versioned_json(&usage)?,
            cost: row.get::<_, Money>("cost").ok()?.0,
            at: row.get::<_, At>("answered_at").ok()?.0,
        };
        let stored: [u8; 32] = row.get("checksum").ok()?;
        (stored == answer.checksum(fingerprint, &usage)).then_some(answer)
    }

    fn checksum(&self, fingerprint: Fingerprint, usage: &str) -> [u8; 32] {
        // As stored: an absurd cost is clamped, a moment is cut to the microsecond.
        let cost = i64::try_from(self.cost.0).unwrap_or(i64::MAX);
        checksum(
            "answer",
            &[
                &fingerprint.0,
                self.provider.as_bytes(),
                self.model_asked.as_bytes(),
                self.model.as_bytes(),
                self.text.as_bytes(),
                usage.as_bytes(),
                &cost.to_le_bytes(),
                &self.at.as_microsecond().to_le_bytes(),
            ],
        )
    }
}

/// The statement that gives a call's state and its answer.
pub(super) fn select(conn: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    conn.prepare_cached(
        "SELECT state, used_at, provider, model_asked, model, answer, usage, cost, answered_at, checksum
         FROM call WHERE fingerprint = ?1",
    )
}
