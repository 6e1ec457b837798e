//! The side that is invited: opens the code, accepts or declines, and waits to be let in.

use mecum_api::{
    CallError, Code, InvitationAnswerArgs, InvitationOpenArgs, InvitationView, PairPhase, PairView, SyncPhase,
};
use mecum_domain::Section;
use mecum_sync::RefusalCode;

use super::super::terms::api_role;
use super::super::word_of;
use super::{INVITATION, NO, Offer, Opened};
use crate::app::{App, held};
use crate::error::remote_error;
use crate::pairing::{Found, MAX_NAME_BYTES, bad_code, body, look, message, read_code};
use crate::remote::{Remote, RemoteError};

/// How long somebody who was let in goes on looking for the way to the server.
const AFTER_WELCOME_MS: i64 = 10 * 60 * 1_000;

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    /// Opens an invitation.
    pub async fn invitation_open(&self, args: InvitationOpenArgs) -> Result<InvitationView, CallError> {
        let home = self.home().await?;
        let (secret, url, pin) = read_code(&args.code, Some(&home.url))?;
        if url != home.url || pin.is_some_and(|pin| pin != home.pin) {
            return Err(CallError::new(Code::Refused, "error-invitation-other-server"));
        }
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        let sealed =
            remote.mailbox_get(&secret.mailbox_id(), "offer").await.map_err(|error| remote_error(&error))?;
        let offer: Offer = message(&secret, "offer", &sealed.ok_or_else(bad_code)?)?;
        if offer.kind != INVITATION {
            return Err(bad_code());
        }
        let said = remote.mailbox_get(&secret.mailbox_id(), "welcome").await.ok().flatten();
        if said.is_some_and(|said| secret.open("welcome", &said).is_ok_and(|opened| *opened == *NO)) {
            return Err(CallError::new(Code::Refused, "invitation-taken-back"));
        }
        if offer.relay != home.pin {
            return Err(CallError::new(Code::Refused, "error-invitation-other-server"));
        }
        let own = offer.owner;
        if self.with(move |session| Ok(session.identity.account == own)).await? {
            return Err(CallError::new(Code::Refused, "error-invitation-own"));
        }
        let view = InvitationView {
            from: offer.from.clone(),
            name: offer.name.clone(),
            sections: offer
                .spaces
                .iter()
                .filter_map(|(_, code)| Section::from_code(*code))
                .map(word_of)
                .collect(),
            role: api_role(offer.role),
            until: offer.until.clone(),
            reason: offer.reason.clone(),
            ends_ms: offer.ends_ms,
        };
        let mut invitations = held(&self.inner.invitations);
        if let Some(task) = invitations.joining_task.take() {
            task.abort();
        }
        invitations.opened = Some(Opened { secret, home, offer });
        invitations.joining = PairView::default();
        Ok(view)
    }

    /// Answers the open invitation.
    pub async fn invitation_answer(&self, args: InvitationAnswerArgs) -> Result<PairView, CallError> {
        let opened = held(&self.inner.invitations).opened.clone();
        let opened = opened.ok_or_else(|| CallError::new(Code::NotFound, "error-not-found"))?;
        let remote = Remote::new(&opened.home.url, opened.home.pin).map_err(|error| remote_error(&error))?;
        let mailbox = opened.secret.mailbox_id();
        if !args.accept {
            let sealed = opened.secret.seal("join", NO, self.inner.options.entropy.as_ref());
            match remote.mailbox_put(&mailbox, "join", &sealed).await {
                Ok(()) => {}
                // A yes was said before: whoever invites may still let this account in, and it is not expected any more.
                Err(RemoteError::Refused(refusal)) if refusal.code == RefusalCode::AlreadyExists => {}
                Err(error) => return Err(remote_error(&error)),
            }
            if let Some(task) = held(&self.inner.invitations).joining_task.take() {
                task.abort();
            }
            let offer = opened.offer.clone();
            self.with(move |session| session.forget_shared(&offer)).await?;
            held(&self.inner.invitations).opened = None;
            return Ok(self.say_joining(PairPhase::Ended, Some(opened.offer.from.clone()), None));
        }
        let name = args.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        if name.as_ref().is_some_and(|name| name.len() > MAX_NAME_BYTES) {
            return Err(CallError::new(Code::Invalid, "error-name-required"));
        }
        let offer = opened.offer.clone();
        let answer = self
            .with(move |session| {
                session.expect_shared(&offer)?;
                session.answer(&name.unwrap_or_else(|| session.author_name()))
            })
            .await?;
        let sealed = opened.secret.seal("join", &body(&answer), self.inner.options.entropy.as_ref());
        remote.mailbox_put(&mailbox, "join", &sealed).await.map_err(|error| remote_error(&error))?;
        let view = self.say_joining(PairPhase::Waiting, Some(opened.offer.from.clone()), None);
        let app = self.clone();
        let task = tokio::spawn(async move { app.wait_to_be_let_in(opened).await });
        held(&self.inner.invitations).joining_task = Some(task.abort_handle());
        Ok(view)
    }

    async fn wait_to_be_let_in(self, opened: Opened) {
        let from = Some(opened.offer.from.clone());
        let Ok(remote) = Remote::new(&opened.home.url, opened.home.pin) else { return };
        let mut said = None;
        while self.inner.options.clock.now_ms() < opened.offer.ends_ms {
            let found = look(&remote, &opened.secret, "welcome", None).await;
            if let Found::Said(welcome) = found {
                if *welcome == *NO {
                    let offer = opened.offer.clone();
                    let _ = self.with(move |session| session.forget_shared(&offer)).await;
                    self.say_joining(PairPhase::Ended, from, Some("invitation-taken-back"));
                    return;
                }
                break;
            }
            if let Found::Nothing(now) = found
                && now != said
            {
                said = now;
                self.say_joining(PairPhase::Waiting, from.clone(), said);
            }
            tokio::time::sleep(self.inner.options.look).await;
        }
        self.say_joining(PairPhase::Working, from.clone(), None);
        // The welcome is there, the way to the server may not be: what was granted comes with a later exchange.
        let gives_up_ms = self.inner.options.clock.now_ms().max(opened.offer.ends_ms) + AFTER_WELCOME_MS;
        let came = loop {
            let synced = self.sync_now(()).await;
            let offer = opened.offer.clone();
            let came = self.with(move |session| Ok(session.came_in(&offer))).await.unwrap_or(true);
            let heard = synced.is_ok_and(|view| view.phase == SyncPhase::UpToDate);
            if came || heard || self.inner.options.clock.now_ms() > gives_up_ms {
                break came;
            }
            tokio::time::sleep(self.inner.options.look).await;
        };
        held(&self.inner.invitations).opened = None;
        if came {
            self.say_joining(PairPhase::Done, from, None);
        } else {
            self.say_joining(PairPhase::Ended, from, Some("pairing-time-over"));
        }
    }

    /// How joining stands.
    pub async fn invitation_status(&self, (): ()) -> Result<PairView, CallError> {
        Ok(held(&self.inner.invitations).joining.clone())
    }
}
