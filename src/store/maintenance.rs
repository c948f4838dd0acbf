//! Looking after the file: what is in it, what can go, and whether it is sound.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::answer::StoredAnswer;
use super::outbox::OutboxEntry;
use super::salvage::{is_sound_attempt, is_sound_run};
use super::sql::{At, Count, Money, Print};
use super::{Store, StoreError};
use crate::domain::money::MicroUsd;

/// What is in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Answers.
    pub answers: u64,
    /// The size of the file in bytes, without what is not yet moved into it from its journal.
    pub bytes: u64,
    /// When the oldest answer came.
    pub oldest: Option<Timestamp>,
    /// When the newest answer came.
    pub newest: Option<Timestamp>,
    /// Answers by the model that gave them, most first.
    pub by_model: Vec<(String, u64)>,
    /// Calls that wait for a person.
    pub held: u64,
    /// Results that targets have to take, of all targets.
    pub outbox: u64,
    /// Runs.
    pub runs: u64,
    /// Requests in the ledger.
    pub attempts: u64,
    /// What all of them cost. What is not known counts as estimated.
    pub spent: MicroUsd,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Answers that were not used for long.
    pub answers: u64,
    /// Judgements in the history.
    pub judgements: u64,
    /// Runs.
    pub runs: u64,
    /// Settled requests in the ledger.
    pub attempts: u64,
}

const ANSWERS: &str = "SELECT count(*) FROM call WHERE state = 2";
const BYTES: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";

/// The ledger keeps at least this much: caps by day and by month are reckoned from it.
const LEDGER_KEEPS: SignedDuration = SignedDuration::from_hours(24 * 32);

/// More problems than this are counted, not listed.
const PROBLEMS_LISTED: usize = 100;

impl Store {
    /// How many answers are stored, and how large the file is, in bytes. Quicker than [`Store::stats`].
    pub fn size(&self) -> Result<(u64, u64), StoreError> {
        self.read(|conn| {
            let count = |sql| conn.query_row(sql, [], |row| row.get(0).map(|Count(count)| count));
            Ok((count(ANSWERS)?, count(BYTES)?))
        })
    }

    /// What is in the store.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        self.read(|conn| {
            let count =
                |sql: &'static str| conn.query_row(sql, [], |row| row.get(0).map(|Count(count)| count));
            let moment = |sql: &'static str| {
                conn.query_row(sql, [], |row| Ok(row.get::<_, Option<At>>(0)?.map(|at| at.0)))
            };
            Ok(Stats {
                answers: count(ANSWERS)?,
                bytes: count(BYTES)?,
                oldest: moment("SELECT min(answered_at) FROM call WHERE state = 2")?,
                newest: moment("SELECT max(answered_at) FROM call WHERE state = 2")?,
                by_model: by_model(conn)?,
                held: count("SELECT count(*) FROM call WHERE state = 4")?,
                outbox: count("SELECT count(*) FROM outbox")?,
                runs: count("SELECT count(*) FROM run")?,
                attempts: count("SELECT count(*) FROM attempt")?,
                spent: spent(conn)?,
            })
        })
    }

    /// Removes answers that were not used for `older_than`, and the history, the runs and the ledger from
    /// before that; the last month of runs and ledger stays. What may still cost money or has not reached
    /// its target stays, whatever its age: calls in flight or held, and the outbox.
    pub fn prune(&mut self, older_than: SignedDuration, now: Timestamp) -> Result<Pruned, StoreError> {
        let cutoff = before(now, older_than);
        let ledger_cutoff = cutoff.min(before(now, LEDGER_KEEPS));
        self.write(|tx| {
            let delete =
                |sql: &'static str, until: Timestamp| tx.execute(sql, [At(until)]).map(|rows| rows as u64);
            Ok(Pruned {
                answers: delete("DELETE FROM call WHERE state IN (0, 2) AND used_at < ?1", cutoff)?,
                judgements: delete("DELETE FROM history WHERE at < ?1", cutoff)?,
                runs: delete("DELETE FROM run WHERE outcome IS NOT NULL AND started_at < ?1", ledger_cutoff)?,
                attempts: delete(
                    "DELETE FROM attempt WHERE outcome IS NOT NULL AND sent_at < ?1",
                    ledger_cutoff,
                )?,
            })
        })
    }

    /// Removes all answers; everything else stays. Says how many.
    pub fn clear(&mut self) -> Result<u64, StoreError> {
        self.write(|tx| {
            let answers = tx.execute("DELETE FROM call WHERE state = 2", [])?;
            tx.execute("DELETE FROM call WHERE state = 0", [])?;
            Ok(answers as u64)
        })
    }

    /// Gives the space of what was removed back to the disk. Needs as much room as the file has, for a while.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        let compacted = self.conn.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
        compacted.map_err(|error| StoreError::from_sqlite(&self.path, error))
    }

    /// Checks that the file holds together, its indexes included and the checksums of its records not, which are looked
    /// at when they are read, and that the runs and the ledger can be read.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the first thing that is wrong; others if the file cannot be read just now.
    pub fn check(&self) -> Result<(), StoreError> {
        let found =
            self.read(|conn| conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0)))?;
        let damage = match found.as_str() {
            "ok" => self.read(unreadable_record)?,
            _ => Some(found),
        };
        damage.map_or(Ok(()), |detail| Err(StoreError::Corrupt { path: self.path.clone(), detail }))
    }

    /// Checks the whole file and every checksum; an empty list means that all is sound.
    pub fn verify(&self) -> Result<Vec<String>, StoreError> {
        let checks: [fn(&Connection, &mut Problems) -> rusqlite::Result<()>; 3] =
            [check_file, check_answers, check_outbox];
        let mut problems = Problems::default();
        for check in checks {
            match self.read(|conn| check(conn, &mut problems)) {
                Err(StoreError::Corrupt { detail, .. }) => problems.add(detail),
                other => other?,
            }
        }
        Ok(problems.into_list())
    }
}

