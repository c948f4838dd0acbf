//! Reads the pattern of a number format: `#,##0.00;[Red]-0`, `dd.mm.yyyy hh:mm`, `0%`.

/// A pattern has a section for all numbers, or one for each of positive numbers, negative ones and zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Section {
    pub(super) pieces: Vec<Piece>,
    condition: Option<(Comparison, f64)>,
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Literal(String),
    /// `0`, `#` or `?`.
    Digit(char),
    Point,
    Comma,
    Percent,
    /// The stroke of a fraction; elsewhere it is a character like others.
    Slash,
    /// `E+` or `E-`.
    Exponent,
    /// `@`: the value as it is.
    Value,
    /// A part of a date: `y`, `m`, `d`, `h`, `s`, so many times.
    Date(char, usize),
    /// Hours, minutes or seconds that have passed, so many digits.
    Elapsed(char, usize),
    /// `am/pm`, or `a/p` for one letter.
    Half(bool),
    /// Parts of a second, so many digits.
    Fraction(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    Greater,
    GreaterOrEqual,
}

impl Section {
    /// A section of these pieces.
    pub(super) fn of(pieces: Vec<Piece>) -> Self {
        Self { pieces, condition: None }
    }

    /// True if it shows a date or a time.
    pub(super) fn is_date(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Date(..) | Piece::Elapsed(..) | Piece::Half(_)))
    }
}

/// The sections of a pattern.
pub(super) fn sections(pattern: &str) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let Some(section) = sections.last_mut() else { break };
        rest = match c {
            ';' => {
                sections.push(Section::default());
                after
            }
            '"' => {
                let end = after.find('"').unwrap_or(after.len());
                literal(&mut section.pieces, after.get(..end).unwrap_or_default());
                after.get(end + 1..).unwrap_or_default()
            }
            '\\' | '_' | '*' => {
                let next = after.chars().next();
                let shown = match c {
                    '\\' => next,
                    '_' => Some(' '),
                    _ => None,
                };
                literal(&mut section.pieces, &shown.map(String::from).unwrap_or_default());
                after.get(next.map_or(0, char::len_utf8)..).unwrap_or_default()
            }
            '[' => {
                let end = after.find(']').unwrap_or(after.len());
                bracket(section, after.get(..end).unwrap_or_default());
                after.get(end + 1..).unwrap_or_default()
            }
            _ => plain(&mut section.pieces, rest),
        };
    }
    sections
}

/// The section that a number is shown by, and the number as that section shows it.
pub(super) fn section_for(sections: &[Section], value: f64) -> Option<(&Section, f64)> {
    if sections.iter().any(|section| section.condition.is_some()) {
        let meets = |section: &&Section| match section.condition {
            None => true,
            Some((comparison, limit)) => match comparison {
                Comparison::Less => value < limit,
                Comparison::LessOrEqual => value <= limit,
                Comparison::Equal => value == limit,
                Comparison::Greater => value > limit,
                Comparison::GreaterOrEqual => value >= limit,
            },
        };
        return sections.iter().find(meets).map(|section| (section, value));
    }
    match sections {
        [_, negative, ..] if value < 0.0 => Some((negative, -value)),
        [_, _, zero, ..] if value == 0.0 => Some((zero, value)),
        [first, ..] => Some((first, value)),
        [] => None,
    }
}

fn literal(pieces: &mut Vec<Piece>, text: &str) {
    if text.is_empty() {
        return;
    }
    match pieces.last_mut() {
        Some(Piece::Literal(before)) => before.push_str(text),
        _ => pieces.push(Piece::Literal(text.to_owned())),
    }
}

/// What stands in brackets: time that has passed, a condition, or a colour, which is not shown.
fn bracket(section: &mut Section, text: &str) {
    let lower = text.to_ascii_lowercase();
    let letter = lower.chars().next().unwrap_or_default();
    if matches!(letter, 'h' | 'm' | 's') && lower.chars().all(|c| c == letter) {
        section.pieces.push(Piece::Elapsed(letter, lower.len()));
        return;
    }
    for (mark, comparison) in [
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
        ("=", Comparison::Equal),
    ] {
        if let Some(limit) = text.strip_prefix(mark).and_then(|limit| limit.trim().parse().ok()) {
            section.condition = Some((comparison, limit));
            return;
        }
    }
    if let Some(currency) = text.strip_prefix('$') {
        literal(&mut section.pieces, currency.split('-').next().unwrap_or_default());
    }
}

/// A piece that is written as it is; gives what follows it.
fn plain<'a>(pieces: &mut Vec<Piece>, rest: &'a str) -> &'a str {
    let lower = rest.to_ascii_lowercase();
    for (mark, short) in [("am/pm", false), ("a/p", true)] {
        if lower.starts_with(mark) {
            pieces.push(Piece::Half(short));
            return rest.get(mark.len()..).unwrap_or_default();
        }
    }
    let first = rest.chars().next().unwrap_or_default();
    let small = first.to_ascii_lowercase();
    if matches!(small, 'y' | 'm' | 'd' | 'h' | 's') {
        let count = lower.chars().take_while(|c| *c == small).count();
        pieces.push(Piece::Date(small, count));
        return rest.get(count..).unwrap_or_default();
    }
    let exponent = ["e+", "e-"].iter().any(|mark| lower.starts_with(mark));
    let (piece, length) = match first {
        '0' | '#' | '?' => (Piece::Digit(first), 1),
        '.' => {
            let digits = rest.get(1..).unwrap_or_default().chars().take_while(|c| *c == '0').count();
            let seconds = matches!(pieces.last(), Some(Piece::Date('s', _) | Piece::Elapsed('s', _)));
            if seconds && digits > 0 { (Piece::Fraction(digits), 1 + digits) } else { (Piece::Point, 1) }
        }
        ',' => (Piece::Comma, 1),
        '%' => (Piece::Percent, 1),
        '/' if matches!(pieces.last(), Some(Piece::Digit(_))) => (Piece::Slash, 1),
        '@' => (Piece::Value, 1),
        'E' | 'e' if exponent => (Piece::Exponent, 2),
        other => {
            literal(pieces, &other.to_string());
            return rest.get(other.len_utf8()..).unwrap_or_default();
        }
    };
    pieces.push(piece);
    rest.get(length..).unwrap_or_default()
}
