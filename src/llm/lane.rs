//! The way to one provider: its pace, its breaker, and whether somebody has to go first. No I/O, no clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::breaker::{Breaker, Passage};
use super::limits::RateLimits;
use super::pace::{Admission, Known, Learnt, Limiter, Refused, Ticket};

/// Decides when a request may go to a provider; shared by all rows that go there.
#[derive(Clone, Debug)]
pub struct Lane {
    limiter: Limiter,
    breaker: Breaker,
    pilot: Pilot,
    given_up: bool,
}

/// Why the first request of a run goes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// It finds out what the provider refuses. A refusal comes quickly, so a moment of silence is enough.
    Negotiate,
    /// Its prompt is kept by the provider for the others, at so many places, each of which has to see it once. That is
    /// so when all of these have been answered.
    Prime(u32),
}

/// The requests that go alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pilot {
    /// Some are to be sent; so many have gone in vain.
    Ahead {
        errand: Errand,
        under_way: u32,
        answered: u32,
        vain: u32,
        since: Duration,
    },
    Done,
}

/// What became of a request.
#[derive(Clone, Copy, Debug)]
pub enum Ended<'a> {
    /// It was answered.
    Answered {
        /// Tokens that were used, where the provider says so.
        tokens: Option<u64>,
        /// What the provider says of its limits.
        limits: &'a RateLimits,
    },
    /// It was refused for now.
    Refused {
        /// What there was too much of.
        what: Refused,
        /// How long the provider asks to wait.
        wait: Option<Duration>,
        /// What the provider says of its limits.
        limits: &'a RateLimits,
    },
    /// The provider had something against this request, and works.
    Declined,
    /// The provider is in trouble, or the request was lost.
    Failed,
    /// It was never sent.
    Withdrawn,
}

/// What a lane hands on to the next run. JSON with a version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneMemory {
    version: u32,
    /// What was learnt of the limits.
    pub pace: Learnt,
    /// What the model learnt.
    #[serde(default)]
    pub model: Option<serde_json::Value>,
}

/// The version that is written and read.
const VERSION: u32 = 1;

impl LaneMemory {
    /// Both parts of what is known of a provider.
    pub fn new(pace: Learnt, model: Option<serde_json::Value>) -> Self {
        Self { version: VERSION, pace, model }
    }

    /// Reads what an earlier run wrote; nothing if it is of another version, or cannot be read.
    pub fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok().filter(|memory: &Self| memory.version == VERSION)
    }
}

/// A pause of the provider that is longer is not waited for, if somebody else can be asked.
const WORTH_WAITING: Duration = Duration::from_secs(30);
/// So many first requests go alone; after that it is of no use.
const MOST_PILOTS: u32 = 3;
/// What is refused at all is refused within this time.
const QUIET: Duration = Duration::from_secs(1);

impl Lane {
    /// A lane with at most so many requests under way.
    pub fn new(slots: usize, known: &Known, now: Duration) -> Self {
        Self {
            limiter: Limiter::new(slots, known, now),
            breaker: Breaker::default(),
            pilot: Pilot::Done,
            given_up: false,
        }
    }

    /// At most so many requests may be under way from now on, if that is more than before.
    pub fn widen(&mut self, slots: usize) {
        self.limiter.widen(slots);
    }

    /// Requests under way.
    pub fn in_flight(&self) -> usize {
        self.limiter.in_flight()
    }

    /// True while nothing but a trial is sent, because requests have failed.
    pub fn is_open(&self) -> bool {
        self.breaker.is_open()
    }

    /// A run begins: so many requests are to be expected, and the first one goes alone if it has an errand.
    pub fn begin(&mut self, expected: u64, errand: Option<Errand>) {
        self.limiter.expect(expected);
        self.given_up = false;
        if let (Some(errand), Pilot::Done) = (errand, self.pilot) {
            let (under_way, answered, vain) = (0, 0, 0);
            self.pilot = Pilot::Ahead { errand, under_way, answered, vain, since: Duration::ZERO };
        }
    }

    /// Whether a request of about so many tokens may be sent now.
    pub fn admit(&mut self, tokens: u64, now: Duration) -> Admission {
        match self.breaker.passage(now) {
            Passage::Free => {}
            Passage::At(due) => return Admission::At(due),
            Passage::Probing => return Admission::Full,
        }
        if let Pilot::Ahead { errand, under_way, answered, since, .. } = self.pilot {
            match errand {
                Errand::Prime(places) if under_way + answered >= places => return Admission::Full,
                Errand::Negotiate if under_way > 0 && now < since + QUIET => {
                    return Admission::At(since + QUIET);
                }
                Errand::Negotiate if under_way > 0 => self.pilot = Pilot::Done,
                Errand::Prime(_) | Errand::Negotiate => {}
            }
        }
        let admission = self.limiter.admit(tokens, now);
        if let Admission::Go(_) = admission {
            self.breaker.sent();
            if let Pilot::Ahead { under_way, since, .. } = &mut self.pilot {
                (*under_way, *since) = (*under_way + 1, now);
            }
        }
        admission
    }

