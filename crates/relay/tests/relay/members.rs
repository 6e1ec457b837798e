//! Spaces of several people: who gets what, in which order, and what a removal ends.

use std::time::Duration;

use mecum_relay::folder;
use mecum_seal::{AccountId, SpaceId};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountEntry, Cut, Item, Refusal, RefusalCode, Role, Signed, SpaceBody, SpaceEntry, SpaceLog,
    SyncResponse, encode,
};
use tokio::io::AsyncReadExt;

use crate::device::Device;
use crate::server::{Server, roomy};
use crate::wake::{NEWS, heard, is_quiet, opened};

impl Device {
    pub(crate) fn space_log(&self, space: SpaceId) -> SpaceLog {
        self.follower.space_log(space).expect("the space is known").clone()
    }

    pub(crate) fn as_member(&self) -> (AccountId, mecum_seal::Hash32) {
        (self.actor.account, self.follower.account_log().unwrap().genesis())
    }

    /// Brings an entry of a membership log, and follows it if it is stored.
    pub(crate) async fn bring(&mut self, server: &Server, entry: &Signed<SpaceEntry>) -> Result<(), Refusal> {
        let mut request = self.request();
        request.space_entries.push(entry.clone());
        let response = self.sync(server, &request).await?;
        self.catch_up(server).await;
        let space = entry.unverified().space;
        if self.follower.role(space).is_some() {
            self.actor.follow(&self.space_log(space));
        }
        response.space_outcomes[0].refusal().map_or(Ok(()), |refusal| Err(*refusal))
    }

    pub(crate) async fn bring_account(
        &mut self,
        server: &Server,
        entry: &Signed<AccountEntry>,
    ) -> Result<SyncResponse, Refusal> {
        let mut request = self.request();
        request.account_entries.push(entry.clone());
        let response = self.sync(server, &request).await?;
        response.account_outcomes[0].refusal().map_or(Ok(response.clone()), |refusal| Err(*refusal))
    }

    /// Lets another person in; they accepted the invitation.
    pub(crate) async fn let_in(&mut self, server: &Server, other: &mut Device, space: SpaceId, role: Role) {
        let (account, genesis) = self.as_member();
        other.follower.expect_space(space, account, genesis).unwrap();
        let grant = self.actor.grant(&self.space_log(space), other.as_member(), role);
        self.bring(server, &grant).await.expect("the grant is stored");
        other.catch_up(server).await;
        other.actor.follow(&other.space_log(space));
    }

    pub(crate) async fn remove(&mut self, server: &Server, other: &Device, space: SpaceId, cuts: Vec<Cut>) {
        let entry = self.actor.remove(&self.space_log(space), other.actor.account, cuts);
        self.bring(server, &entry).await.expect("the removal is stored");
    }
}

/// The database is as the relay leaves it.
pub(crate) fn is_sound(server: &Server) {
    let dir = tempfile::tempdir().unwrap();
    let made = folder::backup(server.dir.path(), &dir.path().join("b"), 0).unwrap();
    std::fs::remove_file(made.dir.join("backup.txt")).unwrap();
    let checked = folder::check(&made.dir).unwrap();
    assert!(checked.is_sound(), "{:?}", checked.findings);
}

/// A mother with a space of some history, and her daughter and son, who are enrolled and nothing else.
async fn family(server: &Server) -> (Device, Device, Device, SpaceId) {
    let mut mother = Device::enrolled(server, 1).await;
    let daughter = Device::enrolled(server, 2).await;
    let son = Device::enrolled(server, 3).await;
    let space = mother.space(server).await;
    mother.write(server, space, &["one", "two"]).await;
    (mother, daughter, son, space)
}

