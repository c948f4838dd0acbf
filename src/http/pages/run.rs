//! A run: how it went, what it found, what it cost; and the form that ends it early.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};
use serde_json::Value;

use super::layout::{Page, between, outcome, page, part, progress, text};
use super::words::{Word, dollars, number};
use super::{Reader, go_to};
use crate::http::Desk;
use crate::http::api::ApiError;
use crate::http::view::{RunView, cut_quotes};

pub(super) async fn run(request: HttpRequest, desk: Data<Desk>, id: Path<String>) -> HttpResponse {
    desk.events.wake();
    let reader = Reader::of(&request, &desk);
    let run = match desk.front.office.run(&id).await {
        Ok(Some(run)) => run,
        Ok(None) => return super::error(&request, &desk, &ApiError::not_found("run")),
        Err(error) => return super::error(&request, &desk, &ApiError::from(error)),
    };
    let running = desk
        .front
        .office
        .running()
        .into_iter()
        .find_map(|(_, running, _)| running.filter(|now| now.run_id == *id));
    let title = format!("{} {}", reader.word(Word::Run), run.job);
    let body = html! {
        p.crumbs { a href={ (reader.base) "/" } { (reader.word(Word::Overview)) } " / "
            a href={ (reader.base) "/jobs/" (part(&run.job)) } { (text(&run.job)) } }
        h1 { (reader.word(Word::Run)) " " (reader.moment(run.started)) " " (outcome(&reader, run.outcome.as_deref())) }
        @if let Some(running) = &running {
            div.running data-run=(running.run_id) aria-live="polite" {
                (progress(&reader, &run.job, &running.progress, None))
                form method="post" action={ (reader.base) "/runs/" (part(&run.run_id)) "/cancel" } {
                    button.stop { (reader.word(Word::Cancel)) }
                }
            }
        }
        (figures(&reader, &run))
        @if let Some(report) = &run.report { (details(&reader, report)) }
    };
    reader.answer(StatusCode::OK, page(&reader, Page { title: &title, live: running.is_some(), body }))
}

pub(super) async fn cancel(request: HttpRequest, desk: Data<Desk>, run: Path<String>) -> HttpResponse {
    match desk.front.office.cancel(&run).await {
        true => go_to(format!("{}/", desk.front.base)),
        false => super::error(&request, &desk, &ApiError::not_found("run under way")),
    }
}

fn figures(reader: &Reader, run: &RunView) -> Markup {
    let count = |name: &str| number(reader.language, run.count(name));
    let llm = |name: &str| {
        let value = run.report.as_ref().and_then(|report| report.get("llm")?.get(name)?.as_u64());
        number(reader.language, value.unwrap_or_default())
    };
    html! {
        dl.figures {
            div { dt { (reader.word(Word::Took)) } dd { (between(reader, run.started, run.ended)) } }
            div { dt { (reader.word(Word::Cost)) } dd { (dollars(run.spent_usd)) } }
            @for (word, name) in [
                (Word::Read, "rows_read"), (Word::Valid, "rows_valid"), (Word::Invalid, "rows_invalid"),
                (Word::NotChecked, "rows_not_checked"), (Word::Skipped, "rows_skipped"), (Word::Cached, "cache_hits"),
                (Word::Written, "rows_written"),
            ] { div { dt { (reader.word(word)) } dd { (count(name)) } } }
            div { dt { (reader.word(Word::Requests)) } dd { (llm("requests")) } }
            div { dt { (reader.word(Word::Tokens)) } dd { (llm("prompt_tokens")) " + " (llm("completion_tokens")) } }
        }
    }
}

fn details(reader: &Reader, report: &Value) -> Markup {
    let shown = |what: &str| if reader.show_content { what.to_owned() } else { cut_quotes(what) };
    let failure = report.get("failure").and_then(|failure| failure.get("text")?.as_str());
    let warnings: Vec<&str> = list(report, "warnings").iter().filter_map(Value::as_str).collect();
    html! {
        @if let Some(failure) = failure { p.notice.bad { (text(&shown(failure))) } }
        (counts(reader, Word::Reasons, Word::Reason, report.get("not_checked"), &shown))
        (counts(reader, Word::Violations, Word::Rule, report.get("violations"), &str::to_owned))
        @if !warnings.is_empty() {
            section { h2 { (reader.word(Word::Warnings)) } ul { @for warning in warnings { li { (text(&shown(warning))) } } } }
        }
    }
}

fn list<'a>(report: &'a Value, name: &str) -> &'a [Value] {
    report.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A table of names and how often they occur.
fn counts(
    reader: &Reader,
    title: Word,
    name: Word,
    counts: Option<&Value>,
    shown: &dyn Fn(&str) -> String,
) -> Markup {
    let Some(counts) = counts.and_then(Value::as_object).filter(|counts| !counts.is_empty()) else {
        return html! {};
    };
    html! {
        section {
            h2 { (reader.word(title)) }
            div.scroll tabindex="0" role="group" aria-label=(reader.word(title)) { table {
                caption.hidden { (reader.word(title)) }
                thead { tr { th scope="col" { (reader.word(name)) } th scope="col" { (reader.word(Word::Count)) } } }
                tbody { @for (what, count) in counts { tr {
                    th scope="row" { (text(&shown(what))) }
                    td { (number(reader.language, count.as_u64().unwrap_or_default())) }
                } } }
            } }
        }
    }
}
