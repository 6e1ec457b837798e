//! What was done in a conversation, one act below the other, the newest first: who, when, in what words, and how far it has got.

use mecum_api::domain::{AppointmentAct, CaseAct, Role, Side, Slot, Wish};
use mecum_api::{CareActView, CareActWords, CareThreadView, ReceiptState};
use yew::prelude::*;

use crate::components::{Icon, IconName, Receipt};
use crate::format;
use crate::i18n::{I18n, t};

/// A slot in one line: "Tue 22 Sep, 09:00, dr. Hendra Wijaya, Room 204".
pub(crate) fn slot_line(i18n: &I18n, slot: &Slot) -> String {
    let today = format::local_day(format::now_ms());
    let when = format::instant_near(i18n.language(), slot.starts_ms, today);
    [when.as_str(), &slot.practitioner, &slot.location]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

/// What an act is called, and what was said with it.
struct Told {
    id: &'static str,
    /// What the title names: a slot, a handler, a time.
    what: String,
    said: Vec<String>,
}

fn told(id: &'static str) -> Told {
    Told { id, what: String::new(), said: Vec::new() }
}

impl Told {
    fn with(mut self, what: String) -> Self {
        self.what = what;
        self
    }

    fn says(mut self, said: &str) -> Self {
        if !said.trim().is_empty() {
            self.said.push(said.to_owned());
        }
        self
    }

    fn slots(mut self, i18n: &I18n, slots: &[Slot]) -> Self {
        self.said.extend(slots.iter().map(|slot| slot_line(i18n, slot)));
        self
    }

    fn wish(self, i18n: &I18n, wish: &Wish) -> Self {
        self.slots(i18n, &wish.slots).says(&wish.words)
    }
}

fn of_visit(i18n: &I18n, act: &AppointmentAct, view: &CareThreadView) -> Told {
    use AppointmentAct as A;
    match act {
        A::Ask { wish, reason, .. } => told("act-ask").says(reason).wish(i18n, wish),
        A::Accept { offer, slot } => told("act-accept")
            .with(offered_slot(view, *offer, slot).map(|slot| slot_line(i18n, slot)).unwrap_or_default()),
        A::Refuse { wish, .. } => told("act-refuse").wish(i18n, wish),
        A::Move { wish, reason } => told("act-move").says(reason).wish(i18n, wish),
        A::Cancel { reason } => told("act-cancel").says(reason),
        A::CheckIn => told("act-check-in"),
        A::Received { handler, due_ms } => {
            told("act-received").with(handler.clone()).says(&due(i18n, *due_ms))
        }
        A::Offer { slots, note, until_ms } => {
            let until = format::instant_near(i18n.language(), *until_ms, format::local_day(format::now_ms()));
            told("act-offer").slots(i18n, slots).says(note).says(&t!(i18n, "act-offer-until", when = until))
        }
        A::Withdraw { reason, .. } => told("act-withdraw-offer").says(reason),
        A::Confirm { slot, .. } => told("act-confirm").with(slot_line(i18n, slot)),
        A::Book { slot, .. } => told("act-book").with(slot_line(i18n, slot)),
        A::SlotGone { .. } => told("act-gone"),
        A::Decline { reason } => told("act-decline").says(reason),
        A::CallOff { reason } => told("act-call-off").says(reason),
        A::Arrived => told("act-arrived"),
        A::Done => told("act-done"),
        A::Missed => told("act-missed"),
    }
}

fn of_case(i18n: &I18n, act: &CaseAct) -> Told {
    use CaseAct as C;
    match act {
        C::Open { happened, help, ward_blind, .. } => {
            let told = told("act-open").says(happened);
            let told = if help.trim().is_empty() {
                told
            } else {
                told.says(&t!(i18n, "act-open-help", help = help.as_str()))
            };
            if *ward_blind { told.says(&t!(i18n, "act-open-blind")) } else { told }
        }
        C::Say { text } => told("act-say").says(text),
        C::StepUp { reason, .. } => told("act-step-up").says(reason),
        C::Settle => told("act-settle"),
        C::Withdraw { reason } => told("act-withdraw").says(reason),
        C::Reopen { reason } => told("act-reopen").says(reason),
        C::Received { handler, answer_due_ms, pledge, .. } => {
            told("act-received").with(handler.clone()).says(&due(i18n, *answer_due_ms)).says(pledge)
        }
        C::Take => told("act-take"),
        C::HandOver { to, reason } => told("act-hand-over").with(to.clone()).says(reason),
        C::Pause { reason, .. } => told("act-pause").says(reason),
        C::Resume => told("act-resume"),
        C::Outcome { text, changed } => {
            let told = told("act-outcome").says(text);
            if changed.trim().is_empty() {
                told
            } else {
                told.says(&t!(i18n, "act-changed", changed = changed.as_str()))
            }
        }
    }
}

fn due(i18n: &I18n, due_ms: i64) -> String {
    let when = format::instant_near(i18n.language(), due_ms, format::local_day(format::now_ms()));
    t!(i18n, "act-due", when = when)
}

/// The slot that a yes names, out of its offer.
pub(crate) fn offered_slot<'a>(
    view: &'a CareThreadView,
    offer: mecum_api::domain::ActKey,
    slot: &mecum_api::domain::SlotId,
) -> Option<&'a Slot> {
    let act = view.acts.iter().find(|act| act.key == offer)?;
    match &act.what {
        CareActWords::Appointment(AppointmentAct::Offer { slots, .. }) => {
            slots.iter().find(|one| one.id == *slot)
        }
        _ => None,
    }
}

