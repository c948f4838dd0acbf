//! The store against a model of it: random steps, with crashes, repeats and reopened files.

use std::collections::BTreeMap;

use proptest::prelude::*;
use status_validator::domain::key::RowKey;
use status_validator::domain::money::{MicroUsd, Usage};
use status_validator::store::{Attempt, Known, Store, Unknown, WriteId};
use tempfile::TempDir;

use super::*;

const CALLS: u64 = 3;
const ROWS: u8 = 4;

/// A step. Numbers choose among what is there, modulo how much there is.
#[derive(Clone, Copy, Debug)]
enum Step {
    Send { call: u64 },
    Answer { attempt: usize, row: u8 },
    Reject { attempt: usize },
    Release { attempt: usize, maybe_paid: bool },
    Confirm { row: u8, stale: bool },
    Clear,
    Reopen,
    NextRun { hold: bool },
    Crash { hold: bool },
}

fn steps() -> impl Strategy<Value = Vec<(Step, bool)>> {
    let step = prop_oneof![
        6 => (0..CALLS).prop_map(|call| Step::Send { call }),
        4 => (any::<usize>(), 0..ROWS).prop_map(|(attempt, row)| Step::Answer { attempt, row }),
        2 => any::<usize>().prop_map(|attempt| Step::Reject { attempt }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(attempt, maybe_paid)| Step::Release { attempt, maybe_paid }),
        2 => (0..ROWS, any::<bool>()).prop_map(|(row, stale)| Step::Confirm { row, stale }),
        1 => Just(Step::Clear),
        1 => Just(Step::Reopen),
        1 => any::<bool>().prop_map(|hold| Step::NextRun { hold }),
        2 => any::<bool>().prop_map(|hold| Step::Crash { hold }),
    ];
    proptest::collection::vec((step, any::<bool>()), 1..40)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Open,
    Unknown,
    Free,
    Paid(u64),
}

#[derive(Default)]
struct Model {
    attempts: Vec<(Attempt, u64, End)>,
    calls: BTreeMap<u64, CallModel>,
    outbox: BTreeMap<String, u128>,
    run: u32,
    owner: u128,
}

#[derive(Default)]
struct CallModel {
    answer: Option<(usize, StoredAnswer)>,
    waits_for: Option<usize>,
    held: bool,
}

impl Model {
    fn close(&mut self, index: usize, end: End) {
        let (_, call, old) = &mut self.attempts[index];
        let open = matches!((*old, end), (End::Open | End::Unknown, _) | (End::Free, End::Paid(_)));
        if open {
            *old = end;
        }
        let call = self.calls.entry(*call).or_default();
        if call.waits_for == Some(index) {
            call.waits_for = None;
            call.held = false;
        }
    }

    fn answered(&mut self, index: usize, answer: StoredAnswer, key: String, write_id: u128) {
        self.close(index, End::Paid(answer.cost.0));
        let call = self.calls.entry(self.attempts[index].1).or_default();
        if call.answer.as_ref().is_none_or(|(by, _)| *by < index) {
            call.answer = Some((index, answer));
        }
        self.outbox.insert(key, write_id);
    }

    /// Another run begins: open attempts are orphans. Says how many.
    fn orphan(&mut self, hold: bool) -> u64 {
        let mut orphans = 0;
        for (index, (_, call, end)) in self.attempts.iter_mut().enumerate() {
            if *end == End::Open {
                *end = End::Unknown;
                orphans += 1;
                let call = self.calls.entry(*call).or_default();
                call.held |= call.waits_for == Some(index);
            }
        }
        if !hold {
            for call in self.calls.values_mut().filter(|call| call.held) {
                (call.held, call.waits_for) = (false, None);
            }
        }
        orphans
    }

    fn known(&self, call: u64) -> Known {
        match self.calls.get(&call) {
            Some(CallModel { answer: Some((_, answer)), .. }) => Known::Answered(answer.clone()),
            Some(CallModel { held: true, .. }) => Known::Held,
            _ => Known::Missing,
        }
    }

    fn spent(&self) -> MicroUsd {
        let cost = |end: &End| match end {
            End::Open | End::Unknown => 100,
            End::Free => 0,
            End::Paid(cost) => *cost,
        };
        MicroUsd(self.attempts.iter().map(|(_, _, end)| cost(end)).sum())
    }
}

