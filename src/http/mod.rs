//! HTTP: a status page for people, an API for programs, metrics and health for whoever watches.
//!
//! Thin: handlers ask the [`Office`], which asks engines by their handles. What is mounted guards itself, in a program of
//! the project's own ([`Server`]) and in anybody's actix-web application ([`routes`]):
//!
//! | part | does |
//! |---|---|
//! | `guard` | which requests are let in: names, tokens, origins; the headers of every answer |
//! | [`office`] | what is known of jobs, runs, rows, providers and money, and what can be asked for |
//! | [`view`] | the same as values with names that other programs rely on |
//! | `api` | JSON under `/api/v1`, with its description |
//! | `events` | progress as server-sent events: one sample for all who listen |
//! | `pages` | the status page and its sisters, in English and Russian |
//! | `health`, [`metrics`] | `/livez`, `/readyz`, `/metrics` |
//! | `server` | a server on an address or a socket, with limits |

mod api;
mod assets;
mod events;
mod guard;
mod health;
pub mod metrics;
pub mod office;
mod pages;
mod server;
pub mod view;

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web;
use secrecy::SecretString;

pub use self::metrics::Metrics;
pub use self::office::{JobFacts, Office};
pub use self::server::{Limits, Listen, ServeError, Server};
use crate::domain::language::Language;
use events::Events;
use guard::Sessions;

/// What the routes need.
pub struct Front {
    /// Who knows and does.
    pub office: Office,
    /// The token that is asked for; none: whoever reaches the address is let in.
    pub token: Option<SecretString>,
    /// Whether texts of the table are shown.
    pub show_content: bool,
    /// The names that requests may be for, with their ports, such as `localhost:8686`; none: any.
    pub hosts: Option<Vec<String>>,
    /// Where the routes are mounted, such as `/status`; blank: at the root.
    pub base: String,
    /// The language of pages for those who ask for none that there is.
    pub language: Language,
}

/// What the handlers share.
struct Desk {
    front: Front,
    sessions: Sessions,
    events: Events,
}

/// Mounts the routes: `App::new().service(web::scope("/status").configure(routes(front)))`, with a [`Front::base`] of
/// `/status`. They guard themselves, and touch nothing else of the application.
pub fn routes(front: Front) -> impl FnOnce(&mut web::ServiceConfig) + Clone + Send + 'static {
    let events = Events::new(front.office.clone());
    let desk = web::Data::from(Arc::new(Desk { front, sessions: Sessions::default(), events }));
    move |config: &mut web::ServiceConfig| {
        let scope = web::scope("")
            .app_data(desk)
            .wrap(from_fn(guard::guard))
            .configure(api::routes)
            .configure(health::routes)
            .configure(pages::routes)
            .default_service(web::to(pages::not_found));
        config.service(scope);
    }
}
