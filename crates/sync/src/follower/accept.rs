//! Taking in one item: everything is checked first, and only then is anything changed.

use mecum_seal::{AccountId, DeviceId, Envelope, SpaceId};

use super::{FollowError, Followed, Follower};
use crate::account_log::{AccountEntry, AccountLog};
use crate::chain::{Chain, ChainHead};
use crate::controls::{holds, is_out};
use crate::frames::{Item, Push};
use crate::push::{self, EpochRule};
use crate::receipt::Countersign;
use crate::signed::Signed;
use crate::snapshot::{SnapshotBody, SpaceSnapshot, verify_snapshot, verify_statements};
use crate::space_log::{SpaceEntry, SpaceLog, Void};
use crate::statement::{Progress, Statement};

/// What an accepted item means for the client.
#[derive(Clone, Debug)]
pub enum Accepted {
    /// Seen before (after starting again from cursor zero): nothing to do.
    Known,
    /// Of a space or an account that nobody here asked for: passed over, and nothing was changed. Should the person accept the
    /// invitation to it, it is asked for again ([`Follower::expect_space`]).
    Unexpected,
    /// The account's log went on: devices may have changed.
    Account,
    /// The log of an account that shares a space with this one went on.
    OtherAccount {
        /// Which.
        account: AccountId,
    },
    /// A space's membership log went on; the entry holds wraps and what is sealed. It may be the one that ends this account's
    /// own stay ([`Follower::role`] is none then).
    Space {
        /// The space.
        space: SpaceId,
        /// Whether this device had made the entry itself.
        own: bool,
        /// The entry, verified.
        entry: Box<SpaceEntry>,
        /// What of the chains that are here counts for nothing from now on: to be taken out by replay.
        void: Vec<Void>,
    },
    /// Envelopes of another chain, verified up to their seals: open, check and store them, in order.
    Envelopes {
        /// The chain.
        chain: Chain,
        /// The `space_seq` of the first.
        first_space_seq: u64,
        /// Each with its exact bytes.
        envelopes: Vec<(Envelope, Vec<u8>)>,
        /// For each, whether it lies beyond a cut: a link of its chain, to be stored, and never to be applied.
        void: Vec<bool>,
    },
    /// A statement that brought no envelopes: acknowledgements may have moved.
    Acknowledged {
        /// The space.
        space: SpaceId,
        /// Who acknowledged.
        by: DeviceId,
    },
    /// A space begins here, verified up to what is sealed: open the parts and check each chain's heads record before anything of
    /// it is believed.
    Snapshot {
        /// What its maker signed.
        body: Box<SnapshotBody>,
        /// The parts.
        parts: Vec<Envelope>,
    },
    /// The relay has a snapshot of a space up to here.
    SnapshotStored {
        /// The space.
        space: SpaceId,
        /// What it covers.
        space_seq: u64,
    },
    /// The relay has this device's own chain up to here. If the vault has less, or another hash at this place, it was
    /// rolled back or cloned: begin a new incarnation before writing.
    Own {
        /// The chain.
        chain: Chain,
        /// Where it stands at the relay.
        head: ChainHead,
    },
}

impl Follower {
    /// Verifies `item` and takes it in. On an error nothing is changed.
    pub fn accept(&mut self, item: &Item) -> Result<Accepted, FollowError> {
        if self.is_passed_over(item) {
            return Ok(Accepted::Unexpected);
        }
        if let Some(passed) = self.pass_aside(item)? {
            return Ok(passed);
        }
        match item {
            Item::AccountEntry(entry) => self.accept_account_entry(entry),
            Item::SpaceEntry { entry, countersign } => self.accept_space_entry(entry, countersign),
            Item::Batch { first_space_seq, push } => self.accept_batch(*first_space_seq, push),
            Item::Own { first_space_seq, count, statement } => {
                self.accept_own(*first_space_seq, *count, statement)
            }
            Item::Snapshot { snapshot, statements } => self.accept_snapshot(snapshot, statements),
            Item::SnapshotStored { space, space_seq } => {
                Ok(Accepted::SnapshotStored { space: *space, space_seq: *space_seq })
            }
            // The entry is in the request: see `SyncResponse::whole`.
            Item::Confirmed(_) => Err(FollowError::BadAnswer),
        }
    }

