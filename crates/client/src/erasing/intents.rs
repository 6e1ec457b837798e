//! What a person decided, kept until it is done; and what was done, for the list of it.

#[cfg(test)]
mod frozen;

use std::collections::BTreeSet;

use mecum_api::{ErasureKind, Topic};
use mecum_domain::{ChartId, Section};
use mecum_seal::{AccountId, DocumentId, Hash32, SpaceId};
use mecum_sync::{Replaced, Role};
use mecum_vault::{Durability, Table};
use minicbor::{Decode, Encode};

use super::{code_of, kind_of};
use crate::care::may_stand;
use crate::error::{SessionError, refused};
use crate::row::ItemKey;
use crate::session::Session;
use crate::space::DocumentState;
use crate::stage::Stage;

/// Steps of one decision that are carried out in a row: a file's entry may lie in a few documents.
const STEPS: usize = 8;

/// Something that a person decided and that is not done yet.
#[derive(Clone, Debug, Encode, Decode)]
pub(super) struct Intent {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(super) id: [u8; 16],
    #[cbor(n(1), with = "minicbor::bytes")]
    chart: [u8; 16],
    #[n(2)]
    kind: u8,
    /// The entry; none where only void words are left behind.
    #[n(3)]
    pub(super) key: Option<ItemKey>,
    /// The document whose void words are left behind.
    #[n(4)]
    document: Option<DocumentId>,
    #[n(5)]
    pub(super) reason: String,
    #[n(6)]
    pub(super) at_ms: i64,
    /// The successor that is signed and not in force.
    #[n(7)]
    pub(super) by: Option<DocumentId>,
    /// Why it could not be done.
    #[n(8)]
    pub(super) refused: Option<String>,
    #[n(9)]
    pub(super) section: u8,
    /// The heads of the old document as it was when the entry was copied to where it goes.
    #[n(10)]
    pub(super) copied: Option<Vec<Hash32>>,
}

impl Intent {
    pub(super) fn chart(&self) -> ChartId {
        ChartId::from_bytes(self.chart)
    }

    pub(super) fn kind(&self) -> ErasureKind {
        kind_of(self.kind)
    }

    fn name(&self) -> Vec<u8> {
        [b"intent".as_slice(), &self.id].concat()
    }

    pub(super) fn put(&self, stage: &mut Stage) {
        stage.puts.push((Table::Sync, self.name(), minicbor::to_vec(self).expect("plain fields encode")));
    }
}

/// Something that was done in this record, here or on another device.
#[derive(Clone, Debug, Encode, Decode)]
pub(super) struct Erased {
    #[n(0)]
    kind: u8,
    #[n(1)]
    pub(super) reason: String,
    /// The entry, if it was moved.
    #[n(2)]
    pub(super) key: Option<ItemKey>,
    #[n(3)]
    pub(super) late: u32,
    #[n(4)]
    pub(super) at_ms: i64,
    #[n(5)]
    pub(super) space: Option<SpaceId>,
    #[n(6)]
    pub(super) account: Option<AccountId>,
    /// The decision that it was, as this device knew it.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub(super) id: Vec<u8>,
}

impl Erased {
    pub(super) fn new(kind: ErasureKind, reason: &str, left_out: &BTreeSet<ItemKey>, late: u32) -> Self {
        let moved = matches!(kind, ErasureKind::ToSensitive | ErasureKind::FromSensitive);
        Self {
            kind: code_of(kind),
            reason: reason.to_owned(),
            key: left_out.first().copied().filter(|_| moved),
            late,
            at_ms: 0,
            space: None,
            account: None,
            id: Vec::new(),
        }
    }

    pub(super) fn kind(&self) -> ErasureKind {
        kind_of(self.kind)
    }
}

const ERASED: &[u8] = b"erased";

/// A row of a damaged vault as it goes into one that was fetched anew, if it is a decision, or says what was done. A decision begins
/// again: what was copied or signed for it may not be what the server has.
pub(crate) fn decided(name: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    if name.starts_with(ERASED) {
        return minicbor::decode::<Erased>(body).ok().map(|_| body.to_vec());
    }
    let intent: Intent = minicbor::decode(body).ok().filter(|intent: &Intent| intent.name() == name)?;
    minicbor::to_vec(Intent { by: None, copied: None, ..intent }).ok()
}

impl Session {
    /// Every decision that is not done.
    pub(super) fn intents(&self) -> Result<Vec<Intent>, SessionError> {
        let stored = self.vault.list_prefix(Table::Sync, b"intent")?;
        let decode =
            |body: &[u8]| minicbor::decode(body).map_err(|_| SessionError::Stored { what: "intent" });
        stored.iter().map(|(_, body)| decode(body)).collect()
    }

    /// Everything that was done, as far as this device heard of it.
    pub(super) fn all_erased(&self) -> Result<Vec<(Vec<u8>, Erased)>, SessionError> {
        let stored = self.vault.list_prefix(Table::Sync, ERASED)?;
        let read = |(name, body): (Vec<u8>, zeroize::Zeroizing<Vec<u8>>)| {
            let erased: Erased =
                minicbor::decode(&body).map_err(|_| SessionError::Stored { what: "erasure" })?;
            Ok((name.strip_prefix(ERASED).unwrap_or_default().to_vec(), erased))
        };
        stored.into_iter().map(read).collect()
    }

