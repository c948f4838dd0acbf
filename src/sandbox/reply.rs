//! Answers, with the headers and in the form that the real services give them.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::Interval;

use super::sheets::{Answer, Call};

/// An answer that is not on its way yet.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    content: Content,
    challenge: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        match (answer.media_type, answer.body) {
            (Some(media_type), Some(Value::String(text))) => Self::of(answer.status, media_type, text),
            (_, Some(body)) => Self::json(answer.status, body),
            (_, None) => Self::empty(answer.status),
        }
    }
}

#[derive(Debug)]
enum Content {
    None,
    Json(Value),
    Text { media_type: String, text: Bytes },
}

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, content: Content::Json(body), challenge: None, headers: Vec::new() }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, content: Content::None, challenge: None, headers: Vec::new() }
    }

    pub(super) fn of(status: u16, media_type: &str, text: impl Into<Bytes>) -> Self {
        let content = Content::Text { media_type: media_type.to_owned(), text: text.into() };
        Self { status, content, challenge: None, headers: Vec::new() }
    }

    /// The same with a wish when to come again, in seconds.
    pub(super) fn retry_after(self, retry_after: Option<u64>) -> Self {
        match retry_after {
            Some(seconds) => self.header(RETRY_AFTER.as_str(), seconds.to_string()),
            None => self,
        }
    }

    /// The same with one more header.
    pub(super) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The body, where it is JSON.
    #[cfg(test)]
    pub(super) fn json_body(&self) -> Value {
        match &self.content {
            Content::Json(body) => body.clone(),
            Content::None | Content::Text { .. } => Value::Null,
        }
    }

    /// A header.
    #[cfg(test)]
    pub(super) fn header_of(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn plain(status: u16, text: &str) -> Self {
        Self::of(status, "text/plain; charset=UTF-8", text.to_owned())
    }

    /// What a front end says when what is behind it does not answer.
    pub(super) fn html(status: u16) -> Self {
        let reason = reason(status);
        let page = format!(
            "<!DOCTYPE html>\n<html lang=en>\n<title>Error {status} ({reason})</title>\n<p><b>{status}.</b> That is an error.\n"
        );
        Self::of(status, "text/html; charset=UTF-8", page)
    }

    /// The answer as HTTP; JSON on one line if it is to be compact.
    pub(super) fn response(self, is_compact: bool) -> Response<Told> {
        let (media_type, bytes) = match self.content {
            Content::None => (None, Bytes::new()),
            Content::Json(body) => {
                let text = if is_compact { body.to_string() } else { format!("{body:#}\n") };
                (Some("application/json; charset=UTF-8".to_owned()), Bytes::from(text))
            }
            Content::Text { media_type, text } => (Some(media_type), text),
        };
        let mut response = Response::new(Told::whole(bytes));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(media_type) = media_type.and_then(|name| HeaderValue::from_str(&name).ok()) {
            headers.insert(CONTENT_TYPE, media_type);
        }
        headers.insert(VARY, HeaderValue::from_static("Origin, X-Origin, Referer"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// An error in the form that Google's services share.
pub(super) fn google_error(status: u16, message: &str) -> Reply {
    let word = match status {
        400 | 413 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    };
    let message = match status {
        403 => "The caller does not have permission",
        404 => "Requested entity was not found.",
        500 => "Internal error encountered.",
        503 => "The service is currently unavailable.",
        _ => message,
    };
    Reply::json(status, json!({"error": {"code": status, "message": message, "status": word}}))
}

/// There is no token, or none that is good.
pub(super) fn unauthenticated(what: &str) -> Reply {
    let message = format!(
        "{what} Expected OAuth 2 access token, login cookie or other valid authentication credential. See \
         https://developers.google.com/identity/sign-in/web/devconsole-project."
    );
    let challenge = Some("Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"");
    Reply { challenge, ..google_error(401, &message) }
}

/// The token is good, but not for this.
pub(super) fn insufficient_scope(call: &Call<'_>) -> Reply {
    let body = json!({"error": {
        "code": 403,
        "message": "Request had insufficient authentication scopes.",
        "status": "PERMISSION_DENIED",
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
            "metadata": {
                "service": "sheets.googleapis.com",
                "method": call.api_method().unwrap_or("google.apps.sheets.v4.SpreadsheetsService"),
            },
        }],
    }});
    let challenge = Some("Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\"");
    Reply { challenge, ..Reply::json(403, body) }
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error")
}

/// A body, as a whole or up to where it breaks off, and at once or little by little.
#[derive(Debug)]
pub(super) struct Told {
    left: Option<Bytes>,
    /// What was promised.
    length: u64,
    end: End,
    /// A byte every so often.
    drips: Option<Interval>,
}

/// What becomes of the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// There is none.
    Whole,
    /// The connection is dropped.
    BreaksOff,
    /// Nothing comes any more.
    Stalls,
}

impl Told {
    fn whole(bytes: Bytes) -> Self {
        Self {
            length: bytes.len() as u64,
            left: Some(bytes).filter(|bytes| !bytes.is_empty()),
            end: End::Whole,
            drips: None,
        }
    }

    /// Breaks off in its middle.
    pub(super) fn cut(self) -> Self {
        Self { end: End::BreaksOff, ..self.half() }
    }

    /// Stops in its middle and keeps the connection.
    pub(super) fn stalling(self) -> Self {
        Self { end: End::Stalls, ..self.half() }
    }

    /// Comes byte by byte.
    pub(super) fn dripping(self, every: Duration) -> Self {
        Self { drips: Some(tokio::time::interval(every.max(Duration::from_millis(1)))), ..self }
    }

    fn half(self) -> Self {
        let left = self.left.map(|bytes| bytes.slice(..bytes.len() / 2));
        Self { left, ..self }
    }
}

impl Body for Told {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let told = &mut *self;
        let Some(left) = &mut told.left else {
            return match told.end {
                End::Whole => Poll::Ready(None),
                End::BreaksOff => Poll::Ready(Some(Err(std::io::Error::other("broken off on purpose")))),
                End::Stalls => Poll::Pending,
            };
        };
        let next = match &mut told.drips {
            None => std::mem::take(left),
            Some(drips) => {
                std::task::ready!(drips.poll_tick(cx));
                left.split_to(1)
            }
        };
        if left.is_empty() {
            told.left = None;
        }
        Poll::Ready(Some(Ok(Frame::data(next))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none() && self.end == End::Whole
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
