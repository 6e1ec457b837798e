//! Epochs: a new key for everybody who stays, and sealing again what was written under the key before and has not been taken.

use std::ops::RangeInclusive;

use mecum_domain::ChartId;
use mecum_seal::{
    AccountId, DocumentId, DocumentKey, Envelope, EpochKey, Place, SpaceId, derive_key, open_row,
    seal_envelope_seeded, seal_row, wrap_key,
};
use mecum_sync::controls::holds;
use mecum_sync::{Chain, Cut, NewEpoch, Role, SpaceBody, SpaceEntry, Wrap, decode};
use mecum_vault::Table;

use crate::care::may_stand;
use crate::erasing::opened_document;
use crate::error::{SessionError, refused};
use crate::founding::{EPOCH_PURPOSE, epoch_aad};
use crate::members::cutting::Unmade;
use crate::members::earlier::known;
use crate::members::rebasing::keep_used;
use crate::plaintext::{nothing, pack, unpack};
use crate::restored::space_entry_name;
use crate::session::Session;
use crate::space::{DocumentState, SpaceState};
use crate::stage::{Stage, push_name};

const LOG: SessionError = SessionError::Stored { what: "space log" };

pub(super) const PREVIOUS_PURPOSE: &str = "mecum previous epoch v1";

/// The largest log entry that is read back from the vault.
const MAX_ENTRY_BYTES: usize = 1 << 20;

/// The name under which the vault keeps an own envelope that was sealed again. It stays: the log here has the one before, and a server
/// that loses it is offered these bytes.
pub(crate) fn resealed_name(space: SpaceId, seq: u64) -> Vec<u8> {
    [b"resealed".as_slice(), space.as_bytes(), &seq.to_be_bytes()].concat()
}

impl Session {
    /// Refuses to write where this account may not, or may no longer.
    pub(crate) fn check_writable(&self, stage: &Stage, space: SpaceId) -> Result<(), SessionError> {
        let state = self.staged_space(stage, space)?;
        let role = stage.follower.as_ref().unwrap_or(&self.follower).role(space);
        match role {
            _ if state.ended.is_some() => Err(refused("error-share-ended")),
            None => Err(refused("error-share-ended")),
            Some(role) if !role.may_write() => Err(refused("error-read-only")),
            Some(_) => Ok(()),
        }
    }

    /// What seals a document's next envelope. Where somebody left, or a device of this account was removed, a new epoch comes first. In a
    /// document of the other side of a conversation there is none: this is the way by which own words go out. A successor that clears what
    /// was made void goes by another, for it says nothing of its own.
    pub(crate) fn key_to_write(
        &self,
        stage: &mut Stage,
        document: &DocumentState,
    ) -> Result<DocumentKey, SessionError> {
        self.ready_to_write(stage, document.space)?;
        let state = self.staged_space(stage, document.space)?;
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        if !holds("side-own", may_stand(follower, &state, document.side, self.identity.device)) {
            return Err(SessionError::NotAllowed { what: "the other side's document" });
        }
        state.document_key(&document.key, state.epoch).ok_or(SessionError::Envelope)
    }

    /// Makes a space ready for the next own envelope.
    pub(crate) fn ready_to_write(&self, stage: &mut Stage, space: SpaceId) -> Result<(), SessionError> {
        self.check_writable(stage, space)?;
        if self.owes_epoch(stage, space)? {
            self.stage_epoch(stage, space)?;
        }
        Ok(())
    }

    /// Whether nobody may write in a space before there is a new epoch: somebody left, or a device of this account was removed and
    /// has its key.
    pub(super) fn owes_epoch(&self, stage: &Stage, space: SpaceId) -> Result<bool, SessionError> {
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        let log = follower.space_log(space).ok_or(LOG)?;
        let account = follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
        let known = self.staged_space(stage, space)?.removed_devices;
        Ok(log.is_stale() || (account.removed().len() as u64) > known)
    }

