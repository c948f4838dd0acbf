//! A damaged file: kept as it is under another name, and what can still be read of it taken into a new one.
//!
//! The new file is complete, on the disk and under a name of its own before anything is moved; whoever comes after a
//! crash finishes the exchange. Answers, waiting results and judgements are taken where their checksum is right; the
//! ledger and the runs as far as they can be read, since what was paid must go on counting. Only damage is read around:
//! a lock or a full disk ends the attempt, and everything stays as it was.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
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
use super::sql::{At, Id, Money, Print};
use crate::domain::key::RowKey;

/// What became of a damaged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvage {
    /// What was wrong.
    pub damage: String,
    /// The damaged file, and its journal beside it.
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
    let path = &fs::canonicalize(path).map_err(|error| StoreError::from_io(path, error))?;
    let failed = |error| StoreError::from_io(path, error);
    let folder = path.parent().unwrap_or(path);
    let fresh = tempfile::Builder::new().prefix(".store-").tempfile_in(folder).map_err(failed)?;
    let fresh = fresh.into_temp_path();
    let mut salvage = Salvage { damage, kept_in: kept_name(path, now), answers: 0, outbox: 0, attempts: 0 };
    // Held until the exchange is over: nobody may write into the old file any more.
    let old = open_damaged(path)?;
    fill(&fresh, old.as_ref(), &mut salvage)?;
    File::open(&fresh).and_then(|file| file.sync_all()).map_err(failed)?;
    fresh.persist(mended(path)).map_err(|error| failed(error.error))?;
    exchange(path, &salvage.kept_in).map_err(failed)?;
    Ok(salvage)
}

/// Finishes an exchange that a crash cut short, if there is one.
pub(super) fn finish(path: &Path, now: Timestamp) -> Result<(), StoreError> {
    let Ok(path) = fs::canonicalize(path) else { return Ok(()) };
    if !mended(&path).exists() {
        return Ok(());
    }
    exchange(&path, &kept_name(&path, now)).map_err(|error| StoreError::from_io(&path, error))
}

/// Where the new file waits until the old one is kept.
fn mended(path: &Path) -> PathBuf {
    with_end(path, ".mended")
}

/// Keeps the old file and puts the new one in its place. May be begun again wherever it was cut short.
fn exchange(path: &Path, kept: &Path) -> io::Result<()> {
    let missing_is_fine = |done: io::Result<()>| match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    };
    fs::hard_link(path, kept).or_else(|_| fs::copy(path, kept).map(drop))?;
    // The journal goes before the new file comes, which it would be taken to belong to. Its index is made anew.
    missing_is_fine(fs::rename(with_end(path, "-wal"), with_end(kept, "-wal")))?;
    missing_is_fine(fs::remove_file(with_end(path, "-shm")))?;
    fs::rename(mended(path), path)?;
    file::sync_folder(path)
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

/// True for what a damaged file gives; false for what passes, or has other reasons.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    let is_unreadable = |code| matches!(code, ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ);
    if error.sqlite_error().is_some_and(|error| is_unreadable(error.extended_code)) {
        return true;
    }
    !matches!(
        error.sqlite_error_code(),
        Some(
            rusqlite::ErrorCode::DatabaseBusy
                | rusqlite::ErrorCode::DatabaseLocked
                | rusqlite::ErrorCode::DiskFull
                | rusqlite::ErrorCode::OutOfMemory
                | rusqlite::ErrorCode::ReadOnly
                | rusqlite::ErrorCode::PermissionDenied
                | rusqlite::ErrorCode::CannotOpen
                | rusqlite::ErrorCode::SystemIoFailure
        )
    )
}

