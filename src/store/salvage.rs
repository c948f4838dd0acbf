//! A damaged file: kept as it is under another name, and what can still be read of it taken into a new one.
//!
//! The new file is complete before the old one is moved, so that a crash in between leaves a damaged file that is
//! mended by whoever comes next. Answers, waiting results and judgements are taken where their checksum is right; the
//! ledger as far as it can be read, since what was paid must go on counting.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Row, params_from_iter};

use super::answer::StoredAnswer;
use super::error::StoreError;
use super::file;
use super::history::Judged;
use super::outbox::OutboxEntry;
use super::sql::{Money, Print};
use crate::domain::key::RowKey;

/// What became of a damaged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvage {
    /// What was wrong.
    pub damage: String,
    /// The damaged file, as it was.
    pub kept_in: PathBuf,
    /// Answers that could be read.
    pub answers: u64,
    /// Results for targets that could be read.
    pub outbox: u64,
    /// Requests of the ledger that could be read.
    pub attempts: u64,
}

impl fmt::Display for Salvage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { damage, kept_in, answers, outbox, attempts } = self;
        write!(
            f,
            "the store was damaged ({damage}); it is kept as {}, and what could be read stands in a new one: \
             {answers} answers, {outbox} waiting results, {attempts} requests of the ledger. What is missing is asked again",
            kept_in.display()
        )
    }
}

