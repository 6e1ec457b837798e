//! A case: a question, a request, a complaint, a correction or a message, with who answers it and until when.
//!
//! Like an appointment it is a function of the acts of both sides ([`Acts`]). A word of the patient waits until somebody at the hospital
//! who knew of it has said something; nothing that closes a case closes it over a word that its author had not seen.

mod clock;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::act::{Act, ActKey, Acts, Role, Side};

pub use clock::{CaseClock, Due, Owed};

/// What it is about. FHIR R4 has no resource for a complaint; Communication and Task are nearest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseKind {
    /// Something to know.
    #[default]
    Question,
    /// Something to be done: a copy, a letter, a call.
    Request,
    /// Something went wrong.
    Complaint,
    /// An entry of the hospital's is not right (FHIR patient-corrections).
    Correction,
    /// A thread with a team: no outcome, no ladder.
    Message,
}

impl CaseKind {
    /// Whether it ends with an outcome, and can be stepped up.
    pub fn has_outcome(self) -> bool {
        !matches!(self, CaseKind::Message | CaseKind::Question)
    }
}

/// One step of the ladder, as the hospital publishes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Who that is: "Head of nursing", "Independent mediator".
    pub name: String,
    /// Open minutes until the first answer.
    pub answer_minutes: u32,
    /// Open minutes until the outcome.
    pub outcome_minutes: u32,
    /// Outside of the hospital: how to reach them; then the hospital's clock ends here.
    pub outside: Option<String>,
}

/// Why a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PauseFor {
    /// The hospital asked the patient something.
    Patient,
    /// Somebody else has to do something first: another hospital, a laboratory.
    Other,
}

/// What is done about a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseAct {
    /// The patient begins it.
    Open {
        /// What kind.
        kind: CaseKind,
        /// What it is about, by its entry's key as text; empty for nothing.
        about: String,
        /// What happened, or the question.
        happened: String,
        /// What would help; may be empty.
        help: String,
        /// The ward does not see who asks. The handler does.
        ward_blind: bool,
    },
    /// Either side says something.
    Say {
        /// The words.
        text: String,
    },
    /// The patient takes it to the next rung.
    StepUp {
        /// Which, from 1.
        rung: u8,
        /// Why.
        reason: String,
    },
    /// The patient agrees with the outcome.
    Settle,
    /// The patient does not pursue it.
    Withdraw {
        /// Why; may be empty.
        reason: String,
    },
    /// It is not settled, the patient says.
    Reopen {
        /// Why.
        reason: String,
    },
    /// The agent: what arrived, who answers, and until when.
    Received {
        /// The patient's act that arrived.
        of: ActKey,
        /// Named handler.
        handler: String,
        /// Which rung it is on, from 0.
        rung: u8,
        /// Until when somebody answers, ms since the epoch.
        answer_due_ms: i64,
        /// Until when there is an outcome, ms since the epoch, where the kind has one.
        outcome_due_ms: Option<i64>,
        /// The hospital's pledge not to retaliate, as in force.
        pledge: String,
    },
    /// Somebody at the hospital takes it on: its author is the handler from now on.
    Take,
    /// It goes to somebody else.
    HandOver {
        /// The name of the next handler.
        to: String,
        /// Why.
        reason: String,
    },
    /// The clock stands.
    Pause {
        /// For whom.
        waits_for: PauseFor,
        /// Why, in words for the patient.
        reason: String,
    },
    /// The clock goes on.
    Resume,
    /// What came of it.
    Outcome {
        /// In words for the patient.
        text: String,
        /// "You said, we changed": may be empty.
        changed: String,
    },
}

impl CaseAct {
    /// Who may do it. The agent may do what staff may.
    pub fn may(&self, role: Role) -> bool {
        match self {
            Self::Say { .. } => true,
            Self::Open { .. }
            | Self::StepUp { .. }
            | Self::Settle
            | Self::Withdraw { .. }
            | Self::Reopen { .. } => role.side() == Side::Patient,
            Self::Received { .. } => role == Role::Agent,
            Self::Take | Self::HandOver { .. } | Self::Pause { .. } | Self::Resume | Self::Outcome { .. } => {
                role.side() == Side::Hospital
            }
        }
    }

