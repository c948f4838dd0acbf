//! Reads a formula into an expression.

use super::lexer::{Kind, Token, tokens};
use super::reference::Reference;
use crate::sandbox::sheets::value::ErrorKind;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Number(f64),
    Text(String),
    Bool(bool),
    Error(ErrorKind),
    Reference(Reference),
    /// The name of a range.
    Name(String),
    Unary(Unary, Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
    /// An argument that is not there.
    Missing,
}

/// An operator of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Plus,
    Minus,
    Percent,
}

/// An operator of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Join,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// Operators with their rank; what ranks higher is worked out first.
const OPERATORS: [(&str, Binary, u8); 12] = [
    ("=", Binary::Equal, 1),
    ("<>", Binary::NotEqual, 1),
    ("<", Binary::Less, 1),
    ("<=", Binary::LessOrEqual, 1),
    (">", Binary::Greater, 1),
    (">=", Binary::GreaterOrEqual, 1),
    ("&", Binary::Join, 2),
    ("+", Binary::Add, 3),
    ("-", Binary::Subtract, 3),
    ("*", Binary::Multiply, 4),
    ("/", Binary::Divide, 4),
    ("^", Binary::Power, 5),
];

/// How deep an expression may be nested, and how long a chain of operators may be.
const DEPTH: usize = 200;

/// Reads a formula with its `=`; none if it is none.
pub(super) fn parse(text: &str, decimal_comma: bool) -> Option<Expr> {
    let start = text.strip_prefix('=').map(|_| 1)?;
    let tokens = tokens(text, start, decimal_comma)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let expr = parser.expression(0)?;
    (parser.at == tokens.len()).then_some(expr)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn take_mark(&mut self, mark: &str) -> bool {
        let there = matches!(self.peek(), Some(Kind::Mark(found)) if *found == mark);
        self.at += usize::from(there);
        there
    }

    fn expression(&mut self, least: u8) -> Option<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let mut left = self.operand()?;
        let mut links = 0;
        while let Some(Kind::Mark(mark)) = self.peek() {
            let Some((_, operator, rank)) = OPERATORS.iter().find(|(found, ..)| found == mark) else { break };
            links += 1;
            if *rank < least || links > DEPTH {
                break;
            }
            self.at += 1;
            let right = self.expression(rank + 1)?;
            left = Expr::Binary(*operator, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Some(left)
    }

    fn operand(&mut self) -> Option<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let mut expr = if self.take_mark("-") {
            Expr::Unary(Unary::Minus, Box::new(self.operand()?))
        } else if self.take_mark("+") {
            Expr::Unary(Unary::Plus, Box::new(self.operand()?))
        } else {
            self.primary()?
        };
        while self.take_mark("%") {
            expr = Expr::Unary(Unary::Percent, Box::new(expr));
        }
        self.depth -= 1;
        Some(expr)
    }

    fn primary(&mut self) -> Option<Expr> {
        let kind = self.peek()?.clone();
        self.at += 1;
        Some(match kind {
            Kind::Number(value) => Expr::Number(value),
            Kind::Text(text) => Expr::Text(text),
            Kind::Error(kind) => Expr::Error(kind),
            Kind::Reference(reference) => Expr::Reference(reference),
            Kind::Name(name) => {
                if self.take_mark("(") {
                    return Some(Expr::Call(name.to_uppercase(), self.arguments()?));
                }
                match name.to_uppercase().as_str() {
                    "TRUE" => Expr::Bool(true),
                    "FALSE" => Expr::Bool(false),
                    _ => Expr::Name(name),
                }
            }
            Kind::Mark("(") => {
                let inner = self.expression(0)?;
                self.take_mark(")").then_some(inner)?
            }
            Kind::Mark(_) | Kind::Separator => return None,
        })
    }

    fn arguments(&mut self) -> Option<Vec<Expr>> {
        let mut arguments = Vec::new();
        if self.take_mark(")") {
            return Some(arguments);
        }
        loop {
            let missing = matches!(self.peek(), Some(Kind::Separator | Kind::Mark(")")));
            arguments.push(if missing { Expr::Missing } else { self.expression(0)? });
            if self.take_mark(")") {
                return Some(arguments);
            }
            if !matches!(self.peek(), Some(Kind::Separator)) {
                return None;
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(expr: &Expr) -> String {
        match expr {
            Expr::Number(value) => value.to_string(),
            Expr::Text(text) => format!("{text:?}"),
            Expr::Bool(value) => value.to_string(),
            Expr::Error(kind) => kind.shown().into(),
            Expr::Reference(reference) => reference.text(),
            Expr::Name(name) => name.clone(),
            Expr::Unary(operator, inner) => format!("{operator:?}({})", shown(inner)),
            Expr::Binary(operator, left, right) => format!("{operator:?}({},{})", shown(left), shown(right)),
            Expr::Call(name, arguments) => {
                format!("{name}[{}]", arguments.iter().map(shown).collect::<Vec<_>>().join(","))
            }
            Expr::Missing => "_".into(),
        }
    }

    #[test]
    fn operators_have_their_order() {
        for (text, expected) in [
            ("=1+2*3", "Add(1,Multiply(2,3))"),
            ("=1-2-3", "Subtract(Subtract(1,2),3)"),
            ("=-2^2", "Power(Minus(2),2)"),
            ("=A1&\"x\"=B1", "Equal(Join(A1,\"x\"),B1)"),
            ("=(1+2)%", "Percent(Add(1,2))"),
            ("=if(a1>=1;\"y\";)", "IF[GreaterOrEqual(A1,1),\"y\",_]"),
            ("=TODAY()", "TODAY[]"),
            ("=+true", "Plus(true)"),
        ] {
            assert_eq!(parse(text, false).as_ref().map(shown).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_formula() {
        for text in ["=", "=1+", "=(1", "=1)", "=SUM(1", "=SUM(1 2)", "=1 2", "=;", "1+1", "=*1"] {
            assert_eq!(parse(text, false), None, "{text}");
        }
        let nested = format!("={}1{}", "(".repeat(5000), ")".repeat(5000));
        assert_eq!(parse(&nested, false), None);
        assert_eq!(parse(&format!("={}1", "-".repeat(5000)), false), None);
        assert_eq!(parse(&format!("=1{}", "+1".repeat(5000)), false), None);
    }
}