    fn accept_account_entry(&mut self, entry: &Signed<AccountEntry>) -> Result<Accepted, FollowError> {
        let seq = entry.unverified().seq;
        if entry.unverified().account != self.account && self.account_log.is_some() {
            return self.accept_other_account_entry(entry);
        }
        if let Some(log) = &mut self.account_log {
            if seq <= self.confirmed_account_entries {
                return Ok(Accepted::Known);
            }
            if !holds("account-gap", seq == self.confirmed_account_entries.saturating_add(1)) {
                return Err(FollowError::Gap);
            }
            if seq > log.entries() {
                log.append(entry).map_err(FollowError::AccountLog)?;
            } else if !holds("account-fork", seq != log.entries() || entry.hash() == log.head())
                || !holds("account-fork", seq != 1 || entry.hash() == log.genesis())
            {
                return Err(FollowError::Fork);
            }
        } else {
            let pinned = entry.hash() == self.genesis && entry.unverified().account == self.account;
            if !holds("account-genesis", pinned) {
                return Err(FollowError::OtherGenesis);
            }
            self.account_log = Some(AccountLog::found(entry).map_err(FollowError::AccountLog)?);
        }
        self.confirmed_account_entries = seq;
        let again = self.held_account_entries.is_some_and(|held| seq <= held);
        self.held_account_entries = self.held_account_entries.filter(|held| *held > seq);
        self.shown_up_to(seq);
        if let Some(log) = self.account_log.clone() {
            self.close_removed(&log, seq);
        }
        Ok(if again { Accepted::Known } else { Accepted::Account })
    }

    pub(super) fn check_space_genesis(&self, entry: &Signed<SpaceEntry>) -> Result<SpaceLog, FollowError> {
        let unverified = entry.unverified();
        let signer = self.key_of(unverified.account, unverified.device)?;
        let log = SpaceLog::found(entry, &signer).map_err(FollowError::SpaceLog)?;
        if log.relay().is_some_and(|home| Some(home) != self.relay.as_ref()) {
            return Err(FollowError::WrongRelay);
        }
        Ok(log)
    }

    fn accept_space_entry(
        &mut self,
        entry: &Signed<SpaceEntry>,
        countersign: &Signed<Countersign>,
    ) -> Result<Accepted, FollowError> {
        let relay = self.relay.ok_or(FollowError::BadRelaySignature)?;
        let placed = countersign.verify(&relay).map_err(|_| FollowError::BadRelaySignature)?;
        let SpaceEntry { space, seq, .. } = *entry.unverified();
        let about_it = placed.space == space && placed.seq == seq && placed.entry == entry.hash();
        if !holds("countersign-subject", about_it) {
            return Err(FollowError::BadRelaySignature);
        }
        let Some(followed) = self.spaces.get(&space) else {
            if seq == 1 && self.pass_over(space, entry.unverified().account) {
                return Ok(Accepted::Unexpected);
            }
            // A section that a removed device founds is nobody's: what is written goes into the section with the lowest id.
            let upheld =
                self.account_log().and_then(|log| log.signs(entry.unverified().device, &entry.hash()));
            if upheld.is_none() && self.was_removed_before(entry.unverified()) && !is_out("removed-founder") {
                self.pass_space(space);
                return Ok(Accepted::Unexpected);
            }
            let log = self.check_space_genesis(entry)?;
            if placed.space_seq != 0 {
                return Err(FollowError::Gap);
            }
            let followed = Followed { confirmed_entries: 1, ..Followed::new(log) };
            self.spaces.insert(space, followed);
            let entry = Box::new(entry.unverified().clone());
            return Ok(Accepted::Space { space, own: false, entry, void: Vec::new() });
        };
        if let Some(known) = followed.log.head_at(seq) {
            if !holds("space-entry-fork", known == entry.hash()) {
                return Err(FollowError::Fork);
            }
            if seq <= followed.confirmed_entries {
                return Ok(Accepted::Known);
            }
            // Ahead is no gap yet: a snapshot may stand for what is between, or this account's stay may end here. See `missing`.
            if placed.space_seq.saturating_add(1) < followed.next_space_seq {
                return Err(FollowError::Gap);
            }
            let again = seq <= followed.ever_confirmed();
            let followed = self.followed_mut(space)?;
            followed.placed(seq, placed.space_seq);
            followed.shown_again();
            self.note_end(space);
            if again {
                return Ok(Accepted::Known);
            }
            let entry = Box::new(entry.unverified().clone());
            return Ok(Accepted::Space { space, own: true, entry, void: Vec::new() });
        }
        if placed.space_seq.saturating_add(1) < followed.next_space_seq {
            return Err(FollowError::Gap);
        }
        self.append_space_entry(entry, placed)
    }

