//! The command `sandbox` as its users have it: a process that says when it is ready, and runs against it.

use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::support::cli::{Desk, SAMPLES};
use crate::support::served::{Served, run};

#[test]
fn the_samples_of_both_languages_are_reviewed_and_a_second_run_writes_nothing() {
    for (language, project) in [("en", "New canteen"), ("ru", "Замена окон")] {
        let desk = Desk::new(SAMPLES);
        let sandbox = Served::start(&desk, &["--language", language]);
        assert_eq!(sandbox.settings, desk.path("try/sandbox.toml").canonicalize().unwrap());
        let (first, summary) = run(&desk);
        assert_eq!((&summary["outcome"], &summary["rows_written"]), (&"ok".into(), &70.into()), "{first:?}");
        // What the model of the sandbox says is taken the first time it says it.
        assert_eq!((&summary["rows_not_checked"], &summary["llm"]["retries"]), (&0.into(), &0.into()));
        assert!(
            summary["violations"]["R10"] == 1 && summary["llm"]["requests"].as_u64() > Some(60),
            "{summary}"
        );
        let projects = sandbox.column("sandbox", "Project name");
        assert!(projects.len() == 70 && projects.iter().any(|name| name == project), "{projects:?}");
        let (_, again) = run(&desk);
        assert_eq!(
            (&again["sheets"]["writes"], &again["llm"]["requests"]),
            (&0.into(), &0.into()),
            "{again}"
        );
    }
}

/// What a plan says of tokens is what the provider then counts.
#[test]
fn a_plan_counts_tokens_as_the_provider_does() {
    for language in ["en", "ru"] {
        let desk = Desk::new(SAMPLES);
        let _sandbox = Served::start(&desk, &["--language", language]);
        let plan = desk.run(&["plan", "--config", "try/sandbox.toml", "--format", "json"]).json();
        let (_, summary) = run(&desk);
        assert_eq!(plan["rows_to_ask"], summary["llm"]["requests"], "{language}: {plan} {summary}");
        let planned = plan["prompt_tokens"].as_f64().unwrap();
        let counted = summary["llm"]["prompt_tokens"].as_f64().unwrap();
        println!(
            "{language}: {planned} tokens planned, {counted} counted, {:+.2} %",
            100.0 * (planned / counted - 1.0)
        );
        assert!((planned / counted - 1.0).abs() < 0.05, "{language}: {planned} planned, {counted} counted");
    }
}

#[test]
fn the_model_behaves_as_its_flags_say() {
    let desk = Desk::new(SAMPLES);
    desk.write("labels.csv", "id,is_valid,rules_violated\nEN-005,false,5\nEN-006,true,\n");
    let flags = [
        "--latency",
        "5ms~0.5",
        "--rpm",
        "60000",
        "--tpm",
        "900000000",
        "--at-once",
        "50",
        "--limiter",
        "window",
        "--burst",
        "2s",
        "--tells",
        "retry-after",
        "--reserve",
        "--refuse",
        "temperature",
        "--keeps",
        "nothing",
        "--bills",
        "deepseek",
        "--golden",
        "statuses.csv=labels.csv",
        "--error-rate",
        "0%",
        "--fault",
        "chat:5%=prose",
    ];
    let sandbox = Served::start(&desk, &flags);
    let behaviour = sandbox.get("/model");
    for (path, value) in [
        ("/latency/spread", Value::from(0.5)),
        ("/limits/requests_per_minute", 60000.0.into()),
        ("/limits/at_once", 50.into()),
        ("/limits/kind", "window".into()),
        ("/limits/tells", "retry-after".into()),
        ("/limits/reserves", true.into()),
        ("/prompt_cache/keeps", "nothing".into()),
        ("/refuses/0", "temperature".into()),
        ("/bills", "deepseek".into()),
    ] {
        assert_eq!(behaviour.pointer(path), Some(&value), "{path}: {behaviour}");
    }
    let (_, summary) = run(&desk);
    assert_eq!((&summary["rows_not_checked"], &summary["llm"]["cached_tokens"]), (&0.into(), &0.into()));
    assert!(summary["llm"]["requests"].as_u64() > summary["llm"]["answers"].as_u64(), "{summary}");
    for (args, hint) in [
        (&["--latency", "4s~9"][..], "0 to 3"),
        (&["--error-rate", "5"], "0% to 100%"),
        (&["--golden", "labels.csv"], "STATUSES.csv=LABELS.csv"),
        (&["--golden", "labels.csv=labels.csv"], "no column comment"),
        (&["--golden", "absent.csv=labels.csv"], "absent.csv"),
        (&["--fault", "write=broken"], "chat=…"),
        (&["--rpm=-5"], "limits.requests_per_minute» must be above 0"),
        (&["--tpm", "NaN"], "limits.tokens_per_minute"),
        (&["--at-once", "0"], "1 or more"),
    ] {
        let ended = desk.run(&[&["sandbox", "--listen", "127.0.0.1:0", "--dir", "other"], args].concat());
        assert!(ended.code != 0 && ended.err.contains(hint), "{args:?}: {ended:?}");
    }
}

