//! What two devices of an account say to each other by a code, as bytes, frozen: inside and under their seals.

use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{
    AccountId, DeviceId, Hash32, IncarnationId, KemSecret, PairingSecret, SigningKey, open_from, seal_to,
};

use super::messages::{Join, NO, Offer, WELCOME_PURPOSE, Welcome, body, message, qr_text, read_code};
use crate::driver::Home;

#[test]
fn a_code_and_the_messages_of_pairing_are_written_with_the_frozen_bytes_and_read_from_them() {
    let entropy = SeededEntropy::new(82);
    let secret = PairingSecret::make(&entropy);
    let (signing, kem) = (SigningKey::make(&entropy), KemSecret::make(&entropy));
    let pin = SigningKey::make(&entropy).verifying_key();
    let home = Home { url: "https://mecum.example:8443".to_owned(), pin };
    let genesis = Hash32::from_bytes([1; 32]);
    let offer = Offer { account: AccountId::from_bytes([2; 16]), genesis, relay: pin };
    let join = Join {
        device: DeviceId::from_bytes([3; 16]),
        signing: signing.verifying_key(),
        kem: kem.public(),
        incarnation: IncarnationId::from_bytes([4; 16]),
        name: "tablet Laras".to_owned(),
    };
    let alone = Welcome { account_kem: [5; 32], earlier: None };
    let more = Welcome { account_kem: [5; 32], earlier: Some([[6; 32], [7; 32]].concat()) };
    let mailbox = secret.mailbox_id();
    let wrap = |welcome: &Welcome| {
        seal_to(&kem.public(), WELCOME_PURPOSE, &mailbox, &welcome.encode(), &entropy).expect("a good key")
    };
    let written = [
        ("secret", secret.expose().to_vec()),
        ("words", secret.to_words().join(" ").into_bytes()),
        ("qr text", qr_text(&secret, &home).into_bytes()),
        ("offer, inside", body(&offer)),
        ("offer", secret.seal("offer", &body(&offer), &entropy)),
        ("join, inside", body(&join)),
        ("join", secret.seal("join", &body(&join), &entropy)),
        ("welcome, inside", alone.encode().to_vec()),
        ("welcome", secret.seal("welcome", &wrap(&alone), &entropy)),
        ("welcome with earlier keys, inside", more.encode().to_vec()),
        ("welcome with earlier keys", secret.seal("welcome", &wrap(&more), &entropy)),
        ("no", secret.seal("welcome", NO, &entropy)),
    ];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "pairing-v1.txt", &written);
    let text = std::str::from_utf8(frozen.get("qr text")).expect("ASCII");
    let (read, url, named) = read_code(text, None).expect("an old code");
    assert_eq!((read.expose(), url, named), (secret.expose(), home.url, Some(pin)), "with all that it says");
    let words = std::str::from_utf8(frozen.get("words")).expect("ASCII");
    let (read, ..) = read_code(words, Some("https://mecum.example")).expect("old words");
    assert_eq!(read.expose().as_slice(), frozen.get("secret"), "of the same secret");
    let read: Offer = message(&secret, "offer", frozen.get("offer")).expect("an old offer");
    assert_eq!((read.account, read.genesis, read.relay), (offer.account, genesis, pin));
    let read: Join = message(&secret, "join", frozen.get("join")).expect("an old answer");
    assert_eq!((read.device, read.signing, &read.kem), (join.device, join.signing, &join.kem));
    assert_eq!((read.incarnation, &read.name), (join.incarnation, &join.name));
    for (name, inside, earlier) in [
        ("welcome", "welcome, inside", None),
        ("welcome with earlier keys", "welcome with earlier keys, inside", more.earlier.clone()),
    ] {
        let wrapped = secret.open("welcome", frozen.get(name)).expect("under the code's secret");
        let opened = open_from(&kem, WELCOME_PURPOSE, &mailbox, &wrapped).expect("for the new device");
        assert_eq!(*opened, frozen.get(inside), "{name}");
        let read: Welcome = minicbor::decode(&opened).expect("an old welcome");
        assert_eq!((read.account_kem, &read.earlier), ([5; 32], &earlier), "{name}: the account's keys");
    }
    assert_eq!(*secret.open("welcome", frozen.get("no")).expect("opens"), NO, "no is said by nothing");
}
