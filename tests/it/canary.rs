//! Keys that would be recognised anywhere, through every path on which something fails: they are in nothing that the
//! program prints, logs, stores or writes, not even when it panics.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::cli::{Desk, Ended, Model, SAMPLES, answer};
use crate::support::http::{Answer, Request};
use crate::support::served::Served;

const KEY: &str = "sk-canary-4711";
const TOKEN: &str = "ya29.canary-token-4711";

/// Looks for secrets in all that came out, and in every file but those where the secrets live.
struct Watch {
    secrets: Vec<String>,
    homes: Vec<PathBuf>,
    looked_at: usize,
}

impl Watch {
    fn new(desk: &Desk, secrets: &[&str]) -> Self {
        let secrets = secrets.iter().map(|secret| secret.to_lowercase()).collect();
        Self { secrets, homes: vec![desk.path("Settings.toml"), desk.path(".env")], looked_at: 0 }
    }

    fn look(&mut self, about: &str, desk: &Desk, ended: &Ended) {
        self.find(about, "standard output", ended.out.as_bytes());
        self.find(about, "standard error", ended.err.as_bytes());
        self.files(about, &desk.path(""));
    }

    fn files(&mut self, about: &str, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.files(about, &path);
            } else if !self.homes.contains(&path) {
                self.find(about, &path.display().to_string(), &std::fs::read(&path).unwrap());
            }
        }
    }

    fn find(&mut self, about: &str, place: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        for secret in &self.secrets {
            assert!(!text.contains(secret), "{about}: {secret} in {place}");
        }
        self.looked_at += 1;
    }
}

/// Runs it to its end; if a server keeps it waiting, until it was asked some times, and then tells it to stop.
fn run(desk: &Desk, args: &[&str], server: &Model) -> Ended {
    const ASKED: usize = 4;
    let before = server.requests();
    let mut child = desk.command(args).stdout(catch(desk, "out")).stderr(catch(desk, "err")).spawn().unwrap();
    let mut told = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if server.requests() >= before + ASKED && told < 2 {
            // The first one ends what can be ended, the second one all.
            let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
            assert!(sent.success());
            told += 1;
        }
        std::thread::park_timeout(Duration::from_millis(100));
    };
    let read = |name: &str| desk.read(&format!("stream.{name}"));
    Ended { code: status.code().unwrap_or(-1), out: read("out"), err: read("err") }
}

fn catch(desk: &Desk, name: &str) -> File {
    File::create(desk.path(&format!("stream.{name}"))).unwrap()
}

/// What a request brought, given back: the worst that a server can do with a key.
fn echo(request: &Request) -> String {
    format!("you sent {}", request.header("authorization").unwrap_or("nothing"))
}

type Script = fn(&Request) -> Answer;

/// Servers that spread the key in every way.
const SERVERS: [(&str, Script); 14] = [
    ("401", |r| Answer::json(401, &json!({"error": {"message": echo(r), "code": KEY, "type": KEY}}))),
    ("400", |r| Answer::json(400, &json!({"error": {"message": echo(r), "param": KEY}}))),
    ("402", |r| Answer::json(402, &json!({"error": echo(r)}))),
    ("404", |r| Answer::json(404, &json!({"detail": [{"msg": echo(r)}]}))),
    ("429", |r| Answer::text(429, &[("retry-after", KEY), ("x-request-id", KEY)], &echo(r))),
    ("500 in HTML", |r| {
        Answer::text(500, &[("content-type", "text/html")], &format!("<h1>{}</h1>", echo(r)))
    }),
    ("a redirect", |_| Answer::text(302, &[("location", "http://127.0.0.1:1/?key=sk-canary-4711")], KEY)),
    ("no JSON", |r| Answer::text(200, &[], &echo(r))),
    ("JSON of another form", |r| Answer::json(200, &json!({KEY: echo(r)}))),
    ("an error as a success", |r| Answer::json(200, &json!({"error": {"message": echo(r)}}))),
    ("a refusal", |r| {
        let message = json!({"role": "assistant", "content": null, "refusal": echo(r)});
        Answer::json(200, &json!({"model": KEY, "choices": [{"message": message, "finish_reason": "stop"}]}))
    }),
    ("an unusable answer", |r| answer(&json!({"is_valid": echo(r), KEY: 1}).to_string())),
    ("an answer that names it", |r| {
        answer(&json!({"is_valid": false, "issues": [echo(r)], "rewrite_suggestion": echo(r)}).to_string())
    }),
    ("a cut answer", |r| {
        Answer::Cut(format!("HTTP/1.1 200 X\r\ncontent-length: 9999\r\n\r\n{}", echo(r)).into_bytes())
    }),
];

