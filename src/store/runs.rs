//! Runs: what was started, how it ended, and what a run that died left behind.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::ledger::Owner;
use super::sql::{At, Count, Id, Money};
use super::{Store, StoreError};
use crate::domain::money::MicroUsd;

/// A run that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStart {
    /// Its id.
    pub run_id: String,
    /// Whose run it is.
    pub owner: Owner,
    /// The job's name in the settings.
    pub job: String,
    /// What people call the source.
    pub source: String,
    /// What people call the target.
    pub target: String,
    /// When it began.
    pub started: Timestamp,
}

/// What becomes of calls that a crash left without an answer, and that may have been paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// They are asked again, those held before included. At most the calls in flight at a crash are paid
    /// for twice, and the ledger shows both.
    Retry,
    /// They wait for a person, who lets them go by a run with [`Unknown::Retry`].
    Hold,
}

/// What a beginning run found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Requests of dead runs that left and have no answer.
    pub unanswered: u64,
    /// Calls that are held now.
    pub held: u64,
    /// Runs that ended without saying so, oldest first.
    pub interrupted_runs: Vec<String>,
    /// Rows that the last run over the same source read to its end.
    pub rows_before: Option<u64>,
}

/// A run, as the history knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// How it began.
    pub start: RunStart,
    /// When it ended; none while it runs, and for a run that died.
    pub ended: Option<Timestamp>,
    /// How it ended: the word that `end_run` was given, `interrupted` for a run that died.
    pub outcome: Option<String>,
    /// Its report, as `end_run` was given it.
    pub report: Option<String>,
    /// What it spent so far. What is not known counts as estimated.
    pub spent: MicroUsd,
}

/// The outcome of a run that another run found dead.
const INTERRUPTED: &str = "interrupted";

impl Store {
    /// Writes down that a run begins, and clears up after those that died.
    ///
    /// An open attempt is an orphan if its owner is another one, or if its own run has ended. That other
    /// owners are dead is for the caller to know, who holds the lock of the only instance. Should two live
    /// engines share a file nevertheless, the worst is a call in flight that is asked twice: late answers
    /// are accepted, and the ledger shows both.
    pub fn begin_run(
        &mut self,
        run: &RunStart,
        unknown: Unknown,
        now: Timestamp,
    ) -> Result<Recovery, StoreError> {
        self.write(|tx| {
            insert(tx, run)?;
            tx.prepare_cached(
                "UPDATE run SET outcome = ?1, found_by = ?2 WHERE outcome IS NULL AND owner <> ?3",
            )?
            .execute(params![INTERRUPTED, run.run_id, Id(run.owner.0)])?;
            let unanswered = settle_orphans(tx, run.owner, unknown, now)?;
            tx.prepare_cached("UPDATE run SET unanswered = unanswered + ?2 WHERE id = ?1")?
                .execute(params![run.run_id, unanswered])?;
            let rows_before = rows_of_last_run(tx, &run.source)?;
            Ok(Recovery { rows_before, ..recovery(tx, &run.run_id)? })
        })
    }

    /// Writes down how a run ended. False if the run is not known (the file was replaced meanwhile).
    pub fn end_run(
        &mut self,
        run_id: &str,
        outcome: &str,
        report_json: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|tx| {
            let changed = tx
                .prepare_cached("UPDATE run SET outcome = ?2, report = ?3, ended_at = ?4 WHERE id = ?1")?
                .execute(params![run_id, outcome, report_json, At(now)])?;
            Ok(changed > 0)
        })
    }

    /// The last runs, newest first, at most `limit`.
    pub fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|conn| {
            conn.prepare_cached(
                "SELECT id, owner, job, source, target, started_at, ended_at, outcome, report
                 FROM run ORDER BY started_at DESC, rowid DESC LIMIT ?1",
            )?
            .query_map([limit], |row| read(conn, row))?
            .collect()
        })
    }

    /// The last runs of a job, or of all, that began before a moment; newest first, at most `limit`.
    pub fn runs_before(
        &self,
        job: Option<&str>,
        before: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<RunRecord>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|conn| {
            conn.prepare_cached(
                "SELECT id, owner, job, source, target, started_at, ended_at, outcome, report FROM run
                 WHERE (?1 IS NULL OR job = ?1) AND (?2 IS NULL OR started_at < ?2)
                 ORDER BY started_at DESC, rowid DESC LIMIT ?3",
            )?
            .query_map(params![job, before.map(At), limit], |row| read(conn, row))?
            .collect()
        })
    }

    /// The run of this very id.
    pub fn run_of_id(&self, id: &str) -> Result<Option<RunRecord>, StoreError> {
        self.read(|conn| {
            conn.prepare_cached(
                "SELECT id, owner, job, source, target, started_at, ended_at, outcome, report FROM run WHERE id = ?1",
            )?
            .query_row([id], |row| read(conn, row))
            .optional()
        })
    }

    /// The run of this id, or the only one whose id begins like this.
    pub fn run(&self, id_or_prefix: &str) -> Result<Option<RunRecord>, StoreError> {
        let matches: Vec<RunRecord> = self.read(|conn| {
            conn.prepare_cached(
                "SELECT id, owner, job, source, target, started_at, ended_at, outcome, report
                 FROM run WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id <> ?1, id LIMIT 4",
            )?
            .query_map([id_or_prefix], |row| read(conn, row))?
            .collect()
        })?;
        match matches.as_slice() {
            [first, second, ..] if first.start.run_id != id_or_prefix => Err(StoreError::AmbiguousRun {
                prefix: id_or_prefix.to_owned(),
                matches: [first, second].map(|run| run.start.run_id.clone()).to_vec(),
            }),
            _ => Ok(matches.into_iter().next()),
        }
    }
}

