//! `sandbox`: a Google Sheets, its sign-in and a model on this machine, with settings to run against them.

mod model;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use tokio::net::TcpListener;

use model::ModelArgs;

use crate::cli::exit::{CliError, Exit};
use crate::cli::session::Session;
use crate::cli::signals::Signals;
use crate::cli::terminal;
use crate::domain::language::Language;
use crate::sandbox::setup::{SheetFile, TabName};
use crate::sandbox::sheets::Switches;
use crate::sandbox::{
    FaultScript, FaultSpec, Quota, Sandbox, SandboxParams, Setup, SetupError, ThrowAwayKey, Tokens, spec,
};

const EXAMPLES: &str = "\
Examples:
  status-validator sandbox --dir try
      serves the sample statuses; in another terminal, as often as you like:
  status-validator run --config try/sandbox.toml
  status-validator sandbox --dir try --sheet my-sheet:Statuses=week.csv
      serves a table of yours
  status-validator sandbox --dir try --fault write:2=commit-then-reset --fault 'chat=slow 2s'
      the second write is carried out and its answer lost; the model takes its time
  status-validator sandbox --dir try --rpm 500 --latency 4s~0.5 --fault chat:20%=mix
      a model with a limit and the usual latency, of which a fifth of the requests goes wrong
  curl http://127.0.0.1:8700/model
      tells how the model behaves; the same JSON, changed, is taken by PUT while it runs

A fault is KIND[:NUMBERS]=WHAT[ for TIME]. Of several, the first that is meant decides.
  KIND      read, write (Sheets and Drive), token (signing in), chat (the model), any
  NUMBERS   2, 2..4 or 2.. of that kind, counted from 1, both ends included; none: every one;
            20%: so many of them, by chance
  WHAT      reset               the connection is dropped, nothing is done
            commit-then-reset   it is carried out, then the connection is dropped
            hang                nothing is done, nobody answers
            commit-then-hang    it is carried out, nobody answers
            cut                 it is carried out, the answer breaks off
            late TIME           the connection is dropped, it is carried out after that time
            slow TIME           it is carried out, the answer comes after that time
            503                 an error of that status, nothing is done
            commit-then-503     it is carried out, then answered with that error
            html 502            an error as a front end tells it, nothing is done
            ok                  nothing goes wrong
  and of the model only
            drip TIME           the answer comes byte by byte, one after each TIME
            stall               the answer stops in its middle, the connection stays
            rate-limit, token-limit, busy, quota, overloaded, bad-key, no-model
                                it refuses
            length, refusal, filtered, prose, broken, wrong-types, nothing, silence, no-choices,
            page, empty, hidden-error, bytes, huge, odd-usage
                                it answers, and the answer is wrong in that way
            mix                 one of all that pass, by chance
  TIME      500ms, 90s, 2m, 1h; with for TIME a fault is over so long after it first struck";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SandboxArgs {
    /// Address and port to listen on; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8700", value_parser = address)]
    listen: SocketAddr,
    /// Let other machines in, and answer for any host: anybody there may read and change what was loaded
    #[arg(long)]
    allow_remote: bool,
    /// Folder for the settings and the key; made if it is missing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "sandbox")]
    dir: PathBuf,
    /// Load a table (.csv, .tsv or .xlsx) into a tab of a spreadsheet; the first is the source [default: the samples]
    #[arg(long = "sheet", value_name = "ID:TAB=FILE")]
    sheets: Vec<SheetFile>,
    /// Spreadsheet and tab of the results [default: the source's spreadsheet, tab Status Review]
    #[arg(long, value_name = "ID[:TAB]")]
    target: Option<TabName>,
    /// Language of rules, issues and samples [default: that of the source's header]
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    language: Option<Tongue>,
    /// What goes wrong, and when, such as write:2=commit-then-reset; the grammar is below
    #[arg(long = "fault", value_name = "FAULT", help_heading = "Trouble")]
    faults: Vec<FaultSpec>,
    /// Requests a minute, for the user and for the project, as 60/300 or google [default: any number]
    #[arg(long, value_name = "USER/PROJECT", help_heading = "Trouble")]
    quota: Option<Quota>,
    /// How long an access token is good
    #[arg(long, value_name = "TIME", default_value = "3599s", value_parser = lifetime, help_heading = "Trouble")]
    token_lifetime: Duration,
    /// Which access tokens are taken; one from elsewhere may do everything
    #[arg(long, value_enum, default_value_t, value_name = "WHOSE", help_heading = "Trouble")]
    tokens: Whose,
    /// Whether ids that a client chooses for named ranges count: by them it fences a write that comes late
    #[arg(long, value_enum, default_value_t, value_name = "HOW", help_heading = "Trouble")]
    fence: Fence,
    /// Ids, tokens and chance come from it
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Trouble")]
    seed: u64,
    #[command(flatten)]
    model: ModelArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tongue {
    En,
    Ru,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Fence {
    /// They count, and one that exists is refused
    #[default]
    Honoured,
    /// The server gives its own
    Ignored,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Whose {
    /// Those that the sandbox gave; others are answered with 401
    Own,
    /// Also made-up ones and Google's own, so that tools that replay recordings or cannot sign in may be tried
    #[default]
    Any,
}

pub(crate) fn run(session: &Session, args: SandboxArgs) -> Result<Exit, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(Exit::Unavailable, error))?;
    let ended = runtime.block_on(async {
        let stop = Signals::first().map_err(|error| CliError::new(Exit::Unavailable, error))?;
        let mut stop = std::pin::pin!(stop);
        let begun = tokio::select! {
            () = &mut stop => return Ok(Exit::Ok),
            begun = begin(session, args) => begun?,
        };
        let (sandbox, listener) = begun;
        sandbox.serve(listener, stop).await;
        Ok(Exit::Ok)
    });
    // A key that is still being made is not waited for.
    runtime.shutdown_background();
    ended
}

