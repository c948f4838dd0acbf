//! `config show`: the settings as they hold, and where each value came from.

use clap::{Args, Subcommand};
use serde_json::json;

use super::args::{Report, ReportFormat};
use super::exit::{CliError, Exit};
use super::session::Session;
use super::terminal;
use crate::settings::Explained;

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print every key with the value that holds; secrets are masked
    Show {
        /// Say where each value came from: the file's line, a variable, a flag, the default
        #[arg(long)]
        origin: bool,
        /// Also keys that are not set
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        report: ReportFormat,
    },
}

pub(crate) fn run(session: &Session, args: &ConfigArgs) -> Result<Exit, CliError> {
    let ConfigCommand::Show { origin, all, report } = &args.command;
    let settings = session.inspected_settings()?;
    let keys: Vec<&Explained> = settings.explain().iter().filter(|key| *all || key.value.is_some()).collect();
    let text = match report.format {
        Report::Json => {
            let keys: Vec<_> = keys.iter().map(|key| as_json(key)).collect();
            format!("{}\n", terminal::json(&format!("{:#}", json!(keys))))
        }
        Report::Table => keys.iter().map(|key| line(session, key, *origin)).collect(),
    };
    session.print(&text)?;
    Ok(Exit::Ok)
}

fn as_json(key: &Explained) -> serde_json::Value {
    json!({ "key": key.key, "value": key.value, "origin": key.origin.as_ref().map(ToString::to_string) })
}

fn line(session: &Session, key: &Explained, with_origin: bool) -> String {
    let faint = |text: &str| session.screen.out_colors.faint(text);
    let Some(value) = &key.value else { return format!("{}\n", faint(&format!("# {} is not set", key.key))) };
    let value = terminal::line(value);
    match key.origin.as_ref().filter(|_| with_origin) {
        Some(origin) => format!(
            "{} = {value}  {}\n",
            key.key,
            faint(&format!("# {}", terminal::line(&origin.to_string())))
        ),
        None => format!("{} = {value}\n", key.key),
    }
}