    /// Begins an epoch. Its entry is at the server with the next exchange.
    pub(crate) fn stage_epoch(&self, stage: &mut Stage, space: SpaceId) -> Result<(), SessionError> {
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        let account = follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
        let gone: Vec<_> = account.removed().iter().map(|gone| gone.card.device).collect();
        let mut cuts: Vec<Cut> = follower
            .furthest(space)
            .into_iter()
            .filter(|(chain, head)| gone.contains(&chain.device) && head.envelope_seq > 0)
            .map(|(chain, head)| Cut {
                device: chain.device,
                incarnation: chain.incarnation,
                envelope_seq: head.envelope_seq,
                hash: head.hash,
            })
            .collect();
        for cut in &mut cuts {
            let Some(at_ms) = self.chosen_cut(stage, space, cut.device)? else { continue };
            let chain = Chain { space, device: cut.device, incarnation: cut.incarnation };
            match known(self.cut_before(&chain, at_ms))? {
                Some(chosen) => *cut = chosen,
                // When this chain came nobody noted: the section may not stand still for it, and the person is told.
                None => self.note_unmade(stage, Unmade::Undated),
            }
        }
        let removed = gone.len() as u64;
        let (next, key) = self.next_epoch(stage, space, None)?;
        let epoch = next.epoch;
        self.note_if_erased(stage, space, &cuts, |device| gone.contains(&device))?;
        let entry = self.stage_space_entry(stage, space, SpaceBody::Epoch { next, cuts })?;
        self.stage_begun(stage, space, epoch, key)?;
        let mut state = self.staged_space(stage, space)?;
        state.removed_devices = removed;
        stage.spaces.insert(space, state);
        let follower = stage.follower.clone().unwrap_or_else(|| self.follower.clone());
        self.stage_cut(stage, &follower, space, entry)
    }

    /// Goes over to a new epoch of a space.
    pub(super) fn stage_begun(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        epoch: u32,
        key: EpochKey,
    ) -> Result<(), SessionError> {
        let mut state = self.staged_space(stage, space)?;
        state.begin_epoch(epoch, key);
        stage.spaces.insert(space, state);
        Ok(())
    }

    /// The next epoch of a space, wrapped to everybody but `without`.
    pub(super) fn next_epoch(
        &self,
        stage: &Stage,
        space: SpaceId,
        without: Option<AccountId>,
    ) -> Result<(NewEpoch, EpochKey), SessionError> {
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        let log = follower.space_log(space).ok_or(LOG)?;
        let state = self.staged_space(stage, space)?;
        let key = EpochKey::make(self.entropy());
        let epoch = log.epoch() + 1;
        let mut wraps = Vec::new();
        for member in log.members().iter().filter(|member| Some(member.account) != without) {
            let kem = self
                .kem_of_invited(stage, member.account)
                .ok_or(SessionError::NotAllowed { what: "member's log" })?;
            let bytes = wrap_key(&kem, EPOCH_PURPOSE, &epoch_aad(space, epoch), key.expose(), self.entropy())
                .map_err(|_| SessionError::NotAllowed { what: "account key" })?;
            wraps.push(Wrap { account: member.account, bytes });
        }
        let sealed_previous = seal_row(
            &derive_key(&key, PREVIOUS_PURPOSE),
            &epoch_aad(space, epoch),
            state.key.expose(),
            self.entropy(),
        );
        Ok((NewEpoch { epoch, wraps, sealed_previous }, key))
    }

    /// The keys of a space that this account gets with an epoch: the epoch's own, and every one before it, each sealed under the
    /// next in one of the log's first `last` entries. The current one comes first.
    pub(super) fn keys_back_from(
        &self,
        stage: &Stage,
        space: SpaceId,
        last: u64,
        (epoch, key): (u32, EpochKey),
    ) -> Result<Vec<(u32, EpochKey)>, SessionError> {
        let mut keys = vec![(epoch, key)];
        for seq in (2..=last).rev() {
            let Some(entry) = self.kept_entry(stage, space, seq)? else { continue };
            let (SpaceBody::Remove { next, .. } | SpaceBody::Epoch { next, .. }) = entry.body else {
                continue;
            };
            let Some((known, key)) = keys.last() else { break };
            if next.epoch != *known {
                continue;
            }
            let opened = open_row(
                &derive_key(key, PREVIOUS_PURPOSE),
                &epoch_aad(space, next.epoch),
                &next.sealed_previous,
            );
            let Some(before) = opened.ok().and_then(|body| EpochKey::from_slice(&body)) else { break };
            keys.push((next.epoch.saturating_sub(1), before));
        }
        Ok(keys)
    }

