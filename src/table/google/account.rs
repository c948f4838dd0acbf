//! A signed-in service account: the one way from our tables to Google.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use google_sheets4::Sheets;
use google_sheets4::api::{
    BatchGetValuesByDataFilterRequest, BatchUpdateSpreadsheetRequest, BatchUpdateSpreadsheetResponse,
    Request, Scope, Spreadsheet,
};
use google_sheets4::common::{Delegate, Response, Retry};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::Instant;

use super::fault::Fault;
use super::key_file::KeyFile;
use super::pace::{Kind, Pace};
use super::patience::{Next, Patience, Repeat};
use super::tokens::Tokens;
use super::values::{Area, Values};
use super::wire::Wire;
use crate::table::Requests;

/// A service account with its connections, its token and its share of the quota. Tables that use the same
/// account share one.
pub struct Account {
    hub: Sheets<Wire>,
    tokens: Tokens,
    email: String,
    started: Instant,
    pace: Mutex<Pace>,
}

/// Where requests go unless the settings say otherwise.
pub const API: &str = "https://sheets.googleapis.com/";

/// Longer than Google works on any request: an answer that is not here by then will not come, and nothing will be
/// carried out any more.
pub(super) const SERVER_LIMIT: Duration = Duration::from_secs(180);
const WRITE_TIMEOUT: Duration = Duration::from_secs(190);
const READ_TIMEOUT: Duration = Duration::from_secs(90);
/// Unused connections are closed after this.
const IDLE: Duration = Duration::from_secs(20);

/// What may be read at once.
pub(super) const READ_ONLY: Scope = Scope::SpreadsheetReadonly;
pub(super) const READ_WRITE: Scope = Scope::Spreadsheet;

