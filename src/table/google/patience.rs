//! How long a request is tried again, and after which pauses. Pure.

use std::time::Duration;

use super::fault::Fault;

/// Tries of one request.
#[derive(Debug)]
pub(super) struct Patience {
    /// Since when there has been trouble.
    since: Option<Duration>,
    failed: u32,
    refreshed: bool,
}

/// What to do about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Try again after this pause.
    After(Duration),
    /// Everyone waits for this long, then try again.
    Silence(Duration),
    /// Get another token, then try again.
    Refresh,
    /// It will not do.
    GiveUp,
}

/// Whether a request may be sent again although it may have been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It changes nothing.
    Harmless,
    /// It writes.
    Harmful,
}

/// So long is trouble that may pass waited for. A used-up quota is filled again within a minute; a server that is
/// not back by then is down.
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// The longest pause (<https://developers.google.com/workspace/sheets/api/limits#exponential>).
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

impl Patience {
    pub(super) fn new() -> Self {
        Self { since: None, failed: 0, refreshed: false }
    }

    /// Decides about a fault. `fraction` is a random number of [0, 1) that keeps those who failed together
    /// from coming back together.
    pub(super) fn next(&mut self, fault: &Fault, repeat: Repeat, now: Duration, fraction: f64) -> Next {
        match fault {
            Fault::NotSent(_) | Fault::SignInLater(_) => {
                self.pause(now, fraction).map_or(Next::GiveUp, Next::After)
            }
            Fault::Unknown(_) => match repeat {
                Repeat::Harmless => self.pause(now, fraction).map_or(Next::GiveUp, Next::After),
                Repeat::Harmful => Next::GiveUp,
            },
            Fault::RateLimited { retry_after, .. } => match self.pause(now, fraction) {
                Some(pause) => {
                    Next::Silence(retry_after.map_or(pause, |asked| asked.min(LONGEST).max(pause)))
                }
                None => Next::GiveUp,
            },
            Fault::Unauthenticated(_) if !self.refreshed => {
                self.refreshed = true;
                Next::Refresh
            }
            Fault::Unauthenticated(_)
            | Fault::SignInRefused(_)
            | Fault::Forbidden(_)
            | Fault::NotFound
            | Fault::Refused(_) => Next::GiveUp,
        }
    }

    /// The next pause, none if trouble has lasted too long.
    fn pause(&mut self, now: Duration, fraction: f64) -> Option<Duration> {
        let since = *self.since.get_or_insert(now);
        if now.saturating_sub(since) >= LONGEST {
            return None;
        }
        let doubled = Duration::from_secs(1).saturating_mul(1 << self.failed.min(6));
        self.failed += 1;
        Some((doubled + Duration::from_secs_f64(fraction.clamp(0.0, 1.0))).min(LONGEST_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(retry_after: Option<u64>) -> Fault {
        Fault::RateLimited { retry_after: retry_after.map(Duration::from_secs), message: String::new() }
    }

    /// How long trouble is waited for, and how often the request is sent.
    fn endure(fault: &Fault, repeat: Repeat) -> (Duration, u32) {
        let (mut patience, mut now, mut sent) = (Patience::new(), Duration::ZERO, 1);
        loop {
            match patience.next(fault, repeat, now, 0.5) {
                Next::After(pause) | Next::Silence(pause) => now += pause,
                Next::Refresh => {}
                Next::GiveUp => return (now, sent),
            }
            sent += 1;
        }
    }

    #[test]
    fn pauses_double_up_to_about_a_minute() {
        let mut patience = Patience::new();
        let pauses: Vec<u64> = (0..8)
            .map(|_| match patience.next(&limited(None), Repeat::Harmful, Duration::ZERO, 0.25) {
                Next::Silence(pause) => pause.as_millis() as u64,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(pauses, [1250, 2250, 4250, 8250, 16_250, 32_250, 64_000, 64_000]);
    }

    #[test]
    fn a_used_up_quota_is_waited_for_longer_than_three_minutes() {
        let (waited, sent) = endure(&limited(None), Repeat::Harmful);
        assert!(waited >= Duration::from_secs(180) && waited < Duration::from_secs(400), "{waited:?}");
        assert!(sent < 15, "{sent}");
        let (waited, sent) = endure(&limited(Some(90)), Repeat::Harmful);
        assert!(waited >= Duration::from_secs(300) && sent <= 5, "{waited:?} {sent}");
    }

    #[test]
    fn what_may_have_been_done_is_not_done_again() {
        let unknown = Fault::Unknown("reset".into());
        assert_eq!(endure(&unknown, Repeat::Harmful), (Duration::ZERO, 1));
        assert!(endure(&unknown, Repeat::Harmless).1 > 5);
        assert!(endure(&Fault::NotSent("refused".into()), Repeat::Harmful).1 > 5, "it never left");
    }

    #[test]
    fn a_token_is_refreshed_once_and_a_refusal_is_final() {
        assert_eq!(endure(&Fault::Unauthenticated("x".into()), Repeat::Harmful), (Duration::ZERO, 2));
        for fault in [Fault::NotFound, Fault::Refused("x".into()), Fault::SignInRefused("x".into())] {
            assert_eq!(endure(&fault, Repeat::Harmless), (Duration::ZERO, 1), "{fault:?}");
        }
    }
}
