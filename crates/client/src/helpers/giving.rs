//! The own helpers: the key that they bring back, its parts until each is handed over, and how far each of them is.

mod choosing;
#[cfg(test)]
mod frozen;
mod view;

use mecum_api::{CallError, Code, HelperAnswerArgs, HelperState, Topic};
use mecum_seal::{AccountId, Hash32, PairingSecret, seal_to};
use mecum_sync::{AccountLog, helping};
use mecum_vault::{Durability, Table, VaultOptions, WriteVaultError};
use minicbor::{Decode, Encode};

use super::{
    CODE_MS, PART_OFFER, PART_PURPOSE, PartAnswer, PartBody, PartOffer, Secret, encoded, part_place,
};
use crate::erasing::owe_scrub;
use crate::error::{SessionError, refused, unlock_error};
use crate::pairing::MAX_NAME_BYTES;
use crate::session::Session;

/// The name under which the vault keeps what this device knows of the helpers.
const HELPERS_NAME: &[u8] = b"helpers";

const ACCOUNT_LOG: SessionError = SessionError::Stored { what: "account log" };
const STORED: SessionError = SessionError::Stored { what: "helpers" };

/// The helpers that were chosen on this device.
#[derive(Clone, Encode, Decode)]
pub(super) struct Chosen {
    #[n(0)]
    pub(super) made_ms: i64,
    /// Which set the parts are of.
    #[n(1)]
    pub(super) set: Hash32,
    /// The server's part, until the server has it.
    #[n(2)]
    pub(super) server_part: Option<Secret<32>>,
    #[n(3)]
    pub(super) helpers: Vec<Helper>,
}

/// One of them.
#[derive(Clone, Encode, Decode)]
pub(super) struct Helper {
    #[n(0)]
    pub(super) number: u8,
    #[n(1)]
    name: String,
    /// Who it must be, if that was chosen.
    #[n(2)]
    account: Option<AccountId>,
    /// See [`HelperState`], in its order.
    #[n(3)]
    state: u8,
    #[n(4)]
    at_ms: i64,
    /// The code's secret, from when it is shown until they have their part.
    #[n(5)]
    secret: Option<Secret<17>>,
    /// The server has the code's offer.
    #[n(6)]
    opened: bool,
    #[n(7)]
    ends_ms: i64,
    /// Their part, until they have it.
    #[n(8)]
    part: Option<Secret<32>>,
    /// Who answered.
    #[n(9)]
    answered: Option<PartAnswer>,
    /// The part as it waits for them, sealed to them.
    #[cbor(n(10), with = "minicbor::bytes")]
    sealed: Option<Vec<u8>>,
}

const STATES: [HelperState; 6] = [
    HelperState::Chosen,
    HelperState::Waiting,
    HelperState::Asking,
    HelperState::Handing,
    HelperState::Kept,
    HelperState::Declined,
];

impl Helper {
    pub(super) fn state(&self) -> HelperState {
        STATES.get(usize::from(self.state)).copied().unwrap_or_default()
    }

    fn enter(&mut self, state: HelperState, now_ms: i64) {
        let code = STATES.iter().position(|known| *known == state).unwrap_or(0);
        self.state = u8::try_from(code).unwrap_or(0);
        self.at_ms = now_ms;
    }

    /// The code's secret, while it leads somewhere.
    pub(super) fn code(&self) -> Option<PairingSecret> {
        self.secret.as_ref().map(|secret| PairingSecret::from_bytes(secret.0))
    }

    /// Whether this is the code that counts now: another may have been shown while the server was asked.
    fn is_by(&self, code: &PairingSecret) -> bool {
        self.secret.as_ref().is_some_and(|secret| secret.0 == *code.expose())
    }

    /// The part as it is handed over.
    pub(super) fn handed(&self) -> Option<&[u8]> {
        self.sealed.as_deref()
    }
}

/// A code to show.
pub(super) struct Shown {
    pub(super) secret: PairingSecret,
    pub(super) offer: PartOffer,
    pub(super) opened: bool,
}

