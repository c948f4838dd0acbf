//! Traces and metrics as a collector gets them.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use crate::support::VALID;
use crate::support::cli::{Desk, Ended, Model, answer};
use crate::support::http::Answer;

/// What a collector was sent.
#[derive(Clone)]
struct Collector {
    url: String,
    posts: Arc<Mutex<Vec<Post>>>,
}

/// Head and body of a request.
type Post = (String, Vec<u8>);

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self { url, posts: Arc::default() };
        let posts = Arc::clone(&collector.posts);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                posts.lock().unwrap().extend(take(stream));
            }
        });
        collector
    }

    fn run(&self, desk: &Desk, env: &[(&str, &str)]) -> Ended {
        let mut command = desk.command(&["-q"]);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &self.url).envs(env.iter().copied());
        Ended::from(command.output().unwrap())
    }

    fn posts(&self, path: &str) -> Vec<Vec<u8>> {
        let posts = self.posts.lock().unwrap();
        let line = format!("POST {path} HTTP/1.1");
        posts.iter().filter(|(head, _)| head.starts_with(&line)).map(|(_, body)| body.clone()).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.posts("/v1/traces").into_iter();
        let requests = requests.map(|body| ExportTraceServiceRequest::decode(&*body).unwrap());
        let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|spans| spans.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

/// Reads a request to its end and answers it.
fn take(mut stream: TcpStream) -> Option<Post> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()?;
    Some((head, body))
}

fn facts(attributes: &[KeyValue]) -> HashMap<&str, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let value = |fact: &KeyValue| fact.value.as_ref()?.value.as_ref().map(text);
    attributes.iter().filter_map(|fact| Some((fact.key.as_str(), value(fact)?))).collect()
}

#[test]
fn a_collector_gets_a_span_for_the_run_each_row_and_each_call_and_no_text() {
    let model = Model::answering(|n, _| match n {
        0 => Answer::text(429, &[("Retry-After", "0")], r#"{"error": {"message": "slow down"}}"#),
        _ => answer(VALID),
    });
    let desk = Desk::with_model(3, &model.url());
    let collector = Collector::start();
    let ended = collector
        .run(&desk, &[("OTEL_EXPORTER_OTLP_HEADERS", "x-team=pmo"), ("OTEL_SERVICE_NAME", "statuses")]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");

    let spans = collector.spans();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let ([run], rows, calls) = (&named("sv.run")[..], named("sv.row"), named("chat m-1")) else {
        panic!("{spans:?}")
    };
    let about = facts(&run.attributes);
    assert_eq!((about["sv.job"].as_str(), about["sv.outcome"].as_str()), ("default", "ok"));
    assert!(run.events.iter().any(|event| event.name == "sv.committed"
        && facts(&event.attributes).get("sv.rows.written").is_some_and(|rows| rows == "3")));
    assert_eq!((rows.len(), calls.len()), (3, 4), "{spans:?}");
    for row in &rows {
        assert_eq!((&row.parent_span_id, &row.trace_id), (&run.span_id, &run.trace_id));
        let [verdict] = &row.events[..] else { panic!("{row:?}") };
        assert_eq!(facts(&verdict.attributes)["gen_ai.evaluation.score.label"], "valid");
    }
    let mut failed = 0;
    for call in &calls {
        assert!(rows.iter().any(|row| row.span_id == call.parent_span_id), "{call:?}");
        assert!(call.end_time_unix_nano >= call.start_time_unix_nano && call.kind == 3, "{call:?}");
        let about = facts(&call.attributes);
        assert_eq!((&*about["gen_ai.operation.name"], &*about["gen_ai.provider.name"]), ("chat", "local"));
        assert_eq!(about["gen_ai.request.model"], "m-1");
        match about.get("error.type") {
            Some(error) => (failed, _) = (failed + 1, assert_eq!(error, "rate_limited")),
            None => assert_eq!(about["gen_ai.usage.input_tokens"], "1000"),
        }
    }
    assert_eq!(failed, 1);

    let metrics = collector.posts("/v1/metrics");
    let metrics = metrics.iter().map(|body| ExportMetricsServiceRequest::decode(&**body).unwrap());
    let scopes =
        metrics.flat_map(|request| request.resource_metrics).flat_map(|metrics| metrics.scope_metrics);
    let names: Vec<_> =
        scopes.flat_map(|scope| scope.metrics).map(|metric| (metric.name, metric.unit)).collect();
    for (name, unit) in [("gen_ai.client.token.usage", "{token}"), ("gen_ai.client.operation.duration", "s")]
    {
        assert!(names.contains(&(name.to_owned(), unit.to_owned())), "{names:?}");
    }

    for (head, body) in collector.posts.lock().unwrap().iter() {
        assert!(head.to_lowercase().contains("x-team: pmo"), "{head}");
        let text = String::from_utf8_lossy(body);
        assert!(text.contains("statuses") && text.contains("service.version"), "{text}");
        for secret in ["Comment", "Project ", "says what was done", "sk-canary", "slow down"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn a_run_does_not_need_its_collector() {
    let model = Model::content();
    let desk = Desk::with_model(3, &model.url());
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let collector =
        Collector { url: format!("http://{}", gone.local_addr().unwrap()), posts: Arc::default() };
    drop(gone);
    let ended = collector.run(&desk, &[]);
    assert_eq!((ended.code, desk.results()), (0, 3), "{ended:?}");

    let collector = Collector::start();
    let ended = collector.run(&desk, &[("OTEL_SDK_DISABLED", "true")]);
    assert_eq!((ended.code, collector.posts.lock().unwrap().len()), (0, 0), "{ended:?}");

    let ended = Collector { url: "no address".to_owned(), ..collector }.run(&desk, &[]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("OTEL_EXPORTER_OTLP_"), "{ended:?}");
}