fn insert(conn: &Connection, run: &RunStart) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO run (id, owner, job, source, target, started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO NOTHING",
    )?
    .execute(params![run.run_id, Id(run.owner.0), run.job, run.source, run.target, At(run.started)])?;
    Ok(())
}

/// Marks the attempts of dead runs as unknown and their calls as ready or held. Says how many attempts.
fn settle_orphans(
    conn: &Connection,
    owner: Owner,
    unknown: Unknown,
    now: Timestamp,
) -> rusqlite::Result<i64> {
    let state = match unknown {
        Unknown::Retry => 0,
        Unknown::Hold => 4,
    };
    conn.prepare_cached(
        "UPDATE call SET state = ?2 WHERE state = 1 AND sent_by IN (
             SELECT seq FROM attempt WHERE outcome IS NULL
             AND (owner <> ?1 OR EXISTS (SELECT 1 FROM run WHERE run.id = attempt.run AND run.outcome IS NOT NULL)))",
    )?
    .execute(params![Id(owner.0), state])?;
    if unknown == Unknown::Retry {
        conn.prepare_cached("UPDATE call SET state = 0 WHERE state = 4")?.execute([])?;
    }
    let orphans = conn
        .prepare_cached(
            "UPDATE attempt SET outcome = 'unknown', closed_at = ?2 WHERE outcome IS NULL
             AND (owner <> ?1 OR EXISTS (SELECT 1 FROM run WHERE run.id = attempt.run AND run.outcome IS NOT NULL))",
        )?
        .execute(params![Id(owner.0), At(now)])?;
    Ok(i64::try_from(orphans).unwrap_or(i64::MAX))
}

fn rows_of_last_run(conn: &Connection, source: &str) -> rusqlite::Result<Option<u64>> {
    let rows = conn
        .prepare_cached(
            "SELECT report ->> '$.rows_read' FROM run
             WHERE source = ?1 AND outcome IN ('ok', 'partial') AND json_valid(report)
             ORDER BY started_at DESC, rowid DESC LIMIT 1",
        )?
        .query_row([source], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(rows.flatten().and_then(|rows| u64::try_from(rows).ok()))
}

/// What the run found, from what it wrote down: the same for a repeated call.
fn recovery(conn: &Connection, run_id: &str) -> rusqlite::Result<Recovery> {
    let unanswered = conn
        .prepare_cached("SELECT unanswered FROM run WHERE id = ?1")?
        .query_row([run_id], |row| row.get(0).map(|Count(attempts)| attempts))
        .optional()?;
    let held = conn
        .prepare_cached("SELECT count(*) FROM call WHERE state = 4")?
        .query_row([], |row| row.get(0).map(|Count(calls)| calls))?;
    let interrupted_runs = conn
        .prepare_cached("SELECT id FROM run WHERE found_by = ?1 ORDER BY started_at, rowid")?
        .query_map([run_id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let unanswered = unanswered.unwrap_or_default();
    Ok(Recovery { unanswered, held, interrupted_runs, rows_before: None })
}

fn read(conn: &Connection, row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let run_id: String = row.get("id")?;
    let spent = conn
        .prepare_cached("SELECT coalesce(cost, estimate) FROM attempt WHERE run = ?1")?
        .query_map([&run_id], |row| row.get(0).map(|Money(amount)| amount))?
        .sum::<rusqlite::Result<MicroUsd>>()?;
    let start = RunStart {
        run_id,
        owner: Owner(row.get::<_, Id>("owner")?.0),
        job: row.get("job")?,
        source: row.get("source")?,
        target: row.get("target")?,
        started: row.get::<_, At>("started_at")?.0,
    };
    let ended = row.get::<_, Option<At>>("ended_at")?.map(|at| at.0);
    Ok(RunRecord { start, ended, outcome: row.get("outcome")?, report: row.get("report")?, spent })
}
