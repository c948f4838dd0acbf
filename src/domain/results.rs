//! The results table: which columns it has, and what stands in them for a row.

use serde::{Deserialize, Serialize};

use super::entry::{Entry, RowLink};
use super::key::RowKey;
use super::language::Language;
use super::outcome::{Origin, RowState};

/// A column of the results table that is ours. Found by its header, never by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ResultColumn {
    /// The row number in the source.
    RowNumber,
    /// The identifier, linked to the source row.
    ProjectName,
    /// The link alone, in a table without an identifier column.
    SourceUrl,
    /// The project manager.
    ProjectManager,
    /// The status that was judged.
    StatusValue,
    /// The completion date that was judged.
    CompletionDate,
    /// The comment that was judged.
    Comment,
    /// `YES`, `NO` or `NOT CHECKED`.
    IsValid,
    /// The violations, one a line.
    Issues,
    /// A text that would pass.
    RewriteSuggestion,
    /// The model's answer as it came.
    RawLlmJson,
    /// When the verdict was given.
    CheckDate,
    /// Which model gave it.
    Model,
    /// The ids of the violated rules.
    Rules,
    /// The gravest severity.
    Severity,
    /// The row's key (hidden).
    Key,
}

impl ResultColumn {
    /// All of them, whatever the source has.
    pub const ALL: [Self; 16] = [
        Self::RowNumber,
        Self::ProjectName,
        Self::SourceUrl,
        Self::ProjectManager,
        Self::StatusValue,
        Self::CompletionDate,
        Self::Comment,
        Self::IsValid,
        Self::Issues,
        Self::RewriteSuggestion,
        Self::RawLlmJson,
        Self::CheckDate,
        Self::Model,
        Self::Rules,
        Self::Severity,
        Self::Key,
    ];

    /// The header.
    pub fn name(self) -> &'static str {
        match self {
            Self::RowNumber => "Row Number",
            Self::ProjectName => "Project name",
            Self::SourceUrl => "Source URL",
            Self::ProjectManager => "Project manager",
            Self::StatusValue => "Status Value",
            Self::CompletionDate => "Completion Date",
            Self::Comment => "Comment",
            Self::IsValid => "Is Valid",
            Self::Issues => "Issues",
            Self::RewriteSuggestion => "Rewrite Suggestion",
            Self::RawLlmJson => "Raw LLM JSON",
            Self::CheckDate => "Check date",
            Self::Model => "Model",
            Self::Rules => "Rules",
            Self::Severity => "Severity",
            Self::Key => "Key",
        }
    }
}

/// Which columns a results table has: it depends on the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The source has an identifier column.
    pub identifier: bool,
    /// The source has a project manager column.
    pub project_manager: bool,
}

impl Layout {
    /// The columns in the order in which a new table gets them.
    pub fn columns(self) -> Vec<ResultColumn> {
        use ResultColumn as C;
        let mut columns = vec![C::RowNumber, if self.identifier { C::ProjectName } else { C::SourceUrl }];
        if self.project_manager {
            columns.push(C::ProjectManager);
        }
        columns.extend([
            C::StatusValue,
            C::CompletionDate,
            C::Comment,
            C::IsValid,
            C::Issues,
            C::RewriteSuggestion,
            C::RawLlmJson,
            C::CheckDate,
            C::Model,
            C::Rules,
            C::Severity,
            C::Key,
        ]);
        columns
    }
}

/// The three words of the `Is Valid` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IsValid {
    /// The row passes.
    Yes,
    /// The row violates a rule.
    No,
    /// The row could not be judged.
    NotChecked,
}

impl IsValid {
    /// The word as it stands in the table, in every language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "YES",
            Self::No => "NO",
            Self::NotChecked => "NOT CHECKED",
        }
    }

    /// Reads the word back; none for anything else.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Yes, Self::No, Self::NotChecked].into_iter().find(|value| value.as_str() == word.trim())
    }
}

/// What stands in the results table for one row of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultRow {
    /// The row's identity.
    pub key: RowKey,
    /// The row number in the source.
    pub row: u64,
    /// The identifier, where the source has such a column.
    pub project: Option<String>,
    /// Where the source row can be looked at.
    pub link: Option<RowLink>,
    /// The project manager, where the source has such a column.
    pub project_manager: Option<String>,
    /// The status that was judged.
    pub status: String,
    /// The completion date that was judged.
    pub completion_date: String,
    /// The comment that was judged.
    pub comment: String,
    /// The verdict in a word.
    pub is_valid: IsValid,
    /// The violations, one a line; for a row that is not checked, the reason.
    pub issues: String,
    /// A text that would pass.
    pub rewrite: String,
    /// The model's answer as it came.
    pub raw: String,
    /// When the verdict was given: `%d.%m.%Y %H:%M` in the configured time zone.
    pub check_date: String,
    /// Which model gave it.
    pub model: String,
    /// The ids of the violated rules: `R5, R11`.
    pub rules: String,
    /// The gravest severity.
    pub severity: String,
}

