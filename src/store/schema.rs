//! The tables, their versions, and how our file is told from others.
//!
//! The tables follow the form that the cluster's database will have: `call` is queue, single flight and
//! cache in one, `attempt` is the ledger, `outbox` is what the targets still have to take. There are no
//! foreign keys between them: an answer that was paid for is kept even where its run is not known.

use std::collections::BTreeMap;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

/// The steps to the newest tables known here; the n-th leads to schema version n.
pub(super) type Steps = &'static [M<'static>];

/// The newest schema version that `steps` lead to.
pub(super) const fn newest(steps: Steps) -> i64 {
    steps.len() as i64
}

/// What the header of an SQLite file carries if it is our store: `SVal`.
const APPLICATION_ID: i32 = 0x5356_616c;

/// Times are microseconds since 1970, money is millionths of a US dollar, ids are UUIDs.
pub(super) const STEPS: Steps = &[M::up(
    "
    CREATE TABLE call (
        fingerprint BLOB PRIMARY KEY NOT NULL,
        state       INTEGER NOT NULL CHECK (state IN (0, 1, 2, 4)), -- ready, sent, done, held
        sent_by     INTEGER,           -- attempt.seq that it waits for, or waited for last
        answered_by INTEGER,           -- attempt.seq of the answer; the answer's fields follow
        provider    TEXT,
        model_asked TEXT,
        model       TEXT,
        answer      TEXT,
        usage       TEXT,
        cost        INTEGER,
        answered_at INTEGER,
        checksum    BLOB,              -- over the fingerprint and the answer's fields
        used_at     INTEGER NOT NULL   -- to the day
    ) STRICT;
    CREATE INDEX call_open ON call (state) WHERE state IN (1, 4);

    CREATE TABLE attempt (             -- the ledger: a row for each request that may cost money
        seq         INTEGER PRIMARY KEY AUTOINCREMENT,
        id          BLOB NOT NULL UNIQUE,
        fingerprint BLOB NOT NULL,
        run         TEXT NOT NULL,
        owner       BLOB NOT NULL,
        provider    TEXT NOT NULL,
        model       TEXT NOT NULL,
        estimate    INTEGER NOT NULL,
        sent_at     INTEGER NOT NULL,
        outcome     TEXT CHECK (outcome IN ('answered', 'rejected', 'refused', 'unknown')),
        closed_at   INTEGER,
        cost        INTEGER,           -- null: not known, the estimate counts
        usage       TEXT,
        error       TEXT
    ) STRICT;
    CREATE INDEX attempt_sent ON attempt (sent_at);
    CREATE INDEX attempt_run ON attempt (run);
    CREATE INDEX attempt_open ON attempt (owner) WHERE outcome IS NULL;

    CREATE TABLE outbox (
        target     TEXT NOT NULL,
        row_key    TEXT NOT NULL,
        write_id   BLOB NOT NULL,
        run        TEXT NOT NULL,
        payload    TEXT NOT NULL,
        checksum   BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (target, row_key)
    ) STRICT;

    CREATE TABLE run (
        id         TEXT PRIMARY KEY NOT NULL,
        owner      BLOB NOT NULL,
        job        TEXT NOT NULL,
        source     TEXT NOT NULL,
        target     TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        ended_at   INTEGER,
        outcome    TEXT,
        report     TEXT,
        unanswered INTEGER NOT NULL DEFAULT 0, -- attempts of dead runs that this run found
        found_by   TEXT                        -- the run that found this one interrupted
    ) STRICT;
    CREATE INDEX run_started ON run (started_at);

    CREATE TABLE history (             -- what a model's answer led to, row by row
        job         TEXT NOT NULL,
        row_key     TEXT NOT NULL,
        run         TEXT NOT NULL,
        at          INTEGER NOT NULL,
        fingerprint BLOB NOT NULL,
        is_valid    INTEGER NOT NULL,
        verdict     TEXT NOT NULL,
        checksum    BLOB NOT NULL,
        PRIMARY KEY (job, row_key, run)
    ) STRICT;
    CREATE INDEX history_at ON history (at);

    CREATE TABLE memory (
        key  TEXT PRIMARY KEY NOT NULL,
        json TEXT NOT NULL,
        at   INTEGER NOT NULL
    ) STRICT;

    PRAGMA application_id = 0x5356616c;
    ",
)];

/// Whose file this is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Nobody's: there are no tables yet.
    Blank,
    /// Our store, of this schema version.
    Ours(i64),
    /// Our store, but its header contradicts its tables.
    Damaged,
    /// Another program's.
    Foreign,
}

