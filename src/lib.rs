//! Status Validator.

pub mod domain;
pub mod llm;
pub mod settings;
pub mod store;
pub mod table;
