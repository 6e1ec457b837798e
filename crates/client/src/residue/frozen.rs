//! Whole envelopes that a folded run stands for, frozen with the document and the residue that they are made of: they are made again byte
//! for byte, and fold to the residue that they folded to.
//!
//! Of the file, what was sealed is the truth: the envelopes in it may never change. A residue that is written otherwise is another layout.

use mecum_documents::{Document, Limits};
use mecum_domain::{Batch, ChartId, Edit, EntryId, Field, Kind, Section};
use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{DocumentId, EpochKey, SpaceId, seal_envelope_seeded};

use super::*;

const AT_MS: i64 = 1_788_854_400_000;

fn actor(n: u8) -> Actor {
    Actor::from_bytes([n; 16])
}

fn space() -> SpaceState {
    SpaceState {
        space: SpaceId::from_bytes([1; 16]),
        chart: ChartId::from_bytes([2; 16]),
        section: Section::Diary,
        key: EpochKey::from_bytes([3; 32]),
        epoch: 2,
        earlier: vec![(1, EpochKey::from_bytes([4; 32])), (2, EpochKey::from_bytes([5; 32]))],
        ended: None,
        removed_devices: 0,
        membership: Hash32::from_bytes([6; 32]),
        unsent_genesis: None,
        own_seq: 0,
        own_last: Hash32::ZERO,
        own_membership: Hash32::from_bytes([6; 32]),
        snapshot_seq: 0,
        care: None,
    }
}

fn state() -> DocumentState {
    let key = DocumentKey::from_bytes([7; 32]);
    DocumentState::new(DocumentId::from_bytes([8; 16]), space().space, key, 2026, None)
}

/// What is written by turns, by whom, in which epoch and under which of its keys: short, long enough to be deflated, and across a
/// rotation of which this device had begun one of its own.
fn batches() -> Vec<(u8, u32, EpochKey, Batch)> {
    let (entry, key) = (EntryId::from_bytes([9; 16]), |byte| EpochKey::from_bytes([byte; 32]));
    let long = (0..400_u32).fold(String::new(), |text, n| text + &format!("{} mg; ", n * n % 977));
    let add = Edit::Add { entry, kind: Kind::Note, fields: vec![(Field::Text, "slept badly".to_owned())] };
    let say = |text: &str| Edit::Set { entry, field: Field::Text, value: Some(text.to_owned()) };
    let batch = |minutes: i64, edit| Batch { at_ms: AT_MS + minutes * 60_000, edits: vec![edit] };
    vec![
        (1, 1, key(4), batch(0, add)),
        (1, 1, key(4), batch(1, say("slept well"))),
        (2, 1, key(4), batch(2, say(&long))),
        (1, 2, key(5), batch(9, say("under the key that gave way"))),
        (2, 2, key(3), batch(8, say("by a clock that is behind"))),
    ]
}

/// The document with the envelopes that it came in, as the live path writes both.
fn sealed() -> (Document, Vec<Vec<u8>>) {
    let (state, entropy) = (state(), SeededEntropy::new(90));
    let mut document = Document::new(actor(1));
    let mut last: BTreeMap<u8, (u64, Hash32)> = BTreeMap::new();
    let mut envelopes = Vec::new();
    for (by, epoch, epoch_key, batch) in batches() {
        let authored = document.with_actor(actor(by)).author(&batch).expect("an honest edit");
        document = authored.next;
        let payload = authored.payload.expect("it changes something");
        // Of the second writer the links before these lie elsewhere.
        let (seq, previous) =
            last.get(&by).copied().unwrap_or((u64::from(by) * 100, Hash32::from_bytes([by; 32])));
        let place = Place {
            space: state.space,
            document: state.document,
            device: DeviceId::from_bytes([10 + by; 16]),
            incarnation: IncarnationId::from_bytes([20 + by; 16]),
            envelope_seq: seq + 1,
            epoch,
            membership_head: Hash32::from_bytes([5 + u8::try_from(epoch).expect("small"); 32]),
            previous,
        };
        let key = document_key_in_epoch(&state.key, epoch, &epoch_key);
        let plaintext = pack(&payload.encode());
        let envelope = if seq == 100 {
            // As everything was sealed before salts followed from what is sealed.
            seal_envelope_again(&key, &place, &Salt::Whole([11; 32]), &plaintext)
        } else {
            seal_envelope_seeded(&key, &place, &plaintext, &entropy)
        };
        let envelope = envelope.expect("small enough");
        last.insert(by, (place.envelope_seq, envelope.content_id));
        envelopes.push(envelope.bytes);
    }
    (document, envelopes)
}

