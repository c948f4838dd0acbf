//! A job: its runs and its rows; and its form.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};

use super::layout::{Page, between, outcome, page, part, text};
use super::words::{Word, dollars, number};
use super::{Reader, go_to};
use crate::domain::key::RowKey;
use crate::engine::{RunRequest, Trigger};
use crate::http::Desk;
use crate::http::api::ApiError;
use crate::http::view::{RowView, RunView};
use crate::store::JudgedRows;

/// So many on a page.
const RUNS: usize = 20;
const ROWS: usize = 50;

pub(super) async fn job(request: HttpRequest, desk: Data<Desk>, job: Path<String>) -> HttpResponse {
    let reader = Reader::of(&request, &desk);
    let office = &desk.front.office;
    if !office.job_names().contains(&job) {
        return super::error(&request, &desk, &ApiError::unknown_job(&job));
    }
    let asked: Vec<(String, String)> =
        form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    let value = |name: &str| asked.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let valid = value("valid").and_then(|valid| valid.parse().ok());
    let after = value("after").filter(|after| !after.is_empty()).map(RowKey::stored);
    let wanted = JudgedRows { job: job.clone(), run: None, valid, after, limit: ROWS };
    let (runs, rows) = match (
        office.runs(Some(job.clone()), None, RUNS).await,
        office.rows(wanted, desk.front.show_content).await,
    ) {
        (Ok(runs), Ok(rows)) => (runs, rows),
        (Err(error), _) | (_, Err(error)) => return super::error(&request, &desk, &ApiError::from(error)),
    };
    let title = job.as_str();
    let body = html! {
        p.crumbs { a href={ (reader.base) "/" } { (reader.word(Word::Overview)) } }
        h1 { (reader.word(Word::Job)) " " (text(title)) }
        form method="post" action={ (reader.base) "/jobs/" (part(title)) "/run" } { button { (reader.word(Word::RunNow)) } }
        section aria-labelledby="runs" { h2 #runs { (reader.word(Word::Runs)) } (runs_table(&reader, &runs)) }
        section aria-labelledby="rows" {
            h2 #rows { (reader.word(Word::Rows)) }
            (filter(&reader, title, valid))
            (rows_table(&reader, title, &rows))
            @if let Some(last) = rows.last().filter(|_| rows.len() == ROWS) {
                p { a href={ (reader.base) "/jobs/" (part(title)) "?after=" (part(&last.key))
                    @if let Some(valid) = valid { "&valid=" (valid) } "#rows" } { (reader.word(Word::NextPage)) } }
            }
        }
    };
    reader.answer(StatusCode::OK, page(&reader, Page { title, live: false, body }))
}

pub(super) async fn start(request: HttpRequest, desk: Data<Desk>, job: Path<String>) -> HttpResponse {
    let asked = RunRequest { job: Some(job.clone()), trigger: Trigger::Api, ..RunRequest::default() };
    match desk.front.office.start(asked).await {
        Ok(_) => go_to(format!("{}/", desk.front.base)),
        Err(error) => super::error(&request, &desk, &ApiError::from(error)),
    }
}

fn runs_table(reader: &Reader, runs: &[RunView]) -> Markup {
    let count = |run: &RunView, name: &str| number(reader.language, run.count(name));
    html! {
        div.scroll tabindex="0" role="group" aria-label=(reader.word(Word::Runs)) { table {
            caption.hidden { (reader.word(Word::Runs)) }
            thead { tr {
                @for word in [Word::Started, Word::Outcome, Word::Took, Word::Valid, Word::Invalid, Word::NotChecked, Word::Cost] {
                    th scope="col" { (reader.word(word)) }
                }
            } }
            tbody { @for run in runs { tr {
                th scope="row" { a href={ (reader.base) "/runs/" (part(&run.run_id)) } { (reader.moment(run.started)) } }
                td { (outcome(reader, run.outcome.as_deref())) }
                td { (between(reader, run.started, run.ended)) }
                td { (count(run, "rows_valid")) }
                td { (count(run, "rows_invalid")) }
                td { (count(run, "rows_not_checked")) }
                td { (dollars(run.spent_usd)) }
            } } }
        } }
    }
}

fn filter(reader: &Reader, job: &str, valid: Option<bool>) -> Markup {
    html! {
        p.filter {
            @for (word, value) in [(Word::All, None), (Word::Valid, Some(true)), (Word::Invalid, Some(false))] {
                a href={ (reader.base) "/jobs/" (part(job)) @if let Some(value) = value { "?valid=" (value) } "#rows" }
                    aria-current=[(valid == value).then_some("true")] { (reader.word(word)) }
                " "
            }
        }
    }
}

fn rows_table(reader: &Reader, job: &str, rows: &[RowView]) -> Markup {
    if rows.is_empty() {
        return html! { p.quiet { (reader.word(Word::NoRows)) } };
    }
    html! {
        div.scroll tabindex="0" role="group" aria-label=(reader.word(Word::Rows)) { table {
            caption.hidden { (reader.word(Word::Rows)) }
            thead { tr { @for word in [Word::Row, Word::Verdict, Word::Rule, Word::When] { th scope="col" { (reader.word(word)) } } } }
            tbody { @for row in rows { tr {
                th scope="row" { a href={ (reader.base) "/rows/" (part(job)) "/" (part(&row.key)) } { (text(&row.key)) } }
                td { (verdict(reader, row)) }
                td { (row.verdict.rules.join(", ")) }
                td { (reader.moment(row.at)) }
            } } }
        } }
    }
}

/// Valid or not, as a badge.
pub(super) fn verdict(reader: &Reader, row: &RowView) -> Markup {
    match row.verdict.valid {
        true => html! { span.badge.good { (reader.word(Word::Valid)) } },
        false => html! { span.badge.bad { (reader.word(Word::Invalid)) } },
    }
}
