//! The server, the account's devices, pairing, and where everything is.

use mecum_domain::ChartId;
use serde::{Deserialize, Serialize};

/// How far something has got. Never more than is true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptState {
    /// On this device: nobody else has it.
    #[default]
    Device,
    /// The relay signed that it is stored.
    Sent,
    /// A statement of another device covers it.
    Received,
}

/// The counts of the honesty line: entries that were written on this device, each where its last change is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HonestyView {
    /// On this device only.
    pub device: u32,
    /// Stored at the server, not yet picked up.
    pub sent: u32,
    /// Another device has them and signed for it.
    pub received: u32,
}

/// The state of the exchange with the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncPhase {
    /// No server was chosen: everything stays on this device.
    #[default]
    NoServer,
    /// No signal.
    Offline,
    /// Exchanging.
    Working,
    /// Nothing waits.
    UpToDate,
    /// The server refuses; `message_id` says what.
    Refused,
}

/// The exchange with the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncView {
    /// Its phase.
    pub phase: SyncPhase,
    /// The server's address.
    pub server: Option<String>,
    /// When it last answered, ms since the epoch; 0 never.
    pub last_ms: i64,
    /// Fluent id of a problem.
    pub message_id: Option<String>,
    /// Envelopes that were put aside because they could not be checked.
    pub quarantined: u32,
    /// What was decided here and did not come to be, or waits to be done, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticeView>,
}

/// Something that the person is told in a sentence: it was decided here, and another device was faster, or it could not be done yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeView {
    /// Fluent id of the sentence.
    pub message_id: String,
    /// Whom it is about; empty where nobody, or nobody whose name is known.
    #[serde(default)]
    pub who: String,
    /// Since when, ms since the epoch.
    pub at_ms: i64,
}

/// One thing in the sheet "Where your things are".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhereItem {
    /// Whose.
    pub chart: ChartId,
    /// The entry, if it can be opened.
    pub entry: Option<String>,
    /// Its title.
    pub title: String,
    /// Its value with unit, as lists show it.
    #[serde(default)]
    pub value: Option<String>,
    /// How many entries it stands for: a file is kept many at a time.
    pub things: u32,
    /// When it was written, ms since the epoch.
    pub at_ms: i64,
    /// Where it has got to.
    pub state: ReceiptState,
    /// When the server stored it, ms since the epoch by its clock.
    pub sent_ms: Option<i64>,
    /// The device that has it.
    pub by: Option<String>,
}

/// The sheet "Where your things are".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhereView {
    /// The counts.
    pub counts: HonestyView,
    /// The newest items of each state, at most 20 of each.
    pub items: Vec<WhereItem>,
    /// The exchange.
    pub sync: SyncView,
}

/// One device of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    /// Its id.
    pub device: String,
    /// Its name.
    pub name: String,
    /// It is this one.
    pub this: bool,
    /// When its newest statement or envelope was written, ms since the epoch; 0 unknown.
    pub last_ms: i64,
}

/// Connects this account to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerConnectArgs {
    /// Address, `http://127.0.0.1:PORT` or `https://HOST`.
    pub url: String,
    /// One-time enrolment code of the server.
    pub code: String,
}

/// A pairing code to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairOfferView {
    /// The words, at least 128 bits, the last a check.
    pub words: Vec<String>,
    /// The same with the server's address and pin, for a QR code.
    pub qr: String,
    /// The server's address, to type beside the words.
    pub server: String,
    /// When it ends, ms since the epoch.
    pub ends_ms: i64,
}

/// Where pairing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PairPhase {
    /// No pairing.
    #[default]
    None,
    /// Waiting for the other device.
    Waiting,
    /// The other device answered: is it yours?
    Asking,
    /// Bringing everything over.
    Working,
    /// Done.
    Done,
    /// Ended without a device.
    Ended,
}

/// The state of pairing, on either side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairView {
    /// Its phase.
    pub phase: PairPhase,
    /// The name of the other device.
    pub other: Option<String>,
    /// Fluent id of why it ended, or of what it waits for.
    pub message_id: Option<String>,
}

/// Joins an account from a new device: makes this device's own vault.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct PairJoinArgs {
    /// The words, or the text of the QR code.
    pub code: String,
    /// The server's address, when only words were given.
    pub server: Option<String>,
    /// This device's own passphrase.
    pub passphrase: String,
    /// This device's name.
    pub device_name: String,
}