#[test]
fn no_server_gets_the_key_out() {
    let mut looked_at = 0;
    for (about, script) in SERVERS {
        let model = Model::answering(move |_, request| script(request));
        let desk = Desk::with_model(2, &model.url());
        let mut watch = Watch::new(&desk, &[KEY]);
        for form in ["json", "pretty"] {
            let args = ["-vv", "--summary", "report.json", "--log-format", form, "--format", "json"];
            let ended = run(&desk, &args, &model);
            assert!(model.requests() > 0, "{about}: {ended:?}");
            watch.look(about, &desk, &ended);
        }
        for command in [
            &["explain", "Project 1"][..],
            &["runs", "show", "last"],
            &["cache", "stats"],
            &["config", "show"],
        ] {
            watch.look(about, &desk, &desk.run(command));
        }
        looked_at += watch.looked_at;
    }
    println!("{} servers, {looked_at} streams and files: 0 hits", SERVERS.len());
}

#[test]
fn what_fails_on_this_machine_keeps_the_key() {
    let model = Model::content();
    let faults = [
        "K1-settings-read=panic(sk-canary-4711)",
        "K2-source-read=return(error)",
        "K3-rows-planned=panic(sk-canary-4711)",
        "K4-call-sent=panic(Bearer sk-canary-4711)",
        "K5-answer-arrived=panic(sk-canary-4711)",
        "K6-answer-stored=panic(sk-canary-4711)",
        "K7-outbox-written=panic(sk-canary-4711)",
        "K9-table-sent=panic(sk-canary-4711)",
        "K11-table-verified=panic(sk-canary-4711)",
        "store-commits=3*off->panic(sk-canary-4711)",
        "store-commits=3*off->return(disk-full)",
        "K14-store-migrates=return(error)",
    ];
    for fault in faults {
        let desk = Desk::with_model(2, &model.url());
        let mut watch = Watch::new(&desk, &[KEY]);
        let mut command = desk.command(&["-vv", "--summary", "report.json"]);
        command.env("FAILPOINTS", fault).env("RUST_BACKTRACE", "full");
        let ended: Ended = command.output().unwrap().into();
        watch.look(fault, &desk, &ended);
    }
}

#[test]
fn settings_that_are_wrong_keep_the_key() {
    for broken in [
        "max_retries = 1\n[[[",
        "max_retries = 0\n",
        "max_workers = \"sk-canary-4711\"\n",
        "http_referer = \"https://me:sk-canary-4711@h.test\"\n",
    ] {
        let desk = Desk::with_model(1, "http://127.0.0.1:1");
        desk.write("Settings.toml", desk.read("Settings.toml").replace("max_retries = 1\n", broken));
        let mut watch = Watch::new(&desk, &[KEY]);
        for command in [&["run", "-vv"][..], &["check"], &["config", "show"], &["plan"]] {
            watch.look(broken, &desk, &desk.run(command));
        }
    }
    let desk = Desk::with_model(1, "http://127.0.0.1:1");
    desk.write(".env", format!("OPENAI KEY {KEY}\n"));
    Watch::new(&desk, &[KEY]).look("a broken .env", &desk, &desk.run(&["check"]));
}

