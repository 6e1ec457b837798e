//! The client's transport against a real relay over TCP: sign-in, sync, pairing, wakes, errors, and what coming back costs.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "remote/answers.rs"]
mod answers;
#[path = "remote/coming_back.rs"]
mod coming_back;
#[path = "remote/proxy.rs"]
mod proxy;
#[path = "support/world.rs"]
mod world;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mecum_client::remote::{Heard, Remote, RemoteError, Session};
use mecum_relay::{Relay, RelayOptions};
use mecum_seal::SigningKey;
use mecum_seal::testing::SeededEntropy;
use mecum_sync::testing::Actor;
use mecum_sync::{Accepted, Follower, Level, Refusal, RefusalCode, SyncRequest};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use proxy::Proxy;

/// The most that a reconnect with nothing new may cost, both ways, with all headers, in bytes.
const MAX_IDLE_BYTES: u64 = 400;

struct Server {
    _dir: TempDir,
    relay: Relay,
    address: SocketAddr,
}

impl Server {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = RelayOptions { log: Arc::new(|_| {}), ..RelayOptions::default() };
        let relay = Relay::open(dir.path(), options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = relay.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await.unwrap() });
        Self { _dir: dir, relay, address }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn remote(&self) -> Remote {
        Remote::new(&self.url(), self.relay.key()).unwrap()
    }

    async fn enrolled(&self, seed: u64) -> (Actor, Remote, Session) {
        let actor = Actor::new(seed);
        let remote = self.remote();
        let code = self.relay.make_enrolment_code().unwrap();
        remote.enrol(&code, actor.account_genesis()).await.unwrap();
        let session = sign_in(&remote, &actor).await;
        (actor, remote, session)
    }
}

async fn sign_in(remote: &Remote, actor: &Actor) -> Session {
    remote.sign_in(&actor.signing, actor.account, actor.device, actor.incarnation).await.unwrap()
}

/// Asks once and takes everything in.
async fn exchange(
    remote: &Remote,
    session: &Session,
    follower: &mut Follower,
    request: &SyncRequest,
) -> usize {
    let response = remote.sync(session, request).await.unwrap();
    assert!(response.push_outcomes.iter().all(|o| o.refusal().is_none()), "honest pushes are accepted");
    follower.check_response(request, &response).unwrap();
    let mut envelopes = 0;
    for item in &response.items {
        if let Accepted::Envelopes { envelopes: came, .. } = follower.accept(item).unwrap() {
            envelopes += came.len();
        }
    }
    follower.advance(response.cursor);
    envelopes
}

fn pull(follower: &Follower) -> SyncRequest {
    SyncRequest::pull(follower.cursor(), 1 << 22)
}

#[tokio::test]
async fn two_devices_exchange_over_tcp_and_wake_each_other() {
    let server = Server::start().await;
    let info = Remote::server_info(&server.url()).await.unwrap();
    assert_eq!(info.key, server.relay.key(), "the server names its key");
    let (mut laptop, remote, session) = server.enrolled(1).await;
    let genesis = laptop.account_genesis();
    let mut at_laptop = Follower::found(&genesis, laptop.incarnation, Some(info.key)).unwrap();
    let (space, space_genesis) = laptop.found_space(Some(info.key));
    at_laptop.found_space(&space_genesis).unwrap();

    let mut phone = Actor::second(2, &laptop);
    phone.join_space(space, space_genesis.hash());
    let add = laptop.add_device(at_laptop.account_log().unwrap(), &phone);
    let mut request = pull(&at_laptop);
    request.account_entries.push(add);
    request.space_entries.push(space_genesis);
    exchange(&remote, &session, &mut at_laptop, &request).await;

    let phone_remote = server.remote();
    let phone_session = sign_in(&phone_remote, &phone).await;
    let mut at_phone =
        Follower::join(phone.account, phone.device, phone.incarnation, genesis.hash(), Some(info.key));
    let (mut wake, heard) = phone_remote.wake(&phone_session, at_phone.cursor()).await.unwrap();
    assert_eq!(heard, Heard::News, "what there was before the phone is news to it");
    let mut request = pull(&at_laptop);
    request.pushes.push(laptop.push(space, &["one", "two"], vec![]));
    exchange(&remote, &session, &mut at_laptop, &request).await;

    tokio::time::timeout(Duration::from_secs(5), wake.next()).await.expect("the phone is woken").unwrap();
    let request = pull(&at_phone);
    let came = exchange(&phone_remote, &phone_session, &mut at_phone, &request).await;
    assert_eq!(came, 2, "and finds what the laptop wrote");
    let mut request = pull(&at_phone);
    request.pushes.push(phone.push(space, &["three"], at_phone.received(space)));
    exchange(&phone_remote, &phone_session, &mut at_phone, &request).await;
    let request = pull(&at_laptop);
    assert_eq!(exchange(&remote, &session, &mut at_laptop, &request).await, 1, "the answer comes back");
    let (_wake, heard) = remote.wake(&session, at_laptop.cursor()).await.unwrap();
    assert_eq!(heard, Heard::NothingNew, "after the exchange there is nothing new");
    let chain = mecum_sync::Chain { device: laptop.device, incarnation: laptop.incarnation, space };
    let level = at_laptop.receipt_level(&chain, 2);
    assert_eq!(level, Level::Received { by: phone.device }, "received, by the phone's signature");
}

