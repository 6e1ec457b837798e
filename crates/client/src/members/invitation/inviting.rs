//! The side that invites: shows the code, waits for the answer, says whether it is really them, and lets them in.

use mecum_api::{CallError, Code, MemberInviteArgs, PairOfferView, PairPhase, PairView, Topic};
use mecum_seal::PairingSecret;

use super::super::granting::Invited;
use super::{Answer, CODE_DAYS, CODE_MS, NO, Shown, checked};
use crate::app::{App, held};
use crate::driver::Stopped;
use crate::error::remote_error;
use crate::pairing::{Found, MAX_NAME_BYTES, body, look, qr_text};
use crate::remote::Remote;

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    /// Shows an invitation.
    pub async fn member_invite(&self, args: MemberInviteArgs) -> Result<PairOfferView, CallError> {
        let offered = checked(args)?;
        self.member_stop(()).await?;
        let home = self.home().await?;
        let ends_ms = self.inner.options.clock.now_ms() + CODE_MS;
        let asked = offered.clone();
        let offer = self.with(move |session| session.make_offer(&asked, ends_ms)).await?;
        // The spaces must be at the server before anybody is let into them.
        self.sync_now(()).await?;
        let secret = PairingSecret::make(self.inner.options.entropy.as_ref());
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        let sealed = secret.seal("offer", &body(&offer), self.inner.options.entropy.as_ref());
        let session = match crate::driver::sign_in(&self.inner, &remote).await {
            Ok(session) => session,
            Err(Stopped::Remote(error)) => return Err(remote_error(&error)),
            Err(_) => return Err(CallError::new(Code::Locked, "error-locked")),
        };
        remote
            .mailbox_open(&session, &secret.mailbox_id(), &sealed, CODE_DAYS)
            .await
            .map_err(|error| remote_error(&error))?;
        let view = PairOfferView {
            words: secret.to_words(),
            qr: qr_text(&secret, &home),
            server: home.url.clone(),
            ends_ms,
        };
        self.say_inviting(PairPhase::Waiting, None, None);
        let shown = Shown { secret, home, offered, ends_ms };
        let app = self.clone();
        let mut invitations = held(&self.inner.invitations);
        invitations.shown = Some(shown.clone());
        invitations.task = Some(tokio::spawn(app.wait_for_answer(shown)).abort_handle());
        Ok(view)
    }

    async fn wait_for_answer(self, shown: Shown) {
        let Ok(remote) = Remote::new(&shown.home.url, shown.home.pin) else { return };
        let mut said = None;
        while self.inner.options.clock.now_ms() < shown.ends_ms {
            let found = look(&remote, &shown.secret, "join", None).await;
            if let Found::Said(opened) = found {
                if *opened == *NO {
                    self.say_inviting(PairPhase::Ended, None, Some("invitation-declined"));
                    return;
                }
                match minicbor::decode::<Answer>(&opened) {
                    Ok(answer) if answer.name.len() <= MAX_NAME_BYTES => {
                        let Answer { account, genesis, kem, name } = answer;
                        let invited = Invited { account, genesis, kem, name: name.clone() };
                        held(&self.inner.invitations).asked = Some(invited);
                        self.say_inviting(PairPhase::Asking, Some(name), None);
                    }
                    _ => {
                        self.say_inviting(PairPhase::Ended, None, Some("error-invitation-code"));
                    }
                }
                return;
            }
            if let Found::Nothing(now) = found
                && now != said
            {
                said = now;
                self.say_inviting(PairPhase::Waiting, None, said);
            }
            tokio::time::sleep(self.inner.options.look).await;
        }
        self.say_inviting(PairPhase::Ended, None, Some("pairing-time-over"));
    }

    /// How the invitation that this device shows stands.
    pub async fn member_status(&self, (): ()) -> Result<PairView, CallError> {
        Ok(held(&self.inner.invitations).view.clone())
    }

    /// Lets in who answered. Answers once that is durable here; that the server has it is said by the state.
    pub async fn member_approve(&self, (): ()) -> Result<PairView, CallError> {
        let (shown, invited) = {
            let mut invitations = held(&self.inner.invitations);
            match (invitations.shown.clone(), invitations.asked.take()) {
                (Some(shown), Some(invited)) => (shown, invited),
                _ if invitations.view.phase == PairPhase::Working => return Ok(invitations.view.clone()),
                _ => return Err(CallError::new(Code::NotFound, "error-not-found")),
            }
        };
        let (offered, asked) = (shown.offered.clone(), invited.clone());
        if let Err(error) = self.with(move |session| session.grant(&offered, &asked)).await {
            held(&self.inner.invitations).asked = Some(invited);
            return Err(error);
        }
        let view = self.say_inviting(PairPhase::Working, Some(invited.name.clone()), None);
        let app = self.clone();
        let task = tokio::spawn(async move { app.let_in(shown, invited).await });
        held(&self.inner.invitations).task = Some(task.abort_handle());
        Ok(view)
    }

    /// Until the server has countersigned it.
    async fn let_in(self, shown: Shown, invited: Invited) {
        let (offered, name) = (shown.offered.clone(), Some(invited.name.clone()));
        loop {
            let _ = self.sync_now(()).await;
            let (asked, of) = (offered.clone(), invited.clone());
            let let_in = self
                .with(move |session| {
                    Ok((session.is_let_in(&asked, of.account), session.is_out(&asked, of.account)))
                })
                .await;
            match let_in {
                Ok((true, _)) => break,
                // Removed meanwhile, or the server would not have it.
                Ok((_, true)) => {
                    self.say_inviting(PairPhase::Ended, name, Some("error-server-refused"));
                    return;
                }
                Ok(_) => {
                    self.say_inviting(PairPhase::Working, name.clone(), Some("pairing-again"));
                    tokio::time::sleep(self.inner.options.look * 2).await;
                }
                Err(error) => {
                    self.say_inviting(PairPhase::Ended, name, Some(&error.message_id));
                    return;
                }
            }
        }
        if let Ok(remote) = Remote::new(&shown.home.url, shown.home.pin) {
            let sealed = shown.secret.seal("welcome", b"in", self.inner.options.entropy.as_ref());
            // It only shortens the other's wait: their next exchange brings everything.
            let _ = remote.mailbox_put(&shown.secret.mailbox_id(), "welcome", &sealed).await;
        }
        held(&self.inner.invitations).shown = None;
        self.say_inviting(PairPhase::Done, name, None);
    }

    /// Takes the invitation back, or says no to who answered.
    pub async fn member_stop(&self, (): ()) -> Result<PairView, CallError> {
        let shown = {
            let mut invitations = held(&self.inner.invitations);
            if let Some(task) = invitations.task.take() {
                task.abort();
            }
            invitations.asked = None;
            invitations.view = PairView::default();
            invitations.shown.take()
        };
        if let Some(shown) = shown
            && let Ok(remote) = Remote::new(&shown.home.url, shown.home.pin)
        {
            let sealed = shown.secret.seal("welcome", NO, self.inner.options.entropy.as_ref());
            let _ = remote.mailbox_put(&shown.secret.mailbox_id(), "welcome", &sealed).await;
        }
        self.inner.news.tell(Topic::Charts);
        Ok(PairView::default())
    }
}
