//! Chat models behind the chat completions API of OpenAI, as many servers speak it, each a little differently.
//!
//! [`OpenAiModel`] sends one question and reads one answer. Around it: `endpoint` (the address), `body` (the
//! request), [`negotiate`] (what a server refuses), `transport` (one HTTP exchange), `reply` and `usage` (an
//! answer), `envelope`, `wait` and `failure` (an error), `limits` (what is told of them), `marks` and `places` (what is
//! kept of prompts), `excerpt` (a provider's words, fit to be shown).

mod body;
mod endpoint;
mod envelope;
mod excerpt;
mod failure;
mod limits;
mod marks;
pub mod negotiate;
mod places;
mod reply;
mod transport;
mod usage;
mod wait;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use reqwest::Client;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::watch;

use self::body::Form;
use self::endpoint::Endpoint;
use self::envelope::Envelope;
use self::excerpt::Scrubber;
pub use self::marks::PromptMarks;
use self::negotiate::{Capabilities, Feature, MOST_ALTERATIONS, Wishes};
use self::places::Places;
use self::transport::Exchange;
use super::limits::RateLimits;
use super::{ChatModel, LlmError, ModelId, NoAnswer, Question, Reply, Room};
use crate::domain::money::Usage;
use crate::domain::prompt::StaticPrompt;
use crate::net::Network;

/// What an [`OpenAiModel`] is made of.
#[derive(Clone, Debug)]
pub struct OpenAiParams {
    /// The provider's name and the model.
    pub id: ModelId,
    /// The address of the API, with or without `/v1`, a slash at the end or `/chat/completions`.
    pub base_url: String,
    /// The key; local servers need none.
    pub api_key: Option<SecretString>,
    /// Sent as `OpenAI-Organization`.
    pub organization: Option<String>,
    /// Sent as `HTTP-Referer` (OpenRouter's attribution).
    pub http_referer: Option<String>,
    /// Sent as `X-Title` (OpenRouter's attribution).
    pub x_title: Option<String>,
    /// The temperature; without it, or if the server refuses it, the server's default holds.
    pub temperature: Option<f64>,
    /// The longest answer, in tokens, reasoning included. Providers count it against the limit of tokens a
    /// minute before they answer, so a generous number slows a run down.
    pub max_output_tokens: u32,
    /// The deadline of a question: from the first byte sent to the last one read.
    pub request_timeout: Duration,
    /// Whether the model is asked to reason, with high effort where the server takes it. It costs tokens.
    pub reasoning_enabled: bool,
    /// The deadline for a connection.
    pub connect_timeout: Duration,
    /// How the provider is told which part of a prompt to keep.
    pub prompt_marks: PromptMarks,
    /// How connections are made.
    pub network: Network,
}

/// A chat model of one provider.
pub struct OpenAiModel {
    id: ModelId,
    endpoint: Endpoint,
    client: Client,
    form: Form,
    wishes: Wishes,
    deadline: Duration,
    scrubber: Scrubber,
    places: Places,
    /// Shared by all workers; a channel because its updates are atomic and can be watched.
    capabilities: watch::Sender<Capabilities>,
    /// Whether a question was answered with these capabilities, now or in an earlier run.
    is_known: AtomicBool,
    account: String,
}

/// Why a model cannot be made. The provider is named by whoever reports it.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address is not one.
    #[error("`base_url` cannot be used: {problem}")]
    BaseUrl {
        /// What is wrong with it.
        problem: String,
    },
    /// A value that has to stand in a header cannot.
    #[error(
        "`{setting}` holds characters that cannot stand in an HTTP header: remove line ends and control characters"
    )]
    Header {
        /// The key in the settings.
        setting: &'static str,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(String),
}

impl OpenAiModel {
    /// Makes a model. Sends nothing.
    ///
    /// # Errors
    /// If the address or a value for a header is unusable. No error shows the key.
    pub fn new(params: OpenAiParams) -> Result<Self, SetupError> {
        let endpoint = Endpoint::parse(&params.base_url)?;
        let headers = headers(&params, &endpoint)?;
        let account = account(&params);
        Ok(Self {
            client: transport::client(headers, params.connect_timeout, &params.network)?,
            wishes: Wishes::new(
                endpoint.is_openai,
                params.temperature.is_some(),
                params.reasoning_enabled,
                params.prompt_marks.feature(&endpoint, &params.id.model),
            ),
            places: Places::default(),
            form: Form {
                model: params.id.model.clone(),
                temperature: params.temperature,
                max_output_tokens: params.max_output_tokens,
            },
            deadline: params.request_timeout,
            scrubber: Scrubber::new(params.api_key),
            capabilities: watch::Sender::new(Capabilities::default()),
            is_known: AtomicBool::new(false),
            account,
            id: params.id,
            endpoint,
        })
    }

