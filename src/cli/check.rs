//! `check`: everything that a run needs, looked at without spending or writing anything. Says it all at once.

use std::path::{Path, PathBuf};

use super::args::CheckArgs;
use super::exit::{CliError, Exit};
use super::session::{Overrides, Session};
use super::words::counted;
use super::{summary, terminal};
use crate::assemble;
use crate::domain::columns::Columns;
use crate::domain::results::Layout;
use crate::domain::rules::Rulebook;
use crate::settings::{Settings, SettingsError, SourceSettings, TargetSettings};
use crate::store::Store;
use crate::table::{RowCount, SinkOptions, TableError};

pub(crate) fn run(session: &Session, args: &CheckArgs) -> Result<Exit, CliError> {
    let mut check = Check { session, exit: Exit::Ok, text: String::new() };
    let overrides = Overrides::of_input(&args.input).path("target.path", args.output.as_ref());
    match Settings::load_from(&session.sources(overrides)) {
        Ok(settings) => check.all(&settings)?,
        Err(error) => check.settings_problems(&error),
    }
    let verdict = match check.exit {
        Exit::Ok => session.screen.out_colors.good("Everything is ready: status-validator run"),
        _ => session.screen.out_colors.bad("Mend what is marked, then check again"),
    };
    session.print(&format!("{}{verdict}\n", check.text))?;
    Ok(check.exit)
}

/// What was found so far.
struct Check<'a> {
    session: &'a Session,
    exit: Exit,
    text: String,
}

