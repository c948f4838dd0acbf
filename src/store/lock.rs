//! One instance at a time: a lock that the system itself takes away when the process that holds it is gone.
//!
//! It is `flock` on a file of its own (on Unix; elsewhere what the standard library has for it), never a file with a
//! process number in it, which outlives its process. The file goes when the lock is given back; a killed process
//! leaves it, without a lock on it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::file;

/// What only one instance may work on, and the file that the lock is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The lock's file. It holds nothing.
    pub path: PathBuf,
    /// What it stands for, as people know it.
    pub what: String,
    /// True if a folder that is missing is made, readable by its owner alone.
    makes_folder: bool,
}

/// A claim that is held, as long as this lives.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: Option<File>,
}

/// Why a claim is not held.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another instance holds it.
    #[error("{what}: another instance is at work on it; nothing was read, spent or written")]
    Held {
        /// What is held.
        what: String,
    },
    /// A file of another user's stands for it: he is at work on it, or was killed at it.
    #[error(
        "{what}: another user is at work on it, or was killed at it; if nobody is, remove {}; nothing was read, spent or written",
        .path.display()
    )]
    OfAnotherUser {
        /// What is held.
        what: String,
        /// The lock's file.
        path: PathBuf,
    },
    /// The system gives no lock.
    #[error("{}: cannot be locked: {source}", .path.display())]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// How often a lock that is held is tried again.
const TRIED_EVERY: Duration = Duration::from_millis(50);

impl Claim {
    /// The claim on the store at `path`, whatever link leads there.
    pub fn of_store(path: &Path) -> Self {
        let path =
            fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
        Self { makes_folder: true, ..Self::beside(&path, &format!("the store {}", path.display())) }
    }