    /// An entry of a space's log as it was kept.
    pub(crate) fn kept_entry(
        &self,
        stage: &Stage,
        space: SpaceId,
        seq: u64,
    ) -> Result<Option<SpaceEntry>, SessionError> {
        let name = space_entry_name(space, seq);
        let staged = stage.puts.iter().rev().find(|(table, put, _)| *table == Table::Sync && *put == name);
        let bytes = match staged {
            Some((_, _, body)) => Some(body.clone()),
            None => self.vault.get(Table::Sync, &name)?.map(|body| body.to_vec()),
        };
        let Some(bytes) = bytes else { return Ok(None) };
        let signed: mecum_sync::Signed<SpaceEntry> =
            decode(&bytes, MAX_ENTRY_BYTES).map_err(|_| SessionError::Stored { what: "space entry" })?;
        Ok(Some(signed.unverified().clone()))
    }

    /// Seals again what the server has not taken and would refuse, for its epoch is over or the entry that it was written under was
    /// taken back. The words in it stay the same; what was written here stays in the log here as it was. Says whether anything was.
    pub(crate) fn stage_resealed(&self, stage: &mut Stage) -> Result<bool, SessionError> {
        let mut resealed = false;
        let spaces: Vec<SpaceId> = self.spaces.keys().chain(stage.spaces.keys()).copied().collect();
        for space in spaces {
            if self.check_writable(stage, space).is_ok() {
                resealed |= self.stage_resealed_space(stage, space)?;
            }
        }
        // An epoch may have taken the place of one that was taken back in this step.
        keep_used(stage);
        Ok(resealed)
    }

    fn stage_resealed_space(&self, stage: &mut Stage, space: SpaceId) -> Result<bool, SessionError> {
        let mut state = self.staged_space(stage, space)?;
        let follower = stage.follower.as_ref().unwrap_or(&self.follower);
        let mut log = follower.space_log(space).ok_or(LOG)?.clone();
        let stored = follower.chain_head(&self.own_chain(space));
        // What a server that was restored had shown before, others may hold as it was: another link under its number would be a fork.
        if follower.ever_shown(space) > stored.envelope_seq || self.is_older_copy() {
            return Ok(false);
        }
        // What was written before somebody left goes out under a new epoch, and does not wait for the next edit.
        // An epoch that the server refused is owed as before: a removed device has the key that is current again.
        let waits = state.own_seq > stored.envelope_seq;
        if waits && self.owes_epoch(stage, space)? && self.stage_epoch(stage, space).is_ok() {
            state = self.staged_space(stage, space)?;
            let follower = stage.follower.as_ref().unwrap_or(&self.follower);
            log = follower.space_log(space).ok_or(LOG)?.clone();
        }
        if log.is_stale() || (waits && self.owes_epoch(stage, space)?) {
            return Ok(false);
        }
        let (mut previous, mut from) = (stored.hash, None);
        let mut unsent = Vec::new();
        for (seq, link) in self.unsent_links(stage, space, stored.envelope_seq + 1..=state.own_seq)? {
            // What went with its document while nothing could be sealed here is a gap in the chain.
            let says_nothing = match &link {
                Some(envelope) => self.says_nothing_now(stage, &state, envelope)?,
                None => true,
            };
            let stands = link.as_ref().filter(|envelope| {
                let place = envelope.place();
                !says_nothing && place.epoch == log.epoch() && log.seq_of(place.membership_head).is_some()
            });
            match stands {
                Some(envelope) if from.is_none() => previous = envelope.content_id(),
                Some(_) => {}
                None => from = from.or(Some(seq)),
            }
            unsent.push((seq, link.filter(|_| !says_nothing)));
        }
        let Some(from) = from else { return Ok(false) };
        let Chain { device, incarnation, .. } = self.own_chain(space);
        for (seq, link) in unsent.into_iter().filter(|(seq, _)| *seq >= from) {
            let document = link.as_ref().map_or(DocumentId::CONTROL, |envelope| envelope.place().document);
            let place = Place {
                space,
                document,
                device,
                incarnation,
                envelope_seq: seq,
                epoch: state.epoch,
                membership_head: log.head(),
                previous,
            };
            let sealed = match link {
                None => seal_envelope_seeded(&state.key, &place, &pack(&nothing()), self.entropy()),
                Some(envelope) if document == DocumentId::CONTROL => {
                    let plain = state.open_control(&envelope).ok_or(SessionError::Envelope)?;
                    seal_envelope_seeded(&state.key, &place, &plain, self.entropy())
                }
                Some(envelope) => {
                    let key = self.key_to_reseal(stage, document)?.ok_or(SessionError::Envelope)?;
                    let plain = state.open(&key, &envelope).ok_or(SessionError::Envelope)?;
                    let next = state.document_key(&key, state.epoch).ok_or(SessionError::Envelope)?;
                    seal_envelope_seeded(&next, &place, &plain, self.entropy())
                }
            }
            .map_err(|_| SessionError::Envelope)?;
            previous = sealed.content_id;
            stage.deletes.retain(|(table, name)| *table != Table::Sync || *name != resealed_name(space, seq));
            stage.puts.push((Table::Sync, resealed_name(space, seq), sealed.bytes));
            state.own_last = previous;
            state.own_membership = log.head();
        }
        stage.spaces.insert(space, state);
        Ok(true)
    }

