//! Traces and metrics in the terms of OpenTelemetry, for those who collect them: a span for each run, within it one for
//! each row that a model is asked about, within that one for each call.
//!
//! Calls are named by the conventions for generative models
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/>); what is ours begins with `sv.`. No text of a table,
//! of a prompt or of an answer is in them, nor a name or a key of a row: its number is.
//!
//! [`Traces`] is an [`Observer`]: give it to an engine's `Parts`.

mod export;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::metrics::{Histogram, MeterProvider as _};
use opentelemetry::trace::{
    Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};

pub use self::export::ExportError;
use crate::domain::money::Usage;
use crate::engine::{CallEnd, Event, Observer, Settled, Stamped};
use crate::llm::ModelId;

/// Makes spans and metrics of what engines tell.
pub struct Traces {
    spans: SdkTracerProvider,
    metrics: SdkMeterProvider,
    tracer: SdkTracer,
    tokens: Histogram<u64>,
    duration: Histogram<f64>,
    /// The models of each job: events give their places.
    models: Mutex<BTreeMap<String, Vec<ModelId>>>,
    open: Mutex<Open>,
}

/// The spans of what is under way.
#[derive(Default)]
struct Open {
    runs: HashMap<Arc<str>, Span>,
    rows: HashMap<(Arc<str>, u64), Span>,
    calls: HashMap<(Arc<str>, u64), Span>,
}

impl Traces {
    /// Spans and metrics for these providers, whoever they send to.
    pub fn new(spans: SdkTracerProvider, metrics: SdkMeterProvider) -> Self {
        let meter = metrics.meter(NAME);
        Self {
            tracer: spans.tracer(NAME),
            tokens: meter
                .u64_histogram("gen_ai.client.token.usage")
                .with_unit("{token}")
                .with_description("Tokens of a call.")
                .with_boundaries((0..14).map(|power| 4f64.powi(power)).collect())
                .build(),
            duration: meter
                .f64_histogram("gen_ai.client.operation.duration")
                .with_unit("s")
                .with_description("How long a call took.")
                .with_boundaries((0..14).map(|power| 0.01 * 2f64.powi(power)).collect())
                .build(),
            models: Mutex::default(),
            open: Mutex::default(),
            spans,
            metrics,
        }
    }

    /// The models of a job, in their order.
    pub fn know(&self, job: &str, models: Vec<ModelId>) {
        lock(&self.models).insert(job.to_owned(), models);
    }

    /// Sends what is left, for at most as long as the exporters wait. Nothing is sent afterwards.
    pub fn end(&self) {
        for (what, ended) in [("spans", self.spans.shutdown()), ("metrics", self.metrics.shutdown())] {
            if let Err(error) = ended {
                tracing::warn!(%error, "the last {what} may not have reached their collector");
            }
        }
    }

    fn model(&self, job: &str, place: usize) -> Option<ModelId> {
        lock(&self.models).get(job)?.get(place).cloned()
    }

    fn begin(&self, name: String, kind: SpanKind, parent: Option<&Span>, facts: Vec<KeyValue>) -> Span {
        let parent = parent.map_or_else(Context::new, |parent| {
            Context::new().with_remote_span_context(parent.span_context().clone())
        });
        let span = self.tracer.span_builder(name).with_kind(kind).with_attributes(facts);
        self.tracer.build_with_context(span, &parent)
    }

    fn call_started(&self, job: &Arc<str>, row: u64, provider: usize) {
        let Some(ModelId { provider, model }) = self.model(job, provider) else { return };
        let mut open = lock(&self.open);
        let key = (Arc::clone(job), row);
        let parent = open.rows.get(&key).or_else(|| open.runs.get(job));
        let mut facts = of_call(&provider, &model);
        facts.push(KeyValue::new("gen_ai.output.type", "json"));
        let span = self.begin(format!("chat {model}"), SpanKind::Client, parent, facts);
        open.calls.insert(key, span);
    }

