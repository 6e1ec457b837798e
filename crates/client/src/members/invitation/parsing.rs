//! INSECURE stand-ins for tests: the messages of an invitation, by the reader that a device has for them.

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, Hash32, KemSecret, PairingSecret, SigningKey, SpaceId};
use mecum_sync::Role;

use super::{Answer, INVITATION, Offer};
use crate::pairing::{body, message};

/// Reads `bytes` as each message of a slot, from under the seal of the mailbox. Whether one took them.
pub(crate) fn read(bytes: &[u8]) -> bool {
    let entropy = SeededEntropy::new(1);
    let secret = PairingSecret::make(&entropy);
    let sealed = |slot: &str| secret.seal(slot, bytes, &entropy);
    message::<Offer>(&secret, "offer", &sealed("offer")).is_ok()
        | message::<Answer>(&secret, "join", &sealed("join")).is_ok()
}

/// What each side says.
pub(crate) fn said() -> Vec<Vec<u8>> {
    let entropy = SeededEntropy::new(3);
    let account = AccountId::random(&entropy);
    let offer = Offer {
        kind: INVITATION.to_owned(),
        owner: account,
        genesis: Hash32::ZERO,
        relay: SigningKey::make(&entropy).verifying_key(),
        from: "Laras".to_owned(),
        chart: [6; 16],
        name: "Ratna".to_owned(),
        spaces: vec![(SpaceId::random(&entropy), 1), (SpaceId::random(&entropy), 2)],
        role: Role::Writer,
        until: Some("2026-12-31".to_owned()),
        reason: Some("while she is away".to_owned()),
        ends_ms: 5,
    };
    let kem = KemSecret::make(&entropy).public();
    let answer = Answer { account, genesis: Hash32::ZERO, kem, name: "Bima".to_owned() };
    vec![body(&offer), body(&Offer { until: None, reason: None, ..offer }), body(&answer)]
}
