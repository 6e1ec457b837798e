//! What a device signed before it was removed comes back to a restored server behind its removal, where its account stands for it; and
//! what it signs after that is taken from nobody.

use mecum_sync::{
    AccountBody, AccountEntry, RefusalCode, Role, Signed, SpaceBody, SpaceEntry, SpaceLog, SyncRequest,
    SyncResponse, encode,
};

use crate::device::Device;
use crate::handed::Scene;
use crate::members::is_sound;

/// What was lost: the phone lets somebody in, is removed, and its mother's device begins the epoch that it has no key of.
struct Lost {
    gone: Signed<AccountEntry>,
    entries: Vec<Signed<SpaceEntry>>,
    /// The section's log as the backup has it.
    before: SpaceLog,
    aunt: Device,
}

async fn lose(scene: &mut Scene) -> Lost {
    let space = scene.space;
    let mut aunt = Device::enrolled(&scene.server, 21).await;
    scene.back_up();
    let before = scene.mother.space_log(space);
    let (account, genesis) = scene.mother.as_member();
    aunt.follower.expect_space(space, account, genesis).unwrap();
    let grant = scene.phone.actor.grant(&scene.phone.space_log(space), aunt.as_member(), Role::Writer);
    scene.phone.bring(&scene.server, &grant).await.expect("the grant is stored");
    scene.everybody().await;
    aunt.catch_up(&scene.server).await;
    let log = scene.mother.space_log(space);
    let gone = scene
        .mother
        .actor
        .remove_device(scene.mother.follower.account_log().unwrap(), scene.phone.actor.device);
    scene.mother.bring_account(&scene.server, &gone).await.expect("the removal is stored");
    scene.mother.catch_up(&scene.server).await;
    let next = mecum_sync::testing::Actor::next_epoch(&log, None);
    let cuts = vec![scene.phone.actor.cut(space)];
    let epoch = scene.mother.actor.space_entry(&log, SpaceBody::Epoch { next, cuts });
    scene.mother.bring(&scene.server, &epoch).await.expect("the epoch is stored");
    Lost { gone, entries: vec![grant, epoch], before, aunt }
}

fn codes(response: &SyncResponse) -> Vec<Option<RefusalCode>> {
    response.space_outcomes.iter().map(|outcome| outcome.refusal().map(|refusal| refusal.code)).collect()
}

/// Everything of the log in one request, as who reads again brings it.
fn all_of(lost: &Lost) -> SyncRequest {
    SyncRequest {
        account_entries: vec![lost.gone.clone()],
        space_entries: lost.entries.clone(),
        ..SyncRequest::pull(0, 1)
    }
}

/// The removal, and behind it that the account stands for these.
fn upholding(scene: &Scene, lost: &Lost, entries: &[&Signed<SpaceEntry>]) -> Vec<Signed<AccountEntry>> {
    let mut entries: Vec<_> = entries.iter().map(|entry| entry.hash()).collect();
    entries.sort_unstable();
    let log = scene.mother.follower.account_log().expect("a log");
    vec![lost.gone.clone(), scene.mother.actor.account_entry(log, AccountBody::Uphold { entries })]
}