/// Looks at the header and the names of the tables; changes nothing.
pub(super) fn identify(conn: &Connection, steps: Steps) -> rusqlite::Result<Identity> {
    // One look at all three: another process may be making the tables just now.
    let conn = conn.unchecked_transaction()?;
    let id: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let (tables, ours): (i64, i64) = conn.query_row(
        "SELECT count(*), count(*) FILTER (WHERE name IN ('call', 'attempt', 'outbox', 'run', 'history', 'memory'))
         FROM sqlite_schema WHERE type = 'table'",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(match (id, version) {
        (0, 0) if tables == 0 => Identity::Blank,
        (APPLICATION_ID, 1..) if ours == OUR_TABLES || version > newest(steps) => Identity::Ours(version),
        (APPLICATION_ID, _) => Identity::Damaged,
        _ if ours == OUR_TABLES => Identity::Damaged,
        _ => Identity::Foreign,
    })
}

/// How many tables there are by which our file is known even where its header is damaged.
const OUR_TABLES: i64 = 6;

/// Sets what holds for a connection and not for the file.
pub(super) fn configure(conn: &mut Connection) -> rusqlite::Result<()> {
    conn.set_transaction_behavior(TransactionBehavior::Immediate);
    conn.set_prepared_statement_cache_capacity(64);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "secure_delete", "FAST")?;
    // The answer is the mode that the file system allows; every mode but `off` survives a crash.
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    conn.pragma_update(None, "synchronous", "FULL")
}

/// Brings the tables to the newest version, all of them or none.
pub(super) fn migrate(conn: &mut Connection, steps: Steps) -> Result<(), rusqlite_migration::Error> {
    let migrations = Migrations::from_slice(steps);
    let Err(error) = migrations.to_latest(conn) else { return Ok(()) };
    // Another process may have made the tables between our look at the version and our lock.
    match conn.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)) {
        Ok(version) if version == newest(steps) => Ok(()),
        _ => Err(error),
    }
}

/// True if every table and index of ours is as the migrations make it; what others added does not matter.
pub(super) fn is_intact(conn: &Connection, steps: Steps) -> Result<bool, rusqlite_migration::Error> {
    let mut fresh = Connection::open_in_memory()?;
    migrate(&mut fresh, steps)?;
    let found = definitions(conn)?;
    Ok(definitions(&fresh)?.iter().all(|(name, definition)| found.get(name) == Some(definition)))
}

fn definitions(conn: &Connection) -> rusqlite::Result<BTreeMap<String, Option<String>>> {
    conn.prepare("SELECT name, sql FROM sqlite_schema")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_run_and_make_a_file_that_is_ours() {
        Migrations::from_slice(STEPS).validate().unwrap();
        let mut conn = Connection::open_in_memory().unwrap();
        assert_eq!(identify(&conn, STEPS).unwrap(), Identity::Blank);
        migrate(&mut conn, STEPS).unwrap();
        assert_eq!(identify(&conn, STEPS).unwrap(), Identity::Ours(newest(STEPS)));
        let id: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
        assert_eq!(id, APPLICATION_ID);
        assert_eq!(id.to_be_bytes(), *b"SVal");
    }

    #[test]
    fn a_header_that_contradicts_the_tables_is_damage() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, STEPS).unwrap();
        conn.pragma_update(None, "user_version", 0).unwrap();
        assert_eq!(identify(&conn, STEPS).unwrap(), Identity::Damaged);
        conn.pragma_update(None, "user_version", newest(STEPS)).unwrap();
        conn.pragma_update(None, "application_id", 5).unwrap();
        assert_eq!(identify(&conn, STEPS).unwrap(), Identity::Damaged);
    }

    #[test]
    fn other_programs_files_are_foreign_and_newer_ones_of_ours_are_not() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE llm_cache (k TEXT, v TEXT)").unwrap();
        assert_eq!(identify(&conn, STEPS).unwrap(), Identity::Foreign);
        conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        conn.pragma_update(None, "user_version", 99).unwrap();
        assert_eq!(identify(&conn, STEPS).unwrap(), Identity::Ours(99));
    }

    #[test]
    fn a_table_that_was_changed_is_noticed_and_one_that_was_added_is_not() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, STEPS).unwrap();
        conn.execute_batch("CREATE INDEX mine ON attempt (model); CREATE TABLE notes (text)").unwrap();
        assert!(is_intact(&conn, STEPS).unwrap());
        conn.execute_batch("ALTER TABLE attempt RENAME COLUMN owner TO own").unwrap();
        assert!(!is_intact(&conn, STEPS).unwrap());
    }
}
