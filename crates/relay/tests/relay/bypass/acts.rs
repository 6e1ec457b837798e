//! The part of the list that needs a scene: who is signed in rightly and does what is another's, or is what they are no
//! more. The typed refusals are those of `docs/protocol.md` sections 4, 5 and 7: inside a sync response a refusal has no
//! status of its own.

use std::fmt::Debug;

use mecum_relay::{Limits, Rate};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, DeviceId, DocumentId, Hash32, SigningKey, SpaceId, VerifyingKey};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, Challenge, Outcome, PROTOCOL_VERSION, RecoverRequest, RecoveryProof, RefusalCode, Role,
    SaidPush, ShortPush, SignIn, Signed, SignedBody, SpaceBody, SpaceEntry, SpaceLog, SyncRequest,
    SyncResponse, Why, encode,
};

use crate::device::{Device, enrol};
use crate::server::{Server, roomy};

use RefusalCode::{
    AlreadyExists, BadAcknowledgement, BadCode, BadCut, BadEntry, BadSignature, Malformed, NotFound,
    NotMember, NotYours, RateLimited, Resync, StaleHead, Unauthorised, UnknownDevice, UnknownSpace,
};

/// The order of the group of Ed25519's base point, little-endian. Source: RFC 8032 section 5.1.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What was tried, and what went otherwise than it must.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) cases: u64,
    pub(super) failures: Vec<String>,
}

impl Tally {
    pub(super) fn expect<T: PartialEq + Debug>(&mut self, what: &str, got: &T, wanted: &T) {
        self.cases += 1;
        if got != wanted {
            self.failures.push(format!("{what}: {got:?} where {wanted:?} must be"));
        }
    }
}

/// All of them, in a server of their own.
pub(super) async fn run() -> Tally {
    let mut tally = Tally::default();
    objects(&mut tally).await;
    roles(&mut tally).await;
    identities(&mut tally).await;
    recoveries(&mut tally).await;
    super::helpers::act(&mut tally).await;
    invitations_and_codes(&mut tally).await;
    tally
}

fn code(outcome: &Outcome) -> Option<RefusalCode> {
    outcome.refusal().map(|refusal| refusal.code)
}

/// The status and the refusal of a whole request.
async fn refused(server: &Server, device: &Device, request: &SyncRequest) -> (u16, Option<RefusalCode>) {
    let answer = server.ask("POST", "/v1/sync", Some(&device.token), &encode(request)).await;
    (answer.status, (answer.status != 200).then(|| answer.refusal().code))
}

/// What the relay says to this device about one request, without the device's follower taking anything in.
async fn said(server: &Server, device: &Device, request: &SyncRequest) -> SyncResponse {
    server.ask("POST", "/v1/sync", Some(&device.token), &encode(request)).await.frame()
}

async fn to_space(server: &Server, device: &Device, entry: Signed<SpaceEntry>) -> Option<RefusalCode> {
    let mut request = device.request();
    request.space_entries.push(entry);
    code(&said(server, device, &request).await.space_outcomes[0])
}

async fn to_account(
    server: &Server,
    device: &Device,
    entry: Signed<mecum_sync::AccountEntry>,
) -> Option<RefusalCode> {
    let mut request = device.request();
    request.account_entries.push(entry);
    code(&said(server, device, &request).await.account_outcomes[0])
}

async fn to_pushes(server: &Server, device: &Device, push: &mecum_sync::Push) -> Option<RefusalCode> {
    let mut request = device.request();
    request.pushes.push(push.clone());
    code(&said(server, device, &request).await.push_outcomes[0])
}

