//! The places over which requests are spread, so that each is asked no faster than it can take.
//!
//! OpenAI keeps a prompt on the machine that the beginning of the prompt and `prompt_cache_key` lead to; above some 15
//! requests a minute others take over that have not kept it (<https://platform.openai.com/docs/guides/prompt-caching>).

use std::sync::atomic::{AtomicU32, Ordering};

/// Places that take turns.
#[derive(Debug)]
pub(super) struct Places {
    count: AtomicU32,
    turn: AtomicU32,
}

/// So many requests a minute are taken by one place.
const A_PLACE_TAKES: f64 = 15.0;
/// Each place has to be shown the prompt once, so there are no more than these.
const MOST: f64 = 32.0;

/// How many places a rate needs; one where the rate is not known.
pub(super) fn needed(requests_per_minute: f64) -> u32 {
    // Saturates: whatever the number, there is one place at least.
    (requests_per_minute / A_PLACE_TAKES).ceil().clamp(1.0, MOST) as u32
}

impl Default for Places {
    fn default() -> Self {
        Self { count: AtomicU32::new(1), turn: AtomicU32::new(0) }
    }
}

impl Places {
    pub(super) fn set(&self, count: u32) {
        self.count.store(count.max(1), Ordering::Relaxed);
        self.turn.store(0, Ordering::Relaxed);
    }

    /// The place of the next request, from 0.
    pub(super) fn next(&self) -> u32 {
        self.turn.fetch_add(1, Ordering::Relaxed) % self.count.load(Ordering::Relaxed).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_so_many_places() {
        for (rate, places) in [(0.0, 1), (f64::NAN, 0), (15.0, 1), (16.0, 2), (300.0, 20), (1e9, 32)] {
            assert_eq!(needed(rate), places, "{rate}");
        }
    }

    #[test]
    fn places_take_turns() {
        let places = Places::default();
        assert_eq!((places.next(), places.next()), (0, 0));
        places.set(3);
        let turns: Vec<u32> = (0..5).map(|_| places.next()).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1]);
    }
}
