//! What all pages have: head, header, footer; and how texts of others are shown.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Reader;
use super::words::{Word, dollars, number, span};
use crate::domain::plain;
use crate::http::assets::{ICON, SCRIPT, STYLE};
use crate::http::events::place;
use crate::http::view::ProgressView;

/// A page.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// True if something on it moves: without a script it is read again now and then.
    pub(super) live: bool,
    pub(super) body: Markup,
}

pub(super) fn page(reader: &Reader, Page { title, live, body }: Page<'_>) -> Markup {
    let Reader { base, language, .. } = reader;
    let other = language.pick("ru", "en");
    html! {
        (DOCTYPE)
        html lang=(language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (plain::line(title)) " · Status Validator" }
                link rel="stylesheet" href={ (base) "/assets/" (STYLE.name) };
                link rel="icon" type="image/svg+xml" href={ (base) "/assets/" (ICON.name) };
                @if live { noscript { meta http-equiv="refresh" content="5"; } }
                script src={ (base) "/assets/" (SCRIPT.name) } defer {}
            }
            body data-events={ (base) "/events" } {
                a.skip href="#content" { (reader.word(Word::Skip)) }
                header.top {
                    a.brand href={ (base) "/" } { (mark()) "Status Validator" }
                    a.language href={ (reader.path) "?lang=" (other) } lang=(other) hreflang=(other) {
                        (reader.word(Word::OtherLanguage))
                    }
                }
                main #content data-live[live] { (body) }
            }
        }
    }
}

/// Three lines, two of them ticked.
fn mark() -> Markup {
    html! {
        svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true" {
            path d="M1.5 4.5l1.5 1.5 2.5-3M1.5 11l1.5 1.5 2.5-3M8.5 4.5h6M8.5 11h6" fill="none" stroke="currentColor"
                stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" {}
        }
    }
}

/// A text of somebody else: what would move or hide other text is shown as its code.
pub(super) fn text(text: &str) -> Markup {
    html! { bdi { (plain::line(text)) } }
}

/// The words of an outcome, and its look.
pub(super) fn outcome(reader: &Reader, outcome: Option<&str>) -> Markup {
    let (word, look) = match outcome {
        Some("ok") => (Word::Ok, "good"),
        Some("partial") => (Word::Partial, "fair"),
        Some("budget") => (Word::Budget, "fair"),
        Some("failed") => (Word::Failed, "bad"),
        Some("interrupted") => (Word::Interrupted, "fair"),
        _ => (Word::Running, "busy"),
    };
    html! { span class={ "badge " (look) } { (reader.word(word)) } }
}

/// The figures of a run that is under way; the script finds them by their fields.
pub(super) fn progress(reader: &Reader, job: &str, view: &ProgressView, pace: Option<f64>) -> Markup {
    let place = place(job);
    let field = |name: &str| format!("{name}@{place}");
    let count = |n: u64| number(reader.language, n);
    let all = view.rows_expected.unwrap_or(view.rows_read).max(1);
    html! {
        div.progress {
            progress max=(all) value=[view.rows_expected.map(|_| view.rows_settled)] data-field=(field("bar")) aria-label=(reader.word(Word::Progress)) {}
            p.figures {
                span { b data-field=(field("rows_settled")) { (count(view.rows_settled)) } " / "
                    span data-field=(field("rows_expected")) {
                        @match view.rows_expected { Some(all) => (count(all)), None => "…" }
                    } }
                span.good { b data-field=(field("rows_valid")) { (count(view.rows_valid)) } " " (reader.word(Word::Valid)) }
                span.bad { b data-field=(field("rows_invalid")) { (count(view.rows_invalid)) } " " (reader.word(Word::Invalid)) }
                span.fair { b data-field=(field("rows_not_checked")) { (count(view.rows_not_checked)) } " "
                    (reader.word(Word::NotChecked)) }
                span { b data-field=(field("cache_hits")) { (count(view.cache_hits)) } " " (reader.word(Word::Cached)) }
                span { b data-field=(field("in_flight")) { (view.in_flight) } " " (reader.word(Word::InFlight)) }
                span { b data-field=(field("rows_per_s")) { @match pace { Some(pace) => (format!("{pace:.1}")), None => "–" } }
                    " " (reader.word(Word::RowsPerSecond)) }
                span { b data-field=(field("cost_usd")) { (dollars(view.cost_usd)) } " " (reader.word(Word::Cost)) }
            }
        }
    }
}

/// A duration between two moments.
pub(super) fn between(reader: &Reader, from: jiff::Timestamp, to: Option<jiff::Timestamp>) -> Markup {
    let seconds = to.map(|to| to.duration_since(from).as_secs_f64().max(0.0));
    html! { @match seconds { Some(seconds) => (span(reader.language, seconds)), None => "–" } }
}

/// A part of an address: what is not plain is percent-encoded.
pub(super) fn part(text: &str) -> PreEscaped<String> {
    PreEscaped(percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string())
}
