//! Somebody asked to bring this account back by its helpers: what the server says of it, kept until it is over, and stopping it. Of
//! several requests the server names the one that is released first; a stop ends them all.
//!
//! Whoever asks has no key of the account, so nobody can prove to a device that somebody asked: a server can make a request up. It can
//! bring nobody anything by that, and a stop costs nothing but the helpers for a while. So what is said is shown and left to the person;
//! what cannot be, by the account's own log, is not.

use mecum_api::{HelpersNoticeView, Topic};
use mecum_seal::{Hash32, check_words};
use mecum_sync::controls::{holds, is_out};
use mecum_sync::limits::MAX_OTHER_REQUESTS;
use mecum_sync::{HelpersNotice, HelpersStop, HelpersStopping, PROTOCOL_VERSION, Signed, SyncResponse};
use mecum_vault::{Durability, Table, WriteVaultError};
use minicbor::{Decode, Encode};

use crate::driver::Stopped;
use crate::error::SessionError;
use crate::remote::RemoteError;
use crate::session::Session;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The name under which the vault keeps it: it is shown also where there is no network.
const NOTICE: &[u8] = b"helpers-notice";

#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
struct Told {
    #[n(0)]
    notice: HelpersNotice,
    /// It was stopped here, and the server is to hear of it.
    #[n(1)]
    stopping: bool,
    /// Which one was stopped, if the server names another now: both are open, and the stop of either ends both.
    #[n(2)]
    stopped: Option<Hash32>,
}

impl Told {
    /// What the server is to hear of.
    fn stops(&self) -> Option<Hash32> {
        self.stopping.then(|| self.stopped.unwrap_or(self.notice.request))
    }
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

    /// Whether an answer is to say how many ask: a device that was told of nobody is spared the question.
    pub(crate) fn counts_helpers_requests(&self) -> bool {
        self.told().is_ok_and(|told| told.is_some())
    }

    /// Takes what an answer of the server says of requests by helpers, after everything else of it was taken. Answers whether this device
    /// was told of nobody before, so that the answer could not say how many ask.
    ///
    /// # Errors
    /// The answer makes no sense: a request waits as long as the account's log says, neither shorter nor longer.
    pub fn hear_of_requests(&mut self, response: &SyncResponse) -> Result<bool, Stopped> {
        if let Some(notice) = &response.helpers_notice {
            let wait_days =
                self.follower.account_log().and_then(|log| log.helpers()).map(|helpers| helpers.wait_days);
            // Of an account that has no helpers nobody can ask. What is here stays: the log may be read anew just now.
            if !holds("helpers-chosen", wait_days.is_some()) {
                return Ok(false);
            }
            let waits = wait_days.is_some_and(|days| is_possible(notice, days));
            if !holds("helpers-wait", waits) {
                return Err(RemoteError::BadAnswer.into());
            }
        }
        self.note_helpers(response.helpers_notice).map_err(|error| Stopped::Exchange(error.into()))
    }

    /// What an answer of the server says. Most say nothing, and change nothing. Answers whether this device was told of nobody before,
    /// so that the answer could not say how many ask.
    pub(crate) fn note_helpers(&mut self, notice: Option<HelpersNotice>) -> Result<bool, SessionError> {
        let before = self.told()?;
        if before.map(|told| told.notice) == notice {
            return Ok(false);
        }
        // A stop stands until the server has heard of it, whichever it names now; it ends all that are open then.
        let stops = before.and_then(|told| told.stops()).filter(|_| !is_out("stop-stands"));
        let told = notice.map(|notice| Told {
            notice,
            stopping: stops.is_some(),
            stopped: stops.filter(|request| *request != notice.request),
        });
        self.put_told(told)?;
        Ok(before.is_none())
    }

    /// The first thing on home, while there is one.
    pub(crate) fn helpers_notice(&self) -> Result<Option<HelpersNoticeView>, SessionError> {
        Ok(self.told()?.map(|Told { notice, stopping, .. }| HelpersNoticeView {
            asked_ms: notice.asked_at_ms,
            released_ms: notice.released_at_ms,
            words: check_words(&notice.request),
            others: notice.others.unwrap_or(0),
            stopping,
        }))
    }

    /// Stops it: durable here, and with the next exchange at the server.
    pub(crate) fn stop_notice(&mut self) -> Result<(), SessionError> {
        let told = self.told()?.ok_or_else(SessionError::not_found)?;
        self.put_told(Some(Told { stopping: true, ..told }))
    }

    /// What is to be said to the server, if anything is.
    pub(super) fn stopping(&self) -> Option<(Hash32, HelpersStopping)> {
        let request = self.told().ok().flatten()?.stops()?;
        let stop = HelpersStop {
            server: *self.follower.relay()?,
            account: self.identity.account,
            request,
            signer: self.identity.device,
        };
        let stop = Signed::sign(stop, &self.identity.signing);
        Some((request, HelpersStopping { version: PROTOCOL_VERSION, stop }))
    }