    /// What the server is known to refuse.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities.borrow().clone()
    }

    /// Asks, and asks again at once without what the server refuses.
    async fn converse(&self, question: &Question) -> Result<Reply, NoAnswer> {
        let mut requests = 0;
        let place = self.places.next();
        loop {
            requests += 1;
            let granted = self.wishes.granted(&self.capabilities.borrow());
            let body = self.form.fill(question, &granted, place).map_err(|error| {
                LlmError::BadRequest(format!("the request cannot be written as JSON: {error}"))
            })?;
            let exchange = transport::post(&self.client, self.endpoint.url.clone(), body)
                .await
                .map_err(|error| NoAnswer { requests, ..self.scrubbed(error).into() })?;
            let fault = match self.read(&exchange, requests, question.room) {
                Ok(reply) => {
                    self.is_known.store(true, Ordering::Relaxed);
                    return Ok(reply);
                }
                Err(fault) => fault,
            };
            let refused = fault.refused(&granted);
            self.remember(&refused);
            if refused.is_empty() || requests > MOST_ALTERATIONS {
                return Err(NoAnswer {
                    error: fault.error,
                    usage: fault.usage,
                    requests,
                    limits: fault.limits,
                });
            }
        }
    }

    fn read(&self, exchange: &Exchange, requests: u32, room: Room) -> Result<Reply, Box<Fault>> {
        let asked = reply::Asked {
            model: &self.id.model,
            max_output_tokens: room.of(self.form.max_output_tokens),
            requests,
        };
        if !(200..300).contains(&exchange.status) {
            let body: Option<Value> = serde_json::from_slice(envelope::trimmed(&exchange.body)).ok();
            if let Some(reply) = body.and_then(|body| reply::salvaged(&body, &asked, &self.scrubber)) {
                return Ok(Reply {
                    limits: limits::told(&exchange.headers, None, SystemTime::now()),
                    ..reply
                });
            }
            return Err(self.fault(exchange, Envelope::of_error(&exchange.body)));
        }
        let body: Value = serde_json::from_slice(envelope::trimmed(&exchange.body))
            .map_err(|error| LlmError::BadReply(self.not_json(&exchange.body, &error)))?;
        if let Some(said) = Envelope::in_success(&body) {
            return Err(self.fault(exchange, said));
        }
        let limits = limits::told(&exchange.headers, None, SystemTime::now());
        match reply::read(&body, &asked, &self.scrubber) {
            Ok(reply) => Ok(Reply { limits, ..reply }),
            Err(error) => {
                let usage = body.get("usage").map(usage::read);
                Err(Box::new(Fault { usage, limits: Box::new(limits), ..error.into() }))
            }
        }
    }

    fn fault(&self, exchange: &Exchange, said: Envelope) -> Box<Fault> {
        let asked = wait::asked(&exchange.headers, &said, SystemTime::now());
        let detail = self.scrubber.excerpt(&self.told(exchange, &said));
        let error = failure::classify(exchange.status, &said, asked, detail);
        let limits = Box::new(limits::told(&exchange.headers, Some(&said), SystemTime::now()));
        Box::new(Fault { error, status: exchange.status, said, usage: None, limits })
    }

    /// What an error answer says, for people.
    fn told(&self, exchange: &Exchange, said: &Envelope) -> String {
        let status = failure::meant_status(exchange.status, said);
        let code = said.codes.first().map(|code| format!(" {code}")).unwrap_or_default();
        let message = match status {
            300..400 => {
                let location =
                    exchange.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
                let target = self.endpoint.url.join(location).ok();
                let host = target.as_ref().and_then(|url| url.host_str()).unwrap_or("an unknown host");
                return format!(
                    "{status}, `base_url` redirects to {host}, and redirects are not followed: set it to the final address"
                );
            }
            404 | 405 | 410 => format!("{} (asked at {})", said.message, self.endpoint.shown()),
            _ => said.message.clone(),
        };
        format!("{status}{code} {message}")
    }

    fn not_json(&self, body: &[u8], error: &serde_json::Error) -> String {
        let text = String::from_utf8_lossy(envelope::trimmed(body));
        if text.is_empty() {
            return "an empty body".to_owned();
        }
        if envelope::is_html(&text) {
            return self.scrubber.excerpt(&Envelope::of_error(body).message);
        }
        self.scrubber.excerpt(&format!("broken JSON ({error}): {text}"))
    }

    fn scrubbed(&self, error: LlmError) -> LlmError {
        match error {
            LlmError::Unavailable { detail, retry_after } => {
                LlmError::Unavailable { detail: self.scrubber.excerpt(&detail), retry_after }
            }
            LlmError::BadRequest(detail) => LlmError::BadRequest(self.scrubber.excerpt(&detail)),
            other => other,
        }
    }

    fn remember(&self, refused: &BTreeSet<Feature>) {
        if self.capabilities.send_if_modified(|known| known.learn(refused)) {
            tracing::info!(model = %self.id, ?refused, "refused by the provider, left out from now on");
        }
    }
}

