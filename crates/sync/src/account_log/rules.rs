//! The rules of an account's log: who may write which entry, and what it changes. Everything is checked first, and only then is
//! anything changed.

use mecum_seal::{DeviceId, Hash32, IncarnationId};

use super::{
    AccountBody, AccountEntry, AccountLog, AccountLogError, DeviceCard, HELPERS_SIGNER, Helpers, Later,
    RECOVERY_SIGNER, Reincarnated, RemovedDevice, Rotation, Upheld,
};
use crate::controls::{holds, is_out};
use crate::limits::{HELPERS_WAIT_DAYS, MAX_ACCOUNT_LOG, MAX_DEVICES, MAX_INCARNATIONS, MAX_UPHELD};
use crate::signed::Signed;

impl AccountLog {
    /// Verifies the first entry of a log and begins with it.
    pub fn found(entry: &Signed<AccountEntry>) -> Result<Self, AccountLogError> {
        let AccountEntry { account, seq, previous, signer, body } = entry.unverified();
        let AccountBody::Genesis { device, account_kem, recovery } = body else {
            return Err(AccountLogError::BadEntry);
        };
        let named = *signer == device.device && !is_of_no_device(*signer);
        if *seq != 1 || *previous != Hash32::ZERO || !named {
            return Err(AccountLogError::BadEntry);
        }
        entry.verify(&device.signing).map_err(|_| AccountLogError::BadSignature)?;
        let head = entry.hash();
        Ok(Self {
            account: *account,
            entries: 1,
            head,
            genesis: head,
            account_kem: account_kem.clone(),
            recovery: *recovery,
            devices: vec![device.clone()],
            later: None,
        })
    }

    /// Verifies `entry` and takes it in. On an error nothing is changed.
    pub fn append(&mut self, entry: &Signed<AccountEntry>) -> Result<(), AccountLogError> {
        let unverified = entry.unverified();
        if unverified.account != self.account {
            return Err(AccountLogError::OtherAccount);
        }
        let next = unverified.seq == self.entries.saturating_add(1) && unverified.previous == self.head;
        if !holds("account-link", next) {
            return Err(AccountLogError::StaleHead);
        }
        if self.entries >= MAX_ACCOUNT_LOG {
            return Err(AccountLogError::Full);
        }
        let signer = unverified.signer;
        let key = match signer {
            RECOVERY_SIGNER => self.recovery,
            HELPERS_SIGNER => self.helpers().map(|helpers| helpers.signing),
            device => self.device(device).map(|card| card.signing),
        };
        let anybody = || self.devices.first().filter(|_| is_out("account-signer")).map(|card| card.signing);
        let key = key.or_else(anybody).ok_or(AccountLogError::UnknownDevice)?;
        let verified = entry.verify(&key).map_err(|_| AccountLogError::BadSignature)?;
        let by_recovery = is_of_no_device(signer);
        let for_recovery = matches!(verified.body, AccountBody::Recover { .. });
        let for_either =
            matches!(verified.body, AccountBody::RemoveDevice { .. } | AccountBody::Rotate { .. });
        if by_recovery != for_recovery && !(by_recovery && for_either) {
            return Err(AccountLogError::NotAllowed);
        }
        self.apply(signer, verified.seq, &verified.body)?;
        self.entries = verified.seq;
        self.head = entry.hash();
        Ok(())
    }

