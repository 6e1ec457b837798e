//! What an empty device keeps while it waits, frozen.

use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{RecoveryKey, SharedOut};
use mecum_sync::helping;

use super::*;
use crate::frozen::{is_kept, kept};

#[test]
fn what_an_empty_device_keeps_is_written_with_the_frozen_bytes_and_read_from_them() {
    let entropy = SeededEntropy::new(91);
    let home =
        Home { url: "https://mecum.example".to_owned(), pin: SigningKey::make(&entropy).verifying_key() };
    let new = Record::make(&home, AccountId::from_bytes([1; 16]), "new phone", &entropy);
    let key = RecoveryKey::make(&entropy);
    let SharedOut { parts, server, set } = SharedOut::make(&key, &entropy);
    let part = |at: usize, from: &str| Part {
        number: parts[at].number(),
        value: Secret(*parts[at].value().expose()),
        from: from.to_owned(),
    };
    let released = Record {
        stage: code_of(HelpersStage::Released),
        asked_ms: 1_788_854_400_000,
        released_ms: 1_788_854_400_001,
        again_ms: 1_788_854_400_002,
        parts: vec![part(0, "Ani"), part(2, "Citra")],
        code: Some((Secret([2; 17]), 1_788_854_400_003)),
        server_part: Some(Secret(*server.expose())),
        set: Some(set),
        helpers_key: Some(key.signing_key().verifying_key()),
        ..new.clone()
    };
    let written = [("asked", kept(&new)), ("released", kept(&released))];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "restoring-v1.txt", &written);
    for (name, stage) in [("asked", None), ("released", Some(HelpersStage::Released))] {
        assert!(is_kept::<Record>(frozen.get(name)), "{name} is read");
        let read: Record = minicbor::decode(frozen.get(name)).expect("an old row");
        assert!(helping::is_sound(&read.request), "{name}: its request counts");
        assert_eq!((read.stage(), read.home().pin), (stage, home.pin), "{name}");
        assert_eq!(read.signing().seed(), new.signing().seed(), "{name}: with the keys of the device");
    }
    let read: Record = minicbor::decode(frozen.get("released")).expect("an old row");
    let parts: Vec<HelperPart> = read.parts.iter().filter_map(Part::whole).collect();
    let server = read.server_part.map(|part| SecretKey32::from_bytes(part.0)).expect("it was given out");
    assert_eq!(read.set.map(|set| set.combine(&parts, &server)), Some(Ok(key)), "which bring the key back");
}
