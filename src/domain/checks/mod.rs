//! Code checks: what a program can decide of a rule, exactly and for nothing.
/// A code check with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {}
