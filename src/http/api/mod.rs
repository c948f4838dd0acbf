//! The API: JSON under `/api/v1`.

mod document;
mod error;
mod read;
mod run;
mod validate;

use actix_web::web;

pub(super) use error::{ApiError, ErrorBody};

use super::events;

/// The longest body that is read.
const LONGEST_BODY: usize = 1 << 20;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    let json = web::JsonConfig::default()
        .limit(LONGEST_BODY)
        .error_handler(|error, _| ApiError::json(&error).into());
    let query = web::QueryConfig::default().error_handler(|error, _| ApiError::bad_query(&error).into());
    let path = web::PathConfig::default().error_handler(|_, _| ApiError::not_found("page").into());
    config.service(
        web::scope("/api/v1")
            .app_data(json)
            .app_data(query)
            .app_data(path)
            .service(get("/status", web::get().to(read::status)))
            .service(get("/jobs", web::get().to(read::jobs)))
            .service(get("/jobs/{job}", web::get().to(read::job)))
            .service(
                web::resource("/runs")
                    .get(read::runs)
                    .post(run::start)
                    .default_service(web::to(|| async { ApiError::method("GET, POST").response() })),
            )
            .service(get("/runs/{run}", web::get().to(read::run)))
            .service(post("/runs/{run}/cancel", web::post().to(run::cancel)))
            .service(get("/rows", web::get().to(read::rows)))
            .service(get("/rows/{job}/{key}", web::get().to(read::row)))
            .service(post("/validate", web::post().to(validate::validate)))
            .service(get("/events", web::get().to(events::stream)))
            .service(get("/openapi.json", web::get().to(document::document)))
            .default_service(web::to(|| async { ApiError::not_found("page").response() })),
    );
}

fn get(path: &str, route: actix_web::Route) -> actix_web::Resource {
    only(path, route, "GET")
}

fn post(path: &str, route: actix_web::Route) -> actix_web::Resource {
    only(path, route, "POST")
}

/// A resource that is asked for in one way alone.
fn only(path: &str, route: actix_web::Route, method: &'static str) -> actix_web::Resource {
    web::resource(path)
        .route(route)
        .default_service(web::to(move || async move { ApiError::method(method).response() }))
}
