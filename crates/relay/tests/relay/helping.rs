//! Coming back with recovery helpers: what the server gives out, when, and whom it tells before.

use std::collections::BTreeMap;

use mecum_relay::{Limits, Rate};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, Entropy, Hash32, SigningKey, open_from};
use mecum_sync::limits::{HELPERS_STOPPED_MS, HELPERS_USE_MS, MAX_OTHER_REQUESTS};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, AccountEntry, Challenge, HelpersAnswer, HelpersAsk, HelpersDone, HelpersFetch,
    HelpersNotice, HelpersPart, HelpersProof, HelpersStage, HelpersStop, HelpersStopping, PROTOCOL_VERSION,
    RECOVERY_SIGNER, RecoverRequest, RecoverResponse, RecoveryProof, RefusalCode, SaidRequest, Signed,
    SyncResponse, encode, helping,
};

use crate::device::Device;
use crate::server::{Answer, START_MS, Server, roomy};
use crate::wake;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const WAIT_MS: i64 = 7 * DAY_MS;

/// A fresh device that asks for an account.
struct Asker {
    actor: Actor,
    named: Hash32,
}

impl Asker {
    fn new(server: &Server, seed: u64, account: AccountId) -> Self {
        let mut actor = Actor::new(seed);
        actor.account = account;
        let named = actor.helpers_request(server.pin()).hash();
        Self { actor, named }
    }

    async fn ask(&self, server: &Server) -> Answer {
        let request = self.actor.helpers_request(server.pin());
        let ask = HelpersAsk { version: PROTOCOL_VERSION, request };
        server.ask("POST", "/v1/helpers/ask", None, &encode(&ask)).await
    }

    async fn fetch(&self, server: &Server) -> Answer {
        self.fetch_as(server, &self.actor.signing).await
    }

    async fn fetch_as(&self, server: &Server, key: &SigningKey) -> Answer {
        let challenge: Challenge = server.ask("POST", "/v1/challenge", None, &[]).await.frame();
        let Challenge { nonce, server_time_ms, server: pin } = challenge;
        let (account, request) = (self.actor.account, self.named);
        let proof = HelpersProof { server: pin, nonce, server_time_ms, account, request };
        let fetch = HelpersFetch { version: PROTOCOL_VERSION, proof: Signed::sign(proof, key), after: 0 };
        server.ask("POST", "/v1/helpers/fetch", None, &encode(&fetch)).await
    }
}

async fn stop(server: &Server, by: &Actor, key: &SigningKey, request: Hash32, kit: bool) -> Answer {
    let signer = if kit { RECOVERY_SIGNER } else { by.device };
    let stop = HelpersStop { server: server.pin(), account: by.account, request, signer };
    let stopping = HelpersStopping { version: PROTOCOL_VERSION, stop: Signed::sign(stop, key) };
    server.ask("POST", "/v1/helpers/stop", None, &encode(&stopping)).await
}

/// Sets helpers, and brings the server its part. Answers the helpers' key and that part.
async fn set_helpers(server: &Server, device: &mut Device, seed: u64) -> (SigningKey, [u8; 32]) {
    let (key, helpers, part) = device.actor.helpers(seed);
    let set = helping::set_hash(&helpers.set);
    let body = AccountBody::SetHelpers { helpers: Some(helpers) };
    let entry = device.actor.account_entry(device.follower.account_log().unwrap(), body);
    device.bring_account(server, &entry).await.unwrap();
    let brought = HelpersPart { version: PROTOCOL_VERSION, set, part };
    let answer = server.ask("POST", "/v1/helpers/part", Some(&device.token), &encode(&brought)).await;
    let _: HelpersDone = answer.frame();
    (key, part)
}

/// Adds a device by a recovery key.
async fn recover(
    server: &Server,
    account: AccountId,
    key: &SigningKey,
    entry: Signed<AccountEntry>,
) -> RecoverResponse {
    let challenge: Challenge = server.ask("POST", "/v1/challenge", None, &[]).await.frame();
    let Challenge { nonce, server_time_ms, server: pin } = challenge;
    let proof = RecoveryProof { server: pin, nonce, server_time_ms, account, key: key.verifying_key() };
    let proof = Signed::sign(proof, key);
    let request = RecoverRequest { version: PROTOCOL_VERSION, proof, after: 0, entry: Some(entry) };
    server.ask("POST", "/v1/recover", None, &encode(&request)).await.frame()
}

/// What a device is told with its next sync.
async fn told(server: &Server, device: &Device) -> Option<HelpersNotice> {
    said(server, device, &SaidRequest::from(&device.request())).await
}

