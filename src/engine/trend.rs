//! How the calls of a run went, early and of late: what advice about `max_workers` is given from. Pure.

use std::time::Duration;

use crate::domain::money::Usage;

/// Latencies and shares of the prompt cache, at the beginning of a run and of late.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    answers: u64,
    early: Spell,
    late: Spell,
}

/// So many answers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Spell {
    answers: f64,
    seconds: f64,
    prompt: f64,
    cached: f64,
}

/// The beginning is so many answers; before them comes the first one, which finds no prompt kept.
const EARLY: u64 = 50;
/// Of late is about so many answers.
const LATE: f64 = 50.0;

impl Trend {
    pub(super) fn answered(&mut self, took: Duration, usage: &Usage) {
        self.answers += 1;
        if self.answers == 1 {
            return;
        }
        if self.answers <= EARLY + 1 {
            self.early.add(took, usage);
        } else {
            self.late.fade(1.0 - 1.0 / LATE);
            self.late.add(took, usage);
        }
    }

    /// How many times as long answers take of late; none while that cannot be told.
    pub fn slower(&self) -> Option<f64> {
        let (early, late) = self.spells()?;
        Some(late.seconds / late.answers / (early.seconds / early.answers)).filter(|times| times.is_finite())
    }

    /// The share of prompts that was kept at the beginning, and of late; none while that cannot be told.
    pub fn cached_shares(&self) -> Option<(f64, f64)> {
        let (early, late) = self.spells()?;
        let share = |spell: &Spell| if spell.prompt > 0.0 { spell.cached / spell.prompt } else { 0.0 };
        Some((share(early), share(late)))
    }

    fn spells(&self) -> Option<(&Spell, &Spell)> {
        (self.answers > 2 * EARLY).then_some((&self.early, &self.late))
    }
}

impl Spell {
    fn add(&mut self, took: Duration, usage: &Usage) {
        self.answers += 1.0;
        self.seconds += took.as_secs_f64();
        self.prompt += usage.prompt_tokens as f64;
        self.cached += usage.cached_tokens as f64;
    }

    fn fade(&mut self, kept: f64) {
        for figure in [&mut self.answers, &mut self.seconds, &mut self.prompt, &mut self.cached] {
            *figure *= kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_run_is_set_against_its_beginning() {
        let mut trend = Trend::default();
        let mut answer = |n: u64, ms, cached_tokens| {
            let usage = Usage { prompt_tokens: 1000, cached_tokens, ..Usage::default() };
            (0..n).for_each(|_| trend.answered(Duration::from_millis(ms), &usage));
            (trend.slower(), trend.cached_shares())
        };
        assert_eq!(answer(1, 9000, 0), (None, None));
        assert_eq!(answer(50, 1000, 900), (None, None));
        let (slower, shares) = answer(400, 2000, 450);
        assert!((slower.unwrap() - 2.0).abs() < 0.01, "{slower:?}");
        let (early, late) = shares.unwrap();
        assert!((early - 0.9).abs() < 0.01 && (late - 0.45).abs() < 0.01, "{early} {late}");
    }
}
