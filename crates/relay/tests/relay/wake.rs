//! The wake socket over TCP, byte by byte: what a device that comes back asks, and what it hears.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::device::Device;
use crate::server::{Server, roomy};

/// One binary frame (RFC 6455 section 5.2) of one byte.
const NOTHING_NEW: [u8; 3] = [0x82, 1, 0];
pub(crate) const NEWS: [u8; 3] = [0x82, 1, 1];

/// Asks for a wake socket by hand; answers the stream and the head of the answer.
async fn ask(server: &Server, token: &str, question: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "GET /v1/wake{question} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {token}\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    (stream, String::from_utf8(answer).unwrap())
}

pub(crate) async fn opened(server: &Server, token: &str, question: &str) -> TcpStream {
    let (stream, head) = ask(server, token, question).await;
    assert!(head.starts_with("HTTP/1.1 101"), "the socket opens: {head}");
    stream
}

pub(crate) async fn heard(stream: &mut TcpStream) -> [u8; 3] {
    let mut frame = [0u8; 3];
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut frame)).await;
    read.expect("a frame comes in time").unwrap();
    frame
}

pub(crate) async fn is_quiet(stream: &mut TcpStream) -> bool {
    tokio::time::timeout(Duration::from_millis(200), stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn a_device_that_comes_back_hears_first_whether_there_is_anything() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    let mut phone = laptop.pair(&server, 2).await;
    phone.catch_up(&server).await;
    let cursor = phone.follower.cursor();

    let mut at_phone = opened(&server, &phone.token, &format!("?{cursor}")).await;
    assert_eq!(heard(&mut at_phone).await, NOTHING_NEW, "nothing after its cursor");
    assert!(is_quiet(&mut at_phone).await, "and that is all");
    laptop.write(&server, space, &["news"]).await;
    assert_eq!(heard(&mut at_phone).await, NEWS, "the socket that answered wakes");
    assert!(is_quiet(&mut at_phone).await, "once");

    let mut behind = opened(&server, &phone.token, &format!("?{cursor}")).await;
    assert_eq!(heard(&mut behind).await, NEWS, "who was away when it was stored hears of it at once");
    let mut ahead = opened(&server, &phone.token, &format!("?{}", cursor + 1_000)).await;
    assert_eq!(
        heard(&mut ahead).await,
        NEWS,
        "beyond the end nothing is up to date: an exchange says what is wrong"
    );
    let mut silent = opened(&server, &phone.token, "").await;
    assert!(is_quiet(&mut silent).await, "who does not ask is not answered");
    assert_eq!(phone.catch_up(&server).await.len(), 1, "what was said to be there is there");
    let mut after = opened(&server, &phone.token, &format!("?{}", phone.follower.cursor())).await;
    assert_eq!(heard(&mut after).await, NOTHING_NEW, "and then there is nothing more");
}

#[tokio::test]
async fn a_question_without_a_pass_or_without_sense_opens_nothing() {
    let mut limits = roomy();
    limits.syncs_per_device.burst = 3.0;
    limits.syncs_per_device.per_second = 0.0;
    let server = Server::start(limits).await;
    let device = Device::enrolled(&server, 1).await;
    let before = server.digest(&[]);
    for question in ["?", "?x", "?-1", "?+1", "?1,2", "?99999999999999999999999"] {
        let (_, head) = ask(&server, &device.token, question).await;
        assert!(head.starts_with("HTTP/1.1 400"), "{question} is no cursor: {head}");
    }
    let (_, head) = ask(&server, &"0".repeat(64), "?0").await;
    assert!(head.starts_with("HTTP/1.1 401"), "nobody's pass: {head}");
    for _ in 0..3 {
        drop(opened(&server, &device.token, "?0").await);
    }
    let (_, head) = ask(&server, &device.token, "?0").await;
    assert!(head.starts_with("HTTP/1.1 429"), "a question counts as an exchange: {head}");
    drop(opened(&server, &device.token, "").await);
    assert_eq!(server.digest(&[]), before, "nothing is changed");
}

#[tokio::test]
async fn answers_are_dated_by_the_servers_clock_but_for_the_one_that_opens_a_socket() {
    let server = Server::start(roomy()).await;
    let device = Device::enrolled(&server, 1).await;
    let (_, head) = ask(&server, &device.token, "?0").await;
    assert!(!head.to_ascii_lowercase().contains("\r\ndate:"), "each byte of it counts: {head}");
    let plain = server.raw(b"GET /v1/health HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n").await;
    let plain = String::from_utf8(plain).unwrap().to_ascii_lowercase();
    assert!(plain.contains("\r\ndate: mon, 21 sep 2026 14:13:20 gmt\r\n"), "RFC 9110 section 6.6.1: {plain}");
}
