//! The headers of every answer: nothing from elsewhere, no frame, no guessing, nothing kept.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"), // without any, forms would come from the origin "null"
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Puts them on an answer; assets have their hash in their names and may be kept.
pub(super) fn put(headers: &mut HeaderMap, is_asset: bool) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let kept = if is_asset { "public, max-age=31536000, immutable" } else { "no-store" };
    headers.insert(HeaderName::from_static("cache-control"), HeaderValue::from_static(kept));
}
