//! What goes on with each exchange, on both sides: the server's part, stopping a request, and the mailboxes of the codes. What does
//! not get through is tried again with the next one; nothing of it stops an exchange.

use mecum_api::HelperState;
use mecum_seal::{AccountId, Hash32, PairingSecret};
use mecum_sync::{HelpersPart, HelpersStopping, PROTOCOL_VERSION};

use super::{CODE_DAYS, NO, PartAnswer, once, taken_secret};
use crate::app::Inner;
use crate::error::SessionError;
use crate::notices::Waits;
use crate::pairing::message;
use crate::remote::{Remote, RemoteError, Session as SignedIn};
use crate::session::Session;

/// What a helper says who has their part.
pub(super) const TAKEN: &[u8] = b"taken";

/// One thing to do.
enum Errand {
    /// The server is to have its part.
    ServerPart(HelpersPart),
    /// A request is to be stopped.
    Stop(Hash32, HelpersStopping),
    /// Whether a helper has answered.
    LookForAnswer(u8, PairingSecret),
    /// A helper is to find their part, and to say that they have it.
    HandOver(u8, PairingSecret, Vec<u8>),
    /// Whoever asked is to know that this person accepts.
    Join(AccountId, PairingSecret, Vec<u8>),
    /// Whether the part has come.
    LookForPart(AccountId, PairingSecret, i64),
    /// Whoever gave the part is to know that it is here.
    Tell(AccountId, PairingSecret),
}

/// What an errand is about: what could not be kept of one is said until it could be, whatever becomes of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ErrandOf {
    /// The server and its part.
    ServerPart,
    /// A request to be stopped.
    Stop([u8; 32]),
    /// A helper, by number.
    Helper(u8),
    /// A part that this device is to keep, of an account.
    Part(AccountId),
}

impl Errand {
    fn of(&self) -> ErrandOf {
        match self {
            Errand::ServerPart(_) => ErrandOf::ServerPart,
            Errand::Stop(request, _) => ErrandOf::Stop(*request.as_bytes()),
            Errand::LookForAnswer(number, _) | Errand::HandOver(number, ..) => ErrandOf::Helper(*number),
            Errand::Join(account, ..) | Errand::LookForPart(account, ..) | Errand::Tell(account, _) => {
                ErrandOf::Part(*account)
            }
        }
    }
}

impl Session {
    /// What there is to do now.
    fn errands(&self) -> Result<Vec<Errand>, SessionError> {
        let mut errands = Vec::new();
        errands.extend(self.stopping().map(|(request, stop)| Errand::Stop(request, stop)));
        if let Some(chosen) = self.chosen()? {
            if let Some(part) = chosen.server_part.as_ref().filter(|_| self.is_account_log_stored()) {
                let (version, set) = (PROTOCOL_VERSION, chosen.set);
                errands.push(Errand::ServerPart(HelpersPart { version, set, part: part.0 }));
            }
            for helper in &chosen.helpers {
                let Some(secret) = helper.code() else { continue };
                match (helper.state(), helper.handed()) {
                    (HelperState::Waiting, _) => errands.push(Errand::LookForAnswer(helper.number, secret)),
                    (HelperState::Handing, Some(sealed)) => {
                        errands.push(Errand::HandOver(helper.number, secret, sealed.to_vec()));
                    }
                    _ => {}
                }
            }
        }
        for keeping in self.keepings()?.into_iter().filter(|keeping| !keeping.has_ended()) {
            let Some(secret) = keeping.code() else { continue };
            let account = keeping.account;
            if keeping.is_here() {
                errands.push(Errand::Tell(account, secret));
                continue;
            }
            if !keeping.joined
                && let Some(answer) = self.part_answer_of(&keeping)
            {
                errands.push(Errand::Join(account, secret.clone(), answer));
            }
            errands.push(Errand::LookForPart(account, secret, keeping.ends_ms));
        }
        Ok(errands)
    }
}

/// Does what there is to do. For most accounts that is nothing, and nothing is sent.
pub(crate) async fn errands(inner: &Inner, remote: &Remote, signed_in: &SignedIn) {
    let list = |session: &mut Session| {
        let listed = session.errands()?;
        session.only_these_wait(&listed.iter().map(Errand::of).collect::<Vec<_>>());
        Ok::<_, SessionError>(listed)
    };
    let listed = tokio::task::block_in_place(|| inner.session(list));
    let Some(Ok(listed)) = listed else { return };
    for errand in listed {
        match run(inner, remote, signed_in, errand).await {
            Ok(()) => {}
            // The others would fare alike.
            Err(RemoteError::Offline | RemoteError::Unauthorised) => return,
            Err(_) => {
                crate::broken::say("mecum: an errand of the recovery helpers failed; it is tried again");
            }
        }
    }
}

