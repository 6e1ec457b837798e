//! The desk's side of a code: it shows who the hospital is, hears who would connect, and expects them once a person said that it is them.

use std::collections::BTreeMap;

use mecum_api::{
    CallError, Code, DeskAnswerArgs, DeskCodeArgs, DeskCodeView, PairOfferView, PairPhase, SyncPhase, Topic,
};
use mecum_seal::PairingSecret;
use tokio::task::AbortHandle;

use super::messages::{EXPECTED, Join, NO, Offer};
use super::{CareOffer, Opened};
use crate::app::{App, held};
use crate::driver::{Home, Stopped};
use crate::error::remote_error;
use crate::pairing::{Found, body, look, qr_text};
use crate::remote::Remote;

/// A code at the counter is good for as long as its mailbox: a quarter of an hour. Source: the relay's life of a mailbox.
const COUNTER_MS: i64 = 15 * 60 * 1_000;

/// One in a letter: two days.
const LETTER_MS: i64 = 2 * 24 * 60 * 60 * 1_000;
const LETTER_DAYS: u32 = 2;

/// Most codes that one device shows at once. All of them are asked about by one task, one after the other.
const MAX_SHOWN: usize = 20;

/// So many times slower than a single mailbox is looked into: twenty codes are ten requests a second at most.
const SLOWER: u32 = 4;

/// A code that is shown.
#[derive(Clone)]
struct Shown {
    secret: PairingSecret,
    home: Home,
    view: DeskCodeView,
    /// What to expect, once somebody has answered.
    asked: Option<CareOffer>,
}

/// Codes of a hospital on this device: those that it shows, and the one that it has opened.
#[derive(Default)]
pub(crate) struct Desks {
    shown: BTreeMap<[u8; 16], Shown>,
    looking: Option<AbortHandle>,
    expecting: Vec<AbortHandle>,
    pub(super) opened: Option<Opened>,
    pub(super) view: mecum_api::PairView,
    pub(super) task: Option<AbortHandle>,
}

