//! The ledger: every request that may cost money is written down before it leaves, and settled after.
//!
//! The life of a call is `send`, then one of `answer`, `reject` and `release`. What is not known to be
//! free counts with its estimate, so the ledger never shows less than was spent. Every step may be repeated
//! with the same arguments, and a step of an attempt that the file does not know (it was replaced by a new
//! one meanwhile) writes the attempt down first.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::answer::StoredAnswer;
use super::results::Results;
use super::sql::{At, Id, Money, Print, to_versioned_json};
use super::{Store, StoreError};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::money::{MicroUsd, Usage};

/// Names one request to a model. Chosen by whoever sends it, a new one for each request, so that a repeated
/// [`Store::send`] is one entry in the ledger and two requests are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(pub Uuid);

/// One life of one process: a new one each time the engine starts, and kept over a reopened store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner(pub Uuid);

/// A request that is about to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Its name.
    pub attempt: AttemptId,
    /// The call that it is to answer.
    pub fingerprint: Fingerprint,
    /// The run that pays.
    pub run: String,
    /// Who sends it.
    pub owner: Owner,
    /// The provider's name in the settings.
    pub provider: String,
    /// The model asked for.
    pub model: String,
    /// What it may cost.
    pub estimate: MicroUsd,
}

/// A request that is written down and may leave.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an attempt ends with answer, reject or release"]
pub struct Attempt {
    sending: Sending,
    at: Timestamp,
}

impl Attempt {
    /// What was sent.
    pub fn sending(&self) -> &Sending {
        &self.sending
    }
}

/// An attempt that got its answer, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The attempt.
    pub attempt: &'a Attempt,
    /// Its answer.
    pub answer: &'a StoredAnswer,
    /// The rows that rest on it.
    pub results: &'a Results,
}

impl Store {
    /// Writes down that a request is about to leave. Only after this may it be sent, once.
    pub fn send(&mut self, sending: &Sending, now: Timestamp) -> Result<Attempt, StoreError> {
        self.send_many(std::slice::from_ref(sending), now)?;
        Ok(Attempt { sending: sending.clone(), at: now })
    }

    /// [`Store::send`] for several requests, with one wait for the disk. All are written down, or none.
    pub fn send_many(&mut self, sendings: &[Sending], now: Timestamp) -> Result<Vec<Attempt>, StoreError> {
        let attempts: Vec<Attempt> =
            sendings.iter().map(|sending| Attempt { sending: sending.clone(), at: now }).collect();
        self.write(|tx| attempts.iter().try_for_each(|attempt| mark_sent(tx, attempt)))?;
        Ok(attempts)
    }

    /// Settles the attempt, keeps the answer and puts the rows that rest on it into the outbox: all of it
    /// is durable when this returns, or nothing is.
    pub fn answer(
        &mut self,
        attempt: &Attempt,
        answer: &StoredAnswer,
        results: &Results,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.answer_many(&[Answered { attempt, answer, results }], now)
    }

