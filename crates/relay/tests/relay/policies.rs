//! Who may call what: the table of routes is the router, each policy holds against every trick, and no session outlives its
//! device.

use std::time::Duration;

use mecum_relay::{Access, Route, routes};
use mecum_sync::{AccountLog, RefusalCode, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::device::Device;
use crate::server::{Answer, Server, roomy};

/// A new route fails this until somebody has written down here who may call it, and how much it may send.
#[test]
fn every_route_has_the_policy_that_is_written_here() {
    let table: Vec<_> = routes()
        .map(|Route { name, path, methods, access, max_body_bytes, .. }| {
            format!("{name}: {} {path} {access:?} {max_body_bytes}", methods.join(","))
        })
        .collect();
    let written = [
        "enrol: POST /v1/enrol Code 16384",
        "challenge: POST /v1/challenge Anyone 0",
        "session: POST /v1/session DeviceKey 16384",
        "recover: POST /v1/recover RecoveryKey 32768",
        "helpers-ask: POST /v1/helpers/ask Anyone 16384",
        "helpers-fetch: POST /v1/helpers/fetch AskersKey 16384",
        "helpers-stop: POST /v1/helpers/stop AccountKey 16384",
        "helpers-part: POST /v1/helpers/part Session 16384",
        "sync: POST /v1/sync Session 16777216",
        "wake: GET /v1/wake Session 0",
        "mailbox: GET,PUT /v1/mailbox/{mailbox}/{slot} MailboxName 16384",
        "page: GET,PUT /v1/page/{page}/{number} PageName 524288",
        "server: GET /v1/server Anyone 0",
        "health: GET /v1/health Anyone 0",
        "metrics: GET /v1/metrics ThisMachine 0",
    ];
    assert_eq!(table, written, "the table of routes");
}

/// Sends a request with these header lines; answers the status, 0 if the relay only closed.
async fn status(server: &Server, method: &str, path: &str, headers: &str, body: &[u8]) -> u16 {
    let head = format!("{method} {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{headers}");
    let mut bytes = format!("{head}content-length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    let answer = server.raw(&bytes).await;
    if answer.is_empty() { 0 } else { Answer::parse(&answer).status }
}

/// A path of the route, with something in its open places.
fn path_of(route: &Route) -> String {
    route
        .path
        .replace("{mailbox}", "00112233445566778899aabbccddeeff")
        .replace("{slot}", "offer")
        .replace("{page}", "00112233445566778899aabbccddeeff")
        .replace("{number}", "1")
}

/// What is not a session, in every form that might be taken for one.
fn strangers(live: &str, ended: &str, elsewhere: &str) -> Vec<String> {
    let mut headers: Vec<String> = [
        String::new(),
        "authorization: \r\n".to_owned(),
        "authorization: Bearer\r\n".to_owned(),
        "authorization: Bearer \r\n".to_owned(),
        "authorization: Bearer 00\r\n".to_owned(),
        format!("authorization: Bearer {}\r\n", "0".repeat(64)),
        format!("authorization: Bearer {}\r\n", "f".repeat(64)),
        format!("authorization: Bearer {ended}\r\n"),
        format!("authorization: Bearer {elsewhere}\r\n"),
        format!("authorization: Bearer {}\r\n", live.to_uppercase()),
        format!("authorization: Bearer {live}0\r\n"),
        format!("authorization: Bearer {}\r\n", &live[..63]),
        format!("authorization: Bearer  {live}\r\n"),
        format!("authorization: bearer {live}\r\n"),
        format!("authorization: Basic {live}\r\n"),
        format!("authorization: {live}\r\n"),
        format!("authorization: Bearer {live},{live}\r\n"),
        format!("authorization: Bearer {live}\r\nauthorization: Bearer {live}\r\n"),
        format!("proxy-authorization: Bearer {live}\r\n"),
        format!("cookie: authorization={live}\r\n"),
        format!("x-authorization: Bearer {live}\r\n"),
    ]
    .into();
    let flipped = (0..16).map(|n| {
        let mut token = live.to_owned().into_bytes();
        token[n * 4] = if token[n * 4] == b'0' { b'1' } else { b'0' };
        format!("authorization: Bearer {}\r\n", String::from_utf8(token).unwrap())
    });
    headers.extend(flipped);
    let tricks = ["x-http-method-override: GET", "x-forwarded-for: 127.0.0.1", "x-original-url: /v1/health"];
    let more: Vec<_> =
        headers[..8].iter().flat_map(|header| tricks.map(|trick| format!("{trick}\r\n{header}"))).collect();
    headers.extend(more);
    headers
}

#[tokio::test]
async fn no_trick_gets_past_a_route_that_wants_a_session() {
    let server = Server::start(roomy()).await;
    let other = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let ended = laptop.token.clone();
    server.advance(12 * 60 * 60 * 1_000);
    laptop.sign_in(&server).await;
    let elsewhere = Device::enrolled(&other, 1).await.token;
    assert_ne!(elsewhere, laptop.token, "two relays, two sessions");
    let before = server.digest(&[]);
    let mut cases = 0;
    for route in routes().filter(|route| route.access == Access::Session) {
        let body = if route.name == "sync" { encode(&laptop.request()) } else { Vec::new() };
        for headers in strangers(&laptop.token, &ended, &elsewhere) {
            let upgrade = "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAA\r\n";
            let headers = format!("{headers}{}", if route.name == "wake" { upgrade } else { "" });
            let got = status(&server, route.methods[0], route.path, &headers, &body).await;
            assert_eq!(got, 401, "{} is not answered with {headers:?}", route.path);
            cases += 1;
        }
        let query = format!("{}?authorization=Bearer%20{}", route.path, laptop.token);
        assert_eq!(status(&server, route.methods[0], &query, "", &body).await, 401, "a token in the query");
    }
    println!("{cases} cases");
    assert!(cases >= 2 * 60, "at least 60 cases for each route");
    assert_eq!(server.digest(&[]), before, "nothing is changed");
    let token = format!("authorization: Bearer {}\r\n", laptop.token);
    let honest = status(&server, "POST", "/v1/sync", &token, &encode(&laptop.request())).await;
    assert_eq!(honest, 200, "the session itself is good");
}

#[tokio::test]
async fn a_method_or_a_spelling_that_is_not_in_the_table_is_not_there() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    laptop.space(&server).await;
    let token = format!("authorization: Bearer {}\r\n", laptop.token);
    let before = server.digest(&[]);
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "X"];
    let mut cases = 0;
    for route in routes() {
        let path = path_of(&route);
        for method in methods.iter().filter(|method| !route.methods.contains(method)) {
            let got = status(&server, method, &path, &token, b"").await;
            assert_eq!(got, 404, "{method} {path} is not there");
            cases += 1;
        }
        let (front, end) = path.rsplit_once('/').unwrap();
        let (first, rest) = end.split_at(1);
        let encoded = format!("{front}/%{:02x}{rest}", first.as_bytes()[0]);
        let spellings = [
            format!("{path}/"),
            format!("/{path}"),
            format!("{front}//{end}"),
            format!("{front}/./{end}"),
            format!("{front}/x/../{end}"),
            format!("{path}%00"),
            format!("{path};a=b"),
            format!("{path}%20"),
            format!("{path}%2f"),
            format!("/v2{}", &path[3..]),
            path.to_uppercase(),
            encoded,
        ];
        for spelling in spellings.iter().filter(|spelling| route.name != "mailbox" || !spelling.contains('%'))
        {
            let got = status(&server, route.methods[0], spelling, &token, b"").await;
            assert_eq!(got, 404, "{spelling} is not there");
            cases += 1;
        }
    }
    println!("{cases} cases");
    assert_eq!(server.digest(&[]), before, "nothing is changed");
}

