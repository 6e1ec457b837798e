//! Parts that this person keeps for others: taken by a code, kept in the vault, given to who asks for it after the check words were
//! compared, or destroyed.

#[cfg(test)]
mod frozen;

use mecum_api::{
    CallError, Code, PartAnswerArgs, PartArgs, PartAskedArgs, PartAskedView, PartOfferView, PartOpenArgs,
    PartState, PartView, Topic,
};
use mecum_seal::{
    AccountId, Hash32, HelperPart, PairingSecret, SecretKey32, check_words, open_from, seal_to,
};
use mecum_sync::{HelpersRequest, Signed, helping};
use mecum_vault::{Durability, Table, WriteVaultError};
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{
    GIVEN_PURPOSE, NO, PART_ASKED, PART_OFFER, PART_PURPOSE, PartAnswer, PartBody, PartOffer, Secret,
    encoded, once, part_place,
};
use crate::app::{App, held};
use crate::erasing::owe_scrub;
use crate::error::{SessionError, remote_error};
use crate::pairing::{MAX_NAME_BYTES, bad_code, message, read_code};
use crate::remote::Remote;
use crate::session::Session;

const STORED: SessionError = SessionError::Stored { what: "part" };
const PREFIX: &[u8] = b"part-of-";

/// A part that is kept, or that is to come.
#[derive(Clone, Encode, Decode)]
pub(super) struct Keeping {
    #[n(0)]
    pub(super) account: AccountId,
    /// Who gave it.
    #[n(1)]
    from: String,
    #[n(2)]
    set: Hash32,
    #[n(3)]
    at_ms: i64,
    #[n(4)]
    ended: bool,
    /// 0 until the part is here.
    #[n(5)]
    number: u8,
    #[n(6)]
    value: Option<Secret<32>>,
    /// The code's secret, until whoever gave the part knows that it is here.
    #[n(7)]
    secret: Option<Secret<17>>,
    /// The answer is in the code's mailbox.
    #[n(8)]
    pub(super) joined: bool,
    #[n(9)]
    pub(super) ends_ms: i64,
    /// The name that was given with the answer.
    #[n(10)]
    name: String,
    #[n(11)]
    server: String,
}

impl Keeping {
    pub(super) fn code(&self) -> Option<PairingSecret> {
        self.secret.as_ref().map(|secret| PairingSecret::from_bytes(secret.0))
    }

    /// Whether this is the code that counts now: another may have been opened while the server was asked.
    fn is_by(&self, code: &PairingSecret) -> bool {
        self.secret.as_ref().is_some_and(|secret| secret.0 == *code.expose())
    }

    pub(super) fn is_here(&self) -> bool {
        self.value.is_some()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}

/// A part as a helper gives it to who asks, sealed to the device that asks.
#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Given {
    #[n(0)]
    pub(crate) number: u8,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) value: [u8; 32],
    /// Who gives it.
    #[n(2)]
    pub(crate) from: String,
}

/// What who asks shows by a code.
#[derive(Clone, Encode, Decode)]
pub(crate) struct PartAsked {
    #[n(0)]
    pub(crate) kind: String,
    #[n(1)]
    pub(crate) request: Signed<HelpersRequest>,
    #[n(2)]
    pub(crate) device_name: String,
}

/// Codes that are open on this device, until they are answered or it is locked.
#[derive(Default)]
pub(crate) struct OpenParts {
    offer: Option<(PairingSecret, PartOffer)>,
    asked: Option<(PairingSecret, AccountId, Signed<HelpersRequest>)>,
}

/// A part that is to come has a name of its own: until it is here, an earlier one stays good.
fn part_name(account: AccountId, to_come: bool) -> Vec<u8> {
    let end: &[u8] = if to_come { b"-to-come" } else { b"" };
    [PREFIX, account.as_bytes(), end].concat()
}

