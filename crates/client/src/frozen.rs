//! What a device keeps of itself, of spaces and of documents, and what its account's keys lead to, as bytes, frozen.

use mecum_domain::{ChartId, Section};
use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{
    DocumentId, DocumentKey, EpochKey, Hash32, IncarnationId, KemSecret, RecoveryKey, SigningKey, SpaceId,
    derive_key, open_row,
};
use mecum_sync::{AccountBody, AccountEntry, AccountLog, Signed, Why};
use minicbor::{Decode, Encode};

use crate::founding::device_card;
use crate::heads::OwnChange;
use crate::identity::{Identity, account_key_of, actor_of};
use crate::recovery::keys::{Holder, open_with, seal_for_kit};
use crate::space::{DocumentState, SpaceState};

/// Whether stored bytes read as a `T` that is written with the same bytes: then no field of them was passed over or given another
/// meaning.
pub(crate) fn is_kept<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8]) -> bool {
    minicbor::decode::<T>(bytes).is_ok_and(|read| minicbor::to_vec(&read).is_ok_and(|again| again == bytes))
}

/// As the vault keeps it.
pub(crate) fn kept<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("plain fields encode")
}

fn identity() -> Identity {
    let mut identity = Identity::make(&SeededEntropy::new(88));
    identity.learn(KemSecret::from_bytes([1; 32]));
    identity.learn(KemSecret::from_bytes([2; 32]));
    identity
}

fn space(ended: Option<Why>) -> SpaceState {
    SpaceState {
        space: SpaceId::from_bytes([3; 16]),
        chart: ChartId::from_bytes([4; 16]),
        section: Section::Results,
        key: EpochKey::from_bytes([5; 32]),
        epoch: 3,
        earlier: vec![(1, EpochKey::from_bytes([6; 32])), (2, EpochKey::from_bytes([7; 32]))],
        ended,
        removed_devices: 2,
        membership: Hash32::from_bytes([8; 32]),
        unsent_genesis: ended.is_none().then(|| b"a signed entry".to_vec()),
        own_seq: 300,
        own_last: Hash32::from_bytes([9; 32]),
        own_membership: Hash32::from_bytes([10; 32]),
        snapshot_seq: 200,
        care: None,
    }
}

fn document() -> DocumentState {
    let (id, space) = (DocumentId::from_bytes([11; 16]), SpaceId::from_bytes([3; 16]));
    DocumentState {
        count: 500,
        snapshot_at: 400,
        snapshot_bytes: 70_000,
        tail_bytes: 9_000,
        pages: 4,
        operations: 1_200,
        own: Some(OwnChange { seq: 7, hash: [12; 32] }),
        cuts: 2,
        ..DocumentState::new(id, space, DocumentKey::from_bytes([13; 32]), 2026, None)
    }
}

#[test]
fn what_a_device_keeps_of_itself_spaces_and_documents_is_written_with_the_frozen_bytes_and_read_from_them() {
    let new = DocumentState::new(
        DocumentId::from_bytes([11; 16]),
        SpaceId::from_bytes([3; 16]),
        DocumentKey::from_bytes([13; 32]),
        0,
        None,
    );
    let signing = SigningKey::from_seed([14; 32]);
    let actor = actor_of(&signing.verifying_key(), IncarnationId::from_bytes([15; 16]));
    let written = [
        ("identity with earlier keys", identity().encode().to_vec()),
        ("account key", account_key_of(&KemSecret::from_bytes([1; 32])).expose().to_vec()),
        ("actor of a device", actor.as_bytes().to_vec()),
        ("space with earlier epochs", space(None).encode()),
        ("space from which this account was removed", space(Some(Why::Removed)).encode()),
        ("space whose time ran out", space(Some(Why::Expired)).encode()),
        ("document", document().encode()),
        ("document without envelopes", new.encode()),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "kept-v1.txt", &written);
    let read = Identity::decode(frozen.get("identity with earlier keys")).expect("an old identity");
    let keys: Vec<[u8; 32]> = read.account_keys().map(|key| *key.expose()).collect();
    assert_eq!(keys[..2], [[2; 32], [1; 32]], "with its keys, newest first");
    assert_eq!((keys.len(), read.actor()), (3, identity().actor()), "the same device");
    assert_eq!(read.kem.expose(), identity().kem.expose(), "with its own keys");
    for (name, ended) in [
        ("space with earlier epochs", None),
        ("space from which this account was removed", Some(Why::Removed)),
        ("space whose time ran out", Some(Why::Expired)),
    ] {
        let read = SpaceState::decode(&[3; 16], frozen.get(name)).expect("an old space");
        assert_eq!((read.ended, read.epoch, read.removed_devices), (ended, 3, 2), "{name}");
        let epochs: Vec<_> = (1..=3).filter_map(|n| read.epoch_key(n)).map(|key| *key.expose()).collect();
        assert_eq!(epochs, [[6; 32], [7; 32], [5; 32]], "{name}: its keys");
        assert_eq!((read.own_seq, read.snapshot_seq, read.section), (300, 200, Section::Results), "{name}");
        assert_eq!(read.encode(), frozen.get(name), "{name}: nothing of it is lost");
    }
    for name in ["document", "document without envelopes"] {
        let read = DocumentState::decode(&[11; 16], frozen.get(name)).expect("an old document");
        assert_eq!(read.encode(), frozen.get(name), "{name}: nothing of it is lost");
        assert_eq!(read.key.expose(), &[13; 32], "{name}: its key");
    }
}

#[test]
fn what_is_sealed_for_a_kit_is_written_with_the_frozen_bytes_and_opened_from_them() {
    let (entropy, identity) = (SeededEntropy::new(89), identity());
    let recovery = RecoveryKey::make(&entropy);
    let sign = |seq, previous, body| {
        let entry = AccountEntry { account: identity.account, seq, previous, signer: identity.device, body };
        Signed::sign(entry, &identity.signing)
    };
    let (device, account_kem) = (device_card(&identity, "phone", &entropy), identity.account_kem.public());
    let sealed_name = device.sealed_name.clone();
    let genesis = sign(1, Hash32::ZERO, AccountBody::Genesis { device, account_kem, recovery: None });
    let mut log = AccountLog::found(&genesis).expect("a first entry");
    let vouch = recovery.vouch_for(log.account(), log.genesis());
    let kem = recovery.kem_secret().public();
    let sealed = seal_for_kit(&kem, vouch, identity.account, identity.account_keys(), &entropy);
    let written = [("device name", sealed_name), ("sealed for a kit", sealed.expect("few keys"))];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "recovery-v1.txt", &written);
    let key = derive_key(&identity.account_key(), "mecum device name v1");
    let name = open_row(&key, identity.device.as_bytes(), frozen.get("device name")).expect("it opens");
    assert_eq!(*name, b"phone".as_slice(), "an old name");
    let sealed = frozen.get("sealed for a kit").to_vec();
    let signing = recovery.signing_key().verifying_key();
    log.append(&sign(2, log.head(), AccountBody::SetRecovery { signing, kem, sealed }))
        .expect("a device may");
    let keys = open_with(&recovery, &log, Holder::Kit).expect("what was sealed for it");
    let exposed = |keys: &[&KemSecret]| keys.iter().map(|key| *key.expose()).collect::<Vec<_>>();
    let own: Vec<&KemSecret> = identity.account_keys().collect();
    assert_eq!(exposed(&keys.iter().collect::<Vec<_>>()), exposed(&own), "the account's keys, newest first");
}
