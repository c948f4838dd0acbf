//! What can go wrong with the store, and whether trying again helps.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_SHORT_READ};

/// Why a call to the store failed. A failed call changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds the file locked, longer than the store waits.
    #[error("{}: locked by another program; try again when it is done", .path.display())]
    Busy {
        /// The store's file.
        path: PathBuf,
    },
    /// The disk or the quota is full. What was stored before can still be read.
    #[error("{}: no space left to store answers; free some", .path.display())]
    Full {
        /// The store's file.
        path: PathBuf,
    },
    /// The file or its folder may be read but not written.
    #[error("{}: may not be written; change its permissions or set cache_path to another file", .path.display())]
    ReadOnly {
        /// The store's file.
        path: PathBuf,
    },
    /// The file is a store, or was one, and is damaged.
    #[error("{}: damaged ({detail}); the next run keeps it aside and goes on with what can be read", .path.display())]
    Corrupt {
        /// The store's file.
        path: PathBuf,
        /// What SQLite or we found.
        detail: String,
    },
    /// A newer version of the program made the file.
    #[error(
        "{}: made by a newer version (schema {found}, this version knows {known}); \
         update the program or set cache_path to another file", .path.display()
    )]
    Newer {
        /// The store's file.
        path: PathBuf,
        /// The file's schema version.
        found: i64,
        /// The newest schema version known here.
        known: i64,
    },
    /// The file holds something else. It was not touched.
    #[error("{}: not a store of this program; set cache_path to another file", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be made, opened, read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The store's file, or one of its folders.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A run was named by a prefix that several runs share.
    #[error("several runs begin with «{prefix}»: {}", .matches.join(", "))]
    AmbiguousRun {
        /// The prefix.
        prefix: String,
        /// The first few of these runs.
        matches: Vec<String>,
    },
    /// SQLite refuses for a reason that should not occur.
    #[error("{}: {detail}", .path.display())]
    Unexpected {
        /// The store's file.
        path: PathBuf,
        /// What SQLite says; never a bound value.
        detail: String,
    },
}

impl StoreError {
    /// True if the same call may succeed later without anyone doing anything.
    ///
    /// A failed write to the disk is not transient: what the system then still holds in memory cannot be
    /// trusted, so the file has to be opened anew.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. } => true,
            Self::Full { .. }
            | Self::ReadOnly { .. }
            | Self::Corrupt { .. }
            | Self::Newer { .. }
            | Self::Foreign { .. }
            | Self::Io { .. }
            | Self::AmbiguousRun { .. }
            | Self::Unexpected { .. } => false,
        }
    }

    /// The error for an I/O error of the file or one of its folders.
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { path, source },
        }
    }

    /// The error for an error of SQLite.
    pub(super) fn from_sqlite(path: &Path, error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        let path = path.to_owned();
        let detail = brief(&error);
        let code = match &error {
            E::SqliteFailure(failure, _) | E::SqlInputError { error: failure, .. } => failure,
            // Our own statements on our own tables: only damage makes a value of another type.
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..) => return Self::Corrupt { path, detail },
            _ => return Self::Unexpected { path, detail },
        };
        match code.extended_code {
            SQLITE_IOERR_SHORT_READ => return Self::Corrupt { path, detail },
            // The file that connections share could not grow: there is no room for it.
            SQLITE_IOERR_SHMSIZE => return Self::Full { path },
            _ => {}
        }
        match code.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy { path },
            ErrorCode::DiskFull => Self::Full { path },
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Self::ReadOnly { path },
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt { path, detail },
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => {
                Self::Io { path, source: io::Error::other(detail) }
            }
            _ => Self::Unexpected { path, detail },
        }
    }
}

/// What SQLite says, without the statement.
fn brief(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn of_code(code: std::ffi::c_int) -> StoreError {
        StoreError::from_sqlite(
            Path::new("a.sqlite"),
            rusqlite::Error::SqliteFailure(ffi::Error::new(code), None),
        )
    }

    #[test]
    fn sqlite_codes_become_what_a_person_can_act_on() {
        assert!(matches!(of_code(ffi::SQLITE_BUSY_SNAPSHOT), StoreError::Busy { .. }));
        assert!(matches!(of_code(ffi::SQLITE_FULL), StoreError::Full { .. }));
        assert!(matches!(of_code(ffi::SQLITE_IOERR_SHMSIZE), StoreError::Full { .. }));
        assert!(matches!(of_code(ffi::SQLITE_READONLY_DBMOVED), StoreError::ReadOnly { .. }));
        assert!(matches!(of_code(ffi::SQLITE_CORRUPT_INDEX), StoreError::Corrupt { .. }));
        assert!(matches!(of_code(ffi::SQLITE_NOTADB), StoreError::Corrupt { .. }));
        assert!(matches!(of_code(ffi::SQLITE_IOERR_SHORT_READ), StoreError::Corrupt { .. }));
        assert!(matches!(of_code(ffi::SQLITE_IOERR_FSYNC), StoreError::Io { .. }));
        assert!(matches!(of_code(ffi::SQLITE_CANTOPEN), StoreError::Io { .. }));
        assert!(matches!(of_code(ffi::SQLITE_MISUSE), StoreError::Unexpected { .. }));
    }

    #[test]
    fn only_a_lock_goes_away_by_itself() {
        assert!(of_code(ffi::SQLITE_BUSY).is_transient());
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_CORRUPT, ffi::SQLITE_READONLY] {
            assert!(!of_code(code).is_transient(), "{code}");
        }
    }
}
