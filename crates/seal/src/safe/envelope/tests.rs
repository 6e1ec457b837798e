//! Envelopes with exactly one thing wrong, each refused for that thing.

use proptest::prelude::*;

use super::*;
use crate::secret::{DocumentKey, EpochKey};
use crate::testing::SeededEntropy;

type Writer = Encoder<Vec<u8>>;

fn place() -> Place {
    let entropy = SeededEntropy::new(40);
    let hash = |n: u8| Hash32::from_bytes([n; 32]);
    Place {
        space: SpaceId::random(&entropy),
        document: DocumentId::random(&entropy),
        device: DeviceId::random(&entropy),
        incarnation: IncarnationId::random(&entropy),
        envelope_seq: 5,
        epoch: 2,
        membership_head: hash(1),
        previous: hash(2),
    }
}

fn key() -> DocumentKey {
    DocumentKey::make(&SeededEntropy::new(41))
}

fn sealed(plaintext: &[u8]) -> SealedEnvelope {
    seal_envelope(&key(), &place(), plaintext, &SeededEntropy::new(42)).expect("small enough")
}

/// Writes an envelope field by field; `field` may write something else for the field of that number, from 0.
fn written(outer: u64, fields: u64, swap: usize, with: impl Fn(&mut Writer)) -> Vec<u8> {
    let mut e = Encoder::new(Vec::new());
    e.array(outer).and_then(|e| e.array(fields)).expect("memory");
    for number in 0..12 {
        if number == swap {
            with(&mut e);
            continue;
        }
        match number {
            0 => e.u8(1),
            1..=4 => e.bytes(&[7; 16]),
            5 => e.u64(3),
            6 => e.u32(1),
            7..=10 => e.bytes(&[8; 32]),
            _ => e.bytes(&[9; 256 + 16]),
        }
        .expect("memory");
    }
    e.into_writer()
}

fn bytes_of(len: usize) -> impl Fn(&mut Writer) {
    move |e| {
        e.bytes(&vec![5; len]).expect("memory");
    }
}

fn raw(bytes: &'static [u8]) -> impl Fn(&mut Writer) {
    move |e| e.writer_mut().extend_from_slice(bytes)
}

const NONE: usize = usize::MAX;