#[test]
fn a_wrong_name_is_no_reason_to_try_again_and_what_was_asked_is_counted() {
    let desk = Desk::new(SAMPLES);
    let _sandbox = Served::start(&desk, &[]);
    let settings = desk.read("try/sandbox.toml");
    for (from, to, told) in [
        ("source_sheet_gid = ", "source_sheet_gid = 7", "no tab has the number 7"),
        (
            "source_spreadsheet_id = \"sandbox\"",
            "source_spreadsheet_id = \"sandbax\"",
            "iam.gserviceaccount.com",
        ),
        ("header_row = 1", "header_row = 500", "is blank"),
    ] {
        let settings = match settings.contains(from) {
            true => settings.replace(from, to),
            false => format!("{to}\ndata_start_row = 501\n{settings}"),
        };
        desk.write("try/sandbox.toml", settings);
        let ended = desk.run(&["run", "--config", "try/sandbox.toml", "--summary", "summary.json"]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(told), "{ended:?}");
        let summary: Value = serde_json::from_str(&desk.read("summary.json")).unwrap();
        assert_eq!(summary["failure"]["exit_code"], 2);
        assert!(summary["sheets"]["reads"].as_u64() > Some(0), "{summary}");
    }
}

#[test]
fn a_key_that_is_missing_is_told_once() {
    let desk = Desk::new(SAMPLES);
    let _sandbox = Served::start(&desk, &[]);
    std::fs::remove_file(desk.path("try/service-account.json")).unwrap();
    let ended = desk.run(&["check", "--config", "try/sandbox.toml"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(ended.out.matches("does not exist").count(), 1, "{}", ended.out);
    assert_eq!(ended.out.matches("not tried").count(), 2, "{}", ended.out);
}

#[test]
fn tables_go_where_they_are_wanted_and_results_beside_them_or_elsewhere() {
    let desk = Desk::new(SAMPLES);
    desk.write("неделя 1.csv", "Проект;Статус;Комментарий\nОкна;В графике;Готово.\nКасса;Есть риски;\n");
    desk.write("notes.tsv", "a\tb\n1\t2\n");
    let sheets = [
        "--sheet",
        "src-1:Статусы за неделю=неделя 1.csv",
        "--sheet",
        "src-1:Notes=notes.tsv",
        "--target",
        "dst_2",
    ];
    let sandbox = Served::start(&desk, &sheets);
    let tabs = sandbox.get("/v4/spreadsheets/src-1?fields=properties.locale,sheets.properties.title");
    assert_eq!(tabs["sheets"][0]["properties"]["title"], "Статусы за неделю");
    assert_eq!(tabs["sheets"][1]["properties"]["title"], "Notes");
    assert_eq!(tabs["properties"]["locale"], "ru_RU");
    let (_, summary) = run(&desk);
    assert_eq!(summary["rows_read"], 2);
    assert_eq!(sandbox.column("dst_2", "Project name"), ["Окна", "Касса"]);
    assert_eq!(sandbox.column("dst_2", "Is Valid"), ["NO", "NO"]);
    assert!(!desk.read("try/sandbox.toml").contains("as_of"), "only the samples were written for a day");
}

#[test]
fn an_unknown_header_is_told_and_samples_in_a_file_keep_their_day() {
    let desk = Desk::new(SAMPLES);
    desk.write("odd.csv", "Projekt,Ampel\nA,rot\n");
    let mut sandbox = Served::start(&desk, &["--sheet", "s:T=odd.csv"]);
    sandbox.child.kill().unwrap();
    let mut said = String::new();
    sandbox.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("columns.status") && said.contains("SV_COLUMNS__COMMENT"), "{said}");
    Served::start(&desk, &["--sheet", "s:T=statuses.csv"]);
    assert!(desk.read("try/sandbox.toml").contains("as_of = \"2026-03-13\""));
}

#[test]
fn faults_in_words_strike_and_a_run_gets_over_them() {
    let desk = Desk::new(SAMPLES);
    let faults =
        ["token:1=503", "read:2=reset", "read:4=cut", "write:1=429", "chat:1..3=503", "chat:9=slow 100ms"];
    let mut args: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    args.extend(["--quota", "100/100", "--fence", "ignored", "--token-lifetime", "2h", "--seed", "7"]);
    let mut sandbox = Served::start(&desk, &args);
    let (_, summary) = run(&desk);
    assert_eq!(
        (&summary["rows_not_checked"], &summary["llm"]["retries"]),
        (&0.into(), &3.into()),
        "{summary}"
    );
    let mut keys = sandbox.column("sandbox", "Key");
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), all), (70, 70));
    sandbox.child.kill().unwrap();
    let mut said = String::new();
    sandbox.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said.matches("on purpose").count(), 8, "{said}");
}

