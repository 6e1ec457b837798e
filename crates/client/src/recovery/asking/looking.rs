//! How a request stands: what a helper gave, and what the server says of the times and gives when they are over.

use mecum_api::Topic;
use mecum_seal::{HelperSet, PairingSecret, SecretKey32, open_from};
use mecum_sync::{AccountLog, HelpersAnswer, HelpersStage, RefusalCode, helping};

use super::record;
use super::record::Record;
use super::view::open_part;
use crate::app::App;
use crate::helpers::Secret;
use crate::remote::{Remote, RemoteError};

impl App {
    pub(super) async fn ask_server(&self, record: &Record) -> Result<(), RemoteError> {
        let home = record.home();
        let remote = Remote::new(&home.url, home.pin)?;
        let answer = remote.helpers_ask(record.request.clone()).await?;
        self.note(record, &answer);
        Ok(())
    }

    /// Takes in what an answer to a request says of the times.
    fn note(&self, request: &Record, answer: &HelpersAnswer) {
        let _ = self.on_asking_of(request, |asking| {
            let times = (answer.asked_at_ms, answer.released_at_ms, answer.again_at_ms);
            let before = &asking.record;
            let same = (before.asked_ms, before.released_ms, before.again_ms) == times
                && before.stage() == Some(answer.stage);
            if same {
                return Ok(());
            }
            let (asked_ms, released_ms, again_ms) = times;
            let stage = record::code_of(answer.stage);
            asking.keep(Record { stage, asked_ms, released_ms, again_ms, ..before.clone() })
        });
        self.inner.news.tell(Topic::Devices);
    }

    /// Looks for a part that a helper gave, and at the server for how the request stands.
    pub(super) async fn look(&self, record: &Record) -> Result<(), RemoteError> {
        if record.stage == record::OVER {
            // It ended: whether it is asked once more is for the person to decide.
            return Ok(());
        }
        let home = record.home();
        let remote = Remote::new(&home.url, home.pin)?;
        self.look_for_part(&remote, record).await?;
        if record.stage == record::UNASKED {
            return self.ask_server(record).await;
        }
        if record.server_part.is_some() {
            // Everything that the server has to give is here.
            return Ok(());
        }
        let mut log: Option<AccountLog> = None;
        loop {
            let after = log.as_ref().map_or(0, AccountLog::entries);
            let fetched =
                remote.helpers_fetch(&record.signing(), record.account, record.request.hash(), after).await;
            let answer = match fetched {
                Ok(answer) => answer,
                Err(RemoteError::Unauthorised) => {
                    self.over(record);
                    return Ok(());
                }
                Err(RemoteError::Refused(refusal)) if refusal.code == RefusalCode::NotFound => {
                    self.over(record);
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            self.note(record, &answer);
            if answer.stage != HelpersStage::Released {
                return Ok(());
            }
            for entry in &answer.entries {
                let taken = match &mut log {
                    None => AccountLog::found(entry).map(|found| log = Some(found)),
                    Some(log) => log.append(entry),
                };
                taken.map_err(|_| RemoteError::BadAnswer)?;
            }
            if !answer.more || answer.entries.is_empty() {
                return self.take_server_part(record, log, &answer);
            }
        }
    }

    /// The server's part, and the set that tells right parts from wrong ones, are here from now on.
    fn take_server_part(
        &self,
        record: &Record,
        log: Option<AccountLog>,
        answer: &HelpersAnswer,
    ) -> Result<(), RemoteError> {
        let place = record.request.hash();
        let opened =
            open_from(&record.kem(), helping::SERVER_PART_PURPOSE, place.as_bytes(), &answer.sealed_part);
        let part = opened.ok().and_then(|opened| SecretKey32::from_slice(&opened));
        let log = log.filter(|log| log.account() == record.account).ok_or(RemoteError::BadAnswer)?;
        let set: HelperSet = log.helpers().ok_or(RemoteError::BadAnswer)?.set;
        let part = part.ok_or(RemoteError::BadAnswer)?;
        let signing = log.helpers().map(|helpers| helpers.signing);
        let _ = self.on_asking_of(record, |asking| {
            let server_part = Some(Secret(*part.expose()));
            asking.keep(Record { server_part, set: Some(set), helpers_key: signing, ..asking.record.clone() })
        });
        self.inner.news.tell(Topic::Devices);
        Ok(())
    }

    fn over(&self, request: &Record) {
        let _ = self.on_asking_of(request, |asking| {
            asking.keep(Record { stage: record::OVER, ..asking.record.clone() })
        });
        self.inner.news.tell(Topic::Devices);
    }

    async fn look_for_part(&self, remote: &Remote, record: &Record) -> Result<(), RemoteError> {
        let Some((secret, ends_ms)) = &record.code else { return Ok(()) };
        let secret = PairingSecret::from_bytes(secret.0);
        let came = remote.mailbox_get(&secret.mailbox_id(), "join").await?;
        let over = self.inner.options.clock.now_ms() >= *ends_ms;
        let opened = came.and_then(|sealed| secret.open("join", &sealed).ok());
        if opened.is_none() && !over {
            // What does not open under the code is by nobody who has it: a helper may still come.
            return Ok(());
        }
        let request = record.request.hash();
        let part = opened.and_then(|sealed| open_part(&record.kem(), request.as_bytes(), &sealed));
        let _ = self.on_asking_of(record, |asking| {
            let mut next = asking.record.clone();
            if next.code.as_ref().is_some_and(|(shown, _)| shown.0 == *secret.expose()) {
                // Another code may have been shown meanwhile: that one goes on.
                next.code = None;
            }
            if let Some(part) = part {
                // Who gives theirs again gives it in the place of the first.
                next.parts.retain(|known| known.number != part.number || known.from != part.from);
                next.parts.push(part);
            }
            asking.keep(next)
        });
        self.inner.news.tell(Topic::Devices);
        Ok(())
    }
}
