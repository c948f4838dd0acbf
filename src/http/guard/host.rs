//! For which names the service answers.
//!
//! A page of the web may let its own name lead to this machine (DNS rebinding): a browser then takes the service for the
//! page's origin. The name stands in the `Host` header, which a page cannot choose.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;

/// True if the request is for one of these names, or any will do. A target with a name of its own counts instead of the
/// header (RFC 9112, 3.2.2), so both have to fit.
pub(super) fn is_ours(request: &HttpRequest, names: Option<&[String]>) -> bool {
    let Some(names) = names else { return true };
    let known = |host: &str| names.iter().any(|name| host.eq_ignore_ascii_case(name));
    let mut hosts = request.headers().get_all(HOST);
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    host.to_str().is_ok_and(known) && request.uri().authority().is_none_or(|target| known(target.as_str()))
}
