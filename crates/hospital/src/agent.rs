//! The program: it waits for what comes, and answers each conversation that has changed, in one step under one lock.

mod publishing;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mecum_api::{CallError, NewsArgs, SyncView, command};
use mecum_client::{
    After, App, AppOptions, CareAct, CareMark, CareTalk, IncarnationId, Session, SessionError, SpaceId,
    TalkActs,
};
use mecum_domain::{Appointment, Side, SlotDecision};

use crate::answering::{House, to_case, to_visit};
use crate::error::HospitalError;
use crate::ledger::{Ledger, ROWS};
use crate::notice::Notice;
use crate::setup::{self, Held, Start, call};

/// How far the own clock and the server's may lie apart. A program that books by a wrong clock calls slots gone that are to come, and
/// promises times that are past.
const MAX_APART_MS: i64 = 60 * 60 * 1_000;

/// How often it looks at the file of what is published, and at what waits for a minute to pass.
const TICK: Duration = Duration::from_secs(1);

/// A conversation with more words than are received in a minute is looked at again after one.
const LATER: Duration = Duration::from_mins(1);

/// What the program takes from outside.
pub struct HospitalOptions {
    /// Its folder: vault, key file, lock.
    pub data: PathBuf,
    /// The file of what the hospital publishes: [`mecum_domain::Directory`] as JSON.
    pub directory: PathBuf,
    /// In which of the directory's languages it writes, BCP 47.
    pub language: String,
    /// The app that it is; the profile is the folder `vault` in [`HospitalOptions::data`].
    pub app: AppOptions,
    /// Where it says what staff or an operator should know. No patient's text goes there, and nobody's name.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
}

impl HospitalOptions {
    /// What a shipped program uses.
    pub fn new(data: PathBuf, directory: PathBuf, log: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        let app = AppOptions::new(data.join("vault"));
        Self { data, directory, language: "en".to_owned(), app, log }
    }
}

/// What answers are made from. It changes under the lock of the session alone.
struct Desk {
    notice: Notice,
    ledger: Ledger,
    language: String,
}

/// The hospital's program, with its folder and an open vault.
pub struct Agent {
    app: App,
    desk: Arc<Mutex<Desk>>,
    /// How far each space had come when it was answered.
    answered: BTreeMap<SpaceId, CareMark>,
    /// What stands as booked is in the table: it was read in every conversation once the session had caught up with the server, in this
    /// life of the device.
    remembers: Option<IncarnationId>,
    /// Spaces in which more is to be said, and since when.
    later: BTreeMap<SpaceId, tokio::time::Instant>,
    /// When it is looked again whether what everybody may read is still so.
    publish_at: Option<tokio::time::Instant>,
    /// What was said to the log last, so that it is said once.
    said: Option<String>,
    log: Arc<dyn Fn(&str) + Send + Sync>,
    clock: Arc<dyn mecum_client::Clock>,
    _held: Held,
}

impl Agent {
    /// Takes the folder, opens the vault or brings an account into it, and reads the table of slots.
    ///
    /// # Errors
    /// [`HospitalError`]; nothing was answered then.
    pub async fn open(options: HospitalOptions, start: Start) -> Result<Self, HospitalError> {
        let HospitalOptions { data, directory, language, app, log } = options;
        let held = setup::take(&data)?;
        let notice = Notice::open(&directory)?;
        let clock = app.clock.clone();
        let app = App::open(app);
        setup::open(&app, &data, start).await?;
        let rows = app.with(|session| session.own_rows(ROWS)).await?;
        let ledger = Ledger::of_rows(&rows)?;
        let desk = Arc::new(Mutex::new(Desk { notice, ledger, language }));
        let (answered, later) = (BTreeMap::new(), BTreeMap::new());
        let agent = Self {
            app,
            desk,
            answered,
            remembers: None,
            later,
            publish_at: None,
            said: None,
            log,
            clock,
            _held: held,
        };
        agent.publish().await?;
        Ok(agent)
    }

