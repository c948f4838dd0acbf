//! A local stand-in for the services that Status Validator talks to, to try, test and measure against.
//!
//! One port serves Google's token endpoint (`/token`), Google Sheets and the Drive that goes with it (`/v4/`,
//! `/drive/`), and an OpenAI-compatible model (`/v1/`). [`sheets`] is the model of Sheets, pure; the rest brings calls
//! to it: over sockets ([`Sandbox::serve`]) or within the process ([`Sandbox::connect`]), where tokio's clock may
//! be paused.
//!
//! Whoever reaches it may do everything: a token that it did not give is taken for a guest's, so that tools which replay
//! recordings or cannot sign in may be tried against it ([`Tokens::Own`] refuses them). That pages of the web do not
//! reach it, too, is seen to by the names that it answers for ([`SandboxParams::any_host`]).
//!
//! - `server`, `reply`: HTTP; `hosts`: for which names it answers. `oauth`, `key`: signing in, with a key that is made at the start; `quota`: quotas of a minute.
//! - `fault`, [`spec`]: what goes wrong and when; in a program by a [`Script`], on the command line by words.
//! - [`model`]: a chat service, pure; `chat` brings requests to it. [`setup`]: tables and settings to begin with.

mod chat;
mod fault;
mod hosts;
mod key;
pub mod model;
mod oauth;
mod quota;
mod reply;
mod server;
pub mod setup;
pub mod sheets;
pub mod spec;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::time::Instant;

pub use fault::{Arrival, Door, Fault, Script};
pub use key::{ACCOUNT, ThrowAwayKey};
pub use oauth::Tokens;
pub use quota::Quota;
pub use server::Seen;
pub use setup::{Setup, SetupError};
pub use spec::{FaultScript, FaultSpec, SpecError};

use model::{Behaviour, Golden, Model};
use oauth::Desk;
use sheets::Office;

/// A sandbox. Clones are the same one.
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    started: Instant,
    skew: SignedDuration,
    quota: Option<Quota>,
    remembers: bool,
    any_host: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    office: Office,
    desk: Desk,
    script: Option<Box<dyn Script>>,
    usage: quota::Usage,
    seen: Vec<Seen>,
    counts: [u64; 4],
    model: Model,
}

/// How a sandbox behaves.
#[derive(Clone, Debug)]
pub struct SandboxParams {
    /// The account's key.
    pub key: ThrowAwayKey,
    /// Ids and tokens come from it.
    pub seed: u64,
    /// Quotas; none by default, since tools that are tried here have no patience.
    pub quota: Option<Quota>,
    /// How long an access token is good. Google gives an hour.
    pub token_lifetime: Duration,
    /// Which access tokens are taken.
    pub tokens: Tokens,
    /// How far the sandbox's clock is ahead of this machine's, where it judges signed claims.
    pub skew: SignedDuration,
    /// Whether requests are remembered, for [`Sandbox::seen`].
    pub remembers: bool,
    /// Whether requests over sockets may be for any host. If not, only those for the address that is listened on and
    /// for `localhost` are answered, so that no page of the web gets in by a name that leads here.
    pub any_host: bool,
}

impl SandboxParams {
    /// A sandbox without quotas whose clock is right.
    pub fn new(key: ThrowAwayKey) -> Self {
        Self {
            key,
            seed: 1,
            quota: None,
            token_lifetime: Duration::from_secs(3599),
            tokens: Tokens::Any,
            skew: SignedDuration::ZERO,
            remembers: true,
            any_host: false,
        }
    }
}

impl Sandbox {
    /// A sandbox without spreadsheets.
    pub fn new(params: SandboxParams) -> Self {
        let SandboxParams { key, seed, quota, token_lifetime, tokens, skew, remembers, any_host } = params;
        let mut office = Office::new(seed);
        office.set_user(ACCOUNT);
        let inner = Inner {
            office,
            desk: Desk::new(key, seed, token_lifetime, tokens),
            script: None,
            usage: quota::Usage::default(),
            seen: Vec::new(),
            counts: [0; 4],
            model: Model::new(),
        };
        let (started, inner) = (Instant::now(), Mutex::new(inner));
        Self(Arc::new(Shared { started, skew, quota, remembers, any_host, inner }))
    }

    /// Serves connections until `stop` is ready.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        server::serve(self.clone(), listener, stop).await;
    }

    /// A connection within this process: the client's end. The other one is served by a task of the present
    /// tokio runtime.
    pub fn connect(&self) -> DuplexStream {
        server::connect(self.clone())
    }

    /// Looks at the office, or changes it, between two requests.
    pub fn with_office<T>(&self, work: impl FnOnce(&mut Office) -> T) -> T {
        work(&mut self.lock().office)
    }

    /// From now on this script decides about each request. It has the office to itself while it decides, so it must
    /// not call the sandbox.
    pub fn set_script(&self, script: impl Script + 'static) {
        self.lock().script = Some(Box::new(script));
    }

    /// From now on nothing goes wrong.
    pub fn clear_script(&self) {
        self.lock().script = None;
    }

    /// How the model behaves.
    pub fn behaviour(&self) -> Behaviour {
        self.lock().model.behaviour().clone()
    }

    /// From now on the model behaves like this.
    ///
    /// # Errors
    /// If one of its faults has no meaning, or a figure makes no sense. Then nothing changes.
    pub fn behave(&self, behaviour: Behaviour) -> Result<(), SpecError> {
        self.lock().model.behave(behaviour)
    }

    /// From now on the model knows these rows.
    pub fn learn(&self, golden: Golden) {
        self.lock().model.learn(golden);
    }

    /// The account is deleted: nobody signs in with it any more.
    pub fn delete_account(&self) {
        self.lock().desk.delete_account();
    }

    /// Every token given so far is refused from now on.
    pub fn revoke_tokens(&self) {
        self.lock().desk.revoke_tokens();
    }

    /// The requests so far, in the order in which they arrived.
    pub fn seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    /// Forgets the requests so far.
    pub fn clear_seen(&self) {
        self.lock().seen.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.0.started.elapsed()
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}
