//! The life of a call: sent, answered, rejected, released, and what a crash leaves.

use status_validator::domain::key::RowKey;
use status_validator::domain::money::{MicroUsd, Usage};
use status_validator::store::{Known, Recovery, Results, Store, Unknown};
use tempfile::TempDir;

use super::*;

#[test]
fn an_answer_is_kept_word_for_word_and_found_in_the_order_asked() {
    let mut store = Store::open_in_memory().unwrap();
    let hostile = answer("\u{feff}{\"x\": \"'; DROP TABLE call; --\"}\u{0}\u{202e}\u{1f600}");
    keep(&mut store, 1, call(1), &hostile);
    keep(&mut store, 2, call(2), &answer(""));
    let known = store.lookup(&[call(2), call(9), call(1), call(2)], at(5)).unwrap();
    let empty = Known::Answered(answer(""));
    assert_eq!(known, [empty.clone(), Known::Missing, Known::Answered(hostile), empty]);
    assert_eq!(store.lookup(&[], at(5)).unwrap(), []);
    assert_eq!(store.notices(), []);
}

#[test]
fn a_request_counts_from_before_it_leaves_until_it_is_known_to_be_free() {
    let mut store = Store::open_in_memory().unwrap();
    let attempts: Vec<_> =
        (1..=5).map(|n| store.send(&sending(n, call(n as u64)), at(n as i64)).unwrap()).collect();
    assert_eq!(store.spent_since(at(0)).unwrap(), MicroUsd(500));
    store.answer(&attempts[0], &answer("yes"), &Results::default(), at(9)).unwrap();
    store.reject(&attempts[1], Usage::default(), MicroUsd(7), "cut", at(9)).unwrap();
    store.release(&attempts[2], "429", false, at(9)).unwrap();
    store.release(&attempts[3], "timeout", true, at(9)).unwrap();
    assert_eq!(store.spent_since(at(0)).unwrap(), MicroUsd(33 + 7 + 100 + 100));
    assert_eq!(store.spent_since(at(4)).unwrap(), MicroUsd(200), "by the time of sending");
    let known = store.lookup(&(1..=5).map(call).collect::<Vec<_>>(), at(9)).unwrap();
    assert!(matches!(known[0], Known::Answered(_)));
    assert!(known[1..].iter().all(|known| *known == Known::Missing), "{known:?}");
}

#[test]
fn absurd_prices_neither_overflow_nor_vanish() {
    let mut store = Store::open_in_memory().unwrap();
    for n in 1..=3 {
        let sending = Sending { estimate: MicroUsd(u64::MAX), ..sending(n, call(1)) };
        let _ = store.send(&sending, at(0)).unwrap();
    }
    assert!(store.spent_since(at(0)).unwrap() >= MicroUsd(i64::MAX as u64));
    keep(&mut store, 9, call(2), &StoredAnswer { cost: MicroUsd(u64::MAX), ..answer("dear") });
    let known = store.lookup(&[call(2)], at(1)).unwrap();
    assert!(matches!(&known[0], Known::Answered(found) if found.cost == MicroUsd(i64::MAX as u64)));
}

#[test]
fn repeating_a_step_changes_nothing() {
    let mut store = Store::open_in_memory().unwrap();
    let first = run(1, owner(1));
    let recovery = store.begin_run(&first, Unknown::Retry, at(0)).unwrap();
    assert_eq!(store.begin_run(&first, Unknown::Retry, at(0)).unwrap(), recovery);
    for twice in 0..2 {
        let attempt = store.send(&sending(1, call(1)), at(2)).unwrap();
        assert_eq!(store.stats().unwrap().attempts, 1, "{twice}");
        store.answer(&attempt, &answer("yes"), &outbox(&[entry("a", 1)]), at(3)).unwrap();
    }
    let attempt = store.send(&sending(2, call(1)), at(4)).unwrap();
    for _ in 0..2 {
        store.reject(&attempt, Usage::default(), MicroUsd(5), "not JSON", at(5)).unwrap();
        assert!(store.end_run("run-1", "ok", "{}", at(6)).unwrap());
    }
    // A contradiction after the fact does not lower what was paid.
    store.release(&attempt, "429", false, at(7)).unwrap();
    assert_eq!(store.spent_since(at(0)).unwrap(), MicroUsd(38));
    assert_eq!(store.lookup(&[call(1)], at(8)).unwrap(), [Known::Answered(answer("yes"))]);
    assert_eq!(store.waiting(TARGET).unwrap().rows, 1);
    assert!(!store.end_run("run-9", "ok", "{}", at(6)).unwrap());
}