    /// The server has heard of it. If something is open all the same, its next answer says so, and the person is asked again.
    pub(super) fn was_stopped(&mut self, request: Hash32) -> Result<(), SessionError> {
        match self.told()? {
            Some(told) if told.stops() == Some(request) => self.put_told(None),
            _ => Ok(()),
        }
    }
}

/// Whether somebody can have asked at this time, who is released at that one, with so many others.
fn is_possible(notice: &HelpersNotice, wait_days: u32) -> bool {
    let waits_ms = notice.released_at_ms.checked_sub(notice.asked_at_ms);
    notice.asked_at_ms > 0
        && waits_ms == Some(i64::from(wait_days) * DAY_MS)
        && notice.others.is_none_or(|others| others <= MAX_OTHER_REQUESTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_stands_until_the_server_has_heard_of_it_whichever_request_it_names_meanwhile() {
        let mut session = Session::for_tests(7);
        assert!(!session.counts_helpers_requests(), "who was told of nobody does not ask how many there are");
        let request = Hash32::from_bytes([1; 32]);
        let notice = HelpersNotice { request, asked_at_ms: 1, released_at_ms: 8, others: None };
        assert!(session.note_helpers(Some(notice)).unwrap(), "told for the first time");
        assert!(session.counts_helpers_requests(), "from now on");
        assert!(!session.note_helpers(Some(notice)).unwrap(), "and the same again is no news");
        session.stop_notice().unwrap();
        let counted = HelpersNotice { others: Some(3), ..notice };
        assert!(!session.note_helpers(Some(counted)).unwrap(), "others are no first time");
        let shown = session.helpers_notice().unwrap().unwrap();
        assert_eq!(
            (shown.others, shown.stopping),
            (3, true),
            "three more ask, and the stop stands for them too"
        );
        let (second, third) = (Hash32::from_bytes([2; 32]), Hash32::from_bytes([3; 32]));
        for named in [second, third, request, second] {
            session.note_helpers(Some(HelpersNotice { request: named, ..notice })).unwrap();
            let shown = session.helpers_notice().unwrap().unwrap();
            assert!(shown.stopping, "also where the server names another");
            assert_eq!(session.told().unwrap().unwrap().stops(), Some(request), "what was stopped is said");
        }
        session.was_stopped(second).unwrap();
        assert!(session.helpers_notice().unwrap().is_some(), "which nobody has told the server");
        session.was_stopped(request).unwrap();
        assert!(session.helpers_notice().unwrap().is_none(), "until it has heard of it");
        session.note_helpers(Some(HelpersNotice { request: second, ..notice })).unwrap();
        let shown = session.helpers_notice().unwrap().unwrap();
        assert!(!shown.stopping, "what is open all the same is for the person to answer");
        session.note_helpers(None).unwrap();
        assert!(session.helpers_notice().unwrap().is_none(), "and it is over when the server says so");
    }

    #[test]
    fn a_notice_that_was_kept_before_there_was_a_count_is_read() {
        // What an earlier version wrote: a list of three and a flag.
        let before = [&[0x82, 0x83, 0x58, 0x20][..], &[1; 32], &[0x01, 0x08, 0xf4]].concat();
        let told: Told = minicbor::decode(&before).unwrap();
        assert_eq!((told.notice.released_at_ms, told.notice.others, told.stopping), (8, None, false));
        assert_eq!(minicbor::to_vec(told).unwrap(), before, "and is written as it was");
    }

    #[test]
    fn a_notice_is_written_with_the_frozen_bytes_and_read_from_them() {
        let request = Hash32::from_bytes([1; 32]);
        let notice = HelpersNotice { request, asked_at_ms: 7, released_at_ms: 604_800_007, others: Some(2) };
        let open = Told { notice, stopping: false, stopped: None };
        let stopped = Told { stopping: true, stopped: Some(Hash32::from_bytes([2; 32])), ..open };
        let kept = crate::frozen::kept;
        let written = [("open", kept(&open)), ("stopped here", kept(&stopped))];
        let root = env!("CARGO_MANIFEST_DIR");
        let frozen = mecum_faults::Frozen::compared(root, "notice-v1.txt", &written);
        for (name, stops) in [("open", None), ("stopped here", Some(Hash32::from_bytes([2; 32])))] {
            assert!(crate::frozen::is_kept::<Told>(frozen.get(name)), "{name} is read");
            let read: Told = minicbor::decode(frozen.get(name)).unwrap();
            assert_eq!((read.notice, read.stops()), (notice, stops), "{name}");
        }
    }
}