#[test]
fn files_of_others_are_left_alone_and_its_own_are_written_anew() {
    let desk = Desk::new(SAMPLES);
    Served::start(&desk, &[]);
    let key = desk.read("try/service-account.json");
    Served::start(&desk, &[]);
    assert_ne!(desk.read("try/service-account.json"), key, "each sandbox has its own key");
    desk.write("try/rules.toml", "# mine\n");
    let refused = desk.run(&["sandbox", "--listen", "127.0.0.1:0", "--dir", "try"]);
    assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{refused:?}");
    assert!(refused.err.contains("rules.toml") && refused.err.contains("left alone"), "{}", refused.err);
    assert_eq!(desk.read("try/rules.toml"), "# mine\n");
}

#[test]
#[cfg(unix)]
fn keys_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new(SAMPLES);
    Served::start(&desk, &[]);
    for name in ["try/service-account.json", "try/model-key.txt"] {
        assert_eq!(std::fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    let checked = desk.run(&["config", "show", "--config", "try/sandbox.toml"]);
    assert!(checked.code == 0 && !checked.err.contains("warning"), "{checked:?}");
}

#[test]
#[cfg(unix)]
fn signals_end_it_at_once_even_while_somebody_waits() {
    for signal in ["INT", "TERM"] {
        let desk = Desk::new(SAMPLES);
        let mut sandbox = Served::start(&desk, &["--fault", "read=hang"]);
        let mut waiting = TcpStream::connect(&sandbox.address).unwrap();
        waiting.write_all(b"GET /v4/spreadsheets/sandbox HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let id = sandbox.child.id().to_string();
        assert!(
            std::process::Command::new("kill").args([format!("-{signal}"), id]).status().unwrap().success()
        );
        assert_eq!(sandbox.child.wait().unwrap().code(), Some(0), "{signal}");
        let mut rest = String::new();
        sandbox.child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "one line on standard output");
    }
}

#[test]
fn rubbish_is_refused_with_a_hint_before_anything_is_written() {
    let desk = Desk::new(SAMPLES);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (args, code, hint) in [
        (&["--sheet", "Statuses=a.csv"][..], 2, "ID:TAB=FILE"),
        (&["--sheet", "s:T=Settings.toml"], 2, "use .csv, .tsv or .xlsx"),
        (&["--sheet", "s:T=absent.csv"], 4, "absent.csv"),
        (&["--sheet", "s:T=statuses.csv", "--sheet", "s:T=statuses.csv"], 2, "two tables"),
        (&["--sheet", "s:Status Review=statuses.csv"], 2, "another tab"),
        (&["--target", "sandbox:Statuses"], 2, "is the source"),
        (&["--fault", "write:1=explode"], 2, "commit-then-reset"),
        (&["--fault", "write=503 for ever"], 2, "90s"),
        (&["--quota", "many"], 2, "60/300"),
        (&["--token-lifetime", "0s"], 2, "a second at least"),
        (&["--listen", "8700"], 2, "127.0.0.1:8700"),
        (&["--listen", "0.0.0.0:0"], 2, "--allow-remote"),
        (&["--listen", "192.0.2.1:0", "--allow-remote"], 2, "0.0.0.0"),
        (&["--listen", &taken], 4, "0 is any that is free"),
    ] {
        let ended = desk.run(&[&["sandbox", "--dir", "try"], args].concat());
        assert_eq!((ended.code, ended.out.as_str()), (code, ""), "{args:?}: {ended:?}");
        assert!(ended.err.contains(hint), "{args:?}: {}", ended.err);
        assert!(!desk.path("try").exists(), "{args:?}");
    }
}
