//! How fast requests may follow each other: under Google's quota of a minute, reads and writes apart. Pure.

use std::collections::VecDeque;
use std::time::Duration;

/// Requests a minute that a user may make of each kind
/// (<https://developers.google.com/workspace/sheets/api/limits>). A service account is one user.
const PER_MINUTE: usize = 60;
/// A little more than the minute: our clock is not the server's.
const MINUTE: Duration = Duration::from_millis(61_000);

/// What a request counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

/// The requests of the last minute. Moments are counted from any fixed one.
#[derive(Debug, Default)]
pub(super) struct Pace {
    reads: Window,
    writes: Window,
}

#[derive(Debug, Default)]
struct Window {
    /// When the last requests left or will leave, oldest first.
    leaving: VecDeque<Duration>,
    /// The server asked for silence until then.
    silent_until: Duration,
}

impl Pace {
    /// Books the next request and says when it may leave. Who gets a later moment waits until then, so that
    /// several that wait leave in their order.
    pub(super) fn book(&mut self, kind: Kind, now: Duration) -> Duration {
        let window = self.window(kind);
        let mut at = now.max(window.silent_until);
        if let Some(last) = window.leaving.back() {
            at = at.max(*last);
        }
        if window.leaving.len() >= PER_MINUTE
            && let Some(oldest) = window.leaving.pop_front()
        {
            at = at.max(oldest + MINUTE);
        }
        window.leaving.push_back(at);
        at
    }

    /// The server has had too many requests of this kind: none leaves before then.
    pub(super) fn silence(&mut self, kind: Kind, until: Duration) {
        let window = self.window(kind);
        window.silent_until = window.silent_until.max(until);
    }

    fn window(&mut self, kind: Kind) -> &mut Window {
        match kind {
            Kind::Read => &mut self.reads,
            Kind::Write => &mut self.writes,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_minutes_worth_leaves_at_once_and_the_next_one_waits() {
        let mut pace = Pace::default();
        for _ in 0..60 {
            assert_eq!(pace.book(Kind::Read, SECOND), SECOND);
        }
        assert_eq!(pace.book(Kind::Read, 2 * SECOND), SECOND + MINUTE);
        assert_eq!(pace.book(Kind::Write, 2 * SECOND), 2 * SECOND, "writes are counted apart");
    }

    #[test]
    fn silence_holds_for_everyone_of_the_kind() {
        let mut pace = Pace::default();
        pace.silence(Kind::Write, 30 * SECOND);
        pace.silence(Kind::Write, 10 * SECOND);
        assert_eq!(pace.book(Kind::Write, SECOND), 30 * SECOND);
        assert_eq!(pace.book(Kind::Write, SECOND), 30 * SECOND);
        assert_eq!(pace.book(Kind::Read, SECOND), SECOND);
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_the_quota(
            steps in prop::collection::vec((0u64..3000, any::<bool>(), 0u64..90_000), 1..400),
        ) {
            let (mut pace, mut now) = (Pace::default(), Duration::ZERO);
            let mut left = Vec::new();
            for (pause, silence, until) in steps {
                now += Duration::from_millis(pause);
                if silence && until % 7 == 0 {
                    pace.silence(Kind::Read, now + Duration::from_millis(until));
                }
                left.push(pace.book(Kind::Read, now));
            }
            prop_assert!(left.is_sorted());
            for window in left.windows(PER_MINUTE + 1) {
                prop_assert!(window[PER_MINUTE] - window[0] >= MINUTE);
            }
        }
    }
}
