//! The parsers. Each is a plain function that must come back, whatever it is given. Where a checksum or a signature would keep
//! every changed input out, it is made to fit first: what lies behind it is to be reached.

use mecum_client::testing::parsing;
use mecum_documents::{Actor, Document, Incoming, Limits, Payload, Replayed};
use mecum_domain::PartialDate;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{
    AccountId, DocumentKey, Envelope, KdfFloor, PairingSecret, PassphraseSlot, RecoveryKit, RecoverySlot,
    SigningKey, VerifyingKey, sha256,
};
use mecum_sync::limits::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, MAX_SMALL_FRAME_BYTES};
use mecum_sync::push::EpochRule;
use mecum_sync::testing::Actor as Device;
use mecum_sync::{
    AccountEntry, AccountLog, ChainHead, Challenge, EnrolRequest, EnrolResponse, Follower, HelpersAnswer,
    HelpersAsk, HelpersDone, HelpersFetch, HelpersPart, HelpersProof, HelpersStage, HelpersStop,
    HelpersStopping, Push, RecoverRequest, RecoverResponse, Refusal, SaidRequest, ServerInfo, SessionGrant,
    SignIn, Signed, SpaceEntry, SpaceLog, SpaceSnapshot, SyncRequest, SyncResponse, decode, encode,
    verify_push,
};
use minicbor::{Decode, Encode};

use crate::corpus::{field, lines, words};
use crate::{Shape, Target};

mod folder;
mod http;

const ENVELOPES: &str = include_str!("../../crates/seal/tests/vectors/envelope.json");
const DEFECTS: &str = include_str!("../../crates/seal/tests/vectors/envelope-defects.json");
const SLOTS: &str = include_str!("../../crates/seal/tests/vectors/slot.json");
const KITS: &str = include_str!("../../crates/seal/tests/vectors/kit.json");
const PAIRINGS: &str = include_str!("../../crates/seal/tests/vectors/pairing.json");
const ENTRIES: &str = include_str!("../../crates/sync/tests/vectors/entries-v1.txt");
const STATES: &str = include_str!("../../crates/sync/tests/vectors/state-v1.txt");
const PAYLOAD: &str = include_str!("../../crates/documents/tests/vectors/payload-v1.hex");
const REPLAYS: &str = include_str!("../../crates/documents/tests/vectors/replay-v1.hex");
const GENESIS: &[u8] = include_bytes!("../../crates/documents/tests/vectors/genesis-v1.bin");
const BUNDLE: &[u8] = include_bytes!("../corpus/fhir/bundle.json");

/// Who writes in the documents that inputs are offered to.
const WRITER: Actor = Actor::from_bytes([1; 16]);
/// Bytes of an Automerge chunk before what its checksum is over: a magic number and the checksum. Source: the binary format of
/// Automerge, "Chunk".
const CHUNK_HEAD: usize = 8;

const fn cbor(name: &'static str, read: fn(&[u8]) -> bool, corpus: fn() -> Vec<Vec<u8>>) -> Target {
    Target { name, read, corpus, shape: Shape::Cbor }
}

/// Every parser of bytes that come from elsewhere.
pub const TARGETS: &[Target] = &[
    cbor("envelope", envelope, || [field(ENVELOPES, "envelope"), field(DEFECTS, "envelope")].concat()),
    cbor("vault-header", vault_header, || [field(SLOTS, "slot"), field(KITS, "slot")].concat()),
    cbor("sync-frame", sync_frame, requests),
    cbor("push", push, pushes),
    cbor("handshake", handshake, handshakes),
    cbor("account-entry", account_entry, entries),
    cbor("space-entry", space_entry, entries),
    cbor("follower", follower, || lines(STATES)),
    cbor(
        "kept",
        |bytes| mecum_interop::Kept::decode(bytes).is_ok() | mecum_interop::read(bytes).is_ok(),
        kept,
    ),
    Target { name: "words", read: invitation_words, corpus: texts, shape: Shape::Plain },
    Target { name: "fhir", read: fhir, corpus: || vec![BUNDLE.to_vec()], shape: Shape::Json },
    Target { name: "document", read: document, corpus: documents, shape: Shape::Plain },
    Target { name: "payload", read: payload, corpus: payloads, shape: Shape::Plain },
    cbor("http", http::ask, http::corpus),
    Target { name: "code", read: parsing::code, corpus: parsing::codes, shape: Shape::Plain },
    cbor("message", parsing::message, parsing::messages),
    cbor("snapshot-part", parsing::part, parsing::parts),
    Target { name: "plaintext", read: parsing::plaintext, corpus: parsing::plaintexts, shape: Shape::Plain },
    cbor("control", parsing::control, parsing::controls),
    Target { name: "residue", read: parsing::residue, corpus: folder::residues, shape: Shape::Plain },
    Target { name: "times", read: parsing::times, corpus: parsing::all_times, shape: Shape::Plain },
    cbor("replay", |bytes| Replayed::decode(bytes).is_ok(), replays),
    Target { name: "backup", read: folder::backup, corpus: folder::backups, shape: Shape::Plain },
];

