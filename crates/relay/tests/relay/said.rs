//! Short forms: what the relay has need not be said to it again, and what comes out is checked as if it had been said in full.

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{IncarnationId, SigningKey, SpaceId};
use mecum_sync::{
    Challenge, FORMS, FORMS_HANDED, Item, Outcome, Push, Refusal, RefusalCode, Role, SaidPush, SaidRequest,
    SaidSnapshot, SessionGrant, ShortPush, SyncRequest, SyncResponse, encode,
};

use crate::device::Device;
use crate::members::is_sound;
use crate::server::{Server, roomy};

impl Device {
    /// A request in its short forms.
    fn short(&self, request: &SyncRequest) -> SaidRequest {
        SaidRequest::short(request, |push| self.follower.last_statement(&push.statement.unverified().chain()))
    }

    /// One request as it is said; its answer is checked and taken in.
    async fn say(&mut self, server: &Server, request: &SyncRequest, said: &SaidRequest) -> SyncResponse {
        let answer = server.ask("POST", "/v1/sync", Some(&self.token), &encode(said)).await;
        let response: SyncResponse = answer.frame();
        let whole = response.whole(request).expect("what is left out was brought");
        self.follower.check_response(request, &whole).expect("the answer fits");
        for item in &whole.items {
            self.follower.accept(item).expect("an honest relay is believed");
        }
        self.follower.advance(response.cursor);
        response
    }

    /// Writes texts and says them short.
    async fn write_short(&mut self, server: &Server, space: SpaceId, texts: &[&str]) -> SyncResponse {
        let received = self.follower.received(space);
        let push = self.actor.push(space, texts, received);
        let request = SyncRequest { pushes: vec![push], ..self.request() };
        let said = self.short(&request);
        assert!(matches!(said.pushes[..], [SaidPush::Short(_)]), "there is a statement to say it over");
        let response = self.say(server, &request, &said).await;
        assert_eq!(response.push_outcomes, [Outcome::Stored], "it is taken");
        response
    }

    /// The refusal of one push as it is said, without the device's follower hearing of it.
    pub(crate) async fn refusal_of(&self, server: &Server, push: SaidPush) -> Option<Refusal> {
        let said = SaidRequest { pushes: vec![push], ..SaidRequest::from(&self.request()) };
        let answer = server.ask("POST", "/v1/sync", Some(&self.token), &encode(&said)).await;
        answer.frame::<SyncResponse>().push_outcomes[0].refusal().copied()
    }
}

/// Two devices that have each written in a space and heard of the other.
async fn two(server: &Server) -> (Device, Device, SpaceId) {
    let mut laptop = Device::enrolled(server, 1).await;
    let space = laptop.space(server).await;
    laptop.write(server, space, &["one"]).await;
    let mut phone = laptop.pair(server, 2).await;
    phone.catch_up(server).await;
    phone.write(server, space, &["two"]).await;
    laptop.catch_up(server).await;
    (laptop, phone, space)
}

#[tokio::test]
async fn a_statement_that_is_said_short_is_stored_and_handed_on_in_full() {
    let server = Server::start(roomy()).await;
    let (mut laptop, mut phone, space) = two(&server).await;
    for round in 0..3 {
        laptop.write_short(&server, space, &["more", "and more"]).await;
        assert_eq!(phone.catch_up(&server).await.len(), 2, "round {round}: the phone reads and believes it");
        phone.write_short(&server, space, &["answer"]).await;
        laptop.catch_up(&server).await;
        laptop.write_short(&server, space, &[]).await;
        assert!(!laptop.follower.owes_acknowledgement(space), "round {round}: an acknowledgement alone too");
    }
    is_sound(&server);
}