impl Session {
    pub(super) fn keepings(&self) -> Result<Vec<Keeping>, SessionError> {
        let stored = self.vault.list_prefix(Table::Account, PREFIX)?;
        stored.iter().map(|(_, body)| minicbor::decode(body).map_err(|_| STORED)).collect()
    }

    fn keeping(&self, account: AccountId, to_come: bool) -> Result<Keeping, SessionError> {
        let body = self.vault.get(Table::Account, &part_name(account, to_come))?;
        minicbor::decode(&body.ok_or_else(SessionError::not_found)?).map_err(|_| STORED)
    }

    fn put_keeping(&mut self, keeping: &Keeping) -> Result<(), SessionError> {
        let to_come = part_name(keeping.account, true);
        let (name, body) = (part_name(keeping.account, !keeping.is_here()), encoded(keeping));
        self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            if keeping.is_here() {
                w.delete(Table::Account, &to_come)?;
            }
            w.put(Table::Account, &name, &body)
        })?;
        self.tell(Topic::Settings);
        Ok(())
    }

    fn parts(&self) -> Result<Vec<PartView>, SessionError> {
        let mut parts = Vec::new();
        let sharing = self.sharing_now();
        for keeping in self.keepings()? {
            let current = sharing.contains(&keeping.account);
            let log = self.follower.other_log(keeping.account).filter(|_| current);
            let named = log.map(|log| log.helpers().map(|helpers| helping::set_hash(&helpers.set)));
            let state = match (&keeping.value, named) {
                // What is not known of their log is not known of the part either.
                (Some(_), Some(set)) if set != Some(keeping.set) => PartState::Old,
                (Some(_), _) => PartState::Kept,
                (None, _) if keeping.ended => PartState::Ended,
                (None, _) => PartState::Waiting,
            };
            parts.push(PartView {
                account: keeping.account.to_string(),
                from: keeping.from.clone(),
                number: keeping.number,
                state,
                at_ms: keeping.at_ms,
                server: keeping.server.clone(),
            });
        }
        Ok(parts)
    }

    /// Accepts: durable before anybody hears of it.
    fn accept_part(
        &mut self,
        secret: &PairingSecret,
        offer: &PartOffer,
        name: &str,
    ) -> Result<(), SessionError> {
        let server = self.home().map(|home| home.url).unwrap_or_default();
        let keeping = Keeping {
            account: offer.account,
            from: offer.from.clone(),
            set: offer.set,
            at_ms: self.now_ms(),
            ended: false,
            number: 0,
            value: None,
            secret: Some(Secret(*secret.expose())),
            joined: false,
            ends_ms: offer.ends_ms,
            name: name.to_owned(),
            server,
        };
        self.put_keeping(&keeping)
    }

    /// What the answer to a code says.
    pub(super) fn part_answer_of(&self, keeping: &Keeping) -> Option<Vec<u8>> {
        let log = self.follower.account_log()?;
        let (account, genesis, kem) = (self.identity.account, log.genesis(), log.account_kem().clone());
        Some(crate::pairing::body(&PartAnswer { account, genesis, kem, name: keeping.name.clone() }))
    }

    pub(super) fn part_joined(
        &mut self,
        account: AccountId,
        code: &PairingSecret,
    ) -> Result<(), SessionError> {
        let keeping = self.keeping(account, true)?;
        if !keeping.is_by(code) {
            return Ok(());
        }
        self.put_keeping(&Keeping { joined: true, ..keeping })
    }

    /// Takes a part in, or that there will be none. Says whether it is here.
    pub(super) fn part_came(
        &mut self,
        account: AccountId,
        code: &PairingSecret,
        sealed: Option<&[u8]>,
    ) -> Result<bool, SessionError> {
        let keeping = self.keeping(account, true)?;
        if !keeping.is_by(code) {
            return Ok(false);
        }
        let at_ms = self.now_ms();
        let next = match sealed.and_then(|sealed| self.open_part(&keeping, sealed)) {
            Some(part) => Keeping { number: part.number, value: Some(Secret(part.value)), at_ms, ..keeping },
            None => Keeping { ended: true, secret: None, at_ms, ..keeping },
        };
        self.put_keeping(&next)?;
        Ok(next.is_here())
    }

    /// A part that is sealed to this account, of the set that was offered.
    fn open_part(&self, keeping: &Keeping, sealed: &[u8]) -> Option<PartBody> {
        let place = part_place(keeping.account, self.identity.account);
        let open = |key| open_from(key, PART_PURPOSE, &place, sealed).ok();
        let opened = self.identity.account_keys().find_map(open)?;
        let part: PartBody = minicbor::decode(&opened).ok()?;
        let whole = HelperPart::from_bytes(part.number, SecretKey32::from_bytes(part.value))?;
        (helping::set_hash(&part.set) == keeping.set && part.set.is_part(&whole)).then_some(part)
    }

    /// Whoever gave the part knows that it is here.
    pub(super) fn part_told(&mut self, account: AccountId, code: &PairingSecret) -> Result<(), SessionError> {
        let keeping = self.keeping(account, false)?;
        if !keeping.is_by(code) {
            return Ok(());
        }
        self.put_keeping(&Keeping { secret: None, ..keeping })
    }

    /// The part that is kept for somebody, sealed to the device that asks.
    fn give_part(
        &self,
        account: AccountId,
        request: &Signed<HelpersRequest>,
    ) -> Result<Vec<u8>, SessionError> {
        let keeping = self.keeping(account, false)?;
        let value = keeping.value.as_ref().ok_or_else(SessionError::not_found)?.0;
        let given = encoded(&Given { number: keeping.number, value, from: self.author_name() });
        let kem = &request.unverified().device.kem;
        seal_to(kem, GIVEN_PURPOSE, request.hash().as_bytes(), &given, self.entropy())
            .map_err(|_| crate::error::refused("error-pairing-code"))
    }

    fn withdraw_part(&mut self, account: AccountId) -> Result<(), SessionError> {
        if !self.keepings()?.iter().any(|keeping| keeping.account == account) {
            return Err(SessionError::not_found());
        }
        self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            owe_scrub(w)?;
            w.delete(Table::Account, &part_name(account, true))?;
            w.delete(Table::Account, &part_name(account, false)).map(|_| ())
        })?;
        self.scrub_soon();
        self.tell(Topic::Settings);
        Ok(())
    }
}

