//! The store from outside: what is promised about money, crashes, damage and other programs' files.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::let_underscore_must_use,
    reason = "a test that fails panics"
)]

mod damage;
mod files;
mod life;
mod model;
mod upkeep;

use jiff::Timestamp;
use status_validator::domain::fingerprint::Fingerprint;
use status_validator::domain::key::RowKey;
use status_validator::domain::money::{MicroUsd, Usage};
use status_validator::domain::results::{IsValid, ResultRow};
use status_validator::store::{
    AttemptId, OutboxEntry, Owner, Recovery, Results, RunStart, Sending, Store, StoredAnswer, Unknown,
    WriteId,
};
use uuid::Uuid;

const TARGET: &str = "review.xlsx";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn call(n: u64) -> Fingerprint {
    let mut bytes = [0xa5; 32];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    Fingerprint(bytes)
}

fn owner(n: u128) -> Owner {
    Owner(Uuid::from_u128(n))
}

/// The `n`-th request of the tests, for a call, in run `run-1` of owner 1.
fn sending(n: u128, fingerprint: Fingerprint) -> Sending {
    Sending {
        attempt: AttemptId(Uuid::from_u128(n)),
        fingerprint,
        run: "run-1".into(),
        owner: owner(1),
        provider: "primary".into(),
        model: "small".into(),
        estimate: MicroUsd(100),
    }
}

fn answer(text: &str) -> StoredAnswer {
    StoredAnswer {
        provider: "primary".into(),
        model_asked: "small".into(),
        model: "small-2026-11-01".into(),
        text: text.into(),
        usage: Usage { prompt_tokens: 900, cached_tokens: 800, completion_tokens: 40, ..Usage::default() },
        cost: MicroUsd(33),
        at: at(1),
    }
}

fn entry(key: &str, write_id: u128) -> OutboxEntry {
    let row = ResultRow {
        key: RowKey::stored(key),
        row: 7,
        project: Some("Мост".into()),
        link: None,
        project_manager: None,
        status: "On Track".into(),
        completion_date: "01.12.2026".into(),
        comment: "'); DROP TABLE call; --\u{202e}\u{0}".into(),
        is_valid: IsValid::No,
        issues: "R5 — no date".into(),
        rewrite: String::new(),
        raw: "{}".into(),
        check_date: "23.11.2026 12:00".into(),
        model: "small".into(),
        rules: "R5".into(),
        severity: "must".into(),
    };
    OutboxEntry {
        target: TARGET.into(),
        write_id: WriteId(Uuid::from_u128(write_id)),
        run: "run-1".into(),
        row,
    }
}

fn outbox(entries: &[OutboxEntry]) -> Results {
    Results { outbox: entries.to_vec(), judged: Vec::new() }
}

fn run(n: u32, owner: Owner) -> RunStart {
    RunStart {
        run_id: format!("run-{n}"),
        owner,
        job: "default".into(),
        source: "statuses.csv".into(),
        target: TARGET.into(),
        started: at(i64::from(n)),
    }
}

fn begin(store: &mut Store, n: u32, owner_: Owner, unknown: Unknown) -> Recovery {
    store.begin_run(&run(n, owner_), unknown, at(i64::from(n))).unwrap()
}

/// Keeps `answer` as the answer to a call, by the `n`-th request.
fn keep(store: &mut Store, n: u128, fingerprint: Fingerprint, answer: &StoredAnswer) {
    let attempt = store.send(&sending(n, fingerprint), at(0)).unwrap();
    store.answer(&attempt, answer, &Results::default(), at(1)).unwrap();
}
