//! CacheActor: owns the SQLite connection, alone, so there are no locks.
//!
//! - Owns: the [`Store`]. In production it lives on an arbiter of its own, so that a slow disk stops nobody.
//! - Receives: everything the engine wants to know or keep. Sends: nothing.
//! - Bound: the senders' own: each waits for its reply before it sends the next message of its kind.
//! - On panic: the transaction in work is rolled back, the file is opened afresh, its sender sees `Closed`
//!   and may send again: every message is safe to repeat.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use super::clock::Clock;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::key::RowKey;
use crate::domain::money::{MicroUsd, Usage};
use crate::fault::{self, Point};
use crate::store::{
    Attempt, Known, OutboxEntry, Recovery, Results, RunStart, Sending, Store, StoreError, StoredAnswer,
    Unknown, WriteId,
};

/// Opens the store; called again after a panic.
pub type StoreFactory = Arc<dyn Fn() -> Result<Store, StoreError> + Send + Sync>;

type Kept<T> = Result<T, Arc<StoreError>>;

/// What is known of these questions? The reply has one entry for each, in order.
#[derive(Clone, Message)]
#[rtype(result = "Kept<Vec<Known>>")]
pub(crate) struct Lookup(pub(crate) Vec<Fingerprint>);

/// A request is about to leave. The reply means the ledger says so, durably.
#[derive(Clone, Message)]
#[rtype(result = "Kept<Attempt>")]
pub(crate) struct Sent(pub(crate) Sending);

/// An answer has arrived. The reply means it is durable, together with its outbox entries.
#[derive(Clone, Message)]
#[rtype(result = "Kept<()>")]
pub(crate) struct Keep {
    pub(crate) attempt: Attempt,
    pub(crate) answer: StoredAnswer,
    /// What came of it for the row and for those that ask the same.
    pub(crate) results: Results,
}

/// An attempt ended without an answer.
#[derive(Clone, Message)]
#[rtype(result = "Kept<()>")]
pub(crate) struct Release {
    pub(crate) attempt: Attempt,
    pub(crate) error: String,
    /// The provider may have been paid all the same.
    pub(crate) maybe_paid: bool,
}

/// An answer was paid for but cannot be used.
#[derive(Clone, Message)]
#[rtype(result = "Kept<()>")]
pub(crate) struct Reject {
    pub(crate) attempt: Attempt,
    pub(crate) usage: Usage,
    pub(crate) cost: MicroUsd,
    pub(crate) why: String,
}

/// The table has these rows: their outbox entries are done with.
#[derive(Clone, Message)]
#[rtype(result = "Kept<()>")]
pub(crate) struct Confirm {
    pub(crate) target: Arc<str>,
    pub(crate) entries: Vec<(RowKey, WriteId)>,
}

/// Results that an earlier run could not bring to the table: a page of them, after this key.
#[derive(Clone, Message)]
#[rtype(result = "Kept<Vec<OutboxEntry>>")]
pub(crate) struct Pending {
    pub(crate) target: Arc<str>,
    pub(crate) after: Option<RowKey>,
    pub(crate) limit: usize,
}

/// A commit of a table begins, or has ended; while it is under way, its effect may come late.
#[derive(Clone, Message)]
#[rtype(result = "Kept<()>")]
pub(crate) struct NoteCommit {
    pub(crate) target: Arc<str>,
    pub(crate) under_way: bool,
}

/// How long ago did a commit of this table begin that is not known to have ended?
#[derive(Clone, Message)]
#[rtype(result = "Kept<Option<Duration>>")]
pub(crate) struct CommitUnderWay(pub(crate) Arc<str>);

/// A run begins.
#[derive(Clone, Message)]
#[rtype(result = "Kept<Recovery>")]
pub(crate) struct BeginRun(pub(crate) RunStart, pub(crate) Unknown);

/// A run has ended.
#[derive(Clone, Message)]
#[rtype(result = "Kept<()>")]
pub(crate) struct EndRun {
    pub(crate) run_id: String,
    pub(crate) outcome: &'static str,
    pub(crate) report: String,
}

/// What was spent since then? Calls without a bill count as estimated.
#[derive(Clone, Message)]
#[rtype(result = "Kept<MicroUsd>")]
pub(crate) struct SpentSince(pub(crate) jiff::Timestamp);

/// Is any answer known at all?
#[derive(Clone, Message)]
#[rtype(result = "Kept<bool>")]
pub(crate) struct HasAnswers;

/// Keep this note for later runs.
#[derive(Clone, Message)]
#[rtype(result = "Kept<()>")]
pub(crate) struct Remember {
    pub(crate) key: String,
    pub(crate) json: String,
}

/// What do these notes of earlier runs say? The reply has one entry for each, in order.
#[derive(Clone, Message)]
#[rtype(result = "Kept<Vec<Option<String>>>")]
pub(crate) struct Recall(pub(crate) Vec<String>);

/// Look something up for people. It must be quick: everything else waits.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Inspect(pub(crate) Look);

/// Looks at the store, or learns why it cannot.
pub(crate) type Look = Box<dyn FnOnce(Kept<&mut Store>) + Send>;

/// Close the file. The reply means it is closed; nothing is kept after it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Close;

/// How often a message is sent when the cache dies over it.
const TRIES: u32 = 3;

/// Sends a message again if the cache dies over it: every message is safe to repeat.
pub(crate) async fn persist<M, T>(cache: Addr<CacheActor>, message: M) -> Kept<T>
where
    M: Message<Result = Kept<T>> + Clone + Send + 'static,
    CacheActor: Handler<M>,
    T: Send + 'static,
{
    for _ in 1..TRIES {
        if let Ok(reply) = cache.send(message.clone()).await {
            return reply;
        }
    }
    cache.send(message).await.unwrap_or_else(|_| Err(closed()))
}

