//! What README.md says is done: its commands run, what it names is there, its exit codes are the program's.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use regex::Regex;
use serde_json::json;
use status_validator::engine::TIERS;
use status_validator::store::Claim;

use crate::support::VALID;
use crate::support::cli::{Desk, Ended, Model, SAMPLES, answer};
use crate::support::http::{Answer, Request};

const README: &str = include_str!("../../README.md");
const RUSSIAN: &str = include_str!("../../README.ru.md");

/// All that a pattern's group finds in a text.
fn found<'a>(pattern: &str, text: &'a str) -> Vec<&'a str> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found.get(1).unwrap().as_str()).collect()
}

/// A folder with the settings and the samples that come with the program.
fn checkout() -> Desk {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let desk = Desk::new(&std::fs::read_to_string(root.join("Settings.toml")).unwrap());
    std::fs::create_dir(desk.path("examples")).unwrap();
    for file in std::fs::read_dir(root.join("examples")).unwrap() {
        let file = file.unwrap();
        if file.path().is_dir() {
            continue; // units, alerts and a dashboard: no samples
        }
        std::fs::copy(file.path(), desk.path("examples").join(file.file_name())).unwrap();
    }
    desk
}

#[test]
fn every_command_of_the_console_blocks_works() {
    let (desk, model) = (checkout(), Model::answering(|_, request| passing(request)));
    let mut variables: Vec<(String, String)> =
        vec![("OPENAI_BASE_URL_1".into(), format!("{}/v1", model.url()))];
    let (mut runs, mut sandboxes) = (Vec::new(), Vec::new());
    for block in found(r"(?s)```console\n(.*?)```", README) {
        for line in block.lines() {
            let line = line.split('#').next().unwrap().trim();
            let command = line.strip_prefix("$ ").unwrap();
            if let Some(exports) = command.strip_prefix("export ") {
                let pairs = exports.split(' ').map(|pair| pair.split_once('=').unwrap());
                variables
                    .extend(pairs.map(|(name, value)| (name.to_owned(), value.replace('…', "sk-local"))));
            } else if let Some(args) = command.strip_prefix("cargo run --release") {
                let args: Vec<&str> = args.split_whitespace().skip_while(|arg| *arg == "--").collect();
                if args.first() == Some(&"sandbox") {
                    sandboxes.push(Sandbox::start(&desk, &args));
                    continue;
                }
                let before = model.requests();
                let mut command = desk.command(&args);
                command.envs(variables.iter().map(|(name, value)| (name, value)));
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                let ended = Ended::from(command.output().unwrap());
                assert_eq!(ended.code, 0, "{line}: {ended:?}");
                runs.push((args.join(" "), ended, model.requests() - before));
                if runs.len() == 1 {
                    assert!(desk.path("review.xlsx").exists());
                    let again = desk.run(&args);
                    assert!(
                        again.summary()[2].starts_with("nothing: 70 rows said the same"),
                        "{}",
                        again.err
                    );
                }
            } else {
                assert_eq!(command, "cargo test", "README.md has a command that nobody tries");
            }
        }
    }
    let [(_, alone, 0), (plan, planned, 0), (_, judged, asked), (_, sheets, 0), (_, faulty, 0)] = &runs[..]
    else {
        panic!("{runs:?}")
    };
    assert!(alone.summary()[0].starts_with("70 rows: "), "{}", alone.err);
    assert!(plan == "plan" && !planned.out.is_empty(), "{planned:?}");
    assert!(*asked > 0 && judged.summary()[0].contains(" 0 not checked"), "{}", judged.err);
    for reviewed in [sheets, faulty] {
        let [rows, _, written, ..] = reviewed.summary();
        assert!(rows.starts_with("70 rows: ") && rows.ends_with(" 0 not checked"), "{}", reviewed.err);
        assert!(written.starts_with("70 rows"), "{}", reviewed.err);
    }
    let rules = std::fs::read_to_string(desk.path("examples/rules-en.toml")).unwrap();
    assert_eq!(rules.lines().filter(|line| line.trim() == "[[rule]]").count(), 14);
}

/// A command that runs until it is stopped: here, until the test ends.
struct Sandbox {
    child: Child,
    address: String,
}

