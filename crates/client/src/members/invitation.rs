//! Invitations: whoever manages a chart offers sections of it by a code; somebody with an account of their own at the same server
//! reads the offer, accepts or declines; the manager says whether it is really them. Both meet in a mailbox at the server, named by a
//! secret that only they know, as in pairing.

use std::time::Duration;

use mecum_api::{
    CallError, Code, InvitationAnswerArgs, InvitationOpenArgs, InvitationView, MemberInviteArgs,
    PairOfferView, PairPhase, PairView, Topic,
};
use mecum_domain::{ChartId, Section};
use mecum_seal::{AccountId, Hash32, KemPublic, PairingSecret, SpaceId, VerifyingKey};
use mecum_sync::{RefusalCode, Role};
use mecum_vault::{Durability, Table};
use minicbor::{Decode, Encode};
use tokio::task::AbortHandle;

use super::granting::{Invited, Offered};
use super::sharing::{AcceptedChart, accepted_name};
use super::terms::{MAX_TERM_BYTES, api_role, role_of};
use super::{section_of, shared_chart_name, word_of};
use crate::app::{App, held};
use crate::driver::{Home, Stopped};
use crate::error::{SessionError, refused, remote_error};
use crate::pairing::{MAX_NAME_BYTES, bad_code, body, message, qr_text, read_code};
use crate::remote::{Remote, RemoteError};
use crate::session::Session;
use crate::stage::Stage;

/// A code is good for this long: two days, so that it can be read over the telephone, or wait for the evening.
const CODE_MS: i64 = 2 * 24 * 60 * 60 * 1_000;
const CODE_DAYS: u32 = 2;

/// How often a mailbox is looked into.
const LOOK: Duration = Duration::from_millis(500);

/// Tells an invitation's offer from a pairing's.
const INVITATION: &str = "mecum invitation v1";

/// In the slot of the answer, and of the welcome: no.
const NO: &[u8] = b"";

/// What is offered, sealed under the code's secret.
#[derive(Clone, Encode, Decode)]
struct Offer {
    #[n(0)]
    kind: String,
    #[n(1)]
    owner: AccountId,
    #[n(2)]
    genesis: Hash32,
    #[n(3)]
    relay: VerifyingKey,
    /// Who invites.
    #[n(4)]
    from: String,
    #[cbor(n(5), with = "minicbor::bytes")]
    chart: [u8; 16],
    /// Whose record.
    #[n(6)]
    name: String,
    #[n(7)]
    spaces: Vec<(SpaceId, u8)>,
    #[n(8)]
    role: Role,
    #[n(9)]
    until: Option<String>,
    #[n(10)]
    reason: Option<String>,
    #[n(11)]
    ends_ms: i64,
}

/// Who accepts.
#[derive(Clone, Encode, Decode)]
struct Answer {
    #[n(0)]
    account: AccountId,
    #[n(1)]
    genesis: Hash32,
    #[n(2)]
    kem: KemPublic,
    #[n(3)]
    name: String,
}

/// The invitation that this device shows.
#[derive(Clone)]
struct Shown {
    secret: PairingSecret,
    home: Home,
    offered: Offered,
    ends_ms: i64,
}

/// The invitation that this device has opened.
#[derive(Clone)]
struct Opened {
    secret: PairingSecret,
    home: Home,
    offer: Offer,
}

/// Invitations on this device, if any.
#[derive(Default)]
pub(crate) struct Invitations {
    view: PairView,
    shown: Option<Shown>,
    asked: Option<Invited>,
    task: Option<AbortHandle>,
    joining: PairView,
    opened: Option<Opened>,
    joining_task: Option<AbortHandle>,
}

impl Drop for Invitations {
    fn drop(&mut self) {
        for task in [self.task.take(), self.joining_task.take()].into_iter().flatten() {
            task.abort();
        }
    }
}

impl Session {
    /// What an invitation to sections of a chart says.
    fn make_offer(&mut self, offered: &Offered, ends_ms: i64) -> Result<Offer, SessionError> {
        let spaces = self.offered_spaces(offered)?;
        let (owner, genesis) = self.owner_of(offered.chart)?;
        let relay = self.follower.relay().copied().ok_or_else(|| refused("error-no-server"))?;
        Ok(Offer {
            kind: INVITATION.to_owned(),
            owner,
            genesis,
            relay,
            from: self.author_name(),
            chart: *offered.chart.as_bytes(),
            name: self.summary(offered.chart)?.name,
            spaces: spaces.into_iter().map(|(space, section)| (space, section.code())).collect(),
            role: offered.role,
            until: offered.until.clone(),
            reason: offered.reason.clone(),
            ends_ms,
        })
    }

    /// Expects the spaces of an invitation that the person accepted.
    fn expect_shared(&mut self, offer: &Offer) -> Result<(), SessionError> {
        let accepted = AcceptedChart {
            chart: offer.chart,
            owner: offer.owner,
            genesis: offer.genesis,
            spaces: offer.spaces.iter().map(|(space, _)| *space).collect(),
            by: offer.from.clone(),
            name: offer.name.clone(),
        };
        let mut follower = self.follower.clone();
        let mut stage = Stage::default();
        let again = Self::stage_accepted(&mut stage, &mut follower, &accepted)
            .map_err(|_| refused("error-invitation-code"))?;
        stage.follower = Some(follower);
        self.stage_account_note(&mut stage, &accepted)?;
        // What is let in begins from what the record is.
        stage.puts.push((Table::Setting, b"catching-up".to_vec(), vec![1]));
        if again {
            self.stage_reading_again(&mut stage)?;
        }
        self.commit(stage, Durability::Full)
    }

