//! Handing over: what a restored server lost comes back from whoever fetched it, as its writer signed it, and counts for no more than
//! if its writer had come back.

use mecum_relay::folder;
use mecum_seal::{DeviceId, Envelope, SpaceId};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountLog, Handed, Push, RefusalCode, Role, Signed, SpaceBody, SyncRequest, SyncResponse, encode,
};

use crate::device::Device;
use crate::members::is_sound;
use crate::server::{START_MS, Server, roomy};

/// A mother, her phone, and her daughter, who writes in her space; a backup lies in a folder.
pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) mother: Device,
    pub(crate) phone: Device,
    pub(crate) daughter: Device,
    pub(crate) space: SpaceId,
    to: tempfile::TempDir,
    backups: u32,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let server = Server::start(roomy()).await;
        let mut mother = Device::enrolled(&server, 1).await;
        let mut daughter = Device::enrolled(&server, 2).await;
        let space = mother.space(&server).await;
        mother.write(&server, space, &["one"]).await;
        mother.let_in(&server, &mut daughter, space, Role::Writer).await;
        let mut phone = mother.pair(&server, 3).await;
        phone.catch_up(&server).await;
        phone.actor.follow(&phone.space_log(space));
        phone.write(&server, space, &["two"]).await;
        let to = tempfile::tempdir().expect("a folder");
        let mut scene = Self { server, mother, phone, daughter, space, to, backups: 0 };
        scene.everybody().await;
        scene.back_up();
        scene
    }

    /// Makes the backup that the server goes back to.
    pub(crate) fn back_up(&mut self) {
        self.backups += 1;
        folder::backup(self.server.dir.path(), &self.backup(), START_MS).unwrap();
    }

    fn backup(&self) -> std::path::PathBuf {
        self.to.path().join(self.backups.to_string())
    }

    pub(crate) async fn everybody(&mut self) {
        for device in [&mut self.mother, &mut self.phone, &mut self.daughter] {
            device.catch_up(&self.server).await;
        }
    }

    /// Goes back to the backup.
    pub(crate) async fn restored(&mut self) {
        let backup = self.backup();
        self.server.restored_from(&backup).await;
        for device in [&mut self.mother, &mut self.phone, &mut self.daughter] {
            device.sign_in(&self.server).await;
        }
    }

    /// What becomes of pushes that a device hands over.
    async fn handed(&self, by: &Device, pushes: &[Push]) -> Vec<Option<RefusalCode>> {
        let handed = Some(Handed { pushes: pushes.to_vec() });
        let request = SyncRequest { handed, ..SyncRequest::pull(0, 1) };
        let answer = self.server.ask("POST", "/v1/sync", Some(&by.token), &encode(&request)).await;
        let response: SyncResponse = answer.frame();
        response.handed_outcomes().iter().map(|outcome| outcome.refusal().map(|r| r.code)).collect()
    }

    pub(crate) async fn bring(&self, by: &Device, request: SyncRequest) -> SyncResponse {
        self.server.ask("POST", "/v1/sync", Some(&by.token), &encode(&request)).await.frame()
    }

    /// Every link that a new device of the mother's account is shown and believes: whose, and the number.
    pub(crate) async fn read_anew(&mut self, seed: u64) -> Vec<(DeviceId, u64)> {
        let log = self.mother.follower.account_log().unwrap().clone();
        let actor = Actor::second(seed, &self.mother.actor);
        let add = self.mother.actor.add_device(&log, &actor);
        let request = SyncRequest { account_entries: vec![add.clone()], ..SyncRequest::pull(0, 1) };
        let response = self.bring(&self.mother, request).await;
        assert_eq!(response.account_outcomes[0].refusal(), None, "the device is added");
        self.mother.follower.add_own_account_entry(&add).unwrap();
        let (pin, genesis) = (Some(self.server.pin()), log.genesis());
        let follower =
            mecum_sync::Follower::join(actor.account, actor.device, actor.incarnation, genesis, pin);
        let mut fresh = Device { actor, follower, token: String::new() };
        fresh.sign_in(&self.server).await;
        let link = |bytes: &Vec<u8>| {
            let envelope = Envelope::parse(bytes).unwrap();
            (envelope.place().device, envelope.place().envelope_seq)
        };
        fresh.catch_up(&self.server).await.iter().map(link).collect()
    }
}

