//! Browsers that have shown the token once: each has a cookie with a number that means nothing elsewhere.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;

/// The cookie's name.
pub(in crate::http) const COOKIE: &str = "sv_session";
/// A browser has to show the token again after so long.
const LASTS: Duration = Duration::from_secs(12 * 3600);
/// So many browsers at one time; the one that came first has to show the token again.
const MOST: usize = 100;
/// So many wrong tokens are looked at within a minute.
const WRONG_A_MINUTE: usize = 10;

/// The sessions.
#[derive(Default)]
pub(in crate::http) struct Sessions(Mutex<State>);

#[derive(Default)]
struct State {
    open: VecDeque<(String, Instant)>,
    wrong: VecDeque<Instant>,
}

impl Sessions {
    /// True if the request has a session.
    pub(super) fn has(&self, request: &HttpRequest) -> bool {
        let Some(given) = cookie(request, COOKIE) else { return false };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.open.retain(|(_, since)| since.elapsed() < LASTS);
        state.open.iter().any(|(id, _)| *id == given)
    }

    /// Opens a session; none without randomness.
    pub(in crate::http) fn open(&self) -> Option<String> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).ok()?;
        let id = blake3::hash(&bytes).to_hex().to_string();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.open.len() >= MOST {
            state.open.pop_front();
        }
        state.open.push_back((id.clone(), Instant::now()));
        Some(id)
    }

    /// A wrong token was shown.
    pub(in crate::http) fn wrong(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wrong.push_back(Instant::now());
    }

    /// True if no token is looked at for a while, because too many were wrong.
    pub(in crate::http) fn is_shut(&self) -> bool {
        let wrong = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).wrong;
        while wrong.front().is_some_and(|at| at.elapsed() > Duration::from_secs(60)) {
            wrong.pop_front();
        }
        wrong.len() >= WRONG_A_MINUTE
    }
}

/// A cookie of the request.
pub(in crate::http) fn cookie(request: &HttpRequest, name: &str) -> Option<String> {
    let cookies = request.headers().get(actix_web::http::header::COOKIE)?.to_str().ok()?;
    let pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).next()
}