/// The same, if it says that it would know how many there are.
async fn counted(server: &Server, device: &Device) -> Option<HelpersNotice> {
    said(server, device, &SaidRequest::from(&device.request()).counting()).await
}

async fn said(server: &Server, device: &Device, request: &SaidRequest) -> Option<HelpersNotice> {
    let answer = server.ask("POST", "/v1/sync", Some(&device.token), &encode(request)).await;
    answer.frame::<SyncResponse>().helpers_notice
}

/// The server's part as this device reads it, once it is given out.
fn opened(asker: &Asker, answer: &HelpersAnswer) -> Option<[u8; 32]> {
    let place = asker.named;
    let purpose = helping::SERVER_PART_PURPOSE;
    let opened = open_from(&asker.actor.kem, purpose, place.as_bytes(), &answer.sealed_part).ok()?;
    opened.as_slice().try_into().ok()
}

#[tokio::test]
async fn the_part_is_given_out_after_seven_days_in_which_every_device_was_told() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    laptop.catch_up(&server).await;
    let mut phone = laptop.pair(&server, 2).await;
    let (key, part) = set_helpers(&server, &mut laptop, 31).await;
    phone.catch_up(&server).await;
    assert_eq!(told(&server, &phone).await, None, "nobody has asked");
    let asker = Asker::new(&server, 9, laptop.actor.account);
    let asked: HelpersAnswer = asker.ask(&server).await.frame();
    assert_eq!(asked.released_at_ms, START_MS + WAIT_MS, "seven days by the server's clock");
    for hours in [0, 1, 24, 6 * 24, 7 * 24 - 1] {
        server.clock.store(START_MS + hours * 60 * 60 * 1_000, std::sync::atomic::Ordering::SeqCst);
        for device in [&mut laptop, &mut phone] {
            device.sign_in(&server).await;
            let notice = told(&server, device).await.expect("every device, with every sync");
            assert_eq!(notice.request, asker.named, "of this request");
            assert_eq!(notice.released_at_ms, asked.released_at_ms, "and when it is over");
        }
        let answer = asker.fetch(&server).await;
        let bytes = encode(&answer.frame::<HelpersAnswer>());
        assert!(!bytes.windows(32).any(|window| window == part), "no part after {hours} hours");
        let answer: HelpersAnswer = answer.frame();
        assert_eq!(answer.stage, HelpersStage::Waiting, "after {hours} hours");
        assert!(answer.sealed_part.is_empty() && answer.entries.is_empty(), "and nothing of the account");
    }
    server.clock.store(START_MS + WAIT_MS, std::sync::atomic::Ordering::SeqCst);
    let stranger = Actor::new(8);
    let refused = asker.fetch_as(&server, &stranger.signing).await;
    assert_eq!(refused.refusal().code, RefusalCode::Unauthorised, "for who asked alone");
    let given: HelpersAnswer = asker.fetch(&server).await.frame();
    assert_eq!(given.stage, HelpersStage::Released, "the wait is over");
    assert!(!encode(&given).windows(32).any(|window| window == part), "and the part is sealed");
    assert_eq!(opened(&asker, &given), Some(part), "to the device that asked");
    assert_eq!(given.entries.len(), 3, "with the account's log");
    // With two helpers' parts that makes the helpers' key, which recovers as the kit's does.
    let log = laptop.follower.account_log().unwrap();
    let body = AccountBody::Recover { device: asker.actor.card(b"new"), alone: None };
    let entry = Actor::helpers_entry(&key, log, body);
    let recovered = recover(&server, laptop.actor.account, &key, entry).await;
    assert_eq!(recovered.entries.len(), 4, "and is in");
    laptop.sign_in(&server).await;
    assert_eq!(told(&server, &laptop).await, None, "it is over");
    let over = asker.fetch(&server).await;
    assert_eq!(over.refusal().code, RefusalCode::Unauthorised, "and gives out nothing more");
}

