//! History, runs, memory and what `cache` and `runs` on the command line need.

use jiff::SignedDuration;
use status_validator::domain::fingerprint::Fingerprint;
use status_validator::domain::key::RowKey;
use status_validator::domain::money::MicroUsd;
use status_validator::domain::verdict::Verdict;
use status_validator::store::{Answered, Judged, Known, Results, Store, StoreError, Unknown};
use tempfile::TempDir;

use super::*;

const DAY: i64 = 24 * 3600;

fn judged(run: &str, key: &str, second: i64) -> Judged {
    Judged {
        job: "default".into(),
        row_key: RowKey::stored(key),
        run: run.into(),
        fingerprint: call(1),
        verdict: Verdict::from_findings(Vec::new()),
        at: at(second),
    }
}

#[test]
fn history_is_one_judgement_a_row_and_run_newest_first() {
    let mut store = Store::open_in_memory().unwrap();
    let attempt = store.send(&sending(1, call(1)), at(0)).unwrap();
    let all = [judged("run-1", "a", 10), judged("run-2", "a", 20), judged("run-1", "b", 30)];
    let results = Results { judged: all.to_vec(), ..Results::default() };
    store.answer(&attempt, &answer("yes"), &results, at(1)).unwrap();
    store.record(&results, at(2)).unwrap();
    let key = RowKey::stored("a");
    assert_eq!(store.history("default", &key, 9).unwrap(), [all[1].clone(), all[0].clone()]);
    assert_eq!(store.history("default", &key, 1).unwrap(), [all[1].clone()]);
    assert_eq!(store.history("other", &key, 9).unwrap(), []);
    let again = Results { judged: vec![judged("run-1", "a", 40)], ..Results::default() };
    store.record(&again, at(3)).unwrap();
    assert_eq!(store.history("default", &key, 9).unwrap(), [again.judged[0].clone(), all[1].clone()]);
}

