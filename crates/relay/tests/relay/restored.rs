//! A server that was restored from an older backup: it lost what it had acknowledged since. Nothing of it is lost for good as
//! long as the device that wrote it comes back, and nothing that is new is taken for something seen.

use mecum_relay::folder;
use mecum_seal::Envelope;
use mecum_sync::{Follower, Push, RefusalCode, SyncRequest, SyncResponse, encode};

use crate::device::Device;
use crate::server::{START_MS, Server, roomy};

/// A device with its pushes, as its vault keeps them, on a server that was restored from a backup of an earlier time.
struct Scene {
    server: Server,
    laptop: Device,
    pushes: Vec<Push>,
}

impl Scene {
    /// Ten pushes, a backup, `behind` more pushes, and the backup restored.
    async fn restored(behind: usize) -> Self {
        let mut server = Server::start(roomy()).await;
        let mut laptop = Device::enrolled(&server, 1).await;
        let space = laptop.space(&server).await;
        let mut pushes = Vec::new();
        let dir = tempfile::tempdir().unwrap();
        for n in 0..10 + behind {
            if n == 10 {
                folder::backup(server.dir.path(), &dir.path().join("b"), START_MS).unwrap();
            }
            let push = laptop.actor.push(space, &[&format!("edit {n}")], vec![]);
            laptop.push(&server, &push).await.unwrap();
            pushes.push(push);
        }
        server.restored_from(&dir.path().join("b")).await;
        laptop.sign_in(&server).await;
        Self { server, laptop, pushes }
    }

    /// One request without the device's follower: what the server alone does.
    async fn ask(&self, request: &SyncRequest) -> Result<SyncResponse, RefusalCode> {
        let answer = self.server.ask("POST", "/v1/sync", Some(&self.laptop.token), &encode(request)).await;
        if answer.status == 200 { Ok(answer.frame()) } else { Err(answer.refusal().code) }
    }
}

fn pushing(pushes: &[Push]) -> SyncRequest {
    let mut request = SyncRequest::pull(0, 1);
    request.pushes = pushes.to_vec();
    request
}

#[tokio::test]
async fn a_cursor_from_after_the_backup_is_told_to_begin_again_and_stores_nothing() {
    for behind in [1, 2, 7, 40] {
        let scene = Scene::restored(behind).await;
        let before = scene.server.digest(&[]);
        let cursor = scene.laptop.follower.cursor();
        assert_eq!(
            scene.ask(&SyncRequest::pull(cursor, 1 << 20)).await.err(),
            Some(RefusalCode::Resync),
            "pull"
        );
        let mut request = pushing(&scene.pushes[10..]);
        request.cursor = cursor;
        assert_eq!(scene.ask(&request).await.err(), Some(RefusalCode::Resync), "push, {behind} behind");
        assert_eq!(
            scene.server.digest(&[]),
            before,
            "nothing is stored for a device that knows another order"
        );
        // However much others write meanwhile, that cursor never comes to mean something else.
        let mut phone = scene.laptop.actor_again(&scene.server, behind as u64).await;
        phone.catch_up(&scene.server).await;
        let space = phone.space(&scene.server).await;
        for _ in 0..behind + 5 {
            phone.write(&scene.server, space, &["news"]).await;
        }
        assert_eq!(
            scene.ask(&SyncRequest::pull(cursor, 1 << 20)).await.err(),
            Some(RefusalCode::Resync),
            "still"
        );
    }
}

impl Device {
    /// A new installation of the same device: the same keys, nothing followed yet.
    async fn actor_again(&self, server: &Server, seed: u64) -> Device {
        let genesis = self.follower.account_log().unwrap().genesis();
        let mut actor = mecum_sync::testing::Actor::second(900 + seed, &self.actor);
        actor.signing = self.actor.signing.clone();
        actor.device = self.actor.device;
        let follower =
            Follower::join(actor.account, actor.device, actor.incarnation, genesis, Some(server.pin()));
        let mut device = Device { actor, follower, token: String::new() };
        device.sign_in(server).await;
        device
    }
}