/// How the results are worded.
#[derive(Clone, Debug)]
pub struct Wording {
    /// The language of our own words.
    pub language: Language,
    /// The time zone of the `Check date` column.
    pub timezone: jiff::tz::TimeZone,
}

impl ResultRow {
    /// The result row for an entry and its state at the time `now`; none for a skipped row.
    pub fn new(entry: &Entry, state: &RowState, now: jiff::Timestamp, wording: &Wording) -> Option<Self> {
        let mut row = Self {
            key: entry.key.clone(),
            row: entry.row,
            project: entry.identifier.clone(),
            link: entry.link.clone(),
            project_manager: entry.project_manager.clone(),
            status: entry.status.clone(),
            completion_date: entry.completion_date.to_string(),
            comment: entry.comment.clone(),
            is_valid: IsValid::NotChecked,
            issues: String::new(),
            rewrite: String::new(),
            raw: String::new(),
            check_date: wording.date(now),
            model: String::new(),
            rules: String::new(),
            severity: String::new(),
        };
        match state {
            RowState::Skipped { .. } => return None,
            RowState::NotChecked { reason } => {
                row.issues = format!("{}: {reason}", wording.language.pick("not checked", "не проверено"));
            }
            RowState::Judged { verdict, origin } => {
                row.is_valid = if verdict.valid { IsValid::Yes } else { IsValid::No };
                let findings = verdict.findings.iter().map(|finding| finding.line());
                let lines: Vec<String> = findings.chain(verdict.look.clone()).collect();
                row.issues = lines.join("\n");
                row.rewrite = verdict.rewrite.clone().unwrap_or_else(|| verdict.notes.join("\n"));
                let ids: Vec<&str> = verdict.rules().into_iter().map(|id| id.as_str()).collect();
                row.rules = ids.join(", ");
                row.severity = verdict.severity().map(|s| s.as_str().to_owned()).unwrap_or_default();
                match origin {
                    Origin::Code => {
                        row.model = wording.language.pick("code checks", "проверка кодом").to_owned();
                    }
                    Origin::Model(provenance) => {
                        row.model = provenance.model.clone();
                        row.raw = provenance.raw.clone();
                        row.check_date = wording.date(provenance.at);
                    }
                }
            }
        }
        Some(row)
    }

    /// True if its check date is that of a model's answer, and not of the run that wrote it.
    pub fn is_dated(&self) -> bool {
        !self.raw.is_empty()
    }

    /// The text of a column.
    pub fn text(&self, column: ResultColumn) -> String {
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        match column {
            ResultColumn::RowNumber => self.row.to_string(),
            ResultColumn::ProjectName => optional(&self.project),
            ResultColumn::SourceUrl => self.link.as_ref().map(RowLink::to_string).unwrap_or_default(),
            ResultColumn::ProjectManager => optional(&self.project_manager),
            ResultColumn::StatusValue => self.status.clone(),
            ResultColumn::CompletionDate => self.completion_date.clone(),
            ResultColumn::Comment => self.comment.clone(),
            ResultColumn::IsValid => self.is_valid.as_str().to_owned(),
            ResultColumn::Issues => self.issues.clone(),
            ResultColumn::RewriteSuggestion => self.rewrite.clone(),
            ResultColumn::RawLlmJson => self.raw.clone(),
            ResultColumn::CheckDate => self.check_date.clone(),
            ResultColumn::Model => self.model.clone(),
            ResultColumn::Rules => self.rules.clone(),
            ResultColumn::Severity => self.severity.clone(),
            ResultColumn::Key => self.key.as_str().to_owned(),
        }
    }
}

impl Wording {
    /// A moment as the `Check date` column shows it.
    pub fn date(&self, at: jiff::Timestamp) -> String {
        at.to_zoned_datetime(self.timezone.clone()).strftime("%d.%m.%Y %H:%M").to_string()
    }
}

impl std::fmt::Display for RowLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.url)?;
        if !self.place.is_empty() {
            write!(f, "#{}", self.place)?;
        }
        Ok(())
    }
}
