//! INSECURE stand-ins for tests: the messages of a pairing, by the reader that a device has for them.

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, DeviceId, Hash32, IncarnationId, KemSecret, PairingSecret, SigningKey};

use super::messages::{Join, Offer, Welcome, body, message};

/// Reads `bytes` as each message of a slot, from under the seal of the mailbox. Whether one took them.
pub(crate) fn read(bytes: &[u8]) -> bool {
    let entropy = SeededEntropy::new(1);
    let secret = PairingSecret::make(&entropy);
    let sealed = |slot: &str| secret.seal(slot, bytes, &entropy);
    message::<Offer>(&secret, "offer", &sealed("offer")).is_ok()
        | message::<Join>(&secret, "join", &sealed("join")).is_ok()
        // The one inside a wrap of its own.
        | minicbor::decode::<Welcome>(bytes).is_ok()
}

/// What each side says.
pub(crate) fn said() -> Vec<Vec<u8>> {
    let entropy = SeededEntropy::new(2);
    let (signing, kem) = (SigningKey::make(&entropy).verifying_key(), KemSecret::make(&entropy).public());
    let offer = Offer { account: AccountId::random(&entropy), genesis: Hash32::ZERO, relay: signing };
    let join = Join {
        device: DeviceId::random(&entropy),
        signing,
        kem,
        incarnation: IncarnationId::random(&entropy),
        name: "tablet".to_owned(),
    };
    let welcome = |earlier| Welcome { account_kem: [4; 32], earlier }.encode().to_vec();
    vec![body(&offer), body(&join), welcome(None), welcome(Some(vec![5; 64]))]
}