#[test]
fn google_gets_neither_key_nor_token_out() {
    let made_for = Desk::new(SAMPLES);
    made_for.projects(1);
    let served = Served::start(&made_for, &["--sheet", "weeks:Statuses=projects.csv", "--target", "results"]);
    let key: Value = serde_json::from_str(&made_for.read("try/service-account.json")).unwrap();
    drop(served);
    let pem = key["private_key"].as_str().unwrap().to_owned();
    let middle = pem.lines().nth(10).unwrap().to_owned();

    type Google = fn(&Request) -> Answer;
    let servers: [(&str, Google); 5] = [
        ("a token that is refused", |r| {
            Answer::json(400, &json!({"error": "invalid_grant", "error_description": r.body}))
        }),
        ("a token endpoint in trouble", |r| Answer::text(500, &[], &format!("{TOKEN} {}", r.body))),
        ("no access", |r| match r.line.contains("/token") {
            true => {
                Answer::json(200, &json!({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}))
            }
            false => Answer::json(
                403,
                &json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": echo(r)}}),
            ),
        }),
        ("a table in HTML", |r| match r.line.contains("/token") {
            true => {
                Answer::json(200, &json!({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}))
            }
            false => Answer::text(404, &[("content-type", "text/html")], &echo(r)),
        }),
        ("a redirect", |r| match r.line.contains("/token") {
            true => {
                Answer::json(200, &json!({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}))
            }
            false => {
                Answer::text(307, &[("location", "http://127.0.0.1:1/ya29.canary-token-4711")], &echo(r))
            }
        }),
    ];
    for (about, script) in servers {
        let google = Model::answering(move |_, request| script(request));
        let desk = Desk::new(&format!(
            "rules_text = \"Say what was done.\"\n[sheets]\ncredentials_file = \"sa.json\"\napi_base_url = \"{0}\"\n\
             source_spreadsheet_id = \"s\"\nsource_sheet_name = \"S\"\ntarget_spreadsheet_id = \"t\"\n\
             target_sheet_name = \"T\"\n[columns]\nstatus = \"Status\"\ncomment = \"Comment\"\n[llm]\nenabled = false\n",
            google.url()
        ));
        let mut file = key.clone();
        file["token_uri"] = format!("{}/token", google.url()).into();
        desk.write("sa.json", file.to_string());
        let mut watch = Watch::new(&desk, &[TOKEN, &middle, "PRIVATE KEY"]);
        watch.homes.push(desk.path("sa.json"));
        for command in [&["-vv", "--summary", "report.json"][..], &["check", "-vv"]] {
            let ended = run(&desk, command, &google);
            assert!(ended.code != 0 && google.requests() > 0, "{about}: {ended:?}");
            watch.look(about, &desk, &ended);
        }
    }
}

/// What the system says of a process that works.
#[cfg(target_os = "linux")]
#[test]
fn the_process_shows_no_key_and_leaves_no_core() {
    let model = Model::answering(|_, _| Answer::Hang);
    let desk = Desk::with_model(1, &model.url());
    let settings =
        desk.read("Settings.toml").replace(&format!("api_key = \"{KEY}\""), "api_key_file = \"key.txt\"");
    desk.write("Settings.toml", settings);
    desk.write("key.txt", KEY);
    let mut child = desk.start(&[]);
    while model.requests() == 0 {
        std::thread::yield_now();
    }
    let told =
        |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap_or_default();
    assert!(!told("cmdline").is_empty() && !told("cmdline").contains(KEY));
    let limits = told("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Under a umask that forbids nothing, all that is made is still its owner's alone.
#[cfg(unix)]
#[test]
fn whatever_is_made_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let model = Model::content();
    for target in ["review.csv", "review.xlsx"] {
        let desk = Desk::with_model(2, &model.url());
        let settings = desk.read("Settings.toml").replace("review.csv", target);
        desk.write("Settings.toml", format!("cache_path = \"deep/er/store.sqlite\"\n{settings}"));
        let script =
            format!("umask 000; exec {} -q --summary report.json", env!("CARGO_BIN_EXE_status-validator"));
        let ran = Command::new("sh").args(["-c", &script]).current_dir(desk.path("")).status().unwrap();
        assert!(ran.success());
        for (name, mode) in [
            ("deep", 0o700),
            ("deep/er", 0o700),
            ("deep/er/store.sqlite", 0o600),
            (target, 0o600),
            ("report.json", 0o600),
        ] {
            let found = std::fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{name}: {found:o}");
        }
    }
}
