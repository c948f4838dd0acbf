//! Settings: where they come from, what is wrong with them, and what they resolve to.
//!
//! ```text
//! sources ─ finds and reads the files
//!   from_toml, from_yaml, environment ─ text to a tree (node) that knows where everything stands (origin)
//!     layer ─ each tree is checked key by key (kind) against the mirror of all keys (raw)
//!       merged ─ defaults < file < environment < overrides, each followed by its part for the job
//!         tables, llm, secret, serve ─ what several keys mean together
//!           Settings ─ valid by construction
//! ```
//! Nothing stops at the first mistake: [`SettingsError`] names all of them.

mod environment;
mod explain;
mod from_toml;
mod from_yaml;
mod kind;
mod layer;
mod llm;
mod merged;
mod node;
mod origin;
mod problems;
mod raw;
#[cfg(test)]
mod reference;
mod secret;
mod serve;
mod sources;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::columns::ColumnNames;
use crate::domain::fold::fold;
use crate::domain::language::Language;

pub use explain::Explained;
pub use llm::{LlmSettings, PromptCacheMark, ProviderSettings};
pub use origin::Origin;
pub use problems::{Problem, SettingsError};
pub use serve::{ListenSettings, ServeSettings};
pub use sources::SettingsSources;
pub use tables::{
    FileKind, FileSource, FileTarget, GoogleAccess, GoogleSource, GoogleTarget, SourceSettings,
    TargetSettings,
};

use merged::Merged;
use sources::Loaded;

/// The job's name where none is chosen.
const DEFAULT_JOB: &str = "default";

/// The settings of one job, checked as a whole: whoever has them need not check anything again.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The job's name; `default` outside of `[jobs]`.
    pub job: String,
    /// Where rows come from.
    pub source: SourceSettings,
    /// Where results go; never the source itself.
    pub target: TargetSettings,
    /// Where the table begins.
    pub rows: RowSettings,
    /// Which columns matter.
    pub columns: ColumnNames,
    /// What rows are checked against.
    pub rules: RulesSource,
    /// The allowed statuses; empty: any.
    pub allowed_statuses: Vec<String>,
    /// The language of issues and rewrites.
    pub language: Language,
    /// The time zone of dates and schedules.
    pub time_zone: TimeZone,
    /// The report date; today in the time zone where unset.
    pub as_of: Option<Date>,
    /// Rows a write, at least 1.
    pub batch_size: usize,
    /// Rows admitted ahead of the workers, at least 1.
    pub queue_depth: usize,
    /// The file with the cache and everything else that is remembered.
    pub cache_path: PathBuf,
    /// What happens to calls that a crash left without an answer.
    pub unknown: UnknownCalls,
    /// Whether and how models are asked.
    pub llm: LlmSettings,
    /// How connections are made.
    pub network: NetworkSettings,
    /// The daemon.
    pub serve: ServeSettings,
    warnings: Vec<String>,
    explained: Vec<Explained>,
    loaded: Arc<Loaded>,
}

/// How connections are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkSettings {
    /// A PEM file with certificates that are trusted besides those of this machine.
    pub ca_file: Option<PathBuf>,
    /// The proxy that connections to other machines go through; none: they go straight.
    pub proxy: Option<String>,
}

/// Where a table begins; rows are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowSettings {
    /// The row with the names of the columns.
    pub header_row: u64,
    /// The first row with data, below the header.
    pub data_start_row: u64,
}

/// Where the rules come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulesSource {
    /// Free text, passed on as it is.
    Text(String),
    /// A file of numbered rules.
    File(PathBuf),
}

/// What happens to calls that a crash left without an answer, which may have been paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownCalls {
    /// They are asked again.
    Retry,
    /// They wait for a person.
    Hold,
}

