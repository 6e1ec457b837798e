//! Building the documents of a space anew: over a snapshot that stands for what a server has pruned, or from the first envelope where
//! a cut took something of what a snapshot had brought.
//!
//! Nothing that lies in the vault is given up. The documents begin empty, or as the snapshot has them, and every envelope of the
//! vault's own logs is offered to them again: own words that were never sent, and others' that the server may have lost.

use std::collections::BTreeSet;

use mecum_api::Topic;
use mecum_documents::{Document, Payload};
use mecum_seal::{DocumentId, Envelope, Place, SpaceId};
use mecum_sync::{Chain, ChainHead, Void};
use mecum_vault::{Durability, Table};

use crate::arrivals::Arrival;
use crate::error::SessionError;
use crate::members::replayed_name;
use crate::plaintext::{OpenDocument, press, unpack};
use crate::restored::lost_name;
use crate::row::ChartRows;
use crate::session::{Session, open_envelope};
use crate::snapshots::FROM_LATEST;
use crate::space::DocumentState;
use crate::stage::{Stage, push_name};
use crate::times::times_name;

impl Session {
    /// Stages the documents of a space as empty ones and offers them everything of the vault's logs. It is one step with whatever
    /// else the stage holds: cut anywhere, it has not begun or it is done. `folded` are those that a snapshot brings.
    pub(crate) fn stage_anew(
        &mut self,
        stage: &mut Stage,
        space: SpaceId,
        folded: &[DocumentId],
    ) -> Result<(), SessionError> {
        // With what a document began that took another's place, a manager signed: it holds nothing that was void then, and no
        // envelope has it. Where a snapshot has it, it is built anew over that like any other.
        let ends = self.staged_ends(stage, space);
        let stays = |document| ends.begins(document) && !folded.contains(&document);
        let known: Vec<DocumentState> = self
            .documents
            .values()
            .filter(|state| state.space == space && !stays(state.document))
            .cloned()
            .collect();
        if known.is_empty() {
            return Ok(());
        }
        let chart = self.staged_space(stage, space)?.chart;
        self.load_chart(chart)?;
        // Own links that were never shown, of a chain that goes on elsewhere: their numbers are used in what is built anew. They wait
        // in the log and are written again with the new life.
        let elsewhere = self.is_older_copy() && goes_on_elsewhere(stage, space);
        for state in known {
            let document = state.document;
            for (_, bytes) in self.envelopes(document, 0)? {
                let envelope = Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?;
                if elsewhere && self.own_seq_of(&envelope) > 0 && self.is_unsent(stage, &envelope)? {
                    continue;
                }
                stage.again.push(Arrival { envelope, bytes, kept: true });
            }
            let rows = self.charts.get(&chart).map(|loaded| &loaded.rows);
            let of_document =
                rows.into_iter().flat_map(ChartRows::all).filter(|row| row.document == document);
            let gone: Vec<_> = of_document.map(|row| (chart, document, row.key)).collect();
            stage.gone_rows.extend(gone);
            let empty = Document::new(self.identity.actor());
            let saved = press(&empty.save());
            let count = self.vault.envelope_count(document);
            let state = DocumentState {
                count,
                snapshot_at: count,
                snapshot_bytes: saved.len() as u64,
                tail_bytes: 0,
                operations: 0,
                cuts: 0,
                ..state
            };
            stage.puts.push((Table::Snapshot, document.as_bytes().to_vec(), saved));
            stage.deletes.push((Table::Snapshot, times_name(document)));
            stage.deletes.push((Table::Snapshot, replayed_name(document)));
            stage.to_replay.remove(&document);
            stage.open.insert(document, empty);
            stage.documents.insert(document, state);
            stage.anew.insert(document);
        }
        // The chart's lists are written again even if nothing of the space is left in them.
        stage.rows.entry(chart).or_default();
        stage.topics.push(Topic::Record { chart });
        Ok(())
    }

    /// Whether an own link has not been shown by the server, nor just been confirmed.
    fn is_unsent(&self, stage: &Stage, envelope: &Envelope) -> Result<bool, SessionError> {
        let name = push_name(envelope.place().space, envelope.place().envelope_seq);
        let there = self.vault.get(Table::Sync, &name)?.is_some();
        Ok(there && !stage.deletes.contains(&(Table::Sync, name)))
    }

