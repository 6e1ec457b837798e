//! INSECURE stand-ins for tests: the messages of a desk's code, by the reader that a device has for them.

use mecum_domain::{ChartId, HospitalId};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, Hash32, KemSecret, PairingSecret, SigningKey, SpaceId};

use super::messages::{Join, Offer};
use super::{CareOffer, HospitalCard};
use crate::pairing::{body, message};

/// Reads `bytes` as each message of a slot, from under the seal of the mailbox. Whether one took them.
pub(crate) fn read(bytes: &[u8]) -> bool {
    let entropy = SeededEntropy::new(1);
    let secret = PairingSecret::make(&entropy);
    let sealed = |slot: &str| secret.seal(slot, bytes, &entropy);
    let offer =
        message::<Offer>(&secret, "offer", &sealed("offer")).is_ok_and(|offer| offer.card().is_some());
    let join = message::<Join>(&secret, "join", &sealed("join")).is_ok_and(|join| join.offer().is_some());
    offer | join
}

/// What each side says.
pub(crate) fn said() -> Vec<Vec<u8>> {
    let entropy = SeededEntropy::new(4);
    let (account, genesis) = (AccountId::random(&entropy), Hash32::ZERO);
    let card = HospitalCard {
        hospital: HospitalId::from_bytes(*account.as_bytes()),
        name: "RS Tirta Asih".to_owned(),
        relay: SigningKey::make(&entropy).verifying_key(),
        account,
        genesis,
        kem: KemSecret::make(&entropy).public(),
    };
    let offer = CareOffer {
        space: SpaceId::random(&entropy),
        chart: ChartId::from_bytes([6; 16]),
        owner: account,
        genesis,
        from: "Laras".to_owned(),
        name: "Ratna".to_owned(),
    };
    vec![body(&Offer::new(card, 5)), body(&Join::new(offer))]
}