#[tokio::test]
async fn whoever_is_there_stops_it_and_nobody_else_does() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    laptop.catch_up(&server).await;
    let phone = laptop.pair(&server, 2).await;
    let kit = SigningKey::make(&SeededEntropy::new(77));
    let body = AccountBody::SetRecovery {
        signing: kit.verifying_key(),
        kem: laptop.actor.kem.public(),
        sealed: b"sealed to the kit".to_vec(),
    };
    laptop.catch_up(&server).await;
    let entry = laptop.actor.account_entry(laptop.follower.account_log().unwrap(), body);
    laptop.bring_account(&server, &entry).await.unwrap();
    set_helpers(&server, &mut laptop, 31).await;
    let removal = laptop.actor.remove_device(laptop.follower.account_log().unwrap(), phone.actor.device);
    laptop.bring_account(&server, &removal).await.unwrap();
    let first = Asker::new(&server, 9, laptop.actor.account);
    let _: HelpersAnswer = first.ask(&server).await.frame();
    server.advance(6 * DAY_MS);
    let other = Device::enrolled(&server, 5).await;
    let mut posing = Actor::second(6, &laptop.actor);
    posing.device = laptop.actor.device;
    let strangers = [
        ("a removed device", stop(&server, &phone.actor, &phone.actor.signing, first.named, false).await),
        ("another account", stop(&server, &other.actor, &other.actor.signing, first.named, false).await),
        ("a forged signature", stop(&server, &posing, &posing.signing, first.named, false).await),
        ("no kit", stop(&server, &posing, &posing.signing, first.named, true).await),
        ("who asks", stop(&server, &first.actor, &first.actor.signing, first.named, false).await),
    ];
    for (who, answer) in strangers {
        assert_eq!(answer.status, if who == "another account" { 200 } else { 401 }, "{who}");
        let answer: HelpersAnswer = first.fetch(&server).await.frame();
        assert_eq!(answer.stage, HelpersStage::Waiting, "{who} stops nothing");
    }
    for _ in 0..2 {
        let answer = stop(&server, &laptop.actor, &laptop.actor.signing, first.named, false).await;
        let _: HelpersDone = answer.frame();
    }
    let stopped: HelpersAnswer = first.fetch(&server).await.frame();
    assert_eq!(stopped.stage, HelpersStage::Stopped, "on day 6 it ends");
    assert_eq!(stopped.again_at_ms, START_MS + 36 * DAY_MS, "for 30 days");
    laptop.sign_in(&server).await;
    assert_eq!(told(&server, &laptop).await, None, "nothing is told any more");
    server.advance(5 * DAY_MS);
    let later: HelpersAnswer = first.fetch(&server).await.frame();
    assert_eq!((later.stage, later.sealed_part.len()), (HelpersStage::Stopped, 0), "nor ever given out");
    let second = Asker::new(&server, 10, laptop.actor.account);
    assert_eq!(second.ask(&server).await.refusal().code, RefusalCode::RateLimited, "nobody asks meanwhile");
    server.advance(25 * DAY_MS);
    let again: HelpersAnswer = second.ask(&server).await.frame();
    assert_eq!(again.released_at_ms, again.server_time_ms + WAIT_MS, "afterwards, with the whole wait");
    let by_kit = stop(&server, &laptop.actor, &kit, second.named, true).await;
    let _: HelpersDone = by_kit.frame();
    let stopped: HelpersAnswer = second.fetch(&server).await.frame();
    assert_eq!(stopped.stage, HelpersStage::Stopped, "the kit stops it as well");
}

#[tokio::test]
async fn other_helpers_and_the_kit_end_what_was_asked() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    laptop.catch_up(&server).await;
    set_helpers(&server, &mut laptop, 31).await;
    let asker = Asker::new(&server, 9, laptop.actor.account);
    let _: HelpersAnswer = asker.ask(&server).await.frame();
    let (_, part) = set_helpers(&server, &mut laptop, 32).await;
    let answer: HelpersAnswer = asker.fetch(&server).await.frame();
    assert_eq!(answer.stage, HelpersStage::Stopped, "who chooses other helpers is there");
    let old = HelpersPart {
        version: PROTOCOL_VERSION,
        set: helping::set_hash(&laptop.actor.helpers(31).1.set),
        part,
    };
    let late = server.ask("POST", "/v1/helpers/part", Some(&laptop.token), &encode(&old)).await;
    assert_eq!(late.refusal().code, RefusalCode::BadEntry, "a part of another set is not taken");
    server.advance(30 * DAY_MS);
    let second = Asker::new(&server, 10, laptop.actor.account);
    let _: HelpersAnswer = second.ask(&server).await.frame();
    let kit = SigningKey::make(&SeededEntropy::new(77));
    let body = AccountBody::SetRecovery {
        signing: kit.verifying_key(),
        kem: laptop.actor.kem.public(),
        sealed: b"sealed to the kit".to_vec(),
    };
    laptop.sign_in(&server).await;
    let entry = laptop.actor.account_entry(laptop.follower.account_log().unwrap(), body);
    laptop.bring_account(&server, &entry).await.unwrap();
    let answer: HelpersAnswer = second.fetch(&server).await.frame();
    assert_eq!(answer.stage, HelpersStage::Waiting, "another kit changes nothing");
    let new = Actor::second(12, &laptop.actor);
    let body = AccountBody::Recover { device: new.card(b"new"), alone: None };
    let entry = Actor::recovery_entry(&kit, laptop.follower.account_log().unwrap(), body);
    recover(&server, laptop.actor.account, &kit, entry).await;
    let answer: HelpersAnswer = second.fetch(&server).await.frame();
    assert_eq!(answer.stage, HelpersStage::Stopped, "who comes back by the kit is there");
    server.advance(30 * DAY_MS);
    let third = Asker::new(&server, 11, laptop.actor.account);
    let _: HelpersAnswer = third.ask(&server).await.frame();
    laptop.sign_in(&server).await;
    laptop.catch_up(&server).await;
    let none = AccountBody::SetHelpers { helpers: None };
    let entry = laptop.actor.account_entry(laptop.follower.account_log().unwrap(), none);
    laptop.bring_account(&server, &entry).await.unwrap();
    server.advance(WAIT_MS);
    let answer: HelpersAnswer = third.fetch(&server).await.frame();
    assert_eq!(answer.stage, HelpersStage::Stopped, "and who ends having any");
}