/// Makes everything ready and says so: the only line on standard output.
async fn begin(session: &Session, args: SandboxArgs) -> Result<(Sandbox, TcpListener), CliError> {
    check_address(args.listen, args.allow_remote)?;
    let golden = args.model.golden()?;
    let language = args.language.map(|tongue| match tongue {
        Tongue::En => Language::En,
        Tongue::Ru => Language::Ru,
    });
    let setup = Setup { dir: args.dir, sheets: args.sheets, target: args.target, language };
    let prepared = setup.prepare().await?;
    let (listener, url) = listen(args.listen).await?;
    let key = tokio::task::spawn_blocking(ThrowAwayKey::new).await;
    let key = key.map_err(|error| CliError::new(Exit::Internal, error))?;
    let key =
        key.map_err(|error| CliError::new(Exit::Unavailable, format!("no key can be made: {error}")))?;

    let sandbox = Sandbox::new(SandboxParams {
        seed: args.seed,
        quota: args.quota,
        token_lifetime: args.token_lifetime,
        tokens: match args.tokens {
            Whose::Own => Tokens::Own,
            Whose::Any => Tokens::Any,
        },
        any_host: args.allow_remote,
        remembers: false,
        ..SandboxParams::new(key.clone())
    });
    sandbox.set_script(FaultScript::new(args.faults).seeded(args.seed));
    sandbox.behave(args.model.behaviour(args.seed)).map_err(CliError::usage)?;
    if let Some(golden) = golden {
        sandbox.learn(golden);
    }
    sandbox.with_office(|office| {
        let named_range_ids = args.fence == Fence::Honoured;
        office.set_switches(Switches { named_range_ids, ..office.switches() });
    });
    let notes = prepared.notes();
    let settings = prepared.lay_out(&sandbox, &key, &url)?;
    notes.iter().for_each(|note| session.warn(note));
    let settings = settings.display().to_string();
    if !session.global.quiet {
        session.screen.say("Ctrl-C ends the sandbox; what is in its spreadsheets ends with it.");
    }
    session.print(&format!("Sandbox ready at {url}, settings in {}\n", terminal::line(&settings)))?;
    Ok((sandbox, listener))
}

/// Whoever reaches the sandbox may do everything, so by default that is only this machine.
fn check_address(listen: SocketAddr, allow_remote: bool) -> Result<(), CliError> {
    let ip = listen.ip();
    if ip.is_loopback() || (allow_remote && ip.is_unspecified()) {
        return Ok(());
    }
    Err(CliError::usage(if allow_remote {
        format!(
            "--listen {listen}: with --allow-remote write 0.0.0.0 or [::], so that this machine gets in as well"
        )
    } else {
        format!(
            "--listen {listen}: other machines would get in, and anybody may change what is in a sandbox; listen on \
             127.0.0.1, or say --allow-remote"
        )
    }))
}

/// Listens, and gives the address by which programs of this machine get there.
async fn listen(wanted: SocketAddr) -> Result<(TcpListener, String), CliError> {
    let failed = |error: std::io::Error| {
        let exit = match error.kind() {
            std::io::ErrorKind::PermissionDenied => Exit::Access,
            _ => Exit::Unavailable,
        };
        CliError::new(exit, format!("--listen {wanted}: {error}; choose another port, 0 is any that is free"))
    };
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let mut near = listener.local_addr().map_err(failed)?;
    if near.ip().is_unspecified() {
        near.set_ip(if near.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    Ok((listener, format!("http://{near}")))
}

/// Reads an address and a port; `localhost` is 127.0.0.1.
fn address(text: &str) -> Result<SocketAddr, String> {
    let text =
        text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| "write an address and a port, such as 127.0.0.1:8700 or 127.0.0.1:0".to_owned())
}

/// Reads the lifetime of a token, in whole seconds as the service states it.
fn lifetime(text: &str) -> Result<Duration, String> {
    let time = spec::time(text).map_err(|error| error.to_string())?;
    if time < Duration::from_secs(1) {
        return Err("a token is good for a second at least".to_owned());
    }
    Ok(time)
}

impl From<SetupError> for CliError {
    fn from(error: SetupError) -> Self {
        let exit = match error {
            SetupError::Table(error) => return error.into(),
            SetupError::Foreign(_)
            | SetupError::UnknownKind(_)
            | SetupError::Twice(_)
            | SetupError::IntoSource(_)
            | SetupError::Load { .. } => Exit::Usage,
            SetupError::Unwritten { ref error, .. } => match error.kind() {
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Exit::Access,
                _ => Exit::Unavailable,
            },
        };
        Self::new(exit, error)
    }
}
