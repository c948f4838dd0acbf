//! How a provider is told which part of a prompt to keep.

use super::endpoint::Endpoint;
use super::negotiate::Feature;

/// How a provider is told which part of a prompt to keep for later requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptMarks {
    /// As the address and the model need it: a breakpoint at OpenAI and Azure from gpt-5.6 on, `cache_control` for
    /// Anthropic's models at OpenRouter, none elsewhere.
    #[default]
    Auto,
    /// `prompt_cache_breakpoint`.
    Breakpoint,
    /// `cache_control`.
    CacheControl,
    /// Not at all: the provider keeps what it likes.
    None,
}

impl PromptMarks {
    /// The feature that does it.
    pub(super) fn feature(self, endpoint: &Endpoint, model: &str) -> Option<Feature> {
        match self {
            Self::Breakpoint => Some(Feature::Breakpoint),
            Self::CacheControl => Some(Feature::CacheControl),
            Self::None => None,
            Self::Auto if endpoint.is_openai && needs_breakpoints(model) => Some(Feature::Breakpoint),
            Self::Auto if endpoint.is_router && model.starts_with("anthropic/") => {
                Some(Feature::CacheControl)
            }
            Self::Auto => None,
        }
    }
}

/// True for gpt-5.6 and later ones, by name.
fn needs_breakpoints(model: &str) -> bool {
    let Some((_, rest)) = model.split_once("gpt-") else { return false };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let mut numbers =
        rest.get(..end).unwrap_or_default().split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (5, 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_from_gpt_5_6_on_need_breakpoints() {
        for (model, needs) in [
            ("gpt-5.6", true),
            ("gpt-5.6-mini-2026-09-01", true),
            ("gpt-6-luna", true),
            ("gpt-10", true),
            ("gpt-5.5", false),
            ("gpt-5", false),
            ("gpt-4o", false),
            ("gpt-oss-120b", false),
            ("o3", false),
            ("claude", false),
        ] {
            assert_eq!(needs_breakpoints(model), needs, "{model}");
        }
    }

    #[test]
    fn the_address_and_the_model_say_which_mark_is_needed_unless_a_person_does() {
        let feature =
            |marks: PromptMarks, url: &str, model: &str| marks.feature(&Endpoint::parse(url).unwrap(), model);
        let (openai, router) = ("https://api.openai.com/v1", "https://openrouter.ai/api/v1");
        for (marks, url, model, expected) in [
            (PromptMarks::Auto, openai, "gpt-6-luna", Some(Feature::Breakpoint)),
            (PromptMarks::Auto, "https://r.openai.azure.com/openai/v1", "gpt-5.6", Some(Feature::Breakpoint)),
            (PromptMarks::Auto, openai, "gpt-5.4", None),
            (PromptMarks::Auto, "http://127.0.0.1:8000/v1", "gpt-6-luna", None),
            (PromptMarks::Auto, router, "anthropic/claude-sonnet-5", Some(Feature::CacheControl)),
            (PromptMarks::Auto, router, "openai/gpt-6-luna", None),
            (PromptMarks::Breakpoint, router, "x", Some(Feature::Breakpoint)),
            (PromptMarks::CacheControl, openai, "x", Some(Feature::CacheControl)),
            (PromptMarks::None, openai, "gpt-6-luna", None),
        ] {
            assert_eq!(feature(marks, url, model), expected, "{marks:?} {url} {model}");
        }
    }
}
