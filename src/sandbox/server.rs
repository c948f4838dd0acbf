//! HTTP: what arrives is handed to whom it is for; what goes wrong on purpose goes wrong here.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpListener;

use super::fault::{Arrival, Door, Fault};
use super::hosts::{Hosts, TURNED_AWAY};
use super::oauth::Caller;
use super::reply::{self, Reply, Told, google_error};
use super::sheets::{Call, Kind, Service};
use super::{Inner, Sandbox, chat};

/// A request that has arrived, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The request.
    pub arrival: Arrival,
    /// The scopes of its token, where it had one of ours.
    pub scopes: Vec<String>,
    /// What was done to it on purpose.
    pub fault: Fault,
    /// The status that it was answered with; none if nobody answered it.
    pub status: Option<u16>,
}

/// The longest body that is read.
const LONGEST_BODY: usize = 64 << 20;
/// The media type of forms.
const FORM: &str = "application/x-www-form-urlencoded";
/// Bytes on their way within the process.
const PIPE: usize = 64 << 10;
/// A header that is not here by then will not come.
const HEADER_TIMEOUT: Duration = Duration::from_secs(300);

pub(super) async fn serve(sandbox: Sandbox, listener: TcpListener, stop: impl Future<Output = ()>) {
    let mut connections = tokio::task::JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    let hosts = match listener.local_addr() {
        Ok(address) if !sandbox.0.any_host => Hosts::of(address),
        Ok(_) => Hosts::Any,
        Err(error) => {
            tracing::error!(%error, "nothing is served: the address that is listened on is not known");
            return;
        }
    };
    loop {
        let accepted = tokio::select! {
            () = &mut stop => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => drop(connections.spawn(attend(sandbox.clone(), stream, hosts.clone()))),
            Err(error) => tracing::warn!(%error, "a connection could not be taken"),
        }
        while connections.try_join_next().is_some() {}
    }
}

pub(super) fn connect(sandbox: Sandbox) -> DuplexStream {
    let (near, far) = tokio::io::duplex(PIPE);
    tokio::spawn(attend(sandbox, far, Hosts::Any));
    near
}

/// Serves one connection to its end.
async fn attend<S>(sandbox: Sandbox, stream: S, hosts: Hosts)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let admitted = hosts.admit(request.uri(), request.headers());
        let sandbox = sandbox.clone();
        async move { if admitted { handle(sandbox, request).await } else { Ok(turned_away()) } }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    // That a connection breaks is often what was asked for.
    http.serve_connection(TokioIo::new(stream), service).await.ok();
}

/// What is told to whoever asks for a name that is not this machine's. It is not counted among the requests.
fn turned_away() -> Response<Told> {
    tracing::warn!("a request for a name that is not this machine's was turned away");
    Reply::plain(421, TURNED_AWAY).response(false)
}

/// The connection is dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("dropped on purpose")]
pub(super) struct Dropped;

/// A request that was read.
pub(super) struct Message {
    pub(super) method: String,
    pub(super) path: String,
    query: String,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

async fn handle(sandbox: Sandbox, request: Request<Incoming>) -> Result<Response<Told>, Dropped> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LONGEST_BODY).collect().await else {
        return Ok(google_error(413, "Request body is too large, or was cut off.").response(false));
    };
    let message = Message {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: body.to_bytes().to_vec(),
    };
    if message.path == MODEL_PATH {
        return Ok(chat::behave(&sandbox, &message).response(false));
    }
    let (number, fault) = sandbox.arrived(&message);
    match &fault {
        Fault::None => tracing::debug!(number, method = message.method, path = message.path, "request"),
        fault => tracing::warn!(number, method = message.method, path = message.path, ?fault, "on purpose"),
    }
    if message.door() == Door::Chat {
        let (response, status) = chat::converse(&sandbox, &message, fault).await?;
        sandbox.answered(number, status);
        return Ok(response);
    }
    let is_compact = message.query.split('&').any(|pair| pair == "prettyPrint=false");
    let reply = match fault {
        // The others are faults of a model.
        Fault::None | Fault::Drip(_) | Fault::Stall | Fault::Trouble(_) | Fault::Mix => {
            sandbox.carry_out(&message)
        }
        Fault::ResetBeforeCommit => return Err(Dropped),
        Fault::CommitThenReset => {
            sandbox.carry_out(&message);
            return Err(Dropped);
        }
        Fault::Hang => std::future::pending::<Reply>().await,
        Fault::CommitThenHang => {
            sandbox.carry_out(&message);
            std::future::pending().await
        }
        Fault::LateCommit(after) => {
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                sandbox.carry_out(&message);
            });
            return Err(Dropped);
        }
        Fault::Status(status) => google_error(status, "Scripted by the sandbox."),
        Fault::CommitThenStatus(status) => {
            sandbox.carry_out(&message);
            google_error(status, "Scripted by the sandbox.")
        }
        Fault::Html(status) => Reply::html(status),
        Fault::Answer { status, retry_after, body } => Reply::json(status, body).retry_after(retry_after),
        Fault::CommitThenCut => {
            let reply = sandbox.carry_out(&message);
            sandbox.answered(number, reply.status);
            return Ok(reply.response(is_compact).map(Told::cut));
        }
        Fault::Slow(after) => {
            let reply = sandbox.carry_out(&message);
            tokio::time::sleep(after).await;
            reply
        }
    };
    sandbox.answered(number, reply.status);
    Ok(reply.response(is_compact))
}

