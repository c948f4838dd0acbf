//! What an engine is made of. Whoever assembles it brings the table, the models and the store.

use std::sync::Arc;
use std::time::Duration;

use super::cache::StoreFactory;
use super::clock::{Clock, SystemClock};
use super::event::Observer;
use crate::domain::columns::ColumnNames;
use crate::domain::language::Language;
use crate::domain::money::{MicroUsd, Price, Usage};
use crate::domain::results::Wording;
use crate::domain::rules::Rulebook;
use crate::llm::lane::Lane;
use crate::llm::pace::{Known, Learnt};
use crate::llm::{ChatModel, Room};
use crate::store::{Claim, Store, Unknown};
use crate::table::{TableSink, TableSource};

/// The parts of an engine. [`Parts::new`] gives all but the rules sensible values.
pub struct Parts {
    /// What rows are checked against.
    pub rulebook: Arc<Rulebook>,
    /// The allowed statuses; empty: any.
    pub allowed_statuses: Vec<String>,
    /// The columns of the source.
    pub columns: ColumnNames,
    /// Where rows come from; none for an engine that only judges single rows.
    pub source: Option<Box<dyn TableSource>>,
    /// Where results go; none for an engine that only judges single rows.
    pub sink: Option<Box<dyn TableSink>>,
    /// Where the results of dry runs go; none for an engine that makes no dry runs.
    pub preview: Option<Box<dyn TableSink>>,
    /// The models, the preferred one first; none: code checks only.
    pub providers: Vec<Provider>,
    /// Opens the store.
    pub store: StoreFactory,
    /// What no other instance may work on while the engine lives.
    pub claims: Vec<Claim>,
    /// Tells the time of day.
    pub clock: Arc<dyn Clock>,
    /// The report date of runs that bring none; none: today in the time zone.
    pub as_of: Option<jiff::civil::Date>,
    /// How results are worded.
    pub wording: Wording,
    /// The name under which runs stand in the history.
    pub job: String,
    /// What becomes of calls that a crash left without an answer.
    pub unknown: Unknown,
    /// Sizes and times.
    pub limits: Limits,
    /// Told of every event.
    pub observer: Option<Arc<dyn Observer>>,
    /// Where the actors live, and whose clock they wait by.
    pub placement: Placement,
    /// Seeds the jitter of pauses; a test sets it, so that equal inputs give equal event logs.
    pub seed: Option<u64>,
}

/// A model and its price.
#[derive(Clone)]
pub struct Provider {
    /// The model.
    pub model: Arc<dyn ChatModel>,
    /// Its price, where known.
    pub price: Option<Price>,
    /// The longest answer, in tokens: for estimates.
    pub max_output_tokens: u32,
    /// The provider's limit of requests a minute; none: it is found out.
    pub requests_per_minute: Option<u64>,
    /// The provider's limit of tokens a minute; none: it is found out.
    pub tokens_per_minute: Option<u64>,
}

/// Sizes and times of an engine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls at one time, 1 to 1000; 1 is strictly one after the other.
    pub max_workers: usize,
    /// Attempts at each provider, at least 1.
    pub attempts: u32,
    /// Rows queued ahead of the workers.
    pub queue_depth: usize,
    /// Rows of a write.
    pub batch_size: usize,
    /// Rows of a page.
    pub page_rows: usize,
    /// The longest one call may take; a little longer than the model's own deadline.
    pub call_deadline: Duration,
    /// The longest that one row may be asked about, its pauses included, from its first call. A row that waits for a
    /// provider's limit before that holds nothing up.
    pub row_deadline: Duration,
    /// The shortest time between two commits of the results table.
    pub commit_interval: Duration,
    /// How long an unavailable results table is waited for.
    pub sink_patience: Duration,
    /// What a run may cost; none: anything. Calls under way count as estimated, so the cap holds but for the
    /// difference between an estimate and its bill.
    pub max_cost: Option<MicroUsd>,
    /// What a day in the time zone may cost, over all runs that share the store.
    pub max_cost_per_day: Option<MicroUsd>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_workers: 5,
            attempts: 3,
            queue_depth: 10,
            batch_size: 10,
            page_rows: 200,
            call_deadline: Duration::from_secs(65),
            row_deadline: Duration::from_secs(600),
            commit_interval: Duration::from_secs(5),
            sink_patience: Duration::from_secs(15),
            max_cost: None,
            max_cost_per_day: None,
        }
    }
}

/// Where the actors live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// The store has a thread of its own.
    #[default]
    OwnThread,
    /// Everything on one thread, under the machine's clock.
    Shared,
    /// Everything on one thread, under a clock that jumps to the next timer when nothing else is left to
    /// do: an hour of waiting takes a moment, and equal inputs give equal event logs.
    #[cfg(feature = "testing")]
    Paused,
}

impl Parts {
    /// The parts of an engine with these rules and columns, the store in memory, no table and no model.
    pub fn new(rulebook: Rulebook, columns: ColumnNames) -> Self {
        Self {
            rulebook: Arc::new(rulebook),
            allowed_statuses: Vec::new(),
            columns,
            source: None,
            sink: None,
            preview: None,
            providers: Vec::new(),
            store: Arc::new(Store::open_in_memory),
            claims: Vec::new(),
            clock: Arc::new(SystemClock),
            as_of: None,
            wording: Wording { language: Language::En, timezone: jiff::tz::TimeZone::UTC },
            job: "default".to_owned(),
            unknown: Unknown::Retry,
            limits: Limits::default(),
            observer: None,
            placement: Placement::default(),
            seed: None,
        }
    }
}

impl Provider {
    /// A model without a known price.
    pub fn new(model: impl ChatModel + 'static) -> Self {
        Self {
            model: Arc::new(model),
            price: None,
            max_output_tokens: 1024,
            requests_per_minute: None,
            tokens_per_minute: None,
        }
    }

    /// A lane to it, with what an earlier run learnt.
    pub(super) fn lane(&self, slots: usize, learnt: Option<Learnt>, now: Duration) -> Lane {
        let known = Known {
            requests_per_minute: self.requests_per_minute,
            tokens_per_minute: self.tokens_per_minute,
            unlimited: !self.model.is_limited(),
            learnt,
        };
        Lane::new(slots, &known, now)
    }

    /// Under which key the store keeps what is learnt of it.
    pub(super) fn memory_key(&self) -> String {
        format!("provider {}", self.model.account())
    }

    /// About how many tokens a call takes from the provider's limit: the longest answer is set aside.
    pub(super) fn tokens(&self, prompt_bytes: usize) -> u64 {
        (prompt_bytes / 4) as u64 + u64::from(self.max_output_tokens)
    }

    /// What a call may cost at most, roughly: three bytes a token, and the longest answer. The
    /// ledger counts it from the moment the request leaves until the true cost is known.
    pub(super) fn estimate(&self, prompt_bytes: usize, room: Room) -> MicroUsd {
        let Some(price) = self.price else { return MicroUsd::default() };
        let usage = Usage {
            prompt_tokens: (prompt_bytes / 3) as u64,
            completion_tokens: u64::from(room.of(self.max_output_tokens)),
            ..Usage::default()
        };
        price.of(&usage)
    }
}
