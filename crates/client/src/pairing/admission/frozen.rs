//! A device that is being let in, as a vault keeps it, frozen.

use mecum_faults::Frozen;
use mecum_seal::SigningKey;

use super::*;
use crate::frozen::{is_kept, kept};

#[test]
fn a_device_that_is_being_let_in_is_written_with_the_frozen_bytes_and_read_from_them() {
    let begun = Admission {
        device: DeviceId::from_bytes([1; 16]),
        name: "tablet".to_owned(),
        mailbox: [2; 16],
        welcome: Vec::new(),
        url: "https://mecum.example".to_owned(),
        pin: SigningKey::from_seed([3; 32]).verifying_key(),
        ends_ms: 1_788_854_400_000,
        sent: false,
        code: Some(CodeSecret(vec![4; 17])),
    };
    let sent = Admission { welcome: b"sealed".to_vec(), sent: true, code: None, ..begun.clone() };
    let written = [("begun", kept(&begun)), ("sent", kept(&sent))];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "admission-v1.txt", &written);
    for (name, meant) in [("begun", &begun), ("sent", &sent)] {
        assert!(is_kept::<Admission>(frozen.get(name)), "{name} is read");
        let read: Admission = minicbor::decode(frozen.get(name)).expect("an old row");
        assert_eq!(
            (read.device, read.mailbox, read.sent),
            (meant.device, meant.mailbox, meant.sent),
            "{name}"
        );
    }
}
