//! What can go wrong with a vault, one enum per thing one does with it. No text holds an id, a name or a path.

use std::fmt;

use rusqlite::ErrorCode;

use crate::state::Table;

/// A part of a vault that can be damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// SQLite cannot read its own structure, or a value has an impossible type.
    Structure,
    /// Tables are not those of a vault, or were changed.
    Schema,
    /// The passphrase's key slot.
    KeySlot,
    /// The sealed head over all rows.
    Head,
    /// The set of rows: one is missing, added, repeated or older than the head says.
    Rows,
    /// The content of one row.
    Row(Table),
    /// A document's head.
    DocumentHead,
    /// A document's envelopes: one is missing, changed or out of place.
    Envelopes,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Structure => "file structure",
            Part::Schema => "schema",
            Part::KeySlot => "key slot",
            Part::Head => "head",
            Part::Rows => "set of rows",
            Part::Row(_) => "row",
            Part::DocumentHead => "document head",
            Part::Envelopes => "envelopes",
        })
    }
}

/// A vault cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateVaultError {
    /// There is one already: it is left as it is.
    #[error("a vault exists already")]
    Exists,
    /// Another process has it.
    #[error("the vault is in use by another process")]
    InUse,
    /// The passphrase is longer than a key slot takes.
    #[error("passphrase is too long")]
    PassphraseTooLong,
    /// The disk refused.
    #[error("the vault could not be written")]
    NotSaved {
        /// No space left: the person can free some.
        full: bool,
    },
}

/// A vault cannot be unlocked. Nothing is lost by any of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockVaultError {
    /// Try again, after the wait.
    #[error("wrong passphrase")]
    WrongPassphrase {
        /// How many in a row.
        failed: u32,
        /// Milliseconds until the next attempt is taken.
        wait_ms: u64,
    },
    /// The recovery key is not this vault's. Counted as a wrong passphrase is.
    #[error("wrong recovery key")]
    WrongRecoveryKey {
        /// How many in a row, wrong passphrases among them.
        failed: u32,
        /// Milliseconds until the next attempt is taken.
        wait_ms: u64,
    },
    /// No recovery key opens this vault: none was ever made for it.
    #[error("the vault has no recovery slot")]
    NoRecovery,
    /// The new passphrase is longer than a key slot takes. Nothing was changed.
    #[error("passphrase is too long")]
    PassphraseTooLong,
    /// The wait after wrong passphrases is not over; this attempt was not looked at.
    #[error("too many wrong passphrases, wait")]
    Waiting {
        /// Milliseconds left.
        wait_ms: u64,
    },
    /// Another process has it.
    #[error("the vault is in use by another process")]
    InUse,
    /// A part of the file is not as it was written.
    #[error("the vault is damaged: {what}")]
    Damaged {
        /// Which part.
        what: Part,
    },
    /// Written by a newer version of the app.
    #[error("the vault needs a newer version")]
    TooNew,
    /// There is none at this location.
    #[error("there is no vault")]
    Missing,
    /// The disk refused to read or write.
    #[error("the vault cannot be read, code {code}")]
    Io {
        /// SQLite's extended result code.
        code: i32,
    },
}

/// Something cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadVaultError {
    /// It is not as it was written.
    #[error("the vault is damaged: {what}")]
    Damaged {
        /// Which part.
        what: Part,
    },
    /// The disk refused.
    #[error("the vault cannot be read, code {code}")]
    Io {
        /// SQLite's extended result code.
        code: i32,
    },
}

/// Something was not written; the vault is as it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteVaultError {
    /// The disk refused.
    #[error("not saved")]
    NotSaved {
        /// No space left: the person can free some.
        full: bool,
    },
    /// What was to be read or replaced is not as it was written.
    #[error("not saved: the vault is damaged: {what}")]
    Damaged {
        /// Which part.
        what: Part,
    },
    /// A name or body beyond the limits.
    #[error("not saved: too large")]
    TooLarge,
}

/// What a failing SQLite call means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Damaged,
    Full,
    Io(i32),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                // Constraints and unknown tables can only come from a file that is not what we wrote.
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::SchemaChanged
                | ErrorCode::TooBig
                | ErrorCode::Unknown => Fault::Damaged,
                ErrorCode::DiskFull => Fault::Full,
                _ => Fault::Io(failure.extended_code),
            },
            _ => Fault::Damaged,
        }
    }
}

impl From<Fault> for ReadVaultError {
    fn from(fault: Fault) -> ReadVaultError {
        match fault {
            Fault::Damaged => ReadVaultError::Damaged { what: Part::Structure },
            Fault::Full => ReadVaultError::Io { code: rusqlite::ffi::SQLITE_FULL },
            Fault::Io(code) => ReadVaultError::Io { code },
        }
    }
}

impl From<Fault> for UnlockVaultError {
    fn from(fault: Fault) -> UnlockVaultError {
        ReadVaultError::from(fault).into()
    }
}

impl From<Fault> for WriteVaultError {
    fn from(fault: Fault) -> WriteVaultError {
        match fault {
            Fault::Damaged => WriteVaultError::Damaged { what: Part::Structure },
            Fault::Full => WriteVaultError::NotSaved { full: true },
            Fault::Io(_) => WriteVaultError::NotSaved { full: false },
        }
    }
}

impl From<ReadVaultError> for UnlockVaultError {
    fn from(error: ReadVaultError) -> UnlockVaultError {
        match error {
            ReadVaultError::Damaged { what } => UnlockVaultError::Damaged { what },
            ReadVaultError::Io { code } => UnlockVaultError::Io { code },
        }
    }
}

impl From<WriteVaultError> for UnlockVaultError {
    fn from(error: WriteVaultError) -> UnlockVaultError {
        match error {
            WriteVaultError::NotSaved { full: true } => {
                UnlockVaultError::Io { code: rusqlite::ffi::SQLITE_FULL }
            }
            WriteVaultError::NotSaved { full: false } | WriteVaultError::TooLarge => {
                UnlockVaultError::Io { code: rusqlite::ffi::SQLITE_IOERR }
            }
            WriteVaultError::Damaged { what } => UnlockVaultError::Damaged { what },
        }
    }
}

impl From<ReadVaultError> for WriteVaultError {
    fn from(error: ReadVaultError) -> WriteVaultError {
        match error {
            ReadVaultError::Damaged { what } => WriteVaultError::Damaged { what },
            ReadVaultError::Io { .. } => WriteVaultError::NotSaved { full: false },
        }
    }
}

impl From<WriteVaultError> for CreateVaultError {
    fn from(error: WriteVaultError) -> CreateVaultError {
        CreateVaultError::NotSaved { full: error == WriteVaultError::NotSaved { full: true } }
    }
}

macro_rules! from_sqlite {
    ($($name:ident),*) => {
        $(impl From<rusqlite::Error> for $name {
            fn from(error: rusqlite::Error) -> $name {
                Fault::from(error).into()
            }
        })*
    };
}

from_sqlite!(ReadVaultError, UnlockVaultError, WriteVaultError);
