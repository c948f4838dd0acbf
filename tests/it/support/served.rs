//! The command `sandbox` in a process of its own, and runs against it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::Value;

use super::cli::{Desk, Ended};

/// A sandbox in a process of its own; it ends with the test.
pub(crate) struct Served {
    pub(crate) child: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    pub(crate) settings: PathBuf,
}

/// Where a sandbox that tells of each request does so.
const LOG: &str = "sandbox.log";

impl Served {
    /// Starts it on any port, in the folder `try`, and waits until it is ready.
    pub(crate) fn start(desk: &Desk, args: &[&str]) -> Self {
        Self::spawn(desk, args, Stdio::piped())
    }

    /// The same, with a log of requests.
    pub(crate) fn logged(desk: &Desk, args: &[&str]) -> Self {
        let log = std::fs::File::create(desk.path(LOG)).unwrap();
        Self::spawn(desk, &[args, &["-vv", "--log-format", "json"]].concat(), log.into())
    }

    fn spawn(desk: &Desk, args: &[&str], log: Stdio) -> Self {
        let all = [&["sandbox", "--listen", "127.0.0.1:0", "--dir", "try"], args].concat();
        let mut child = desk.command(&all).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let told = line
            .strip_prefix("Sandbox ready at http://")
            .and_then(|told| told.trim_end().split_once(", settings in "));
        let Some((address, settings)) = told else {
            panic!("{line:?}: {:?}", Ended::from(child.wait_with_output().unwrap()));
        };
        Self { child, address: address.to_owned(), settings: settings.into() }
    }

    /// Reads, as another program does it, with a token from elsewhere.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.call("GET", path, &Value::Null)
    }

    /// A call as another program makes it, with a token from elsewhere.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer me\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).unwrap()
    }

    /// The results' column under a header, without it.
    pub(crate) fn column(&self, spreadsheet: &str, name: &str) -> Vec<String> {
        let path = format!("/v4/spreadsheets/{spreadsheet}/values/Status%20Review?majorDimension=COLUMNS");
        let columns = self.get(&path)["values"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let column = columns.iter().find(|column| column[0] == name).unwrap_or_else(|| panic!("{columns:?}"));
        column.as_array().unwrap()[1..].iter().map(text).collect()
    }

    /// The titles of a spreadsheet's tabs, hidden ones too.
    pub(crate) fn tabs(&self, spreadsheet: &str) -> Vec<String> {
        let book = self.get(&format!("/v4/spreadsheets/{spreadsheet}?fields=sheets.properties.title"));
        let title = |tab: &Value| tab["properties"]["title"].as_str().unwrap().to_owned();
        book["sheets"].as_array().unwrap().iter().map(title).collect()
    }

    /// Each row of the test's table stands in the results once, and nothing of ours beside them.
    pub(crate) fn assert_each_once(&self, spreadsheet: &str, rows: usize, about: &str) {
        let mut found = self.column(spreadsheet, "Project name");
        let mut expected: Vec<String> = (1..=rows).map(|n| format!("Project {n}")).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{about}");
        assert!(self.column(spreadsheet, "Is Valid").iter().all(|word| !word.is_empty()), "{about}");
        let ours = |tab: &String| tab.starts_with("status-validator");
        let tabs = self.tabs(spreadsheet);
        assert!(!tabs.iter().any(ours), "{about}: nothing is left behind: {tabs:?}");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().ok(); // it may have ended before
        self.child.wait().unwrap();
    }
}

/// Requests that a sandbox with a log was sent, by what they were for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) tables: usize,
    pub(crate) model: usize,
}

impl Asked {
    pub(crate) fn so_far(desk: &Desk) -> Self {
        let log = desk.read(LOG);
        let requests = log.lines().filter(|line| line.contains("\"number\""));
        let requests = requests.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        requests.fold(Self::default(), |mut asked, line| {
            let path = line["path"].as_str().unwrap_or_default();
            asked.tables += usize::from(path.starts_with("/v4/"));
            asked.model += usize::from(path.starts_with("/v1/"));
            asked
        })
    }
}

/// A run against the settings of a sandbox, and its report.
pub(crate) fn run(desk: &Desk) -> (Ended, Value) {
    let ended = desk.run(&["run", "--config", "try/sandbox.toml", "--summary", "summary.json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let summary = serde_json::from_str(&desk.read("summary.json")).unwrap();
    (ended, summary)
}