#[test]
fn asking_again_keeps_the_old_answer_until_a_newer_one_is_there() {
    let mut store = Store::open_in_memory().unwrap();
    keep(&mut store, 1, call(1), &answer("old"));
    let older = store.send(&sending(2, call(1)), at(2)).unwrap();
    let newer = store.send(&sending(3, call(1)), at(3)).unwrap();
    assert_eq!(store.lookup(&[call(1)], at(3)).unwrap(), [Known::Answered(answer("old"))]);
    store.answer(&newer, &answer("newer"), &Results::default(), at(4)).unwrap();
    store.answer(&older, &answer("late"), &Results::default(), at(5)).unwrap();
    assert_eq!(store.lookup(&[call(1)], at(5)).unwrap(), [Known::Answered(answer("newer"))]);
    assert_eq!(store.spent_since(at(0)).unwrap(), MicroUsd(99), "every cost counts");
}

#[test]
fn a_crash_is_seen_by_the_next_run_and_asked_again_or_held() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.sqlite");
    for (unknown, expected) in [(Unknown::Retry, Known::Missing), (Unknown::Hold, Known::Held)] {
        let _ = std::fs::remove_file(&path);
        let mut store = Store::open(&path).unwrap();
        begin(&mut store, 1, owner(1), unknown);
        keep(&mut store, 1, call(1), &answer("kept"));
        let lost = store.send(&sending(2, call(2)), at(2)).unwrap();
        drop(store);

        let mut store = Store::open(&path).unwrap();
        let recovery = begin(&mut store, 2, owner(2), unknown);
        let held = u64::from(unknown == Unknown::Hold);
        let found =
            Recovery { unanswered: 1, held, interrupted_runs: vec!["run-1".into()], rows_before: None };
        assert_eq!(recovery, found);
        assert_eq!(begin(&mut store, 2, owner(2), unknown), found, "the same when it is asked again");
        let known = store.lookup(&[call(1), call(2)], at(5)).unwrap();
        assert_eq!(known, [Known::Answered(answer("kept")), expected]);
        assert_eq!(store.spent_since(at(0)).unwrap(), MicroUsd(33 + 100), "it may have been paid for");
        assert_eq!(store.run("run-1").unwrap().unwrap().outcome.as_deref(), Some("interrupted"));

        // The process was not dead after all: its answer is welcome, and settles the ledger.
        store.answer(&lost, &answer("late"), &Results::default(), at(6)).unwrap();
        assert_eq!(store.lookup(&[call(2)], at(6)).unwrap(), [Known::Answered(answer("late"))]);
        assert_eq!(store.spent_since(at(0)).unwrap(), MicroUsd(66));
    }
}

#[test]
fn a_person_lets_held_calls_go_by_a_run_that_retries() {
    let mut store = Store::open_in_memory().unwrap();
    begin(&mut store, 1, owner(1), Unknown::Hold);
    let _ = store.send(&sending(1, call(1)), at(1)).unwrap();
    assert_eq!(begin(&mut store, 2, owner(2), Unknown::Hold).held, 1);
    assert_eq!(begin(&mut store, 3, owner(3), Unknown::Hold).held, 1, "held until a person says so");
    assert_eq!(begin(&mut store, 4, owner(4), Unknown::Retry).held, 0);
    assert_eq!(store.lookup(&[call(1)], at(9)).unwrap(), [Known::Missing]);
}

