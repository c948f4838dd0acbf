//! Damage: whatever is done to the file, no wrong answer is served and nothing panics.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use status_validator::domain::verdict::Verdict;
use status_validator::store::{Judged, Known, Notice, Salvage, Store, StoreError, Unknown};
use tempfile::TempDir;

use super::*;

const CALLS: u64 = 60;

fn text(n: u64) -> String {
    format!(
        "{{\"is_valid\": {}, \"issues\": [\"{}\"]}}",
        n.is_multiple_of(2),
        "сдвиг срока ".repeat(n as usize)
    )
}

fn judged(n: u128) -> Judged {
    Judged {
        job: "default".into(),
        row_key: RowKey::stored(format!("row {n}")),
        run: "run-1".into(),
        fingerprint: call(n as u64),
        verdict: Verdict { notes: vec![format!("note {n}")], ..Verdict::from_findings(Vec::new()) },
        at: at(n as i64),
    }
}

/// A store of known content, closed.
fn sound(path: &Path) {
    let mut store = Store::open(path).unwrap();
    begin(&mut store, 1, owner(1), Unknown::Retry);
    for n in 0..CALLS {
        keep(&mut store, n.into(), call(n), &answer(&text(n)));
    }
    let entries: Vec<_> = (0..20).map(|n| entry(&format!("row {n}"), n)).collect();
    let judged = (0..20).map(judged).collect();
    store.record(&Results { outbox: entries, judged }, at(1)).unwrap();
    store.end_run("run-1", "ok", "{}", at(2)).unwrap();
}

/// Does with the file all that a run does, and looks at every value that comes back. Says how many answers
/// and entries were served.
fn use_all(path: &Path, what: &str) -> Result<(usize, usize), StoreError> {
    use_store(Store::open(path)?, what)
}

fn use_store(mut store: Store, what: &str) -> Result<(usize, usize), StoreError> {
    if let Err(error) = store.verify().and_then(|_| store.stats()) {
        is_told(&error, what);
    }
    let begun = store.begin_run(&run(2, owner(2)), Unknown::Retry, at(3));
    let mut served = 0;
    for n in 0..CALLS {
        match store.lookup(&[call(n)], at(4))?.as_slice() {
            [Known::Answered(found)] => {
                assert_eq!(*found, answer(&text(n)), "{what}: another answer than the one paid for");
                served += 1;
            }
            [Known::Missing | Known::Held] => {}
            other => panic!("{what}: {other:?}"),
        }
    }
    let pending = store.pending(TARGET, None, 100)?;
    for found in &pending {
        let n = found.write_id.0.as_u128();
        assert_eq!(*found, entry(&format!("row {n}"), n), "{what}: another result than the one found");
    }
    for n in 0..20 {
        let found = store.history("default", &judged(n).row_key, 9)?;
        assert!(found.is_empty() || found == [judged(n)], "{what}: another judgement than the one made");
    }
    let _ = store.send(&sending(900, call(900)), at(5))?;
    begun.map(|_| (served, pending.len()))
}

fn is_told(error: &StoreError, what: &str) {
    let told = matches!(error, StoreError::Corrupt { .. } | StoreError::Newer { .. });
    assert!(told, "{what}: {error}");
}

#[test]
fn a_flipped_byte_is_never_a_wrong_answer() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    sound(&path);
    let good = fs::read(&path).unwrap();
    assert_eq!(use_all(&path, "untouched").unwrap(), (CALLS as usize, 20));
    let mut random = fastrand::Rng::with_seed(7);
    let header = (0..100).chain([100, 105, 108, 4096, 8192]);
    let offsets: Vec<usize> = header.chain((0..150).map(|_| random.usize(..good.len()))).collect();
    let (mut refused, mut served) = (0, 0);
    for offset in &offsets {
        let what = format!("byte {offset} of {}", good.len());
        for file in fs::read_dir(folder.path()).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
        let mut bytes = good.clone();
        bytes[*offset] ^= 1 << random.u8(..8);
        fs::write(&path, &bytes).unwrap();
        match use_all(&path, &what) {
            Ok((answers, _)) => served += answers,
            Err(error) => {
                is_told(&error, &what);
                refused += 1;
            }
        }
        assert!(!folder.path().join("store.v2.sqlite").exists(), "{what}: taken for another program's file");
    }
    println!("{} flips: {refused} refused, {served} answers served", offsets.len());
    assert!(served > offsets.len() * CALLS as usize / 3, "most of a damaged file is still good: {served}");
}

