//! What happens inside the engine, as values: the one source of the report, the progress line, the log
//! and the tests' assertions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::report::{RunOutcome, Tally};
use super::request::Trigger;
use crate::domain::money::{MicroUsd, Usage};
use crate::domain::outcome::SkipReason;
use crate::domain::rules::RuleId;
use crate::table::Requests;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A run began; counters start anew.
    RunStarted {
        /// The run's id.
        run: String,
    },
    /// So many data rows are to be expected: the source says it, or an earlier run found it.
    RowsExpected(u64),
    /// There are no more data rows than these.
    RowsAtMost(u64),
    /// A row was read.
    RowRead {
        /// Its number.
        row: u64,
    },
    /// Two rows have the same identifier. Both are kept.
    Duplicate {
        /// The later row.
        row: u64,
        /// The first one.
        first: u64,
    },
    /// A row was taken into the engine.
    Admitted {
        /// Its number.
        row: u64,
    },
    /// A row is queued for a worker.
    Queued {
        /// Its number.
        row: u64,
    },
    /// A row asks the same as another that is inside.
    Twin {
        /// Its number.
        row: u64,
    },
    /// A worker asks a model.
    CallStarted {
        /// The row.
        row: u64,
        /// The worker, from 0.
        worker: usize,
        /// The provider, from 0.
        provider: usize,
    },
    /// A call that a plan would make.
    Planned {
        /// The row.
        row: u64,
        /// Tokens of its prompt, the static part included.
        prompt_tokens: u64,
        /// Tokens of the static part.
        fixed_tokens: u64,
    },
    /// A worker has taken a row.
    Took {
        /// The row.
        row: u64,
        /// The worker.
        worker: usize,
    },
    /// The writer has taken results.
    Taken {
        /// How many.
        rows: usize,
    },
    /// The call has ended, or was lost with its worker.
    CallEnded {
        /// The row.
        row: u64,
        /// The worker.
        worker: usize,
        /// The provider, from 0.
        provider: usize,
        /// How it ended.
        end: CallEnd,
        /// What it used, as far as known.
        usage: Usage,
        /// What it cost, as far as known.
        cost: MicroUsd,
        /// Requests that were sent.
        requests: u32,
        /// How long it was under way.
        took: Duration,
    },
    /// A row will be asked again.
    Retry {
        /// The row.
        row: u64,
        /// The provider that will be asked.
        provider: usize,
        /// After this pause.
        after: Duration,
    },
    /// How fast a provider was asked at the run's end.
    Pace {
        /// The provider, from 0.
        provider: usize,
        /// The limit that is known, in requests a minute: told, or found; none where there seems to be none.
        requests_per_minute: Option<f64>,
    },
    /// A row that was to be judged anew could not be, and keeps its earlier verdict.
    VerdictKept {
        /// The row.
        row: u64,
        /// Why.
        reason: String,
    },
    /// A provider is out for the rest of the run.
    ProviderOut {
        /// The provider, from 0.
        provider: usize,
        /// Why.
        reason: String,
    },
    /// A row has its state.
    Settled {
        /// The row.
        row: u64,
        /// The state.
        state: Settled,
    },
    /// A commit of the results table.
    Committed {
        /// Rows added or changed.
        written: u64,
        /// Rows left alone.
        unchanged: u64,
        /// Rows newly marked as gone.
        marked_gone: u64,
    },
    /// Requests to the service of a table.
    TableRequests {
        /// Those that read.
        reads: u64,
        /// Those that wrote.
        writes: u64,
    },
    /// A run is over; nothing of it follows.
    RunEnded {
        /// The run's id.
        run: String,
        /// Who asked for it.
        trigger: Trigger,
        /// How it ended.
        outcome: RunOutcome,
        /// How long it took.
        took: Duration,
    },
    /// An actor was restarted.
    Restarted {
        /// Its name.
        actor: &'static str,
        /// The panic's text; none if it stopped itself.
        panic: Option<String>,
    },
    /// An actor is gone for good.
    GivenUp {
        /// Its name.
        actor: &'static str,
    },
    /// Something that people should know.
    Warning(String),
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// With an answer that fits.
    Answered,
    /// With an answer that does not fit. It was paid for.
    BadAnswer,
    /// The provider asked to slow down.
    RateLimited,
    /// There was none in time.
    TimedOut,
    /// With another error of the provider.
    Failed,
    /// The job panicked, or was lost with its worker.
    Lost,
}

