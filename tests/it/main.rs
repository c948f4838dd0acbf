//! The integration tests, one file a topic.

mod store;