    /// Whether an entry's cuts reach below what a document's log holds: into what came folded in a snapshot, where one change
    /// cannot be told from another.
    pub(crate) fn cuts_into_snapshot(
        &self,
        stage: &Stage,
        space: SpaceId,
        void: &[Void],
    ) -> Result<bool, SessionError> {
        if void.is_empty() {
            return Ok(false);
        }
        let state = self.staged_space(stage, space)?;
        if state.snapshot_seq == 0 && self.vault.get(Table::Setting, &folded_name(space))?.is_none() {
            // Everything was read by its envelopes; those of a document that another took the place of are not kept.
            return Ok(false);
        }
        let logs = self.documents.values().filter(|state| state.space == space).map(|state| state.document);
        let mut first: std::collections::BTreeMap<Chain, u64> = std::collections::BTreeMap::new();
        let mut note_place = |place: &Place| {
            let chain = Chain { device: place.device, incarnation: place.incarnation, space };
            let seq = first.entry(chain).or_insert(place.envelope_seq);
            *seq = place.envelope_seq.min(*seq);
        };
        for log in logs.chain([state.control_log()]) {
            self.places(log)?.iter().for_each(|(_, place)| note_place(place));
        }
        let mut note = |bytes: &[u8]| {
            let Ok(envelope) = Envelope::parse(bytes) else { return };
            note_place(envelope.place());
        };
        for table in [Table::Waiting, Table::Quarantine] {
            self.vault.list(table)?.iter().for_each(|(_, bytes)| note(bytes));
        }
        for (_, bytes) in self.vault.list_prefix(Table::Sync, b"void")? {
            note(&bytes);
        }
        stage.appended.iter().for_each(|(_, bytes)| note(bytes));
        // What is held of a chain runs to its end without a gap, so its first link tells whether the link after the cut is here.
        Ok(void.iter().any(|void| first.get(&void.chain).is_none_or(|first| *first > void.after + 1)))
    }

    /// Notes that a space is to be built anew from its envelopes, for a cut that reaches into what a snapshot had brought.
    pub(crate) fn note_cut_into_snapshot(stage: &mut Stage, space: SpaceId) {
        stage.puts.push((Table::Setting, anew_name(space), vec![1]));
    }

    /// Whether a space is to be built anew: a cut took something of what a snapshot had brought, and it still stands here.
    pub(crate) fn is_cut_into_snapshot(&self, space: SpaceId) -> Result<bool, SessionError> {
        Ok(self.vault.get(Table::Setting, &anew_name(space))?.is_some())
    }

    /// Documents that are being built anew and lack own changes that wait for what they followed. The next change here would take
    /// their numbers: nothing is written in them until they stand again.
    pub(crate) fn documents_that_wait_for_own(&self) -> Result<BTreeSet<DocumentId>, SessionError> {
        let mut documents = BTreeSet::new();
        if !self.is_reading_again()? {
            return Ok(documents);
        }
        for (_, bytes) in &self.vault.list(Table::Waiting)? {
            let Ok(envelope) = Envelope::parse(bytes) else { continue };
            let place = envelope.place();
            // Of an earlier life the numbers are its own.
            let own = self.own_chain(place.space);
            if (place.device, place.incarnation) == (own.device, own.incarnation) {
                documents.insert(place.document);
            }
        }
        Ok(documents)
    }

    /// Begins to build anew what was noted: the documents are emptied and the server's history is read again, by envelopes, in one
    /// step. True if something was.
    pub(crate) fn begin_anew(&mut self) -> Result<bool, SessionError> {
        let noted: Vec<(Vec<u8>, SpaceId)> = self
            .vault
            .list_prefix(Table::Setting, ANEW)?
            .into_iter()
            .filter_map(|(name, _)| {
                let space = SpaceId::from_slice(name.strip_prefix(ANEW)?)?;
                Some((name, space))
            })
            // What a restored server has lost of it is here alone, perhaps folded: not before it stands there again.
            .filter(|(_, space)| !self.is_owed_more(*space))
            .collect();
        if noted.is_empty() {
            return Ok(false);
        }
        let mut follower = self.follower.clone();
        follower.start_over();
        let mut stage = Stage::default();
        for (name, space) in noted {
            follower.forget_held(space);
            stage.deletes.push((Table::Setting, name));
            // From here on all of it is read by its envelopes, unless a snapshot comes again.
            stage.deletes.push((Table::Setting, folded_name(space)));
            self.stage_anew(&mut stage, space, &[])?;
        }
        stage.follower = Some(follower);
        self.stage_reading_again(&mut stage)?;
        let again = std::mem::take(&mut stage.again);
        self.stage_arrivals(&mut stage, again)?;
        self.commit(stage, Durability::Full)?;
        self.tried.clear();
        Ok(true)
    }

