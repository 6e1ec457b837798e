//! Where envelopes were pruned and a snapshot stands for them: judging one that is stored, and passing over a space whose
//! snapshot cannot be believed and whose envelopes are gone.

use mecum_seal::{DeviceId, Envelope, IncarnationId, SpaceId};

use super::{Accepted, FollowError, Follower};
use crate::chain::{Chain, ChainHead};
use crate::frames::Item;
use crate::push::PushError;
use crate::signed::Signed;
use crate::snapshot::StoredSnapshot;
use crate::statement::Statement;

impl Follower {
    /// Judges a stored snapshot as if a device began from it, and against what is here: everything that it covers was shown here,
    /// and where a chain ends in it and here, it is the same link. Answers the parts and who stated what; what is sealed is for the
    /// holder of the keys to check.
    ///
    /// # Errors
    /// [`FollowError::SnapshotBeyond`] if it covers more than is here: then nothing can be said of it yet.
    pub fn verify_stored<'s>(
        &self,
        stored: &'s StoredSnapshot,
    ) -> Result<(Vec<Envelope>, Vec<&'s Statement>), FollowError> {
        let claimed = stored.snapshot.signed.unverified();
        let followed = self.spaces.get(&claimed.space).ok_or(FollowError::UnknownSpace)?;
        if claimed.space_seq >= followed.next_space_seq || followed.held.is_some() || followed.aside.is_some()
        {
            return Err(FollowError::SnapshotBeyond);
        }
        for chain in &claimed.chains {
            let here = followed.heads.get(&(chain.device, chain.incarnation));
            let here = here.copied().unwrap_or(ChainHead::EMPTY);
            if here.envelope_seq < chain.head.envelope_seq
                || here.envelope_seq == chain.head.envelope_seq && here.hash != chain.head.hash
            {
                return Err(FollowError::Fork);
            }
        }
        let parts = self.verify_snapshot(followed, &stored.snapshot, &stored.statements)?;
        Ok((parts, stored.statements.iter().map(Signed::unverified).collect()))
    }

    /// Passes over the envelopes of a space from here on: the snapshot that stands for its pruned past cannot be believed, and
    /// nothing else can be fetched. Its membership log and the own chain go on being followed, so that own words still go out.
    /// [`Follower::start_over`] ends it.
    pub fn set_aside(&mut self, space: SpaceId) {
        if let Some(followed) = self.spaces.get_mut(&space) {
            followed.aside = Some(true);
        }
    }

    /// The spaces that are passed over.
    pub fn aside(&self) -> impl Iterator<Item = SpaceId> + '_ {
        self.spaces.iter().filter(|(_, followed)| followed.aside.is_some()).map(|(space, _)| *space)
    }

    /// Forgets how far the chains of a space had been shown, after [`Follower::start_over`]: its documents are built anew from
    /// what is shown again.
    pub fn forget_held(&mut self, space: SpaceId) {
        if let Some(held) = self.spaces.get_mut(&space).and_then(|followed| followed.held.as_mut()) {
            held.heads.clear();
        }
    }

    /// What becomes of an item of a space that is passed over; none if it is of another, or goes its way all the same.
    pub(super) fn pass_aside(&mut self, item: &Item) -> Result<Option<Accepted>, FollowError> {
        let space = match item {
            Item::Batch { push, .. } => push.space(),
            Item::Own { statement, .. } => statement.unverified().space,
            Item::Snapshot { snapshot, .. } => snapshot.space(),
            Item::AccountEntry(_)
            | Item::SpaceEntry { .. }
            | Item::Confirmed(_)
            | Item::SnapshotStored { .. } => return Ok(None),
        };
        if self.spaces.get(&space).is_none_or(|followed| followed.aside.is_none()) {
            return Ok(None);
        }
        match item {
            Item::Own { statement, .. } => self.own_aside(statement).map(Some),
            _ => Ok(Some(Accepted::Unexpected)),
        }
    }

    /// How far the own chain is stored in a space that is passed over.
    fn own_aside(&mut self, signed: &Signed<Statement>) -> Result<Accepted, FollowError> {
        let chain: Chain = signed.unverified().chain();
        let name: (DeviceId, IncarnationId) = (chain.device, chain.incarnation);
        if name != (self.device, self.incarnation) {
            return Err(FollowError::UnknownDevice);
        }
        let key = self.key_of(self.account, chain.device)?;
        let statement = signed.verify(&key).map_err(|_| FollowError::Push(PushError::BadSignature))?;
        let followed = self.followed_mut(chain.space)?;
        let before = followed.heads.get(&name).copied().unwrap_or(ChainHead::EMPTY);
        if statement.envelope_seq <= before.envelope_seq {
            return Ok(Accepted::Known);
        }
        let head = ChainHead { envelope_seq: statement.envelope_seq, hash: statement.last, ..before };
        followed.heads.insert(name, head);
        followed.shown_again();
        Ok(Accepted::Own { chain, head })
    }
}
