//! Whether the service lives, and whether it can do its work; and its metrics.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_TYPE, HeaderName};
use actix_web::web::{self, Data};

use super::Desk;
use super::api::ApiError;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    let only = |path: &str, route| {
        let refused = web::to(|| async { ApiError::method("GET").response() });
        web::resource(path).route(route).default_service(refused)
    };
    for path in ["/livez", "/health/live"] {
        config.service(only(path, web::get().to(livez)));
    }
    for path in ["/readyz", "/health/ready"] {
        config.service(only(path, web::get().to(readyz)));
    }
    config.service(only("/metrics", web::get().to(metrics)));
}

/// It lives: its loop turns.
#[utoipa::path(get, path = "/livez", tag = "health", security(()), responses(
    (status = 200, content_type = "text/plain", body = String), (status = 403, body = Object),
))]
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// It can do its work: the store can be read. Not whether providers or tables can be reached: whoever starts it anew could
/// not mend that.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()), responses(
    (status = 200, content_type = "text/plain", body = String), (status = 403, body = Object),
    (status = 503, content_type = "text/plain", body = String),
))]
pub(super) async fn readyz(desk: Data<Desk>) -> HttpResponse {
    match desk.front.office.not_ready().await {
        None => HttpResponse::Ok().insert_header(TEXT).body("ok\n"),
        Some(why) => {
            tracing::warn!(why, "not ready");
            HttpResponse::ServiceUnavailable()
                .insert_header(TEXT)
                .body("the store cannot be read, or no engine is there\n")
        }
    }
}

const TEXT: (HeaderName, &str) = (CONTENT_TYPE, "text/plain; charset=utf-8");

async fn metrics(desk: Data<Desk>) -> Result<HttpResponse, ApiError> {
    let office = &desk.front.office;
    let (jobs, spending) = (office.jobs().await?, office.spending().await?);
    let (answers, bytes) = office.stored().await?;
    office.metrics().set_stores(answers, bytes);
    office.metrics().set_standing(&jobs, &office.providers(), &spending);
    let kind = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    Ok(HttpResponse::Ok().insert_header(kind).body(office.metrics().text()))
}