    /// Gives up what was expected: the invitation led nowhere.
    fn forget_shared(&mut self, offer: &Offer) -> Result<(), SessionError> {
        let mut follower = self.follower.clone();
        offer.spaces.iter().for_each(|(space, _)| follower.forget_expected(*space));
        let mut stage = Stage { follower: Some(follower), ..Stage::default() };
        let chart = ChartId::from_bytes(offer.chart);
        if !self.spaces.values().any(|state| state.chart == chart) {
            stage.deletes.push((Table::Account, shared_chart_name(chart)));
            stage.deletes.push((Table::Account, accepted_name(chart)));
        }
        self.commit(stage, Durability::Full)
    }

    fn answer(&self, name: &str) -> Result<Answer, SessionError> {
        let log = self.follower.account_log().ok_or(SessionError::Stored { what: "account log" })?;
        Ok(Answer {
            account: self.identity.account,
            genesis: log.genesis(),
            kem: log.account_kem().clone(),
            name: name.to_owned(),
        })
    }

    /// Whether the server has countersigned that an account is in the offered sections.
    fn is_let_in(&self, offered: &Offered, account: AccountId) -> bool {
        self.spaces.values().filter(|state| state.chart == offered.chart).all(|state| {
            !offered.sections.contains(&state.section)
                || self.follower.space_log(state.space).is_some_and(|log| {
                    log.role(account).is_some_and(|role| role >= offered.role)
                        && self.follower.stored_space_entries(state.space) >= log.entries()
                })
        })
    }

    /// Whether an account is in none of the offered sections, not even waiting for the server.
    fn is_out(&self, offered: &Offered, account: AccountId) -> bool {
        self.spaces.values().filter(|state| state.chart == offered.chart).all(|state| {
            !offered.sections.contains(&state.section)
                || self.follower.space_log(state.space).is_none_or(|log| log.role(account).is_none())
        })
    }

    /// Whether this account was let into what an invitation offered.
    fn came_in(&self, offer: &Offer) -> bool {
        offer.spaces.iter().any(|(space, _)| self.follower.role(*space).is_some())
    }
}

fn checked(args: MemberInviteArgs) -> Result<Offered, CallError> {
    let sections: Vec<Section> = args.sections.iter().filter_map(|word| section_of(word)).collect();
    if sections.is_empty() || sections.len() != args.sections.len() {
        return Err(CallError::new(Code::Invalid, "error-sections-required"));
    }
    if args.until.as_ref().is_some_and(|until| until.parse::<jiff::civil::Date>().is_err()) {
        return Err(CallError::new(Code::Invalid, "error-date"));
    }
    if args.reason.as_ref().is_some_and(|reason| reason.len() > MAX_TERM_BYTES) {
        return Err(CallError::new(Code::Invalid, "error-too-long"));
    }
    let reason = args.reason.filter(|reason| !reason.trim().is_empty());
    Ok(Offered { chart: args.chart, sections, role: role_of(args.role), until: args.until, reason })
}

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    fn say_inviting(&self, phase: PairPhase, other: Option<String>, message_id: Option<&str>) -> PairView {
        let view = PairView { phase, other, message_id: message_id.map(str::to_owned) };
        held(&self.inner.invitations).view = view.clone();
        self.inner.news.tell(Topic::Charts);
        view
    }

    fn say_joining(&self, phase: PairPhase, other: Option<String>, message_id: Option<&str>) -> PairView {
        let view = PairView { phase, other, message_id: message_id.map(str::to_owned) };
        held(&self.inner.invitations).joining = view.clone();
        self.inner.news.tell(Topic::Charts);
        view
    }

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
        while self.inner.options.clock.now_ms() < shown.ends_ms {
            if let Ok(Some(sealed)) = remote.mailbox_get(&shown.secret.mailbox_id(), "join").await {
                if shown.secret.open("join", &sealed).is_ok_and(|opened| *opened == *NO) {
                    self.say_inviting(PairPhase::Ended, None, Some("invitation-declined"));
                    return;
                }
                match message::<Answer>(&shown.secret, "join", &sealed) {
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
            tokio::time::sleep(LOOK).await;
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
                    tokio::time::sleep(LOOK * 2).await;
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
        while self.inner.options.clock.now_ms() < opened.offer.ends_ms {
            if let Ok(Some(sealed)) = remote.mailbox_get(&opened.secret.mailbox_id(), "welcome").await {
                if opened.secret.open("welcome", &sealed).is_ok_and(|opened| *opened == *NO) {
                    let offer = opened.offer.clone();
                    let _ = self.with(move |session| session.forget_shared(&offer)).await;
                    self.say_joining(PairPhase::Ended, from, Some("invitation-taken-back"));
                    return;
                }
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        self.say_joining(PairPhase::Working, from.clone(), None);
        let _ = self.sync_now(()).await;
        let offer = opened.offer.clone();
        let came = self.with(move |session| Ok(session.came_in(&offer))).await.unwrap_or(true);
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

    /// Ends what somebody sees of a chart, and tells the server at once if there is a network.
    pub async fn member_remove(
        &self,
        args: mecum_api::MemberRemoveArgs,
    ) -> Result<mecum_api::MembersView, CallError> {
        let chart = args.chart;
        self.with(move |session| session.member_remove(&args)).await?;
        // Without a network it waits, and the list says so.
        let _ = self.sync_now(()).await;
        self.with(move |session| session.members(chart)).await
    }

    /// Leaves a chart that somebody else shares.
    pub async fn chart_leave(&self, args: mecum_api::ChartArgs) -> Result<(), CallError> {
        self.with(move |session| session.chart_leave(&args)).await?;
        let _ = self.sync_now(()).await;
        Ok(())
    }
}
