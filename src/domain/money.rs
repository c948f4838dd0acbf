//! Tokens and what they cost. Money is counted in millionths of a US dollar, so sums are exact.

use serde::{Deserialize, Serialize};

/// A millionth of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroUsd(pub u64);

impl MicroUsd {
    /// Whole dollars, for people and for JSON.
    pub fn as_usd(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// From dollars, rounded up: a cost is never shown smaller than it is. Negative and NaN become zero.
    pub fn from_usd_rounded_up(usd: f64) -> Self {
        Self((usd * 1e6).ceil().max(0.0) as u64)
    }
}

impl std::ops::Add for MicroUsd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::ops::AddAssign for MicroUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for MicroUsd {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), |sum, next| sum + next)
    }
}

/// What one answer used, as the provider counted it. All zero where it did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub prompt_tokens: u64,
    /// The part of the prompt that came from the provider's prompt cache.
    pub cached_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub completion_tokens: u64,
    /// The part of the answer that was reasoning.
    pub reasoning_tokens: u64,
    /// The exact price, where the provider states it (OpenRouter does).
    pub stated_cost: Option<MicroUsd>,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.prompt_tokens += other.prompt_tokens;
        self.cached_tokens += other.cached_tokens;
        self.completion_tokens += other.completion_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
        self.stated_cost = match (self.stated_cost, other.stated_cost) {
            (None, None) => None,
            (left, right) => Some(left.unwrap_or_default() + right.unwrap_or_default()),
        };
    }
}

/// A provider's price in US dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Prompt tokens that were not cached.
    pub input: f64,
    /// Prompt tokens that were cached; `input` where unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<f64>,
    /// Answer tokens.
    pub output: f64,
}

impl Price {
    /// What `usage` costs, rounded up to a millionth of a dollar.
    pub fn of(&self, usage: &Usage) -> MicroUsd {
        if let Some(stated) = usage.stated_cost {
            return stated;
        }
        let cached = usage.cached_tokens.min(usage.prompt_tokens);
        let fresh = usage.prompt_tokens - cached;
        let micro = fresh as f64 * self.input
            + cached as f64 * self.cached_input.unwrap_or(self.input)
            + usage.completion_tokens as f64 * self.output;
        MicroUsd(micro.ceil().max(0.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_are_part_of_the_prompt_and_cheaper() {
        let price = Price { input: 0.15, cached_input: Some(0.075), output: 0.60 };
        let usage =
            Usage { prompt_tokens: 2000, cached_tokens: 1000, completion_tokens: 100, ..Usage::default() };
        assert_eq!(price.of(&usage), MicroUsd(150 + 75 + 60));
        let stated = Usage { stated_cost: Some(MicroUsd(7)), ..usage };
        assert_eq!(price.of(&stated), MicroUsd(7));
    }

    #[test]
    fn more_cached_than_prompt_tokens_cannot_make_a_price_negative() {
        let price = Price { input: 1.0, cached_input: Some(0.0), output: 0.0 };
        assert_eq!(price.of(&Usage { prompt_tokens: 5, cached_tokens: 9, ..Usage::default() }), MicroUsd(0));
    }
}
