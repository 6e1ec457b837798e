//! Mailboxes: what they hold and for how long, and how many of them who may open.

use std::net::IpAddr;

use mecum_relay::{Limits, Rate};

use crate::device::Device;
use crate::server::{Answer, Server, roomy};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[tokio::test]
async fn a_mailbox_holds_each_message_once_and_not_for_long() {
    let server = Server::start(roomy()).await;
    let offer = "/v1/mailbox/00112233445566778899aabbccddeeff/offer";
    let join = "/v1/mailbox/00112233445566778899aabbccddeeff/join";
    assert_eq!(server.ask("GET", offer, None, &[]).await.status, 404, "nothing is there yet");
    assert_eq!(server.ask("PUT", join, None, b"early").await.status, 404, "only an offer opens a mailbox");
    assert_eq!(server.ask("PUT", offer, None, b"sealed offer").await.status, 204, "the offer is put");
    assert_eq!(server.ask("PUT", offer, None, b"sealed offer").await.status, 204, "again the same: a retry");
    assert_eq!(server.ask("PUT", offer, None, b"another").await.status, 409, "each slot is put once");
    assert_eq!(server.ask("GET", offer, None, &[]).await.body, b"sealed offer", "it is the first that stays");
    assert_eq!(server.ask("PUT", join, None, b"sealed join").await.status, 204, "the answer is put");
    let large = vec![1u8; 16 * 1024 + 1];
    let welcome = "/v1/mailbox/00112233445566778899aabbccddeeff/welcome";
    assert_eq!(server.ask("PUT", welcome, None, &large).await.status, 413, "16 KiB is the limit");
    assert_eq!(server.ask("PUT", welcome, None, &large[1..]).await.status, 204, "up to the limit it fits");
    for path in ["/v1/mailbox/0011/offer", "/v1/mailbox/00112233445566778899aabbccddeeff/else"] {
        assert_eq!(server.ask("GET", path, None, &[]).await.status, 404, "{path} is nothing");
    }
    server.advance(15 * 60 * 1_000 + 1);
    assert_eq!(server.ask("GET", offer, None, &[]).await.status, 404, "after 15 minutes it is gone");
    assert_eq!(server.ask("PUT", offer, None, b"new").await.status, 204, "and may be opened anew");
}

#[tokio::test]
async fn an_invitation_waits_for_the_days_that_a_signed_in_device_asked_for() {
    let server = Server::start(roomy()).await;
    let laptop = Device::enrolled(&server, 1).await;
    let path = |n: u8, rest: &str| format!("/v1/mailbox/{}/{rest}", format!("{n:02x}").repeat(16));
    let token = Some(laptop.token.as_str());
    let put =
        async |path: String, token: Option<&str>| server.ask("PUT", &path, token, b"sealed").await.status;
    assert_eq!(
        put(path(1, "offer?days=7"), None).await,
        401,
        "nobody keeps one for days who is not signed in"
    );
    for wrong in ["days=0", "days=8", "days=", "days=7x", "hours=1", ""] {
        assert_eq!(put(path(1, &format!("offer?{wrong}")), token).await, 400, "{wrong}");
    }
    assert_eq!(put(path(1, "join?days=7"), token).await, 400, "only who opens it says how long");
    assert_eq!(put(path(1, "offer?days=7"), token).await, 204, "seven days");
    assert_eq!(put(path(2, "offer"), None).await, 204, "a pairing");
    server.advance(7 * DAY_MS - 1_000);
    let get = async |path: String| server.ask("GET", &path, None, &[]).await.status;
    assert_eq!(get(path(1, "offer")).await, 200, "it waits");
    assert_eq!(put(path(1, "join"), None).await, 204, "and is answered by who has no account");
    assert_eq!(get(path(2, "offer")).await, 404, "a pairing does not");
    server.advance(1_000);
    assert_eq!(get(path(1, "join")).await, 404, "and then it is gone");
}

