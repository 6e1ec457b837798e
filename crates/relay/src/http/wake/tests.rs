//! What no test over TCP can time: something that is stored while a device asks.

use std::sync::OnceLock;

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, DeviceId, Hash32, IncarnationId, SecretKey32, VerifyingKey};
use mecum_sync::{AccountEntry, DeviceCard, HelpersNotice, HelpersRequest, Refusal, Signed};

use super::*;
use crate::store::{
    Asking, Given, Kept, LogStore, Opening, Page, Recovered, Recovering, RecoveryKeys, Slot, StoreError,
    Wanted,
};
use crate::{Relay, RelayOptions};

const HEAD: u64 = 7;

/// An inbox that gets something new just after it was looked at, and rings for it.
#[derive(Default)]
struct Late {
    relay: OnceLock<Relay>,
    live: bool,
}

impl LogStore for Late {
    fn inbox_head(&self, author: &Author) -> Result<Option<u64>, StoreError> {
        if let Some(relay) = self.relay.get() {
            relay.shared.wakes.ring(author.account, DeviceId::from_bytes([9; 16]));
        }
        Ok(self.live.then_some(HEAD))
    }

    fn add_code(&self, _: Hash32, _: i64) -> Result<(), StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn enrol(&self, _: Hash32, _: &Signed<AccountEntry>, _: i64) -> Result<Result<(), Refusal>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn device(&self, _: AccountId, _: DeviceId) -> Result<Option<DeviceCard>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn keep(&self, _: Wanted) -> Result<Result<Kept, Refusal>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn page(&self, _: &Author, _: crate::store::Asked) -> Result<Result<Page, Refusal>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn recovery_keys(&self, _: AccountId) -> Result<RecoveryKeys, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn helpers_ask(&self, _: Signed<HelpersRequest>, _: i64) -> Result<Result<Asking, Refusal>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn helpers_asking(&self, _: AccountId, _: Hash32, _: i64) -> Result<Option<Asking>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn helpers_given(&self, _: AccountId, _: u64) -> Result<Result<Given, Refusal>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn helpers_part(
        &self,
        _: AccountId,
        _: Hash32,
        _: SecretKey32,
    ) -> Result<Result<(), Refusal>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn helpers_stop(&self, _: AccountId, _: Hash32, _: i64) -> Result<(), StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn helpers_notice(&self, _: AccountId, _: i64) -> Result<Option<HelpersNotice>, StoreError> {
        Ok(None)
    }

    fn account_of_recovery(&self, _: VerifyingKey) -> Result<Option<AccountId>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn recover(&self, _: Recovering) -> Result<Result<Recovered, Refusal>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn put_slot(
        &self,
        _: [u8; 16],
        _: Slot,
        _: Vec<u8>,
        _: i64,
        _: Option<Opening>,
    ) -> Result<Result<(), Refusal>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn slot(&self, _: [u8; 16], _: Slot, _: i64) -> Result<Option<Vec<u8>>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn sweep(&self, _: i64) -> Result<crate::store::Swept, StoreError> {
        Err(StoreError::NotCommitted)
    }
}

fn author() -> Author {
    Author {
        account: AccountId::from_bytes([1; 16]),
        device: DeviceId::from_bytes([2; 16]),
        incarnation: IncarnationId::from_bytes([3; 16]),
    }
}

fn relay_over(store: Arc<Late>) -> (tempfile::TempDir, Relay) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = RelayOptions {
        entropy: Arc::new(SeededEntropy::new(1)),
        log: Arc::new(|_| {}),
        ..RelayOptions::default()
    };
    let relay = Relay::open(folder.path(), options).expect("a folder takes a relay");
    let Ok(mut shared) = Arc::try_unwrap(relay.shared) else { unreachable!("nobody else holds it yet") };
    shared.store = store;
    (folder, Relay { shared: Arc::new(shared) })
}

#[tokio::test]
async fn what_is_stored_while_a_device_asks_wakes_it() {
    let store = Arc::new(Late { live: true, ..Late::default() });
    let (_folder, relay) = relay_over(Arc::clone(&store));
    assert!(store.relay.set(relay.clone()).is_ok(), "set once");
    let asked = hang_and_look(&relay.shared, author(), Some(HEAD)).await;
    let (bell, first) = asked.ok().expect("a live device is answered");
    assert_eq!(first, Some(NOTHING_NEW), "the look came before the news");
    let rung = tokio::time::timeout(Duration::from_secs(1), bell.notified()).await;
    assert!(rung.is_ok(), "and the news has rung all the same");
}

#[tokio::test]
async fn only_the_end_of_the_inbox_has_nothing_after_it() {
    let (_folder, relay) = relay_over(Arc::new(Late { live: true, ..Late::default() }));
    for (cursor, said) in [
        (Some(HEAD), Some(NOTHING_NEW)),
        (Some(HEAD - 1), Some(NEWS)),
        (Some(0), Some(NEWS)),
        (Some(HEAD + 1), Some(NEWS)),
        (Some(u64::MAX), Some(NEWS)),
        (None, None),
    ] {
        let (_, first) = hang_and_look(&relay.shared, author(), cursor).await.ok().expect("an answer");
        assert_eq!(first, said, "asked from {cursor:?} with the inbox at {HEAD}");
    }
}

#[tokio::test]
async fn a_device_that_is_not_live_is_told_nothing() {
    let (_folder, relay) = relay_over(Arc::new(Late::default()));
    let refused = hang_and_look(&relay.shared, author(), Some(HEAD)).await;
    let Err(refused) = refused else { panic!("refused") };
    assert_eq!(refused.0.code, RefusalCode::UnknownDevice, "as an exchange would say");
}

#[test]
fn a_cursor_is_decimal_digits_and_nothing_else() {
    for (query, number) in [("0", 0), ("12345", 12_345), ("18446744073709551615", u64::MAX)] {
        assert_eq!(cursor(query).ok(), Some(number), "{query} is a cursor");
    }
    for query in ["", "+5", "-1", " 5", "5 ", "0x5", "5&6", "cursor=5", "18446744073709551616", "٥"] {
        assert!(cursor(query).is_err(), "{query:?} is none");
    }
}
