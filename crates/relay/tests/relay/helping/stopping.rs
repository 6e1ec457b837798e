//! Who stops what was asked, what the devices are told until then, and that no history of both gives the part out early.

use std::collections::BTreeMap;

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, Entropy, Hash32, SigningKey};
use mecum_sync::limits::{HELPERS_STOPPED_MS, HELPERS_USE_MS, MAX_OTHER_REQUESTS};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, HelpersAnswer, HelpersDone, HelpersNotice, HelpersPart, HelpersStage, PROTOCOL_VERSION,
    RefusalCode, encode, helping,
};

use super::{Asker, DAY_MS, WAIT_MS, counted, opened, recover, set_helpers, stop, strangers, told};
use crate::device::Device;
use crate::server::{START_MS, Server, roomy};

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
