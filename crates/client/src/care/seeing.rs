//! What a person of one side has seen of the other's: said in an act of its own, which stands with the acts that it names and is none of
//! them.

use std::collections::{BTreeMap, BTreeSet};

use mecum_api::ReceiptState;
use mecum_documents::{CareAct, MAX_SEEN, StoredAct};
use mecum_domain::{ActKey, Author, ThreadId};
use mecum_seal::SpaceId;

use super::acting::{FoundAct, acts_of, first_of};
use super::saying::After;
use super::talks::CareSpace;
use crate::error::SessionError;
use crate::session::Session;

/// That somebody of the other side has seen an act, as their device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBy {
    /// When, by that device's clock, ms since the epoch.
    pub at_ms: i64,
    /// Who, and in what part.
    pub author: Author,
}

/// The acts, each with who of the other side said first to have seen it. Nobody says so of their own side, of another conversation, or of
/// what they have seen themselves.
pub(super) fn say_seen(mut found: BTreeMap<ActKey, FoundAct>) -> Vec<FoundAct> {
    let seen = found.extract_if(.., |_, one| matches!(one.stored.what, CareAct::Seen { .. }));
    let mut seen: Vec<FoundAct> = seen.map(|(_, one)| one).collect();
    // The clock is that of whoever says it: of two with one time the lower id is as good as the other.
    seen.sort_by_key(|one| (one.stored.at_ms, one.key));
    for FoundAct { key: by, thread, author, stored, .. } in seen {
        let StoredAct { at_ms, what: CareAct::Seen { acts }, .. } = stored else { continue };
        for key in acts {
            let named = found.get_mut(&key).filter(|one| one.thread == thread && key.side != by.side);
            if let Some(one) = named {
                one.seen.get_or_insert_with(|| SeenBy { at_ms, author: author.clone() });
            }
        }
    }
    found.into_values().collect()
}

impl Session {
    /// How far an act has got. *Received* is said once a device of the other side has it: that the own laptop has it tells nobody that
    /// the hospital does. `heard` are the acts that somebody there knew of.
    pub(crate) fn receipt_of_act(
        &self,
        space: &CareSpace,
        act: &FoundAct,
        heard: &BTreeSet<ActKey>,
    ) -> ReceiptState {
        if act.key.side != space.side || act.seen.is_some() || heard.contains(&act.key) {
            return ReceiptState::Received;
        }
        // What another device of this side wrote came from the server.
        let Some(device) = act.device.filter(|device| *device == self.identity.device) else {
            return ReceiptState::Sent;
        };
        let care = self.spaces.get(&space.space).and_then(|state| state.care.as_ref());
        let is_other = |device| {
            let account = self.follower.account_of(device);
            account.zip(care).is_some_and(|(account, care)| care.side_of(account) != space.side)
        };
        let chain = self.own_chain(space.space);
        match self.receipt_by(device, space.space, act.own_seq) {
            ReceiptState::Device => ReceiptState::Device,
            _ if act.own_seq > 0 && self.follower.is_held_by(&chain, act.own_seq, is_other) => {
                ReceiptState::Received
            }
            _ => ReceiptState::Sent,
        }
    }

    /// Says that a person has seen what the other side did in a conversation, durably here: one act, of what was `shown` and is not said
    /// to be seen yet. Where there is nothing, nothing is written. To be called when somebody opens a conversation, and not by a
    /// program. Of more than [`MAX_SEEN`] it names the newest; the others are named when it is opened again. `by` as in
    /// [`Session::care_act`].
    ///
    /// # Errors
    /// As for [`Session::care_act`].
    pub fn care_seen(
        &mut self,
        space: SpaceId,
        thread: ThreadId,
        shown: After,
        by: &str,
    ) -> Result<Option<ActKey>, SessionError> {
        let (side, _) = self.speaks_in(space, by)?;
        let found = self.acts_in(space)?;
        let first = first_of(&found, thread)?;
        let acts = acts_of(&found, thread, |act| first.is_of_form(act).then_some(act));
        let here: Vec<ActKey> = acts.iter().map(|(_, act)| act.key()).collect();
        let shown = match shown {
            After::Everything => here.iter().copied().collect(),
            After::Shown(newest) => acts.up_to(newest),
        };
        let unseen = found.iter().filter(|one| one.key.side != side && one.seen.is_none());
        let unseen: BTreeSet<ActKey> = unseen.map(|one| one.key).collect();
        let named = here.into_iter().filter(|key| unseen.contains(key) && shown.contains(key));
        let mut acts: Vec<ActKey> = named.collect();
        acts.drain(..acts.len().saturating_sub(MAX_SEEN));
        if acts.is_empty() {
            return Ok(None);
        }
        acts.sort_unstable();
        let (at_ms, by) = (self.now_ms(), by.to_owned());
        let what = CareAct::Seen { acts };
        let act = StoredAct { thread, lamport: 0, at_ms, after: Vec::new(), by, what };
        self.keep_act(space, side, &act).map(Some)
    }
}