    /// Keeps a decision: from here on it is carried out, whatever happens between.
    pub(super) fn decide(
        &mut self,
        chart: ChartId,
        kind: ErasureKind,
        key: Option<ItemKey>,
        document: Option<DocumentId>,
        (section, reason): (Section, &str),
    ) -> Result<Intent, SessionError> {
        let mut id = [0; 16];
        self.entropy().fill(&mut id);
        let intent = Intent {
            id,
            chart: *chart.as_bytes(),
            kind: code_of(kind),
            key,
            document,
            reason: reason.to_owned(),
            at_ms: self.now_ms(),
            by: None,
            refused: None,
            section: section.code(),
            copied: None,
        };
        let mut stage = Stage::default();
        intent.put(&mut stage);
        stage.topics.push(Topic::Record { chart });
        self.commit(stage, Durability::Full)?;
        self.authored += 1;
        self.erasures_due = true;
        Ok(intent)
    }

    /// Forgets a decision that is done or not wanted any more.
    pub(super) fn forget(&mut self, intent: &Intent) -> Result<(), SessionError> {
        let mut stage = Stage::default();
        stage.deletes.push((Table::Sync, intent.name()));
        stage.topics.push(Topic::Record { chart: intent.chart() });
        self.commit(stage, Durability::Full)
    }

