//! Supervision: an actor that panics or stops is started again on the same address, after a pause and
//! within a budget.
//!
//! actix's own `Supervisor` ends when its actor panics and restarts without a pause or a limit when it
//! stops. This one polls the actor's context under `catch_unwind`; a caught panic does not run
//! `stopping` or `stopped`, so whatever must be put in order belongs in `restarting`. Futures that the
//! actor spawned and the message in work are lost with the panic (their senders see `Closed`); messages
//! still in the mailbox are kept.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use actix::dev::{ContextFut, channel};
use actix::{Actor, Addr, ArbiterHandle, Context, Supervised};
use tokio::time::{Instant, Sleep};

/// How often an actor may be restarted, and how soon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RestartPolicy {
    /// Restarts allowed within `window`; one more and the actor is given up.
    pub(crate) budget: u32,
    /// The budget and the pause start anew with each window; one begins with its first restart.
    pub(crate) window: Duration,
    /// The pause before the second restart in a window; doubles with each further one. The first is
    /// immediate: most failures are one row's.
    pub(crate) pause: Duration,
    /// The longest pause.
    pub(crate) max_pause: Duration,
}

impl RestartPolicy {
    fn pause_before(&self, restart: u32) -> Duration {
        match restart {
            0 | 1 => Duration::ZERO,
            n => self.pause.saturating_mul(1 << (n - 2).min(16)).min(self.max_pause),
        }
    }
}

/// What happened to a supervised actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It panicked with this text, or stopped itself (no text), and will be restarted.
    Restarting {
        /// The panic's text.
        panic: Option<String>,
    },
    /// Its budget is used up: it is gone for good, and with it its mailbox.
    GivenUp {
        /// The last panic's text.
        panic: Option<String>,
    },
}

/// Starts an actor in the current arbiter. `observer` is told of every exit, in the actor's thread.
pub(crate) fn supervise<A>(
    policy: RestartPolicy,
    observer: impl Fn(Exit) + 'static,
    mailbox: usize,
    build: impl FnOnce(&mut Context<A>) -> A,
) -> Addr<A>
where
    A: Supervised + Actor<Context = Context<A>>,
{
    let (sender, receiver) = channel::channel(mailbox);
    let ctx = Context::with_receiver(receiver);
    spawn(policy, observer, ctx, build);
    Addr::new(sender)
}

/// Starts an actor in another arbiter's thread.
pub(crate) fn supervise_in<A>(
    arbiter: &ArbiterHandle,
    policy: RestartPolicy,
    observer: impl Fn(Exit) + Send + 'static,
    mailbox: usize,
    build: impl FnOnce(&mut Context<A>) -> A + Send + 'static,
) -> Addr<A>
where
    A: Supervised + Actor<Context = Context<A>>,
{
    let (sender, receiver) = channel::channel(mailbox);
    arbiter.spawn_fn(move || spawn(policy, observer, Context::with_receiver(receiver), build));
    Addr::new(sender)
}

fn spawn<A>(
    policy: RestartPolicy,
    observer: impl Fn(Exit) + 'static,
    mut ctx: Context<A>,
    build: impl FnOnce(&mut Context<A>) -> A,
) where
    A: Supervised + Actor<Context = Context<A>>,
{
    let actor = build(&mut ctx);
    let life = Life {
        fut: Some(ctx.into_future(actor)),
        policy,
        observer: Box::new(observer),
        restarts: 0,
        window_began: None,
        pause: None,
    };
    actix_rt::spawn(life);
}

struct Life<A>
where
    A: Supervised + Actor<Context = Context<A>>,
{
    /// `None` once given up.
    fut: Option<ContextFut<A, Context<A>>>,
    policy: RestartPolicy,
    observer: Box<dyn Fn(Exit)>,
    restarts: u32,
    window_began: Option<Instant>,
    /// Runs while the actor waits for its restart.
    pause: Option<Pin<Box<Sleep>>>,
}

// Nothing in it is pinned by address: `ContextFut` and `Box` are `Unpin`.
impl<A> Unpin for Life<A> where A: Supervised + Actor<Context = Context<A>> {}

impl<A> std::future::Future for Life<A>
where
    A: Supervised + Actor<Context = Context<A>>,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let this = &mut *self;
        loop {
            if let Some(pause) = this.pause.as_mut() {
                if pause.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                this.pause = None;
                let fut = this.fut.as_mut();
                let restart = AssertUnwindSafe(|| fut.is_some_and(ContextFut::restart));
                match std::panic::catch_unwind(restart) {
                    Ok(true) => {}
                    Ok(false) => return Poll::Ready(()), // nobody has its address any more
                    Err(panic) if this.plan_restart(Some(panic_text(panic.as_ref()))) => continue,
                    Err(_) => return Poll::Ready(()),
                }
            }
            let Some(fut) = this.fut.as_mut() else { return Poll::Ready(()) };
            let polled = std::panic::catch_unwind(AssertUnwindSafe(|| Pin::new(fut).poll(cx)));
            let panic = match polled {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(())) => None,
                Err(panic) => Some(panic_text(panic.as_ref())),
            };
            let connected = this.fut.as_mut().is_some_and(|fut| fut.ctx().connected());
            if panic.is_none() && !connected {
                return Poll::Ready(()); // the orderly end: nobody has its address any more
            }
            if !this.plan_restart(panic) {
                return Poll::Ready(());
            }
        }
    }
}

impl<A> Life<A>
where
    A: Supervised + Actor<Context = Context<A>>,
{
    /// Books an exit against the budget; false if the actor is given up.
    fn plan_restart(&mut self, panic: Option<String>) -> bool {
        let now = Instant::now();
        if self.window_began.is_none_or(|began| now.duration_since(began) > self.policy.window) {
            self.window_began = Some(now);
            self.restarts = 0;
        }
        self.restarts += 1;
        if self.restarts > self.policy.budget {
            // Dropping the context polls the actor once more; a panic there must not take the thread.
            let fut = self.fut.take();
            let _second_panic = std::panic::catch_unwind(AssertUnwindSafe(move || drop(fut)));
            (self.observer)(Exit::GivenUp { panic });
            return false;
        }
        (self.observer)(Exit::Restarting { panic });
        self.pause = Some(Box::pin(tokio::time::sleep(self.policy.pause_before(self.restarts))));
        true
    }
}

/// The text of a panic, as far as it has one.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a text".to_owned())
}
