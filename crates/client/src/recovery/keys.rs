//! What the account's log holds for the kit: the account's keys, sealed to it, and the kit's own word for which account it is.
//!
//! `SetRecovery.sealed` and `Rotation.recovery_sealed`: CBOR `[1, vouch(64), sealed]`. The vouch was made when the words were in
//! hand; whoever changes the account's key later carries it along. Without it a server could show a restored device an account
//! of its own making, since sealing to the kit takes its public half only.

use mecum_seal::{
    AccountId, Entropy, KemPublic, KemSecret, RecoveryKey, Signature, check_vouch, open_from, seal_to,
};
use mecum_sync::{AccountLog, decode, encode};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::identity::secrets_of;

const VERSION: u32 = 1;
const PURPOSE: &str = "mecum account keys v1";

/// The largest that is read. Source: the protocol's limit for it.
const MAX_BYTES: usize = mecum_sync::limits::MAX_RECOVERY_SEALED_BYTES;

#[derive(Encode, Decode)]
#[cbor(array)]
struct ForKit {
    #[n(0)]
    version: u32,
    #[n(1)]
    vouch: Signature,
    #[cbor(n(2), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

/// The log is not of the account that the kit was made for, or holds nothing that this kit opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log is not of this kit's account")]
pub(crate) struct NotThisKit;

/// Seals the account's keys, newest first, for whoever holds the kit of `kem`. None if there are more than may be sealed.
pub(crate) fn seal_for_kit<'a>(
    kem: &KemPublic,
    vouch: Signature,
    account: AccountId,
    keys: impl Iterator<Item = &'a KemSecret>,
    entropy: &dyn Entropy,
) -> Option<Vec<u8>> {
    let keys: Zeroizing<Vec<u8>> = Zeroizing::new(keys.flat_map(|key| *key.expose()).collect());
    let sealed = seal_to(kem, PURPOSE, account.as_bytes(), &keys, entropy).ok()?;
    let body = encode(&ForKit { version: VERSION, vouch, sealed });
    (body.len() <= MAX_BYTES).then_some(body)
}

/// The kit's word in what was sealed for it.
pub(crate) fn vouch_in(bytes: &[u8]) -> Option<Signature> {
    let read: ForKit = decode(bytes, MAX_BYTES).ok()?;
    (read.version == VERSION).then_some(read.vouch)
}

/// The account's keys, newest first, out of a log that is verified from its first entry on.
#[cfg(test)]
fn open_with_kit(recovery: &RecoveryKey, log: &AccountLog) -> Result<Vec<KemSecret>, NotThisKit> {
    open_with(recovery, log, Holder::Kit)
}

/// Who has a recovery key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Whoever has the printed kit.
    Kit,
    /// Two helpers and the server, together.
    Helpers,
}

/// Likewise, whichever of the two recovery keys it is.
pub(crate) fn open_with(
    recovery: &RecoveryKey,
    log: &AccountLog,
    holder: Holder,
) -> Result<Vec<KemSecret>, NotThisKit> {
    let signing = recovery.signing_key().verifying_key();
    let (named, sealed) = match holder {
        Holder::Kit => (log.recovery().copied(), log.recovery_sealed()),
        Holder::Helpers => {
            let helpers = log.helpers().ok_or(NotThisKit)?;
            (Some(helpers.signing), helpers.sealed.as_slice())
        }
    };
    if named != Some(signing) {
        return Err(NotThisKit);
    }
    let read: ForKit = decode(sealed, MAX_BYTES).map_err(|_| NotThisKit)?;
    if read.version != VERSION {
        return Err(NotThisKit);
    }
    check_vouch(&signing, log.account(), log.genesis(), &read.vouch).map_err(|_| NotThisKit)?;
    let opened = open_from(&recovery.kem_secret(), PURPOSE, log.account().as_bytes(), &read.sealed);
    let keys = secrets_of(&opened.map_err(|_| NotThisKit)?);
    // What stands in the log is what is opened first: a device that sealed another key would lock the person out later.
    match keys.first() {
        Some(newest) if newest.public() == *log.account_kem() => Ok(keys),
        _ => Err(NotThisKit),
    }
}

#[cfg(test)]
mod tests {
    use mecum_seal::testing::SeededEntropy;
    use mecum_seal::{Hash32, RecoveryKit, SharedOut};
    use mecum_sync::{AccountBody, AccountEntry, Helpers, Signed};

    use super::*;
    use crate::founding::device_card;
    use crate::identity::Identity;

    /// An account of somebody's making, that names `recovery` as its own and sealed its keys to it.
    fn account(
        identity: &Identity,
        recovery: &RecoveryKey,
        vouch: impl Fn(&AccountLog) -> Signature,
        entropy: &SeededEntropy,
    ) -> AccountLog {
        let sign = |seq, previous, body| {
            let entry =
                AccountEntry { account: identity.account, seq, previous, signer: identity.device, body };
            Signed::sign(entry, &identity.signing)
        };
        let device = device_card(identity, "phone", entropy);
        let account_kem = identity.account_kem.public();
        let genesis = sign(1, Hash32::ZERO, AccountBody::Genesis { device, account_kem, recovery: None });
        let mut log = AccountLog::found(&genesis).expect("a first entry");
        let kem = recovery.kem_secret().public();
        let sealed = seal_for_kit(&kem, vouch(&log), log.account(), identity.account_keys(), entropy);
        let sealed = sealed.expect("one key is few");
        let signing = recovery.signing_key().verifying_key();
        let set = sign(2, log.head(), AccountBody::SetRecovery { signing, kem, sealed });
        log.append(&set).expect("a device may");
        log
    }