/// Puts a new file with all that can be read in the place of a damaged one.
pub(super) fn replace(path: &Path, damage: String, now: Timestamp) -> Result<Salvage, StoreError> {
    let failed = |error| StoreError::from_io(path, error);
    let folder = path.parent().unwrap_or(path);
    let fresh = tempfile::Builder::new().prefix(".store-").tempfile_in(folder).map_err(failed)?;
    let fresh = fresh.into_temp_path();
    let mut salvage = Salvage { damage, kept_in: kept_name(path, now), answers: 0, outbox: 0, attempts: 0 };
    {
        let new = Connection::open(&fresh).map_err(|error| StoreError::from_sqlite(&fresh, error))?;
        let mut new = file::prepare(&fresh, new)?;
        let tx = new.transaction().map_err(|error| StoreError::from_sqlite(&fresh, error))?;
        // What cannot even be opened has nothing to give.
        if let Ok(old) = open_damaged(path) {
            take_all(&old, &tx, &mut salvage).map_err(|error| StoreError::from_sqlite(&fresh, error))?;
        }
        tx.commit().map_err(|error| StoreError::from_sqlite(&fresh, error))?;
    }
    // The journal belongs to the file; its index is made anew by whoever opens it.
    let moved = |end| fs::rename(with_end(path, end), with_end(&salvage.kept_in, end));
    for done in [moved(""), moved("-wal"), fs::remove_file(with_end(path, "-shm"))] {
        match done {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
    }
    fresh.persist(path).map_err(|error| failed(error.error))?;
    Ok(salvage)
}

fn kept_name(path: &Path, now: Timestamp) -> PathBuf {
    let date = now.strftime("%Y%m%dT%H%M%SZ");
    let name = |n: u32| match n {
        1 => with_end(path, &format!(".corrupt-{date}")),
        n => with_end(path, &format!(".corrupt-{date}-{n}")),
    };
    (1..1000).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(1000))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

fn open_damaged(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    // The file stays as it is, its journal included.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "query_only", true)?;
    // Otherwise a file that is shorter than its header says is not read at all.
    conn.pragma_update(None, "writable_schema", true)?;
    Ok(conn)
}

fn take_all(old: &Connection, new: &Connection, salvage: &mut Salvage) -> rusqlite::Result<()> {
    salvage.answers = take(old, new, "call", |row| is_sound_call(row).unwrap_or(false))?;
    let open_calls = |row: &Row<'_>| row.get::<_, i64>("state").is_ok_and(|state| matches!(state, 1 | 4));
    take(old, new, "call", |row| open_calls(row) && row.get::<_, Print>("fingerprint").is_ok())?;
    salvage.outbox = take(old, new, "outbox", |row| OutboxEntry::read(row).is_some())?;
    salvage.attempts = take(old, new, "attempt", |row| {
        row.get::<_, Money>("estimate").is_ok() && row.get::<_, Option<Money>>("cost").is_ok()
    })?;
    take(old, new, "run", |_| true)?;
    take(old, new, "history", |row| is_sound_judgement(row).unwrap_or(false))?;
    take(old, new, "memory", |_| true)?;
    Ok(())
}

fn is_sound_call(row: &Row<'_>) -> rusqlite::Result<bool> {
    let fingerprint = row.get::<_, Print>("fingerprint")?.0;
    Ok(row.get::<_, i64>("state")? == 2 && StoredAnswer::read(row, fingerprint).is_some())
}

fn is_sound_judgement(row: &Row<'_>) -> rusqlite::Result<bool> {
    let (job, key): (String, String) = (row.get("job")?, row.get("row_key")?);
    Ok(Judged::read(row, &job, &RowKey::stored(key)).is_some())
}

/// So many damaged places of a table are read around; the rest behind them is given up.
const PLACES: usize = 1000;

/// Takes the rows of a table that can be read and are sound; says how many.
fn take(
    old: &Connection,
    new: &Connection,
    table: &'static str,
    is_sound: impl Fn(&Row<'_>) -> bool,
) -> rusqlite::Result<u64> {
    let (mut taken, mut first) = (0, 1);
    for _ in 0..PLACES {
        let reached = take_from(old, new, table, first, &is_sound, &mut taken)?;
        let Some(next) = reached.and_then(|reached| next_readable(old, table, reached)) else { break };
        first = next;
    }
    Ok(taken)
}

/// The first place after `reached`, behind which a row cannot be read, from which on one can be: found by growing
/// leaps, and then by halves. None if there is none.
fn next_readable(old: &Connection, table: &'static str, reached: i64) -> Option<i64> {
    let sql = format!("SELECT * FROM {table} WHERE rowid >= ?1 ORDER BY rowid LIMIT 1");
    let mut statement = old.prepare_cached(&sql).ok()?;
    let mut is_readable =
        |place: i64| statement.query([place]).and_then(|mut rows| rows.next().map(drop)).is_ok();
    let mut leap = 1;
    let mut readable = loop {
        let place = reached.checked_add(leap)?;
        if is_readable(place) {
            break place;
        }
        leap = leap.checked_mul(2)?;
    };
    let mut unreadable = reached + leap / 2;
    while readable - unreadable > 1 {
        let middle = unreadable + (readable - unreadable) / 2;
        if is_readable(middle) { readable = middle } else { unreadable = middle }
    }
    Some(readable)
}

/// Takes the rows from `first` on. None if all of them could be read; else up to which one they could.
fn take_from(
    old: &Connection,
    new: &Connection,
    table: &'static str,
    first: i64,
    is_sound: &impl Fn(&Row<'_>) -> bool,
    taken: &mut u64,
) -> rusqlite::Result<Option<i64>> {
    let mut reached = first.saturating_sub(1);
    let sql = format!("SELECT rowid AS place, * FROM {table} WHERE rowid >= ?1 ORDER BY rowid");
    let Ok(mut statement) = old.prepare_cached(&sql) else { return Ok(None) };
    let columns = statement.column_count();
    let Ok(mut rows) = statement.query([first]) else { return Ok(None) };
    let marks = vec!["?"; columns - 1].join(", ");
    let mut insert = new.prepare_cached(&format!("INSERT OR IGNORE INTO {table} VALUES ({marks})"))?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(None),
            Err(_) => return Ok(Some(reached)),
        };
        let Ok(place) = row.get("place") else { return Ok(Some(reached)) };
        reached = place;
        let values: Result<Vec<Value>, _> = (1..columns).map(|column| row.get(column)).collect();
        if let Ok(values) = values
            && is_sound(row)
        {
            match insert.execute(params_from_iter(values)) {
                Ok(rows) => *taken += rows as u64,
                // A value that the table does not take is damage, too.
                Err(rusqlite::Error::SqliteFailure(failure, _))
                    if failure.code == rusqlite::ErrorCode::ConstraintViolation => {}
                Err(error) => return Err(error),
            }
        }
    }
}
