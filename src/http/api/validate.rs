//! Entries that are sent alone: the same checks, cache and limits as in a run; nothing is written to a table.

use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use futures_util::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::read::meant;
use crate::domain::entry::{DateCell, Entry};
use crate::domain::key::RowKey;
use crate::http::Desk;
use crate::http::view::OutcomeView;

/// One entry, or a list of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ValidateBody {
    /// The job whose rules count; may be left out where there is one alone.
    job: Option<String>,
    /// The entries, in the order of the answers.
    #[schema(min_items = 1, max_items = 50)]
    entries: Vec<EntryBody>,
}

/// An entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryBody {
    /// The status.
    #[schema(example = "On Track", max_length = 1000)]
    status: String,
    /// The comment.
    #[schema(example = "Handover of the site on 2026-04-02.", max_length = 20000)]
    comment: String,
    /// The completion date, as text.
    #[schema(example = "2026-06-30")]
    completion_date: Option<String>,
    /// What names the row.
    identifier: Option<String>,
    /// The project manager.
    project_manager: Option<String>,
    /// Further columns for the model, by name.
    #[serde(default)]
    context: BTreeMap<String, String>,
}

/// What became of the entries.
#[derive(Serialize, ToSchema)]
pub(super) struct ValidatedBody {
    /// In the order of the entries.
    outcomes: Vec<OutcomeView>,
}

/// So many entries in one list, and so many of them in work at one time: a list alone never fills the queue.
const MOST: usize = 50;
const AT_ONCE: usize = 4;
/// In characters: more is no status.
const LONGEST_STATUS: usize = 1000;
const LONGEST_COMMENT: usize = 20_000;

/// Judges entries. If there is no room for one of them, the whole is refused with 503 and `Retry-After`; what was judged by
/// then is known when it is asked again, and costs nothing.
#[utoipa::path(post, path = "/api/v1/validate", tag = "validate", request_body = ValidateBody, responses(
    (status = 200, body = ValidatedBody),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
    (status = 404, body = ErrorBody), (status = 413, body = ErrorBody), (status = 415, body = ErrorBody),
    (status = 503, body = ErrorBody, headers(("Retry-After" = u64, description = "Seconds"))),
))]
pub(super) async fn validate(
    desk: Data<Desk>,
    body: Json<ValidateBody>,
) -> Result<Json<ValidatedBody>, ApiError> {
    let ValidateBody { job, entries } = body.into_inner();
    if !(1..=MOST).contains(&entries.len()) {
        return Err(ApiError::bad(format!("entries: {} are not from 1 to {MOST}", entries.len())));
    }
    let too_long = |entry: &EntryBody| {
        entry.status.chars().count() > LONGEST_STATUS || entry.comment.chars().count() > LONGEST_COMMENT
    };
    if let Some(number) = entries.iter().position(too_long) {
        let what = "has a status or a comment that is too long";
        return Err(ApiError::bad(format!("entries: number {} {what}", number + 1)));
    }
    let job = meant(&desk, job)?;
    let asked =
        entries.into_iter().zip(1..).map(|(body, row)| desk.front.office.validate(&job, entry(row, body)));
    let judged: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    let outcomes: Result<Vec<_>, _> = judged.into_iter().collect();
    Ok(Json(ValidatedBody { outcomes: outcomes?.into_iter().map(OutcomeView::from).collect() }))
}

fn entry(row: u64, body: EntryBody) -> Entry {
    let entry = Entry::single(row, body.status, body.comment);
    Entry {
        key: body.identifier.as_ref().map_or(entry.key, |identifier| RowKey::of_identifier(identifier, 1)),
        completion_date: body.completion_date.map_or(DateCell::Missing, DateCell::Text),
        identifier: body.identifier,
        project_manager: body.project_manager,
        context: body.context.into_iter().collect(),
        ..entry
    }
}