/// What of the runs or the ledger cannot be what it says it is.
fn unreadable_record(conn: &Connection) -> rusqlite::Result<Option<String>> {
    let mut attempts = conn.prepare("SELECT * FROM attempt")?;
    let mut rows = attempts.query([])?;
    while let Some(row) = rows.next()? {
        let cost = row.get::<_, Option<Money>>("cost").map(drop);
        if let Err(error) = is_sound_attempt(row).and(cost) {
            return Ok(Some(format!("a request of the ledger: {error}")));
        }
    }
    let mut runs = conn.prepare("SELECT * FROM run")?;
    let mut rows = runs.query([])?;
    while let Some(row) = rows.next()? {
        if let Err(error) = is_sound_run(row) {
            return Ok(Some(format!("a run: {error}")));
        }
    }
    Ok(None)
}

#[derive(Default)]
struct Problems {
    listed: Vec<String>,
    more: u64,
}

impl Problems {
    fn add(&mut self, problem: String) {
        if self.listed.len() < PROBLEMS_LISTED {
            self.listed.push(problem);
        } else {
            self.more += 1;
        }
    }

    fn into_list(mut self) -> Vec<String> {
        if self.more > 0 {
            self.listed.push(format!("and {} more", self.more));
        }
        self.listed
    }
}

fn before(now: Timestamp, age: SignedDuration) -> Timestamp {
    now.checked_sub(age).unwrap_or(Timestamp::MIN)
}

fn by_model(conn: &Connection) -> rusqlite::Result<Vec<(String, u64)>> {
    conn.prepare(
        "SELECT model, count(*) FROM call WHERE state = 2 GROUP BY model ORDER BY count(*) DESC, model",
    )?
    .query_map([], |row| Ok((row.get(0)?, row.get::<_, Count>(1)?.0)))?
    .collect()
}

fn spent(conn: &Connection) -> rusqlite::Result<MicroUsd> {
    conn.prepare("SELECT coalesce(cost, estimate) FROM attempt")?
        .query_map([], |row| row.get(0).map(|Money(amount)| amount))?
        .sum()
}

fn check_file(conn: &Connection, problems: &mut Problems) -> rusqlite::Result<()> {
    let mut statement = conn.prepare("PRAGMA integrity_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match row.get::<_, String>(0)? {
            ok if ok == "ok" => {}
            problem => problems.add(problem),
        }
    }
    Ok(())
}

fn check_answers(conn: &Connection, problems: &mut Problems) -> rusqlite::Result<()> {
    let mut statement = conn.prepare("SELECT * FROM call WHERE state = 2")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let fingerprint = row.get::<_, Print>("fingerprint")?.0;
        if StoredAnswer::read(row, fingerprint).is_none() {
            problems.add(format!("the answer to {fingerprint} is damaged: it will be asked for again"));
        }
    }
    Ok(())
}

fn check_outbox(conn: &Connection, problems: &mut Problems) -> rusqlite::Result<()> {
    let mut statement = conn.prepare("SELECT * FROM outbox")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if OutboxEntry::read(row).is_none() {
            let key: String = row.get("row_key")?;
            problems.add(format!("the result waiting for row «{key}» is damaged: it will be found again"));
        }
    }
    Ok(())
}