fn icon(act: &CareActView) -> IconName {
    match (&act.what, act.role) {
        (_, Role::Agent) => IconName::CircleCheck,
        (CareActWords::Case(CaseAct::StepUp { .. }), _) => IconName::StepUp,
        (CareActWords::Case(CaseAct::Pause { .. }), _) => IconName::CirclePause,
        (CareActWords::Appointment(_), _) => IconName::Calendar,
        (_, role) if role.side() == Side::Hospital => IconName::Hospital,
        _ => IconName::User,
    }
}

/// The acts of a conversation. `side` is the reader's: of their own words it is said how far they have got, and who has seen them.
pub(crate) fn timeline(i18n: &I18n, view: &CareThreadView, side: Side) -> Html {
    let overtaken = |act: &CareActView| {
        view.appointment.as_ref().is_some_and(|one| one.overtaken.iter().any(|over| over.act == act.key))
            || view.case.as_ref().is_some_and(|case| case.taken_too_late.contains(&act.key))
    };
    let today = format::local_day(format::now_ms());
    html! {
        <ol class="timeline" aria-label={t!(i18n, "care-timeline")}>
            { for view.acts.iter().rev().map(|act| {
                let Told { id, what, said } = match &act.what {
                    CareActWords::Appointment(act) => of_visit(i18n, act, view),
                    CareActWords::Case(act) => of_case(i18n, act),
                };
                let who = if act.by.is_empty() { t!(i18n, if act.key.side == Side::Hospital { "care-the-hospital" } else { "care-the-family" }) } else { act.by.clone() };
                let when = format::instant_near(i18n.language(), act.at_ms, today);
                html! {
                    <li key={act.key.id.to_string()} class={classes!("timeline-act", (act.key.side == side).then_some("timeline-own"))}>
                        <Icon icon={icon(act)} small=true />
                        <div class="timeline-words">
                            <p class="timeline-head"><strong><bdi>{ t!(i18n, id, who = who, what = what) }</bdi></strong>{ " " }<span class="caption">{ when }</span></p>
                            { for said.into_iter().map(|line| html! { <p class="timeline-said"><bdi>{ line }</bdi></p> }) }
                            if overtaken(act) { <p class="small">{ t!(i18n, "care-overtaken") }</p> }
                            if act.key.side == side { { state(i18n, act) } }
                        </div>
                    </li>
                }
            }) }
        </ol>
    }
}

/// How far an own act has got: who has seen it, where anybody has.
fn state(i18n: &I18n, act: &CareActView) -> Html {
    let Some(seen) = &act.seen else {
        return html! { <Receipt state={act.receipt} /> };
    };
    let when = format::instant_near(i18n.language(), seen.at_ms, format::local_day(format::now_ms()));
    let role = i18n.text(match seen.role {
        Role::Patient => "role-patient",
        Role::Relative => "role-relative",
        Role::Staff => "role-staff",
        Role::Agent => "role-agent",
    });
    html! { <span class="receipt receipt-seen"><Icon icon={IconName::CircleCheck} small=true /><bdi>{ t!(i18n, "receipt-seen", who = seen.by.as_str(), role = role, when = when) }</bdi></span> }
}

/// How far the newest act of the reader's side has got, for a row of a list that has no acts.
pub(crate) fn unsent(view: &CareThreadView) -> ReceiptState {
    if view.unsent > 0 { ReceiptState::Device } else { ReceiptState::Received }
}

/// The offers that stand, each with its slots and until when.
pub(crate) fn offered(view: &CareThreadView) -> Vec<(mecum_api::domain::ActKey, Vec<Slot>, i64)> {
    let standing = view.appointment.as_ref().map(|one| one.offers.clone()).unwrap_or_default();
    let of = |act: &CareActView| match &act.what {
        CareActWords::Appointment(AppointmentAct::Offer { slots, until_ms, .. })
            if standing.contains(&act.key) =>
        {
            Some((act.key, slots.clone(), *until_ms))
        }
        _ => None,
    };
    view.acts.iter().filter_map(of).collect()
}

/// The slots that the patient wants now, each with the act that a booking of it answers.
pub(crate) fn wished(view: &CareThreadView) -> Vec<(mecum_api::domain::ActKey, Slot)> {
    let Some(appointment) = &view.appointment else { return Vec::new() };
    let Some(answers) = appointment.accepted.or(appointment.open_wish) else { return Vec::new() };
    let Some(act) = view.acts.iter().find(|act| act.key == answers) else { return Vec::new() };
    let slots = match &act.what {
        CareActWords::Appointment(AppointmentAct::Ask { wish, .. } | AppointmentAct::Move { wish, .. }) => {
            wish.slots.clone()
        }
        CareActWords::Appointment(AppointmentAct::Accept { offer, slot }) => {
            offered_slot(view, *offer, slot).cloned().into_iter().collect()
        }
        _ => Vec::new(),
    };
    slots.into_iter().map(|slot| (answers, slot)).collect()
}