#[tokio::test]
async fn over_another_statement_it_is_refused_by_name_and_taken_in_full() {
    let server = Server::start(roomy()).await;
    let (mut laptop, phone, space) = two(&server).await;
    let chain = laptop.actor.state(space, vec![]).unverified().chain();
    let base = laptop.follower.last_statement(&chain).unwrap().clone();
    let received = laptop.follower.received(space);
    let push = laptop.actor.push(space, &["next"], received.clone());
    let short = ShortPush::of(&push, &base).unwrap();
    let before = server.digest(&[]);
    let refused = |short: ShortPush| {
        let (laptop, server) = (&laptop, &server);
        async move { laptop.refusal_of(server, SaidPush::Short(short)).await.map(|refusal| refusal.code) }
    };
    let unknown = Some(RefusalCode::UnknownBase);
    let other_base = ShortPush { base: [7; 8], ..short.clone() };
    assert_eq!(refused(other_base).await, unknown, "a statement that the relay does not hold");
    let thief = SigningKey::make(&SeededEntropy::new(66));
    let mut forged = short.clone();
    forged.signature = thief.sign("mecum/statement/1", b"something else");
    assert_eq!(refused(forged).await, unknown, "what does not come out as it was signed");
    let mut heads = short.clone();
    heads.heads = mecum_seal::Hash32::from_bytes([4; 32]);
    assert_eq!(refused(heads).await, unknown, "nor with other heads");
    let mut begun = short.clone();
    let (device, incarnation) = (phone.actor.device, IncarnationId::from_bytes([5; 16]));
    begun.begun.push(mecum_sync::said::Begun { device, incarnation, envelope_seq: 1 });
    assert_eq!(refused(begun).await, unknown, "nor with a link that is not there");
    let mut garbage = short.clone();
    garbage.envelopes[0] = b"no envelope".to_vec();
    assert_eq!(refused(garbage).await, Some(RefusalCode::Malformed), "what names no space");
    assert_eq!(server.digest(&[]), before, "nothing of it is kept");
    let stranger = phone.refusal_of(&server, SaidPush::Short(short.clone())).await.unwrap();
    assert_eq!(
        stranger.code,
        RefusalCode::UnknownBase,
        "another device's words are not over its own statement"
    );
    assert_eq!(server.digest(&[]), before, "nothing of that either");

    let whole = laptop.refusal_of(&server, SaidPush::Whole(push.clone())).await;
    assert_eq!(whole, None, "said in full it is taken");
    let again = laptop.refusal_of(&server, SaidPush::Short(short)).await.unwrap();
    assert_eq!(again.code, RefusalCode::UnknownBase, "its base was the last one before it");
    let again = laptop.refusal_of(&server, SaidPush::Whole(push)).await;
    assert_eq!(again, None, "in full it is known");
}

#[tokio::test]
async fn who_is_no_member_hears_nothing_by_saying_it_short() {
    let server = Server::start(roomy()).await;
    let (mut laptop, _, space) = two(&server).await;
    let mut guest = Device::enrolled(&server, 5).await;
    laptop.let_in(&server, &mut guest, space, Role::Writer).await;
    guest.write(&server, space, &["hello"]).await;
    let chain = guest.actor.state(space, vec![]).unverified().chain();
    let base = guest.follower.last_statement(&chain).unwrap().clone();
    laptop.catch_up(&server).await;
    let cut = guest.actor.cut(space);
    laptop.remove(&server, &guest, space, vec![cut]).await;
    laptop.write(&server, space, &["he is gone"]).await;
    let next = guest.actor.push(space, &["let me see"], base.received.clone());
    let honest = ShortPush::of(&next, &base).unwrap();
    // Whether a chain has a link of that number is nobody's to ask any more.
    for envelope_seq in 1..6 {
        let mut asking = honest.clone();
        asking.moved = vec![mecum_sync::said::Moved { place: 0, envelope_seq }];
        let refusal = guest.refusal_of(&server, SaidPush::Short(asking)).await.unwrap();
        assert_eq!(refusal, RefusalCode::UnknownSpace.into(), "link {envelope_seq}: the same answer");
    }
    let nowhere = ShortPush { envelopes: vec![], space: Some(SpaceId::from_bytes([9; 16])), ..honest };
    let refusal = guest.refusal_of(&server, SaidPush::Short(nowhere)).await.unwrap();
    assert_eq!(refusal, RefusalCode::UnknownSpace.into(), "as of a space that is none");
}

