//! The patient's side of a desk's code: it shows whose it is, founds the space, and lets the hospital in once that expects it.

use mecum_api::{
    CallError, CareView, ChartArgs, Code, HospitalConnectArgs, HospitalLeaveArgs, HospitalOfferView,
    InvitationOpenArgs, PairPhase, PairView, Topic,
};
use mecum_seal::PairingSecret;
use mecum_sync::RefusalCode;

use super::HospitalCard;
use super::messages::{EXPECTED, Join, NO, Offer};
use crate::app::{App, held};
use crate::driver::Home;
use crate::error::remote_error;
use crate::pairing::{Found, bad_code, body, look, message, read_code};
use crate::remote::{Remote, RemoteError};

/// The code that is open.
#[derive(Clone)]
pub(crate) struct Opened {
    secret: PairingSecret,
    home: Home,
    card: HospitalCard,
    ends_ms: i64,
}

fn used() -> CallError {
    CallError::new(Code::Refused, "error-code-used")
}

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    /// Opens the code of a hospital.
    pub async fn hospital_open(&self, args: InvitationOpenArgs) -> Result<HospitalOfferView, CallError> {
        let home = self.home().await?;
        let (secret, url, pin) = read_code(&args.code, Some(&home.url))?;
        if url != home.url || pin.is_some_and(|pin| pin != home.pin) {
            return Err(CallError::new(Code::Refused, "error-invitation-other-server"));
        }
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        let sealed = remote.mailbox_get(&secret.mailbox_id(), "offer").await;
        let sealed = sealed.map_err(|error| remote_error(&error))?.ok_or_else(bad_code)?;
        let offer: Offer = message(&secret, "offer", &sealed)?;
        let card = offer.card().ok_or_else(bad_code)?;
        let of = card.clone();
        let charts = self.with(move |session| session.charts_with(&of)).await?;
        if matches!(look(&remote, &secret, "welcome", None).await, Found::Said(said) if *said == *NO) {
            return Err(CallError::new(Code::Refused, "hospital-said-no"));
        }
        let view = HospitalOfferView {
            hospital: card.hospital,
            name: card.name.clone(),
            ends_ms: offer.ends_ms,
            connected: charts,
        };
        let mut desks = held(&self.inner.desks);
        if let Some(task) = desks.task.take() {
            task.abort();
        }
        desks.opened = Some(Opened { secret, home, card, ends_ms: offer.ends_ms });
        desks.view = PairView::default();
        Ok(view)
    }

    /// Begins the conversation with the hospital whose code is open, and says so in its mailbox. What is asked from here on waits here
    /// until the hospital is in.
    pub async fn hospital_connect(&self, args: HospitalConnectArgs) -> Result<PairView, CallError> {
        let opened = held(&self.inner.desks).opened.clone();
        let opened = opened.ok_or_else(|| CallError::new(Code::NotFound, "error-not-found"))?;
        let remote = Remote::new(&opened.home.url, opened.home.pin).map_err(|error| remote_error(&error))?;
        // A code is good for one: who comes second founds nothing.
        if let Found::Said(said) = look(&remote, &opened.secret, "join", None).await {
            let chart = args.chart;
            let joined = minicbor::decode::<Join>(&said).ok().and_then(Join::offer);
            let own = self.with(move |session| session.owner_of(chart)).await?.0;
            if joined.is_none_or(|joined| joined.owner != own || joined.chart != chart) {
                return Err(used());
            }
        }
        let (card, chart) = (opened.card.clone(), args.chart);
        let offer = self.with(move |session| session.begin_care_space(chart, &card)).await?;
        let space = offer.space;
        let said = body(&Join::new(offer));
        let sealed = opened.secret.seal("join", &said, self.inner.options.entropy.as_ref());
        match remote.mailbox_put(&opened.secret.mailbox_id(), "join", &sealed).await {
            Ok(()) => {}
            Err(RemoteError::Refused(refusal)) if refusal.code == RefusalCode::AlreadyExists => {
                let lies = look(&remote, &opened.secret, "join", None).await;
                if !matches!(lies, Found::Said(lies) if *lies == *said) {
                    return Err(used());
                }
            }
            Err(error) => return Err(remote_error(&error)),
        }
        let view = self.say_connecting(PairPhase::Waiting, &opened, None);
        let app = self.clone();
        let task = tokio::spawn(async move { app.wait_to_be_expected(opened, space).await });
        if let Some(before) = held(&self.inner.desks).task.replace(task.abort_handle()) {
            before.abort();
        }
        Ok(view)
    }

    fn say_connecting(&self, phase: PairPhase, opened: &Opened, message_id: Option<&str>) -> PairView {
        let other = Some(opened.card.name.clone());
        let view = PairView { phase, other, message_id: message_id.map(str::to_owned) };
        held(&self.inner.desks).view = view.clone();
        self.inner.news.tell(Topic::Charts);
        view
    }

    async fn wait_to_be_expected(self, opened: Opened, space: mecum_seal::SpaceId) {
        let Ok(remote) = Remote::new(&opened.home.url, opened.home.pin) else { return };
        let mut said = None;
        loop {
            if self.inner.options.clock.now_ms() >= opened.ends_ms {
                self.say_connecting(PairPhase::Ended, &opened, Some("pairing-time-over"));
                return;
            }
            match look(&remote, &opened.secret, "welcome", None).await {
                Found::Said(welcome) if *welcome == *EXPECTED => break,
                Found::Said(_) => {
                    self.say_connecting(PairPhase::Ended, &opened, Some("hospital-said-no"));
                    return;
                }
                Found::Nothing(now) if now != said => {
                    said = now;
                    self.say_connecting(PairPhase::Waiting, &opened, said);
                }
                Found::Nothing(_) => {}
            }
            tokio::time::sleep(self.inner.options.look).await;
        }
        let card = opened.card.clone();
        if let Err(error) = self.with(move |session| session.let_hospital_in(space, &card)).await {
            self.say_connecting(PairPhase::Ended, &opened, Some(&error.message_id));
            return;
        }
        // It is durable here: without a network it goes out with a later exchange.
        self.say_connecting(PairPhase::Working, &opened, None);
        loop {
            let _ = self.sync_now(()).await;
            let card = opened.card.clone();
            match self.with(move |session| session.is_hospital_in(space, &card)).await {
                Ok(true) => break,
                Ok(false) => {
                    self.say_connecting(PairPhase::Working, &opened, Some("pairing-again"));
                    tokio::time::sleep(self.inner.options.look * 2).await;
                }
                Err(error) => {
                    self.say_connecting(PairPhase::Ended, &opened, Some(&error.message_id));
                    return;
                }
            }
        }
        held(&self.inner.desks).opened = None;
        self.say_connecting(PairPhase::Done, &opened, None);
    }

    /// How connecting stands.
    pub async fn hospital_status(&self, (): ()) -> Result<PairView, CallError> {
        Ok(held(&self.inner.desks).view.clone())
    }

    /// Leaves a hospital, and tells the server at once if there is a network.
    pub async fn hospital_leave(&self, args: HospitalLeaveArgs) -> Result<CareView, CallError> {
        let chart = args.chart;
        self.with(move |session| session.hospital_leave(&args)).await?;
        // Without a network it waits, and the list says so.
        let _ = self.sync_now(()).await;
        self.with(move |session| crate::views::care::care_list(session, &ChartArgs { chart })).await
    }
}
