//! Erasing an entry for good, and moving one to *sensitive* or back: what is asked, what is told before, and how it stands.

use mecum_domain::ChartId;
use serde::{Deserialize, Serialize};

use crate::MemberState;

/// What becomes of an entry, or of the document that held it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureKind {
    /// It is erased for good.
    #[default]
    Erase,
    /// It goes where only those are who may see what is sensitive.
    ToSensitive,
    /// It goes back to the section of its kind.
    FromSensitive,
    /// Nothing goes: what a removal made void is left behind.
    Cleared,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasurePhase {
    /// Decided and kept on this device; it waits for the server, which sees that two devices do not do it at once. It can be
    /// stopped.
    #[default]
    Waits,
    /// Signed on this device and on its way to the server, or a move that is written where it goes and not gone from where it was:
    /// neither can be stopped.
    Sending,
    /// In force. It is in no file of this device any more.
    Done,
    /// It could not be done: `message_id` says why. Nothing was erased. It can be decided again.
    Refused,
}

/// Erases an entry for good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryEraseArgs {
    /// The chart.
    pub chart: ChartId,
    /// The entry, one that the family wrote or one of a file.
    pub entry: String,
    /// Why. It is kept, and everybody in the section can read it: nothing of the entry belongs in it.
    #[serde(default)]
    pub reason: String,
}

/// Moves an entry to *sensitive*, or back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryMoveArgs {
    /// The chart.
    pub chart: ChartId,
    /// The entry.
    pub entry: String,
    /// To *sensitive*; else back to the section of its kind.
    pub sensitive: bool,
    /// Why, as for erasing.
    #[serde(default)]
    pub reason: String,
}

/// Names something that is being erased or moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureArgs {
    /// Its id.
    pub erasure: String,
}

/// Somebody who may have read an entry, and keeps what they read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastReaderView {
    /// The account.
    pub account: String,
    /// The name that they gave.
    pub name: String,
    /// How their stay in the section stands. Devices of a member erase it when they hear of it; those of one who is gone never do.
    pub state: MemberState,
}

/// What is told before somebody erases or moves an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing on the page")]
pub struct ErasureLook {
    /// Whether this account may: it owns the record or manages the section.
    pub may: bool,
    /// Why not, as a Fluent id. A clash on a safety field must be settled before an entry moves: `error-settle-first`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The entry is in *sensitive* now.
    pub sensitive: bool,
    /// It came from a file: bringing the same file in again will not bring it back.
    pub from_file: bool,
    /// It waits for the server when there is one; without one it is done at once.
    pub waits: bool,
    /// The own devices besides this one: each erases it when it exchanges next.
    pub own_devices: u32,
    /// Who may have read it, without the own account.
    pub readers: Vec<PastReaderView>,
}

/// One erasure or move: what waits here, and what was done, here or on another device. Nothing of an erased entry is in it but
/// the reason that was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureView {
    /// Its id.
    pub erasure: String,
    /// The chart.
    pub chart: ChartId,
    /// The section that it was in: `medications`, `results` and so on.
    pub section: String,
    /// What.
    pub kind: ErasureKind,
    /// How far.
    pub phase: ErasurePhase,
    /// The entry, while it is still there or where it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Its title, while it is still there or where it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who decided it; empty for this account.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was decided here, or heard of here, ms since the epoch.
    pub at_ms: i64,
    /// Changes that this device had written in the entry without knowing of it, and that are gone with it.
    pub late: u32,
    /// Why it was refused, as a Fluent id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Who may have read it, without the own account.
    pub readers: Vec<PastReaderView>,
}
