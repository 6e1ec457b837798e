//! The rules of a membership log: who may write which entry, and what it changes. Everything is checked first, and only then is
//! anything changed.

use mecum_seal::{AccountId, DeviceId, DocumentId, Hash32, VerifyingKey};

use super::{
    Cut, CutSet, Later, Member, NewEpoch, Replaced, Role, SpaceBody, SpaceEntry, SpaceLog, SpaceLogError,
    Stay, Wrap,
};
use crate::controls::holds;
use crate::limits::{MAX_MEMBERS, MAX_SPACE_LOG};
use crate::signed::Signed;
use crate::snapshot::FoldedChain;

type Checked = Result<(), SpaceLogError>;

impl SpaceLog {
    /// Verifies the first entry of a log, whose signing device has the key `signer`, and begins with it.
    pub fn found(entry: &Signed<SpaceEntry>, signer: &VerifyingKey) -> Result<Self, SpaceLogError> {
        let verified = entry.verify(signer).map_err(|_| SpaceLogError::BadSignature)?;
        let SpaceBody::Genesis { owner, relay, epoch, wraps, .. } = &verified.body else {
            return Err(SpaceLogError::BadEntry);
        };
        let wrapped_to_owner = matches!(wraps.as_slice(), [only] if only.account == *owner);
        let rules = verified.seq == 1
            && verified.previous == Hash32::ZERO
            && verified.account == *owner
            && *epoch == 1
            && wrapped_to_owner;
        if !rules {
            return Err(SpaceLogError::BadEntry);
        }
        Ok(Self {
            space: verified.space,
            owner: *owner,
            relay: *relay,
            epoch: *epoch,
            heads: vec![entry.hash()],
            members: vec![Member { account: *owner, role: Role::Manager, since: 1, genesis: None }],
            later: None,
        })
    }

    /// Verifies `entry`, whose signing device has the key `signer`, and takes it in. On an error nothing is changed. Whose
    /// devices the cuts name is for [`SpaceLog::check_cuts`].
    pub fn append(&mut self, entry: &Signed<SpaceEntry>, signer: &VerifyingKey) -> Result<(), SpaceLogError> {
        let unverified = entry.unverified();
        if unverified.space != self.space {
            return Err(SpaceLogError::OtherSpace);
        }
        let next = unverified.seq == self.entries().saturating_add(1) && unverified.previous == self.head();
        if !holds("space-link", next) {
            return Err(SpaceLogError::StaleHead);
        }
        self.check_actor(unverified.account, &unverified.body)?;
        let verified = entry.verify(signer).map_err(|_| SpaceLogError::BadSignature)?;
        if self.heads.len() >= MAX_SPACE_LOG {
            return Err(SpaceLogError::Full);
        }
        self.apply(verified)?;
        self.heads.push(entry.hash());
        Ok(())
    }

    fn check_actor(&self, account: AccountId, body: &SpaceBody) -> Checked {
        let role = self.role(account);
        match body {
            SpaceBody::Leave { .. } if role.is_some() => Ok(()),
            SpaceBody::Epoch { .. } if role.is_some_and(Role::may_write) => Ok(()),
            SpaceBody::Leave { .. } | SpaceBody::Epoch { .. } => Err(SpaceLogError::NotWriter),
            _ if holds("space-actor", role == Some(Role::Manager)) => Ok(()),
            _ => Err(SpaceLogError::NotManager),
        }
    }

    fn apply(&mut self, entry: &SpaceEntry) -> Checked {
        let (seq, actor) = (entry.seq, entry.account);
        match &entry.body {
            SpaceBody::Genesis { .. } => Err(SpaceLogError::BadEntry),
            SpaceBody::Grant { member, genesis, role, wraps, .. } => {
                check_wraps(wraps, [*member])?;
                self.grant(Member { account: *member, role: *role, since: seq, genesis: Some(*genesis) })
            }
            SpaceBody::Remove { member, cuts, next, .. } => {
                if *member == actor && *member != self.owner {
                    // Who goes must not choose the key that those who stay use.
                    return Err(SpaceLogError::BadEntry);
                }
                self.check_end(*member)?;
                check_order(cuts)?;
                self.check_epoch(next, Some(*member))?;
                self.end(*member, seq);
                self.begin(next, seq);
                self.cut(seq, *member, true, cuts);
                Ok(())
            }
            SpaceBody::Leave { cuts } => {
                self.check_end(actor)?;
                check_order(cuts)?;
                self.end(actor, seq);
                self.cut(seq, actor, true, cuts);
                self.later_mut().leaves.push(seq);
                Ok(())
            }
            SpaceBody::Epoch { next, cuts } => {
                check_order(cuts)?;
                self.check_epoch(next, None)?;
                self.begin(next, seq);
                if !cuts.is_empty() {
                    self.cut(seq, actor, false, cuts);
                }
                Ok(())
            }
            SpaceBody::Replace { document, by, chains, .. } => {
                self.check_replacement(*document, *by, chains)?;
                self.later_mut().replaced.push(Replaced { document: *document, by: *by, entry: seq });
                Ok(())
            }
        }
    }

