//! Conversations with hospitals: appointments, questions, complaints, messages.
//!
//! What was done and what it comes to are the domain's own shapes. A view adds who said it, how far it has got, and who has seen it.

use mecum_domain::{
    ActKey, Appointment, AppointmentAct, Case, CaseAct, ChartId, HospitalId, Role, Side, ThreadId,
};
use serde::{Deserialize, Serialize};

use crate::{MemberState, ReceiptState};

/// The conversations of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareView {
    /// The hospitals that it is connected with, or was.
    pub spaces: Vec<CareSpaceView>,
    /// The conversations, without their acts: what waits for the reader first, then the newest.
    pub threads: Vec<CareThreadView>,
}

/// One hospital that a chart is connected with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareSpaceView {
    /// The space of its conversations.
    pub space: String,
    /// The hospital.
    pub hospital: HospitalId,
    /// What the other side is called: the hospital, or at the hospital whose record it is.
    pub name: String,
    /// The reader's side.
    pub side: Side,
    /// How the hospital stands in it.
    pub state: MemberState,
    /// Whether something can be said in it.
    pub open: bool,
}

/// One conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareThreadView {
    /// The chart.
    pub chart: ChartId,
    /// The space that it is in.
    pub space: String,
    /// The hospital.
    pub hospital: HospitalId,
    /// What the other side is called, as [`CareSpaceView::name`].
    pub name: String,
    /// The conversation.
    pub thread: ThreadId,
    /// What it began with: the service that was asked for, or the first words.
    pub title: String,
    /// When it began, ms since the epoch by the clock of whoever began it.
    pub begun_ms: i64,
    /// When something was done last, likewise.
    pub last_ms: i64,
    /// Who has to do something next; nobody while nothing is owed.
    pub waits_for: Option<Side>,
    /// What the hospital owes, and until when, by its own hours where they are known here.
    pub clock: Option<ClockView>,
    /// What the reader may do in it now.
    pub may: Vec<CareVerb>,
    /// Acts of this device that the server has not stored.
    pub unsent: u32,
    /// Acts of the other side that nobody of the reader's side has said to have seen.
    pub unseen: u32,
    /// What it comes to, if it is about an appointment.
    pub appointment: Option<Appointment>,
    /// What it comes to, if it is about anything else.
    pub case: Option<Case>,
    /// The newest acts that this view shows. Whoever answers it says them back: what came meanwhile was not known.
    pub shown: Vec<ActKey>,
    /// The acts in their order; none in a list of conversations.
    pub acts: Vec<CareActView>,
}

/// How a clock stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockState {
    /// It runs.
    #[default]
    Running,
    /// Less than a third is left.
    Soon,
    /// What was promised is late.
    Late,
    /// It stands, with a reason.
    Paused,
}

/// What a hospital owes in a conversation. Minutes count only while it is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockView {
    /// How it stands.
    pub state: ClockState,
    /// Whether the outcome is owed, and not an answer.
    pub outcome: bool,
    /// When the hospital had it, ms since the epoch by its clock.
    pub received_ms: i64,
    /// Until when, ms since the epoch.
    pub due_ms: i64,
    /// Open minutes that are left, or since when it is late; by every minute where the hours are not known here.
    pub minutes: u32,
    /// Open minutes from receipt to due.
    pub of_minutes: u32,
    /// Why it stands.
    pub paused_for: Option<String>,
}

/// What somebody can do in a conversation, without what they have to say with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CareVerb {
    /// Take a time of an offer.
    Accept,
    /// Nothing of an offer suits.
    Refuse,
    /// Ask for another time.
    Move,
    /// Give an appointment up.
    Cancel,
    /// Say that one is there.
    CheckIn,
    /// Offer times.
    Offer,
    /// Have a slot booked that was asked for.
    Confirm,
    /// Say that what was asked for cannot be done.
    Decline,
    /// Give up what was booked.
    CallOff,
    /// Take an offer back.
    WithdrawOffer,
    /// The patient is there.
    Arrived,
    /// It took place.
    Done,
    /// The patient did not come.
    Missed,
    /// Say something.
    Say,
    /// Take it to the next rung: only once what was promised is late.
    StepUp,
    /// Agree with the outcome.
    Settle,
    /// Not pursue it.
    Withdraw,
    /// Say that it is not settled.
    Reopen,
    /// Take it on.
    Take,
    /// Give it to somebody else.
    HandOver,
    /// Let the clock stand.
    Pause,
    /// Let it go on.
    Resume,
    /// Say what came of it.
    Outcome,
}

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareActView {
    /// Which.
    pub key: ActKey,
    /// Who: at the hospital whoever spoke, where that was said, else the account's name.
    pub by: String,
    /// In what part.
    pub role: Role,
    /// When, ms since the epoch by the writing device's clock. For display.
    pub at_ms: i64,
    /// How far it has got: *received* once a device of the other side has it.
    pub receipt: ReceiptState,
    /// Who of the other side has seen it first.
    pub seen: Option<CareSeenView>,
    /// What was done.
    pub what: CareActWords,
}

/// That a person of the other side has seen an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareSeenView {
    /// Who.
    pub by: String,
    /// In what part.
    pub role: Role,
    /// When, ms since the epoch by that device's clock.
    pub at_ms: i64,
}

/// What is done in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CareActWords {
    /// About an appointment.
    Appointment(AppointmentAct),
    /// About anything else.
    Case(CaseAct),
}

/// One conversation of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareThreadArgs {
    /// The chart.
    pub chart: ChartId,
    /// The space.
    pub space: String,
    /// The conversation.
    pub thread: ThreadId,
}

/// Says something in a conversation, or begins one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareActArgs {
    /// The chart.
    pub chart: ChartId,
    /// The space.
    pub space: String,
    /// The conversation; none begins one.
    #[serde(default)]
    pub thread: Option<ThreadId>,
    /// What is done.
    pub what: Option<CareActWords>,
    /// What the screen showed when this was begun: [`CareThreadView::shown`].
    #[serde(default)]
    pub shown: Vec<ActKey>,
    /// Who speaks for the hospital, at most 128 bytes; empty on the patient's side.
    #[serde(default)]
    pub by: String,
}

/// Says that a person has opened a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareSeenArgs {
    /// The chart.
    pub chart: ChartId,
    /// The space.
    pub space: String,
    /// The conversation.
    pub thread: ThreadId,
    /// What the screen showed: [`CareThreadView::shown`].
    pub shown: Vec<ActKey>,
    /// Who has seen it, as [`CareActArgs::by`].
    #[serde(default)]
    pub by: String,
}
