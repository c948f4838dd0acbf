//! Brings a model of one's own: anything that answers a question can judge rows.
//!
//! `cargo run --example own_model`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use futures_util::future::BoxFuture;
use status_validator::domain::columns::ColumnNames;
use status_validator::domain::money::Usage;
use status_validator::domain::rules::Rulebook;
use status_validator::engine::{Engine, Parts, Provider, RunRequest};
use status_validator::llm::limits::RateLimits;
use status_validator::llm::{ChatModel, ModelId, NoAnswer, Question, Reply};
use status_validator::table::memory::{MemorySink, MemorySource};

/// A model that has read one rule: a status says what was done.
struct Pedant(ModelId);

impl ChatModel for Pedant {
    fn id(&self) -> &ModelId {
        &self.0
    }

    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Reply, NoAnswer>> {
        Box::pin(async move {
            let done = question.row.contains("Done:");
            let issues = if done { "[]" } else { r#"["it does not say what was done"]"# };
            Ok(Reply {
                text: format!(r#"{{"is_valid": {done}, "issues": {issues}, "rewrite_suggestion": ""}}"#),
                model: self.0.model.clone(),
                usage: Usage::default(),
                requests: 1,
                limits: RateLimits::default(),
            })
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rulebook = Rulebook::Free("Every comment says what was done, after the word Done.".into());
    let columns = ColumnNames {
        status: "Status".into(),
        comment: "Comment".into(),
        completion_date: None,
        identifier: Some("Project".into()),
        project_manager: None,
        context: Vec::new(),
    };
    let source = MemorySource::new([
        ["Project", "Status", "Comment"],
        ["Canteen", "On Track", "Done: floor laid 3 Mar. Next: kitchen 20 Mar."],
        ["Fence", "At Risk", "We are busy."],
    ]);
    let results = MemorySink::new();
    let model = Pedant(ModelId { provider: "in-house".into(), model: "pedant-1".into() });
    let engine = Engine::start(Parts {
        source: Some(Box::new(source)),
        sink: Some(Box::new(results.clone())),
        providers: vec![Provider::new(model)],
        ..Parts::new(rulebook, columns)
    })?;
    engine.handle().run(RunRequest::default()).await?;
    for row in results.rows() {
        println!("{:<10} {:<4} {}", row["Project name"], row["Is Valid"], row["Issues"]);
    }
    engine.shutdown(Duration::from_secs(30)).await;
    Ok(())
}