fn envelope(bytes: &[u8]) -> bool {
    let Ok(envelope) = Envelope::parse(bytes) else { return false };
    // The vectors' keys come from other seeds.
    let entropy = SeededEntropy::new(99_999);
    // Another key, and so nothing of the seal holds; but all of it is read.
    assert!(
        envelope.open(&DocumentKey::make(&entropy)).is_err(),
        "no changed envelope opens under another key"
    );
    true
}

fn vault_header(bytes: &[u8]) -> bool {
    PassphraseSlot::decode(bytes, KdfFloor::default()).is_ok() | RecoverySlot::decode(bytes).is_ok()
}

fn is<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8], most: usize) -> bool {
    let Ok(frame) = decode::<T>(bytes, most) else { return false };
    assert_eq!(encode(&frame), bytes, "one value has one encoding");
    true
}

fn sync_frame(bytes: &[u8]) -> bool {
    is::<SaidRequest>(bytes, MAX_REQUEST_BYTES)
        | is::<SyncResponse>(bytes, MAX_RESPONSE_BYTES)
        | is::<SpaceSnapshot>(bytes, MAX_RESPONSE_BYTES)
}

fn handshake(bytes: &[u8]) -> bool {
    let most = MAX_SMALL_FRAME_BYTES;
    is::<Signed<SignIn>>(bytes, most)
        | is::<Challenge>(bytes, most)
        | is::<SessionGrant>(bytes, most)
        | is::<EnrolRequest>(bytes, most)
        | is::<EnrolResponse>(bytes, most)
        | is::<RecoverRequest>(bytes, most)
        | is::<RecoverResponse>(bytes, MAX_RESPONSE_BYTES)
        | is::<Signed<ServerInfo>>(bytes, most)
        | is::<Refusal>(bytes, most)
        | helping(bytes, most)
}

fn helping(bytes: &[u8], most: usize) -> bool {
    is::<HelpersAsk>(bytes, most)
        | is::<HelpersFetch>(bytes, most)
        | is::<HelpersPart>(bytes, most)
        | is::<HelpersStopping>(bytes, most)
        | is::<HelpersAnswer>(bytes, MAX_RESPONSE_BYTES)
        | is::<HelpersDone>(bytes, most)
}

/// Signs whatever body the bytes hold, so that the rules behind the signature are reached.
fn account_entry(bytes: &[u8]) -> bool {
    let Ok(signed) = decode::<Signed<AccountEntry>>(bytes, MAX_REQUEST_BYTES) else { return false };
    let device = Device::new(1);
    let body = signed.unverified().clone();
    let again = Signed::sign(body.clone(), &device.signing);
    let _ = AccountLog::found(&signed).is_ok() | AccountLog::found(&again).is_ok();
    if let Ok(mut log) = AccountLog::found(&device.account_genesis()) {
        let follows = AccountEntry {
            account: log.account(),
            seq: log.entries() + 1,
            previous: log.head(),
            signer: device.device,
            body: body.body,
        };
        return log.append(&Signed::sign(follows, &device.signing)).is_ok();
    }
    false
}