#[tokio::test]
async fn who_is_let_in_gets_all_that_was_in_an_order_that_can_be_verified() {
    let server = Server::start(roomy()).await;
    let (mut mother, mut daughter, mut son, space) = family(&server).await;
    // A history with everything in it: a manager, whom she lets in, removals, epochs, devices that are gone.
    mother.let_in(&server, &mut daughter, space, Role::Manager).await;
    daughter.write(&server, space, &["three"]).await;
    let mut phone = daughter.pair(&server, 4).await;
    phone.follower.expect_space(space, mother.as_member().0, mother.as_member().1).unwrap();
    phone.catch_up(&server).await;
    phone.actor.follow(&phone.space_log(space));
    phone.write(&server, space, &["four"]).await;
    daughter.catch_up(&server).await;
    let mut cousin = Device::enrolled(&server, 5).await;
    cousin.follower.expect_space(space, mother.as_member().0, mother.as_member().1).unwrap();
    let grant = daughter.actor.grant(&daughter.space_log(space), cousin.as_member(), Role::Writer);
    daughter.bring(&server, &grant).await.unwrap();
    cousin.catch_up(&server).await;
    cousin.actor.follow(&cousin.space_log(space));
    cousin.write(&server, space, &["five", "six"]).await;
    cousin.write(&server, space, &[]).await;
    mother.catch_up(&server).await;
    let cut = cousin.actor.cut(space);
    mother.remove(&server, &cousin, space, vec![cut]).await;
    mother.write(&server, space, &["seven"]).await;
    daughter.catch_up(&server).await;
    let log = daughter.follower.account_log().unwrap();
    let gone = daughter.actor.remove_device(log, phone.actor.device);
    daughter.bring_account(&server, &gone).await.unwrap();
    mother.catch_up(&server).await;

    mother.let_in(&server, &mut son, space, Role::Writer).await;
    assert_eq!(son.follower.space_seq(space), 7, "all of it came");
    assert!(son.follower.missing().is_empty(), "and nothing is withheld");
    let chains = |device: &Device| {
        let chains = device.follower.chains(space);
        chains.into_iter().map(|(chain, head)| (chain, head.envelope_seq, head.hash)).collect::<Vec<_>>()
    };
    daughter.catch_up(&server).await;
    assert_eq!(chains(&son), chains(&daughter), "he has what those have who were there all the time");
    assert!(son.follower.log_of(cousin.actor.account).is_some(), "he knows who wrote, also who is gone");
    son.write(&server, space, &["eight"]).await;
    assert_eq!(mother.catch_up(&server).await.len(), 1, "and the others read him");
    let fresh = son.pair(&server, 6).await;
    let mut fresh = fresh;
    fresh.follower.expect_space(space, mother.as_member().0, mother.as_member().1).unwrap();
    fresh.catch_up(&server).await;
    assert_eq!(fresh.follower.space_seq(space), 8, "his next device finds the same");
    is_sound(&server);
}

#[tokio::test]
async fn a_snapshot_serves_who_is_let_in_and_goes_when_a_cut_makes_it_untrue() {
    let server = Server::start(roomy()).await;
    let (mut mother, mut daughter, mut son, space) = family(&server).await;
    mother.let_in(&server, &mut daughter, space, Role::Writer).await;
    daughter.write(&server, space, &["three", "four"]).await;
    mother.catch_up(&server).await;
    let log = mother.space_log(space);
    let mut chains = vec![mother.actor.folded(space), daughter.actor.folded(space)];
    chains.sort_by_key(|chain| (chain.device, chain.incarnation));
    for chain in &mut chains {
        let seq = if chain.device == mother.actor.device { 1 } else { log.entries() };
        chain.head.membership_seq = seq;
    }
    let mut request = mother.request();
    request.snapshots.push(mother.actor.snapshot(space, 4, chains, &["keys", "document"]));
    let response = mother.sync(&server, &request).await.unwrap();
    assert_eq!(response.snapshot_outcomes[0].refusal(), None, "the snapshot is stored");
    mother.catch_up(&server).await;
    son.follower.expect_space(space, mother.as_member().0, mother.as_member().1).unwrap();
    let grant = mother.actor.grant(&mother.space_log(space), son.as_member(), Role::Reader);
    mother.bring(&server, &grant).await.unwrap();
    let mut request = son.request();
    request.from_snapshots = true;
    request.cursor = 0;
    let answer = server.ask("POST", "/v1/sync", Some(&son.token), &encode(&request)).await;
    let response: SyncResponse = answer.frame();
    let count = |wanted: fn(&Item) -> bool| response.items.iter().filter(|item| wanted(item)).count();
    assert_eq!(count(|item| matches!(item, Item::Snapshot { .. })), 1, "he may begin from it");
    assert_eq!(count(|item| matches!(item, Item::Batch { .. })), 0, "and needs no envelope before it");
    for item in &response.items {
        son.follower.accept(item).expect("in an order that holds");
    }
    assert_eq!(son.follower.space_seq(space), 4, "he stands where it ends");
    let mut early = daughter.actor.cut(space);
    let first = daughter.follower.chain_head(&mecum_sync::Chain {
        device: daughter.actor.device,
        incarnation: daughter.actor.incarnation,
        space,
    });
    assert_eq!(first.envelope_seq, 2, "the daughter wrote two");
    let c = rusqlite::Connection::open(server.dir.path().join("relay.sqlite")).unwrap();
    let id: Vec<u8> =
        c.query_row("SELECT content_id FROM envelope WHERE space_seq = 3", [], |row| row.get(0)).unwrap();
    early.envelope_seq = 1;
    early.hash = mecum_seal::Hash32::from_slice(&id).unwrap();
    mother.remove(&server, &daughter, space, vec![early]).await;
    let left: i64 = c.query_row("SELECT count(*) FROM snapshot", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "what holds a void envelope serves nobody any more");
    is_sound(&server);
}

