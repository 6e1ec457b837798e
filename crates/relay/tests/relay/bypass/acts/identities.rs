//! Sign-ins that are not the device's, and recovery by who has no kit.

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, DeviceId, Hash32, SigningKey, VerifyingKey};
use mecum_sync::RefusalCode::{Malformed, Unauthorised};
use mecum_sync::{
    AccountBody, Challenge, PROTOCOL_VERSION, RecoverRequest, RecoveryProof, SignIn, Signed, SignedBody,
    encode,
};

use super::{DAY_MS, Tally};
use crate::device::Device;
use crate::server::{Server, roomy};

/// The order of the group of Ed25519's base point, little-endian. Source: RFC 8032 section 5.1.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

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
pub(super) async fn identities(tally: &mut Tally) {
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
pub(super) async fn recoveries(tally: &mut Tally) {
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
