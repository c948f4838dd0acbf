//! Result rows that wait for the next commit of a file, kept on disk so that memory does not grow with
//! the table.

use rusqlite::{Connection, OptionalExtension as _, Transaction, named_params};

use super::TableError;
use crate::domain::key::RowKey;
use crate::domain::results::ResultRow;

/// The rows taken since a table was opened: those not committed with their content, the others with their
/// key only, so that it is known which rows the source still has.
///
/// It lives in a private temporary database that the operating system removes with the process.
#[derive(Debug)]
pub(crate) struct Spool {
    connection: Connection,
}

/// One attempt to write the waiting rows. Dropped without [`Batch::finish`], they all wait on.
pub(crate) struct Batch<'a> {
    transaction: Transaction<'a>,
}

/// The temporary database failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    #[error("rows waiting to be written cannot be kept in the temporary folder: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("a row waiting to be written cannot be kept: {0}")]
    Content(#[from] serde_json::Error),
}

/// The page cache is bounded, everything else is in a file without a name.
const SCHEMA: &str = "
    PRAGMA cache_size = -2048;
    PRAGMA synchronous = OFF;
    CREATE TABLE taken (
        seq     INTEGER PRIMARY KEY,
        key     TEXT NOT NULL UNIQUE,
        row     INTEGER NOT NULL,
        content TEXT,                        -- a waiting row as JSON, none once it is committed
        placed  INTEGER NOT NULL DEFAULT 0   -- found in the table by the attempt under way
    );
    CREATE INDEX waiting ON taken (row, seq) WHERE content IS NOT NULL;";

impl Spool {
    /// An empty spool.
    pub(crate) fn new() -> Result<Self, SpoolError> {
        let connection = Connection::open("")?; // the empty name is a temporary file
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection })
    }

    /// Takes rows, all or none. A row that waits already is replaced.
    pub(crate) fn put(&mut self, rows: &[ResultRow]) -> Result<(), SpoolError> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO taken (key, row, content) VALUES (:key, :row, :content)
                 ON CONFLICT (key) DO UPDATE SET row = excluded.row, content = excluded.content",
            )?;
            for row in rows {
                insert.execute(named_params! {
                    ":key": row.key.as_str(),
                    ":row": i64::try_from(row.row).unwrap_or(i64::MAX),
                    ":content": serde_json::to_string(row)?,
                })?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Begins to write what waits.
    pub(crate) fn batch(&mut self) -> Result<Batch<'_>, SpoolError> {
        let transaction = self.connection.transaction()?;
        transaction.execute("UPDATE taken SET placed = 0 WHERE placed <> 0", [])?;
        Ok(Batch { transaction })
    }
}

impl Batch<'_> {
    /// True if no row waits.
    pub(crate) fn is_empty(&self) -> Result<bool, SpoolError> {
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM taken WHERE content IS NOT NULL)";
        Ok(self.transaction.query_row(sql, [], |row| row.get(0))?)
    }

    /// How many keys were taken since the table was opened.
    pub(crate) fn keys(&self) -> Result<u64, SpoolError> {
        let keys: i64 = self.transaction.query_row("SELECT count(*) FROM taken", [], |row| row.get(0))?;
        Ok(keys.unsigned_abs())
    }

    /// True if a row of this key was taken since the table was opened.
    pub(crate) fn knows(&self, key: &RowKey) -> Result<bool, SpoolError> {
        let mut find = self.transaction.prepare_cached("SELECT 1 FROM taken WHERE key = ?")?;
        Ok(find.exists([key.as_str()])?)
    }

    /// The waiting row of a key that stands in the table, which is its place.
    pub(crate) fn place(&self, key: &RowKey) -> Result<Option<ResultRow>, SpoolError> {
        let mut find = self.transaction.prepare_cached(
            "UPDATE taken SET placed = 1 WHERE key = ? AND content IS NOT NULL RETURNING content",
        )?;
        let content: Option<String> = find.query_row([key.as_str()], |row| row.get(0)).optional()?;
        Ok(content.map(|content| serde_json::from_str(&content)).transpose()?)
    }

    /// Gives every waiting row without a place to `append`, in order of the source.
    pub(crate) fn for_each_new<E: From<SpoolError>>(
        &self,
        mut append: impl FnMut(ResultRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let select = "SELECT content FROM taken WHERE content IS NOT NULL AND placed = 0 ORDER BY row, seq";
        let mut select = self.transaction.prepare_cached(select).map_err(SpoolError::from)?;
        let mut rows = select.query([]).map_err(SpoolError::from)?;
        while let Some(row) = rows.next().map_err(SpoolError::from)? {
            let content: String = row.get(0).map_err(SpoolError::from)?;
            append(serde_json::from_str(&content).map_err(SpoolError::from)?)?;
        }
        Ok(())
    }

    /// The waiting rows are written: only their keys are kept.
    pub(crate) fn finish(self) -> Result<(), SpoolError> {
        self.transaction.execute("UPDATE taken SET content = NULL WHERE content IS NOT NULL", [])?;
        Ok(self.transaction.commit()?)
    }
}

impl SpoolError {
    /// The error of the table that the rows were meant for.
    pub(crate) fn of_table(self, table: String) -> TableError {
        TableError::Unavailable { table, detail: self.to_string(), retry_after: None }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::results::IsValid;

    /// A result row for tests: valid, with the number `row`.
    pub(crate) fn result_row(project: &str, row: u64) -> ResultRow {
        ResultRow {
            key: RowKey::of_identifier(project, 1),
            row,
            project: Some(project.to_owned()),
            link: None,
            project_manager: None,
            status: "On Track".into(),
            completion_date: "2026-06-30".into(),
            comment: format!("Done: {row} gates"),
            is_valid: IsValid::Yes,
            issues: String::new(),
            rewrite: String::new(),
            raw: "{}".into(),
            check_date: "13.03.2026 09:00".into(),
            model: "small".into(),
            rules: String::new(),
            severity: String::new(),
        }
    }

    fn new_rows(batch: &Batch<'_>) -> Vec<u64> {
        let mut rows = Vec::new();
        batch
            .for_each_new(|row| {
                rows.push(row.row);
                Ok::<_, SpoolError>(())
            })
            .unwrap();
        rows
    }

    #[test]
    fn rows_wait_until_an_attempt_is_finished() {
        let mut spool = Spool::new().unwrap();
        spool.put(&[result_row("b", 3), result_row("a", 2)]).unwrap();
        let key = RowKey::of_identifier("a", 1);
        for _ in 0..2 {
            let batch = spool.batch().unwrap();
            assert_eq!(new_rows(&batch), [2, 3], "in order of the source");
            assert_eq!(batch.place(&key).unwrap(), Some(result_row("a", 2)));
            assert_eq!(new_rows(&batch), [3]);
        }
        spool.batch().unwrap().finish().unwrap();
        let batch = spool.batch().unwrap();
        assert!(batch.is_empty().unwrap());
        assert_eq!((batch.keys().unwrap(), batch.knows(&key).unwrap()), (2, true));
        assert_eq!(batch.place(&key).unwrap(), None);
    }

    #[test]
    fn a_row_taken_again_replaces_the_one_that_waits() {
        let mut spool = Spool::new().unwrap();
        spool.put(&[result_row("a", 2), result_row("b", 3)]).unwrap();
        spool.batch().unwrap().finish().unwrap();
        spool.put(&[result_row("a", 7), result_row("a", 8)]).unwrap();
        let batch = spool.batch().unwrap();
        assert_eq!(new_rows(&batch), [8]);
        assert_eq!(batch.keys().unwrap(), 2);
    }
}
