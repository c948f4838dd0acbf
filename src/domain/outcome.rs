//! The one state in which each row ends.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::key::RowKey;
use super::money::{MicroUsd, Usage};
use super::verdict::Verdict;

/// What became of one row of the source. Every row that was read has exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The row number in the source.
    pub row: u64,
    /// The row's identity; blank rows have none.
    pub key: Option<RowKey>,
    /// The state.
    pub state: RowState,
}

/// The state of a row at the end.
#[expect(clippy::large_enum_variant, reason = "nearly all rows are judged")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RowState {
    /// Judged; valid or invalid says the verdict.
    Judged {
        /// The judgement.
        verdict: Verdict,
        /// Where it comes from.
        origin: Origin,
    },
    /// Not judged, though it should have been. Says why.
    NotChecked {
        /// The reason, for people.
        reason: String,
    },
    /// Not to be judged. Says why.
    Skipped {
        /// The reason.
        reason: SkipReason,
    },
}

/// Where a verdict comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Origin {
    /// Code checks alone.
    Code,
    /// A model's answer, with the code checks.
    Model(Provenance),
}

/// Which answer a verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The provider's name in the settings.
    pub provider: String,
    /// The model that answered.
    pub model: String,
    /// When it answered.
    pub at: jiff::Timestamp,
    /// Whether the answer was paid for in this run or known from before.
    pub paid: Paid,
    /// What the answer used when it was paid for.
    pub usage: Usage,
    /// What it cost then.
    #[serde(default)]
    pub cost: MicroUsd,
    /// The answer as it came.
    pub raw: String,
}

/// Who paid for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paid {
    /// This row, now.
    Now,
    /// An earlier run: the answer was in the store.
    Before,
    /// Another row of this run that says the same.
    ByTwin,
}

/// Why a row was not to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Every configured column is blank.
    Blank,
    /// The run was told to look at other rows (`--only`, `--row`).
    NotAsked,
    /// The run's `--limit` was reached.
    Limit,
    /// Another tool judged this text recently enough (`--checkdate`).
    JudgedElsewhere,
    /// Only a plan was wanted: a model would be asked.
    Planned,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blank => "blank row",
            Self::NotAsked => "not asked for",
            Self::Limit => "over the limit of this run",
            Self::JudgedElsewhere => "judged lately by another tool",
            Self::Planned => "would be asked",
        })
    }
}