    fn accept_batch(&mut self, first_space_seq: u64, push: &Push) -> Result<Accepted, FollowError> {
        let statement = push.statement.unverified();
        let chain = statement.chain();
        let name = (chain.device, chain.incarnation);
        let followed = self.spaces.get(&chain.space).ok_or(FollowError::UnknownSpace)?;
        let (account, signer) = self.writer(followed, statement)?;
        let count = push.envelopes.len() as u64;
        let head = followed.heads.get(&name).copied().unwrap_or(ChainHead::EMPTY);
        Self::check_push_open(followed, account, push, head)?;
        if is_known(followed, first_space_seq, count)? {
            push::verify_statement(push, &signer)?;
            if count > 0 {
                return known_links(head, statement);
            }
        }
        if count == 0 && statement.envelope_seq < head.envelope_seq {
            return Ok(Accepted::Known);
        }
        let verified =
            push::verify_push(&followed.log, account, &signer, head, push, EpochRule::UpToCurrent)?;
        check_statement(followed, statement)?;
        // By chain, not by place: a relay that was restored may order anew what it had lost.
        let held = followed.held_of(name, &verified.envelopes)?;
        let followed = self.followed_mut(chain.space)?;
        followed.next_space_seq = followed.next_space_seq.saturating_add(count);
        if count > 0 {
            followed.heads.insert(name, verified.head);
        }
        followed.shown_again();
        keep_statement(followed, statement);
        if count == 0 {
            return Ok(Accepted::Acknowledged { space: chain.space, by: chain.device });
        }
        if held == verified.envelopes.len() {
            return Ok(Accepted::Known);
        }
        let first_space_seq = first_space_seq.saturating_add(held as u64);
        let envelopes =
            verified.envelopes.into_iter().zip(push.envelopes.iter().cloned()).skip(held).collect();
        let void = verified.void.into_iter().skip(held).collect();
        Ok(Accepted::Envelopes { chain, first_space_seq, envelopes, void })
    }

    fn accept_snapshot(
        &mut self,
        snapshot: &SpaceSnapshot,
        statements: &[Signed<Statement>],
    ) -> Result<Accepted, FollowError> {
        let claimed = snapshot.signed.unverified();
        let followed = self.spaces.get(&claimed.space).ok_or(FollowError::UnknownSpace)?;
        if claimed.space_seq < followed.next_space_seq {
            return Ok(Accepted::Known);
        }
        if followed.next_space_seq > 1 || !followed.heads.is_empty() {
            return Err(FollowError::SnapshotBeyond);
        }
        // Reading again, over what was pruned: the links that are held may go on beyond it, and where both end they are one.
        if followed.held.as_ref().is_some_and(|held| !held.agrees_with(claimed)) {
            return Err(FollowError::Fork);
        }
        let parts = self.verify_snapshot(followed, snapshot, statements)?;
        let mut next = followed.clone();
        next.next_space_seq = claimed.space_seq.saturating_add(1);
        for chain in &claimed.chains {
            next.heads.insert((chain.device, chain.incarnation), chain.head);
        }
        for signed in statements {
            let statement = signed.unverified();
            check_statement(&next, statement)?;
            next.statements.insert((statement.device, statement.incarnation), statement.clone());
        }
        next.shown_again();
        *self.followed_mut(claimed.space)? = next;
        Ok(Accepted::Snapshot { body: Box::new(claimed.clone()), parts })
    }

    /// The rules for a snapshot and its statements, whoever made it.
    pub(super) fn verify_snapshot(
        &self,
        followed: &Followed,
        snapshot: &SpaceSnapshot,
        statements: &[Signed<Statement>],
    ) -> Result<Vec<Envelope>, FollowError> {
        let claimed = snapshot.signed.unverified();
        let (account, maker) = self.known_device(claimed.device).ok_or(FollowError::UnknownDevice)?;
        let parts = verify_snapshot(&followed.log, account, &maker.card.signing, snapshot)?;
        // Whoever once was a member, and devices that were removed since: what they wrote in their time is in it.
        let key = |device| {
            let (account, known) = self.known_device(device)?;
            followed.log.ever(account).then_some(known.card.signing)
        };
        verify_statements(claimed, statements, key)?;
        Ok(parts)
    }

