//! What somebody may do in a conversation now. Screens offer these and nothing else; what is done all the same, the domain's tables
//! settle.

use mecum_api::CareVerb;
use mecum_domain::{Appointment, Case, CaseKind, CasePhase, Phase, Rung, Side};

/// From so long before its beginning on somebody may be there for a visit, and until so long after it. A day's length, for clocks that
/// are wrong and people who are early.
const AROUND_MS: i64 = 12 * 60 * 60 * 1_000;

/// Of an appointment.
pub(super) fn of_appointment(appointment: &Appointment, side: Side, now_ms: i64) -> Vec<CareVerb> {
    use CareVerb as V;
    let phase = appointment.phase;
    let over =
        matches!(phase, Phase::Declined | Phase::Cancelled | Phase::Arrived | Phase::Done | Phase::Missed);
    let booked = matches!(phase, Phase::Confirmed | Phase::Changed);
    let near = |slot: &mecum_domain::Slot| (slot.starts_ms - now_ms).abs() < AROUND_MS;
    let today = appointment.booked.as_ref().is_some_and(near);
    let begun = appointment.booked.as_ref().is_some_and(|slot| slot.starts_ms <= now_ms);
    let standing = !appointment.offers.is_empty() && appointment.accepted.is_none();
    let all = match side {
        Side::Patient => vec![
            (V::Accept, !over && standing),
            (V::Refuse, !over && standing),
            (V::Move, booked),
            (V::CheckIn, booked && today),
            (V::Cancel, !over),
        ],
        Side::Hospital => {
            let wanted = appointment.open_wish.is_some() || appointment.accepted.is_some();
            vec![
                (V::Confirm, !over && wanted),
                (V::Offer, !over),
                (V::WithdrawOffer, !over && standing),
                (V::Decline, !over && wanted && !booked),
                (V::Arrived, booked && today),
                (V::Done, begun && matches!(phase, Phase::Confirmed | Phase::Changed | Phase::Arrived)),
                (V::Missed, begun && booked),
                (V::CallOff, booked),
            ]
        }
    };
    all.into_iter().filter(|(_, when)| *when).map(|(verb, _)| verb).collect()
}

/// Of a case.
pub(super) fn of_case(case: &Case, ladder: &[Rung], side: Side, now_ms: i64) -> Vec<CareVerb> {
    use CareVerb as V;
    let over = matches!(case.phase, CasePhase::Settled | CasePhase::Withdrawn);
    let outcome = case.phase == CasePhase::Outcome;
    let has_outcome = case.kind.has_outcome();
    // A ladder that is not known here may have a rung above: the hospital's program says what it comes to.
    let above = ladder.is_empty() || usize::from(case.rung) + 1 < ladder.len();
    let all = match side {
        Side::Patient => vec![
            (V::Say, !over),
            (V::StepUp, !over && has_outcome && above && case.clock.is_late(now_ms)),
            (V::Settle, outcome),
            (V::Reopen, has_outcome && (outcome || over)),
            (V::Withdraw, !over && !outcome && case.kind != CaseKind::Message),
        ],
        Side::Hospital => vec![
            (V::Take, !over),
            (V::Say, !over),
            (V::Outcome, !over && has_outcome),
            (V::HandOver, !over),
            (V::Pause, !over && case.clock.paused.is_none() && case.clock.next.is_some()),
            (V::Resume, case.clock.paused.is_some()),
        ],
    };
    all.into_iter().filter(|(_, when)| *when).map(|(verb, _)| verb).collect()
}

#[cfg(test)]
mod tests {
    use mecum_domain::{ActId, ActKey, CaseClock, Due, Owed, Slot, SlotId};

    use super::*;

    const NOW_MS: i64 = 1_789_000_000_000;

    fn key() -> ActKey {
        ActKey { side: Side::Hospital, id: ActId::from_bytes([1; 16]) }
    }

    fn booked(in_ms: i64) -> Appointment {
        let slot = Slot {
            id: SlotId::from_bytes([1; 16]),
            starts_ms: NOW_MS + in_ms,
            minutes: 20,
            practitioner: String::new(),
            location: String::new(),
        };
        Appointment { phase: Phase::Confirmed, booked: Some(slot), ..Appointment::default() }
    }

