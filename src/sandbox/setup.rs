//! What a sandbox begins with: tables loaded into spreadsheets, and a folder with everything that a run against it
//! needs.
//!
//! | file | holds |
//! |---|---|
//! | `sandbox.toml` | settings, ready for `run --config` |
//! | `service-account.json` | a key that signs in here and nowhere else |
//! | `model-key.txt` | what the model is asked with |
//! | `rules.toml` | the sample rulebook of the language |
//!
//! They are written anew at each start, for this user alone; a file that somebody else wrote is never replaced.

mod files;
mod header;
mod samples;
mod sheet;
mod text;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use self::files::SETTINGS_FILE;
use self::sheet::Loaded;
pub use self::sheet::{SheetFile, TabName};
use self::text::Facts;
use super::sheets::LoadError;
use super::{Sandbox, ThrowAwayKey};
use crate::domain::language::Language;
use crate::table::TableError;

/// What a sandbox is to begin with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The folder of the files; made where it is missing.
    pub dir: PathBuf,
    /// Tables to load. The first is the source; without any, the sample statuses are.
    pub sheets: Vec<SheetFile>,
    /// Where results go; none for the tab `Status Review` beside the source.
    pub target: Option<TabName>,
    /// The language of rules, issues and samples; none to go by the source's header.
    pub language: Option<Language>,
}

/// Tables that were read, ready to be loaded.
#[derive(Debug)]
pub struct Prepared {
    dir: PathBuf,
    tabs: Vec<Loaded>,
    facts: Facts,
}

/// Why a sandbox cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file of ours would replace one that is not.
    #[error(
        "{}: is there already and was not written by a sandbox; it is left alone: name another folder, or move it away",
        .0.display()
    )]
    Foreign(PathBuf),
    /// A file of ours cannot be written.
    #[error("{}: cannot be written: {error}; name a folder that this user may write to", .path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file of no kind that is known.
    #[error("{}: is no kind of table that is known; use .csv, .tsv or .xlsx", .0.display())]
    UnknownKind(PathBuf),
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A tab is to be loaded twice.
    #[error("{0}: two tables for one tab; give each its own")]
    Twice(TabName),
    /// Results would go into the source.
    #[error("{0}: is the source, results cannot go there; name another tab for them")]
    IntoSource(TabName),
    /// A table does not fit into a spreadsheet.
    #[error("{tab}: cannot be loaded: {error}; Google Sheets would not take it either")]
    Load {
        /// Where it was to go.
        tab: TabName,
        /// What does not fit.
        error: LoadError,
    },
}

impl Setup {
    /// Reads the tables and looks whether the files may be written. Changes nothing.
    ///
    /// # Errors
    /// If a table cannot be read or a file in the folder is not ours.
    pub async fn prepare(self) -> Result<Prepared, SetupError> {
        files::check(&self.dir)?;
        let mut tabs: Vec<Loaded> = Vec::new();
        for sheet in &self.sheets {
            if tabs.iter().any(|tab| tab.name == sheet.name) {
                return Err(SetupError::Twice(sheet.name.clone()));
            }
            tabs.push(sheet.read().await?);
        }
        if tabs.is_empty() {
            tabs.push(Loaded::sample(self.language.unwrap_or_default()));
        }
        let facts = Facts::of(&tabs[0], &tabs, self.target, self.language)?;
        Ok(Prepared { dir: self.dir, tabs, facts })
    }
}

impl Prepared {
    /// What people should know before they run anything.
    pub fn notes(&self) -> Vec<String> {
        self.facts.notes(SETTINGS_FILE)
    }

    /// Loads the tables into a sandbox that is reached at `url`, such as `http://127.0.0.1:8700`, and writes the
    /// files. Gives the path of the settings.
    ///
    /// # Errors
    /// If a table does not fit into a spreadsheet or a file cannot be written.
    pub fn lay_out(self, sandbox: &Sandbox, key: &ThrowAwayKey, url: &str) -> Result<PathBuf, SetupError> {
        let Self { dir, tabs, mut facts } = self;
        facts.gid = sandbox.with_office(|office| {
            let now = Timestamp::now();
            let names = tabs.iter().map(|tab| &tab.name).chain([&facts.target]);
            for TabName { spreadsheet, .. } in names {
                // Several tabs share a spreadsheet.
                if office.open_spreadsheet(spreadsheet, spreadsheet, now).is_ok()
                    && facts.language == Language::Ru
                {
                    office.set_locale(spreadsheet, "ru_RU", "Europe/Moscow").ok();
                }
            }
            for Loaded { name, rows, .. } in &tabs {
                office
                    .load_sheet(&name.spreadsheet, &name.tab, rows)
                    .map_err(|error| SetupError::Load { tab: name.clone(), error })?;
            }
            let book = office.look(&facts.source.spreadsheet, now);
            Ok::<_, SetupError>(book.and_then(|book| book.sheet(&facts.source.tab)).map(|tab| tab.sheet_id()))
        })?;
        files::write(&dir, &facts, key, url)?;
        Ok(settings_path(&dir))
    }
}

/// The whole path, which means the same in another terminal.
fn settings_path(dir: &Path) -> PathBuf {
    let path = dir.join(SETTINGS_FILE);
    std::path::absolute(&path).unwrap_or(path)
}
