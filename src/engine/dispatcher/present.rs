//! A run that is under way: what it may still do, has spent, and has learnt of its providers.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::super::request::Mode;
use super::super::writer::{Record, Recorded};
use super::{Halted, RunContext};
use crate::domain::money::MicroUsd;

/// A run.
pub(super) struct Present {
    pub(super) context: Arc<RunContext>,
    pub(super) limit: Option<u64>,
    pub(super) halted: Option<Halted>,
    /// What its calls have cost, or may cost while they are under way.
    spent: MicroUsd,
    /// What all calls, also those of others, may have cost when the day's cap is reached.
    most: Option<MicroUsd>,
    /// Why a provider is out, by provider.
    pub(super) out: Vec<Option<String>>,
    /// Answers that fit, and those that did not.
    pub(super) fit: u64,
    pub(super) unfit: u64,
    /// Tokens of the static part of a prompt; only a plan wants to know.
    pub(super) fixed_tokens: u64,
    /// Results that no `Record` carries yet.
    pub(super) outbound: VecDeque<Recorded>,
    /// The `Record` that the writer has not taken yet.
    pub(super) recording: Option<Record>,
    /// Who waits for room, and for the end.
    pub(super) offers: VecDeque<oneshot::Sender<()>>,
    pub(super) finish: Option<oneshot::Sender<()>>,
}

impl Present {
    /// A run that begins when all calls have cost so much.
    pub(super) fn new(context: RunContext, spent_by_all: MicroUsd) -> Self {
        let fixed_tokens = match context.mode {
            Mode::Plan => context.judge.prompt().tokens(),
            Mode::Full | Mode::DryRun => 0,
        };
        Self {
            limit: context.limit,
            halted: None,
            spent: MicroUsd::default(),
            most: context.left_today.map(|left| spent_by_all + left),
            out: vec![None; context.desk.providers.len()],
            fit: 0,
            unfit: 0,
            fixed_tokens,
            outbound: VecDeque::new(),
            recording: None,
            offers: VecDeque::new(),
            finish: None,
            context: Arc::new(context),
        }
    }

    /// Results on their way to the writer.
    pub(super) fn on_their_way(&self) -> usize {
        self.outbound.len() + self.recording.as_ref().map_or(0, |record| record.0.len())
    }

    /// True if answers that do not fit are an exception.
    pub(super) fn answers_mostly_fit(&self) -> bool {
        self.unfit * 4 <= self.fit
    }

    /// Takes what a call may cost from the budget; false if there is not enough left of it, or of the day's.
    pub(super) fn afford(&mut self, estimate: MicroUsd, spent_by_all: MicroUsd) -> bool {
        let spent = self.spent + estimate;
        let is_enough = self.context.budget.is_none_or(|budget| spent <= budget)
            && self.most.is_none_or(|most| spent_by_all + estimate <= most);
        if is_enough {
            self.spent = spent;
        }
        is_enough
    }

    /// What a call cost takes the place of what it could have cost.
    pub(super) fn settle_up(&mut self, estimate: MicroUsd, cost: MicroUsd) {
        self.spent = MicroUsd(self.spent.0.saturating_sub(estimate.0)) + cost;
    }
}