    fn accept_own(
        &mut self,
        first_space_seq: u64,
        count: u64,
        signed: &Signed<Statement>,
    ) -> Result<Accepted, FollowError> {
        let statement = signed.unverified();
        let chain = statement.chain();
        let name = (chain.device, chain.incarnation);
        if !holds("own-chain", name == (self.device, self.incarnation)) {
            return Err(FollowError::UnknownDevice);
        }
        let key = self.key_of(self.account, chain.device)?;
        signed.verify(&key).map_err(|_| FollowError::Push(push::PushError::BadSignature))?;
        let followed = self.spaces.get(&chain.space).ok_or(FollowError::UnknownSpace)?;
        let head = followed.heads.get(&name).copied().unwrap_or(ChainHead::EMPTY);
        if is_known(followed, first_space_seq, count)? && count > 0 {
            return known_links(head, statement);
        }
        if count == 0 && statement.envelope_seq < head.envelope_seq {
            return Ok(Accepted::Known);
        }
        if !holds("own-count", head.envelope_seq.checked_add(count) == Some(statement.envelope_seq)) {
            return Err(FollowError::Gap);
        }
        if count == 0 && statement.last != head.hash {
            return Err(FollowError::Fork);
        }
        check_statement(followed, statement)?;
        let followed = self.followed_mut(chain.space)?;
        // The membership number of own envelopes is what the device itself wrote: it has nothing to check here.
        let head = ChainHead {
            envelope_seq: statement.envelope_seq,
            hash: statement.last,
            membership_seq: head.membership_seq,
        };
        followed.next_space_seq = followed.next_space_seq.saturating_add(count);
        if count > 0 {
            followed.heads.insert(name, head);
        }
        followed.shown_again();
        keep_statement(followed, statement);
        Ok(Accepted::Own { chain, head })
    }

    pub(super) fn followed_mut(&mut self, space: SpaceId) -> Result<&mut Followed, FollowError> {
        self.spaces.get_mut(&space).ok_or(FollowError::UnknownSpace)
    }
}

/// Whether these places of the space's order were passed already; an error if they leave a gap or overlap the end.
fn is_known(followed: &Followed, first_space_seq: u64, count: u64) -> Result<bool, FollowError> {
    let end = first_space_seq.checked_add(count).ok_or(FollowError::Gap)?;
    if followed.confirmed_entries == 0 || first_space_seq == 0 {
        return Err(FollowError::Gap);
    }
    if first_space_seq == followed.next_space_seq {
        return Ok(false);
    }
    if first_space_seq > followed.next_space_seq {
        return if is_out("space-gap") { Ok(false) } else { Err(FollowError::Gap) };
    }
    if end <= followed.next_space_seq {
        return Ok(true);
    }
    if is_out("space-overlap") { Ok(false) } else { Err(FollowError::Fork) }
}

/// Envelopes at places that were passed are known only if their chain has them: else something new is being passed off as old, and
/// would never be seen.
fn known_links(head: ChainHead, statement: &Statement) -> Result<Accepted, FollowError> {
    let here = statement.envelope_seq < head.envelope_seq
        || statement.envelope_seq == head.envelope_seq && statement.last == head.hash;
    if holds("known-links", here) { Ok(Accepted::Known) } else { Err(FollowError::Fork) }
}

/// A statement may not take anything back, and may not acknowledge what was never shown here.
fn check_statement(followed: &Followed, statement: &Statement) -> Result<(), FollowError> {
    if let Some(earlier) = followed.statements.get(&(statement.device, statement.incarnation))
        && statement.progress_since(earlier) == Progress::Contradicts
        && !is_out("statement-regression")
    {
        return Err(FollowError::StatementRegression);
    }
    for received in &statement.received {
        let head =
            followed.heads.get(&(received.device, received.incarnation)).copied().unwrap_or(ChainHead::EMPTY);
        let shown = received.envelope_seq < head.envelope_seq
            || received.envelope_seq == head.envelope_seq && received.last == head.hash;
        if !holds("withheld", shown) {
            return Err(FollowError::Withheld);
        }
    }
    Ok(())
}

fn keep_statement(followed: &mut Followed, statement: &Statement) {
    let name = (statement.device, statement.incarnation);
    let newer = followed
        .statements
        .get(&name)
        .is_none_or(|earlier| statement.progress_since(earlier) == Progress::Newer);
    if newer {
        followed.statements.insert(name, statement.clone());
    }
}