    /// Whether it begins a conversation.
    pub fn begins(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// Every text in it, what was said first.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Open { about, happened, help, .. } => vec![happened, help, about],
            Self::Say { text } => vec![text],
            Self::Outcome { text, changed } => vec![text, changed],
            Self::HandOver { to, reason } => vec![reason, to],
            Self::Received { handler, pledge, .. } => vec![handler, pledge],
            Self::StepUp { reason, .. }
            | Self::Withdraw { reason }
            | Self::Reopen { reason }
            | Self::Pause { reason, .. } => vec![reason],
            Self::Settle | Self::Take | Self::Resume => Vec::new(),
        }
    }
}

/// Where a case has got to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CasePhase {
    /// The hospital has not said that it arrived. No clock runs.
    #[default]
    Sent,
    /// The hospital owes an answer, or an outcome.
    Open,
    /// The clock stands, for a reason that was said.
    Paused,
    /// The hospital has answered, and nothing is owed; a word of the patient opens it again.
    Answered,
    /// There is an outcome, and the patient has not said whether that settles it.
    Outcome,
    /// The patient agrees.
    Settled,
    /// The patient does not pursue it.
    Withdrawn,
}

/// What the acts come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What kind it is.
    pub kind: CaseKind,
    /// Where it has got to.
    pub phase: CasePhase,
    /// Which rung it is on, from 0.
    pub rung: u8,
    /// Who answers; empty before it was received.
    pub handler: String,
    /// Words of the patient that nobody who knew of them has answered, the oldest first.
    pub waiting: Vec<ActKey>,
    /// What the hospital owes, and until when.
    pub clock: CaseClock,
    /// The outcome that stands.
    pub outcome: Option<ActKey>,
    /// Staff who took it on while somebody else had, without knowing it.
    pub taken_too_late: Vec<ActKey>,
    /// Acts of who may not do them. They do nothing.
    pub foreign: Vec<ActKey>,
}

impl Case {
    /// What these acts come to. `hours` are those in force; without them a pause moves no due time.
    pub fn of(acts: &Acts<CaseAct>, hours: Option<&crate::Hours>) -> Self {
        Reading::new(acts).case(hours)
    }

    /// Who has to do something next; nobody while nothing is owed and nothing was asked. Of an outcome the patient says whether it
    /// settles the case.
    pub fn waits_for(&self, acts: &Acts<CaseAct>) -> Option<Side> {
        match self.phase {
            CasePhase::Sent | CasePhase::Open => Some(Side::Hospital),
            CasePhase::Paused => {
                let pause = self.clock.paused.and_then(|key| acts.get(acts.place(key)?));
                let of_patient = |act: &Act<CaseAct>| {
                    matches!(act.what, CaseAct::Pause { waits_for: PauseFor::Patient, .. })
                };
                Some(if pause.is_some_and(of_patient) { Side::Patient } else { Side::Hospital })
            }
            CasePhase::Outcome => Some(Side::Patient),
            CasePhase::Answered | CasePhase::Settled | CasePhase::Withdrawn => None,
        }
    }

    /// The next rung, where it is offered: what was owed is late, and there is one.
    pub fn step_up(&self, ladder: &[Rung], now_ms: i64) -> Option<u8> {
        let next = self.rung.checked_add(1).filter(|next| usize::from(*next) < ladder.len())?;
        (self.kind.has_outcome() && self.clock.is_late(now_ms)).then_some(next)
    }
}

/// The acts that their authors may do.
struct Reading<'a> {
    acts: &'a Acts<CaseAct>,
}

/// Acts that somebody at the hospital answers to.
fn is_word(act: &Act<CaseAct>) -> bool {
    use CaseAct as A;
    let word = matches!(act.what, A::Open { .. } | A::Say { .. } | A::StepUp { .. } | A::Reopen { .. });
    word && act.author.role.side() == Side::Patient
}

fn is_answer(act: &Act<CaseAct>) -> bool {
    matches!(act.what, CaseAct::Say { .. } | CaseAct::Outcome { .. })
        && act.author.role.side() == Side::Hospital
}

impl<'a> Reading<'a> {
    fn new(acts: &'a Acts<CaseAct>) -> Self {
        Self { acts }
    }

    fn standing(&self) -> impl DoubleEndedIterator<Item = (usize, &'a Act<CaseAct>)> {
        self.acts.iter().filter(|(_, act)| act.what.may(act.author.role))
    }

    fn followed(&self, place: usize, by: impl Fn(&Act<CaseAct>) -> bool) -> bool {
        self.standing().any(|(later, act)| by(act) && self.acts.knew(later, place))
    }