#[tokio::test]
async fn an_account_that_is_not_there_is_answered_like_one_that_is() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    laptop.catch_up(&server).await;
    set_helpers(&server, &mut laptop, 31).await;
    let without = Device::enrolled(&server, 2).await;
    let accounts = [laptop.actor.account, without.actor.account, AccountId::from_bytes([9; 16])];
    let mut said = Vec::new();
    for (at, account) in (0u64..).zip(accounts) {
        let (asker, second) = (Asker::new(&server, 20 + at, account), Asker::new(&server, 30 + at, account));
        let mut answers: Vec<(u16, Vec<u8>)> = Vec::new();
        let early = asker.fetch(&server).await;
        answers.push((early.status, encode(&early.refusal())));
        let asked = asker.ask(&server).await;
        answers.push((asked.status, encode(&asked.frame::<HelpersAnswer>())));
        let again = asker.ask(&server).await;
        answers.push((again.status, encode(&again.frame::<HelpersAnswer>())));
        let other = second.ask(&server).await;
        answers.push((other.status, encode(&other.frame::<HelpersAnswer>())));
        let another = second.fetch(&server).await;
        answers.push((another.status, encode(&another.frame::<HelpersAnswer>())));
        let waiting = asker.fetch(&server).await;
        answers.push((waiting.status, encode(&waiting.frame::<HelpersAnswer>())));
        let stopped = stop(&server, &asker.actor, &asker.actor.signing, asker.named, false).await;
        answers.push((stopped.status, encode(&stopped.refusal())));
        said.push(answers);
    }
    assert_eq!(said[0], said[1], "an account without helpers");
    assert_eq!(said[0], said[2], "and one that is not here");
    assert_eq!(told(&server, &without).await, None, "who has no helpers is not disturbed");
    assert!(told(&server, &laptop).await.is_some(), "control: who has is told");
}

#[tokio::test]
async fn one_source_asks_for_few_accounts() {
    let limits = Limits { helper_asks_per_source: Rate { burst: 3.0, per_second: 0.0 }, ..roomy() };
    let server = Server::start(limits).await;
    let mut taken = 0;
    for n in 0..10u8 {
        let asker = Asker::new(&server, u64::from(n) + 40, AccountId::from_bytes([n; 16]));
        taken += usize::from(asker.ask(&server).await.status == 200);
    }
    assert_eq!(taken, 3, "and then waits");
    let first = Asker::new(&server, 40, AccountId::from_bytes([0; 16]));
    for _ in 0..5 {
        assert_eq!(
            first.ask(&server).await.status,
            200,
            "who has asked is answered again, at no cost to others"
        );
    }
    let elsewhere = SigningKey::make(&SeededEntropy::new(5)).verifying_key();
    let other = Server::start(roomy()).await;
    let foreign = Actor::new(60).helpers_request(elsewhere);
    let mut posing = Actor::new(61);
    posing.signing = SigningKey::make(&SeededEntropy::new(6));
    let forged = Actor::new(61).helpers_request(other.pin()).unverified().clone();
    let forged = Signed::sign(forged, &posing.signing);
    for (why, request) in [("for another server", foreign), ("under another key than it names", forged)] {
        let ask = HelpersAsk { version: PROTOCOL_VERSION, request };
        let refused = other.ask("POST", "/v1/helpers/ask", None, &encode(&ask)).await;
        assert_eq!(refused.refusal().code, RefusalCode::BadSignature, "{why}");
    }
}

