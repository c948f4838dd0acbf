//! The overview: what an operator needs at a glance, and a project office can read.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};

use super::chart::Curve;
use super::layout::{Page, outcome, page, part, progress, text};
use super::words::{Word, dollars, jobs as counted_jobs, number, rows, span};
use super::{Reader, chart};
use crate::http::Desk;
use crate::http::api::ApiError;
use crate::http::events::place;
use crate::http::view::{JobView, ProviderView, RunView, SpendingView, StatusView, cut_quotes};

/// So many runs are drawn.
const DRAWN: usize = 20;

pub(super) async fn home(request: HttpRequest, desk: Data<Desk>) -> HttpResponse {
    desk.events.wake();
    let reader = Reader::of(&request, &desk);
    let office = &desk.front.office;
    let (status, mut runs) = match (office.status().await, office.runs(None, None, DRAWN).await) {
        (Ok(status), Ok(runs)) => (status, runs),
        (Err(error), _) | (_, Err(error)) => return super::error(&request, &desk, &ApiError::from(error)),
    };
    runs.retain(|run| run.report.is_some());
    runs.reverse();
    let live = status.jobs.iter().any(|job| job.running.is_some());
    let title = reader.word(Word::Overview);
    let body = html! {
        (headline(&reader, &status))
        @if let Some(reload) = &status.reload {
            @match &reload.problem {
                Some(problem) => p.notice.bad { (reader.word(Word::ReloadKept)) " (" (reader.moment(reload.at)) "): "
                    (text(problem)) },
                None => p.quiet { (reader.word(Word::Reloaded)) " " (reader.moment(reload.at)) },
            }
        }
        section aria-labelledby="jobs" {
            h2 #jobs { (reader.word(Word::Jobs)) }
            @for job in &status.jobs { (job_card(&reader, &desk, job)) }
        }
        div.columns {
            section aria-labelledby="spending" {
                h2 #spending { (reader.word(Word::Spending)) }
                (spending(&reader, &status.spending))
            }
            section aria-labelledby="charts" {
                h2 #charts { (reader.word(Word::Runs)) }
                @if runs.is_empty() { p.quiet { (reader.word(Word::NothingRan)) } } @else { (chart::verdicts(&reader, &runs)) }
            }
        }
        @if !status.providers.is_empty() {
            section aria-labelledby="providers" {
                h2 #providers { (reader.word(Word::Providers)) }
                (providers(&reader, &status.providers))
            }
        }
        section aria-labelledby="troubles" {
            h2 #troubles { (reader.word(Word::Troubles)) }
            @if status.troubles.is_empty() { p.quiet { (reader.word(Word::NoTroubles)) } }
            @else {
                ul.troubles {
                    @for trouble in &status.troubles {
                        li { (reader.moment(trouble.at)) " "
                            @if let Some(job) = &trouble.job { b { (text(job)) } ": " }
                            @if reader.show_content { (text(&trouble.text)) } @else { (text(&cut_quotes(&trouble.text))) }
                        }
                    }
                }
            }
        }
        footer.quiet { "Status Validator " (status.version) ", " (reader.word(Word::Since)) " " (reader.moment(status.since)) }
    };
    reader.answer(StatusCode::OK, page(&reader, Page { title, live, body }))
}

/// Whether all is well, in a line.
fn headline(reader: &Reader, status: &StatusView) -> Markup {
    let last = |job: &JobView| job.last_run.as_ref().and_then(|run| run.outcome.clone());
    let failed =
        status.jobs.iter().filter(|job| matches!(last(job).as_deref(), Some("failed" | "budget"))).count();
    let partly = status.jobs.iter().filter(|job| last(job).as_deref() == Some("partial")).count();
    // What a run has not written yet is on its way.
    let idle = status.jobs.iter().filter(|job| job.running.is_none());
    let pending: u64 = idle.map(|job| job.pending_writes).sum();
    let is_kept = status.reload.as_ref().is_some_and(|reload| reload.problem.is_some());
    let never = status.jobs.iter().all(|job| job.last_run.is_none());
    let (word, look) = match () {
        () if failed > 0 || is_kept => (Word::Attention, "bad"),
        () if partly > 0 || pending > 0 => (Word::Attention, "fair"),
        () if status.jobs.iter().any(|job| job.running.is_some()) => (Word::Running, "busy"),
        () if never => (Word::NothingRan, "busy"),
        () => (Word::AllWell, "good"),
    };
    let mut why = Vec::new();
    if failed > 0 {
        why.push(format!("{}: {}", counted_jobs(reader.language, failed as u64), reader.word(Word::Failed)));
    }
    if partly > 0 {
        why.push(format!("{}: {}", counted_jobs(reader.language, partly as u64), reader.word(Word::Partial)));
    }
    if pending > 0 {
        why.push(format!("{} {}", number(reader.language, pending), reader.word(Word::PendingWrites)));
    }
    html! {
        h1 class={ "headline " (look) } { (reader.word(word)) }
        @if !why.is_empty() { p.why { (why.join("; ")) } }
    }
}

