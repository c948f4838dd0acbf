//! Days of the daemon, in no time.

use std::sync::Mutex;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::*;
use crate::domain::timetable::Keeping;

/// The wall clock of a paused runtime.
struct Paused {
    began: Instant,
    at: Timestamp,
}

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        self.at + SignedDuration::try_from(self.began.elapsed()).unwrap()
    }
}

/// Runs that take so long, and tell of themselves.
struct Slow {
    takes: Duration,
    ran: Arc<Mutex<Vec<String>>>,
}

impl Runner for Slow {
    fn is_running(&self, job: &str) -> bool {
        job == "busy"
    }

    fn run(&self, job: &str, _: Trigger, cancel: CancellationToken) -> BoxFuture<'static, String> {
        self.ran.lock().unwrap().push(job.to_owned());
        let takes = self.takes;
        Box::pin(async move {
            tokio::select! {
                () = tokio::time::sleep(takes) => "done".to_owned(),
                () = cancel.cancelled() => "interrupted".to_owned(),
            }
        })
    }
}

const MONDAY: &str = "2026-03-16T00:00:30Z";

fn job(name: &str, cron: Option<&str>) -> Job {
    let keeping = Keeping { zone: TimeZone::UTC, catch_up: false, jitter: SignedDuration::ZERO, seed: 1 };
    let now = MONDAY.parse().unwrap();
    let timetable = cron.map(|cron| Timetable::new(cron.parse().unwrap(), keeping, None, now));
    Job { name: name.to_owned(), timetable }
}

/// A daemon for so long: what ran, and what happened.
async fn serve_for(
    jobs: Vec<Job>,
    takes: Duration,
    time: Duration,
    wish: impl AsyncFnOnce(&mpsc::UnboundedSender<Wish>),
) -> (Vec<String>, Vec<Happened>) {
    let ran = Arc::new(Mutex::new(Vec::new()));
    let happened = Arc::new(Mutex::new(Vec::new()));
    let runner = Arc::new(Slow { takes, ran: Arc::clone(&ran) });
    let clock = Arc::new(Paused { began: Instant::now(), at: MONDAY.parse().unwrap() });
    let (wishes, heard) = mpsc::unbounded_channel();
    let told = Arc::clone(&happened);
    let serving = serve(jobs, runner, clock, heard, move |what| {
        if !matches!(what, Happened::Next { .. }) {
            told.lock().unwrap().push(what);
        }
    });
    let wishing = async {
        wish(&wishes).await;
        tokio::time::sleep(time).await;
        wishes.send(Wish::Stop).unwrap();
    };
    tokio::join!(serving, wishing);
    let (ran, happened) = (ran.lock().unwrap().clone(), happened.lock().unwrap().clone());
    (ran, happened)
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn a_day_has_every_slot_once() {
    let jobs = vec![job("hourly", Some("0 * * * *")), job("daily", Some("30 7 * * *")), job("asked", None)];
    let (ran, happened) = serve_for(jobs, Duration::from_secs(60), 24 * HOUR, async |_| {}).await;
    let count = |name: &str| ran.iter().filter(|job| *job == name).count();
    assert_eq!((count("hourly"), count("daily"), count("asked")), (24, 1, 0), "{ran:?}");
    assert!(
        happened
            .iter()
            .all(|what| matches!(what, Happened::Began { missed: 0, .. } | Happened::Ended { .. }))
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_takes_longer_than_its_slot_leaves_slots_out_and_holds_up_nobody() {
    let jobs =
        vec![job("long", Some("0 * * * *")), job("other", Some("5 * * * *")), job("busy", Some("0 3 * * *"))];
    let (ran, happened) = serve_for(jobs, HOUR * 5 / 2, 12 * HOUR, async |_| {}).await;
    let count = |name: &str| ran.iter().filter(|job| *job == name).count();
    assert_eq!((count("long"), count("other"), count("busy")), (4, 4, 0), "{ran:?}");
    let left_out = |name: &str| {
        let of_job = |what: &&Happened| matches!(what, Happened::LeftOut { job, .. } if job == name);
        happened.iter().filter(of_job).count()
    };
    assert_eq!((left_out("long"), left_out("other"), left_out("busy")), (8, 8, 1), "{happened:?}");
    let begun = happened.iter().filter(|what| matches!(what, Happened::Began { .. })).count();
    let ended = happened.iter().filter(|what| matches!(what, Happened::Ended { .. })).count();
    assert_eq!(begun, ended, "the last ones ended in good order");
}

#[tokio::test(start_paused = true)]
async fn wishes_are_heard_and_a_stop_ends_runs_in_good_order() {
    let jobs = vec![job("a", None), job("b", None)];
    let (ran, happened) = serve_for(jobs, HOUR, Duration::from_secs(5), async |wishes| {
        wishes.send(Wish::Run(Some("b".into()))).unwrap();
        wishes.send(Wish::Run(Some("b".into()))).unwrap();
        wishes.send(Wish::Run(Some("nobody".into()))).unwrap();
        wishes.send(Wish::Run(None)).unwrap();
        wishes.send(Wish::Jobs(vec![job("b", None)])).unwrap();
        wishes.send(Wish::Run(Some("a".into()))).unwrap();
    })
    .await;
    assert_eq!(ran, ["b", "a"], "a is gone when it is asked for again");
    let unknown = |name: &str| happened.contains(&Happened::Unknown { job: name.into() });
    assert!(unknown("nobody") && unknown("a"));
    assert!(happened.contains(&Happened::Changed));
    for job in ["a", "b"] {
        assert!(happened.contains(&Happened::Ended { job: job.into(), how: "interrupted".into() }));
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_during_a_run_is_checked_after_it_and_once() {
    let (ran, _) = serve_for(vec![job("a", None)], HOUR, 5 * HOUR, async |wishes| {
        for _ in 0..3 {
            wishes.send(Wish::Edited("a".into())).unwrap();
        }
    })
    .await;
    assert_eq!(ran, ["a", "a"]);
}
