//! What goes wrong on the way to Google and back: every row stands in the results once, and requests stay few.

use std::time::Duration;

use serde_json::json;
use status_validator::domain::results::{IsValid, ResultRow};
use status_validator::sandbox::sheets::{Office, Switches};
use status_validator::sandbox::{Arrival, Door, Fault, Quota, SandboxParams};
use status_validator::table::{Committed, SinkOptions, TableError, TableSink as _, TableSource as _};
use tokio::time::Instant;

use super::sink::row;
use crate::support::stand::{REVIEW, Stand, key, options, texts};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn rows() -> Vec<ResultRow> {
    (2..7).map(|n| row(&format!("p{n}"), n)).collect()
}

/// The next week: one verdict is another, one row is new, the first one is gone.
fn later_rows() -> Vec<ResultRow> {
    let mut rows = rows();
    rows[3].is_valid = IsValid::No;
    rows[3].issues = "R5: no date".into();
    rows.push(row("p7", 7));
    rows.remove(0);
    rows
}

async fn try_run(stand: &Stand, rows: &[ResultRow]) -> Result<Committed, TableError> {
    let mut sink = stand.sink();
    sink.open(&options()).await?;
    sink.upsert(rows).await?;
    sink.mark_gone(false).await?;
    let committed = sink.commit().await?;
    sink.close().await?;
    Ok(committed)
}

/// Two runs, with nothing left behind.
async fn two_weeks(stand: &Stand, what: &str) {
    let first = try_run(stand, &rows()).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!((first.written, first.unchanged), (5, 0), "{what}: {first:?}");
    assert_eq!(stand.column("Key"), ["p2", "p3", "p4", "p5", "p6"], "{what}");
    let later =
        try_run(&stand.another(), &later_rows()).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!((later.written, later.unchanged), (2, 3), "{what}: {later:?}");
    assert_eq!(later.marked_gone, 1, "{what}: {later:?}");
    assert_eq!(later.warnings, [""; 0], "{what}");
    assert_eq!(stand.column("Key"), ["p2", "p3", "p4", "p5", "p6", "p7"], "{what}");
    assert_eq!(stand.column("Is Valid"), ["YES", "YES", "YES", "NO", "YES", "YES"], "{what}");
    let gone = "not in the source since 2026-03-13";
    assert_eq!(stand.column("Row Number"), [gone, "3", "4", "5", "6", "7"], "{what}");
    stand.assert_proper_requests();
}

/// What leaves nobody the wiser whether a request was carried out, or looks like it.
fn doubts() -> Vec<Fault> {
    vec![
        Fault::ResetBeforeCommit,
        Fault::CommitThenReset,
        Fault::LateCommit(170 * SECOND),
        Fault::CommitThenStatus(503),
    ]
}

/// What else can happen to one request.
fn other_faults() -> Vec<Fault> {
    vec![
        Fault::Hang,
        Fault::CommitThenHang,
        Fault::CommitThenCut,
        Fault::LateCommit(2 * SECOND),
        Fault::Status(429),
        Fault::Status(500),
        Fault::Status(503),
        Fault::Html(429),
        Fault::Html(502),
        Fault::Slow(SECOND),
        Fault::Slow(85 * SECOND),
    ]
}

fn all_faults() -> Vec<Fault> {
    [doubts(), other_faults()].concat()
}

/// Requests of the two weeks without any trouble: of reads, writes and tokens.
async fn calm() -> [usize; 3] {
    let stand = Stand::new();
    two_weeks(&stand, "calm").await;
    [Door::Read, Door::Write, Door::Token].map(|door| stand.count(door))
}

/// Each fault, once, on each of the first requests of a kind.
async fn each_fault_on(door: Door, faults: &[Fault], first: &[u64]) {
    each_fault_where(Switches::default(), door, faults, first).await;
}

