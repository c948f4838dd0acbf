//! The daemon's eyes: a task for each table that is watched.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::assemble;
use crate::daemon::{Looked, Wish, watch};
use crate::http::Office;
use crate::settings::{Settings, SourceSettings};

/// How often a file is looked at, and a Google table: that costs a request a page.
const FILE: Duration = Duration::from_secs(5);
const GOOGLE: Duration = Duration::from_secs(20);
/// Rows that are read at once.
const PAGE: usize = 1000;

/// The tasks that look.
pub(super) struct Eyes {
    wishes: mpsc::UnboundedSender<Wish>,
    office: Office,
    tasks: Mutex<Vec<AbortOnDropHandle<()>>>,
}

impl Eyes {
    pub(super) fn new(wishes: mpsc::UnboundedSender<Wish>, office: Office) -> Self {
        Self { wishes, office, tasks: Mutex::default() }
    }

    /// From now on the tables of these jobs are looked at, if they are to be watched.
    pub(super) fn open(&self, jobs: &[Settings]) {
        let tasks = jobs.iter().filter(|job| job.serve.watch).map(|job| self.eye(job)).collect();
        *self.tasks.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
    }

    /// Nobody looks any more.
    pub(super) fn shut(&self) {
        self.open(&[]);
    }

    fn eye(&self, settings: &Settings) -> AbortOnDropHandle<()> {
        let (job, wishes, office) = (settings.job.clone(), self.wishes.clone(), self.office.clone());
        let name = job.clone();
        let trouble = move |why: String| {
            tracing::warn!(job = name, why, "the table cannot be watched");
            office.trouble(Some(&name), why);
        };
        let task = match &settings.source {
            SourceSettings::File(file) => {
                let path = file.path.clone();
                tokio::spawn(watch(job, FILE, move || look_at_file(path.clone()), wishes, trouble))
            }
            SourceSettings::Google(_) => {
                let settings = Arc::new(settings.clone());
                tokio::spawn(watch(
                    job,
                    GOOGLE,
                    move || look_at_table(Arc::clone(&settings)),
                    wishes,
                    trouble,
                ))
            }
        };
        AbortOnDropHandle::new(task)
    }
}

/// A file is another when its time or its length is.
fn look_at_file(path: PathBuf) -> BoxFuture<'static, Looked> {
    async move {
        let refused = |error: std::io::Error| format!("{}: {error}", path.display());
        let found = tokio::fs::metadata(&path).await.map_err(refused)?;
        let changed = found.modified().map_err(refused)?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut state = DefaultHasher::new();
        (changed, found.len()).hash(&mut state);
        Ok(state.finish())
    }
    .boxed()
}

/// A table is another when one of its cells is: it is read from its first row to its last.
fn look_at_table(settings: Arc<Settings>) -> BoxFuture<'static, Looked> {
    async move {
        let mut source = assemble::source(&settings).map_err(|error| error.to_string())?;
        let header = source.open().await.map_err(|error| error.to_string())?;
        let mut state = DefaultHasher::new();
        format!("{:?}", header.names).hash(&mut state);
        loop {
            let page = source.next_page(PAGE).await.map_err(|error| error.to_string())?;
            if page.is_empty() {
                return Ok(state.finish());
            }
            for row in page {
                format!("{:?}", row.cells).hash(&mut state);
            }
        }
    }
    .boxed()
}
