//! How long to wait before the next attempt: exponential, with full jitter. Pure.

use std::time::Duration;

/// Exponential back-off between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest pause before the second attempt; it doubles with each further one.
    pub base: Duration,
    /// The longest pause of all.
    pub cap: Duration,
}

impl Default for Backoff {
    /// Half a second, doubling up to half a minute.
    fn default() -> Self {
        Self { base: Duration::from_millis(500), cap: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The pause after the `failed`-th failed attempt (counted from 1).
    ///
    /// What the server `asked` for is taken as it is. Otherwise any pause up to the bound is as likely
    /// (full jitter), so that workers that failed together do not come back together: `fraction` is a
    /// random number of [0, 1); others are clamped, NaN counts as 1.
    pub fn pause(&self, failed: u32, fraction: f64, asked: Option<Duration>) -> Duration {
        if let Some(asked) = asked {
            return asked;
        }
        let fraction = if fraction.is_nan() { 1.0 } else { fraction.clamp(0.0, 1.0) };
        self.bound(failed).mul_f64(fraction)
    }

    /// The longest pause after the `failed`-th failed attempt.
    fn bound(&self, failed: u32) -> Duration {
        let doublings = failed.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BACKOFF: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(30) };

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        let longest: Vec<u64> = (1..=7).map(|n| BACKOFF.pause(n, 1.0, None).as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn the_servers_word_wins_even_over_the_cap() {
        let asked = Duration::from_secs(90);
        assert_eq!(BACKOFF.pause(1, 0.5, Some(asked)), asked);
        assert_eq!(BACKOFF.pause(9, 0.5, Some(Duration::ZERO)), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn no_input_leaves_the_bounds(failed: u32, fraction: f64, base: u64, cap: u32) {
            let backoff = Backoff { base: Duration::from_millis(base), cap: Duration::from_millis(cap.into()) };
            prop_assert!(backoff.pause(failed, fraction, None) <= backoff.cap);
        }

        #[test]
        fn a_larger_fraction_waits_no_shorter(failed in 1u32..40, a in 0.0..1.0f64, b in 0.0..1.0f64) {
            let (less, more) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(BACKOFF.pause(failed, less, None) <= BACKOFF.pause(failed, more, None));
        }
    }
}
