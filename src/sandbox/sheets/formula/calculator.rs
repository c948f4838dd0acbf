//! Works out formulas. What a formula refers to is worked out first, by a list and not by recursion, so that
//! long chains of cells do no harm; a chain that comes back to its beginning is an error.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::functions;
use super::operators;
use super::parser::{Binary, Expr, Unary};
use super::reference::Reference;
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::cell::{Cell, Content};
use crate::sandbox::sheets::spreadsheet::Spreadsheet;
use crate::sandbox::sheets::value::{ErrorKind, Fault, Scalar};

/// Where a cell is: the position of its sheet, its row and its column.
pub(crate) type Key = (usize, u32, u32);

/// Works out the cells of a spreadsheet as it is at a moment.
pub(crate) struct Calculator<'a> {
    book: &'a Spreadsheet,
    now: Timestamp,
    known: RefCell<HashMap<Key, Scalar>>,
}

/// What an argument comes to.
pub(super) enum Operand {
    Scalar(Scalar),
    /// Cells of a sheet.
    Area(usize, Rect),
}

impl<'a> Calculator<'a> {
    /// For a spreadsheet at a moment.
    pub(crate) fn new(book: &'a Spreadsheet, now: Timestamp) -> Self {
        Self { book, now, known: RefCell::new(HashMap::new()) }
    }

