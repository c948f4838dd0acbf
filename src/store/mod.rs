//! The store: one SQLite file that remembers what was paid for.
//!
//! - **calls** ([`Store::lookup`]): a question, by its fingerprint, and its answer;
//! - **ledger** ([`Store::send`], [`Store::answer`], [`Store::spent_since`]): every request that may cost
//!   money, before it leaves;
//! - **outbox** ([`Store::pending`], [`Store::confirm`]): results that no target has confirmed yet, and
//!   **commits** ([`Store::begin_commit`]) that may still take effect;
//! - **runs** ([`Store::begin_run`]) and what a dead one left behind; **history** of the rows' verdicts;
//! - **memory** ([`Store::remember`]) and **maintenance** ([`Store::verify`], [`Store::prune`]);
//! - **claims** ([`Claim`]): who may work alone; **salvage** ([`Store::open_or_mend`]): what a damaged file still holds.
//!
//! The store reads no clock and names nothing: moments, owners and ids come with each call. Every call is
//! one transaction, durable when it returns, and harmless to repeat with the same arguments: whoever is
//! restarted drops the store, opens it again and goes on.

mod answer;
mod calls;
mod commits;
mod error;
mod file;
mod history;
mod ledger;
mod lock;
mod maintenance;
mod memory;
mod notices;
mod outbox;
mod results;
mod runs;
mod salvage;
mod schema;
mod sql;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use answer::StoredAnswer;
pub use calls::Known;
pub use error::StoreError;
pub use history::{Judged, JudgedRows};
pub use ledger::{Answered, Attempt, AttemptId, Owner, Sending};
pub use lock::{Claim, Lock, LockError};
pub use maintenance::{Pruned, Stats};
pub use memory::Note;
pub use notices::Notice;
pub use outbox::{OutboxEntry, Waiting, WriteId};
pub use results::Results;
pub use runs::{Recovery, RunRecord, RunStart, Unknown};
pub use salvage::Salvage;

use crate::fault::{self, Point};
use file::Opened;
use notices::Notes;

/// The open store. It may be dropped at any moment: what was confirmed is in the file.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    path: PathBuf,
    notes: Notes,
}

