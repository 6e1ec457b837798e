//! Recovery helpers: three people who each keep a part of a recovery key. Two of them and the server's part, which the server
//! gives out 7 days after it has told every device, bring an account back on an empty device.
//!
//! No part and no key ever crosses into the screens.

use serde::{Deserialize, Serialize};

/// How far a helper is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HelperState {
    /// No code has been shown for them yet, or its time is over.
    #[default]
    Chosen,
    /// Their code waits for them.
    Waiting,
    /// Somebody answered the code: is it them? Only for who was named without an account.
    Asking,
    /// Their part waits for them at the server, sealed to them.
    Handing,
    /// They have taken their part.
    Kept,
    /// They said no.
    Declined,
}

/// One recovery helper of this account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelperView {
    /// Which of the three, from 1.
    pub number: u8,
    /// Their name, as it was chosen.
    pub name: String,
    /// Their account, once it is known.
    pub account: Option<String>,
    /// The name that they gave when they answered.
    pub answered_as: Option<String>,
    /// How far they are.
    pub state: HelperState,
    /// When that began, ms since the epoch.
    pub at_ms: i64,
    /// When their code ends, ms since the epoch; none if there is none.
    pub ends_ms: Option<i64>,
}

/// Somebody who can be chosen without being asked who they are: a space is shared with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelperPersonView {
    /// Their account.
    pub account: String,
    /// Their name.
    pub name: String,
}

/// The recovery helpers of this account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing on the page")]
pub struct HelpersView {
    /// The account has helpers.
    pub set: bool,
    /// They were chosen on this device: only this one knows their names and hands out parts.
    pub made_here: bool,
    /// When they were chosen on this device, ms since the epoch; 0 elsewhere or never.
    pub made_ms: i64,
    /// The server knows of them and holds its part.
    pub stored: bool,
    /// At least two have their part, and the server has its own: from here on they help.
    pub ready: bool,
    /// Days that the server waits, and tells every device, before it gives out its part.
    pub wait_days: u8,
    /// The helpers, by number. Empty where they were chosen on another device.
    pub helpers: Vec<HelperView>,
    /// Who can be chosen by account.
    pub people: Vec<HelperPersonView>,
    /// The account, which a helper or a piece of paper tells whoever restores.
    pub account: String,
    /// The server; without one there are no helpers.
    pub server: Option<String>,
}

/// One person who is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelperChoice {
    /// Their account, if a space is shared with them; none for somebody else, who must be at the same server.
    #[serde(default)]
    pub account: Option<String>,
    /// Their name, as this person calls them.
    pub name: String,
}

/// Chooses three helpers, in the place of earlier ones: their parts are good for nothing from here on.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct HelpersSetArgs {
    /// This device's passphrase again.
    pub passphrase: String,
    /// Exactly three, no two alike.
    pub helpers: Vec<HelperChoice>,
}

/// Names a helper.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelperArgs {
    /// Which of the three, from 1.
    pub number: u8,
}

/// Says whether who answered is the helper that was named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelperAnswerArgs {
    /// Which of the three, from 1.
    pub number: u8,
    /// It is them: their part is handed over. Otherwise the code is no longer good, and another can be shown.
    pub yes: bool,
}

/// Somebody asked the server to restore this account by its helpers. The first thing on home until it is over. Of several who ask it
/// says the one whose wait is over first; a stop ends them all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelpersNoticeView {
    /// When they asked, by the server's clock, ms since the epoch.
    pub asked_ms: i64,
    /// When the server gives out its part unless it is stopped, ms since the epoch.
    pub released_ms: i64,
    /// The six check words of their request.
    pub words: Vec<String>,
    /// How many more ask; 99 stands for that many or more.
    #[serde(default)]
    pub others: u32,
    /// It was stopped here; the server has not heard of it yet.
    pub stopping: bool,
}

/// How a part that is kept for somebody stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartState {
    /// Accepted; the part has not come yet.
    #[default]
    Waiting,
    /// It is here.
    Kept,
    /// They have chosen other helpers since: it is good for nothing and may be destroyed.
    Old,
    /// They said no, or their code ended before the part came.
    Ended,
}

