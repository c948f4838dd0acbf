//! A scripted HTTP/1.1 server on loopback, with real sockets, so that broken and slow answers can be sent too.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// A server that stops when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Request>>>,
    open: Arc<AtomicUsize>,
    _listening: AbortOnDropHandle<()>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The request line, as in `POST /v1/x HTTP/1.1`.
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Sends these bytes, status line included, and keeps the connection.
    Whole(Vec<u8>),
    /// Sends these bytes after a while, and keeps the connection.
    Late(Vec<u8>, Duration),
    /// Sends these bytes when there is a permit, and keeps the connection.
    Gated(Vec<u8>, Arc<Semaphore>),
    /// Sends these bytes and closes the connection.
    Cut(Vec<u8>),
    /// Sends one byte at each tick.
    Drip(Vec<u8>, Duration),
    /// Never answers.
    Hang,
}

type Script = dyn Fn(usize, &Request) -> Answer + Send + Sync;

impl Server {
    /// Answers the first request with the first answer and so on; the last one repeats.
    pub(crate) async fn scripted(answers: Vec<Answer>) -> Self {
        Self::answering(move |nth, _| answers[nth.min(answers.len() - 1)].clone()).await
    }

    /// Answers by a function of the request's number, from 0, and the request.
    pub(crate) async fn answering(
        script: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::default();
        let listening =
            tokio::spawn(listen(listener, Arc::clone(&received), Arc::clone(&open), Arc::new(script)));
        Self { address, received, open, _listening: AbortOnDropHandle::new(listening) }
    }

    /// Waits until every connection is closed: nothing that was sent is still to be read.
    pub(crate) async fn is_quiet(&self) {
        while self.open.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// The address, as in `http://127.0.0.1:4711`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.received.lock().unwrap().clone()
    }
}

impl Request {
    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Answer {
    /// The same bytes after a while.
    pub(crate) fn after(self, pause: Duration) -> Self {
        match self {
            Self::Whole(bytes) => Self::Late(bytes, pause),
            other => other,
        }
    }

    /// The same bytes when the gate has a permit, which is used up.
    pub(crate) fn behind(self, gate: &Arc<Semaphore>) -> Self {
        match self {
            Self::Whole(bytes) => Self::Gated(bytes, Arc::clone(gate)),
            other => other,
        }
    }

    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, &[("content-type", "application/json")], &body.to_string())
    }

    /// An answer with these headers.
    pub(crate) fn text(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        Self::bytes(status, headers, body.as_bytes())
    }

    /// An answer of these bytes.
    pub(crate) fn bytes(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len());
        Self::Whole([head.as_bytes(), body].concat())
    }
}

async fn listen(
    listener: TcpListener,
    received: Arc<Mutex<Vec<Request>>>,
    open: Arc<AtomicUsize>,
    script: Arc<Script>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        open.fetch_add(1, Ordering::SeqCst);
        let serving = serve(stream, Arc::clone(&received), Arc::clone(&script));
        let open = Arc::clone(&open);
        connections.spawn(async move {
            serving.await;
            open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Serves one connection until it is closed or an answer ends it.
async fn serve(stream: TcpStream, received: Arc<Mutex<Vec<Request>>>, script: Arc<Script>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = receive(&mut stream).await {
        let answer = {
            let mut received = received.lock().unwrap();
            received.push(request.clone());
            script(received.len() - 1, &request)
        };
        // A client that has gone away is part of some tests.
        match answer {
            Answer::Whole(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Answer::Late(bytes, after) => {
                tokio::time::sleep(after).await;
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Answer::Gated(bytes, gate) => {
                gate.acquire().await.unwrap().forget();
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Answer::Cut(bytes) => {
                stream.write_all(&bytes).await.ok();
                stream.shutdown().await.ok();
                return;
            }
            Answer::Drip(bytes, pause) => {
                let mut ticks = tokio::time::interval(pause);
                for byte in bytes {
                    ticks.tick().await;
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                }
            }
            Answer::Hang => std::future::pending().await,
        }
    }
}

async fn receive(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let line = lines.next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { line, headers, body: String::from_utf8(body).unwrap() })
}
