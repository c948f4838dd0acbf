//! Which column is which, where the header has names that are known.

use crate::domain::fold::fold;
use crate::domain::language::Language;

/// A column of the settings: its key, and the names that it is known by in English and in Russian.
struct Known {
    key: &'static str,
    en: &'static [&'static str],
    ru: &'static [&'static str],
}

const KNOWN: [Known; 5] = [
    Known {
        key: "status",
        en: &["Status", "Project Status", "Status Value"],
        ru: &["Статус", "Статус проекта"],
    },
    Known {
        key: "comment", en: &["Comment", "Comments"], ru: &["Комментарий", "Комментарии"]
    },
    Known {
        key: "completion_date", en: &["Completion Date", "Due Date"], ru: &["Дата завершения", "Срок"]
    },
    Known {
        key: "identifier",
        en: &["Project", "Project Name", "ID"],
        ru: &["Наименование проекта", "Проект", "Название проекта", "ID"],
    },
    Known {
        key: "project_manager",
        en: &["Project Manager", "Manager"],
        ru: &["Руководитель проекта", "Руководитель", "Менеджер проекта"],
    },
];

/// The columns that a header has, as `[columns]` names them: key and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) found: Vec<(&'static str, String)>,
    /// Those that settings must have and the header has not: key, and the name that is put in its place.
    pub(super) missing: Vec<(&'static str, &'static str)>,
}

impl Columns {
    pub(super) fn of(header: &[String], language: Language) -> Self {
        let mut columns = Self::default();
        for Known { key, en, ru } in &KNOWN {
            let (first, second) = match language {
                Language::En => (en, ru),
                Language::Ru => (ru, en),
            };
            let mut names = first.iter().chain(*second);
            match names.find_map(|name| find(header, name)) {
                Some(name) => columns.found.push((key, name)),
                None if matches!(*key, "status" | "comment") => columns.missing.push((key, first[0])),
                None => {}
            }
        }
        columns
    }
}

/// The language of a header: that of its first known name.
pub(super) fn language(header: &[String]) -> Option<Language> {
    KNOWN.iter().find_map(|Known { en, ru, .. }| {
        let has = |names: &[&str]| names.iter().any(|name| find(header, name).is_some());
        match (has(en), has(ru)) {
            (true, _) => Some(Language::En),
            (false, true) => Some(Language::Ru),
            (false, false) => None,
        }
    })
}

/// The name as the header has it.
fn find(header: &[String], name: &str) -> Option<String> {
    let found = header.iter().find(|header| fold(header) == fold(name));
    found.map(|name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn known_names_are_found_in_both_languages() {
        let ru = header(&["ID", "Наименование проекта", " СТАТУС", "Комментарий"]);
        assert_eq!(language(&ru), Some(Language::Ru));
        let columns = Columns::of(&ru, Language::Ru);
        assert_eq!(
            columns.found,
            [
                ("status", "СТАТУС".to_owned()),
                ("comment", "Комментарий".into()),
                ("identifier", "Наименование проекта".into())
            ]
        );
        assert_eq!(Columns::of(&ru, Language::En).found.len(), 3, "the language of rules may be another");
        let en = header(&["id", "Status", "Comment"]);
        assert_eq!(language(&en), Some(Language::En));
        assert_eq!(Columns::of(&en, Language::En).found[2], ("identifier", "id".to_owned()));
    }

    #[test]
    fn what_settings_must_have_is_missed() {
        let columns = Columns::of(&header(&["Ampel", "Comment"]), Language::En);
        assert_eq!(columns.missing, [("status", "Status")]);
        assert_eq!(language(&header(&["Ampel"])), None);
    }
}
