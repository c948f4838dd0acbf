//! Runs are started and ended early.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::read::meant;
use crate::engine::{RunRequest, Trigger};
use crate::http::Desk;

/// What a run is asked to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StartBody {
    /// The job; may be left out where there is one alone.
    job: Option<String>,
    /// How many rows may be judged anew; the others are left for a later run.
    #[schema(maximum = 1_000_000_000)]
    limit: Option<u64>,
    /// Judge rows whose verdict is known all the same.
    #[serde(default)]
    force: bool,
}

/// No table has more rows.
const MOST: u64 = 1_000_000_000;

/// A run that has begun.
#[derive(Serialize, ToSchema)]
pub(super) struct StartedBody {
    /// Its id.
    run_id: String,
    /// The job.
    job: String,
}

/// A run that ends early.
#[derive(Serialize, ToSchema)]
pub(super) struct EndingBody {
    /// Its id.
    run_id: String,
}

/// Starts a run. It goes on by itself; `Location` tells where to look.
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", request_body = StartBody, responses(
    (status = 202, body = StartedBody, headers(("Location" = String, description = "Where to look"))),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
    (status = 404, body = ErrorBody), (status = 409, body = ErrorBody, description = "A run of the job is under way"),
    (status = 413, body = ErrorBody), (status = 415, body = ErrorBody), (status = 503, body = ErrorBody),
))]
pub(super) async fn start(desk: Data<Desk>, body: Json<StartBody>) -> Result<HttpResponse, ApiError> {
    let StartBody { job, limit, force } = body.into_inner();
    if limit.is_some_and(|limit| limit > MOST) {
        return Err(ApiError::bad(format!("limit: is more than {MOST}")));
    }
    let job = meant(&desk, job)?;
    let request =
        RunRequest { job: Some(job.clone()), limit, force, trigger: Trigger::Api, ..RunRequest::default() };
    let run_id = desk.front.office.start(request).await?.run_id;
    let place = format!("{}/api/v1/runs/{run_id}", desk.front.base);
    Ok(HttpResponse::Accepted().insert_header((LOCATION, place)).json(StartedBody { run_id, job }))
}

/// Ends a run early: rows in work are finished and written, the others left for the next run.
#[utoipa::path(post, path = "/api/v1/runs/{run}/cancel", tag = "runs",
params(("run" = String, Path, description = "Its id")), responses(
    (status = 202, body = EndingBody, description = "It will end"),
    (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
    (status = 404, body = ErrorBody, description = "No such run is under way"),
))]
pub(super) async fn cancel(desk: Data<Desk>, run: Path<String>) -> Result<HttpResponse, ApiError> {
    match desk.front.office.cancel(&run).await {
        true => Ok(HttpResponse::Accepted().json(EndingBody { run_id: run.into_inner() })),
        false => Err(ApiError::not_found("run under way")),
    }
}
