//! The sandbox over real sockets: signing in, tokens, quotas, and what goes wrong on purpose.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use serde_json::{Value, json};
use status_validator::sandbox::sheets::Office;
use status_validator::sandbox::{
    ACCOUNT, Arrival, Door, Fault, Quota, Sandbox, SandboxParams, ThrowAwayKey, Tokens,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use crate::support::soon;
use crate::support::stand::key;

const WRITE: &str = "https://www.googleapis.com/auth/spreadsheets";
const READ: &str = "https://www.googleapis.com/auth/spreadsheets.readonly";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// A token that the sandbox did not give.
const GUEST: Option<&str> = Some("from-elsewhere");

/// A sandbox on a port of this machine, with one spreadsheet.
struct Served {
    sandbox: Sandbox,
    address: SocketAddr,
    _serving: AbortOnDropHandle<()>,
}

/// An answer.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Served {
    async fn new(params: SandboxParams) -> Self {
        let sandbox = Sandbox::new(params);
        sandbox.with_office(|office| {
            office.open_spreadsheet("book", "Book", jiff::Timestamp::UNIX_EPOCH).unwrap();
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = {
            let sandbox = sandbox.clone();
            tokio::spawn(async move { sandbox.serve(listener, std::future::pending()).await })
        };
        Self { sandbox, address, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Sends a request on a connection of its own; none if the answer is not whole.
    async fn send(&self, line: &str, headers: &str, body: &str) -> Option<Answer> {
        self.send_to(&self.address.to_string(), line, headers, body).await
    }

    /// Sends a request as one for that host.
    async fn send_to(&self, host: &str, line: &str, headers: &str, body: &str) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.ok()?;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let promised = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned))
            .map_or(0, |length| length.parse().unwrap());
        (body.len() == promised).then(|| Answer { status, head: head.to_owned(), body: body.to_owned() })
    }

    async fn call(&self, line: &str, token: Option<&str>, body: &str) -> Option<Answer> {
        let headers = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        soon(self.send(line, &headers, body)).await
    }

    async fn read(&self, token: Option<&str>) -> Answer {
        self.call("GET /v4/spreadsheets/book", token, "").await.unwrap()
    }

    async fn write(&self, token: Option<&str>) -> Option<Answer> {
        let line = "PUT /v4/spreadsheets/book/values/A1?valueInputOption=RAW";
        self.call(line, token, r#"{"values": [["written"]]}"#).await
    }

    fn is_written(&self) -> bool {
        self.sandbox.with_office(|office| {
            let book = office.look("book", jiff::Timestamp::UNIX_EPOCH).unwrap();
            book.sheet("Sheet1").unwrap().texts() == [["written"]]
        })
    }

    /// Asks for a token.
    async fn sign_in(&self, form: &str) -> Answer {
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        soon(self.send("POST /token", headers, form)).await.unwrap()
    }

    /// A claim as it should be.
    fn claims(&self, scope: &str) -> Value {
        let now = jiff::Timestamp::now().as_second();
        let audience = format!("http://{}/token", self.address);
        json!({"iss": ACCOUNT, "scope": scope, "aud": audience, "iat": now, "exp": now + 3600, "sub": null})
    }

    async fn token(&self, scope: &str) -> String {
        let answer = self.sign_in(&form(&signed(&key(), &self.claims(scope)))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = answer.json();
        assert_eq!(token["token_type"], "Bearer");
        token["access_token"].as_str().unwrap().to_owned()
    }
}

fn form(assertion: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", GRANT).append_pair("assertion", assertion).finish()
}

/// A claim that this key has signed.
fn signed(key: &ThrowAwayKey, claims: &Value) -> String {
    let pem = key.file("x")["private_key"].as_str().unwrap().to_owned();
    let key = SigningKey::<Sha256>::new(PrivateKey::from_pkcs8_pem(&pem).unwrap());
    let part = |json: &Value| URL_SAFE.encode(json.to_string());
    let told = format!("{}.{}", part(&json!({"alg": "RS256", "typ": "JWT"})), part(claims));
    let signature = key.sign(told.as_bytes()).to_bytes();
    format!("{told}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn params() -> SandboxParams {
    SandboxParams::new(key())
}

#[tokio::test]
async fn who_signs_in_gets_a_token_for_what_was_asked() {
    let served = Served::new(params()).await;
    let reader = served.token(READ).await;
    assert_eq!(served.read(Some(&reader)).await.status, 200);
    let refused = served.write(Some(&reader)).await.unwrap();
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    assert!(refused.head.contains("insufficient_scope") && !served.is_written());
    let writer = served.token(WRITE).await;
    assert_eq!(served.write(Some(&writer)).await.unwrap().status, 200);
    assert!(served.is_written());
    let seen = served.sandbox.seen();
    let scopes: Vec<&[String]> = seen.iter().map(|seen| seen.scopes.as_slice()).collect();
    assert_eq!(scopes, [&[][..], &[READ.to_owned()], &[READ.to_owned()], &[], &[WRITE.to_owned()]]);
    assert_eq!(seen[0].arrival.body.as_ref().unwrap()["grant_type"], GRANT);
}

#[tokio::test]
async fn a_claim_that_is_not_right_is_refused_in_googles_words() {
    let served = Served::new(params()).await;
    let now = jiff::Timestamp::now().as_second();
    let with = |name: &str, value: Value| {
        let mut claims = served.claims(READ);
        claims[name] = value;
        claims
    };
    let (good, short) = (served.claims(READ), "Token must be a short-lived token (60 minutes)");
    let stranger = ThrowAwayKey::new().unwrap();
    let parts = signed(&key(), &good);
    let (head, rest) = parts.split_once('.').unwrap();
    let altered = format!(
        "{head}.{}.{}",
        URL_SAFE.encode(with("scope", WRITE.into()).to_string()),
        rest.split_once('.').unwrap().1
    );
    let unsigned = format!("{}.{rest}", URL_SAFE.encode(r#"{"alg":"none"}"#));
    let long = json!(now - 600);
    for (assertion, status, error, words) in [
        (signed(&stranger, &good), 400, "invalid_grant", "Invalid JWT Signature."),
        (altered, 400, "invalid_grant", "Invalid JWT Signature."),
        (unsigned, 400, "invalid_grant", "RS256"),
        ("rubbish".to_owned(), 400, "invalid_grant", "three parts"),
        (
            signed(&key(), &with("aud", "https://oauth2.example.com/token".into())),
            400,
            "invalid_grant",
            "audience",
        ),
        (
            signed(&key(), &with("iss", "somebody@else.example".into())),
            400,
            "invalid_grant",
            "account not found",
        ),
        (signed(&key(), &with("exp", json!(now - 301))), 400, "invalid_grant", short),
        (signed(&key(), &with("iat", long)), 400, "invalid_grant", short),
        (signed(&key(), &with("exp", Value::Null)), 400, "invalid_grant", short),
        (
            signed(&key(), &with("sub", "boss@office.example".into())),
            401,
            "unauthorized_client",
            "unauthorized",
        ),
        (signed(&key(), &with("scope", "spreadsheets".into())), 400, "invalid_scope", "Invalid OAuth scope"),
        (signed(&key(), &with("scope", "".into())), 400, "invalid_scope", "Invalid OAuth scope"),
    ] {
        let answer = served.sign_in(&form(&assertion)).await;
        let body = answer.json();
        assert_eq!((answer.status, body["error"].as_str()), (status, Some(error)), "{words}: {body}");
        assert!(body["error_description"].as_str().unwrap().contains(words), "{words}: {body}");
    }
    let googles_own = with("aud", "https://oauth2.googleapis.com/token".into());
    assert_eq!(served.sign_in(&form(&signed(&key(), &googles_own))).await.status, 200);
    let answer = served.sign_in("grant_type=password&assertion=x").await;
    assert_eq!(answer.json()["error"], "unsupported_grant_type");
    assert_eq!(served.call("GET /token", None, "").await.unwrap().status, 405);
    served.sandbox.delete_account();
    let answer = served.sign_in(&form(&signed(&key(), &good))).await;
    assert_eq!(answer.json()["error_description"], "Invalid grant: account not found");
}

#[tokio::test]
async fn tokens_end() {
    let short = Served::new(SandboxParams { token_lifetime: Duration::ZERO, ..params() }).await;
    let expired = short.token(READ).await;
    let served = Served::new(params()).await;
    let revoked = served.token(READ).await;
    assert_eq!(served.read(Some(&revoked)).await.status, 200);
    served.sandbox.revoke_tokens();
    for (served, token, words) in [
        (&short, Some(expired.as_str()), "invalid authentication credentials"),
        (&served, Some(revoked.as_str()), "invalid authentication credentials"),
        (&served, Some("ya29.sandbox-never-given"), "invalid authentication credentials"),
        (&served, None, "missing required authentication credential"),
    ] {
        let answer = served.read(token).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["status"].as_str()),
            (401, Some("UNAUTHENTICATED"))
        );
        assert!(answer.body.contains(words) && answer.head.contains("invalid_token"), "{answer:?}");
    }
    assert_eq!(served.read(GUEST).await.status, 200, "a tool that brings its own may be tried");
    let strict = Served::new(SandboxParams { tokens: Tokens::Own, ..params() }).await;
    assert_eq!(strict.read(GUEST).await.status, 401, "where only tokens of ours count, it may not");
    let ours = strict.token(READ).await;
    assert_eq!(strict.read(Some(&ours)).await.status, 200);
}

#[tokio::test]
async fn a_page_whose_name_leads_here_does_not_get_in() {
    let (served, open) =
        (Served::new(params()).await, Served::new(SandboxParams { any_host: true, ..params() }).await);
    let (read, token) = ("GET /v4/spreadsheets/book", "Authorization: Bearer me\r\n");
    for (host, status) in
        [("evil.example", 421), ("localhost", 200), ("127.0.0.1", 200), ("[::1]", 200), ("localhost.", 421)]
    {
        let status_of = async |served: &Served| {
            let host = format!("{host}:{}", served.address.port());
            soon(served.send_to(&host, read, token, "")).await.unwrap()
        };
        let answer = status_of(&served).await;
        assert_eq!(answer.status, status, "{host}: {answer:?}");
        assert_eq!(status_of(&open).await.status, 200, "{host}");
        assert!(status == 200 || answer.body.contains("--allow-remote"), "{answer:?}");
    }
    let port = served.address.port();
    for path in ["GET /", "GET /v1/models", "POST /token"] {
        let answer = soon(served.send_to(&format!("evil.example:{port}"), path, "", "")).await.unwrap();
        assert_eq!(answer.status, 421, "{path}");
    }
    assert_eq!(served.sandbox.seen().len(), 3, "who was turned away counts for nothing");
}

#[tokio::test]
async fn a_minute_has_a_quota_of_each_kind() {
    let quota = Some(Quota { per_user: 2, per_project: 300 });
    let served = Served::new(SandboxParams { quota, ..params() }).await;
    for _ in 0..2 {
        assert_eq!(served.read(GUEST).await.status, 200);
    }
    let refused = served.read(GUEST).await;
    assert_eq!(refused.status, 429);
    let error = &refused.json()["error"];
    assert_eq!(error["status"], "RESOURCE_EXHAUSTED");
    assert!(error["message"].as_str().unwrap().contains("'Read requests per minute per user'"));
    assert!(!refused.head.to_lowercase().contains("retry-after"), "the real service says nothing of it");
    assert_eq!(served.write(GUEST).await.unwrap().status, 200, "writes are counted apart");
}

#[tokio::test]
async fn every_fault_is_one_on_the_wire() {
    let short = Duration::from_millis(50);
    let told = json!({"error": {"code": 418, "message": "made up"}});
    let made_up = Fault::Answer { status: 418, retry_after: Some(9), body: told.clone() };
    // What is answered, and whether it is carried out.
    let cases: [(Fault, Option<u16>, bool); 13] = [
        (Fault::None, Some(200), true),
        (Fault::ResetBeforeCommit, None, false),
        (Fault::CommitThenReset, None, true),
        (Fault::Hang, None, false),
        (Fault::CommitThenHang, None, true),
        (Fault::LateCommit(short), None, false),
        (Fault::Status(503), Some(503), false),
        (Fault::CommitThenStatus(500), Some(500), true),
        (Fault::Html(502), Some(502), false),
        (Fault::CommitThenCut, None, true),
        (Fault::Slow(short), Some(200), true),
        (Fault::Status(404), Some(404), false),
        (made_up.clone(), Some(418), false),
    ];
    for (fault, status, is_done) in cases {
        let served = Served::new(params()).await;
        let scripted = fault.clone();
        served.sandbox.set_script(move |_: &Arrival, _: &mut Office| scripted.clone());
        let began = Instant::now();
        let hangs = matches!(fault, Fault::Hang | Fault::CommitThenHang);
        let answer = match hangs {
            true => tokio::time::timeout(4 * short, served.write(GUEST)).await.ok().flatten(),
            false => served.write(GUEST).await,
        };
        assert_eq!(answer.as_ref().map(|answer| answer.status), status, "{fault:?}");
        assert_eq!(served.is_written(), is_done, "{fault:?}");
        let seen = served.sandbox.seen();
        assert_eq!((seen.len(), &seen[0].fault, seen[0].arrival.door), (1, &fault, Door::Write));
        let answer = answer.unwrap_or(Answer { status: 0, head: String::new(), body: String::new() });
        match &fault {
            Fault::Slow(time) => assert!(began.elapsed() >= *time),
            Fault::Hang | Fault::CommitThenHang => assert!(began.elapsed() >= 4 * short, "it only hangs"),
            Fault::LateCommit(time) => {
                soon(async {
                    while !served.is_written() {
                        tokio::task::yield_now().await;
                    }
                })
                .await;
                assert!(began.elapsed() >= *time);
            }
            Fault::Html(_) => assert!(answer.body.starts_with("<!DOCTYPE html>"), "{answer:?}"),
            Fault::Status(status) => assert_eq!(answer.json()["error"]["code"], *status),
            Fault::Answer { .. } => {
                assert_eq!(answer.json(), told);
                assert!(answer.head.to_lowercase().contains("retry-after: 9"), "{answer:?}");
            }
            _ => {}
        }
        served.sandbox.clear_script();
        assert_eq!(served.read(GUEST).await.status, 200, "{fault:?} is over");
    }
}

#[tokio::test]
async fn one_port_serves_everything() {
    let served = Served::new(params()).await;
    assert!(served.call("GET /", GUEST, "").await.unwrap().body.contains("/v1/chat/completions"));
    let models = served.call("GET /v1/models", None, "").await.unwrap().json();
    assert_eq!(models["data"][0]["id"], "rule-of-thumb");
    let files = served.call("GET /drive/v3/files", GUEST, "").await.unwrap().json();
    assert_eq!(files["files"][0]["id"], "book");
    let compact =
        served.call("GET /v4/spreadsheets/book?prettyPrint=false&fields=properties.title", GUEST, "");
    assert_eq!(compact.await.unwrap().body, r#"{"properties":{"title":"Book"}}"#);
    assert_eq!(served.call("GET /v4/nothing", GUEST, "").await.unwrap().status, 404);
}
