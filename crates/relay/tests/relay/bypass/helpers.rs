//! Written acts of who asks for another's account by its helpers, or stops who may ask, or brings a part that is not its own.

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, Hash32, SigningKey, open_from};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, Challenge, HelpersAnswer, HelpersAsk, HelpersDone, HelpersFetch, HelpersPart, HelpersProof,
    HelpersRequest, HelpersStage, HelpersStop, HelpersStopping, PROTOCOL_VERSION, RECOVERY_SIGNER,
    RefusalCode, Signed, encode, helping,
};

use crate::device::Device;
use crate::server::{Server, roomy};

use super::acts::Tally;
use RefusalCode::{BadEntry, BadSignature, Malformed, NotFound, RateLimited, Unauthorised};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Sets helpers, and brings the server its part. Answers the name of their set.
pub(super) async fn set(server: &Server, device: &mut Device, seed: u64) -> Hash32 {
    let (_, helpers, part) = device.actor.helpers(seed);
    let set = helping::set_hash(&helpers.set);
    let body = AccountBody::SetHelpers { helpers: Some(helpers) };
    let entry = device.actor.account_entry(device.follower.account_log().unwrap(), body);
    device.bring_account(server, &entry).await.expect("the owner sets helpers");
    let brought = encode(&HelpersPart { version: PROTOCOL_VERSION, set, part });
    let _: HelpersDone = server.ask("POST", "/v1/helpers/part", Some(&device.token), &brought).await.frame();
    set
}

/// A fresh device that asks for an account.
pub(super) fn asker(seed: u64, account: AccountId) -> Actor {
    let mut actor = Actor::new(seed);
    actor.account = account;
    actor
}

pub(super) fn ask_body(request: Signed<HelpersRequest>) -> Vec<u8> {
    encode(&HelpersAsk { version: PROTOCOL_VERSION, request })
}

pub(super) fn fetch_body(proof: HelpersProof, key: &SigningKey) -> Vec<u8> {
    encode(&HelpersFetch { version: PROTOCOL_VERSION, proof: Signed::sign(proof, key), after: 0 })
}

pub(super) fn stop_body(stop: HelpersStop, key: &SigningKey) -> Vec<u8> {
    encode(&HelpersStopping { version: PROTOCOL_VERSION, stop: Signed::sign(stop, key) })
}

/// The status and the code of a refusal; of anything else, the status alone.
async fn told(server: &Server, what: &str, token: Option<&str>, body: &[u8]) -> (u16, Option<RefusalCode>) {
    let answer = server.ask("POST", &format!("/v1/helpers/{what}"), token, body).await;
    (answer.status, (answer.status != 200).then(|| answer.refusal().code))
}

/// What makes a claim one that is not true.
type Change<'a, T> = &'a dyn Fn(&mut T);