    fn last(&self, of: impl Fn(&Act<CaseAct>) -> bool) -> Option<(usize, &'a Act<CaseAct>)> {
        self.standing().rev().find(|(_, act)| of(act))
    }

    /// Words of the patient that wait.
    fn waiting(&self) -> Vec<usize> {
        let waits = |place: &usize| !self.followed(*place, is_answer);
        self.standing().filter(|(_, act)| is_word(act)).map(|(place, _)| place).filter(waits).collect()
    }

    /// The newest act of this kind that closes the case: none of the patient's later or crossing words says otherwise.
    fn closing(&self, of: impl Fn(&CaseAct) -> bool) -> Option<usize> {
        let contradicts = |act: &CaseAct| matches!(act, CaseAct::Reopen { .. } | CaseAct::StepUp { .. });
        let holds = |place: usize| {
            self.standing()
                .filter(|(_, act)| contradicts(&act.what))
                .all(|(word, _)| self.acts.knew(place, word))
        };
        self.standing().rev().find(|(place, act)| of(&act.what) && holds(*place)).map(|(place, _)| place)
    }

    /// Who answers, and who took it on too late. Of two who took it on at once the first in order has it.
    fn handler(&self) -> (String, Vec<ActKey>) {
        let (mut handler, mut holds, mut late) = (String::new(), None, Vec::new());
        for (place, act) in self.standing() {
            match &act.what {
                CaseAct::Received { handler: named, .. }
                    if holds.is_none_or(|holds| self.acts.knew(place, holds)) =>
                {
                    handler.clone_from(named);
                }
                CaseAct::Take if holds.is_some_and(|holds| self.acts.cross(place, holds)) => {
                    late.push(act.key());
                }
                CaseAct::Take => {
                    handler.clone_from(&act.author.name);
                    holds = Some(place);
                }
                CaseAct::HandOver { to, .. } if holds.is_none_or(|holds| self.acts.knew(place, holds)) => {
                    handler.clone_from(to);
                    holds = Some(place);
                }
                _ => {}
            }
        }
        (handler, late)
    }

    fn case(&self, hours: Option<&crate::Hours>) -> Case {
        use CaseAct as A;
        let kind = self.standing().find_map(|(_, act)| match act.what {
            A::Open { kind, .. } => Some(kind),
            _ => None,
        });
        let kind = kind.unwrap_or_default();
        let (handler, taken_too_late) = self.handler();
        let waiting = self.waiting();
        let outcome = self.closing(|what| matches!(what, A::Outcome { .. }));
        let clock = self.clock(&waiting, kind.has_outcome() && outcome.is_none(), hours);
        let received = self.last(|act| matches!(act.what, A::Received { .. })).is_some();
        let settled = self.closing(|what| matches!(what, A::Settle)).is_some() && outcome.is_some();
        let withdrawn = self.closing(|what| matches!(what, A::Withdraw { .. }));
        let said_since = |place: usize| waiting.iter().any(|word| !self.acts.knew(place, *word));
        let phase = if withdrawn.is_some_and(|place| !said_since(place)) {
            CasePhase::Withdrawn
        } else if !received {
            CasePhase::Sent
        } else if clock.paused.is_some() {
            CasePhase::Paused
        } else if !waiting.is_empty() || (kind.has_outcome() && outcome.is_none()) {
            CasePhase::Open
        } else if settled {
            CasePhase::Settled
        } else if outcome.is_some() {
            CasePhase::Outcome
        } else {
            CasePhase::Answered
        };
        let over = matches!(phase, CasePhase::Withdrawn | CasePhase::Settled);
        let rung = self.standing().filter_map(|(_, act)| match act.what {
            A::Received { rung, .. } => Some(rung),
            _ => None,
        });
        let key = |place: usize| self.acts.get(place).map(Act::key);
        let foreign =
            self.acts.iter().filter(|(_, act)| !act.what.may(act.author.role)).map(|(_, act)| act.key());
        Case {
            kind,
            phase,
            rung: rung.max().unwrap_or_default(),
            handler,
            waiting: waiting.into_iter().filter_map(key).collect(),
            clock: if over { CaseClock::default() } else { clock },
            outcome: outcome.and_then(key),
            taken_too_late,
            foreign: foreign.collect(),
        }
    }
}