#[test]
fn runs_are_found_by_id_and_by_a_prefix_that_only_one_has() {
    let mut store = Store::open_in_memory().unwrap();
    for n in [1, 2, 12] {
        begin(&mut store, n, owner(1), Unknown::Retry);
    }
    let _ = store.send(&sending(1, call(1)), at(1)).unwrap();
    store.end_run("run-2", "partial", r#"{"rows_read":3}"#, at(9)).unwrap();
    let ids: Vec<String> = store.runs(2).unwrap().into_iter().map(|run| run.start.run_id).collect();
    assert_eq!(ids, ["run-12", "run-2"]);
    let first = store.run("run-1").unwrap().unwrap();
    assert_eq!((first.start, first.spent, first.ended), (run(1, owner(1)), MicroUsd(100), None));
    let second = store.run("run-2").unwrap().unwrap();
    assert_eq!(second.ended, Some(at(9)));
    assert_eq!(second.outcome.as_deref(), Some("partial"));
    assert_eq!(second.report.as_deref(), Some(r#"{"rows_read":3}"#));
    assert_eq!(store.run("run-12").unwrap().unwrap().start.run_id, "run-12");
    for shared in ["run-", "r", ""] {
        let error = store.run(shared).unwrap_err();
        assert!(matches!(&error, StoreError::AmbiguousRun { matches, .. } if matches.len() >= 2), "{error}");
    }
    for nobodys in ["run-3", "%", "run_1", "run-1%", "'"] {
        assert_eq!(store.run(nobodys).unwrap(), None, "{nobodys}");
    }
}

#[test]
fn notes_replace_each_other_and_survive() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.recall("primary").unwrap(), None);
    store.remember("primary", r#"{"v":1}"#, at(1)).unwrap();
    store.remember("primary", r#"{"v":1,"rpm":60}"#, at(2)).unwrap();
    drop(store);
    let note = Store::open(&path).unwrap().recall("primary").unwrap().unwrap();
    assert_eq!((note.json.as_str(), note.at), (r#"{"v":1,"rpm":60}"#, at(2)));
}

#[test]
fn stats_count_what_is_there() {
    let mut store = Store::open_in_memory().unwrap();
    assert_eq!(store.stats().unwrap().answers, 0);
    begin(&mut store, 1, owner(1), Unknown::Retry);
    for (n, model) in [(1, "a"), (2, "b"), (3, "b")] {
        let late = StoredAnswer { model: model.into(), at: at(n as i64), ..answer("yes") };
        keep(&mut store, n, call(n as u64), &late);
    }
    store.record(&outbox(&[entry("a", 1)]), at(1)).unwrap();
    let stats = store.stats().unwrap();
    assert_eq!(stats.by_model, [("b".to_owned(), 2), ("a".to_owned(), 1)]);
    assert_eq!((stats.answers, stats.outbox, stats.runs, stats.attempts, stats.held), (3, 1, 1, 3, 0));
    assert_eq!((stats.oldest, stats.newest), (Some(at(1)), Some(at(3))));
    assert_eq!(stats.spent, MicroUsd(99));
    assert!(stats.bytes > 0);
}

#[test]
fn pruning_takes_what_nobody_used_and_never_money_or_results_on_their_way() {
    let mut store = Store::open_in_memory().unwrap();
    begin(&mut store, 1, owner(1), Unknown::Hold);
    keep(&mut store, 1, call(1), &answer("unused"));
    keep(&mut store, 2, call(2), &answer("used"));
    let _ = store.send(&sending(3, call(3)), at(0)).unwrap();
    let results = Results { outbox: vec![entry("a", 1)], judged: vec![judged("run-1", "a", 0)] };
    store.record(&results, at(0)).unwrap();
    begin(&mut store, 2, owner(2), Unknown::Hold);
    store.lookup(&[call(2)], at(40 * DAY)).unwrap();

    let month = SignedDuration::from_hours(30 * 24);
    let pruned = store.prune(month, at(45 * DAY)).unwrap();
    assert_eq!((pruned.answers, pruned.judgements, pruned.runs, pruned.attempts), (1, 1, 1, 3));
    let known = store.lookup(&[call(1), call(2), call(3)], at(45 * DAY)).unwrap();
    assert_eq!(known, [Known::Missing, Known::Answered(answer("used")), Known::Held]);
    assert_eq!(store.waiting(TARGET).unwrap().rows, 1);
    assert_eq!(store.runs(9).unwrap().len(), 1, "a run that has not ended stays");
    assert_eq!(store.prune(SignedDuration::MAX, at(46 * DAY)).unwrap(), Default::default());

    let _ = store.send(&sending(4, call(4)), at(45 * DAY)).unwrap();
    store.prune(SignedDuration::ZERO, at(46 * DAY)).unwrap();
    assert_eq!(store.spent_since(at(45 * DAY)).unwrap(), MicroUsd(100), "caps are reckoned from it");
}

#[test]
fn a_look_up_marks_use_at_most_once_a_day() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    keep(&mut store, 1, call(1), &answer("yes"));
    let journal = || std::fs::metadata(path.with_extension("sqlite-wal")).unwrap().len();
    let before = journal();
    store.lookup(&[call(1)], at(DAY - 1)).unwrap();
    store.lookup(&[call(1)], at(-DAY)).unwrap();
    assert_eq!(journal(), before, "a read is no write");
    store.lookup(&[call(1)], at(2 * DAY)).unwrap();
    let marked = journal();
    assert!(marked > before);
    store.lookup(&[call(1)], at(2 * DAY + 5)).unwrap();
    assert_eq!(journal(), marked);
}

#[test]
fn clearing_forgets_answers_and_gives_their_space_back() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    let secret = "Ивановъ ".repeat(500);
    for n in 1..=50 {
        keep(&mut store, n, call(n as u64), &answer(&secret));
    }
    let _ = store.send(&sending(99, call(99)), at(0)).unwrap();
    store.record(&outbox(&[entry("a", 1)]), at(0)).unwrap();
    let before = store.stats().unwrap();
    assert_eq!(store.clear().unwrap(), 50);
    store.compact().unwrap();
    let after = store.stats().unwrap();
    assert_eq!((after.answers, after.outbox, after.attempts), (0, 1, 51));
    assert_eq!(after.spent, before.spent);
    assert!(after.bytes < before.bytes / 2, "{} of {}", after.bytes, before.bytes);
    let bytes = std::fs::read(&path).unwrap();
    let needle = "Ивановъ".as_bytes();
    assert!(!bytes.windows(needle.len()).any(|window| window == needle), "what is cleared is gone");
}

#[test]
fn a_page_of_look_ups_is_quick() {
    const ANSWERS: u64 = 20_000;
    const LOOK_UPS: u64 = 120_000;
    let folder = TempDir::new().unwrap();
    let mut store = Store::open(folder.path().join("store.sqlite")).unwrap();
    let text = "x".repeat(600);
    let started = std::time::Instant::now();
    for page in 0..ANSWERS / 500 {
        let sendings: Vec<_> = (page * 500..(page + 1) * 500).map(|n| sending(n.into(), call(n))).collect();
        let attempts = store.send_many(&sendings, at(0)).unwrap();
        let (answer, results) = (answer(&text), Results::default());
        let answered: Vec<_> =
            attempts.iter().map(|attempt| Answered { attempt, answer: &answer, results: &results }).collect();
        store.answer_many(&answered, at(1)).unwrap();
    }
    println!("{ANSWERS} calls sent and answered in {:?}", started.elapsed());
    let asked: Vec<Fingerprint> = (0..LOOK_UPS).map(|n| call(n * 7919 % (2 * ANSWERS))).collect();
    let started = std::time::Instant::now();
    let found: usize = asked
        .chunks(500)
        .map(|page| store.lookup(page, at(2)).unwrap().iter().filter(|k| **k != Known::Missing).count())
        .sum();
    println!("{LOOK_UPS} look-ups in {:?}", started.elapsed());
    assert_eq!(found as u64, LOOK_UPS / 2);
    let started = std::time::Instant::now();
    assert_eq!(store.verify().unwrap(), [""; 0]);
    println!("{ANSWERS} answers verified in {:?}", started.elapsed());
}
