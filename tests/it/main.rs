//! What the parts do together and against the outside: a file a topic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's helpers fail the test")]

mod openai;
mod support;
