//! Every refusal of sync: the code is the right one, and the database is to the byte what it was.

use mecum_relay::{Limits, Rate};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Hash32, SigningKey, SpaceId};
use mecum_sync::testing::Actor;
use mecum_sync::{AccountBody, Push, Received, Refusal, RefusalCode, Signed, Statement, SyncRequest, encode};

use crate::device::Device;
use crate::server::{Server, roomy};

/// A relay with a laptop that has pushed three envelopes in one space, and a stranger's account with one of its own.
struct Scene {
    server: Server,
    laptop: Device,
    stranger: Device,
    space: SpaceId,
    first: Push,
}

impl Scene {
    async fn new(limits: Limits) -> Self {
        let server = Server::start(limits).await;
        let mut laptop = Device::enrolled(&server, 1).await;
        let mut stranger = Device::enrolled(&server, 2).await;
        let space = laptop.space(&server).await;
        stranger.space(&server).await;
        let first = laptop.actor.push(space, &["a", "b", "c"], vec![]);
        laptop.push(&server, &first).await.unwrap();
        Self { server, laptop, stranger, space, first }
    }

    /// Pushes as the laptop; checks the code and that nothing changed but evidence.
    async fn refused(&mut self, push: &Push, code: RefusalCode, why: &str) -> Refusal {
        let before = self.server.digest(&["equivocation"]);
        let refusal = self.laptop.push(&self.server, push).await.expect_err(why);
        assert_eq!(refusal.code, code, "{why}");
        assert_eq!(self.server.digest(&["equivocation"]), before, "{why}: nothing is changed");
        refusal
    }

    fn evidence(&self) -> i64 {
        let c = rusqlite::Connection::open(self.server.dir.path().join("relay.sqlite")).unwrap();
        c.query_row("SELECT count(*) FROM equivocation", [], |row| row.get(0)).unwrap()
    }

    /// The laptop's next push, after `change` has been made to what it knows; what it knows is put back.
    fn next(&mut self, change: impl FnOnce(&mut Actor)) -> Push {
        let kept = self.laptop.actor.writing.clone();
        change(&mut self.laptop.actor);
        let push = self.laptop.actor.push(self.space, &["next"], vec![]);
        self.laptop.actor.writing = kept;
        push
    }
}

#[tokio::test]
async fn a_chain_takes_its_next_link_and_no_other() {
    let mut scene = Scene::new(roomy()).await;
    let space = scene.space;
    let last = scene.first.statement.unverified().last;

    let gap = scene.next(|a| a.writing.get_mut(&space).unwrap().envelope_seq += 1);
    let refusal = scene.refused(&gap, RefusalCode::ChainGap, "an envelope is missing").await;
    let stated = refusal.last.unwrap();
    assert_eq!((stated.seq, stated.hash), (3, last), "the refusal says what was last accepted");

    let fork = scene.next(|a| a.writing.get_mut(&space).unwrap().last = Hash32::from_bytes([1; 32]));
    scene.refused(&fork, RefusalCode::ChainFork, "another history").await;
    assert_eq!(scene.evidence(), 0, "a wrong previous hash alone is no second version of a link");

    let second = scene.next(|a| {
        let writing = a.writing.get_mut(&space).unwrap();
        writing.envelope_seq = 2;
        writing.last = Hash32::from_bytes([2; 32]);
    });
    scene.refused(&second, RefusalCode::ChainFork, "a second version of the third link").await;
    assert_eq!(scene.evidence(), 1, "both versions are kept");
    scene.refused(&second, RefusalCode::ChainFork, "the same again").await;
    assert_eq!(scene.evidence(), 1, "evidence is kept once");

    let stale = scene.next(|a| a.writing.get_mut(&space).unwrap().epoch = 0);
    let refusal = scene.refused(&stale, RefusalCode::EpochStale, "an epoch that has ended").await;
    assert_eq!(refusal.last.unwrap().seq, 3, "with what was last accepted");
    let future = scene.next(|a| a.writing.get_mut(&space).unwrap().epoch = 2);
    scene.refused(&future, RefusalCode::EpochStale, "an epoch that has not begun").await;
    let head =
        scene.next(|a| a.writing.get_mut(&space).unwrap().membership_head = Hash32::from_bytes([3; 32]));
    scene.refused(&head, RefusalCode::BadMembershipHead, "an unknown membership head").await;

    let honest = scene.next(|_| {});
    scene.laptop.push(&scene.server, &honest).await.expect("the honest next link is accepted after all that");
}