#[tokio::test]
async fn no_account_fills_the_room_for_mailboxes_that_wait_for_days() {
    let few = Rate { burst: 3.0, per_second: 1.0 / 3_600.0 };
    let server = Server::start(Limits { long_mailboxes_per_account: few, ..roomy() }).await;
    let (greedy, other) = (Device::enrolled(&server, 1).await, Device::enrolled(&server, 2).await);
    let path = |n: u8, rest: &str| format!("/v1/mailbox/{}/{rest}", format!("{n:02x}").repeat(16));
    let put = async |n: u8, rest: &str, token: Option<&str>| {
        server.ask("PUT", &path(n, rest), token, b"sealed").await.status
    };
    let mut statuses = Vec::new();
    for n in 0..10 {
        statuses.push(put(n, "offer?days=7", Some(&greedy.token)).await);
    }
    assert_eq!(statuses[..3], [204; 3], "a few at once");
    assert_eq!(statuses[3..], [429; 7], "and then that account waits");
    assert_eq!(put(20, "offer?days=7", Some(&other.token)).await, 204, "another account does not");
    assert_eq!(put(21, "offer", None).await, 204, "nor does a pairing, from the same address");
    server.advance(3_600_000);
    assert_eq!(put(22, "offer?days=7", Some(&greedy.token)).await, 204, "and one comes back in time");
}

#[tokio::test]
async fn nobody_spends_what_another_at_the_same_address_may_open() {
    let few = Rate { burst: 3.0, per_second: 0.0 };
    let server = Server::start(Limits { mailboxes_per_source: few, ..roomy() }).await;
    let device = Device::enrolled(&server, 1).await;
    let put = async |n: u8, rest: &str, token: Option<&str>| {
        let path = format!("/v1/mailbox/{}/{rest}", format!("{n:02x}").repeat(16));
        server.ask("PUT", &path, token, b"sealed").await.status
    };
    let forged = "0".repeat(64);
    for token in [None, Some(forged.as_str())] {
        for n in 0..5 {
            assert_eq!(put(n, "offer?days=7", token).await, 401, "nothing for days without a sign-in");
        }
    }
    for n in 10..13 {
        assert_eq!(put(n, "offer", None).await, 204, "which has cost the address nothing");
    }
    assert_eq!(put(13, "offer", None).await, 429, "control: now the address waits");
    assert_eq!(put(14, "offer?days=7", Some(&device.token)).await, 204, "who is signed in does not");
    assert_eq!(put(15, "offer", Some(&device.token)).await, 204, "nor for a pairing");
    assert_eq!(put(16, "offer", Some(&forged)).await, 401, "a sign-in that is none is said");
}

/// The site that the database has for a mailbox.
fn site_of(server: &Server, n: u8) -> i64 {
    let c = rusqlite::Connection::open(server.dir.path().join("relay.sqlite")).unwrap();
    c.query_row("SELECT site FROM mailbox WHERE mailbox = ?1", [[n; 16]], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn mailboxes_without_a_sign_in_are_counted_by_network_and_no_address_is_kept() {
    let few = Rate { burst: 2.0, per_second: 0.0 };
    let limits = Limits { short_mailboxes_per_account: few, ..roomy() };
    let mut server = Server::behind(limits, &[IpAddr::from([127, 0, 0, 1])]).await;
    let device = Device::enrolled(&server, 1).await;
    let open = async |server: &Server, n: u8, address: &str, rest: &str| {
        let path = format!("/v1/mailbox/{}/offer", format!("{n:02x}").repeat(16));
        let head = format!("PUT {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n");
        let rest = format!("x-forwarded-for: {address}\r\n{rest}content-length: 6\r\n\r\nsealed");
        Answer::parse(&server.raw(format!("{head}{rest}").as_bytes()).await).status
    };
    for (n, address) in
        (1..).zip(["192.0.2.1", "192.0.2.77", "192.0.3.1", "2001:db8:1::1", "2001:db8:1:9::1"])
    {
        assert_eq!(open(&server, n, address, "").await, 204, "{address}");
    }
    let sites = [1, 2, 3, 4, 5].map(|n| site_of(&server, n));
    let [first, alike, other, six, six_alike] = sites;
    assert_eq!((first, six), (alike, six_alike), "a /24 and a /48 are one site each");
    assert!(first != other && first != six && other != six, "others are others: {sites:?}");
    assert!(sites.iter().all(|site| *site > 0), "and none is a signed-in device's: {sites:?}");
    let signed_in = format!("authorization: Bearer {}\r\n", device.token);
    for n in 6..9 {
        assert_eq!(open(&server, n, "192.0.2.1", &signed_in).await, 204, "signed in");
    }
    assert_eq!(
        [6, 7, 8].map(|n| site_of(&server, n)),
        [0, 0, first],
        "for the account, and then for the site"
    );
    server.restart().await;
    assert_eq!(open(&server, 9, "192.0.2.1", "").await, 204, "after a restart");
    assert_ne!(
        site_of(&server, 9),
        first,
        "the name was of that process alone: it says nothing of the address"
    );
}
