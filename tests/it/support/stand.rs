//! A sandbox in this process, and Google tables that reach it without a socket: under a paused clock, with the true
//! client and the true signing in.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::Value;
use status_validator::domain::results::Layout;
use status_validator::sandbox::sheets::{Call, Office, Typed};
use status_validator::sandbox::{Arrival, Door, Fault, Sandbox, SandboxParams, Seen, ThrowAwayKey};
use status_validator::table::SinkOptions;
use status_validator::table::google::{
    Account, GoogleSink, GoogleSinkParams, GoogleSource, GoogleSourceParams, KeyFile, RulesTab, Wire,
};

use super::discovery::Discovery;

pub(crate) const SOURCE: &str = "source-1";
pub(crate) const TARGET: &str = "target-1";
pub(crate) const STATUSES: &str = "Statuses";
pub(crate) const REVIEW: &str = "Status Review";

/// A sandbox with an empty target.
#[derive(Clone)]
pub(crate) struct Stand {
    pub(crate) sandbox: Sandbox,
    pub(crate) account: Arc<Account>,
}

/// Making a key takes a moment: all tests of a process share one.
pub(crate) fn key() -> ThrowAwayKey {
    static KEY: OnceLock<ThrowAwayKey> = OnceLock::new();
    KEY.get_or_init(|| ThrowAwayKey::new().unwrap()).clone()
}

impl Stand {
    pub(crate) fn new() -> Self {
        Self::with(SandboxParams::new(key()))
    }

    pub(crate) fn with(params: SandboxParams) -> Self {
        let sandbox = Sandbox::new(params);
        sandbox.with_office(|office| {
            for id in [SOURCE, TARGET] {
                office.open_spreadsheet(id, id, Timestamp::UNIX_EPOCH).unwrap();
            }
        });
        let account = account(&sandbox);
        Self { sandbox, account }
    }

    /// Another program with the same key.
    pub(crate) fn another(&self) -> Self {
        Self { sandbox: self.sandbox.clone(), account: account(&self.sandbox) }
    }

    /// Fills the source tab.
    pub(crate) fn statuses(&self, rows: &[Vec<Typed>]) {
        self.sandbox.with_office(|office| office.load_sheet(SOURCE, STATUSES, rows).unwrap());
    }

    pub(crate) fn source(&self) -> GoogleSource {
        GoogleSource::new(self.source_params())
    }

    pub(crate) fn source_params(&self) -> GoogleSourceParams {
        GoogleSourceParams {
            account: Arc::clone(&self.account),
            spreadsheet_id: SOURCE.into(),
            tab: STATUSES.into(),
            gid: None,
            header_row: 1,
            data_start_row: 2,
        }
    }

    pub(crate) fn sink(&self) -> GoogleSink {
        let account = Arc::clone(&self.account);
        GoogleSink::new(GoogleSinkParams { account, spreadsheet_id: TARGET.into(), tab: REVIEW.into() })
    }

    pub(crate) fn rules(&self) -> RulesTab {
        RulesTab::new(Arc::clone(&self.account), TARGET.into(), "Rules".into())
    }

    /// The texts of the results tab, row by row.
    pub(crate) fn review(&self) -> Vec<Vec<String>> {
        self.texts(TARGET, REVIEW)
    }

    pub(crate) fn texts(&self, id: &str, tab: &str) -> Vec<Vec<String>> {
        self.sandbox.with_office(|office| {
            let book = office.look(id, Timestamp::UNIX_EPOCH).unwrap();
            book.sheet(tab).map(|sheet| sheet.texts()).unwrap_or_default()
        })
    }

