//! Offering times: out of those that the hospital has published as free, with a note, and until when the offer stands.

use std::rc::Rc;

use mecum_api::domain::{AppointmentAct, Slot};
use mecum_api::{CareActWords, CareThreadView, HospitalArgs, Topic, command};
use yew::prelude::*;

use crate::components::{Button, ButtonKind, Chip, Field, FieldType};
use crate::format;
use crate::i18n::{t, use_i18n};
use crate::pages::care::slot_line;
use crate::query::use_query;

/// How long an offer stands.
const STANDS_MS: i64 = 24 * 60 * 60 * 1_000;

/// Most times of one offer.
const MOST: usize = 5;

/// Times that are shown to choose from.
const SHOWN: usize = 24;

/// An offer to make.
#[derive(Properties, PartialEq)]
pub(super) struct OfferingProps {
    /// The conversation.
    pub(super) view: Rc<CareThreadView>,
    /// It is being said.
    pub(super) working: bool,
    /// What is offered.
    pub(super) on_done: Callback<CareActWords>,
    /// Not now.
    pub(super) on_stop: Callback<MouseEvent>,
}

/// Free times of the service that was asked for.
#[component]
pub(super) fn Offering(props: &OfferingProps) -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::HospitalGet>(
        HospitalArgs { hospital: props.view.hospital },
        vec![Topic::Charts],
    );
    let chosen = use_state(Vec::<Slot>::new);
    let note = use_state(String::new);
    let known = query.data();
    let slots: Vec<Slot> = known
        .iter()
        .flat_map(|known| known.slots.iter())
        .filter(|free| free.service == props.view.title)
        .map(|free| free.slot.clone())
        .take(SHOWN)
        .collect();
    let toggle = |slot: &Slot| {
        let (chosen, slot) = (chosen.clone(), slot.clone());
        Callback::from(move |_: MouseEvent| {
            let mut next = (*chosen).clone();
            let before = next.len();
            next.retain(|one| one.id != slot.id);
            if next.len() == before && before < MOST {
                next.push(slot.clone());
            }
            chosen.set(next);
        })
    };
    let send = {
        let (chosen, note, on_done) = (chosen.clone(), note.clone(), props.on_done.clone());
        Callback::from(move |_: MouseEvent| {
            if !chosen.is_empty() {
                let (slots, note, until_ms) =
                    ((*chosen).clone(), note.trim().to_owned(), format::now_ms() + STANDS_MS);
                on_done.emit(CareActWords::Appointment(AppointmentAct::Offer { slots, note, until_ms }));
            }
        })
    };
    html! {
        <div class="desk-form">
            <p>{ t!(i18n, if slots.is_empty() { "desk-offer-none" } else { "desk-offer-which" }) }</p>
            <div class="chips" role="group" aria-label={t!(i18n, "desk-offer")}>
                { for slots.iter().map(|slot| html! { <Chip pressed={chosen.iter().any(|one| one.id == slot.id)} onclick={toggle(slot)}><bdi>{ slot_line(&i18n, slot) }</bdi></Chip> }) }
            </div>
            if !slots.is_empty() {
                <Field id="offer-note" label={t!(i18n, "desk-offer-note")} value={(*note).clone()} r#type={FieldType::Lines} optional=true oninput={let note = note.clone(); Callback::from(move |text| note.set(text))} />
                <p class="small">{ t!(i18n, "desk-offer-stands") }</p>
            }
            <div class="button-row">
                if chosen.is_empty() {
                    <Button kind={ButtonKind::NotYet}>{ t!(i18n, "desk-offer-choose") }</Button>
                } else {
                    <Button kind={ButtonKind::Main} working={props.working} onclick={send}>{ t!(i18n, "desk-offer-send", count = chosen.len()) }</Button>
                }
                <Button onclick={props.on_stop.clone()}>{ t!(i18n, "add-cancel") }</Button>
            </div>
        </div>
    }
}
