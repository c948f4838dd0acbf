//! The file: who may read it, whose it is, and which ones are refused.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use status_validator::store::{Known, Notice, Results, Store, StoreError, Unknown};
use tempfile::TempDir;

use super::*;

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[cfg(unix)]
#[test]
fn files_and_new_folders_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = folder.path().join("new/er/store.sqlite");
    let mut store = Store::open(&path).unwrap();
    keep(&mut store, 1, call(1), &answer("yes"));
    for file in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        assert_eq!(mode(&path.with_file_name(file)), 0o600, "{file}");
    }
    assert_eq!(mode(&folder.path().join("new/er")), 0o700);
    assert_eq!(mode(&folder.path().join("new")), 0o700);
    assert_eq!(mode(folder.path()), 0o755, "a folder that is there stays as it is");
    assert_eq!(store.notices(), []);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(store.notices(), [Notice::OpenToOthers { path, mode: 0o640 }]);
}

/// Runs the test above again, in processes of their own: the umask belongs to a process.
#[cfg(unix)]
#[test]
fn files_and_new_folders_are_private_under_any_umask() {
    for umask in ["000", "022", "077", "0177"] {
        let status = std::process::Command::new("sh")
            .args([
                "-c",
                "umask $0 && exec \"$1\" --exact store::files::files_and_new_folders_are_private --quiet",
            ])
            .arg(umask)
            .arg(std::env::current_exe().unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&status.stdout).into_owned();
        assert!(status.status.success() && said.contains("1 passed"), "umask {umask}: {said}");
    }
}

#[test]
fn another_programs_database_is_left_alone_and_the_store_lives_beside_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("cache.sqlite");
    let python = Connection::open(&path).unwrap();
    python
        .execute_batch(
            "CREATE TABLE llm_cache (cache_key TEXT PRIMARY KEY, response TEXT, created_at TEXT);
             INSERT INTO llm_cache VALUES ('k', '{\"is_valid\": true}', '2025-10-06');",
        )
        .unwrap();
    drop(python);
    let before = fs::read(&path).unwrap();
    let beside = folder.path().join("cache.v2.sqlite");
    for _ in 0..2 {
        let mut store = Store::open(&path).unwrap();
        assert_eq!(store.path(), beside);
        let notices = store.notices();
        assert_eq!(notices, [Notice::Elsewhere { configured: path.clone(), used: beside.clone() }]);
        assert!(notices[0].to_string().contains("cache.v2.sqlite"), "{}", notices[0]);
        keep(&mut store, 1, call(1), &answer("yes"));
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    let kept = Store::open(&path).unwrap().lookup(&[call(1)], at(2)).unwrap();
    assert_eq!(kept, [Known::Answered(answer("yes"))]);

    fs::copy(&path, &beside).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Foreign { path }) if path == beside));
}

#[test]
fn another_programs_open_journal_is_not_touched_either() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("cache.sqlite");
    let python = Connection::open(&path).unwrap();
    python.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE llm_cache (k TEXT, v TEXT)").unwrap();
    let journal = folder.path().join("cache.sqlite-wal");
    let before = (fs::read(&path).unwrap(), fs::read(&journal).unwrap());
    assert!(matches!(Store::open(&path).unwrap().notices()[..], [Notice::Elsewhere { .. }]));
    assert_eq!((fs::read(&path).unwrap(), fs::read(&journal).unwrap()), before);
    python.execute("INSERT INTO llm_cache VALUES ('k', 'v')", []).unwrap();
}

#[test]
fn a_file_of_another_format_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("Settings.toml");
    let text = "header_row = 1\ndata_start_row = 2\n".repeat(50);
    fs::write(&path, &text).unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.path(), folder.path().join("Settings.v2.sqlite"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn an_empty_file_becomes_a_store() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    fs::write(&path, "").unwrap();
    let mut store = Store::open(&path).unwrap();
    keep(&mut store, 1, call(1), &answer("yes"));
    assert_eq!(store.path(), path);
}

#[test]
fn names_that_are_special_to_sqlite_are_ordinary_names() {
    let folder = TempDir::new().unwrap();
    for name in [":memory:", "file:x?mode=memory", "a b%20?.sqlite", "Хранилище"] {
        let path = folder.path().join(name);
        drop(Store::open(&path).unwrap());
        assert!(path.is_file(), "{name}");
    }
}

#[test]
fn a_newer_schema_is_refused_and_stays_as_it_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    drop(Store::open(&path).unwrap());
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 7).unwrap();
    drop(newer);
    let before = fs::read(&path).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 7, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("update the program"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_file_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Io { path, .. } if path == folder.path()), "{error}");
    assert!(error.to_string().contains("is a directory"), "{error}");
    fs::write(folder.path().join("file"), "x").unwrap();
    let below = folder.path().join("file/store.sqlite");
    assert!(matches!(Store::open(&below), Err(StoreError::Io { .. })));
    assert!(matches!(Store::open(""), Err(StoreError::Io { .. })));
    #[cfg(unix)]
    {
        let dangling = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &dangling).unwrap();
        assert!(matches!(Store::open(&dangling), Err(StoreError::Io { .. })));
        assert!(Store::open("/dev/null").is_err());
    }
}

#[test]
fn many_may_open_a_new_file_at_once_and_share_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("new/store.sqlite");
    std::thread::scope(|scope| {
        for n in 1..=8_u64 {
            let path = &path;
            scope.spawn(move || keep(&mut Store::open(path).unwrap(), n.into(), call(n), &answer("yes")));
        }
    });
    let mut store = Store::open(&path).unwrap();
    let known = store.lookup(&(1..=8).map(call).collect::<Vec<_>>(), at(2)).unwrap();
    assert!(known.iter().all(|known| matches!(known, Known::Answered(_))), "{known:?}");
    assert_eq!(store.verify().unwrap(), [""; 0]);
    let left: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name.to_string_lossy().starts_with("store.sqlite")), "{left:?}");
}

#[test]
fn two_engines_on_one_file_lose_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    let (mut one, mut two) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    begin(&mut one, 1, owner(1), Unknown::Retry);
    let first = one.send(&sending(1, call(1)), at(1)).unwrap();
    assert_eq!(begin(&mut two, 2, owner(2), Unknown::Retry).unanswered, 1);
    let again = Sending { owner: owner(2), run: "run-2".into(), ..sending(2, call(1)) };
    let second = two.send(&again, at(2)).unwrap();
    one.answer(&first, &answer("first"), &Results::default(), at(3)).unwrap();
    assert_eq!(two.lookup(&[call(1)], at(3)).unwrap(), [Known::Answered(answer("first"))]);
    two.answer(&second, &answer("second"), &Results::default(), at(4)).unwrap();
    assert_eq!(one.lookup(&[call(1)], at(4)).unwrap(), [Known::Answered(answer("second"))]);
    assert_eq!(one.spent_since(at(0)).unwrap(), MicroUsd(66));
}
