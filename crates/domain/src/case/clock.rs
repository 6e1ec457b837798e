//! The clock of a case: what the hospital owes, until when, and how a pause moves it.
//!
//! It starts where the hospital says that something arrived, and not before: a patient's clock may be wrong, and what is not delivered is
//! not late. The times are the agent's own, signed; whoever holds the published hours can count them again.

use serde::{Deserialize, Serialize};

use super::{CaseAct, Reading};
use crate::Hours;
use crate::act::{ActKey, Side};

/// What is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owed {
    /// A word to a word of the patient.
    Answer,
    /// What came of it.
    Outcome,
}

/// Something that is owed until an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// What.
    pub owed: Owed,
    /// Until when, ms since the epoch.
    pub at_ms: i64,
}

/// The clock, the same for both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseClock {
    /// What is owed next; none while nothing is, or nothing has arrived.
    pub next: Option<Due>,
    /// The pause in which it stands.
    pub paused: Option<ActKey>,
}

impl CaseClock {
    /// Whether what is owed is late. A clock that stands is not late.
    pub fn is_late(&self, now_ms: i64) -> bool {
        self.paused.is_none() && self.next.is_some_and(|due| now_ms > due.at_ms)
    }
}

/// A stretch in which the clock stood, ms since the epoch; without an end it still does.
struct Stood {
    from_ms: i64,
    to_ms: Option<i64>,
    pause: ActKey,
}

impl Reading<'_> {
    pub(super) fn clock(&self, waiting: &[usize], outcome_owed: bool, hours: Option<&Hours>) -> CaseClock {
        let stood = self.stood();
        let answers =
            waiting.iter().filter_map(|word| self.received(*word)).map(|(answer, _, received_ms)| Due {
                owed: Owed::Answer,
                at_ms: moved(answer, received_ms, &stood, hours),
            });
        // Of the outcome the newest receipt says until when: a step up begins its time anew.
        let newest = self.standing().rev().find_map(|(_, act)| match act.what {
            CaseAct::Received { outcome_due_ms: Some(due), .. } => Some((due, act.at_ms)),
            _ => None,
        });
        let outcome = newest.filter(|_| outcome_owed).map(|(due, received_ms)| Due {
            owed: Owed::Outcome,
            at_ms: moved(due, received_ms, &stood, hours),
        });
        let next = answers.chain(outcome).min_by_key(|due| (due.at_ms, due.owed));
        let paused = stood.iter().rev().find(|stood| stood.to_ms.is_none()).map(|stood| stood.pause);
        CaseClock { next, paused: paused.filter(|_| next.is_some()) }
    }

    /// What the agent said of a patient's word: when an answer is due, the rung, and when it arrived.
    fn received(&self, word: usize) -> Option<(i64, u8, i64)> {
        let key = self.acts.get(word)?.key();
        self.standing().find_map(|(_, act)| match act.what {
            CaseAct::Received { of, answer_due_ms, rung, .. } if of == key => {
                Some((answer_due_ms, rung, act.at_ms))
            }
            _ => None,
        })
    }

    /// When it stood. A pause ends by a resume; one that waits for the patient by the arrival of what they say; any by a step up.
    fn stood(&self) -> Vec<Stood> {
        let mut all = Vec::new();
        for (place, act) in self.standing() {
            let CaseAct::Pause { waits_for, .. } = act.what else { continue };
            let ends = |later: usize, what: &CaseAct| match what {
                CaseAct::Resume => self.acts.knew(later, place),
                CaseAct::Received { of, .. } => {
                    let word = self.acts.place(*of).and_then(|word| Some((word, self.acts.get(word)?)));
                    word.is_some_and(|(word, said)| {
                        let stepped = matches!(said.what, CaseAct::StepUp { .. } | CaseAct::Reopen { .. });
                        let answered =
                            waits_for == super::PauseFor::Patient && said.author.role.side() == Side::Patient;
                        // A word that crosses with the pause is an answer to nothing, but a step up is one all the same.
                        (stepped && !self.acts.knew(place, word)) || (answered && self.acts.knew(word, place))
                    })
                }
                _ => false,
            };
            let end = self
                .standing()
                .filter(|(later, act)| ends(*later, &act.what))
                .map(|(_, act)| act.at_ms)
                .min();
            all.push(Stood {
                from_ms: act.at_ms,
                to_ms: end.map(|end| end.max(act.at_ms)),
                pause: act.key(),
            });
        }
        all
    }
}

/// A due time after the pauses that lie between its receipt and it, each by its open minutes.
fn moved(due_ms: i64, received_ms: i64, stood: &[Stood], hours: Option<&Hours>) -> i64 {
    let Some(hours) = hours else { return due_ms };
    let mut pauses: Vec<(i64, i64)> = stood
        .iter()
        .filter_map(|stood| Some((stood.from_ms.max(received_ms), stood.to_ms?)))
        .filter(|(from, to)| from < to)
        .collect();
    pauses.sort_unstable();
    let (mut due, mut counted) = (due_ms, i64::MIN);
    for (from, to) in pauses {
        // Two pauses that lie over each other move it once.
        let from = from.max(counted);
        if from >= due || from >= to {
            continue;
        }
        due = hours.due(due, hours.minutes_between(from, to)).unwrap_or(due);
        counted = to;
    }
    due
}