impl Session {
    pub(super) fn check_passphrase(
        &self,
        passphrase: &str,
        options: &VaultOptions,
    ) -> Result<(), SessionError> {
        if self.vault.is_passphrase(passphrase, options).map_err(|error| unlock_error(&error))? {
            return Ok(());
        }
        Err(CallError::new(Code::WrongPassphrase, "error-passphrase-asked").into())
    }

    /// What this device knows of the helpers, if they are still the account's.
    pub(super) fn chosen(&self) -> Result<Option<Chosen>, SessionError> {
        let Some(bytes) = self.vault.get(Table::Account, HELPERS_NAME)? else { return Ok(None) };
        let chosen: Chosen = minicbor::decode(&bytes).map_err(|_| STORED)?;
        Ok((self.helpers_set_hash() == Some(chosen.set)).then_some(chosen))
    }

    fn helpers_set_hash(&self) -> Option<Hash32> {
        let helpers = self.follower.account_log().and_then(AccountLog::helpers);
        helpers.map(|helpers| helping::set_hash(&helpers.set))
    }

    pub(super) fn put_chosen(&mut self, chosen: &Chosen) -> Result<(), SessionError> {
        let bytes = encoded(chosen);
        self.vault.write(Durability::Full, |w| -> Result<(), WriteVaultError> {
            // A part or a code may be gone from it: neither is to be found in the log.
            owe_scrub(w)?;
            w.put(Table::Account, HELPERS_NAME, &bytes)
        })?;
        self.tell(Topic::Settings);
        Ok(())
    }

    /// Empties the log after what was destroyed is durably gone: that it cannot be done now undoes nothing of it. It stays owed, and
    /// is done when the program rests.
    pub(super) fn scrub_soon(&mut self) {
        if self.scrub_if_owed().is_err() {
            crate::broken::say(
                "mecum: the log could not be emptied of what was destroyed; it is tried again",
            );
        }
    }

    /// Changes one helper; what it answers is durable.
    fn with_helper<T>(
        &mut self,
        number: u8,
        change: impl FnOnce(&Self, &mut Helper) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let mut chosen = self.chosen()?.ok_or_else(SessionError::not_found)?;
        let helper = chosen.helpers.iter_mut().find(|helper| helper.number == number);
        let changed = change(self, helper.ok_or_else(SessionError::not_found)?)?;
        self.put_chosen(&chosen)?;
        Ok(changed)
    }

    /// The code of a helper who has no part yet: the same one until it ends.
    pub(super) fn helper_code(&mut self, number: u8) -> Result<Shown, SessionError> {
        let log = self.follower.account_log().ok_or(ACCOUNT_LOG)?;
        let relay = self.follower.relay().copied().ok_or_else(|| refused("error-no-server"))?;
        let (account, genesis, from) = (self.identity.account, log.genesis(), self.author_name());
        let set = self.helpers_set_hash().ok_or_else(SessionError::not_found)?;
        let now_ms = self.now_ms();
        self.with_helper(number, |session, helper| {
            if helper.state() == HelperState::Kept || helper.part.is_none() {
                return Err(SessionError::not_found());
            }
            let going_on =
                matches!(helper.state(), HelperState::Waiting | HelperState::Asking | HelperState::Handing)
                    && helper.ends_ms > now_ms;
            let secret = if let Some(secret) = helper.code().filter(|_| going_on) {
                secret
            } else {
                end_code(helper, now_ms);
                PairingSecret::make(session.entropy())
            };
            if !going_on {
                helper.secret = Some(Secret(*secret.expose()));
                helper.ends_ms = now_ms.saturating_add(CODE_MS);
                helper.enter(HelperState::Waiting, now_ms);
            }
            let kind = PART_OFFER.to_owned();
            let offer = PartOffer { kind, account, genesis, relay, from, set, ends_ms: helper.ends_ms };
            Ok(Shown { secret, offer, opened: helper.opened })
        })
    }

    /// The server has a code's offer. Where others were chosen meanwhile it is another code's helper, or none.
    pub(super) fn helper_code_opened(
        &mut self,
        number: u8,
        code: &PairingSecret,
    ) -> Result<(), SessionError> {
        self.with_helper(number, |_, helper| {
            if !helper.is_by(code) {
                return Err(SessionError::not_found());
            }
            helper.opened = true;
            Ok(())
        })
    }

