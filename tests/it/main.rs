//! What the parts do together and against the outside: a file a topic.

mod openai;
mod support;