#[tokio::test]
async fn a_request_that_says_it_is_larger_than_its_route_takes_is_refused_unread() {
    let server = Server::start(roomy()).await;
    let laptop = Device::enrolled(&server, 1).await;
    for route in routes() {
        let length = route.max_body_bytes + 1;
        let head = format!(
            "{} {} HTTP/1.1\r\nhost: t\r\nconnection: close\r\nauthorization: Bearer {}\r\ncontent-length: {length}\r\n\r\n",
            route.methods[route.methods.len() - 1],
            path_of(&route),
            laptop.token
        );
        let answer = Answer::parse(&server.raw(head.as_bytes()).await);
        assert_eq!((answer.status, answer.refusal().code), (413, RefusalCode::TooLarge), "{}", route.path);
    }
}

#[tokio::test]
async fn counters_are_for_this_machine_and_not_for_whom_a_proxy_lets_through() {
    let server = Server::start(roomy()).await;
    assert_eq!(status(&server, "GET", "/v1/metrics", "", b"").await, 200, "this machine");
    for name in
        ["x-forwarded-for: 203.0.113.9", "forwarded: for=203.0.113.9", "via: 1.1 p", "x-real-ip: 127.0.0.1"]
    {
        let got = status(&server, "GET", "/v1/metrics", &format!("{name}\r\n"), b"").await;
        assert_eq!(got, 404, "handed on by a proxy ({name})");
    }
}

