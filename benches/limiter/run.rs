//! One run in virtual time: rows, workers, a provider, and who keeps the pace.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use status_validator::llm::limits::RateLimits;
use status_validator::llm::pace::{Admission, Known, Learnt, Limiter, Refused, Ticket};

use super::provider::Provider;

/// Who keeps the pace.
pub(crate) enum Pace {
    /// Our limiter.
    Ours(Box<Known>),
    /// So many workers, each of which waits by itself when it is refused.
    Workers,
}

pub(crate) struct Setup {
    pub(crate) rows: usize,
    pub(crate) slots: usize,
    pub(crate) seed: u64,
    /// The run is cut off then.
    pub(crate) patience: f64,
    /// Of an answer, in seconds.
    pub(crate) median_latency: f64,
}

pub(crate) struct Figures {
    pub(crate) answered: usize,
    pub(crate) refused: usize,
    pub(crate) sent: usize,
    /// When the last row that was answered had been sent, or the run was cut off.
    pub(crate) end: f64,
    pub(crate) learnt: Option<Learnt>,
}

pub(crate) const SPREAD: f64 = 0.5;
pub(crate) const MEAN_TOKENS: f64 = 1500.0;

impl Setup {
    pub(crate) fn mean_latency(&self) -> f64 {
        self.median_latency * f64::exp(SPREAD * SPREAD / 2.0)
    }
}

enum Doing {
    Wake,
    Ended {
        row: Row,
        ticket: Option<Ticket>,
        accepted: bool,
        wait: Option<Duration>,
        limits: RateLimits,
        sent: f64,
    },
    /// A worker's own wait is over.
    Again(Row),
}

#[derive(Clone, Copy)]
struct Row {
    tokens: u64,
    refusals: i32,
}

#[derive(PartialEq)]
struct At(f64, u64);
impl Eq for At {}
impl PartialOrd for At {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for At {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

pub(crate) fn run(mut provider: Provider, pace: &Pace, setup: &Setup) -> Figures {
    let mut rng = fastrand::Rng::with_seed(setup.seed);
    let mut limiter = match pace {
        Pace::Ours(known) => Some(Limiter::new(setup.slots, known, Duration::ZERO)),
        Pace::Workers => None,
    };
    if let Some(limiter) = &mut limiter {
        limiter.expect(setup.rows as u64);
    }
    let mut todo: VecDeque<Row> = (0..setup.rows)
        .map(|_| Row { tokens: (MEAN_TOKENS + 300.0 * gauss(&mut rng)).max(200.0) as u64, refusals: 0 })
        .collect();
    let mut events: BinaryHeap<Reverse<(At, usize)>> = BinaryHeap::new();
    let mut doings: Vec<Option<Doing>> = Vec::new();
    let mut number = 0;
    let mut push = |events: &mut BinaryHeap<_>, doings: &mut Vec<_>, at: f64, doing| {
        number += 1;
        doings.push(Some(doing));
        events.push(Reverse((At(at, number), doings.len() - 1)));
    };
    let mut figures = Figures { answered: 0, refused: 0, sent: 0, end: 0.0, learnt: None };
    let mut busy = 0;
    let mut woken = f64::INFINITY;
    push(&mut events, &mut doings, 0.0, Doing::Wake);
    while let Some(Reverse((At(at, _), place))) = events.pop() {
        if at > setup.patience {
            figures.end = setup.patience;
            break;
        }
        let now = Duration::from_secs_f64(at);
        match doings[place].take() {
            None => {}
            Some(Doing::Wake) if at >= woken => woken = f64::INFINITY,
            Some(Doing::Wake) => {}
            Some(Doing::Again(row)) => {
                busy -= 1;
                todo.push_front(row);
            }
            Some(Doing::Ended { row, ticket, accepted, wait, limits, sent }) => {
                if accepted {
                    provider.ended();
                    figures.answered += 1;
                    figures.end = figures.end.max(sent);
                    if let (Some(limiter), Some(ticket)) = (&mut limiter, ticket) {
                        limiter.answered(ticket, Some(row.tokens), &limits, now);
                    }
                    busy -= 1;
                } else {
                    figures.refused += 1;
                    match (&mut limiter, ticket) {
                        (Some(limiter), Some(ticket)) => {
                            limiter.refused(ticket, Refused::Rate, wait, &limits, now);
                            busy -= 1;
                            todo.push_front(row);
                        }
                        _ => {
                            let own = f64::powi(2.0, row.refusals.min(5));
                            let wait = wait.map_or(own, |wait| wait.as_secs_f64());
                            let row = Row { refusals: row.refusals + 1, ..row };
                            push(&mut events, &mut doings, at + wait, Doing::Again(row));
                        }
                    }
                }
            }
        }
        while busy < setup.slots {
            let Some(row) = todo.front().copied() else { break };
            let ticket = match &mut limiter {
                None => None,
                Some(limiter) => match limiter.admit(row.tokens, now) {
                    Admission::Go(ticket) => Some(ticket),
                    Admission::Full => break,
                    Admission::At(due) => {
                        let due = due.as_secs_f64().max(at + 1e-6);
                        if due < woken {
                            woken = due;
                            push(&mut events, &mut doings, due, Doing::Wake);
                        }
                        break;
                    }
                },
            };
            todo.pop_front();
            busy += 1;
            figures.sent += 1;
            let verdict = provider.ask(at, row.tokens as f64);
            let takes = if verdict.accepted {
                setup.median_latency * f64::exp(SPREAD * gauss(&mut rng))
            } else {
                0.08 + 0.17 * rng.f64()
            };
            let ended = Doing::Ended {
                row,
                ticket,
                accepted: verdict.accepted,
                wait: verdict.retry_after,
                limits: verdict.limits,
                sent: at,
            };
            push(&mut events, &mut doings, at + takes, ended);
        }
        if figures.answered == setup.rows {
            break;
        }
    }
    let end = Duration::from_secs_f64(figures.end.max(0.0));
    figures.learnt = limiter.map(|mut limiter| limiter.learnt(end));
    figures
}

fn gauss(rng: &mut fastrand::Rng) -> f64 {
    let (u, v) = (rng.f64().max(f64::MIN_POSITIVE), rng.f64());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}
