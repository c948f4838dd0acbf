//! A client that keeps its connection and honours `Retry-After`.

use std::io::Result;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A connection.
pub(crate) struct Client {
    address: String,
    stream: BufReader<TcpStream>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: String,
}

/// What the clients met.
#[derive(Default)]
pub(crate) struct Met {
    /// How long answers took.
    pub(crate) answered: Vec<Duration>,
    /// How often a client was told to come again.
    pub(crate) put_off: u64,
    /// What else there was.
    pub(crate) others: Vec<String>,
}

impl Client {
    pub(crate) async fn new(address: &str) -> Result<Self> {
        let stream = BufReader::new(TcpStream::connect(address).await?);
        Ok(Self { address: address.to_owned(), stream })
    }

    pub(crate) async fn ask(&mut self, line: &str, body: &str) -> Result<Answer> {
        let Self { address, .. } = self;
        let length = body.len();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(head.as_bytes()).await?;
        let mut answer = Answer { status: 0, retry_after: None, body: String::new() };
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).await?;
            let line = line.trim().to_ascii_lowercase();
            if let Some(status) = line.strip_prefix("http/1.1 ") {
                answer.status = status.get(..3).and_then(|code| code.parse().ok()).unwrap_or_default();
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap_or_default();
            } else if let Some(value) = line.strip_prefix("retry-after: ") {
                answer.retry_after = value.parse().ok().map(Duration::from_secs);
            } else if line.is_empty() {
                break;
            }
        }
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).await?;
        answer.body = String::from_utf8_lossy(&bytes).into_owned();
        Ok(answer)
    }
}

/// So many clients, each with one entry after another, until `until`.
pub(crate) async fn crowd(address: &str, clients: usize, round: u64, until: Instant) -> Met {
    let one = |number: usize| {
        let address = address.to_owned();
        tokio::spawn(async move {
            let mut met = Met::default();
            let mut chance = fastrand::Rng::with_seed(round * 1000 + number as u64);
            let Ok(mut client) = Client::new(&address).await else {
                met.others.push("no connection".to_owned());
                return met;
            };
            for n in 0.. {
                if Instant::now() >= until {
                    break;
                }
                let comment = format!("Client {number} of round {round}: step {n} is done since 2026-03-02.");
                let body = format!(
                    r#"{{"entries": [{{"status": "On Track", "comment": "{comment}", "completion_date": "2026-06-30"}}]}}"#
                );
                let began = Instant::now();
                match client.ask("POST /api/v1/validate", &body).await {
                    Ok(Answer { status: 200, .. }) => met.answered.push(began.elapsed()),
                    Ok(Answer { status: 503, retry_after: Some(after), .. }) => {
                        met.put_off += 1;
                        tokio::time::sleep(after.mul_f64(1.0 + chance.f64())).await;
                    }
                    Ok(answer) => met.others.push(format!("{}: {}", answer.status, answer.body)),
                    Err(error) => {
                        met.others.push(error.to_string());
                        break;
                    }
                }
            }
            met
        })
    };
    let mut all = Met::default();
    for task in (0..clients).map(one).collect::<Vec<_>>() {
        let met = task.await.unwrap_or_default();
        all.answered.extend(met.answered);
        all.put_off += met.put_off;
        all.others.extend(met.others);
    }
    all.answered.sort_unstable();
    all
}
