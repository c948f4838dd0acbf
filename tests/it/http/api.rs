//! What programs are told, and what they may ask for.

use std::time::Duration;

use serde_json::{Value, json};
use status_validator::engine::Parts;
use status_validator::testing::{FakeModel, Step};

use super::house::{House, parts};
use crate::support::{VALID, model, projects};

#[test]
fn a_run_is_started_and_its_figures_are_the_same_everywhere() {
    let house = House::small();
    let id = house.run();
    let run = house.get(&format!("/api/v1/runs/{id}")).json();
    assert_eq!((&run["outcome"], &run["report"]["rows_valid"]), (&json!("ok"), &json!(3)), "{run}");
    assert_eq!(run["report"]["run_id"], json!(id));
    let runs = house.get("/api/v1/runs?limit=10").json();
    assert_eq!(runs, json!([run]));
    let job = house.get("/api/v1/jobs/default").json();
    assert_eq!(job["last_run"], run);
    assert_eq!((&job["running"], &job["pending_writes"]), (&Value::Null, &json!(0)));
    let status = house.get("/api/v1/status").json();
    assert_eq!(status["jobs"], json!([job]));
    let rows = house.get("/api/v1/rows?valid=true").json();
    let keys: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["project 0", "project 1", "project 2"]);
    assert_eq!(house.get("/api/v1/rows?valid=false").json(), json!([]));
    assert_eq!(house.get("/api/v1/rows?limit=1&after=project%201").json()[0]["key"], "project 2");
    let row = house.get("/api/v1/rows/default/project%201").json();
    assert_eq!((&row[0]["run_id"], &row[0]["issues"]), (&json!(id), &Value::Null), "texts are not shown");
    let metrics = house.get("/metrics").body;
    for line in [
        "sv_runs_total{outcome=\"ok\",trigger=\"api\"} 1",
        "sv_rows_read_total{job=\"default\"} 3",
        "sv_rows_reviewed_total{origin=\"model\",verdict=\"valid\"} 3",
        "sv_llm_requests_total{model=\"content\",outcome=\"ok\",provider=\"fake\"} 3",
        "sv_llm_tokens_total{model=\"content\",provider=\"fake\",type=\"input\"} 300",
        "sv_run_in_progress{job=\"default\"} 0",
        "sv_llm_inflight{provider=\"fake\"} 0",
        "sv_sink_pending_rows{job=\"default\"} 0",
        "sv_sink_oldest_pending_seconds{job=\"default\"} 0",
        "sv_queue_depth{stage=\"judge\"} 0",
        "sv_cache_entries 3",
        "sv_http_requests_total{code=\"202\",route=\"/api/v1/runs\"} 1",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line} is not in:\n{metrics}");
    }
}

#[test]
fn a_run_under_way_is_seen_refused_twice_and_ended_early() {
    let slow = model(200);
    let house = House::new(vec![parts(&projects(500), &slow)], |_| {});
    let id = house.post("/api/v1/runs", "{}").json()["run_id"].as_str().unwrap().to_owned();
    assert_eq!(house.post("/api/v1/runs", "{}").status, 409);
    while house.get("/api/v1/jobs/default").json()["running"]["progress"]["rows_settled"].as_u64() < Some(3) {
        std::thread::yield_now();
    }
    assert_eq!(house.post("/api/v1/runs/nobody/cancel", "").status, 404);
    assert_eq!(house.post(&format!("/api/v1/runs/{id}/cancel"), "").status, 202);
    while house.get(&format!("/api/v1/runs/{id}")).json()["outcome"] != "interrupted" {
        std::thread::yield_now();
    }
    assert_eq!(house.post(&format!("/api/v1/runs/{id}/cancel"), "").status, 404);
}

