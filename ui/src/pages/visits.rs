//! The visits of the open record: what is coming, what was, and where each has got to.

pub mod ask;
mod steps;
pub mod visit;

use mecum_api::domain::{AppointmentAct, Phase, Wish};
use mecum_api::{CareActWords, CareThreadView, CareVerb, CareView, HospitalArgs, Topic, command};
use yew::prelude::*;
use yew_router::prelude::*;

use self::steps::{place, status_line, steps};
use super::answer::answered;
use super::care::{no_hospital, offered, open_spaces, says, unsent, use_care, use_say, use_talk};
use super::head::PageHead;
use crate::app::use_shell;
use crate::components::{Button, ButtonKind, Chip, Empty, ErrorBlock, Icon, IconName, Receipt};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// Whether nothing of it lies ahead.
fn is_past(view: &CareThreadView) -> bool {
    let phase = view.appointment.as_ref().map(|one| one.phase).unwrap_or_default();
    matches!(phase, Phase::Declined | Phase::Cancelled | Phase::Done | Phase::Missed)
}

/// The visits of the open record.
#[component]
pub fn VisitsPage() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let query = use_care(shell.chart_id());
    let past = use_state(|| false);
    html! {
        <div class="page page-column">
            <PageHead title={t!(i18n, "visits-title")}>
                if query.data().is_some_and(|view| !open_spaces(&view).is_empty()) {
                    <Link<Route> to={Route::AskVisit} classes="button button-main"><Icon icon={IconName::CalendarPlus} /><span>{ t!(i18n, "visits-ask-title") }</span></Link<Route>>
                }
            </PageHead>
            { answered(&i18n, &query, &t!(i18n, "visits-opening"), |view| body(&i18n, &view, &past)) }
        </div>
    }
}

