//! How the model behaves: all of it may be switched while it runs.

use serde::{Deserialize, Serialize};

use super::cache::PromptCache;
use super::latency::Latency;
use super::limits::Limits;

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
            faults: Vec::new(),
            seed: 1,
        }
    }
}

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
