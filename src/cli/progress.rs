//! Progress of a run: what to say, and when. Whoever runs asks for it a few times a second.

use std::time::Duration;

use super::screen::{Progress, Screen};
use super::terminal;
use super::words::{counted, dollars, number};
use crate::engine::Tally;

/// A plain line comes after this time, …
const LINE_EVERY: Duration = Duration::from_secs(10);
/// … or after this part of the rows, …
const LINE_PARTS: u64 = 20;
/// … but not more often than this.
const LINE_PAUSE: Duration = Duration::from_secs(1);

/// Warnings are said as they come, up to so many; the report has the others.
const WARNINGS: usize = 20;

/// What was said of a run so far.
pub(crate) struct Reporter {
    screen: Screen,
    quiet: bool,
    warned: usize,
    last_line: Duration,
    last_rows: u64,
}

impl Reporter {
    pub(crate) fn new(screen: Screen, quiet: bool) -> Self {
        Self { screen, quiet, warned: 0, last_line: Duration::ZERO, last_rows: 0 }
    }

    /// Says how far the run is, `elapsed` after its start.
    pub(crate) fn tick(&mut self, tally: &Tally, elapsed: Duration) {
        self.warn(tally);
        match self.screen.progress {
            Progress::Hidden => {}
            Progress::Bar => self.screen.show(tally.rows_settled(), tally.rows_expected, counts(tally)),
            Progress::Plain => {
                if self.line_is_due(tally, elapsed) {
                    self.last_line = elapsed;
                    self.last_rows = tally.rows_settled();
                    self.screen.say(&plain(tally));
                }
            }
        }
    }

    /// The run is over: takes the bar away and says what is left to say.
    pub(crate) fn end(&mut self, tally: &Tally) {
        self.screen.hide();
        self.warn(tally);
        if !self.quiet && tally.warnings.len() > WARNINGS {
            let more = tally.warnings.len() - WARNINGS;
            self.screen.say(&format!("… and {more} more warnings: see --summary FILE"));
        }
    }

    fn warn(&mut self, tally: &Tally) {
        let new = tally.warnings.iter().take(WARNINGS).skip(self.warned);
        if !self.quiet {
            let label = self.screen.err_colors.warn("warning:");
            new.for_each(|text| self.screen.say(&format!("{label} {}", terminal::line(text))));
        }
        self.warned = tally.warnings.len().min(WARNINGS);
    }

    fn line_is_due(&self, tally: &Tally, elapsed: Duration) -> bool {
        let since = elapsed.saturating_sub(self.last_line);
        let rows = tally.rows_settled().saturating_sub(self.last_rows);
        let part = tally.rows_expected.is_some_and(|all| rows > 0 && rows >= all / LINE_PARTS);
        since >= LINE_EVERY || (part && since >= LINE_PAUSE)
    }
}

fn plain(tally: &Tally) -> String {
    let of = match tally.rows_expected {
        Some(all) => format!("{}/{}", number(tally.rows_settled()), counted(all, "row")),
        None => counted(tally.rows_settled(), "row"),
    };
    format!("{of}: {}", counts(tally))
}

fn counts(tally: &Tally) -> String {
    let mut text = format!(
        "{} OK, {} to fix, {} not checked",
        number(tally.rows_valid),
        number(tally.rows_invalid),
        number(tally.rows_not_checked)
    );
    if tally.cache_hits > 0 {
        text.push_str(&format!(", {} cached", number(tally.cache_hits)));
    }
    if tally.in_flight > 0 {
        text.push_str(&format!(", {} asked now", tally.in_flight));
    }
    if tally.llm.cost_usd > 0.0 {
        text.push_str(&format!(", {}", dollars(tally.llm.cost_usd)));
        if let Some(projected) = tally.projected_usd() {
            text.push_str(&format!(" of about {}", dollars(projected)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::args::{ProgressMode, When};
    use super::*;

    fn tally(settled: u64, expected: Option<u64>) -> Tally {
        Tally { rows_valid: settled, rows_expected: expected, ..Tally::default() }
    }

    #[test]
    fn a_plain_line_comes_after_ten_seconds_or_a_twentieth() {
        let screen = Screen::new(When::Never, ProgressMode::None, true);
        let mut reporter = Reporter::new(screen, true);
        let seconds = Duration::from_secs;
        assert!(!reporter.line_is_due(&tally(9, Some(10)), Duration::from_millis(900)));
        assert!(reporter.line_is_due(&tally(1, Some(10)), seconds(2)));
        assert!(!reporter.line_is_due(&tally(4, Some(100)), seconds(2)));
        assert!(!reporter.line_is_due(&tally(0, Some(10)), seconds(2)));
        assert!(reporter.line_is_due(&tally(0, None), seconds(10)));
        (reporter.last_line, reporter.last_rows) = (seconds(10), 5);
        assert!(!reporter.line_is_due(&tally(9, Some(100)), seconds(19)));
        assert!(reporter.line_is_due(&tally(10, Some(100)), seconds(11)));
    }

    #[test]
    fn a_line_says_how_far_it_is_and_what_it_cost() {
        let mut tally = Tally { rows_invalid: 3, cache_hits: 2, in_flight: 5, ..tally(1200, Some(2000)) };
        tally.llm.cost_usd = 0.25;
        assert_eq!(
            plain(&tally),
            "1,203/2,000 rows: 1,200 OK, 3 to fix, 0 not checked, 2 cached, 5 asked now, $0.2500 of about $0.4156"
        );
    }
}