/// Puts an account's folded log to what it was with its first device only: what removing the others will amount to.
fn remove_all_but_the_first(server: &Server, device: &Device) {
    let genesis = device.actor.account_genesis();
    let state = encode(&AccountLog::found(&genesis).unwrap());
    let c = rusqlite::Connection::open(server.dir.path().join("relay.sqlite")).unwrap();
    let account = device.actor.account;
    let changed = c.execute("UPDATE account SET state = ?2 WHERE account = ?1", (account.as_bytes(), state));
    assert_eq!(changed.unwrap(), 1, "the account is there");
}

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

#[tokio::test]
async fn no_session_and_no_socket_outlives_its_device() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    let mut phone = laptop.pair(&server, 2).await;
    let first = phone.token.clone();
    phone.sign_in(&server).await;
    let mut at_phone = socket(&server, &phone.token).await;
    let c = rusqlite::Connection::open(server.dir.path().join("relay.sqlite")).unwrap();
    let account = laptop.actor.account;
    let with_phone: Vec<u8> = c
        .query_row("SELECT state FROM account WHERE account = ?1", [account.as_bytes()], |row| row.get(0))
        .unwrap();
    remove_all_but_the_first(&server, &laptop);
    laptop.write(&server, space, &["not for the phone"]).await;
    let mut heard = Vec::new();
    let read = at_phone.read_to_end(&mut heard);
    tokio::time::timeout(Duration::from_secs(5), read).await.expect("the socket is closed").unwrap();
    assert_ne!(heard.first(), Some(&0x82), "and says nothing before: {heard:?}");
    for route in routes().filter(|route| route.access == Access::Session) {
        let body = if route.name == "sync" { encode(&phone.request()) } else { Vec::new() };
        for token in [&first, &phone.token] {
            let answer = server.ask(route.methods[0], route.path, Some(token), &body).await;
            assert_eq!(answer.status, 401, "{} answers the removed device no more", route.path);
        }
    }
    // Even if the device came back, the sessions that it had do not.
    c.execute("UPDATE account SET state = ?2 WHERE account = ?1", (account.as_bytes(), with_phone)).unwrap();
    for token in [&first, &phone.token] {
        let answer = server.ask("POST", "/v1/sync", Some(token), &encode(&phone.request())).await;
        assert_eq!(answer.refusal().code, RefusalCode::Unauthorised, "a session that ended stays ended");
    }
    laptop.write(&server, space, &["the laptop goes on"]).await;
}
