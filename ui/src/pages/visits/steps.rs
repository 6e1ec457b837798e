//! Where a visit has got to: asked, offered, confirmed. A date stands in its tile only once it is confirmed.

use mecum_api::CareThreadView;
use mecum_api::domain::{Appointment, Phase};
use yew::prelude::*;

use crate::components::{Icon, IconName};
use crate::format;
use crate::i18n::{I18n, t};
use crate::pages::care::offered;

/// The date in a tile of its own, or that there is none yet.
pub(super) fn place(i18n: &I18n, appointment: &Appointment) -> Html {
    let Some(slot) = &appointment.booked else {
        return html! { <span class="date-tile date-tile-open" aria-hidden="true"><Icon icon={IconName::CalendarSearch} /></span> };
    };
    let day = format::local_day(slot.starts_ms);
    let language = i18n.language();
    html! {
        <span class="date-tile">
            <span>{ format::weekday(language, day.weekday()) }</span>
            <strong>{ day.day() }</strong>
            <span>{ format::month_short(language, day.month()) }</span>
        </span>
    }
}

/// What and where, once it is booked.
pub(super) fn where_line(appointment: &Appointment, service: &str) -> String {
    let place = appointment.booked.as_ref().map(|slot| slot.location.clone()).unwrap_or_default();
    [service.to_owned(), place].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// One sentence about where it stands. What was asked for is never said to be booked.
pub(super) fn status_line(i18n: &I18n, visit: &CareThreadView) -> String {
    let today = format::local_day(format::now_ms());
    let appointment = visit.appointment.clone().unwrap_or_default();
    if appointment.contested.is_some() {
        return t!(i18n, "visit-contested");
    }
    match appointment.phase {
        Phase::Asked if visit.unsent > 0 => t!(i18n, "visit-asked-here"),
        Phase::Asked => visit.clock.as_ref().map_or_else(
            || t!(i18n, "visit-asked"),
            |clock| {
                t!(i18n, "visit-asked-due", when = format::instant_near(i18n.language(), clock.due_ms, today))
            },
        ),
        Phase::Offered if appointment.accepted.is_some() => t!(i18n, "visit-accepted"),
        Phase::Offered => {
            let until = offered(visit).last().map(|(_, _, until)| *until);
            until.map_or_else(
                || t!(i18n, "visit-offered"),
                |until| {
                    t!(
                        i18n,
                        "visit-offered-until",
                        when = format::instant_near(i18n.language(), until, today)
                    )
                },
            )
        }
        Phase::Confirmed => t!(i18n, "visit-confirmed"),
        Phase::Changed => t!(i18n, "visit-changed"),
        Phase::Declined => t!(i18n, "visit-declined"),
        Phase::Cancelled => t!(i18n, "visit-cancelled"),
        Phase::Arrived => t!(i18n, "visit-arrived"),
        Phase::Done => t!(i18n, "visit-done"),
        Phase::Missed => t!(i18n, "visit-missed"),
    }
}

/// The three steps, the present one marked.
pub(super) fn steps(i18n: &I18n, phase: Phase) -> Html {
    let at = match phase {
        Phase::Asked => 0,
        Phase::Offered => 1,
        _ => 2,
    };
    html! {
        <ol class="visit-steps">
            { for ["visit-step-asked", "visit-step-offered", "visit-step-confirmed"].into_iter().enumerate().map(|(n, id)| {
                let (class, current) = match n.cmp(&at) {
                    std::cmp::Ordering::Less => ("visit-step visit-step-done", None),
                    std::cmp::Ordering::Equal if at == 2 => ("visit-step visit-step-done visit-step-now", Some("step")),
                    std::cmp::Ordering::Equal => ("visit-step visit-step-now", Some("step")),
                    std::cmp::Ordering::Greater => ("visit-step", None),
                };
                html! {
                    <li {class} aria-current={current}>
                        if class.contains("done") { <Icon icon={IconName::CircleCheck} small=true /> } else { <span class="visit-ring" aria-hidden="true" /> }
                        <span>{ i18n.text(id) }</span>
                    </li>
                }
            }) }
        </ol>
    }
}