/// A part that is kept for somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartView {
    /// Whose account: whoever restores it must know this.
    pub account: String,
    /// Who gave it, in their own words.
    pub from: String,
    /// Which of the three it is, from 1; 0 until it is here.
    pub number: u8,
    /// How it stands.
    pub state: PartState,
    /// When that began, ms since the epoch.
    pub at_ms: i64,
    /// The server that their account lives at, which whoever restores must know too.
    pub server: String,
}

/// A code, as it was given.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOpenArgs {
    /// The words, or the text of the QR code.
    pub code: String,
}

/// Somebody asks this person to be a helper.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOfferView {
    /// Who asks, in their own words.
    pub from: String,
    /// Their account.
    pub account: String,
    /// When the code ends, ms since the epoch.
    pub ends_ms: i64,
}

/// The answer to the code that is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartAnswerArgs {
    /// Yes or no.
    pub accept: bool,
    /// The name that whoever asks will see; that of the account's person if none.
    #[serde(default)]
    pub name: Option<String>,
}

/// Names a part that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartArgs {
    /// Whose account.
    pub account: String,
}

/// Opens the code of somebody who restores their account.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartAskedArgs {
    /// Whose account.
    pub account: String,
    /// The words, or the text of the QR code, from the screen of who restores.
    pub code: String,
}

/// Who asks for a part. Nothing is given yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartAskedView {
    /// Whose account.
    pub account: String,
    /// Who gave the part, in their own words.
    pub from: String,
    /// What who asks calls the new device.
    pub device_name: String,
    /// The six check words: they must be the same on both screens, read aloud.
    pub words: Vec<String>,
}

/// How restoring by helpers stands, on an empty device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestorePhase {
    /// Nothing was asked here.
    #[default]
    None,
    /// Something was asked before this program was started: the passphrase opens it.
    Locked,
    /// The server waits, and tells every device. Parts can be gathered meanwhile.
    Waiting,
    /// The server has given out its part. Two helpers' parts bring the account back.
    Released,
    /// A device of the account stopped it, or the account was restored by other means.
    Stopped,
    /// The server knows of no such request, or it was not used in time.
    Over,
}

/// A helper's part that has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePartView {
    /// Which of the three, from 1.
    pub number: u8,
    /// Who gave it, in their own words.
    pub from: String,
    /// It is not one of this account's parts now: it was altered, or is of earlier helpers. Known once the server has released its own.
    pub wrong: bool,
}

/// Restoring by helpers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreView {
    /// How it stands.
    pub phase: RestorePhase,
    /// The server's address.
    pub server: String,
    /// The account.
    pub account: String,
    /// This device's name.
    pub device_name: String,
    /// The six check words of this request.
    pub words: Vec<String>,
    /// When it was asked, by the server's clock, ms since the epoch.
    pub asked_ms: i64,
    /// When the server gives out its part, by its clock, ms since the epoch.
    pub released_ms: i64,
    /// When the server takes another request, by its clock, ms since the epoch; none if at once.
    pub again_ms: Option<i64>,
    /// The parts that have come.
    pub parts: Vec<RestorePartView>,
    /// Parts that are needed.
    pub needed: u8,
    /// Fluent id of a problem.
    pub message_id: Option<String>,
}

/// Asks the server to restore an account by its helpers.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct RestoreAskArgs {
    /// The server's address.
    pub server: String,
    /// The account, as a helper's screen or a piece of paper shows it.
    pub account: String,
    /// This device's own passphrase: it keeps the request from here on, and the vault in the end.
    pub passphrase: String,
    /// This device's name.
    pub device_name: String,
}

/// Restores the account: the server's part and two helpers' are here.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct RestoreFinishArgs {
    /// The passphrase that was given when asking.
    pub passphrase: String,
    /// The other devices are lost or stolen: they are removed.
    pub alone: bool,
}