fn account_of(text: &str) -> Result<AccountId, CallError> {
    text.parse().map_err(|_| CallError::new(Code::NotFound, "error-not-found"))
}

#[allow(clippy::unused_async, reason = "every command is async by contract, whether it waits or not")]
impl App {
    /// The parts that are kept for others.
    pub async fn part_list(&self, (): ()) -> Result<Vec<PartView>, CallError> {
        self.with(|session| session.parts()).await
    }

    /// A code of this account's own server, and the way there.
    async fn code_here(&self, code: &str) -> Result<(PairingSecret, Remote), CallError> {
        let home = self.home().await?;
        let (secret, url, pin) = read_code(code, Some(&home.url))?;
        if url != home.url || pin.is_some_and(|pin| pin != home.pin) {
            return Err(CallError::new(Code::Refused, "error-invitation-other-server"));
        }
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        Ok((secret, remote))
    }

    /// Opens the code of somebody who asks this person to be a helper.
    pub async fn part_open(&self, args: PartOpenArgs) -> Result<PartOfferView, CallError> {
        let (secret, remote) = self.code_here(&args.code).await?;
        let sealed =
            remote.mailbox_get(&secret.mailbox_id(), "offer").await.map_err(|error| remote_error(&error))?;
        let offer: PartOffer = message(&secret, "offer", &sealed.ok_or_else(bad_code)?)?;
        if offer.kind != PART_OFFER || offer.relay != *remote.pin() || offer.from.len() > MAX_NAME_BYTES {
            return Err(bad_code());
        }
        let giver = offer.account;
        let own = self.with(move |session| Ok(session.identity.account == giver)).await?;
        if own {
            return Err(CallError::new(Code::Refused, "error-invitation-own"));
        }
        let view = PartOfferView {
            from: offer.from.clone(),
            account: offer.account.to_string(),
            ends_ms: offer.ends_ms,
        };
        held(&self.inner.parts).offer = Some((secret, offer));
        Ok(view)
    }