    /// The spreadsheet.
    pub(crate) fn book(&self) -> &'a Spreadsheet {
        self.book
    }

    /// The moment, by the clock of the spreadsheet.
    pub(crate) fn clock(&self) -> DateTime {
        self.book.clock(self.now)
    }

    /// The value of a cell.
    pub(crate) fn value(&self, key: Key) -> Scalar {
        let cell = self.cell(key);
        match cell.content().scalar() {
            Some(value) => value,
            None => self.formula(key),
        }
    }

    /// The value of a formula that stands in no cell, as if it stood in that place.
    pub(crate) fn work_out(&self, expr: &Expr, place: Key) -> Scalar {
        for needed in self.needs(expr, place.0) {
            self.formula(needed);
        }
        self.scalar(expr, place)
    }

    /// Where a formula that is a link leads to.
    pub(crate) fn link(&self, key: Key) -> Option<String> {
        let Content::Formula(formula) = self.cell(key).content() else { return None };
        match formula.expr()? {
            Expr::Call(name, arguments) if name == "HYPERLINK" => {
                let url = self.work_out(arguments.first()?, key);
                operators::text(&url, self.book.locale()).ok().filter(|url| !url.is_empty())
            }
            _ => None,
        }
    }

    /// The number format that a formula takes over from what it is made of: its type and its pattern.
    pub(crate) fn format(&self, key: Key) -> Option<(String, String)> {
        let Content::Formula(formula) = self.cell(key).content() else { return None };
        self.format_of(formula.expr()?, key, &mut 50)
    }

    /// Looks into so many parts at most: formulas of formulas of formulas have no end.
    fn format_of(&self, expr: &Expr, place: Key, steps: &mut u32) -> Option<(String, String)> {
        *steps = steps.checked_sub(1)?;
        match expr {
            Expr::Reference(reference) => {
                let (tab, rect) = self.area(reference, place.0).ok()?;
                let key = (tab, rect.top, rect.left);
                let cell = self.cell(key);
                match (cell.number_format(), cell.content()) {
                    (Some((kind, pattern)), _) => Some((kind.to_owned(), pattern.to_owned())),
                    (None, Content::Formula(formula)) => self.format_of(formula.expr()?, key, steps),
                    _ => None,
                }
            }
            Expr::Binary(Binary::Add | Binary::Subtract, left, right) => {
                let (first, second) =
                    (self.format_of(left, place, steps), self.format_of(right, place, steps));
                let difference =
                    matches!(expr, Expr::Binary(Binary::Subtract, ..)) && first.is_some() && second.is_some();
                let dated = first.as_ref().is_some_and(|(kind, _)| kind.starts_with("DATE"));
                if difference && dated { None } else { first.or(second) }
            }
            Expr::Unary(Unary::Plus | Unary::Minus, inner) => self.format_of(inner, place, steps),
            Expr::Unary(Unary::Percent, _) => Some(("PERCENT".into(), "0.00%".into())),
            Expr::Call(name, arguments) => match name.as_str() {
                "TODAY" | "DATE" | "EDATE" | "EOMONTH" => Some(("DATE".into(), String::new())),
                "NOW" => Some(("DATE_TIME".into(), String::new())),
                "SUM" | "MIN" | "MAX" | "AVERAGE" | "ROUND" | "ABS" | "IFERROR" => {
                    self.format_of(arguments.first()?, place, steps)
                }
                "IF" => {
                    let mut branches = arguments.iter().skip(1);
                    branches.find_map(|branch| self.format_of(branch, place, steps))
                }
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn cell(&self, key: Key) -> &'a Cell {
        static VOID: std::sync::LazyLock<Cell> = std::sync::LazyLock::new(Cell::default);
        self.book.tab(key.0).map_or(&VOID, |tab| tab.grid.cell(key.1, key.2))
    }

    fn is_formula(&self, key: Key) -> bool {
        matches!(self.cell(key).content(), Content::Formula(_))
    }

    /// Works out the formula of a cell and all that it needs.
    fn formula(&self, key: Key) -> Scalar {
        let known = |key: &Key| self.known.borrow().get(key).cloned();
        if let Some(value) = known(&key) {
            return value;
        }
        let mut open = vec![key];
        let mut begun: HashMap<Key, bool> = HashMap::new();
        while let Some(&current) = open.last() {
            if known(&current).is_some() {
                open.pop();
                continue;
            }
            let Content::Formula(formula) = self.cell(current).content() else {
                open.pop();
                continue;
            };
            let Some(expr) = formula.expr() else {
                self.remember(current, ErrorKind::Error.because("Formula parse error.").into());
                continue;
            };
            if let Some(circular) = begun.get(&current) {
                let value = if *circular { circle() } else { self.scalar(expr, current) };
                self.remember(current, value);
                continue;
            }
            begun.insert(current, false);
            for needed in self.needs(expr, current.0) {
                if begun.contains_key(&needed) && known(&needed).is_none() {
                    begun.insert(needed, true);
                    begun.insert(current, true);
                } else if known(&needed).is_none() {
                    open.push(needed);
                }
            }
        }
        known(&key).unwrap_or_default()
    }

    fn remember(&self, key: Key, value: Scalar) {
        self.known.borrow_mut().insert(key, value);
    }

    /// The cells with formulas that an expression refers to.
    fn needs(&self, expr: &Expr, tab: usize) -> Vec<Key> {
        let mut needs = Vec::new();
        let mut open = vec![expr];
        while let Some(expr) = open.pop() {
            let area = match expr {
                Expr::Unary(_, inner) => {
                    open.push(inner);
                    continue;
                }
                Expr::Binary(_, left, right) => {
                    open.extend([&**left, &**right]);
                    continue;
                }
                Expr::Call(_, arguments) => {
                    open.extend(arguments);
                    continue;
                }
                Expr::Reference(reference) => self.area(reference, tab),
                Expr::Name(name) => self.named(name),
                _ => continue,
            };
            let Ok((tab, rect)) = area else { continue };
            let Some(grid) = self.book.tab(tab).map(|tab| &tab.grid) else { continue };
            let formulas = grid.cells_in(rect).map(|(row, column, _)| (tab, row, column));
            needs.extend(formulas.filter(|key| self.is_formula(*key)));
        }
        needs
    }

    /// The cells that a reference means; those outside of its sheet are left out.
    fn area(&self, reference: &Reference, tab: usize) -> Result<(usize, Rect), Fault> {
        let at = match &reference.title {
            None => tab,
            Some(title) => self
                .book
                .titled(title)
                .ok_or_else(|| ErrorKind::Reference.because(format!("Unresolved sheet name '{title}'.")))?,
        };
        let Some(found) = self.book.tab(at) else { return Err(ErrorKind::Reference.because("")) };
        let rect = reference.rect(found.grid.rows(), found.grid.columns());
        if rect.is_empty() {
            return Err(ErrorKind::Reference.because("Reference does not exist."));
        }
        Ok((at, rect))
    }

    fn named(&self, name: &str) -> Result<(usize, Rect), Fault> {
        let unknown = || ErrorKind::Name.because(format!("Unknown range name: '{}'.", name.to_uppercase()));
        let named = self.book.named(name, None).ok_or_else(unknown)?;
        let tab = self.book.position(named.sheet).ok_or_else(unknown)?;
        let rect = self.book.tab(tab).map(|tab| tab.clip(named.bounds)).ok_or_else(unknown)?;
        Ok((tab, rect))
    }

    /// What an argument comes to. The formulas it needs are known.
    pub(super) fn operand(&self, expr: &Expr, place: Key) -> Operand {
        let area = match expr {
            Expr::Reference(reference) => self.area(reference, place.0),
            Expr::Name(name) => self.named(name),
            _ => return Operand::Scalar(self.scalar(expr, place)),
        };
        match area {
            Ok((tab, rect)) => Operand::Area(tab, rect),
            Err(fault) => Operand::Scalar(fault.into()),
        }
    }

    /// The single value of an expression.
    pub(super) fn scalar(&self, expr: &Expr, place: Key) -> Scalar {
        match expr {
            Expr::Number(value) => Scalar::Number(*value),
            Expr::Text(text) => Scalar::Text(Arc::from(text.as_str())),
            Expr::Bool(value) => Scalar::Bool(*value),
            Expr::Error(kind) => (*kind).into(),
            Expr::Missing => Scalar::Blank,
            Expr::Reference(_) | Expr::Name(_) => match self.operand(expr, place) {
                Operand::Scalar(value) => value,
                Operand::Area(tab, rect) => self.one_of(tab, rect, place),
            },
            Expr::Unary(operator, inner) => {
                operators::unary(*operator, &self.scalar(inner, place), self.book.locale())
            }
            Expr::Binary(operator, left, right) => {
                let (left, right) = (self.scalar(left, place), self.scalar(right, place));
                operators::binary(*operator, &left, &right, self.book.locale())
            }
            Expr::Call(name, arguments) => {
                functions::call(self, name, arguments, place).unwrap_or_else(Scalar::from)
            }
        }
    }

    /// The cell of an area that a single value is taken from.
    fn one_of(&self, tab: usize, rect: Rect, (_, row, column): Key) -> Scalar {
        let key = if rect.height() == 1 && rect.width() == 1 {
            (tab, rect.top, rect.left)
        } else if rect.width() == 1 && rect.rows().contains(&row) {
            (tab, row, rect.left)
        } else if rect.height() == 1 && rect.columns().contains(&column) {
            (tab, rect.top, column)
        } else {
            return ErrorKind::Value.because("An array value could not be found.").into();
        };
        self.settled(key)
    }

    /// The value of a cell whose formula, if it has one, is known already.
    pub(super) fn settled(&self, key: Key) -> Scalar {
        self.cell(key)
            .content()
            .scalar()
            .unwrap_or_else(|| self.known.borrow().get(&key).cloned().unwrap_or_else(circle))
    }

    /// The values of an area that are kept, row by row.
    pub(super) fn values(&self, tab: usize, rect: Rect) -> impl Iterator<Item = Scalar> {
        let cells = self.book.tab(tab).into_iter().flat_map(move |found| found.grid.cells_in(rect));
        cells.map(move |(row, column, _)| self.settled((tab, row, column)))
    }
}

fn circle() -> Scalar {
    let message = "Circular dependency detected. To resolve with iterative calculation, see File > Settings.";
    ErrorKind::Reference.because(message).into()
}

#[cfg(test)]
mod tests;
