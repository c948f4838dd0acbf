//! The command line. Bare flags without a command mean `run`, so every command line of the Python
//! StatusValidator works.
//!
//! No secret is ever a flag: the list of processes shows flags to everyone on the machine.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use jiff::SignedDuration;
use jiff::civil::Date;

use super::{cache, check_text, config, explain, plan, runs, sandbox, serve};

const EXAMPLES: &str = "\
Examples:
  status-validator                                  review the table of ./Settings.toml
  status-validator --dry-run --limit 5              try five rows, print them, write nothing
  status-validator plan                             what a run would do and cost
  status-validator run --only errors                ask again for rows that were not checked
  status-validator run --source week.csv --output review.xlsx --as-of 2026-03-13
  status-validator explain \"New canteen\"            why a row has its verdict

Exit codes:
  0 done   1 findings (--fail-on)   2 usage, settings or header   3 some rows not checked or not written
  4 source, target or providers unavailable   5 cost cap   6 another instance at work
  7 access refused   8 internal error
  130/143 stopped by Ctrl-C/SIGTERM after a clean end";

/// Checks project statuses in a table against a rulebook, by code and by a language model, and keeps a
/// results table in step.
#[derive(Debug, Parser)]
#[command(
    name = "status-validator",
    version,
    after_help = EXAMPLES,
    override_usage = "status-validator [OPTIONS]\n       status-validator <COMMAND> [OPTIONS]",
    subcommand_value_name = "COMMAND",
    max_term_width = 110
)]
pub(crate) struct Cli {
    /// What to do; without one: run.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Flags of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// Flags of `run`.
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read, check, judge, write (the default)
    Run(Box<RunArgs>),
    /// Say what a run would do and cost: no calls, no writes
    Plan(plan::PlanArgs),
    /// Check settings, rules, source, target, cache and key files, and say everything that is wrong
    #[command(visible_alias = "doctor")]
    Check(CheckArgs),
    /// Judge one status from flags or standard input
    CheckText(check_text::CheckTextArgs),
    /// Tell how a row got its verdict: inputs, rules, what is known, history
    Explain(explain::ExplainArgs),
    /// Look after the store of answers
    Cache(cache::CacheArgs),
    /// Show past runs
    Runs(runs::RunsArgs),
    /// Show the settings
    Config(config::ConfigArgs),
    /// Run all jobs by their schedules, until SIGTERM; SIGHUP reads the settings again, SIGUSR1 runs all jobs now
    Serve(serve::ServeArgs),
    /// Serve a stand-in for Google Sheets, its sign-in and a model, to try and test against
    Sandbox(sandbox::SandboxArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff): status-validator man | man -l -
    Man,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
pub(crate) struct Global {
    /// Settings file, TOML or YAML [default: ./Settings.toml]
    #[arg(short, long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath, env = "SV_CONFIG", hide_env = true)]
    pub(crate) config: Option<PathBuf>,
    /// The job of the settings, [jobs.NAME], where there are several
    #[arg(long, global = true, value_name = "NAME", env = "SV_JOB", hide_env = true)]
    pub(crate) job: Option<String>,
    /// Read variables from this file too; the real environment wins
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath, env = "SV_ENV_FILE", hide_env = true)]
    pub(crate) env_file: Option<PathBuf>,
    /// Tell more in the log; twice: everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Tell only errors: no progress, no summary
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Colours; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: When,
    /// Progress on standard error; auto: a bar on a terminal, a line now and then elsewhere
    #[arg(long, global = true, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) progress: ProgressMode,
    /// Form of the log on standard error; auto: pretty on a terminal, json elsewhere
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub(crate) log_format: LogFormat,
}

/// Where rows come from and what they are checked against.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArgs {
    /// Source table (.csv or .xlsx) instead of the one in the settings
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) source: Option<PathBuf>,
    /// Encoding of a CSV source, such as utf-8, utf-16le or windows-1251 [default: detected]
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<String>,
    /// Delimiter of a CSV source: a character, or tab [default: detected]
    #[arg(long, value_name = "CHAR")]
    pub(crate) delimiter: Option<String>,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

/// What rows are checked against.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Input")]
pub(crate) struct RulesArgs {
    /// Rulebook (.toml) instead of the one in the settings
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) rules_file: Option<PathBuf>,
    /// Report date that dates are checked against [default: today]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) as_of: Option<Date>,
}

/// Which rows are looked at, and which are judged again.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Checking")]
pub(crate) struct SelectionArgs {
    /// Judge at most this many rows anew; the rest is left for the next run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Judge again although the verdict is known
    #[arg(long)]
    pub(crate) force: bool,
    /// Judge again what was last judged before Monday of this week
    #[arg(long)]
    pub(crate) checkdate: bool,
    /// Only a part of the rows: changed since they were judged, not checked yet, or known to be invalid
    #[arg(long, value_enum, value_name = "WHICH")]
    pub(crate) only: Option<OnlyRows>,
    /// Only this row: its identifier, its key, or @ and its number (@17)
    #[arg(long, value_name = "KEY")]
    pub(crate) row: Option<String>,
}

