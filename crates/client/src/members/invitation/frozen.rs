//! The messages of an invitation as bytes, frozen: inside and under their seals.

use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{KemSecret, SigningKey};

use super::*;
use crate::pairing::{body, message};

#[test]
fn the_messages_of_an_invitation_are_written_with_the_frozen_bytes_and_read_from_them() {
    let entropy = SeededEntropy::new(83);
    let secret = PairingSecret::make(&entropy);
    let spaces = vec![
        (SpaceId::from_bytes([3; 16]), Section::Medications.code()),
        (SpaceId::from_bytes([4; 16]), Section::Results.code()),
    ];
    let bounded = Offer {
        kind: INVITATION.to_owned(),
        owner: AccountId::from_bytes([1; 16]),
        genesis: Hash32::from_bytes([2; 32]),
        relay: SigningKey::make(&entropy).verifying_key(),
        from: "Ratna".to_owned(),
        chart: [5; 16],
        name: "Laras".to_owned(),
        spaces,
        role: Role::Writer,
        until: Some("2026-12-31".to_owned()),
        reason: Some("helps with the doses".to_owned()),
        ends_ms: 1_788_854_400_000 + CODE_MS,
    };
    let open = Offer { role: Role::Manager, until: None, reason: None, ..bounded.clone() };
    let answer = Answer {
        account: AccountId::from_bytes([6; 16]),
        genesis: Hash32::from_bytes([7; 32]),
        kem: KemSecret::make(&entropy).public(),
        name: "Sari".to_owned(),
    };
    let written = [
        ("secret", secret.expose().to_vec()),
        ("offer until a date, inside", body(&bounded)),
        ("offer until a date", secret.seal("offer", &body(&bounded), &entropy)),
        ("offer without an end, inside", body(&open)),
        ("offer without an end", secret.seal("offer", &body(&open), &entropy)),
        ("answer, inside", body(&answer)),
        ("answer", secret.seal("join", &body(&answer), &entropy)),
        ("in", secret.seal("welcome", b"in", &entropy)),
        ("no", secret.seal("join", NO, &entropy)),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "invitation-v1.txt", &written);
    let secret = PairingSecret::from_bytes(frozen.get("secret").try_into().expect("17 bytes"));
    for (name, meant) in [("offer until a date", &bounded), ("offer without an end", &open)] {
        let read: Offer = message(&secret, "offer", frozen.get(name)).expect("an old offer");
        assert_eq!(
            (&read.kind, read.owner, read.genesis),
            (&meant.kind, meant.owner, meant.genesis),
            "{name}"
        );
        assert_eq!((read.relay, &read.from, read.chart), (meant.relay, &meant.from, meant.chart), "{name}");
        assert_eq!((&read.name, &read.spaces, read.role), (&meant.name, &meant.spaces, meant.role), "{name}");
        let (read, meant) =
            ((&read.until, &read.reason, read.ends_ms), (&meant.until, &meant.reason, meant.ends_ms));
        assert_eq!(read, meant, "{name}");
    }
    let read: Answer = message(&secret, "join", frozen.get("answer")).expect("an old answer");
    assert_eq!((read.account, read.genesis), (answer.account, answer.genesis), "who answers");
    assert_eq!((&read.kem, &read.name), (&answer.kem, &answer.name), "and under which name");
    assert_eq!(*secret.open("welcome", frozen.get("in")).expect("opens"), b"in".as_slice(), "they are in");
    assert_eq!(*secret.open("join", frozen.get("no")).expect("opens"), NO, "or decline");
}
