//! What the screens hear of an exchange.

use mecum_api::{SyncPhase, SyncView, Topic};
use mecum_sync::RefusalCode;

use super::Stopped;
use crate::app::{Inner, held};
use crate::error::SessionError;
use crate::exchange::ExchangeError;
use crate::remote::RemoteError;
use crate::session::Session;

/// Says how the exchange stands.
pub(super) fn say(inner: &Inner, outcome: &Result<(), Stopped>) {
    if matches!(outcome, Err(Stopped::Locked)) {
        // Locking has said what there is to say.
        return;
    }
    let now = inner.options.clock.now_ms();
    let server = inner.session(|session| session.home().map(|home| home.url)).flatten();
    let mut link = held(&inner.link);
    let (phase, message) = match outcome {
        Ok(()) => {
            let notice = |session: &mut Session| {
                session.older_copy_notice().or(session.cut_notice()).or(session.aside_notice())
            };
            (SyncPhase::UpToDate, inner.session(notice).flatten())
        }
        // Its key is known and its address is lost, as after a mending: that is not the same as never having had one.
        Err(Stopped::NoServer)
            if inner.session(|session| session.follower.relay().is_some()) == Some(true) =>
        {
            (SyncPhase::NoServer, Some("error-server-address"))
        }
        // That it was removed a device believes the account's log alone.
        Err(stopped) => {
            words_for(stopped, inner.session(|session| session.follower.is_removed()) == Some(true))
        }
    };
    if let Err(Stopped::Exchange(error)) = outcome {
        crate::broken::say(&format!("mecum: exchange stopped: {error}"));
    }
    let last_ms = if outcome.is_ok() { now } else { link.last_ms };
    let message_id = message.map(str::to_owned);
    let next = SyncView { phase, server, last_ms, message_id, ..SyncView::default() };
    let changed = next.phase != link.phase || next.message_id != link.message_id;
    inner.session(|session| session.link = next.clone());
    *link = next;
    drop(link);
    if changed {
        inner.news.tell(Topic::Sync);
    }
}

/// What the screens say of an exchange that stopped: how it stands, and the id of a sentence.
pub fn words_for(stopped: &Stopped, removed: bool) -> (SyncPhase, Option<&'static str>) {
    match stopped {
        Stopped::Locked | Stopped::NoServer => (SyncPhase::NoServer, None),
        Stopped::Remote(RemoteError::Offline) => (SyncPhase::Offline, None),
        Stopped::Remote(RemoteError::Refused(refusal)) if refusal.code == RefusalCode::Resync => {
            (SyncPhase::Refused, Some("error-server-begins-again"))
        }
        Stopped::Remote(RemoteError::Unauthorised) => {
            // Signing in anew was tried.
            let id = if removed { "error-device-removed" } else { "error-device-not-let-in" };
            (SyncPhase::Refused, Some(id))
        }
        Stopped::Remote(RemoteError::Refused(refusal)) if refusal.code == RefusalCode::Quota => {
            (SyncPhase::Refused, Some("error-server-full"))
        }
        Stopped::Exchange(ExchangeError::Refused(RefusalCode::Quota)) => {
            (SyncPhase::Refused, Some("error-server-full"))
        }
        Stopped::Exchange(ExchangeError::Refused(RefusalCode::BadCut)) => {
            (SyncPhase::Refused, Some("error-cut-too-early"))
        }
        Stopped::Remote(_) | Stopped::Exchange(ExchangeError::Refused(_)) => {
            (SyncPhase::Refused, Some("error-server-refused"))
        }
        Stopped::Broken => (SyncPhase::Refused, Some("error-internal")),
        Stopped::Exchange(ExchangeError::Session(SessionError::Read(_))) => {
            (SyncPhase::Refused, Some("error-damaged"))
        }
        Stopped::Exchange(ExchangeError::Session(_)) => (SyncPhase::Refused, Some("error-not-saved")),
        Stopped::Exchange(ExchangeError::RolledBack) => (SyncPhase::Refused, Some("error-older-copy")),
        Stopped::Exchange(ExchangeError::Follow(_)) => (SyncPhase::Refused, Some("error-server-history")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_room_is_said_to_be_full_whichever_way_it_says_it() {
        let ways = [
            Stopped::Remote(RemoteError::Refused(RefusalCode::Quota.into())),
            Stopped::Exchange(ExchangeError::Refused(RefusalCode::Quota)),
        ];
        for stopped in ways {
            let said = words_for(&stopped, false);
            assert_eq!(said, (SyncPhase::Refused, Some("error-server-full")), "{stopped:?}");
        }
    }
}