    /// Somebody answered a code, or said no. Who was chosen by account and is known to be them gets their part at once, and nobody
    /// else does: where it is not known, the person is asked.
    pub(super) fn helper_answered(
        &mut self,
        number: u8,
        code: &PairingSecret,
        answer: Option<PartAnswer>,
    ) -> Result<(), SessionError> {
        let now_ms = self.now_ms();
        self.with_helper(number, |session, helper| {
            if helper.state() != HelperState::Waiting || !helper.is_by(code) {
                return Ok(());
            }
            let Some(answer) = answer.filter(|answer| answer.name.len() <= MAX_NAME_BYTES) else {
                end_code(helper, now_ms);
                helper.enter(HelperState::Declined, now_ms);
                return Ok(());
            };
            if helper.account.is_some_and(|account| account != answer.account) {
                // The code went astray: whoever has it gets nothing, and another one can be shown.
                end_code(helper, now_ms);
                return Ok(());
            }
            // Who has the code can say any name and any key: only of a log that is followed is it known whose they are.
            let known = session.current_log(answer.account).map(AccountLog::genesis) == Some(answer.genesis);
            let chosen = helper.account.is_some();
            helper.answered = Some(answer);
            if chosen && known {
                session.hand_over(helper, now_ms)
            } else {
                helper.enter(HelperState::Asking, now_ms);
                Ok(())
            }
        })
    }

    /// Whether it is them.
    pub(super) fn answer_helper(&mut self, args: &HelperAnswerArgs) -> Result<(), SessionError> {
        let now_ms = self.now_ms();
        self.with_helper(args.number, |session, helper| {
            if helper.state() != HelperState::Asking {
                return Err(SessionError::not_found());
            }
            if args.yes {
                session.hand_over(helper, now_ms)
            } else {
                end_code(helper, now_ms);
                Ok(())
            }
        })
    }

    /// An account's log, while it is followed: one that is not brought up to date any more may name a key that a lost device has.
    fn current_log(&self, account: AccountId) -> Option<&AccountLog> {
        self.follower.other_log(account).filter(|_| self.sharing_now().contains(&account))
    }

    /// Seals a part to the account of who answered; of an account that is known here, to the key that its own log names.
    fn hand_over(&self, helper: &mut Helper, now_ms: i64) -> Result<(), SessionError> {
        let (Some(answer), Some(part)) = (&helper.answered, &helper.part) else { return Err(STORED) };
        let known = self.current_log(answer.account);
        let kem = known.map_or(&answer.kem, AccountLog::account_kem);
        let log = self.follower.account_log().ok_or(ACCOUNT_LOG)?;
        let set = log.helpers().ok_or(STORED)?.set;
        let place = part_place(self.identity.account, answer.account);
        let given = encoded(&PartBody { number: helper.number, value: part.0, set });
        let sealed = seal_to(kem, PART_PURPOSE, &place, &given, self.entropy());
        helper.sealed = Some(sealed.map_err(|_| refused("error-invitation-code"))?);
        helper.enter(HelperState::Handing, now_ms);
        Ok(())
    }

    /// They have it: it is forgotten here.
    pub(super) fn helper_has_part(&mut self, number: u8, code: &PairingSecret) -> Result<(), SessionError> {
        let now_ms = self.now_ms();
        self.with_helper(number, |_, helper| {
            if !helper.is_by(code) {
                return Ok(());
            }
            (helper.secret, helper.part, helper.sealed) = (None, None, None);
            helper.enter(HelperState::Kept, now_ms);
            Ok(())
        })?;
        self.scrub_soon();
        Ok(())
    }

    /// The server has its part: it is forgotten here.
    pub(super) fn server_has_part(&mut self, set: Hash32) -> Result<(), SessionError> {
        let Some(mut chosen) = self.chosen()?.filter(|chosen| chosen.set == set) else { return Ok(()) };
        chosen.server_part = None;
        self.put_chosen(&chosen)?;
        self.scrub_soon();
        Ok(())
    }
}

/// The code leads nowhere from here on; the part stays for another one.
fn end_code(helper: &mut Helper, now_ms: i64) {
    (helper.secret, helper.answered, helper.sealed, helper.opened) = (None, None, None, false);
    helper.enter(HelperState::Chosen, now_ms);
}
