//! Tests of the retry plan.

use proptest::prelude::*;

use super::*;

fn limited(seconds: Option<u64>) -> Failure {
    LlmError::RateLimited { retry_after: seconds.map(Duration::from_secs) }.into()
}

fn bad_answer() -> Failure {
    BadAnswer { problem: "no verdict".into() }.into()
}

fn again(provider: usize, seconds: u64) -> Next {
    Next::Again { provider, after: Duration::from_secs(seconds) }
}

fn none_out(_: usize) -> bool {
    false
}

fn plan(providers: usize, attempts: u32) -> RetryPlan {
    let backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(30) };
    RetryPlan::new(providers, attempts).with_backoff(backoff)
}

#[test]
fn what_may_pass_uses_up_the_attempts_of_a_provider_then_goes_on() {
    let mut plan = plan(2, 3);
    assert_eq!(plan.provider(none_out, |_| false), Some(0));
    assert_eq!(plan.next(&limited(None), 1.0, none_out), again(0, 1));
    assert_eq!(plan.next(&LlmError::Timeout(Duration::from_secs(60)).into(), 1.0, none_out), again(0, 2));
    assert_eq!(plan.next(&limited(Some(9)), 1.0, none_out), again(1, 0));
    assert_eq!(plan.next(&limited(Some(9)), 1.0, none_out), again(1, 9));
    assert_eq!(plan.attempts(), 4);
}

#[test]
fn a_refused_key_no_money_or_an_unknown_model_end_the_provider_at_once() {
    for error in
        [LlmError::Auth("401".into()), LlmError::Quota("402".into()), LlmError::UnknownModel("404".into())]
    {
        assert!(error.stops_provider());
        let mut plan = plan(2, 3);
        assert_eq!(plan.next(&error.into(), 0.5, none_out), again(1, 0));
    }
}

#[test]
fn what_concerns_this_row_goes_to_the_next_provider_and_leaves_the_provider_in_use() {
    for error in [
        LlmError::TooLong("context".into()),
        LlmError::Refused("content filter".into()),
        LlmError::BadRequest("400".into()),
    ] {
        assert!(!error.stops_provider());
        let mut plan = plan(2, 3);
        assert_eq!(plan.next(&error.into(), 0.5, none_out), again(1, 0));
    }
}

#[test]
fn a_bad_answer_is_asked_again_at_once_and_a_fault_of_ours_counts_one_attempt() {
    let mut plan = plan(1, 4);
    assert_eq!(plan.next(&bad_answer(), 1.0, none_out), again(0, 0));
    assert_eq!(plan.next(&LlmError::Truncated(1024).into(), 1.0, none_out), again(0, 0));
    assert_eq!(plan.next(&Failure::Panicked("index".into()), 1.0, none_out), again(0, 4));
    assert_eq!(plan.next(&Failure::Lost, 1.0, none_out), Next::GiveUp);
}

#[test]
fn an_answer_that_does_not_fit_is_repaired_once() {
    let mut plan = plan(2, 9);
    assert_eq!(plan.next(&bad_answer(), 1.0, none_out), again(0, 0));
    assert_eq!(plan.next(&bad_answer(), 1.0, none_out), again(1, 0));
}

#[test]
fn an_answer_that_was_cut_gets_more_room_and_is_then_asked_to_be_brief() {
    let mut plan = plan(2, 9);
    let cut = || LlmError::Truncated(1024).into();
    assert_eq!((plan.room(), plan.wants_brevity()), (Room::Usual, false));
    assert_eq!(plan.next(&cut(), 1.0, none_out), again(0, 0));
    assert_eq!((plan.room(), plan.wants_brevity()), (Room::Double, false));
    assert_eq!(plan.next(&cut(), 1.0, none_out), again(0, 0));
    assert_eq!((plan.room(), plan.wants_brevity()), (Room::Double, true));
    assert_eq!(plan.next(&cut(), 1.0, none_out), again(1, 0));
    assert_eq!((plan.room(), plan.wants_brevity()), (Room::Usual, false), "another provider starts afresh");
}

