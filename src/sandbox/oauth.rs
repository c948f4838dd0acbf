//! Signing in: a signed claim goes in, an access token comes out (RFC 7523, as Google does it for service
//! accounts: <https://developers.google.com/identity/protocols/oauth2/service-account>).
//!
//! Tools that are tried against the sandbox, such as those that replay recordings, bring tokens that Google gave or
//! that were made up, and cannot sign in anew. [`Tokens`] says whether these are taken: by default they are, and may
//! do everything. A token that looks like one of ours and is none is refused either way.
//!
//! Pure: the moment comes with each call, both as the clock has it and as time that only runs forward.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::key::{ACCOUNT, ThrowAwayKey};
use super::sheets::Answer;

/// Which access tokens are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tokens {
    /// Those that the sandbox gave, for what they were given for, and those from elsewhere, for everything.
    #[default]
    Any,
    /// Only those that the sandbox gave; others are answered with 401, as Google does.
    Own,
}

/// Gives tokens and knows which it gave.
#[derive(Debug)]
pub(super) struct Desk {
    key: ThrowAwayKey,
    tokens: HashMap<String, Token>,
    rng: fastrand::Rng,
    /// How long a token is good.
    lifetime: Duration,
    taken: Tokens,
    /// True once the account is gone.
    is_deleted: bool,
}

#[derive(Clone, Debug)]
struct Token {
    scopes: Vec<String>,
    until: Duration,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Somebody whom we gave a token for these scopes.
    Known(Vec<String>),
    /// Somebody who brought a token from elsewhere: a tool that is tried against us. May do everything.
    Guest,
    /// Somebody with a token that is not good, or not good any more.
    Refused,
    /// Somebody without a token.
    Nobody,
}

/// How far a claim's clock may be off, and how long it may be good.
const SKEW: i64 = 300;
const LONGEST_CLAIM: i64 = 3600;
/// Google's own client libraries sign for these, wherever they send the claim.
const GOOGLE: [&str; 3] = [
    "https://oauth2.googleapis.com/token",
    "https://www.googleapis.com/oauth2/v4/token",
    "https://accounts.google.com/o/oauth2/token",
];
/// Tokens of ours begin like this.
const OURS: &str = "ya29.sandbox-";
/// The grant of RFC 7523.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

impl Desk {
    pub(super) fn new(key: ThrowAwayKey, seed: u64, lifetime: Duration, taken: Tokens) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        Self { key, tokens: HashMap::new(), rng, lifetime, taken, is_deleted: false }
    }

    /// The account is deleted: nobody signs in with it any more.
    pub(super) fn delete_account(&mut self) {
        self.is_deleted = true;
    }

    /// Every token given so far is refused from now on.
    pub(super) fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Answers a request for a token. `audience` is the address that it was sent to.
    pub(super) fn answer(&mut self, form: &[u8], audience: &str, clock: Timestamp, now: Duration) -> Answer {
        match self.grant(form, audience, clock) {
            Ok(scopes) => {
                let token = format!("{OURS}{:032x}", self.rng.u128(..));
                self.tokens.insert(token.clone(), Token { scopes, until: now + self.lifetime });
                let seconds = self.lifetime.as_secs();
                let body = json!({"access_token": token, "expires_in": seconds, "token_type": "Bearer"});
                Answer { status: 200, body: Some(body), media_type: None }
            }
            Err((status, error, description)) => {
                let body = json!({"error": error, "error_description": description});
                Answer { status, body: Some(body), media_type: None }
            }
        }
    }

    /// Who sends a request with this `Authorization` header.
    pub(super) fn caller(&self, authorization: Option<&str>, now: Duration) -> Caller {
        let token = authorization.and_then(|header| {
            let (scheme, token) = header.trim().split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        match token.filter(|token| !token.is_empty()) {
            None => Caller::Nobody,
            Some(token) => match self.tokens.get(token) {
                Some(token) if token.until > now => Caller::Known(token.scopes.clone()),
                None if self.taken == Tokens::Any && !token.starts_with(OURS) => Caller::Guest,
                Some(_) | None => Caller::Refused,
            },
        }
    }

    fn grant(&self, form: &[u8], audience: &str, clock: Timestamp) -> Result<Vec<String>, Refusal> {
        let field = |name: &str| {
            let mut pairs = form_urlencoded::parse(form);
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        match field("grant_type").as_deref() {
            Some(GRANT) => {}
            None => return Err((400, "invalid_request", "Required parameter is missing: grant_type".into())),
            Some(other) => {
                return Err((400, "unsupported_grant_type", format!("Invalid grant_type: {other}")));
            }
        }
        let assertion = field("assertion").unwrap_or_default();
        let bad = |why: &str| (400, "invalid_grant", format!("Invalid JWT: {why}"));
        let parts: Vec<&str> = assertion.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            return Err(bad("Failed to parse: it needs three parts."));
        };
        let json = |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).ok();
        let head = json(header).ok_or_else(|| bad("Failed to parse its header."))?;
        let claims_json = json(claims).ok_or_else(|| bad("Failed to parse its claims."))?;
        if head["alg"] != "RS256" {
            return Err(bad("its algorithm must be RS256."));
        }
        let claim = |name: &str| claims_json[name].as_str().unwrap_or_default();
        if self.is_deleted || claim("iss") != ACCOUNT {
            return Err((400, "invalid_grant", "Invalid grant: account not found".into()));
        }
        let signed = format!("{header}.{claims}");
        let signature = decoded(signature).unwrap_or_default();
        if !self.key.has_signed(signed.as_bytes(), &signature) {
            return Err((400, "invalid_grant", "Invalid JWT Signature.".into()));
        }
        if claim("aud") != audience && !GOOGLE.contains(&claim("aud")) {
            return Err(bad("Failed audience check. The right audience is the address of this service."));
        }
        let moment = |name: &str| claims_json[name].as_i64();
        let in_time = moment("iat").zip(moment("exp")).is_some_and(|(issued, expires)| {
            let now = clock.as_second();
            issued <= now + SKEW
                && expires > now - SKEW
                && expires > issued
                && expires - issued <= LONGEST_CLAIM
        });
        if !in_time {
            return Err(bad(
                "Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp \
                 values in the JWT claim.",
            ));
        }
        if claims_json["sub"].as_str().is_some_and(|sub| sub != ACCOUNT) {
            let why = "Client is unauthorized to retrieve access tokens using this method, or client not authorized \
                       for any of the scopes requested.";
            return Err((401, "unauthorized_client", why.into()));
        }
        let scopes: Vec<String> = claim("scope").split_whitespace().map(str::to_owned).collect();
        if scopes.is_empty()
            || !scopes.iter().all(|scope| scope.starts_with("https://www.googleapis.com/auth/"))
        {
            return Err((400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.".into()));
        }
        Ok(scopes)
    }
}

type Refusal = (u16, &'static str, String);

/// Base64 for addresses; padded or not, both are about.
fn decoded(part: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    LENIENT.decode(part).ok()
}
