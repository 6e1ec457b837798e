//! Whether what is kept is as it was written: the check, backups, restoring, and mending a damaged vault.
//!
//! A backup never crosses into the screens: they name one, and the shell alone decides in which folder it lies.

use serde::{Deserialize, Serialize};

use crate::VaultView;

/// Where a check, a backup or a mending is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskPhase {
    /// Not begun since the app was started.
    #[default]
    None,
    /// Under way.
    Running,
    /// Came to its end.
    Done,
    /// Stopped by the person, or by a lock.
    Stopped,
    /// Failed: `message_id` says why. What was there is as it was.
    Failed,
}

/// What is not as it was written, in the person's terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// The file itself: parts of it cannot be read at all.
    #[default]
    File,
    /// The last saves are gone: an older file was put in place, or its log is missing.
    OlderFile,
    /// Who this device is: without it nothing can be fetched as this device.
    Identity,
    /// What is known of sections and of the exchange with the server.
    Bookkeeping,
    /// Parts of the record itself.
    Record,
    /// Lists and summaries that are made from the record.
    Lists,
    /// The note of what waits to be sent.
    Unsent,
    /// Settings and notes about imports.
    Settings,
    /// What was put aside before because it could not be read.
    PutAside,
}

/// Who can put a finding right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MendBy {
    /// This device, from what is good: `vault_mend`.
    Here,
    /// The server has it, and only it is fetched; everything else stays as it is: `vault_mend` while it can be reached.
    Part,
    /// The server, as far as it has it, and everything is fetched anew: `vault_mend` while it can be reached.
    Server,
    /// Only a backup, the recovery kit or another device.
    #[default]
    Backup,
    /// Nothing is lost by it and nothing needs to be done.
    Nothing,
}

/// One kind of damage. It names nothing of the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is damaged.
    pub kind: FindingKind,
    /// How many of them.
    pub count: u32,
    /// Who can put it right.
    pub mend: MendBy,
}

/// A check of the whole vault, as far as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckView {
    /// Where it is.
    pub phase: TaskPhase,
    /// Per cent looked at.
    pub percent: u8,
    /// Rows and envelopes looked at.
    pub looked: u64,
    /// What is not as it was written; empty for a sound vault.
    pub findings: Vec<Finding>,
    /// When it ended, ms since the epoch; 0 while it has not.
    pub ended_ms: i64,
    /// Why it failed, as a Fluent id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
}

/// A file that a vault can be restored from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupView {
    /// Its name in the folder; names it in `backup_restore`.
    pub backup: String,
    /// When it was made, ms since the epoch.
    pub made_ms: i64,
    /// Its size.
    pub bytes: u64,
    /// A vault that was set aside here when another took its place, and no backup that somebody made.
    pub aside: bool,
}

/// The backups in the folder that the shell names, newest first. Also while the vault is locked or missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupsView {
    /// The folder: a file that is copied into it is offered here.
    pub folder: String,
    /// What is there.
    pub backups: Vec<BackupView>,
    /// When the newest backup was made, ms since the epoch; 0 if there is none.
    pub last_ms: i64,
    /// The backup that is being made, or was made last.
    pub phase: TaskPhase,
    /// Per cent of it written and read back.
    pub percent: u8,
    /// Why it failed, as a Fluent id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
}

/// Restores from a backup.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct BackupRestoreArgs {
    /// [`BackupView::backup`].
    pub backup: String,
    /// The passphrase that the vault had when the backup was made.
    pub passphrase: String,
}

/// A mending, as far as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MendView {
    /// Where it is.
    pub phase: TaskPhase,
    /// What was damaged.
    pub found: Vec<Finding>,
    /// What of it could not be put right, and who could.
    pub left: Vec<Finding>,
    /// Entries of the record that could be read before or after and stand now.
    pub entries: u32,
    /// Edits that had not been sent and are kept.
    pub unsent: u32,
    /// Name of the damaged vault, which is kept aside (see `backup_list`); none if nothing had to be replaced.
    pub aside: Option<String>,
    /// How it was done: [`MendBy::Here`], [`MendBy::Part`] or [`MendBy::Server`]; none if nothing had to be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<MendBy>,
    /// What is missing for the rest, or why it failed, as a Fluent id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The vault as it is now.
    pub vault: VaultView,
}
