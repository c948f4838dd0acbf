//! What goes wrong, and when: a script decides about each request before it is carried out.

use std::time::Duration;

use serde_json::Value;

use super::model::Trouble;
use super::sheets::Office;

/// What happens to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it is carried out and answered.
    None,
    /// The connection is dropped, nothing is done.
    ResetBeforeCommit,
    /// It is carried out, then the connection is dropped.
    CommitThenReset,
    /// Nothing is done and nobody answers.
    Hang,
    /// It is carried out and nobody answers.
    CommitThenHang,
    /// The connection is dropped; the request is carried out after this time all the same.
    LateCommit(Duration),
    /// It is answered with an error of this status, nothing is done.
    Status(u16),
    /// It is carried out and answered with an error of this status.
    CommitThenStatus(u16),
    /// As a front end does it: HTML and this status, nothing is done.
    Html(u16),
    /// It is answered with just this, nothing is done.
    Answer {
        /// The status.
        status: u16,
        /// The header `Retry-After`, in seconds.
        retry_after: Option<u64>,
        /// The body.
        body: Value,
    },
    /// It is carried out; the answer breaks off after its beginning.
    CommitThenCut,
    /// It is carried out and answered after this time.
    Slow(Duration),
    /// A model's answer comes byte by byte, one every so often.
    Drip(Duration),
    /// A model's answer stops in its middle; the connection stays.
    Stall,
    /// A model's answer is wrong in this way.
    Trouble(Trouble),
    /// One of the faults that pass, by chance: a [`FaultScript`](super::FaultScript) chooses it.
    Mix,
}

impl Fault {
    /// Whether it happens to a model's answers only.
    pub(super) fn is_of_model(&self) -> bool {
        matches!(self, Self::Drip(_) | Self::Stall | Self::Trouble(_) | Self::Mix)
    }
}

/// What kind of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// A read of Sheets or Drive.
    Read,
    /// A write of Sheets or Drive.
    Write,
    /// For an access token.
    Token,
    /// For a model's answer.
    Chat,
}

/// A request that has arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// Its kind.
    pub door: Door,
    /// Its number among all requests, from 1.
    pub number: u64,
    /// Its number among those of its kind, from 1.
    pub of_door: u64,
    /// Time since the sandbox began, on the clock that tokio goes by.
    pub at: Duration,
    /// The method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// The body, where it is JSON; that of a form, as a request for a token has it, is an object of its fields.
    pub body: Option<Value>,
}

/// Decides about requests. What it does to the office is done by people between two requests.
pub trait Script: Send {
    /// Decides about a request before it is carried out.
    fn decide(&mut self, arrival: &Arrival, office: &mut Office) -> Fault;
}

impl<F: FnMut(&Arrival, &mut Office) -> Fault + Send> Script for F {
    fn decide(&mut self, arrival: &Arrival, office: &mut Office) -> Fault {
        self(arrival, office)
    }
}