/// All of them, in a server of their own.
pub(super) async fn act(tally: &mut Tally) {
    let server = Server::start(roomy()).await;
    let mut owner = Device::enrolled(&server, 1).await;
    let mut other = Device::enrolled(&server, 2).await;
    owner.catch_up(&server).await;
    other.catch_up(&server).await;
    let phone = owner.pair(&server, 3).await;
    owner.catch_up(&server).await;
    let gone = owner.actor.remove_device(owner.follower.account_log().unwrap(), phone.actor.device);
    owner.bring_account(&server, &gone).await.expect("the owner removes a device");
    owner.catch_up(&server).await;
    let old = set(&server, &mut owner, 31).await;
    owner.catch_up(&server).await;
    let now = set(&server, &mut owner, 32).await;
    owner.catch_up(&server).await;
    let theirs = set(&server, &mut other, 33).await;

    let asking = asker(9, owner.actor.account);
    let request = asking.helpers_request(server.pin());
    let asked = told(&server, "ask", None, &ask_body(request.clone())).await;
    tally.expect("control: anybody asks", &asked, &(200, None));
    let nobody = asker(10, AccountId::from_bytes([9; 16]));
    let for_nobody = nobody.helpers_request(server.pin());
    let asked = told(&server, "ask", None, &ask_body(for_nobody.clone())).await;
    tally.expect("control: for an account that is none", &asked, &(200, None));
    let beside = asker(12, owner.actor.account);
    let of_beside = beside.helpers_request(server.pin());
    let asked = told(&server, "ask", None, &ask_body(of_beside.clone())).await;
    tally.expect("control: a second asker beside the first", &asked, &(200, None));

    asks(tally, &server, &owner, &asking).await;
    parts(tally, &server, (&owner, &phone, &other), [old, now, theirs]).await;
    stops(tally, &server, (&owner, &phone, &other), (&asking, request.hash())).await;
    early(tally, &server, &asking, request.hash()).await;
    server.advance(7 * DAY_MS);
    others(tally, &server, (&asking, request.hash()), (&beside, of_beside.hash())).await;
    fetches(tally, &server, &owner, (&asking, request.hash()), (&nobody, for_nobody.hash())).await;

    let own = HelpersStop {
        server: server.pin(),
        account: owner.actor.account,
        request: request.hash(),
        signer: owner.actor.device,
    };
    let stopped = told(&server, "stop", None, &stop_body(own, &owner.actor.signing)).await;
    tally.expect("control: the owner's device stops it", &stopped, &(200, None));
    let answer = fetch(&server, |_| {}, &asking, request.hash(), &asking.signing).await;
    let answer: HelpersAnswer = answer.frame();
    tally.expect(
        "what is stopped after its wait gives out nothing",
        &(answer.stage, answer.sealed_part.len(), answer.entries.len()),
        &(HelpersStage::Stopped, 0, 0),
    );
    let answer = fetch(&server, |_| {}, &beside, of_beside.hash(), &beside.signing).await;
    let answer: HelpersAnswer = answer.frame();
    tally.expect("nor does what stood beside it", &answer.stage, &HelpersStage::Stopped);
    let third = asker(13, owner.actor.account).helpers_request(server.pin());
    let asked = told(&server, "ask", None, &ask_body(third)).await;
    tally.expect("a further asker after the stop", &asked, &(429, Some(RateLimited)));
}

/// Who asked beside another, in the other's name: each has what it asked for, and nothing of the other's.
async fn others(
    tally: &mut Tally,
    server: &Server,
    (asking, request): (&Actor, Hash32),
    (beside, of_beside): (&Actor, Hash32),
) {
    let cases = [
        ("the first one's request by the second", asking, request, beside),
        ("the second one's request by the first", beside, of_beside, asking),
    ];
    for (what, who, named, by) in cases {
        let got = fetch(server, |_| {}, who, named, &by.signing).await;
        tally.expect(what, &(got.status, got.refusal().code), &(401, Unauthorised));
    }
    let given: HelpersAnswer = fetch(server, |_| {}, beside, of_beside, &beside.signing).await.frame();
    let place = request.as_bytes();
    let opened = open_from(&asking.kem, helping::SERVER_PART_PURPOSE, place, &given.sealed_part);
    let has = (given.stage, opened.is_ok());
    tally.expect("what the second gets is not sealed to the first", &has, &(HelpersStage::Released, false));
}

/// Requests that are not of whom they name, or not for here, or in the place of another's.
async fn asks(tally: &mut Tally, server: &Server, owner: &Device, asking: &Actor) {
    let before = server.digest(&[]);
    let thief = asker(11, owner.actor.account);
    let second = thief.helpers_request(server.pin());
    let elsewhere = thief.helpers_request(thief.signing.verifying_key());
    let forge = |change: Change<'_, HelpersRequest>| {
        let mut named = second.unverified().clone();
        change(&mut named);
        Signed::sign(named, &thief.signing)
    };
    let asking_card = asking.card(b"");
    let cases = [
        ("a request for another server", elsewhere, (400, BadSignature)),
        (
            "the first one's device, by another",
            forge(&|r| r.device = asking_card.clone()),
            (400, BadSignature),
        ),
        (
            "the first one's key to be found, another's to be sealed to",
            forge(&|r| r.device.signing = asking_card.signing),
            (400, BadSignature),
        ),
        ("the owner's device, by another", forge(&|r| r.device = owner.actor.card(b"")), (400, BadSignature)),
        ("the kit's name", forge(&|r| r.device.device = RECOVERY_SIGNER), (400, BadSignature)),
        ("the helpers' name", forge(&|r| r.device.device = mecum_sync::HELPERS_SIGNER), (400, BadSignature)),
        (
            "a name for the devices to read",
            forge(&|r| r.device.sealed_name = b"your doctor".to_vec()),
            (400, BadSignature),
        ),
    ];
    for (what, request, (status, code)) in cases {
        for token in [None, Some(owner.token.as_str())] {
            let got = told(server, "ask", token, &ask_body(request.clone())).await;
            tally.expect(what, &got, &(status, Some(code)));
        }
    }
    tally.expect("no request came of it", &server.digest(&[]), &before);
}