    /// The column of the results under a header, without the header.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        let rows = self.review();
        let at = rows[0].iter().position(|header| header == name).unwrap_or_else(|| panic!("{:?}", rows[0]));
        rows[1..].iter().map(|row| row[at].clone()).collect()
    }

    /// The titles of the target's tabs.
    pub(crate) fn tabs(&self) -> Vec<String> {
        self.sandbox.with_office(|office| {
            let book = office.look(TARGET, Timestamp::UNIX_EPOCH).unwrap();
            book.sheets().map(|sheet| sheet.title().to_owned()).collect()
        })
    }

    /// What a person does in the target between two requests of ours.
    pub(crate) fn edit(&self, requests: &Value) {
        self.sandbox.with_office(|office| edit(office, TARGET, requests));
    }

    /// The same in the source.
    pub(crate) fn edit_source(&self, requests: &Value) {
        self.sandbox.with_office(|office| edit(office, SOURCE, requests));
    }

    /// The id of a tab.
    pub(crate) fn tab_id(&self, id: &str, tab: &str) -> i32 {
        self.sandbox.with_office(|office| tab_id(office, id, tab).unwrap())
    }

    /// Requests of a kind that were seen so far.
    pub(crate) fn count(&self, door: Door) -> usize {
        self.sandbox.seen().iter().filter(|seen| seen.arrival.door == door).count()
    }

    /// One fault for the n-th request of a kind, counted from 1.
    pub(crate) fn fault(&self, door: Door, n: u64, fault: Fault) {
        let mut seen = 0;
        self.sandbox.set_script(move |arrival: &Arrival, _: &mut Office| {
            if arrival.door != door {
                return Fault::None;
            }
            seen += 1;
            if seen == n { fault.clone() } else { Fault::None }
        });
    }

    /// Every request so far is one of the API's, and none writes anything but typed cells.
    pub(crate) fn assert_proper_requests(&self) {
        assert_proper(&self.sandbox.seen());
    }
}

/// Every request is one of the API's, and none writes anything but typed cells.
pub(crate) fn assert_proper(seen: &[Seen]) {
    let discovery = Discovery::get();
    for Seen { arrival, .. } in
        seen.iter().filter(|seen| matches!(seen.arrival.door, Door::Read | Door::Write))
    {
        let body = arrival.body.as_ref();
        let text = body.map(ToString::to_string).unwrap_or_default();
        for word in [["USER_", "ENTERED"], ["formula", "Value"]].map(|parts| parts.concat()) {
            assert!(!text.contains(&format!("\"{word}\"")), "{word} in {text}");
        }
        assert!(!arrival.path.contains(":append") && !arrival.path.contains(":clear"), "{}", arrival.path);
        if let Some(discovery) = discovery {
            let faults = discovery.faults(&arrival.method, &arrival.path, &arrival.query, body);
            assert!(faults.is_empty(), "{faults:?}");
        }
    }
}

/// What a person does in a spreadsheet; the requests must be good.
pub(crate) fn edit(office: &mut Office, id: &str, requests: &Value) {
    let body = serde_json::json!({ "requests": requests }).to_string();
    let path = format!("/v4/spreadsheets/{id}:batchUpdate");
    let call =
        Call { method: "POST", path: &path, query: "", body: body.as_bytes(), now: Timestamp::UNIX_EPOCH };
    let answer = office.answer(&call);
    assert_eq!(answer.status, 200, "{requests}: {:?}", answer.body);
}

pub(crate) fn tab_id(office: &Office, id: &str, tab: &str) -> Option<i32> {
    Some(office.look(id, Timestamp::UNIX_EPOCH)?.sheet(tab)?.sheet_id())
}

/// Texts as cells.
pub(crate) fn texts<R: AsRef<[C]>, C: AsRef<str>>(rows: &[R]) -> Vec<Vec<Typed>> {
    let cell = |text: &C| Typed::Text(text.as_ref().to_owned());
    rows.iter().map(|row| row.as_ref().iter().map(cell).collect()).collect()
}

pub(crate) fn options() -> SinkOptions {
    SinkOptions {
        layout: Layout { identifier: true, project_manager: false },
        language: status_validator::domain::language::Language::En,
        today: jiff::civil::date(2026, 3, 13),
        time_zone: jiff::tz::TimeZone::UTC,
        unsettled: None,
    }
}

fn account(sandbox: &Sandbox) -> Arc<Account> {
    // The address is never looked up: connections stay within the process.
    let file = key().file("http://127.0.0.1:1/token").to_string();
    let sandbox = sandbox.clone();
    Account::new(
        KeyFile::from_json(&file).unwrap(),
        Wire::in_process(move || sandbox.connect()),
        "http://127.0.0.1:1",
    )
}