impl Check<'_> {
    fn all(&mut self, settings: &Settings) -> Result<(), CliError> {
        self.good("settings", &self.session.settings_name());
        self.warnings(settings);
        self.rulebook(settings);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| CliError::new(Exit::Unavailable, error))?;
        let account = self.google(settings);
        let columns = match (&settings.source, account) {
            (SourceSettings::Google(_), false) => self.untried("source"),
            _ => runtime.block_on(self.source(settings)),
        };
        match (&settings.target, account) {
            (TargetSettings::Google(_), false) => drop(self.untried::<()>("target")),
            _ => runtime.block_on(self.target(settings, columns.as_ref())),
        }
        self.store(settings);
        self.models(settings);
        Ok(())
    }

    fn settings_problems(&mut self, error: &SettingsError) {
        if let Some(hint) = self.session.missing_file() {
            self.bad("settings", &CliError::usage(hint));
        }
        for problem in error.problems() {
            self.bad("settings", &CliError::usage(problem));
        }
    }

    /// A key that others can read is a warning in a run, and an error here.
    fn warnings(&mut self, settings: &Settings) {
        for warning in settings.warnings() {
            if warning.contains("can be read by other users") {
                self.bad("key file", &CliError::new(Exit::Access, warning));
            } else {
                self.warn("settings", warning);
            }
        }
    }

    fn rulebook(&mut self, settings: &Settings) {
        match assemble::rulebook(settings) {
            Ok(Rulebook::Free(text)) => {
                self.good(
                    "rules",
                    &format!("free text, {}", counted(text.chars().count() as u64, "character")),
                );
            }
            Ok(Rulebook::Numbered(numbered)) => {
                let rules = counted(numbered.rules.len() as u64, "rule");
                let asking = numbered.rules.iter().filter(|rule| rule.asks_model).count();
                self.good("rules", &format!("{rules}, a model judges {asking} of them"));
            }
            Err(error) => self.bad("rules", &error.into()),
        }
    }

    /// Names the account, which the spreadsheets have to be shared with. False if its key cannot be used.
    fn google(&mut self, settings: &Settings) -> bool {
        let access = match (&settings.source, &settings.target) {
            (SourceSettings::Google(sheet), _) => &sheet.access,
            (_, TargetSettings::Google(sheet)) => &sheet.access,
            (SourceSettings::File(_), TargetSettings::File(_)) => return true,
        };
        match assemble::email(access) {
            Ok(email) => {
                self.good("account", &email);
                true
            }
            Err(error) => {
                self.bad("account", &error.into());
                false
            }
        }
    }

    /// What was not looked at, since the account's key cannot be used: told already.
    fn untried<T>(&mut self, what: &str) -> Option<T> {
        self.warn(what, "not tried: the account's key comes first");
        None
    }

    /// Opens the source, finds the columns, reads the first page.
    async fn source(&mut self, settings: &Settings) -> Option<Columns> {
        let opened = async {
            let mut source = assemble::source(settings).map_err(CliError::from)?;
            let header = source.open().await?;
            let columns = Columns::locate(&header.names, &settings.columns)
                .map_err(|problems| TableError::Header { table: source.name(), problems })?;
            let page = source.next_page(100).await?;
            let rows = match header.rows {
                RowCount::Exactly(rows) => counted(rows, "row"),
                _ if page.is_empty() => "no rows below it".to_owned(),
                _ => "rows below it".to_owned(),
            };
            Ok::<_, CliError>((source.name(), columns, rows))
        };
        match opened.await {
            Ok((name, columns, rows)) => {
                self.good("source", &format!("{name}: the header matches, {rows}"));
                Some(columns)
            }
            Err(error) => {
                self.bad("source", &error);
                None
            }
        }
    }

    async fn target(&mut self, settings: &Settings, columns: Option<&Columns>) {
        let layout = Layout {
            identifier: columns.is_some_and(|columns| columns.identifier.is_some()),
            project_manager: columns.is_some_and(|columns| columns.project_manager.is_some()),
        };
        let opened = async {
            let mut sink = assemble::sink(settings).map_err(CliError::from)?;
            let today = jiff::Timestamp::now().to_zoned_datetime(settings.time_zone.clone()).date();
            let time_zone = settings.time_zone.clone();
            let language = settings.language;
            sink.open(&SinkOptions { layout, language, today, time_zone, unsettled: None }).await?;
            match &settings.target {
                TargetSettings::File(file) => writable(&file.path)?,
                TargetSettings::Google(sheet) => {
                    assemble::google_sink(settings, sheet)?.prove_writable().await?
                }
            }
            Ok::<_, CliError>(sink.name())
        };
        match opened.await {
            Ok(name) => self.good("target", &format!("{name}: can be written")),
            Err(error) => self.bad("target", &error),
        }
    }

    /// Opens the store if there is one; none is made by looking.
    fn store(&mut self, settings: &Settings) {
        let path = &settings.cache_path;
        let shown = path.display().to_string();
        if !path.exists() {
            return match writable(path) {
                Ok(()) => self.good("cache", &format!("{shown}: will be made")),
                Err(error) => self.bad("cache", &error),
            };
        }
        match Store::open(path).and_then(|store| Ok((store.stats()?, store.notices()))) {
            Ok((stats, notices)) => {
                self.good("cache", &format!("{shown}: {}", counted(stats.answers, "answer")));
                notices.iter().for_each(|notice| self.warn("cache", &notice.to_string()));
            }
            Err(error) => self.bad("cache", &error.into()),
        }
    }

    fn models(&mut self, settings: &Settings) {
        match assemble::providers(settings) {
            Ok(providers) if providers.is_empty() => {
                let waiting = assemble::rulebook(settings).map(|rules| summary::model_rules(&rules));
                match waiting.unwrap_or_default().as_slice() {
                    [] => self.good("model", "none, and no rule needs one"),
                    rules => self.warn("model", &format!("none is set up: {} wait for one", rules.join(" "))),
                }
            }
            Ok(providers) => {
                for provider in providers {
                    let price = if provider.price.is_some() { "" } else { ", price not set" };
                    self.good("model", &format!("{}: key found{price}", provider.model.id()));
                }
            }
            Err(error) => self.bad("model", &error.into()),
        }
    }

    fn good(&mut self, what: &str, text: &str) {
        let mark = self.session.screen.out_colors.good("ok     ");
        self.line(&mark, what, text);
    }

    fn warn(&mut self, what: &str, text: &str) {
        let mark = self.session.screen.out_colors.warn("warning");
        self.line(&mark, what, text);
    }

    fn bad(&mut self, what: &str, error: &CliError) {
        let mark = self.session.screen.out_colors.bad("error  ");
        self.exit = self.exit.or(error.exit);
        self.line(&mark, what, &error.text);
    }

    fn line(&mut self, mark: &str, what: &str, text: &str) {
        let text = terminal::block(text).replace('\n', &format!("\n{:19}", ""));
        self.text.push_str(&format!("{mark}  {what:<10}{text}\n"));
    }
}

/// Proves that a file can be made or replaced: its folder takes a file, and it is not read-only itself.
fn writable(path: &Path) -> Result<(), CliError> {
    let refused = |error: &std::io::Error| CliError::from(TableError::from_io(path.display(), error, ""));
    if let Ok(metadata) = std::fs::metadata(path)
        && metadata.permissions().readonly()
    {
        let detail = "it is read-only; change its permissions".to_owned();
        return Err(TableError::Forbidden { table: path.display().to_string(), detail }.into());
    }
    let folder = nearest_folder(path);
    tempfile::tempfile_in(folder).map(drop).map_err(|error| refused(&error))
}

/// The folder of a file, or the nearest one above it that is there: missing ones are made.
fn nearest_folder(path: &Path) -> PathBuf {
    let above = path.ancestors().skip(1).find(|folder| folder.is_dir());
    above.map_or_else(|| PathBuf::from("."), Path::to_owned)
}