#[test]
fn calls_in_flight_of_this_process_are_no_orphans_until_their_run_ends() {
    let mut store = Store::open_in_memory().unwrap();
    begin(&mut store, 1, owner(1), Unknown::Hold);
    let _ = store.send(&sending(1, call(1)), at(1)).unwrap();
    let single = Sending { run: "no such run".into(), ..sending(2, call(2)) };
    let _ = store.send(&single, at(1)).unwrap();
    assert_eq!(begin(&mut store, 2, owner(1), Unknown::Hold), Recovery::default());
    store.end_run("run-1", "failed", "{}", at(3)).unwrap();
    assert_eq!(begin(&mut store, 3, owner(1), Unknown::Hold).unanswered, 1);
    assert_eq!(store.lookup(&[call(1), call(2)], at(4)).unwrap(), [Known::Held, Known::Missing]);
}

#[test]
fn what_was_sent_before_the_file_was_lost_is_settled_in_the_new_file() {
    let lost = Store::open_in_memory().unwrap().send(&sending(1, call(1)), at(1)).unwrap();
    let freed = Store::open_in_memory().unwrap().send(&sending(2, call(2)), at(1)).unwrap();
    let mut store = Store::open_in_memory().unwrap();
    store.answer(&lost, &answer("yes"), &outbox(&[entry("a", 1)]), at(2)).unwrap();
    store.release(&freed, "timeout", true, at(2)).unwrap();
    let known = store.lookup(&[call(1), call(2)], at(3)).unwrap();
    assert_eq!(known, [Known::Answered(answer("yes")), Known::Missing]);
    assert_eq!(store.spent_since(at(0)).unwrap(), MicroUsd(33 + 100));
    assert_eq!(store.pending(TARGET, None, 9).unwrap(), [entry("a", 1)]);
}

#[test]
fn the_outbox_gives_pages_and_keeps_what_is_newer_than_the_confirmation() {
    let mut store = Store::open_in_memory().unwrap();
    let keys = ["", "a", "b", "Мост", "я"];
    let entries: Vec<_> = keys.iter().zip(1..).map(|(key, n)| entry(key, n)).collect();
    store.record(&outbox(&entries), at(1)).unwrap();
    store.record(&outbox(&[OutboxEntry { target: "other".into(), ..entry("a", 50) }]), at(1)).unwrap();
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = store.pending(TARGET, after.as_ref(), 2).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.row.key.clone());
        paged.extend(page);
    }
    assert_eq!(paged, entries);
    store.record(&outbox(&[entry("b", 100)]), at(2)).unwrap();
    let confirmed: Vec<_> = paged.iter().map(|entry| (entry.row.key.clone(), entry.write_id)).collect();
    assert_eq!(store.confirm(TARGET, &confirmed).unwrap(), 4);
    assert_eq!(store.confirm(TARGET, &confirmed).unwrap(), 0);
    assert_eq!(store.pending(TARGET, None, 9).unwrap(), [entry("b", 100)]);
    assert_eq!(store.waiting("other").unwrap().rows, 1);
    assert_eq!(store.pending(TARGET, Some(&RowKey::stored("b")), 9).unwrap(), []);
    assert_eq!(store.pending(TARGET, None, 0).unwrap(), []);
}

#[test]
fn a_run_that_begins_learns_how_many_rows_the_last_one_read() {
    let mut store = Store::open_in_memory().unwrap();
    assert_eq!(begin(&mut store, 1, owner(1), Unknown::Retry).rows_before, None);
    store.end_run("run-1", "ok", r#"{"rows_read": 4000}"#, at(2)).unwrap();
    assert_eq!(begin(&mut store, 3, owner(1), Unknown::Retry).rows_before, Some(4000));
    store.end_run("run-3", "failed", r#"{"rows_read": 7}"#, at(4)).unwrap();
    assert_eq!(begin(&mut store, 5, owner(1), Unknown::Retry).rows_before, Some(4000), "it failed early");
    store.end_run("run-5", "ok", "no JSON", at(6)).unwrap();
    let other = RunStart { source: "other.csv".into(), ..run(7, owner(1)) };
    assert_eq!(store.begin_run(&other, Unknown::Retry, at(7)).unwrap().rows_before, None);
}
