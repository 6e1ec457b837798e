//! Nothing weaker is taken than what is written today (PROOF 36): an older or unknown version, no algorithm at all, a message of
//! another place or purpose, a public key that agrees on nothing, a key derivation below its floor. Each case is one change to
//! something good, which is taken as it is: that is the control.

mod purposes;

use std::path::PathBuf;

use mecum_seal::testing::{SeededEntropy, fast_kdf, no_floor};
use mecum_seal::{
    DecodeSlotError, DeviceId, DocumentId, DocumentKey, Envelope, Hash32, IncarnationId, KdfFloor, KdfParams,
    KemPublic, KemSecret, PairingSecret, PassphraseSlot, Place, RowKey, SigningKey, SpaceId, VaultKey,
    derive_key, open_from, open_row, seal_envelope, seal_row, seal_to,
};
use minicbor::{Decoder, Encoder};

use purposes::{DERIVED, SIGNATURES, WRAPS};

/// Bytes of the ML-KEM half of a public key, and of an encapsulation; the X25519 half follows.
/// Source: draft-connolly-cfrg-xwing-kem, section 5.
const ML_KEM_PUBLIC: usize = 1_184;
const ML_KEM_CIPHERTEXT: usize = 1_088;

const SLOTS: [&str; 3] = ["offer", "join", "welcome"];

/// What was tried, and what of it was taken.
#[derive(Default)]
struct Tried {
    cases: u64,
    taken: Vec<String>,
}

