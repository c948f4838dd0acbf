//! How the model behaves: all of it may be switched while it runs.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::cache::PromptCache;
use super::latency::Latency;
use super::limits::Limits;
use crate::sandbox::spec::SpecError;

/// How the model behaves. As JSON it is what `GET /model` tells and `PUT /model` takes; what is left out has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// How long answers take.
    pub latency: Latency,
    /// What is let through.
    pub limits: Limits,
    /// What is kept of prompts.
    pub prompt_cache: PromptCache,
    /// Parameters that are refused; `json_schema`, `json_object` and `high` stand for these values.
    pub refuses: Vec<String>,
    /// What is told of the tokens that were used.
    pub bills: Bills,
    /// The share of answers that are wrong about one rule, 0 to 1; of rows that the model has labels for.
    pub error_rate: f64,
    /// It obeys orders in rows, where they stand outside of the fence.
    pub gullible: bool,
    /// What goes wrong, in the words of the command line, such as `chat:20%=mix`.
    pub faults: Vec<String>,
    /// What is random comes from it.
    pub seed: u64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            latency: Latency::default(),
            limits: Limits::default(),
            prompt_cache: PromptCache::default(),
            refuses: Vec::new(),
            bills: Bills::OpenAi,
            error_rate: 0.0,
            gullible: false,
            faults: Vec::new(),
            seed: 1,
        }
    }
}

impl Behaviour {
    /// Looks whether the figures make sense.
    pub(super) fn check(&self) -> Result<(), SpecError> {
        let Self { latency, limits, prompt_cache, error_rate, .. } = self;
        let within = |name, value: f64, range: RangeInclusive<f64>, problem| match range.contains(&value) {
            true => Ok(()),
            false => Err(SpecError::new(name, problem)),
        };
        let per_minute = |name, limit: Option<f64>| {
            within(name, limit.unwrap_or(1.0), f64::MIN_POSITIVE..=MOST, "must be above 0")
        };
        per_minute("limits.requests_per_minute", limits.requests_per_minute)?;
        per_minute("limits.tokens_per_minute", limits.tokens_per_minute)?;
        let at_once = f64::from(limits.at_once.unwrap_or(1));
        within("limits.at_once", at_once, 1.0..=MOST, "must be 1 or more")?;
        within("limits.burst_s", limits.burst_s, 0.0..=MOST, "must be 0 or more")?;
        within("latency.median_s", latency.median_s, 0.0..=MOST, "must be 0 or more")?;
        within("latency.spread", latency.spread, 0.0..=3.0, "must be from 0 to 3")?;
        within("prompt_cache.forgets_s", prompt_cache.forgets_s, 0.0..=MOST, "must be 0 or more")?;
        within("error_rate", *error_rate, 0.0..=1.0, "must be from 0 to 1")
    }
}

/// More than any figure is.
const MOST: f64 = 1e15;

/// What an answer tells of the tokens that it used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bills {
    /// As OpenAI does it.
    #[serde(rename = "openai")]
    OpenAi,
    /// As DeepSeek does it: hits and misses of the prompt cache.
    #[serde(rename = "deepseek")]
    DeepSeek,
    /// Nothing.
    Nothing,
}