#[tokio::test]
async fn a_request_wakes_the_devices_and_outlives_the_server() {
    let mut server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    laptop.catch_up(&server).await;
    set_helpers(&server, &mut laptop, 31).await;
    laptop.catch_up(&server).await;
    let question = format!("?{}", laptop.follower.cursor());
    let mut waiting = wake::opened(&server, &laptop.token, &question).await;
    assert_ne!(wake::heard(&mut waiting).await, wake::NEWS, "nobody has asked");
    let asker = Asker::new(&server, 9, laptop.actor.account);
    let _: HelpersAnswer = asker.ask(&server).await.frame();
    assert_eq!(wake::heard(&mut waiting).await, wake::NEWS, "a device that waits is woken");
    let mut returning = wake::opened(&server, &laptop.token, &question).await;
    assert_eq!(wake::heard(&mut returning).await, wake::NEWS, "one that comes back hears that there is news");
    server.restart().await;
    laptop.sign_in(&server).await;
    assert!(told(&server, &laptop).await.is_some(), "a request outlives the server");
    let answer: HelpersAnswer = asker.fetch(&server).await.frame();
    assert_eq!(answer.stage, HelpersStage::Waiting, "for who asked as well");
}

/// Requests of `count` strangers, from the seed on.
async fn strangers(server: &Server, account: AccountId, seed: u64, count: u64) -> Vec<Asker> {
    let mut all = Vec::new();
    for n in 0..count {
        let asker = Asker::new(server, seed + n, account);
        let answer: HelpersAnswer = asker.ask(server).await.frame();
        assert_eq!(answer.released_at_ms, answer.server_time_ms + WAIT_MS, "each waits for itself");
        all.push(asker);
    }
    all
}

#[tokio::test]
async fn however_many_ask_for_an_account_its_owner_is_taken_too_and_each_gets_its_own() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    laptop.catch_up(&server).await;
    let (key, part) = set_helpers(&server, &mut laptop, 31).await;
    let account = laptop.actor.account;
    let before = strangers(&server, account, 200, 60).await;
    server.advance(2 * DAY_MS);
    let owner = Asker::new(&server, 9, account);
    let asked: HelpersAnswer = owner.ask(&server).await.frame();
    assert_eq!(asked.released_at_ms, asked.server_time_ms + WAIT_MS, "with a wait of its own");
    assert_eq!(asked.again_at_ms, asked.asked_at_ms, "nobody has to wait to ask");
    server.advance(DAY_MS);
    let after = strangers(&server, account, 300, 60).await;
    server.advance(WAIT_MS - 3 * DAY_MS);
    let first: HelpersAnswer = before[0].fetch(&server).await.frame();
    assert_eq!(opened(&before[0], &first), Some(part), "whose wait is over gets a part sealed to it");
    assert_eq!(opened(&owner, &first), None, "and to nobody else");
    let mine: HelpersAnswer = owner.fetch(&server).await.frame();
    assert_eq!(mine.stage, HelpersStage::Waiting, "another's wait is not the owner's");
    assert!(mine.sealed_part.is_empty() && mine.entries.is_empty(), "of which it learns nothing");
    assert_eq!(
        owner.fetch_as(&server, &before[0].actor.signing).await.refusal().code,
        RefusalCode::Unauthorised,
        "nor does who has waited longer fetch in the owner's place"
    );
    server.advance(2 * DAY_MS);
    let mine: HelpersAnswer = owner.fetch(&server).await.frame();
    assert_eq!(opened(&owner, &mine), Some(part), "seven days after it asked, as if it were alone");
    let late: HelpersAnswer = after[59].fetch(&server).await.frame();
    assert_eq!(late.stage, HelpersStage::Waiting, "who asked last waits on");
    laptop.sign_in(&server).await;
    let body = AccountBody::Recover { device: owner.actor.card(b"new"), alone: None };
    let entry = Actor::helpers_entry(&key, laptop.follower.account_log().unwrap(), body);
    recover(&server, account, &key, entry).await;
    for asker in before.iter().take(2).chain(after.iter().take(2)) {
        let over = asker.fetch(&server).await;
        assert_eq!(over.refusal().code, RefusalCode::Unauthorised, "with the owner back all are over");
    }
    laptop.sign_in(&server).await;
    assert_eq!(told(&server, &laptop).await, None, "and nothing is told any more");
}