#[test]
fn a_file_cut_short_or_overwritten_is_refused_or_good() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    sound(&path);
    let good = fs::read(&path).unwrap();
    let cut = |length: usize| good[..length].to_vec();
    let zeros = |from: usize, to: usize| {
        let mut bytes = good.clone();
        bytes[from..to].fill(0);
        bytes
    };
    let cases = [
        ("two bytes", cut(2)),
        ("half a header", cut(50)),
        ("one page", cut(4096)),
        ("half a page less", cut(good.len() - 2048)),
        ("half", cut(good.len() / 2)),
        ("all zeros", zeros(0, good.len())),
        ("first page zeros", zeros(0, 4096)),
        ("middle page zeros", zeros(8192, 12288)),
    ];
    for (what, bytes) in cases {
        for file in fs::read_dir(folder.path()).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
        fs::write(&path, &bytes).unwrap();
        if let Ok(store) = Store::open(&path) {
            assert!(matches!(store.check(), Err(StoreError::Corrupt { .. })), "{what}");
        }
        if let Err(error) = use_all(&path, what) {
            assert!(
                matches!(&error, StoreError::Corrupt { path: named, .. } if *named == path),
                "{what}: {error}"
            );
        }
    }
}

/// Raise it for a long sweep: `SV_DAMAGE_SEEDS=10 cargo test --test it store::damage -- --nocapture`.
fn seeds() -> u64 {
    std::env::var("SV_DAMAGE_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// A folder with this file and nothing else.
fn alone(folder: &TempDir, bytes: &[u8]) {
    for file in fs::read_dir(folder.path()).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    fs::write(folder.path().join("store.sqlite"), bytes).unwrap();
}

#[test]
fn whatever_is_damaged_is_mended_by_whoever_opens_it_next() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    sound(&path);
    let good = fs::read(&path).unwrap();
    for seed in 0..seeds() {
        let mut random = fastrand::Rng::with_seed(seed);
        let flips = (0..200).map(|_| {
            let (at, bit) = (random.usize(..good.len()), random.u8(..8));
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            (format!("seed {seed}: byte {at}, bit {bit}"), bytes)
        });
        let flips: Vec<_> = flips.collect();
        let cuts = (0..50).map(|_| {
            let length = random.usize(1..good.len());
            (format!("seed {seed}: cut to {length}"), good[..length].to_vec())
        });
        let cuts: Vec<_> = cuts.collect();
        for (kind, damages) in [("flipped bits", flips), ("truncations", cuts)] {
            let (mut mended, mut served, mut salvaged) = (0, 0, 0);
            for (what, bytes) in &damages {
                alone(&folder, bytes);
                let store =
                    Store::open_or_mend(&path, at(9)).unwrap_or_else(|error| panic!("{what}: {error}"));
                let mend = mend_of(&store);
                let (answers, _) = use_store(store, what).unwrap_or_else(|error| panic!("{what}: {error}"));
                served += answers;
                if let Some(salvage) = mend {
                    mended += 1;
                    salvaged += salvage.answers;
                    assert_eq!(salvage.answers as usize, answers, "{what}");
                    assert_eq!(&fs::read(&salvage.kept_in).unwrap(), bytes, "{what}: kept as it was");
                    private(&path);
                }
                let again = Store::open_or_mend(&path, at(10)).unwrap();
                assert!(mend_of(&again).is_none(), "{what}: once");
            }
            let share = |answers: u64, of: u64| 100.0 * answers as f64 / (of * CALLS).max(1) as f64;
            let (all, of_all) = (damages.len() as u64, share(served as u64, damages.len() as u64));
            println!(
                "{all} {kind}: {mended} files mended, {:.1} % of their answers salvaged; {of_all:.1} % of all served, 0 wrong",
                share(salvaged, mended)
            );
        }
    }
}

fn mend_of(store: &Store) -> Option<Salvage> {
    store.notices().into_iter().find_map(|notice| match notice {
        Notice::Mended(salvage) => Some(salvage),
        _ => None,
    })
}

fn private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn money_that_cannot_be_is_damage_and_the_rest_of_the_ledger_stays() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    sound(&path);
    let before = Store::open(&path).unwrap().spent_since(at(0)).unwrap();
    let meddler = Connection::open(&path).unwrap();
    meddler.execute("UPDATE attempt SET cost = -5 WHERE seq = 7", []).unwrap();
    drop(meddler);
    let store = Store::open_or_mend(&path, at(9)).unwrap();
    let mend = mend_of(&store).unwrap();
    assert!(mend.damage.contains("request of the ledger") && mend.attempts == CALLS, "{mend:?}");
    let (cost, estimate) = (33, 100);
    assert_eq!(
        store.spent_since(at(0)).unwrap().0,
        before.0 - cost + estimate,
        "its estimate goes on counting"
    );
}

