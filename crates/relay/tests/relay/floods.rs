//! Slow, oversized and smuggled requests: cut off in time, at no cost to others.

use std::time::{Duration, Instant};

use mecum_relay::Limits;
use mecum_sync::RefusalCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::device::Device;
use crate::server::{Answer, Server, roomy};

fn quick() -> Limits {
    let short = Duration::from_millis(400);
    Limits { header_timeout: short, body_timeout: short, write_timeout: short, ..roomy() }
}

/// How long the relay keeps a connection that sends `bytes` and then one byte now and then.
async fn patience(server: &Server, bytes: &[u8], drip: u8) -> Duration {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let began = Instant::now();
    stream.write_all(bytes).await.unwrap();
    let mut answer = [0u8; 1024];
    while began.elapsed() < Duration::from_secs(10) {
        let read = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut answer)).await;
        match read {
            Ok(Ok(0) | Err(_)) => return began.elapsed(),
            Ok(Ok(_)) => {}
            Err(_) => {
                if stream.write_all(&[drip]).await.is_err() {
                    return began.elapsed();
                }
            }
        }
    }
    panic!("the relay kept a slow connection");
}

#[tokio::test]
async fn slow_heads_and_bodies_are_cut_off() {
    let server = Server::start(quick()).await;
    let laptop = Device::enrolled(&server, 1).await;
    let head = patience(&server, b"POST /v1/sync HTTP/1.1\r\nx-slow: ", b'a').await;
    let not_before = Duration::from_millis(300);
    assert!(head > not_before, "nor before: {head:?}");
    assert!(head < Duration::from_secs(2), "a slow head is cut after its deadline, not {head:?}");
    let body = format!(
        "POST /v1/sync HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {}\r\ncontent-length: 100000\r\n\r\n",
        laptop.token
    );
    let body = patience(&server, body.as_bytes(), 0).await;
    assert!(body > not_before, "nor before: {body:?}");
    assert!(body < Duration::from_secs(3), "a slow body is cut after its deadline, not {body:?}");
    let idle = patience(&server, b"", b'\r').await;
    assert!(idle > not_before, "nor before: {idle:?}");
    assert!(idle < Duration::from_secs(2), "a connection that says nothing is cut, not after {idle:?}");
    assert_eq!(server.ask("GET", "/v1/health", None, &[]).await.status, 200, "others are answered");
}

#[tokio::test]
async fn many_slow_connections_do_not_hold_up_an_honest_one() {
    let server = Server::start(quick()).await;
    let mut held = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"POST /v1/sync HTTP/1.1\r\n").await.unwrap();
        held.push(stream);
    }
    let began = Instant::now();
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    laptop.write(&server, space, &["in time"]).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "an honest device is served meanwhile: {took:?}");
}

#[tokio::test]
async fn connections_beyond_the_cap_are_closed_and_places_come_back() {
    let server = Server::start(Limits { connections_per_source: 4, ..roomy() }).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /v1/health HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
        let mut answer = [0u8; 12];
        stream.read_exact(&mut answer).await.unwrap();
        held.push(stream);
    }
    let refused = server.raw(b"GET /v1/health HTTP/1.1\r\nhost: t\r\n\r\n").await;
    assert!(refused.is_empty(), "the fifth is closed without an answer");
    drop(held);
    // The relay notices the closings when it notices them.
    let began = Instant::now();
    let mut answer = Vec::new();
    while answer.is_empty() && began.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer = server.raw(b"GET /v1/health HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n").await;
    }
    assert_eq!(Answer::parse(&answer).status, 200, "places come back");
}