fn space_entry(bytes: &[u8]) -> bool {
    let Ok(signed) = decode::<Signed<SpaceEntry>>(bytes, MAX_REQUEST_BYTES) else { return false };
    let mut device = Device::new(1);
    let key: VerifyingKey = device.signing.verifying_key();
    let (_, genesis) = device.found_space(None);
    let body = signed.unverified().clone();
    let _ = SpaceLog::found(&Signed::sign(body.clone(), &device.signing), &key);
    let Ok(mut log) = SpaceLog::found(&genesis, &key) else { return false };
    let follows = SpaceEntry {
        space: log.space(),
        seq: log.entries() + 1,
        previous: log.head(),
        account: device.account,
        device: device.device,
        body: body.body,
    };
    log.append(&Signed::sign(follows, &device.signing), &key).is_ok()
}

/// A push, with its statement signed anew.
fn push(bytes: &[u8]) -> bool {
    let Ok(mut push) = decode::<Push>(bytes, MAX_REQUEST_BYTES) else { return false };
    let mut device = Device::new(1);
    let key = device.signing.verifying_key();
    let (_, genesis) = device.found_space(None);
    let Ok(log) = SpaceLog::found(&genesis, &key) else { return false };
    let mut statement = push.statement.unverified().clone();
    (statement.space, statement.device, statement.incarnation) =
        (log.space(), device.device, device.incarnation);
    push.statement = Signed::sign(statement, &device.signing);
    verify_push(&log, device.account, &key, ChainHead::EMPTY, &push, EpochRule::UpToCurrent).is_ok()
}

fn follower(bytes: &[u8]) -> bool {
    let Ok(follower) = Follower::from_bytes(bytes) else { return false };
    let _ = (follower.account_log().map(AccountLog::entries), follower.spaces().count(), follower.cursor());
    for space in follower.spaces() {
        let _ = (follower.chains(space).len(), follower.received(space).len(), follower.space_seq(space));
    }
    true
}

fn invitation_words(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let date = PartialDate::parse(&text).is_some();
    let ids = text.parse::<AccountId>().is_ok() | text.parse::<VerifyingKey>().is_ok();
    RecoveryKit::from_words(&text).is_ok() | PairingSecret::from_words(&text).is_ok() | date | ids
}

fn fhir(bytes: &[u8]) -> bool {
    let Ok(bundle) = mecum_interop::read_bundle(bytes) else { return false };
    for kept in &bundle.resources {
        let container = mecum_interop::Kept::decode(&kept.bytes).expect("what was kept reads back");
        assert!(!container.verbatim.is_empty(), "and is there");
        mecum_interop::read(&kept.bytes).expect("whatever is in it is listed");
    }
    true
}

/// The checksum of an Automerge chunk, made to fit what stands in it.
fn fitted(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let sum = sha256(out.get(CHUNK_HEAD..).unwrap_or_default());
    if let Some(place) = out.get_mut(CHUNK_HEAD / 2..CHUNK_HEAD) {
        place.iter_mut().zip(sum.as_bytes()).for_each(|(to, from)| *to = *from);
    }
    out
}

fn document(bytes: &[u8]) -> bool {
    let Ok(document) = Document::load(&fitted(bytes), WRITER, Limits::default()) else { return false };
    let _ = (document.entries().count(), document.finished().count(), document.links().is_ok());
    Document::load(&document.save(), WRITER, Limits::default()).expect("what was loaded loads again");
    true
}

/// A payload as it stands, and once more with the checksum of its change made to fit; what reads is offered to a document.
fn payload(bytes: &[u8]) -> bool {
    let Some(at) = bytes.windows(4).position(|four| four == [0x85, 0x6f, 0x4a, 0x83]) else {
        return Payload::decode(bytes).is_ok();
    };
    let (head, change) = bytes.split_at(at);
    let fits = [head, &fitted(change)].concat();
    let mut taken = false;
    for bytes in [bytes, &fits] {
        let _ = Payload::glance(bytes).is_ok();
        let Ok(payload) = Payload::decode(bytes) else { continue };
        let document = Document::new(WRITER);
        for actor in payload.actor().into_iter().chain([WRITER]) {
            let admission = document.admit(&[Incoming { actor, payload: &payload, tag: 1 }]);
            taken |= !admission.accepted.is_empty();
        }
    }
    taken
}

