//! Exit codes, and errors that know theirs.

use std::fmt;
use std::process::ExitCode;

use crate::engine::{Failure, FailureKind, RunError, StartError, Tally, ValidateError};
use crate::llm::LlmError;
use crate::store::{LockError, StoreError};
use crate::table::TableError;

/// How the program ends. Scripts, cron and systemd rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every row was reviewed, or there was nothing to do.
    Ok,
    /// Rows violate rules, and `--fail-on` asks to say so.
    Findings,
    /// The command line, the settings, the rulebook or what stands in a table is wrong. Nothing was spent.
    Usage,
    /// Some rows were not reviewed or not written; the next run goes on from there.
    Partial,
    /// The source, the target, the store or every provider cannot be used. Nothing is lost.
    Unavailable,
    /// A cost cap ended the run.
    Budget,
    /// Another instance works on the same store or the same results. Nothing was done.
    Held,
    /// A key was refused or a file may not be used.
    Access,
    /// A bug.
    Internal,
    /// Stopped by Ctrl-C, after a clean end.
    Interrupted,
    /// Stopped by SIGTERM, after a clean end.
    Terminated,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Unavailable => 4,
            Self::Budget => 5,
            Self::Held => 6,
            Self::Access => 7,
            Self::Internal => 8,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The code for what ended a run early.
    pub(crate) fn of_failure(failure: &Failure, tally: &Tally) -> Self {
        match failure.kind {
            FailureKind::Providers if keys_refused(tally) => Self::Access,
            FailureKind::Access => Self::Access,
            FailureKind::Source | FailureKind::Target | FailureKind::Store | FailureKind::Providers => {
                Self::Unavailable
            }
            FailureKind::Workers | FailureKind::Engine => Self::Internal,
        }
    }

    /// The graver of two: what a person has to mend comes before what may mend itself.
    pub(crate) fn or(self, other: Self) -> Self {
        let order = [Self::Internal, Self::Usage, Self::Access, Self::Unavailable, Self::Partial];
        let place = |exit| order.iter().position(|known| *known == exit).unwrap_or(order.len());
        if place(other) < place(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error that ends the program.
#[derive(Debug)]
pub(crate) struct CliError {
    /// How it ends.
    pub(crate) exit: Exit,
    /// What people are told. It may hold text of cells and files: it is shown through
    /// [`super::terminal::block`].
    pub(crate) text: String,
    /// What was counted until then, if a run had begun.
    pub(crate) counted: Option<Box<Tally>>,
}

impl CliError {
    pub(crate) fn new(exit: Exit, text: impl fmt::Display) -> Self {
        Self { exit, text: text.to_string(), counted: None }
    }

    pub(crate) fn usage(text: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, text)
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<TableError> for CliError {
    fn from(error: TableError) -> Self {
        Self::new(of_table(&error), error)
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::AmbiguousRun { .. } => Self::usage(error),
            other => Self::new(of_store(other), format!("the cache cannot be used: {error}")),
        }
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        let exit = match &error {
            RunError::Source(table) | RunError::Target(table) => of_table(table),
            RunError::Store(store) => of_store(store),
            RunError::UnknownJob(_)
            | RunError::NoTable
            | RunError::NoPreview
            | RunError::AlreadyRunning
            | RunError::ActorDied(_)
            | RunError::ShuttingDown => Exit::Internal,
        };
        Self::new(exit, error)
    }
}

impl From<LockError> for CliError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { .. } => {
                Self::new(Exit::Held, format!("{error}; let it finish, or wait for it with --wait SECONDS"))
            }
            LockError::OfAnotherUser { .. } => Self::new(Exit::Held, error),
            LockError::Io { .. } => Self::new(Exit::Unavailable, error),
        }
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Claim(claim) => claim.into(),
            StartError::Store(store) => store.into(),
            StartError::Thread(_) => Self::new(Exit::Unavailable, error),
            StartError::Parts(_) => Self::usage(error),
        }
    }
}

impl From<ValidateError> for CliError {
    fn from(error: ValidateError) -> Self {
        let exit = match &error {
            ValidateError::Busy { .. } | ValidateError::Store(_) => Exit::Unavailable,
            ValidateError::UnknownJob(_) | ValidateError::ShuttingDown => Exit::Internal,
        };
        Self::new(exit, error)
    }
}

/// True if every provider that was given up refused its key: no later run can do better.
fn keys_refused(tally: &Tally) -> bool {
    let refused = LlmError::Auth(String::new()).to_string();
    !tally.providers_out.is_empty() && tally.providers_out.values().all(|reason| reason.starts_with(&refused))
}

fn of_table(error: &TableError) -> Exit {
    match error {
        // No later run does better until somebody mends the settings or the table.
        TableError::Header { .. } | TableError::Mismatch { .. } => Exit::Usage,
        TableError::Forbidden { .. } => Exit::Access,
        // Files among them: one that is missing or cut off may just be on its way.
        TableError::NotFound { .. }
        | TableError::Malformed { .. }
        | TableError::Full { .. }
        | TableError::Unavailable { .. } => Exit::Unavailable,
    }
}

fn of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::AmbiguousRun { .. } | StoreError::Foreign { .. } | StoreError::Newer { .. } => {
            Exit::Usage
        }
        StoreError::ReadOnly { .. } => Exit::Access,
        StoreError::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            Exit::Access
        }
        StoreError::Busy { .. }
        | StoreError::Full { .. }
        | StoreError::Corrupt { .. }
        | StoreError::Io { .. } => Exit::Unavailable,
        StoreError::Unexpected { .. } => Exit::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_keys_are_told_from_providers_in_trouble() {
        let failure = Failure { kind: FailureKind::Providers, text: String::new() };
        let exit = |reasons: &[LlmError]| {
            let providers_out = reasons.iter().map(ToString::to_string).enumerate().collect();
            Exit::of_failure(&failure, &Tally { providers_out, ..Tally::default() })
        };
        let auth = || LlmError::Auth("no such key".into());
        assert_eq!(exit(&[auth(), auth()]), Exit::Access);
        assert_eq!(exit(&[auth(), LlmError::Quota("empty".into())]), Exit::Unavailable);
        assert_eq!(exit(&[]), Exit::Unavailable);
    }

    #[test]
    fn what_a_retry_will_not_mend_is_no_reason_to_retry() {
        let (table, detail) = (|| "t".to_owned(), || "d".to_owned());
        for (error, exit) in [
            (TableError::Mismatch { table: table(), detail: detail() }, Exit::Usage),
            (TableError::Malformed { table: table(), detail: detail() }, Exit::Unavailable),
            (TableError::NotFound { table: table(), detail: detail() }, Exit::Unavailable),
            (TableError::Forbidden { table: table(), detail: detail() }, Exit::Access),
            (
                TableError::Unavailable { table: table(), detail: detail(), retry_after: None },
                Exit::Unavailable,
            ),
        ] {
            let before_anything_was_spent = RunError::Source(std::sync::Arc::new(error));
            assert_eq!(CliError::from(before_anything_was_spent).exit, exit);
        }
    }

    #[test]
    fn what_a_person_has_to_mend_is_named_first() {
        assert_eq!(Exit::Ok.or(Exit::Unavailable), Exit::Unavailable);
        assert_eq!(Exit::Unavailable.or(Exit::Usage), Exit::Usage);
        assert_eq!(Exit::Usage.or(Exit::Access), Exit::Usage);
        assert_eq!(Exit::Access.or(Exit::Ok), Exit::Access);
    }
}
