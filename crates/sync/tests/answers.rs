//! Everything that a server answers or keeps of snapshots, and the requests that `vectors.rs` has not, as bytes, frozen.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Hash32, SigningKey};
use mecum_sync::refusal::LastAccepted;
use mecum_sync::testing::Actor;
use mecum_sync::{
    Challenge, Countersign, EnrolRequest, EnrolResponse, HelpersAnswer, HelpersDone, HelpersNotice,
    HelpersStage, Item, Outcome, PROTOCOL_VERSION, Pruning, PruningAnswer, Push, Receipt, Receipts,
    RecoverResponse, Refusal, RefusalCode, ServerInfo, SessionGrant, SessionToken, SignIn, Signed,
    StoredSnapshot, SyncRequest, SyncResponse, decode, encode,
};
use minicbor::{Decode, Encode};

const FILE: &str = "answers-v1.txt";

/// Whether bytes are read as the value that was meant.
type Reads = Box<dyn Fn(&[u8]) -> bool>;

/// A value as the live path writes it, and whether it reads bytes as that value.
struct Vector {
    name: &'static str,
    written: Vec<u8>,
    is_read: Reads,
}

fn vector<T>(name: &'static str, value: T) -> Vector
where
    T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + 'static,
{
    let written = encode(&value);
    Vector {
        name,
        written,
        is_read: Box::new(move |bytes| decode::<T>(bytes, 1 << 20).is_ok_and(|read| read == value)),
    }
}

/// Two devices, a space that one of them founded, and what a server may say of it.
struct Scene {
    server: SigningKey,
    laptop: Actor,
    phone: Actor,
    first: Push,
    stored: StoredSnapshot,
    items: Vec<(&'static str, Item)>,
}

fn scene() -> Scene {
    let server = SigningKey::make(&SeededEntropy::new(99));
    let mut laptop = Actor::new(1);
    let phone = Actor::second(2, &laptop);
    let (space, genesis) = laptop.found_space(Some(server.verifying_key()));
    let first = laptop.push(space, &["one", "two"], vec![]);
    let snapshot = laptop.snapshot(space, 2, vec![laptop.folded(space)], &["keys", "document"]);
    let statements = vec![first.statement.clone()];
    let stored = StoredSnapshot { snapshot: snapshot.clone(), statements: statements.clone() };
    let place =
        Countersign { space, seq: 1, entry: genesis.hash(), space_seq: 0, stored_at_ms: 1_790_000_000_000 };
    let countersign = Signed::sign(place, &server);
    let items = vec![
        ("item 1 account entry", Item::AccountEntry(laptop.account_genesis())),
        ("item 2 space entry", Item::SpaceEntry { entry: genesis, countersign: countersign.clone() }),
        ("item 3 batch", Item::Batch { first_space_seq: 1, push: first.clone() }),
        ("item 4 own", Item::Own { first_space_seq: 1, count: 2, statement: first.statement.clone() }),
        ("item 5 snapshot", Item::Snapshot { snapshot, statements }),
        ("item 6 snapshot stored", Item::SnapshotStored { space, space_seq: 2 }),
        ("item 7 confirmed", Item::Confirmed(countersign)),
    ];
    Scene { server, laptop, phone, first, stored, items }
}

/// An answer in which every field says something.
fn full_answer(scene: &Scene) -> SyncResponse {
    let statement = scene.first.statement.unverified();
    let receipt = Receipt {
        chain: statement.chain(),
        envelope_seq: 2,
        last: statement.last,
        space_seq: 2,
        stored_at_ms: 1_790_000_000_001,
    };
    let last = LastAccepted { seq: 2, hash: statement.last };
    let refused = Refusal { code: RefusalCode::ChainGap, last: Some(last) };
    let request = scene.phone.helpers_request(scene.server.verifying_key()).hash();
    let pruned = PruningAnswer {
        shown: Some(scene.stored.clone()),
        verified_outcomes: vec![Outcome::Stored],
        to_verify: vec![statement.space],
    };
    SyncResponse {
        server_time_ms: 1_790_000_000_002,
        account_outcomes: vec![Outcome::Stored],
        space_outcomes: vec![Outcome::Refused(RefusalCode::StaleHead.into())],
        push_outcomes: vec![Outcome::Stored, Outcome::Refused(refused)],
        receipts: Some(Signed::sign(Receipts { receipts: vec![receipt] }, &scene.server)),
        items: scene.items.iter().map(|(_, item)| item.clone()).collect(),
        cursor: 300,
        more: true,
        snapshot_outcomes: vec![Outcome::Stored],
        pruned: Some(pruned),
        helpers_notice: Some(HelpersNotice {
            request,
            asked_at_ms: 7,
            released_at_ms: 604_800_007,
            others: None,
        }),
        handed: None,
    }
}

fn empty_answer() -> SyncResponse {
    SyncResponse {
        server_time_ms: 1_790_000_000_003,
        account_outcomes: vec![],
        space_outcomes: vec![],
        push_outcomes: vec![],
        receipts: None,
        items: vec![],
        cursor: 300,
        more: false,
        snapshot_outcomes: vec![],
        pruned: None,
        helpers_notice: None,
        handed: None,
    }
}

/// What there is before a session, and beside it.
fn doors(scene: &Scene) -> Vec<Vector> {
    let key = scene.server.verifying_key();
    let (nonce, server_time_ms) = (Hash32::from_bytes([8; 32]), 1_790_000_000_000);
    let info = ServerInfo { version: PROTOCOL_VERSION, name: "Rumah".to_owned(), key, server_time_ms };
    let Actor { account, device, incarnation, .. } = scene.laptop;
    let sign_in = SignIn { server: key, nonce, server_time_ms, account, device, incarnation };
    let genesis = scene.laptop.account_genesis();
    let enrol = EnrolRequest {
        version: PROTOCOL_VERSION,
        code: "0123-4567-89AB-CDEF".to_owned(),
        genesis: genesis.clone(),
    };
    let token = SessionToken::from_bytes([3; 32]);
    let grant = SessionGrant { token, expires_at_ms: 9, server_time_ms: 1, forms: None };
    let standing = |stage, sealed_part, entries, again_at_ms| HelpersAnswer {
        server_time_ms,
        stage,
        asked_at_ms: 7,
        released_at_ms: 604_800_007,
        again_at_ms,
        sealed_part,
        entries,
        more: false,
    };
    vec![
        vector("server", Signed::sign(info, &scene.server)),
        vector("challenge", Challenge { nonce, server_time_ms, server: key }),
        vector("sign in", Signed::sign(sign_in, &scene.laptop.signing)),
        vector("session without short forms", grant),
        vector("enrol", enrol),
        vector("enrolled", EnrolResponse { server_time_ms }),
        vector("recovered", RecoverResponse { server_time_ms, entries: vec![genesis.clone()], more: true }),
        vector("standing: waiting", standing(HelpersStage::Waiting, vec![], vec![], 7)),
        vector("standing: released", standing(HelpersStage::Released, vec![9; 1_168], vec![genesis], 7)),
        vector("standing: stopped", standing(HelpersStage::Stopped, vec![], vec![], 86_400_007)),
        vector("helpers done", HelpersDone { server_time_ms }),
        vector("refusal", Refusal::from(RefusalCode::RateLimited)),
        vector("refusal of a later server", Refusal::from(RefusalCode::Other(999))),
    ]
}

fn all() -> Vec<Vector> {
    let scene = scene();
    let mut vectors = doors(&scene);
    let verified = scene.phone_verified();
    let pruning = |over_pruned, show, verified| SyncRequest {
        pruning: Some(Pruning { over_pruned, show, verified }),
        ..SyncRequest::pull(0, 4 << 20)
    };
    let space = Some(scene.first.space());
    vectors.extend([
        vector("verified", verified.clone()),
        vector("stored snapshot", scene.stored.clone()),
        vector("request that reads a pruned history", pruning(true, None, vec![])),
        vector("request that verifies", pruning(false, space, vec![verified])),
        vector(
            "request that begins from snapshots",
            SyncRequest { from_snapshots: true, ..SyncRequest::pull(0, 4 << 20) },
        ),
        vector("request that pushes", {
            let snapshots = vec![scene.stored.snapshot.clone()];
            SyncRequest { pushes: vec![scene.first.clone()], snapshots, ..SyncRequest::pull(5, 4 << 20) }
        }),
        vector("answer", full_answer(&scene)),
        vector("answer with nothing", empty_answer()),
    ]);
    vectors.extend(scene.items.into_iter().map(|(name, item)| vector(name, item)));
    vectors
}

impl Scene {
    fn phone_verified(&self) -> Signed<mecum_sync::Verified> {
        let mut phone = Actor::second(2, &self.laptop);
        let head = self.stored.snapshot.signed.unverified().membership_head;
        phone.join_space(self.first.space(), head);
        phone.verified(&self.stored.snapshot)
    }
}

#[test]
fn every_answer_is_written_with_the_frozen_bytes_and_read_from_them() {
    let vectors = all();
    let written: Vec<_> = vectors.iter().map(|v| (v.name, v.written.clone())).collect();
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), FILE, &written);
    for Vector { name, is_read, .. } in &vectors {
        let bytes = frozen.get(name);
        assert!(is_read(bytes), "{name} reads as what it says");
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert!(!is_read(&longer) && !is_read(&bytes[..bytes.len() - 1]), "{name}: and nothing else does");
    }
}
