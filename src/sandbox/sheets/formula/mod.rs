//! Formulas: a small part of the language of Sheets, read once when a formula is entered and worked out when
//! its cell is looked at.

mod calculator;
mod functions;
mod lexer;
mod operators;
mod parser;
mod reference;
mod rewrite;

use std::sync::Arc;

pub(crate) use calculator::Calculator;
pub(crate) use operators::order;
pub(crate) use parser::Expr;
pub(crate) use reference::Reference;
pub(crate) use rewrite::{canonical, rewritten};

/// A formula as it was entered.
#[derive(Clone, Debug)]
pub(crate) struct Formula {
    text: Arc<str>,
    /// Read with a comma for the decimal point, so that only `;` separates arguments.
    decimal_comma: bool,
    expr: Option<Expr>,
}

impl Formula {
    /// Reads a formula, with its `=`. What cannot be read is kept, and comes to an error.
    pub(crate) fn new(text: &str, decimal_comma: bool) -> Self {
        let expr = parser::parse(text, decimal_comma);
        Self { text: text.into(), decimal_comma, expr }
    }

    /// The formula, with its `=`.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// True if it is written with a decimal comma.
    pub(crate) fn decimal_comma(&self) -> bool {
        self.decimal_comma
    }

    /// What it says; none if it cannot be read.
    pub(crate) fn expr(&self) -> Option<&Expr> {
        self.expr.as_ref()
    }
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.decimal_comma == other.decimal_comma
    }
}