/// Parts of others, of what is no more, and with no session.
async fn parts(
    tally: &mut Tally,
    server: &Server,
    (owner, phone, other): (&Device, &Device, &Device),
    [old, now, theirs]: [Hash32; 3],
) {
    let before = server.digest(&[]);
    let body = |set| encode(&HelpersPart { version: PROTOCOL_VERSION, set, part: [7; 32] });
    let own = Some(owner.token.as_str());
    let cases = [
        ("a part with no session", None, now, (401, Unauthorised)),
        ("a removed device's session", Some(phone.token.as_str()), now, (401, Unauthorised)),
        ("another account's session", Some(other.token.as_str()), now, (400, BadEntry)),
        ("the part of helpers that were replaced", own, old, (400, BadEntry)),
        ("the part of another's helpers", own, theirs, (400, BadEntry)),
        ("the part of none", own, Hash32::ZERO, (400, BadEntry)),
    ];
    for (what, token, set, (status, code)) in cases {
        let got = told(server, "part", token, &body(set)).await;
        tally.expect(what, &got, &(status, Some(code)));
    }
    let good = body(now);
    let got = told(server, "part", own, &good[..good.len() - 1]).await;
    tally.expect("a part less a byte", &got, &(400, Some(Malformed)));
    tally.expect("no part is another", &server.digest(&[]), &before);
}