fn body(i18n: &I18n, view: &CareView, past: &UseStateHandle<bool>) -> Html {
    let visits: Vec<&CareThreadView> = view.threads.iter().filter(|one| one.appointment.is_some()).collect();
    if visits.is_empty() && open_spaces(view).is_empty() {
        return no_hospital(i18n, IconName::Calendar);
    }
    if visits.is_empty() {
        return html! {
            <Empty icon={IconName::Calendar} title={t!(i18n, "visits-none-title")} text={t!(i18n, "visits-none-text")}>
                <Link<Route> to={Route::AskVisit} classes="link">{ t!(i18n, "visits-ask-title") }</Link<Route>>
            </Empty>
        };
    }
    let (over, coming): (Vec<_>, Vec<_>) = visits.into_iter().partition(|one| is_past(one));
    let choose = |to: bool| {
        let past = past.clone();
        Callback::from(move |_: MouseEvent| past.set(to))
    };
    let shown = if **past { &over } else { &coming };
    html! {
        <>
            <div class="chips" role="group" aria-label={t!(i18n, "visits-which")}>
                <Chip pressed={!**past} onclick={choose(false)}>{ t!(i18n, "visits-coming", count = coming.len()) }</Chip>
                <Chip pressed={**past} onclick={choose(true)}>{ t!(i18n, "visits-past", count = over.len()) }</Chip>
            </div>
            if shown.is_empty() { <p>{ t!(i18n, if **past { "visits-none-past" } else { "visits-none-coming" }) }</p> }
            <ul class="visits" role="list">
                { for shown.iter().map(|one| html! { <li key={one.thread.to_string()} class="visit"><Row visit={(**one).clone()} /></li> }) }
            </ul>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct RowProps {
    visit: CareThreadView,
}

/// One visit of the list. Its offered times can be taken right here.
#[component]
fn Row(props: &RowProps) -> Html {
    let i18n = use_i18n();
    let visit = &props.visit;
    let known =
        use_query::<command::HospitalGet>(HospitalArgs { hospital: visit.hospital }, vec![Topic::Charts]);
    let known = known.data();
    let appointment = visit.appointment.clone().unwrap_or_default();
    let to = Route::Visit { space: visit.space.clone(), thread: visit.thread.to_string() };
    let service = service_name(known.as_deref(), &visit.title);
    html! {
        <>
            <div class="visit-head">
                { place(&i18n, &appointment) }
                <div class="visit-words">
                    <h2 class="title-3"><Link<Route> {to} classes="visit-link"><bdi>{ title(&appointment, &service) }</bdi></Link<Route>></h2>
                    if appointment.booked.is_some() { <p class="small"><bdi>{ steps::where_line(&appointment, &service) }</bdi></p> }
                    if let Some(about) = preparation(known.as_deref(), &visit.title).filter(|_| !is_past(visit)) { <p class="small"><bdi>{ about }</bdi></p> }
                    <p class="visit-status">{ status_line(&i18n, visit) }</p>
                    if visit.unseen > 0 { <span class="chip-new">{ t!(i18n, "care-new", count = visit.unseen) }</span> }
                </div>
            </div>
            if visit.may.contains(&CareVerb::Accept) { <Offers visit={visit.clone()} /> }
            if !is_past(visit) {
                { steps(&i18n, appointment.phase) }
                if visit.unsent > 0 { <Receipt state={unsent(visit)} /> }
            }
        </>
    }
}

/// What a visit is called: the time and who once it is booked, the service before.
fn title(appointment: &mecum_api::domain::Appointment, service: &str) -> String {
    appointment.booked.as_ref().map_or_else(
        || service.to_owned(),
        |slot| [format::clock(slot.starts_ms), slot.practitioner.clone()].join(", "),
    )
}

/// The name of a service, by what the hospital publishes; its code where that is not known here.
pub(crate) fn service_name(known: Option<&mecum_api::HospitalView>, code: &str) -> String {
    let found = known.and_then(|known| known.services.iter().find(|one| one.code == code));
    found.map_or_else(|| code.to_owned(), |one| one.name.clone())
}

fn preparation(known: Option<&mecum_api::HospitalView>, code: &str) -> Option<String> {
    let found = known?.services.iter().find(|one| one.code == code)?;
    Some(found.about.clone()).filter(|about| !about.is_empty())
}

#[derive(Properties, PartialEq)]
pub(super) struct OffersProps {
    /// The visit.
    pub(super) visit: CareThreadView,
}

/// The times that the hospital offers, each with one press, and a way to say that none suits.
#[component]
pub(super) fn Offers(props: &OffersProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let visit = &props.visit;
    // A list has no acts: they are asked for.
    let whole = use_talk(visit.chart, &visit.space, &visit.thread.to_string());
    let refusing = use_state(|| None::<String>);
    let act = use_say({
        let (anew, refusing, said) = (whole.anew(), refusing.setter(), t!(i18n, "visits-said"));
        Callback::from(move |_: CareThreadView| {
            refusing.set(None);
            anew.emit(());
            shell.toast(said.clone(), None);
        })
    });
    let Some(view) = whole.data().filter(|view| view.may.contains(&CareVerb::Accept)) else {
        return Html::default();
    };
    let say = |what: AppointmentAct| {
        let (send, args) = (act.send.clone(), says(&view, CareActWords::Appointment(what), ""));
        Callback::from(move |_: MouseEvent| send.emit(args.clone()))
    };
    let offers = offered(&view);
    let refuse = {
        let refusing = refusing.clone();
        Callback::from(move |_: MouseEvent| refusing.set(Some(String::new())))
    };
    let send_refusal = offers.last().map(|(offer, ..)| {
        let wish =
            Wish { slots: Vec::new(), words: (*refusing).clone().unwrap_or_default().trim().to_owned() };
        say(AppointmentAct::Refuse { offer: *offer, wish })
    });
    html! {
        <div class="visit-offers" role="group" aria-label={t!(i18n, "visits-offers")}>
            { for offers.iter().flat_map(|(offer, slots, _)| slots.iter().map(|slot| {
                let words = super::care::slot_line(&i18n, slot);
                html! {
                    <Button working={act.working} onclick={say(AppointmentAct::Accept { offer: *offer, slot: slot.id })}><bdi>{ words }</bdi></Button>
                }
            })) }
            if let Some(words) = (*refusing).clone() {
                <crate::components::Field id={format!("neither-{}", visit.thread)} label={t!(i18n, "visits-neither-words")} value={words} optional=true focus=true
                    oninput={let refusing = refusing.clone(); Callback::from(move |text| refusing.set(Some(text)))} />
                <Button kind={ButtonKind::Main} working={act.working} onclick={send_refusal.unwrap_or_default()}>{ t!(i18n, "visits-neither-send") }</Button>
            } else {
                <Button kind={ButtonKind::Quiet} onclick={refuse}>{ t!(i18n, "visits-neither") }</Button>
            }
            if let Some(error) = act.error.clone() { <ErrorBlock {error} /> }
        </div>
    }
}

#[cfg(test)]
mod tests;
