//! What kinds, phases, hours and promises are called.

use jiff::civil::Weekday;
use mecum_api::domain::{Case, CaseKind, CasePhase, Rung, Side};
use mecum_api::{CareThreadView, ClockState};

use crate::components::IconName;
use crate::components::clock::{duration, when};
use crate::format;
use crate::i18n::{I18n, t};

/// What can be written, in the order in which it is offered.
pub(super) const KINDS: &[CaseKind] =
    &[CaseKind::Question, CaseKind::Complaint, CaseKind::Request, CaseKind::Correction, CaseKind::Message];

/// The word of a kind in addresses and texts.
pub(super) fn kind_word(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::Question => "question",
        CaseKind::Request => "request",
        CaseKind::Complaint => "complaint",
        CaseKind::Correction => "correction",
        CaseKind::Message => "message",
    }
}

/// The name of a kind.
pub(crate) fn kind_name(i18n: &I18n, kind: CaseKind) -> String {
    i18n.text(&format!("messages-kind-{}", kind_word(kind)))
}

/// The sign of a kind.
pub(crate) fn kind_icon(kind: CaseKind) -> IconName {
    match kind {
        CaseKind::Question => IconName::MessageQuestion,
        CaseKind::Request => IconName::Clipboard,
        CaseKind::Complaint => IconName::MessageWarning,
        CaseKind::Correction => IconName::FilePen,
        CaseKind::Message => IconName::Mail,
    }
}

/// Where a conversation has got to, in words.
pub(super) fn phase_text(i18n: &I18n, one: &CareThreadView, case: &Case) -> String {
    let id = match case.phase {
        CasePhase::Sent => "messages-phase-sent",
        CasePhase::Open => {
            return match &one.clock {
                Some(clock) if clock.state != ClockState::Late => {
                    let id = if clock.outcome { "messages-phase-outcome-due" } else { "messages-phase-due" };
                    i18n.format(id, &[("when", when(i18n, clock.due_ms).into())])
                }
                _ => i18n.text("messages-phase-open"),
            };
        }
        CasePhase::Paused if one.waits_for == Some(Side::Patient) => "messages-phase-asks",
        CasePhase::Paused => "messages-phase-paused",
        CasePhase::Answered => "messages-phase-answered",
        CasePhase::Outcome => "messages-phase-outcome",
        CasePhase::Settled => "messages-phase-settled",
        CasePhase::Withdrawn => "messages-phase-withdrawn",
    };
    i18n.text(id)
}

/// What a rung promises, in words.
pub(super) fn promise(i18n: &I18n, rung: &Rung) -> String {
    t!(i18n, "messages-promise", time = duration(i18n, rung.answer_minutes))
}

/// Opening hours with days of the same hours together: "Mon to Fri, 08:00 to 16:00". None where no day is open.
pub(super) fn hours_text(i18n: &I18n, week: &[Vec<(String, String)>]) -> Option<String> {
    let day = |at: usize| {
        let offset = i8::try_from(at).ok()?;
        Some(format::weekday(i18n.language(), Weekday::from_monday_zero_offset(offset).ok()?))
    };
    let mut said = Vec::new();
    let mut from = 0;
    while let Some(open) = week.get(from) {
        let days = week.iter().skip(from).take_while(|day| *day == open).count();
        let last = from + days - 1;
        if !open.is_empty() {
            let hours: Vec<String> = open
                .iter()
                .map(|(opens, closes)| {
                    t!(i18n, "messages-from-to", from = opens.as_str(), to = closes.as_str())
                })
                .collect();
            let of = match (day(from)?, day(last)?) {
                (first, _) if days == 1 => first.to_owned(),
                (first, last) => t!(i18n, "messages-from-to", from = first, to = last),
            };
            said.push(format!("{of}, {}", hours.join(", ")));
        }
        from = last + 1;
    }
    (!said.is_empty()).then(|| said.join("; "))
}
