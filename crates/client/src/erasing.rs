//! Erasing an entry for good, moving one to *sensitive* and back, and leaving behind what a removal made void: the document that
//! holds it ends, and another one, under another key and without it, takes its place (re-genesis, ADR 0013 and 0015).
//!
//! What a person decides is kept as an intent, and carried out one durable step after the other: cut anywhere, the next exchange or
//! the next start goes on. Two managers cannot do it to one document at once: the membership log takes one entry, and the other
//! begins again from what stands then. This module must not know how a screen says it.

mod base;
mod begin;
mod comparing;
mod ends;
#[cfg(test)]
mod frozen;
mod intents;
mod late;
mod moving;
mod records;
mod signed;
mod signing;
mod view;

use mecum_api::ErasureKind;
use mecum_seal::{AccountId, DocumentId, SpaceId};
use mecum_sync::SpaceLog;
use mecum_vault::Table;

use crate::error::SessionError;
use crate::session::Session;
use crate::stage::Stage;

pub(crate) use base::{Base, Info, OpenSuccessor, Pending, Reason, opened_document};
pub(crate) use begin::owe_scrub;
pub(crate) use ends::Ends;
pub(crate) use intents::decided;
pub(crate) use signed::{InSnapshot, SignedSuccessors};

/// The name under which the vault keeps what a successor's own changes do not say.
pub(crate) fn info_name(document: DocumentId) -> Vec<u8> {
    [document.as_bytes().as_slice(), b"base"].concat()
}

/// Under what begins with this the vault keeps who opened a successor that has not begun. Whoever may write can say that they do, so
/// each account's word is kept beside the others'.
fn pending_prefix(document: DocumentId) -> Vec<u8> {
    [b"successor".as_slice(), document.as_bytes()].concat()
}

/// The name under which the vault keeps a successor that an account opened and that has not begun.
pub(crate) fn pending_name(document: DocumentId, account: AccountId) -> Vec<u8> {
    [pending_prefix(document).as_slice(), account.as_bytes()].concat()
}

/// The stored code of what is done; 0 is nothing that this version knows.
pub(crate) fn code_of(kind: ErasureKind) -> u8 {
    match kind {
        ErasureKind::Erase => 1,
        ErasureKind::ToSensitive => 2,
        ErasureKind::FromSensitive => 3,
        ErasureKind::Cleared => 4,
    }
}

fn kind_of(code: u8) -> ErasureKind {
    match code {
        2 => ErasureKind::ToSensitive,
        3 => ErasureKind::FromSensitive,
        4 => ErasureKind::Cleared,
        _ => ErasureKind::Erase,
    }
}

impl Session {
    /// What is kept of a successor beside its changes; nothing of a document that is none.
    pub(crate) fn successor_info(
        &self,
        stage: &Stage,
        document: DocumentId,
    ) -> Result<Option<Info>, SessionError> {
        let name = info_name(document);
        let staged =
            stage.puts.iter().rev().find(|(table, put, _)| *table == Table::Snapshot && *put == name);
        let body = match staged {
            Some((_, _, body)) => Some(body.clone()),
            None => self.vault.get(Table::Snapshot, &name)?.map(|body| body.to_vec()),
        };
        body.map(|body| Info::decode(&body).ok_or(SessionError::Stored { what: "successor" })).transpose()
    }

    /// A successor that this account opened and that waits to begin.
    pub(crate) fn pending(&self, document: DocumentId) -> Result<Option<Pending>, SessionError> {
        let all = self.all_pending(document)?;
        Ok(all.into_iter().find(|pending| pending.is_by(self.identity.account)))
    }

    /// Whatever was said of how a successor opens that waits to begin.
    fn all_pending(&self, document: DocumentId) -> Result<Vec<Pending>, SessionError> {
        let stored = self.vault.list_prefix(Table::Sync, &pending_prefix(document))?;
        let decode = |body: &[u8]| Pending::decode(body).ok_or(SessionError::Stored { what: "successor" });
        stored.iter().map(|(_, body)| decode(body)).collect()
    }

    /// Forgets whatever was said of how a successor opens.
    fn stage_pending_gone(&self, stage: &mut Stage, document: DocumentId) -> Result<(), SessionError> {
        for (name, _) in self.vault.list_prefix(Table::Sync, &pending_prefix(document))? {
            stage.deletes.push((Table::Sync, name));
        }
        Ok(())
    }

    /// Whether a document takes another's place, or is said to: then it does not begin as any document does, whoever opens it so.
    pub(crate) fn is_successor(
        &self,
        stage: &Stage,
        space: SpaceId,
        document: DocumentId,
    ) -> Result<bool, SessionError> {
        let prefix = pending_prefix(document);
        Ok(self.staged_ends(stage, space).begins(document)
            || stage.puts.iter().any(|(table, name, _)| *table == Table::Sync && name.starts_with(&prefix))
            || !self.vault.list_prefix(Table::Sync, &prefix)?.is_empty())
    }

    /// The log of a space as it will be after the stage.
    pub(crate) fn staged_log<'a>(&'a self, stage: &'a Stage, space: SpaceId) -> Option<&'a SpaceLog> {
        stage.follower.as_ref().unwrap_or(&self.follower).space_log(space)
    }
}
