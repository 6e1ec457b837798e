//! Pruning at the relay: whose word it takes that a snapshot is right, when envelopes go, and what is refused from then on.

use mecum_sync::{
    FoldedChain, Outcome, Pruning, RefusalCode, Role, Signed, SpaceSnapshot, SyncResponse, Verified,
};

use crate::device::Device;
use crate::members::is_sound;
use crate::server::{START_MS, Server, roomy};
use mecum_seal::{Hash32, SpaceId};
use std::sync::atomic::Ordering;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Every chain as the follower of a device that wrote nothing has it.
fn chains(device: &Device, space: SpaceId) -> Vec<FoldedChain> {
    let chains = device.follower.chains(space).into_iter().filter(|(_, head)| head.envelope_seq > 0);
    let mut chains: Vec<_> = chains
        .map(|(chain, head)| FoldedChain { device: chain.device, incarnation: chain.incarnation, head })
        .collect();
    chains.sort_by_key(|chain| (chain.device, chain.incarnation));
    chains
}

/// Stores a snapshot of all that there is.
async fn fold(device: &mut Device, server: &Server, space: SpaceId) -> SpaceSnapshot {
    device.catch_up(server).await;
    let at = device.follower.space_seq(space);
    let snapshot = device.actor.snapshot(space, at, chains(device, space), &["keys", "document"]);
    let mut request = device.request();
    request.snapshots.push(snapshot.clone());
    let response = device.sync(server, &request).await.unwrap();
    assert_eq!(response.snapshot_outcomes, [Outcome::Stored]);
    snapshot
}

async fn say(
    device: &mut Device,
    server: &Server,
    said: Signed<Verified>,
) -> Result<SyncResponse, RefusalCode> {
    let mut request = device.request();
    request.pruning = Some(Pruning { verified: vec![said], ..Pruning::default() });
    let response = device.sync(server, &request).await.unwrap();
    match response.verified_outcomes()[0].refusal() {
        Some(refusal) => Err(refusal.code),
        None => Ok(response),
    }
}

fn pruned(server: &Server, days: i64) -> u64 {
    server.clock.store(START_MS + days * DAY_MS, Ordering::SeqCst);
    server.relay.sweep().unwrap().pruned_envelopes
}

/// An owner with two devices, and a guest who writes.
async fn people(server: &Server) -> (Device, Device, Device, SpaceId) {
    let mut owner = Device::enrolled(server, 1).await;
    let mut guest = Device::enrolled(server, 2).await;
    let space = owner.space(server).await;
    owner.write(server, space, &["one", "two"]).await;
    owner.let_in(server, &mut guest, space, Role::Writer).await;
    guest.write(server, space, &["three", "four"]).await;
    let mut second = owner.pair(server, 3).await;
    second.catch_up(server).await;
    second.actor.follow(&second.space_log(space));
    owner.catch_up(server).await;
    (owner, second, guest, space)
}

#[tokio::test]
async fn envelopes_are_pruned_on_the_word_of_two_live_devices_one_of_them_the_owners_after_ninety_days() {
    let server = Server::start(roomy()).await;
    let (mut owner, mut second, mut guest, space) = people(&server).await;
    let mut guests_other = guest.pair(&server, 4).await;
    guests_other.follower.expect_space(space, owner.as_member().0, owner.as_member().1).unwrap();
    guests_other.catch_up(&server).await;
    guests_other.actor.follow(&guests_other.space_log(space));
    let snapshot = fold(&mut second, &server, space).await;
    let by = |device: &Device| device.actor.verified(&snapshot);
    for device in [&mut guest, &mut guests_other] {
        let said = by(device);
        say(device, &server, said).await.unwrap();
    }
    assert_eq!(pruned(&server, 200), 0, "two of a guest's do not take an owner's envelopes away");
    owner.sign_in(&server).await;
    let said = by(&owner);
    say(&mut owner, &server, said.clone()).await.unwrap();
    say(&mut owner, &server, said).await.expect("said again is no news");
    assert_eq!(pruned(&server, 289), 0, "the time runs from the word that was missing");
    assert_eq!(pruned(&server, 290), 4, "and then they go");
    assert_eq!(pruned(&server, 400), 0, "once");
    is_sound(&server);
    let metrics = server.ask("GET", "/v1/metrics", None, &[]).await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains("mecum_pruned_envelopes_total 4"), "{metrics}");
    assert!(metrics.contains("mecum_verified_total 3"), "{metrics}");

    second.sign_in(&server).await;
    second.catch_up(&server).await;
    second.write(&server, space, &["five"]).await;
    is_sound(&server);
}

#[tokio::test]
async fn what_is_said_by_nobody_of_the_space_or_of_another_snapshot_counts_for_nothing() {
    let server = Server::start(roomy()).await;
    let (mut owner, mut second, guest, space) = people(&server).await;
    let before = fold(&mut second, &server, space).await;
    owner.write(&server, space, &["more"]).await;
    second.catch_up(&server).await;
    let snapshot = fold(&mut second, &server, space).await;
    let mut stranger = Device::enrolled(&server, 9).await;
    stranger.actor.join_space(space, owner.space_log(space).head());
    let said = stranger.actor.verified(&snapshot);
    assert_eq!(say(&mut stranger, &server, said).await.unwrap_err(), RefusalCode::UnknownSpace, "a stranger");
    let said = guest.actor.verified(&snapshot);
    assert_eq!(say(&mut second, &server, said).await.unwrap_err(), RefusalCode::NotYours, "for another");
    let said = second.actor.verified(&before);
    assert_eq!(say(&mut second, &server, said).await.unwrap_err(), RefusalCode::StaleHead, "an earlier one");
    let mut body = second.actor.verified(&snapshot).unverified().clone();
    let forged = Signed::sign(body.clone(), &guest.actor.signing);
    assert_eq!(
        say(&mut second, &server, forged).await.unwrap_err(),
        RefusalCode::BadSignature,
        "another's key"
    );
    body.membership_head = Hash32::from_bytes([7; 32]);
    let unknown = Signed::sign(body, &second.actor.signing);
    let refused = say(&mut second, &server, unknown).await.unwrap_err();
    assert_eq!(refused, RefusalCode::BadMembershipHead, "under a membership that never was");
    let said = second.actor.verified(&snapshot);
    say(&mut second, &server, said).await.unwrap();
    assert_eq!(pruned(&server, 500), 0, "one device is not two");
}

