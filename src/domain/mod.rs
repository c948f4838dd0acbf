//! Pure values and functions: no I/O, no clock, no other module of the crate.

pub mod answer;
pub mod cell;
pub mod checks;
pub mod clip;
pub mod columns;
pub mod dates;
pub mod entry;
pub mod fingerprint;
pub mod fold;
pub mod foreign;
pub mod freshness;
pub mod injection;
pub mod judge;
pub mod key;
pub mod language;
pub mod money;
pub mod outcome;
pub mod parts;
pub mod prompt;
pub mod results;
pub mod rules;
pub mod timeline;
pub mod tokenizer;
pub mod tokens;
pub mod upsert;
pub mod verdict;
