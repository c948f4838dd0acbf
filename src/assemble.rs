//! The composition root: what the settings say becomes the parts of an engine. The only place where adapters
//! meet the engine.

mod google;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use self::google::{email, google_sink, rules_tab};
use crate::domain::fold::squeeze;
use crate::domain::results::Wording;
use crate::domain::rules::{Rulebook, RulebookErrors};
use crate::engine::{Limits, Parts, Provider};
use crate::llm::openai::{OpenAiModel, OpenAiParams, PromptMarks, SetupError};
use crate::llm::{ChatModel, ModelId};
use crate::net::{Network, NetworkError};
use crate::settings::{
    FileKind, FileSource, FileTarget, GoogleTarget, LlmSettings, NetworkSettings, PromptCacheMark,
    ProviderSettings, RulesSource, Settings, SourceSettings, TargetSettings, UnknownCalls,
};
use crate::store::{Claim, Store, Unknown};
use crate::table::csv::{CsvSink, CsvSinkParams, CsvSource, CsvSourceParams, Encoding};
use crate::table::google::KeyFileError;
use crate::table::xlsx::{XlsxSink, XlsxSinkParams, XlsxSource, XlsxSourceParams};
use crate::table::{TableSink, TableSource};

/// The parts of an engine as the settings want it.
///
/// # Errors
/// If the rulebook cannot be read, a provider's address makes no sense, or the settings name a kind of table
/// that cannot be served. Nothing has been opened or sent by then but the rulebook.
pub fn parts(settings: &Settings) -> Result<Parts, AssembleError> {
    let store = settings.cache_path.clone();
    let google = google::Accounts::new(settings)?;
    Ok(Parts {
        allowed_statuses: settings.allowed_statuses.clone(),
        source: Some(source_of(settings, &google)?),
        sink: Some(sink_of(settings, &google)?),
        providers: providers(settings)?,
        store: Arc::new(move || Store::open_or_mend(&store, Timestamp::now())),
        claims: claims(settings),
        as_of: settings.as_of,
        wording: wording(settings),
        job: settings.job.clone(),
        unknown: match settings.unknown {
            UnknownCalls::Retry => Unknown::Retry,
            UnknownCalls::Hold => Unknown::Hold,
        },
        limits: limits(settings),
        ..Parts::new(rulebook(settings)?, settings.columns.clone())
    })
}

/// [`parts`] of an engine that may run beside another one: it writes no table, claims nothing and mends nothing.
///
/// # Errors
/// Those of [`parts`].
pub fn parts_beside(settings: &Settings) -> Result<Parts, AssembleError> {
    let store = settings.cache_path.clone();
    let store = Arc::new(move || Store::open(&store));
    Ok(Parts { sink: None, claims: Vec::new(), store, ..parts(settings)? })
}

/// What only one instance at a time may work on: the store and the results table. Of a Google table only instances with
/// stores in the same folder know; others are kept apart by the fences of its writes.
pub fn claims(settings: &Settings) -> Vec<Claim> {
    let target = match &settings.target {
        TargetSettings::File(file) => {
            // Where it really is, so that a link is no way around.
            let path = fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
            Claim::beside(&path, &format!("the results {}", file.path.display()))
        }
        TargetSettings::Google(sheet) => {
            let GoogleTarget { spreadsheet_id, sheet_name, .. } = sheet;
            let name = blake3::hash(format!("{spreadsheet_id} {sheet_name}").as_bytes()).to_hex();
            let what = format!("the results «{sheet_name}» of {spreadsheet_id}");
            Claim::beside(&settings.cache_path.with_file_name(&name[..16]), &what)
        }
    };
    vec![Claim::of_store(&settings.cache_path), target]
}