#[test]
fn a_mend_that_was_cut_short_is_finished_by_the_next_one() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    sound(&path);
    let good = fs::read(&path).unwrap();
    // As a crash leaves it: the new file is complete, the old one still in its place.
    fs::copy(&path, folder.path().join("store.sqlite.mended")).unwrap();
    let mut bad = good.clone();
    bad[100..4000].fill(0xff);
    fs::write(&path, &bad).unwrap();
    let store = Store::open_or_mend(&path, at(9)).unwrap();
    assert_eq!(use_store(store, "cut short").unwrap(), (CALLS as usize, 20));
    let kept: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let kept = kept.iter().find(|path| path.to_string_lossy().contains(".corrupt-")).unwrap();
    assert_eq!(fs::read(kept).unwrap(), bad);
    assert!(!folder.path().join("store.sqlite.mended").exists());
}

#[test]
fn a_file_that_somebody_uses_is_not_taken_from_under_them() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    sound(&path);
    let user = Connection::open(&path).unwrap();
    user.execute("UPDATE attempt SET cost = -5 WHERE seq = 7", []).unwrap();
    user.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = Store::open_or_mend(&path, at(9)).unwrap_err();
    assert!(matches!(refused, StoreError::Busy { .. }), "{refused}");
    user.execute_batch("COMMIT").unwrap();
    drop(user);
    assert!(mend_of(&Store::open_or_mend(&path, at(9)).unwrap()).is_some());
}

#[test]
fn tables_that_somebody_changed_are_mended_by_the_names_of_their_columns() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    sound(&path);
    let meddler = Connection::open(&path).unwrap();
    meddler
        .execute_batch("ALTER TABLE memory ADD COLUMN note TEXT; ALTER TABLE run DROP COLUMN found_by")
        .unwrap();
    drop(meddler);
    let store = Store::open_or_mend(&path, at(9)).unwrap();
    let mend = mend_of(&store).unwrap();
    assert_eq!((mend.answers, mend.outbox, mend.attempts), (CALLS, 20, CALLS), "{mend:?}");
    assert_eq!(use_store(store, "changed").unwrap(), (CALLS as usize, 20));
}

