//! The daemon as a process: its schedule, its signals, and what a service manager hears of it.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use crate::support::cli::{Desk, Model, SAMPLES};

/// A daemon and what it says.
struct Daemon {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Daemon {
    fn start(desk: &Desk, args: &[&str], env: &[(&str, &str)]) -> Self {
        // Any port: daemons of other tests live beside this one.
        let anywhere: &[&str] = if args.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let mut command = desk.command(&[&["serve"], anywhere, args].concat());
        command.envs(env.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// Reads what it says up to a line with these words.
    fn until(&mut self, words: &str) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert!(self.said.read_line(&mut line).unwrap() > 0, "it ended without «{words}»: {all}");
            all.push_str(&line);
            if line.contains(words) {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it by SIGTERM. Gives its exit code and the rest of what it said.
    fn end(mut self) -> (i32, String) {
        self.signal("TERM");
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code().unwrap(), rest)
    }
}

fn scheduled(schedule: &str) -> Desk {
    Desk::new(&format!("{SAMPLES}\n[serve]\nschedule = \"{schedule}\"\ncatch_up = \"none\"\n"))
}

#[test]
fn it_runs_by_its_schedule_and_on_demand_and_ends_in_good_order() {
    let desk = scheduled("* * * * * *");
    let mut daemon = Daemon::start(&desk, &[], &[]);
    let first = daemon.until("Serving");
    assert!(first.contains("1 job") && first.contains("next run"), "{first}");
    let done = daemon.until("default: ok: ");
    assert!(done.contains("70 rows") && desk.results() == 70, "{done}");
    daemon.until("a run begins");
    let beside = desk.run(&[]);
    assert_eq!(beside.code, 6, "the daemon works alone: {beside:?}");
    let (code, _) = daemon.end();
    assert_eq!(code, 143);
    assert_eq!(desk.run(&["-q"]).code, 0, "it holds nothing any more");

    let desk = Desk::new(SAMPLES);
    let mut daemon = Daemon::start(&desk, &[], &[]);
    assert!(daemon.until("Serving").contains("no job has a schedule"));
    daemon.signal("USR1");
    daemon.until("default: ok: 70 rows");
    assert_eq!(daemon.end().0, 143);
}

#[test]
fn settings_are_read_again_and_broken_ones_keep_the_old() {
    let desk = scheduled("0 7 1 1 *");
    let mut daemon = Daemon::start(&desk, &["--now"], &[]);
    daemon.until("default: ok: 70 rows");
    let good = desk.read("Settings.toml");
    desk.write("Settings.toml", good.replace("schedule = \"0 7 1 1 *\"", "schedule = \"0 25 * * *\""));
    daemon.signal("HUP");
    daemon.until("The settings stay as they were.");
    daemon.signal("USR1");
    daemon.until("default: ok: 70 rows");
    desk.write(
        "Settings.toml",
        good.replace("[target]\npath = \"review.csv\"", "[target]\npath = \"other.csv\""),
    );
    daemon.signal("HUP");
    daemon.until("The settings were read again.");
    daemon.signal("USR1");
    daemon.until("default: ok: 70 rows");
    assert!(desk.path("other.csv").exists());
    assert_eq!(daemon.end().0, 143);
}

/// What is answered at this address.
fn get(place: &str, path: &str) -> String {
    let host = place.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    heard
}

#[test]
fn it_is_looked_at_while_it_serves_and_says_which_settings_hold() {
    let desk = scheduled("0 7 1 1 *");
    let mut daemon = Daemon::start(&desk, &["--now"], &[]);
    let said = daemon.until("Serving");
    let place = said.split("status at ").nth(1).unwrap().trim().to_owned();
    daemon.until("default: ok: 70 rows");
    let page = get(&place, "/");
    assert!(page.contains("All is well") && page.contains("70 rows"), "{page}");
    let jobs = get(&place, "/api/v1/jobs");
    assert!(jobs.contains("\"schedule\":\"0 7 1 1 *\"") && jobs.contains("-01-01T"), "{jobs}");
    assert!(get(&place, "/metrics").contains("sv_config_last_reload_successful 1"));
    let good = desk.read("Settings.toml");
    desk.write("Settings.toml", good.replace("0 7 1 1 *", "0 25 * * *"));
    daemon.signal("HUP");
    daemon.until("The settings stay as they were.");
    assert!(get(&place, "/metrics").contains("sv_config_last_reload_successful 0"));
    let page = get(&place, "/");
    assert!(page.contains("the former ones hold") && page.contains("serve.schedule"), "{page}");
    desk.write("Settings.toml", good);
    daemon.signal("HUP");
    daemon.until("The settings were read again.");
    assert!(get(&place, "/metrics").contains("sv_config_last_reload_successful 1"));
    let beside = desk.run(&[
        "-c",
        "Settings.toml",
        "serve",
        "--listen",
        place.trim_start_matches("http://").trim_end_matches('/'),
    ]);
    assert_eq!(beside.code, 6, "the store is at work: {beside:?}");
    let other = scheduled("0 7 1 1 *");
    let taken = other.run(&["serve", "--listen", place.trim_start_matches("http://").trim_end_matches('/')]);
    assert!(taken.code == 4 && taken.err.contains("serve.listen"), "{taken:?}");
    assert_eq!(daemon.end().0, 143);
}

#[test]
fn an_edit_of_a_table_that_is_watched_is_checked_and_one_that_is_gone_is_said() {
    let desk = Desk::new(&format!("{SAMPLES}\n[serve]\nwatch = true\n"));
    let mut daemon = Daemon::start(&desk, &[], &[]);
    let said = daemon.until("Serving");
    let place = said.split("status at ").nth(1).unwrap().trim().to_owned();
    daemon.until("default: ok: 70 rows");
    let table = desk.read("statuses.csv");
    let (head, _) = table.trim_end().rsplit_once('\n').unwrap();
    desk.write("statuses.csv", format!("{head}\n"));
    daemon.until("default: ok: 69 rows");
    std::fs::remove_file(desk.path("statuses.csv")).unwrap();
    while !get(&place, "/api/v1/status").contains("statuses.csv: No such file") {
        std::thread::yield_now();
    }
    desk.write("statuses.csv", table);
    daemon.until("default: ok: 70 rows");
    assert_eq!(daemon.end().0, 143);
}

#[test]
fn tokens_that_can_be_guessed_and_tables_that_two_jobs_write_are_refused() {
    let desk = Desk::new(&format!("{SAMPLES}\n[serve]\ntoken_file = \"token\"\n"));
    assert!(desk.run(&["serve"]).err.contains("serve.token_file"));
    desk.write("token", "short");
    let refused = desk.run(&["serve"]);
    assert!(refused.code == 2 && refused.err.contains("16 or more"), "{refused:?}");
    let jobs = Desk::new(&format!("{SAMPLES}\n[jobs.a]\nlanguage = \"en\"\n[jobs.b]\nlanguage = \"ru\"\n"));
    let refused = jobs.run(&["serve"]);
    assert!(refused.code == 2 && refused.err.contains("the same results"), "{refused:?}");
}

#[test]
fn several_jobs_run_side_by_side() {
    let settings =
        SAMPLES.replace("[source]\npath = \"statuses.csv\"\n[target]\npath = \"review.csv\"\n", "");
    let jobs = ["a", "b"].map(|name| {
        format!(
            "[jobs.{name}.source]\npath = \"statuses.csv\"\n[jobs.{name}.target]\npath = \"{name}.csv\"\n"
        )
    });
    let desk = Desk::new(&format!("{settings}{}", jobs.concat()));
    let mut daemon = Daemon::start(&desk, &["--now"], &[]);
    for line in ["Serving 2 jobs", "a: a run begins", "b: a run begins", "ok: 70 rows", "ok: 70 rows"] {
        daemon.until(line);
    }
    assert!(desk.path("a.csv").exists() && desk.path("b.csv").exists());
    assert_eq!(daemon.end().0, 143);
}

#[test]
fn the_service_manager_hears_of_start_state_life_and_end() {
    let desk = scheduled("0 7 1 1 *");
    let socket = UnixDatagram::bind(desk.path("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let hear = |wanted: &str| {
        let mut bytes = [0; 4096];
        loop {
            let read = socket.recv(&mut bytes).unwrap_or_else(|error| panic!("{wanted}: {error}"));
            let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
            if text.contains(wanted) {
                return text;
            }
        }
    };
    let path = desk.path("notify");
    let env = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "200000")];
    let mut daemon = Daemon::start(&desk, &[], &env);
    hear("READY=1");
    hear("STATUS=next run");
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    daemon.until("Serving");
    daemon.signal("USR1");
    hear("STATUS=default: ok: 70 rows");
    let ending = std::thread::spawn(move || daemon.end());
    hear("STOPPING=1");
    assert_eq!(ending.join().unwrap().0, 143);
}

#[test]
fn killed_in_the_midst_of_a_run_it_goes_on_when_it_is_back() {
    let model = Model::content();
    let desk = Desk::with_model(40, &model.url());
    let mut killed = Daemon::start(&desk, &["--now"], &[]);
    while model.requests() < 5 {
        std::thread::yield_now();
    }
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    let mut daemon = Daemon::start(&desk, &["--now"], &[]);
    daemon.until("default: ok: 40 rows");
    assert_eq!(daemon.end().0, 143);
    assert!(model.requests() <= 42, "what had come is not asked again: {}", model.requests());
    assert_eq!(desk.results(), 40);
}

#[test]
fn killed_while_it_reads_its_settings_again_it_leaves_nothing_behind() {
    let desk = scheduled("0 7 1 1 *");
    let mut daemon =
        Daemon::start(&desk, &["--now"], &[("FAILPOINTS", "K15-settings-reloaded=return(kill)")]);
    daemon.until("default: ok: 70 rows");
    daemon.signal("HUP");
    assert_eq!(daemon.child.wait().unwrap().code(), None, "by a signal");
    let mut back = Daemon::start(&desk, &["--now"], &[]);
    back.until("default: ok: 70 rows");
    assert_eq!(back.end().0, 143);
}

#[test]
fn what_cannot_be_served_is_said_at_once() {
    let desk = scheduled("0 25 * * *");
    let refused = desk.run(&["serve"]);
    assert!(refused.code == 2 && refused.err.contains("serve.schedule"), "{refused:?}");
    let desk = scheduled("0 7 * * *");
    std::fs::remove_file(desk.path("rules.toml")).unwrap();
    assert_eq!(desk.run(&["serve"]).code, 2);
}