    /// A claim by a hidden file beside `path`.
    pub fn beside(path: &Path, what: &str) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let path = path.with_file_name(format!(".{name}.lock"));
        Self { path, what: what.to_owned(), makes_folder: false }
    }

    /// Takes the lock; while another instance holds it, waits for it as long as `patience`.
    ///
    /// Where no file can be made since its folder is missing or may not be written, there is nothing to lock: whoever
    /// opens the store or the table fails, and says why better than this could.
    ///
    /// # Errors
    /// If it is held by another, or the system refuses.
    pub fn take(&self, patience: Duration) -> Result<Lock, LockError> {
        let until = Instant::now().checked_add(patience);
        loop {
            match self.try_take() {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) if until.is_none_or(|until| Instant::now() < until) => {
                    std::thread::park_timeout(TRIED_EVERY);
                }
                Ok(None) => return Err(LockError::Held { what: self.what.clone() }),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(LockError::OfAnotherUser {
                        what: self.what.clone(),
                        path: self.path.clone(),
                    });
                }
                Err(source) => return Err(LockError::Io { path: self.path.clone(), source }),
            }
        }
    }

    /// None if another instance holds it.
    fn try_take(&self) -> io::Result<Option<Lock>> {
        // Whoever gives the lock back takes its file away: then the next one is looked for, a few times.
        for _ in 0..8 {
            let file = match self.open() {
                Ok(Some(file)) => file,
                Ok(None) => return Ok(Some(Lock { path: self.path.clone(), file: None })),
                // Somebody else's, made just now.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Taken away between our opening and locking it, it guards nothing.
            if is_at(&file, &self.path) {
                return Ok(Some(Lock { path: self.path.clone(), file: Some(file) }));
            }
        }
        Ok(None)
    }

    /// The lock's file, made where it is missing; none where it cannot be.
    fn open(&self) -> io::Result<Option<File>> {
        match options().read(true).open(&self.path) {
            Ok(file) if file.metadata()?.is_file() => return Ok(Some(file)),
            Ok(_) => return Err(io::Error::other("it is no file; remove it")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
            Err(error) => return Err(error),
        }
        if let Some(folder) = self.path.parent().filter(|_| self.makes_folder)
            && file::make_folders(folder).is_err()
        {
            return Ok(None); // opening the store says why
        }
        use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
        match options().write(true).create_new(true).open(&self.path) {
            Ok(file) => Ok(Some(file)),
            Err(error)
                if matches!(
                    error.kind(),
                    NotFound | NotADirectory | PermissionDenied | ReadOnlyFilesystem
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Files are made for their owner alone; links are not followed, and pipes not waited for.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    options
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.file.as_ref().is_some_and(|file| is_at(file, &self.path)) {
            // While it is still locked, so that nobody's lock is taken away. A file that stays is harmless.
            fs::remove_file(&self.path).ok();
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata().map(id), fs::metadata(path).map(id)), (Ok(ours), Ok(there)) if ours == there)
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(folder: &tempfile::TempDir) -> Claim {
        Claim::of_store(&folder.path().join("deep/store.sqlite"))
    }

    #[test]
    fn one_holds_it_and_the_next_gets_it_when_it_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let claim = claim(&folder);
        let first = claim.take(Duration::ZERO).unwrap();
        let refused = claim.take(Duration::ZERO).unwrap_err();
        assert!(refused.to_string().contains("deep/store.sqlite: another instance"), "{refused}");
        drop(first);
        assert!(!claim.path.exists(), "nothing is left behind");
        drop(claim.take(Duration::ZERO).unwrap());
    }

    #[test]
    fn whoever_waits_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let claim = claim(&folder);
        let first = claim.take(Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| claim.take(Duration::from_secs(60)).map(drop));
            std::thread::yield_now();
            drop(first);
            waiting.join().unwrap().unwrap();
        });
    }

    #[test]
    fn of_many_at_once_one_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let claim = claim(&folder);
        let holders = std::sync::atomic::AtomicUsize::new(0);
        let taken = std::sync::atomic::AtomicUsize::new(0);
        let order = std::sync::atomic::Ordering::SeqCst;
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let Ok(lock) = claim.take(Duration::ZERO) else { continue };
                        assert_eq!(holders.fetch_add(1, order), 0, "two hold it");
                        taken.fetch_add(1, order);
                        holders.fetch_sub(1, order);
                        drop(lock);
                    }
                });
            }
        });
        assert!(taken.into_inner() > 8);
    }

    #[test]
    fn a_file_that_a_killed_process_left_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let claim = Claim::beside(&folder.path().join("review.xlsx"), "review.xlsx");
        fs::write(&claim.path, "").unwrap();
        drop(claim.take(Duration::ZERO).unwrap());
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_is_no_lock_and_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let claim = Claim::beside(&folder.path().join("review.xlsx"), "review.xlsx");
        std::os::unix::fs::symlink(folder.path().join("absent"), &claim.path).unwrap();
        assert!(matches!(claim.take(Duration::ZERO), Err(LockError::Io { .. })), "a link is not followed");
        fs::remove_file(&claim.path).unwrap();
        fs::create_dir(&claim.path).unwrap();
        assert!(matches!(claim.take(Duration::ZERO), Err(LockError::Io { .. })), "a folder");
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_a_store_is_no_way_around_and_names_may_be_bare() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        fs::write(&path, "").unwrap();
        std::os::unix::fs::symlink(&path, folder.path().join("link.sqlite")).unwrap();
        let _held = Claim::of_store(&path).take(Duration::MAX).unwrap();
        let link = Claim::of_store(&folder.path().join("link.sqlite"));
        assert!(matches!(link.take(Duration::ZERO), Err(LockError::Held { .. })));
        assert!(Claim::of_store(Path::new("bare.sqlite")).path.is_absolute());
    }

    #[test]
    fn where_no_file_can_be_made_there_is_nothing_to_lock() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let claim = Claim::beside(&folder.path().join("file/review.xlsx"), "review.xlsx");
        claim.take(Duration::ZERO).unwrap();
    }
}