#[tokio::test]
async fn a_second_version_of_a_link_is_evidence_also_where_it_is_said_short() {
    let server = Server::start(roomy()).await;
    let (mut laptop, _, space) = two(&server).await;
    laptop.write_short(&server, space, &["three"]).await;
    let chain = laptop.actor.state(space, vec![]).unverified().chain();
    let base = laptop.follower.last_statement(&chain).unwrap().clone();
    let before = laptop.actor.writing.clone();
    let writing = laptop.actor.writing.get_mut(&space).unwrap();
    writing.envelope_seq -= 1;
    let other: Push = laptop.actor.push(space, &["another three"], base.received.clone());
    laptop.actor.writing = before;
    let short = ShortPush::of(&other, &base).unwrap();
    let refusal = laptop.refusal_of(&server, SaidPush::Short(short)).await.unwrap();
    assert_eq!(refusal.code, RefusalCode::ChainFork, "it is a fork");
    let c = rusqlite::Connection::open(server.dir.path().join("relay.sqlite")).unwrap();
    let kept: i64 = c.query_row("SELECT count(*) FROM equivocation", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1, "and both versions are kept");
}

#[tokio::test]
async fn a_snapshot_that_is_said_short_is_stored_in_full_and_only_as_long_as_it_is_true() {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    laptop.write(&server, space, &["one", "two"]).await;
    let snapshot = laptop.actor.snapshot(space, 2, vec![laptop.actor.folded(space)], &["keys", "document"]);
    let early = laptop.actor.snapshot(space, 1, vec![laptop.actor.folded(space)], &["keys", "document"]);
    let ask = |snapshot| SyncRequest { snapshots: vec![snapshot], ..laptop.request() };
    let (request, early) = (ask(snapshot.clone()), ask(early));
    let said = laptop.short(&early);
    assert!(matches!(said.snapshots[..], [SaidSnapshot::Short(_)]), "it is said short");
    let response = laptop.say(&server, &early, &said).await;
    let stale = Outcome::Refused(RefusalCode::StaleHead.into());
    assert_eq!(response.snapshot_outcomes, [stale], "one that does not cover everything");
    let said = laptop.short(&request);
    let response = laptop.say(&server, &request, &said).await;
    assert_eq!(response.snapshot_outcomes, [Outcome::Stored], "one that does");
    let c = rusqlite::Connection::open(server.dir.path().join("relay.sqlite")).unwrap();
    let body: Vec<u8> = c.query_row("SELECT body FROM snapshot", [], |row| row.get(0)).unwrap();
    assert_eq!(body, encode(&snapshot), "as its maker signed it");
    laptop.write(&server, space, &["three"]).await;
    let again = laptop.short(&SyncRequest { cursor: laptop.follower.cursor(), ..request.clone() });
    let again_full = SyncRequest { cursor: laptop.follower.cursor(), ..request };
    let response = laptop.say(&server, &again_full, &again).await;
    assert_eq!(response.snapshot_outcomes, [Outcome::Stored], "what it covers is covered, now as then");
    is_sound(&server);
}