/// The damaged file, locked against everybody else; none if it cannot be opened at all.
fn open_damaged(path: &Path) -> Result<Option<Connection>, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let conn = Connection::open_with_flags(path, flags)?;
        // The file stays as it is, its journal included.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        conn.busy_timeout(file::BUSY_TIMEOUT)?;
        conn.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        conn.pragma_update(None, "cell_size_check", true)?;
        conn.pragma_update(None, "query_only", true)?;
        // Otherwise a file that is shorter than its header says is not read at all.
        conn.pragma_update(None, "writable_schema", true)?;
        // The first look takes the lock.
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(conn)
    };
    match open() {
        Ok(conn) => Ok(Some(conn)),
        Err(error) if is_damage(&error) => Ok(None),
        Err(error) => Err(StoreError::from_sqlite(path, error)),
    }
}

/// Makes the new file, without a journal beside it.
fn fill(fresh: &Path, old: Option<&Connection>, salvage: &mut Salvage) -> Result<(), StoreError> {
    let failed = |error| StoreError::from_sqlite(fresh, error);
    let conn = Connection::open(fresh).map_err(failed)?;
    let mut conn = file::prepare(fresh, conn)?;
    let tx = conn.transaction().map_err(failed)?;
    if let Some(old) = old {
        take_all(old, &tx, salvage).map_err(failed)?;
    }
    tx.commit().map_err(failed)?;
    let mode = conn.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0));
    match mode.map_err(failed)?.as_str() {
        "delete" => conn.close().map_err(|(_, error)| failed(error)),
        mode => {
            let detail = format!("the journal of the mended file cannot be closed: it stays {mode}");
            Err(StoreError::Unexpected { path: fresh.to_owned(), detail })
        }
    }
}

fn take_all(old: &Connection, new: &Connection, salvage: &mut Salvage) -> rusqlite::Result<()> {
    salvage.answers = take(old, new, "call", |row| is_sound_call(row).unwrap_or(false))?;
    let is_open = |row: &Row<'_>| row.get::<_, i64>("state").is_ok_and(|state| matches!(state, 1 | 4));
    take(old, new, "call", |row| is_open(row) && row.get::<_, Print>("fingerprint").is_ok())?;
    salvage.outbox = take(old, new, "outbox", |row| OutboxEntry::read(row).is_some())?;
    salvage.attempts = take(old, new, "attempt", |row| is_sound_attempt(row).is_ok())?;
    take(old, new, "run", |row| is_sound_run(row).is_ok())?;
    take(old, new, "history", |row| is_sound_judgement(row).unwrap_or(false))?;
    take(old, new, "memory", |row| row.get::<_, At>("at").is_ok())?;
    // Numbers that answers refer to are not given again: a newer answer is told from an older one by them.
    new.execute_batch(
        "DELETE FROM sqlite_sequence WHERE name = 'attempt';
         INSERT INTO sqlite_sequence (name, seq) SELECT 'attempt', coalesce(max(n), 0) FROM (
             SELECT max(seq) AS n FROM attempt UNION ALL SELECT max(sent_by) FROM call
             UNION ALL SELECT max(answered_by) FROM call)",
    )
}

fn is_sound_call(row: &Row<'_>) -> rusqlite::Result<bool> {
    let fingerprint = row.get::<_, Print>("fingerprint")?.0;
    Ok(row.get::<_, i64>("state")? == 2 && StoredAnswer::read(row, fingerprint).is_some())
}

/// Reads what the ledger is read for. A cost that cannot be is none: its estimate goes on counting.
pub(super) fn is_sound_attempt(row: &Row<'_>) -> rusqlite::Result<()> {
    row.get::<_, Id>("id")?;
    row.get::<_, Id>("owner")?;
    row.get::<_, Print>("fingerprint")?;
    row.get::<_, Money>("estimate")?;
    row.get::<_, At>("sent_at")?;
    row.get::<_, Option<At>>("closed_at").map(drop)
}

