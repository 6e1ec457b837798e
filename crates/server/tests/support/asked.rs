//! A server's process that is spoken to in plain HTTP, and what it takes of the machine.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use mecum_seal::VerifyingKey;
use mecum_sync::testing::Actor;
use mecum_sync::{Challenge, EnrolRequest, PROTOCOL_VERSION, SessionGrant, SignIn, Signed, decode, encode};

use crate::server::{Running, SERVER, enrolment_code};

/// A server whose every request names a source of its own, as a proxy would.
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) pin: VerifyingKey,
    pub(crate) data: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut program = Command::new(SERVER);
        program.args(["--proxy", "127.0.0.1"]);
        let running = Running::start_by(program, data.path());
        let pin = running.pin.parse().unwrap();
        Self { running, pin, data }
    }

    /// A code for the account of a hospital.
    #[allow(dead_code, reason = "not every program that is made of this file asks for one")]
    pub(crate) fn host_code(&self) -> String {
        let mut program = std::process::Command::new(SERVER);
        let made = program.args(["enrol", "--hospital", "--data"]).arg(self.data.path()).output().unwrap();
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn code(&self) -> String {
        enrolment_code(self.data.path())
    }

    /// A figure of the process' memory as the system names it (`VmRSS`, `VmHWM`), in KiB.
    pub(crate) fn kib(&self, figure: &str) -> i64 {
        kib(self.running.child.id(), figure)
    }

    /// One request; the status and body of its answer, 0 if the connection was closed.
    pub(crate) fn ask(&self, number: u64, path: &str, token: Option<&str>, body: &[u8]) -> (u16, Vec<u8>) {
        self.ask_by("POST", number, path, token, body)
    }

    /// The same by another method.
    pub(crate) fn ask_by(
        &self,
        method: &str,
        number: u64,
        path: &str,
        token: Option<&str>,
        body: &[u8],
    ) -> (u16, Vec<u8>) {
        let mut head = head_by(method, number, path, token) + "connection: close\r\n";
        write!(head, "content-length: {}\r\n\r\n", body.len()).unwrap();
        self.raw(&[head.as_bytes(), body].concat())
    }

    pub(crate) fn raw(&self, bytes: &[u8]) -> (u16, Vec<u8>) {
        raw(&self.running.address, bytes)
    }

    pub(crate) fn frame<T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>>(
        &self,
        path: &str,
        token: Option<&str>,
        body: &[u8],
    ) -> T {
        let (status, body) = self.ask(0, path, token, body);
        assert_eq!(status, 200, "{path} is answered");
        decode(&body, 1 << 24).unwrap()
    }
}

/// What a server at `address` answers to these bytes: the status and the body, 0 if it closed the connection.
pub(crate) fn raw(address: &str, bytes: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The server may close before everything is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let status = String::from_utf8_lossy(&answer).split(' ').nth(1).and_then(|text| text.parse().ok());
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    (status.unwrap_or(0), answer.split_off(end))
}

/// A figure of a process' memory as the system names it, in KiB.
pub(crate) fn kib(process: u32, figure: &str) -> i64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// The head of a request up to what says how long it is.
pub(crate) fn head(number: u64, path: &str, token: Option<&str>) -> String {
    head_by("POST", number, path, token)
}

fn head_by(method: &str, number: u64, path: &str, token: Option<&str>) -> String {
    let [.., a, b, c] = number.to_be_bytes();
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: t\r\nx-forwarded-for: 10.{a}.{b}.{c}\r\n");
    if let Some(token) = token {
        write!(head, "authorization: Bearer {token}\r\n").unwrap();
    }
    head
}

/// Enrols a new account and signs in; who it is, and its token.
pub(crate) fn enrolled(server: &Server, seed: u64) -> (Actor, String) {
    let actor = Actor::new(seed);
    let genesis = actor.account_genesis();
    let enrolment = EnrolRequest { version: PROTOCOL_VERSION, code: server.code(), genesis };
    server.frame::<mecum_sync::EnrolResponse>("/v1/enrol", None, &encode(&enrolment));
    let Challenge { nonce, server_time_ms, server: at } = server.frame("/v1/challenge", None, &[]);
    let Actor { account, device, incarnation, .. } = actor;
    let body = SignIn { server: at, nonce, server_time_ms, account, device, incarnation };
    let signed = encode(&Signed::sign(body, &actor.signing));
    let token = server.frame::<SessionGrant>("/v1/session", None, &signed).token.to_hex();
    (actor, token)
}

/// A connection that stays open, for many requests one after the other.
pub(crate) struct Line(TcpStream);

impl Line {
    pub(crate) fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(stream)
    }

    /// One request, with its head up to what says how long it is; the status and body of its answer.
    pub(crate) fn post(&mut self, head: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let length = format!("content-length: {}\r\n\r\n", body.len());
        self.0.write_all(&[head.as_bytes(), length.as_bytes(), body].concat()).unwrap();
        let (mut answer, mut part) = (Vec::new(), [0; 16 * 1024]);
        loop {
            if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = std::str::from_utf8(&answer[..end]).unwrap().to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                if answer.len() >= end + 4 + length.parse::<usize>().unwrap() {
                    return (head.split(' ').nth(1).unwrap().parse().unwrap(), answer.split_off(end + 4));
                }
            }
            let read = self.0.read(&mut part).unwrap();
            assert!(read > 0, "the server keeps the connection");
            answer.extend_from_slice(&part[..read]);
        }
    }
}
