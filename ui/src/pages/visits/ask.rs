//! Asking for a visit: what for, when, and what the hospital should know. It works without a network: then it is a request that waits here.

use std::cell::RefCell;
use std::collections::BTreeMap;

use mecum_api::domain::{AppointmentAct, ChartId, Slot, SlotId, Wish};
use mecum_api::{
    CareActArgs, CareActWords, CareSpaceView, CareThreadView, HospitalArgs, HospitalView, SyncPhase, Topic,
    command,
};
use yew::prelude::*;

use crate::app::use_shell;
use crate::components::{
    Button, ButtonKind, Chip, ErrorBlock, Field, FieldType, IconName, Notice, NoticeKind, Tile, TileSize,
};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::answer::answered;
use crate::pages::care::{no_hospital, open_spaces, use_care, use_say};
use crate::pages::head::PageHead;
use crate::pages::hospitals::notice::price;
use crate::query::use_query;
use crate::route::Route;

/// Most times that somebody may ask for at once.
const MOST_WISHES: usize = 5;

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq)]
struct Draft {
    space: String,
    service: String,
    slots: Vec<Slot>,
    words: String,
    reason: String,
}

thread_local! {
    /// What was typed and not sent, by record, until the page is loaded anew. It is in memory alone: nothing of it is stored unsealed.
    static DRAFTS: RefCell<BTreeMap<ChartId, Draft>> = const { RefCell::new(BTreeMap::new()) };
}

