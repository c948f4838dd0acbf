//! What people should know about the store, though nothing failed.

use std::fmt;
use std::path::PathBuf;

use super::Store;
use super::salvage::Salvage;

/// Something about the store that people should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The configured file is another program's; it was left alone.
    Elsewhere {
        /// The configured file.
        configured: PathBuf,
        /// The file that is used.
        used: PathBuf,
    },
    /// The file was made by an older version and has the newest tables now.
    Migrated {
        /// Its schema version before.
        from: i64,
        /// The file as it was.
        backup: PathBuf,
    },
    /// The file was damaged. It was kept, and what could be read of it stands in a new one.
    Mended(Salvage),
    /// Others on this machine may read or change the file, and it holds the texts of the table.
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Answers that were damaged in the file and are asked for again.
    DamagedAnswers(u64),
    /// Waiting results or judgements that cannot be read.
    UnreadableRecords(u64),
    /// The marks of use, by which old answers are told from used ones, cannot be written.
    UseNotMarked(String),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elsewhere { configured, used } => write!(
                f,
                "{} belongs to another program and was left alone; answers are kept in {}",
                configured.display(),
                used.display()
            ),
            Self::Migrated { from, backup } => {
                write!(f, "the store was of schema {from} and is brought up; as it was: {}", backup.display())
            }
            Self::Mended(salvage) => salvage.fmt(f),
            Self::OpenToOthers { path, mode } => {
                write!(f, "{} can be read by others (mode {mode:04o}); make it 0600", path.display())
            }
            Self::DamagedAnswers(count) => write!(f, "damaged answers, asked for again: {count}"),
            Self::UnreadableRecords(count) => {
                write!(f, "damaged results, found again by the next run: {count}")
            }
            Self::UseNotMarked(error) => write!(f, "cannot mark answers as used: {error}"),
        }
    }
}

/// What a store has to say, gathered while it works.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub elsewhere: Option<(PathBuf, PathBuf)>,
    /// What was done with the file when it was opened.
    pub opened: Option<Notice>,
    pub damaged_answers: u64,
    pub unreadable_records: u64,
    pub marks_failed: Option<String>,
}

impl Store {
    /// What people should know about the store: one notice of a kind, with what came together since it
    /// was opened.
    pub fn notices(&self) -> Vec<Notice> {
        let counted = |count: u64, notice: fn(u64) -> Notice| (count > 0).then(|| notice(count));
        let elsewhere = self.notes.elsewhere.clone();
        [
            elsewhere.map(|(configured, used)| Notice::Elsewhere { configured, used }),
            self.notes.opened.clone(),
            self.open_to_others(),
            counted(self.notes.damaged_answers, Notice::DamagedAnswers),
            counted(self.notes.unreadable_records, Notice::UnreadableRecords),
            self.notes.marks_failed.clone().map(Notice::UseNotMarked),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    #[cfg(unix)]
    fn open_to_others(&self) -> Option<Notice> {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&self.path).ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then(|| Notice::OpenToOthers { path: self.path.clone(), mode })
    }

    #[cfg(not(unix))]
    fn open_to_others(&self) -> Option<Notice> {
        None
    }
}
