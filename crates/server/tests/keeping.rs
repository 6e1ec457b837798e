//! Backup, check and restore as a person runs them: what is printed, the exit codes, and a server that runs meanwhile.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "support/server.rs"]
mod server;

use std::path::Path;
use std::process::{Command, Output};

use server::{Running, SERVER};

/// Runs the program; its exit code and everything that it printed.
fn run(arguments: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = Command::new(SERVER).args(arguments).output().unwrap();
    let text = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (status.code().unwrap(), text)
}

#[test]
fn a_server_is_backed_up_while_it_runs_and_restored_with_the_same_pin() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (data, backups, copy) = (path("data"), path("backups"), path("copy"));
    let server = Running::start(Path::new(&data));
    std::fs::create_dir(&backups).unwrap();
    assert_eq!(run(&["enrol", "--data", &data]).0, 0, "a code that nobody has used");
    let (code, text) = run(&["backup", "--data", &data, "--to", &backups]);
    assert_eq!(code, 0, "a backup is made beside the running server: {text}");
    let backup =
        text.lines().next().unwrap().strip_prefix("backed up to ").expect("it says where").to_owned();
    assert!(backup.starts_with(&format!("{backups}/mecum-relay-")), "under a name with the time: {backup}");
    assert!(text.contains("the server's key is in it"), "and that it holds the key: {text}");

    for checked in [&data, &backup] {
        let (code, text) = run(&["check", "--data", checked]);
        assert_eq!((code, text.lines().last()), (0, Some("nothing is wrong")), "{text}");
    }
    let (code, text) = run(&["restore", "--from", &backup, "--data", &data, "--replace"]);
    assert_eq!(code, 1, "not under the running server");
    assert!(text.contains("in use by a running server"), "and it says so: {text}");

    let (code, text) = run(&["restore", "--from", &backup, "--data", &copy]);
    assert_eq!(code, 0, "into a new folder: {text}");
    for said in
        ["backup made 0 min ago", &server.pin, "1 unused enrolment codes were dropped", "can be started"]
    {
        assert!(text.contains(said), "it says {said:?}: {text}");
    }
    let restored = Running::start(Path::new(&copy));
    assert_eq!(restored.pin, server.pin, "clients know it again");
    drop(restored);
    let (code, text) = run(&["restore", "--from", &backup, "--data", &copy]);
    assert_eq!(code, 1, "not over what is there");
    assert!(text.contains("--replace"), "it says what would: {text}");
    let (code, text) = run(&["restore", "--from", &backup, "--data", &copy, "--replace"]);
    assert_eq!(code, 0, "unless told: {text}");
    assert!(text.contains("what was there before lies in"), "and it says where that went: {text}");
}

#[test]
fn damage_is_named_and_has_an_exit_code_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (data, backup) = (path("data"), path("backup"));
    drop(Running::start(Path::new(&data)));
    assert_eq!(run(&["backup", "--data", &data, "--to", &backup]).0, 0, "backed up");
    let database = Path::new(&backup).join("relay.sqlite");
    let mut bytes = std::fs::read(&database).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&database, bytes).unwrap();
    let (code, text) = run(&["check", "--data", &backup]);
    assert_eq!(code, 3, "something is wrong: {text}");
    assert!(text.contains("wrong: backup.txt: file: backup is not whole"), "and it is named: {text}");
    let (code, text) = run(&["restore", "--from", &backup, "--data", &path("new")]);
    assert_eq!(code, 1, "and it is not restored: {text}");
    assert!(!Path::new(&path("new")).exists(), "nothing is made");
    for arguments in [["check", "--data", &path("nowhere")], ["enrol", "--data", &path("nowhere")]] {
        let (code, text) = run(&arguments);
        assert_eq!(code, 1, "there is nothing: {text}");
        assert!(text.contains("no server data here"), "and it says so: {text}");
        assert!(!Path::new(&path("nowhere")).exists(), "nothing is made");
    }
}

#[test]
fn one_data_folder_has_one_server() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let first = Running::start(&data);
    let (code, text) = run(&["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    assert_eq!(code, 1, "a second server does not start: {text}");
    assert!(text.contains("in use by a running server"), "and says why: {text}");
    drop(first);
    drop(Running::start(&data));
}