    /// Accepts or declines to be a helper.
    pub async fn part_answer(&self, args: PartAnswerArgs) -> Result<Vec<PartView>, CallError> {
        let opened = held(&self.inner.parts).offer.clone();
        let (secret, offer) = opened.ok_or_else(|| CallError::new(Code::NotFound, "error-not-found"))?;
        if args.accept {
            let given = args.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            if given.as_ref().is_some_and(|name| name.len() > MAX_NAME_BYTES) {
                return Err(CallError::new(Code::Invalid, "error-too-long"));
            }
            self.with(move |session| {
                let name = given.unwrap_or_else(|| session.author_name());
                session.accept_part(&secret, &offer, &name)
            })
            .await?;
        } else {
            let home = self.home().await?;
            let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
            let sealed = secret.seal("join", NO, self.inner.options.entropy.as_ref());
            let put = remote.mailbox_put(&secret.mailbox_id(), "join", &sealed).await;
            once(put).map_err(|error| remote_error(&error))?;
        }
        held(&self.inner.parts).offer = None;
        let _ = self.sync_now(()).await;
        self.part_list(()).await
    }

    /// Opens the code of somebody who restores their account: the words to compare.
    pub async fn part_asked(&self, args: PartAskedArgs) -> Result<PartAskedView, CallError> {
        let account = account_of(&args.account)?;
        let (secret, remote) = self.code_here(&args.code).await?;
        let sealed =
            remote.mailbox_get(&secret.mailbox_id(), "offer").await.map_err(|error| remote_error(&error))?;
        let asked: PartAsked = message(&secret, "offer", &sealed.ok_or_else(bad_code)?)?;
        let request = asked.request.unverified();
        let sound = asked.kind == PART_ASKED
            && request.server == *remote.pin()
            && request.account == account
            && asked.device_name.len() <= MAX_NAME_BYTES
            && helping::is_sound(&asked.request);
        if !sound {
            return Err(bad_code());
        }
        let from = self.with(move |session| Ok(session.keeping(account, false)?.from)).await?;
        let view = PartAskedView {
            account: account.to_string(),
            from,
            device_name: asked.device_name.clone(),
            words: check_words(&asked.request.hash()),
        };
        held(&self.inner.parts).asked = Some((secret, account, asked.request));
        Ok(view)
    }

    /// Gives the part to who was asked last.
    pub async fn part_give(&self, args: PartArgs) -> Result<Vec<PartView>, CallError> {
        let account = account_of(&args.account)?;
        let asked = held(&self.inner.parts).asked.clone();
        let asked = asked.filter(|(_, of, _)| *of == account);
        let (secret, _, request) = asked.ok_or_else(|| CallError::new(Code::NotFound, "error-not-found"))?;
        let home = self.home().await?;
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        let given = self.with(move |session| session.give_part(account, &request)).await?;
        let sealed = secret.seal("join", &given, self.inner.options.entropy.as_ref());
        let put = remote.mailbox_put(&secret.mailbox_id(), "join", &sealed).await;
        once(put).map_err(|error| remote_error(&error))?;
        held(&self.inner.parts).asked = None;
        self.part_list(()).await
    }

    /// Destroys a part.
    pub async fn part_withdraw(&self, args: PartArgs) -> Result<Vec<PartView>, CallError> {
        let account = account_of(&args.account)?;
        self.with(move |session| session.withdraw_part(account)).await?;
        self.part_list(()).await
    }
}