    /// The app that it is.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Answers until `stop`, then locks the vault.
    ///
    /// # Errors
    /// The vault could not be locked as it should.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), HospitalError> {
        tokio::pin!(stop);
        let mut news = NewsArgs::default();
        loop {
            if let Err(error) = self.answer().await {
                self.say(&error.to_string());
            }
            self.keep_published().await;
            tokio::select! {
                () = &mut stop => break,
                heard = call::<command::News>(&self.app, news.clone()) => {
                    news.after = heard.map_or(news.after, |heard| heard.at);
                }
                () = tokio::time::sleep(TICK) => {}
            }
        }
        call::<command::VaultLock>(&self.app, ()).await?;
        Ok(())
    }

    /// Answers every conversation that has changed since it was answered. Answers how many acts were said.
    ///
    /// # Errors
    /// The first of what could not be kept or read. Every other conversation is answered, and that one the next time.
    pub async fn answer(&mut self) -> Result<usize, HospitalError> {
        let looked = held(&self.desk).notice.look();
        match looked {
            Ok(true) => {
                self.publish().await?;
                // What was offered may have been closed by it.
                self.answered.clear();
            }
            Ok(false) => {}
            Err(error) => self.say(&error.to_string()),
        }
        let apart_ms = self.app.with(|session| Ok(session.server_ahead_ms())).await?.unwrap_or_default();
        if apart_ms.abs() > MAX_APART_MS {
            let minutes = apart_ms.abs() / 60_000;
            self.say(&format!("this clock and the server's are {minutes} minutes apart; nothing is answered until one of them is put right"));
            return Ok(0);
        }
        if !self.remember().await? {
            return Ok(0);
        }
        let (mut said, mut failed) = (0, None);
        for space in self.changed().await? {
            let (desk, clock) = (self.desk.clone(), self.clock.clone());
            let answered = move |session: &mut Session| {
                let answered = held(&desk).answer(session, space, clock.now_ms())?;
                Ok((session.care_mark(space), answered))
            };
            // What is wrong with one conversation keeps nobody else waiting.
            let (mark, Answered { acts, later, failed: with }) = match self.app.with(answered).await {
                Ok(answered) => answered,
                Err(error) => {
                    failed.get_or_insert(HospitalError::from(error));
                    continue;
                }
            };
            said += acts;
            if let Some(error) = with {
                failed.get_or_insert(HospitalError::from(CallError::from(error)));
                continue;
            }
            self.answered.extend(mark.map(|mark| (space, mark)));
            if later {
                self.later.insert(space, tokio::time::Instant::now());
            }
        }
        if said > 0 {
            self.said = None;
        }
        failed.map_or(Ok(said), Err)
    }

    /// Reads what stands as booked in every conversation before the first is answered: of a table that was lost, or put back from a copy,
    /// nothing may be given away again. Answers whether that is done; it is not while the server's answer is waited for.
    async fn remember(&mut self) -> Result<bool, HospitalError> {
        let (life, caught_up) =
            self.app.with(|session| Ok((session.life(), session.has_caught_up()))).await?;
        if self.remembers == Some(life) || !caught_up {
            return Ok(self.remembers == Some(life));
        }
        self.answered.clear();
        for space in self.changed().await? {
            let (desk, clock) = (self.desk.clone(), self.clock.clone());
            self.app.with(move |session| held(&desk).remember(session, space, clock.now_ms())).await?;
        }
        self.remembers = Some(life);
        Ok(true)
    }

    /// The spaces that somebody may have said something in.
    async fn changed(&mut self) -> Result<Vec<SpaceId>, HospitalError> {
        let due: Vec<SpaceId> = self
            .later
            .iter()
            .filter(|(_, since)| since.elapsed() >= LATER)
            .map(|(space, _)| *space)
            .collect();
        for space in &due {
            self.later.remove(space);
            self.answered.remove(space);
        }
        let (marks, spaces) =
            self.app.with(|session| Ok((session.care_marks(), session.care_spaces()))).await?;
        let answers = |space: &SpaceId| {
            let found =
                spaces.binary_search_by_key(space, |one| one.space).ok().and_then(|at| spaces.get(at));
            found.is_some_and(|one| one.side == Side::Hospital && one.open)
        };
        let changed = marks.into_iter().filter(|mark| self.answered.get(&mark.space) != Some(mark));
        Ok(changed.map(|mark| mark.space).filter(answers).collect())
    }

    /// Brings the table to what the file says.
    async fn publish(&self) -> Result<(), HospitalError> {
        let (desk, clock) = (self.desk.clone(), self.clock.clone());
        let refused = self.app.with(move |session| held(&desk).publish(session, clock.now_ms())).await?;
        if refused > 0 {
            (self.log)(&format!(
                "{refused} of the times in the directory overlap, have no minutes, or are too many: they cannot be booked"
            ));
        }
        Ok(())
    }

    /// Says something to the log, once.
    fn say(&mut self, what: &str) {
        if self.said.as_deref() != Some(what) {
            (self.log)(what);
            self.said = Some(what.to_owned());
        }
    }

    /// How the exchange with the server stands.
    ///
    /// # Errors
    /// The vault is locked.
    pub async fn sync_status(&self) -> Result<SyncView, HospitalError> {
        call::<command::SyncStatus>(&self.app, ()).await
    }
}