/// Takes a step in both worlds, in the store twice if `repeat`.
fn take(
    step: Step,
    repeat: bool,
    number: u128,
    store: &mut Store,
    path: &std::path::Path,
    model: &mut Model,
) {
    let now = at(number as i64);
    let times = if repeat { 2 } else { 1 };
    let chosen = |index: usize| (!model.attempts.is_empty()).then(|| index % model.attempts.len());
    match step {
        Step::Send { call: n } => {
            let run = format!("run-{}", model.run);
            let sending = Sending { run, owner: owner(model.owner), ..sending(number, call(n)) };
            let attempt = (0..times).map(|_| store.send(&sending, now).unwrap()).last().unwrap();
            model.attempts.push((attempt, n, End::Open));
            let call = model.calls.entry(n).or_default();
            (call.waits_for, call.held) = (Some(model.attempts.len() - 1), false);
        }
        Step::Answer { attempt, row } => {
            let Some(index) = chosen(attempt) else { return };
            let answer =
                StoredAnswer { cost: MicroUsd(number as u64), ..answer(&format!("answer {number}")) };
            let entry = entry(&format!("row {row}"), number);
            for _ in 0..times {
                store
                    .answer(&model.attempts[index].0, &answer, &outbox(std::slice::from_ref(&entry)), now)
                    .unwrap();
            }
            model.answered(index, answer, format!("row {row}"), number);
        }
        Step::Reject { attempt } => {
            let Some(index) = chosen(attempt) else { return };
            for _ in 0..times {
                store.reject(&model.attempts[index].0, Usage::default(), MicroUsd(5), "cut", now).unwrap();
            }
            model.close(index, End::Paid(5));
        }
        Step::Release { attempt, maybe_paid } => {
            let Some(index) = chosen(attempt) else { return };
            for _ in 0..times {
                store.release(&model.attempts[index].0, "timeout", maybe_paid, now).unwrap();
            }
            model.close(index, if maybe_paid { End::Unknown } else { End::Free });
        }
        Step::Confirm { row, stale } => {
            let key = format!("row {row}");
            let Some(write_id) = model.outbox.get(&key).copied() else { return };
            let confirmed = WriteId(Uuid::from_u128(if stale { write_id - 1 } else { write_id }));
            for _ in 0..times {
                store.confirm(TARGET, &[(RowKey::stored(key.clone()), confirmed)]).unwrap();
            }
            if !stale {
                model.outbox.remove(&key);
            }
        }
        Step::Clear => {
            store.clear().unwrap();
            model.calls.retain(|_, call| call.answer.is_none());
        }
        Step::Reopen => *store = Store::open(path).unwrap(),
        Step::NextRun { hold } | Step::Crash { hold } => {
            let crashed = matches!(step, Step::Crash { .. });
            let old = format!("run-{}", model.run);
            if crashed {
                *store = Store::open(path).unwrap();
                model.owner += 1;
            } else {
                store.end_run(&old, "ok", "{}", now).unwrap();
            }
            model.run += 1;
            let unknown = if hold { Unknown::Hold } else { Unknown::Retry };
            let recovery =
                (0..times).map(|_| begin(store, model.run, owner(model.owner), unknown)).last().unwrap();
            let orphans = model.orphan(hold);
            let held = model.calls.values().filter(|call| call.held && call.answer.is_none()).count() as u64;
            let interrupted_runs = if crashed { vec![old] } else { Vec::new() };
            assert_eq!(recovery, Recovery { unanswered: orphans, held, interrupted_runs, rows_before: None });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_its_model_does(steps in steps()) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store.sqlite");
        let mut store = Store::open(&path).unwrap();
        let mut model = Model::default();
        begin(&mut store, 0, owner(0), Unknown::Retry);
        let calls: Vec<_> = (0..CALLS).map(call).collect();
        for ((step, repeat), number) in steps.into_iter().zip(10_u128..) {
            take(step, repeat, number * 2, &mut store, &path, &mut model);
            let expected: Vec<_> = (0..CALLS).map(|n| model.known(n)).collect();
            prop_assert_eq!(store.lookup(&calls, at(1000)).unwrap(), expected, "after {:?}", step);
            prop_assert_eq!(store.spent_since(at(0)).unwrap(), model.spent(), "after {:?}", step);
            let pending = store.pending(TARGET, None, 100).unwrap();
            let pending: BTreeMap<_, _> =
                pending.iter().map(|entry| (entry.row.key.to_string(), entry.write_id.0.as_u128())).collect();
            prop_assert_eq!(&pending, &model.outbox, "after {:?}", step);
        }
        prop_assert_eq!(store.verify().unwrap(), Vec::<String>::new());
        prop_assert_eq!(store.notices(), Vec::new());
    }
}