fn job_card(reader: &Reader, desk: &Desk, job: &JobView) -> Markup {
    let points = desk.events.past(&job.name);
    let pace = points.last().map(|point| point.rows_per_s);
    html! {
        article.card {
            div.head {
                h3 { a href={ (reader.base) "/jobs/" (part(&job.name)) } { (text(&job.name)) } }
                @match &job.running {
                    Some(running) => form method="post" action={ (reader.base) "/runs/" (part(&running.run_id)) "/cancel" } {
                        button.stop { (reader.word(Word::Cancel)) span.hidden { " " (text(&job.name)) } }
                    },
                    None => form method="post" action={ (reader.base) "/jobs/" (part(&job.name)) "/run" } {
                        button { (reader.word(Word::RunNow)) span.hidden { " " (text(&job.name)) } }
                    },
                }
            }
            p.quiet { (text(&job.source)) " → " (text(&job.target)) }
            @if let Some(running) = &job.running {
                div.running data-run=(running.run_id) aria-live="polite" aria-atomic="false" {
                    p { span.badge.busy { (reader.word(Word::Running)) } " "
                        a href={ (reader.base) "/runs/" (part(&running.run_id)) } { (reader.moment(running.since)) } }
                    (progress(reader, &job.name, &running.progress, pace))
                    div.charts {
                        @let place = place(&job.name);
                        @let rates: Vec<_> = points.iter().map(|point| Some(point.rows_per_s)).collect();
                        @let latencies: Vec<_> = points.iter().map(|point| point.latency_s).collect();
                        (chart::line(reader.word(Word::ChartPace), &format!("pace@{place}"), &Curve::of(&rates)))
                        (chart::line(reader.word(Word::ChartLatency), &format!("latency@{place}"), &Curve::of(&latencies)))
                    }
                }
            }
            dl {
                div { dt { (reader.word(Word::LastRun)) } dd {
                    @match &job.last_run { Some(run) => (last_run(reader, run)), None => (reader.word(Word::Never)) }
                } }
                div { dt { (reader.word(Word::NextRun)) } dd {
                    @match job.next_run { Some(next) => (reader.moment(next)), None => (reader.word(Word::WhenAsked)) }
                    @if job.watches { " " (reader.word(Word::Watches)) }
                    @if let Some(schedule) = &job.schedule { " " code { (schedule) } }
                } }
                div { dt { (reader.word(Word::Rules)) } dd {
                    @match job.rules { Some(rules) => (rules), None => (reader.word(Word::FreeRules)) }
                    ", " (reader.word(Word::Version)) " " code { (job.rules_version) }
                } }
                div { dt { (reader.word(Word::Providers)) } dd {
                    @if job.models.is_empty() { (reader.word(Word::CodeOnly)) } @else { (text(&job.models.join(", "))) }
                } }
                @if job.pending_writes > 0 {
                    div.fair { dt { (reader.word(Word::Pending)) } dd { (number(reader.language, job.pending_writes)) } }
                }
            }
        }
    }
}

/// A run in a line: how it ended and what it found.
pub(super) fn last_run(reader: &Reader, run: &RunView) -> Markup {
    let count = |name: &str| number(reader.language, run.count(name));
    html! {
        (outcome(reader, run.outcome.as_deref())) " "
        a href={ (reader.base) "/runs/" (part(&run.run_id)) } { (reader.moment(run.started)) }
        @if run.report.is_some() {
            ": " (rows(reader.language, run.count("rows_read"))) ", "
            span.good { (count("rows_valid")) " " (reader.word(Word::Valid)) } ", "
            span.bad { (count("rows_invalid")) " " (reader.word(Word::Invalid)) } ", "
            span.fair { (count("rows_not_checked")) " " (reader.word(Word::NotChecked)) }
        }
    }
}

fn spending(reader: &Reader, money: &SpendingView) -> Markup {
    html! {
        dl {
            div { dt { (reader.word(Word::Today)) } dd { (dollars(money.today_usd))
                @match money.day_cap_usd {
                    Some(cap) => { " / " (dollars(cap)) " "
                        meter min="0" max=(cap) value=(money.today_usd.min(cap)) high=(cap * 0.8)
                            aria-label=(reader.word(Word::Cap)) {} }
                    None => { span.quiet { ", " (reader.word(Word::NoCap)) } }
                }
            } }
            div { dt { (reader.word(Word::Month)) } dd { (dollars(money.month_usd)) } }
            @if let Some(cap) = money.run_cap_usd { div { dt { (reader.word(Word::Run)) ", " (reader.word(Word::Cap)) } dd { (dollars(cap)) } } }
        }
    }
}

fn providers(reader: &Reader, providers: &[ProviderView]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label=(reader.word(Word::Providers)) { table {
            caption.hidden { (reader.word(Word::Providers)) }
            thead { tr {
                @for word in [Word::Model, Word::InFlight, Word::Limit, Word::State] { th scope="col" { (reader.word(word)) } }
            } }
            tbody { @for provider in providers { tr {
                th scope="row" { (text(&provider.name)) " " code { (provider.model) } }
                td { (provider.in_flight) }
                td { @match provider.requests_per_minute {
                    Some(limit) => (number(reader.language, limit.round() as u64)),
                    None => (reader.word(Word::LimitUnknown)),
                } }
                td {
                    @match provider.state {
                        "given_up" => span.badge.bad { (reader.word(Word::GivenUp)) },
                        "trouble" => span.badge.fair { (reader.word(Word::Trouble)) },
                        _ if provider.pause_s > 0.0 => span.badge.fair {
                            (reader.word(Word::Paused)) " " (span(reader.language, provider.pause_s)) },
                        _ => span.badge.good { (reader.word(Word::Asked)) },
                    }
                }
            } } }
        } }
    }
}