fn recorded() -> (Device, Vec<Push>, Vec<Vec<u8>>) {
    let mut device = Device::new(1);
    let (space, genesis) = device.found_space(None);
    let first = device.push(space, &["one", "two"], vec![]);
    let second = device.push(space, &["three"], vec![device.as_received(space)]);
    let mut request = SyncRequest::pull(7, 1 << 20);
    request.account_entries.push(device.account_genesis());
    request.space_entries.push(genesis);
    request.pushes = vec![first.clone(), second.clone()];
    request.snapshots.push(device.snapshot(space, 3, vec![device.folded(space)], &["keys", "document"]));
    let snapshot = request.snapshots.iter().map(encode);
    let short = SaidRequest::short(&request, |_| Some(first.statement.unverified()));
    let whole = [encode(&request), encode(&SyncRequest::pull(0, 1)), encode(&short)];
    let frames = snapshot.chain(whole).collect();
    (device, vec![first, second], frames)
}

fn requests() -> Vec<Vec<u8>> {
    recorded().2
}

fn pushes() -> Vec<Vec<u8>> {
    recorded().1.iter().map(encode).collect()
}

fn entries() -> Vec<Vec<u8>> {
    lines(ENTRIES)
}

fn handshakes() -> Vec<Vec<u8>> {
    let device = Device::new(1);
    let server: VerifyingKey = SigningKey::make(&SeededEntropy::new(2)).verifying_key();
    let nonce = sha256(b"nonce");
    let Device { account, device: id, incarnation, .. } = device;
    let claim = SignIn { server, nonce, server_time_ms: 5, account, device: id, incarnation };
    let info = ServerInfo { version: 1, name: "a server".to_owned(), key: server, server_time_ms: 5 };
    let others = with_helpers(server);
    let own = vec![
        encode(&Challenge { nonce, server_time_ms: 5, server }),
        encode(&Signed::sign(claim, &device.signing)),
        encode(&Signed::sign(info, &device.signing)),
        encode(&EnrolRequest { version: 1, code: "CODE".to_owned(), genesis: device.account_genesis() }),
        encode(&EnrolResponse { server_time_ms: 5 }),
        encode(&Refusal::from(mecum_sync::RefusalCode::ChainGap)),
    ];
    [own, others].concat()
}

/// What is said with helpers, to the server of this key.
fn with_helpers(server: VerifyingKey) -> Vec<Vec<u8>> {
    let device = Device::new(1);
    let Device { account, device: signer, .. } = device;
    let request = device.helpers_request(server);
    let (named, nonce) = (request.hash(), sha256(b"nonce"));
    let proof = HelpersProof { server, nonce, server_time_ms: 5, account, request: named };
    let stop = HelpersStop { server, account, request: named, signer };
    let answer = HelpersAnswer {
        server_time_ms: 5,
        stage: HelpersStage::Released,
        asked_at_ms: 1,
        released_at_ms: 4,
        again_at_ms: 1,
        sealed_part: vec![6; 1_168],
        entries: vec![device.account_genesis()],
        more: false,
    };
    vec![
        encode(&HelpersAsk { version: 1, request }),
        encode(&HelpersFetch { version: 1, proof: Signed::sign(proof, &device.signing), after: 0 }),
        encode(&HelpersPart { version: 1, set: nonce, part: [7; 32] }),
        encode(&HelpersStopping { version: 1, stop: Signed::sign(stop, &device.signing) }),
        encode(&answer),
        encode(&HelpersDone { server_time_ms: 5 }),
    ]
}

/// The last line is the state; before it is what it came from.
fn replays() -> Vec<Vec<u8>> {
    lines(REPLAYS).pop().into_iter().collect()
}

fn kept() -> Vec<Vec<u8>> {
    let bundle = mecum_interop::read_bundle(BUNDLE);
    bundle.map(|bundle| bundle.resources.into_iter().map(|kept| kept.bytes).collect()).unwrap_or_default()
}

fn texts() -> Vec<Vec<u8>> {
    let mut texts = [words(KITS, "words"), words(PAIRINGS, "words")].concat();
    texts.extend(
        ["2026-02-28", "2026-02", "2026", "00112233445566778899aabbccddeeff"].map(std::convert::Into::into),
    );
    texts
}

fn documents() -> Vec<Vec<u8>> {
    vec![GENESIS.to_vec(), Document::new(WRITER).save()]
}

fn payloads() -> Vec<Vec<u8>> {
    PAYLOAD.lines().filter_map(|line| crate::from_hex(line.rsplit(' ').next()?)).collect()
}
