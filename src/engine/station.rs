//! A station: a job's desk and the actors of its table. Stations come and go with the settings; the dispatcher, the workers
//! and the store are there for all of them.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use super::board::Board;
use super::cache::{CacheActor, Recall, persist};
use super::clock::Clock;
use super::desk::Desk;
use super::dispatcher::{Dismiss, Dispatcher, Employ};
use super::event::{Bus, Event, Hub};
use super::parts::{Parts, Provider};
use super::reader::SheetReader;
use super::supervise::{Exit, RestartPolicy, supervise};
use super::worker::LlmWorker;
use super::writer::{Writer, WriterParams};
use crate::llm::lane::LaneMemory;
use crate::table::TableSink;

/// Limbs come back quickly and often: a row that kills workers is given up long before its worker is.
pub(super) const LIMB: RestartPolicy = RestartPolicy {
    budget: 100,
    window: Duration::from_secs(60),
    pause: Duration::from_millis(100),
    max_pause: Duration::from_secs(5),
};
/// The spine comes back for the next run; the present one ends.
pub(super) const SPINE: RestartPolicy = RestartPolicy { budget: 20, ..LIMB };

/// One message in flight for each sender is what the protocol allows; a little more costs nothing.
pub(super) const MAILBOX: usize = 16;

/// A job with its table.
pub(super) struct Station {
    pub(super) desk: Arc<Desk>,
    pub(super) reader: Option<Addr<SheetReader>>,
    pub(super) writer: Option<Addr<Writer>>,
    pub(super) preview: Option<Addr<Writer>>,
}

/// All stations, and what they share.
pub(super) struct Stations {
    pub(super) hub: Hub,
    pub(super) board: Arc<Board>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cache: Addr<CacheActor>,
    pub(super) dispatcher: Addr<Dispatcher>,
    pub(super) workers: usize,
    pub(super) all: Vec<Arc<Station>>,
}

impl Stations {
    /// From now on these are the jobs. Runs that are under way keep the stations that they began with.
    pub(super) async fn replace(&mut self, jobs: Vec<Parts>) {
        let mut stations = Vec::with_capacity(jobs.len());
        for parts in jobs {
            stations.extend(self.set_up(parts).await.map(Arc::new));
        }
        for before in std::mem::replace(&mut self.all, stations) {
            self.dispatcher.send(Dismiss(before.desk.place.line)).await.ok(); // it may be dead, and is empty then
        }
        let desks: Vec<Arc<Desk>> = self.all.iter().map(|station| Arc::clone(&station.desk)).collect();
        self.board.show_desks(&desks);
    }

    /// The station of a job; of the first one, where none is named.
    pub(super) fn of(&self, job: Option<&str>) -> Option<&Arc<Station>> {
        self.all.iter().find(|station| job.is_none_or(|job| *station.desk.job == *job))
    }

    /// Starts the actors of a job's table, and those workers that it has room for and that are not there yet. None if the
    /// dispatcher is gone for good: nothing works then.
    async fn set_up(&mut self, parts: Parts) -> Option<Station> {
        let Parts { source, sink, preview, limits, providers, .. } = parts;
        let job: Arc<str> = parts.job.into();
        let bus = self.hub.bus(&job, limits.max_workers);
        let source_name = source.as_ref().map(|source| source.name()).unwrap_or_default();
        let target = sink.as_ref().map(|sink| sink.name()).unwrap_or_default();
        let writer = |sink: Box<dyn TableSink>| {
            let params = WriterParams {
                batch_size: limits.batch_size,
                commit_interval: limits.commit_interval,
                patience: limits.sink_patience,
            };
            let actor = Writer::new(sink, self.cache.clone(), params, bus.clone());
            supervise(LIMB, of_job("writer", &bus), MAILBOX, |_| actor)
        };
        let (writer, preview) = (sink.map(writer), preview.map(writer));
        let reader = source.map(|source| {
            let actor = SheetReader::new(source, self.dispatcher.clone(), bus.clone());
            supervise(SPINE, of_job("reader", &bus), MAILBOX, |_| actor)
        });
        let workers = (self.workers..limits.max_workers)
            .map(|number| supervise(LIMB, of_all("worker", &self.hub), MAILBOX, |_| LlmWorker::new(number)))
            .collect();
        self.workers = self.workers.max(limits.max_workers);
        let memories = self.memories(&providers).await;
        let employ = Employ { providers: providers.clone(), memories, workers };
        let place = self.dispatcher.send(employ).await.ok()?;
        let desk = Arc::new(Desk {
            job,
            rulebook: parts.rulebook,
            allowed_statuses: parts.allowed_statuses,
            columns: parts.columns,
            wording: parts.wording,
            as_of: parts.as_of,
            unknown: parts.unknown,
            limits,
            source: source_name.into(),
            target: target.into(),
            providers,
            place,
            bus,
            clock: Arc::clone(&self.clock),
        });
        Some(Station { desk, reader, writer, preview })
    }

    /// What earlier runs learnt of the providers. What cannot be read is found out again.
    async fn memories(&self, providers: &[Provider]) -> Vec<Option<LaneMemory>> {
        let keys: Vec<String> = providers.iter().map(Provider::memory_key).collect();
        let notes = persist(self.cache.clone(), Recall(keys)).await;
        let read = |json: Option<String>| LaneMemory::read(&json?);
        notes.map_or_else(
            |_| providers.iter().map(|_| None).collect(),
            |notes| notes.into_iter().map(read).collect(),
        )
    }
}

/// Turns the exits of an actor that all jobs share into events.
pub(super) fn of_all(actor: &'static str, hub: &Hub) -> impl Fn(Exit) + Send + use<> {
    let hub = hub.clone();
    move |exit| hub.emit(event(actor, exit))
}

/// Turns the exits of an actor of one job into events.
fn of_job(actor: &'static str, bus: &Bus) -> impl Fn(Exit) + Send + use<> {
    let bus = bus.clone();
    move |exit| bus.emit(event(actor, exit))
}

fn event(actor: &'static str, exit: Exit) -> Event {
    match exit {
        Exit::Restarting { panic } => {
            tracing::warn!(actor, panic = panic.as_deref().unwrap_or("none"), "actor restarts");
            Event::Restarted { actor, panic }
        }
        Exit::GivenUp { panic } => {
            tracing::error!(actor, panic = panic.as_deref().unwrap_or("none"), "actor is given up");
            Event::GivenUp { actor }
        }
    }
}