impl Tried {
    fn refused(&mut self, what: impl Into<String>, refused: bool) {
        self.cases += 1;
        if !refused {
            self.taken.push(what.into());
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

/// The frozen envelopes of other versions.
fn versions(tried: &mut Tried) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/envelope-defects.json");
    let text = std::fs::read_to_string(path).expect("the vectors are in the repository");
    let all: Vec<serde_json::Value> = serde_json::from_str(&text).expect("a list");
    let field = |v: &serde_json::Value, name: &str| v[name].as_str().expect("a text").to_owned();
    let opens = |v: &serde_json::Value| {
        let key = DocumentKey::from_bytes(unhex(&field(v, "key")).try_into().expect("32 bytes"));
        Envelope::parse(&unhex(&field(v, "envelope"))).is_ok_and(|envelope| envelope.open(&key).is_ok())
    };
    assert!(opens(&all[0]), "control: without a defect it opens");
    let versions = all.iter().filter(|v| field(v, "name").contains("version"));
    let before = tried.cases;
    versions.for_each(|v| tried.refused(field(v, "name"), !opens(v)));
    assert!(tried.cases >= before + 8, "the versions are among the vectors");
}

fn place(n: u8) -> Place {
    Place {
        space: SpaceId::from_bytes([n; 16]),
        document: DocumentId::from_bytes([n; 16]),
        device: DeviceId::from_bytes([n; 16]),
        incarnation: IncarnationId::from_bytes([n; 16]),
        envelope_seq: 1,
        epoch: 1,
        membership_head: Hash32::from_bytes([n; 32]),
        previous: Hash32::ZERO,
    }
}

/// No algorithm: the text itself where the ciphertext stands, with no commitment, no tag, or neither.
fn no_algorithm(tried: &mut Tried) {
    let entropy = SeededEntropy::new(1);
    let key = DocumentKey::make(&entropy);
    let sealed = seal_envelope(&key, &place(1), b"in the clear", &entropy).expect("short").bytes;
    let opens = |bytes: &[u8]| Envelope::parse(bytes).is_ok_and(|envelope| envelope.open(&key).is_ok());
    assert!(opens(&sealed), "control: as it is, it opens");
    let mut d = Decoder::new(&sealed);
    d.array().and_then(|_| d.array()).expect("an envelope");
    (0..9).for_each(|_| d.skip().expect("a field"));
    let salt = d.position();
    d.skip().expect("the salt");
    let commitment = d.bytes().expect("the commitment").len();
    let commitment_at = d.position() - commitment;
    let ciphertext = d.bytes().expect("the ciphertext").len();
    let text_at = d.position() - ciphertext;
    let zeroed = |ranges: &[std::ops::Range<usize>]| {
        let mut bytes = sealed.clone();
        for range in ranges {
            bytes[range.clone()].fill(0);
        }
        bytes
    };
    let tag = sealed.len() - 16..sealed.len();
    let commitment = commitment_at..commitment_at + commitment;
    let salt = salt + 2..salt + 34;
    tried.refused("no commitment", !opens(&zeroed(std::slice::from_ref(&commitment))));
    tried.refused("no tag", !opens(&zeroed(std::slice::from_ref(&tag))));
    tried.refused("no salt", !opens(&zeroed(std::slice::from_ref(&salt))));
    let mut clear = zeroed(&[commitment, tag.clone(), salt]);
    clear[text_at..tag.start].fill(0);
    clear[text_at..text_at + 12].copy_from_slice(b"in the clear");
    tried.refused("no seal at all", !opens(&clear));
    {
        let (name, other) = ("another key", DocumentKey::from_bytes([0; 32]));
        tried.refused(name, Envelope::parse(&sealed).is_ok_and(|envelope| envelope.open(&other).is_err()));
    }
}

/// The points that agree on nothing, with the bit that X25519 ignores and without. Source: RFC 7748 section 7.
fn low_order() -> Vec<[u8; 32]> {
    let hexes = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ];
    let points = hexes.map(|hex| <[u8; 32]>::try_from(unhex(hex)).expect("32 bytes"));
    let with_bit = points.map(|mut point| {
        point[31] |= 0x80;
        point
    });
    [points, with_bit].concat()
}

fn keys_that_agree_on_nothing(tried: &mut Tried) {
    let entropy = SeededEntropy::new(2);
    let secret = KemSecret::make(&entropy);
    let public = secret.public().as_bytes().to_vec();
    let sealed = seal_to(&secret.public(), WRAPS[0], b"place", b"a key", &entropy).expect("a good key");
    assert!(open_from(&secret, WRAPS[0], b"place", &sealed).is_ok(), "control: a good wrap opens");
    for (n, point) in low_order().into_iter().enumerate() {
        let mut key = public.clone();
        key[ML_KEM_PUBLIC..].copy_from_slice(&point);
        let sealed_to = KemPublic::from_bytes(&key)
            .is_ok_and(|key| seal_to(&key, WRAPS[0], b"place", b"a key", &entropy).is_ok());
        tried.refused(format!("a recipient of low order {n}"), !sealed_to);
        let mut wrap = sealed.clone();
        wrap[ML_KEM_CIPHERTEXT..ML_KEM_CIPHERTEXT + 32].copy_from_slice(&point);
        tried.refused(
            format!("a sender of low order {n}"),
            open_from(&secret, WRAPS[0], b"place", &wrap).is_err(),
        );
    }
}

fn wrong_contexts(tried: &mut Tried) {
    let entropy = SeededEntropy::new(3);
    let secret = KemSecret::make(&entropy);
    for made in WRAPS {
        let sealed = seal_to(&secret.public(), made, b"here", b"a key", &entropy).expect("a good key");
        for asked in WRAPS {
            for place in [b"here".as_slice(), b"there", b""] {
                let opened = open_from(&secret, asked, place, &sealed).is_ok();
                if (made, place) == (asked, b"here".as_slice()) {
                    assert!(opened, "control: {made} opens for what it was made for");
                } else {
                    tried.refused(format!("a wrap for {made} as {asked}"), !opened);
                }
            }
        }
    }
    let signing = SigningKey::make(&entropy);
    for made in SIGNATURES {
        let signature = signing.sign(made, b"a body");
        for asked in SIGNATURES {
            let holds = signing.verifying_key().verify(asked, b"a body", &signature).is_ok();
            if made == asked {
                assert!(holds, "control: it holds as what it is");
            } else {
                tried.refused(format!("a signature of {made} as {asked}"), !holds);
            }
        }
    }
    let code = PairingSecret::make(&entropy);
    for made in SLOTS {
        let sealed = code.seal(made, b"a message", &entropy);
        for asked in SLOTS {
            let opened = code.open(asked, &sealed).is_ok();
            if made == asked {
                assert!(opened, "control: a message opens in its slot");
            } else {
                tried.refused(format!("{made} in the slot of {asked}"), !opened);
            }
        }
    }
    let key = RowKey::from_bytes([5; 32]);
    let row = seal_row(&key, b"a row", b"its body", &entropy);
    assert!(open_row(&key, b"a row", &row).is_ok(), "control: a row opens in its place");
    tried.refused("a row in another place", open_row(&key, b"another row", &row).is_err());
    for made in DERIVED {
        let row = seal_row(&derive_key(&key, made), b"a row", b"its body", &entropy);
        for asked in DERIVED {
            let opened = open_row(&derive_key(&key, asked), b"a row", &row).is_ok();
            if made == asked {
                assert!(opened, "control: a row opens under the key it was sealed with");
            } else {
                tried.refused(format!("a row under the key for {made} by that for {asked}"), !opened);
            }
        }
    }
}

/// A slot with other parameters than it was made with.
fn slot_with(slot: &[u8], version: u64, m_kib: u32, t: u32, p: u32) -> Vec<u8> {
    let mut d = Decoder::new(slot);
    d.array().expect("a slot");
    (0..4).for_each(|_| d.skip().expect("a number"));
    let mut e = Encoder::new(Vec::new());
    e.array(7).and_then(|e| e.u64(version)).and_then(|e| e.u32(m_kib)).expect("memory");
    e.u32(t).and_then(|e| e.u32(p)).expect("memory");
    [e.into_writer(), slot[d.position()..].to_vec()].concat()
}

/// Where a program that ships must not go along, whoever wrote the slot: a server cannot, a thief with the file can.
fn weak_derivations(tried: &mut Tried) {
    let entropy = SeededEntropy::new(4);
    let words = "becak melati jembatan payung sirsak gitar";
    let slot = PassphraseSlot::make(words, &VaultKey::make(&entropy), &fast_kdf(), &entropy).expect("short");
    let bytes = slot.encode();
    let params = slot.params();
    let (m, t, p) = (params.m_kib(), params.t(), params.p());
    assert_eq!(slot_with(&bytes, 1, m, t, p), bytes, "control: unchanged it is the same slot");
    let read = PassphraseSlot::decode(&bytes, no_floor()).expect("control: a test reads it");
    assert!(read.open(words).is_ok(), "control: and it opens");
    let default = KdfParams::default();
    let strong = slot_with(&bytes, 1, default.m_kib(), default.t(), default.p());
    assert!(PassphraseSlot::decode(&strong, KdfFloor::default()).is_ok(), "control: the default is taken");
    let shipped = |bytes: &[u8]| PassphraseSlot::decode(bytes, KdfFloor::default());
    for (m, t, p) in
        [(8, 1, 1), (1_024, 1, 1), (19 * 1_024 - 1, 2, 1), (64 * 1_024, 1, 4), (64 * 1_024, 0, 4)]
    {
        let refused = matches!(shipped(&slot_with(&bytes, 1, m, t, p)), Err(DecodeSlotError::Params(_)));
        tried.refused(format!("a derivation of {m} KiB, {t} passes, {p} lanes"), refused);
    }
    for (m, t, p) in [(64 << 20, 3, 4), (u32::MAX, 3, 4), (64 * 1_024, u32::MAX, 4), (64 * 1_024, 3, 1 << 20)]
    {
        let refused = matches!(shipped(&slot_with(&bytes, 1, m, t, p)), Err(DecodeSlotError::Params(_)));
        tried.refused(format!("a derivation that takes everything: {m} KiB, {t} passes, {p} lanes"), refused);
    }
    for version in [0, 2, u64::MAX] {
        let refused = matches!(
            shipped(&slot_with(&bytes, version, default.m_kib(), default.t(), default.p())),
            Err(DecodeSlotError::UnknownVersion(_))
        );
        tried.refused(format!("a slot of version {version}"), refused);
    }
    // Within the limits, but not what it was made with: the parameters are bound to it.
    for (m, t, p) in [(m * 2, t, p), (m, t + 1, p)] {
        let lowered = PassphraseSlot::decode(&slot_with(&bytes, 1, m, t, p), no_floor());
        tried.refused(
            "other parameters than it was made with",
            lowered.is_ok_and(|slot| slot.open(words).is_err()),
        );
    }
}

#[test]
fn nothing_weaker_than_today_is_taken() {
    let mut tried = Tried::default();
    versions(&mut tried);
    no_algorithm(&mut tried);
    keys_that_agree_on_nothing(&mut tried);
    wrong_contexts(&mut tried);
    weak_derivations(&mut tried);
    println!("proof: {{\"test\":36,\"cases\":{},\"failures\":{}}}", tried.cases, tried.taken.len());
    // Each of the parts begins with what is right, which must be taken, or asserts it beside each case.
    println!("proof-control: each thing as it is, unchanged, is taken");
    assert!(tried.cases > 600, "the table is whole: {}", tried.cases);
    assert!(tried.taken.is_empty(), "taken: {:?}", tried.taken);
}