fn folded(envelopes: &[Vec<u8>], document: &Document) -> (Vec<u8>, usize) {
    let (space, state, payloads) = (space(), state(), document.payloads().expect("our own"));
    let mut folding = Folding::new(&space, &state, &payloads);
    assert!(envelopes.iter().all(|bytes| folding.take(bytes)), "each is taken");
    (folding.residue.encode(), folding.made)
}

const NAMES: [&str; 5] = ["envelope 1", "envelope 2", "envelope 3", "envelope 4", "envelope 5"];

#[test]
fn a_folded_run_makes_the_frozen_envelopes_again_byte_for_byte() {
    let (document, envelopes) = sealed();
    let (residue, made) = folded(&envelopes, &document);
    assert_eq!(made, NAMES.len(), "none of them is kept as it is");
    let mut written: Vec<_> = NAMES.into_iter().zip(envelopes).collect();
    written.extend([("document", document.save()), ("residue", residue)]);
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "folded-v1.txt", &written);
    let envelopes = NAMES.map(|name| frozen.get(name).to_vec());
    let document =
        Document::load(frozen.get("document"), actor(9), Limits::default()).expect("an old document");
    let payloads = document.payloads().expect("it passes the guards");
    let residue = Residue::decode(frozen.get("residue")).expect("an old residue");
    let again = residue.envelopes(&space(), &state(), &payloads).expect("they can be made");
    for ((name, frozen), made) in NAMES.iter().zip(&envelopes).zip(&again) {
        assert!(frozen == made, "{name} is made as it was sealed");
    }
    assert_eq!(again.len(), envelopes.len(), "all of them, and no other");
    assert_eq!(folded(&envelopes, &document).0, frozen.get("residue"), "and they fold to the same");
    let salts: Vec<bool> = residue
        .kept
        .iter()
        .map(|kept| matches!(kept, Kept::Made(p) if matches!(p.salt, Salt::Seed(_))))
        .collect();
    assert_eq!(salts, [false, true, true, true, true], "both kinds of salt are among them");
    let deflated = |bytes: &[u8]| {
        let (_, plaintext) = space().open_with_key(&state().key, &Envelope::parse(bytes).ok()?)?;
        plaintext.first().copied()
    };
    let forms: Vec<_> = envelopes.iter().map(|bytes| deflated(bytes)).collect();
    assert_eq!(forms, [Some(0), Some(0), Some(1), Some(0), Some(0)], "and both forms of a plaintext");
}

#[test]
fn control_another_word_in_the_document_makes_other_envelopes_or_none() {
    let (_, envelopes) = sealed();
    let (document, _) = sealed();
    let (residue, _) = folded(&envelopes, &document);
    let residue = Residue::decode(&residue).expect("our own");
    let mut other = Document::new(actor(1));
    for (by, _, _, mut batch) in batches() {
        batch.edits.iter_mut().for_each(|edit| {
            if let Edit::Set { value: Some(text), .. } = edit {
                text.push('.');
            }
        });
        other = other.with_actor(actor(by)).author(&batch).expect("an honest edit").next;
    }
    let made = residue.envelopes(&space(), &state(), &other.payloads().expect("our own"));
    assert!(made.is_none_or(|made| made != envelopes), "they are made of the words and of nothing else");
}
