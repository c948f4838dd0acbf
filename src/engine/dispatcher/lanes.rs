//! The lanes to the providers: one for each account and model, whichever jobs use it.

use std::sync::Arc;

use actix::Addr;

use super::super::board::{Board, LaneState};
use super::super::cache::{CacheActor, Remember, persist};
use super::super::desk::Desk;
use super::super::event::Event;
use super::super::parts::Provider;
use super::super::schedule::Moment;
use super::RunContext;
use crate::llm::lane::{Errand, Lane, LaneMemory};

/// All lanes, and who uses them.
pub(super) struct Lanes {
    lanes: Vec<Way>,
    /// The lanes that the desks of each crew use, in their order.
    crews: Vec<Vec<usize>>,
    /// How many workers there are.
    slots: usize,
    board: Arc<Board>,
}

struct Way {
    lane: Lane,
    /// To whom it leads.
    provider: Provider,
}

impl Lanes {
    pub(super) fn new(board: Arc<Board>) -> Self {
        Self { lanes: Vec::new(), crews: Vec::new(), slots: 0, board }
    }

    /// A desk with these providers is set up, in a pool of so many workers. Gives its lanes and its crew.
    pub(super) fn employ(
        &mut self,
        providers: &[Provider],
        memories: Vec<Option<LaneMemory>>,
        slots: usize,
        now: Moment,
    ) -> (Vec<usize>, usize) {
        self.slots = slots;
        self.lanes.iter_mut().for_each(|way| way.lane.widen(slots));
        let lanes: Vec<usize> = providers
            .iter()
            .zip(memories)
            .map(|(provider, memory)| {
                if let Some(model) = memory.as_ref().and_then(|memory| memory.model.as_ref()) {
                    provider.model.recall(model);
                }
                let known = |way: &Way| way.provider.memory_key() == provider.memory_key();
                self.lanes.iter().position(known).unwrap_or_else(|| {
                    let lane = provider.lane(slots, memory.map(|memory| memory.pace), now);
                    self.lanes.push(Way { lane, provider: provider.clone() });
                    self.lanes.len() - 1
                })
            })
            .collect();
        let crew = self.crews.iter().position(|crew| *crew == lanes).unwrap_or_else(|| {
            self.crews.push(lanes.clone());
            self.crews.len() - 1
        });
        lanes.iter().for_each(|lane| self.show(*lane, now));
        (lanes, crew)
    }

    pub(super) fn len(&self) -> usize {
        self.lanes.len()
    }

    pub(super) fn get(&self, lane: usize) -> Option<&Lane> {
        self.lanes.get(lane).map(|way| &way.lane)
    }

    pub(super) fn get_mut(&mut self, lane: usize) -> Option<&mut Lane> {
        self.lanes.get_mut(lane).map(|way| &mut way.lane)
    }

    /// A run begins: its lanes learn how much is to be expected, and whether somebody has to go first.
    pub(super) fn begin(&mut self, context: &RunContext) {
        let desk = &context.desk;
        let tally = desk.bus.tally();
        let expected = tally.rows_expected.or(tally.rows_at_most).unwrap_or(ROWS);
        let expected = context.limit.map_or(expected, |limit| limit.min(expected));
        for (provider, lane) in desk.providers.iter().zip(&desk.place.lanes) {
            let Some(Way { lane, .. }) = self.lanes.get_mut(*lane) else { continue };
            let places = provider.model.spread(likely_rate(lane, expected));
            let errand = match () {
                () if provider.model.keeps(context.judge.prompt()) => Some(Errand::Prime(places)),
                () if !provider.model.is_known() => Some(Errand::Negotiate),
                () => None,
            };
            lane.begin(expected, errand);
        }
    }

    /// Keeps what was learnt of a desk's providers for the next run.
    pub(super) fn remember(&mut self, desk: &Desk, cache: &Addr<CacheActor>, now: Moment) {
        for (number, (provider, lane)) in desk.providers.iter().zip(&desk.place.lanes).enumerate() {
            let Some(Way { lane, .. }) = self.lanes.get_mut(*lane) else { continue };
            let requests_per_minute = lane.requests_per_minute();
            desk.bus.emit(Event::Pace { provider: number, requests_per_minute });
            let memory = LaneMemory::new(lane.learnt(now), provider.model.memory());
            let Ok(json) = serde_json::to_string(&memory) else { continue };
            // Nobody waits: without it the next run finds out again.
            actix_rt::spawn(persist(cache.clone(), Remember { key: provider.memory_key(), json }));
        }
    }

    /// Calls that are under way do not come back: what was learnt is all that stays.
    pub(super) fn start_over(&mut self, now: Moment) {
        for way in &mut self.lanes {
            way.lane = way.provider.lane(self.slots, Some(way.lane.learnt(now)), now);
        }
    }

    /// Shows people how a lane stands.
    pub(super) fn show(&self, number: usize, now: Moment) {
        let Some(Way { lane, provider }) = self.lanes.get(number) else { return };
        let state = LaneState {
            provider: provider.model.id().clone(),
            in_flight: lane.in_flight(),
            requests_per_minute: lane.requests_per_minute(),
            paused_until: now + lane.pause(now),
            is_open: lane.is_open(),
            is_given_up: lane.is_given_up(),
        };
        self.board.show_lane(number, state);
    }
}

/// How many requests a minute will be sent, as far as that can be told. A short run is taken to last two minutes at least:
/// otherwise each place would be shown the prompt and hardly use it.
fn likely_rate(lane: &Lane, expected: u64) -> f64 {
    lane.requests_per_minute().unwrap_or_default().min(expected as f64 / 2.0)
}

/// So many rows are taken to be there where the source does not say.
const ROWS: u64 = 1000;
