//! The query language of Drive: `name = 'x' and mimeType = '…' and 'folder' in parents and trashed = false`.

use jiff::Timestamp;

use super::SPREADSHEET;
use crate::sandbox::sheets::office::Document;

/// A query that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Search {
    Everything,
    Both(Box<Search>, Box<Search>),
    Either(Box<Search>, Box<Search>),
    Not(Box<Search>),
    Test { field: String, operator: String, value: String },
}

impl Search {
    /// Reads a query; none for what is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let words = words(text)?;
        if words.is_empty() {
            return Some(Self::Everything);
        }
        let mut parser = Parser { words: &words, at: 0, depth: 0 };
        let search = parser.either()?;
        (parser.at == words.len()).then_some(search)
    }

    /// True if a file is found.
    pub(super) fn meets(&self, document: &Document) -> bool {
        match self {
            Self::Everything => true,
            Self::Both(left, right) => left.meets(document) && right.meets(document),
            Self::Either(left, right) => left.meets(document) || right.meets(document),
            Self::Not(inner) => !inner.meets(document),
            Self::Test { field, operator, value } => tested(document, field, operator, value),
        }
    }
}

/// The fields of a query and the operators that each takes.
const FIELDS: [(&str, &[&str]); 11] = [
    ("name", &["=", "!=", "contains"]),
    ("fullText", &["contains"]),
    ("mimeType", &["=", "!=", "contains"]),
    ("createdTime", &["=", "!=", "<", "<=", ">", ">="]),
    ("modifiedTime", &["=", "!=", "<", "<=", ">", ">="]),
    ("trashed", &["=", "!="]),
    ("starred", &["=", "!="]),
    ("sharedWithMe", &["=", "!="]),
    ("parents", &["in"]),
    ("owners", &["in"]),
    ("writers", &["in"]),
];

fn tested(document: &Document, field: &str, operator: &str, value: &str) -> bool {
    let (book, file) = (&document.book, &document.file);
    let same = |left: &str| match operator {
        "!=" => left != value,
        "contains" => left.to_lowercase().contains(&value.to_lowercase()),
        _ => left == value,
    };
    let moment = |at: Timestamp| {
        let zoned = if value.contains(['Z', '+']) { value.to_owned() } else { format!("{value}Z") };
        let Ok(limit) = zoned.parse::<Timestamp>() else { return false };
        match operator {
            "=" => at == limit,
            "!=" => at != limit,
            "<" => at < limit,
            "<=" => at <= limit,
            ">" => at > limit,
            _ => at >= limit,
        }
    };
    let flag = |is: bool| (is == (value == "true")) == (operator == "=");
    match field {
        "name" => same(&book.title),
        "fullText" => same(&book.title),
        "mimeType" => same(SPREADSHEET),
        "createdTime" => moment(file.created),
        "modifiedTime" => moment(file.modified),
        "trashed" => flag(file.trashed),
        "starred" => flag(file.starred),
        "sharedWithMe" => flag(false),
        "parents" => file.parents.iter().any(|parent| parent == value),
        "owners" => file.permissions.iter().any(|other| other.role == "owner" && other.address == value),
        _ => file.permissions.iter().any(|other| other.role != "reader" && other.address == value),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Quoted(String),
    Plain(String),
}

fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        if c.is_whitespace() {
            chars.next();
        } else if c == '\'' || c == '"' {
            chars.next();
            let mut quoted = String::new();
            loop {
                match chars.next()? {
                    '\\' => quoted.push(chars.next()?),
                    end if end == c => break,
                    other => quoted.push(other),
                }
            }
            words.push(Word::Quoted(quoted));
        } else {
            let operator = |c: char| matches!(c, '=' | '!' | '<' | '>');
            let mut plain = String::new();
            chars.next();
            plain.push(c);
            let goes_on = |next: char| match c {
                '(' | ')' => false,
                c if operator(c) => operator(next),
                _ => !next.is_whitespace() && !operator(next) && !matches!(next, '(' | ')' | '\'' | '"'),
            };
            while let Some(next) = chars.next_if(|next| goes_on(*next)) {
                plain.push(next);
            }
            words.push(Word::Plain(plain));
        }
    }
    Some(words)
}

struct Parser<'a> {
    words: &'a [Word],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self, word: &str) -> bool {
        let there =
            matches!(self.words.get(self.at), Some(Word::Plain(plain)) if plain.eq_ignore_ascii_case(word));
        self.at += usize::from(there);
        there
    }

    fn either(&mut self) -> Option<Search> {
        self.depth += 1;
        if self.depth > 50 {
            return None;
        }
        let mut left = self.both()?;
        while self.take("or") {
            left = Search::Either(Box::new(left), Box::new(self.both()?));
        }
        self.depth -= 1;
        Some(left)
    }

    fn both(&mut self) -> Option<Search> {
        let mut left = self.one()?;
        while self.take("and") {
            left = Search::Both(Box::new(left), Box::new(self.one()?));
        }
        Some(left)
    }

    fn one(&mut self) -> Option<Search> {
        if self.take("not") {
            self.depth += 1;
            let inner = if self.depth > 50 { None } else { self.one() };
            return inner.map(|inner| Search::Not(Box::new(inner)));
        }
        if self.take("(") {
            let inner = self.either()?;
            return self.take(")").then_some(inner);
        }
        let words = self.words.get(self.at..self.at + 3)?;
        self.at += 3;
        let (field, operator, value) = match words {
            [Word::Quoted(value), Word::Plain(operator), Word::Plain(field)] if operator == "in" => {
                (field, operator, value)
            }
            [Word::Plain(field), Word::Plain(operator), Word::Quoted(value) | Word::Plain(value)] => {
                (field, operator, value)
            }
            _ => return None,
        };
        let known = FIELDS.iter().find(|(name, _)| name == field);
        let fits = known.is_some_and(|(_, operators)| operators.contains(&operator.as_str()));
        fits.then(|| Search::Test { field: field.clone(), operator: operator.clone(), value: value.clone() })
    }
}