#[tokio::test]
async fn oversized_requests_are_refused_before_they_are_read() {
    let server = Server::start(roomy()).await;
    let laptop = Device::enrolled(&server, 1).await;
    let before = server.digest(&[]);
    let head = format!(
        "POST /v1/sync HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {}\r\ncontent-length: 99999999999\r\nconnection: close\r\n\r\n",
        laptop.token
    );
    let answer = Answer::parse(&server.raw(head.as_bytes()).await);
    assert_eq!((answer.status, answer.refusal().code), (413, RefusalCode::TooLarge), "a claimed size");
    let small = Answer::parse(
        &server.raw(b"POST /v1/session HTTP/1.1\r\nhost: t\r\ncontent-length: 999999\r\nconnection: close\r\n\r\n").await,
    );
    assert_eq!(small.status, 413, "sign-in takes small bodies only");
    let mut headers = b"GET /v1/health HTTP/1.1\r\n".to_vec();
    for n in 0..10_000 {
        headers.extend(format!("x-{n}: a\r\n").into_bytes());
    }
    headers.extend(b"\r\n");
    assert_eq!(Answer::parse(&server.raw(&headers).await).status, 431, "ten thousand headers");
    let mut long = b"GET /v1/health HTTP/1.1\r\nx: ".to_vec();
    long.resize(300_000, b'a');
    assert_eq!(Answer::parse(&server.raw(&long).await).status, 431, "one endless header");
    println!("proof: {{\"test\":47,\"cases\":4,\"failures\":0}}");
    assert_eq!(server.digest(&[]), before, "nothing is changed");
    // The control: what stays just within the same limits is served.
    let mut within = b"GET /v1/health HTTP/1.1\r\nhost: t\r\nconnection: close\r\nx: ".to_vec();
    within.resize(60_000, b'a');
    for n in 0..28 {
        within.extend(format!("\r\nx-{n}: a").into_bytes());
    }
    within.extend(b"\r\n\r\n");
    assert_eq!(Answer::parse(&server.raw(&within).await).status, 200, "a head within the limits");
    let fits = server.ask("POST", "/v1/session", None, &vec![0; 16 * 1024]).await;
    assert_eq!(fits.refusal().code, RefusalCode::Malformed, "a body that fits is read, and is no sign-in");
    mecum_faults::control_failed("what is within the limits is taken");
}

#[tokio::test]
async fn smuggled_and_odd_requests_get_no_further_than_a_refusal() {
    let server = Server::start(quick()).await;
    let before = server.digest(&[]);
    let cases: [&[u8]; 9] = [
        b"POST /v1/enrol HTTP/1.1\r\nhost: t\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/metrics HTTP/1.1\r\n\r\n",
        b"POST /v1/enrol HTTP/1.1\r\nhost: t\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"GET /v1/../v1/metrics HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n",
        b"GET /v1/%6detrics/ HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n",
        b"GET //v1/metrics HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n",
        b"TRACE /v1/sync HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n",
        b"DELETE /v1/mailbox/00112233445566778899aabbccddeeff/offer HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n",
        b"GET /v1/wake HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not http at all \r\n\r\n",
    ];
    let served = |answer: &[u8]| String::from_utf8_lossy(answer).matches("HTTP/1.1 200 ").count();
    for (n, bytes) in cases.iter().enumerate() {
        let answer = server.raw(bytes).await;
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(served(&answer), 0, "case {n} is not served: {text}");
        assert!(!text.contains(" 500 "), "case {n} breaks nothing: {text}");
    }
    // The control: of two requests that were written one behind the other as they must be, the second is served and seen.
    let pair = b"POST /v1/challenge HTTP/1.1\r\nhost: t\r\ncontent-length: 0\r\n\r\nGET /v1/health HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n";
    assert_eq!(served(&server.raw(pair).await), 2, "a request behind another is served");
    mecum_faults::control_failed("a request behind another that is well formed is served");
    println!("proof: {{\"test\":47,\"cases\":{},\"failures\":0}}", cases.len());
    assert_eq!(server.digest(&[]), before, "nothing is changed");
    assert_eq!(server.ask("GET", "/v1/health", None, &[]).await.status, 200, "the relay goes on");
}
