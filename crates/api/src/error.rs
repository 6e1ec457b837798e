//! What went wrong, as a code that a screen can act on and Fluent ids that a person can read.

use std::collections::BTreeMap;

use mecum_domain::FieldError;
use serde::{Deserialize, Serialize};

/// What a screen can act on. A code is added only when a caller acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The vault is locked.
    Locked,
    /// There is no vault yet.
    NoVault,
    /// There is a vault already.
    VaultExists,
    /// The passphrase does not open the vault; `args` has `tries` and `wait-s`.
    WrongPassphrase,
    /// Too many tries: wait `wait-s` seconds.
    Waiting,
    /// The passphrase does not meet the policy.
    WeakPassphrase,
    /// Another Mecum has this vault open.
    InUse,
    /// The vault is damaged; nothing was removed.
    Damaged,
    /// The disk is full or failing: nothing was saved, what was there is kept.
    NotSaved,
    /// No answer from the server.
    Offline,
    /// The server answered that it will not do this.
    Refused,
    /// Fields are not right: see `fields`.
    Invalid,
    /// The thing is not there (any more).
    NotFound,
    /// The file cannot be brought in: `message_id` says why, `args` where.
    BadFile,
    /// The words or the code do not fit.
    BadPairingCode,
    /// The words are no recovery kit, or not the one that is wanted.
    BadKit,
    /// A command of this name does not exist, or its arguments do not fit it.
    BadCall,
    /// Something that should not happen.
    Internal,
}

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallError {
    /// What to act on.
    pub code: Code,
    /// Fluent id of what happened; the same id with `-do` says what to do.
    pub message_id: String,
    /// Arguments of the message.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// Fields to mend, for [`Code::Invalid`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
}

impl CallError {
    /// An error of `code` with the Fluent id `message_id`.
    pub fn new(code: Code, message_id: &str) -> Self {
        Self { code, message_id: message_id.into(), args: BTreeMap::new(), fields: Vec::new() }
    }

    /// The same with one more message argument.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over numbers and texts alike")]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.into(), value.to_string());
        self
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message_id)
    }
}

impl std::error::Error for CallError {}
