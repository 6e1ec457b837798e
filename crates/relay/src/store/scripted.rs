//! A store that answers two calls as a test says, and no others: for what no test over TCP can time.

use std::sync::Arc;

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, DeviceId, Hash32, SecretKey32, VerifyingKey};
use mecum_sync::{AccountEntry, DeviceCard, HelpersNotice, HelpersRequest, PageName, Refusal, Signed};

use super::{
    Asked, Asking, Author, Given, Kept, LogStore, Opening, Page, PublicPage, Recovered, Recovering,
    RecoveryKeys, Slot, StoreError, Swept, Wanted,
};
use crate::{Relay, RelayOptions};

type Head = dyn Fn(&Author) -> Result<Option<u64>, StoreError> + Send + Sync;
type Sweep = dyn Fn() -> Result<Swept, StoreError> + Send + Sync;

/// What the two answer.
pub(crate) struct Scripted {
    pub(crate) inbox_head: Box<Head>,
    pub(crate) sweep: Box<Sweep>,
}

impl Default for Scripted {
    fn default() -> Self {
        Self { inbox_head: Box::new(|_| Ok(None)), sweep: Box::new(|| Err(StoreError::NotCommitted)) }
    }
}

/// A relay over it, and the folder of its key.
pub(crate) fn relay_over(store: Arc<dyn LogStore>) -> (tempfile::TempDir, Relay) {
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

impl LogStore for Scripted {
    fn inbox_head(&self, author: &Author) -> Result<Option<u64>, StoreError> {
        (self.inbox_head)(author)
    }

    fn add_code(&self, _: Hash32, _: i64, _: bool) -> Result<(), StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn public_page(&self, _: PageName) -> Result<Option<PublicPage>, StoreError> {
        Err(StoreError::NotCommitted)
    }

    fn put_public_page(
        &self,
        _: AccountId,
        _: PageName,
        _: PublicPage,
        _: i64,
    ) -> Result<Result<(), Refusal>, StoreError> {
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

    fn page(&self, _: &Author, _: Asked) -> Result<Result<Page, Refusal>, StoreError> {
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

    fn sweep(&self, _: i64) -> Result<Swept, StoreError> {
        (self.sweep)()
    }
}
