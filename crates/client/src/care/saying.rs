//! Acts of a conversation as a device writes them: each once, in a document of its own side, under the id that follows from it.

use mecum_documents::{CareAct, MAX_ACT_BYTES, MAX_AFTER, MAX_BY_BYTES, StoredAct};
use mecum_domain::{ActId, ActKey, Edit, FinishedKey, MAX_TEXT_BYTES, Role, Side, ThreadId};
use mecum_seal::SpaceId;
use mecum_vault::{Durability, Table};

use super::act_id;
use super::acting::{BEGINS, acts_of, first_of};
use crate::error::{SessionError, refused};
use crate::session::Session;
use crate::stage::Stage;

/// What the names of rows begin with that a program keeps in its vault beside what it says.
const AGENT_ROWS: &[u8] = b"agent/";

/// In knowledge of what something is said in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Of everything of it that is here: for a program that reads, decides and says in one step.
    Everything,
    /// Of what a screen showed when it was begun: these acts and what their authors knew of, with what this device has said itself. What
    /// came meanwhile was not known, and what is named and not here is passed over.
    Shown(Vec<ActKey>),
}

/// A row that a program keeps in its vault for itself: a name that begins with `agent/`, and a body. It never leaves the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRow {
    /// Its name.
    pub name: Vec<u8>,
    /// What it holds; none takes it away.
    pub body: Option<Vec<u8>>,
}

impl Session {
    /// Says something in a conversation with a hospital, durably here: one act on the own side. Without a thread it begins one. `after` is
    /// what its author knew of, and `by` who speaks for the hospital: a name of at most [`MAX_BY_BYTES`], empty for the account's own,
    /// and always empty on the patient's side.
    ///
    /// # Errors
    /// `error-share-ended` and `error-read-only` as for any other words; `error-not-found` for a space that is no conversation, for a
    /// thread that is not there or of another form, and for an act that begins one or does not where the other is meant;
    /// `error-act-not-yours` for an act of the other side, or of another part, and for a name on the patient's side; `error-too-long`.
    pub fn care_act(
        &mut self,
        space: SpaceId,
        thread: Option<ThreadId>,
        what: CareAct,
        after: After,
        by: &str,
    ) -> Result<ActKey, SessionError> {
        let said = self.care_say(space, thread, vec![what], after, by, Vec::new())?;
        said.first().copied().ok_or_else(SessionError::not_found)
    }

    /// The same of several acts of one conversation, each in knowledge of the one before, and with rows that this program keeps for
    /// itself: all of it or nothing. With no act it keeps the rows alone.
    ///
    /// # Errors
    /// As [`Session::care_act`], and as [`Session::keep_rows`].
    pub fn care_say(
        &mut self,
        space: SpaceId,
        thread: Option<ThreadId>,
        says: Vec<CareAct>,
        after: After,
        by: &str,
        keep: Vec<OwnRow>,
    ) -> Result<Vec<ActKey>, SessionError> {
        let (side, role) = self.speaks_in(space, by)?;
        let Some(first) = says.first() else {
            self.keep_rows(keep)?;
            return Ok(Vec::new());
        };
        for (at, what) in says.iter().enumerate() {
            if !what.may(role) {
                return Err(refused("error-act-not-yours"));
            }
            if what.texts().iter().any(|text| text.len() > MAX_TEXT_BYTES) {
                return Err(refused("error-too-long"));
            }
            let begins = at == 0 && thread.is_none();
            if what.begins() != begins || !what.is_of_form(first) {
                return Err(SessionError::not_found());
            }
        }
        let (mut lamport, mut after) = match thread {
            Some(thread) => self.next_in(space, thread, first, after)?,
            None => (1, Vec::new()),
        };
        let (mut thread, at_ms) = (thread, self.now_ms());
        let (mut said, mut acts) = (Vec::new(), Vec::new());
        for what in says {
            let of = thread.unwrap_or(BEGINS);
            let act = StoredAct { thread: of, lamport, at_ms, after, by: by.to_owned(), what };
            let (key, edit) = act_edit(space, side, &act)?;
            thread.get_or_insert(ThreadId::from_bytes(*key.id.as_bytes()));
            (lamport, after) = (lamport.saturating_add(1), vec![key]);
            said.push(key);
            acts.push(edit);
        }
        self.keep_acts(space, acts, keep)?;
        Ok(said)
    }

    /// The rows that this program keeps for itself whose names begin so, in the order of their names.
    ///
    /// # Errors
    /// `NotAllowed` for a name that does not begin with `agent/`; as reading.
    pub fn own_rows(&self, under: &[u8]) -> Result<Vec<OwnRow>, SessionError> {
        is_of_agent(under)?;
        let rows = self.vault.list_prefix(Table::Setting, under)?;
        Ok(rows.into_iter().map(|(name, body)| OwnRow { name, body: Some(body.to_vec()) }).collect())
    }

