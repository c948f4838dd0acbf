//! The model's door: HTTP around [`Model`](super::model), with its time and its faults.

use std::time::Duration;

use hyper::Response;
use serde_json::{Map, Value, json};

use super::Sandbox;
use super::fault::Fault;
use super::model::{self, Behaviour, Course, NAME, Ticket, Trouble};
use super::reply::{Reply, Told};
use super::server::{Dropped, Message};

/// Answers a request for the model.
pub(super) async fn converse(
    sandbox: &Sandbox,
    message: &Message,
    fault: Fault,
) -> Result<(Response<Told>, u16), Dropped> {
    let trouble = match fault {
        Fault::ResetBeforeCommit | Fault::LateCommit(_) => return Err(Dropped),
        Fault::Hang => return std::future::pending().await,
        Fault::Answer { status, retry_after, body } => {
            return Ok(sent(Reply::json(status, body).retry_after(retry_after)));
        }
        Fault::Html(status) => return Ok(sent(Reply::html(status))),
        Fault::Status(status) => {
            return Ok(sent(model::error(status, "Scripted by the sandbox.", "server_error", "scripted")));
        }
        Fault::Trouble(trouble) => Some(trouble),
        _ => None,
    };
    let Course { after, reply, ticket } = begin(sandbox, message, trouble);
    let after = if let Fault::Slow(longer) = fault { after + longer } else { after };
    let running = ticket.map(|ticket| Running { sandbox: sandbox.clone(), ticket, is_answered: false });
    tokio::time::sleep(after).await;
    if let Some(mut running) = running {
        running.is_answered = true;
    }
    match fault {
        Fault::CommitThenReset => Err(Dropped),
        Fault::CommitThenHang => std::future::pending().await,
        Fault::CommitThenStatus(status) => {
            Ok(sent(model::error(status, "Scripted by the sandbox.", "server_error", "scripted")))
        }
        Fault::CommitThenCut => Ok(changed(reply, Told::cut)),
        Fault::Stall => Ok(changed(reply, Told::stalling)),
        Fault::Drip(every) => Ok(changed(reply, |told| told.dripping(every))),
        _ => Ok(sent(reply)),
    }
}

/// Tells how the model behaves, or changes it.
pub(super) fn behave(sandbox: &Sandbox, message: &Message) -> Reply {
    let wrong = |text: String| Reply::json(400, json!({"error": text}));
    match message.method.as_str() {
        "GET" => {}
        "PUT" => {
            // An array would do for a structure, too, and an empty one for all defaults.
            let told = serde_json::from_slice::<Map<String, Value>>(&message.body);
            let behaviour: Behaviour = match told.and_then(|told| serde_json::from_value(told.into())) {
                Ok(behaviour) => behaviour,
                Err(error) => return wrong(format!("the behaviour cannot be read: {error}")),
            };
            if let Err(error) = sandbox.behave(behaviour) {
                return wrong(error.to_string());
            }
        }
        _ => return Reply::json(405, json!({"error": "GET and PUT are answered"})),
    }
    match serde_json::to_value(sandbox.behaviour()) {
        Ok(behaviour) => Reply::json(200, behaviour),
        Err(error) => Reply::json(500, json!({"error": error.to_string()})),
    }
}

fn begin(sandbox: &Sandbox, message: &Message, trouble: Option<Trouble>) -> Course {
    let at_once = |reply| Course { after: Duration::ZERO, reply, ticket: None };
    match (message.method.as_str(), message.path.as_str()) {
        ("POST", "/v1/chat/completions") => {
            let now = sandbox.now();
            sandbox.lock().model.begin(&message.body, trouble, now)
        }
        ("GET", "/v1/models") => at_once(Reply::json(
            200,
            json!({"object": "list", "data": [{"id": NAME, "object": "model", "owned_by": "sandbox"}]}),
        )),
        (method, path) => {
            let message = format!("Unknown request URL: {method} {path}.");
            at_once(model::error(404, &message, "invalid_request_error", "unknown_url"))
        }
    }
}

/// A request that the model works on. It is over when this is dropped, also where the client has gone.
struct Running {
    sandbox: Sandbox,
    ticket: Ticket,
    is_answered: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        let now = self.sandbox.now();
        self.sandbox.lock().model.end(&self.ticket, self.is_answered, now);
    }
}

fn sent(reply: Reply) -> (Response<Told>, u16) {
    changed(reply, |told| told)
}

fn changed(reply: Reply, change: impl FnOnce(Told) -> Told) -> (Response<Told>, u16) {
    let status = reply.status;
    (reply.response(true).map(change), status)
}