    #[test]
    fn an_account_that_a_server_makes_up_for_a_kit_is_not_believed() {
        let entropy = SeededEntropy::new(71);
        let recovery = RecoveryKit::make(&entropy).key();
        let (own, forged) = (Identity::make(&entropy), Identity::make(&entropy));
        let honest = |log: &AccountLog| recovery.vouch_for(log.account(), log.genesis());
        let log = account(&own, &recovery, honest, &entropy);
        let keys = open_with_kit(&recovery, &log).expect("the account that the kit was made for");
        assert_eq!(keys.first().map(KemSecret::expose), Some(own.account_kem.expose()), "with its key");
        // Everything in a forged log is right but the word of who has the paper: the old one is all that a server has.
        let stolen = vouch_in(log.recovery_sealed()).expect("it stands there for every device");
        let fake = account(&forged, &recovery, |_| stolen, &entropy);
        assert_eq!(open_with_kit(&recovery, &fake).err(), Some(NotThisKit), "another account");
        let same_id = Identity { account: own.account, ..Identity::make(&entropy) };
        let fake = account(&same_id, &recovery, |_| stolen, &entropy);
        assert_eq!(open_with_kit(&recovery, &fake).err(), Some(NotThisKit), "another log under the same id");
        let control = account(&forged, &recovery, honest, &entropy);
        assert!(open_with_kit(&recovery, &control).is_ok(), "control: only the vouch stands in its way");
        let other = RecoveryKit::make(&entropy).key();
        assert_eq!(open_with_kit(&other, &log).err(), Some(NotThisKit), "another kit");
    }

    #[test]
    fn an_account_that_a_server_makes_up_for_helpers_is_not_believed() {
        let entropy = SeededEntropy::new(73);
        let recovery = RecoveryKey::make(&entropy);
        let (own, forged) = (Identity::make(&entropy), Identity::make(&entropy));
        let honest = |log: &AccountLog| recovery.vouch_for(log.account(), log.genesis());
        // The kit of these is another one: what the helpers' key opens is in a place of its own.
        let kit = RecoveryKit::make(&entropy).key();
        let helped = |identity: &Identity, vouch: &dyn Fn(&AccountLog) -> Signature| {
            let mut log =
                account(identity, &kit, |log| kit.vouch_for(log.account(), log.genesis()), &entropy);
            let kem = recovery.kem_secret().public();
            let sealed = seal_for_kit(&kem, vouch(&log), log.account(), identity.account_keys(), &entropy);
            let helpers = Helpers {
                signing: recovery.signing_key().verifying_key(),
                kem,
                sealed: sealed.expect("one key is few"),
                set: SharedOut::make(&recovery, &entropy).set,
                wait_days: 7,
            };
            let entry = AccountEntry {
                account: identity.account,
                seq: 3,
                previous: log.head(),
                signer: identity.device,
                body: AccountBody::SetHelpers { helpers: Some(helpers) },
            };
            log.append(&Signed::sign(entry, &identity.signing)).expect("a device may");
            log
        };
        let log = helped(&own, &honest);
        let keys =
            open_with(&recovery, &log, Holder::Helpers).expect("the account that they were chosen for");
        assert_eq!(keys.first().map(KemSecret::expose), Some(own.account_kem.expose()), "with its key");
        assert_eq!(open_with(&recovery, &log, Holder::Kit).err(), Some(NotThisKit), "it is not the kit's");
        assert_eq!(open_with(&kit, &log, Holder::Helpers).err(), Some(NotThisKit), "nor the kit's theirs");
        let stolen =
            log.helpers().and_then(|helpers| vouch_in(&helpers.sealed)).expect("every device sees it");
        let fake = helped(&forged, &|_| stolen);
        assert_eq!(open_with(&recovery, &fake, Holder::Helpers).err(), Some(NotThisKit), "another account");
        let control = helped(&forged, &honest);
        assert!(
            open_with(&recovery, &control, Holder::Helpers).is_ok(),
            "control: only the vouch is in its way"
        );
    }

    #[test]
    fn what_was_stored_of_an_identity_before_it_had_earlier_keys_reads_back() {
        let entropy = SeededEntropy::new(72);
        let mut identity = Identity::make(&entropy);
        let before = identity.encode();
        assert_eq!(before.first(), Some(&0x86), "an array of six, as ever");
        let first = *identity.account_kem.expose();
        assert!(identity.learn(KemSecret::from_bytes([9; 32])), "a new key");
        assert!(!identity.learn(KemSecret::from_bytes(first)), "the old one is no new one");
        let read = Identity::decode(&identity.encode()).expect("reads back");
        let keys: Vec<_> = read.account_keys().map(|key| *key.expose()).collect();
        assert_eq!(keys, [[9; 32], first], "newest first");
        let old = Identity::decode(&before).expect("reads back");
        assert_eq!(old.account_keys().count(), 1, "without any earlier");
    }
}
