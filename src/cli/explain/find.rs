//! Finding the row that people mean.

use crate::assemble;
use crate::domain::columns::Columns;
use crate::domain::entry::{Entry, ReadRow, read_row};
use crate::domain::fold::fold;
use crate::domain::key::Occurrences;
use crate::settings::Settings;
use crate::table::TableError;

use super::super::exit::{CliError, Exit};

/// More rows than these of one identifier are not explained.
const ROWS: usize = 5;
/// Rows read at a time.
const PAGE: usize = 200;

/// Reads the source until the row is found, to its end if there may be more of it.
pub(super) fn find(settings: &Settings, wanted: &str) -> Result<Vec<Entry>, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(Exit::Unavailable, error))?;
    runtime.block_on(async {
        let mut source = assemble::source(settings)?;
        let header = source.open().await?;
        let columns = Columns::locate(&header.names, &settings.columns)
            .map_err(|problems| TableError::Header { table: source.name(), problems })?;
        let (mut keys, mut near) = (Occurrences::default(), Nearest::new(wanted));
        let (mut found, mut by_number) = (Vec::new(), None);
        loop {
            let page = source.next_page(PAGE).await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                let ReadRow::Entry { mut entry, .. } = read_row(row.row, &row.cells, &columns, &mut keys)
                else {
                    continue;
                };
                entry.link = row.link;
                near.look(entry.identifier.as_deref());
                if is_meant(&entry, wanted) && found.len() < ROWS {
                    found.push(*entry);
                } else if wanted.parse() == Ok(entry.row) {
                    by_number = Some(*entry);
                }
            }
        }
        if found.is_empty() {
            found.extend(by_number);
        }
        if found.is_empty() {
            let hint = near.hint();
            let name = source.name();
            return Err(CliError::usage(format!(
                "{name}: no row has the identifier, key or number «{wanted}»{hint}"
            )));
        }
        Ok(found)
    })
}

/// True if people mean this row: by its identifier, its key, or its number.
fn is_meant(entry: &Entry, wanted: &str) -> bool {
    entry.key.as_str() == wanted
        || wanted.strip_prefix('@').is_some_and(|number| number == entry.row.to_string())
        || entry.identifier.as_ref().is_some_and(|identifier| fold(identifier) == fold(wanted))
}

/// The identifier that is spelt most like the wanted one.
struct Nearest {
    wanted: String,
    best: Option<(f64, String)>,
}

impl Nearest {
    fn new(wanted: &str) -> Self {
        Self { wanted: fold(wanted), best: None }
    }

    fn look(&mut self, identifier: Option<&str>) {
        let Some(identifier) = identifier.filter(|text| text.len() < 200) else { return };
        let score = strsim::jaro_winkler(&self.wanted, &fold(identifier));
        if score > self.best.as_ref().map_or(0.7, |(best, _)| *best) {
            self.best = Some((score, identifier.to_owned()));
        }
    }

    fn hint(&self) -> String {
        match &self.best {
            Some((_, identifier)) => format!("; did you mean «{identifier}»?"),
            None => String::new(),
        }
    }
}
