//! What the API answers where it cannot do what it was asked: a code for programs, a sentence for people.

use std::time::Duration;

use actix_web::error::{JsonPayloadError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::{InspectError, RunError, ValidateError};

/// An error of the API.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(in crate::http) struct ApiError {
    pub(in crate::http) status: StatusCode,
    code: &'static str,
    pub(in crate::http) message: String,
    retry_after: Option<Duration>,
    allow: Option<&'static str>,
}

/// The body of an answer that is an error.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ErrorBody {
    error: ErrorDetail,
}

/// What is wrong.
#[derive(Serialize, ToSchema)]
struct ErrorDetail {
    /// For programs.
    #[schema(example = "unknown_job")]
    code: &'static str,
    /// For people.
    #[schema(example = "there is no job «weekly»")]
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, allow: None }
    }

    /// What was sent makes no sense.
    pub(in crate::http) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// The query makes no sense.
    pub(super) fn bad_query(error: &QueryPayloadError) -> Self {
        Self::bad(format!("the query is not understood: {error}"))
    }

    /// The body makes no sense.
    pub(super) fn json(error: &JsonPayloadError) -> Self {
        match error {
            JsonPayloadError::ContentType => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "the body has to be JSON, with Content-Type: application/json",
            ),
            JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("the body is larger than {} bytes", super::LONGEST_BODY),
            ),
            error => Self::bad(format!("the body is not understood: {error}")),
        }
    }

    /// Nobody who shows no token is let in.
    pub(in crate::http) fn no_token() -> Self {
        let what = "a token is needed, as Authorization: Bearer …; it stands in the file that serve.token_file names";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", what)
    }

    /// Not from there.
    pub(in crate::http) fn forbidden(why: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", why)
    }

    /// There is no such thing.
    pub(in crate::http) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// There is no such job.
    pub(in crate::http) fn unknown_job(job: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown_job", format!("there is no job «{job}»"))
    }

    /// It is asked for in other ways.
    pub(in crate::http) fn method(allow: &'static str) -> Self {
        let error = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("use {allow}"));
        Self { allow: Some(allow), ..error }
    }

    /// There is no room for the moment.
    pub(in crate::http) fn busy(message: impl Into<String>, retry_after: Duration) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message);
        Self { retry_after: Some(retry_after), ..error }
    }

    /// The answer.
    pub(in crate::http) fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(after) = self.retry_after {
            response.insert_header((RETRY_AFTER, after.as_secs_f64().ceil().max(1.0) as u64));
        }
        if let Some(allow) = self.allow {
            response.insert_header((ALLOW, allow));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(ErrorBody { error: ErrorDetail { code: self.code, message: self.message.clone() } })
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

impl From<InspectError> for ApiError {
    fn from(error: InspectError) -> Self {
        Self::busy(error.to_string(), Duration::from_secs(5))
    }
}

impl From<RunError> for ApiError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::UnknownJob(job) => Self::unknown_job(&job),
            RunError::AlreadyRunning => Self::new(StatusCode::CONFLICT, "already_running", error.to_string()),
            RunError::NoTable | RunError::NoPreview => {
                Self::new(StatusCode::CONFLICT, "no_table", error.to_string())
            }
            RunError::Source(_)
            | RunError::Target(_)
            | RunError::Store(_)
            | RunError::ActorDied(_)
            | RunError::ShuttingDown => Self::busy(error.to_string(), Duration::from_secs(10)),
        }
    }
}

impl From<ValidateError> for ApiError {
    fn from(error: ValidateError) -> Self {
        match error {
            ValidateError::UnknownJob(job) => Self::unknown_job(&job),
            ValidateError::Busy { retry_after } => Self::busy(error.to_string(), retry_after),
            ValidateError::Store(_) | ValidateError::ShuttingDown => {
                Self::busy(error.to_string(), Duration::from_secs(10))
            }
        }
    }
}
