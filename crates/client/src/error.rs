//! Why a session could not do something, and how a screen says so.

use mecum_api::{CallError, Code};
use mecum_documents::{AuthorError, LoadError};
use mecum_vault::{CreateVaultError, ReadVaultError, UnlockVaultError, WriteVaultError};

use crate::remote::RemoteError;

/// A session could not do what was asked. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The vault could not be read: a row is damaged or missing. `vault check` names it.
    #[error("the vault could not be read")]
    Read(#[from] ReadVaultError),
    /// The vault could not be written: nothing was saved.
    #[error("not saved")]
    Write(#[from] WriteVaultError),
    /// A stored document does not load: its envelopes are kept.
    #[error("a stored document does not load")]
    Document(#[from] LoadError),
    /// The edit does not fit the document.
    #[error("the edit does not fit the document")]
    Author(#[from] AuthorError),
    /// A stored row is not what this version writes.
    #[error("a stored {what} is not in a form that this version reads")]
    Stored {
        /// The kind of row.
        what: &'static str,
    },
    /// What a log holds by now, or has not shown, does not allow what was to be signed.
    #[error("the log does not allow it: {what}")]
    NotAllowed {
        /// What of it.
        what: &'static str,
    },
    /// An own envelope does not open with its own key.
    #[error("a stored envelope does not open")]
    Envelope,
    /// Envelopes cannot be made again from what was kept of them: the document or the residue is not what it was, or this version packs
    /// otherwise. The server has them; mending fetches them.
    #[error("folded envelopes cannot be made again")]
    Folded,
    /// The server could not be asked.
    #[error("the server could not be asked")]
    Remote(#[from] RemoteError),
    /// The caller asked for something that cannot be.
    #[error("refused: {0}")]
    Call(CallError),
}

impl From<CallError> for SessionError {
    fn from(error: CallError) -> Self {
        SessionError::Call(error)
    }
}

impl SessionError {
    /// A thing that is not there.
    pub fn not_found() -> Self {
        CallError::new(Code::NotFound, "error-not-found").into()
    }
}

impl From<SessionError> for CallError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Call(call) => call,
            SessionError::Write(WriteVaultError::NotSaved { full: true }) => {
                CallError::new(Code::NotSaved, "error-not-saved-full")
            }
            SessionError::Write(_) => CallError::new(Code::NotSaved, "error-not-saved"),
            SessionError::Read(_) | SessionError::Envelope | SessionError::Folded => {
                CallError::new(Code::Damaged, "error-damaged")
            }
            SessionError::Document(_) | SessionError::Stored { .. } | SessionError::NotAllowed { .. } => {
                CallError::new(Code::Damaged, "error-document")
            }
            SessionError::Author(_) => CallError::new(Code::BadCall, "error-edit"),
            SessionError::Remote(remote) => remote_error(&remote),
        }
    }
}

/// How a screen says that the server could not be asked.
pub(crate) fn remote_error(error: &RemoteError) -> CallError {
    match error {
        RemoteError::Offline => CallError::new(Code::Offline, "error-offline"),
        _ => CallError::new(Code::Refused, "error-server-refused"),
    }
}

/// How a screen says that a vault could not be opened.
pub(crate) fn unlock_error(error: &UnlockVaultError) -> CallError {
    match error {
        UnlockVaultError::WrongPassphrase { failed, wait_ms } => {
            CallError::new(Code::WrongPassphrase, "error-passphrase")
                .with("tries", failed)
                .with("wait-s", wait_ms.div_ceil(1000))
        }
        UnlockVaultError::Waiting { wait_ms } => {
            CallError::new(Code::Waiting, "error-waiting").with("wait-s", wait_ms.div_ceil(1000))
        }
        UnlockVaultError::WrongRecoveryKey { failed, wait_ms } => {
            CallError::new(Code::BadKit, "error-kit-other")
                .with("tries", failed)
                .with("wait-s", wait_ms.div_ceil(1000))
        }
        UnlockVaultError::NoRecovery => CallError::new(Code::BadKit, "error-kit-none"),
        UnlockVaultError::PassphraseTooLong => CallError::new(Code::WeakPassphrase, "passphrase-too-long"),
        UnlockVaultError::InUse => CallError::new(Code::InUse, "error-in-use"),
        UnlockVaultError::Missing => CallError::new(Code::NoVault, "error-no-vault"),
        UnlockVaultError::TooNew => CallError::new(Code::Damaged, "error-too-new"),
        _ => CallError::new(Code::Damaged, "error-damaged"),
    }
}

/// How a screen says that a vault could not be made.
pub(crate) fn create_error(error: CreateVaultError) -> CallError {
    match error {
        CreateVaultError::Exists => CallError::new(Code::VaultExists, "error-vault-exists"),
        CreateVaultError::InUse => CallError::new(Code::InUse, "error-in-use"),
        _ => CallError::new(Code::NotSaved, "error-not-saved"),
    }
}

/// A refusal with a Fluent id of its own.
pub(crate) fn refused(message_id: &str) -> SessionError {
    CallError::new(Code::Refused, message_id).into()
}