#[tokio::test]
async fn entries_of_an_account_go_to_those_who_share_a_space_with_it_and_to_nobody_else() {
    let server = Server::start(roomy()).await;
    let (mut mother, mut daughter, mut son, space) = family(&server).await;
    mother.let_in(&server, &mut daughter, space, Role::Reader).await;
    let own = son.space(&server).await;
    let _phone = daughter.pair(&server, 4).await;
    mother.catch_up(&server).await;
    let known = mother.follower.other_log(daughter.actor.account).unwrap();
    assert_eq!(known.entries(), 2, "the mother knows her daughter's new phone");
    let before = son.follower.cursor();
    son.catch_up(&server).await;
    assert_eq!(son.follower.cursor(), before, "the son shares nothing, and hears nothing");
    assert!(son.follower.other_log(daughter.actor.account).is_none(), "of her");
    let _ = own;
    is_sound(&server);
}

#[tokio::test]
async fn a_removed_member_gets_nothing_more_and_may_say_why() {
    let server = Server::start(roomy()).await;
    let (mut mother, mut daughter, mut son, space) = family(&server).await;
    mother.let_in(&server, &mut daughter, space, Role::Writer).await;
    mother.let_in(&server, &mut son, space, Role::Writer).await;
    daughter.catch_up(&server).await;
    let mut socket = opened(&server, &daughter.token, "").await;
    mother.write(&server, space, &["she has not fetched this"]).await;
    assert_eq!(heard(&mut socket).await, NEWS, "a member is woken");
    let cut = daughter.actor.cut(space);
    mother.remove(&server, &daughter, space, vec![cut]).await;
    assert_eq!(heard(&mut socket).await, NEWS, "the end of her stay is the last thing that she is woken for");
    mother.write(&server, space, &["among those who stay"]).await;
    assert!(is_quiet(&mut socket).await, "she hears nothing of what goes on");
    assert!(daughter.catch_up(&server).await.is_empty(), "no envelope, not even one from before");
    assert_eq!(daughter.follower.role(space), None, "she knows that she is out");
    assert_eq!(daughter.space_log(space).ended(daughter.actor.account), Some(4), "and by which entry");
    let push = daughter.actor.push(space, &["still there?"], vec![]);
    let refusal = daughter.push(&server, &push).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::UnknownSpace, "the space is not there for her");
    let entry = daughter.actor.grant(
        &daughter.space_log(space),
        (AccountId::from_bytes([1; 16]), cut.hash),
        Role::Reader,
    );
    let refusal = daughter.bring(&server, &entry).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::UnknownSpace, "nor its log");
    son.catch_up(&server).await;
    assert_eq!(son.follower.space_seq(space), 4, "who stays has all of it");
    is_sound(&server);

    mother.let_in(&server, &mut daughter, space, Role::Writer).await;
    assert_eq!(daughter.follower.space_seq(space), 4, "who comes back gets what was written meanwhile");
    daughter.actor.writing.get_mut(&space).unwrap().envelope_seq = 0;
    daughter.actor.writing.get_mut(&space).unwrap().last = mecum_seal::Hash32::ZERO;
    daughter.write(&server, space, &["I am back"]).await;
    son.catch_up(&server).await;
    assert_eq!(son.follower.space_seq(space), 5, "and is read again");
    is_sound(&server);
}