    /// A request has ended. True if the provider is given up.
    pub fn ended(&mut self, ticket: Ticket, ended: Ended<'_>, now: Duration) -> bool {
        let none = RateLimits::default();
        match ended {
            Ended::Answered { tokens, limits } => self.limiter.answered(ticket, tokens, limits, now),
            Ended::Refused { what, wait, limits } => self.limiter.refused(ticket, what, wait, limits, now),
            Ended::Declined => self.limiter.answered(ticket, None, &none, now),
            Ended::Failed | Ended::Withdrawn => self.limiter.failed(ticket, &none, now),
        }
        self.pilot = self.pilot.ended(matches!(ended, Ended::Answered { .. }));
        match ended {
            Ended::Answered { .. } | Ended::Refused { .. } | Ended::Declined => self.breaker.answered(),
            Ended::Withdrawn => self.breaker.withdrawn(now),
            Ended::Failed => self.given_up |= self.breaker.failed(now),
        }
        self.given_up
    }

    /// True if another provider, if there is one, should be asked meanwhile.
    pub fn is_closed(&self, now: Duration) -> bool {
        self.given_up || self.breaker.is_open() || self.limiter.shut_until() > now + WORTH_WAITING
    }

    /// True if the provider was given up in this run.
    pub fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// How long nothing is sent because the provider asked for it.
    pub fn pause(&self, now: Duration) -> Duration {
        self.limiter.shut_until().saturating_sub(now)
    }

    /// The limit that is kept, in requests a minute; none while none is known.
    pub fn requests_per_minute(&self) -> Option<f64> {
        self.limiter.requests_per_minute()
    }

    /// What was learnt of the limits.
    pub fn learnt(&mut self, now: Duration) -> Learnt {
        self.limiter.learnt(now)
    }
}

impl Pilot {
    /// One of the requests has ended.
    fn ended(self, is_answered: bool) -> Self {
        let Self::Ahead { errand, under_way, answered, vain, since } = self else { return self };
        let (answered, vain) = (answered + u32::from(is_answered), vain + u32::from(!is_answered));
        let places = if let Errand::Prime(places) = errand { places } else { 1 };
        if answered >= places || vain >= places.max(MOST_PILOTS) {
            return Self::Done;
        }
        Self::Ahead { errand, under_way: under_way.saturating_sub(1), answered, vain, since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Duration = Duration::ZERO;

    fn lane() -> Lane {
        Lane::new(4, &Known { unlimited: true, ..Known::default() }, T0)
    }

    fn go(lane: &mut Lane) -> Ticket {
        match lane.admit(1, T0) {
            Admission::Go(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_request_that_primes_goes_alone_until_one_is_answered() {
        let (mut lane, limits) = (lane(), RateLimits::default());
        lane.begin(10, Some(Errand::Prime(1)));
        let first = go(&mut lane);
        assert_eq!(lane.admit(1, Duration::from_secs(9)), Admission::Full);
        lane.ended(first, Ended::Failed, T0);
        let second = go(&mut lane);
        assert_eq!(lane.admit(1, T0), Admission::Full);
        lane.ended(second, Ended::Answered { tokens: None, limits: &limits }, T0);
        let _both = (go(&mut lane), go(&mut lane));
    }

    #[test]
    fn each_place_is_primed_by_a_request_of_its_own() {
        let (mut lane, limits) = (lane(), RateLimits::default());
        lane.begin(100, Some(Errand::Prime(2)));
        let (one, two) = (go(&mut lane), go(&mut lane));
        assert_eq!(lane.admit(1, T0), Admission::Full);
        lane.ended(one, Ended::Answered { tokens: None, limits: &limits }, T0);
        assert_eq!(lane.admit(1, T0), Admission::Full);
        lane.ended(two, Ended::Failed, T0);
        let again = go(&mut lane);
        assert_eq!(lane.admit(1, T0), Admission::Full);
        lane.ended(again, Ended::Answered { tokens: None, limits: &limits }, T0);
        let _both = (go(&mut lane), go(&mut lane));
    }

    #[test]
    fn the_request_that_negotiates_goes_alone_for_a_moment() {
        let mut lane = lane();
        lane.begin(10, Some(Errand::Negotiate));
        let _first = go(&mut lane);
        assert_eq!(lane.admit(1, T0), Admission::At(QUIET));
        assert!(matches!(lane.admit(1, QUIET), Admission::Go(_)));
    }

    #[test]
    fn a_lane_with_a_long_pause_is_closed_and_one_with_a_short_one_is_not() {
        for (wait, is_closed) in [(5, false), (60, true)] {
            let (mut lane, limits) = (lane(), RateLimits::default());
            let ticket = go(&mut lane);
            let wait = Some(Duration::from_secs(wait));
            lane.ended(ticket, Ended::Refused { what: Refused::Rate, wait, limits: &limits }, T0);
            assert_eq!(lane.is_closed(T0), is_closed);
        }
    }

    #[test]
    fn memory_of_another_version_is_not_read() {
        let memory = LaneMemory::new(Learnt { slots: Some(3), ..Learnt::default() }, None);
        let json = serde_json::to_string(&memory).unwrap();
        assert_eq!(LaneMemory::read(&json), Some(memory));
        assert_eq!(LaneMemory::read(&json.replace("\"version\":1", "\"version\":9")), None);
        assert_eq!(LaneMemory::read("{}"), None);
    }
}
