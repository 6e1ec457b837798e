//! The desk of a hospital: who sits at it, and its one queue over every patient.

use mecum_domain::{CaseKind, ChartId, ThreadId};
use serde::{Deserialize, Serialize};

use crate::ClockView;

/// Who sits at this desk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskView {
    /// Whether this account answers for a hospital: somebody is connected with it.
    pub serves: bool,
    /// The name under which this device speaks; none until somebody signed in here.
    pub name: Option<String>,
}

/// Somebody signs in at this desk. From here on what this device says for the hospital is by them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskSignInArgs {
    /// Their name, 1 to 128 bytes; none signs out.
    #[serde(default)]
    pub name: Option<String>,
}

/// Which part of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeskPart {
    /// What waits for the hospital.
    #[default]
    Waiting,
    /// The same, of whoever signed in.
    Mine,
    /// Requests for appointments that wait.
    Visits,
    /// What waits for the patient, or is over.
    Rest,
}

/// A stretch of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskQueueArgs {
    /// Which part.
    #[serde(default)]
    pub part: DeskPart,
    /// How many to pass over.
    #[serde(default)]
    pub skip: u32,
    /// At most so many; 0 is as many as fit a screen.
    #[serde(default)]
    pub most: u32,
}

/// What a conversation of the queue is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeskKind {
    /// An appointment.
    Visit,
    /// A case of this kind.
    Case(CaseKind),
}

/// One conversation of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskItemView {
    /// The chart.
    pub chart: ChartId,
    /// The space.
    pub space: String,
    /// The conversation.
    pub thread: ThreadId,
    /// Whose record it is; empty where the ward is not to see who asks.
    pub whose: String,
    /// What it is about.
    pub kind: DeskKind,
    /// What it began with.
    pub title: String,
    /// Who answers it; empty while nobody took it.
    pub handler: String,
    /// When something was done last, ms since the epoch.
    pub last_ms: i64,
    /// What is owed, and until when.
    pub clock: Option<ClockView>,
    /// How often it was taken a step up.
    pub rung: u8,
    /// Words of the patient that nobody here has seen.
    pub unseen: u32,
    /// Acts of this device that the server has not stored.
    pub unsent: u32,
}

/// A stretch of the queue, what is due first at its top.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskQueueView {
    /// The conversations.
    pub items: Vec<DeskItemView>,
    /// How many this part has.
    pub total: u32,
    /// How many wait for the hospital, over all.
    pub waiting: u32,
    /// How many of them are late.
    pub late: u32,
}
