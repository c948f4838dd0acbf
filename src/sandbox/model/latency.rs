//! How long an answer takes. Pure: the same seed and number give the same time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Times that are spread as those of real models are: most near the middle, some much longer (log-normal).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// Half of the answers take no longer, in seconds.
    pub median_s: f64,
    /// How far they are spread: 0 is not at all, 0.5 is usual (one in forty takes 2.7 times the median).
    pub spread: f64,
}

/// No answer takes longer.
const LONGEST: f64 = 3600.0;

impl Latency {
    /// How long this answer takes.
    pub fn of(&self, random: &mut fastrand::Rng) -> Duration {
        let normal = normal(random);
        let seconds = self.median_s * (self.spread * normal).exp();
        Duration::from_secs_f64(if seconds.is_finite() { seconds.clamp(0.0, LONGEST) } else { LONGEST })
    }

    /// What answers take on average, in seconds.
    pub fn mean_s(&self) -> f64 {
        self.median_s * (self.spread * self.spread / 2.0).exp()
    }
}

/// A number of the standard normal distribution (Box and Muller's way).
fn normal(random: &mut fastrand::Rng) -> f64 {
    let (radius, angle) = (1.0 - random.f64(), random.f64());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_are_below_the_median_and_the_mean_is_what_it_is_said_to_be() {
        let latency = Latency { median_s: 4.0, spread: 0.5 };
        let mut random = fastrand::Rng::with_seed(7);
        let times: Vec<f64> = (0..20_000).map(|_| latency.of(&mut random).as_secs_f64()).collect();
        let below = times.iter().filter(|time| **time < 4.0).count() as f64 / 20_000.0;
        let mean = times.iter().sum::<f64>() / 20_000.0;
        assert!((below - 0.5).abs() < 0.02 && (mean / latency.mean_s() - 1.0).abs() < 0.03, "{below} {mean}");
        assert_eq!(Latency::default().of(&mut random), Duration::ZERO);
        let odd = Latency { median_s: f64::NAN, spread: 1e9 };
        assert!(odd.of(&mut random) <= Duration::from_secs(3600));
    }
}