    fn call_ended(&self, job: &Arc<str>, event: &Event) {
        let Event::CallEnded { row, provider, end, usage, took, .. } = event else { return };
        let Some(ModelId { provider, model }) = self.model(job, *provider) else { return };
        let mut facts = of_call(&provider, &model);
        for (kind, tokens) in [("input", usage.prompt_tokens), ("output", usage.completion_tokens)] {
            if tokens > 0 {
                let kind = KeyValue::new("gen_ai.token.type", kind);
                self.tokens.record(tokens, &[facts.as_slice(), &[kind]].concat());
            }
        }
        let error = (*end != CallEnd::Answered).then(|| KeyValue::new("error.type", end.as_str()));
        facts.extend(error.clone());
        self.duration.record(took.as_secs_f64(), &facts);
        if let Some(mut span) = lock(&self.open).calls.remove(&(Arc::clone(job), *row)) {
            span.set_attributes(of_usage(usage));
            if let Some(error) = error {
                span.set_attribute(error);
                span.set_status(Status::error(end.as_str()));
            }
            span.end();
        }
    }

    fn run_ended(&self, job: &Arc<str>, trigger: &'static str, outcome: &'static str) {
        let mut open = lock(&self.open);
        open.rows.retain(|(known, _), _| known != job); // dropped spans end
        open.calls.retain(|(known, _), _| known != job);
        if let Some(mut span) = open.runs.remove(job) {
            span.set_attributes([KeyValue::new("sv.trigger", trigger), KeyValue::new("sv.outcome", outcome)]);
            if outcome == "failed" {
                span.set_status(Status::error(outcome));
            }
            span.end();
        }
    }
}

/// The scope of all spans and metrics.
const NAME: &str = "status-validator";

impl Observer for Traces {
    fn observe(&self, Stamped { job, event, .. }: &Stamped) {
        match event {
            Event::RunStarted { run } => {
                let facts =
                    vec![KeyValue::new("sv.job", job.to_string()), KeyValue::new("sv.run", run.clone())];
                let span = self.begin("sv.run".to_owned(), SpanKind::Internal, None, facts);
                lock(&self.open).runs.insert(Arc::clone(job), span);
            }
            Event::Queued { row } => {
                let mut open = lock(&self.open);
                let number = i64::try_from(*row).unwrap_or(i64::MAX);
                let facts = vec![KeyValue::new("sv.row", number)];
                let span = self.begin("sv.row".to_owned(), SpanKind::Internal, open.runs.get(job), facts);
                open.rows.insert((Arc::clone(job), *row), span);
            }
            Event::CallStarted { row, provider, .. } => self.call_started(job, *row, *provider),
            Event::CallEnded { .. } => self.call_ended(job, event),
            Event::Settled { row, state } => {
                if let Some(mut span) = lock(&self.open).rows.remove(&(Arc::clone(job), *row)) {
                    settle(&mut span, state);
                    span.end();
                }
            }
            Event::Committed { written, unchanged, marked_gone } => {
                if let Some(span) = lock(&self.open).runs.get_mut(job) {
                    let counts =
                        [("written", written), ("unchanged", unchanged), ("marked_gone", marked_gone)];
                    let facts =
                        counts.map(|(what, rows)| KeyValue::new(format!("sv.rows.{what}"), *rows as i64));
                    span.add_event("sv.committed", facts.to_vec());
                }
            }
            Event::RunEnded { trigger, outcome, .. } => {
                self.run_ended(job, trigger.as_str(), outcome.as_str());
            }
            _ => {}
        }
    }
}

/// What every span and metric of a call says.
fn of_call(provider: &str, model: &str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.provider.name", provider.to_owned()),
        KeyValue::new("gen_ai.request.model", model.to_owned()),
    ]
}

fn of_usage(usage: &Usage) -> impl Iterator<Item = KeyValue> {
    [
        ("gen_ai.usage.input_tokens", usage.prompt_tokens),
        ("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens),
        ("gen_ai.usage.output_tokens", usage.completion_tokens),
        ("gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens),
    ]
    .into_iter()
    .filter(|(_, tokens)| *tokens > 0)
    .map(|(name, tokens)| KeyValue::new(name, i64::try_from(tokens).unwrap_or(i64::MAX)))
}

fn settle(span: &mut Span, state: &Settled) {
    match state {
        Settled::Judged { valid, .. } => {
            let label = if *valid { "valid" } else { "invalid" };
            let facts = [("gen_ai.evaluation.name", "rulebook"), ("gen_ai.evaluation.score.label", label)];
            let facts = facts.map(|(name, value)| KeyValue::new(name, value)).to_vec();
            span.add_event("gen_ai.evaluation.result", facts);
        }
        Settled::NotChecked(_) => span.set_status(Status::error("not checked")), // the reason may quote an answer
        Settled::Skipped(_) => {}
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
