//! A server at work, and a client that says exactly what it wants to.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use status_validator::engine::{Engine, Observer as _, Parts, Placement, Stamped, SystemClock};
use status_validator::http::{Front, JobFacts, Limits, Listen, Metrics, Office, Server};
use status_validator::table::memory::{MemorySink, MemorySource};
use status_validator::testing::FakeModel;
use tokio::sync::oneshot;

use crate::support::{paused_parts, projects};

/// A server, and the engine behind it.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) office: Office,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Parts that live in real time.
pub(crate) fn parts(source: &MemorySource, model: &FakeModel) -> Parts {
    let parts = paused_parts(source, MemorySink::new(), model.clone());
    Parts { placement: Placement::OwnThread, clock: Arc::new(SystemClock), ..parts }
}

/// An office of an engine with these jobs.
pub(crate) fn office(mut jobs: Vec<Parts>) -> (Engine, Office) {
    let metrics = Arc::new(Metrics::new().unwrap());
    for job in &mut jobs {
        let counted = Arc::clone(&metrics);
        job.observer = Some(Arc::new(move |event: &Stamped| counted.observe(event)));
    }
    let engine = Engine::start_jobs(jobs).unwrap();
    for job in engine.handle().jobs() {
        metrics.know(&job.name, job.models);
    }
    let office = Office::new(vec![engine.handle()], jiff::tz::TimeZone::UTC, metrics);
    office.set_jobs(vec![engine.handle()], BTreeMap::from([("default".to_owned(), JobFacts::default())]));
    (engine, office)
}

pub(crate) fn front(office: Office) -> Front {
    Front {
        office,
        token: None,
        show_content: false,
        hosts: None,
        base: String::new(),
        language: status_validator::domain::language::Language::En,
    }
}

impl House {
    /// Three rows, a model that answers at once.
    pub(crate) fn small() -> Self {
        Self::new(vec![parts(&projects(3), &crate::support::model(1))], |_| {})
    }

    pub(crate) fn new(jobs: Vec<Parts>, set: impl FnOnce(&mut Front) + Send + 'static) -> Self {
        let (ready, started) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (engine, office) = office(jobs);
                let mut front = front(office.clone());
                set(&mut front);
                let listen = Listen::Address("127.0.0.1:0".parse().unwrap());
                let limits = Limits { head: Duration::from_secs(1), ..Limits::default() };
                let server = Server::start(&listen, front, limits).unwrap();
                ready.send((server.address().unwrap(), office)).unwrap();
                stopped.await.ok();
                server.stop().await;
                assert!(engine.shutdown(Duration::from_secs(10)).await.clean);
            });
        });
        let (address, office) = started.recv().unwrap();
        Self { address, office, stop: Some(stop), thread: Some(thread) }
    }

    /// Sends a request with these headers besides `Host`, and a body.
    pub(crate) fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let host = self.address.to_string();
        let mut head = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in [("Host", host.as_str())].iter().chain(headers) {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        self.say(&format!("{head}\r\n{body}"))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), &[], "")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(&format!("POST {path}"), &[("Content-Type", "application/json")], body)
    }

    /// Says this and nothing else, and hears the answer to its end.
    pub(crate) fn say(&self, text: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).ok(); // it may have heard enough
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).ok(); // what came before it hung up counts
        Answer::of(&String::from_utf8_lossy(&heard))
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Starts a run and waits for its end. Gives its id.
    pub(crate) fn run(&self) -> String {
        let begun = self.post("/api/v1/runs", "{}");
        assert_eq!(begun.status, 202, "{begun:?}");
        let id = begun.json()["run_id"].as_str().unwrap().to_owned();
        while self.get(&format!("/api/v1/runs/{id}")).json()["ended"].is_null() {
            std::thread::yield_now();
        }
        id
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn of(heard: &str) -> Self {
        let (head, body) = heard.split_once("\r\n\r\n").unwrap_or((heard, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default();
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}
