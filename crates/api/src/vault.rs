//! First run, unlock, lock, settings.

use serde::{Deserialize, Serialize};

/// Whether there is a vault on this device, and whether it is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VaultPhase {
    /// None yet: first run.
    #[default]
    Missing,
    /// There, and locked.
    Locked,
    /// Open.
    Open,
    /// There, but another Mecum has it open.
    InUse,
    /// There, but not readable.
    Damaged,
}

/// The state of the vault; tells no name while it is locked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultView {
    /// Its phase.
    pub phase: VaultPhase,
    /// Seconds to wait before the next try.
    pub wait_s: u32,
    /// Wrong tries since it was last opened.
    pub failed: u32,
    /// How it looks before unlocking: kept outside the vault because it says nothing about a person.
    pub display: DisplaySettings,
    /// The version of this program.
    pub version: String,
}

/// Light, dark, or as the device says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// As the device says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Language and display.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisplaySettings {
    /// BCP 47 language: "en" or "id".
    pub language: String,
    /// Light, dark, or as the device says.
    pub look: Look,
    /// Text size in percent: 85 to 200.
    pub text_percent: u16,
    /// Stronger contrast.
    pub contrast: bool,
    /// Less movement.
    pub less_movement: bool,
}

impl Default for DisplaySettings {
    fn default() -> Self {
        Self {
            language: "en".into(),
            look: Look::System,
            text_percent: 100,
            contrast: false,
            less_movement: false,
        }
    }
}

/// Settings inside the vault, with the display's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsView {
    /// Language and display.
    pub display: DisplaySettings,
    /// Minutes without use after which the vault locks itself; 0 never.
    pub auto_lock_min: u16,
    /// Name of this device, as the person's other devices show it.
    pub device_name: String,
}

/// A passphrase to judge, as it is typed.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct PassphraseArgs {
    /// The passphrase.
    pub passphrase: String,
}

/// How good a passphrase is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassphraseView {
    /// 0 (too short) to 4 (strong).
    pub strength: u8,
    /// It meets the policy.
    pub ok: bool,
    /// Fluent id of what to mend, when it does not.
    pub message_id: Option<String>,
}

/// Six words made on this device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordsView {
    /// The words.
    pub words: Vec<String>,
}

/// A new vault with the person's own chart.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct VaultCreateArgs {
    /// The passphrase.
    pub passphrase: String,
    /// The person's name.
    pub name: String,
    /// Birth date, if given.
    pub born: Option<String>,
    /// Name of this device.
    pub device_name: String,
}
