//! A circuit breaker: a provider that fails again and again is left alone for a while. No I/O, no clock.

use std::time::Duration;

/// Counts a provider's failures in a row. After five it is left alone; then one request feels whether it is back.
///
/// Refusals for now (429) are no failures: they are the business of the [pace](super::pace).
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    failures: u32,
    /// Whether the provider has ever answered.
    has_answered: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Closed,
    /// Left alone until then; so many requests have felt for it in vain.
    Open { until: Duration, probes: u32 },
    /// One request feels for it.
    Probing { probes: u32 },
}

/// Whether a request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// Yes.
    Free,
    /// Not before this moment.
    At(Duration),
    /// Not before the request that feels for the provider has ended.
    Probing,
}

/// Failures in a row after which a provider is left alone.
const MOST_FAILURES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A provider that has never answered is given up after so many requests that felt for it.
const PROBES_OF_A_STRANGER: u32 = 1;
/// One that has is waited for longer: about two minutes.
const PROBES: u32 = 7;

impl Breaker {
    /// Whether a request may be sent now.
    pub fn passage(&self, now: Duration) -> Passage {
        match self.state {
            State::Closed => Passage::Free,
            State::Open { until, .. } if now < until => Passage::At(until),
            State::Open { .. } => Passage::Free,
            State::Probing { .. } => Passage::Probing,
        }
    }

    /// A request is sent.
    pub fn sent(&mut self) {
        if let State::Open { probes, .. } = self.state {
            self.state = State::Probing { probes };
        }
    }

    /// The provider has answered, if only to refuse.
    pub fn answered(&mut self) {
        *self = Self { has_answered: true, ..Self::default() };
    }

    /// A request was lost without a word about the provider: whether it is back is not known.
    pub fn withdrawn(&mut self, now: Duration) {
        if let State::Probing { probes } = self.state {
            self.state = State::Open { until: now, probes };
        }
    }

    /// A request has failed. True if the provider is given up.
    pub fn failed(&mut self, now: Duration) -> bool {
        self.failures += 1;
        let probes = match self.state {
            State::Closed if self.failures < MOST_FAILURES => return false,
            State::Closed => 0,
            State::Probing { probes } => probes + 1,
            State::Open { .. } => return false, // it left before the provider was left alone
        };
        let pause = FIRST_PAUSE.saturating_mul(1 << probes.min(16)).min(LONGEST_PAUSE);
        self.state = State::Open { until: now + pause, probes };
        probes >= if self.has_answered { PROBES } else { PROBES_OF_A_STRANGER }
    }

    /// True if the provider is left alone, or felt for.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_one_request_feels_for_the_provider() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            assert!(!breaker.failed(s(1)));
        }
        breaker.answered();
        for _ in 0..5 {
            assert_eq!(breaker.passage(s(2)), Passage::Free);
            assert!(!breaker.failed(s(2)));
        }
        assert_eq!(breaker.passage(s(3)), Passage::At(s(4)));
        assert!(!breaker.failed(s(3)), "it left earlier, so it does not count");
        assert_eq!(breaker.passage(s(4)), Passage::Free);
        breaker.sent();
        assert_eq!(breaker.passage(s(4)), Passage::Probing);
        breaker.answered();
        assert_eq!((breaker.passage(s(4)), breaker.is_open()), (Passage::Free, false));
    }

    /// Fails until the provider is given up: how many requests felt for it, and when.
    fn given_up(mut breaker: Breaker) -> (u32, Duration) {
        let mut now = s(0);
        for sent in 1.. {
            if let Passage::At(until) = breaker.passage(now) {
                now = until;
            }
            breaker.sent();
            if breaker.failed(now) {
                return (sent, now);
            }
        }
        unreachable!()
    }

    #[test]
    fn a_provider_that_never_answered_is_given_up_within_seconds() {
        assert_eq!(given_up(Breaker::default()), (6, s(2)));
    }

    #[test]
    fn one_that_has_answered_is_waited_for_longer() {
        let mut breaker = Breaker::default();
        breaker.answered();
        assert_eq!(given_up(breaker), (12, s(2 + 4 + 8 + 16 + 30 + 30 + 30)));
    }

    #[test]
    fn a_probe_that_was_withdrawn_is_made_again() {
        let mut breaker = Breaker::default();
        (0..5).for_each(|_| assert!(!breaker.failed(s(0))));
        breaker.sent();
        breaker.withdrawn(s(3));
        assert_eq!(breaker.passage(s(3)), Passage::Free);
    }
}
