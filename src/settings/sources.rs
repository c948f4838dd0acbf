//! Where settings are read from: finds the files, reads them, checks each layer.
//!
//! The only place of the settings that touches the process environment, and only in
//! [`SettingsSources::of_process`]; besides, a `$NAME` inside a `.env` file is replaced from the process
//! environment first, as dotenvy does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::environment::Environment;
use super::from_toml;
use super::from_yaml;
use super::layer::{Findings, Layer};
use super::merged::Merged;
use super::node::Node;
use super::origin::Origin;
use super::problems::{Problem, Problems};

/// The file that is read where none is named.
const DEFAULT_FILE: &str = "Settings.toml";

/// What settings are made from, weakest first: defaults, the file, variables, overrides.
///
/// Nothing but this is looked at, so settings can be loaded without touching the process environment.
#[derive(Clone, Default)]
pub struct SettingsSources {
    /// The settings file, TOML or (`.yaml`, `.yml`) YAML; `Settings.toml` in `cwd`, if there is one, where unset.
    pub config: Option<PathBuf>,
    /// The job whose table `[jobs.NAME]` is laid over each layer.
    pub job: Option<String>,
    /// The environment. `SV_LLM__MAX_WORKERS` sets `llm.max_workers`; others are read where a key names them.
    pub env: Vec<(String, String)>,
    /// Further `.env` files, the first the strongest; each must exist.
    pub env_files: Vec<PathBuf>,
    /// Whether `.env` in `cwd`, and then `.env` beside the file, are read as well. `env` wins over all files.
    pub dotenv: bool,
    /// Whether settings are only looked at, not run with: a model or a key whose variable is not set is then a
    /// warning, and its provider is left out.
    pub inspect: bool,
    /// Keys and their values, the strongest layer: what flags say.
    pub overrides: Vec<(String, String)>,
    /// The folder that relative paths in `env` and `overrides` count from; those in the file count from its own.
    pub cwd: PathBuf,
}

/// Values may be secrets, so only names are shown.
impl std::fmt::Debug for SettingsSources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SettingsSources")
            .field("config", &self.config)
            .field("job", &self.job)
            .field("overrides", &self.overrides.iter().map(|(key, _)| key).collect::<Vec<_>>())
            .field("cwd", &self.cwd)
            .finish_non_exhaustive()
    }
}

impl SettingsSources {
    /// The sources of a command line: the process environment, the current folder and its `.env`.
    pub fn of_process(config: Option<PathBuf>) -> Self {
        // Variables that are no text cannot be settings.
        let env =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        let cwd = std::env::current_dir().unwrap_or_default();
        Self { config, env: env.collect(), dotenv: true, cwd, ..Self::default() }
    }
}

/// All layers, read and checked, ready to be merged for any job.
#[derive(Clone)]
pub(super) struct Loaded {
    layers: Vec<Layer>,
    folder: PathBuf,
    environment: Arc<Environment>,
    findings: Findings,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Loaded {
    /// Reads everything; what is wrong comes out when a job is merged.
    pub(super) fn read(sources: &SettingsSources) -> Self {
        let mut found = Findings::default();
        let config = sources.config.clone().or_else(|| found_in(&sources.cwd, &mut found));
        let file = config.map(|config| (read_file(&sources.cwd, &config, &mut found.problems), config));
        let folder =
            file.as_ref().and_then(|(_, config)| sources.cwd.join(config).parent().map(Path::to_owned));
        let folder = folder.unwrap_or_else(|| sources.cwd.clone());
        let environment = environment(sources, &folder, &mut found.problems);
        let mut layers = Vec::new();
        if let Some((tree, _)) = &file {
            layers.push(Layer::check("file", folder.clone(), tree, &mut found));
        }
        layers.push(Layer::check("environment", sources.cwd.clone(), &environment.tree(), &mut found));
        layers.push(Layer::check("overrides", sources.cwd.clone(), &overrides(sources), &mut found));
        Self { layers, folder, environment: Arc::new(environment), findings: found }
    }

    /// The names of all jobs.
    pub(super) fn jobs(&self) -> BTreeSet<&str> {
        self.layers.iter().flat_map(|layer| layer.jobs.keys().map(String::as_str)).collect()
    }

    /// The values for a job, or those that stand outside of jobs.
    pub(super) fn merge(&self, job: Option<&str>) -> Merged {
        Merged::new(&self.layers, job, &self.folder, &self.environment, self.findings.clone())
    }
}

fn found_in(cwd: &Path, found: &mut Findings) -> Option<PathBuf> {
    if cwd.join(DEFAULT_FILE).is_file() {
        return Some(DEFAULT_FILE.into());
    }
    if let Some(other) = ["config.yaml", "config.yml"].into_iter().find(|name| cwd.join(name).is_file()) {
        found
            .warnings
            .push(format!("there is no {DEFAULT_FILE} here, but {other}: name it by --config {other}"));
    }
    None
}

fn read_file(cwd: &Path, config: &Path, problems: &mut Problems) -> Node {
    let path: Arc<Path> = config.into();
    let extension = config.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    let text = match (fs::read(cwd.join(config)), extension.as_deref()) {
        (Ok(bytes), Some("toml" | "yaml" | "yml")) => String::from_utf8(bytes).map_err(|error| {
            let readable =
                String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
            let origin = Origin::at_offset(&path, &readable, readable.len());
            Problem::of_file(origin, "is not UTF-8").hint("save the file as UTF-8")
        }),
        (Ok(_), _) => Err(Problem::new("", format!("{} is no settings file", path.display()))
            .hint("settings are TOML (.toml) or YAML (.yaml, .yml)")),
        (Err(error), _) => {
            Err(Problem::new("", format!("{} cannot be read: {}", path.display(), error.kind()))
                .hint("name the settings file by --config"))
        }
    };
    match text {
        Ok(text) => {
            let text = text.trim_start_matches('\u{feff}');
            match extension.as_deref() {
                Some("toml") => from_toml::parse(text, &path, problems),
                _ => from_yaml::parse(text, &path, problems),
            }
        }
        Err(problem) => {
            problems.add_unreadable(problem);
            Node::table(Origin::file(path, 1, 1))
        }
    }
}

fn environment(sources: &SettingsSources, folder: &Path, problems: &mut Problems) -> Environment {
    let mut environment = Environment::new(sources.env.iter().cloned());
    environment.inspecting = sources.inspect;
    for named in &sources.env_files {
        match fs::read_to_string(sources.cwd.join(named)) {
            Ok(text) => environment.add_file(named, &text, problems),
            Err(error) => {
                problems
                    .add(Problem::new("", format!("{} cannot be read: {}", named.display(), error.kind())));
            }
        }
    }
    if sources.dotenv {
        let mut folders = vec![sources.cwd.as_path(), folder];
        folders.dedup();
        for path in folders.into_iter().map(|folder| folder.join(".env")) {
            match fs::read_to_string(&path) {
                Ok(text) => environment.add_file(&path, &text, problems),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    problems.add(Problem::new(
                        "",
                        format!("{} cannot be read: {}", path.display(), error.kind()),
                    ));
                }
            }
        }
    }
    environment
}

fn overrides(sources: &SettingsSources) -> Node {
    let mut root = Node::table(Origin::Override);
    // Of two values for a key the later counts, as for flags.
    for (key, value) in sources.overrides.iter().rev() {
        let path: Vec<&str> = key.split('.').collect();
        root.plant(&path, Node::bare(value.clone(), Origin::Override));
    }
    root
}
