//! Connecting with a hospital by the code that its desk shows.

use mecum_domain::{ChartId, HospitalId};
use serde::{Deserialize, Serialize};

use crate::{PairOfferView, PairPhase};

/// Shows a code by which one patient connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskCodeArgs {
    /// For a letter: good for two days. Else for whoever stands at the desk: a quarter of an hour.
    #[serde(default)]
    pub letter: bool,
}

/// A code that this device shows, and who has answered it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskCodeView {
    /// Which: the name of its mailbox.
    pub code: String,
    /// What is shown.
    pub offer: PairOfferView,
    /// Where it is: *asking* once somebody answered, *done* once the hospital expects them.
    pub phase: PairPhase,
    /// Who answered, in their own words.
    pub from: Option<String>,
    /// Whose record it is, in their own words.
    pub whose: Option<String>,
    /// Fluent id of why it ended, or of what it waits for.
    pub message_id: Option<String>,
}

/// Says whether it is really them, or takes the code back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskAnswerArgs {
    /// Which code.
    pub code: String,
    /// Yes or no.
    pub yes: bool,
}

/// What the code of a hospital offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HospitalOfferView {
    /// The hospital.
    pub hospital: HospitalId,
    /// Its name, as its desk says.
    pub name: String,
    /// When the code ends, ms since the epoch.
    pub ends_ms: i64,
    /// Charts of this account that are connected with it already.
    pub connected: Vec<ChartId>,
}

/// Connects a chart with the hospital whose code is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HospitalConnectArgs {
    /// The chart.
    pub chart: ChartId,
}

/// Leaves a hospital: it reads nothing that is said later. What was said stays with both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HospitalLeaveArgs {
    /// The chart.
    pub chart: ChartId,
    /// The space of its conversations.
    pub space: String,
    /// Why, for the hospital to read.
    #[serde(default)]
    pub reason: Option<String>,
}
