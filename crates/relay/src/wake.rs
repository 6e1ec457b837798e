//! Who is waiting for news: a device with an open socket is told that there is something, never what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use mecum_seal::{AccountId, DeviceId};
use tokio::sync::Notify;

/// Most sockets of one device: those of a network that it left count until they are found dead. Counted by device, so that one
/// cannot take the places of the others.
const MAX_WAITING_PER_DEVICE: usize = 8;

type Waiting = Vec<(DeviceId, Weak<Notify>)>;

/// The waiting devices by account.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    waiting: Mutex<HashMap<AccountId, Waiting>>,
}

impl Wakes {
    /// Waits for the account's news, until the returned bell is dropped. None if too many wait already.
    pub(crate) fn wait(&self, account: AccountId, device: DeviceId) -> Option<Arc<Notify>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let devices = waiting.entry(account).or_default();
        devices.retain(|(_, bell)| bell.strong_count() > 0);
        let own = devices.iter().filter(|(waiting, _)| *waiting == device).count();
        if own >= MAX_WAITING_PER_DEVICE {
            return None;
        }
        let bell = Arc::new(Notify::new());
        devices.push((device, Arc::downgrade(&bell)));
        Some(bell)
    }

    /// Rings for one device that is no longer of its account: whoever waits for it looks, and closes.
    pub(crate) fn end(&self, account: AccountId, device: DeviceId) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let bells = waiting.get(&account).into_iter().flatten().filter(|(waiting, _)| *waiting == device);
        for bell in bells.filter_map(|(_, bell)| bell.upgrade()) {
            bell.notify_one();
        }
    }

    /// Rings for every device of the account but the one that brought the news. Returns how many. Rings that come
    /// together are one.
    pub(crate) fn ring(&self, account: AccountId, except: DeviceId) -> usize {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(devices) = waiting.get_mut(&account) else { return 0 };
        devices.retain(|(_, bell)| bell.strong_count() > 0);
        let mut rung = 0;
        for bell in devices.iter().filter(|(device, _)| *device != except).filter_map(|(_, b)| b.upgrade()) {
            bell.notify_one();
            rung += 1;
        }
        if devices.is_empty() {
            waiting.remove(&account);
        }
        rung
    }
}