/// Stops by who is no device of the account and has no kit.
async fn stops(
    tally: &mut Tally,
    server: &Server,
    (owner, phone, other): (&Device, &Device, &Device),
    (asking, request): (&Actor, Hash32),
) {
    let before = server.digest(&[]);
    let right = HelpersStop {
        server: server.pin(),
        account: owner.actor.account,
        request,
        signer: owner.actor.device,
    };
    let thief = SigningKey::make(&SeededEntropy::new(8));
    let own = &owner.actor.signing;
    let elsewhere = thief.verifying_key();
    let none: Change<'_, HelpersStop> = &|_| {};
    let kit: Change<'_, HelpersStop> = &|s| s.signer = RECOVERY_SIGNER;
    let cases: [(&str, Change<'_, HelpersStop>, &SigningKey); 12] = [
        ("who asks, as the owner", none, &asking.signing),
        ("who asks, in its own name", &|s| s.signer = asking.device, &asking.signing),
        ("a removed device", &|s| s.signer = phone.actor.device, &phone.actor.signing),
        ("a removed device as a live one", none, &phone.actor.signing),
        ("another's device", &|s| s.signer = other.actor.device, &other.actor.signing),
        ("another's device as the owner's", none, &other.actor.signing),
        ("a kit where there is none", kit, &thief),
        ("the device's key as a kit", kit, own),
        ("the helpers' name", &|s| s.signer = mecum_sync::HELPERS_SIGNER, &thief),
        ("a stop for another server", &|s| s.server = elsewhere, own),
        ("another account", &|s| s.account = other.actor.account, own),
        ("an account that is none", &|s| s.account = AccountId::from_bytes([9; 16]), own),
    ];
    for (what, change, key) in cases {
        let mut claim = right;
        change(&mut claim);
        let body = stop_body(claim, key);
        // A session is no proof here, not even the owner's.
        for token in [None, Some(owner.token.as_str())] {
            let got = told(server, "stop", token, &body).await;
            tally.expect(&format!("a stop: {what}"), &got, &(401, Some(Unauthorised)));
        }
    }
    // Who may stop what is asked for its own account stops nothing of another's.
    let account = other.actor.account;
    let foreign = HelpersStop { account, signer: other.actor.device, ..right };
    let got = told(server, "stop", None, &stop_body(foreign, &other.actor.signing)).await;
    tally.expect("another's request, for one's own account", &got, &(200, None));
    let unknown = HelpersStop { request: Hash32::ZERO, ..right };
    let got = told(server, "stop", None, &stop_body(unknown, own)).await;
    tally.expect("a request that is none", &got, &(200, None));
    tally.expect("nothing is stopped", &server.digest(&[]), &before);
}

/// A proof that is right but for what `change` does.
async fn fetch(
    server: &Server,
    change: impl Fn(&mut HelpersProof),
    asking: &Actor,
    request: Hash32,
    key: &SigningKey,
) -> crate::server::Answer {
    let Challenge { nonce, server_time_ms, server: pin } =
        server.ask("POST", "/v1/challenge", None, &[]).await.frame();
    let mut proof = HelpersProof { server: pin, nonce, server_time_ms, account: asking.account, request };
    change(&mut proof);
    server.ask("POST", "/v1/helpers/fetch", None, &fetch_body(proof, key)).await
}

/// Who asked rightly, and asks for what is not due.
async fn early(tally: &mut Tally, server: &Server, asking: &Actor, request: Hash32) {
    let ends = server.clock.load(std::sync::atomic::Ordering::SeqCst) + 7 * DAY_MS;
    let ahead: Change<'_, HelpersProof> = &|proof| proof.server_time_ms = ends;
    let got = fetch(server, ahead, asking, request, &asking.signing).await;
    tally.expect("a time after the wait", &(got.status, got.refusal().code), &(401, Unauthorised));
    server.advance(7 * DAY_MS - 1);
    let got: HelpersAnswer = fetch(server, |_| {}, asking, request, &asking.signing).await.frame();
    tally.expect(
        "a millisecond before the wait is over",
        &(got.stage, got.sealed_part.len(), got.entries.len()),
        &(HelpersStage::Waiting, 0, 0),
    );
    server.advance(1 - 7 * DAY_MS);
}

/// After the wait: whoever did not make the request.
async fn fetches(
    tally: &mut Tally,
    server: &Server,
    owner: &Device,
    (asking, request): (&Actor, Hash32),
    (nobody, for_nobody): (&Actor, Hash32),
) {
    let before = server.digest(&[]);
    let thief = SigningKey::make(&SeededEntropy::new(8));
    let own = &asking.signing;
    let elsewhere = thief.verifying_key();
    let none: Change<'_, HelpersProof> = &|_| {};
    let cases: [(&str, Change<'_, HelpersProof>, &SigningKey); 9] = [
        ("another key", none, &thief),
        ("the owner's device", none, &owner.actor.signing),
        ("another asker", none, &nobody.signing),
        ("another asker with its own request", &|p| p.request = for_nobody, &nobody.signing),
        ("a request that is none", &|p| p.request = Hash32::ZERO, own),
        ("another account", &|p| p.account = nobody.account, own),
        ("another server", &|p| p.server = elsewhere, own),
        ("a nonce of zeros", &|p| p.nonce = Hash32::ZERO, own),
        ("a day earlier", &|p| p.server_time_ms -= DAY_MS, own),
    ];
    for (what, change, key) in cases {
        let got = fetch(server, change, asking, request, key).await;
        let got = (got.status, got.refusal().code);
        tally.expect(&format!("a fetch: {what}"), &got, &(401, Unauthorised));
    }
    let got = fetch(server, none, nobody, for_nobody, &nobody.signing).await;
    tally.expect("of an account that is none", &(got.status, got.refusal().code), &(404, NotFound));
    let Challenge { nonce, server_time_ms, server: pin } =
        server.ask("POST", "/v1/challenge", None, &[]).await.frame();
    let proof = HelpersProof { server: pin, nonce, server_time_ms, account: asking.account, request };
    let body = fetch_body(proof, own);
    let given: HelpersAnswer = server.ask("POST", "/v1/helpers/fetch", None, &body).await.frame();
    let has = (given.stage, given.sealed_part.is_empty());
    tally.expect("control: who asked", &has, &(HelpersStage::Released, false));
    let got = told(server, "fetch", None, &body).await;
    tally.expect("the same proof again", &got, &(401, Some(Unauthorised)));
    tally.expect("nothing is stored by fetching", &server.digest(&[]), &before);
}
