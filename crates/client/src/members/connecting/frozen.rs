//! The messages of a desk's code as bytes, frozen: inside and under their seals.

use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{KemSecret, PairingSecret, SigningKey};

use super::messages::{EXPECTED, Join, NO, Offer};
use super::*;
use crate::pairing::{body, message};

#[test]
fn the_messages_of_a_desks_code_are_written_with_the_frozen_bytes_and_read_from_them() {
    let entropy = SeededEntropy::new(84);
    let secret = PairingSecret::make(&entropy);
    let card = HospitalCard {
        hospital: HospitalId::from_bytes([1; 16]),
        name: "RS Tirta Asih".to_owned(),
        relay: SigningKey::make(&entropy).verifying_key(),
        account: AccountId::from_bytes([1; 16]),
        genesis: Hash32::from_bytes([2; 32]),
        kem: KemSecret::make(&entropy).public(),
    };
    let offer = CareOffer {
        space: SpaceId::from_bytes([3; 16]),
        chart: ChartId::from_bytes([4; 16]),
        owner: AccountId::from_bytes([5; 16]),
        genesis: Hash32::from_bytes([6; 32]),
        from: "Laras".to_owned(),
        name: "Ratna".to_owned(),
    };
    let (offered, joins) = (Offer::new(card.clone(), 1_788_854_400_000), Join::new(offer.clone()));
    let written = [
        ("secret", secret.expose().to_vec()),
        ("offer, inside", body(&offered)),
        ("offer", secret.seal("offer", &body(&offered), &entropy)),
        ("join, inside", body(&joins)),
        ("join", secret.seal("join", &body(&joins), &entropy)),
        ("expected", secret.seal("welcome", EXPECTED, &entropy)),
        ("no", secret.seal("welcome", NO, &entropy)),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "desk-v1.txt", &written);
    let secret = PairingSecret::from_bytes(frozen.get("secret").try_into().expect("17 bytes"));
    let read: Offer = message(&secret, "offer", frozen.get("offer")).expect("an old offer");
    assert_eq!(read.ends_ms, 1_788_854_400_000);
    let read = read.card().expect("a desk's");
    assert_eq!((read.hospital, &read.name, read.relay), (card.hospital, &card.name, card.relay));
    assert_eq!((read.account, read.genesis, &read.kem), (card.account, card.genesis, &card.kem));
    let read: Join = message(&secret, "join", frozen.get("join")).expect("an old join");
    let read = read.offer().expect("it can be shown");
    assert_eq!((read.space, read.chart, read.owner), (offer.space, offer.chart, offer.owner));
    assert_eq!((read.genesis, &read.from, &read.name), (offer.genesis, &offer.from, &offer.name));
    assert_eq!(*secret.open("welcome", frozen.get("expected")).expect("opens"), EXPECTED);
    assert_eq!(*secret.open("welcome", frozen.get("no")).expect("opens"), NO);
}