#[test]
fn envelopes_with_one_defect_are_refused_for_it() {
    use ParseEnvelopeError::{
        BadLength, Malformed, NoSequence, NotCanonical, TooLarge, Trailing, UnknownVersion,
    };
    let good = || written(3, 10, NONE, |_| {});
    assert!(Envelope::parse(&good()).is_ok(), "without a defect it is read");
    let cut = |by: usize| good()[..good().len() - by].to_vec();
    let mut indefinite = good();
    indefinite[0] = 0x9f;
    indefinite.push(0xff);
    let cases: Vec<(&str, Vec<u8>, ParseEnvelopeError)> = vec![
        ("nothing", vec![], Malformed),
        ("not an array", vec![0xff; 300], Malformed),
        ("a text", vec![0x63, b'a', b'b', b'c'], Malformed),
        ("two parts", written(2, 10, NONE, |_| {}), Malformed),
        ("four parts", written(4, 10, NONE, |_| {}), Malformed),
        ("an open-ended array", indefinite, Malformed),
        ("nine header fields", written(3, 9, NONE, |_| {}), Malformed),
        ("eleven header fields", written(3, 11, NONE, |_| {}), Malformed),
        ("a later version", written(3, 10, 0, raw(&[2])), UnknownVersion(2)),
        ("a later version with more fields", written(3, 12, 0, raw(&[7])), UnknownVersion(7)),
        ("version zero", written(3, 10, 0, raw(&[0])), UnknownVersion(0)),
        ("a version in two bytes", written(3, 10, 0, raw(&[0x18, 1])), NotCanonical),
        ("a version that is a text", written(3, 10, 0, raw(&[0x61, b'1'])), Malformed),
        ("a short space", written(3, 10, 1, bytes_of(15)), Malformed),
        ("a long document", written(3, 10, 2, bytes_of(17)), Malformed),
        ("a device that is an array", written(3, 10, 3, raw(&[0x81, 7])), Malformed),
        ("an incarnation that is null", written(3, 10, 4, raw(&[0xf6])), Malformed),
        ("position zero", written(3, 10, 5, raw(&[0])), NoSequence),
        ("a negative position", written(3, 10, 5, raw(&[0x20])), Malformed),
        ("a position in nine bytes", written(3, 10, 5, raw(&[0x1b, 0, 0, 0, 0, 0, 0, 0, 3])), NotCanonical),
        ("an epoch of 33 bits", written(3, 10, 6, raw(&[0x1b, 0, 0, 0, 1, 0, 0, 0, 0])), Malformed),
        ("a short membership head", written(3, 10, 7, bytes_of(31)), Malformed),
        ("a long previous hash", written(3, 10, 8, bytes_of(33)), Malformed),
        ("a short salt", written(3, 10, 9, bytes_of(16)), Malformed),
        ("a short commitment", written(3, 10, 10, bytes_of(31)), Malformed),
        ("no ciphertext", written(3, 10, 11, bytes_of(0)), BadLength),
        ("less than a tag", written(3, 10, 11, bytes_of(15)), BadLength),
        ("less than the floor", written(3, 10, 11, bytes_of(240 + 16)), BadLength),
        ("a length between two sizes", written(3, 10, 11, bytes_of(257 + 16)), BadLength),
        (
            "a length in too many bytes",
            written(3, 10, 11, |e| {
                e.writer_mut().extend_from_slice(&[0x5a, 0, 0, 1, 16]);
                e.writer_mut().extend_from_slice(&[9; 272]);
            }),
            NotCanonical,
        ),
        (
            "ciphertext in pieces",
            written(3, 10, 11, |e| {
                e.writer_mut().extend_from_slice(&[0x5f, 0x59, 1, 16]);
                e.writer_mut().extend_from_slice(&[9; 272]);
                e.writer_mut().push(0xff);
            }),
            Malformed,
        ),
        ("a byte too many", [good(), vec![0]].concat(), Trailing),
        ("a second envelope", [good(), good()].concat(), Trailing),
        ("a byte too few", cut(1), Malformed),
        ("the header alone", cut(272 + 3 + 34), Malformed),
        ("too large", vec![0x83; MAX_ENVELOPE_BYTES + 1], TooLarge),
    ];
    println!("{} one-defect envelopes", cases.len());
    for (what, bytes, error) in cases {
        assert_eq!(Envelope::parse(&bytes), Err(error), "{what}");
    }
}

#[test]
fn an_envelope_opens_only_as_what_it_is() {
    let envelope = Envelope::parse(&sealed(b"edits").bytes).expect("well formed");
    assert_eq!(envelope.open(&key()).as_deref(), Ok(&b"edits"[..]), "opens under its key");
    assert_eq!(*envelope.place(), place(), "and says where it belongs");
    let other = DocumentKey::make(&SeededEntropy::new(77));
    assert_eq!(envelope.open(&other), Err(OpenEnvelopeError::NotThisKey), "another document's key");
    let mut moved = vec![envelope.clone(); 8];
    moved[0].place.space = SpaceId::from_bytes([0; 16]);
    moved[1].place.document = DocumentId::CONTROL;
    moved[2].place.device = DeviceId::from_bytes([0; 16]);
    moved[3].place.incarnation = IncarnationId::from_bytes([0; 16]);
    moved[4].place.envelope_seq += 1;
    moved[5].place.epoch += 1;
    moved[6].place.membership_head = Hash32::ZERO;
    moved[7].place.previous = Hash32::ZERO;
    for (field, moved) in moved.iter().enumerate() {
        assert_eq!(
            moved.open(&key()),
            Err(OpenEnvelopeError::NotThisKey),
            "field {field} of its place altered"
        );
    }
    let mut other_salt = envelope.clone();
    other_salt.salt[0] ^= 1;
    assert_eq!(other_salt.open(&key()), Err(OpenEnvelopeError::NotThisKey), "another salt");
    let mut uncommitted = envelope.clone();
    uncommitted.commitment[31] ^= 1;
    assert_eq!(uncommitted.open(&key()), Err(OpenEnvelopeError::NotThisKey), "another commitment");
    let mut damaged = envelope;
    damaged.ciphertext[0] ^= 1;
    assert_eq!(damaged.open(&key()), Err(OpenEnvelopeError::Damaged), "another ciphertext");
}

