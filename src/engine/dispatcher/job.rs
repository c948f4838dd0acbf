//! A row inside: what it is, whose it is, and how far it has come.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::super::desk::Desk;
use super::super::event::Event;
use super::super::parts::Provider;
use super::super::schedule::{Flight, LineId, Moment};
use super::{NoRoom, RunContext};
use crate::domain::entry::Entry;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::judge::Judge;
use crate::domain::money::MicroUsd;
use crate::domain::outcome::Outcome;
use crate::domain::rules::CodeReview;
use crate::llm::pace::Ticket;
use crate::llm::retry::RetryPlan;
use crate::store::{Attempt, StoredAnswer};

/// A row inside.
pub(super) struct Job {
    pub(super) entry: Arc<Entry>,
    pub(super) review: Arc<CodeReview>,
    pub(super) judge: Arc<Judge>,
    /// Zero for a row that asks no model.
    pub(super) asks: Fingerprint,
    pub(super) desk: Arc<Desk>,
    pub(super) line: LineId,
    pub(super) whose: Whose,
    pub(super) plan: RetryPlan,
    /// The provider that is asked, or was asked last; of those of the desk.
    pub(super) provider: usize,
    /// The lane's word that the call may be made; it goes back with the call's end.
    pub(super) ticket: Option<Ticket>,
    /// How often a provider asked to wait, and when the first call was made.
    pub(super) refusals: u32,
    /// How often all attempts were in vain, and the row was put off.
    pub(super) put_off: u32,
    pub(super) asked_since: Option<Moment>,
    pub(super) hint: Option<String>,
    /// The ledger's entry for the call that is under way.
    pub(super) attempt: Option<Attempt>,
    /// The length of its prompt; known once the row is queued.
    pub(super) prompt_bytes: usize,
    /// What that call may cost.
    pub(super) estimate: MicroUsd,
    /// When it began.
    pub(super) called_at: Moment,
    /// An answer that is not fresh enough, but better than none if no new one can be had.
    pub(super) fallback: Option<StoredAnswer>,
}

/// To whom a row belongs.
pub(super) enum Whose {
    /// To a run.
    Run(Arc<RunContext>),
    /// To somebody who sent it alone and waits for its outcome.
    Sender(Sender),
}

pub(super) struct Sender {
    pub(super) reply: oneshot::Sender<Result<Outcome, NoRoom>>,
    /// What all calls may have cost when the day's cap is reached.
    pub(super) most: Option<MicroUsd>,
}

impl Job {
    pub(super) fn run(&self) -> Option<&Arc<RunContext>> {
        match &self.whose {
            Whose::Run(run) => Some(run),
            Whose::Sender(_) => None,
        }
    }

    pub(super) fn flight(&self) -> Flight {
        Flight { asks: self.asks, crew: self.desk.place.crew }
    }

    /// The provider that is asked, or was asked last.
    pub(super) fn asked(&self) -> Option<&Provider> {
        self.desk.providers.get(self.provider)
    }

    /// The way to it.
    pub(super) fn lane(&self) -> Option<usize> {
        self.desk.place.lanes.get(self.provider).copied()
    }

    /// Something happened to the row.
    pub(super) fn emit(&self, event: Event) {
        match &self.whose {
            Whose::Run(_) => self.desk.bus.emit(event),
            Whose::Sender(_) => self.desk.bus.show(event),
        }
    }
}