#[tokio::test]
async fn a_push_counts_only_under_its_device_s_signature() {
    let mut scene = Scene::new(roomy()).await;
    let honest = scene.next(|_| {});
    let thief = SigningKey::make(&SeededEntropy::new(66));
    let restated = |change: &dyn Fn(&mut Statement), key: &SigningKey| {
        let mut statement = honest.statement.unverified().clone();
        change(&mut statement);
        Push { envelopes: honest.envelopes.clone(), statement: Signed::sign(statement, key) }
    };
    let own = scene.laptop.actor.signing.clone();
    let forged = restated(&|_| {}, &thief);
    scene.refused(&forged, RefusalCode::BadSignature, "another key").await;
    let other = scene.stranger.actor.device;
    let foreign = restated(&|s| s.device = other, &own);
    scene.refused(&foreign, RefusalCode::NotYours, "in another device's name").await;
    let short = restated(&|s| s.envelope_seq -= 1, &own);
    scene.refused(&short, RefusalCode::BadStatement, "the statement ends before the envelopes").await;
    let beyond = restated(&|s| s.envelope_seq += 1, &own);
    scene.refused(&beyond, RefusalCode::BadStatement, "the statement ends beyond the envelopes").await;
    let other_hash = restated(&|s| s.last = Hash32::from_bytes([5; 32]), &own);
    scene.refused(&other_hash, RefusalCode::BadStatement, "the statement names other bytes").await;

    let received = |seq, last| {
        let device = scene.stranger.actor.device;
        vec![Received { device, incarnation: scene.stranger.actor.incarnation, envelope_seq: seq, last }]
    };
    let claim = received(4, Hash32::from_bytes([6; 32]));
    let claimed = restated(&|s| s.received.clone_from(&claim), &own);
    scene.refused(&claimed, RefusalCode::BadAcknowledgement, "what is not there cannot be held").await;
    let twice: Vec<_> = claim.iter().chain(&claim).copied().collect();
    let doubled = restated(&|s| s.received.clone_from(&twice), &own);
    scene.refused(&doubled, RefusalCode::BadStatement, "a chain is acknowledged once").await;

    let mut garbage = honest.clone();
    garbage.envelopes[0] = b"not an envelope".to_vec();
    scene.refused(&garbage, RefusalCode::Malformed, "not an envelope").await;
    let mut flipped = honest.clone();
    let middle = flipped.envelopes[0].len() / 2;
    flipped.envelopes[0][middle] ^= 1;
    scene.refused(&flipped, RefusalCode::BadStatement, "one bit of the envelope").await;
    scene.laptop.push(&scene.server, &honest).await.expect("the honest push is accepted after all that");
}

#[tokio::test]
async fn a_space_is_there_for_its_members_alone() {
    let mut scene = Scene::new(roomy()).await;
    let space = scene.space;
    let head = scene.first.statement.unverified();
    let head = scene.laptop.follower.space_log(head.space).unwrap().head();
    scene.stranger.actor.join_space(space, head);
    let intrusion = scene.stranger.actor.push(space, &["I was here"], vec![]);
    let before = scene.server.digest(&[]);
    let refusal = scene.stranger.push(&scene.server, &intrusion).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::UnknownSpace, "another account's space");
    let nowhere = SpaceId::from_bytes([1; 16]);
    scene.stranger.actor.join_space(nowhere, head);
    let lost = scene.stranger.actor.push(nowhere, &["hello"], vec![]);
    let same = scene.stranger.push(&scene.server, &lost).await.unwrap_err();
    assert_eq!(refusal, same, "a foreign space and no space are the same answer");
    assert_eq!(scene.server.digest(&[]), before, "nothing is changed");
    assert_eq!(scene.stranger.catch_up(&scene.server).await.len(), 0, "and nothing of it is handed out");
}

