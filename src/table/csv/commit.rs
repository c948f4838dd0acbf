//! One commit, as a whole or not at all: what has to be known first, and what an error means.

use std::io;
use std::path::PathBuf;

use super::encoding::{Encoding, Unencodable};
use super::merge::Merge;
use super::record::Record;
use super::replacement::Replacement;
use super::results::{Existing, ResultsFile};
use crate::domain::language::Language;
use crate::domain::results::ResultColumn;
use crate::domain::upsert::is_suspicious_shrink;
use crate::table::spool::{Batch, Spool, SpoolError};
use crate::table::{Committed, TableError};

/// Where and how results are written.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The file itself, not a link to it.
    pub(super) target: PathBuf,
    /// What people call it.
    pub(super) table: String,
    /// What separates the fields of a new file.
    pub(super) delimiter: Option<u8>,
    pub(super) columns: Vec<ResultColumn>,
    pub(super) language: Language,
    pub(super) today: jiff::civil::Date,
}

/// What happens to rows of the table that the source did not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// Nothing: the source may not be read to its end.
    Keep,
    /// They are marked, if not nearly all of them.
    Mark,
    /// They are marked, however many.
    MarkAll,
}

/// Writes the waiting rows into the file. After an error they still wait and the file is as it was.
pub(super) fn commit(plan: &Plan, spool: &mut Spool, gone: Gone) -> Result<Committed, TableError> {
    let result = merge(plan, spool, gone, None).or_else(|stop| match stop {
        Stop::Unencodable(_) => {
            let mut committed = merge(plan, spool, gone, Some(Encoding::UTF_8))?;
            committed.warnings.push("the file is now UTF-8: its old encoding lacks a character".into());
            Ok(committed)
        }
        other => Err(other),
    });
    result.map_err(|stop| match stop {
        Stop::Table(error) => error,
        Stop::Spool(error) => error.of_table(plan.table.clone()),
        Stop::Io(error) => TableError::from_io(&plan.table, &error, "the file is as it was"),
        Stop::Unencodable(error) => TableError::from_io(&plan.table, &io::Error::other(error), ""),
    })
}

/// Why an attempt ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Unencodable(#[from] Unencodable),
}

fn merge(plan: &Plan, spool: &mut Spool, gone: Gone, encoding: Option<Encoding>) -> Result<Committed, Stop> {
    let batch = spool.batch()?;
    let old = Existing::open(&plan.target, &plan.table, plan.delimiter, &plan.columns)?;
    let committed = match old {
        Existing::Table(old) => {
            let survey = survey(plan, &batch, &old, gone)?;
            Merge::of_table(plan, &old, &survey, encoding)?.run(*old, &batch, &survey)?
        }
        Existing::Blank(_) | Existing::Absent if batch.is_empty()? => Committed::default(),
        Existing::Blank(metadata) => {
            Merge::of_new(plan, Replacement::new(&plan.target, Some(&metadata)))?.end(&batch)?
        }
        Existing::Absent => Merge::of_new(plan, Replacement::new(&plan.target, None))?.end(&batch)?,
    };
    batch.finish()?;
    Ok(committed)
}

/// What has to be known of a table before its first record is written.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Fields of the longest record, where columns are to be added behind it.
    pub(super) width: usize,
    /// Rows that are gone from the source are to be marked.
    pub(super) mark: bool,
    /// Rows that are gone, but not to be marked because nearly all are.
    pub(super) refused: u64,
}

fn survey(plan: &Plan, batch: &Batch<'_>, old: &ResultsFile, gone: Gone) -> Result<Survey, Stop> {
    let mut survey = Survey { mark: gone != Gone::Keep, ..Survey::default() };
    if gone != Gone::Mark && old.places.missing(&plan.columns).is_empty() {
        return Ok(survey);
    }
    let mut lost = 0;
    let again = Existing::open(&plan.target, &plan.table, plan.delimiter, &plan.columns)?;
    if let Existing::Table(mut table) = again {
        survey.width = table.header.len();
        let mut record = Record::default();
        while table.read(&mut record)? {
            survey.width = survey.width.max(record.len());
            if let Some(key) = table.key(&record)
                && !table.is_marked_gone(&record)
                && !batch.knows(&key)?
            {
                lost += 1;
            }
        }
    }
    if gone == Gone::Mark && is_suspicious_shrink(batch.keys()? + lost, lost) {
        (survey.mark, survey.refused) = (false, lost);
    }
    Ok(survey)
}
