//! The store's file: made readable by its owner alone, and never taken from another program.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::notices::Notice;
use super::schema::{self, Identity, STEPS, Steps, newest};
use crate::fault::{self, Point};

/// How long a call waits for somebody else's lock.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What stood at a path.
pub(super) enum Opened {
    /// Our store, with the newest tables; and, where older ones were brought up, what people should know of that.
    Ours(Connection, Option<Notice>),
    /// Something of another program. It was only looked at.
    Foreign,
}

/// Opens the store at `path`; makes it, and the folders to it, where there is nothing yet.
pub(super) fn open(path: &Path) -> Result<Opened, StoreError> {
    open_with(path, STEPS)
}

fn open_with(path: &Path, steps: Steps) -> Result<Opened, StoreError> {
    // Absolute, so that no name is special to SQLite, such as `:memory:`.
    let path = &std::path::absolute(path).map_err(|error| StoreError::from_io(path, error))?;
    make_private(path)?;
    match connect_patiently(path, steps) {
        Err(StoreError::Corrupt { .. }) if is_of_another_format(path) => Ok(Opened::Foreign),
        // Then it is not the system that forbids it, but a version in the header that nobody writes.
        Err(StoreError::ReadOnly { path }) if may_be_written(&path) => {
            Err(damaged(&path, "its header forbids writing"))
        }
        other => other,
    }
}

/// Where the store lives if another program's file stands at the configured path.
///
/// The Python StatusValidator kept its cache, of another form, at the same key of the same settings.
pub(super) fn beside(path: &Path) -> PathBuf {
    path.with_extension("v2.sqlite")
}

/// Gives the connection its settings and the newest tables.
pub(super) fn prepare(path: &Path, conn: Connection) -> Result<Connection, StoreError> {
    prepare_with(path, conn, STEPS)
}

fn prepare_with(path: &Path, mut conn: Connection, steps: Steps) -> Result<Connection, StoreError> {
    let migrated = |error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => StoreError::from_sqlite(path, err),
        other => StoreError::Unexpected { path: path.to_owned(), detail: other.to_string() },
    };
    schema::configure(&mut conn).map_err(|error| StoreError::from_sqlite(path, error))?;
    let failed = |error| StoreError::from_io(path, error);
    fault::at(Point::StoreMigrates).map_err(failed)?;
    schema::migrate(&mut conn, steps).map_err(migrated)?;
    fault::at(Point::StoreMigrates).map_err(failed)?;
    if schema::is_intact(&conn, steps).map_err(migrated)? {
        Ok(conn)
    } else {
        Err(damaged(path, "its tables were changed"))
    }
}

/// True if the system lets us write the file, and the journal beside it.
fn may_be_written(path: &Path) -> bool {
    let folder = path.parent().unwrap_or(path);
    fs::OpenOptions::new().append(true).open(path).is_ok() && tempfile::tempfile_in(folder).is_ok()
}

/// SQLite does not wait while another process makes the file and changes its journal; we do.
fn connect_patiently(path: &Path, steps: Steps) -> Result<Opened, StoreError> {
    let patience = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connect(path, steps) {
            Err(StoreError::Busy { .. }) if Instant::now() < patience => {
                std::thread::park_timeout(Duration::from_millis(10));
            }
            other => return other,
        }
    }
}

fn connect(path: &Path, steps: Steps) -> Result<Opened, StoreError> {
    let failed = |error| StoreError::from_sqlite(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    // Until we know whose file it is, not even its journal is tidied up.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    let known = newest(steps);
    let older = match schema::identify(&conn, steps).map_err(|error| unreadable(path, error))? {
        Identity::Foreign => return Ok(Opened::Foreign),
        Identity::Damaged => return Err(damaged(path, "its header contradicts its tables")),
        Identity::Ours(found) if found > known => {
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
        Identity::Ours(found) => (found < known).then_some(found),
        Identity::Blank => None,
    };
    if conn.is_readonly("main").map_err(failed)? {
        return Err(StoreError::ReadOnly { path: path.to_owned() });
    }
    let migrated = older.map(|version| back_up(path, &conn, version)).transpose()?;
    let conn = prepare_with(path, conn, steps)?;
    // Not before it is known to hold together: a damaged file is kept as it is.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(failed)?;
    Ok(Opened::Ours(conn, migrated))
}

/// Keeps the file as it is before its tables are brought to the newest version.
fn back_up(path: &Path, conn: &Connection, version: i64) -> Result<Notice, StoreError> {
    let backup = path.with_extension(format!("v{version}.backup.sqlite"));
    let failed = |error| StoreError::from_io(&backup, error);
    let made = tempfile::Builder::new().prefix(".store-").tempfile_in(backup.parent().unwrap_or(&backup));
    let made = made.map_err(failed)?.into_temp_path();
    let name = made.to_str().ok_or_else(|| failed(io::Error::other("its name is no text")))?;
    conn.execute("VACUUM INTO ?1", [name]).map_err(|error| StoreError::from_sqlite(path, error))?;
    match made.persist_noclobber(&backup) {
        // One that is there is whole, and of before: another process may have brought the tables up meanwhile.
        Err(refused) if refused.error.kind() != io::ErrorKind::AlreadyExists => Err(failed(refused.error)),
        Ok(()) | Err(_) => Ok(Notice::Migrated { from: version, backup }),
    }
}

/// Makes the name of a file durable, where the file system has such a notion.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    match fs::File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        other if cfg!(unix) => other,
        _ => Ok(()),
    }
}