#[tokio::test]
async fn after_a_removal_the_old_epoch_is_refused_with_the_last_link_that_counts() {
    let server = Server::start(roomy()).await;
    let (mut mother, mut daughter, mut son, space) = family(&server).await;
    mother.let_in(&server, &mut daughter, space, Role::Writer).await;
    mother.let_in(&server, &mut son, space, Role::Writer).await;
    daughter.catch_up(&server).await;
    daughter.actor.follow(&daughter.space_log(space));
    daughter.write(&server, space, &["in time"]).await;
    let stored = daughter.actor.writing[&space].clone();
    mother.remove(&server, &son, space, vec![]).await;
    let late = daughter.actor.push(space, &["written before she heard of it"], vec![]);
    let refusal = daughter.push(&server, &late).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::EpochStale, "under the key that somebody who is out has");
    let last = refusal.last.unwrap();
    assert_eq!(
        (last.seq, last.hash),
        (1, stored.last),
        "and it says what counts, so that the rest is sealed anew"
    );
    daughter.catch_up(&server).await;
    daughter.actor.writing.insert(space, stored);
    daughter.actor.follow(&daughter.space_log(space));
    daughter.write(&server, space, &["sealed anew"]).await;

    let leave = daughter
        .actor
        .space_entry(&daughter.space_log(space), SpaceBody::Leave { cuts: vec![daughter.actor.cut(space)] });
    daughter.bring(&server, &leave).await.unwrap();
    daughter.bring(&server, &leave).await.expect("a retry of what is stored is no refusal");
    mother.catch_up(&server).await;
    let kept = mother.actor.writing[&space].clone();
    mother.actor.follow(&mother.space_log(space));
    let stale = mother.actor.push(space, &["too early"], vec![]);
    let refusal = mother.push(&server, &stale).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::EpochStale, "who left has this key");
    mother.actor.writing.insert(space, kept);
    let next = SpaceBody::Epoch { next: Actor::next_epoch(&mother.space_log(space), None), cuts: vec![] };
    let next = mother.actor.space_entry(&mother.space_log(space), next);
    mother.bring(&server, &next).await.unwrap();
    mother.write(&server, space, &["among ourselves"]).await;
    is_sound(&server);
}

#[tokio::test]
async fn a_grant_is_to_an_account_that_is_here_and_begins_as_it_says() {
    let server = Server::start(roomy()).await;
    let (mut mother, mut daughter, _, space) = family(&server).await;
    let (account, genesis) = daughter.as_member();
    let log = mother.space_log(space);
    let other = mecum_seal::Hash32::from_bytes([1; 32]);
    for (why, who) in
        [("nobody here", (AccountId::from_bytes([9; 16]), genesis)), ("another beginning", (account, other))]
    {
        let grant = mother.actor.grant(&log, who, Role::Reader);
        let refusal = mother.bring(&server, &grant).await.unwrap_err();
        assert_eq!(refusal.code, RefusalCode::UnknownAccount, "{why}");
    }
    let before = server.digest(&[]);
    let (grant, stale) = {
        let grant = mother.actor.grant(&log, (account, genesis), Role::Reader);
        (grant.clone(), mother.actor.grant(&log, (account, genesis), Role::Writer))
    };
    assert_eq!(server.digest(&[]), before, "what was refused changed nothing");
    mother.bring(&server, &grant).await.unwrap();
    let refusal = mother.bring(&server, &stale).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::StaleHead, "somebody was faster");
    assert_eq!(refusal.last.unwrap().seq, 2, "and the refusal says where the log stands");
    assert!(daughter.catch_up(&server).await.is_empty(), "nobody asked her: nothing is taken in");
    assert_eq!(daughter.follower.spaces().count(), 0, "and nothing stops");
    is_sound(&server);
}

