//! Days in which the clock does what clocks do.

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn keeping(zone: &str) -> Keeping {
    Keeping { zone: TimeZone::get(zone).unwrap(), catch_up: false, jitter: SignedDuration::ZERO, seed: 1 }
}

fn table(cron: &str, zone: &str, now: &str) -> Timetable {
    Timetable::new(cron.parse().unwrap(), keeping(zone), None, at(now))
}

/// The slots that are run when somebody looks each minute from one moment to another.
fn run_from(table: &mut Timetable, from: &str, until: &str) -> Vec<String> {
    let (mut now, until) = (at(from), at(until));
    let mut slots = Vec::new();
    while now <= until {
        if let Due::Run { slot, .. } = table.due(now, false) {
            slots.push(slot.to_string());
        }
        now += SignedDuration::from_secs(60);
    }
    slots
}

#[test]
fn every_slot_of_a_day_is_run_once() {
    let mut hourly = table("0 * * * *", "Europe/Moscow", "2026-03-13T00:00:30Z");
    let slots = run_from(&mut hourly, "2026-03-13T00:00:30Z", "2026-03-14T00:00:30Z");
    assert_eq!(slots.len(), 24);
    assert_eq!((slots[0].as_str(), slots[23].as_str()), ("2026-03-13T01:00:00Z", "2026-03-14T00:00:00Z"));
    let mut weekly = table("0 7 * * MON", "Europe/Moscow", "2026-03-13T00:00:00Z");
    assert_eq!(weekly.next(), Some(at("2026-03-16T04:00:00Z")));
    assert_eq!(weekly.due(at("2026-03-16T03:59:59Z"), false), Due::Nothing);
    assert_eq!(
        weekly.due(at("2026-03-16T04:00:00Z"), false),
        Due::Run { slot: at("2026-03-16T04:00:00Z"), missed: 0 }
    );
    assert_eq!(weekly.due(at("2026-03-16T04:00:00Z"), false), Due::Nothing);
    assert_eq!(weekly.next(), Some(at("2026-03-23T04:00:00Z")));
}

#[test]
fn nights_that_are_an_hour_shorter_or_longer_have_each_slot_once() {
    // Berlin: on 29 March 2026 two o'clock is three o'clock; on 25 October three o'clock is two o'clock again.
    for (cron, from, until, slots) in [
        ("30 2 * * *", "2026-03-28T22:00:00Z", "2026-03-29T22:00:00Z", 1),
        ("30 2 * * *", "2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z", 1),
        ("0 * * * *", "2026-03-28T23:30:00Z", "2026-03-29T21:30:00Z", 22),
    ] {
        let mut table = table(cron, "Europe/Berlin", from);
        let run = run_from(&mut table, from, until);
        assert_eq!(run.len(), slots, "{cron} from {from}: {run:?}");
    }
}