    /// Keeps rows of this program, all or none, durably.
    ///
    /// # Errors
    /// `NotAllowed` for a name that does not begin with `agent/`; as writing.
    pub fn keep_rows(&mut self, rows: Vec<OwnRow>) -> Result<(), SessionError> {
        let mut stage = Stage::default();
        stage_rows(&mut stage, rows)?;
        if stage.puts.is_empty() && stage.deletes.is_empty() {
            return Ok(());
        }
        self.commit(stage, Durability::Full)
    }

    /// The own side of a conversation and the own part in it, where something may be said in it in this name.
    pub(super) fn speaks_in(&self, space: SpaceId, by: &str) -> Result<(Side, Role), SessionError> {
        self.check_writable(&Stage::default(), space)?;
        let care = self.spaces.get(&space).and_then(|state| state.care.as_ref());
        let side = care.ok_or_else(SessionError::not_found)?.side_of(self.identity.account);
        // What is said once the hospital is out would be read by nobody. Before it is let in for the first time, it waits for it.
        if side == Side::Patient && self.is_hospital_out(space) {
            return Err(refused("error-hospital-left"));
        }
        if side == Side::Patient && !by.is_empty() {
            return Err(refused("error-act-not-yours"));
        }
        if by.len() > MAX_BY_BYTES {
            return Err(refused("error-too-long"));
        }
        Ok((side, self.author_in(space, side, Some(self.identity.device))?.role))
    }

    /// Keeps an act on the own side, under the id that follows from it.
    pub(crate) fn keep_act(
        &mut self,
        space: SpaceId,
        side: Side,
        act: &StoredAct,
    ) -> Result<ActKey, SessionError> {
        let (key, edit) = act_edit(space, side, act)?;
        self.keep_acts(space, vec![edit], Vec::new())?;
        Ok(key)
    }

    fn keep_acts(&mut self, space: SpaceId, acts: Vec<Edit>, keep: Vec<OwnRow>) -> Result<(), SessionError> {
        let mut stage = Stage::default();
        stage_rows(&mut stage, keep)?;
        let document = self.stage_care_document(&mut stage, space, acts.len())?;
        let written = self.stage_edits(&mut stage, document, acts)?.is_some();
        if written || !stage.puts.is_empty() || !stage.deletes.is_empty() {
            self.commit(stage, Durability::Full)?;
        }
        Ok(())
    }

    /// The number of the next act of a conversation, and the acts after which it is.
    fn next_in(
        &mut self,
        space: SpaceId,
        thread: ThreadId,
        what: &CareAct,
        after: After,
    ) -> Result<(u64, Vec<ActKey>), SessionError> {
        let found = self.acts_in(space)?;
        if !first_of(&found, thread)?.is_of_form(what) {
            return Err(SessionError::not_found());
        }
        let acts = acts_of(&found, thread, |act| what.is_of_form(act).then_some(act));
        let own = found.iter().filter(|one| one.device == Some(self.identity.device)).map(|one| one.key);
        let (lamport, mut after) = match after {
            After::Everything => acts.next(),
            After::Shown(shown) => acts.next_after(shown.into_iter().chain(own)),
        };
        // The highest: whoever knows them knows what they name.
        after.drain(..after.len().saturating_sub(MAX_AFTER));
        Ok((lamport, after))
    }
}

/// The edit that keeps an act of a side of a space, and the name of the act.
fn act_edit(space: SpaceId, side: Side, act: &StoredAct) -> Result<(ActKey, Edit), SessionError> {
    let bytes = act.encode();
    if bytes.len() > MAX_ACT_BYTES {
        return Err(refused("error-too-long"));
    }
    let id: ActId = act_id(space, side, &bytes);
    let edit = Edit::Keep { key: FinishedKey::from_bytes(*id.as_bytes()), bytes };
    Ok((ActKey { side, id }, edit))
}

fn is_of_agent(name: &[u8]) -> Result<(), SessionError> {
    let of_agent = name.starts_with(AGENT_ROWS);
    of_agent.then_some(()).ok_or(SessionError::NotAllowed { what: "a row that is not this program's" })
}

fn stage_rows(stage: &mut Stage, rows: Vec<OwnRow>) -> Result<(), SessionError> {
    for OwnRow { name, body } in rows {
        is_of_agent(&name)?;
        match body {
            Some(body) => stage.puts.push((Table::Setting, name, body)),
            None => stage.deletes.push((Table::Setting, name)),
        }
    }
    Ok(())
}
