//! What came of rows, kept together with the answers that they rest on.

use jiff::Timestamp;
use rusqlite::Connection;

use super::history::Judged;
use super::outbox::OutboxEntry;
use super::{Store, StoreError};

/// What came of some rows: it becomes durable all at once, together with the answer that they rest on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// What the targets have to take. An entry replaces one for the same row of the same target.
    pub outbox: Vec<OutboxEntry>,
    /// What the model's answer led to, for the history.
    pub judged: Vec<Judged>,
}

impl Results {
    pub(super) fn write(&self, conn: &Connection, now: Timestamp) -> rusqlite::Result<()> {
        self.outbox.iter().try_for_each(|entry| entry.write(conn, now))?;
        self.judged.iter().try_for_each(|judged| judged.write(conn))
    }
}

impl Store {
    /// Keeps results that cost nothing: judged by code, known from before, or not checked.
    pub fn record(&mut self, results: &Results, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| results.write(tx, now))
    }
}
