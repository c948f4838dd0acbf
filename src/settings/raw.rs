//! The mirror of the settings file: every key there is, what it takes, its bounds and its default.
//!
//! Whatever is not here is an unknown key. `Settings.toml` documents the same keys for people, and a test
//! holds the two together.

use super::kind::Kind::{self, *};

/// A key of the settings.
pub(super) struct Key {
    /// Its whole path; `*` stands for a provider's priority.
    pub path: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// The value where nobody gives one.
    pub default: Option<&'static str>,
}

/// The table of providers, by priority.
pub(super) const PROVIDERS: &str = "llm.providers";
/// The table of jobs, by name.
pub(super) const JOBS: &str = "jobs";

/// All keys, in the order of `Settings.toml`.
pub(super) const KEYS: &[Key] = &[
    key("header_row", Whole(1, 1_000_000), Some("1")),
    key("data_start_row", Whole(2, 1_000_001), Some("2")),
    key("allowed_statuses", List, None),
    key("rules_text", Text, None),
    key("rules_file", Path, None),
    key("language", Choice(&["en", "ru"]), Some("en")),
    key("timezone", TimeZone, Some("Europe/Moscow")),
    key("as_of", Date, None),
    key("batch_size", Whole(1, 10_000), Some("10")),
    key("queue_depth", Whole(1, 100_000), None),
    key("cache_path", Path, Some("status_validator.sqlite")),
    key("unknown", Choice(&["retry", "hold"]), Some("retry")),
    key("source.path", Path, None),
    key("source.sheet", Text, None),
    key("source.encoding", Encoding, None),
    key("source.delimiter", Delimiter, None),
    key("target.path", Path, Some("review.xlsx")),
    key("target.sheet", Text, None),
    key("target.delimiter", Delimiter, None),
    key("sheets.credentials_credential", Text, None),
    key("sheets.credentials_file", Path, None),
    key("sheets.source_spreadsheet_id", Text, None),
    key("sheets.source_sheet_name", Text, None),
    key("sheets.source_sheet_gid", Whole(0, i32::MAX as u64), None),
    key("sheets.target_spreadsheet_id", Text, None),
    key("sheets.target_sheet_name", Text, None),
    key("sheets.rules_sheet_name", Text, None),
    key("sheets.api_base_url", Url, None),
    key("columns.status", Text, None),
    key("columns.comment", Text, None),
    key("columns.completion_date", Text, None),
    key("columns.identifier", Text, None),
    key("columns.project_manager", Text, None),
    key("columns.context", List, None),
    key("llm.enabled", Flag, Some("true")),
    key("llm.max_retries", Whole(1, 100), Some("3")),
    key("llm.max_workers", Whole(1, 1000), Some("5")),
    key("llm.http_referer", Header, None),
    key("llm.x_title", Header, None),
    key("llm.max_cost_usd", Number { min: 0.0, above: false, max: 1e6 }, None),
    key("llm.max_cost_usd_per_day", Number { min: 0.0, above: false, max: 1e6 }, None),
    key("llm.requests_per_minute", Whole(1, 1_000_000), None),
    key("llm.tokens_per_minute", Whole(1, 10_000_000_000), None),
    key("llm.providers.*.name", Text, None),
    key("llm.providers.*.model", Text, None),
    key("llm.providers.*.model_env", Variable, None),
    key("llm.providers.*.api_key_credential", Text, None),
    key("llm.providers.*.api_key_file", Path, None),
    key("llm.providers.*.api_key_env", Variable, None),
    key("llm.providers.*.api_key", Secret, None),
    key("llm.providers.*.base_url", Url, Some("https://api.openai.com/v1")),
    key("llm.providers.*.base_url_env", Variable, None),
    key("llm.providers.*.organization", Header, None),
    key("llm.providers.*.temperature", Number { min: 0.0, above: false, max: 2.0 }, Some("0.0")),
    key("llm.providers.*.max_output_tokens", Whole(1, 10_000_000), Some("1024")),
    key("llm.providers.*.request_timeout", Number { min: 0.0, above: true, max: 3600.0 }, Some("60")),
    key("llm.providers.*.reasoning_enabled", Flag, Some("false")),
    key(
        "llm.providers.*.prompt_cache",
        Choice(&["auto", "breakpoint", "cache_control", "off"]),
        Some("auto"),
    ),
    key("llm.providers.*.price.input", PRICE, None),
    key("llm.providers.*.price.cached_input", PRICE, None),
    key("llm.providers.*.price.output", PRICE, None),
    key("network.ca_file", Path, None),
    key("network.proxy", Proxy, None),
    key("serve.listen", Address, Some("127.0.0.1:8686")),
    key("serve.hosts", List, None),
    key("serve.schedule", Schedule, None),
    key("serve.jitter_seconds", Whole(0, 86_400), Some("0")),
    key("serve.watch", Flag, Some("false")),
    key("serve.catch_up", Choice(&["none", "once"]), Some("once")),
    key("serve.token_file", Path, None),
    key("serve.show_content", Flag, Some("false")),
];