#[tokio::test]
async fn the_notice_names_the_first_end_and_counts_the_others_and_a_stop_ends_them_all() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    laptop.catch_up(&server).await;
    let phone = laptop.pair(&server, 2).await;
    set_helpers(&server, &mut laptop, 31).await;
    let account = laptop.actor.account;
    let first = Asker::new(&server, 9, account);
    let _: HelpersAnswer = first.ask(&server).await.frame();
    assert_eq!(counted(&server, &laptop).await.unwrap().others, None, "it is alone");
    server.advance(DAY_MS);
    laptop.sign_in(&server).await;
    let second = strangers(&server, account, 10, 1).await.remove(0);
    let notice = counted(&server, &laptop).await.unwrap();
    let named = (notice.request, notice.released_at_ms, notice.others);
    assert_eq!(named, (first.named, START_MS + WAIT_MS, Some(1)), "the first end, and one more");
    let plain = told(&server, &laptop).await.unwrap();
    assert_eq!(plain, HelpersNotice { others: None, ..notice }, "who knows of no count gets none");
    let more = strangers(&server, account, 200, 120).await;
    let notice = counted(&server, &laptop).await.unwrap();
    assert_eq!(notice.others, Some(MAX_OTHER_REQUESTS), "many are counted as far as the count goes");
    // The first one was never stopped, and its thirty days are over: the next one is told of.
    server.advance(WAIT_MS + HELPERS_USE_MS - DAY_MS);
    laptop.sign_in(&server).await;
    let notice = counted(&server, &laptop).await.unwrap();
    assert_ne!(notice.request, first.named, "what is over is not told");
    assert_eq!(notice.released_at_ms, START_MS + DAY_MS + WAIT_MS, "the next one is");
    let late = strangers(&server, account, 400, 1).await.remove(0);
    // A stop of what is over ends nothing; one of what is open ends everything.
    let answer = stop(&server, &laptop.actor, &laptop.actor.signing, first.named, false).await;
    let _: HelpersDone = answer.frame();
    let answer: HelpersAnswer = late.fetch(&server).await.frame();
    assert_eq!(answer.stage, HelpersStage::Waiting, "the stop of an old one ends no new one");
    let stopping = stop(&server, &phone.actor, &phone.actor.signing, second.named, false).await;
    let _: HelpersDone = stopping.frame();
    let stopped_ms = START_MS + WAIT_MS + HELPERS_USE_MS;
    for asker in more.iter().take(3).chain([&second, &late]) {
        let answer: HelpersAnswer = asker.fetch(&server).await.frame();
        assert_eq!(answer.stage, HelpersStage::Stopped, "all of them, by any device");
        assert_eq!(answer.again_at_ms, stopped_ms + HELPERS_STOPPED_MS, "for thirty days");
    }
    assert_eq!(counted(&server, &laptop).await, None, "nothing is left to tell");
    let refused = Asker::new(&server, 500, account).ask(&server).await;
    assert_eq!(refused.refusal().code, RefusalCode::RateLimited, "and nobody asks meanwhile");
    server.advance(HELPERS_STOPPED_MS);
    let asker = Asker::new(&server, 501, account);
    let _: HelpersAnswer = asker.ask(&server).await.frame();
    let again = stop(&server, &phone.actor, &phone.actor.signing, second.named, false).await;
    let _: HelpersDone = again.frame();
    let answer: HelpersAnswer = asker.fetch(&server).await.frame();
    assert_eq!(answer.stage, HelpersStage::Waiting, "the same stop again ends nothing that came later");
}

/// The requests as a server of before kept them: one for an account.
fn as_before(folder: &std::path::Path) {
    let c = rusqlite::Connection::open(folder.join("relay.sqlite")).unwrap();
    let migration = include_str!("../../migrations/0005_helpers.sql");
    let table = &migration[migration.find("CREATE TABLE helper_request").unwrap()..];
    let columns = "account, request, body, asked_at_ms, released_at_ms, stopped_at_ms";
    c.execute_batch(&format!(
        "BEGIN; DROP INDEX helper_request_open; ALTER TABLE helper_request RENAME TO later; {table}
         INSERT INTO helper_request ({columns}) SELECT {columns} FROM later; DROP TABLE later;
         DROP INDEX mailbox_room; ALTER TABLE mailbox DROP COLUMN site; PRAGMA user_version = 6; COMMIT;"
    ))
    .unwrap();
}