    fn apply(&mut self, signer: DeviceId, seq: u64, body: &AccountBody) -> Result<(), AccountLogError> {
        match body {
            AccountBody::Genesis { .. } => Err(AccountLogError::BadEntry),
            AccountBody::AddDevice { device } => {
                self.check_new(device)?;
                self.devices.push(device.clone());
                Ok(())
            }
            AccountBody::RemoveDevice { device, rotation } => {
                self.remove(signer, seq, *device, rotation.as_ref())
            }
            AccountBody::SetRecovery { signing, kem, sealed } => {
                let of_helpers = self.helpers().is_some_and(|helpers| helpers.signing == *signing);
                let taken = self.all_cards().any(|card| card.signing == *signing);
                if taken || of_helpers || sealed.is_empty() {
                    return Err(AccountLogError::BadEntry);
                }
                self.recovery = Some(*signing);
                let later = self.later_mut();
                later.recovery_kem = Some(kem.clone());
                later.recovery_sealed.clone_from(sealed);
                Ok(())
            }
            AccountBody::Recover { device, alone } => {
                self.check_new(device)?;
                if let Some(rotation) = alone {
                    self.check_rotation(rotation, &[device.device])?;
                    for card in std::mem::take(&mut self.devices) {
                        self.later_mut().removed.push(RemovedDevice { card, removed: seq });
                    }
                    self.rotate(rotation);
                }
                self.devices.push(device.clone());
                Ok(())
            }
            AccountBody::Reincarnate { device, incarnation } => {
                self.reincarnate(signer, *device, *incarnation)
            }
            AccountBody::Rename { device, sealed_name } => {
                let card = self.devices.iter_mut().find(|card| card.device == *device);
                card.ok_or(AccountLogError::NotThere)?.sealed_name.clone_from(sealed_name);
                Ok(())
            }
            AccountBody::Rotate { rotation } => {
                self.check_rotation(rotation, &self.ids_without(None))?;
                self.rotate(rotation);
                Ok(())
            }
            AccountBody::SetHelpers { helpers } => self.set_helpers(helpers.as_ref()),
            AccountBody::Uphold { entries } => self.uphold(entries, seq),
        }
    }

    /// Says it once more of what is upheld already: it counts from now on.
    fn uphold(&mut self, entries: &[Hash32], seq: u64) -> Result<(), AccountLogError> {
        if entries.is_empty() || !entries.is_sorted_by(|a, b| a < b) {
            return Err(AccountLogError::BadEntry);
        }
        let mut upheld = self.later.as_ref().map(|later| later.upheld.clone()).unwrap_or_default();
        upheld.retain(|upheld| entries.binary_search(&upheld.entry).is_err());
        upheld.extend(entries.iter().map(|entry| Upheld { entry: *entry, at: seq }));
        if upheld.len() > MAX_UPHELD {
            return Err(AccountLogError::Full);
        }
        upheld.sort_unstable_by_key(|upheld| upheld.entry);
        self.later_mut().upheld = upheld;
        Ok(())
    }

    /// A new helpers' key is nobody's yet; and there is something to end where they end.
    fn set_helpers(&mut self, helpers: Option<&Helpers>) -> Result<(), AccountLogError> {
        let before = self.helpers();
        let allowed = match helpers {
            None => before.is_some(),
            Some(Helpers { signing, sealed, wait_days, .. }) => {
                let taken = self.recovery == Some(*signing)
                    || before.is_some_and(|before| before.signing == *signing)
                    || self.all_cards().any(|card| card.signing == *signing);
                !taken && !sealed.is_empty() && *wait_days == HELPERS_WAIT_DAYS
            }
        };
        if !allowed {
            return Err(AccountLogError::BadEntry);
        }
        self.later_mut().helpers = helpers.cloned();
        Ok(())
    }

    fn remove(
        &mut self,
        signer: DeviceId,
        seq: u64,
        device: DeviceId,
        rotation: Option<&Rotation>,
    ) -> Result<(), AccountLogError> {
        let at = self.devices.iter().position(|card| card.device == device);
        let at = at.ok_or(AccountLogError::NotThere)?;
        let stay = self.ids_without(Some(device));
        if stay.is_empty() {
            return Err(AccountLogError::LastDevice);
        }
        match rotation {
            Some(rotation) if signer != device => {
                self.check_rotation(rotation, &stay)?;
                self.rotate(rotation);
            }
            None if signer == device => self.later_mut().rotation_due = true,
            _ => return Err(AccountLogError::BadRotation),
        }
        let card = self.devices.remove(at);
        self.later_mut().removed.push(RemovedDevice { card, removed: seq });
        Ok(())
    }