#[tokio::test]
async fn log_entries_that_do_not_belong_are_refused() {
    let mut scene = Scene::new(roomy()).await;
    let phone = Actor::second(50, &scene.laptop.actor);
    scene.laptop.catch_up(&scene.server).await;
    let log = scene.laptop.follower.account_log().unwrap().clone();
    let honest = scene.laptop.actor.add_device(&log, &phone);
    let resign = |change: &dyn Fn(&mut mecum_sync::AccountEntry), key: &SigningKey| {
        let mut entry = honest.unverified().clone();
        change(&mut entry);
        Signed::sign(entry, key)
    };
    let own = scene.laptop.actor.signing.clone();
    let stranger = scene.stranger.actor.account;
    let genesis = scene.laptop.actor.account_genesis().unverified().body.clone();
    let taken = AccountBody::AddDevice { device: scene.laptop.actor.card(b"again") };
    let cases = [
        ("a stale head", resign(&|e| e.previous = Hash32::ZERO, &own), RefusalCode::StaleHead),
        ("a skipped number", resign(&|e| e.seq += 1, &own), RefusalCode::StaleHead),
        ("another key", resign(&|_| {}, &phone.signing), RefusalCode::BadSignature),
        (
            "an unknown signer",
            resign(&|e| e.signer = phone.device, &phone.signing),
            RefusalCode::UnknownDevice,
        ),
        ("another account", resign(&|e| e.account = stranger, &own), RefusalCode::NotYours),
        ("a second genesis", resign(&|e| e.body = genesis.clone(), &own), RefusalCode::BadEntry),
        ("a device that is there", resign(&|e| e.body = taken.clone(), &own), RefusalCode::AlreadyExists),
    ];
    let before = scene.server.digest(&[]);
    for (why, entry, code) in cases {
        let mut request = scene.laptop.request();
        request.account_entries.push(entry);
        let response = scene.laptop.sync(&scene.server, &request).await.unwrap();
        assert_eq!(response.account_outcomes[0].refusal().unwrap().code, code, "{why}");
        assert_eq!(scene.server.digest(&[]), before, "{why}: nothing is changed");
    }
    let elsewhere = SigningKey::make(&SeededEntropy::new(3)).verifying_key();
    let (_, moved) = scene.laptop.actor.found_space(Some(elsewhere));
    let (_, homeless) = scene.laptop.actor.found_space(None);
    let (_, foreign) = scene.stranger.actor.found_space(None);
    let mut forged = homeless.unverified().clone();
    forged.space = SpaceId::from_bytes([4; 16]);
    let forged = Signed::sign(forged, &phone.signing);
    let mut second = homeless.unverified().clone();
    second.space = scene.space;
    let second = Signed::sign(second, &own);
    let mut late = homeless.unverified().clone();
    late.seq = 2;
    let late = Signed::sign(late, &own);
    let cases = [
        ("another home", moved, RefusalCode::WrongRelay),
        ("another account's", foreign, RefusalCode::NotYours),
        ("another key", forged, RefusalCode::BadSignature),
        ("a second beginning", second, RefusalCode::StaleHead),
        ("no beginning", late, RefusalCode::UnknownSpace),
    ];
    for (why, entry, code) in cases {
        let mut request = scene.laptop.request();
        request.space_entries.push(entry);
        let response = scene.laptop.sync(&scene.server, &request).await.unwrap();
        assert_eq!(response.space_outcomes[0].refusal().unwrap().code, code, "{why}");
        assert_eq!(scene.server.digest(&[]), before, "{why}: nothing is changed");
    }
    let mut request = scene.laptop.request();
    request.account_entries.push(honest);
    request.space_entries.push(homeless);
    let response = scene.laptop.sync(&scene.server, &request).await.unwrap();
    assert_eq!(response.account_outcomes[0].refusal(), None, "the honest entry is accepted after all that");
    assert_eq!(response.space_outcomes[0].refusal(), None, "and the space without a named home");
}

