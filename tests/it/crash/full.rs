//! A disk that takes no more, at every write; a disk that fails to keep what it took; a disk that may not be written.
//! Nothing is paid for that could not be kept, what was kept stays, and the next run finishes.

use std::process::Command;
use std::time::{Duration, Instant};

use super::world::{Kind, ROWS, WORKERS, World};

/// The answer that the disk refused first, and those that were on their way by then.
const UNKEPT: usize = 1 + WORKERS;

/// How far apart the moments are: in the suite, and in a long sweep.
fn step(suite: usize, long: usize) -> usize {
    if super::seeds() > 1 { long } else { suite }
}

/// Runs with more writes let through each time, until a run is not touched. Gives how many writes there were.
fn sweep(kind: &Kind, point: &str, fault: &str, step: usize) -> usize {
    let (mut most_unkept, mut nth) = (0, 0);
    loop {
        let about = format!("{point}: {fault} after {nth} writes");
        let world = World::new(kind, "review");
        let ended = world.run(&format!("{point}={nth}*off->return({fault})"), &[]);
        let (asked, kept) = (world.requests(), world.answers());
        most_unkept = most_unkept.max(asked - kept);
        assert!(asked - kept <= UNKEPT, "{about}: {asked} requests, {kept} answers kept");
        if ended.code == 0 && !ended.err.contains("not in the history") {
            assert!(nth > 0, "{about}: the point is never passed");
            println!(
                "{point}, {fault}: {nth} writes swept, at most {most_unkept} answers paid for and not kept"
            );
            return nth;
        }
        assert!(!ended.err.contains("panic") && !ended.err.contains("internal error"), "{about}: {ended:?}");
        if ended.code == 0 {
            assert_eq!(world.results().len(), ROWS, "{about}: all but the history is done: {ended:?}");
        } else {
            assert_eq!(ended.code, 4, "{about}: {ended:?}");
            assert!(ended.err.contains("error:"), "{about}: it is said: {ended:?}");
        }
        let next = world.run("", &[]);
        assert_eq!(next.code, 0, "{about}: {next:?}");
        assert_eq!(world.requests() - asked, ROWS - kept, "{about}: what was kept is not paid for again");
        let results = world.results();
        assert!(
            results.len() == ROWS && results.values().all(|rows| rows.len() == 1),
            "{about}: {results:?}"
        );
        assert_eq!((world.outbox(), world.leftovers()), (0, vec![]), "{about}");
        nth += step;
    }
}

#[test]
fn the_store_is_full_at_every_write() {
    let writes = sweep(&Kind::Csv, "store-commits", "disk-full", 1);
    assert!(writes > 2 * ROWS, "each call is written down before and after: {writes}");
}

#[test]
fn the_disk_does_not_keep_what_the_store_writes() {
    sweep(&Kind::Csv, "store-commits", "fsync", step(3, 1));
}

#[test]
fn the_results_cannot_be_written() {
    for kind in [Kind::Csv, Kind::Xlsx] {
        for point in ["K8-table-writes", "K9-table-sent"] {
            sweep(&kind, point, "disk-full", 1);
        }
    }
}

#[test]
fn a_write_of_the_results_that_fails_once_is_made_again() {
    for kind in [Kind::Csv, Kind::Xlsx] {
        for point in ["K8-table-writes", "K9-table-sent", "K10-table-answered"] {
            let world = World::new(&kind, "review");
            let ended = world.run(&format!("{point}=1*return(error)->off"), &[]);
            assert_eq!(ended.code, 0, "{point}: {ended:?}");
            assert!(ended.err.contains("cannot be written yet"), "{point}: {ended:?}");
            let results = world.results();
            assert!(results.len() == ROWS && results.values().all(|rows| rows.len() == 1), "{results:?}");
            assert_eq!((world.requests(), world.leftovers()), (ROWS, vec![]), "{point}");
        }
    }
}

#[test]
fn what_is_slow_is_only_slow() {
    let world = World::new(&Kind::Csv, "review");
    let slow = "K2-source-read=sleep(30);K4-call-sent=50%sleep(20);store-commits=10%sleep(20);K9-table-sent=sleep(50)";
    let ended = world.run(slow, &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!((world.results().len(), world.requests(), world.outbox()), (ROWS, ROWS, 0));
}

#[test]
fn the_source_or_a_new_store_fails() {
    for fault in ["error", "disk-full"] {
        sweep(&Kind::Csv, "K2-source-read", fault, 1);
        sweep(&Kind::Csv, "K14-store-migrates", fault, 1);
    }
}

/// A script in a namespace of its own, where file systems can be mounted without being root. None where the machine does
/// not allow that.
fn mounted(world: &World, script: &str) -> Option<std::process::Output> {
    let probe = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        println!("not run: this machine does not let a test mount a file system");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script]).current_dir(world.path(""));
    command.env("PROGRAM", env!("CARGO_BIN_EXE_status-validator")).env_remove("RUST_BACKTRACE");
    Some(command.output().unwrap())
}

#[test]
fn a_disk_that_is_truly_full() {
    let (mut full, mut size) = (0, 16);
    loop {
        let about = format!("a disk of {size} KiB");
        let world = World::new(&Kind::Csv, "review");
        std::fs::create_dir(world.path("disk")).unwrap();
        // What is on it is copied out, for it is gone with the namespace.
        let script = format!(
            "mount -t tmpfs -o size={size}k none disk || exit 99
             SV_CACHE_PATH=disk/status_validator.sqlite \"$PROGRAM\" -q; code=$?
             mkdir out; cp disk/status_validator.sqlite* out/; exit $code"
        );
        let Some(ended) = mounted(&world, &script) else { return };
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        let code = ended.status.code().unwrap();
        for end in ["", "-wal"] {
            let name = format!("status_validator.sqlite{end}");
            std::fs::rename(world.path("out").join(&name), world.path(&name)).ok();
        }
        let (asked, kept) = (world.requests(), world.answers());
        assert!(asked - kept <= UNKEPT, "{about}: {asked} requests, {kept} answers kept");
        let next = world.run("", &[]);
        assert_eq!(next.code, 0, "{about}: {next:?}");
        assert_eq!(world.requests() - asked, ROWS - kept, "{about}: {told}");
        assert_eq!(world.results().len(), ROWS, "{about}");
        if code == 0 {
            break;
        }
        assert!(code == 4 && told.contains("no space left"), "{about}: {code}: {told}");
        full += 1;
        size += step(72, 8);
    }
    assert!(full > 3, "{full}");
    println!("{full} sizes too small, {size} KiB are enough");
}

#[test]
fn a_disk_that_may_not_be_written() {
    let world = World::new(&Kind::Csv, "review");
    std::fs::create_dir(world.path("disk")).unwrap();
    let began = Instant::now();
    let script = "mount --bind disk disk && mount -o remount,ro,bind disk || exit 99
                  SV_CACHE_PATH=disk/status_validator.sqlite \"$PROGRAM\" -q";
    let Some(ended) = mounted(&world, script) else { return };
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(7), "{told}");
    assert!(told.contains("may not be written") && told.contains("cache_path"), "{told}");
    assert!(
        began.elapsed() < Duration::from_secs(20) && world.requests() == 0,
        "at once, and nothing was spent"
    );
}
