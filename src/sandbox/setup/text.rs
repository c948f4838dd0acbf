//! The settings file that a run against a sandbox takes.

use std::fmt::Write as _;

use super::SetupError;
use super::files::{CACHE_FILE, KEY_FILE, MARK, MODEL_KEY_FILE, RULES_FILE};
use super::header::{self, Columns};
use super::samples::{AS_OF, Sample};
use super::sheet::{Loaded, REVIEW, TabName};
use crate::domain::language::Language;
use crate::sandbox::model::NAME;

/// What settings of a sandbox depend on.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) language: Language,
    pub(super) source: TabName,
    pub(super) target: TabName,
    /// The number of the source's tab, known once it is loaded.
    pub(super) gid: Option<i32>,
    columns: Columns,
    /// True for the samples, which were written for a certain day.
    is_sample: bool,
    /// The tab of rules is not one of somebody's tables.
    has_rules_tab: bool,
}

/// The tab that rules are published to.
const RULES_TAB: &str = "Rules";

impl Facts {
    pub(super) fn of(
        first: &Loaded,
        tabs: &[Loaded],
        target: Option<TabName>,
        language: Option<Language>,
    ) -> Result<Self, SetupError> {
        let header = first.header();
        let language = language.or_else(|| header::language(&header)).unwrap_or_default();
        let source = first.name.clone();
        let beside = || TabName { tab: REVIEW.to_owned(), ..source.clone() };
        let target = target.unwrap_or_else(beside);
        if target == source {
            return Err(SetupError::IntoSource(target));
        }
        let rules = TabName { spreadsheet: target.spreadsheet.clone(), tab: RULES_TAB.to_owned() };
        Ok(Self {
            language,
            gid: None,
            columns: Columns::of(&header, language),
            is_sample: first.is_sample,
            has_rules_tab: rules != target && tabs.iter().all(|tab| tab.name != rules),
            source,
            target,
        })
    }

    /// What people should know before they run anything.
    pub(super) fn notes(&self, settings: &str) -> Vec<String> {
        let missing = self.columns.missing.iter();
        missing
            .map(|(key, name)| {
                format!(
                    "no column of {} is known as the {key}: {settings} says «{name}» for want of a better name; copy \
                     it and set columns.{key}, or set SV_COLUMNS__{}",
                    self.source,
                    key.to_uppercase()
                )
            })
            .collect()
    }

    /// The settings for a sandbox that is reached at `url`.
    pub(super) fn settings(&self, url: &str) -> String {
        let allowed = Sample::of(self.language).allowed.map(quoted).join(", ");
        let mut text = format!(
            "{MARK}\n\n\
             allowed_statuses = [{allowed}]\nrules_file = \"{RULES_FILE}\"\nlanguage = \"{}\"\n",
            self.language.code()
        );
        let mut line = |text_line: String| writeln!(text, "{text_line}").unwrap_or_default();
        if self.is_sample {
            line("# The day that the samples were written for; without it, today.".to_owned());
            line(format!("as_of = \"{AS_OF}\""));
        }
        line(format!("cache_path = \"{CACHE_FILE}\"\n\n[sheets]\ncredentials_file = \"{KEY_FILE}\""));
        line(format!("source_spreadsheet_id = {}", quoted(&self.source.spreadsheet)));
        line(format!("source_sheet_name = {}", quoted(&self.source.tab)));
        if let Some(gid) = self.gid {
            line(format!("source_sheet_gid = {gid}"));
        }
        line(format!("target_spreadsheet_id = {}", quoted(&self.target.spreadsheet)));
        line(format!("target_sheet_name = {}", quoted(&self.target.tab)));
        if self.has_rules_tab {
            line(format!("rules_sheet_name = {}", quoted(RULES_TAB)));
        }
        line(format!("api_base_url = {}\n\n[columns]", quoted(url)));
        let missing = self.columns.missing.iter().map(|(key, name)| (*key, (*name).to_owned()));
        for (key, name) in self.columns.found.iter().cloned().chain(missing) {
            line(format!("{key} = {}", quoted(&name)));
        }
        line(format!("\n[llm.providers.1]\nname = \"sandbox\"\nmodel = \"{NAME}\""));
        line(format!(
            "base_url = {}\napi_key_file = \"{MODEL_KEY_FILE}\"\nprice = {{ input = 0.0, output = 0.0 }}",
            quoted(&format!("{url}/v1"))
        ));
        text
    }
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::sheets::Typed;

    fn loaded(id: &str, tab: &str, header: &[&str]) -> Loaded {
        Loaded {
            name: TabName { spreadsheet: id.into(), tab: tab.into() },
            rows: vec![header.iter().map(|name| Typed::Text((*name).to_owned())).collect()],
            is_sample: false,
        }
    }

    #[test]
    fn names_come_through_whatever_is_in_them() {
        let tabs = [loaded("src", "It's \"week\" \\ №1", &["Статус", "Комментарий", "Проект"])];
        let facts = Facts { gid: Some(7), ..Facts::of(&tabs[0], &tabs, None, None).unwrap() };
        let text = facts.settings("http://[::1]:9");
        let settings: toml::Table = text.parse().unwrap();
        assert_eq!(settings["sheets"]["source_sheet_name"].as_str(), Some("It's \"week\" \\ №1"));
        assert_eq!(settings["sheets"]["source_sheet_gid"].as_integer(), Some(7));
        assert_eq!(settings["sheets"]["target_spreadsheet_id"].as_str(), Some("src"));
        assert_eq!(settings["columns"]["identifier"].as_str(), Some("Проект"));
        assert_eq!(settings["language"].as_str(), Some("ru"));
        assert_eq!(settings["llm"]["providers"]["1"]["base_url"].as_str(), Some("http://[::1]:9/v1"));
        assert!(!text.contains("as_of") && facts.notes("s.toml").is_empty());
    }

    #[test]
    fn results_never_go_into_a_table_that_was_loaded_as_the_source() {
        let tabs = [loaded("src", REVIEW, &["Status"]), loaded("dst", RULES_TAB, &[])];
        assert!(matches!(Facts::of(&tabs[0], &tabs, None, None), Err(SetupError::IntoSource(_))));
        let target = TabName { spreadsheet: "dst".into(), tab: REVIEW.into() };
        let facts = Facts::of(&tabs[0], &tabs, Some(target), None).unwrap();
        assert!(!facts.settings("http://h").contains("rules_sheet_name"), "that tab is somebody's");
        assert!(facts.notes("s.toml")[0].contains("columns.comment"));
    }
}
