//! Two devices of one account: they exchange, acknowledge, wake each other, pair, and find everything after a restart.

use std::time::Duration;

use mecum_seal::Envelope;
use mecum_sync::{Chain, Item, Level, SyncResponse, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::device::Device;
use crate::server::{Server, roomy};

fn opened(device: &Device, bytes: &[Vec<u8>]) -> Vec<String> {
    bytes
        .iter()
        .map(|b| Envelope::parse(b).unwrap().open(&device.actor.document_key).unwrap())
        .map(|text| String::from_utf8(text).unwrap())
        .collect()
}

#[tokio::test]
async fn what_one_device_writes_the_other_reads_and_acknowledges() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    laptop.write(&server, space, &["first", "second"]).await;
    let chain = Chain { device: laptop.actor.device, incarnation: laptop.actor.incarnation, space };
    let stored = laptop.follower.receipt_level(&chain, 2);
    assert!(matches!(stored, Level::Stored { at_ms: Some(_) }), "the relay signed a receipt: {stored:?}");

    let mut phone = laptop.pair(&server, 2).await;
    let came = phone.catch_up(&server).await;
    assert_eq!(opened(&laptop, &came), ["first", "second"], "the phone has both, in order");
    phone.write(&server, space, &["answer"]).await;
    let came = laptop.catch_up(&server).await;
    assert_eq!(opened(&phone, &came), ["answer"], "the laptop has the answer and not its own again");
    let level = laptop.follower.receipt_level(&chain, 2);
    assert_eq!(level, Level::Received { by: phone.actor.device }, "the phone's statement covers it");
    let (a, b) = (laptop.follower.chains(space), phone.follower.chains(space));
    let heads = |chains: &[(Chain, mecum_sync::ChainHead)]| {
        chains.iter().map(|(c, h)| (*c, h.envelope_seq, h.hash)).collect::<Vec<_>>()
    };
    assert_eq!(heads(&a), heads(&b), "both devices agree on every chain");
}

#[tokio::test]
async fn an_acknowledgement_alone_is_handed_on_once() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    let mut phone = laptop.pair(&server, 2).await;
    laptop.write(&server, space, &["first"]).await;
    phone.catch_up(&server).await;
    assert!(phone.follower.owes_acknowledgement(space), "the phone holds something new");
    phone.write(&server, space, &[]).await;
    assert!(!phone.follower.owes_acknowledgement(space), "and has said so");
    let before = server.digest(&[]);
    phone.write(&server, space, &[]).await;
    assert_eq!(server.digest(&[]), before, "saying it again stores nothing");
    laptop.catch_up(&server).await;
    let chain = Chain { device: laptop.actor.device, incarnation: laptop.actor.incarnation, space };
    let level = laptop.follower.receipt_level(&chain, 1);
    assert_eq!(level, Level::Received { by: phone.actor.device }, "received without an envelope");
    assert!(!laptop.follower.owes_acknowledgement(space), "an acknowledgement is not acknowledged");
}

#[tokio::test]
async fn a_repeated_push_gets_the_same_receipt_and_changes_nothing() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    let push = laptop.actor.push(space, &["a", "b", "c"], vec![]);
    let first = laptop.push(&server, &push).await.unwrap();
    let before = server.digest(&[]);
    server.advance(60_000);
    let second = laptop.push(&server, &push).await.unwrap();
    assert!(first.receipts.is_some(), "there is a receipt");
    assert_eq!(first.receipts, second.receipts, "the same receipt, to the byte");
    assert_eq!(server.digest(&[]), before, "a repetition changes nothing");

    // A retry that carries more: only what is new is stored.
    let more = laptop.actor.push(space, &["d"], vec![]);
    let mut overlapping = more.clone();
    overlapping.envelopes.splice(0..0, push.envelopes[1..].iter().cloned());
    laptop.push(&server, &overlapping).await.unwrap();
    let mut phone = laptop.pair(&server, 2).await;
    let came = phone.catch_up(&server).await;
    assert_eq!(opened(&laptop, &came), ["a", "b", "c", "d"], "each once, in order");
    laptop.push(&server, &push).await.expect("an older push that arrives late is known");
}

