//! What a run is asked to do.

use jiff::Timestamp;
use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

/// A run of the whole table, or of a part of it.
#[derive(Clone, Debug, Default)]
pub struct RunRequest {
    /// The job's name; none: the first one.
    pub job: Option<String>,
    /// Whether results are written, or calls made at all.
    pub mode: Mode,
    /// How many rows may be judged anew; the others are left for a later run. Rows whose verdict is known
    /// do not count.
    pub limit: Option<u64>,
    /// Judge rows whose verdict is known all the same.
    pub force: bool,
    /// Judge rows whose verdict is older than this all the same.
    pub not_before: Option<Timestamp>,
    /// Only these rows.
    pub only: Option<Only>,
    /// Only the row with this identifier, key or number (`@17`).
    pub row: Option<String>,
    /// The report date; none: the engine's, else today.
    pub as_of: Option<Date>,
    /// Mark rows as gone even if nearly all are.
    pub accept_shrink: bool,
    /// Who asks for it.
    pub trigger: Trigger,
    /// Ends the run early: rows in work are finished and written, the others left for the next run.
    pub cancel: CancellationToken,
}

/// Who asked for a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    /// A person at a command line, or a program of their own.
    #[default]
    Cli,
    /// A schedule.
    Schedule,
    /// A person at the status page, or another program through the API.
    Api,
    /// An edit of the source.
    Edit,
}

impl Trigger {
    /// The word in reports and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Schedule => "schedule",
            Self::Api => "api",
            Self::Edit => "edit",
        }
    }
}

/// What a run may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Judge and write.
    #[default]
    Full,
    /// Judge, and give the results to the preview. Answers are kept, so a real run pays for none again; the
    /// results table is not touched.
    DryRun,
    /// Neither: count what would be asked.
    Plan,
}

/// A part of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// Rows without a verdict for their present text, rules and models.
    Changed,
    /// Rows that a model has to judge and has not.
    Errors,
    /// Rows that are known to violate a rule.
    Invalid,
}
