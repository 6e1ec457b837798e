//! Who is in and does what another role does, and who is in no more.

use mecum_seal::{AccountId, DocumentId, Hash32, SpaceId};
use mecum_sync::RefusalCode::{BadCut, BadEntry, NotMember, UnknownDevice, UnknownSpace};
use mecum_sync::testing::Actor;
use mecum_sync::{RefusalCode, Role, Signed, SpaceBody, SpaceLog, SyncRequest, Why};

use super::{Tally, said, to_account, to_pushes, to_space};
use crate::device::Device;
use crate::server::{Server, roomy};

/// Who is in, and does what another role does; and who is in no more.
pub(super) async fn roles(tally: &mut Tally) {
    let server = Server::start(roomy()).await;
    let mut mother = Device::enrolled(&server, 1).await;
    let mut son = Device::enrolled(&server, 2).await;
    let mut nurse = Device::enrolled(&server, 3).await;
    let mut uncle = Device::enrolled(&server, 4).await;
    let space = mother.space(&server).await;
    mother.write(&server, space, &["one"]).await;
    mother.let_in(&server, &mut son, space, Role::Reader).await;
    mother.let_in(&server, &mut nurse, space, Role::Writer).await;
    mother.let_in(&server, &mut uncle, space, Role::Manager).await;
    for device in [&mut mother, &mut son, &mut nurse] {
        device.catch_up(&server).await;
        let log = device.space_log(space);
        device.actor.follow(&log);
    }
    let before = server.digest(&["equivocation"]);
    let log = mother.space_log(space);

    let push = son.actor.push(space, &["by a reader"], vec![]);
    tally.expect("a reader writes", &to_pushes(&server, &son, &push).await, &Some(NotMember));
    for (who, device) in [("a reader", &son), ("a writer", &nurse)] {
        beyond_role(tally, &server, (who, device), &log, (mother.actor.account, uncle.actor.account)).await;
    }
    let next = |without| Actor::next_epoch(&log, without);
    let entry = son.actor.space_entry(&log, SpaceBody::Epoch { next: next(None), cuts: vec![] });
    tally.expect("a reader begins an epoch", &to_space(&server, &son, entry).await, &Some(NotMember));
    let entry = uncle.actor.remove(&log, mother.actor.account, vec![]);
    tally.expect("a manager removes the owner", &to_space(&server, &uncle, entry).await, &Some(BadEntry));
    let entry = uncle.actor.remove(&log, uncle.actor.account, vec![]);
    tally.expect(
        "a manager removes himself and chooses the key",
        &to_space(&server, &uncle, entry).await,
        &Some(BadEntry),
    );
    let entry = mother.actor.space_entry(&log, SpaceBody::Leave { cuts: vec![] });
    tally.expect("the last owner leaves", &to_space(&server, &mother, entry).await, &Some(BadEntry));
    let entry = uncle.actor.grant(&log, as_member(&nurse), Role::Writer);
    tally.expect("a grant of nothing more", &to_space(&server, &uncle, entry).await, &Some(BadEntry));
    let entry = uncle.actor.grant(&log, as_member(&nurse), Role::Reader);
    tally.expect("a grant of less", &to_space(&server, &uncle, entry).await, &Some(BadEntry));
    let entry = uncle.actor.grant(&log, nobody(), Role::Reader);
    tally.expect(
        "a grant to nobody",
        &to_space(&server, &uncle, entry).await,
        &Some(RefusalCode::UnknownAccount),
    );
    let mut kept_in = next(Some(son.actor.account));
    kept_in.wraps.pop();
    let body = SpaceBody::Remove {
        member: son.actor.account,
        why: Why::Removed,
        cuts: vec![],
        next: kept_in,
        sealed_reason: b"reason".to_vec(),
    };
    let entry = uncle.actor.space_entry(&log, body);
    tally.expect(
        "a removal that shuts another out by the way",
        &to_space(&server, &uncle, entry).await,
        &Some(BadEntry),
    );
    let foreign_cut = mother.actor.cut(space);
    let entry = uncle.actor.remove(&log, nurse.actor.account, vec![foreign_cut]);
    tally.expect(
        "a removal that cuts another's chain",
        &to_space(&server, &uncle, entry).await,
        &Some(BadCut),
    );
    let mut theirs = nurse.actor.space_entry(&log, SpaceBody::Leave { cuts: vec![] }).unverified().clone();
    theirs.device = mother.actor.device;
    let theirs = Signed::sign(theirs, &nurse.actor.signing);
    tally.expect("with another's device", &to_space(&server, &nurse, theirs).await, &Some(UnknownDevice));
    tally.expect("nothing of it is stored", &server.digest(&["equivocation"]), &before);
    ended(tally, &server, (mother, nurse, uncle), space).await;
}