/// The rulebook that the settings name.
///
/// # Errors
/// If its file cannot be read, or with all of its problems at once.
pub fn rulebook(settings: &Settings) -> Result<Rulebook, AssembleError> {
    match &settings.rules {
        RulesSource::Text(text) => Ok(Rulebook::Free(text.clone())),
        RulesSource::File(path) => {
            let text = fs::read_to_string(path)
                .map_err(|error| AssembleError::RulesFile { path: path.clone(), error })?;
            let rulebook = Rulebook::from_toml(&text)
                .map_err(|errors| AssembleError::Rulebook { path: path.clone(), errors })?;
            warn_of_strange_statuses(settings, &rulebook);
            Ok(rulebook)
        }
    }
}

/// A rule for a status that no row can have never applies: as a rule somebody misspelt it.
fn warn_of_strange_statuses(settings: &Settings, rulebook: &Rulebook) {
    let allowed: Vec<String> = settings.allowed_statuses.iter().map(|status| squeeze(status)).collect();
    for named in rulebook.named_statuses() {
        if !allowed.is_empty() && !allowed.contains(&squeeze(named)) {
            tracing::warn!("the rulebook names the status «{named}», which allowed_statuses does not have");
        }
    }
}

/// The source that the settings name, not opened yet.
///
/// # Errors
/// If it is of a kind that cannot be served.
pub fn source(settings: &Settings) -> Result<Box<dyn TableSource>, AssembleError> {
    source_of(settings, &google::Accounts::new(settings)?)
}

fn source_of(settings: &Settings, google: &google::Accounts) -> Result<Box<dyn TableSource>, AssembleError> {
    let file = match &settings.source {
        SourceSettings::File(file) => file.clone(),
        SourceSettings::Google(sheet) => return Ok(Box::new(google.source(sheet, settings.rows)?)),
    };
    let FileSource { path, kind, sheet, encoding, delimiter } = file;
    let (header_row, data_start_row) = (settings.rows.header_row, settings.rows.data_start_row);
    Ok(match kind {
        FileKind::Csv => Box::new(CsvSource::new(CsvSourceParams {
            path,
            header_row,
            data_start_row,
            encoding: encoding.as_deref().map(known_encoding).transpose()?,
            delimiter,
        })),
        FileKind::Xlsx => {
            Box::new(XlsxSource::new(XlsxSourceParams { path, sheet, header_row, data_start_row }))
        }
    })
}

fn known_encoding(label: &str) -> Result<Encoding, AssembleError> {
    Encoding::for_label(label).ok_or_else(|| AssembleError::Encoding(label.to_owned()))
}

/// The results table that the settings name, not opened yet.
///
/// # Errors
/// If it is of a kind that cannot be served.
pub fn sink(settings: &Settings) -> Result<Box<dyn TableSink>, AssembleError> {
    sink_of(settings, &google::Accounts::new(settings)?)
}

fn sink_of(settings: &Settings, google: &google::Accounts) -> Result<Box<dyn TableSink>, AssembleError> {
    let FileTarget { path, kind, sheet, delimiter } = match &settings.target {
        TargetSettings::File(file) => file.clone(),
        TargetSettings::Google(sheet) => return Ok(Box::new(google.sink(sheet)?)),
    };
    Ok(match kind {
        FileKind::Csv => Box::new(CsvSink::new(CsvSinkParams { path, delimiter })),
        FileKind::Xlsx => Box::new(XlsxSink::new(XlsxSinkParams { path, sheet })),
    })
}

/// The models, the preferred one first; none if models are switched off.
///
/// # Errors
/// If a provider's address makes no sense, or connections cannot be made as the settings want it.
pub fn providers(settings: &Settings) -> Result<Vec<Provider>, AssembleError> {
    let llm = &settings.llm;
    if !llm.enabled {
        return Ok(Vec::new());
    }
    let network = network(settings)?;
    llm.providers.iter().map(|settings| provider(settings, llm, &network)).collect()
}

/// How connections are made.
pub(crate) fn network(settings: &Settings) -> Result<Network, AssembleError> {
    let NetworkSettings { ca_file, proxy } = &settings.network;
    let mut network = Network::default();
    if let Some(path) = ca_file {
        network = network.trusting(path)?;
    }
    if let Some(address) = proxy {
        network = network.through(address)?;
    }
    Ok(network)
}

