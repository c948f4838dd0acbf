//! The API's description, made of its own types: OpenAPI 3.1.

use actix_web::web::{Data, Json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, Server};
use utoipa::{Modify, OpenApi};

use super::{read, run, validate};
use crate::http::{Desk, events, health};

#[derive(OpenApi)]
#[openapi(
    info(title = "Status Validator", description = "Checks project statuses against a rulebook."),
    paths(
        read::status, read::jobs, read::job, read::runs, read::run, read::rows, read::row,
        run::start, run::cancel, validate::validate, events::stream, health::livez, health::readyz, document
    ),
    security(("token" = [])),
    modifiers(&Token)
)]
struct Api;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut Document) {
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("serve.token_file")).build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// This description: it asks for a token where one is asked for.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "status", responses(
    (status = 200, body = Object), (status = 401, body = super::error::ErrorBody),
    (status = 403, body = super::error::ErrorBody),
))]
pub(super) async fn document(desk: Data<Desk>) -> Json<Document> {
    let mut document = Api::openapi();
    if desk.front.token.is_none() {
        document.security = None;
        if let Some(parts) = &mut document.components {
            parts.security_schemes.clear();
        }
    }
    document.servers =
        Some(vec![Server::new(if desk.front.base.is_empty() { "/" } else { &desk.front.base })]);
    Json(document)
}