#[tokio::test]
async fn a_page_ends_and_the_next_goes_on() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    for n in 0..20 {
        laptop.write(&server, space, &[&format!("{n}"), &"x".repeat(5_000)]).await;
    }
    let mut phone = laptop.pair(&server, 2).await;
    let mut pages = 0;
    let mut envelopes = 0;
    loop {
        let mut request = phone.request();
        request.max_bytes = 20_000;
        let response = phone.sync(&server, &request).await.unwrap();
        let size = encode(&response).len();
        assert!(size < 25_000, "a page keeps to the asked size, not {size}");
        pages += 1;
        envelopes += count(&response);
        if !response.more {
            break;
        }
    }
    assert!(pages >= 6, "there were several pages: {pages}");
    assert_eq!(envelopes, 40, "nothing is skipped and nothing comes twice");
}

fn count(response: &SyncResponse) -> usize {
    let sizes = response.items.iter().map(|item| match item {
        Item::Batch { push, .. } => push.envelopes.len(),
        _ => 0,
    });
    sizes.sum()
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let mut server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    laptop.write(&server, space, &["before"]).await;
    let (pin, before) = (server.pin(), server.digest(&[]));
    server.restart().await;
    assert_eq!(server.pin(), pin, "the relay keeps its key");
    assert_eq!(server.digest(&[]), before, "and every row");
    let stale = server.ask("POST", "/v1/sync", Some(&laptop.token), &encode(&laptop.request())).await;
    assert_eq!(stale.status, 401, "sessions end with the process");
    laptop.sign_in(&server).await;
    laptop.write(&server, space, &["after"]).await;
    let mut phone = laptop.pair(&server, 2).await;
    let came = phone.catch_up(&server).await;
    assert_eq!(opened(&laptop, &came), ["before", "after"], "the chain went on");
}

#[tokio::test]
async fn a_device_that_starts_over_recognises_everything() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    laptop.write(&server, space, &["a", "b"]).await;
    let mut phone = laptop.pair(&server, 2).await;
    phone.catch_up(&server).await;
    phone.write(&server, space, &["c"]).await;
    laptop.write(&server, space, &["d"]).await;
    phone.catch_up(&server).await;
    phone.write(&server, space, &[]).await;
    phone.catch_up(&server).await;
    let before = phone.follower.to_bytes();
    phone.follower.start_over();
    assert_eq!(phone.catch_up(&server).await.len(), 0, "nothing is new");
    assert_eq!(phone.follower.to_bytes(), before, "and the state is the same as before");
}

#[tokio::test]
async fn devices_that_push_at_once_leave_no_gap() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    let mut devices = vec![];
    for seed in 2..6 {
        devices.push(laptop.pair(&server, seed).await);
    }
    let server = std::sync::Arc::new(server);
    let mut tasks = tokio::task::JoinSet::new();
    for mut device in devices {
        let server = std::sync::Arc::clone(&server);
        tasks.spawn(async move {
            for n in 0..10 {
                device.write(&server, space, &[&format!("{n}"), "and"]).await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    // The follower refuses gaps in space_seq and in every chain.
    assert_eq!(laptop.catch_up(&server).await.len(), 80, "every envelope, in one order without a gap");
}

#[tokio::test]
async fn a_wake_says_one_byte_to_the_others_alone() {
    let mut server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    let phone = laptop.pair(&server, 2).await;
    let mut at_phone = socket(&server, &phone.token).await;
    let mut at_laptop = socket(&server, &laptop.token).await;
    laptop.write(&server, space, &["news"]).await;
    let mut frame = [0u8; 3];
    tokio::time::timeout(Duration::from_secs(5), at_phone.read_exact(&mut frame)).await.unwrap().unwrap();
    assert_eq!(frame, [0x82, 1, 1], "one binary frame of one byte");
    let quiet = tokio::time::timeout(Duration::from_millis(200), at_laptop.read_u8()).await;
    assert!(quiet.is_err(), "who brought the news is not woken by it");
    let took = server.stop().await;
    assert!(took < Duration::from_secs(5), "open sockets do not hold up a stop: {took:?}");
}

/// Opens a wake socket by hand (RFC 6455).
async fn socket(server: &Server, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "GET /v1/wake HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {token}\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "the socket opens");
    stream
}
