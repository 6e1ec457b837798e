//! Who asks for an account, and what they get: after their own wait, and nobody else's.

use mecum_relay::{Limits, Rate};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, SigningKey};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, HelpersAnswer, HelpersAsk, HelpersDone, HelpersStage, PROTOCOL_VERSION, RefusalCode, Signed,
    encode,
};

use super::{Asker, DAY_MS, WAIT_MS, counted, opened, recover, set_helpers, stop, strangers, told};
use crate::device::Device;
use crate::server::{START_MS, Server, roomy};
use crate::wake;

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

/// The requests as a server of before kept them: one for an account.
fn as_before(folder: &std::path::Path) {
    let c = rusqlite::Connection::open(folder.join("relay.sqlite")).unwrap();
    let migration = include_str!("../../../migrations/0005_helpers.sql");
    let table = &migration[migration.find("CREATE TABLE helper_request").unwrap()..];
    let columns = "account, request, body, asked_at_ms, released_at_ms, stopped_at_ms";
    c.execute_batch(&format!(
        "BEGIN; DROP INDEX helper_request_open; ALTER TABLE helper_request RENAME TO later; {table}
         INSERT INTO helper_request ({columns}) SELECT {columns} FROM later; DROP TABLE later;
         DROP INDEX mailbox_room; ALTER TABLE mailbox DROP COLUMN site; DROP TABLE public_page;
         ALTER TABLE account DROP COLUMN host; ALTER TABLE enrolment_code DROP COLUMN host;
         PRAGMA user_version = 6; COMMIT;"
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