impl Store {
    /// Opens the store at `path`, or makes it: readable by its owner alone, as are folders that are missing.
    ///
    /// Another program's file at `path` (the Python StatusValidator kept its cache under the same setting)
    /// is left alone: the store then lives beside it, as `NAME.v2.sqlite`, and [`Store::notices`] says so.
    ///
    /// # Errors
    /// If the file cannot be made, opened, read or written, is damaged, locked, of a newer version or not a store.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        if let Opened::Ours(conn, opened) = file::open(path)? {
            return Ok(Self { conn, path: path.to_owned(), notes: Notes { opened, ..Notes::default() } });
        }
        let used = file::beside(path);
        match file::open(&used)? {
            Opened::Ours(conn, opened) => {
                let elsewhere = Some((path.to_owned(), used.clone()));
                Ok(Self { conn, path: used, notes: Notes { elsewhere, opened, ..Notes::default() } })
            }
            Opened::Foreign => Err(StoreError::Foreign { path: used }),
        }
    }

    /// [`Store::open`] for whoever alone works with the store ([`Claim::of_store`]): the file is looked through, and if
    /// it is damaged it is kept under another name, what can still be read goes into a new one, and
    /// [`Store::notices`] says so. `now` names the damaged file.
    ///
    /// # Errors
    /// Those of [`Store::open`], but for damage that could be mended.
    pub fn open_or_mend(path: impl AsRef<Path>, now: Timestamp) -> Result<Self, StoreError> {
        let path = path.as_ref();
        salvage::finish(path, now)?;
        let opened = Self::open(path).and_then(Self::checked);
        let Err(StoreError::Corrupt { path: damaged, detail }) = opened else { return opened };
        let salvage = salvage::replace(&damaged, detail, now)?;
        let mut store = Self::open(path)?;
        store.notes.opened = Some(Notice::Mended(salvage));
        Ok(store)
    }

    /// This store if it holds together; one that does not is closed without a touch.
    fn checked(self) -> Result<Self, StoreError> {
        match self.check() {
            Ok(()) => Ok(self),
            Err(damage) => {
                self.conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).ok();
                Err(damage)
            }
        }
    }

    /// A store without a file, gone when it is dropped.
    pub fn open_in_memory() -> Result<Self, StoreError> {
        let path = PathBuf::from("memory");
        let conn = Connection::open_in_memory().map_err(|error| StoreError::from_sqlite(&path, error))?;
        Ok(Self { conn: file::prepare(&path, conn)?, path, notes: Notes::default() })
    }

    /// The file in use.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` as one transaction: all of it is durable when this returns, or nothing happened.
    fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let failed = |error| StoreError::from_sqlite(&self.path, error);
        let tx = self.conn.transaction().map_err(failed)?;
        let value = work(&tx).map_err(failed)?;
        fault::at(Point::StoreCommits).map_err(|error| StoreError::from_io(&self.path, error))?;
        tx.commit().map_err(failed)?;
        Ok(value)
    }

    /// Runs `work` on one unchanging view of the file.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        Transaction::new_unchecked(&self.conn, TransactionBehavior::Deferred)
            .and_then(|tx| work(&tx))
            .map_err(|error| StoreError::from_sqlite(&self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use uuid::Uuid;

    use super::*;
    use crate::domain::fingerprint::Fingerprint;
    use crate::domain::money::{MicroUsd, Usage};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn sending(n: u8) -> Sending {
        Sending {
            attempt: AttemptId(Uuid::from_u128(n.into())),
            fingerprint: Fingerprint([n; 32]),
            run: "run".into(),
            owner: Owner(Uuid::nil()),
            provider: "primary".into(),
            model: "small".into(),
            estimate: MicroUsd(1),
        }
    }

    fn answer() -> StoredAnswer {
        StoredAnswer {
            provider: "primary".into(),
            model_asked: "small".into(),
            model: "small".into(),
            text: "x".repeat(3000),
            usage: Usage::default(),
            cost: MicroUsd(2),
            at: NOW,
        }
    }

    #[test]
    fn a_full_disk_is_said_and_takes_nothing_away() {
        let mut store = Store::open_in_memory().unwrap();
        let pages: i64 = store.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        let pages = pages + 20;
        store.conn.pragma_update(None, "max_page_count", pages).unwrap();
        let mut kept = 0;
        let error = loop {
            let stored = store
                .send(&sending(kept), NOW)
                .and_then(|attempt| store.answer(&attempt, &answer(), &Results::default(), NOW));
            match stored {
                Ok(()) => kept += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert!(kept > 3, "{kept}");
        let calls: Vec<Fingerprint> = (0..=kept).map(|n| Fingerprint([n; 32])).collect();
        let known = store.lookup(&calls, NOW).unwrap();
        let answers = known.iter().filter(|known| matches!(known, Known::Answered(_))).count();
        assert_eq!(answers, usize::from(kept));
        assert_eq!(store.verify().unwrap(), [""; 0]);

        store.conn.pragma_update(None, "max_page_count", pages + 100).unwrap();
        let attempt = store.send(&sending(kept), NOW).unwrap();
        store.answer(&attempt, &answer(), &Results::default(), NOW).unwrap();
        assert_eq!(store.spent_since(NOW).unwrap(), MicroUsd(2 * (u64::from(kept) + 1)));
    }

    #[test]
    fn a_lock_held_too_long_is_busy_and_passes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let mut store = Store::open(&path).unwrap();
        store.conn.busy_timeout(std::time::Duration::ZERO).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = store.send(&sending(1), NOW).unwrap_err();
        assert!(matches!(error, StoreError::Busy { .. }) && error.is_transient(), "{error}");
        assert_eq!(store.lookup(&[Fingerprint([1; 32])], NOW).unwrap(), [Known::Missing], "reading goes on");
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(store.send(&sending(1), NOW).unwrap().sending(), &sending(1));
    }

    #[test]
    fn answers_are_served_where_their_use_cannot_be_marked() {
        let mut store = Store::open_in_memory().unwrap();
        let attempt = store.send(&sending(1), NOW).unwrap();
        store.answer(&attempt, &answer(), &Results::default(), NOW).unwrap();
        store.conn.pragma_update(None, "query_only", true).unwrap();
        let later = NOW + jiff::SignedDuration::from_hours(50);
        let known = store.lookup(&[Fingerprint([1; 32])], later).unwrap();
        assert_eq!(known, [Known::Answered(answer())]);
        assert!(matches!(store.notices()[..], [Notice::UseNotMarked(_)]));
        assert!(matches!(store.send(&sending(2), later), Err(StoreError::ReadOnly { .. })));
    }

    #[test]
    fn a_panic_in_a_transaction_leaves_nothing_of_it() {
        let mut store = Store::open_in_memory().unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            store.write(|tx| {
                tx.execute("INSERT INTO memory VALUES ('k', '1', 0)", [])?;
                panic!("on purpose");
                #[allow(unreachable_code)]
                Ok(())
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(store.recall("k").unwrap(), None);
        store.remember("k", "2", NOW).unwrap();
    }

    #[test]
    fn the_disk_is_waited_for_and_the_journal_is_a_log() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("store.sqlite")).unwrap();
        let number = |name| store.conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!((number("synchronous"), number("foreign_keys"), number("busy_timeout")), (2, 1, 5000));
        let mode: String = store.conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }
}