#[test]
fn padding_that_no_honest_writer_makes_is_refused() {
    let salt = [3; 32];
    let header = encode_header(&place(), &salt);
    let (envelope_key, commitment) = derive(&key(), &salt, &header);
    let mut claims_more = vec![0; 256];
    claims_more[..4].copy_from_slice(&253u32.to_be_bytes());
    let mut hides_bytes = vec![0; 256];
    hides_bytes[200] = 1;
    for padded in [claims_more, hides_bytes] {
        let mut ciphertext = padded;
        aead::seal_once(&envelope_key, &header, &mut ciphertext);
        let envelope = Envelope::parse(&encode(&header, &commitment, &ciphertext)).expect("well formed");
        assert_eq!(
            envelope.open(&key()),
            Err(OpenEnvelopeError::BadPadding),
            "sealed by the right key, yet wrong"
        );
    }
}

#[test]
fn small_edits_all_look_alike_and_cost_what_they_should() {
    let lengths: std::collections::BTreeSet<_> = (0..=252).map(|n| sealed(&vec![1; n]).bytes.len()).collect();
    // 484 bytes in all, of which 4 are framing; a sequence or epoch above 23 takes a few more.
    println!("sealed sizes of 0 to 252 bytes: {lengths:?}");
    assert_eq!(lengths.len(), 1, "one size for every small edit");
    assert!(lengths.iter().all(|len| *len <= 512), "and a small one");
}

#[test]
fn each_sealing_is_different_and_its_id_covers_every_byte() {
    let entropy = SeededEntropy::new(43);
    let seal = || seal_envelope(&key(), &place(), b"same", &entropy).expect("small enough");
    let (one, two) = (seal(), seal());
    assert_ne!(one.bytes, two.bytes, "a fresh salt each time");
    let read = Envelope::parse(&one.bytes).expect("well formed");
    assert_eq!(
        (read.content_id(), one.content_id),
        (one.content_id, sha256(&one.bytes)),
        "the whole envelope's hash"
    );
}

#[test]
fn a_control_envelope_opens_under_the_epoch_key() {
    let epoch_key = EpochKey::make(&SeededEntropy::new(44));
    let place = Place { document: DocumentId::CONTROL, ..place() };
    let sealed = seal_envelope(&epoch_key, &place, b"keys", &SeededEntropy::new(45)).expect("small enough");
    let opened = Envelope::parse(&sealed.bytes).map(|envelope| envelope.open(&epoch_key));
    assert_eq!(opened, Ok(Ok(b"keys".to_vec())), "control documents carry the keys of the others");
}

#[test]
fn more_than_an_envelope_holds_is_not_sealed_and_the_most_is_read_back() {
    let entropy = SeededEntropy::new(46);
    let most = vec![1; MAX_PLAINTEXT_BYTES];
    let sealed = seal_envelope(&key(), &place(), &most, &entropy).expect("the limit itself");
    let opened =
        Envelope::parse(&sealed.bytes).map(|envelope| envelope.open(&key()).map(|plain| plain == most));
    assert_eq!(opened, Ok(Ok(true)), "the largest batch fits an envelope");
    let more = seal_envelope(&key(), &place(), &[most, vec![1]].concat(), &entropy);
    assert_eq!(more, Err(SealEnvelopeError::TooLarge), "one byte more does not");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_sealed_opens_again(
        plaintext in prop::collection::vec(any::<u8>(), 0..3_000),
        envelope_seq in 1..u64::MAX,
        epoch in any::<u32>(),
        seed in any::<u64>(),
    ) {
        let place = Place { envelope_seq, epoch, ..place() };
        let sealed = seal_envelope(&key(), &place, &plaintext, &SeededEntropy::new(seed)).expect("small enough");
        let envelope = Envelope::parse(&sealed.bytes).expect("well formed");
        prop_assert_eq!(envelope.place(), &place);
        prop_assert_eq!(envelope.open(&key()), Ok(plaintext));
    }

    #[test]
    fn any_flipped_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0..8u8, len in 0..600usize) {
        let original = sealed(&vec![6; len]);
        let mut bytes = original.bytes;
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(envelope) = Envelope::parse(&bytes) {
            prop_assert!(envelope.open(&key()).is_err(), "byte {} bit {}", at, bit);
            prop_assert_ne!(envelope.content_id(), original.content_id);
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        prop_assert!(Envelope::parse(&bytes).is_err());
    }
}
