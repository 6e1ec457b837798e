//! What is said between somebody and their helpers, as bytes, frozen: inside and under their seals.

use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{KemSecret, RecoveryKey, SharedOut, SigningKey, open_from, seal_to};
use mecum_sync::helping;
use mecum_sync::testing::Actor;

use super::errands::TAKEN;
use super::*;
use crate::pairing::message;

#[test]
fn what_is_said_with_helpers_is_written_with_the_frozen_bytes_and_read_from_them() {
    let entropy = SeededEntropy::new(84);
    let (secret, key) = (PairingSecret::make(&entropy), RecoveryKey::make(&entropy));
    let SharedOut { parts, set, .. } = SharedOut::make(&key, &entropy);
    let (helper, server) = (KemSecret::make(&entropy), SigningKey::make(&entropy).verifying_key());
    let (giver, taker) = (AccountId::from_bytes([1; 16]), AccountId::from_bytes([2; 16]));
    let offer = PartOffer {
        kind: PART_OFFER.to_owned(),
        account: giver,
        genesis: Hash32::from_bytes([3; 32]),
        relay: server,
        from: "Laras".to_owned(),
        set: helping::set_hash(&set),
        ends_ms: 1_788_854_400_000 + CODE_MS,
    };
    let answer = PartAnswer {
        account: taker,
        genesis: Hash32::from_bytes([4; 32]),
        kem: helper.public(),
        name: "Ani".to_owned(),
    };
    let value = *parts[1].value().expose();
    let part = PartBody { number: 2, value, set };
    let place = part_place(giver, taker);
    let wrapped =
        seal_to(&helper.public(), PART_PURPOSE, &place, &encoded(&part), &entropy).expect("a good key");
    let taken = taken_secret(&secret);
    let asking = Actor::new(85);
    let request = asking.helpers_request(server);
    let asked = PartAsked {
        kind: PART_ASKED.to_owned(),
        request: request.clone(),
        device_name: "new phone".to_owned(),
    };
    let given = Given { number: 2, value, from: "Ani".to_owned() };
    let to_device =
        seal_to(&asking.kem.public(), GIVEN_PURPOSE, request.hash().as_bytes(), &encoded(&given), &entropy);
    let written = [
        ("secret", secret.expose().to_vec()),
        ("offer of a part, inside", body(&offer)),
        ("offer of a part", secret.seal("offer", &body(&offer), &entropy)),
        ("answer, inside", body(&answer)),
        ("answer", secret.seal("join", &body(&answer), &entropy)),
        ("part, inside", encoded(&part).to_vec()),
        ("part", secret.seal("welcome", &wrapped, &entropy)),
        ("second secret", taken.expose().to_vec()),
        ("second mailbox", taken.mailbox_id().to_vec()),
        ("taken", taken.seal("offer", TAKEN, &entropy)),
        ("asking for a part, inside", body(&asked)),
        ("asking for a part", secret.seal("offer", &body(&asked), &entropy)),
        ("given part, inside", encoded(&given).to_vec()),
        ("given part", secret.seal("join", &to_device.expect("a good key"), &entropy)),
        ("no", secret.seal("join", NO, &entropy)),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "helpers-v1.txt", &written);
    let secret = PairingSecret::from_bytes(frozen.get("secret").try_into().expect("17 bytes"));
    let read: PartOffer = message(&secret, "offer", frozen.get("offer of a part")).expect("an old offer");
    assert_eq!((&read.kind, read.account, read.genesis), (&offer.kind, giver, offer.genesis), "who asks");
    assert_eq!((read.relay, &read.from), (server, &offer.from), "at which server");
    assert_eq!((read.set, read.ends_ms), (offer.set, offer.ends_ms), "for a part of which set");
    let read: PartAnswer = message(&secret, "join", frozen.get("answer")).expect("an old answer");
    assert_eq!((read.account, read.genesis), (taker, answer.genesis), "who accepts");
    assert_eq!((&read.kem, &read.name), (&answer.kem, &answer.name), "and under which name");
    let wrapped = secret.open("welcome", frozen.get("part")).expect("under the code's secret");
    let opened = open_from(&helper, PART_PURPOSE, &place, &wrapped).expect("for the helper");
    assert_eq!(*opened, frozen.get("part, inside"), "a part");
    let read: PartBody = minicbor::decode(&opened).expect("an old part");
    assert_eq!((read.number, read.value, read.set), (2, value, set), "of that set");
    assert_eq!(taken_secret(&secret).expose().as_slice(), frozen.get("second secret"), "known to the two");
    let read = taken_secret(&secret).open("offer", frozen.get("taken")).expect("opens");
    assert_eq!(*read, TAKEN, "they have it");
    let read: PartAsked = message(&secret, "offer", frozen.get("asking for a part")).expect("an old message");
    assert!(helping::is_sound(&read.request) && read.request == request, "an old request counts");
    assert_eq!((&read.kind, &read.device_name), (&asked.kind, &asked.device_name), "from which device");
    let wrapped = secret.open("join", frozen.get("given part")).expect("under the code's secret");
    let opened = open_from(&asking.kem, GIVEN_PURPOSE, request.hash().as_bytes(), &wrapped).expect("opens");
    assert_eq!(*opened, frozen.get("given part, inside"), "for the device that asks");
    let read: Given = minicbor::decode(&opened).expect("an old part");
    assert_eq!((read.number, read.value, read.from.as_str()), (2, value, "Ani"), "given by whom");
    assert_eq!(*secret.open("join", frozen.get("no")).expect("opens"), NO, "or they decline");
}