#[tokio::test]
async fn what_the_server_lost_it_takes_again_from_the_device_that_wrote_it() {
    for behind in [1, 3, 40] {
        let scene = Scene::restored(behind).await;
        let next = &scene.pushes[scene.pushes.len() - 1..];
        if behind > 1 {
            let response = scene.ask(&pushing(next)).await.unwrap();
            let refusal = *response.push_outcomes[0].refusal().expect("links are missing before it");
            assert_eq!(refusal.code, RefusalCode::ChainGap, "{behind} behind");
            let last = refusal.last.expect("the refusal says where the chain stands");
            let held = scene.pushes[9].statement.unverified();
            assert_eq!((last.seq, last.hash), (10, held.last), "at the last push of the backup");
        }
        let response = scene.ask(&pushing(&scene.pushes[10..])).await.unwrap();
        assert!(response.push_outcomes.iter().all(|outcome| outcome.refusal().is_none()), "taken again");
        let mut fresh = scene.laptop.actor_again(&scene.server, behind as u64).await;
        let mut texts = Vec::new();
        for bytes in fresh.catch_up(&scene.server).await {
            let text = Envelope::parse(&bytes).unwrap().open(&scene.laptop.actor.document_key).unwrap();
            texts.push(String::from_utf8(text).unwrap());
        }
        let all: Vec<_> = (0..10 + behind).map(|n| format!("edit {n}")).collect();
        assert_eq!(texts, all, "a new device reads every edit that was ever acknowledged");
        let checked = folder::check(scene.server.dir.path()).unwrap();
        assert_eq!(checked.findings, [], "and the server is sound");
    }
}

#[tokio::test]
async fn a_statement_about_what_was_lost_is_refused_until_its_device_brings_it_again() {
    let mut server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    let mut phone = laptop.pair(&server, 2).await;
    phone.catch_up(&server).await;
    let dir = tempfile::tempdir().unwrap();
    folder::backup(server.dir.path(), &dir.path().join("b"), START_MS).unwrap();
    let lost = phone.actor.push(space, &["written on the phone"], vec![]);
    phone.push(&server, &lost).await.unwrap();
    laptop.catch_up(&server).await;
    server.restored_from(&dir.path().join("b")).await;
    laptop.sign_in(&server).await;
    phone.sign_in(&server).await;
    let honest = laptop.actor.push(space, &["written on the laptop"], laptop.follower.received(space));
    let push = async |server: &Server, device: &Device, push: &Push| {
        let request = pushing(std::slice::from_ref(push));
        let answer = server.ask("POST", "/v1/sync", Some(&device.token), &encode(&request)).await;
        let response: SyncResponse = answer.frame();
        response.push_outcomes[0].refusal().map(|refusal| refusal.code)
    };
    let refused = push(&server, &laptop, &honest).await;
    assert_eq!(
        refused,
        Some(RefusalCode::BadAcknowledgement),
        "the server does not have what it acknowledges"
    );
    assert_eq!(push(&server, &phone, &lost).await, None, "the phone brings it again");
    assert_eq!(push(&server, &laptop, &honest).await, None, "and the laptop's push is taken as it is");
    assert_eq!(folder::check(server.dir.path()).unwrap().findings, [], "and the server is sound");
}

#[tokio::test]
async fn what_others_write_on_a_restored_server_reaches_who_had_seen_further() {
    let mut server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    let mut phone = laptop.pair(&server, 2).await;
    let mut tablet = laptop.pair(&server, 3).await;
    phone.catch_up(&server).await;
    tablet.catch_up(&server).await;
    let dir = tempfile::tempdir().unwrap();
    folder::backup(server.dir.path(), &dir.path().join("b"), START_MS).unwrap();
    phone.write(&server, space, &["lost by the server"]).await;
    assert_eq!(laptop.catch_up(&server).await.len(), 1, "the laptop has what the phone wrote");
    server.restored_from(&dir.path().join("b")).await;
    tablet.sign_in(&server).await;
    tablet.write(&server, space, &["from the tablet"]).await;
    laptop.sign_in(&server).await;
    let request = laptop.request();
    assert_eq!(
        laptop.sync(&server, &request).await.unwrap_err().code,
        RefusalCode::Resync,
        "told to begin again"
    );
    laptop.follower.start_over();
    let came = laptop.catch_up(&server).await;
    assert_eq!(
        came.len(),
        1,
        "the laptop gets what the tablet wrote, though it stands where the phone's stood"
    );
}
