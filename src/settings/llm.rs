//! The language model: how much is asked, and of whom.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;

use super::merged::Merged;
use super::origin::Origin;
use super::problems::Problem;
use super::raw;
use super::secret::{self, NotFound};
use crate::domain::money::{MicroUsd, Price};
use crate::net::address;

/// How models are asked.
#[derive(Clone, Debug)]
pub struct LlmSettings {
    /// False: code checks only, nothing is sent anywhere; there are no providers then.
    pub enabled: bool,
    /// Attempts a provider, at least 1.
    pub max_retries: u32,
    /// Requests at the same time, 1 to 1000.
    pub max_workers: usize,
    /// Sent as `HTTP-Referer`.
    pub http_referer: Option<String>,
    /// Sent as `X-Title`.
    pub x_title: Option<String>,
    /// The most that a run may cost.
    pub max_cost: Option<MicroUsd>,
    /// The most that a day may cost.
    pub max_cost_per_day: Option<MicroUsd>,
    /// The provider's limit; found out where unset.
    pub requests_per_minute: Option<u64>,
    /// The provider's limit; found out where unset.
    pub tokens_per_minute: Option<u64>,
    /// By priority, the first to be asked first. Never empty if `enabled`; names are unique.
    pub providers: Vec<ProviderSettings>,
}

/// A provider and its model.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// The priority, from 1; lower is asked first.
    pub priority: u32,
    /// The name in reports and logs.
    pub name: String,
    /// The model.
    pub model: String,
    /// The key; only a provider on this machine goes without.
    pub api_key: Option<SecretString>,
    /// The address up to and without `/chat/completions`, without a slash at its end.
    pub base_url: String,
    /// Sent as `OpenAI-Organization`.
    pub organization: Option<String>,
    /// 0 to 2.
    pub temperature: f64,
    /// The most tokens that an answer may have.
    pub max_output_tokens: u32,
    /// The time for one request, first byte to last.
    pub request_timeout: Duration,
    /// Whether the model is asked to reason.
    pub reasoning_enabled: bool,
    /// How the provider is told which part of a prompt to keep.
    pub prompt_cache: PromptCacheMark,
    /// What tokens cost, where it is known.
    pub price: Option<Price>,
}

/// How a provider is told which part of a prompt to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptCacheMark {
    /// As its address and its model need it.
    Auto,
    /// By OpenAI's `prompt_cache_breakpoint`.
    Breakpoint,
    /// By Anthropic's `cache_control`.
    CacheControl,
    /// Not at all.
    Off,
}

const DISABLE: &str = "set llm.enabled = false to check by code only";

/// Resolves `[llm]`.
pub(super) fn resolve(merged: &mut Merged) -> LlmSettings {
    let money = |merged: &Merged, key| merged.number(key).map(MicroUsd::from_usd_rounded_up);
    let enabled = merged.flag("llm.enabled");
    LlmSettings {
        enabled,
        max_retries: narrow(merged.whole("llm.max_retries")),
        max_workers: usize::try_from(merged.whole("llm.max_workers")).unwrap_or(usize::MAX),
        http_referer: merged.text("llm.http_referer"),
        x_title: merged.text("llm.x_title"),
        max_cost: money(merged, "llm.max_cost_usd"),
        max_cost_per_day: money(merged, "llm.max_cost_usd_per_day"),
        requests_per_minute: merged.whole_if_set("llm.requests_per_minute"),
        tokens_per_minute: merged.whole_if_set("llm.tokens_per_minute"),
        providers: providers(merged, enabled),
    }
}