/// The actor.
pub(crate) struct CacheActor {
    open: StoreFactory,
    clock: Arc<dyn Clock>,
    store: Option<Store>,
    closed: bool,
}

impl CacheActor {
    /// An actor for a store that is open already, and the way to open it again.
    pub(crate) fn new(store: Store, open: StoreFactory, clock: Arc<dyn Clock>) -> Self {
        Self { open, clock, store: Some(store), closed: false }
    }

    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Store, jiff::Timestamp) -> Result<T, StoreError>,
    ) -> Kept<T> {
        let now = self.clock.now();
        work(self.store()?, now).map_err(Arc::new)
    }

    fn store(&mut self) -> Kept<&mut Store> {
        if self.store.is_none() && !self.closed {
            self.store = Some((self.open)().map_err(Arc::new)?);
        }
        self.store.as_mut().ok_or_else(closed)
    }
}

fn closed() -> Arc<StoreError> {
    Arc::new(StoreError::Unexpected {
        path: PathBuf::new(),
        detail: "the store is closed, or fails again and again".to_owned(),
    })
}

impl Actor for CacheActor {
    type Context = Context<Self>;
}

impl Supervised for CacheActor {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        self.store = None; // opened again by the next message, which can say why if that fails
    }
}

impl Handler<Lookup> for CacheActor {
    type Result = Kept<Vec<Known>>;

    fn handle(&mut self, Lookup(asked): Lookup, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, now| store.lookup(&asked, now))
    }
}

impl Handler<Sent> for CacheActor {
    type Result = Kept<Attempt>;

    fn handle(&mut self, Sent(sending): Sent, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, now| store.send(&sending, now))
    }
}

impl Handler<Keep> for CacheActor {
    type Result = Kept<()>;

    fn handle(&mut self, keep: Keep, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, now| {
            store.answer(&keep.attempt, &keep.answer, &keep.results, now)?;
            fault::pass(Point::OutboxWritten);
            Ok(())
        })
    }
}

impl Handler<Release> for CacheActor {
    type Result = Kept<()>;

    fn handle(&mut self, release: Release, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, now| store.release(&release.attempt, &release.error, release.maybe_paid, now))
    }
}

impl Handler<Reject> for CacheActor {
    type Result = Kept<()>;

    fn handle(&mut self, call: Reject, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, now| store.reject(&call.attempt, call.usage, call.cost, &call.why, now))
    }
}

impl Handler<Confirm> for CacheActor {
    type Result = Kept<()>;

    fn handle(&mut self, confirm: Confirm, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, _| store.confirm(&confirm.target, &confirm.entries).map(drop))
    }
}

impl Handler<Pending> for CacheActor {
    type Result = Kept<Vec<OutboxEntry>>;

    fn handle(&mut self, page: Pending, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, _| store.pending(&page.target, page.after.as_ref(), page.limit))
    }
}

impl Handler<NoteCommit> for CacheActor {
    type Result = Kept<()>;

    fn handle(&mut self, note: NoteCommit, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, now| match note.under_way {
            true => store.begin_commit(&note.target, now),
            false => store.end_commit(&note.target),
        })
    }
}

impl Handler<CommitUnderWay> for CacheActor {
    type Result = Kept<Option<Duration>>;

    fn handle(&mut self, CommitUnderWay(target): CommitUnderWay, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, now| {
            let began = store.commit_under_way(&target)?;
            Ok(began.map(|began| Duration::try_from(now.duration_since(began)).unwrap_or_default()))
        })
    }
}

impl Handler<BeginRun> for CacheActor {
    type Result = Kept<Recovery>;

    fn handle(&mut self, BeginRun(start, unknown): BeginRun, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, now| store.begin_run(&start, unknown, now))
    }
}

impl Handler<EndRun> for CacheActor {
    type Result = Kept<()>;

    fn handle(&mut self, end: EndRun, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, now| store.end_run(&end.run_id, end.outcome, &end.report, now).map(drop))
    }
}

impl Handler<SpentSince> for CacheActor {
    type Result = Kept<MicroUsd>;

    fn handle(&mut self, SpentSince(since): SpentSince, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, _| store.spent_since(since))
    }
}

impl Handler<HasAnswers> for CacheActor {
    type Result = Kept<bool>;

    fn handle(&mut self, _: HasAnswers, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, _| store.has_answers())
    }
}

impl Handler<Remember> for CacheActor {
    type Result = Kept<()>;

    fn handle(&mut self, Remember { key, json }: Remember, _ctx: &mut Self::Context) -> Self::Result {
        self.with(|store, now| store.remember(&key, &json, now))
    }
}

impl Handler<Recall> for CacheActor {
    type Result = Kept<Vec<Option<String>>>;

    fn handle(&mut self, Recall(keys): Recall, _ctx: &mut Self::Context) -> Self::Result {
        let store = self.store()?;
        keys.iter().map(|key| Ok(store.recall(key).map_err(Arc::new)?.map(|note| note.json))).collect()
    }
}

impl Handler<Inspect> for CacheActor {
    type Result = ();

    fn handle(&mut self, Inspect(look): Inspect, _ctx: &mut Self::Context) {
        look(self.store());
    }
}

impl Handler<Close> for CacheActor {
    type Result = ();

    fn handle(&mut self, _: Close, _ctx: &mut Self::Context) -> Self::Result {
        self.closed = true;
        fault::pass(Point::StoreCloses);
        self.store = None;
        fault::pass(Point::StoreCloses);
    }
}
