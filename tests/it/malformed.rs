//! What is no answer is never taken for one: a list of wrong answers, each sent by a real server, and answers that a
//! machine has spoilt.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use status_validator::domain::answer::{Answer as Read, Asked, RuleWord, read_answer};
use status_validator::domain::entry::Entry;
use status_validator::domain::language::Language;
use status_validator::domain::prompt::StaticPrompt;
use status_validator::domain::rules::{CodeReview, Rulebook};
use status_validator::llm::openai::{OpenAiModel, OpenAiParams, PromptMarks};
use status_validator::llm::{ChatModel, ModelId, Question, Room};
use status_validator::net::Network;

use crate::support::entry;
use crate::support::http::{Answer, Server};

/// A wrong answer of the list.
struct Case {
    name: String,
    sent: Vec<u8>,
    headers: Vec<(String, String)>,
    /// Which kinds of rulebook it is tried with.
    numbered: bool,
    free: bool,
}

const RULES: &str = include_str!("../fixtures/malformed/rules.toml");

#[tokio::test]
async fn no_malformed_answer_is_accepted() {
    let numbered = Rulebook::from_toml(RULES).unwrap();
    let free = Rulebook::Free("Be clear.".into());
    let cases = cases();
    assert!(cases.len() >= 120, "{}", cases.len());
    let mut accepted = Vec::new();
    for case in &cases {
        let headers: Vec<(&str, &str)> =
            case.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let server = Server::scripted(vec![Answer::bytes(200, &headers, &case.sent)]).await;
        let reply = model(&server).ask(&question()).await;
        let Ok(reply) = reply else { continue };
        for (is_tried, rulebook) in [(case.numbered, &numbered), (case.free, &free)] {
            if is_tried && read(rulebook, &reply.text).is_ok() {
                accepted.push(case.name.as_str());
            }
        }
    }
    println!("{} malformed answers, {} accepted", cases.len(), accepted.len());
    assert!(accepted.is_empty(), "{accepted:?}");
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/malformed/answers.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| case(&serde_json::from_str(line).unwrap())).collect()
}

fn case(told: &Value) -> Case {
    let text = |name: &str| told[name].as_str().map(str::to_owned);
    let repeated = |name: &str| {
        let times = usize::try_from(told[name][1].as_u64()?).ok()?;
        Some(told[name][0].as_str()?.repeat(times))
    };
    let completion = |content: String| {
        json!({"model": "m", "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}]})
            .to_string()
    };
    let content = text("content").or_else(|| repeated("repeat")).map(completion);
    let body = content.or_else(|| text("body")).or_else(|| repeated("repeat_body")).map(String::into_bytes);
    let sent = body.or_else(|| STANDARD.decode(text("body_base64")?).ok());
    let mode = text("mode").unwrap_or_else(|| "both".into());
    let headers = told["headers"].as_object().into_iter().flatten();
    Case {
        name: text("name").unwrap(),
        sent: sent.unwrap_or_else(|| panic!("{told}: neither a content nor a body")),
        headers: headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
        numbered: mode != "free",
        free: mode != "numbered",
    }
}

fn model(server: &Server) -> OpenAiModel {
    OpenAiModel::new(OpenAiParams {
        id: ModelId { provider: "primary".into(), model: "m".into() },
        base_url: server.url(),
        api_key: None,
        organization: None,
        http_referer: None,
        x_title: None,
        temperature: None,
        max_output_tokens: 256,
        request_timeout: Duration::from_secs(20),
        reasoning_enabled: false,
        connect_timeout: Duration::from_secs(5),
        prompt_marks: PromptMarks::None,
        network: Network::default(),
    })
    .unwrap()
}

fn question() -> Question {
    let fixed = StaticPrompt {
        system: "Judge. Answer in JSON.".into(),
        rules: "Rule 1.".into(),
        schema: json!({"type": "object"}),
        cache_key: "rules_0123456789abcdef".into(),
    };
    Question { fixed: fixed.into(), row: "the row".into(), hint: None, room: Room::Usual }
}

fn row() -> Entry {
    Entry { comment: "Done: gate 5 Mar. Next: site handover soon.".into(), ..entry(2) }
}

fn read(rulebook: &Rulebook, text: &str) -> Result<Read, String> {
    let entry = row();
    let review = CodeReview { findings: Vec::new(), decided: Default::default(), asks_model: true };
    let asked = Asked { rulebook, entry: &entry, review: &review, language: Language::En };
    read_answer(text, &asked).map_err(|bad| bad.problem)
}

const GOOD: &str = r#"{"issues":[{"rule":"R5","quote":"soon","message":"no date"}],"rules":{"R4":"pass","R5":"fail"},"rewrite_suggestion":""}"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A good answer with a few bytes changed, lost or doubled is refused, or says the same about the rules: what can be
    /// read never comes from a broken piece.
    #[test]
    fn a_spoilt_answer_is_refused_or_says_the_same(at in 0_usize..128, cut in 0_usize..6, put in "[\\[\\]{}\",:a-z0-9 ]{0,3}") {
        let numbered = Rulebook::from_toml(RULES).unwrap();
        let at = at % GOOD.len();
        let end = (at + cut).min(GOOD.len());
        let spoilt = format!("{}{put}{}", &GOOD[..at], &GOOD[end..]);
        if let Ok(Read::Ruled { rules, .. }) = read(&numbered, &spoilt) {
            let words: Vec<RuleWord> = rules.values().copied().collect();
            prop_assert_eq!(words, [RuleWord::Pass, RuleWord::Fail], "{}", spoilt);
        }
    }

    /// An answer that is not whole is refused, wherever it breaks off.
    #[test]
    fn an_answer_that_breaks_off_is_refused(length in 0_usize..GOOD.len()) {
        let numbered = Rulebook::from_toml(RULES).unwrap();
        prop_assert!(read(&numbered, &GOOD[..length]).is_err());
    }

    /// Whatever comes, nothing panics; and what is accepted has a word for each rule that was asked.
    #[test]
    fn any_text_is_refused_or_complete(text in "\\PC{0,200}", tail in "\\PC{0,20}") {
        let numbered = Rulebook::from_toml(RULES).unwrap();
        for text in [text.clone(), format!("{text}{GOOD}{tail}")] {
            if let Ok(Read::Ruled { rules, .. }) = read(&numbered, &text) {
                prop_assert_eq!(rules.len(), 2);
            }
        }
    }
}
