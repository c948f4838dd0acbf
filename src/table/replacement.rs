//! Replacing a file as a whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use crate::fault::{self, Point};

/// A file that is written beside the one it is to replace.
///
/// As long as the old content is only kept, nothing is written: an unchanged file stays as it is. A crash
/// leaves the old file or the new one, and at worst a file that [`remove_leftovers`] finds.
#[derive(Debug)]
pub(super) struct Replacement {
    target: PathBuf,
    old: Option<Stamp>,
    /// How many bytes from the start of the old file stand in the new one too.
    kept: u64,
    new: Option<BufWriter<NamedTempFile>>,
}

/// By what a file is known to be the one that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

/// The file that a path means: symbolic links are followed, also one to a file that is not there yet.
pub(super) fn resolve(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    for _ in 0..40 {
        match fs::read_link(&target) {
            Ok(link) => target = folder(&target).join(link),
            Err(_) => break,
        }
    }
    target
}

/// Removes what crashed processes left beside `target`, and makes sure that a file can be written there.
pub(super) fn remove_leftovers(target: &Path) -> io::Result<()> {
    let prefix = prefix(target);
    for entry in fs::read_dir(folder(target))? {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    NamedTempFile::with_prefix_in(prefix, folder(target)).map(drop)
}

impl Replacement {
    /// A replacement of `target`, which was `old` when it was opened, or is not there.
    pub(super) fn new(target: &Path, old: Option<&Metadata>) -> Self {
        Self { target: target.to_owned(), old: old.map(Stamp::of), kept: 0, new: None }
    }

    /// The next bytes of the old file stay as they are.
    pub(super) fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.new {
            Some(new) => new.write_all(bytes),
            None => {
                self.kept += bytes.len() as u64;
                Ok(())
            }
        }
    }

    /// Writes bytes that the old file does not have here.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.new {
            Some(new) => new.write_all(bytes),
            None => {
                let mut new = self.begin()?;
                new.write_all(bytes)?;
                self.new = Some(new);
                Ok(())
            }
        }
    }

    /// Puts the new file in place, durably. A file of which everything was kept is not touched.
    ///
    /// # Errors
    /// Also if the old file was changed since it was read: what was written there must not be lost.
    pub(super) fn finish(self) -> io::Result<()> {
        let Some(new) = self.new else {
            return Ok(());
        };
        fault::at(Point::TableWrites)?;
        let new = new.into_inner().map_err(io::IntoInnerError::into_error)?;
        new.as_file().sync_all()?;
        fault::at(Point::TableSent)?;
        if Stamp::read(&self.target)? != self.old {
            return Err(io::Error::other("somebody changed the file while it was being updated"));
        }
        new.persist(&self.target).map_err(|error| error.error)?;
        fault::at(Point::TableAnswered)?;
        sync_folder(folder(&self.target))
    }

    fn begin(&self) -> io::Result<BufWriter<NamedTempFile>> {
        let prefix = prefix(&self.target);
        // A new file is its owner's alone, whatever the umask; who may read an old one stays as it is.
        let new = NamedTempFile::with_prefix_in(&prefix, folder(&self.target))?;
        let mut new = BufWriter::new(new);
        if self.old.is_some() {
            let old = File::open(&self.target)?;
            take_over_access(&old.metadata()?, new.get_ref().as_file())?;
            io::copy(&mut old.take(self.kept), &mut new)?;
        }
        Ok(new)
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { length: metadata.len(), modified: metadata.modified().ok(), inode }
    }

    fn read(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".sv-");
    prefix
}

/// The new file may be read and written by whom the old one may.
fn take_over_access(old: &Metadata, new: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        let mine = new.metadata()?;
        if (mine.uid(), mine.gid()) != (old.uid(), old.gid()) {
            match fchown(new, Some(old.uid()), Some(old.gid())) {
                // only root can give files away; the owner's group may have to do
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                other => other?,
            }
        }
    }
    new.set_permissions(old.permissions())
}

/// Makes a renamed file's name durable, where the file system has such a notion.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &tempfile::TempDir) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn kept_bytes_are_copied_once_something_changes() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.csv");
        fs::write(&target, "one two three").unwrap();
        let before = Stamp::read(&target).unwrap();
        let mut same = Replacement::new(&target, Some(&fs::metadata(&target).unwrap()));
        same.keep(b"one two three").unwrap();
        same.finish().unwrap();
        assert_eq!(Stamp::read(&target).unwrap(), before);
        let mut changed = Replacement::new(&target, Some(&fs::metadata(&target).unwrap()));
        changed.keep(b"one ").unwrap();
        changed.write(b"2").unwrap();
        changed.keep(b" three").unwrap();
        changed.finish().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "one 2 three");
        assert_eq!(names(&dir), ["a.csv"]);
    }

    #[test]
    fn a_replacement_that_is_dropped_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut replacement = Replacement::new(&dir.path().join("a.csv"), None);
        replacement.write(b"half").unwrap();
        assert_eq!(names(&dir).len(), 1);
        drop(replacement);
        assert_eq!(names(&dir), [""; 0]);
    }

    #[test]
    fn what_somebody_else_wrote_meanwhile_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.csv");
        let mut replacement = Replacement::new(&target, None);
        replacement.write(b"ours").unwrap();
        fs::write(&target, "theirs").unwrap();
        assert!(replacement.finish().unwrap_err().to_string().contains("somebody changed the file"));
        assert_eq!(fs::read_to_string(&target).unwrap(), "theirs");
        assert_eq!(names(&dir), ["a.csv"]);
    }

    #[test]
    fn leftovers_of_this_file_are_removed_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".a.csv.sv-k3Jd9a", ".b.csv.sv-k3Jd9a", ".a.csv", "a.csv"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        remove_leftovers(&dir.path().join("a.csv")).unwrap();
        assert_eq!(names(&dir), [".a.csv", ".b.csv.sv-k3Jd9a", "a.csv"]);
        assert!(remove_leftovers(&dir.path().join("absent/a.csv")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn mode_and_links_stay() {
        use std::fs::Permissions;
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.csv");
        let link = dir.path().join("link.csv");
        symlink("a.csv", &link).unwrap();
        assert_eq!(resolve(&link), target, "also where the file is not there yet");
        fs::write(&target, "x").unwrap();
        fs::set_permissions(&target, Permissions::from_mode(0o640)).unwrap();
        let mut replacement = Replacement::new(&target, Some(&fs::metadata(&target).unwrap()));
        replacement.write(b"y").unwrap();
        replacement.finish().unwrap();
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_to_string(&link).unwrap(), "y");
    }
}