impl Settings {
    /// Loads a settings file together with the process environment, `.env` in the current folder and `.env`
    /// beside the file. Use [`Settings::load_from`] to load without looking at the process.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        Self::load_from(&SettingsSources::of_process(Some(path.as_ref().to_owned())))
    }

    /// Loads settings from exactly these sources.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load_from(sources: &SettingsSources) -> Result<Self, SettingsError> {
        Self::resolve(&Arc::new(Loaded::read(sources)), sources.job.as_deref())
    }

    /// Loads the settings of every job, by name; the settings as a whole where there are no jobs.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, at once.
    pub fn load_jobs(sources: &SettingsSources) -> Result<Vec<Self>, SettingsError> {
        let loaded = Arc::new(Loaded::read(sources));
        let names = match loaded.jobs() {
            none if none.is_empty() => vec![None],
            names => names.into_iter().map(Some).collect(),
        };
        let (mut settings, mut problems) = (Vec::new(), problems::Problems::default());
        for name in names {
            match Self::resolve(&loaded, name) {
                Ok(job) => settings.push(job),
                Err(error) => error.problems().iter().for_each(|problem| problems.add(problem.clone())),
            }
        }
        problems.into_error().map_or(Ok(settings), Err)
    }

    /// The settings of another job of the same sources.
    ///
    /// # Errors
    /// Everything that is wrong with the job; that there is none of the name.
    pub fn job(&self, name: &str) -> Result<Self, SettingsError> {
        Self::resolve(&self.loaded, Some(name))
    }

    /// The names of all jobs, sorted.
    pub fn job_names(&self) -> Vec<String> {
        self.loaded.jobs().into_iter().map(str::to_owned).collect()
    }

    /// Things that work but should be mended.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Every key with the value that holds and where it came from, secrets masked.
    pub fn explain(&self) -> &[Explained] {
        &self.explained
    }

    fn resolve(loaded: &Arc<Loaded>, job: Option<&str>) -> Result<Self, SettingsError> {
        let merged = &mut loaded.merge(job);
        if let Some(name) = job.filter(|name| !loaded.jobs().contains(name)) {
            let known: Vec<_> = loaded.jobs().into_iter().collect();
            let hint = if known.is_empty() {
                "there are none".to_owned()
            } else {
                format!("there are: {}", known.join(", "))
            };
            merged.missing(&format!("{}.{name}", raw::JOBS), &hint);
        }
        let rows = rows(merged);
        let columns = columns(merged);
        let rules = rules(merged);
        let tables = tables::resolve(merged);
        let allowed_statuses = statuses(merged);
        let llm = llm::resolve(merged);
        let serve = serve::resolve(merged);
        let time_zone = merged.text("timezone").and_then(|name| TimeZone::get(name.trim()).ok());
        let cache_path = merged.path("cache_path");
        let network =
            NetworkSettings { ca_file: merged.path("network.ca_file"), proxy: merged.text("network.proxy") };
        let whole = |key| merged.whole_if_set(key).and_then(|number| usize::try_from(number).ok());
        let batch_size = whole("batch_size").unwrap_or(1);
        let queue_depth = whole("queue_depth").unwrap_or(2 * llm.max_workers);
        let is = |key, word| merged.text(key).as_deref() == Some(word);
        let language = if is("language", "ru") { Language::Ru } else { Language::En };
        let unknown = if is("unknown", "hold") { UnknownCalls::Hold } else { UnknownCalls::Retry };
        let as_of = merged.text("as_of").and_then(|day| day.trim().parse().ok());
        let explained = explain::explain(merged);
        if let Some(error) = merged.found.problems.clone().into_error() {
            return Err(error);
        }
        let parts = tables.zip(rules).zip(serve).zip(time_zone.zip(cache_path));
        let Some(((((source, target), rules), serve), (time_zone, cache_path))) = parts else {
            // Unreachable as long as whatever gives nothing says why; an error all the same, not a panic.
            return Err(problems::incomplete());
        };
        Ok(Self {
            job: job.unwrap_or(DEFAULT_JOB).to_owned(),
            source,
            target,
            rows,
            columns,
            rules,
            allowed_statuses,
            language,
            time_zone,
            as_of,
            batch_size,
            queue_depth,
            cache_path,
            unknown,
            llm,
            network,
            serve,
            warnings: std::mem::take(&mut merged.found.warnings),
            explained,
            loaded: Arc::clone(loaded),
        })
    }
}

fn rows(merged: &mut Merged) -> RowSettings {
    let rows = RowSettings {
        header_row: merged.whole("header_row"),
        data_start_row: merged.whole("data_start_row"),
    };
    if rows.data_start_row <= rows.header_row {
        let hint = format!("data begins below the header: at {} at the earliest", rows.header_row + 1);
        merged.problem(
            "data_start_row",
            format!("must be greater than header_row = {}", rows.header_row),
            hint,
        );
    }
    rows
}

fn columns(merged: &mut Merged) -> ColumnNames {
    let columns = ColumnNames {
        status: merged.required("columns.status", "name the column with the status"),
        comment: merged.required("columns.comment", "name the column with the comment"),
        completion_date: merged.text("columns.completion_date"),
        identifier: merged.text("columns.identifier"),
        project_manager: merged.text("columns.project_manager"),
        context: merged.list("columns.context"),
    };
    if !columns.status.is_empty() && fold(&columns.status) == fold(&columns.comment) {
        merged.problem("columns.comment", "is the column of the status", "name the column with the comment");
    }
    columns
}

/// Text and file exclude each other, but a stronger layer may replace one by the other.
fn rules(merged: &mut Merged) -> Option<RulesSource> {
    let (text, file) = (merged.strength("rules_text"), merged.strength("rules_file"));
    if text.is_some() && text == file {
        merged.problem("rules_file", "is given together with rules_text", "keep one of the two");
    }
    match merged.strongest(&["rules_text", "rules_file"]) {
        Some("rules_text") => merged.text("rules_text").map(RulesSource::Text),
        Some(_) => merged.path("rules_file").map(RulesSource::File),
        None => {
            if !merged.found.problems.concern("rules_file") {
                merged.missing(
                    "rules_text",
                    "give the rules as rules_text, or name a file of rules as rules_file",
                );
            }
            None
        }
    }
}

fn statuses(merged: &mut Merged) -> Vec<String> {
    let statuses: Vec<String> =
        merged.list("allowed_statuses").into_iter().map(|status| status.trim().to_owned()).collect();
    let twice =
        statuses.iter().enumerate().find(|(at, status)| statuses.iter().take(*at).any(|s| s == *status));
    if let Some((_, status)) = twice {
        let what = format!("names «{status}» twice");
        merged.problem("allowed_statuses", what, "leave one of them out");
    }
    statuses
}
