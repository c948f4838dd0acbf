//! Who is let in. Every request passes here: it has to be for a name of ours, from whom it may be, and asked for by our own
//! pages where it changes something. Every answer gets the headers that keep browsers from doing more than they should.

mod body;
mod headers;
mod host;
mod origin;
mod session;

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::{ExposeSecret as _, SecretString};

use super::Desk;
use super::api::ApiError;
use super::pages;

pub(super) use session::{COOKIE, Sessions, cookie};

/// The guard.
pub(super) async fn guard<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let began = Instant::now();
    let Some(desk) = request.app_data::<web::Data<Desk>>().cloned() else {
        let refused = HttpResponse::InternalServerError().finish();
        return Ok(request.into_response(refused));
    };
    body::hurry(&mut request);
    let route = request.match_pattern().unwrap_or_else(|| "other".to_owned());
    let is_asset = request.path().contains("/assets/");
    let mut response = match verdict(request.request(), &desk) {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(refusal) => {
            let refused = refusal.response(request.request(), &desk);
            request.into_response(refused)
        }
    };
    headers::put(response.headers_mut(), is_asset);
    desk.front.office.metrics().answered(&route, response.status().as_u16(), began.elapsed());
    Ok(response)
}

/// Why a request is not let in.
enum Refusal {
    Host,
    Origin(&'static str),
    Token,
}

fn verdict(request: &HttpRequest, desk: &Desk) -> Result<(), Refusal> {
    if !host::is_ours(request, desk.front.hosts.as_deref()) {
        return Err(Refusal::Host);
    }
    let path = request.path().strip_prefix(&desk.front.base).unwrap_or(request.path());
    let bears_token = bears_token(request, desk.front.token.as_ref());
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        origin::check(request, bears_token).map_err(Refusal::Origin)?;
    }
    let is_open = path.starts_with("/assets/")
        || matches!(path, "/livez" | "/readyz" | "/health/live" | "/health/ready" | "/login");
    if desk.front.token.is_none() || is_open || bears_token || desk.sessions.has(request) {
        return Ok(());
    }
    Err(Refusal::Token)
}

fn bears_token(request: &HttpRequest, token: Option<&SecretString>) -> bool {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    given.zip(token).is_some_and(|(given, token)| is_token(given.trim(), token))
}

/// Compares by hashes, so that how long it takes tells nothing of the token.
pub(super) fn is_token(given: &str, token: &SecretString) -> bool {
    blake3::hash(given.as_bytes()) == blake3::hash(token.expose_secret().trim().as_bytes())
}

impl Refusal {
    fn response(&self, request: &HttpRequest, desk: &Desk) -> HttpResponse {
        let is_api = pages::is_for_programs(request, desk);
        let error = match self {
            Self::Host => ApiError::forbidden("the request is for a name that is not this service's"),
            Self::Origin(why) => ApiError::forbidden(why),
            Self::Token if is_api => ApiError::no_token(),
            Self::Token => return pages::login_wanted(request, desk),
        };
        if is_api { error.response() } else { pages::error(request, desk, &error) }
    }
}
