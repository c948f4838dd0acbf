//! When a failed attempt is followed by another, where, and after what pause: no I/O, no clock.

use std::fmt::Display;
use std::mem::discriminant;
use std::time::Duration;

use super::backoff::Backoff;
use super::{LlmError, Room};
use crate::domain::answer::BadAnswer;

/// One row's way through the providers, from the first attempt to the answer or the last failure.
///
/// Providers are numbered by priority from 0. Which of them are out for the run (a refused key, no money)
/// is known to the caller, as `is_out`: it marks a provider when [`LlmError::stops_provider`] says so.
#[derive(Clone, Debug)]
pub struct RetryPlan {
    attempts_per_provider: u32,
    backoff: Backoff,
    current: usize,
    histories: Vec<History>,
    /// What was met before the row was put off.
    earlier: Vec<History>,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask this provider after a pause.
    Again {
        /// The provider's number.
        provider: usize,
        /// How long to wait first.
        after: Duration,
    },
    /// There is nobody left to ask: [`RetryPlan::reason`] says why.
    GiveUp,
}

/// Why an attempt brought no usable answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// No answer.
    #[error(transparent)]
    Llm(#[from] LlmError),
    /// An answer that does not fit.
    #[error("unusable answer: {0}")]
    BadAnswer(#[from] BadAnswer),
    /// The worker panicked. What it said may hold anything: it is for the log, not for a results table.
    #[error("internal fault, told in the log")]
    Panicked(String),
    /// The worker was stopped: it took longer than any request may.
    #[error("stopped after it hung")]
    TimedOut,
    /// The worker is gone without a word.
    #[error("the worker was lost")]
    Lost,
}

/// What a failure means for the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It may pass: the same provider after a pause; the provider's own wish for the pause wins.
    BackOff(Option<Duration>),
    /// Another answer may be better: the same provider at once.
    AskAgain,
    /// This provider will not answer this row: the next one.
    NextProvider,
    /// This provider will not answer any row: the next one, for all rows.
    ProviderOut,
}

impl RetryPlan {
    /// A plan over so many providers. At least one attempt is made with each.
    pub fn new(providers: usize, attempts_per_provider: u32) -> Self {
        Self {
            attempts_per_provider: attempts_per_provider.max(1),
            backoff: Backoff::default(),
            current: 0,
            histories: vec![History::default(); providers],
            earlier: Vec::new(),
        }
    }

    /// The row is put off: its attempts count anew, from the first provider on.
    pub fn start_over(&mut self) {
        let anew = vec![History::default(); self.histories.len()];
        self.earlier = std::mem::replace(&mut self.histories, anew);
        self.current = 0;
    }

    /// The same with other pauses.
    #[must_use]
    pub fn with_backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// The provider to ask now: the first from the one whose turn it is that is not out, and is not closed unless all
    /// are. None if all are out. It is its turn from now on.
    pub fn provider(
        &mut self,
        is_out: impl Fn(usize) -> bool,
        is_closed: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut left = (self.current..self.histories.len()).filter(|&n| !is_out(n));
        let first = left.clone().next()?;
        self.current = left.find(|&n| !is_closed(n)).unwrap_or(first);
        Some(self.current)
    }

    /// What follows a failed attempt with the provider last named. `fraction` is a random number of [0, 1).
    pub fn next(&mut self, failure: &Failure, fraction: f64, is_out: impl Fn(usize) -> bool) -> Next {
        let provider = self.current;
        let Some(history) = self.histories.get_mut(provider) else {
            return Next::GiveUp;
        };
        history.record(failure);
        let failed = history.attempts();
        let after = match failure.disposition() {
            Disposition::BackOff(asked) => self.backoff.pause(failed, fraction, asked),
            Disposition::AskAgain => Duration::ZERO,
            Disposition::NextProvider | Disposition::ProviderOut => {
                return self.move_to(provider + 1, is_out);
            }
        };
        if failed >= self.attempts_per_provider || history.is_enough_of(failure) || is_out(provider) {
            return self.move_to(provider + 1, is_out);
        }
        Next::Again { provider, after }
    }

    /// True if nothing but passing trouble kept the row from its answer: later it may fare better. An answer that does not
    /// fit after its repair either is such trouble only if `others_fit`, the answers to other rows.
    pub fn may_pass(&self, others_fit: bool) -> bool {
        let kinds = || self.histories.iter().flat_map(|history| history.0.iter());
        kinds().next().is_some()
            && kinds().all(|(failure, times)| match failure.disposition() {
                Disposition::BackOff(_) => true,
                Disposition::AskAgain => {
                    *times < 2 || (others_fit && matches!(failure, Failure::BadAnswer(_)))
                }
                Disposition::NextProvider | Disposition::ProviderOut => false,
            })
    }