#[test]
fn entries_are_judged_and_too_many_are_told_to_come_again() {
    let house = House::small();
    let body = json!({"entries": [{"status": "On Track", "comment": "All done."}, {"status": "Late", "comment": "No."}]});
    let answer = house.post("/api/v1/validate", &body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    let outcomes = answer.json()["outcomes"].clone();
    assert_eq!(outcomes.as_array().unwrap().len(), 2);
    let first = &outcomes[0];
    assert_eq!(
        (&first["state"], &first["verdict"]["valid"], &first["decided_by"]),
        (&json!("judged"), &json!(true), &json!("model"))
    );
    assert_eq!(first["model"], "content");
    let many: Vec<Value> =
        (0..50).map(|n| json!({"status": "s", "comment": format!("Number {n}.")})).collect();
    assert_eq!(house.post("/api/v1/validate", &json!({"entries": many}).to_string()).status, 200);

    let hangs = FakeModel::new("hangs", |_, _| Step::Answer {
        after: Duration::from_millis(700),
        text: VALID.into(),
    });
    let mut full = parts(&projects(1), &hangs);
    full.limits.queue_depth = 2;
    let house = House::new(vec![full], |_| {});
    let one = |n: u32| json!({"entries": [{"status": "s", "comment": format!("{n}")}]}).to_string();
    let ask = |n: u32| house.post("/api/v1/validate", &one(n));
    let answers: Vec<_> = std::thread::scope(|scope| {
        let ask = &ask;
        let asked: Vec<_> = (0..8).map(|n| scope.spawn(move || ask(n))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!refused.is_empty() && answers.iter().all(|answer| matches!(answer.status, 200 | 503)));
    assert!(refused.iter().all(|answer| answer.header("retry-after") == Some("1")), "{refused:?}");
}

#[test]
fn what_makes_no_sense_is_told_what_is_wrong() {
    let two = ["one", "two"].map(|name| Parts { job: name.into(), ..parts(&projects(2), &model(1)) });
    let house = House::new(two.into(), |_| {});
    let huge = format!("{{\"entries\": \"{}\"}}", "x".repeat(10 << 20));
    let deep = "[".repeat(30_000);
    let entry = r#""entries": [{"status": "s", "comment": "c"}]"#;
    for (path, body, status, says) in [
        ("/api/v1/runs", "{}".to_owned(), 400, "one, two"),
        ("/api/v1/runs", r#"{"job": "three"}"#.to_owned(), 404, "three"),
        ("/api/v1/runs", r#"{"job": 3}"#.to_owned(), 400, "expected a string"),
        ("/api/v1/runs", r#"{"job": "one", "limit": -1}"#.to_owned(), 400, "expected u64"),
        ("/api/v1/runs", r#"{"job": "one", "all": true}"#.to_owned(), 400, "all"),
        ("/api/v1/runs", "{".to_owned(), 400, "EOF"),
        ("/api/v1/validate", format!("{{{entry}}}"), 400, "one, two"),
        ("/api/v1/validate", format!(r#"{{"job": "two", {entry}, "x": 1}}"#), 400, "unknown field"),
        ("/api/v1/validate", r#"{"job": "two", "entries": []}"#.to_owned(), 400, "1 to 50"),
        ("/api/v1/validate", r#"{"job": "two", "entries": [{"status": "s"}]}"#.to_owned(), 400, "comment"),
        ("/api/v1/validate", huge, 413, "1048576"),
        ("/api/v1/validate", deep, 400, "not understood"),
        ("/api/v1/validate", "\u{0}\u{1}".to_owned(), 400, "not understood"),
    ] {
        let answer = house.post(path, &body);
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(
            answer.status == status && message.contains(says),
            "{path} {}: {answer:?}",
            &body[..body.len().min(60)]
        );
    }
    for (path, status) in [
        ("/api/v1/runs?limit=0", 400),
        ("/api/v1/runs?limit=201", 400),
        ("/api/v1/runs?limit=x", 400),
        ("/api/v1/runs?before=yesterday", 400),
        ("/api/v1/runs?colour=red", 400),
        ("/api/v1/rows", 400),
        ("/api/v1/rows?job=three", 404),
        ("/api/v1/rows/one/nobody", 404),
        ("/api/v1/jobs/three", 404),
        ("/api/v1/runs/nobody", 404),
        ("/api/v1/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/api/v1/rows/one/%00%ff", 404),
    ] {
        let answer = house.get(path);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert!(answer.json()["error"]["message"].is_string(), "{path}");
    }
    for (line, allow) in [
        ("DELETE /api/v1/runs", "get, post"),
        ("GET /api/v1/validate", "post"),
        ("PUT /api/v1/status", "get"),
    ] {
        let answer = house.ask(line, &[], "");
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{line}");
    }
}

#[test]
fn its_description_names_every_route_and_nothing_else() {
    let house = House::small();
    let document = house.get("/api/v1/openapi.json").json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in paths {
        let concrete = path.replace("{job}", "default").replace("{run}", "nobody").replace("{key}", "nobody");
        for method in methods.as_object().unwrap().keys() {
            if path.ends_with("/events") {
                continue; // it never ends
            }
            let line = format!("{} {concrete}", method.to_uppercase());
            let answer = house.ask(
                &line,
                &[("Content-Type", "application/json")],
                if method == "post" { "{" } else { "" },
            );
            let known = &methods[method]["responses"][answer.status.to_string()];
            assert!(known.is_object() && answer.status != 405, "{line}: {} is not described", answer.status);
        }
    }
    assert_eq!(paths.len(), 13, "{:?}", paths.keys());
}