/// Flags of `run`.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What becomes of the results.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Results table (.xlsx or .csv) instead of the one in the settings
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Judge and print, write no results table; answers are kept, so nothing is paid for twice
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Publish the rules to the tab sheets.rules_sheet_name first (Google targets only)
    #[arg(long)]
    pub(crate) rules: bool,
    /// Form of the rows on standard output, as they are judged
    /// [default: table of the rows to fix on a terminal, jsonl elsewhere; rows for --dry-run]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) format: Option<RowFormat>,
    /// Write the report as JSON to this file, also for a run that failed
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) summary: Option<PathBuf>,

    /// Write metrics of this run to FILE, for a collector that reads files (node_exporter's textfile)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) metrics_file: Option<PathBuf>,
    /// Exit with 1 if rows are invalid, or violate a rule of severity must
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub(crate) fail_on: FailOn,
    /// Wait up to so many seconds for another instance that works on the same store or results
    #[arg(long, default_value_t, value_name = "SECONDS")]
    pub(crate) wait: u32,
    /// Mark rows as gone even if nearly all of them left the source
    #[arg(long)]
    pub(crate) accept_shrink: bool,
}

/// Flags of `check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Results table instead of the one in the settings
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

/// Flags of commands that print for people or for programs.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ReportFormat {
    /// Form on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub(crate) format: Report,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    #[default]
    Auto,
    Bar,
    Plain,
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Auto,
    Pretty,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnlyRows {
    Changed,
    Errors,
    Invalid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// The rows to fix, at the end
    Table,
    /// One array of arrays, the first one the header, as the Python StatusValidator prints its dry runs
    Rows,
    /// One array of objects
    Json,
    /// One object a line
    Jsonl,
    /// With a header line
    Csv,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    #[default]
    None,
    Invalid,
    Must,
}

/// Reads a date.
pub(crate) fn date(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "write a date as YYYY-MM-DD, such as 2026-03-13".to_owned())
}

/// Reads an age: a whole number of hours, days or weeks.
pub(crate) fn age(text: &str) -> Result<SignedDuration, String> {
    let hours = |number: &str, hours: i64| number.parse::<u32>().ok().map(|n| i64::from(n) * hours);
    let parsed = match text.char_indices().last() {
        Some((at, 'h')) => hours(&text[..at], 1),
        Some((at, 'd')) => hours(&text[..at], 24),
        Some((at, 'w')) => hours(&text[..at], 24 * 7),
        _ => None,
    };
    parsed.map(SignedDuration::from_hours).ok_or_else(|| "write an age such as 90d, 12w or 36h".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("status-validator").chain(line.split_whitespace()))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bare_flags_mean_run() {
        let line = "--config config.yaml --limit 2 --dry-run --verbose --force --checkdate --rules";
        let cli = parse(line).unwrap();
        assert!(cli.command.is_none() && cli.global.verbose == 1);
        assert!(cli.run.output.dry_run && cli.run.output.rules);
        assert!(cli.run.selection.force && cli.run.selection.checkdate);
        assert_eq!(cli.run.selection.limit, Some(2));
        let Some(Command::Run(run)) = parse(&format!("run {line}")).unwrap().command else { panic!() };
        assert_eq!(*run, cli.run);
    }

    #[test]
    fn flags_of_every_command_may_stand_before_it() {
        let cli = parse("--config a.toml -vv check --source b.csv").unwrap();
        assert_eq!((cli.global.config, cli.global.verbose), (Some("a.toml".into()), 2));
        assert_eq!(cli.run, RunArgs::default());
    }

    #[test]
    fn rubbish_is_refused_with_a_hint() {
        for (line, hint) in [
            ("--as-of 13.03.2026", "YYYY-MM-DD"),
            ("--limit 0", "0 is not in 1.."),
            ("--limit -3", "-3"),
            ("cache prune --older-than 90", "90d"),
            ("--dryrun", "--dry-run"),
            ("-q -v", "cannot be used with"),
            ("--only broken", "changed"),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(hint), "{line}: {error}");
        }
    }

    #[test]
    fn ages() {
        for (text, hours) in [("90d", 2160), ("2w", 336), ("36h", 36), ("0d", 0)] {
            assert_eq!(age(text), Ok(SignedDuration::from_hours(hours)));
        }
        for text in ["", "d", "90", "-1d", "1.5d", "9999999999d", "дней", "90д"] {
            assert!(age(text).is_err(), "{text}");
        }
    }
}
