//! How far an envelope has got, said only as far as it is signed for: *on this device*, *stored*, *received*.

use mecum_seal::DeviceId;

use super::again::note;
use super::{FollowError, Followed, Follower};
use crate::chain::Chain;
use crate::controls::holds;
use crate::frames::{SyncRequest, SyncResponse};
use crate::receipt::Receipt;
use crate::statement::Statement;

/// The furthest that is known of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Only this device is known to hold it.
    OnDevice,
    /// The relay signed that it is stored.
    Stored {
        /// When, by the relay's clock, in ms since the epoch; none where only the relay's order says so.
        at_ms: Option<i64>,
    },
    /// A statement of another device than the author's covers it.
    Received {
        /// One such device: the first in order.
        by: DeviceId,
    },
}

impl Follower {
    /// Checks an answer as a whole and takes its receipts in. Call it before its items; on an error nothing is changed.
    pub fn check_response(
        &mut self,
        request: &SyncRequest,
        response: &SyncResponse,
    ) -> Result<(), FollowError> {
        let fits = response.account_outcomes.len() == request.account_entries.len()
            && response.space_outcomes.len() == request.space_entries.len()
            && response.push_outcomes.len() == request.pushes.len()
            && response.snapshot_outcomes.len() == request.snapshots.len()
            && response.verified_outcomes().len() == request.verified().len()
            && (response.handed.is_none() || response.handed_outcomes().len() == request.handed().len())
            && response.cursor >= request.cursor
            && request.cursor == self.cursor
            && (!response.more || !response.items.is_empty());
        if !holds("answer-fits", fits) {
            return Err(FollowError::BadAnswer);
        }
        let Some(signed) = &response.receipts else {
            self.turn_page(response.more);
            return Ok(());
        };
        let relay = self.relay.ok_or(FollowError::BadRelaySignature)?;
        let receipts = &signed.verify(&relay).map_err(|_| FollowError::BadRelaySignature)?.receipts;
        // A receipt must be about a statement of this very request: an old one proves nothing about this push.
        let asked = |r: &Receipt| {
            request.pushes.iter().any(|push| {
                let s = push.statement.unverified();
                s.chain() == r.chain && s.envelope_seq == r.envelope_seq && s.last == r.last
            })
        };
        if !holds("receipt-subject", receipts.iter().all(asked)) {
            return Err(FollowError::BadAnswer);
        }
        for receipt in receipts {
            self.note_stored(receipt);
        }
        self.turn_page(response.more);
        Ok(())
    }

    /// Says that all items before `cursor` were accepted: the next request asks from there.
    pub fn advance(&mut self, cursor: u64) {
        self.cursor = self.cursor.max(cursor);
    }

    fn note_stored(&mut self, receipt: &Receipt) {
        let Some(followed) = self.spaces.get_mut(&receipt.chain.space) else { return };
        let marks = followed.stored.entry((receipt.chain.device, receipt.chain.incarnation)).or_default();
        note(marks, receipt.envelope_seq, receipt.stored_at_ms);
    }

    /// How far the envelope `envelope_seq` of `chain` has got.
    pub fn receipt_level(&self, chain: &Chain, envelope_seq: u64) -> Level {
        let Some(followed) = self.spaces.get(&chain.space) else { return Level::OnDevice };
        let holder = holders(followed, chain, envelope_seq).next();
        let name = (chain.device, chain.incarnation);
        let shown = followed.heads.get(&name).is_some_and(|head| head.envelope_seq >= envelope_seq);
        if let Some(by) = holder {
            return Level::Received { by };
        }
        if shown && chain.device != self.device {
            // It came from the author through the relay, and it is here.
            return Level::Received { by: self.device };
        }
        let mark = followed
            .stored
            .get(&name)
            .and_then(|marks| marks.iter().find(|(seq, _)| *seq >= envelope_seq).map(|(_, at_ms)| *at_ms));
        match mark {
            Some(at_ms) => Level::Stored { at_ms: Some(at_ms) },
            None if shown => Level::Stored { at_ms: None },
            None => Level::OnDevice,
        }
    }

    /// Whether a device of whom is asked about has said that it has the envelope `envelope_seq` of `chain`: not any other device of the
    /// author's, but somebody that it was written to.
    pub fn is_held_by(&self, chain: &Chain, envelope_seq: u64, of: impl Fn(DeviceId) -> bool) -> bool {
        let followed = self.spaces.get(&chain.space);
        followed.is_some_and(|followed| holders(followed, chain, envelope_seq).any(of))
    }
}

/// The devices beside the author's that have stated that they have an envelope, in order.
fn holders(followed: &Followed, chain: &Chain, envelope_seq: u64) -> impl Iterator<Item = DeviceId> {
    let has = move |s: &&Statement| {
        s.device != chain.device
            && s.received.iter().any(|r| {
                r.device == chain.device
                    && r.incarnation == chain.incarnation
                    && r.envelope_seq >= envelope_seq
            })
    };
    followed.statements.values().filter(has).map(|s| s.device)
}
