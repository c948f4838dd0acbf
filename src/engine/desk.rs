//! A desk: one job inside the engine, but for the actors of its table: its rules, its models, its sizes and times.

use std::sync::Arc;

use jiff::civil::Date;

use super::clock::Clock;
use super::event::Bus;
use super::parts::{Limits, Provider};
use super::schedule::LineId;
use crate::domain::columns::ColumnNames;
use crate::domain::freshness::Freshness;
use crate::domain::judge::Judge;
use crate::domain::results::Wording;
use crate::domain::rules::Rulebook;
use crate::store::Unknown;

/// What every row of a job shares.
pub(crate) struct Desk {
    /// The job's name.
    pub(crate) job: Arc<str>,
    pub(crate) rulebook: Arc<Rulebook>,
    pub(crate) allowed_statuses: Vec<String>,
    pub(crate) columns: ColumnNames,
    pub(crate) wording: Wording,
    pub(crate) as_of: Option<Date>,
    pub(crate) unknown: Unknown,
    pub(crate) limits: Limits,
    /// What people call the source and the target.
    pub(crate) source: Arc<str>,
    pub(crate) target: Arc<str>,
    /// The models, the preferred one first.
    pub(crate) providers: Vec<Provider>,
    pub(crate) place: Place,
    /// Counts what happens in its runs.
    pub(crate) bus: Bus,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Where a desk stands in the dispatcher.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// The ways to its providers, in their order.
    pub(crate) lanes: Vec<usize>,
    /// Desks with the same providers have the same number.
    pub(crate) crew: usize,
    /// The line of rows that are sent alone.
    pub(crate) line: LineId,
}

impl Desk {
    /// Today in the time zone.
    pub(crate) fn today(&self) -> Date {
        self.clock.now().to_zoned_datetime(self.wording.timezone.clone()).date()
    }

    /// The judge for a report date: asked for, configured, or today.
    pub(crate) fn judge(&self, asked: Option<Date>) -> Arc<Judge> {
        Arc::new(Judge::new(
            Arc::clone(&self.rulebook),
            self.allowed_statuses.clone(),
            self.wording.language,
            asked.or(self.as_of).unwrap_or_else(|| self.today()),
        ))
    }

    /// An answer of one of its models counts, however old.
    pub(crate) fn any_age(&self) -> Freshness {
        let models = self.providers.iter().map(|provider| provider.model.id().model.clone()).collect();
        Freshness { models, not_before: None, force: false }
    }
}
