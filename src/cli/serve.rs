//! `serve`: the daemon. Runs every job of the settings by its schedule and when its table is edited, until SIGTERM; SIGHUP
//! reads the settings again, SIGUSR1 runs all jobs now. Serves the status page, the API and metrics meanwhile.

use std::sync::Arc;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::exit::{CliError, Exit};
use super::eyes::Eyes;
use super::fleet::Fleet;
use super::service::Service;
use super::session::{Overrides, Session};
use super::signals::{self, Asked};
use super::telemetry::Telemetry;
use super::words::counted;
use super::{secrets, terminal};
use crate::assemble;
use crate::daemon::{self, Happened, Job, Wish};
use crate::domain::timetable::{Keeping, Timetable};
use crate::engine::SystemClock;
use crate::fault::{self, Point};
use crate::http::{Front, Limits, Listen, Metrics, Server};
use crate::settings::{ListenSettings, ServeSettings, Settings};
use crate::store::Store;

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Run all jobs once at the start, whatever their schedules say
    #[arg(long)]
    now: bool,

    /// Where the status page and the API are served, as in serve.listen
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    /// Serve no page, no API and no metrics
    #[arg(long, conflicts_with = "listen")]
    no_http: bool,
}

/// So many runs are looked through for when a job ran last.
const RUNS_LOOKED_AT: usize = 1000;

pub(crate) fn run(session: &Session, args: &ServeArgs) -> Result<Exit, CliError> {
    let jobs = load(session, args)?;
    let metrics = Metrics::new().map_err(|error| CliError::new(Exit::Internal, error))?;
    metrics.reloaded(true);
    let telemetry = match jobs.first() {
        Some(first) => Telemetry::from_env(first)?,
        None => Telemetry::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(Exit::Unavailable, error))?;
    let served = runtime.block_on(async {
        let asked = signals::Asks::listen().map_err(|error| CliError::new(Exit::Unavailable, error))?;
        let timetables: Vec<Job> = jobs.iter().map(job).collect(); // before engines hold the stores
        let fleet = Arc::new(Fleet::start(&jobs, Arc::new(metrics), telemetry.clone())?);
        let served = serve(session, args, &jobs, timetables, &fleet, asked).await;
        fleet.stop().await;
        served
    });
    telemetry.end();
    served
}

async fn serve(
    session: &Session,
    args: &ServeArgs,
    jobs: &[Settings],
    timetables: Vec<Job>,
    fleet: &Arc<Fleet>,
    asked: signals::Asks,
) -> Result<Exit, CliError> {
    let server = match jobs.first().filter(|_| !args.no_http) {
        Some(first) => Some(listen_for_requests(first, fleet)?),
        None => None,
    };
    let (wishes, heard) = mpsc::unbounded_channel();
    if args.now {
        wishes.send(Wish::Run(None)).ok(); // heard below
    }
    let eyes = Eyes::new(wishes.clone(), fleet.office().clone());
    eyes.open(jobs);
    let next = timetables.iter().filter_map(|job| job.timetable.as_ref()?.next()).min();
    let next = next.map_or_else(|| "no job has a schedule".to_owned(), |next| format!("next run {next}"));
    let place = server.as_ref().map(|(_, place)| format!("; status at {place}")).unwrap_or_default();
    session.screen.say(&format!("Serving {}: {next}{place}", counted(timetables.len() as u64, "job")));
    Service.ready();
    Service.status(&next);
    let listening = listen(session, args, fleet, &eyes, asked, wishes);
    let screen = session.screen.clone();
    let office = fleet.office().clone();
    let serving = daemon::serve(timetables, fleet.clone(), Arc::new(SystemClock), heard, |what| {
        if let Happened::Next { job, slot } = &what {
            office.set_next(job, *slot);
        }
        if let Some(told) = told(&what) {
            Service.status(&told);
            screen.say(&terminal::line(&told));
        }
    });
    let (exit, ()) = tokio::join!(listening, Service.beside(serving));
    if let Some((server, _)) = server {
        server.stop().await;
    }
    Ok(exit)
}

/// Serves the status page, the API and metrics. Gives where.
fn listen_for_requests(first: &Settings, fleet: &Fleet) -> Result<(Server, String), CliError> {
    let ServeSettings { listen, hosts, token_file, show_content, .. } = &first.serve;
    let token = token_file.as_deref().map(secrets::read_token).transpose()?;
    let front = Front {
        office: fleet.office().clone(),
        token,
        show_content: *show_content,
        hosts: Some(hosts.clone()),
        base: String::new(),
        language: first.language,
    };
    let listen = match listen {
        ListenSettings::Address(address) => Listen::Address(*address),
        ListenSettings::Socket(path) => Listen::Socket(path.clone()),
    };
    let server = Server::start(&listen, front, Limits::default())
        .map_err(|error| CliError::new(Exit::Unavailable, error))?;
    let place = match (server.address(), &listen) {
        (Some(address), _) => format!("http://{address}/"),
        (None, Listen::Socket(path)) => path.display().to_string(),
        (None, Listen::Address(address)) => format!("http://{address}/"),
    };
    Ok((server, place))
}