#[test]
fn a_moment_that_does_not_exist_comes_when_the_clock_jumps_and_one_that_comes_twice_the_first_time() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let nightly: Cron = "30 2 * * *".parse().unwrap();
    let next = |from| nightly.next_after(at(from), &zone).unwrap().to_string();
    assert_eq!(next("2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
    assert_eq!(next("2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z");
    assert_eq!(next("2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
}

#[test]
fn a_job_that_still_runs_leaves_its_slot_out() {
    let mut hourly = table("0 * * * *", "UTC", "2026-03-13T00:30:00Z");
    let slot = at("2026-03-13T01:00:00Z");
    assert_eq!(hourly.due(slot, true), Due::Skip { slot });
    assert_eq!(hourly.due(at("2026-03-13T01:10:00Z"), false), Due::Nothing, "it is not made up for");
    assert_eq!(hourly.next(), Some(at("2026-03-13T02:00:00Z")));
}

#[test]
fn what_was_missed_while_nobody_was_there_is_made_up_for_once_if_wanted() {
    let cron = || "0 7 * * *".parse::<Cron>().unwrap();
    let now = at("2026-03-13T09:00:00Z");
    let began = |last_run: &str, catch_up| {
        Timetable::new(cron(), Keeping { catch_up, ..keeping("UTC") }, Some(at(last_run)), now)
    };
    let mut missed = began("2026-03-10T07:00:02Z", true);
    let slot = at("2026-03-13T07:00:00Z");
    assert_eq!(missed.due(now, false), Due::Run { slot, missed: 0 }, "the last one stands for all");
    assert_eq!((missed.due(now, false), missed.next()), (Due::Nothing, Some(at("2026-03-14T07:00:00Z"))));
    assert_eq!(began("2026-03-13T07:00:02Z", true).due(now, false), Due::Nothing, "it did run");
    assert_eq!(began("2026-03-10T07:00:02Z", false).due(now, false), Due::Nothing, "not wanted");
    let never = Timetable::new(cron(), Keeping { catch_up: true, ..keeping("UTC") }, None, now);
    assert_eq!(never.next(), Some(at("2026-03-14T07:00:00Z")), "nothing was ever missed");
}

#[test]
fn a_clock_that_is_set_does_not_run_a_slot_twice_nor_wait_for_ever() {
    let mut hourly = table("0 * * * *", "UTC", "2026-03-13T06:30:00Z");
    let seven = at("2026-03-13T07:00:00Z");
    assert_eq!(hourly.due(seven, false), Due::Run { slot: seven, missed: 0 });
    // An hour back: seven comes again, and was run.
    assert_eq!(hourly.due(at("2026-03-13T06:10:00Z"), false), Due::Nothing);
    assert_eq!(hourly.due(seven, false), Due::Nothing);
    let eight = at("2026-03-13T08:00:00Z");
    assert_eq!(hourly.due(eight, false), Due::Run { slot: eight, missed: 0 });
    // A day forward: one run for all that lies between.
    let next_day = at("2026-03-14T08:30:00Z");
    assert_eq!(hourly.due(next_day, false), Due::Run { slot: at("2026-03-14T08:00:00Z"), missed: 23 });
    // Years back: that clock was wrong, and its slots do not count.
    assert_eq!(hourly.due(at("2020-01-01T00:30:00Z"), false), Due::Nothing);
    assert_eq!(hourly.next(), Some(at("2020-01-01T01:00:00Z")));
}

#[test]
fn jitter_is_within_its_bound_and_the_same_for_a_slot() {
    let jitter = SignedDuration::from_secs(300);
    let cron = || "0 7 * * *".parse::<Cron>().unwrap();
    let now = at("2026-03-13T06:00:00Z");
    let slot = at("2026-03-13T07:00:00Z");
    let next =
        |seed| Timetable::new(cron(), Keeping { jitter, seed, ..keeping("UTC") }, None, now).next().unwrap();
    let delays: Vec<SignedDuration> = (0..50).map(|seed| next(seed).duration_since(slot)).collect();
    assert!(delays.iter().all(|delay| (SignedDuration::ZERO..jitter).contains(delay)), "{delays:?}");
    assert!(delays.iter().collect::<std::collections::BTreeSet<_>>().len() > 40);
    assert_eq!(next(7), next(7));
}

#[test]
fn what_is_no_cron_expression_is_told_and_what_never_comes_is_none() {
    for wrong in ["", "* * *", "61 * * * *", "0 25 * * *", "0 7 * * XYZ", "0 7 * * MON 2026 7", "every day"] {
        let error = wrong.parse::<Cron>().unwrap_err().to_string();
        assert!(error.contains("weekday"), "{wrong}: {error}");
    }
    let never: Cron = "0 0 30 2 *".parse().unwrap();
    assert_eq!(never.next_after(at("2026-01-01T00:00:00Z"), &TimeZone::UTC), None);
    assert_eq!(
        "*/5 * * * * *".parse::<Cron>().unwrap().next_after(at("2026-01-01T00:00:01Z"), &TimeZone::UTC),
        Some(at("2026-01-01T00:00:05Z"))
    );
}

proptest! {
    /// Whatever the clock does, slots are run in order, none twice, unless the clock was wrong by more than a day.
    #[test]
    fn no_slot_is_run_twice(steps in proptest::collection::vec((-3600i64..7200, any::<bool>()), 1..200)) {
        let mut table = table("*/10 * * * *", "Europe/Berlin", "2026-03-28T22:00:00Z");
        let mut now = at("2026-03-28T22:00:00Z");
        let mut last = None;
        for (step, is_running) in steps {
            now += SignedDuration::from_secs(step);
            if let Due::Run { slot, .. } | Due::Skip { slot } = table.due(now, is_running) {
                prop_assert!(last.is_none_or(|last| slot > last), "{last:?}, then {slot}");
                prop_assert!(slot <= now);
                last = Some(slot);
            }
        }
    }
}
