//! What every command shares: the streams, and the settings with what flags say on top.

use std::path::{Path, PathBuf};

use super::args::{Global, InputArgs, RulesArgs};
use super::exit::{CliError, Exit};
use super::screen::Screen;
use super::{secrets, terminal};
use crate::assemble::AssembleError;
use crate::fault::{self, Point};
use crate::settings::{Settings, SettingsSources};

/// The settings file where none is named.
const DEFAULT_FILE: &str = "Settings.toml";

/// The streams and the flags of every command.
pub(crate) struct Session {
    pub(crate) screen: Screen,
    pub(crate) global: Global,
}

/// Settings that flags replace: keys and values.
#[derive(Default)]
pub(crate) struct Overrides(Vec<(String, String)>);

impl Session {
    pub(crate) fn new(global: Global) -> Self {
        Self { screen: Screen::new(global.color, global.progress, global.quiet), global }
    }

    /// Loads the settings, flags on top, and says what works but should be mended.
    pub(crate) fn settings(&self, overrides: Overrides) -> Result<Settings, CliError> {
        self.load(self.sources(overrides))
    }

    /// Loads the settings to look at them or at what is stored: keys of models need not be there.
    pub(crate) fn inspected_settings(&self) -> Result<Settings, CliError> {
        self.load(SettingsSources { inspect: true, ..self.sources(Overrides::default()) })
    }

    fn load(&self, sources: SettingsSources) -> Result<Settings, CliError> {
        let settings = Settings::load_from(&sources).map_err(|error| match self.missing_file() {
            Some(hint) => CliError::usage(format!("{hint}\n\n{error}")),
            None => CliError::usage(error),
        })?;
        secrets::know(settings.llm.providers.iter().filter_map(|provider| provider.api_key.as_ref()));
        settings.warnings().iter().for_each(|warning| self.warn(warning));
        fault::pass(Point::SettingsRead);
        Ok(settings)
    }

    /// Where no settings file was named and none is here: what to do. Most other problems follow from it.
    pub(crate) fn missing_file(&self) -> Option<String> {
        if self.global.config.is_some() || Path::new(DEFAULT_FILE).is_file() {
            return None;
        }
        let other = ["config.yaml", "config.yml"].into_iter().find(|name| Path::new(name).is_file());
        let name = other.unwrap_or("PATH");
        Some(format!("there is no {DEFAULT_FILE} in this folder: name the settings file by --config {name}"))
    }

    /// Where settings are read from.
    pub(crate) fn sources(&self, overrides: Overrides) -> SettingsSources {
        let mut sources = SettingsSources::of_process(self.global.config.clone());
        sources.env_files.extend(self.global.env_file.clone());
        sources.job = self.global.job.clone();
        sources.overrides = overrides.0;
        sources
    }

    /// The settings file as people know it.
    pub(crate) fn settings_name(&self) -> String {
        let named = self.global.config.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        named.display().to_string()
    }

    /// A path as people here know it: without the current folder.
    pub(crate) fn near(&self, path: &str) -> String {
        let here = std::env::current_dir().unwrap_or_default();
        let near = Path::new(path).strip_prefix(&here).ok().filter(|near| !near.as_os_str().is_empty());
        near.map_or_else(|| path.to_owned(), |near| near.display().to_string())
    }

    /// Says that something should be mended.
    pub(crate) fn warn(&self, text: &str) {
        if !self.global.quiet {
            let label = self.screen.err_colors.warn("warning:");
            self.screen.say(&format!("{label} {}", terminal::block(text)));
        }
    }

    /// Says what went wrong.
    pub(crate) fn fail(&self, error: &CliError) -> Exit {
        let label = self.screen.err_colors.bad("error:");
        self.screen.say(&format!("{label} {}", terminal::block(&error.text)));
        if error.exit == Exit::Internal {
            self.screen
                .say("This is a bug of the program, not of your table. Nothing that was paid for is lost.");
        }
        error.exit
    }

    /// Prints data. Only a disk or a device that takes no more is an error.
    pub(crate) fn print(&self, text: &str) -> Result<(), CliError> {
        self.screen.data(text).and_then(|()| self.screen.flush()).map_err(unwritten)
    }
}

/// Standard output takes no more.
pub(crate) fn unwritten(error: std::io::Error) -> CliError {
    CliError::new(Exit::Unavailable, format!("standard output cannot be written: {error}"))
}

impl Overrides {
    pub(crate) fn of_input(input: &InputArgs) -> Self {
        Self::of_rules(&input.rules)
            .path("source.path", input.source.as_ref())
            .text("source.encoding", input.encoding.as_ref())
            .text("source.delimiter", input.delimiter.as_ref())
    }

    pub(crate) fn of_rules(rules: &RulesArgs) -> Self {
        Self::default()
            .path("rules_file", rules.rules_file.as_ref())
            .text("as_of", rules.as_of.map(|date| date.to_string()).as_ref())
    }

    pub(crate) fn path(self, key: &str, path: Option<&PathBuf>) -> Self {
        self.text(key, path.map(|path| path.to_string_lossy().into_owned()).as_ref())
    }

    pub(crate) fn text(mut self, key: &str, value: Option<&String>) -> Self {
        self.0.extend(value.map(|value| (key.to_owned(), value.clone())));
        self
    }
}

impl From<AssembleError> for CliError {
    fn from(error: AssembleError) -> Self {
        Self::usage(error)
    }
}
