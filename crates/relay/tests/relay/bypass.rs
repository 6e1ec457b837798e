//! The programme's row 38: every trick of the list against every route of the one table, by somebody who may not. What is
//! counted is (trick, request) pairs; the written acts in [`acts`] are the part of the list that needs a scene.
//!
//! An answer is right if it is 401, 403 or 404. Two exceptions, both stated where they are made: a route that is open to
//! anybody may answer what it answers anybody, and a request that is no good HTTP (or no good frame) may get the typed 400
//! or 413, or a closed connection, which tells nothing either.

mod acts;
mod helpers;
mod tricks;

use std::time::Duration;

use mecum_faults::Proof;
use mecum_relay::{Access, Limits, Route, routes};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Hash32, SigningKey};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, EnrolRequest, HelpersPart, HelpersProof, HelpersStop, PROTOCOL_VERSION, RECOVERY_SIGNER,
    RecoverRequest, RecoveryProof, SignIn, Signed, encode,
};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::device::Device;
use crate::server::{Answer, START_MS, Server, roomy};
use tricks::{TRICKS, Trick};

/// The least number of tricks that a route has to stand (PROOF, row 38).
const MIN_TRICKS: usize = 60;
/// How long the server waits for a body that some tricks announce and do not send.
const BODY_TIMEOUT: Duration = Duration::from_millis(100);
/// The opening of a wake socket.
const UPGRADE: [&str; 4] = [
    "connection: upgrade, close",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// Everybody whose proofs somebody might try: the owner's live session, and what must be worth nothing.
struct Scene {
    server: Server,
    owner: Device,
    kit: SigningKey,
    /// The set of the owner's helpers, and the fresh device that asked by them. Its wait is over: the server would give.
    set: Hash32,
    asker: Actor,
    /// The removed device.
    gone: Actor,
    /// Sessions that ended, are of a removed device, and of another server.
    expired: String,
    removed: String,
    elsewhere: String,
}

impl Scene {
    async fn new() -> Self {
        // A body that never comes is waited for as long as this.
        let limits = Limits { body_timeout: BODY_TIMEOUT, ..roomy() };
        let server = Server::start(limits).await;
        let other = Server::start(roomy()).await;
        let mut owner = Device::enrolled(&server, 1).await;
        let expired = owner.token.clone();
        owner.space(&server).await;
        let set = helpers::set(&server, &mut owner, 31).await;
        let asker = helpers::asker(9, owner.actor.account);
        let asked = helpers::ask_body(asker.helpers_request(server.pin()));
        let answer = server.ask("POST", "/v1/helpers/ask", None, &asked).await;
        assert_eq!(answer.status, 200, "somebody asks for the owner's account");
        server.advance(7 * 24 * 60 * 60 * 1_000);
        owner.sign_in(&server).await;
        let phone = owner.pair(&server, 2).await;
        owner.catch_up(&server).await;
        let gone = owner.actor.remove_device(owner.follower.account_log().unwrap(), phone.actor.device);
        owner.bring_account(&server, &gone).await.expect("the owner removes a device");
        owner.catch_up(&server).await;
        let kit = SigningKey::make(&SeededEntropy::new(77));
        let body = AccountBody::SetRecovery {
            signing: kit.verifying_key(),
            kem: owner.actor.kem.public(),
            sealed: b"sealed to the kit".to_vec(),
        };
        let entry = owner.actor.account_entry(owner.follower.account_log().unwrap(), body);
        owner.bring_account(&server, &entry).await.expect("the owner makes a kit");
        let elsewhere = Device::enrolled(&other, 1).await.token;
        Self { server, owner, kit, set, asker, gone: phone.actor, expired, removed: phone.token, elsewhere }
    }
}

/// One request, as it goes over the wire.
#[derive(Clone, Debug)]
struct Attempt {
    method: String,
    path: String,
    headers: Vec<String>,
    body: Vec<u8>,
    /// Instead of the body's own length.
    length: Option<String>,
    version: &'static str,
}

impl Attempt {
    fn new(method: &str, path: &str, body: Vec<u8>) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self { method, path, headers: Vec::new(), body, length: None, version: "HTTP/1.1" }
    }

    fn with(mut self, headers: &[&str]) -> Self {
        self.headers.extend(headers.iter().map(|&header| header.to_owned()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} {}\r\nhost: t\r\n", self.method, self.path, self.version);
        if !self.headers.iter().any(|header| header.starts_with("connection:")) {
            head.push_str("connection: close\r\n");
        }
        for header in &self.headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        let length = self.length.clone().unwrap_or_else(|| format!("content-length: {}", self.body.len()));
        if !length.is_empty() {
            head.push_str(&length);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// What somebody without authority asks of a route: well-formed, and wanting in nothing else. `None`: nobody has written
/// down what that is, which fails the harness.
fn without_authority(scene: &Scene, name: &str) -> Option<Vec<Attempt>> {
    let Actor { account, device, incarnation, .. } = scene.owner.actor;
    let (server, nonce) = (scene.server.pin(), Hash32::ZERO);
    let post = |path: &str, body| vec![Attempt::new("POST", path, body)];
    Some(match name {
        "enrol" => {
            let genesis = Actor::new(900).account_genesis();
            let code = "0000-0000-0000-0000".to_owned();
            post("/v1/enrol", encode(&EnrolRequest { version: PROTOCOL_VERSION, code, genesis }))
        }
        "session" => {
            // The device's own key, but no challenge of this server.
            let claim = SignIn { server, nonce, server_time_ms: START_MS, account, device, incarnation };
            post("/v1/session", encode(&Signed::sign(claim, &scene.owner.actor.signing)))
        }
        "recover" => {
            let key = scene.kit.verifying_key();
            let claim = RecoveryProof { server, nonce, server_time_ms: START_MS, account, key };
            let proof = Signed::sign(claim, &scene.kit);
            let request = RecoverRequest { version: PROTOCOL_VERSION, proof, after: 0, entry: None };
            post("/v1/recover", encode(&request))
        }
        // Anybody may: the request that is open already, which is to be answered the same and to change nothing.
        "helpers-ask" => post("/v1/helpers/ask", helpers::ask_body(scene.asker.helpers_request(server))),
        "helpers-fetch" => {
            // Who asked, but no challenge of this server; and the owner, who did not ask.
            let request = scene.asker.helpers_request(server).hash();
            let proof = HelpersProof { server, nonce, server_time_ms: START_MS, account, request };
            [&scene.asker.signing, &scene.owner.actor.signing]
                .map(|key| Attempt::new("POST", "/v1/helpers/fetch", helpers::fetch_body(proof, key)))
                .to_vec()
        }
        "helpers-stop" => {
            // A proof takes no challenge: who asked in the owner's name, a removed device, and no kit.
            let request = scene.asker.helpers_request(server).hash();
            let by = |signer, key| {
                let stop = HelpersStop { server, account, request, signer };
                Attempt::new("POST", "/v1/helpers/stop", helpers::stop_body(stop, key))
            };
            vec![
                by(device, &scene.asker.signing),
                by(scene.gone.device, &scene.gone.signing),
                by(RECOVERY_SIGNER, &scene.owner.actor.signing),
            ]
        }
        "helpers-part" => {
            // Of the set that the log names, and not the part that is kept.
            let brought = HelpersPart { version: PROTOCOL_VERSION, set: scene.set, part: [7; 32] };
            post("/v1/helpers/part", encode(&brought))
        }
        "sync" => post("/v1/sync", encode(&scene.owner.request())),
        "wake" => vec![
            Attempt::new("GET", "/v1/wake", Vec::new()).with(&UPGRADE),
            Attempt::new("GET", "/v1/wake?0", Vec::new()).with(&UPGRADE),
        ],
        "mailbox" => {
            let at = |slot: &str| format!("/v1/mailbox/00112233445566778899aabbccddeeff/{slot}");
            vec![
                Attempt::new("GET", &at("offer"), Vec::new()),
                Attempt::new("PUT", &at("join"), b"sealed".to_vec()),
                Attempt::new("PUT", &at("offer?days=7"), b"sealed".to_vec()),
            ]
        }
        "page" => {
            let at = |number: &str| format!("/v1/page/00112233445566778899aabbccddeeff/{number}");
            vec![
                Attempt::new("GET", &at("0"), Vec::new()),
                Attempt::new("PUT", &at("1"), b"a page".to_vec()),
                Attempt::new("PUT", &at("9223372036854775807"), b"a page".to_vec()),
            ]
        }
        "metrics" => {
            let asked = Attempt::new("GET", "/v1/metrics", Vec::new());
            vec![asked.with(&["x-forwarded-for: 203.0.113.9"])]
        }
        "challenge" => post("/v1/challenge", Vec::new()),
        "server" | "health" => vec![Attempt::new("GET", &format!("/v1/{name}"), Vec::new())],
        _ => return None,
    })
}

/// Why an answer is one that must not be, if it is.
fn wrong(route: &Route, trick: &Trick, asked: &Attempt, answer: &[u8], plain: &[u8]) -> Option<String> {
    if answer.is_empty() {
        return (!trick.broken).then(|| "the connection was closed".to_owned());
    }
    let head = String::from_utf8_lossy(answer).split("\r\n\r\n").next().unwrap_or("").to_ascii_lowercase();
    for header in ["access-control-", "set-cookie"] {
        if head.contains(header) {
            return Some(format!("the answer has {header}"));
        }
    }
    let answer = Answer::parse(answer);
    match answer.status {
        401 | 403 | 404 => None,
        // No good HTTP, or no good frame: refused before anybody was asked for.
        400 | 413 | 431 if trick.broken => None,
        // Open to anybody: what anybody gets, and not a byte more. A challenge is another each time, of one length.
        200 if route.access == Access::Anyone => {
            let plain = Answer::parse(plain);
            let none = answer.body.is_empty() && (asked.method == "HEAD" || plain.status != 200);
            let alike = answer.body.len() == plain.body.len();
            let same = !matches!(route.name, "health" | "helpers-ask") || answer.body == plain.body;
            let as_anybody = none || (alike && same);
            (!as_anybody)
                .then(|| format!("{} bytes where anybody gets {}", answer.body.len(), plain.body.len()))
        }
        status => Some(format!("answered {status}")),
    }
}

/// Sends bytes as they are; what comes until the relay closes, or opens a socket.
async fn send(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address).await.expect("the relay listens");
    // The relay may close before everything is sent: that is its right.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let reading = async {
        let opens = |answer: &[u8]| {
            answer.starts_with(b"HTTP/1.1 101") && answer.windows(4).any(|four| four == b"\r\n\r\n")
        };
        while !opens(&answer) && stream.read_buf(&mut answer).await.is_ok_and(|n| n > 0) {}
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("the relay answers in time");
    answer
}

/// Every trick against every route. `authority` is what a route without its policy would make of a request of somebody
/// without authority: nothing, in the harness itself.
async fn run(scene: &Scene, authority: impl Fn(&Scene, &Route, Attempt) -> Attempt) -> (u64, Vec<String>) {
    let (mut cases, mut failures) = (0, Vec::new());
    for route in routes() {
        let Some(attempts) = without_authority(scene, route.name) else {
            failures.push(format!("{}: nobody has written down what is tried", route.name));
            continue;
        };
        for base in attempts {
            let plain = send(&scene.server, &base.bytes()).await;
            for trick in TRICKS {
                let mut asked = base.clone();
                (trick.apply)(scene, &mut asked);
                let sent = authority(scene, &route, asked.clone());
                let answer = send(&scene.server, &sent.bytes()).await;
                cases += 1;
                if let Some(why) = wrong(&route, trick, &asked, &answer, &plain) {
                    failures.push(format!("{} {} with {:?}: {why}", base.method, base.path, trick.name));
                }
            }
        }
    }
    (cases, failures)
}

#[tokio::test]
async fn no_trick_gets_past_any_route() {
    let proof = Proof::new(38, "tricks against every route, and written acts of who may not", 0);
    assert!(TRICKS.len() >= MIN_TRICKS, "{} tricks", TRICKS.len());
    let scene = Scene::new().await;
    let before = scene.server.digest(&[]);
    let (mut cases, mut failures) = run(&scene, |_, _, asked| asked).await;
    if scene.server.digest(&[]) != before {
        failures.push("something was changed".to_owned());
    }
    let acts = acts::run().await;
    cases += acts.cases;
    failures.extend(acts.failures);
    proof.end(cases, failures.len() as u64);
    assert!(failures.is_empty(), "{} got through:\n{}", failures.len(), failures.join("\n"));
}

/// A route whose policy is taken away takes whoever asks for who may: as if each request brought the authority itself.
#[tokio::test]
async fn control_a_route_without_its_policy_is_caught() {
    let scene = Scene::new().await;
    for open in routes().filter(|route| matches!(route.access, Access::Session | Access::ThisMachine)) {
        let token = format!("authorization: Bearer {}", scene.owner.token);
        let (_, failures) = run(&scene, |_, route, mut asked| {
            if route.name == open.name {
                asked.headers.retain(|header| {
                    !header.starts_with("authorization") && !header.starts_with("x-forwarded-for")
                });
                asked.headers.push(token.clone());
            }
            asked
        })
        .await;
        println!("{} without a policy: {} caught", open.name, failures.len());
        assert!(failures.len() >= 30, "{} without a policy is seen: {failures:?}", open.name);
        assert!(failures.iter().all(|failure| failure.contains(open.path)), "and nothing else: {failures:?}");
    }
}

#[tokio::test]
async fn control_a_route_that_nobody_wrote_tricks_for_is_caught() {
    let scene = Scene::new().await;
    assert!(without_authority(&scene, "a-new-route").is_none(), "a new route is a failure of the harness");
    for route in routes() {
        assert!(without_authority(&scene, route.name).is_some(), "{} has its own", route.name);
    }
}