    /// [`Store::answer`] for several attempts, with one wait for the disk.
    pub fn answer_many(&mut self, answered: &[Answered<'_>], now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| {
            for Answered { attempt, answer, results } in answered {
                let seq = seq_of(tx, attempt)?;
                let bill = Bill {
                    outcome: "answered",
                    cost: Some(answer.cost),
                    usage: Some(answer.usage),
                    error: None,
                };
                settle(tx, seq, &bill, now)?;
                answer.write(tx, attempt.sending.fingerprint, seq, now)?;
                results.write(tx, now)?;
            }
            Ok(())
        })
    }

    /// Settles an attempt that was paid for and cannot be used: its answer was cut, or does not fit. The
    /// answer is not kept, and the call can be asked again.
    pub fn reject(
        &mut self,
        attempt: &Attempt,
        usage: Usage,
        cost: MicroUsd,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let bill = Bill { outcome: "rejected", cost: Some(cost), usage: Some(usage), error: Some(why) };
        self.close(attempt, &bill, now)
    }

    /// Settles an attempt without an answer; the call can be asked again. If it may have been paid for (a
    /// time-out), its estimate goes on counting; if not (refused, rate limited), it cost nothing.
    pub fn release(
        &mut self,
        attempt: &Attempt,
        error: &str,
        maybe_paid: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (outcome, cost) = if maybe_paid { ("unknown", None) } else { ("refused", Some(MicroUsd(0))) };
        self.close(attempt, &Bill { outcome, cost, usage: None, error: Some(error) }, now)
    }

    /// What was spent since `since`, by the time of sending. What is not known counts as estimated.
    pub fn spent_since(&self, since: Timestamp) -> Result<MicroUsd, StoreError> {
        self.read(|conn| {
            conn.prepare_cached("SELECT coalesce(cost, estimate) FROM attempt WHERE sent_at >= ?1")?
                .query_map([At(since)], |row| row.get(0).map(|Money(amount)| amount))?
                .sum()
        })
    }

    fn close(&mut self, attempt: &Attempt, bill: &Bill<'_>, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| {
            let seq = seq_of(tx, attempt)?;
            settle(tx, seq, bill, now)?;
            tx.prepare_cached(
                "UPDATE call SET state = 0 WHERE fingerprint = ?1 AND state IN (1, 4) AND sent_by = ?2",
            )?
            .execute(params![Print(attempt.sending.fingerprint), seq])?;
            Ok(())
        })
    }
}

/// What an attempt came to.
struct Bill<'a> {
    outcome: &'static str,
    cost: Option<MicroUsd>,
    usage: Option<Usage>,
    error: Option<&'a str>,
}

fn mark_sent(conn: &Connection, attempt: &Attempt) -> rusqlite::Result<()> {
    if find(conn, attempt)?.is_some() {
        return Ok(());
    }
    let seq = insert(conn, attempt)?;
    // A call that has an answer keeps it, and stays done, until a newer one is there.
    conn.prepare_cached(
        "INSERT INTO call (fingerprint, state, sent_by, used_at) VALUES (?1, 1, ?2, ?3)
         ON CONFLICT (fingerprint) DO UPDATE SET
             state = CASE state WHEN 2 THEN 2 ELSE 1 END, sent_by = excluded.sent_by, used_at = excluded.used_at",
    )?
    .execute(params![Print(attempt.sending.fingerprint), seq, At(attempt.at)])?;
    Ok(())
}

fn seq_of(conn: &Connection, attempt: &Attempt) -> rusqlite::Result<i64> {
    match find(conn, attempt)? {
        Some(seq) => Ok(seq),
        None => insert(conn, attempt),
    }
}

fn find(conn: &Connection, attempt: &Attempt) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT seq FROM attempt WHERE id = ?1")?
        .query_row([Id(attempt.sending.attempt.0)], |row| row.get(0))
        .optional()
}

fn insert(conn: &Connection, Attempt { sending, at }: &Attempt) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO attempt (id, fingerprint, run, owner, provider, model, estimate, sent_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .insert(params![
        Id(sending.attempt.0),
        Print(sending.fingerprint),
        sending.run,
        Id(sending.owner.0),
        sending.provider,
        sending.model,
        Money(sending.estimate),
        At(*at),
    ])
}

/// Closes the attempt, once: only an attempt of which nothing is known yet can come to something else.
fn settle(conn: &Connection, seq: i64, bill: &Bill<'_>, now: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE attempt SET outcome = ?2, cost = ?3, usage = ?4, error = ?5, closed_at = ?6
         WHERE seq = ?1 AND (outcome IS NULL OR outcome = 'unknown' OR (outcome = 'refused' AND ?2 <> 'unknown'))",
    )?
    .execute(params![
        seq,
        bill.outcome,
        bill.cost.map(Money),
        bill.usage.as_ref().map(to_versioned_json).transpose()?,
        bill.error,
        At(now),
    ])?;
    Ok(())
}