#[tokio::test]
async fn what_its_writer_never_brings_again_whoever_fetched_it_hands_over() {
    let mut scene = Scene::new().await;
    let mut lost = Vec::new();
    // The last statement of each acknowledges what the other wrote: only their own order is one.
    for n in 0..3 {
        for theirs in [false, true] {
            let device = if theirs { &mut scene.daughter } else { &mut scene.phone };
            device.catch_up(&scene.server).await;
            let received = device.follower.received(scene.space);
            let push = device.actor.push(scene.space, &[&format!("lost {n}"), "and more"], received);
            device.push(&scene.server, &push).await.unwrap();
            lost.push(push);
        }
    }
    scene.mother.catch_up(&scene.server).await;
    scene.restored().await;
    let backwards: Vec<Push> = lost.iter().rev().cloned().collect();
    let refused = scene.handed(&scene.mother, &backwards[..1]).await;
    assert_eq!(refused, [Some(RefusalCode::ChainGap)], "what comes before it is not there");
    let early = scene.handed(&scene.mother, &lost[1..2]).await;
    assert_eq!(early, [Some(RefusalCode::BadAcknowledgement)], "nor what it acknowledges");
    assert_eq!(scene.handed(&scene.mother, &lost).await, vec![None; 6], "in their order all are taken");
    let before = scene.server.digest(&[]);
    assert_eq!(scene.handed(&scene.mother, &lost).await, vec![None; 6], "also for the second time");
    assert_eq!(scene.server.digest(&[]), before, "which changes nothing");
    is_sound(&scene.server);
    let links = scene.read_anew(7).await;
    assert_eq!(links.len(), 14, "a device that comes later reads all of it: {links:?}");
    let again = scene.phone.actor.push(scene.space, &["goes on"], vec![]);
    let request = SyncRequest { pushes: vec![again], ..SyncRequest::pull(0, 1) };
    let outcome = scene.bring(&scene.phone, request).await.push_outcomes[0];
    assert_eq!(outcome.refusal().map(|r| r.code), Some(RefusalCode::BadStatement), "it takes nothing back");
}

#[tokio::test]
async fn nothing_is_taken_from_who_may_not_write_or_that_its_writer_did_not_sign() {
    let mut scene = Scene::new().await;
    let space = scene.space;
    let honest = scene.phone.actor.push(space, &["by the phone"], scene.phone.follower.received(space));
    let forged = {
        let statement = honest.statement.unverified().clone();
        Push { statement: Signed::sign(statement, &scene.daughter.actor.signing), ..honest.clone() }
    };
    let alone = Push { envelopes: Vec::new(), ..honest.clone() };
    let mut outsider = Device::enrolled(&scene.server, 4).await;
    let mut reader = Device::enrolled(&scene.server, 5).await;
    outsider.catch_up(&scene.server).await;
    let (_, genesis) = outsider.actor.found_space(None);
    let foreign = {
        // Well formed, in this space, by a device of nobody in it.
        outsider.actor.follow(&scene.mother.space_log(space));
        drop(genesis);
        outsider.actor.push(space, &["by a stranger"], vec![])
    };
    scene.mother.let_in(&scene.server, &mut reader, space, Role::Reader).await;
    reader.actor.follow(&reader.space_log(space));
    let read_only = reader.actor.push(space, &["by a reader"], vec![]);
    let before = scene.server.digest(&["equivocation"]);
    for (why, by, push, code) in [
        ("another's signature", &scene.mother, &forged, RefusalCode::BadSignature),
        ("acknowledgements alone", &scene.mother, &alone, RefusalCode::Malformed),
        ("a stranger's words", &scene.mother, &foreign, RefusalCode::UnknownDevice),
        ("a reader's words", &scene.mother, &read_only, RefusalCode::NotMember),
        ("by a stranger", &outsider, &honest, RefusalCode::UnknownSpace),
        ("by a reader", &reader, &honest, RefusalCode::NotMember),
    ] {
        assert_eq!(scene.handed(by, std::slice::from_ref(push)).await, [Some(code)], "{why}");
    }
    assert_eq!(scene.server.digest(&["equivocation"]), before, "and nothing changed");
    assert_eq!(
        scene.handed(&scene.daughter, &[honest]).await,
        [None],
        "what is right is taken from any writer"
    );
}

#[tokio::test]
async fn a_lost_removal_stands_again_before_what_was_lost_with_it_and_the_chain_has_to_lead_to_its_cut() {
    let mut scene = Scene::new().await;
    let space = scene.space;
    let mut lost = Vec::new();
    for text in ["three", "four"] {
        let push = scene.daughter.actor.push(space, &[text], scene.daughter.follower.received(space));
        scene.daughter.push(&scene.server, &push).await.unwrap();
        lost.push(push);
    }
    scene.everybody().await;
    let removal = scene.mother.actor.remove(
        &scene.mother.space_log(space),
        scene.daughter.actor.account,
        vec![scene.daughter.actor.cut(space)],
    );
    scene.mother.bring(&scene.server, &removal).await.unwrap();
    scene.phone.catch_up(&scene.server).await;
    scene.restored().await;
    let request = SyncRequest { space_entries: vec![removal], ..SyncRequest::pull(0, 1) };
    let response = scene.bring(&scene.mother, request).await;
    assert_eq!(response.space_outcomes[0].refusal(), None, "though the links that it names are not there");
    let request = SyncRequest { pushes: lost[..1].to_vec(), ..SyncRequest::pull(0, 1) };
    let refused = scene.bring(&scene.daughter, request).await.push_outcomes[0];
    assert_eq!(refused.refusal().map(|r| r.code), Some(RefusalCode::UnknownSpace), "she is out");
    assert_eq!(scene.handed(&scene.mother, &lost[..1]).await, [None], "what she wrote in time is taken");
    // After that she signs another second word, and somebody who writes here brings it for her.
    let mut twin = Actor::new(2);
    twin.follow(&scene.daughter.space_log(space));
    let (first, at) = (lost[0].statement.unverified(), twin.writing.get_mut(&space).unwrap());
    (at.envelope_seq, at.last) = (first.envelope_seq, first.last);
    let other = twin.push(space, &["another four"], vec![]);
    assert_eq!(
        scene.handed(&scene.phone, std::slice::from_ref(&other)).await,
        [Some(RefusalCode::ChainFork)],
        "the cut names another"
    );
    assert_eq!(scene.handed(&scene.mother, &lost[1..]).await, [None], "and that one is taken");
    let (hers, links) = (scene.daughter.actor.device, scene.read_anew(8).await);
    assert!(
        links.contains(&(hers, 1)) && links.contains(&(hers, 2)),
        "who comes later reads both: {links:?}"
    );
    is_sound(&scene.server);
}

