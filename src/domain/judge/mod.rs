//! The judge: everything that turns rows into questions and answers into verdicts.

mod digits;
mod facts;