/// The settings of every job.
fn load(session: &Session, args: &ServeArgs) -> Result<Vec<Settings>, CliError> {
    let overrides = Overrides::default().text("serve.listen", args.listen.as_ref());
    let jobs = Settings::load_jobs(&session.sources(overrides)).map_err(CliError::usage)?;
    for settings in &jobs {
        secrets::know(settings.llm.providers.iter().filter_map(|provider| provider.api_key.as_ref()));
        settings.warnings().iter().for_each(|warning| session.warn(&format!("{}: {warning}", settings.job)));
        assemble::rulebook(settings)?; // a rulebook that cannot be read is found now, not at night
    }
    for (n, settings) in jobs.iter().enumerate() {
        if let Some(other) = jobs.iter().take(n).find(|other| other.target == settings.target) {
            let what = "write the same results: each would mark the other's rows as gone";
            return Err(CliError::usage(format!("jobs {} and {} {what}", other.job, settings.job)));
        }
    }
    Ok(jobs)
}

/// Hears signals until one says stop. Gives how the program ends.
async fn listen(
    session: &Session,
    args: &ServeArgs,
    fleet: &Fleet,
    eyes: &Eyes,
    mut asked: signals::Asks,
    wishes: mpsc::UnboundedSender<Wish>,
) -> Exit {
    loop {
        let wish = match asked.next().await {
            Asked::Stop(exit) => {
                session.screen.say("Stopping: runs under way are ended in good order. Once more stops at once; nothing is lost.");
                eyes.shut();
                wishes.send(Wish::Stop).ok(); // it may have ended already
                asked.leave_at_the_next(session.screen.clone());
                return exit;
            }
            Asked::Run => Wish::Run(None),
            Asked::Reload => match reload(session, args, fleet).await {
                Ok(jobs) => {
                    fault::pass(Point::SettingsReloaded);
                    fleet.office().reloaded(None);
                    eyes.open(&jobs);
                    Wish::Jobs(jobs.iter().map(job).collect())
                }
                Err(error) => {
                    fleet.office().reloaded(Some(error.text.clone()));
                    session.fail(&error);
                    session.screen.say("The settings stay as they were.");
                    continue;
                }
            },
        };
        wishes.send(wish).ok(); // it may have ended already
    }
}

async fn reload(session: &Session, args: &ServeArgs, fleet: &Fleet) -> Result<Vec<Settings>, CliError> {
    let jobs = load(session, args)?;
    fleet.replace(&jobs).await?;
    Ok(jobs)
}

fn job(settings: &Settings) -> Job {
    let keeping = Keeping {
        zone: settings.time_zone.clone(),
        catch_up: settings.serve.catch_up,
        jitter: SignedDuration::try_from(settings.serve.jitter).unwrap_or_default(),
        seed: std::process::id().into(), // the same over reloads, another in other instances
    };
    let cron = settings.serve.schedule.clone();
    let timetable = cron.map(|cron| Timetable::new(cron, keeping, last_run(settings), Timestamp::now()));
    Job { name: settings.job.clone(), timetable }
}

/// When the job last began, as far as its store tells.
fn last_run(settings: &Settings) -> Option<Timestamp> {
    if !settings.cache_path.exists() {
        return None;
    }
    let runs = Store::open(&settings.cache_path).and_then(|store| store.runs(RUNS_LOOKED_AT)).ok()?;
    runs.into_iter().find(|run| run.start.job == settings.job).map(|run| run.start.started)
}

fn told(what: &Happened) -> Option<String> {
    Some(match what {
        Happened::Began { job, missed: 0 } => format!("{job}: a run begins"),
        Happened::Began { job, missed } => {
            format!(
                "{job}: a run begins; {} before it passed while nobody looked",
                counted((*missed).into(), "slot")
            )
        }
        Happened::Ended { job, how } => format!("{job}: {how}"),
        Happened::LeftOut { job, slot } => {
            format!("{job}: the run of {slot} is left out, one before it is not over")
        }
        Happened::Unknown { job } => format!("{job}: there is no such job"),
        Happened::Changed => "The settings were read again.".to_owned(),
        Happened::Next { .. } => return None,
    })
}
