//! The recovery kit: thirteen words on paper. They cross into the screens while they are shown or typed, and at no other time.

use serde::{Deserialize, Serialize};

/// A fresh kit, to be shown once and printed. It counts once the asked words were typed again (`kit_confirm`).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitView {
    /// The thirteen words, in order.
    pub words: Vec<String>,
    /// The server's address; none while the account has no server.
    pub server: Option<String>,
    /// The server's key, to compare with what is shown when restoring.
    pub pin: Option<String>,
    /// The account.
    pub account: String,
    /// The numbers of the words to type again, from 1, ascending.
    pub asked: Vec<u8>,
}

/// Whether there is a kit. Tells no word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitStatusView {
    /// The account has one.
    pub made: bool,
    /// It also opens this device when the passphrase is forgotten.
    pub opens_this: bool,
    /// When it was made on this device, ms since the epoch; 0 elsewhere or never.
    pub made_ms: i64,
    /// The server knows of it: from there it restores everything on an empty device.
    pub stored: bool,
    /// The account has a server.
    pub server: Option<String>,
}

/// The asked words, as typed from the paper.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct KitConfirmArgs {
    /// In the order of [`KitView::asked`].
    pub words: Vec<String>,
}

/// Opens the vault by the kit and gives it a new passphrase.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct VaultRecoverArgs {
    /// The thirteen words.
    pub words: String,
    /// The new passphrase.
    pub passphrase: String,
}

/// Restores an account on an empty device by its kit.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct AccountRestoreArgs {
    /// The server's address.
    pub server: String,
    /// The thirteen words.
    pub words: String,
    /// This device's own passphrase.
    pub passphrase: String,
    /// This device's name.
    pub device_name: String,
    /// The other devices are lost or stolen: they are removed.
    pub alone: bool,
}

/// Names a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceArgs {
    /// Its id.
    pub device: String,
    /// For removing it: the moment after which nothing that it wrote counts, as in `MemberRemoveArgs`. A stolen phone's words.
    #[serde(default)]
    pub nothing_after_ms: Option<i64>,
}

/// Gives a device another name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRenameArgs {
    /// Its id.
    pub device: String,
    /// The new name.
    pub name: String,
}
