//! The token is shown once by a person; a cookie stands for it from then on.

use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use maud::html;
use serde::Deserialize;

use super::layout::{Page, page};
use super::words::Word;
use super::{Reader, go_to};
use crate::http::Desk;
use crate::http::guard::{COOKIE, is_token};

pub(super) async fn form(request: HttpRequest, desk: Data<Desk>) -> HttpResponse {
    draw(&request, &desk, StatusCode::OK, None)
}

/// Asks for the token where one is needed.
pub(in crate::http) fn login_wanted(request: &HttpRequest, desk: &Desk) -> HttpResponse {
    draw(request, desk, StatusCode::UNAUTHORIZED, None)
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    token: String,
}

pub(super) async fn sign_in(request: HttpRequest, desk: Data<Desk>, form: Form<SignIn>) -> HttpResponse {
    let Some(token) = &desk.front.token else { return go_to(format!("{}/", desk.front.base)) };
    if desk.sessions.is_shut() {
        return draw(&request, &desk, StatusCode::TOO_MANY_REQUESTS, Some(Word::TokenWait));
    }
    if !is_token(form.token.trim(), token) {
        desk.sessions.wrong();
        return draw(&request, &desk, StatusCode::UNAUTHORIZED, Some(Word::TokenWrong));
    }
    let Some(session) = desk.sessions.open() else {
        return draw(&request, &desk, StatusCode::SERVICE_UNAVAILABLE, Some(Word::SomethingWrong));
    };
    let path = if desk.front.base.is_empty() { "/" } else { &desk.front.base };
    let mut response = go_to(format!("{}/", desk.front.base));
    let cookie = format!("{COOKIE}={session}; Path={path}; Max-Age=43200; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = cookie.parse() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn draw(request: &HttpRequest, desk: &Desk, status: StatusCode, problem: Option<Word>) -> HttpResponse {
    let reader = Reader::of(request, desk);
    let title = reader.word(Word::Login);
    let body = html! {
        h1 { (title) }
        @if let Some(problem) = problem { p.notice.bad role="alert" { (reader.word(problem)) } }
        form.login method="post" action={ (reader.base) "/login" } {
            label for="token" { (reader.word(Word::Token)) }
            input #token name="token" type="password" autocomplete="current-password" required;
            button { (title) }
        }
    };
    reader.answer(status, page(&reader, Page { title, live: false, body }))
}
