//! Coming back with recovery helpers: what the server gives out, when, and whom it tells before.

use std::collections::BTreeMap;

use mecum_relay::{Limits, Rate};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, Entropy, Hash32, SigningKey, open_from};
use mecum_sync::limits::{HELPERS_ASK_EVERY_MS, HELPERS_STOPPED_MS, HELPERS_USE_MS};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, AccountEntry, Challenge, HelpersAnswer, HelpersAsk, HelpersDone, HelpersFetch, HelpersPart,
    HelpersProof, HelpersStage, HelpersStop, HelpersStopping, PROTOCOL_VERSION, RECOVERY_SIGNER,
    RecoverRequest, RecoverResponse, RecoveryProof, RefusalCode, Signed, SyncResponse, encode, helping,
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
async fn told(server: &Server, device: &Device) -> Option<mecum_sync::HelpersNotice> {
    let request = encode(&device.request());
    let response: SyncResponse = server.ask("POST", "/v1/sync", Some(&device.token), &request).await.frame();
    response.helpers_notice
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
    let place = asker.named;
    let opened =
        open_from(&asker.actor.kem, helping::SERVER_PART_PURPOSE, place.as_bytes(), &given.sealed_part);
    assert_eq!(opened.unwrap().as_slice(), part, "to the device that asked");
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
        answers.push((other.status, encode(&other.refusal())));
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

/// What the model remembers of one account: the last request, and when it was stopped.
#[derive(Clone, Copy)]
struct Last {
    asker: usize,
    asked_ms: i64,
    stopped_ms: Option<i64>,
}

impl Last {
    fn over_ms(&self) -> i64 {
        let over = match self.stopped_ms {
            None => self.asked_ms + WAIT_MS + HELPERS_USE_MS,
            Some(at) => at + HELPERS_STOPPED_MS,
        };
        over.max(self.asked_ms + HELPERS_ASK_EVERY_MS)
    }
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
    let mut model: BTreeMap<AccountId, Last> = BTreeMap::new();
    let (mut given, mut stops) = (0, 0);
    for step in 0..400 {
        let now_ms = server.clock.load(std::sync::atomic::Ordering::SeqCst);
        let who = draw(6);
        let (asker, account) = (&askers[who], accounts[who % 2]);
        let open = model.get(&account).copied().filter(|last| now_ms < last.over_ms());
        let place = format!("seed {seed}, step {step}");
        match draw(8) {
            0 | 1 => {
                let answer = asker.ask(&server).await;
                match open {
                    Some(last) if last.asker != who => {
                        assert_eq!(answer.status, 429, "{place}: one at a time, and not soon after");
                    }
                    Some(last) => {
                        let answer: HelpersAnswer = answer.frame();
                        assert_eq!(
                            answer.asked_at_ms, last.asked_ms,
                            "{place}: asking again shortens nothing"
                        );
                    }
                    None => {
                        let answer: HelpersAnswer = answer.frame();
                        assert_eq!(answer.released_at_ms, now_ms + WAIT_MS, "{place}: the whole wait");
                        model.insert(account, Last { asker: who, asked_ms: now_ms, stopped_ms: None });
                    }
                }
            }
            2 | 3 => server.advance(i64::try_from(draw(200)).unwrap() * 60 * 60 * 1_000),
            4 if draw(3) == 0 => {
                let named = askers[draw(6)].named;
                let answer = stop(&server, &laptop.actor, &laptop.actor.signing, named, false).await;
                assert_eq!(answer.status, 200, "{place}: a live device may always");
                if let Some(last) = model.get_mut(&accounts[0])
                    && askers[last.asker].named == named
                    && last.stopped_ms.is_none()
                    && now_ms < last.asked_ms + WAIT_MS + HELPERS_USE_MS
                {
                    last.stopped_ms = Some(now_ms);
                    stops += 1;
                }
            }
            _ => {
                let answer = asker.fetch(&server).await;
                let Some(last) = open.filter(|last| last.asker == who) else {
                    assert_eq!(answer.status, 401, "{place}: nothing of this asker's is open");
                    continue;
                };
                let waiting = now_ms < last.asked_ms + WAIT_MS;
                if last.stopped_ms.is_none() && !waiting {
                    if account == accounts[1] {
                        assert_eq!(answer.refusal().code, RefusalCode::NotFound, "{place}: there is none");
                        continue;
                    }
                    let answer: HelpersAnswer = answer.frame();
                    let place_of = asker.named;
                    let opened = open_from(
                        &asker.actor.kem,
                        helping::SERVER_PART_PURPOSE,
                        place_of.as_bytes(),
                        &answer.sealed_part,
                    );
                    assert_eq!(opened.unwrap().as_slice(), part, "{place}: its time has come");
                    given += 1;
                } else {
                    let answer: HelpersAnswer = answer.frame();
                    let stage =
                        if last.stopped_ms.is_some() { HelpersStage::Stopped } else { HelpersStage::Waiting };
                    assert_eq!(answer.stage, stage, "{place}");
                    assert!(answer.sealed_part.is_empty(), "{place}: nothing is given");
                }
            }
        }
    }
    assert!(given > 0 && stops > 0, "seed {seed}: both ends were met: {given} given, {stops} stopped");
}