#[tokio::test]
async fn what_was_asked_of_an_earlier_server_goes_on_after_the_upgrade_and_others_stand_beside_it() {
    let mut server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let mut other = Device::enrolled(&server, 2).await;
    for device in [&mut laptop, &mut other] {
        device.catch_up(&server).await;
    }
    let (_, part) = set_helpers(&server, &mut laptop, 31).await;
    set_helpers(&server, &mut other, 32).await;
    let open = Asker::new(&server, 9, laptop.actor.account);
    let stopped = Asker::new(&server, 10, other.actor.account);
    for asker in [&open, &stopped] {
        let _: HelpersAnswer = asker.ask(&server).await.frame();
    }
    server.advance(DAY_MS);
    let stop = stop(&server, &other.actor, &other.actor.signing, stopped.named, false).await;
    let _: HelpersDone = stop.frame();
    server.restart_after(as_before).await;
    let answer: HelpersAnswer = open.fetch(&server).await.frame();
    let stands = (answer.stage, answer.asked_at_ms, answer.released_at_ms);
    assert_eq!(stands, (HelpersStage::Waiting, START_MS, START_MS + WAIT_MS), "its wait goes on");
    let answer: HelpersAnswer = stopped.fetch(&server).await.frame();
    assert_eq!(answer.stage, HelpersStage::Stopped, "what was stopped is");
    let refused = Asker::new(&server, 11, other.actor.account).ask(&server).await;
    assert_eq!(refused.refusal().code, RefusalCode::RateLimited, "for its thirty days");
    let beside = Asker::new(&server, 12, laptop.actor.account);
    let _: HelpersAnswer = beside.ask(&server).await.frame();
    laptop.sign_in(&server).await;
    let notice = counted(&server, &laptop).await.unwrap();
    assert_eq!((notice.request, notice.others), (open.named, Some(1)), "both are told");
    server.advance(WAIT_MS - DAY_MS);
    let answer: HelpersAnswer = open.fetch(&server).await.frame();
    assert_eq!(opened(&open, &answer), Some(part), "and the part comes when it was to come");
}

#[tokio::test]
async fn a_backup_holds_every_request_with_its_own_wait() {
    let mut server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    laptop.catch_up(&server).await;
    let (_, part) = set_helpers(&server, &mut laptop, 31).await;
    let account = laptop.actor.account;
    let first = strangers(&server, account, 9, 1).await.remove(0);
    server.advance(DAY_MS);
    let second = strangers(&server, account, 10, 1).await.remove(0);
    let dir = tempfile::tempdir().unwrap();
    let backup = dir.path().join("b");
    mecum_relay::folder::backup(server.dir.path(), &backup, START_MS).unwrap();
    laptop.sign_in(&server).await;
    let answer = stop(&server, &laptop.actor, &laptop.actor.signing, second.named, false).await;
    let _: HelpersDone = answer.frame();
    server.restored_from(&backup).await;
    laptop.sign_in(&server).await;
    let notice = counted(&server, &laptop).await.unwrap();
    assert_eq!((notice.request, notice.others), (first.named, Some(1)), "what the backup has is told again");
    server.advance(WAIT_MS - DAY_MS);
    let answer: HelpersAnswer = first.fetch(&server).await.frame();
    assert_eq!(opened(&first, &answer), Some(part), "the first wait is over");
    let answer: HelpersAnswer = second.fetch(&server).await.frame();
    assert_eq!(answer.stage, HelpersStage::Waiting, "the second is not");
    laptop.sign_in(&server).await;
    let answer = stop(&server, &laptop.actor, &laptop.actor.signing, first.named, false).await;
    let _: HelpersDone = answer.frame();
    for asker in [&first, &second] {
        let answer: HelpersAnswer = asker.fetch(&server).await.frame();
        assert_eq!(answer.stage, HelpersStage::Stopped, "and can be stopped again");
    }
}

/// What the model remembers of one request.
#[derive(Clone, Copy)]
struct Asked {
    asked_ms: i64,
    stopped_ms: Option<i64>,
}

impl Asked {
    fn over_ms(&self) -> i64 {
        match self.stopped_ms {
            None => self.asked_ms + WAIT_MS + HELPERS_USE_MS,
            Some(at) => at + HELPERS_STOPPED_MS,
        }
    }

    fn is_open(&self, now_ms: i64) -> bool {
        self.stopped_ms.is_none() && now_ms < self.over_ms()
    }
}

/// What is open for an account: which is named by the notice, and how many there are.
fn notice_of(
    model: &BTreeMap<usize, Asked>,
    askers: &[Asker],
    now_ms: i64,
) -> Option<(Hash32, i64, Option<u32>)> {
    // Only those of the first account, which has helpers.
    let open = model.iter().filter(|(who, asked)| *who % 2 == 0 && asked.is_open(now_ms));
    let open: Vec<_> = open.map(|(who, asked)| (asked.asked_ms + WAIT_MS, askers[*who].named)).collect();
    let first = open.iter().min()?;
    let others = u32::try_from(open.len() - 1).unwrap();
    Some((first.1, first.0, (others > 0).then_some(others)))
}