impl Account {
    /// An account that signs in when it is first used. `api` is the address of the Sheets API.
    pub fn new(key: KeyFile, wire: Wire, api: &str) -> Arc<Self> {
        let tokens = Tokens::new(key.key.clone(), wire.clone());
        let client = legacy::Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).build(wire);
        let mut hub = Sheets::new(client, tokens.clone());
        hub.base_url(format!("{}/", api.trim_end_matches('/')));
        hub.user_agent(concat!("status-validator/", env!("CARGO_PKG_VERSION")).to_owned());
        let (started, pace) = (Instant::now(), Mutex::default());
        Arc::new(Self { hub, tokens, email: key.email().to_owned(), started, pace })
    }

    /// The address that spreadsheets are shared with.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Reads what the field mask names; cells only of these ranges.
    pub(super) async fn get(
        &self,
        id: &str,
        scope: Scope,
        ranges: &[String],
        fields: &str,
        count: &mut Requests,
    ) -> Result<Spreadsheet, Fault> {
        let attempt = || {
            async {
                let mut ears = Ears::default();
                let mut call = self.hub.spreadsheets().get(id).add_scope(scope).delegate(&mut ears);
                for range in ranges {
                    call = call.add_ranges(range);
                }
                let answer = call.param("fields", fields).param("prettyPrint", "false").doit().await;
                ears.heard(answer)
            }
            .boxed()
        };
        self.patiently(Ask { kind: Kind::Read, scope }, count, &attempt).await
    }

    /// Reads the values of these ranges: numbers as they are, dates as they are shown.
    pub(super) async fn values(
        &self,
        id: &str,
        areas: &[Area],
        view: View,
        count: &mut Requests,
    ) -> Result<Values, Fault> {
        let (dimension, rendering) = match view {
            View::Columns => ("COLUMNS", "UNFORMATTED_VALUE"),
            View::Rows => ("ROWS", "FORMULA"),
        };
        let attempt = || {
            let request = BatchGetValuesByDataFilterRequest {
                data_filters: Some(areas.iter().map(|area| area.filter()).collect()),
                major_dimension: Some(dimension.to_owned()),
                value_render_option: Some(rendering.to_owned()),
                date_time_render_option: Some("FORMATTED_STRING".to_owned()),
            };
            async {
                let mut ears = Ears::default();
                let call = self.hub.spreadsheets().values_batch_get_by_data_filter(request, id);
                let call = call.add_scope(READ_WRITE).param("prettyPrint", "false");
                let answer = call.delegate(&mut ears).doit().await;
                ears.heard(answer)
            }
            .boxed()
        };
        let ask = Ask { kind: Kind::Read, scope: READ_WRITE };
        self.patiently(ask, count, &attempt).await.map(Values::of)
    }

    /// Carries out these requests, all of them or none. After [`Fault::Unknown`] it is not known which.
    pub(super) async fn update(
        &self,
        id: &str,
        requests: &(dyn Fn() -> Vec<Request> + Sync),
        count: &mut Requests,
    ) -> Result<BatchUpdateSpreadsheetResponse, Fault> {
        let attempt = || {
            let request = BatchUpdateSpreadsheetRequest {
                requests: Some(requests()),
                ..BatchUpdateSpreadsheetRequest::default()
            };
            async {
                let mut ears = Ears::default();
                let call = self.hub.spreadsheets().batch_update(request, id);
                let call = call.add_scope(READ_WRITE).param("prettyPrint", "false");
                let answer = call.delegate(&mut ears).doit().await;
                ears.heard(answer)
            }
            .boxed()
        };
        self.patiently(Ask { kind: Kind::Write, scope: READ_WRITE }, count, &attempt).await
    }

    /// Sends a request at its turn, again where that may help, as long as that may help.
    async fn patiently<'a, T>(
        &self,
        Ask { kind, scope }: Ask,
        count: &mut Requests,
        attempt: &(dyn Fn() -> BoxFuture<'a, Result<T, Fault>> + Sync),
    ) -> Result<T, Fault> {
        let (timeout, repeat) = match kind {
            Kind::Read => (READ_TIMEOUT, Repeat::Harmless),
            Kind::Write => (WRITE_TIMEOUT, Repeat::Harmful),
        };
        let mut patience = Patience::new();
        loop {
            let turn = self.pace().book(kind, self.now());
            tokio::time::sleep_until(self.started + turn).await;
            match kind {
                Kind::Read => count.reads += 1,
                Kind::Write => count.writes += 1,
            }
            let late = |_| Err(Fault::Unknown(format!("no answer within {} s", timeout.as_secs())));
            let fault = match tokio::time::timeout(timeout, attempt()).await.unwrap_or_else(late) {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            let next = patience.next(&fault, repeat, self.now(), fastrand::f64());
            tracing::debug!(%fault, ?next, "a request to Google failed");
            match next {
                Next::After(pause) => tokio::time::sleep(pause).await,
                Next::Silence(pause) => {
                    tracing::info!(?pause, "Google asks to slow down");
                    self.pace().silence(kind, self.now() + pause);
                }
                Next::Refresh => self.tokens.refuse(scope.as_ref()).await,
                Next::GiveUp => return Err(fault),
            }
        }
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

/// What kind of request, and with which rights.
struct Ask {
    kind: Kind,
    scope: Scope,
}

/// How values are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// Column by column, formulas as what they give: to find rows.
    Columns,
    /// Row by row, formulas as formulas: to see whether cells hold what was written.
    Rows,
}

/// Listens for what an error answer's headers say: the client itself gives only its body.
#[derive(Default)]
struct Ears {
    retry_after: Option<Duration>,
}

impl Ears {
    fn heard<T>(self, answer: google_sheets4::Result<(Response, T)>) -> Result<T, Fault> {
        answer.map(|(_, answer)| answer).map_err(|error| Fault::of(error, self.retry_after))
    }
}

impl Delegate for Ears {
    fn http_failure(&mut self, response: &Response, _: Option<&Value>) -> Retry {
        let asked =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::trim);
        let until = |date: &str| httpdate::parse_http_date(date).ok()?.duration_since(SystemTime::now()).ok();
        self.retry_after = asked.and_then(|asked| {
            let seconds = asked.parse().ok().map(Duration::from_secs);
            seconds.or_else(|| until(asked))
        });
        Retry::Abort // whether and when is not decided here
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("email", &self.email).finish_non_exhaustive()
    }
}
