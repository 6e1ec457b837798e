//! The server as a process: it says where it listens, enrols while it runs, stops when asked, and keeps its key.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use server::{Running, SERVER, enrolment_code};

fn get(server: &Running, path: &str) -> String {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn the_server_listens_enrols_and_stops_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path());
    assert!(get(&server, "/v1/health").ends_with("ok\n"), "it answers");
    let code = enrolment_code(dir.path());
    assert_eq!(code.len(), 19, "a code is printed while the server runs: {code:?}");

    // An open connection must not hold up the stop for longer than the grace.
    let _idle = TcpStream::connect(&server.address).unwrap();
    let began = Instant::now();
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success(), "asked to stop");
    let status = server.child.wait().unwrap();
    assert!(status.success(), "it ends in order: {status}");
    assert!(began.elapsed() < Duration::from_secs(5), "within five seconds: {:?}", began.elapsed());

    let again = Running::start(dir.path());
    assert_eq!(again.pin, server.pin, "the pin is the same after a restart");
    assert_eq!(again.pin.len(), 64, "and is a key in hexadecimal");
}

#[test]
fn the_key_is_readable_by_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let _server = Running::start(dir.path());
    let mode = std::fs::metadata(dir.path().join("relay.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else reads the key");
}

#[test]
fn unknown_arguments_are_refused_with_usage() {
    let refused =
        Command::new(SERVER).args(["--data", "x", "--listen", "127.0.0.1:0", "--trust"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "a usage error");
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("unknown argument: --trust") && text.contains("usage:"), "and says so: {text}");
    assert!(!Path::new("x").exists(), "nothing was made");
}
