//! The samples that come with the program.

use std::path::Path;

use crate::domain::language::Language;

/// Statuses and rules of a language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// The statuses, as CSV.
    pub(super) statuses: &'static str,
    /// The rulebook.
    pub(super) rules: &'static str,
    /// The statuses that the rulebook speaks of.
    pub(super) allowed: [&'static str; 5],
    /// What a tab with them is called.
    pub(super) tab: &'static str,
}

/// The day that the sample statuses were written for.
pub(super) const AS_OF: &str = "2026-03-13";

const EN: Sample = Sample {
    statuses: include_str!("../../../examples/statuses-en.csv"),
    rules: include_str!("../../../examples/rules-en.toml"),
    allowed: ["On Track", "At Risk", "Delayed", "Completed", "On Hold"],
    tab: "Statuses",
};

const RU: Sample = Sample {
    statuses: include_str!("../../../examples/statuses-ru.csv"),
    rules: include_str!("../../../examples/rules-ru.toml"),
    allowed: ["В графике", "Есть риски", "Отстает", "Завершен", "Приостановлен"],
    tab: "Статусы",
};

impl Sample {
    pub(super) fn of(language: Language) -> Self {
        match language {
            Language::En => EN,
            Language::Ru => RU,
        }
    }
}

/// True if a file holds sample statuses, unchanged.
pub(super) fn are_in(file: &Path) -> bool {
    let content = std::fs::read(file).unwrap_or_default();
    [EN, RU].iter().any(|sample| sample.statuses.as_bytes() == content)
}
