//! Recovery helpers: three people who each keep a part of a recovery key of this account, and the parts that this person keeps for
//! others. How an account comes back with them, on an empty device, is in `recovery`.
//!
//! Each helper gets their part by a code, in a mailbox at the server that lives for days: they answer with who they are, the part is
//! sealed to their account, and they say that they have it. All of it is durable and goes on with each exchange, so that nothing of it
//! needs both people at once. This module must not know how a code looks on a screen.

mod errands;
#[cfg(test)]
mod frozen;
mod giving;
mod keeping;
mod notice;
#[doc(hidden)]
pub(crate) mod parsing;

use mecum_api::{
    CallError, Code, HelperAnswerArgs, HelperArgs, HelpersSetArgs, HelpersView, PairOfferView,
    PassphraseArgs, Topic,
};
use mecum_seal::{AccountId, Hash32, HelperSet, KemPublic, PairingSecret, VerifyingKey, sha256_parts};
use mecum_sync::RefusalCode;
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::app::App;
use crate::driver::{Home, Stopped};
use crate::error::remote_error;
use crate::pairing::{body, qr_text};
use crate::remote::{Remote, RemoteError, Session as SignedIn};

pub(crate) use errands::{ErrandOf, errands};
pub(crate) use keeping::{Given, OpenParts, PartAsked};

/// A code is good for so many days.
const CODE_DAYS: u32 = 7;
const CODE_MS: i64 = CODE_DAYS as i64 * 24 * 60 * 60 * 1_000;

/// Tells the offer of a part from an invitation's or a pairing's.
const PART_OFFER: &str = "mecum helper part v1";

/// The purpose of the seal around a [`PartBody`]; its place is the giver's account and then the helper's.
const PART_PURPOSE: &str = "mecum helper part v1";

/// In the slot of the answer, and of the welcome: no.
const NO: &[u8] = b"";

/// Tells whoever asks a helper for their part, from the screen of an empty device.
pub(crate) const PART_ASKED: &str = "mecum helper asked v1";

/// The purpose of the seal around a [`Given`] part; its place is the request's hash.
pub(crate) const GIVEN_PURPOSE: &str = "mecum helper part given v1";

/// Bytes that must not stay in memory.
#[derive(Clone, Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(transparent)]
pub(crate) struct Secret<const N: usize>(#[cbor(n(0), with = "minicbor::bytes")] pub(crate) [u8; N]);

/// What is said first, sealed under the code's secret: who asks somebody to be a helper.
#[derive(Clone, Encode, Decode)]
struct PartOffer {
    #[n(0)]
    kind: String,
    #[n(1)]
    account: AccountId,
    #[n(2)]
    genesis: Hash32,
    #[n(3)]
    relay: VerifyingKey,
    /// Who asks.
    #[n(4)]
    from: String,
    /// Of which set the part is.
    #[n(5)]
    set: Hash32,
    #[n(6)]
    ends_ms: i64,
}

/// Who accepts.
#[derive(Clone, Encode, Decode)]
struct PartAnswer {
    #[n(0)]
    account: AccountId,
    #[n(1)]
    genesis: Hash32,
    #[n(2)]
    kem: KemPublic,
    #[n(3)]
    name: String,
}

/// The part, sealed to the helper's account.
#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
struct PartBody {
    #[n(0)]
    number: u8,
    #[cbor(n(1), with = "minicbor::bytes")]
    value: [u8; 32],
    #[n(2)]
    #[zeroize(skip)]
    set: HelperSet,
}

fn part_place(giver: AccountId, helper: AccountId) -> Vec<u8> {
    [giver.as_bytes().as_slice(), helper.as_bytes()].concat()
}

/// Where a helper says that they have their part: another mailbox, whose name only the two know.
fn taken_secret(secret: &PairingSecret) -> PairingSecret {
    let hash = sha256_parts(&[b"mecum helper part taken v1", secret.expose()]);
    let mut bytes = [0; 17];
    bytes.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    PairingSecret::from_bytes(bytes)
}

/// What this device keeps of the helpers, encoded where it is wiped.
fn encoded<T: Encode<()>>(value: &T) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(minicbor::to_vec(value).expect("plain fields encode"))
}