/// Random asking, stopping, fetching and waiting, beside a model of it.
#[tokio::test]
async fn no_history_of_asking_and_stopping_gives_the_part_out_early_or_to_anybody_else() {
    let seed: u64 = std::env::var("MECUM_PROOF_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    laptop.catch_up(&server).await;
    let (_, part) = set_helpers(&server, &mut laptop, 31).await;
    let accounts = [laptop.actor.account, AccountId::from_bytes([9; 16])];
    let entropy = SeededEntropy::new(seed);
    let draw = |limit: u8| {
        let mut byte = [0u8; 1];
        entropy.fill(&mut byte);
        usize::from(byte[0] % limit)
    };
    let askers: Vec<Asker> = (0..6).map(|n| Asker::new(&server, 100 + n as u64, accounts[n % 2])).collect();
    let mut model: BTreeMap<usize, Asked> = BTreeMap::new();
    let (mut given, mut stops, mut beside, mut refused) = (0, 0, 0, 0);
    for step in 0..5_000 {
        // Some histories take longer until everything was met.
        if step >= 400 && [given, stops, beside, refused].iter().all(|times| *times > 0) {
            break;
        }
        let now_ms = server.clock.load(std::sync::atomic::Ordering::SeqCst);
        let who = draw(6);
        let (asker, account) = (&askers[who], accounts[who % 2]);
        let own = model.get(&who).copied().filter(|asked| now_ms < asked.over_ms());
        let place = format!("seed {seed}, step {step}");
        match draw(9) {
            0 | 1 => {
                let answer = asker.ask(&server).await;
                let lately =
                    |asked: &Asked| asked.stopped_ms.is_some_and(|at| now_ms < at + HELPERS_STOPPED_MS);
                let stopped = model.iter().any(|(other, asked)| other % 2 == who % 2 && lately(asked));
                if let Some(asked) = own {
                    let answer: HelpersAnswer = answer.frame();
                    assert_eq!(answer.asked_at_ms, asked.asked_ms, "{place}: asking again shortens nothing");
                } else if stopped {
                    assert_eq!(answer.status, 429, "{place}: not soon after a stop");
                    refused += 1;
                } else {
                    let answer: HelpersAnswer = answer.frame();
                    assert_eq!(answer.released_at_ms, now_ms + WAIT_MS, "{place}: the whole wait");
                    let open =
                        |(other, asked): (&usize, &Asked)| other % 2 == who % 2 && asked.is_open(now_ms);
                    beside += usize::from(model.iter().any(open));
                    model.insert(who, Asked { asked_ms: now_ms, stopped_ms: None });
                }
            }
            2 | 3 => server.advance(i64::try_from(draw(150)).unwrap() * 60 * 60 * 1_000),
            4 if draw(2) == 0 => {
                let named = draw(6);
                let request = askers[named].named;
                let answer = stop(&server, &laptop.actor, &laptop.actor.signing, request, false).await;
                assert_eq!(answer.status, 200, "{place}: a live device may always");
                let is_open = model.get(&named).is_some_and(|asked| asked.is_open(now_ms));
                if named % 2 == 0 && is_open {
                    let all =
                        model.iter_mut().filter(|(other, asked)| *other % 2 == 0 && asked.is_open(now_ms));
                    all.for_each(|(_, asked)| asked.stopped_ms = Some(now_ms));
                    stops += 1;
                }
            }
            5 => {
                laptop.sign_in(&server).await;
                let notice = counted(&server, &laptop).await;
                let notice = notice.map(|notice| (notice.request, notice.released_at_ms, notice.others));
                assert_eq!(notice, notice_of(&model, &askers, now_ms), "{place}: what the devices are told");
            }
            _ => {
                let answer = asker.fetch(&server).await;
                let Some(asked) = own else {
                    assert_eq!(answer.status, 401, "{place}: nothing of this asker's is there");
                    continue;
                };
                let waiting = now_ms < asked.asked_ms + WAIT_MS;
                if asked.stopped_ms.is_none() && !waiting {
                    if account == accounts[1] {
                        assert_eq!(answer.refusal().code, RefusalCode::NotFound, "{place}: there is none");
                        continue;
                    }
                    let answer: HelpersAnswer = answer.frame();
                    assert_eq!(opened(asker, &answer), Some(part), "{place}: its time has come");
                    given += 1;
                } else {
                    let answer: HelpersAnswer = answer.frame();
                    let stopped = asked.stopped_ms.is_some();
                    let stage = if stopped { HelpersStage::Stopped } else { HelpersStage::Waiting };
                    assert_eq!(answer.stage, stage, "{place}");
                    assert!(answer.sealed_part.is_empty(), "{place}: nothing is given");
                }
            }
        }
    }
    let met = [given, stops, beside, refused];
    assert!(met.iter().all(|times| *times > 0), "seed {seed}: given, stopped, beside, refused: {met:?}");
}
