//! What can be read.

use actix_web::web::{Data, Json, Path, Query};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::{ApiError, ErrorBody};
use crate::domain::key::RowKey;
use crate::http::Desk;
use crate::http::view::{JobView, RowView, RunView, StatusView, cut_quotes};
use crate::store::JudgedRows;

/// Everything at a glance.
#[utoipa::path(get, path = "/api/v1/status", tag = "status", responses(
    (status = 200, body = StatusView),
    (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 503, body = ErrorBody),
))]
pub(super) async fn status(desk: Data<Desk>) -> Result<Json<StatusView>, ApiError> {
    let mut status = desk.front.office.status().await?;
    if !desk.front.show_content {
        status.troubles.iter_mut().for_each(|trouble| trouble.text = cut_quotes(&trouble.text));
        status.jobs.iter_mut().for_each(JobView::hide_texts);
    }
    Ok(Json(status))
}

/// The jobs.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", responses(
    (status = 200, body = Vec<JobView>),
    (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 503, body = ErrorBody),
))]
pub(super) async fn jobs(desk: Data<Desk>) -> Result<Json<Vec<JobView>>, ApiError> {
    Ok(Json(known_jobs(&desk).await?))
}

/// The jobs, with the texts of the table in their last runs or without.
async fn known_jobs(desk: &Desk) -> Result<Vec<JobView>, ApiError> {
    let mut jobs = desk.front.office.jobs().await?;
    if !desk.front.show_content {
        jobs.iter_mut().for_each(JobView::hide_texts);
    }
    Ok(jobs)
}

/// A job.
#[utoipa::path(get, path = "/api/v1/jobs/{job}", tag = "jobs", params(("job" = String, Path, description = "Its name")),
responses(
    (status = 200, body = JobView),
    (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
    (status = 404, body = ErrorBody), (status = 503, body = ErrorBody),
))]
pub(super) async fn job(desk: Data<Desk>, job: Path<String>) -> Result<Json<JobView>, ApiError> {
    let jobs = known_jobs(&desk).await?;
    let found = jobs.into_iter().find(|known| known.name == *job);
    found.map(Json).ok_or_else(|| ApiError::unknown_job(&job))
}

/// Which runs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RunsQuery {
    /// Only of this job.
    job: Option<String>,
    /// Only those that began before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
    /// At most so many.
    #[param(minimum = 1, maximum = 200)]
    #[serde(default = "some")]
    limit: usize,
}

fn some() -> usize {
    50
}

fn limit(limit: usize) -> Result<usize, ApiError> {
    let fits = (1..=200).contains(&limit);
    if fits { Ok(limit) } else { Err(ApiError::bad(format!("limit: {limit} is not from 1 to 200"))) }
}

/// Runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(RunsQuery), responses(
    (status = 200, body = Vec<RunView>), (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 503, body = ErrorBody),
))]
pub(super) async fn runs(desk: Data<Desk>, query: Query<RunsQuery>) -> Result<Json<Vec<RunView>>, ApiError> {
    let RunsQuery { job, before, limit: most } = query.into_inner();
    let mut runs = desk.front.office.runs(job, before, limit(most)?).await?;
    if !desk.front.show_content {
        runs.iter_mut().for_each(RunView::hide_texts);
    }
    Ok(Json(runs))
}

/// A run.
#[utoipa::path(get, path = "/api/v1/runs/{run}", tag = "runs", params(("run" = String, Path, description = "Its id")),
responses(
    (status = 200, body = RunView),
    (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
    (status = 404, body = ErrorBody), (status = 503, body = ErrorBody),
))]
pub(super) async fn run(desk: Data<Desk>, run: Path<String>) -> Result<Json<RunView>, ApiError> {
    let mut run = desk.front.office.run(&run).await?.ok_or_else(|| ApiError::not_found("run"))?;
    if !desk.front.show_content {
        run.hide_texts();
    }
    Ok(Json(run))
}

/// Which rows are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RowsQuery {
    /// Of this job; may be left out where there is one alone.
    job: Option<String>,
    /// As this run judged them; otherwise as they were judged last.
    run: Option<String>,
    /// Only those that are valid, or those that are not.
    valid: Option<bool>,
    /// Only those after this key: the last one of the page before.
    after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 200)]
    #[serde(default = "some")]
    limit: usize,
}

/// Rows with a verdict that rests on a model's answer, by key. Their texts come only with `serve.show_content`.
#[utoipa::path(get, path = "/api/v1/rows", tag = "rows", params(RowsQuery), responses(
    (status = 200, body = Vec<RowView>), (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
    (status = 404, body = ErrorBody), (status = 503, body = ErrorBody),
))]
pub(super) async fn rows(desk: Data<Desk>, query: Query<RowsQuery>) -> Result<Json<Vec<RowView>>, ApiError> {
    let RowsQuery { job, run, valid, after, limit: most } = query.into_inner();
    let job = meant(&desk, job)?;
    let wanted = JudgedRows { job, run, valid, after: after.map(RowKey::stored), limit: limit(most)? };
    Ok(Json(desk.front.office.rows(wanted, desk.front.show_content).await?))
}

/// The verdicts of one row, newest first.
#[utoipa::path(get, path = "/api/v1/rows/{job}/{key}", tag = "rows",
params(("job" = String, Path, description = "The job"), ("key" = String, Path, description = "The row's key")),
responses(
    (status = 200, body = Vec<RowView>),
    (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
    (status = 404, body = ErrorBody), (status = 503, body = ErrorBody),
))]
pub(super) async fn row(
    desk: Data<Desk>,
    path: Path<(String, String)>,
) -> Result<Json<Vec<RowView>>, ApiError> {
    let (job, key) = path.into_inner();
    let job = meant(&desk, Some(job))?;
    let history = desk.front.office.history(&job, &key, 100, desk.front.show_content).await?;
    if history.is_empty() { Err(ApiError::not_found("row")) } else { Ok(Json(history)) }
}

/// The job that is meant: the one that is named, or the only one.
pub(super) fn meant(desk: &Desk, job: Option<String>) -> Result<String, ApiError> {
    let mut names = desk.front.office.job_names();
    match job {
        Some(job) if names.contains(&job) => Ok(job),
        Some(job) => Err(ApiError::unknown_job(&job)),
        None if names.len() == 1 => Ok(names.remove(0)),
        None => Err(ApiError::bad(format!("job: name one of: {}", names.join(", ")))),
    }
}
