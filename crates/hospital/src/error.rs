//! Why the hospital's program cannot go on, and what to do about it.

use std::io;
use std::path::PathBuf;

use mecum_api::CallError;
use mecum_domain::DirectoryError;

/// The hospital's program cannot start, or stops. Nothing that it had said is lost: it is in its vault.
#[derive(Debug, thiserror::Error)]
pub enum HospitalError {
    /// The data folder cannot be used.
    #[error("{}: {source}; make the folder readable and writable for this user alone", path.display())]
    Folder {
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another program answers from this folder.
    #[error("{}: another program answers from this folder; stop it first", path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The file that opens the vault is missing or is no such file.
    #[error("{}: this is not the key file that was made here; bring it back from its backup, or restore the account by its kit", path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// There is no account here yet, and nobody said whose it is to be.
    #[error("there is no account in this folder; say whether to join one by its words, or to found one")]
    NoAccount,
    /// The account here was founded and never reached its server.
    #[error(
        "the account in this folder is at no server: found it again, with the server's address and a new enrolment code"
    )]
    NotConnected,
    /// The directory cannot be read.
    #[error("{}: {what}; mend the file", path.display())]
    Directory {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A row of the table of slots is not one. Nothing may be booked without it.
    #[error(
        "decision {number} about slots cannot be read; restore the folder from its backup, or join the account anew from a desk"
    )]
    Ledger {
        /// Which, from 0.
        number: u64,
    },
    /// Nobody let this device into the account.
    #[error("the pairing ended; show a new code on the desk, and try again")]
    NotPaired,
    /// The account's own program refused: its message id says what.
    #[error("{}", .0.message_id)]
    Refused(CallError),
}

impl From<CallError> for HospitalError {
    fn from(error: CallError) -> Self {
        Self::Refused(error)
    }
}

impl HospitalError {
    pub(crate) fn directory(path: PathBuf, error: &DirectoryError) -> Self {
        Self::Directory { path, what: error.to_string() }
    }
}