fn damaged(path: &Path, detail: &str) -> StoreError {
    StoreError::Corrupt { path: path.to_owned(), detail: detail.to_owned() }
}

/// Reading a header and a list of tables only goes wrong in unforeseen ways if they are damaged.
fn unreadable(path: &Path, error: rusqlite::Error) -> StoreError {
    match StoreError::from_sqlite(path, error) {
        StoreError::Unexpected { path, detail } => StoreError::Corrupt { path, detail },
        other => other,
    }
}

/// Makes an empty file with mode 0600, in folders with mode 0700, whatever the umask; what is there stays
/// as it is. SQLite gives its `-wal` and `-shm` files the mode of the file.
///
/// The file is made under another name and renamed: closing a descriptor of the store itself would drop
/// the locks that SQLite holds on it elsewhere in this process.
fn make_private(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => {
            return Err(StoreError::from_io(path, io::ErrorKind::IsADirectory.into()));
        }
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::from_io(path, error)),
    }
    let folder = path.parent().unwrap_or(path);
    make_folders(folder)?;
    let failed = |error| StoreError::from_io(path, error);
    let file = tempfile::Builder::new().prefix(".store-").tempfile_in(folder).map_err(failed)?;
    restrict(file.path(), 0o600).map_err(failed)?;
    match file.into_temp_path().persist_noclobber(path) {
        Err(refused) if refused.error.kind() != io::ErrorKind::AlreadyExists => Err(failed(refused.error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn make_folders(folder: &Path) -> Result<(), StoreError> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        let made = make_folder(folder).and_then(|()| restrict(folder, 0o700));
        match made {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(StoreError::from_io(folder, error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

#[cfg(unix)]
fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// True if a file that SQLite cannot read was never one of its own. A damaged header still shows most of
/// the magic bytes, or nothing but zeros where a crash left a file without content.
fn is_of_another_format(path: &Path) -> bool {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head));
    let same = head.iter().zip(MAGIC).filter(|(left, right)| left == right).count();
    read.is_ok() && 2 * same < head.len() && head.iter().any(|byte| *byte != 0)
}

#[cfg(test)]
mod tests {
    use rusqlite_migration::M;

    use super::*;

    fn opened(path: &Path, steps: Steps) -> Result<(Connection, Option<Notice>), StoreError> {
        match open_with(path, steps)? {
            Opened::Ours(conn, notice) => Ok((conn, notice)),
            Opened::Foreign => panic!("it is ours"),
        }
    }

    fn memories(conn: &Connection) -> i64 {
        conn.query_row("SELECT count(*) FROM memory", [], |row| row.get(0)).unwrap()
    }

    /// The newest tables, and one step more.
    fn with_a_step(sql: &'static str) -> Steps {
        Box::leak(STEPS.iter().cloned().chain([M::up(sql)]).collect::<Box<[_]>>())
    }

    #[test]
    fn older_tables_are_brought_up_and_the_file_is_kept_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let (conn, notice) = opened(&path, STEPS).unwrap();
        assert_eq!(notice, None, "a new file has nothing to keep");
        conn.execute("INSERT INTO memory VALUES ('k', '1', 0)", []).unwrap();
        drop(conn);

        let newer = with_a_step("ALTER TABLE memory ADD COLUMN note TEXT");
        let backup = path.with_extension("v1.backup.sqlite");
        let (conn, notice) = opened(&path, newer).unwrap();
        assert_eq!(notice, Some(Notice::Migrated { from: 1, backup: backup.clone() }));
        assert_eq!(memories(&conn), 1);
        drop(conn);
        assert_eq!(opened(&path, newer).unwrap().1, None, "once");
        assert!(matches!(opened(&path, STEPS), Err(StoreError::Newer { found: 2, known: 1, .. })));
        let (old, _) = opened(&backup, STEPS).unwrap();
        assert_eq!(memories(&old), 1, "the backup is a store of the older version");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let (conn, _) = opened(&path, STEPS).unwrap();
        conn.execute("INSERT INTO memory VALUES ('k', '1', 0)", []).unwrap();
        drop(conn);
        let broken = with_a_step("ALTER TABLE memory ADD COLUMN note TEXT; DROP TABLE absent");
        opened(&path, broken).unwrap_err();
        assert_eq!(memories(&opened(&path, STEPS).unwrap().0), 1);
    }
}