#[test]
fn answers_given_after_a_mend_are_newer_than_those_before() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    sound(&path);
    let meddler = Connection::open(&path).unwrap();
    // The end of the ledger is lost, and something else is damaged.
    meddler.execute_batch("DELETE FROM attempt; UPDATE run SET started_at = 9223372036854775807").unwrap();
    drop(meddler);
    let mut store = Store::open_or_mend(&path, at(9)).unwrap();
    assert!(mend_of(&store).is_some());
    keep(&mut store, 5000, call(3), &answer("newer"));
    assert_eq!(store.lookup(&[call(3)], at(10)).unwrap(), [Known::Answered(answer("newer"))]);
}

#[test]
fn a_torn_journal_loses_its_end_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    let journal = folder.path().join("store.sqlite-wal");
    let mut store = Store::open(&path).unwrap();
    for n in 0..20 {
        keep(&mut store, n.into(), call(n), &answer(&text(n)));
    }
    let (file, whole) = (fs::read(&path).unwrap(), fs::read(&journal).unwrap());
    let mut before = 0;
    for length in (0..=whole.len()).step_by(whole.len() / 40) {
        let copy = TempDir::new().unwrap();
        fs::write(copy.path().join("store.sqlite"), &file).unwrap();
        fs::write(copy.path().join("store.sqlite-wal"), &whole[..length]).unwrap();
        let mut torn = Store::open(copy.path().join("store.sqlite")).unwrap();
        let known = torn.lookup(&(0..20).map(call).collect::<Vec<_>>(), at(2)).unwrap();
        let answers = known.iter().take_while(|known| matches!(known, Known::Answered(_))).count();
        assert!(known[answers..].iter().all(|known| *known == Known::Missing), "in the order of writing");
        assert!(answers >= before, "{length}");
        before = answers;
    }
    assert!(before >= 19, "{before}");
}

#[test]
fn a_changed_answer_is_missing_is_reported_and_can_be_asked_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    sound(&path);
    let meddler = Connection::open(&path).unwrap();
    let changed = meddler.execute("UPDATE call SET answer = replace(answer, 'true', 'false')", []).unwrap();
    assert_eq!(changed as u64, CALLS);
    meddler
        .execute(
            "UPDATE outbox SET payload = replace(payload, '\"No\"', '\"Yes\"') WHERE row_key = 'row 3'",
            [],
        )
        .unwrap();
    meddler.execute("UPDATE outbox SET payload = '{\"v\":2}' WHERE row_key = 'row 4'", []).unwrap();
    drop(meddler);

    let mut store = Store::open(&path).unwrap();
    store.check().unwrap();
    let problems = store.verify().unwrap();
    assert_eq!(problems.len() as u64, CALLS / 2 + 2, "{problems:?}");
    let known = store.lookup(&(0..CALLS).map(call).collect::<Vec<_>>(), at(4)).unwrap();
    for (n, known) in (0_u64..).zip(known) {
        assert_eq!(known == Known::Missing, n.is_multiple_of(2), "{n}");
    }
    assert_eq!(store.pending(TARGET, None, 100).unwrap().len(), 18);
    assert_eq!(store.waiting(TARGET).unwrap().rows, 20);
    assert_eq!(store.notices(), [Notice::DamagedAnswers(CALLS / 2), Notice::UnreadableRecords(2)]);
    keep(&mut store, 1000, call(0), &answer("again"));
    assert_eq!(store.lookup(&[call(0)], at(5)).unwrap(), [Known::Answered(answer("again"))]);
    store.record(&outbox(&[entry("row 3", 3), entry("row 4", 4)]), at(5)).unwrap();
    assert_eq!(store.pending(TARGET, None, 100).unwrap().len(), 20);
}

#[test]
fn an_answer_moved_to_another_question_is_no_answer() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    sound(&path);
    let meddler = Connection::open(&path).unwrap();
    meddler
        .execute("UPDATE call SET fingerprint = ?1 WHERE fingerprint = ?2", [call(700).0, call(1).0])
        .unwrap();
    drop(meddler);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.lookup(&[call(1), call(700)], at(4)).unwrap(), [Known::Missing, Known::Missing]);
}