async fn run(
    inner: &Inner,
    remote: &Remote,
    signed_in: &SignedIn,
    errand: Errand,
) -> Result<(), RemoteError> {
    let entropy = inner.options.entropy.as_ref();
    let of = errand.of();
    let keep = |work: &mut dyn FnMut(&mut Session) -> Result<(), SessionError>| {
        kept(inner, of, work);
    };
    match errand {
        Errand::ServerPart(part) => {
            remote.helpers_part(signed_in, &part).await?;
            keep(&mut |session| session.server_has_part(part.set));
        }
        Errand::Stop(request, stop) => {
            remote.helpers_stop(&stop).await?;
            keep(&mut |session| session.was_stopped(request));
        }
        Errand::LookForAnswer(number, secret) => {
            let Some(sealed) = remote.mailbox_get(&secret.mailbox_id(), "join").await? else { return Ok(()) };
            // Only who has the code can say anything, a no as well: what does not open under it is nobody's word.
            secret.open("join", &sealed).map_err(|_| RemoteError::BadAnswer)?;
            let answer = message::<PartAnswer>(&secret, "join", &sealed).ok();
            keep(&mut |session| session.helper_answered(number, &secret, answer.clone()));
            if let Some((secret, sealed)) = handed(inner, number) {
                hand_over(inner, remote, number, &secret, &sealed).await?;
            }
        }
        Errand::HandOver(number, secret, sealed) => {
            hand_over(inner, remote, number, &secret, &sealed).await?;
        }
        Errand::Join(account, secret, answer) => {
            let sealed = secret.seal("join", &answer, entropy);
            once(remote.mailbox_put(&secret.mailbox_id(), "join", &sealed).await)?;
            keep(&mut |session| session.part_joined(account, &secret));
        }
        Errand::LookForPart(account, secret, ends_ms) => {
            let came = remote.mailbox_get(&secret.mailbox_id(), "welcome").await?;
            let (junk, opened) = match came.map(|sealed| secret.open("welcome", &sealed)) {
                Some(opened) => (opened.is_err(), opened.ok()),
                None => (false, None),
            };
            if let Some(opened) = opened {
                let sealed = Some(opened.as_slice()).filter(|opened| *opened != NO);
                let came = kept(inner, of, |session| session.part_came(account, &secret, sealed));
                // If it is here, they hear of it at once; otherwise there is nothing to tell.
                if came == Some(true) {
                    tell(inner, remote, signed_in, account, &secret).await?;
                }
            } else if inner.options.clock.now_ms() >= ends_ms {
                keep(&mut |session| session.part_came(account, &secret, None).map(|_| ()));
            } else if junk {
                // What does not open under the code is nobody's word.
                return Err(RemoteError::BadAnswer);
            }
        }
        Errand::Tell(account, secret) => tell(inner, remote, signed_in, account, &secret).await?,
    }
    Ok(())
}

/// Keeps what became of a helper or a part. What could not be saved is asked or said again, and the person is told until it could.
fn kept<T>(
    inner: &Inner,
    of: ErrandOf,
    work: impl FnOnce(&mut Session) -> Result<T, SessionError>,
) -> Option<T> {
    let keep = |session: &mut Session| {
        let done = work(session);
        session.note_waits(Waits::Helper(of), &done);
        done.ok()
    };
    tokio::task::block_in_place(|| inner.session(keep)).flatten()
}

/// A helper's part as it waits to be put, if it does.
fn handed(inner: &Inner, number: u8) -> Option<(PairingSecret, Vec<u8>)> {
    let chosen = inner.session(|session| session.chosen().ok().flatten())??;
    let helper = chosen.helpers.into_iter().find(|helper| helper.number == number)?;
    Some((helper.code()?, helper.handed()?.to_vec()))
}

/// Puts a part where its helper finds it, and looks whether they have it.
async fn hand_over(
    inner: &Inner,
    remote: &Remote,
    number: u8,
    secret: &PairingSecret,
    sealed: &[u8],
) -> Result<(), RemoteError> {
    let welcome = secret.seal("welcome", sealed, inner.options.entropy.as_ref());
    match once(remote.mailbox_put(&secret.mailbox_id(), "welcome", &welcome).await) {
        // The mailbox is gone after its days: what they said may still be there.
        Err(RemoteError::Refused(_)) | Ok(()) => {}
        Err(error) => return Err(error),
    }
    let taken = taken_secret(secret);
    let Some(said) = remote.mailbox_get(&taken.mailbox_id(), "offer").await? else { return Ok(()) };
    if taken.open("offer", &said).is_ok_and(|said| *said == *TAKEN) {
        kept(inner, ErrandOf::Helper(number), |session| session.helper_has_part(number, secret));
    }
    Ok(())
}

/// Says that a part is here.
async fn tell(
    inner: &Inner,
    remote: &Remote,
    signed_in: &SignedIn,
    account: AccountId,
    secret: &PairingSecret,
) -> Result<(), RemoteError> {
    let taken = taken_secret(secret);
    let sealed = taken.seal("offer", TAKEN, inner.options.entropy.as_ref());
    once(remote.mailbox_open(signed_in, &taken.mailbox_id(), &sealed, CODE_DAYS).await)?;
    kept(inner, ErrandOf::Part(account), |session| session.part_told(account, secret));
    Ok(())
}
