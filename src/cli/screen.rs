//! The two streams: standard output for data, standard error for everything said to people.
//!
//! Both know whether they are a terminal, how wide it is, and whether colours are wanted. What is written here
//! went through [`super::terminal`] before.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{ProgressMode, When};
use super::secrets;

/// The width of tables that go to a file.
const WIDTH: u16 = 110;
/// A terminal that says it is narrower than this does not know: no table would fit.
pub(crate) const NARROW: u16 = 40;

/// The two streams. Clones write to the same ones.
#[derive(Clone)]
pub(crate) struct Screen {
    out: Arc<Mutex<Out>>,
    bar: Arc<Mutex<Option<ProgressBar>>>,
    /// Colours on standard output.
    pub(crate) out_colors: Colors,
    /// Colours on standard error.
    pub(crate) err_colors: Colors,
    /// How progress is shown.
    pub(crate) progress: Progress,
    /// True if standard output is a terminal.
    pub(crate) out_is_terminal: bool,
    /// True if standard error is a terminal.
    pub(crate) err_is_terminal: bool,
}

struct Out {
    stream: io::BufWriter<io::Stdout>,
    /// Nobody reads any more, or the disk is full: nothing more is written.
    ended: Option<io::ErrorKind>,
}

/// How progress is shown, decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Bar,
    Plain,
    Hidden,
}

/// Colours, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colors(pub(crate) bool);

/// What decides about colours and progress.
#[derive(Clone, Copy, Debug, Default)]
struct Surroundings {
    out_is_terminal: bool,
    err_is_terminal: bool,
    no_color: bool,
    force_color: bool,
    dumb: bool,
}

impl Screen {
    /// The streams of this process.
    pub(crate) fn new(color: When, progress: ProgressMode, quiet: bool) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let around = Surroundings {
            out_is_terminal: io::stdout().is_terminal(),
            err_is_terminal: io::stderr().is_terminal(),
            no_color: set("NO_COLOR"),
            force_color: std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            dumb: std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
        };
        Self {
            out: Arc::new(Mutex::new(Out { stream: io::BufWriter::new(io::stdout()), ended: None })),
            bar: Arc::default(),
            out_colors: around.colors(color, around.out_is_terminal),
            err_colors: around.colors(color, around.err_is_terminal),
            progress: if quiet { Progress::Hidden } else { around.progress(progress) },
            out_is_terminal: around.out_is_terminal,
            err_is_terminal: around.err_is_terminal,
        }
    }

    /// Writes data to standard output. A closed pipe is no error: nobody wants to read more.
    pub(crate) fn data(&self, text: &str) -> io::Result<()> {
        let write = || {
            let mut out = lock(&self.out);
            if out.ended.is_some() {
                return Ok(());
            }
            let written = out.stream.write_all(secrets::hidden(text).as_bytes());
            out.check(written)
        };
        if self.out_is_terminal { self.beside_the_bar(write) } else { write() }
    }

    /// Writes out what is buffered.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut out = lock(&self.out);
        let flushed = if out.ended.is_some() { Ok(()) } else { out.stream.flush() };
        out.check(flushed)
    }

    /// True if nobody reads standard output any more.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.out).ended == Some(io::ErrorKind::BrokenPipe)
    }

    /// Says something on standard error, above the progress bar. If nobody listens, that is no error.
    pub(crate) fn say(&self, text: &str) {
        self.beside_the_bar(|| {
            let mut stream = io::stderr().lock();
            drop(stream.write_all(format!("{}\n", secrets::hidden(text)).as_bytes()));
        });
    }

    /// Shows this line at the bottom of the terminal, in place of the one before.
    pub(crate) fn show(&self, position: u64, length: Option<u64>, text: String) {
        let mut bar = lock(&self.bar);
        let bar = bar.get_or_insert_with(|| {
            // The target is set explicitly: NO_COLOR takes the colours, not the progress.
            ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10))
                .with_style(style(length))
        });
        if let Some(length) = length.filter(|length| bar.length() != Some(*length)) {
            bar.set_style(style(Some(length)));
            bar.set_length(length);
        }
        bar.set_position(position);
        bar.set_message(text);
    }

    /// Takes the progress bar away.
    pub(crate) fn hide(&self) {
        if let Some(bar) = lock(&self.bar).take() {
            bar.finish_and_clear();
        }
    }

    /// The width for tables on standard output, where the terminal has this one; none: leave it alone.
    pub(crate) fn table_width(&self, terminal: Option<u16>) -> Option<u16> {
        let given = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let fallback = || (!self.out_is_terminal || terminal.is_none()).then_some(WIDTH);
        given.filter(|columns| *columns >= NARROW).or_else(fallback)
    }

    fn beside_the_bar<T>(&self, write: impl FnOnce() -> T) -> T {
        match lock(&self.bar).as_ref() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Out {
    fn check(&mut self, written: io::Result<()>) -> io::Result<()> {
        let Err(error) = written else { return Ok(()) };
        self.ended = Some(error.kind());
        if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        drop(self.stream.flush());
    }
}

impl Surroundings {
    fn colors(self, wanted: When, is_terminal: bool) -> Colors {
        Colors(match wanted {
            When::Always => true,
            When::Never => false,
            When::Auto => !self.no_color && !self.dumb && (is_terminal || self.force_color),
        })
    }

    fn progress(self, wanted: ProgressMode) -> Progress {
        let bar = self.err_is_terminal && !self.dumb;
        match wanted {
            ProgressMode::None => Progress::Hidden,
            ProgressMode::Plain => Progress::Plain,
            ProgressMode::Auto | ProgressMode::Bar if bar => Progress::Bar,
            ProgressMode::Auto | ProgressMode::Bar => Progress::Plain,
        }
    }
}

impl Colors {
    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(crate) fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn style(length: Option<u64>) -> ProgressStyle {
    let template = match length {
        Some(_) => "{wide_bar} {pos}/{len} rows: {msg}, {eta} left",
        None => "{spinner} {elapsed} {pos} rows: {msg}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Surroundings = Surroundings {
        out_is_terminal: true,
        err_is_terminal: true,
        no_color: false,
        force_color: false,
        dumb: false,
    };

    #[test]
    fn no_color_takes_the_colours_and_leaves_the_progress() {
        let around = Surroundings { no_color: true, ..TERMINAL };
        assert_eq!(around.colors(When::Auto, true), Colors(false));
        assert_eq!(around.colors(When::Always, true), Colors(true));
        assert_eq!(around.progress(ProgressMode::Auto), Progress::Bar);
    }

    #[test]
    fn a_dumb_terminal_gets_plain_lines() {
        let around = Surroundings { dumb: true, ..TERMINAL };
        assert_eq!(around.colors(When::Auto, true), Colors(false));
        assert_eq!(around.progress(ProgressMode::Auto), Progress::Plain);
        assert_eq!(around.progress(ProgressMode::Bar), Progress::Plain);
    }

    #[test]
    fn a_file_gets_plain_lines_and_colours_only_by_force() {
        let around = Surroundings::default();
        assert_eq!(around.colors(When::Auto, false), Colors(false));
        assert_eq!(around.progress(ProgressMode::Auto), Progress::Plain);
        let forced = Surroundings { force_color: true, ..around };
        assert_eq!(forced.colors(When::Auto, false), Colors(true));
        assert_eq!(forced.colors(When::Never, false), Colors(false));
    }
}
