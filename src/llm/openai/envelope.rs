//! What a server says about an error. Every server wraps it differently, so everything known is gathered.
//!
//! Known shapes: `{"error":{message,type,param,code}}` (OpenAI and most), the same with a numeric code, also
//! under status 200 or inside `choices[0]` (OpenRouter), in an array with `details` (Gemini), flat (GigaChat),
//! a plain string (LM Studio, Ollama), a list of validation faults (Mistral, vLLM, FastAPI), and JSON
//! wrapped in a string inside any of these.

use serde_json::{Map, Value};

/// What a server says about an error; all empty if it says nothing that can be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Envelope {
    /// An HTTP status stated in the body.
    pub(super) status: Option<u16>,
    /// Codes, types and reasons, in lower case.
    pub(super) codes: Vec<String>,
    /// The parameters that are blamed.
    pub(super) params: Vec<String>,
    /// The messages, joined.
    pub(super) message: String,
    /// Google's `retryDelay`.
    pub(super) retry_delay: Option<String>,
    /// OpenRouter's `X-RateLimit-Reset`: milliseconds since 1970.
    pub(super) reset_at_ms: Option<u64>,
}

/// Envelopes within envelopes are followed so far.
const DEEPEST: u8 = 12;
/// As many entries of a list are looked at.
const WIDEST: usize = 16;
/// Bytes of messages that are gathered.
const LONGEST: usize = 2048;

impl Envelope {
    /// Reads the body of an answer whose status is an error.
    pub(super) fn of_error(body: &[u8]) -> Self {
        let mut found = Self::default();
        match serde_json::from_slice::<Value>(trimmed(body)) {
            Ok(value) => found.gather(&value, DEEPEST),
            Err(_) => found.message = plain(&String::from_utf8_lossy(body)),
        }
        found
    }

    /// Reads an error out of an answer whose status is a success, if there is one.
    pub(super) fn in_success(body: &Value) -> Option<Self> {
        let body = body.as_array().and_then(|list| list.first()).unwrap_or(body);
        let is_error = |key: &str| body.get(key).and_then(Value::as_str) == Some("error");
        let error = body
            .get("error")
            .filter(|error| is_said(error))
            .or_else(|| body.pointer("/choices/0/error").filter(|error| is_said(error)))
            .or_else(|| (is_error("object") || is_error("type")).then_some(body))?;
        let mut found = Self::default();
        found.gather(error, DEEPEST);
        Some(found)
    }

    /// Whether one of the codes is among these (given in lower case).
    pub(super) fn has_code(&self, wanted: &[&str]) -> bool {
        self.codes.iter().any(|code| wanted.contains(&code.as_str()))
    }

    /// Whether the message contains one of these phrases (given in lower case).
    pub(super) fn says(&self, phrases: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }

