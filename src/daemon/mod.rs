//! The daemon: runs jobs when their timetables say so, when their tables are edited, or when somebody asks; several jobs at a
//! time, never two runs of one.
//!
//! It knows no signals, no settings and no engine: wishes come in through a channel, runs are made by a [`Runner`], what
//! happens is told to whoever listens. So a day of it takes a moment to try.

mod agenda;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use watch::{Looked, Watched, watch};

use crate::domain::timetable::Timetable;
use crate::engine::{Clock, Trigger};
use agenda::{Agenda, Begin, Decided};

/// A job of the daemon.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name in the settings.
    pub name: String,
    /// When it runs; none: only when asked.
    pub timetable: Option<Timetable>,
}

/// Makes runs.
pub trait Runner: Send + Sync {
    /// Runs a job to its end; ends it early, in good order, when `cancel` says so. Says how it ended, for people.
    fn run(&self, job: &str, trigger: Trigger, cancel: CancellationToken) -> BoxFuture<'static, String>;

    /// True while a run of the job is under way, whoever began it.
    fn is_running(&self, job: &str) -> bool;
}

/// What the daemon is asked.
#[derive(Debug)]
pub enum Wish {
    /// Run a job now, or all of them. One that runs already is left alone.
    Run(Option<String>),
    /// The table of a job was edited: run it, and if it runs, once more.
    Edited(String),
    /// From now on these are the jobs. Runs that are under way are not touched.
    Jobs(Vec<Job>),
    /// No more runs; those under way end in good order.
    Stop,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A run began.
    Began {
        /// The job.
        job: String,
        /// Slots that passed before while nobody looked.
        missed: u32,
    },
    /// A run ended.
    Ended {
        /// The job.
        job: String,
        /// How, for people.
        how: String,
    },
    /// A slot was left out: the job still ran.
    LeftOut {
        /// The job.
        job: String,
        /// The slot.
        slot: Timestamp,
    },
    /// A job is due next then, or at no time that is known.
    Next {
        /// The job.
        job: String,
        /// When.
        slot: Option<Timestamp>,
    },
    /// Nobody has this job.
    Unknown {
        /// The name that was asked for.
        job: String,
    },
    /// The jobs are other ones from now on.
    Changed,
}

/// Wall clocks jump and machines sleep: timetables are looked at this often, whatever they said last.
const LOOK_AT_LEAST: Duration = Duration::from_secs(20);

/// Serves until told to stop or until nobody can wish for anything any more; then runs under way are ended.
pub async fn serve(
    jobs: Vec<Job>,
    runner: Arc<dyn Runner>,
    clock: Arc<dyn Clock>,
    mut wishes: mpsc::UnboundedReceiver<Wish>,
    tell: impl Fn(Happened),
) {
    let mut agenda = Agenda::new(jobs);
    let cancel = CancellationToken::new();
    let mut runs: FuturesUnordered<BoxFuture<'static, (String, String)>> = FuturesUnordered::new();
    let begin = |decided: Vec<Decided>, runs: &FuturesUnordered<_>| {
        for decision in decided {
            match decision {
                Ok(Begin { job, trigger, missed }) => {
                    tell(Happened::Began { job: job.clone(), missed });
                    let run = runner.run(&job, trigger, cancel.child_token());
                    runs.push(run.map(move |how| (job, how)).boxed());
                }
                Err(happened) => tell(happened),
            }
        }
    };
    let others = |job: &str| runner.is_running(job);
    let mut slots: Vec<(String, Option<Timestamp>)> = Vec::new();
    loop {
        begin(agenda.look(clock.now(), others), &runs);
        if let Some(edit) = agenda.late_edit(others) {
            begin(agenda.ask(&edit, others), &runs);
        }
        let now: Vec<_> = agenda.slots().map(|(job, slot)| (job.to_owned(), slot)).collect();
        for (job, slot) in now.iter().filter(|slot| !slots.contains(slot)).cloned() {
            tell(Happened::Next { job, slot });
        }
        slots = now;
        let wake = agenda.next(clock.now()).map_or(LOOK_AT_LEAST, |pause| pause.min(LOOK_AT_LEAST));
        tokio::select! {
            biased;
            wish = wishes.recv() => match wish {
                Some(Wish::Jobs(jobs)) => {
                    agenda.replace(jobs);
                    tell(Happened::Changed);
                }
                Some(Wish::Stop) | None => break,
                Some(wish) => begin(agenda.ask(&wish, others), &runs),
            },
            Some((job, how)) = runs.next(), if !runs.is_empty() => {
                agenda.end(&job);
                tell(Happened::Ended { job, how });
            }
            () = tokio::time::sleep(wake) => {}
        }
    }
    cancel.cancel();
    while let Some((job, how)) = runs.next().await {
        tell(Happened::Ended { job, how });
    }
}

#[cfg(test)]
mod tests;
