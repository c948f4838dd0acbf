//! The store: one SQLite file that remembers what was paid for.
//!
//! - **calls** ([`Store::lookup`]): a question, by its fingerprint, and its answer;
//! - **ledger** ([`Store::send`], [`Store::answer`], [`Store::spent_since`]): every request that may cost
//!   money, before it leaves;
//! - **outbox** ([`Store::pending`], [`Store::confirm`]): results that no target has confirmed yet;
//! - **runs** ([`Store::begin_run`]) and what a dead one left behind; **history** of the rows' verdicts;
//! - **memory** ([`Store::remember`]) and **maintenance** ([`Store::verify`], [`Store::prune`]).
//!
//! The store reads no clock and names nothing: moments, owners and ids come with each call. Every call is
//! one transaction, durable when it returns, and harmless to repeat with the same arguments: whoever is
//! restarted drops the store, opens it again and goes on.

mod answer;
mod calls;
mod error;
mod file;
mod history;
mod ledger;
mod maintenance;
mod memory;
mod notices;
mod outbox;
mod results;
mod runs;
mod schema;
mod sql;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction};

pub use answer::StoredAnswer;
pub use calls::Known;
pub use error::StoreError;
pub use history::Judged;
pub use ledger::{Answered, Attempt, AttemptId, Owner, Sending};
pub use maintenance::{Pruned, Stats};
pub use memory::Note;
pub use notices::Notice;
pub use outbox::{OutboxEntry, WriteId};
pub use results::Results;
pub use runs::{Recovery, RunRecord, RunStart, Unknown};

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
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        if let Opened::Ours(conn) = file::open(path)? {
            return Ok(Self { conn, path: path.to_owned(), notes: Notes::default() });
        }
        let used = file::beside(path);
        match file::open(&used)? {
            Opened::Ours(conn) => {
                let elsewhere = Some((path.to_owned(), used.clone()));
                Ok(Self { conn, path: used, notes: Notes { elsewhere, ..Notes::default() } })
            }
            Opened::Foreign => Err(StoreError::Foreign { path: used }),
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
        let written = self.conn.transaction().and_then(|tx| {
            let value = work(&tx)?;
            tx.commit()?;
            Ok(value)
        });
        written.map_err(|error| StoreError::from_sqlite(&self.path, error))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        work(&self.conn).map_err(|error| StoreError::from_sqlite(&self.path, error))
    }
}
