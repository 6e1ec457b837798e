//! The server of an account, as settings in its vault.

use mecum_seal::VerifyingKey;

use crate::error::SessionError;
use crate::session::Session;

/// The setting that holds the server's address.
pub(crate) const SERVER_URL: &[u8] = b"server-url";

/// The setting that holds the server's pinned key once more: where the follower's own state is lost, nobody but whom it names is believed.
pub(crate) const SERVER_PIN: &[u8] = b"server-pin";

/// The server of an account, as a setting in its vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) url: String,
    pub(crate) pin: VerifyingKey,
}

impl Session {
    /// The server of this account.
    pub(crate) fn home(&self) -> Option<Home> {
        self.home_as_kept().ok().flatten()
    }

    /// The same, where an address that cannot be read is not the same as none.
    pub(super) fn home_as_kept(&self) -> Result<Option<Home>, SessionError> {
        let Some(pin) = self.follower.relay().copied() else { return Ok(None) };
        let Some(url) = self.setting("server-url")? else { return Ok(None) };
        let url = String::from_utf8(url).map_err(|_| SessionError::Stored { what: "address" })?;
        Ok(Some(Home { url, pin }))
    }

    pub(crate) fn set_home(&mut self, home: &Home) -> Result<(), SessionError> {
        self.pin_relay(home.pin)?;
        self.set_setting("server-url", home.url.as_bytes())?;
        self.keep_pin()
    }

    /// Keeps the pinned key a second time, where an earlier version has not.
    pub(crate) fn keep_pin(&mut self) -> Result<(), SessionError> {
        let Some(pin) = self.follower.relay().map(ToString::to_string) else { return Ok(()) };
        if self.setting("server-pin")?.is_some_and(|kept| kept == pin.as_bytes()) {
            return Ok(());
        }
        self.set_setting("server-pin", pin.as_bytes())
    }
}
