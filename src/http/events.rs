//! Progress as server-sent events (WHATWG HTML, 9.2): one task looks at the jobs twice a second, and everybody who listens is
//! sent the same bytes. Of the last minutes it keeps how fast rows went and how long answers took.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use futures_util::Stream;
use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Desk;
use super::api::ApiError;
use super::office::Office;
use super::pages::Curve;
use super::view::ProgressView;

/// How often the jobs are looked at.
const TICK: Duration = Duration::from_millis(500);
/// Who listens is sent something at least this often, so that what lies between does not hang up.
const HEARTBEAT: u32 = 30;
/// So many may listen.
const LISTENERS: usize = 2000;
/// So many points of the last minutes are kept, one each second.
const POINTS: usize = 300;

/// The events.
pub(super) struct Events {
    office: Office,
    frames: watch::Sender<Bytes>,
    sampler: Mutex<Option<JoinHandle<()>>>,
    listeners: Arc<AtomicUsize>,
    past: Arc<Mutex<BTreeMap<String, VecDeque<Point>>>>,
}

/// A second of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) rows_per_s: f64,
    /// The mean of the answers that came; none came: none.
    pub(super) latency_s: Option<f64>,
}

/// What is sent.
#[derive(Serialize)]
struct Frame {
    jobs: Vec<JobFrame>,
}

#[derive(Default, Serialize)]
struct JobFrame {
    /// Where the page has its figures.
    place: String,
    job: String,
    run_id: Option<String>,
    progress: Option<ProgressView>,
    rows_per_s: Option<f64>,
    pace: Option<Curve>,
    latency: Option<Curve>,
}

impl Events {
    pub(super) fn new(office: Office) -> Self {
        Self {
            office,
            frames: watch::Sender::new(Bytes::new()),
            sampler: Mutex::default(),
            listeners: Arc::default(),
            past: Arc::default(),
        }
    }

    /// Starts the task, if it does not run; it lives as long as the server's thread that somebody first asked in.
    pub(super) fn wake(&self) {
        let mut sampler = self.sampler.lock().unwrap_or_else(PoisonError::into_inner);
        if sampler.as_ref().is_none_or(JoinHandle::is_finished) {
            let (office, frames, past) = (self.office.clone(), self.frames.clone(), Arc::clone(&self.past));
            *sampler = Some(tokio::spawn(sample(office, frames, past)));
        }
    }

    /// The last minutes of a job's run, oldest first.
    pub(super) fn past(&self, job: &str) -> Vec<Point> {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.get(job).map(|points| points.iter().copied().collect()).unwrap_or_default()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if let Some(sampler) = self.sampler.lock().unwrap_or_else(PoisonError::into_inner).take() {
            sampler.abort();
        }
    }
}

/// A name for a job that any page may hold, whatever the job is called.
pub(super) fn place(job: &str) -> String {
    blake3::hash(job.as_bytes()).to_hex().get(..12).unwrap_or_default().to_owned()
}

/// What was counted of a run a second ago.
#[derive(Clone, Default)]
struct Before {
    run_id: String,
    rows: u64,
    answers: u64,
    answer_s: f64,
}

