//! The flags of `sandbox` that say how its model behaves.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::exit::{CliError, Exit};
use crate::sandbox::model::limits::{Kind, Limits, Tells};
use crate::sandbox::model::{Behaviour, Bills, Golden, Keeps, Latency, PromptCache};
use crate::sandbox::spec;

/// How the model behaves. All of it can be changed while it runs: `GET /model` tells it, `PUT /model` takes it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Model")]
pub(super) struct ModelArgs {
    /// How long answers take: the median, and how far they are spread, as 4s~0.5 [default: no time]
    #[arg(long, value_name = "TIME[~SPREAD]")]
    latency: Option<Wait>,
    /// Requests a minute [default: any number]
    #[arg(long, value_name = "N")]
    rpm: Option<f64>,
    /// Tokens a minute [default: any number]
    #[arg(long, value_name = "N")]
    tpm: Option<f64>,
    /// Requests at a time [default: any number]
    #[arg(long, value_name = "N")]
    at_once: Option<u32>,
    /// How a minute's requests and tokens are counted
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    limiter: Limiter,
    /// A full bucket holds what comes in so much time
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = spec::time)]
    burst: Duration,
    /// What the model tells of its limits
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    tells: Hints,
    /// Count the longest possible answer as its tokens until it is known, as OpenAI does
    #[arg(long)]
    reserve: bool,
    /// A parameter that the model refuses; json_schema, json_object and high stand for these values
    #[arg(long = "refuse", value_name = "NAME")]
    refuses: Vec<String>,
    /// What the model keeps of prompts
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    keeps: Kept,
    /// What the model tells of the tokens that it used
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    bills: Bill,
    /// Labels by which the model judges: a CSV of statuses, and one of their labels (id, rules_violated)
    #[arg(long, value_name = "STATUSES=LABELS")]
    golden: Option<GoldenFiles>,
    /// The share of labelled rows that the model judges wrongly, as 5%
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share)]
    error_rate: f64,
    /// Obey orders in rows, where they stand outside of the fence: shows what the fence is for
    #[arg(long)]
    gullible: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Limiter {
    /// A bucket that fills up evenly
    #[default]
    Bucket,
    /// By the minute of the clock
    Window,
    /// By slices of ten seconds
    Slices,
    /// By the minute just past
    Sliding,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Hints {
    /// Nothing
    Nothing,
    /// With a refusal, when to come again
    RetryAfter,
    /// With every answer, the limits and what is left of them
    #[default]
    All,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Kept {
    /// Nothing
    Nothing,
    /// Every long beginning
    #[default]
    Automatic,
    /// Those that end at a prompt_cache_breakpoint
    Breakpoints,
    /// Those that end at a cache_control
    Marks,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Bill {
    /// As OpenAI does it
    #[default]
    #[value(name = "openai")]
    OpenAi,
    /// As DeepSeek does it
    #[value(name = "deepseek")]
    DeepSeek,
    /// Nothing
    Nothing,
}

/// A time and its spread.
#[derive(Clone, Copy, Debug)]
struct Wait(Latency);

/// Two files that belong together.
#[derive(Clone, Debug)]
struct GoldenFiles {
    statuses: PathBuf,
    labels: PathBuf,
}

impl ModelArgs {
    /// The behaviour that these flags describe.
    pub(super) fn behaviour(&self, seed: u64) -> Behaviour {
        Behaviour {
            latency: self.latency.map_or_else(Latency::default, |Wait(latency)| latency),
            limits: Limits {
                requests_per_minute: self.rpm,
                tokens_per_minute: self.tpm,
                at_once: self.at_once,
                kind: match self.limiter {
                    Limiter::Bucket => Kind::Bucket,
                    Limiter::Window => Kind::Window,
                    Limiter::Slices => Kind::Slices,
                    Limiter::Sliding => Kind::Sliding,
                },
                burst_s: self.burst.as_secs_f64(),
                reserves: self.reserve,
                refusals_count: false,
                tells: match self.tells {
                    Hints::Nothing => Tells::Nothing,
                    Hints::RetryAfter => Tells::RetryAfter,
                    Hints::All => Tells::All,
                },
            },
            prompt_cache: PromptCache {
                keeps: match self.keeps {
                    Kept::Nothing => Keeps::Nothing,
                    Kept::Automatic => Keeps::Automatic,
                    Kept::Breakpoints => Keeps::Breakpoints,
                    Kept::Marks => Keeps::Marks,
                },
                ..PromptCache::default()
            },
            refuses: self.refuses.clone(),
            bills: match self.bills {
                Bill::OpenAi => Bills::OpenAi,
                Bill::DeepSeek => Bills::DeepSeek,
                Bill::Nothing => Bills::Nothing,
            },
            error_rate: self.error_rate,
            gullible: self.gullible,
            faults: Vec::new(),
            seed,
        }
    }

    /// The labels, read from their files; none where there are no labels.
    pub(super) fn golden(&self) -> Result<Option<Golden>, CliError> {
        let Some(GoldenFiles { statuses, labels }) = &self.golden else { return Ok(None) };
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path)
                .map_err(|error| CliError::new(Exit::Unavailable, format!("{}: {error}", path.display())))
        };
        let golden = Golden::read(&read(statuses)?, &read(labels)?);
        golden.map(Some).map_err(|error| CliError::usage(format!("--golden: {error}")))
    }
}

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (median, spread) = text.split_once('~').unwrap_or((text, "0"));
        let median = spec::time(median).map_err(|error| error.to_string())?;
        let spread = spread.parse().ok().filter(|spread| (0.0..=3.0).contains(spread));
        let spread = spread.ok_or("the spread is a number from 0 to 3, as in 4s~0.5")?;
        Ok(Self(Latency { median_s: median.as_secs_f64(), spread }))
    }
}

impl FromStr for GoldenFiles {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (statuses, labels) = text.split_once('=').ok_or("write two files, STATUSES.csv=LABELS.csv")?;
        Ok(Self { statuses: statuses.into(), labels: labels.into() })
    }
}

/// Reads a share such as `5%`.
fn share(text: &str) -> Result<f64, &'static str> {
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    let share = number.filter(|number| (0.0..=100.0).contains(number));
    share.map(|number| number / 100.0).ok_or("write a share from 0% to 100%")
}