/// Of another patient, of another tenant, guessed, in a batch.
async fn objects(tally: &mut Tally) {
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

/// Whom a grant names, if it names the account of this device.
fn as_member(device: &Device) -> (AccountId, Hash32) {
    (device.actor.account, device.actor.account_genesis().hash())
}

/// Whom a grant names, if it names no account at all.
fn nobody() -> (AccountId, Hash32) {
    (AccountId::from_bytes([1; 16]), Hash32::ZERO)
}

/// Who is in, and does what another role does; and who is in no more.
async fn roles(tally: &mut Tally) {
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

async fn challenge(server: &Server) -> Challenge {
    server.ask("POST", "/v1/challenge", None, &[]).await.frame()
}

/// The same signature, with the order of the group added to its scalar.
fn malleable<T: SignedBody>(signed: &Signed<T>) -> Vec<u8> {
    let mut bytes = encode(signed);
    let at = bytes.len() - 32;
    let mut carry = 0u16;
    for (byte, add) in bytes[at..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    bytes
}

/// What makes a claim one that is not true.
type Change<'a> = &'a dyn Fn(&mut SignIn);

/// Sign-ins that are not the device's, or not for now, or not for here.
async fn identities(tally: &mut Tally) {
    let mut server = Server::start(roomy()).await;
    let mut owner = Device::enrolled(&server, 1).await;
    let other = Device::enrolled(&server, 2).await;
    let phone = owner.pair(&server, 3).await;
    owner.catch_up(&server).await;
    let gone = owner.actor.remove_device(owner.follower.account_log().unwrap(), phone.actor.device);
    owner.bring_account(&server, &gone).await.expect("the removal is stored");
    let thief = SigningKey::make(&SeededEntropy::new(8));
    let sign = |fresh: &Challenge, change: &dyn Fn(&mut SignIn), key: &SigningKey| {
        let mut claim = *owner.sign(fresh, key).unverified();
        change(&mut claim);
        Signed::sign(claim, key)
    };
    let own = &owner.actor.signing;
    let none: &dyn Fn(&mut SignIn) = &|_| {};
    let elsewhere: VerifyingKey = thief.verifying_key();
    let changed: [(&str, Change<'_>, &SigningKey); 12] = [
        ("another key", none, &thief),
        ("another account's key", none, &other.actor.signing),
        ("a removed device's key in its own name", &|c| c.device = phone.actor.device, &phone.actor.signing),
        ("a removed device's key in a live one's name", none, &phone.actor.signing),
        ("another account", &|c| c.account = other.actor.account, own),
        ("another device", &|c| c.device = other.actor.device, own),
        ("no such account", &|c| c.account = AccountId::from_bytes([7; 16]), own),
        ("another server", &|c| c.server = elsewhere, own),
        ("a nonce of zeros", &|c| c.nonce = Hash32::ZERO, own),
        ("a day later", &|c| c.server_time_ms += DAY_MS, own),
        ("a day earlier", &|c| c.server_time_ms -= DAY_MS, own),
        ("no such device", &|c| c.device = DeviceId::from_bytes([7; 16]), own),
    ];
    let before = server.digest(&[]);
    let refusal = (401, Unauthorised);
    for (what, change, key) in changed {
        let signed = sign(&challenge(&server).await, change, key);
        let answer = server.ask("POST", "/v1/session", None, &encode(&signed)).await;
        tally.expect(what, &(answer.status, answer.refusal().code), &refusal);
    }
    let signed = sign(&challenge(&server).await, none, own);
    let answer = server.ask("POST", "/v1/session", None, &malleable(&signed)).await;
    tally.expect("a malleable signature", &(answer.status, answer.refusal().code), &refusal);
    let good = encode(&sign(&challenge(&server).await, none, own));
    for (what, bytes) in [
        ("a truncated signature", good[..good.len() - 1].to_vec()),
        ("no signature", good[..good.len() - 66].to_vec()),
        ("a signature and a byte", [&good[..], &[0]].concat()),
        ("an empty frame", vec![]),
    ] {
        let answer = server.ask("POST", "/v1/session", None, &bytes).await;
        tally.expect(what, &(answer.status, answer.refusal().code), &(400, Malformed));
    }
    let stripped = [&good[..good.len() - 64], &[0; 64]].concat();
    let answer = server.ask("POST", "/v1/session", None, &stripped).await;
    tally.expect("a signature of zeros", &(answer.status, answer.refusal().code), &refusal);
    let used = sign(&challenge(&server).await, none, own);
    let bytes = encode(&used);
    let (one, two) = tokio::join!(
        server.ask("POST", "/v1/session", None, &bytes),
        server.ask("POST", "/v1/session", None, &bytes)
    );
    let mut both = [one.status, two.status];
    both.sort_unstable();
    tally.expect("one challenge twice at once", &both, &[200, 401]);
    let late = sign(&challenge(&server).await, none, own);
    server.advance(60_001);
    let answer = server.ask("POST", "/v1/session", None, &encode(&late)).await;
    tally.expect("an expired challenge", &(answer.status, answer.refusal().code), &refusal);
    let kept = sign(&challenge(&server).await, none, own);
    tally.expect("nothing is stored", &server.digest(&[]), &before);
    let token = owner.token.clone();
    server.restart().await;
    let answer = server.ask("POST", "/v1/session", None, &encode(&kept)).await;
    tally.expect("a challenge of another instance", &(answer.status, answer.refusal().code), &refusal);
    let answer = server.ask("POST", "/v1/sync", Some(&token), &encode(&owner.request())).await;
    tally.expect("a session of another instance", &(answer.status, answer.refusal().code), &refusal);
}

/// Recovery by who has no kit, or one that is no more.
async fn recoveries(tally: &mut Tally) {
    let server = Server::start(roomy()).await;
    let mut owner = Device::enrolled(&server, 1).await;
    let other = Device::enrolled(&server, 2).await;
    owner.catch_up(&server).await;
    let [first, now, nobodys] = [70, 71, 72].map(|seed| SigningKey::make(&SeededEntropy::new(seed)));
    for kit in [&first, &now] {
        let body = AccountBody::SetRecovery {
            signing: kit.verifying_key(),
            kem: owner.actor.kem.public(),
            sealed: b"sealed".to_vec(),
        };
        let entry = owner.actor.account_entry(owner.follower.account_log().unwrap(), body);
        owner.bring_account(&server, &entry).await.expect("a kit is made");
        owner.catch_up(&server).await;
    }
    let account = owner.actor.account;
    let before = server.digest(&[]);
    let unknown = AccountId::from_bytes([0; 16]);
    let cases = [
        ("the kit that was replaced", account, &first),
        ("the replaced kit, looking for its account", unknown, &first),
        ("a kit of nobody", unknown, &nobodys),
        ("the device's key as a kit", account, &owner.actor.signing),
        ("the kit for another account", other.actor.account, &now),
        ("an account that is none", AccountId::from_bytes([9; 16]), &now),
    ];
    for (what, account, key) in cases {
        let Challenge { nonce, server_time_ms, server: at } = challenge(&server).await;
        let claim = RecoveryProof { server: at, nonce, server_time_ms, account, key: key.verifying_key() };
        let proof = Signed::sign(claim, key);
        let request = RecoverRequest { version: PROTOCOL_VERSION, proof, after: 0, entry: None };
        let answer = server.ask("POST", "/v1/recover", None, &encode(&request)).await;
        tally.expect(what, &(answer.status, answer.refusal().code), &(401, Unauthorised));
    }
    let Challenge { nonce, server_time_ms, server: at } = challenge(&server).await;
    let claim = RecoveryProof { server: at, nonce, server_time_ms, account, key: now.verifying_key() };
    let proof = Signed::sign(claim, &now);
    let request = RecoverRequest { version: PROTOCOL_VERSION, proof, after: 0, entry: None };
    let answer = server.ask("POST", "/v1/recover", None, &encode(&request)).await;
    tally.expect("the kit itself", &answer.status, &200);
    let answer = server.ask("POST", "/v1/recover", None, &encode(&request)).await;
    tally.expect("the same proof again", &(answer.status, answer.refusal().code), &(401, Unauthorised));
    tally.expect("nothing is stored", &server.digest(&[]), &before);
}

/// Mailboxes and codes: used, old, of others, guessed from changing addresses.
async fn invitations_and_codes(tally: &mut Tally) {
    let few = Rate { burst: 5.0, per_second: 0.0 };
    let server = Server::start(Limits { failures_per_source: few, ..roomy() }).await;
    let owner = Device::enrolled(&server, 1).await;
    let code = server.relay.make_enrolment_code().unwrap();
    let [one, two] = [20, 21].map(|seed| Actor::new(seed).account_genesis());
    tally.expect("a code", &enrol(&server, &code, &one).await.status, &200);
    let again = enrol(&server, &code, &two).await;
    tally.expect("a code that was used", &(again.status, again.refusal().code), &(403, BadCode));
    let old = server.relay.make_enrolment_code().unwrap();
    server.advance(8 * DAY_MS);
    let late = enrol(&server, &old, &two).await;
    tally.expect("a code that is old", &(late.status, late.refusal().code), &(403, BadCode));
    let before = server.digest(&["enrolment_code", "mailbox"]);
    let mut codes = Vec::new();
    for n in 0..6 {
        let request = mecum_sync::EnrolRequest {
            version: PROTOCOL_VERSION,
            code: format!("GUESS-{n}"),
            genesis: two.clone(),
        };
        let body = encode(&request);
        let head = format!(
            "POST /v1/enrol HTTP/1.1\r\nhost: t\r\nconnection: close\r\nx-forwarded-for: 203.0.113.{n}\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let answer = server.raw(&[head.as_bytes(), &body].concat()).await;
        codes.push(crate::server::Answer::parse(&answer).refusal().code);
    }
    let wanted = [BadCode, BadCode, BadCode, RateLimited, RateLimited, RateLimited];
    tally.expect("guesses from addresses that a header names", &codes, &wanted.to_vec());

    let at = |slot: &str| format!("/v1/mailbox/00112233445566778899aabbccddeeff/{slot}");
    let put = |path: String, body: &'static [u8], token: Option<String>| {
        let server = &server;
        async move { server.ask("PUT", &path, token.as_deref(), body).await }
    };
    let (expired, live) = (Some(owner.token.clone()), owner);
    let answer = put(at("offer?days=7"), b"offer", expired.clone()).await;
    tally.expect(
        "an offer for days by an ended session",
        &(answer.status, answer.refusal().code),
        &(401, Unauthorised),
    );
    tally.expect("an offer", &put(at("offer"), b"offer", None).await.status, &204);
    let answer = put(at("offer"), b"another", None).await;
    tally.expect(
        "another offer in its place",
        &(answer.status, answer.refusal().code),
        &(409, AlreadyExists),
    );
    tally.expect("an answer", &put(at("join"), b"join", None).await.status, &204);
    let answer = put(at("join"), b"meant for someone else", None).await;
    tally.expect("a second answer", &(answer.status, answer.refusal().code), &(409, AlreadyExists));
    for slot in ["offers", "0", "offer%00", "relay.key"] {
        let answer = server.ask("GET", &at(slot), None, &[]).await;
        tally.expect("a slot that is none", &(answer.status, answer.refusal().code), &(404, NotFound));
    }
    for days in ["0", "8", "-1", "7&days=1", "", "99999999999"] {
        let answer = put(at(&format!("offer?days={days}")), b"offer", expired.clone()).await;
        let refused = (answer.status, answer.refusal().code);
        tally.expect(
            "an offer for too long",
            &[(400, Malformed), (401, Unauthorised)].contains(&refused),
            &true,
        );
    }
    server.advance(16 * 60 * 1_000);
    let answer = server.ask("GET", &at("join"), None, &[]).await;
    tally.expect("a mailbox whose time is over", &(answer.status, answer.refusal().code), &(404, NotFound));
    tally.expect("no account came of it", &server.digest(&["enrolment_code", "mailbox"]), &before);
    let mut forged = live.actor.account_genesis().unverified().clone();
    forged.account = AccountId::from_bytes([6; 16]);
    let fresh = server.relay.make_enrolment_code().unwrap();
    let thief = Signed::sign(forged, &SigningKey::make(&SeededEntropy::new(4)));
    let codes = [RateLimited, BadSignature];
    tally.expect(
        "an account with another's device",
        &codes.contains(&enrol(&server, &fresh, &thief).await.refusal().code),
        &true,
    );
}