    /// Carries out what was decided, as far as it can be now. Where a step is refused, the decision says so and the rest goes on.
    pub(crate) fn advance_erasures(&mut self) -> Result<(), SessionError> {
        mecum_trip::here("erase");
        self.erasures_due = false;
        // What cannot be done of one thing keeps no other from being done; what failed first is answered.
        let mut failed = self.begin_successors().err();
        for intent in self.intents()? {
            if intent.refused.is_some() {
                continue;
            }
            let why = match self.advance(&intent) {
                Err(SessionError::Call(error)) => Some(error.message_id),
                // What the document itself does not let be done now, it does not later: the person is told.
                Err(SessionError::Document(_) | SessionError::Author(_) | SessionError::Envelope) => {
                    Some("error-document".to_owned())
                }
                Err(error) => {
                    failed = failed.or(Some(error));
                    None
                }
                Ok(()) => None,
            };
            if why.is_some() {
                let mut stage = Stage::default();
                Intent { refused: why, by: None, ..intent.clone() }.put(&mut stage);
                stage.topics.push(Topic::Record { chart: intent.chart() });
                self.commit(stage, Durability::Full)?;
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// The same, only where the server has just been heard: what is signed cannot be stopped any more, and without signal it would
    /// wait signed for nothing.
    pub(crate) fn advance_if_answered(&mut self) -> Result<(), SessionError> {
        if std::mem::take(&mut self.exchanging.answered) {
            return self.advance_erasures();
        }
        self.erasures_due = true;
        self.begin_successors()
    }

    /// Whether something was decided that can go on now.
    pub(crate) fn has_erasure_to_carry_out(&self) -> bool {
        self.erasures_due
            && self
                .intents()
                .is_ok_and(|all| all.iter().any(|intent| intent.refused.is_none() && intent.by.is_none()))
    }

    /// Whether anything was decided and is neither done nor refused.
    pub(crate) fn has_decided_erasure(&self) -> bool {
        self.intents().is_ok_and(|all| all.iter().any(|intent| intent.refused.is_none()))
    }

    fn advance(&mut self, intent: &Intent) -> Result<(), SessionError> {
        let mut intent = intent.clone();
        for _ in 0..STEPS {
            let Some(old) = self.next_holder(&intent)? else { return self.forget(&intent) };
            if self.is_being_replaced(&old) {
                return Ok(());
            }
            if self.follower.role(old.space) != Some(Role::Manager) {
                return Err(refused("error-not-manager"));
            }
            if !self.may_sign(old.space)? {
                return Ok(());
            }
            let mut stage = Stage::default();
            let moves = matches!(intent.kind(), ErasureKind::ToSensitive | ErasureKind::FromSensitive);
            if let (true, Some(key)) = (moves, intent.key) {
                let there =
                    self.where_it_went(old.space, key)?.and_then(|id| self.documents.get(&id).cloned());
                let written = match &there {
                    None => {
                        self.stage_moved(&mut stage, &mut intent, &old, key)?;
                        true
                    }
                    // It leaves where it was only once the server has it where it goes.
                    Some(there) if !self.may_sign(there.space)? => return Ok(()),
                    Some(there) => self.stage_written_since(&mut stage, &mut intent, &old, there.document)?,
                };
                if written {
                    self.commit(stage, Durability::Full)?;
                    continue;
                }
            }
            let left_out: BTreeSet<ItemKey> = intent.key.into_iter().collect();
            let by = self.stage_successor(&mut stage, &old, &left_out, intent.kind(), &intent.reason)?;
            Intent { by: Some(by), ..intent.clone() }.put(&mut stage);
            stage.topics.push(Topic::Record { chart: intent.chart() });
            self.commit(stage, Durability::Full)?;
            self.begin_successors()?;
        }
        Ok(())
    }

    /// The next document that the entry still has to leave.
    fn next_holder(&mut self, intent: &Intent) -> Result<Option<DocumentState>, SessionError> {
        if let Some(document) = intent.document {
            return Ok(self.documents.get(&document).filter(|state| state.cuts > 0).cloned());
        }
        let Some(key) = intent.key else { return Ok(None) };
        let holding = self.rows(intent.chart())?.holding(key);
        let leaves = |state: &&DocumentState| {
            let sensitive =
                self.spaces.get(&state.space).is_some_and(|space| space.section == Section::Sensitive);
            match intent.kind() {
                ErasureKind::ToSensitive => !sensitive,
                ErasureKind::FromSensitive => sensitive,
                ErasureKind::Erase | ErasureKind::Cleared => true,
            }
        };
        Ok(holding.iter().filter_map(|id| self.documents.get(id)).find(leaves).cloned())
    }

    fn is_being_replaced(&self, old: &DocumentState) -> bool {
        self.ends(old.space).is_ended(old.document)
    }

    /// Whether the end of a document of a space can be signed now: without a server at once; with one, when everything that it has
    /// was fetched and everything from here is stored, so that the successor holds all of it.
    fn may_sign(&self, space: SpaceId) -> Result<bool, SessionError> {
        if self.is_older_copy() || self.is_reading_again()? {
            return Ok(false);
        }
        let (Some(log), Some(state)) = (self.follower.space_log(space), self.spaces.get(&space)) else {
            return Ok(false);
        };
        if self.follower.relay().is_none() {
            return Ok(true);
        }
        let own = self.follower.chain_head(&self.own_chain(space)).envelope_seq;
        let all_sent = self.follower.stored_space_entries(space) == log.entries() && own == state.own_seq;
        Ok(self.caught_up && all_sent)
    }

    /// Notes what a replacement did, and that the decision to it is carried out.
    pub(super) fn stage_erased(
        &self,
        stage: &mut Stage,
        space: SpaceId,
        of: &Replaced,
        erased: &Erased,
    ) -> Result<(), SessionError> {
        let account = self.kept_entry(stage, space, of.entry)?.map(|entry| entry.account);
        let intents = self.intents()?;
        let own = intents.iter().find(|intent| intent.by == Some(of.by));
        if let Some(own) = own {
            // An entry may lie in another document too: the decision stands until no document has it.
            Intent { by: None, ..own.clone() }.put(stage);
        }
        let at_ms = own.map_or_else(|| self.now_ms(), |own| own.at_ms);
        let id = own.map_or_else(|| of.by.as_bytes().to_vec(), |own| own.id.to_vec());
        let erased = Erased { at_ms, space: Some(space), account, id, ..erased.clone() };
        let body = minicbor::to_vec(&erased).expect("plain fields encode");
        stage.puts.push((Table::Sync, [ERASED, of.by.as_bytes()].concat(), body));
        Ok(())
    }

    /// A signed replacement was taken back, for another entry was faster: the decision stands, and is carried out on what stands then.
    pub(crate) fn stage_successor_given_up(
        &self,
        stage: &mut Stage,
        by: DocumentId,
    ) -> Result<(), SessionError> {
        self.stage_pending_gone(stage, by)?;
        for name in self.vault.names(Table::Waiting)? {
            if name.starts_with(&crate::arrivals::waiting_prefix(by)) {
                stage.deletes.push((Table::Waiting, name));
            }
        }
        stage.given_up.insert(by);
        for intent in self.intents()?.into_iter().filter(|intent| intent.by == Some(by)) {
            Intent { by: None, ..intent }.put(stage);
        }
        Ok(())
    }

    /// Decides to leave behind what cuts made void, where this account owns the record and nobody does it yet.
    pub(crate) fn clear_void(&mut self) -> Result<(), SessionError> {
        let known = self.intents()?;
        let due: Vec<DocumentState> = self
            .documents
            .values()
            .filter(|state| state.cuts > 0 && !self.is_being_replaced(state))
            .filter(|state| !known.iter().any(|intent| intent.document == Some(state.document)))
            .cloned()
            .collect();
        for state in due {
            let Some(space) = self.spaces.get(&state.space) else { continue };
            let (chart, section) = (space.chart, space.section);
            let owns = self.follower.space_log(state.space).map(mecum_sync::SpaceLog::owner);
            // The other side's document is the other side's to end: what is void in it stays there, and is read by nobody.
            let own = may_stand(&self.follower, space, state.side, self.identity.device);
            if own && owns == Some(self.identity.account) && self.may_sign(state.space)? {
                self.decide(chart, ErasureKind::Cleared, None, Some(state.document), (section, ""))?;
            }
        }
        Ok(())
    }
}