    /// The own links of these numbers, up to what this very stage writes: that is under the current epoch. Nothing where a link went
    /// with its document.
    fn unsent_links(
        &self,
        stage: &Stage,
        space: SpaceId,
        numbers: RangeInclusive<u64>,
    ) -> Result<Vec<(u64, Option<Envelope>)>, SessionError> {
        let mut links = Vec::new();
        for seq in numbers {
            let name = push_name(space, seq);
            let is_staged = || stage.puts.iter().any(|(table, put, _)| *table == Table::Sync && *put == name);
            let link = match self.own_envelope_kept(space, seq) {
                Ok(Some(bytes)) => Some(Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?),
                Ok(None) if !is_staged() => None,
                Ok(None) | Err(_) => break,
            };
            links.push((seq, link));
        }
        Ok(links)
    }

    /// Whether an own link is of a document that is gone, or of a successor that was given up: what it says is sealed no more.
    fn says_nothing_now(
        &self,
        stage: &Stage,
        state: &SpaceState,
        envelope: &Envelope,
    ) -> Result<bool, SessionError> {
        let mut document = envelope.place().document;
        if document == DocumentId::CONTROL {
            let body = state.open_control(envelope).and_then(|plain| unpack(&plain).ok());
            let Some(opens) = body.and_then(|body| opened_document(&body)) else { return Ok(false) };
            document = opens;
        }
        Ok(self.key_to_reseal(stage, document)?.is_none())
    }

    /// The key of a document that is here, or of a successor that waits to begin.
    fn key_to_reseal(
        &self,
        stage: &Stage,
        document: DocumentId,
    ) -> Result<Option<DocumentKey>, SessionError> {
        if stage.ended.contains(&document) || stage.given_up.contains(&document) {
            return Ok(None);
        }
        if let Ok(state) = self.staged_document(stage, document) {
            return Ok(Some(state.key));
        }
        Ok(self.pending(document)?.map(|pending| pending.key()))
    }

    /// An own envelope as it was sealed last, if it was sealed again.
    pub(crate) fn resealed(&self, space: SpaceId, seq: u64) -> Result<Option<Vec<u8>>, SessionError> {
        let kept = self.vault.get(Table::Sync, &resealed_name(space, seq))?;
        Ok(kept.map(|body| body.to_vec()).filter(|body| body.len() > 32))
    }

    /// Whether this account may do everything in every space that it has of a chart.
    pub(crate) fn manages(&self, chart: ChartId) -> bool {
        self.spaces_of(chart).all(|state| self.follower.role(state.space) == Some(Role::Manager))
    }
}

impl SpaceState {
    /// Takes the last epoch back: its entry was not taken.
    pub(super) fn take_epoch_back(&mut self) {
        if let Some((epoch, key)) = self.earlier.pop() {
            let given_up = std::mem::replace(&mut self.key, key);
            // What was written under it is in the log here.
            self.earlier.insert(0, (self.epoch, given_up));
            self.epoch = epoch;
        }
    }
}