#[tokio::test]
async fn an_idle_sync_costs_at_most_four_hundred_bytes_both_ways() {
    let server = Server::start().await;
    let (mut laptop, remote, session) = server.enrolled(1).await;
    let mut follower =
        Follower::found(&laptop.account_genesis(), laptop.incarnation, Some(server.relay.key())).unwrap();
    let mut request = pull(&follower);
    for _ in 0..12 {
        request.space_entries.push(laptop.found_space(Some(server.relay.key())).1);
    }
    exchange(&remote, &session, &mut follower, &request).await;

    let proxy = Proxy::start(server.address).await;
    let counted_remote = Remote::new(&proxy.url, server.relay.key()).unwrap();
    let request = pull(&follower);
    let response = counted_remote.sync(&session, &request).await.unwrap();
    assert!(response.items.is_empty() && !response.more, "there is nothing new");
    let bytes = proxy.bytes();
    println!("idle sync: {bytes} bytes both ways with all headers");
    assert!(bytes > 100, "the proxy has counted");
    assert!(
        bytes <= MAX_IDLE_BYTES,
        "an idle sync costs {bytes} bytes, at most {MAX_IDLE_BYTES} are allowed"
    );
}

#[tokio::test]
async fn errors_say_what_a_person_can_do() {
    let server = Server::start().await;
    let (actor, remote, session) = server.enrolled(1).await;

    let wrong = remote.enrol("0000", Actor::new(5).account_genesis()).await.unwrap_err();
    assert!(
        matches!(wrong, RemoteError::Refused(r) if r.code == RefusalCode::BadCode),
        "a wrong code: {wrong}"
    );
    let thief = SigningKey::make(&SeededEntropy::new(7));
    let denied = remote.sign_in(&thief, actor.account, actor.device, actor.incarnation).await.unwrap_err();
    assert!(matches!(denied, RemoteError::Unauthorised), "another key: {denied}");
    let ahead = remote.sync(&session, &SyncRequest::pull(1_000, 1)).await.unwrap_err();
    assert!(matches!(ahead, RemoteError::Refused(r) if r.code == RefusalCode::Resync), "resync: {ahead}");

    let elsewhere = Server::start().await;
    let lost = elsewhere.remote().sync(&session, &SyncRequest::pull(0, 1)).await.unwrap_err();
    assert!(matches!(lost, RemoteError::Unauthorised), "a session of another server: {lost}");
    let lost = elsewhere.remote().wake(&session, 0).await.unwrap_err();
    assert!(matches!(lost, RemoteError::Unauthorised), "nor does its wake open: {lost}");
    let swapped = Remote::new(&elsewhere.url(), server.relay.key()).unwrap();
    let swapped =
        swapped.sign_in(&actor.signing, actor.account, actor.device, actor.incarnation).await.unwrap_err();
    assert!(matches!(swapped, RemoteError::OtherServer), "a server with another key: {swapped}");

    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = Remote::server_info(&format!("http://{unused}")).await.unwrap_err();
    assert!(matches!(gone, RemoteError::Offline), "nobody there: {gone}");
    let bad = Remote::new("http://mecum.example", server.relay.key()).unwrap_err();
    assert!(matches!(bad, RemoteError::BadAddress), "no clear text over a network: {bad}");
}

#[tokio::test]
async fn a_server_that_talks_nonsense_is_not_believed() {
    let answers: [&'static [u8]; 5] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n",
    ];
    for (n, answer) in answers.into_iter().enumerate() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0u8; 1024];
            let _ = stream.read(&mut request).await;
            stream.write_all(answer).await.unwrap();
            let filler = vec![0u8; 64 * 1024];
            while n == 4 && stream.write_all(&filler).await.is_ok() {}
        });
        let error = Remote::server_info(&url).await.unwrap_err();
        assert!(matches!(error, RemoteError::BadAnswer), "answer {n} makes no sense: {error}");
    }
}

#[tokio::test]
async fn a_proxys_own_page_reads_as_no_way_to_the_server() {
    let unavailable = mecum_sync::encode(&Refusal::from(RefusalCode::Unavailable));
    for status in [502, 503, 504] {
        for (page, offline) in [(&b"<html>away</html>"[..], true), (b"", true), (&unavailable, false)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let head = format!("HTTP/1.1 {status} Away\r\ncontent-length: {}\r\n\r\n", page.len());
            let answer = [head.as_bytes(), page].concat();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0u8; 1024]).await;
                stream.write_all(&answer).await.unwrap();
            });
            let error = Remote::server_info(&url).await.unwrap_err();
            let said = if offline {
                matches!(error, RemoteError::Offline)
            } else {
                matches!(error, RemoteError::Refused(refusal) if refusal.code == RefusalCode::Unavailable)
            };
            assert!(said, "{status} with {} bytes: {error}", page.len());
        }
    }
}

#[tokio::test]
async fn a_pairing_mailbox_carries_three_messages() {
    let server = Server::start().await;
    let (laptop, phone) = (server.remote(), server.remote());
    let mailbox = [7u8; 16];
    assert_eq!(phone.mailbox_get(&mailbox, "offer").await.unwrap(), None, "nothing is there yet");
    laptop.mailbox_put(&mailbox, "offer", b"sealed offer").await.unwrap();
    assert_eq!(phone.mailbox_get(&mailbox, "offer").await.unwrap().unwrap(), b"sealed offer", "the offer");
    phone.mailbox_put(&mailbox, "join", b"sealed join").await.unwrap();
    assert_eq!(laptop.mailbox_get(&mailbox, "join").await.unwrap().unwrap(), b"sealed join", "the answer");
    laptop.mailbox_put(&mailbox, "welcome", b"sealed welcome").await.unwrap();
    let again = laptop.mailbox_put(&mailbox, "welcome", b"another").await.unwrap_err();
    assert!(
        matches!(again, RemoteError::Refused(r) if r.code == RefusalCode::AlreadyExists),
        "once: {again}"
    );
    let large = laptop.mailbox_put(&mailbox, "offer", &vec![0; 20_000]).await.unwrap_err();
    assert!(matches!(large, RemoteError::TooLarge), "above the limit: {large}");
}
