//! The program as its user runs it: a folder with settings, the true binary, and a model that answers.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::http::{Answer, Request, Server};

/// The columns of the samples, code checks only.
pub(crate) const SAMPLES: &str = r#"
allowed_statuses = ["On Track", "At Risk", "Delayed", "Completed", "On Hold"]
rules_file = "rules.toml"
[source]
path = "statuses.csv"
[target]
path = "review.csv"
[columns]
status = "Status"
comment = "Comment"
completion_date = "Completion Date"
identifier = "Project"
project_manager = "Project Manager"
[llm]
enabled = false
"#;

/// A folder with settings, the English samples and their rules.
pub(crate) struct Desk {
    folder: TempDir,
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    /// A folder with these settings, as `Settings.toml`.
    pub(crate) fn new(settings: &str) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.write("Settings.toml", settings);
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        std::fs::copy(root.join("examples/statuses-en.csv"), desk.path("statuses.csv")).unwrap();
        std::fs::copy(root.join("examples/rules-en.toml"), desk.path("rules.toml")).unwrap();
        desk
    }

    /// A small table, judged by a model at this address by free text.
    pub(crate) fn with_model(rows: usize, url: &str) -> Self {
        let desk = Self::new(&format!(
            r#"
            rules_text = "Every comment says what was done."
            [source]
            path = "projects.csv"
            [target]
            path = "review.csv"
            [columns]
            status = "Status"
            comment = "Comment"
            identifier = "Project"
            [llm]
            max_workers = 2
            max_retries = 1
            [llm.providers.1]
            name = "local"
            model = "m-1"
            api_key = "sk-canary-4711"
            base_url = "{url}/v1"
            price = {{ input = 1.0, output = 2.0 }}
            "#
        ));
        desk.projects(rows);
        desk
    }

    /// Writes a table of so many projects that all say something else.
    pub(crate) fn projects(&self, rows: usize) {
        let rows = (1..=rows).map(|i| format!("Project {i},On Track,Comment number {i}.\n"));
        self.write("projects.csv", format!("Project,Status,Comment\n{}", rows.collect::<String>()));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program with these flags, in this folder, with nothing of the environment but what it needs.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_status-validator"));
        command.args(args).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        if let Some(home) = std::env::var_os("SYSTEMROOT") {
            command.env("SYSTEMROOT", home); // sockets on Windows
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        Ended::of(assert_cmd::Command::from_std(self.command(args)))
    }

    /// Runs it with this on standard input.
    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Ended {
        let mut command = self.command(args);
        command.stdin(Stdio::piped());
        let mut command = assert_cmd::Command::from_std(command);
        command.write_stdin(input);
        Ended::of(command)
    }

    /// Starts it, its streams caught.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// How many rows the results table has.
    pub(crate) fn results(&self) -> usize {
        let text = self.read("review.csv");
        csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).count()
    }
}

impl Ended {
    fn of(mut command: assert_cmd::Command) -> Self {
        let output = command.output().unwrap();
        Self::from(output)
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The six lines at the end, without their labels.
    pub(crate) fn summary(&self) -> [&str; 6] {
        let lines: Vec<&str> = self.err.lines().collect();
        let six = &lines[lines.len() - 6..];
        let labels = ["Reviewed", "Known", "Written", "Model", "Time", "Results"];
        for (line, label) in six.iter().zip(labels) {
            assert!(line.starts_with(label), "{label} in {}", self.err);
        }
        std::array::from_fn(|i| six[i][10..].trim_end())
    }
}

impl From<std::process::Output> for Ended {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A model on loopback, with a thread of its own: the test's thread waits for the program.
pub(crate) struct Model {
    server: Server,
    _stop: oneshot::Sender<()>,
}

impl Model {
    /// Answers by a function of the request's number, from 0.
    pub(crate) fn answering(script: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Self {
        let (ready, started) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            super::wait(async {
                ready.send(Server::answering(script).await).unwrap();
                stopped.await.ok(); // the sender is dropped with the test
            });
        });
        Self { server: started.recv().unwrap(), _stop: stop }
    }

    /// Finds every row valid.
    pub(crate) fn content() -> Self {
        Self::answering(|_, _| answer(super::VALID))
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn requests(&self) -> usize {
        self.server.requests().len()
    }

    /// The request lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.server.requests().into_iter().map(|request| request.line).collect()
    }
}

/// An answer of a model.
pub(crate) fn answer(content: &str) -> Answer {
    Answer::json(
        200,
        &json!({
            "model": "m-1-2026",
            "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 50}
        }),
    )
}
