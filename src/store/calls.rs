//! What is known of a call: missing, answered, or held for a person.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::answer::{self, StoredAnswer};
use super::sql::{At, Print};
use super::{Store, StoreError};
use crate::domain::fingerprint::Fingerprint;

/// What the store knows of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// No answer: to be asked.
    Missing,
    /// Answered before.
    Answered(StoredAnswer),
    /// A crash left it without an answer that may have been paid for; it waits for a person's word.
    Held,
}

/// How old the mark of an answer's last use may grow before a look-up renews it: a read is seldom a write.
const USE_IS_MARKED_EVERY: SignedDuration = SignedDuration::from_hours(24);

impl Store {
    /// True if any answer is stored.
    pub fn has_answers(&self) -> Result<bool, StoreError> {
        self.read(|conn| {
            conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM call WHERE answer IS NOT NULL)")?
                .query_row([], |row| row.get(0))
        })
    }

    /// What is known of each of these calls, in their order.
    ///
    /// A damaged answer counts as missing and shows up in [`Store::notices`].
    pub fn lookup(&mut self, calls: &[Fingerprint], now: Timestamp) -> Result<Vec<Known>, StoreError> {
        let found =
            self.read(|conn| calls.iter().map(|call| look(conn, *call, now)).collect::<Result<Vec<_>, _>>())?;
        let with =
            |mark: Mark| calls.iter().zip(&found).filter(move |(_, f)| f.mark == mark).map(|(call, _)| *call);
        let (used, damaged): (Vec<_>, Vec<_>) = (with(Mark::Used).collect(), with(Mark::Damaged).collect());
        self.notes.damaged_answers += damaged.len() as u64;
        if !used.is_empty() || !damaged.is_empty() {
            let marked = self.write(|tx| mark(tx, &used, &damaged, now));
            // The answers are good even where a full disk takes no marks.
            self.notes.marks_failed = marked.err().map(|error| error.to_string());
        }
        Ok(found.into_iter().map(|found| found.known).collect())
    }
}

struct Found {
    known: Known,
    mark: Mark,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Nothing is to be written.
    None,
    /// The answer was used, and the store's mark of that is old.
    Used,
    /// The answer cannot be trusted.
    Damaged,
}

fn look(conn: &Connection, call: Fingerprint, now: Timestamp) -> rusqlite::Result<Found> {
    let found = answer::select(conn)?.query_row([Print(call)], |row| Ok(read(row, call, now))).optional()?;
    Ok(found.unwrap_or(Found { known: Known::Missing, mark: Mark::None }))
}

fn read(row: &Row<'_>, call: Fingerprint, now: Timestamp) -> Found {
    match row.get("state") {
        Ok(0 | 1) => Found { known: Known::Missing, mark: Mark::None },
        Ok(4) => Found { known: Known::Held, mark: Mark::None },
        Ok(2) => match StoredAnswer::read(row, call) {
            Some(answer) => {
                let fresh = row
                    .get::<_, At>("used_at")
                    .is_ok_and(|used| now.duration_since(used.0) < USE_IS_MARKED_EVERY);
                Found { known: Known::Answered(answer), mark: if fresh { Mark::None } else { Mark::Used } }
            }
            None => Found { known: Known::Missing, mark: Mark::Damaged },
        },
        Ok(_) | Err(_) => Found { known: Known::Missing, mark: Mark::Damaged },
    }
}

fn mark(
    conn: &Connection,
    used: &[Fingerprint],
    damaged: &[Fingerprint],
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut use_of = conn.prepare_cached("UPDATE call SET used_at = ?2 WHERE fingerprint = ?1")?;
    for call in used {
        use_of.execute(params![Print(*call), At(now)])?;
    }
    // Without the answer, so that a crash while it is asked again is seen as what it is.
    let mut forget = conn.prepare_cached("UPDATE call SET state = 0, answered_by = NULL, answer = NULL, checksum = NULL WHERE fingerprint = ?1")?;
    for call in damaged {
        forget.execute([Print(*call)])?;
    }
    Ok(())
}
