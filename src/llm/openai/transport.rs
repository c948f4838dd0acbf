//! One HTTP exchange: a request sent, an answer read up to a bound.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, NoProxy, Proxy, Response, Url, redirect};

use super::SetupError;
use crate::llm::LlmError;
use crate::net::{Network, tls};

/// The longest answer that is read, in bytes. Ours are a few kilobytes.
pub(super) const LONGEST_ANSWER: usize = 1 << 20;
/// Of an error answer, so many bytes are read at most.
const LONGEST_ERROR: usize = 1 << 16;
/// Unused connections are closed after this, before servers close them (five seconds are usual), so that
/// a request seldom meets a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(4);

/// What came back.
pub(super) struct Exchange {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// A client that follows no redirects and asks no proxy but the one that it is told. It has no deadline over the whole of a request.
pub(super) fn client(
    headers: HeaderMap,
    connect_timeout: Duration,
    network: &Network,
) -> Result<Client, SetupError> {
    let mut tls = tls::client_config(network)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .default_headers(headers)
        .user_agent(concat!("status-validator/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE);
    let failed = |error| SetupError::Client(root_cause(&error));
    match network.proxy() {
        None => client,
        Some(proxy) => {
            let proxy = Proxy::all(proxy.to_string()).map_err(failed)?;
            client.proxy(proxy.no_proxy(NoProxy::from_string("localhost,127.0.0.0/8,::1")))
        }
    }
    .build()
    .map_err(failed)
}

/// Posts a body and reads what comes back.
///
/// A request that was not yet sent when its idle connection closed is sent on another one by the client
/// itself. One that was sent is not repeated here: it may have been answered, and paid for.
pub(super) async fn post(client: &Client, url: Url, body: Vec<u8>) -> Result<Exchange, LlmError> {
    let request = client.post(url).header(CONTENT_TYPE, "application/json").body(body);
    let mut response = request.send().await.map_err(|error| broken(&error))?;
    let status = response.status();
    let body =
        if status.is_success() { read_answer(&mut response).await? } else { read_error(&mut response).await };
    Ok(Exchange { status: status.as_u16(), headers: std::mem::take(response.headers_mut()), body })
}

async fn read_answer(response: &mut Response) -> Result<Vec<u8>, LlmError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(LlmError::BadReply(format!("longer than {LONGEST_ANSWER} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads the beginning of an error: its status says enough if the rest is cut off.
async fn read_error(response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= LONGEST_ERROR {
            body.truncate(LONGEST_ERROR);
            break;
        }
    }
    body
}

fn broken(error: &reqwest::Error) -> LlmError {
    let cause = root_cause(error);
    let detail = if error.is_builder() {
        return LlmError::BadRequest(cause);
    } else if error.is_connect() {
        format!("no connection: {cause}")
    } else if error.is_body() || error.is_decode() {
        format!("the connection broke within the answer: {cause}")
    } else {
        format!("the connection broke: {cause}")
    };
    LlmError::Unavailable { detail, retry_after: None }
}

/// The innermost reason: the outer ones repeat the address, and it may hold more than a host.
fn root_cause(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else {
        return "the request could not be made".to_owned();
    };
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