fn providers(merged: &mut Merged, enabled: bool) -> Vec<ProviderSettings> {
    let priorities = merged.priorities();
    if enabled && priorities.is_empty() {
        let hint = format!("add [llm.providers.1] with model_env and api_key_env, or {DISABLE}");
        merged.missing(raw::PROVIDERS, &hint);
    }
    let mut providers = Vec::new();
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    for (&priority, origin) in &priorities {
        let at = Section(format!("{}.{priority}", raw::PROVIDERS));
        let name = merged.text(&at.key("name")).unwrap_or_else(|| format!("provider-{priority}"));
        if let Some(other) = names.insert(name.clone(), priority) {
            let hint = "verdicts and reports tell providers apart by name";
            merged.problem(&at.key("name"), format!("is the name of provider {other} as well"), hint);
        }
        check_model_is_named(merged, &at, origin);
        let price = price(merged, &at);
        if !enabled || (priority > 1 && left_out(merged, &at, &name)) {
            continue;
        }
        // All three are looked for before any is missed, so that one run names everything that is not set.
        let (model, base_url) = (model(merged, &at), base_url(merged, &at));
        let api_key = base_url.as_deref().and_then(|url| api_key(merged, &at, origin, url));
        let (Some(model), Some(base_url), Some(api_key)) = (model, base_url, api_key) else { continue };
        warn_of_blind_caps(merged, &name, price.as_ref());
        providers.push(ProviderSettings {
            priority,
            name,
            model,
            api_key,
            base_url,
            organization: merged.text(&at.key("organization")),
            temperature: merged.number(&at.key("temperature")).unwrap_or_default(),
            max_output_tokens: narrow(merged.whole(&at.key("max_output_tokens"))),
            request_timeout: Duration::from_secs_f64(
                merged.number(&at.key("request_timeout")).unwrap_or(60.0),
            ),
            reasoning_enabled: merged.flag(&at.key("reasoning_enabled")),
            prompt_cache: match merged.text(&at.key("prompt_cache")).as_deref() {
                Some("breakpoint") => PromptCacheMark::Breakpoint,
                Some("cache_control") => PromptCacheMark::CacheControl,
                Some("off") => PromptCacheMark::Off,
                _ => PromptCacheMark::Auto,
            },
            price,
        });
    }
    check_order(merged, &priorities);
    providers
}

/// A provider's section, `llm.providers.1`.
struct Section(String);

impl Section {
    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.0)
    }
}

fn check_order(merged: &mut Merged, priorities: &BTreeMap<u32, Origin>) {
    for ((&priority, origin), wanted) in priorities.iter().zip(1_u32..) {
        if priority != wanted {
            let what =
                format!("priorities must be consecutive from 1, so {wanted} is missing before {priority}");
            let problem = Problem::new(format!("{}.{priority}", raw::PROVIDERS), what).from(origin.clone());
            return merged.found.problems.add(problem.hint(format!("rename it to [llm.providers.{wanted}]")));
        }
    }
}

fn check_model_is_named(merged: &mut Merged, at: &Section, origin: &Origin) {
    let (model, variable) = (at.key("model"), at.key("model_env"));
    let known = merged.strongest(&[&model, &variable]).is_some();
    if !known && !merged.found.problems.concern(&model) && !merged.found.problems.concern(&variable) {
        let problem = Problem::new(&at.0, "has neither model nor model_env").from(origin.clone());
        merged.found.problems.add(problem.hint("name the model, or the variable that names it"));
    }
}

/// A fallback none of whose variables is set is not meant on this machine; a half-set one is a mistake.
fn left_out(merged: &mut Merged, at: &Section, name: &str) -> bool {
    let model = merged.strongest(&[&at.key("model"), &at.key("model_env")]).map(str::to_owned);
    let other_keys =
        ["api_key_credential", "api_key_file", "api_key"].iter().any(|key| merged.given(&at.key(key)));
    let unset = |key: String| {
        let variable = merged.text(&key)?;
        merged.environment.get(&variable).is_none().then(|| merged.shown(&key)).flatten()
    };
    if other_keys || model != Some(at.key("model_env")) {
        return false;
    }
    let (Some(model), Some(key)) = (unset(at.key("model_env")), unset(at.key("api_key_env"))) else {
        return false;
    };
    merged.warn(format!("provider {name} ({}) is left out: neither {model} nor {key} is set", at.0));
    true
}

/// Without a price a cap holds only where the provider states what an answer cost.
fn warn_of_blind_caps(merged: &mut Merged, name: &str, price: Option<&Price>) {
    let cap = ["llm.max_cost_usd", "llm.max_cost_usd_per_day"].into_iter().find(|cap| merged.given(cap));
    if let (Some(cap), None) = (cap, price) {
        merged.warn(format!("{cap} counts only what provider {name} states: its price is not set"));
    }
}

