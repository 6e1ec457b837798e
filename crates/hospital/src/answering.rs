//! What the hospital's program says in a conversation without anybody: that something arrived, who answers it and until when; and that a
//! slot is booked, or gone. Pure: acts and a time go in, words come out, and once they are among the acts there is nothing more to say.

use mecum_domain::{
    Act, Acts, Appointment, AppointmentAct, Case, CaseAct, CaseKind, Directory, Hours, Rung, Side,
    SlotDecision, SlotRefusal, SlotTable, ThreadId,
};

/// Words of a patient of which it is said in one minute that they arrived, in one conversation: a flood costs the hospital no flood.
pub(crate) const RECEIPTS_A_MINUTE: usize = 32;

const MINUTE_MS: i64 = 60_000;

/// Open minutes until an answer where a hospital has published no ladder: a working day.
const DAY_MINUTES: u32 = 480;

/// Where a hospital is closed for two years there is no due time in its hours: then it is this, and no promise.
const TWO_YEARS_MS: i64 = 2 * 365 * 24 * 60 * MINUTE_MS;

/// What a hospital has published.
pub(crate) struct House<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) hours: &'a Hours,
    /// In which of its languages it writes, BCP 47.
    pub(crate) language: &'a str,
}

/// What is said in a case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CaseAnswer {
    pub(crate) says: Vec<CaseAct>,
    /// More is to be said once a minute has passed.
    pub(crate) later: bool,
}

/// What is decided and said about an appointment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct VisitAnswer {
    pub(crate) decisions: Vec<SlotDecision>,
    pub(crate) says: Vec<AppointmentAct>,
}

impl House<'_> {
    fn due(&self, now_ms: i64, minutes: u32) -> i64 {
        self.hours.due(now_ms, minutes).unwrap_or(now_ms.saturating_add(TWO_YEARS_MS))
    }

    fn name(&self) -> &str {
        self.directory.name.text(self.language)
    }

    fn rung(&self, kind: CaseKind, rung: u8) -> Option<&Rung> {
        self.directory.ladder(kind).get(usize::from(rung))
    }
}

/// What is said of a case at `now_ms`, ms since the epoch: of each word of the patient that it arrived.
pub(crate) fn to_case(acts: &Acts<CaseAct>, house: &House<'_>, now_ms: i64) -> CaseAnswer {
    let case = Case::of(acts, Some(house.hours));
    let words: Vec<(usize, &Act<CaseAct>)> =
        acts.iter().filter(|(place, act)| is_word(act) && !is_received(acts, *place)).collect();
    let said = acts.iter().filter(|(_, act)| {
        matches!(act.what, CaseAct::Received { .. }) && act.at_ms > now_ms - MINUTE_MS && is_own(act)
    });
    let left = RECEIPTS_A_MINUTE.saturating_sub(said.count());
    let (named, later) = chosen(&words, left);
    let ladder = house.directory.ladder(case.kind);
    let mut rung = case.rung;
    let says = named.into_iter().map(|act| {
        let up = match act.what {
            CaseAct::StepUp { rung: to, .. } => case.step_up(ladder, now_ms).filter(|next| *next == to),
            _ => None,
        };
        rung = up.unwrap_or(rung);
        let step = house.rung(case.kind, rung);
        // Whoever took it on answers it, until it goes to somebody above them.
        let handler = match step {
            _ if up.is_none() && !case.handler.is_empty() => case.handler.clone(),
            Some(step) => step.name.clone(),
            None => house.name().to_owned(),
        };
        let minutes = step.map_or(DAY_MINUTES, |step| step.answer_minutes);
        // A word more does not put off what was promised; a step up and a reopening begin it anew.
        let begins = up.is_some() || matches!(act.what, CaseAct::Open { .. } | CaseAct::Reopen { .. });
        let outcome = step.map_or(DAY_MINUTES, |step| step.outcome_minutes);
        let outcome = (case.kind.has_outcome() && begins).then(|| house.due(now_ms, outcome));
        CaseAct::Received {
            of: act.key(),
            handler,
            rung,
            answer_due_ms: house.due(now_ms, minutes),
            outcome_due_ms: outcome,
            pledge: house.directory.pledge.text(house.language).to_owned(),
        }
    });
    CaseAnswer { says: says.collect(), later }
}