#[tokio::test]
async fn of_a_removed_device_only_that_is_taken_of_which_a_cut_decides() {
    let mut scene = Scene::new().await;
    let space = scene.space;
    let push = scene.phone.actor.push(space, &["three"], scene.phone.follower.received(space));
    scene.phone.push(&scene.server, &push).await.unwrap();
    scene.everybody().await;
    let cut = scene.phone.actor.cut(space);
    scene.restored().await;
    let log: AccountLog = scene.mother.follower.account_log().unwrap().clone();
    let gone = scene.mother.actor.remove_device(&log, scene.phone.actor.device);
    let request = SyncRequest { account_entries: vec![gone.clone()], ..SyncRequest::pull(0, 1) };
    assert_eq!(scene.bring(&scene.mother, request).await.account_outcomes[0].refusal(), None, "it is out");
    let pushes = std::slice::from_ref(&push);
    assert_eq!(scene.handed(&scene.mother, pushes).await, [Some(RefusalCode::UnknownDevice)], "no cut yet");
    let log = scene.mother.space_log(space);
    let epoch = SpaceBody::Epoch { next: Actor::next_epoch(&log, None), cuts: vec![cut] };
    let entry = scene.mother.actor.space_entry(&log, epoch);
    let request = SyncRequest { space_entries: vec![entry], ..SyncRequest::pull(0, 1) };
    assert_eq!(
        scene.bring(&scene.mother, request).await.space_outcomes[0].refusal(),
        None,
        "now there is one"
    );
    assert_eq!(scene.handed(&scene.mother, pushes).await, [None], "and it is taken");
    scene.mother.follower.add_own_account_entry(&gone).unwrap();
    let (its, links) = (scene.phone.actor.device, scene.read_anew(9).await);
    assert!(links.contains(&(its, 2)), "who comes later reads it: {links:?}");
    let before = scene.server.digest(&["equivocation"]);
    // Whoever has its key says that it holds more, of the links that are there, or writes on beyond the cut.
    let twice = {
        let mut more = push.statement.unverified().clone();
        more.received = scene.daughter.follower.received(space);
        more.received.retain(|received| received.device != scene.phone.actor.device);
        more.received.push(scene.daughter.actor.as_received(space));
        more.received.retain(|received| received.envelope_seq > 0);
        more.received.sort_unstable();
        Push { envelopes: push.envelopes.clone(), statement: Signed::sign(more, &scene.phone.actor.signing) }
    };
    assert_eq!(scene.handed(&scene.daughter, &[twice]).await, [None], "nothing of it is new");
    let late = scene.phone.actor.push(space, &["by the thief"], push.statement.unverified().received.clone());
    let refused = scene.handed(&scene.daughter, std::slice::from_ref(&late)).await;
    assert_eq!(refused, [Some(RefusalCode::UnknownDevice)], "nothing leads to a cut any more");
    assert_eq!(scene.server.digest(&["equivocation"]), before, "and nobody is told anything");
    let links = scene.read_anew(10).await;
    assert!(!links.contains(&(its, 3)), "who comes later goes on: {links:?}");
}

#[tokio::test]
async fn a_device_that_came_to_an_account_after_its_stay_hands_nothing_over() {
    let mut scene = Scene::new().await;
    let space = scene.space;
    let old = scene.daughter.space_log(space);
    let cuts = vec![scene.daughter.actor.cut(space)];
    let removal =
        scene.mother.actor.remove(&scene.mother.space_log(space), scene.daughter.actor.account, cuts);
    scene.mother.bring(&scene.server, &removal).await.unwrap();
    let server = &scene.server;
    let mut tablet = scene.daughter.pair(server, 6).await;
    // The others were never told of it: they share nothing with her any more.
    tablet.actor.follow(&old);
    let push = tablet.actor.push(space, &["as if from before"], vec![]);
    let before = scene.server.digest(&["equivocation"]);
    let refused = scene.handed(&scene.mother, &[push]).await;
    assert_eq!(refused, [Some(RefusalCode::UnknownDevice)], "no cut names its chain");
    assert_eq!(scene.server.digest(&["equivocation"]), before, "and nobody is shown it");
}
