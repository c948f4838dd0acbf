//! The run that is under way: what it may still do, has spent, and has learnt of its providers.

use std::sync::Arc;

use super::super::request::Mode;
use super::{Halted, RunContext};
use crate::domain::money::MicroUsd;

/// The present run.
pub(super) struct Present {
    pub(super) context: Arc<RunContext>,
    pub(super) limit: Option<u64>,
    pub(super) halted: Option<Halted>,
    /// What its calls have cost, or may cost while they are under way.
    pub(super) spent: MicroUsd,
    /// Why a provider is out, by provider.
    pub(super) out: Vec<Option<String>>,
    /// Answers that fit, and those that did not.
    pub(super) fit: u64,
    pub(super) unfit: u64,
    /// Tokens of the static part of a prompt; only a plan wants to know.
    pub(super) fixed_tokens: u64,
}

impl Present {
    /// A run that begins, with so many providers.
    pub(super) fn new(context: RunContext, providers: usize) -> Self {
        let fixed_tokens = match context.mode {
            Mode::Plan => context.judge.prompt().tokens(),
            Mode::Full | Mode::DryRun => 0,
        };
        Self {
            limit: context.limit,
            context: Arc::new(context),
            halted: None,
            spent: MicroUsd::default(),
            out: vec![None; providers],
            fit: 0,
            unfit: 0,
            fixed_tokens,
        }
    }

    /// True if an answer that does not fit is an exception.
    pub(super) fn answers_mostly_fit(&self) -> bool {
        self.unfit * 4 <= self.fit
    }
}
