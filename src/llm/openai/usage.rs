//! Reading how many tokens an answer used. Never fails: an answer that was paid for must not be lost
//! because its bill is odd. What cannot be read counts as zero.

use serde_json::Value;

use crate::domain::money::{MicroUsd, Usage};

/// No request uses more; larger figures are nonsense, and sums of them must not overflow.
const MOST: u64 = u32::MAX as u64;

/// Reads the `usage` object of an answer, `null` where there is none.
pub(super) fn read(usage: &Value) -> Usage {
    let hits = count(usage, "/prompt_cache_hit_tokens");
    let misses = count(usage, "/prompt_cache_miss_tokens");
    let prompt_tokens =
        first(usage, &["/prompt_tokens", "/input_tokens"]).unwrap_or_else(|| (hits + misses).min(MOST));
    let completion_tokens = first(usage, &["/completion_tokens", "/output_tokens"]).unwrap_or(0);
    let cached =
        first(usage, &["/prompt_tokens_details/cached_tokens", "/input_tokens_details/cached_tokens"]);
    let reasoning = count(usage, "/completion_tokens_details/reasoning_tokens");
    Usage {
        prompt_tokens,
        cached_tokens: cached.unwrap_or(hits).min(prompt_tokens),
        completion_tokens,
        reasoning_tokens: reasoning.min(completion_tokens),
        stated_cost: stated_cost(usage),
    }
}

/// OpenRouter states the price in dollars. With the user's own key upstream, it is only OpenRouter's fee.
fn stated_cost(usage: &Value) -> Option<MicroUsd> {
    let dollars = |place| usage.pointer(place).and_then(Value::as_f64).filter(|usd| *usd >= 0.0);
    let own = dollars("/cost")?;
    let is_upstream_apart = usage.get("is_byok").and_then(Value::as_bool).unwrap_or(false);
    let upstream = if is_upstream_apart { dollars("/cost_details/upstream_inference_cost") } else { None };
    Some(MicroUsd::from_usd_rounded_up(own + upstream.unwrap_or(0.0)))
}

fn first(usage: &Value, places: &[&str]) -> Option<u64> {
    places.iter().find_map(|place| usage.pointer(place)?.as_u64()).map(|count| count.min(MOST))
}

fn count(usage: &Value, place: &str) -> u64 {
    first(usage, &[place]).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_usual_object() {
        let usage = read(&json!({"prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306,
            "prompt_tokens_details": {"cached_tokens": 1920},
            "completion_tokens_details": {"reasoning_tokens": 64}}));
        let expected = Usage {
            prompt_tokens: 2006,
            cached_tokens: 1920,
            completion_tokens: 300,
            reasoning_tokens: 64,
            stated_cost: None,
        };
        assert_eq!(usage, expected);
    }

    #[test]
    fn deepseek_and_openrouter_count_in_their_own_way() {
        let deepseek = read(
            &json!({"prompt_tokens": 100, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36}),
        );
        assert_eq!((deepseek.prompt_tokens, deepseek.cached_tokens), (100, 64));
        assert_eq!(read(&json!({"cost": 0.00123, "is_byok": false})).stated_cost, Some(MicroUsd(1230)));
        let own_key =
            json!({"cost": 0.0001, "is_byok": true, "cost_details": {"upstream_inference_cost": 0.002}});
        assert_eq!(read(&own_key).stated_cost, Some(MicroUsd(2100)));
    }

    #[test]
    fn odd_bills_count_as_zero() {
        for odd in [
            json!(null),
            json!({}),
            json!([]),
            json!("12"),
            json!(12),
            json!({"prompt_tokens": "12", "completion_tokens": null, "prompt_tokens_details": null}),
            json!({"prompt_tokens": -5, "completion_tokens": 1.5, "cost": -1}),
            json!({"prompt_tokens_details": {"cached_tokens": null}, "completion_tokens_details": [], "cost": "free"}),
            json!({"prompt_tokens_details": {"cached_tokens": 50}}),
        ] {
            assert_eq!(read(&odd), Usage::default(), "{odd}");
        }
    }

    #[test]
    fn nonsense_cannot_overflow_a_sum() {
        let mut sum = read(&json!({"prompt_tokens": u64::MAX, "completion_tokens": u64::MAX, "cost": 1e300}));
        sum += sum;
        assert_eq!(sum.prompt_tokens, 2 * MOST);
    }

    proptest! {
        #[test]
        fn parts_never_exceed_the_whole(prompt: u64, cached: u64, completion: u64, reasoning: u64) {
            let usage = read(&json!({"prompt_tokens": prompt, "completion_tokens": completion,
                "prompt_tokens_details": {"cached_tokens": cached},
                "completion_tokens_details": {"reasoning_tokens": reasoning}}));
            prop_assert!(usage.cached_tokens <= usage.prompt_tokens);
            prop_assert!(usage.reasoning_tokens <= usage.completion_tokens);
        }
    }
}