#[tokio::test]
async fn what_a_removed_device_had_signed_is_taken_from_anybody_once_its_account_stands_for_it() {
    let mut scene = Scene::new().await;
    let mut lost = lose(&mut scene).await;
    scene.restored().await;
    let response = scene.bring(&scene.mother, all_of(&lost)).await;
    assert_eq!(response.account_outcomes[0].refusal(), None, "it is out");
    let refused = [Some(RefusalCode::UnknownDevice), Some(RefusalCode::StaleHead)];
    assert_eq!(codes(&response), refused, "and nobody stands for what it had signed");
    let account_entries = upholding(&scene, &lost, &[&lost.entries[0]]);
    let request = SyncRequest { account_entries: account_entries.clone(), ..SyncRequest::pull(0, 1) };
    let response = scene.bring(&scene.mother, request).await;
    assert!(response.account_outcomes.iter().all(|outcome| outcome.refusal().is_none()), "now one does");
    let entries = SyncRequest { space_entries: lost.entries.clone(), ..SyncRequest::pull(0, 1) };
    let response = scene.bring(&scene.daughter, entries.clone()).await;
    assert_eq!(codes(&response), [None, None], "another member brings it, and what came after");
    let again = scene.bring(&scene.mother, SyncRequest { account_entries, ..entries }).await;
    assert_eq!(codes(&again), [None, None], "also for the second time");
    scene.mother.follower.start_over();
    scene.mother.catch_up(&scene.server).await;
    is_sound(&scene.server);
    let push = scene.daughter.actor.push(scene.space, &["old"], vec![]);
    let stale = scene.bring(&scene.daughter, SyncRequest { pushes: vec![push], ..SyncRequest::pull(0, 1) });
    let refused = stale.await.push_outcomes[0].refusal().map(|refusal| refusal.code);
    assert_eq!(refused, Some(RefusalCode::EpochStale), "the epoch that it has no key of is current");
    // Who comes later takes each thing in its order.
    assert!(!scene.read_anew(22).await.is_empty(), "a new device of the account reads it");
    lost.aunt.sign_in(&scene.server).await;
    lost.aunt.follower.start_over();
    lost.aunt.catch_up(&scene.server).await;
    assert_eq!(lost.aunt.space_log(scene.space).epoch(), 2, "and so does whom it had let in");
}

#[tokio::test]
async fn what_a_device_signs_after_it_was_removed_is_taken_from_nobody_on_a_restored_server() {
    let mut scene = Scene::new().await;
    let lost = lose(&mut scene).await;
    scene.restored().await;
    // As if it were from before; whoever holds the device may bring it by others.
    let thief = Device::enrolled(&scene.server, 23).await;
    let backdated = scene.phone.actor.grant(&lost.before, thief.as_member(), Role::Manager);
    let request = SyncRequest { account_entries: vec![lost.gone.clone()], ..SyncRequest::pull(0, 1) };
    let response = scene.bring(&scene.mother, request).await;
    assert_eq!(response.account_outcomes[0].refusal(), None, "it is out again");
    let alone = SyncRequest { space_entries: vec![backdated.clone()], ..SyncRequest::pull(0, 1) };
    let with = SyncRequest { account_entries: vec![lost.gone.clone()], ..alone.clone() };
    for (who, by) in [("a writer", &scene.daughter), ("its own account", &scene.mother)] {
        let response = scene.bring(by, alone.clone()).await;
        assert_eq!(codes(&response), [Some(RefusalCode::UnknownDevice)], "{who} brings it");
        let response = scene.bring(by, with.clone()).await;
        assert_eq!(codes(&response), [Some(RefusalCode::UnknownDevice)], "{who} brings it with the removal");
    }
    let stands_for_others = upholding(&scene, &lost, &[&lost.entries[0]]);
    let request = SyncRequest { account_entries: stands_for_others, ..alone.clone() };
    let response = scene.bring(&scene.mother, request).await;
    assert_eq!(
        response.account_outcomes[1].refusal(),
        None,
        "its account stands for what it had signed before"
    );
    assert_eq!(codes(&response), [Some(RefusalCode::UnknownDevice)], "and not for this");
    let before = scene.server.digest(&[]);
    let said = encode(&alone);
    let answer = scene.server.ask("POST", "/v1/sync", Some(&scene.phone.token), &said).await;
    assert_eq!(answer.status, 401, "the device itself is not heard");
    assert_eq!(scene.server.digest(&[]), before, "and nothing changed");
}

#[tokio::test]
async fn a_removal_comes_before_whatever_comes_with_it() {
    let scene = Scene::new().await;
    let thief = Device::enrolled(&scene.server, 24).await;
    let log = scene.mother.space_log(scene.space);
    let grant = scene.phone.actor.grant(&log, thief.as_member(), Role::Manager);
    let account = scene.mother.follower.account_log().unwrap();
    let gone = scene.mother.actor.remove_device(account, scene.phone.actor.device);
    let request =
        SyncRequest { account_entries: vec![gone], space_entries: vec![grant], ..SyncRequest::pull(0, 1) };
    let response = scene.bring(&scene.mother, request).await;
    assert_eq!(response.account_outcomes[0].refusal(), None, "it is out");
    assert_eq!(codes(&response), [Some(RefusalCode::UnknownDevice)], "and what it signed is not taken");
}