fn model(merged: &mut Merged, at: &Section) -> Option<String> {
    let (model, variable) = (at.key("model"), at.key("model_env"));
    if merged.strongest(&[&model, &variable])? == model {
        return merged.text(&model);
    }
    let found = named(merged, &variable, &model);
    if found.is_none() {
        let hint = format!("set it in the environment or in .env, give model instead, or {DISABLE}");
        if merged.environment.inspecting {
            merged.warn(format!("{variable}: the variable is not set; {hint}"));
        } else {
            merged.problem(&variable, "the variable is not set", hint);
        }
    }
    found
}

fn base_url(merged: &mut Merged, at: &Section) -> Option<String> {
    let (url, variable) = (at.key("base_url"), at.key("base_url_env"));
    let found = if merged.strongest(&[&url, &variable])? == url {
        merged.text(&url)
    } else if let Some(found) = named(merged, &variable, &url) {
        if let Err(hint) = address::check(&found) {
            merged.problem(&variable, "the variable holds no address that can be used", hint);
            return None;
        }
        Some(found)
    } else {
        let (shown, url) = (merged.shown(&variable).unwrap_or_default(), merged.text(&url));
        let asked = url.as_deref().unwrap_or_default();
        merged.warn(format!("{shown} ({variable}) is not set: requests go to {asked}"));
        url
    };
    found.map(|url| url.trim_end_matches('/').to_owned())
}

/// The value of the variable that `key` names; remembers it as the value of `instead`.
fn named(merged: &mut Merged, key: &str, instead: &str) -> Option<String> {
    let variable = merged.text(key)?;
    let (value, origin) = merged.environment.get(&variable)?;
    let value = value.to_owned();
    let masked = value.starts_with("sk-") || (instead.ends_with("base_url") && address::has_secret(&value));
    let shown = if masked { "***".to_owned() } else { format!("{value:?}") };
    merged.resolved.insert(instead.to_owned(), (shown, origin));
    Some(value)
}

/// The key, or the news that none is needed; `None` after a problem.
fn api_key(
    merged: &mut Merged,
    at: &Section,
    origin: &Origin,
    base_url: &str,
) -> Option<Option<SecretString>> {
    let problem = match secret::api_key(merged, &at.0) {
        Ok(Some(key)) => return Some(Some(key)),
        Ok(None) if address::is_loopback(base_url) => return Some(None),
        Err(NotFound(misses)) if address::is_loopback(base_url) => {
            merged.warn(format!("{} is asked without a key: {}", at.0, misses.join("; ")));
            return Some(None);
        }
        Ok(None) => {
            let keys = ["api_key", "api_key_env", "api_key_file", "api_key_credential"];
            if keys.iter().any(|key| merged.found.problems.concern(&at.key(key))) {
                return None;
            }
            Problem::new(&at.0, "has no key")
                .hint(format!("name it by api_key_env or api_key_file, or {DISABLE}"))
        }
        Err(NotFound(misses)) if merged.environment.inspecting => {
            merged.warn(format!("{}: no key: {}", at.key("api_key"), misses.join("; ")));
            return None;
        }
        Err(NotFound(misses)) => Problem::new(at.key("api_key"), format!("no key: {}", misses.join("; ")))
            .hint(format!("set the variable in the environment or in .env, or {DISABLE}")),
    };
    merged.found.problems.add(problem.from(origin.clone()));
    None
}

fn price(merged: &mut Merged, at: &Section) -> Option<Price> {
    let [input, cached_input, output] =
        ["input", "cached_input", "output"].map(|name| merged.number(&at.key(&format!("price.{name}"))));
    match (input, output) {
        (Some(input), Some(output)) => return Some(Price { input, cached_input, output }),
        (None, None) if cached_input.is_none() => {}
        (Some(_), None) => {
            merged.missing(&at.key("price.output"), "give the price of a million answer tokens in USD")
        }
        _ => merged.missing(&at.key("price.input"), "give the price of a million prompt tokens in USD"),
    }
    None
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