impl Drop for Desks {
    fn drop(&mut self) {
        let tasks = self.looking.take().into_iter().chain(self.task.take()).chain(self.expecting.drain(..));
        tasks.for_each(|task| task.abort());
    }
}

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    /// Shows a code of this account as a hospital.
    pub async fn desk_code(&self, args: DeskCodeArgs) -> Result<DeskCodeView, CallError> {
        if held(&self.inner.desks).shown.values().filter(|shown| !is_over(shown.view.phase)).count()
            >= MAX_SHOWN
        {
            return Err(CallError::new(Code::Refused, "error-desk-codes"));
        }
        let home = self.home().await?;
        let life_ms = if args.letter { LETTER_MS } else { COUNTER_MS };
        let ends_ms = self.inner.options.clock.now_ms() + life_ms;
        let card = self.with(|session| session.hospital_card(&session.author_name())).await?;
        let secret = PairingSecret::make(self.inner.options.entropy.as_ref());
        let sealed =
            secret.seal("offer", &body(&Offer::new(card, ends_ms)), self.inner.options.entropy.as_ref());
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        let signed_in = match crate::driver::sign_in(&self.inner, &remote).await {
            Ok(signed_in) => signed_in,
            Err(Stopped::Remote(error)) => return Err(remote_error(&error)),
            Err(_) => return Err(CallError::new(Code::Locked, "error-locked")),
        };
        let mailbox = secret.mailbox_id();
        let opened = if args.letter {
            remote.mailbox_open(&signed_in, &mailbox, &sealed, LETTER_DAYS).await
        } else {
            remote.mailbox_offer(Some(&signed_in), &mailbox, &sealed).await
        };
        opened.map_err(|error| remote_error(&error))?;
        let offer = PairOfferView {
            words: secret.to_words(),
            qr: qr_text(&secret, &home),
            server: home.url.clone(),
            ends_ms,
        };
        let view = DeskCodeView {
            code: name_of(&mailbox),
            offer,
            phase: PairPhase::Waiting,
            ..DeskCodeView::default()
        };
        let app = self.clone();
        let mut desks = held(&self.inner.desks);
        // What is over was seen, or nobody looks for it any more.
        desks.shown.retain(|_, shown| !is_over(shown.view.phase));
        desks.shown.insert(mailbox, Shown { secret, home, view: view.clone(), asked: None });
        if desks.looking.as_ref().is_none_or(AbortHandle::is_finished) {
            desks.looking = Some(tokio::spawn(async move { app.look_into_codes().await }).abort_handle());
        }
        Ok(view)
    }

    /// Looks for who has answered, until no code is waited for.
    async fn look_into_codes(self) {
        loop {
            let waiting: Vec<([u8; 16], Shown)> = {
                let desks = held(&self.inner.desks);
                let waits = |shown: &Shown| shown.view.phase == PairPhase::Waiting;
                let waiting = desks.shown.iter().filter(|(_, shown)| waits(shown));
                waiting.map(|(mailbox, shown)| (*mailbox, shown.clone())).collect()
            };
            if waiting.is_empty() {
                return;
            }
            for (mailbox, shown) in waiting {
                if self.inner.options.clock.now_ms() >= shown.view.offer.ends_ms {
                    self.say_code(mailbox, |view| end(view, "pairing-time-over"));
                    continue;
                }
                let Ok(remote) = Remote::new(&shown.home.url, shown.home.pin) else { continue };
                match look(&remote, &shown.secret, "join", None).await {
                    Found::Said(said) => self.hear_join(mailbox, &said),
                    Found::Nothing(now) if now != shown.view.message_id.as_deref() => {
                        self.say_code(mailbox, |view| view.message_id = now.map(str::to_owned));
                    }
                    Found::Nothing(_) => {}
                }
            }
            tokio::time::sleep(self.inner.options.look * SLOWER).await;
        }
    }

    fn hear_join(&self, mailbox: [u8; 16], said: &[u8]) {
        let joins = minicbor::decode::<Join>(said).ok().and_then(Join::offer);
        let Some(offer) = joins else {
            return self.say_code(mailbox, |view| end(view, "error-invitation-code"));
        };
        if let Some(shown) = held(&self.inner.desks).shown.get_mut(&mailbox) {
            shown.asked = Some(offer.clone());
        }
        self.say_code(mailbox, |view| {
            view.phase = PairPhase::Asking;
            view.from = Some(offer.from);
            view.whose = Some(offer.name);
            view.message_id = None;
        });
    }

    fn say_code(&self, mailbox: [u8; 16], say: impl FnOnce(&mut DeskCodeView)) {
        if let Some(shown) = held(&self.inner.desks).shown.get_mut(&mailbox) {
            say(&mut shown.view);
        }
        self.inner.news.tell(Topic::Charts);
    }

    /// The codes that this device shows.
    pub async fn desk_list(&self, (): ()) -> Result<Vec<DeskCodeView>, CallError> {
        // The order in which they end is the order in which they were made, for each of the two kinds.
        let mut all: Vec<DeskCodeView> =
            held(&self.inner.desks).shown.values().map(|shown| shown.view.clone()).collect();
        all.sort_by(|one, other| (one.offer.ends_ms, &one.code).cmp(&(other.offer.ends_ms, &other.code)));
        Ok(all)
    }

    /// Yes: the hospital expects who answered, and tells them so. No: the code leads nowhere.
    pub async fn desk_answer(&self, args: DeskAnswerArgs) -> Result<Vec<DeskCodeView>, CallError> {
        let found = held(&self.inner.desks)
            .shown
            .iter()
            .find(|(_, shown)| shown.view.code == args.code)
            .map(|(mailbox, shown)| (*mailbox, shown.clone()));
        let (mailbox, shown) = found.ok_or_else(|| CallError::new(Code::NotFound, "error-not-found"))?;
        if !args.yes {
            if !is_over(shown.view.phase) {
                self.say_code(mailbox, |view| end(view, "desk-said-no"));
                self.tell(&shown, NO).await;
            }
            return self.desk_list(()).await;
        }
        match (shown.view.phase, shown.asked.clone()) {
            (PairPhase::Asking, Some(offer)) => {
                self.with(move |session| session.expect_care(&offer)).await?;
                self.say_code(mailbox, |view| view.phase = PairPhase::Working);
                let app = self.clone();
                let task = tokio::spawn(async move { app.say_expected(mailbox, shown).await });
                let mut desks = held(&self.inner.desks);
                desks.expecting.retain(|task| !task.is_finished());
                desks.expecting.push(task.abort_handle());
            }
            (PairPhase::Working | PairPhase::Done, _) => {}
            _ => return Err(CallError::new(Code::NotFound, "error-not-found")),
        }
        self.desk_list(()).await
    }

    /// Says that the hospital is to be let in, once the server has what tells the account's other devices to expect it: what they are
    /// granted before, they read everything again for.
    async fn say_expected(self, mailbox: [u8; 16], shown: Shown) {
        loop {
            match self.sync_now(()).await {
                Ok(view) if view.phase == SyncPhase::UpToDate && self.tell(&shown, EXPECTED).await => break,
                Ok(_) => {}
                Err(error) => return self.say_code(mailbox, |view| end(view, &error.message_id)),
            }
            if self.inner.options.clock.now_ms() >= shown.view.offer.ends_ms {
                return self.say_code(mailbox, |view| end(view, "pairing-time-over"));
            }
            self.say_code(mailbox, |view| view.message_id = Some("pairing-again".to_owned()));
            tokio::time::sleep(self.inner.options.look * 2).await;
        }
        self.say_code(mailbox, |view| {
            view.phase = PairPhase::Done;
            view.message_id = None;
        });
    }

    /// Says the last word in a code's mailbox. Whether it lies there.
    async fn tell(&self, shown: &Shown, word: &[u8]) -> bool {
        let Ok(remote) = Remote::new(&shown.home.url, shown.home.pin) else { return false };
        let mailbox = shown.secret.mailbox_id();
        let sealed = shown.secret.seal("welcome", word, self.inner.options.entropy.as_ref());
        if remote.mailbox_put(&mailbox, "welcome", &sealed).await.is_ok() {
            return true;
        }
        // The answer to an earlier try may have been lost.
        matches!(look(&remote, &shown.secret, "welcome", None).await, Found::Said(said) if *said == *word)
    }
}

fn is_over(phase: PairPhase) -> bool {
    matches!(phase, PairPhase::Done | PairPhase::Ended)
}

fn end(view: &mut DeskCodeView, why: &str) {
    view.phase = PairPhase::Ended;
    view.message_id = Some(why.to_owned());
}

fn name_of(mailbox: &[u8; 16]) -> String {
    mailbox.iter().fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
}