/// Asking for a visit.
#[component]
pub fn AskVisitPage() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let query = use_care(shell.chart_id());
    html! {
        <div class="page page-task">
            <PageHead title={t!(i18n, "visits-ask-title")} back={Route::Visits} />
            { answered(&i18n, &query, &t!(i18n, "visits-opening"), |view| {
                let spaces: Vec<CareSpaceView> = open_spaces(&view).into_iter().cloned().collect();
                if spaces.is_empty() { no_hospital(&i18n, IconName::Calendar) } else { html! { <Form {spaces} /> } }
            }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct FormProps {
    spaces: Vec<CareSpaceView>,
}

#[component]
fn Form(props: &FormProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let chart = shell.chart_id();
    let draft = use_state(|| DRAFTS.with_borrow(|drafts| drafts.get(&chart).cloned()).unwrap_or_default());
    let tried = use_state(|| false);
    let sync = use_query::<command::SyncStatus>((), vec![Topic::Sync]);
    let offline =
        sync.data().is_some_and(|sync| sync.phase != SyncPhase::UpToDate && sync.phase != SyncPhase::Working);
    let chosen = props.spaces.iter().find(|one| one.space == draft.space).or_else(|| props.spaces.first());
    let Some(space) = chosen.cloned() else { return Html::default() };
    let known =
        use_query::<command::HospitalGet>(HospitalArgs { hospital: space.hospital }, vec![Topic::Charts]);
    let set = {
        let draft = draft.clone();
        move |change: Box<dyn FnOnce(&mut Draft)>| {
            let mut next = (*draft).clone();
            change(&mut next);
            DRAFTS.with_borrow_mut(|drafts| drafts.insert(chart, next.clone()));
            draft.set(next);
        }
    };
    let act = use_say({
        let (shell, said) = (shell.clone(), t!(i18n, "visits-asked"));
        Callback::from(move |view: CareThreadView| {
            DRAFTS.with_borrow_mut(|drafts| drafts.remove(&chart));
            shell.toast(said.clone(), None);
            shell.go(Route::Visit { space: view.space.clone(), thread: view.thread.to_string() });
        })
    });
    let onsubmit = {
        let (draft, tried, send, space) =
            (draft.clone(), tried.clone(), act.send.clone(), space.space.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            let Draft { service, slots, words, reason, .. } = (*draft).clone();
            if service.trim().is_empty() {
                crate::app::focus("#visit-service");
                return;
            }
            let wish = Wish { slots, words: words.trim().to_owned() };
            let what = AppointmentAct::Ask {
                service: service.trim().to_owned(),
                wish,
                reason: reason.trim().to_owned(),
            };
            send.emit(CareActArgs {
                chart,
                space: space.clone(),
                what: Some(CareActWords::Appointment(what)),
                ..CareActArgs::default()
            });
        })
    };
    let missing =
        (*tried && draft.service.trim().is_empty()).then(|| AttrValue::from(t!(i18n, "ask-service-missing")));
    let typed = |write: fn(&mut Draft, String)| {
        let set = set.clone();
        Callback::from(move |text: String| set(Box::new(move |draft| write(draft, text))))
    };
    let on_slot = {
        let set = set.clone();
        Callback::from(move |slot: Slot| set(Box::new(move |draft| toggle(&mut draft.slots, slot))))
    };
    let on_space = typed(|draft, space| {
        *draft = Draft { space, reason: draft.reason.clone(), words: draft.words.clone(), ..Draft::default() }
    });
    let on_service = typed(|draft, service| {
        draft.service = service;
        draft.slots.clear();
    });
    let known = known.data();
    html! {
        <form class="members-form" {onsubmit} novalidate={true}>
            if offline { <Notice kind={NoticeKind::Offline}><p>{ t!(i18n, "ask-offline") }</p></Notice> }
            <p class="hospitals-whose">
                if let Some(chart) = shell.chart() { <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Small} /> }
                <span>{ t!(i18n, "ask-for", name = shell.chart_name()) }</span>
            </p>
            if props.spaces.len() > 1 {
                { select("visit-hospital", &t!(i18n, "ask-hospital"), &space.space, props.spaces.iter().map(|one| (one.space.clone(), one.name.clone())).collect(), None, None, on_space) }
            }
            if let Some(known) = known.as_deref().filter(|known| !known.services.is_empty()) {
                { service_field(&i18n, known, &draft.service, missing.as_ref(), on_service) }
                { times(&i18n, known, &draft, &on_slot) }
            } else {
                <Field id="visit-service" label={t!(i18n, "ask-service")} hint={AttrValue::from(t!(i18n, "ask-service-unknown"))} value={draft.service.clone()} error={missing} oninput={on_service} />
            }
            <Field id="visit-words" label={t!(i18n, "ask-words")} hint={AttrValue::from(t!(i18n, "ask-words-hint"))} value={draft.words.clone()} optional=true oninput={typed(|draft, text| draft.words = text)} />
            <Field id="visit-reason" label={t!(i18n, "ask-reason")} value={draft.reason.clone()} r#type={FieldType::Lines} optional=true oninput={typed(|draft, text| draft.reason = text)} />
            <p class="small">{ t!(i18n, "notice-emergency") }</p>
            if let Some(error) = act.error.clone() { <ErrorBlock {error} /> }
            <div class="action-bar">
                <Button kind={ButtonKind::Main} submit=true wide=true working={act.working}>
                    { if offline { t!(i18n, "ask-save") } else { t!(i18n, "ask-send", name = shell.chart_name()) } }
                </Button>
            </div>
        </form>
    }
}

fn toggle(slots: &mut Vec<Slot>, slot: Slot) {
    let before = slots.len();
    slots.retain(|one| one.id != slot.id);
    if slots.len() == before && before < MOST_WISHES {
        slots.push(slot);
    }
}

/// A choice of several, with nothing chosen for the person.
pub(crate) fn select(
    id: &'static str,
    label: &str,
    value: &str,
    options: Vec<(String, String)>,
    none: Option<String>,
    error: Option<&AttrValue>,
    onchange: Callback<String>,
) -> Html {
    let onchange = Callback::from(move |event: Event| {
        if let Some(select) = event.target_dyn_into::<web_sys::HtmlSelectElement>() {
            onchange.emit(select.value());
        }
    });
    let error_id = format!("{id}-error");
    html! {
        <div class={classes!("field", error.is_some().then_some("field-wrong"))}>
            <label class="field-label" for={id}>{ label.to_owned() }</label>
            if let Some(error) = error { <span class="field-error" id={error_id.clone()} role="alert">{ error.clone() }</span> }
            <select class="field-box" {id} {onchange} aria-describedby={error.is_some().then_some(error_id)} aria-invalid={error.is_some().then_some("true")}>
                if let Some(none) = none { <option value="" selected={value.is_empty()}>{ none }</option> }
                { for options.into_iter().map(|(code, name)| html! { <option value={code.clone()} selected={code == value}>{ name }</option> }) }
            </select>
        </div>
    }
}

fn service_field(
    i18n: &I18n,
    known: &HospitalView,
    service: &str,
    missing: Option<&AttrValue>,
    on_service: Callback<String>,
) -> Html {
    let options = known.services.iter().map(|one| (one.code.clone(), one.name.clone())).collect();
    let chosen = known.services.iter().find(|one| one.code == service);
    html! {
        <>
            { select("visit-service", &t!(i18n, "ask-service"), service, options, Some(t!(i18n, "ask-service-none")), missing, on_service) }
            if let Some(one) = chosen {
                if !one.about.is_empty() { <p class="small"><bdi>{ one.about.clone() }</bdi></p> }
                if let Some(cost) = &one.price { <p class="small">{ price(i18n, cost) }{ " " }<bdi>{ cost.note.clone() }</bdi></p> }
            }
        </>
    }
}

/// The free times of the chosen service, by day.
fn times(i18n: &I18n, known: &HospitalView, draft: &Draft, on_slot: &Callback<Slot>) -> Html {
    if draft.service.is_empty() {
        return Html::default();
    }
    let language = i18n.language();
    let today = format::local_day(format::now_ms());
    let mut days: Vec<(String, Vec<&Slot>)> = Vec::new();
    for free in known.slots.iter().filter(|free| free.service == draft.service) {
        let day = format::day_near(language, &format::iso(format::local_day(free.slot.starts_ms)), today);
        match days.last_mut() {
            Some((last, slots)) if *last == day => slots.push(&free.slot),
            _ => days.push((day, vec![&free.slot])),
        }
    }
    let place = |id: SlotId| draft.slots.iter().position(|one| one.id == id);
    html! {
        <fieldset class="radios ask-times">
            <legend class="field-label">{ t!(i18n, "ask-times") }</legend>
            <p class="field-hint">{ t!(i18n, "ask-times-hint", when = format::instant_near(language, known.fetched_ms, today)) }</p>
            if known.old { <Notice kind={NoticeKind::Wait}><p>{ t!(i18n, "notice-old") }</p></Notice> }
            if days.is_empty() { <p>{ t!(i18n, "ask-times-none") }</p> }
            { for days.into_iter().map(|(day, slots)| html! {
                <div class="ask-day" key={day.clone()}>
                    <h2 class="ask-day-name">{ day }</h2>
                    <div class="chips">
                        { for slots.into_iter().map(|slot| {
                            let at = place(slot.id);
                            let onclick = { let slot = slot.clone(); on_slot.reform(move |_: MouseEvent| slot.clone()) };
                            let words = [format::clock(slot.starts_ms), slot.practitioner.clone()].join(", ");
                            html! { <Chip pressed={at.is_some()} {onclick}><bdi>{ words }</bdi>{ at.map(|at| format!(" {}", t!(i18n, "ask-choice", n = at + 1))).unwrap_or_default() }</Chip> }
                        }) }
                    </div>
                </div>
            }) }
        </fieldset>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(n: u8) -> Slot {
        Slot {
            id: SlotId::from_bytes([n; 16]),
            starts_ms: 0,
            minutes: 20,
            practitioner: String::new(),
            location: String::new(),
        }
    }

    #[test]
    fn times_are_chosen_in_their_order_and_no_more_than_five() {
        let mut slots = Vec::new();
        (1..=6).for_each(|n| toggle(&mut slots, slot(n)));
        assert_eq!(slots.len(), MOST_WISHES, "a sixth is not taken");
        toggle(&mut slots, slot(1));
        assert_eq!(slots.first(), Some(&slot(2)), "a second press takes one out, and the next moves up");
    }
}