impl Sandbox {
    /// Takes note of a request and asks the script about it.
    fn arrived(&self, message: &Message) -> (u64, Fault) {
        let now = self.now();
        let door = message.door();
        let mut inner = self.lock();
        let Inner { office, desk, script, seen, counts, model, .. } = &mut *inner;
        let of_door = counts.get_mut(door as usize).map_or(0, |count| {
            *count += 1;
            *count
        });
        let arrival = Arrival {
            door,
            number: counts.iter().sum(),
            of_door,
            at: now,
            method: message.method.clone(),
            path: message.path.clone(),
            query: form_urlencoded::parse(message.query.as_bytes()).into_owned().collect(),
            body: message.told(),
        };
        let number = arrival.number;
        let fault = script.as_mut().map_or(Fault::None, |script| script.decide(&arrival, office));
        let fault = if fault == Fault::None && door == Door::Chat { model.fault(&arrival) } else { fault };
        if self.0.remembers {
            let scopes = match desk.caller(message.authorization(), now) {
                Caller::Known(scopes) => scopes,
                Caller::Guest | Caller::Refused | Caller::Nobody => Vec::new(),
            };
            seen.push(Seen { arrival, scopes, fault: fault.clone(), status: None });
        }
        (number, fault)
    }

    fn answered(&self, number: u64, status: u16) {
        let mut inner = self.lock();
        if let Some(seen) = inner.seen.iter_mut().rev().find(|seen| seen.arrival.number == number) {
            seen.status = Some(status);
        }
    }

    fn carry_out(&self, message: &Message) -> Reply {
        match message.door() {
            Door::Token => self.sign_in(message),
            Door::Read | Door::Write | Door::Chat if message.path == "/" => Reply::plain(200, ABOUT),
            Door::Read | Door::Write | Door::Chat => self.serve_google(message),
        }
    }

    fn sign_in(&self, message: &Message) -> Reply {
        if message.method != "POST" {
            return Reply::json(
                405,
                json!({"error": "invalid_request", "error_description": "POST is needed"}),
            );
        }
        let host = message.header(HOST.as_str()).unwrap_or("127.0.0.1");
        let audience = format!("http://{host}{}", message.path);
        let clock = Timestamp::now().saturating_add(self.0.skew).unwrap_or(Timestamp::MAX);
        let now = self.now();
        self.lock().desk.answer(&message.body, &audience, clock, now).into()
    }

    fn serve_google(&self, message: &Message) -> Reply {
        let call = Call {
            method: &message.method,
            path: &message.path,
            query: &message.query,
            body: &message.body,
            now: Timestamp::now(),
        };
        let now = self.now();
        let mut inner = self.lock();
        let Inner { office, desk, usage, .. } = &mut *inner;
        match desk.caller(message.authorization(), now) {
            Caller::Nobody => {
                return reply::unauthenticated("Request is missing required authentication credential.");
            }
            Caller::Refused => {
                return reply::unauthenticated("Request had invalid authentication credentials.");
            }
            Caller::Known(scopes) if !may(&scopes, &call) => return reply::insufficient_scope(&call),
            Caller::Known(_) | Caller::Guest => {}
        }
        if let Some(quota) = self.0.quota
            && let Err(body) = usage.count(call.kind(), quota, now)
        {
            return Reply::json(429, body);
        }
        office.answer(&call).into()
    }
}

/// What is told to a browser.
const ABOUT: &str =
    "Status Validator's sandbox: /token, /v4/spreadsheets, /drive/v3/files, /v1/chat/completions, /model\n";
/// Where the model's behaviour is read and changed.
const MODEL_PATH: &str = "/model";

impl Message {
    fn door(&self) -> Door {
        if self.path == "/token" {
            return Door::Token;
        }
        if self.path.starts_with("/v1/") {
            return Door::Chat;
        }
        let (method, path, query) = (&self.method, &self.path, &self.query);
        let call = Call { method, path, query, body: &[], now: Timestamp::UNIX_EPOCH };
        match call.kind() {
            Kind::Read => Door::Read,
            Kind::Write => Door::Write,
        }
    }

    /// What the body says.
    fn told(&self) -> Option<Value> {
        if self.header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with(FORM)) {
            let fields = form_urlencoded::parse(&self.body).into_owned();
            return Some(Value::Object(fields.map(|(name, text)| (name, Value::String(text))).collect()));
        }
        serde_json::from_slice(&self.body).ok()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn authorization(&self) -> Option<&str> {
        self.header(AUTHORIZATION.as_str())
    }
}

/// True if one of the scopes allows the call, as the API's description says.
fn may(scopes: &[String], call: &Call<'_>) -> bool {
    let is_drive = call.service() == Some(Service::Drive);
    // Reads by filters are reads that need the right to write.
    let is_read = call.kind() == Kind::Read && !call.path.ends_with("ByDataFilter");
    scopes.iter().any(|scope| match scope.strip_prefix("https://www.googleapis.com/auth/") {
        Some("drive" | "drive.file") => true,
        Some("drive.readonly") => is_read,
        Some("drive.metadata" | "drive.metadata.readonly") => is_drive && is_read,
        Some("spreadsheets") => !is_drive,
        Some("spreadsheets.readonly") => !is_drive && is_read,
        _ => false,
    })
}

impl From<Infallible> for Dropped {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