    #[test]
    fn an_offer_is_taken_or_refused_by_the_patient_and_taken_back_by_the_hospital() {
        let offered = Appointment { phase: Phase::Offered, offers: vec![key()], ..Appointment::default() };
        let patient = of_appointment(&offered, Side::Patient, NOW_MS);
        assert_eq!(patient, [CareVerb::Accept, CareVerb::Refuse, CareVerb::Cancel]);
        let hospital = of_appointment(&offered, Side::Hospital, NOW_MS);
        assert_eq!(hospital, [CareVerb::Offer, CareVerb::WithdrawOffer]);
        let taken = Appointment { accepted: Some(key()), ..offered };
        assert_eq!(of_appointment(&taken, Side::Patient, NOW_MS), [CareVerb::Cancel], "a yes was said");
    }

    #[test]
    fn somebody_is_there_on_the_day_and_nobody_missed_what_is_to_come() {
        let far = of_appointment(&booked(5 * AROUND_MS), Side::Patient, NOW_MS);
        assert_eq!(far, [CareVerb::Move, CareVerb::Cancel]);
        let soon = booked(60_000);
        assert!(of_appointment(&soon, Side::Patient, NOW_MS).contains(&CareVerb::CheckIn), "it is today");
        let hospital = of_appointment(&soon, Side::Hospital, NOW_MS);
        assert!(
            hospital.contains(&CareVerb::Arrived) && !hospital.contains(&CareVerb::Missed),
            "{hospital:?}"
        );
        let begun = of_appointment(&booked(-60_000), Side::Hospital, NOW_MS);
        assert!(begun.contains(&CareVerb::Missed) && begun.contains(&CareVerb::Done), "{begun:?}");
    }

    #[test]
    fn what_is_over_leaves_nothing_to_be_done() {
        for phase in [Phase::Declined, Phase::Cancelled, Phase::Done, Phase::Missed] {
            let over = Appointment { phase, ..booked(-60_000) };
            assert_eq!(of_appointment(&over, Side::Patient, NOW_MS), [], "{phase:?}");
            assert_eq!(of_appointment(&over, Side::Hospital, NOW_MS), [], "{phase:?}");
        }
    }

    #[test]
    fn a_case_is_taken_up_once_it_is_late_and_not_above_its_last_rung() {
        let due = |at_ms| Some(Due { owed: Owed::Answer, at_ms });
        let case = |at_ms| Case {
            kind: CaseKind::Complaint,
            phase: CasePhase::Open,
            clock: CaseClock { next: due(at_ms), paused: None },
            ..Case::default()
        };
        let may = |case: &Case, ladder: &[Rung]| {
            of_case(case, ladder, Side::Patient, NOW_MS).contains(&CareVerb::StepUp)
        };
        let rung = Rung { name: String::new(), answer_minutes: 1, outcome_minutes: 1, outside: None };
        let (one, two) = (std::slice::from_ref(&rung), [rung.clone(), rung.clone()]);
        assert!(!may(&case(NOW_MS + 1), &two), "not before");
        assert!(may(&case(NOW_MS - 1), &two) && may(&case(NOW_MS - 1), &[]), "once it is late");
        assert!(!may(&case(NOW_MS - 1), one), "there is nobody above");
        let question = Case { kind: CaseKind::Question, ..case(NOW_MS - 1) };
        assert!(!may(&question, &two), "a question has no outcome");
    }

    #[test]
    fn an_outcome_is_the_patients_to_settle_and_what_is_over_can_be_reopened() {
        let case = |phase| Case { kind: CaseKind::Complaint, phase, ..Case::default() };
        let of = |phase| of_case(&case(phase), &[], Side::Patient, NOW_MS);
        assert_eq!(of(CasePhase::Outcome), [CareVerb::Say, CareVerb::Settle, CareVerb::Reopen]);
        assert_eq!(of(CasePhase::Settled), [CareVerb::Reopen]);
        assert_eq!(of_case(&case(CasePhase::Settled), &[], Side::Hospital, NOW_MS), [], "and by nobody else");
        let message = Case { kind: CaseKind::Message, phase: CasePhase::Open, ..Case::default() };
        assert_eq!(of_case(&message, &[], Side::Patient, NOW_MS), [CareVerb::Say], "a message just goes on");
    }
}