fn provider(
    settings: &ProviderSettings,
    llm: &LlmSettings,
    network: &Network,
) -> Result<Provider, AssembleError> {
    let id = ModelId { provider: settings.name.clone(), model: settings.model.clone() };
    let model = OpenAiModel::new(OpenAiParams {
        id,
        base_url: settings.base_url.clone(),
        api_key: settings.api_key.clone(),
        organization: settings.organization.clone(),
        http_referer: llm.http_referer.clone(),
        x_title: llm.x_title.clone(),
        temperature: Some(settings.temperature),
        max_output_tokens: settings.max_output_tokens,
        request_timeout: settings.request_timeout,
        reasoning_enabled: settings.reasoning_enabled,
        prompt_marks: match settings.prompt_cache {
            PromptCacheMark::Auto => PromptMarks::Auto,
            PromptCacheMark::Breakpoint => PromptMarks::Breakpoint,
            PromptCacheMark::CacheControl => PromptMarks::CacheControl,
            PromptCacheMark::Off => PromptMarks::None,
        },
        connect_timeout: CONNECT_TIMEOUT.min(settings.request_timeout),
        network: network.clone(),
    })
    .map_err(|error| AssembleError::Provider { name: settings.name.clone(), error })?;
    let model: Arc<dyn ChatModel> = Arc::new(model);
    Ok(Provider {
        model,
        price: settings.price,
        max_output_tokens: settings.max_output_tokens,
        requests_per_minute: llm.requests_per_minute,
        tokens_per_minute: llm.tokens_per_minute,
    })
}

/// An address that does not answer by then is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How results are worded.
pub fn wording(settings: &Settings) -> Wording {
    Wording { language: settings.language, timezone: settings.time_zone.clone() }
}

/// The model keeps its own deadline; this much later it counts as hung.
const HANG_MARGIN: Duration = Duration::from_secs(15);

fn limits(settings: &Settings) -> Limits {
    let is_google = matches!(settings.target, TargetSettings::Google(_));
    let slowest = settings.llm.providers.iter().map(|provider| provider.request_timeout).max();
    let defaults = Limits::default();
    Limits {
        max_workers: settings.llm.max_workers,
        attempts: settings.llm.max_retries,
        queue_depth: settings.queue_depth,
        batch_size: settings.batch_size,
        call_deadline: slowest.map_or(defaults.call_deadline, |slowest| slowest + HANG_MARGIN),
        max_cost: settings.llm.max_cost,
        max_cost_per_day: settings.llm.max_cost_per_day,
        // Requests are few and dear, and the table waits for Google by itself.
        commit_interval: if is_google { GOOGLE_COMMITS } else { defaults.commit_interval },
        sink_patience: if is_google { Duration::ZERO } else { defaults.sink_patience },
        ..defaults
    }
}

/// The shortest time between two commits to Google Sheets.
const GOOGLE_COMMITS: Duration = Duration::from_secs(10);

/// Why settings do not become an engine.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The rulebook's file cannot be read.
    #[error("rules_file: {}: {error}", .path.display())]
    RulesFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The rulebook is wrong.
    #[error("rules_file: {}: {errors}", .path.display())]
    Rulebook {
        /// The file.
        path: PathBuf,
        /// All of its problems.
        errors: RulebookErrors,
    },
    /// A provider cannot be talked to as it is set up.
    #[error("llm.providers: {name}: {error}")]
    Provider {
        /// Its name.
        name: String,
        /// What is wrong.
        error: SetupError,
    },
    /// An encoding that is not known.
    #[error("source.encoding: «{0}» is no encoding that is known; try utf-8, utf-16le or windows-1251")]
    Encoding(String),
    /// The key of the Google account cannot be used.
    #[error("sheets.credentials_file: {0}")]
    KeyFile(#[from] KeyFileError),
    /// Connections cannot be made as the settings want it.
    #[error("network: {0}")]
    Network(#[from] NetworkError),
    /// TLS cannot be set up: a fault of the build.
    #[error("encrypted connections cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}