#[tokio::test]
async fn a_cut_names_what_is_stored_of_whom_it_is_about() {
    let server = Server::start(roomy()).await;
    let (mut mother, mut daughter, _, space) = family(&server).await;
    mother.let_in(&server, &mut daughter, space, Role::Writer).await;
    daughter.write(&server, space, &["three"]).await;
    mother.catch_up(&server).await;
    let good = daughter.actor.cut(space);
    let beyond = Cut { envelope_seq: 2, ..good };
    let other = Cut { hash: mecum_seal::Hash32::from_bytes([1; 32]), ..good };
    for (why, cut) in
        [("beyond the end", beyond), ("another link", other), ("her own", mother.actor.cut(space))]
    {
        let entry = mother.actor.remove(&mother.space_log(space), daughter.actor.account, vec![cut]);
        let refusal = mother.bring(&server, &entry).await.unwrap_err();
        assert_eq!(refusal.code, RefusalCode::BadCut, "{why}");
    }
    mother.remove(&server, &daughter, space, vec![good]).await;
    is_sound(&server);
}

#[tokio::test]
async fn a_session_and_a_socket_end_with_the_entry_that_removes_their_device() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    let mut phone = laptop.pair(&server, 2).await;
    phone.catch_up(&server).await;
    laptop.catch_up(&server).await;
    let mut socket = opened(&server, &phone.token, "").await;
    let entry = laptop.actor.remove_device(laptop.follower.account_log().unwrap(), phone.actor.device);
    laptop.bring_account(&server, &entry).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), async {
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest).await;
        rest
    });
    let rest = ended.await.expect("the socket closes at once");
    assert!(!rest.starts_with(&NEWS), "and says nothing more");
    let pull = encode(&phone.request());
    let answer = server.ask("POST", "/v1/sync", Some(&phone.token), &pull).await;
    assert_eq!(answer.refusal().code, RefusalCode::Unauthorised, "its session is over");
    let challenge: mecum_sync::Challenge = server.ask("POST", "/v1/challenge", None, &[]).await.frame();
    let signed = phone.sign(&challenge, &phone.actor.signing);
    let answer = server.ask("POST", "/v1/session", None, &encode(&signed)).await;
    assert_eq!(answer.refusal().code, RefusalCode::Unauthorised, "and it opens no other");

    // Who leaves of itself, and what it brings in the same request after that.
    let mut tablet = laptop.pair(&server, 3).await;
    tablet.catch_up(&server).await;
    tablet.actor.join_space(space, tablet.space_log(space).head());
    let body = mecum_sync::AccountBody::RemoveDevice { device: tablet.actor.device, rotation: None };
    let mut request = tablet.request();
    request.account_entries.push(tablet.actor.account_entry(tablet.follower.account_log().unwrap(), body));
    request.pushes.push(tablet.actor.push(space, &["after it left"], vec![]));
    let answer = server.ask("POST", "/v1/sync", Some(&tablet.token), &encode(&request)).await;
    assert_eq!(answer.refusal().code, RefusalCode::UnknownDevice, "it gets nothing back");
    laptop.catch_up(&server).await;
    assert!(laptop.follower.account_log().unwrap().rotation_due(), "it is out");
    assert_eq!(laptop.follower.space_seq(space), 0, "and wrote nothing after");
    is_sound(&server);
}

#[tokio::test]
async fn a_device_s_name_is_taken_once_on_the_whole_server() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let mut other = Device::enrolled(&server, 2).await;
    let mut thief = Actor::second(3, &other.actor);
    thief.device = laptop.actor.device;
    let entry = other.actor.add_device(other.follower.account_log().unwrap(), &thief);
    let refusal = other.bring_account(&server, &entry).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::AlreadyExists, "it would speak in another's chains");
    laptop.space(&server).await;
    is_sound(&server);
}