    /// What a snapshot says of the own chain, where this vault is known to be an older copy: own links whose words are in the
    /// snapshot are confirmed, and a chain that goes on elsewhere tells that a new life must begin.
    pub(crate) fn confirm_lost(
        &self,
        stage: &mut Stage,
        chain: &Chain,
        head: ChainHead,
        documents: &std::collections::BTreeMap<DocumentId, &Document>,
    ) -> Result<(), SessionError> {
        let state = self.staged_space(stage, chain.space)?;
        let same = head.envelope_seq <= state.own_seq
            && self.own_link(&state, head.envelope_seq)?.is_none_or(|id| id == head.hash);
        if !same {
            stage.puts.push((Table::Waiting, lost_name(chain.space, head.envelope_seq), Vec::new()));
        }
        for seq in 1..=head.envelope_seq.min(state.own_seq) {
            let name = push_name(chain.space, seq);
            if self.vault.get(Table::Sync, &name)?.is_none() {
                continue;
            }
            let bytes = self.own_envelope(chain.space, seq)?;
            let envelope = Envelope::parse(&bytes).map_err(|_| SessionError::Envelope)?;
            let of = envelope.place().document;
            let is_there = if of == DocumentId::CONTROL {
                let opened = state.open_control(&envelope).and_then(|plain| unpack(&plain).ok());
                opened
                    .and_then(|body| OpenDocument::decode(&body).ok())
                    .is_some_and(|message| documents.contains_key(&message.document))
            } else {
                let known = self.staged_document(stage, of)?;
                let (_, body) = open_envelope(&state, &known, &bytes)?;
                let change = Payload::decode(&body).map_err(|_| SessionError::Envelope)?.change_hash();
                documents.get(&of).is_some_and(|document| document.has_change(&change))
            };
            if is_there {
                stage.deletes.push((Table::Sync, name));
            }
        }
        Ok(())
    }

    /// Passes over a space from here on: the snapshot that stands for its pruned past is refused, and nothing can be fetched in its
    /// place. What this device has of it stays, own words go on being sent, and everything else goes on.
    pub(crate) fn set_aside(&mut self, space: SpaceId, reason: &str) -> Result<(), SessionError> {
        let mut follower = self.follower.clone();
        follower.set_aside(space);
        let mut stage = Stage { follower: Some(follower), ..Stage::default() };
        // Of a space that came with this very page nothing is followed yet.
        stage.puts.push((Table::Setting, aside_name(space), vec![1]));
        crate::exchange::quarantine(&mut stage, "snapshot", space.as_bytes(), reason.as_bytes());
        self.commit(stage, Durability::Full)
    }

    /// The spaces that are passed over, also before anything of them is followed.
    pub(crate) fn aside(&self) -> Result<Vec<SpaceId>, SessionError> {
        let kept = self.vault.list_prefix(Table::Setting, ASIDE)?;
        Ok(kept.iter().filter_map(|(name, _)| SpaceId::from_slice(name.strip_prefix(ASIDE)?)).collect())
    }

    /// Reading from the start, every space is tried once more.
    pub(crate) fn stage_none_aside(&self, stage: &mut Stage) -> Result<(), SessionError> {
        for space in self.aside()? {
            stage.deletes.push((Table::Setting, aside_name(space)));
            stage.deletes.push((Table::Quarantine, [b"snapshot/".as_slice(), space.as_bytes()].concat()));
        }
        Ok(())
    }

    /// Notes that the server has another snapshot of a space that is passed over: it may be right. Each is tried once.
    pub(crate) fn note_another(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        space_seq: u64,
    ) -> Result<(), SessionError> {
        let name = [b"tried-".as_slice(), space.as_bytes()].concat();
        let tried = self.vault.get(Table::Setting, &name)?;
        let tried = tried.and_then(|body| Some(u64::from_be_bytes(body.as_slice().try_into().ok()?)));
        if tried.is_none_or(|tried| tried < space_seq) {
            stage.puts.push((Table::Setting, name, space_seq.to_be_bytes().to_vec()));
            stage.puts.push((Table::Setting, FROM_LATEST.to_vec(), vec![1]));
        }
        Ok(())
    }

    /// What is told while a space is passed over: the id of a sentence.
    pub(crate) fn aside_notice(&self) -> Option<&'static str> {
        self.follower.aside().next().map(|_| "error-section-not-believed")
    }
}

/// Whether a snapshot in this stage has shown that the own chain of a space goes on elsewhere.
fn goes_on_elsewhere(stage: &Stage, space: SpaceId) -> bool {
    let prefix = lost_name(space, 0);
    let prefix = prefix.get(..prefix.len().saturating_sub(8)).unwrap_or_default();
    stage.puts.iter().any(|(table, name, _)| *table == Table::Waiting && name.starts_with(prefix))
}

/// The settings that name spaces to be built anew.
const ANEW: &[u8] = b"anew-";

/// The settings that name spaces which are passed over.
const ASIDE: &[u8] = b"aside-";

fn aside_name(space: SpaceId) -> Vec<u8> {
    [ASIDE, space.as_bytes()].concat()
}

/// The setting that says that documents of a space hold what came folded, though the server may have no snapshot of it any more.
pub(crate) fn folded_name(space: SpaceId) -> Vec<u8> {
    [b"folded-".as_slice(), space.as_bytes()].concat()
}

fn anew_name(space: SpaceId) -> Vec<u8> {
    [ANEW, space.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