    fn reincarnate(
        &mut self,
        signer: DeviceId,
        device: DeviceId,
        incarnation: IncarnationId,
    ) -> Result<(), AccountLogError> {
        if signer != device {
            return Err(AccountLogError::NotAllowed);
        }
        if self.is_incarnation_taken(incarnation) || self.incarnations(device).len() >= MAX_INCARNATIONS {
            return Err(AccountLogError::IncarnationTaken);
        }
        let reincarnated = &mut self.later_mut().reincarnated;
        match reincarnated.iter_mut().find(|r| r.device == device) {
            Some(known) => known.incarnations.push(incarnation),
            None => reincarnated.push(Reincarnated { device, incarnations: vec![incarnation] }),
        }
        Ok(())
    }

    /// A new device has a name, a signing key and an incarnation that nobody in the account ever had.
    fn check_new(&self, card: &DeviceCard) -> Result<(), AccountLogError> {
        let taken = is_of_no_device(card.device)
            || self.recovery == Some(card.signing)
            || self.helpers().is_some_and(|helpers| helpers.signing == card.signing)
            || self.is_incarnation_taken(card.incarnation)
            || self.all_cards().any(|d| d.device == card.device || d.signing == card.signing);
        if taken || self.devices.len().saturating_add(self.removed().len()) >= MAX_DEVICES {
            return Err(AccountLogError::DeviceTaken);
        }
        Ok(())
    }

    fn is_incarnation_taken(&self, incarnation: IncarnationId) -> bool {
        let further = self.later.iter().flat_map(|later| &later.reincarnated).flat_map(|r| &r.incarnations);
        self.all_cards().map(|card| &card.incarnation).chain(further).any(|taken| *taken == incarnation)
    }

    fn all_cards(&self) -> impl Iterator<Item = &DeviceCard> {
        self.devices.iter().chain(self.removed().iter().map(|gone| &gone.card))
    }

    fn ids_without(&self, device: Option<DeviceId>) -> Vec<DeviceId> {
        self.devices.iter().map(|card| card.device).filter(|id| Some(*id) != device).collect()
    }

    /// The key is new, and wrapped to exactly `stay` and to whichever recovery keys there are.
    fn check_rotation(&self, rotation: &Rotation, stay: &[DeviceId]) -> Result<(), AccountLogError> {
        let to_them = rotation.wraps.iter().map(|wrap| wrap.device).eq(stay.iter().copied());
        let filled = rotation.wraps.iter().all(|wrap| !wrap.bytes.is_empty());
        let to_recovery = rotation.recovery_sealed.is_empty() == self.recovery_kem().is_none();
        let to_helpers = rotation.helpers_sealed.is_empty() == self.helpers().is_none();
        if to_them && filled && to_recovery && to_helpers && rotation.account_kem != self.account_kem {
            Ok(())
        } else {
            Err(AccountLogError::BadRotation)
        }
    }

    fn rotate(&mut self, rotation: &Rotation) {
        self.account_kem = rotation.account_kem.clone();
        let later = self.later_mut();
        later.recovery_sealed.clone_from(&rotation.recovery_sealed);
        if let Some(helpers) = &mut later.helpers {
            helpers.sealed.clone_from(&rotation.helpers_sealed);
        }
        later.rotation_due = false;
    }

    fn later_mut(&mut self) -> &mut Later {
        self.later.get_or_insert_default()
    }

    /// Takes the last entry back if it is `entry` and adds a device; answers the device's card. It is for an own entry that
    /// the relay does not have: to be signed again on another head, or given up. On an error nothing is changed. For the other
    /// kinds see [`crate::Follower::take_back_own_account_entry`], which knows the log as it was before.
    pub fn take_back(&mut self, entry: &Signed<AccountEntry>) -> Result<DeviceCard, AccountLogError> {
        let AccountEntry { seq, previous, body, .. } = entry.unverified();
        let AccountBody::AddDevice { device } = body else { return Err(AccountLogError::BadEntry) };
        if entry.hash() != self.head || *seq != self.entries || self.devices.last() != Some(device) {
            return Err(AccountLogError::StaleHead);
        }
        self.devices.pop();
        self.entries = seq.saturating_sub(1);
        self.head = *previous;
        Ok(device.clone())
    }
}

/// Whether an entry of this signer is under a recovery key.
fn is_of_no_device(signer: DeviceId) -> bool {
    signer == RECOVERY_SIGNER || signer == HELPERS_SIGNER
}