    /// How long the next answer may be: one that was cut gets more room, once.
    pub fn room(&self) -> Room {
        if self.cuts() > 0 { Room::Double } else { Room::Usual }
    }

    /// Whether the next answer is asked to be brief: more room was not enough.
    pub fn wants_brevity(&self) -> bool {
        self.cuts() > 1
    }

    /// How many answers of the present provider were cut.
    fn cuts(&self) -> u32 {
        self.histories.get(self.current).map_or(0, |history| history.times(&LlmError::Truncated(0).into()))
    }

    /// Why there is no answer, provider by provider, as in `primary (gpt-x): rate limited (3 attempts);
    /// fallback (m): access refused`. `name` tells a provider's name.
    pub fn reason<N: Display>(&self, name: impl Fn(usize) -> N) -> String {
        if self.histories.is_empty() {
            return "no provider is configured".to_owned();
        }
        let is_asked = self.histories.iter().any(|history| history.attempts() > 0);
        let met = if is_asked || self.earlier.is_empty() { &self.histories } else { &self.earlier };
        let told = met.iter().enumerate().map(|(n, history)| format!("{}: {history}", name(n)));
        told.collect::<Vec<_>>().join("; ")
    }

    /// Attempts so far, with all providers.
    pub fn attempts(&self) -> u32 {
        self.histories.iter().map(History::attempts).sum()
    }

    fn move_to(&mut self, from: usize, is_out: impl Fn(usize) -> bool) -> Next {
        self.current = (from..self.histories.len()).find(|&n| !is_out(n)).unwrap_or(self.histories.len());
        if self.current == self.histories.len() {
            return Next::GiveUp;
        }
        Next::Again { provider: self.current, after: Duration::ZERO }
    }
}

impl Failure {
    /// What the failure means for the next attempt.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Llm(error) => error.disposition(),
            Self::BadAnswer(_) => Disposition::AskAgain,
            Self::Panicked(_) | Self::TimedOut | Self::Lost => Disposition::BackOff(None),
        }
    }

    /// True if the provider works and only wants to be asked later.
    pub fn asks_to_wait(&self) -> bool {
        matches!(self, Self::Llm(LlmError::RateLimited { .. } | LlmError::Busy { .. }))
    }

    fn same_kind(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Llm(left), Self::Llm(right)) => discriminant(left) == discriminant(right),
            (left, right) => discriminant(left) == discriminant(right),
        }
    }
}

impl LlmError {
    /// What the error means for the next attempt.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::RateLimited { retry_after }
            | Self::Busy { retry_after }
            | Self::Unavailable { retry_after, .. } => Disposition::BackOff(*retry_after),
            Self::Timeout(_) | Self::BadReply(_) => Disposition::BackOff(None),
            Self::Truncated(_) => Disposition::AskAgain,
            Self::TooLong(_) | Self::Refused(_) | Self::BadRequest(_) => Disposition::NextProvider,
            Self::Auth(_) | Self::Quota(_) | Self::UnknownModel(_) => Disposition::ProviderOut,
        }
    }

    /// Whether the provider is of no use to any row of this run.
    pub fn stops_provider(&self) -> bool {
        self.disposition() == Disposition::ProviderOut
    }
}

/// The failures with one provider by kind, in the order in which they first came: as many as there are
/// kinds, whatever the number of attempts.
#[derive(Clone, Debug, Default)]
struct History(Vec<(Failure, u32)>);

impl History {
    fn record(&mut self, failure: &Failure) {
        match self.0.iter_mut().find(|(known, _)| known.same_kind(failure)) {
            Some((known, times)) => {
                known.clone_from(failure);
                *times = times.saturating_add(1);
            }
            None => self.0.push((failure.clone(), 1)),
        }
    }

    fn attempts(&self) -> u32 {
        self.0.iter().map(|(_, times)| times).sum()
    }

    /// How often it failed like that.
    fn times(&self, failure: &Failure) -> u32 {
        self.0.iter().find(|(known, _)| known.same_kind(failure)).map_or(0, |(_, times)| *times)
    }

    /// An answer that does not fit is repaired once; one that was cut gets more room, and is then asked to be brief.
    fn is_enough_of(&self, failure: &Failure) -> bool {
        let most = match failure {
            Failure::BadAnswer(_) => 2,
            Failure::Llm(LlmError::Truncated(_)) => 3,
            Failure::Llm(_) | Failure::Panicked(_) | Failure::TimedOut | Failure::Lost => return false,
        };
        self.times(failure) >= most
    }
}

impl Display for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("not asked, it is out for this run");
        }
        for (nth, (failure, times)) in self.0.iter().enumerate() {
            let separator = if nth == 0 { "" } else { ", " };
            write!(f, "{separator}{failure}")?;
            if *times > 1 {
                write!(f, " ({times} attempts)")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
