//! The daemon: runs jobs when their timetables say so, or when somebody asks, one run after the other.
//!
//! It knows no signals, no settings and no engine: wishes come in through a channel, runs are made by a [`Runner`], what
//! happens is told to whoever listens. So a day of it takes a moment to try.

mod agenda;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::timetable::Timetable;
use crate::engine::Clock;
use agenda::{Agenda, Waiting};

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
    fn run(&self, job: &str, cancel: CancellationToken) -> BoxFuture<'static, String>;
}

/// What the daemon is asked.
#[derive(Debug)]
pub enum Wish {
    /// Run a job now, or all of them. One that runs or waits already is left alone.
    Run(Option<String>),
    /// From now on these are the jobs. A run that is under way is not touched.
    Jobs(Vec<Job>),
    /// No more runs; the one under way ends in good order.
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
    /// A slot was left out: the job still ran, or waited.
    LeftOut {
        /// The job.
        job: String,
        /// The slot.
        slot: Timestamp,
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

/// Serves until told to stop or until nobody can wish for anything any more; then the run under way is ended.
pub async fn serve(
    jobs: Vec<Job>,
    runner: Arc<dyn Runner>,
    clock: Arc<dyn Clock>,
    mut wishes: mpsc::UnboundedReceiver<Wish>,
    tell: impl Fn(Happened),
) {
    let mut agenda = Agenda::new(jobs);
    let mut running: Option<Running> = None;
    loop {
        agenda.look(clock.now()).into_iter().for_each(&tell);
        if let Some(Waiting { job, missed }) = agenda.begin() {
            tell(Happened::Began { job: job.clone(), missed });
            let cancel = CancellationToken::new();
            let run = runner.run(&job, cancel.clone());
            running = Some(Running { job, cancel, run });
        }
        let wake = agenda.next(clock.now()).map_or(LOOK_AT_LEAST, |pause| pause.min(LOOK_AT_LEAST));
        tokio::select! {
            biased;
            wish = wishes.recv() => match wish {
                Some(Wish::Run(job)) => agenda.ask(job.as_deref()).into_iter().for_each(&tell),
                Some(Wish::Jobs(jobs)) => {
                    agenda.replace(jobs);
                    tell(Happened::Changed);
                }
                Some(Wish::Stop) | None => break,
            },
            ended = ended(&mut running) => {
                running = None;
                agenda.end();
                tell(ended);
            }
            () = tokio::time::sleep(wake) => {}
        }
    }
    if let Some(run) = &running {
        run.cancel.cancel();
        tell(ended(&mut running).await);
    }
}

/// A run under way.
struct Running {
    job: String,
    cancel: CancellationToken,
    run: BoxFuture<'static, String>,
}

/// Ready when the run is over; never, where there is none.
async fn ended(running: &mut Option<Running>) -> Happened {
    match running {
        Some(Running { job, run, .. }) => {
            let how = run.await;
            Happened::Ended { job: job.clone(), how }
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