async fn sample(
    office: Office,
    frames: watch::Sender<Bytes>,
    past: Arc<Mutex<BTreeMap<String, VecDeque<Point>>>>,
) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut before: BTreeMap<String, Before> = BTreeMap::new();
    let mut last = String::new();
    let (mut number, mut silent) = (0_u32, 0);
    loop {
        ticks.tick().await;
        number = number.wrapping_add(1);
        let mut jobs = Vec::new();
        for (job, running, tally) in office.running() {
            let Some(running) = running else {
                before.remove(&job);
                jobs.push(JobFrame { place: place(&job), job, ..JobFrame::default() });
                continue;
            };
            let now = Before {
                run_id: running.run_id.clone(),
                rows: tally.rows_settled(),
                answers: tally.llm.answers,
                answer_s: tally.llm.answer_s,
            };
            let mut past = past.lock().unwrap_or_else(PoisonError::into_inner);
            let points = past.entry(job.clone()).or_default();
            match before.get(&job) {
                Some(then) if then.run_id == now.run_id => {
                    if number.is_multiple_of(2) {
                        points.push_back(point(then, &now));
                        points.drain(..points.len().saturating_sub(POINTS));
                        before.insert(job.clone(), now);
                    }
                }
                _ => {
                    points.clear();
                    before.insert(job.clone(), now);
                }
            }
            let lately = points.iter().rev().take(10);
            let rows_per_s =
                lately.clone().map(|point| point.rows_per_s).sum::<f64>() / lately.len().max(1) as f64;
            let progress = running.progress;
            let paces: Vec<_> = points.iter().map(|point| Some(point.rows_per_s)).collect();
            let latencies: Vec<_> = points.iter().map(|point| point.latency_s).collect();
            jobs.push(JobFrame {
                place: place(&job),
                job,
                run_id: Some(running.run_id),
                progress: Some(progress),
                rows_per_s: Some(rows_per_s),
                pace: Some(Curve::of(&paces)),
                latency: Some(Curve::of(&latencies)),
            });
        }
        let Ok(json) = serde_json::to_string(&Frame { jobs }) else { continue };
        silent += 1;
        if json != last {
            frames.send_replace(Bytes::from(format!("event: progress\ndata: {json}\n\n")));
            (last, silent) = (json, 0);
        } else if silent >= HEARTBEAT {
            // The same once more: who came late has it, and the connection is seen to live.
            frames.send_modify(|_| {});
            silent = 0;
        }
    }
}

fn point(then: &Before, now: &Before) -> Point {
    let answers = now.answers.saturating_sub(then.answers);
    Point {
        rows_per_s: now.rows.saturating_sub(then.rows) as f64 / (2.0 * TICK.as_secs_f64()),
        latency_s: (answers > 0).then(|| (now.answer_s - then.answer_s) / answers as f64),
    }
}

/// Progress of all runs, as server-sent events named `progress`: at most two a second, and only where something changed.
#[utoipa::path(get, path = "/api/v1/events", tag = "status", responses(
    (status = 200, content_type = "text/event-stream", body = String),
    (status = 401, body = super::api::ErrorBody), (status = 403, body = super::api::ErrorBody),
    (status = 503, body = super::api::ErrorBody, description = "Too many listen already"),
))]
pub(super) async fn stream(desk: Data<Desk>) -> Result<HttpResponse, ApiError> {
    let events = &desk.events;
    events.wake();
    let listeners = Arc::clone(&events.listeners);
    if listeners.fetch_add(1, Ordering::SeqCst) >= LISTENERS {
        listeners.fetch_sub(1, Ordering::SeqCst);
        return Err(ApiError::busy("too many listen already", Duration::from_secs(30)));
    }
    let mut frames = events.frames.subscribe();
    frames.mark_changed();
    let heard = Heard { next: Some(next(frames)), _listener: Listener(listeners) };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("x-accel-buffering", "no"))
        .streaming(heard))
}

/// Counts who listens.
struct Listener(Arc<AtomicUsize>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

type Next = BoxFuture<'static, Option<(Bytes, watch::Receiver<Bytes>)>>;

/// What one listener is sent.
struct Heard {
    next: Option<Next>,
    _listener: Listener,
}

fn next(mut frames: watch::Receiver<Bytes>) -> Next {
    Box::pin(async move {
        loop {
            frames.changed().await.ok()?;
            let frame = frames.borrow_and_update().clone();
            if !frame.is_empty() {
                return Some((frame, frames));
            }
        }
    })
}

impl Stream for Heard {
    type Item = Result<Bytes, actix_web::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(waiting) = self.next.as_mut() else { return Poll::Ready(None) };
        let Poll::Ready(frame) = waiting.as_mut().poll(cx) else { return Poll::Pending };
        self.next = None;
        Poll::Ready(frame.map(|(frame, frames)| {
            self.next = Some(next(frames));
            Ok(frame)
        }))
    }
}
