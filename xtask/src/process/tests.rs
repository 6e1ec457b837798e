//! What becomes of the programs that xtask starts.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;

/// Set for the copy of this test program that is to be killed.
const VICTIM: &str = "MECUM_TEST_VICTIM";

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mecum-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder can be made");
    folder
}

fn workspace(folder: &Path) -> Workspace {
    Workspace { root: folder.to_owned(), target: folder.join("target") }
}

/// Whether the process ended, or is only waiting for somebody to ask how.
fn has_ended(id: &str) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else { return true };
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}

/// Starts the server's stand-in as `run` does, tells its number and waits to be killed.
fn be_the_victim(folder: &Path) {
    let mut command = bound(&workspace(folder), "sh");
    command.args(["-c", "echo ready; exec sleep 60"]);
    let started = Background::start(&mut command, &folder.join("log")).expect("sh starts");
    println!("\nstarted {} end", started.id());
    thread::sleep(Duration::from_mins(1));
}

#[cfg(target_os = "linux")]
#[test]
fn what_run_started_ends_when_run_is_killed() {
    if let Some(folder) = std::env::var_os(VICTIM) {
        return be_the_victim(Path::new(&folder));
    }
    let folder = folder("victim");
    let mut victim = Command::new(std::env::current_exe().expect("this program has a file"))
        .args(["--exact", "process::tests::what_run_started_ends_when_run_is_killed", "--nocapture"])
        .env(VICTIM, &folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts again");
    let lines = BufReader::new(victim.stdout.take().expect("its output is a pipe")).lines();
    let id = lines
        .map_while(Result::ok)
        .find_map(|line| Some(line.strip_prefix("started ")?.strip_suffix(" end")?.to_owned()))
        .expect("it tells the number of what it started");
    assert!(!has_ended(&id), "the program that it started is there");
    victim.kill().expect("it can be killed, so that it cannot tidy up");
    victim.wait().expect("it ended");
    let killed = Instant::now();
    while !has_ended(&id) {
        assert!(
            killed.elapsed() < Duration::from_secs(10),
            "process {id} goes on without the one that started it"
        );
        thread::sleep(Duration::from_millis(20));
    }
    fs::remove_dir_all(folder).expect("the temporary folder can be removed");
}

#[test]
fn a_program_that_is_no_longer_needed_is_asked_to_end_and_may_tidy_up() {
    let folder = folder("asked");
    let mut command = command(&workspace(&folder), "sh");
    command.args(["-c", "trap 'echo tidy > tidied; exit' TERM; echo ready; while :; do sleep 0.05; done"]);
    let started = Background::start(&mut command, &folder.join("log")).expect("sh starts");
    assert_eq!(started.first_line, "ready", "it is waited for until it says something");
    drop(started);
    assert!(folder.join("tidied").exists(), "it had the time to tidy up");
    fs::remove_dir_all(folder).expect("the temporary folder can be removed");
}

#[test]
fn a_program_that_ends_before_it_is_ready_is_an_error_with_what_it_said() {
    let folder = folder("early");
    let mut command = command(&workspace(&folder), "sh");
    command.args(["-c", "echo port taken >&2; exit 3"]);
    let error = Background::start(&mut command, &folder.join("log")).err().expect("it did not get ready");
    assert!(error.contains("port taken") && error.contains('3'), "why, in its own words: {error}");
    fs::remove_dir_all(folder).expect("the temporary folder can be removed");
}

#[test]
fn an_error_names_the_program_and_not_the_code_that_it_was_given() {
    let workspace = workspace(Path::new("/"));
    let mut command = bound(&workspace, "sh");
    command.args(["-c", "exit 3", "--code", "K7-secret", "--import", "file.json"]);
    let error = read(&mut command).expect_err("it ended badly");
    assert!(error.starts_with("sh -c exit 3 --code CODE --import file.json ended"), "as written: {error}");
    assert!(!error.contains("secret"), "a code that was not used up is not told: {error}");
}
