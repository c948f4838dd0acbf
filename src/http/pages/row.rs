//! A row: its verdicts over time.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use maud::html;

use super::Reader;
use super::job::verdict;
use super::layout::{Page, page, part, text};
use super::words::Word;
use crate::http::Desk;
use crate::http::api::ApiError;

/// So many verdicts are shown.
const VERDICTS: usize = 100;

pub(super) async fn row(
    request: HttpRequest,
    desk: Data<Desk>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (job, key) = path.into_inner();
    let reader = Reader::of(&request, &desk);
    let history = match desk.front.office.history(&job, &key, VERDICTS, reader.show_content).await {
        Ok(history) if history.is_empty() => {
            return super::error(&request, &desk, &ApiError::not_found("row"));
        }
        Ok(history) => history,
        Err(error) => return super::error(&request, &desk, &ApiError::from(error)),
    };
    let title = format!("{} {key}", reader.word(Word::Row));
    let body = html! {
        p.crumbs { a href={ (reader.base) "/" } { (reader.word(Word::Overview)) } " / "
            a href={ (reader.base) "/jobs/" (part(&job)) } { (text(&job)) } }
        h1 { (reader.word(Word::Row)) " " (text(&key)) }
        @if !reader.show_content { p.quiet { (reader.word(Word::TextsHidden)) } }
        ol.history {
            @for row in &history {
                li.card {
                    p { (verdict(&reader, row)) " " (reader.moment(row.at)) " "
                        a href={ (reader.base) "/runs/" (part(&row.run_id)) } { (reader.word(Word::Run)) } }
                    @if !row.verdict.rules.is_empty() {
                        p { (reader.word(Word::Violations)) ": " (row.verdict.rules.join(", "))
                            @if let Some(severity) = &row.verdict.severity { " (" (severity) ")" } }
                    }
                    @if let Some(issues) = row.verdict.issues.as_ref().filter(|issues| !issues.is_empty()) {
                        ul { @for issue in issues { li { (text(issue)) } } }
                    }
                    @if let Some(rewrite) = &row.verdict.rewrite_suggestion {
                        p { (reader.word(Word::Rewrite)) ": " (text(rewrite)) }
                    }
                    @if let Some(look) = &row.verdict.look { p.fair { (text(look)) } }
                }
            }
        }
    };
    reader.answer(StatusCode::OK, page(&reader, Page { title: &title, live: false, body }))
}