#[test]
fn providers_that_are_out_are_never_asked() {
    let mut plan = plan(3, 2);
    assert_eq!(plan.provider(|n| n == 0, |_| false), Some(1));
    // Another row found out meanwhile that provider 1 is out.
    assert_eq!(plan.next(&limited(None), 1.0, |n| n < 2), again(2, 0));
    assert_eq!(plan.provider(|_| true, |_| false), None);
}

#[test]
fn the_reason_names_every_provider_with_what_went_wrong() {
    let mut plan = plan(3, 3);
    plan.provider(none_out, |_| false);
    for _ in 0..3 {
        plan.next(&limited(None), 0.0, |n| n == 1);
    }
    plan.next(&bad_answer(), 0.0, none_out);
    plan.next(&LlmError::Auth("401".into()).into(), 0.0, none_out);
    let names = ["primary (gpt-x)", "second (m)", "fallback (m)"];
    assert_eq!(
        plan.reason(|n| names[n]),
        "primary (gpt-x): rate limited (3 attempts); second (m): not asked, it is out for this run; \
         fallback (m): unusable answer: no verdict, access refused: 401"
    );
}

#[test]
fn without_providers_there_is_nothing_to_try() {
    let mut plan = plan(0, 3);
    assert_eq!(plan.provider(none_out, |_| false), None);
    assert_eq!(plan.next(&Failure::Lost, 0.0, none_out), Next::GiveUp);
    assert_eq!(plan.reason(|n| n), "no provider is configured");
}

fn any_failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        Just(limited(None)),
        Just(limited(Some(2))),
        Just(Failure::from(LlmError::Unavailable { detail: "503".into(), retry_after: None })),
        Just(Failure::from(LlmError::Auth("401".into()))),
        Just(Failure::from(LlmError::TooLong("context".into()))),
        Just(Failure::from(LlmError::BadReply("<html>".into()))),
        Just(bad_answer()),
        Just(Failure::TimedOut),
    ]
}

#[test]
fn a_row_that_is_put_off_counts_anew_and_remembers_why() {
    let mut plan = plan(2, 1);
    assert_eq!(plan.next(&limited(None), 0.0, none_out), again(1, 0));
    assert_eq!(plan.next(&limited(None), 0.0, none_out), Next::GiveUp);
    plan.start_over();
    assert_eq!((plan.provider(none_out, |_| false), plan.attempts()), (Some(0), 0));
    let name = |n| format!("p{n}");
    assert!(plan.reason(name).contains("p0: rate limited"), "{}", plan.reason(name));
    plan.next(&Failure::Lost, 0.0, none_out);
    assert!(plan.reason(name).starts_with("p0: the worker was lost"), "{}", plan.reason(name));
}

proptest! {
    #[test]
    fn a_plan_ends_within_its_attempts_and_never_goes_back(
        providers in 0usize..5,
        attempts in 0u32..5,
        out in proptest::collection::vec(any::<bool>(), 5),
        failures in proptest::collection::vec(any_failure(), 40),
    ) {
        let mut plan = plan(providers, attempts);
        let mut next = match plan.provider(|n| out[n], |_| false) {
            Some(provider) => again(provider, 0),
            None => Next::GiveUp,
        };
        let mut asked = Vec::new();
        for failure in &failures {
            let Next::Again { provider, .. } = next else { break };
            prop_assert!(!out[provider]);
            asked.push(provider);
            next = plan.next(failure, 0.5, |n| out[n]);
        }
        prop_assert_eq!(next, Next::GiveUp);
        prop_assert!(asked.is_sorted());
        prop_assert!(asked.len() <= providers * attempts.max(1) as usize);
        prop_assert_eq!(asked.len(), plan.attempts() as usize);
    }
}
