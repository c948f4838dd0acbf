//! The pages: drawn on this side, whole without a script; the script only moves the figures of a run that is under way.

mod chart;
mod home;
mod job;
mod layout;
mod login;
mod row;
mod run;
mod words;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, LOCATION, SET_COOKIE};
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use maud::{Markup, html};

use super::Desk;
use super::api::ApiError;
use super::assets::{ICON, SCRIPT, STYLE};
use super::events;
use super::guard::cookie;
use crate::domain::language::Language;
pub(super) use chart::Curve;
use layout::{Page, page};
use words::Word;

pub(super) use login::login_wanted;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("", web::get().to(home::home))
        .route("/", web::get().to(home::home))
        .route("/login", web::get().to(login::form))
        .route("/login", web::post().to(login::sign_in))
        .route("/events", web::get().to(events::stream))
        .route("/assets/{name}", web::get().to(asset))
        .route("/jobs/{job}", web::get().to(job::job))
        .route("/jobs/{job}/run", web::post().to(job::start))
        .route("/runs/{run}", web::get().to(run::run))
        .route("/runs/{run}/cancel", web::post().to(run::cancel))
        .route("/rows/{job}/{key}", web::get().to(row::row));
}

async fn asset(name: Path<String>) -> HttpResponse {
    let found = [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.name == *name);
    match found {
        Some(asset) => HttpResponse::Ok().insert_header((CONTENT_TYPE, asset.kind)).body(asset.text),
        None => HttpResponse::NotFound().finish(),
    }
}

/// What a page has to know of its reader.
struct Reader {
    language: Language,
    /// Where the routes are mounted.
    base: String,
    show_content: bool,
    zone: jiff::tz::TimeZone,
    /// The page's own path, to come back to it.
    path: String,
    /// True if the language was asked for in the address, and should be kept.
    chose: bool,
}

impl Reader {
    fn of(request: &HttpRequest, desk: &Desk) -> Self {
        let query = form_urlencoded::parse(request.query_string().as_bytes());
        let chosen =
            query.into_owned().find(|(name, _)| name == "lang").and_then(|(_, code)| language(&code));
        let kept = || cookie(request, LANGUAGE).and_then(|code| language(&code));
        let spoken = || {
            let header = request.headers().get(ACCEPT_LANGUAGE)?.to_str().ok()?;
            header.split(',').find_map(|tag| language(tag.trim().get(..2)?))
        };
        Self {
            language: chosen.or_else(kept).or_else(spoken).unwrap_or(desk.front.language),
            base: desk.front.base.clone(),
            show_content: desk.front.show_content,
            zone: desk.front.office.zone().clone(),
            path: request.path().to_owned(),
            chose: chosen.is_some(),
        }
    }

    fn word(&self, word: Word) -> &'static str {
        word.of(self.language)
    }

    /// A moment, in the reader's language and the service's zone.
    fn moment(&self, at: jiff::Timestamp) -> Markup {
        let shown = at.to_zoned_datetime(self.zone.clone());
        let format = self.language.pick("%-d %b %Y, %H:%M", "%d.%m.%Y, %H:%M");
        html! { time datetime=(at.to_string()) { (shown.strftime(format).to_string()) } }
    }

    /// The answer with a page.
    fn answer(&self, status: StatusCode, page: Markup) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(status);
        if self.chose {
            let path = if self.base.is_empty() { "/" } else { &self.base };
            let kept =
                format!("{LANGUAGE}={}; Path={path}; Max-Age=31536000; SameSite=Lax", self.language.code());
            response.insert_header((SET_COOKIE, kept));
        }
        response.insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(page.into_string())
    }
}

/// The cookie that keeps the language.
const LANGUAGE: &str = "sv_lang";

fn language(code: &str) -> Option<Language> {
    [Language::En, Language::Ru].into_iter().find(|language| language.code() == code)
}

/// True if the answer is for programs, not for people.
pub(super) fn is_for_programs(request: &HttpRequest, desk: &Desk) -> bool {
    let path = request.path().strip_prefix(&desk.front.base).unwrap_or(request.path());
    path.starts_with("/api/") || path == "/metrics" || path == "/events"
}

pub(super) async fn not_found(request: HttpRequest, desk: Data<Desk>) -> HttpResponse {
    let reader = Reader::of(&request, &desk);
    error_page(&reader, StatusCode::NOT_FOUND, reader.word(Word::NotFound))
}

/// A page for people that says what did not work.
pub(super) fn error(request: &HttpRequest, desk: &Desk, error: &ApiError) -> HttpResponse {
    error_page(&Reader::of(request, desk), error.status, &error.message)
}

fn error_page(reader: &Reader, status: StatusCode, what: &str) -> HttpResponse {
    let title = reader.word(Word::SomethingWrong);
    let body = html! {
        h1 { (title) }
        p { (layout::text(what)) }
        p { a href={ (reader.base) "/" } { (reader.word(Word::Back)) } }
    };
    reader.answer(status, page(reader, Page { title, live: false, body }))
}

/// Goes to another page after a form was sent.
fn go_to(place: String) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, place)).finish()
}