impl ChatModel for OpenAiModel {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Relaxed)
    }

    fn keeps(&self, fixed: &StaticPrompt) -> bool {
        (fixed.system.len() + fixed.rules.len()) / BYTES_A_TOKEN >= LEAST_KEPT
    }

    fn spread(&self, requests_per_minute: f64) -> u32 {
        let places = if self.endpoint.is_openai { places::needed(requests_per_minute) } else { 1 };
        self.places.set(places);
        places
    }

    fn account(&self) -> String {
        self.account.clone()
    }

    fn memory(&self) -> Option<Value> {
        self.is_known().then(|| serde_json::to_value(self.capabilities()).ok()).flatten()
    }

    fn recall(&self, memory: &Value) {
        if let Ok(known) = serde_json::from_value(memory.clone()) {
            self.capabilities.send_replace(known);
            self.is_known.store(true, Ordering::Relaxed);
        }
    }

    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Reply, NoAnswer>> {
        Box::pin(async move {
            // One deadline over everything: an answer that drips in forever never trips a read timeout.
            let answered = tokio::time::timeout(self.deadline, self.converse(question)).await;
            answered.unwrap_or_else(|_| Err(LlmError::Timeout(self.deadline).into()))
        })
    }
}

impl fmt::Debug for OpenAiModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiModel")
            .field("id", &self.id)
            .field("address", &self.endpoint.shown())
            .field("capabilities", &self.capabilities())
            .finish_non_exhaustive()
    }
}

/// Providers keep the beginning of a prompt from so many tokens on
/// (<https://platform.openai.com/docs/guides/prompt-caching>).
const LEAST_KEPT: usize = 1024;
const BYTES_A_TOKEN: usize = 4;

/// Whose limits count, and for what, as a digest: it stands in a file.
fn account(params: &OpenAiParams) -> String {
    let mut hasher = blake3::Hasher::new();
    let key = params.api_key.as_ref().map(|key| key.expose_secret()).unwrap_or_default();
    let organization = params.organization.as_deref().unwrap_or_default();
    for part in [params.base_url.as_str(), key, organization, &params.id.model] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    format!("{} {}", params.id, hasher.finalize().to_hex().get(..32).unwrap_or_default())
}

/// An error, with what is needed to see whether it refuses a feature.
struct Fault {
    error: LlmError,
    status: u16,
    said: Envelope,
    /// What was used all the same.
    usage: Option<Usage>,
    limits: Box<RateLimits>,
}

impl Fault {
    /// The features among those `granted` that are refused. A server may say it with a 500 too.
    fn refused(&self, granted: &BTreeSet<Feature>) -> BTreeSet<Feature> {
        if matches!(self.error, LlmError::BadRequest(_)) || self.status == 500 {
            negotiate::refused(granted, &self.said)
        } else {
            BTreeSet::new()
        }
    }
}

impl From<LlmError> for Fault {
    fn from(error: LlmError) -> Self {
        Self { error, status: 200, said: Envelope::default(), usage: None, limits: Box::default() }
    }
}

impl From<LlmError> for Box<Fault> {
    fn from(error: LlmError) -> Self {
        Self::new(error.into())
    }
}

fn headers(params: &OpenAiParams, endpoint: &Endpoint) -> Result<HeaderMap, SetupError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if let Some(key) = &params.api_key {
        let key = key.expose_secret().trim();
        let (name, text) = if endpoint.key_in_header {
            (HeaderName::from_static("api-key"), key.to_owned())
        } else {
            (AUTHORIZATION, format!("Bearer {key}"))
        };
        let mut value = header(&text, "api_key")?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let optional = [
        ("openai-organization", &params.organization, "organization"),
        ("http-referer", &params.http_referer, "http_referer"),
        ("x-title", &params.x_title, "x_title"),
    ];
    for (name, text, setting) in optional {
        if let Some(text) = text {
            headers.insert(HeaderName::from_static(name), header(text.trim(), setting)?);
        }
    }
    Ok(headers)
}

/// Header values may hold any bytes but control characters: a title in Russian is sent as UTF-8.
fn header(text: &str, setting: &'static str) -> Result<HeaderValue, SetupError> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| SetupError::Header { setting })
}