/// What was said in a space.
#[derive(Default)]
struct Answered {
    acts: usize,
    /// More is to be said once a minute has passed.
    later: bool,
    /// Why the first of the conversations that could not be answered was not.
    failed: Option<SessionError>,
}

impl Desk {
    /// Answers every conversation of a space.
    fn answer(
        &mut self,
        session: &mut Session,
        space: SpaceId,
        now_ms: i64,
    ) -> Result<Answered, SessionError> {
        let mut answered = Answered::default();
        for CareTalk { thread, acts, .. } in session.care_talks(space)? {
            let house = House {
                directory: &self.notice.directory,
                hours: &self.notice.hours,
                language: &self.language,
            };
            let (says, decided) = match acts {
                TalkActs::Case(acts) => {
                    let answer = to_case(&acts, &house, now_ms);
                    answered.later |= answer.later;
                    (answer.says.into_iter().map(CareAct::Case).collect::<Vec<_>>(), None)
                }
                TalkActs::Appointment(acts) => {
                    let (decided, says) = self.ledger.decide(now_ms, |table| {
                        let answer = to_visit(thread, &acts, table, &house, now_ms);
                        (answer.decisions, answer.says)
                    });
                    (says.into_iter().map(CareAct::Appointment).collect(), Some(decided))
                }
            };
            let rows = decided.as_ref().map(|decided| decided.rows.clone()).unwrap_or_default();
            if says.is_empty() && rows.is_empty() {
                continue;
            }
            match session.care_say(space, Some(thread), says, After::Everything, "", rows) {
                Ok(said) => answered.acts += said.len(),
                Err(error) => {
                    answered.failed.get_or_insert(error);
                    continue;
                }
            }
            if let Some(decided) = decided {
                self.ledger.take(decided);
            }
        }
        Ok(answered)
    }

    /// Gives what stands as booked in a space to whose it is.
    fn remember(&mut self, session: &mut Session, space: SpaceId, now_ms: i64) -> Result<(), SessionError> {
        for CareTalk { thread, acts, .. } in session.care_talks(space)? {
            let TalkActs::Appointment(acts) = acts else { continue };
            let Some(booked) = Appointment::of(&acts).booked else { continue };
            let (decided, ()) = self.ledger.decide(now_ms, |table| {
                let is_theirs = table.given_to(thread) == Some(booked.id);
                let give = SlotDecision::Give { to: thread, slot: booked.id };
                // What cannot be given is found again when the conversation is answered, and called off.
                let given = !is_theirs && table.apply(&give, now_ms).is_ok();
                (given.then_some(give).into_iter().collect(), ())
            });
            session.keep_rows(decided.rows.clone())?;
            self.ledger.take(decided);
        }
        Ok(())
    }

    fn publish(&mut self, session: &mut Session, now_ms: i64) -> Result<usize, SessionError> {
        let (decided, refused) = self.ledger.decide(now_ms, |table| self.notice.publish(table, now_ms));
        session.keep_rows(decided.rows.clone())?;
        self.ledger.take(decided);
        Ok(refused.len())
    }
}

/// What panics under it is told by the command, and the desk is as it was: it changes by one assignment.
fn held(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