    fn gather(&mut self, value: &Value, depth: u8) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match value {
            Value::String(text) => match wrapped(text) {
                Some(inner) => self.gather(&inner, depth),
                None => self.add_message(text),
            },
            Value::Array(list) => list.iter().take(WIDEST).for_each(|item| self.gather(item, depth)),
            Value::Object(object) => self.gather_object(object, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn gather_object(&mut self, object: &Map<String, Value>, depth: u8) {
        for key in ["code", "status", "type", "reason", "quotaId", "limit_source"] {
            match object.get(key) {
                Some(Value::String(code)) => self.add_code(code),
                Some(Value::Number(number)) => self.add_status(number.as_u64()),
                _ => {}
            }
        }
        if let Some(Value::String(param)) = object.get("param") {
            self.params.push(param.clone());
        }
        if let Some(Value::Array(place)) = object.get("loc") {
            self.params.extend(place.iter().take(WIDEST).filter_map(Value::as_str).map(str::to_owned));
        }
        if let Some(Value::String(delay)) = object.get("retryDelay") {
            self.retry_delay = Some(delay.clone());
        }
        if let Some(reset) = object.get("X-RateLimit-Reset") {
            self.reset_at_ms = reset.as_u64().or_else(|| reset.as_str()?.parse().ok());
        }
        for key in INNER {
            if let Some(inner) = object.get(*key) {
                self.gather(inner, depth);
            }
        }
    }

    fn add_code(&mut self, code: &str) {
        self.add_status(code.parse().ok());
        self.codes.push(code.chars().take(100).collect::<String>().to_lowercase());
    }

    fn add_status(&mut self, number: Option<u64>) {
        let status = number.and_then(|number| u16::try_from(number).ok());
        self.status = self.status.or(status.filter(|status| (400..600).contains(status)));
    }

    fn add_message(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() || self.message.len() >= LONGEST || self.message.contains(text) {
            return;
        }
        if !self.message.is_empty() {
            self.message.push_str("; ");
        }
        self.message.extend(text.chars().take(LONGEST));
    }
}

/// Keys under which more of the same is found, message first.
const INNER: &[&str] = &[
    "error",
    "message",
    "msg",
    "detail",
    "error_description",
    "innererror",
    "details",
    "violations",
    "metadata",
    "headers",
    "raw",
];

/// A body without a byte order mark and without the blank lines that some servers send to keep a connection.
pub(super) fn trimmed(body: &[u8]) -> &[u8] {
    let body = body.trim_ascii_start();
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii()
}

/// Whether text is a page for people. Proxies and gateways send them.
pub(super) fn is_html(text: &str) -> bool {
    let head: String = text.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    head.starts_with("<!doctype html") || head.starts_with("<html") || head.starts_with("<head")
}

/// What a body that is no JSON says, in a line.
fn plain(text: &str) -> String {
    if !is_html(text) {
        return text.trim().chars().take(LONGEST).collect();
    }
    let lower = text.to_ascii_lowercase();
    let title = lower
        .find("<title>")
        .and_then(|at| Some((at + "<title>".len(), lower.get(at..)?.find("</title>")? + at)))
        .and_then(|(from, to)| text.get(from..to));
    format!("an HTML page, {}", title.map_or("without a title", str::trim))
}

fn wrapped(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

fn is_said(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(body: &Value) -> Envelope {
        Envelope::of_error(body.to_string().as_bytes())
    }

    #[test]
    fn the_usual_object() {
        let said = read(&json!({"error": {"message": "No.", "type": "invalid_request_error",
            "param": "temperature", "code": "Unsupported_Value"}}));
        assert_eq!(said.message, "No.");
        assert_eq!(said.params, ["temperature"]);
        assert_eq!(said.codes, ["unsupported_value", "invalid_request_error"]);
        assert_eq!(said.status, None);
    }

    #[test]
    fn every_servers_wrapping_yields_its_message_and_code() {
        let raw = json!({"error": {"message": "deep"}}).to_string();
        let cases = [
            (json!({"error": {"code": 402, "message": "m", "metadata": {"raw": raw}}}), "m; deep", Some(402)),
            (json!([{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}]), "m", Some(400)),
            (json!({"error": "m"}), "m", None),
            (json!({"code": 5, "message": "m"}), "m", None),
            (json!({"status": 429, "message": "m"}), "m", Some(429)),
            (json!({"type": "error", "error": {"type": "overloaded_error", "message": "m"}}), "m", None),
            (json!({"error": {"message": "m", "code": "429"}}), "m", Some(429)),
            (json!({"object": "error", "message": "{\"detail\": [{\"msg\": \"m\"}]}"}), "m", None),
        ];
        for (body, message, status) in cases {
            let said = read(&body);
            assert_eq!((said.message.as_str(), said.status), (message, status), "{body}");
        }
    }

    #[test]
    fn validation_faults_name_their_place() {
        let fault = json!({"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"});
        for body in [json!({"detail": [fault]}), json!({"object": "error", "message": {"detail": [fault]}})] {
            let said = read(&body);
            assert_eq!(said.params, ["body", "seed"]);
            assert!(said.has_code(&["extra_forbidden"]) && said.says(&["not permitted"]));
        }
    }

    #[test]
    fn google_and_open_router_say_when_to_come_back() {
        let google = read(&json!([{"error": {"details": [
            {"violations": [{"quotaId": "RequestsPerDay"}]}, {"retryDelay": "34s"}]}}]));
        assert_eq!(google.retry_delay.as_deref(), Some("34s"));
        assert!(google.has_code(&["requestsperday"]));
        let router =
            read(&json!({"error": {"metadata": {"headers": {"X-RateLimit-Reset": "1741305600000"}}}}));
        assert_eq!(router.reset_at_ms, Some(1_741_305_600_000));
    }

    #[test]
    fn pages_and_plain_text_are_told_in_a_line() {
        let page = "<html><head><TITLE>502 Bad Gateway</TITLE></head>…</html>";
        assert_eq!(Envelope::of_error(page.as_bytes()).message, "an HTML page, 502 Bad Gateway");
        assert_eq!(Envelope::of_error(b"<!DOCTYPE html>").message, "an HTML page, without a title");
        assert_eq!(Envelope::of_error(b"Internal Server Error\n").message, "Internal Server Error");
        assert_eq!(Envelope::of_error(b""), Envelope::default());
    }

    #[test]
    fn an_error_under_a_success_is_found_and_a_null_is_none() {
        let found = |body: Value| Envelope::in_success(&body).map(|said| said.message);
        assert_eq!(found(json!({"error": {"code": 502, "message": "m"}})), Some("m".into()));
        assert_eq!(found(json!({"choices": [{"error": {"message": "m"}}]})), Some("m".into()));
        assert_eq!(found(json!({"object": "error", "message": "m"})), Some("m".into()));
        for fine in [json!({"error": null, "choices": []}), json!({"error": {}}), json!([]), json!(5)] {
            assert_eq!(found(fine), None);
        }
    }

    #[test]
    fn a_bottomless_body_ends() {
        let mut body = json!("bottom");
        for _ in 0..100 {
            body = json!({"error": body});
        }
        assert_eq!(read(&body), Envelope::default());
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200), text in "<html>.{0,40}<title>.{0,9}") {
            Envelope::of_error(&body);
            Envelope::of_error(text.as_bytes());
        }
    }
}