    /// Lets somebody in, or raises their role.
    fn grant(&mut self, granted: Member) -> Checked {
        if let Some(genesis) = self.genesis_of(granted.account)
            && granted.genesis != Some(genesis)
        {
            return Err(SpaceLogError::OtherGenesis);
        }
        let Some(at) = self.members.iter().position(|m| m.account == granted.account) else {
            if self.members.len() >= MAX_MEMBERS {
                return Err(SpaceLogError::Full);
            }
            self.members.push(granted);
            return Ok(());
        };
        let Some(before) = self.members.get_mut(at) else { return Err(SpaceLogError::NotThere) };
        if granted.role <= before.role {
            return Err(SpaceLogError::NothingMore);
        }
        let Member { account, role, since, genesis } = std::mem::replace(before, granted);
        self.later_mut().ended.push(Stay { account, genesis, role, since, until: Some(granted.since) });
        Ok(())
    }

    fn check_end(&self, member: AccountId) -> Checked {
        if member == self.owner {
            return Err(SpaceLogError::OwnerStays);
        }
        if self.role(member).is_none() { Err(SpaceLogError::NotThere) } else { Ok(()) }
    }

    fn end(&mut self, member: AccountId, seq: u64) {
        let Some(at) = self.members.iter().position(|m| m.account == member) else { return };
        let Member { account, role, since, genesis } = self.members.remove(at);
        self.later_mut().ended.push(Stay { account, genesis, role, since, until: Some(seq) });
    }

    /// The next number, and its key wrapped to everybody but `without`.
    fn check_epoch(&self, next: &NewEpoch, without: Option<AccountId>) -> Checked {
        if Some(next.epoch) != self.epoch.checked_add(1) || next.sealed_previous.is_empty() {
            return Err(SpaceLogError::BadEpoch);
        }
        let stay = self.members.iter().map(|m| m.account).filter(|account| Some(*account) != without);
        check_wraps(&next.wraps, stay)
    }

    fn begin(&mut self, next: &NewEpoch, seq: u64) {
        self.epoch = next.epoch;
        self.later_mut().epochs.push(seq);
    }

    fn cut(&mut self, entry: u64, account: AccountId, ended: bool, cuts: &[Cut]) {
        self.later_mut().cuts.push(CutSet { entry, account, ended, cuts: cuts.to_vec() });
    }

    fn check_replacement(&self, document: DocumentId, by: DocumentId, chains: &[FoldedChain]) -> Checked {
        let is_new = document != by && !self.replaced().iter().any(|r| r.document == by || r.by == by);
        let ascending = chains.is_sorted_by(|a, b| (a.device, a.incarnation) < (b.device, b.incarnation));
        if self.replaced_by(document).is_none() && is_new && ascending {
            Ok(())
        } else {
            Err(SpaceLogError::BadReplacement)
        }
    }

    fn later_mut(&mut self) -> &mut Later {
        self.later.get_or_insert_default()
    }

    /// Checks what the log alone cannot know of an entry's cuts: that every device which they name is one of the account that
    /// the entry is about, and for an epoch that it was removed. `owner` gives a device's account and whether it was removed.
    pub fn check_cuts(
        entry: &SpaceEntry,
        owner: impl Fn(DeviceId) -> Option<(AccountId, bool)>,
    ) -> Result<(), SpaceLogError> {
        let of = match &entry.body {
            SpaceBody::Remove { member, .. } => *member,
            _ => entry.account,
        };
        let removed_only = matches!(entry.body, SpaceBody::Epoch { .. });
        let belongs = |cut: &Cut| {
            owner(cut.device).is_some_and(|(account, removed)| account == of && (removed || !removed_only))
        };
        if entry.body.cuts().iter().all(belongs) { Ok(()) } else { Err(SpaceLogError::BadCuts) }
    }
}

/// Cuts ascend by device and incarnation, and name a hash exactly where something counts.
fn check_order(cuts: &[Cut]) -> Checked {
    let ascending = cuts.is_sorted_by(|a, b| (a.device, a.incarnation) < (b.device, b.incarnation));
    let hashed = cuts.iter().all(|cut| (cut.envelope_seq == 0) == (cut.hash == Hash32::ZERO));
    if ascending && hashed { Ok(()) } else { Err(SpaceLogError::BadCuts) }
}

/// A key is wrapped to exactly these, in this order.
fn check_wraps(wraps: &[Wrap], to: impl IntoIterator<Item = AccountId>) -> Checked {
    let exact = wraps.iter().map(|wrap| wrap.account).eq(to);
    let filled = wraps.iter().all(|wrap| !wrap.bytes.is_empty());
    if exact && filled { Ok(()) } else { Err(SpaceLogError::BadWraps) }
}