#[tokio::test]
async fn a_cut_below_what_was_pruned_is_refused_and_one_above_it_is_taken() {
    let server = Server::start(roomy()).await;
    let (mut owner, mut second, mut guest, space) = people(&server).await;
    let snapshot = fold(&mut second, &server, space).await;
    for device in [&mut owner, &mut second] {
        let said = device.actor.verified(&snapshot);
        say(device, &server, said).await.unwrap();
    }
    let c = rusqlite::Connection::open(server.dir.path().join("relay.sqlite")).unwrap();
    let id: Vec<u8> =
        c.query_row("SELECT content_id FROM envelope WHERE space_seq = 3", [], |row| row.get(0)).unwrap();
    let last: Vec<u8> =
        c.query_row("SELECT content_id FROM envelope WHERE space_seq = 4", [], |row| row.get(0)).unwrap();
    assert_eq!(pruned(&server, 90), 4);
    for device in [&mut owner, &mut second, &mut guest] {
        device.sign_in(&server).await;
    }
    guest.write(&server, space, &["five"]).await;
    owner.catch_up(&server).await;
    let mut early = guest.actor.cut(space);
    let whole = early;
    early.envelope_seq = 1;
    early.hash = Hash32::from_slice(&id).unwrap();
    for cuts in [vec![early], vec![]] {
        let entry = owner.actor.remove(&owner.space_log(space), guest.actor.account, cuts);
        let refused = owner.bring(&server, &entry).await.unwrap_err();
        assert_eq!(refused.code, RefusalCode::BadCut, "nobody could build a document without it");
    }
    let mut above = whole;
    above.envelope_seq = 2;
    above.hash = Hash32::from_slice(&last).unwrap();
    owner.remove(&server, &guest, space, vec![above]).await;
    let folds: i64 = c.query_row("SELECT count(*) FROM fold", [], |row| row.get(0)).unwrap();
    assert_eq!(folds, 1, "what stands for the pruned past holds nothing void: it stays");
    is_sound(&server);
}

#[tokio::test]
async fn a_snapshot_that_waits_goes_with_a_cut_into_it_and_nothing_is_pruned() {
    let server = Server::start(roomy()).await;
    let (mut owner, mut second, guest, space) = people(&server).await;
    let snapshot = fold(&mut second, &server, space).await;
    for device in [&mut owner, &mut second] {
        let said = device.actor.verified(&snapshot);
        say(device, &server, said).await.unwrap();
    }
    owner.remove(&server, &guest, space, vec![]).await;
    assert_eq!(pruned(&server, 500), 0, "within the ninety days a removal reaches all the way back");
    is_sound(&server);
}

#[tokio::test]
async fn a_cursor_before_what_was_pruned_is_refused_and_the_snapshot_stands_there_for_who_reads_again() {
    let server = Server::start(roomy()).await;
    let (mut owner, mut second, mut guest, space) = people(&server).await;
    let away = owner.pair(&server, 5).await;
    let snapshot = fold(&mut second, &server, space).await;
    for device in [&mut owner, &mut second] {
        let said = device.actor.verified(&snapshot);
        say(device, &server, said).await.unwrap();
    }
    assert_eq!(pruned(&server, 90), 4);
    let mut away = away;
    for device in [&mut owner, &mut second, &mut guest, &mut away] {
        device.sign_in(&server).await;
    }
    guest.write(&server, space, &["five"]).await;
    let mut request = away.request();
    request.cursor = 0;
    let refused = server.ask("POST", "/v1/sync", Some(&away.token), &mecum_sync::encode(&request)).await;
    assert_eq!(refused.refusal().code, RefusalCode::Resync, "410");
    away.follower.start_over();
    let mut request = away.request();
    request.pruning = Some(Pruning { over_pruned: true, ..Pruning::default() });
    let response = away.sync(&server, &request).await.unwrap();
    assert!(!response.more, "all of it");
    assert_eq!(away.follower.space_seq(space), 5, "over the snapshot to the end");
    // The guest's own device has its own links, and reads the owner's from the snapshot when it begins again.
    guest.follower.start_over();
    let mut request = guest.request();
    request.pruning = Some(Pruning { over_pruned: true, ..Pruning::default() });
    guest.sync(&server, &request).await.unwrap();
    assert_eq!(guest.follower.space_seq(space), 5, "likewise");
    // Who is let in from here on gets the snapshot in its place without asking.
    let mut late = Device::enrolled(&server, 6).await;
    owner.catch_up(&server).await;
    owner.let_in(&server, &mut late, space, Role::Writer).await;
    assert_eq!(late.follower.space_seq(space), 5, "and goes on from it");
    late.write(&server, space, &["six"]).await;
    is_sound(&server);
}
