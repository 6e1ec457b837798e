//! INSECURE stand-ins for tests: what is said with helpers through mailboxes, by the reader that a device has for it.

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, Hash32, KemSecret, PairingSecret, RecoveryKey, SharedOut, SigningKey};
use mecum_sync::testing::Actor;

use super::{Given, PART_ASKED, PART_OFFER, PartAnswer, PartAsked, PartBody, PartOffer, encoded};
use crate::pairing::{body, message};

/// Reads `bytes` as each message of a slot, from under the seal of the mailbox, and as what lies in a wrap of its own. Whether one took
/// them.
pub(crate) fn read(bytes: &[u8]) -> bool {
    let entropy = SeededEntropy::new(1);
    let secret = PairingSecret::make(&entropy);
    let sealed = |slot: &str| secret.seal(slot, bytes, &entropy);
    message::<PartOffer>(&secret, "offer", &sealed("offer")).is_ok()
        | message::<PartAsked>(&secret, "offer", &sealed("offer")).is_ok()
        | message::<PartAnswer>(&secret, "join", &sealed("join")).is_ok()
        | minicbor::decode::<PartBody>(bytes).is_ok()
        | minicbor::decode::<Given>(bytes).is_ok()
}

/// What each side says.
pub(crate) fn said() -> Vec<Vec<u8>> {
    let entropy = SeededEntropy::new(4);
    let (account, relay) = (AccountId::random(&entropy), SigningKey::make(&entropy).verifying_key());
    let offer = PartOffer {
        kind: PART_OFFER.to_owned(),
        account,
        genesis: Hash32::ZERO,
        relay,
        from: "Laras".to_owned(),
        set: Hash32::ZERO,
        ends_ms: 5,
    };
    let kem = KemSecret::make(&entropy).public();
    let answer = PartAnswer { account, genesis: Hash32::ZERO, kem, name: "Ani".to_owned() };
    let SharedOut { set, .. } = SharedOut::make(&RecoveryKey::make(&entropy), &entropy);
    let part = PartBody { number: 1, value: [7; 32], set };
    let given = Given { number: 2, value: [8; 32], from: "Ani".to_owned() };
    let request = Actor::new(4).helpers_request(relay);
    let asked = PartAsked { kind: PART_ASKED.to_owned(), request, device_name: "new".to_owned() };
    vec![body(&offer), body(&answer), encoded(&part).to_vec(), encoded(&given).to_vec(), body(&asked)]
}
