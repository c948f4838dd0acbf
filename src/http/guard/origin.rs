//! Requests that change something come from our own pages, or from a program; never from a page of somebody else, which a
//! browser would send with everything that lets its user in.

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, ORIGIN};

/// Whether the request may change something; if not, why.
pub(super) fn check(request: &HttpRequest, bears_token: bool) -> Result<(), &'static str> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    match header("sec-fetch-site") {
        Some("same-origin" | "none") | None => {}
        Some(_) if bears_token => {} // no browser sends a token by itself
        Some(_) => return Err("the request comes from a page of another site"),
    }
    let Some(origin) = header(ORIGIN.as_str()) else { return Ok(()) };
    let host = header(HOST.as_str()).unwrap_or_default();
    let named = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    if named.eq_ignore_ascii_case(host) || bears_token {
        return Ok(());
    }
    Err("the request comes from a page of another origin")
}
