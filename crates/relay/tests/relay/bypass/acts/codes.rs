//! Mailboxes and codes: used, old, of others, guessed from changing addresses.

use mecum_relay::{Limits, Rate};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, SigningKey};
use mecum_sync::RefusalCode::{
    AlreadyExists, BadCode, BadSignature, Malformed, NotFound, RateLimited, Unauthorised,
};
use mecum_sync::testing::Actor;
use mecum_sync::{PROTOCOL_VERSION, Signed, encode};

use super::{DAY_MS, Tally};
use crate::device::{Device, enrol};
use crate::server::{Server, roomy};

/// Mailboxes and codes: used, old, of others, guessed from changing addresses.
pub(super) async fn invitations_and_codes(tally: &mut Tally) {
    let few = Rate { burst: 5.0, per_second: 0.0 };
    let server = Server::start(Limits { failures_per_source: few, ..roomy() }).await;
    let owner = Device::enrolled(&server, 1).await;
    let code = server.relay.make_enrolment_code().unwrap();
    let [one, two] = [20, 21].map(|seed| Actor::new(seed).account_genesis());
    tally.expect("a code", &enrol(&server, &code, &one).await.status, &200);
    let again = enrol(&server, &code, &two).await;
    tally.expect("a code that was used", &(again.status, again.refusal().code), &(403, BadCode));
    let old = server.relay.make_enrolment_code().unwrap();
    server.advance(8 * DAY_MS);
    let late = enrol(&server, &old, &two).await;
    tally.expect("a code that is old", &(late.status, late.refusal().code), &(403, BadCode));
    let before = server.digest(&["enrolment_code", "mailbox"]);
    let mut codes = Vec::new();
    for n in 0..6 {
        let request = mecum_sync::EnrolRequest {
            version: PROTOCOL_VERSION,
            code: format!("GUESS-{n}"),
            genesis: two.clone(),
        };
        let body = encode(&request);
        let head = format!(
            "POST /v1/enrol HTTP/1.1\r\nhost: t\r\nconnection: close\r\nx-forwarded-for: 203.0.113.{n}\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let answer = server.raw(&[head.as_bytes(), &body].concat()).await;
        codes.push(crate::server::Answer::parse(&answer).refusal().code);
    }
    let wanted = [BadCode, BadCode, BadCode, RateLimited, RateLimited, RateLimited];
    tally.expect("guesses from addresses that a header names", &codes, &wanted.to_vec());

    let at = |slot: &str| format!("/v1/mailbox/00112233445566778899aabbccddeeff/{slot}");
    let put = |path: String, body: &'static [u8], token: Option<String>| {
        let server = &server;
        async move { server.ask("PUT", &path, token.as_deref(), body).await }
    };
    let (expired, live) = (Some(owner.token.clone()), owner);
    let answer = put(at("offer?days=7"), b"offer", expired.clone()).await;
    tally.expect(
        "an offer for days by an ended session",
        &(answer.status, answer.refusal().code),
        &(401, Unauthorised),
    );
    tally.expect("an offer", &put(at("offer"), b"offer", None).await.status, &204);
    let answer = put(at("offer"), b"another", None).await;
    tally.expect(
        "another offer in its place",
        &(answer.status, answer.refusal().code),
        &(409, AlreadyExists),
    );
    tally.expect("an answer", &put(at("join"), b"join", None).await.status, &204);
    let answer = put(at("join"), b"meant for someone else", None).await;
    tally.expect("a second answer", &(answer.status, answer.refusal().code), &(409, AlreadyExists));
    for slot in ["offers", "0", "offer%00", "relay.key"] {
        let answer = server.ask("GET", &at(slot), None, &[]).await;
        tally.expect("a slot that is none", &(answer.status, answer.refusal().code), &(404, NotFound));
    }
    for days in ["0", "8", "-1", "7&days=1", "", "99999999999"] {
        let answer = put(at(&format!("offer?days={days}")), b"offer", expired.clone()).await;
        let refused = (answer.status, answer.refusal().code);
        tally.expect(
            "an offer for too long",
            &[(400, Malformed), (401, Unauthorised)].contains(&refused),
            &true,
        );
    }
    server.advance(16 * 60 * 1_000);
    let answer = server.ask("GET", &at("join"), None, &[]).await;
    tally.expect("a mailbox whose time is over", &(answer.status, answer.refusal().code), &(404, NotFound));
    tally.expect("no account came of it", &server.digest(&["enrolment_code", "mailbox"]), &before);
    let mut forged = live.actor.account_genesis().unverified().clone();
    forged.account = AccountId::from_bytes([6; 16]);
    let fresh = server.relay.make_enrolment_code().unwrap();
    let thief = Signed::sign(forged, &SigningKey::make(&SeededEntropy::new(4)));
    let codes = [RateLimited, BadSignature];
    tally.expect(
        "an account with another's device",
        &codes.contains(&enrol(&server, &fresh, &thief).await.refusal().code),
        &true,
    );
}
