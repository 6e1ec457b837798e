//! Somebody asked to bring this account back by its helpers: what the server says of it, kept until it is over, and stopping it.

use mecum_api::{HelpersNoticeView, Topic};
use mecum_seal::{Hash32, check_words};
use mecum_sync::{HelpersNotice, HelpersStop, HelpersStopping, PROTOCOL_VERSION, Signed};
use mecum_vault::{Durability, Table, WriteVaultError};
use minicbor::{Decode, Encode};

use crate::error::SessionError;
use crate::session::Session;

/// The name under which the vault keeps it: it is shown also where there is no network.
const NOTICE: &[u8] = b"helpers-notice";

#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
struct Told {
    #[n(0)]
    notice: HelpersNotice,
    /// It was stopped here, and the server is to hear of it.
    #[n(1)]
    stopping: bool,
}

impl Session {
    fn told(&self) -> Result<Option<Told>, SessionError> {
        let Some(bytes) = self.vault.get(Table::Setting, NOTICE)? else { return Ok(None) };
        minicbor::decode(&bytes).map(Some).map_err(|_| SessionError::Stored { what: "notice" })
    }

    fn put_told(&mut self, told: Option<Told>) -> Result<(), SessionError> {
        self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            match told {
                Some(told) => {
                    let bytes = minicbor::to_vec(told).expect("plain fields encode");
                    w.put(Table::Setting, NOTICE, &bytes)
                }
                None => w.delete(Table::Setting, NOTICE).map(|_| ()),
            }
        })?;
        self.tell(Topic::Sync);
        Ok(())
    }

    /// What an answer of the server says. Most say nothing, and change nothing.
    pub(crate) fn note_helpers(&mut self, notice: Option<HelpersNotice>) -> Result<(), SessionError> {
        let before = self.told()?;
        if before.map(|told| told.notice) == notice {
            return Ok(());
        }
        self.put_told(notice.map(|notice| Told { notice, stopping: false }))
    }

    /// The first thing on home, while there is one.
    pub(crate) fn helpers_notice(&self) -> Result<Option<HelpersNoticeView>, SessionError> {
        Ok(self.told()?.map(|Told { notice, stopping }| HelpersNoticeView {
            asked_ms: notice.asked_at_ms,
            released_ms: notice.released_at_ms,
            words: check_words(&notice.request),
            stopping,
        }))
    }

    /// Stops it: durable here, and with the next exchange at the server.
    pub(super) fn stop_notice(&mut self) -> Result<(), SessionError> {
        let told = self.told()?.ok_or_else(SessionError::not_found)?;
        self.put_told(Some(Told { stopping: true, ..told }))
    }

    /// What is to be said to the server, if anything is.
    pub(super) fn stopping(&self) -> Option<(Hash32, HelpersStopping)> {
        let told = self.told().ok().flatten().filter(|told| told.stopping)?;
        let stop = HelpersStop {
            server: *self.follower.relay()?,
            account: self.identity.account,
            request: told.notice.request,
            signer: self.identity.device,
        };
        let stop = Signed::sign(stop, &self.identity.signing);
        Some((told.notice.request, HelpersStopping { version: PROTOCOL_VERSION, stop }))
    }

    /// The server has stopped it.
    pub(super) fn was_stopped(&mut self, request: Hash32) -> Result<(), SessionError> {
        match self.told()? {
            Some(told) if told.notice.request == request => self.put_told(None),
            _ => Ok(()),
        }
    }
}
