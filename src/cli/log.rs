//! The log on standard error: pretty lines for people, JSON lines for machines.
//!
//! `SV_LOG` filters it, as in `SV_LOG=info,status_validator::llm=debug`. Whatever a record carries, it stays one
//! line without control codes.

use std::fmt;
use std::io;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use super::args::{Global, LogFormat};
use super::screen::{Colors, Screen};
use super::terminal;
use crate::domain::money::Usage;
use crate::engine::{self, Stamped};

/// Starts the log. False if this process already has one.
pub(crate) fn start(global: &Global, screen: &Screen) -> bool {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (_, 0) => "warn",
        (_, 1) => "warn,status_validator=debug",
        _ => "info,status_validator=trace",
    };
    let filter = EnvFilter::try_from_env("SV_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let pretty = match global.log_format {
        LogFormat::Auto => screen.err_is_terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Lines(screen.clone()));
    if pretty {
        lines.event_format(Pretty(screen.err_colors)).try_init().is_ok()
    } else {
        lines.json().flatten_event(true).with_ansi(false).try_init().is_ok()
    }
}

/// Puts an event of the engine into the log.
pub(crate) fn observe(stamped: &Stamped) {
    use engine::Event as E;
    match &stamped.event {
        E::RunStarted { run } => tracing::debug!(run, "run started"),
        E::RunEnded { run, outcome, .. } => tracing::debug!(run, outcome = outcome.as_str(), "run ended"),
        E::CallStarted { row, worker, provider } => tracing::debug!(row, worker, provider, "asking"),
        E::CallEnded { row, worker, end, usage, .. } => {
            tracing::debug!(
                row,
                worker,
                ?end,
                tokens = usage.prompt_tokens + usage.completion_tokens,
                "answer"
            );
            if usage.cached_tokens > 0 {
                tracing::debug!("{}", hit_rate(usage));
            }
        }
        E::Retry { row, provider, after } => tracing::debug!(row, provider, ?after, "asking again"),
        E::ProviderOut { provider, reason } => tracing::warn!(provider, reason, "provider given up"),
        E::Committed { written, unchanged, .. } => tracing::debug!(written, unchanged, "results written"),
        E::Restarted { actor, panic } => tracing::warn!(actor, panic, "restarted"),
        E::GivenUp { actor } => tracing::error!(actor, "given up"),
        E::Settled { row, state } => tracing::trace!(row, ?state, "settled"),
        _ => {}
    }
}

/// How much of a prompt the provider had kept, in words that scripts of long standing look for.
fn hit_rate(usage: &Usage) -> String {
    let Usage { prompt_tokens, cached_tokens, completion_tokens, .. } = usage;
    let percent = *cached_tokens as f64 * 100.0 / (*prompt_tokens).max(1) as f64;
    format!(
        "Prompt cache hit: {cached_tokens}/{prompt_tokens} tokens ({percent:.1}%) | Total: {} tokens",
        prompt_tokens + completion_tokens
    )
}

/// Pretty lines: `14:03:22 WARN provider given up provider=0`.
struct Pretty(Colors);

impl<S, N> FormatEvent<S, N> for Pretty
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = event.metadata().level();
        let name = format!("{level:5}");
        let name = match *level {
            Level::ERROR => self.0.bad(&name),
            Level::WARN => self.0.warn(&name),
            _ => self.0.faint(&name),
        };
        let time = jiff::ZonedDateTime::now().strftime("%H:%M:%S").to_string();
        writeln!(
            writer,
            "{} {name} {}{}",
            self.0.faint(&time),
            terminal::line(&fields.message),
            self.0.faint(&terminal::line(&fields.others))
        )
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.others.push_str(&format!(" {}={value:?}", field.name()));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.others.push_str(&format!(" {}={value}", field.name()));
        }
    }
}

/// Brings finished lines to the screen, above the progress bar.
struct Lines(Screen);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LineWriter(&self.0)
    }
}

struct LineWriter<'a>(&'a Screen);

impl io::Write for LineWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = text.trim_end_matches('\n');
        if line.starts_with('{') {
            self.0.say(&terminal::json(line));
        } else {
            self.0.say(line); // made safe by `Pretty`, which adds the colours
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hit_rate_has_the_words_that_scripts_look_for() {
        let usage =
            Usage { prompt_tokens: 2698, cached_tokens: 2487, completion_tokens: 723, ..Usage::default() };
        assert_eq!(hit_rate(&usage), "Prompt cache hit: 2487/2698 tokens (92.2%) | Total: 3421 tokens");
    }
}
