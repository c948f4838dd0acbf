//! The rulebook as a table for people.

use super::{Rule, Rulebook};
use crate::domain::language::Language;

/// The rows of a table that shows a rulebook: free text a line a row, in one column; numbered rules below a header.
pub fn table(rulebook: &Rulebook, language: Language) -> Vec<Vec<String>> {
    let numbered = match rulebook {
        Rulebook::Free(text) => return text.lines().map(|line| vec![line.to_owned()]).collect(),
        Rulebook::Numbered(numbered) => numbered,
    };
    let mut rows = vec![header(language).map(str::to_owned).to_vec()];
    if !numbered.version.is_empty() || !numbered.preamble.trim().is_empty() {
        let title = language.pick("All rules", "Все правила");
        let version = match numbered.version.as_str() {
            "" => String::new(),
            version => format!("{} {version}", language.pick("version", "версия")),
        };
        rows.push(vec![version, title.to_owned(), numbered.preamble.trim().to_owned()]);
    }
    rows.extend(numbered.rules.iter().map(|rule| row(rule, language)));
    rows
}

/// True for the header of such a table, in either language: it shows numbered rules.
pub fn is_header(row: &[String]) -> bool {
    [Language::En, Language::Ru]
        .into_iter()
        .any(|language| row.starts_with(&header(language).map(str::to_owned)))
}

/// Columns of a table of numbered rules.
pub const COLUMNS: usize = 6;

fn header(language: Language) -> [&'static str; COLUMNS] {
    match language {
        Language::En => ["Rule", "Title", "Text", "Severity", "Statuses", "Checked by"],
        Language::Ru => ["Правило", "Название", "Текст", "Важность", "Статусы", "Кто проверяет"],
    }
}

fn row(rule: &Rule, language: Language) -> Vec<String> {
    let statuses = match (rule.applies_to.as_slice(), rule.except.as_slice()) {
        ([], []) => language.pick("all", "все").to_owned(),
        ([], except) => format!("{}: {}", language.pick("all but", "все, кроме"), except.join(", ")),
        (only, _) => only.join(", "),
    };
    let checked_by = match (rule.checks.is_empty(), rule.asks_model) {
        (false, true) => language.pick("code and model", "код и модель"),
        (false, false) => language.pick("code", "код"),
        (true, _) => language.pick("model", "модель"),
    };
    vec![
        rule.id.to_string(),
        rule.title.clone(),
        rule.text.clone(),
        rule.severity.as_str().to_owned(),
        statuses,
        checked_by.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_text_keeps_its_lines_and_numbered_rules_get_a_header() {
        let free = Rulebook::free("1. Dates.\n\n2. Facts.");
        assert_eq!(table(&free, Language::En), [vec!["1. Dates."], vec![""], vec!["2. Facts."]]);
        let text = r#"
            version = "7"
            [[rule]]
            id = "R1"
            title = "Length"
            text = "not too short"
            severity = "style"
            except = ["On Hold"]
            check = ["model", { kind = "length", min = 10 }]
            [[rule]]
            id = "R2"
            text = "clear"
        "#;
        let rows = table(&Rulebook::from_toml(text).unwrap(), Language::Ru);
        assert!(rows[0][0] == "Правило" && is_header(&rows[0]) && !is_header(&rows[1]));
        assert_eq!(rows[1], ["версия 7", "Все правила", ""]);
        assert_eq!(
            rows[2],
            ["R1", "Length", "not too short", "style", "все, кроме: On Hold", "код и модель"]
        );
        assert_eq!(rows[3][4..], ["все", "модель"]);
    }
}