/// Of which words it is said that they arrived, and whether more follow. All of them; or of more than may be, the first ones and the
/// newest, with which those between are said to have arrived too.
fn chosen<'a>(words: &[(usize, &'a Act<CaseAct>)], left: usize) -> (Vec<&'a Act<CaseAct>>, bool) {
    let acts = || words.iter().map(|(_, act)| *act);
    match (words.len() <= left, left) {
        (true, _) => (acts().collect(), false),
        (false, 0) => (Vec::new(), true),
        (false, left) => (acts().take(left - 1).chain(acts().next_back()).collect(), false),
    }
}

fn is_own(act: &Act<CaseAct>) -> bool {
    act.what.may(act.author.role)
}

/// What somebody of the patient's side says that somebody has to answer.
fn is_word(act: &Act<CaseAct>) -> bool {
    use CaseAct as A;
    let word = matches!(act.what, A::Open { .. } | A::Say { .. } | A::StepUp { .. } | A::Reopen { .. });
    word && act.author.role.side() == Side::Patient && is_own(act)
}

/// Whether it was said of a word that it arrived: of itself, or of a later one in knowledge of it, as in a flood.
fn is_received(acts: &Acts<CaseAct>, word: usize) -> bool {
    acts.iter().any(|(place, act)| match act.what {
        CaseAct::Received { of, .. } if is_own(act) => {
            acts.place(of).is_some_and(|of| of == word || of > word && acts.knew(place, word))
        }
        _ => false,
    })
}

/// What is decided and said about an appointment at `now_ms`, ms since the epoch. The table has taken what is decided.
pub(crate) fn to_visit(
    thread: ThreadId,
    acts: &Acts<AppointmentAct>,
    table: &mut SlotTable,
    house: &House<'_>,
    now_ms: i64,
) -> VisitAnswer {
    let mut answer = VisitAnswer::default();
    let appointment = Appointment::of(acts);
    if appointment.waits_for_hospital && !is_wish_received(acts) {
        let step = house.rung(CaseKind::Request, 0);
        answer.says.push(AppointmentAct::Received {
            handler: step.map_or_else(|| house.name().to_owned(), |step| step.name.clone()),
            due_ms: house.due(now_ms, step.map_or(DAY_MINUTES, |step| step.answer_minutes)),
        });
    }
    for offer in &appointment.offers {
        let act = acts.place(*offer).and_then(|place| acts.get(place));
        let Some(decision) = act.and_then(|act| SlotDecision::of_offer(thread, act)) else { continue };
        match table.apply(&decision, now_ms) {
            Ok(()) => answer.decisions.push(decision),
            // It is in the table, or its time is over: then the next yes is answered by what is free.
            Err(SlotRefusal::Twice | SlotRefusal::Past) => {}
            Err(_) => answer.says.push(AppointmentAct::Withdraw { offer: *offer, reason: String::new() }),
        }
    }
    let slots = table.answer(thread, acts, now_ms);
    answer.decisions.extend(slots.decisions);
    answer.says.extend(slots.says);
    answer
}

/// Whether it was said that every wish of the patient arrived.
fn is_wish_received(acts: &Acts<AppointmentAct>) -> bool {
    use AppointmentAct as A;
    let wishes = acts.iter().filter(|(_, act)| {
        matches!(act.what, A::Ask { .. } | A::Move { .. } | A::Refuse { .. }) && act.what.may(act.author.role)
    });
    let mut wishes = wishes.map(|(place, _)| place);
    wishes.all(|wish| {
        acts.iter().any(|(place, act)| {
            matches!(act.what, A::Received { .. }) && act.what.may(act.author.role) && acts.knew(place, wish)
        })
    })
}

#[cfg(test)]
mod tests;
