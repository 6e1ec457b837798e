//! Of another patient, of another tenant, guessed, in a batch.

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{SigningKey, SpaceId};
use mecum_sync::RefusalCode::{AlreadyExists, BadAcknowledgement, NotYours, Resync, StaleHead, UnknownSpace};
use mecum_sync::testing::Actor;
use mecum_sync::{AccountBody, RefusalCode, Role, SaidPush, ShortPush, Signed, SyncRequest};

use super::{Tally, code, refused, said, to_account, to_pushes, to_space};
use crate::device::Device;
use crate::server::{Server, roomy};

/// Of another patient, of another tenant, guessed, in a batch.
pub(super) async fn objects(tally: &mut Tally) {
    let server = Server::start(roomy()).await;
    let mut mother = Device::enrolled(&server, 1).await;
    let mut stranger = Device::enrolled(&server, 2).await;
    let space = mother.space(&server).await;
    let own = stranger.space(&server).await;
    mother.write(&server, space, &["hers"]).await;
    stranger.write(&server, own, &["his"]).await;
    let before = server.digest(&["equivocation"]);
    let kept = stranger.actor.writing.clone();

    let head = mother.space_log(space).head();
    stranger.actor.join_space(space, head);
    let push = stranger.actor.push(space, &["into hers"], vec![]);
    tally.expect(
        "a push into another's space",
        &to_pushes(&server, &stranger, &push).await,
        &Some(UnknownSpace),
    );
    let guessed = SpaceId::from_bytes([3; 16]);
    stranger.actor.join_space(guessed, head);
    let push = stranger.actor.push(guessed, &["into none"], vec![]);
    tally.expect(
        "and into one that is none",
        &to_pushes(&server, &stranger, &push).await,
        &Some(UnknownSpace),
    );
    let foreign = mother.actor.push(space, &["as she would"], vec![]);
    tally.expect(
        "her own next push, by another",
        &to_pushes(&server, &stranger, &foreign).await,
        &Some(NotYours),
    );
    // The same in its short form, over her last statement, which the server has.
    let chain = foreign.statement.unverified().chain();
    let base = mother.follower.last_statement(&chain).expect("she has written");
    let short = SaidPush::Short(ShortPush::of(&foreign, base).expect("it can be said short"));
    tally.expect(
        "her own next push, said short by another",
        &stranger.refusal_of(&server, short).await.map(|refusal| refusal.code),
        &Some(UnknownSpace),
    );

    foreign_entries(tally, &server, &mother, &stranger, space).await;

    let theirs = mother.actor.as_received(space);
    let push = stranger.actor.push(own, &[], vec![theirs]);
    tally.expect(
        "acknowledging what is hers",
        &to_pushes(&server, &stranger, &push).await,
        &Some(BadAcknowledgement),
    );
    let snapshot = stranger.actor.snapshot(space, 1, vec![mother.actor.folded(space)], &["of hers"]);
    let mut request = stranger.request();
    request.snapshots.push(snapshot);
    let response = said(&server, &stranger, &request).await;
    tally.expect("a snapshot of hers", &code(&response.snapshot_outcomes[0]), &Some(UnknownSpace));
    let mut from_zero = SyncRequest::pull(0, 1 << 22);
    from_zero.from_snapshots = true;
    let items = said(&server, &stranger, &from_zero).await.items;
    let of_hers = items.iter().filter(|item| format!("{item:?}").contains(&format!("{space:?}"))).count();
    tally.expect("everything from the beginning, without hers", &(items.len() > 1, of_hers), &(true, 0));
    let ahead = SyncRequest::pull(1_000_000, 1 << 22);
    tally.expect("a cursor far ahead", &refused(&server, &stranger, &ahead).await, &(410, Some(Resync)));
    let wide = SyncRequest::pull(0, u64::MAX);
    tally.expect("more than a page", &refused(&server, &stranger, &wide).await, &(200, None));
    let push = mother.actor.push(space, &["foreign in a batch"], vec![]);
    let again = stranger.actor.state(own, vec![]);
    let mut batch = stranger.request();
    batch.pushes = vec![mecum_sync::Push { envelopes: vec![], statement: again }, push];
    let codes: Vec<_> = said(&server, &stranger, &batch).await.push_outcomes.iter().map(code).collect();
    tally.expect("one foreign id in a batch", &codes, &vec![None, Some(NotYours)]);
    let home = SigningKey::make(&SeededEntropy::new(3)).verifying_key();
    let (_, elsewhere) = stranger.actor.found_space(Some(home));
    tally.expect(
        "a space of another server",
        &to_space(&server, &stranger, elsewhere).await,
        &Some(RefusalCode::WrongRelay),
    );
    stranger.actor.writing = kept;
    tally.expect("nothing of it is stored", &server.digest(&["equivocation"]), &before);
}

/// Entries in the logs of another, signed by oneself, by her, or in her name.
async fn foreign_entries(
    tally: &mut Tally,
    server: &Server,
    mother: &Device,
    stranger: &Device,
    space: SpaceId,
) {
    let genesis = stranger.actor.account_genesis().hash();
    let log = mother.space_log(space);
    let as_guest = (stranger.actor.account, genesis);
    let grant = stranger.actor.grant(&log, as_guest, Role::Manager);
    tally.expect("a grant to himself", &to_space(server, stranger, grant).await, &Some(UnknownSpace));
    let grant = mother.actor.grant(&log, as_guest, Role::Manager);
    tally.expect("her grant, brought by another", &to_space(server, stranger, grant).await, &Some(NotYours));
    let mut forged = stranger.actor.grant(&log, as_guest, Role::Manager).unverified().clone();
    forged.account = mother.actor.account;
    forged.device = mother.actor.device;
    let forged = Signed::sign(forged, &stranger.actor.signing);
    tally.expect("a grant in her name", &to_space(server, stranger, forged).await, &Some(NotYours));
    let theirs = mother.follower.account_log().unwrap().clone();
    let thief = Actor::second(9, &mother.actor);
    let add = stranger.actor.add_device(&theirs, &thief);
    let mut named = add.unverified().clone();
    tally.expect(
        "a device for his own log, after her head",
        &to_account(server, stranger, add).await,
        &Some(StaleHead),
    );
    named.account = mother.actor.account;
    named.signer = mother.actor.device;
    let named = Signed::sign(named, &stranger.actor.signing);
    tally.expect("a device for her account", &to_account(server, stranger, named).await, &Some(NotYours));
    let removal = mother.actor.remove_device(&theirs, mother.actor.device);
    tally.expect("the removal of her device", &to_account(server, stranger, removal).await, &Some(NotYours));
    let his = stranger.follower.account_log().unwrap().clone();
    let hers = AccountBody::AddDevice { device: mother.actor.card(b"hers") };
    let taken = stranger.actor.account_entry(&his, hers);
    tally.expect("her device as his", &to_account(server, stranger, taken).await, &Some(AlreadyExists));
}