/// Reads what the history of runs is read for.
pub(super) fn is_sound_run(row: &Row<'_>) -> rusqlite::Result<()> {
    row.get::<_, Id>("owner")?;
    row.get::<_, At>("started_at")?;
    row.get::<_, Option<At>>("ended_at").map(drop)
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
    // By name: the old table may have been changed, or be of an older version.
    let there =
        columns(old, table).or_else(|error| if is_damage(&error) { Ok(Vec::new()) } else { Err(error) })?;
    let columns: Vec<String> = columns(new, table)?.into_iter().filter(|name| there.contains(name)).collect();
    if columns.is_empty() {
        return Ok(0);
    }
    let (names, marks) = (columns.join(", "), vec!["?"; columns.len()].join(", "));
    let copy = Copy {
        old,
        new,
        select: format!("SELECT rowid AS place, {names} FROM {table} WHERE rowid >= ?1 ORDER BY rowid"),
        insert: format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"),
        columns,
    };
    let (mut taken, mut first) = (0, 1);
    for _ in 0..PLACES {
        let reached = copy.take_from(first, &is_sound, &mut taken)?;
        let Some(reached) = reached else { break };
        let Some(next) = copy.next_readable(reached)? else { break };
        first = next;
    }
    Ok(taken)
}

fn columns(conn: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    conn.prepare("SELECT name FROM pragma_table_info(?1)")?.query_map([table], |row| row.get(0))?.collect()
}

/// A table on its way.
struct Copy<'a> {
    old: &'a Connection,
    new: &'a Connection,
    select: String,
    insert: String,
    columns: Vec<String>,
}

impl Copy<'_> {
    /// Takes the rows from `first` on. None if all of them could be read; else up to which one they could.
    fn take_from(
        &self,
        first: i64,
        is_sound: &impl Fn(&Row<'_>) -> bool,
        taken: &mut u64,
    ) -> rusqlite::Result<Option<i64>> {
        let mut reached = first.saturating_sub(1);
        let damaged =
            |error: rusqlite::Error, reached| if is_damage(&error) { Ok(Some(reached)) } else { Err(error) };
        let mut statement = match self.old.prepare_cached(&self.select) {
            Ok(statement) => statement,
            Err(error) => return damaged(error, reached),
        };
        let mut rows = match statement.query([first]) {
            Ok(rows) => rows,
            Err(error) => return damaged(error, reached),
        };
        let mut insert = self.new.prepare_cached(&self.insert)?;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(None),
                Err(error) => return damaged(error, reached),
            };
            let Ok(place) = row.get("place") else { return Ok(Some(reached)) };
            reached = place;
            let values: Result<Vec<Value>, _> =
                self.columns.iter().map(|name| self.value(row, name)).collect();
            let Some(values) = values.ok().filter(|_| is_sound(row)) else { continue };
            match insert.execute(params_from_iter(values)) {
                Ok(rows) => *taken += rows as u64,
                // A value that the table does not take is damage, too.
                Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn value(&self, row: &Row<'_>, name: &str) -> rusqlite::Result<Value> {
        match row.get(name)? {
            Value::Integer(cost) if name == "cost" && cost < 0 => Ok(Value::Null),
            value => Ok(value),
        }
    }

    /// The first place after `reached`, behind which a row cannot be read, from which on one can be: looked for one by
    /// one, as far as a damaged page reaches, and then by growing leaps. None if there is none.
    fn next_readable(&self, reached: i64) -> rusqlite::Result<Option<i64>> {
        const ONE_BY_ONE: i64 = 1000;
        let mut statement = match self.old.prepare_cached(&self.select) {
            Ok(statement) => statement,
            Err(error) if is_damage(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let near = (1..=ONE_BY_ONE).map(Some);
        let far = (0..54).map(|power| 1_i64.checked_shl(power).and_then(|leap| leap.checked_add(ONE_BY_ONE)));
        for leap in near.chain(far) {
            let Some(place) = leap.and_then(|leap| reached.checked_add(leap)) else { break };
            match statement.query([place]).and_then(|mut rows| rows.next().map(drop)) {
                Ok(()) => return Ok(Some(place)),
                Err(error) if is_damage(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}