#[tokio::test]
async fn a_request_that_cannot_be_answered_is_refused_as_a_whole() {
    let mut scene = Scene::new(roomy()).await;
    let before = scene.server.digest(&[]);
    let mut ahead = SyncRequest::pull(10_000, 1_000);
    ahead.pushes.push(scene.next(|_| {}));
    let answer = scene.server.ask("POST", "/v1/sync", Some(&scene.laptop.token), &encode(&ahead)).await;
    assert_eq!((answer.status, answer.refusal().code), (410, RefusalCode::Resync), "a cursor of another log");
    let mut newer = scene.laptop.request();
    newer.version = 2;
    let answer = scene.server.ask("POST", "/v1/sync", Some(&scene.laptop.token), &encode(&newer)).await;
    assert_eq!(answer.refusal().code, RefusalCode::VersionUnsupported, "another version");
    for token in [None, Some(""), Some("00"), Some(&"0".repeat(64)[..]), Some(&"Z".repeat(64)[..])] {
        let body = encode(&scene.laptop.request());
        let answer = scene.server.ask("POST", "/v1/sync", token, &body).await;
        assert_eq!((answer.status, answer.refusal().code), (401, RefusalCode::Unauthorised), "no session");
    }
    scene.server.advance(12 * 60 * 60 * 1_000);
    let answer = scene
        .server
        .ask("POST", "/v1/sync", Some(&scene.laptop.token), &encode(&scene.laptop.request()))
        .await;
    assert_eq!(answer.status, 401, "a session ends");
    assert_eq!(scene.server.digest(&[]), before, "nothing is changed");
    scene.laptop.sign_in(&scene.server).await;
    scene.laptop.catch_up(&scene.server).await;
}

#[tokio::test]
async fn an_account_cannot_pass_its_quota() {
    let mut scene = Scene::new(Limits { quota_bytes: 40_000, quota_spaces: 2, ..roomy() }).await;
    let kept = scene.laptop.actor.writing.clone();
    let large = scene.laptop.actor.push(scene.space, &[&"x".repeat(50_000)], vec![]);
    scene.refused(&large, RefusalCode::Quota, "more bytes than the account may store").await;
    scene.laptop.actor.writing = kept;
    scene.laptop.space(&scene.server).await;
    let (_, third) = scene.laptop.actor.found_space(None);
    let before = scene.server.digest(&[]);
    let mut request = scene.laptop.request();
    request.space_entries.push(third);
    let response = scene.laptop.sync(&scene.server, &request).await.unwrap();
    assert_eq!(response.space_outcomes[0].refusal().unwrap().code, RefusalCode::Quota, "a space too many");
    assert_eq!(scene.server.digest(&[]), before, "nothing is changed");
    scene.laptop.write(&scene.server, scene.space, &["small"]).await;
}

#[tokio::test]
async fn one_refused_push_does_not_hold_up_the_others() {
    let mut scene = Scene::new(roomy()).await;
    let gap = scene.next(|a| a.writing.values_mut().for_each(|w| w.envelope_seq += 1));
    let honest = scene.next(|_| {});
    let mut request = scene.laptop.request();
    request.pushes = vec![gap, honest];
    let response = scene.laptop.sync(&scene.server, &request).await.unwrap();
    let codes: Vec<_> = response.push_outcomes.iter().map(|o| o.refusal().map(|r| r.code)).collect();
    assert_eq!(codes, [Some(RefusalCode::ChainGap), None], "each push is answered for itself");
}

#[tokio::test]
async fn an_account_that_asks_too_often_waits_and_others_do_not() {
    let slow = Rate { burst: 6.0, per_second: 1.0 };
    let mut scene = Scene::new(Limits { syncs_per_device: slow, ..roomy() }).await;
    let mut codes = Vec::new();
    for _ in 0..8 {
        let request = scene.laptop.request();
        codes.push(scene.laptop.sync(&scene.server, &request).await.err().map(|refusal| refusal.code));
    }
    assert_eq!(codes.last().unwrap(), &Some(RefusalCode::RateLimited), "the account has to wait");
    let request = scene.stranger.request();
    scene.stranger.sync(&scene.server, &request).await.expect("another account is not affected");
    scene.server.advance(2_000);
    let request = scene.laptop.request();
    scene.laptop.sync(&scene.server, &request).await.expect("after a while it goes on");
}