/// The same with a server of one behaviour or the other, where it is not known which one Google has.
async fn each_fault_where(switches: Switches, door: Door, faults: &[Fault], first: &[u64]) {
    let calm = calm().await;
    for fault in faults {
        for n in first {
            let what = format!("{fault:?} on {door:?} {n}");
            let stand = Stand::new();
            stand.sandbox.with_office(|office| office.set_switches(switches));
            stand.fault(door, *n, fault.clone());
            let began = Instant::now();
            two_weeks(&stand, &what).await;
            assert!(began.elapsed() < 10 * MINUTE, "{what}: {:?}", began.elapsed());
            let hit = stand.sandbox.seen().iter().filter(|seen| seen.fault == *fault).count();
            assert_eq!(hit, 1, "{what}");
            let spent = [Door::Read, Door::Write, Door::Token].map(|door| stand.count(door));
            let [reads, writes, tokens] = [0, 1, 2].map(|at| spent[at].saturating_sub(calm[at]));
            assert!(reads <= 6 && writes <= 3 && tokens <= 2, "{what}: {spent:?} instead of {calm:?}");
            if door == Door::Write {
                let again = try_run(&stand.another(), &later_rows()).await.unwrap();
                assert_eq!((again.written, again.unchanged, again.marked_gone), (0, 5, 0), "{what}");
                assert_eq!(stand.tabs(), ["Sheet1", REVIEW], "{what}: nothing is left behind");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_is_neither_lost_nor_done_twice() {
    let [_, writes, _] = calm().await;
    let each: Vec<u64> = (1..=writes as u64).collect();
    each_fault_on(Door::Write, &doubts(), &each).await;
    each_fault_on(Door::Write, &other_faults(), &[2]).await;
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_is_done_once_although_the_server_takes_no_ids_of_ranges() {
    let switches = Switches { named_range_ids: false, ..Switches::default() };
    each_fault_where(switches, Door::Write, &doubts(), &[1, 2, 5]).await;
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_is_read_again() {
    let [reads, ..] = calm().await;
    let every_other: Vec<u64> = (1..=reads as u64).step_by(2).collect();
    each_fault_on(Door::Read, &[Fault::ResetBeforeCommit], &every_other).await;
    each_fault_on(Door::Read, &all_faults(), &[6]).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_does_not_come_is_asked_for_again() {
    each_fault_on(Door::Token, &all_faults(), &[1]).await;
}

#[tokio::test(start_paused = true)]
async fn a_source_is_read_through_every_fault() {
    for door in [Door::Read, Door::Token] {
        for fault in all_faults() {
            let stand = Stand::new();
            stand.statuses(&texts(&[["Project"], ["p2"], ["p3"]]));
            stand.fault(door, 1, fault.clone());
            let mut source = stand.source();
            let header = source.open().await.unwrap_or_else(|error| panic!("{fault:?} on {door:?}: {error}"));
            assert_eq!(header.names, ["Project"]);
            let page = source.next_page(10).await.unwrap();
            assert_eq!(page.iter().map(|row| row.row).collect::<Vec<_>>(), [2, 3]);
            assert!(stand.count(Door::Read) <= 4 && stand.count(Door::Token) <= 2, "{fault:?} on {door:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_of_a_process_that_died_may_still_come() {
    for named_range_ids in [true, false] {
        for (n, age) in [(1, 0), (1, 60), (2, 0), (2, 60), (4, 30), (5, 30)] {
            let what = format!("write {n}, {age} s ago, ids of ranges honoured: {named_range_ids}");
            let stand = Stand::new();
            let switches = Switches { named_range_ids, ..Switches::default() };
            stand.sandbox.with_office(|office| office.set_switches(switches));
            stand.fault(Door::Write, n, Fault::LateCommit(170 * SECOND));
            // The process dies when it has sent that write: what it was to do is never done.
            let week = async {
                try_run(&stand, &rows()).await.unwrap();
                try_run(&stand, &later_rows()).await.unwrap();
            };
            let died = async {
                while stand.sandbox.seen().iter().all(|seen| seen.fault == Fault::None) {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                () = week => panic!("{what}: it did not die"),
                () = died => {}
            }
            tokio::time::sleep(Duration::from_secs(age)).await;
            let options = SinkOptions { unsettled: Some(Duration::from_secs(age)), ..options() };
            let other = stand.another();
            let mut sink = other.sink();
            sink.open(&options).await.unwrap();
            sink.upsert(&later_rows()).await.unwrap();
            sink.commit().await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(sink.is_settled(), "{what}");
            sink.close().await.unwrap();
            tokio::time::sleep(200 * SECOND).await;
            let expected = if n < 3 {
                &["p3", "p4", "p5", "p6", "p7"][..]
            } else {
                &["p2", "p3", "p4", "p5", "p6", "p7"]
            };
            let mut keys = stand.column("Key");
            // A row of the first week is there if that write came, and is not if it was kept from coming.
            keys.retain(|key| n > 2 || key != "p2");
            assert_eq!(keys, expected, "{what}: each row once");
            let again = try_run(&stand.another(), &later_rows()).await.unwrap();
            assert_eq!((again.written, again.unchanged), (0, 5), "{what}");
            assert_eq!(stand.tabs(), ["Sheet1", REVIEW], "{what}: nothing is left behind");
        }
    }
}

/// Everything of these doors gets this fault for so long.
fn outage(stand: &Stand, doors: &'static [Door], lasts: Duration, fault: Fault) {
    stand.sandbox.set_script(move |arrival: &Arrival, _: &mut Office| {
        if doors.contains(&arrival.door) && arrival.at < lasts { fault.clone() } else { Fault::None }
    });
}

#[tokio::test(start_paused = true)]
async fn a_used_up_quota_is_waited_for_and_fatal_only_after_minutes() {
    for lasts in [MINUTE, 200 * SECOND] {
        let stand = Stand::new();
        outage(&stand, &[Door::Read, Door::Write], lasts, Fault::Status(429));
        let began = Instant::now();
        two_weeks(&stand, &format!("429 for {lasts:?}")).await;
        assert!(began.elapsed() >= lasts && began.elapsed() < lasts + 2 * MINUTE, "{:?}", began.elapsed());
        let refused = stand.sandbox.seen().iter().filter(|seen| seen.status == Some(429)).count();
        assert!(refused <= 10, "{refused} requests for nothing");
    }
    for doors in [&[Door::Read][..], &[Door::Write]] {
        let stand = Stand::new();
        outage(&stand, doors, 1000 * MINUTE, Fault::Status(429));
        let began = Instant::now();
        let error = try_run(&stand, &rows()).await.unwrap_err();
        assert!(began.elapsed() >= 3 * MINUTE && began.elapsed() < 8 * MINUTE, "{:?}", began.elapsed());
        assert!(error.is_transient());
        let told = error.to_string();
        for words in ["target-1", REVIEW, "quota", stand.account.email(), "nothing that was judged is lost"] {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn google_says_when_to_come_again() {
    let body = json!({"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}});
    for door in [Door::Read, Door::Write] {
        let stand = Stand::new();
        stand.fault(door, 1, Fault::Answer { status: 429, retry_after: Some(40), body: body.clone() });
        let began = Instant::now();
        two_weeks(&stand, "Retry-After").await;
        assert!(began.elapsed() >= 40 * SECOND && began.elapsed() < 50 * SECOND, "{:?}", began.elapsed());
        let seen = stand.sandbox.seen();
        let of_door: Vec<_> = seen.iter().filter(|seen| seen.arrival.door == door).collect();
        assert_eq!((of_door[0].status, of_door[1].status), (Some(429), Some(200)));
        assert!(of_door[1].arrival.at >= of_door[0].arrival.at + 40 * SECOND);
    }
    // It wants to be left alone for an hour: nobody waits for that long.
    let stand = Stand::new();
    let busy = Fault::Answer { status: 429, retry_after: Some(3600), body };
    outage(&stand, &[Door::Read], 1000 * MINUTE, busy);
    let began = Instant::now();
    let error = try_run(&stand, &rows()).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("quota"), "{error}");
    assert!(began.elapsed() < 6 * MINUTE && stand.count(Door::Read) == 2, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn bursts_of_errors_are_outlasted() {
    for fault in
        [Fault::Status(503), Fault::Html(502), Fault::ResetBeforeCommit, Fault::CommitThenStatus(503)]
    {
        let stand = Stand::new();
        let each = fault.clone();
        stand.sandbox.set_script(move |arrival: &Arrival, _: &mut Office| {
            let is_hit = match arrival.door {
                Door::Read => arrival.of_door % 5 < 3,
                Door::Write => arrival.of_door % 3 < 2,
                Door::Token | Door::Chat => false,
            };
            if is_hit { each.clone() } else { Fault::None }
        });
        two_weeks(&stand, &format!("bursts of {fault:?}")).await;
    }
    // A server that is down for good.
    let stand = Stand::new();
    outage(&stand, &[Door::Read], 1000 * MINUTE, Fault::Status(503));
    let error = try_run(&stand, &rows()).await.unwrap_err();
    assert!(error.is_transient());
    let told = error.to_string();
    assert!(told.contains("503") && told.contains("nothing that was judged is lost"), "{told}");
    assert!(stand.count(Door::Read) <= 15, "{}", stand.count(Door::Read));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_refreshed_once_and_a_second_refusal_is_told() {
    let stand = Stand::new();
    let mut sink = stand.sink();
    sink.open(&options()).await.unwrap();
    assert_eq!(stand.count(Door::Token), 1);
    stand.sandbox.revoke_tokens();
    sink.upsert(&rows()).await.unwrap();
    assert_eq!(sink.commit().await.unwrap().written, 5);
    assert_eq!(stand.count(Door::Token), 2);

    // The token is refused although it was given a moment ago.
    let stand = Stand::new();
    outage(&stand, &[Door::Read, Door::Write], 1000 * MINUTE, Fault::Status(401));
    let error = try_run(&stand, &rows()).await.unwrap_err();
    assert!(matches!(error, TableError::Forbidden { .. }), "{error}");
    let told = error.to_string();
    assert!(told.contains(stand.account.email()) && told.contains("twice refused"), "{told}");
    assert_eq!((stand.count(Door::Read), stand.count(Door::Token)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn tokens_expire_within_a_run() {
    let stand = Stand::new();
    stand.statuses(&texts(&[["Project"], ["p2"]]));
    let (mut source, mut sink) = (stand.source(), stand.sink());
    source.open().await.unwrap();
    sink.open(&options()).await.unwrap();
    let before = stand.count(Door::Token);
    for n in 0..3 {
        tokio::time::advance(Duration::from_secs(2 * 3600)).await;
        sink.upsert(&[row(&format!("p{n}"), n)]).await.unwrap();
        assert_eq!(sink.commit().await.unwrap().written, 1);
    }
    assert_eq!(source.next_page(10).await.unwrap().len(), 1);
    assert_eq!(stand.column("Key"), ["p0", "p1", "p2"]);
    assert_eq!(stand.count(Door::Token) - before, 4, "one for each time that one had expired");
}

#[tokio::test(start_paused = true)]
async fn requests_keep_to_the_quota() {
    let stand = Stand::with(SandboxParams { quota: Some(Quota::default()), ..SandboxParams::new(key()) });
    let mut sink = stand.sink();
    sink.open(&options()).await.unwrap();
    let began = Instant::now();
    for n in 0..100 {
        sink.upsert(&[row(&format!("p{n}"), n)]).await.unwrap();
        sink.commit().await.unwrap();
    }
    assert_eq!(stand.column("Key").len(), 100);
    let refused = stand.sandbox.seen().iter().filter(|seen| seen.status == Some(429)).count();
    assert_eq!(refused, 0, "no request is made that would be one too many");
    assert!(began.elapsed() > MINUTE, "{:?}", began.elapsed());

    // Others use the same account: there is less for us than Google allows.
    let quota = Some(Quota { per_user: 4, per_project: 300 });
    let stand = Stand::with(SandboxParams { quota, ..SandboxParams::new(key()) });
    two_weeks(&stand, "a small quota").await;
    let refused = stand.sandbox.seen().iter().filter(|seen| seen.status == Some(429)).count();
    assert!((1..40).contains(&refused), "{refused}");
}