const PRICE: Kind = Number { min: 0.0, above: false, max: 1e6 };

const fn key(path: &'static str, kind: Kind, default: Option<&'static str>) -> Key {
    Key { path, kind, default }
}

/// What a path stands for in the mirror.
pub(super) enum Place {
    Key(&'static Key),
    Section,
    Unknown,
}

/// Looks up a path in which `*` stands for a priority.
pub(super) fn find(pattern: &str) -> Place {
    if let Some(key) = KEYS.iter().find(|key| key.path == pattern) {
        return Place::Key(key);
    }
    let inside = |key: &Key| key.path.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('.'));
    if pattern == JOBS || KEYS.iter().any(inside) { Place::Section } else { Place::Unknown }
}

/// The path with a provider's priority replaced by `*`.
pub(super) fn pattern(path: &str) -> String {
    let Some((_, tail)) = path.split_once("llm.providers.").filter(|(head, _)| head.is_empty()) else {
        return path.to_owned();
    };
    match tail.split_once('.') {
        Some((_, rest)) => format!("{PROVIDERS}.*.{rest}"),
        None => format!("{PROVIDERS}.*"),
    }
}

/// The known key that an unknown one was probably meant to be: a sibling that is spelt alike, or a key of
/// that very name elsewhere.
pub(super) fn near(section: &str, name: &str) -> Option<String> {
    let inside = |path: &'static str| {
        let rest = if section.is_empty() { path } else { path.strip_prefix(section)?.strip_prefix('.')? };
        rest.split('.').next()
    };
    let siblings = KEYS.iter().filter_map(|key| inside(key.path)).chain(section.is_empty().then_some(JOBS));
    let alike = siblings
        .filter(|sibling| *sibling != "*" && *sibling != name)
        .map(|sibling| (strsim::jaro_winkler(sibling, &name.to_lowercase()), sibling))
        .filter(|(score, _)| *score > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(
            |(_, sibling)| {
                if section.is_empty() { sibling.to_owned() } else { format!("{section}.{sibling}") }
            },
        );
    let elsewhere = || KEYS.iter().find(|key| key.path.rsplit('.').next() == Some(name));
    alike.or_else(|| elsewhere().map(|key| key.path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_found_beside_and_elsewhere() {
        assert_eq!(near("llm", "max_worker").as_deref(), Some("llm.max_workers"));
        assert_eq!(near("", "max_workers").as_deref(), Some("llm.max_workers"));
        assert_eq!(near("", "sheet").as_deref(), Some("sheets"));
        assert_eq!(near("llm.providers.*", "api_keys").as_deref(), Some("llm.providers.*.api_key"));
        assert_eq!(near("columns", "zzz"), None);
    }

    #[test]
    fn priorities_are_a_star() {
        assert_eq!(pattern("llm.providers.12.price.input"), "llm.providers.*.price.input");
        assert_eq!(pattern("llm.providers.1"), "llm.providers.*");
        assert_eq!(pattern("llm.enabled"), "llm.enabled");
    }

    #[test]
    fn every_default_fits_its_own_key() {
        for key in KEYS {
            if let Some(default) = key.default {
                let node = super::super::node::Node::bare(default, super::super::origin::Origin::Default);
                assert!(key.kind.admit(&node).is_ok(), "{}", key.path);
            }
        }
    }
}