impl Sandbox {
    /// Starts it on any port, whatever README.md says, and waits until it is ready.
    fn start(desk: &Desk, args: &[&str]) -> Self {
        let named = args.iter().position(|arg| *arg == "--listen").map_or(0..0, |at| at..at + 2);
        let mut args = args.to_vec();
        args.drain(named);
        args.extend(["--listen", "127.0.0.1:0"]);
        let mut child = desk.start(&args);
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("Sandbox ready at ").and_then(|line| line.split(',').next());
        let address = address.unwrap_or_else(|| panic!("{args:?}: {line}")).to_owned();
        Self { child, address }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The blocks of a kind in the section about Google Sheets.
fn blocks(kind: &str) -> Vec<&'static str> {
    let section =
        README.split("## Use Google Sheets for real").nth(1).unwrap().split("\n## ").next().unwrap();
    found(&format!("(?s)```{kind}\n(.*?)```"), section)
}

#[cfg(unix)]
#[test]
fn check_tells_the_commonest_mistakes_in_these_words() {
    use std::os::unix::fs::PermissionsExt as _;

    let desk = checkout();
    let said = |settings: &str| {
        let ended = desk.run(&["check", "--config", settings]);
        assert_ne!(ended.code, 0, "{ended:?}");
        let root = format!("{}/", desk.path("").canonicalize().unwrap().display()).replace("//", "/");
        ended.out.replace(&root, "").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let refusing = Sandbox::start(&desk, &["sandbox", "--dir", "try", "--fault", "read=403"]);
    let refused = said("try/sandbox.toml");
    drop(refusing);
    let _serving = Sandbox::start(&desk, &["sandbox", "--dir", "try"]);
    let settings = desk.read("try/sandbox.toml").replace("source_sheet_gid = 0\n", "");
    desk.write("try/mine.toml", settings.replace("\"Statuses\"", "\"Status\""));
    let misnamed = said("try/mine.toml");
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(desk.path("try/service-account.json"), open).unwrap();
    let readable = said("try/sandbox.toml");
    let told: Vec<String> =
        blocks("text").iter().map(|block| block.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(told.len(), 3);
    for (told, said) in told.iter().zip([refused, misnamed, readable]) {
        assert!(said.contains(told.as_str()), "README.md: {told}\ncheck: {said}");
    }
}

#[test]
fn the_settings_for_google_are_settings() {
    let desk = checkout();
    let sandbox = Sandbox::start(&desk, &["sandbox", "--dir", "try"]);
    let [block] = blocks("toml")[..] else { panic!("{:?}", blocks("toml")) };
    let settings = block.replace('…', "sandbox").replace("service-account.json", "try/service-account.json");
    let rest = desk.read("try/sandbox.toml");
    let (general, tables) = (rest.split("[sheets]").next().unwrap(), rest.split("[columns]").nth(1).unwrap());
    let general = general.replace("\"rules.toml\"", "\"try/rules.toml\"");
    let tables = tables.replace("\"model-key.txt\"", "\"try/model-key.txt\"");
    desk.write("mine.toml", format!("{general}{settings}\n[columns]{tables}"));
    let check = desk
        .command(&["check", "--config", "mine.toml"])
        .env("SV_SHEETS__API_BASE_URL", &sandbox.address)
        .output();
    let check = Ended::from(check.unwrap());
    assert!(check.code == 0 && check.out.contains("Everything is ready"), "{check:?}");
}

#[test]
fn the_russian_one_has_the_same_commands() {
    let commands = |text: &'static str| -> Vec<&str> {
        let lines = found(r"(?m)^\$ (.*)$", text).into_iter();
        lines.map(|line| line.split('#').next().unwrap().trim()).collect()
    };
    assert_eq!(commands(README), commands(RUSSIAN));
    let table = |text: &'static str| -> Vec<&str> { found(r"(?m)^\| `… ([a-z-]+)", text) };
    assert_eq!(table(README), table(RUSSIAN));
}

#[test]
fn the_table_of_tiers_is_the_one_that_advice_goes_by() {
    for (from, name, workers) in TIERS {
        let tier = name.split(',').next().unwrap().split(" or ").next().unwrap();
        let row = README.lines().find(|line| line.starts_with(&format!("| {tier}")));
        let row = row.unwrap_or_else(|| panic!("{tier}"));
        assert!(row.ends_with(&format!("| {workers} |")), "{row}");
        let thousands =
            |n: u64| if n < 1000 { n.to_string() } else { format!("{},{:03}", n / 1000, n % 1000) };
        assert!(from == 0 || row.contains(&thousands(from)), "{row}");
    }
}

#[test]
fn every_command_of_the_table_is_there_and_none_is_missing() {
    let desk = Desk::new(SAMPLES);
    let mut named = BTreeSet::new();
    for cell in found(r"(?m)^\| (`(?:status-validator|…).*?) \| ", README) {
        for line in found("`([^`]+)`", cell) {
            let words: Vec<&str> = line.split_whitespace().skip(1).collect();
            let Some(command) = words.first() else { continue };
            named.insert(command.to_string());
            let help = desk.run(&[command, "--help"]);
            assert_eq!(help.code, 0, "{line}: {}", help.err);
            for word in &words[1..] {
                if word.starts_with("--") {
                    assert!(help.out.contains(word), "{line}");
                } else if words.len() == 2 && word.chars().all(|c| c.is_ascii_uppercase()) {
                    assert!(help.out.contains(&format!("<{word}>")), "{line}");
                } else if words.len() == 2 {
                    for below in word.split("\\|") {
                        assert_eq!(desk.run(&[command, below, "--help"]).code, 0, "{command} {below}");
                    }
                }
            }
        }
    }
    let help = desk.run(&["--help"]).out;
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let known = found(r"(?m)^  ([a-z][a-z-]*) ", commands).into_iter().filter(|name| *name != "help");
    assert_eq!(named, known.map(str::to_owned).collect());
}

#[test]
fn every_flag_and_file_that_is_named_is_there() {
    let desk = Desk::new(SAMPLES);
    let help: String = ["run", "check-text", "sandbox"].map(|name| desk.run(&[name, "--help"]).out).concat();
    let flags = found(r"(--[a-z][a-z-]+)", README);
    assert!(flags.len() > 10, "{flags:?}");
    for flag in
        flags.into_iter().filter(|flag| !["--release", "--open", "--help", "--features"].contains(flag))
    {
        assert!([" ", "\n", "..."].iter().any(|end| help.contains(&format!("{flag}{end}"))), "{flag}");
    }
    assert!(README.contains("`--only changed|errors|invalid`") && help.contains("changed, errors, invalid"));
    let files = found(r"`([\w./-]+\.(?:toml|rs|csv|md|yaml|xlsx))`", README);
    assert!(files.len() > 8, "{files:?}");
    for file in files {
        // The first is written by the program, the second is what its predecessor's users have.
        let elsewhere = ["review.xlsx", "config.yaml"].contains(&file);
        assert!(elsewhere || Path::new(env!("CARGO_MANIFEST_DIR")).join(file).is_file(), "{file}");
    }
}

#[test]
fn the_exit_codes_are_those_of_the_program() {
    let told = README.split("Exit codes:").nth(1).unwrap().split(". ").next().unwrap();
    let told: BTreeSet<i32> = found(r"\b(\d+)\b", told).iter().map(|code| code.parse().unwrap()).collect();
    let help = Desk::new(SAMPLES).run(&["--help"]).out;
    let codes = help.split("Exit codes:").nth(1).unwrap();
    let helped: BTreeSet<i32> = found(r"\b(\d+)\b", codes).iter().map(|code| code.parse().unwrap()).collect();
    assert!(told.is_subset(&helped), "{told:?} and --help: {helped:?}");

    let desk = Desk::new(SAMPLES);
    let mut seen: BTreeSet<i32> = [8].into(); // a bug is not to be had
    for args in [&[][..], &["--fail-on", "invalid"], &["--no-such-flag"], &["--source", "missing.csv"]] {
        seen.insert(desk.run(args).code);
    }
    seen.insert(with_model(|nth, _| if nth == 0 { answer("no JSON") } else { good() }, ""));
    seen.insert(with_model(|_, _| Answer::text(500, &[], "down"), ""));
    seen.insert(with_model(|_, _| Answer::text(401, &[], "{}"), ""));
    let held =
        Claim::of_store(&desk.path("status_validator.sqlite")).take(std::time::Duration::ZERO).unwrap();
    seen.insert(desk.run(&[]).code);
    drop(held);
    // No cap ends a run as yet; once one does, README.md has to name its code.
    seen.insert(with_model(|_, _| good(), "max_cost_usd = 0.001"));
    #[cfg(unix)]
    for signal in ["INT", "TERM"] {
        seen.insert(stopped_by(signal));
    }
    #[cfg(not(unix))]
    seen.extend([130, 143]);
    assert_eq!(seen, told, "what the program does, and what README.md tells");
}

/// An answer that says "pass" to every rule that is asked about.
fn passing(request: &Request) -> Answer {
    let body = request.json();
    let asked = body.pointer("/response_format/json_schema/schema/properties/rules/properties");
    let rules: serde_json::Map<_, _> =
        asked.unwrap().as_object().unwrap().keys().map(|id| (id.clone(), "pass".into())).collect();
    answer(&json!({"issues": [], "rules": rules, "rewrite_suggestion": ""}).to_string())
}

fn good() -> Answer {
    answer(VALID)
}

/// How a run ends with such a model, one call after the other.
fn with_model(script: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static, setting: &str) -> i32 {
    let model = Model::answering(script);
    let desk = Desk::with_model(4, &model.url());
    desk.write(
        "Settings.toml",
        desk.read("Settings.toml").replace("max_workers = 2", &format!("max_workers = 1\n{setting}")),
    );
    desk.run(&[]).code
}

#[cfg(unix)]
fn stopped_by(signal: &str) -> i32 {
    let model = Model::answering(|_, _| good().after(std::time::Duration::from_millis(150)));
    let desk = Desk::with_model(20, &model.url());
    let child = desk.start(&[]);
    while model.requests() < 1 {
        std::thread::yield_now();
    }
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args([format!("-{signal}"), id]).status().unwrap().success());
    Ended::from(child.wait_with_output().unwrap()).code
}