impl CallEnd {
    /// The word in metrics and traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "ok",
            Self::BadAnswer => "schema",
            Self::RateLimited => "rate_limited",
            Self::TimedOut => "timeout",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }
}

/// The state in which a row ended, without its texts.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// Judged.
    Judged {
        /// Valid or not.
        valid: bool,
        /// Who decided.
        by: By,
        /// The violated rules.
        rules: Vec<RuleId>,
        /// What the model's answer cost when it was paid for; nothing for a row that code decides.
        cost: MicroUsd,
    },
    /// Not checked, for this reason.
    NotChecked(String),
    /// Skipped.
    Skipped(SkipReason),
}

/// Who decided about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Code checks alone.
    Code,
    /// A model, in this run.
    Model,
    /// A model, in an earlier run.
    Cache,
    /// A model, for another row of this run that says the same.
    Twin,
}

/// An event with its time since the engine's start.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamped {
    /// Since the engine's start.
    pub at: Duration,
    /// The job that it concerns; blank for what all jobs share.
    pub job: Arc<str>,
    /// What happened.
    pub event: Event,
}

/// Told of every event, in the engine's thread: it must be quick and must not panic, for it would take the
/// actor with it that has something to tell.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn observe(&self, event: &Stamped);
}

impl<F: Fn(&Stamped) + Send + Sync> Observer for F {
    fn observe(&self, event: &Stamped) {
        self(event);
    }
}

/// Where the actors of one job put their events: counts them and passes them on.
#[derive(Clone)]
pub(crate) struct Bus {
    job: Arc<str>,
    started: Instant,
    tally: Arc<Mutex<Tally>>,
    observer: Option<Arc<dyn Observer>>,
}

impl Bus {
    /// Something happened in a run: it counts in its report.
    pub(crate) fn emit(&self, event: Event) {
        lock(&self.tally).apply(&event);
        self.show(event);
    }

    /// Something happened to a row that somebody sent alone: no run's report counts it.
    pub(crate) fn show(&self, event: Event) {
        if let Some(observer) = &self.observer {
            let (at, job) = (self.started.elapsed(), Arc::clone(&self.job));
            observer.observe(&Stamped { at, job, event });
        }
    }

    /// Counts requests to the service of a table, if there were any.
    pub(crate) fn table_requests(&self, Requests { reads, writes }: Requests) {
        if reads + writes > 0 {
            self.emit(Event::TableRequests { reads, writes });
        }
    }

    /// The counters of the present or last run.
    pub(crate) fn tally(&self) -> Tally {
        lock(&self.tally).clone()
    }
}

/// Where what all jobs share puts its events, and where their buses come from.
#[derive(Clone)]
pub(crate) struct Hub {
    started: Instant,
    observer: Option<Arc<dyn Observer>>,
    tallies: Arc<Mutex<Vec<Weak<Mutex<Tally>>>>>,
}

impl Hub {
    pub(crate) fn new(observer: Option<Arc<dyn Observer>>) -> Self {
        Self { started: Instant::now(), observer, tallies: Arc::default() }
    }

    /// The bus of a job, whose reports name a pool of so many workers.
    pub(crate) fn bus(&self, job: &Arc<str>, max_workers: usize) -> Bus {
        let mut tally = Tally::default();
        tally.workers.max = max_workers;
        let bus = Bus {
            job: Arc::clone(job),
            started: self.started,
            tally: Arc::new(Mutex::new(tally)),
            observer: self.observer.clone(),
        };
        let mut tallies = lock(&self.tallies);
        tallies.retain(|tally| tally.strong_count() > 0);
        tallies.push(Arc::downgrade(&bus.tally));
        bus
    }

    /// Something happened that concerns every job: it counts in each one's report.
    pub(crate) fn emit(&self, event: Event) {
        for tally in lock(&self.tallies).iter().filter_map(Weak::upgrade) {
            lock(&tally).apply(&event);
        }
        if let Some(observer) = &self.observer {
            observer.observe(&Stamped { at: self.started.elapsed(), job: "".into(), event });
        }
    }

    /// Time since the engine's start.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