#[tokio::test]
async fn entries_are_confirmed_without_their_bodies_to_who_brought_them_and_asked_for_it() {
    let server = Server::start(roomy()).await;
    let (mut laptop, mut phone, _) = two(&server).await;
    let (space, genesis) = laptop.actor.found_space(Some(server.pin()));
    laptop.follower.found_space(&genesis).unwrap();
    let request = SyncRequest { space_entries: vec![genesis.clone()], ..laptop.request() };
    let said = laptop.short(&request);
    let full = SaidRequest { forms: None, ..said.clone() };
    let answer = server.ask("POST", "/v1/sync", Some(&laptop.token), &encode(&full)).await;
    let items = answer.frame::<SyncResponse>().items;
    assert!(matches!(items[..], [Item::SpaceEntry { .. }]), "an older device gets its entry: {items:?}");
    let response = laptop.say(&server, &request, &said).await;
    assert!(matches!(response.items[..], [Item::Confirmed(_)]), "the other one its place alone");
    assert!(laptop.follower.is_stored_space(space), "which is as good");
    let pull = SyncRequest::pull(0, 1 << 22);
    let answer =
        server.ask("POST", "/v1/sync", Some(&laptop.token), &encode(&SaidRequest::from(&pull))).await;
    let items = answer.frame::<SyncResponse>().items;
    assert!(!items.iter().any(|item| matches!(item, Item::Confirmed(_))), "what was not brought comes whole");
    phone.catch_up(&server).await;
    assert!(phone.follower.space_log(space).is_some(), "as it does to everybody else");
}

#[tokio::test]
async fn somebody_who_is_let_into_six_spaces_is_introduced_once() {
    let server = Server::start(roomy()).await;
    let mut mother = Device::enrolled(&server, 1).await;
    let mut spaces = Vec::new();
    for _ in 0..6 {
        spaces.push(mother.space(&server).await);
    }
    let mut son = Device::enrolled(&server, 3).await;
    let mut sister = Device::enrolled(&server, 4).await;
    for space in &spaces {
        mother.let_in(&server, &mut sister, *space, Role::Reader).await;
    }
    let (account, genesis) = mother.as_member();
    let mut request = mother.request();
    for space in &spaces {
        son.follower.expect_space(*space, account, genesis).unwrap();
        request.space_entries.push(mother.actor.grant(
            &mother.space_log(*space),
            son.as_member(),
            Role::Writer,
        ));
    }
    let said = mother.short(&request);
    let response = mother.say(&server, &request, &said).await;
    let kinds: Vec<_> = response.items.iter().map(|item| matches!(item, Item::AccountEntry(_))).collect();
    let behind_the_first = [vec![false, true], vec![false; 5]].concat();
    assert_eq!(kinds, behind_the_first, "six grants, and behind the first of them his log, once");
    son.catch_up(&server).await;
    son.actor.follow(&son.space_log(spaces[3]));
    son.write(&server, spaces[3], &["thank you"]).await;
    for other in [&mut mother, &mut sister] {
        assert_eq!(other.catch_up(&server).await.len(), 1, "whoever was there knows who writes");
    }
    is_sound(&server);
}

#[tokio::test]
async fn a_relay_says_which_short_forms_it_takes_to_who_asks() {
    let server = Server::start(roomy()).await;
    let laptop = Device::enrolled(&server, 1).await;
    let sign_in = async |path: &str| {
        let challenge: Challenge = server.ask("POST", "/v1/challenge", None, &[]).await.frame();
        let signed = encode(&laptop.sign(&challenge, &laptop.actor.signing));
        server.ask("POST", path, None, &signed).await
    };
    for (path, forms) in [
        ("/v1/session", None),
        ("/v1/session?forms=0", Some(0)),
        ("/v1/session?forms=1", Some(FORMS)),
        ("/v1/session?forms=4294967295", Some(FORMS_HANDED)),
    ] {
        assert_eq!(sign_in(path).await.frame::<SessionGrant>().forms, forms, "{path}");
    }
    for query in ["forms=", "forms=-1", "forms=+1", "forms=x", "forms=4294967296", "forms=1&a", "1", ""] {
        let answer = sign_in(&format!("/v1/session?{query}")).await;
        assert_eq!((answer.status, answer.refusal().code), (400, RefusalCode::Malformed), "{query:?}");
    }
}