/// What somebody who manages nothing does as if they managed the space.
async fn beyond_role(
    tally: &mut Tally,
    server: &Server,
    (who, device): (&str, &Device),
    log: &SpaceLog,
    (owner, manager): (AccountId, AccountId),
) {
    let entry = device.actor.grant(log, as_member(device), Role::Manager);
    tally.expect(&format!("{who} raises himself"), &to_space(server, device, entry).await, &Some(NotMember));
    let entry = device.actor.grant(log, nobody(), Role::Reader);
    tally.expect(&format!("{who} lets another in"), &to_space(server, device, entry).await, &Some(NotMember));
    let entry = device.actor.remove(log, owner, vec![]);
    tally.expect(
        &format!("{who} removes the owner"),
        &to_space(server, device, entry).await,
        &Some(NotMember),
    );
    let entry = device.actor.remove(log, manager, vec![]);
    tally.expect(
        &format!("{who} removes a manager"),
        &to_space(server, device, entry).await,
        &Some(NotMember),
    );
    let body = SpaceBody::Replace {
        document: DocumentId::from_bytes([1; 16]),
        by: DocumentId::from_bytes([2; 16]),
        sealed_reason: b"reason".to_vec(),
        chains: vec![],
    };
    let entry = device.actor.space_entry(log, body);
    tally.expect(
        &format!("{who} replaces a document"),
        &to_space(server, device, entry).await,
        &Some(NotMember),
    );
}

/// A role that ends between check and use.
async fn ended(
    tally: &mut Tally,
    server: &Server,
    (mut mother, mut nurse, mut uncle): (Device, Device, Device),
    space: SpaceId,
) {
    let waiting = nurse.actor.push(space, &["under way while she is removed"], vec![]);
    let second = nurse.token.clone();
    nurse.sign_in(server).await;
    let at = said(server, &nurse, &nurse.request()).await.cursor;
    mother.remove(server, &nurse, space, vec![]).await;
    mother.write(server, space, &["after"]).await;
    let before = server.digest(&["equivocation"]);
    tally.expect(
        "a push from before the removal",
        &to_pushes(server, &nurse, &waiting).await,
        &Some(UnknownSpace),
    );
    nurse.token = second;
    tally.expect(
        "by another session of hers",
        &to_pushes(server, &nurse, &waiting).await,
        &Some(UnknownSpace),
    );
    let page = said(server, &nurse, &SyncRequest::pull(at, 1 << 22)).await;
    let pushes = page.items.iter().filter(|item| matches!(item, mecum_sync::Item::Batch { .. })).count();
    tally.expect("what she gets afterwards", &pushes, &0);
    let log = mother.space_log(space);
    let back =
        nurse.actor.grant(&log, (nurse.actor.account, nurse.actor.account_genesis().hash()), Role::Writer);
    tally.expect("she lets herself in again", &to_space(server, &nurse, back).await, &Some(UnknownSpace));
    uncle.catch_up(server).await;
    let both = uncle.actor.remove(&uncle.space_log(space), nurse.actor.account, vec![]);
    tally.expect("a second removal of the same", &to_space(server, &uncle, both).await, &Some(BadEntry));
    let alone = mother.follower.account_log().unwrap().clone();
    let last = mother.actor.remove_device(&alone, mother.actor.device);
    let got = to_account(server, &mother, last).await;
    tally.expect("the last device removes itself", &got.is_some(), &true);
    tally.expect("nothing of it is stored either", &server.digest(&["equivocation"]), &before);
}

/// Whom a grant names, if it names the account of this device.
fn as_member(device: &Device) -> (AccountId, Hash32) {
    (device.actor.account, device.actor.account_genesis().hash())
}

/// Whom a grant names, if it names no account at all.
fn nobody() -> (AccountId, Hash32) {
    (AccountId::from_bytes([1; 16]), Hash32::ZERO)
}