/// Puts what a mailbox takes once: that it has something there already is as good, as after an answer that was lost.
fn once(put: Result<(), RemoteError>) -> Result<(), RemoteError> {
    match put {
        Err(RemoteError::Refused(refusal)) if refusal.code == RefusalCode::AlreadyExists => Ok(()),
        other => other,
    }
}

/// What could not be asked of the server now.
fn stopped(stopped: Stopped) -> CallError {
    match stopped {
        Stopped::Remote(error) => remote_error(&error),
        _ => CallError::new(Code::Locked, "error-locked"),
    }
}

impl App {
    /// The account's server, and this device signed in there.
    async fn signed_in(&self) -> Result<(Home, Remote, SignedIn), CallError> {
        let home = self.home().await?;
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        let session = crate::driver::sign_in(&self.inner, &remote).await.map_err(stopped)?;
        Ok((home, remote, session))
    }

    /// The account's helpers.
    pub async fn helpers_get(&self, (): ()) -> Result<HelpersView, CallError> {
        self.with(|session| session.helpers()).await
    }

    /// Chooses three helpers.
    pub async fn helpers_set(&self, args: HelpersSetArgs) -> Result<HelpersView, CallError> {
        let HelpersSetArgs { passphrase, helpers } = args;
        let (passphrase, options) = (Zeroizing::new(passphrase), self.vault_options());
        self.with(move |session| {
            session.check_passphrase(&passphrase, &options)?;
            session.set_helpers(&helpers)
        })
        .await?;
        // The server is to know of them before anybody counts on them; without a network it waits.
        let _ = self.sync_now(()).await;
        self.helpers_get(()).await
    }

    /// Shows the code of one helper.
    pub async fn helpers_code(&self, args: HelperArgs) -> Result<PairOfferView, CallError> {
        let (home, remote, signed_in) = self.signed_in().await?;
        let number = args.number;
        let code = self.with(move |session| session.helper_code(number)).await?;
        if !code.opened {
            let sealed = code.secret.seal("offer", &body(&code.offer), self.inner.options.entropy.as_ref());
            let opened = remote.mailbox_open(&signed_in, &code.secret.mailbox_id(), &sealed, CODE_DAYS).await;
            once(opened).map_err(|error| remote_error(&error))?;
            let shown = code.secret.clone();
            self.with(move |session| session.helper_code_opened(number, &shown)).await?;
        }
        Ok(PairOfferView {
            words: code.secret.to_words(),
            qr: qr_text(&code.secret, &home),
            server: home.url,
            ends_ms: code.offer.ends_ms,
        })
    }

    /// Whether it is them.
    pub async fn helpers_answer(&self, args: HelperAnswerArgs) -> Result<HelpersView, CallError> {
        self.with(move |session| session.answer_helper(&args)).await?;
        let _ = self.sync_now(()).await;
        self.helpers_get(()).await
    }

    /// Ends that there are helpers.
    pub async fn helpers_end(&self, args: PassphraseArgs) -> Result<HelpersView, CallError> {
        let (passphrase, options) = (Zeroizing::new(args.passphrase), self.vault_options());
        self.with(move |session| {
            session.check_passphrase(&passphrase, &options)?;
            session.end_helpers()
        })
        .await?;
        let _ = self.sync_now(()).await;
        self.helpers_get(()).await
    }

    /// Stops whoever asks to restore this account.
    pub async fn helpers_stop(&self, (): ()) -> Result<HelpersView, CallError> {
        self.with(super::session::Session::stop_notice).await?;
        let _ = self.sync_now(()).await;
        self.inner.news.tell(Topic::Sync);
        self.helpers_get(()).await
    }
}
