//! One visit: where it stands, what was said, and what can be done about it.

use mecum_api::domain::{AppointmentAct, Side, Wish};
use mecum_api::{CareActWords, CareThreadView, CareVerb, HospitalArgs, Topic, command};
use yew::prelude::*;
use yew_router::prelude::*;

use super::steps::{place, status_line, steps, where_line};
use super::{Offers, is_past, preparation, service_name, title};
use crate::app::use_shell;
use crate::components::{
    Button, ButtonKind, Dialog, ErrorBlock, Field, FieldType, Notice, NoticeKind, Tile, TileSize,
};
use crate::format;
use crate::i18n::{t, use_i18n};
use crate::pages::answer::answered_page;
use crate::pages::care::{says, timeline, use_say, use_seen, use_talk};
use crate::pages::head::PageHead;
use crate::query::use_query;
use crate::route::Route;

/// What it is opened with.
#[derive(Properties, PartialEq)]
pub struct VisitProps {
    /// The space of the conversation.
    pub space: AttrValue,
    /// The conversation.
    pub thread: AttrValue,
}

/// What is being written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Move,
    Cancel,
}

/// One visit.
#[component]
pub fn VisitPage(props: &VisitProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let query = use_talk(shell.chart_id(), &props.space, &props.thread);
    use_seen(query.data(), "");
    let known = use_query::<command::HospitalGet>(
        HospitalArgs { hospital: query.data().map(|view| view.hospital).unwrap_or_default() },
        vec![Topic::Charts],
    );
    let writing = use_state(|| None::<Writing>);
    let text = use_state(String::new);
    let act = use_say({
        let (anew, writing, text) = (query.anew(), writing.setter(), text.setter());
        Callback::from(move |_: CareThreadView| {
            writing.set(None);
            text.set(String::new());
            anew.emit(());
        })
    });
    answered_page(&query, &t!(i18n, "care-opening"), t!(i18n, "visits-title"), Route::Visits, |view| {
        let appointment = view.appointment.clone().unwrap_or_default();
        let known = known.data();
        let service = service_name(known.as_deref(), &view.title);
        let begin = |what: Writing| {
            let writing = writing.clone();
            Callback::from(move |_: MouseEvent| writing.set(Some(what)))
        };
        let close = {
            let writing = writing.clone();
            Callback::from(move |()| writing.set(None))
        };
        let say = |what: AppointmentAct| {
            let (send, args) = (act.send.clone(), says(&view, CareActWords::Appointment(what), ""));
            Callback::from(move |_: MouseEvent| send.emit(args.clone()))
        };
        let field = |id: &'static str, label: &'static str| {
            html! {
                <Field {id} label={i18n.text(label)} value={(*text).clone()} r#type={FieldType::Lines} optional=true
                    oninput={let text = text.clone(); Callback::from(move |now| text.set(now))} />
            }
        };
        let tile = shell.chart().map(|chart| html! { <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Small} /> });
        let words = text.trim().to_owned();
        html! {
            <div class="page page-task">
                <PageHead title={title(&appointment, &service)} back={Route::Visits} />
                <div class="visit-head">
                    { place(&i18n, &appointment) }
                    <div class="visit-words">
                        if let Some(slot) = &appointment.booked {
                            <p><strong>{ format::instant_near(i18n.language(), slot.starts_ms, format::local_day(format::now_ms())) }</strong></p>
                        }
                        <p><bdi>{ where_line(&appointment, &service) }</bdi></p>
                        <p class="small"><Link<Route> to={Route::Hospital { hospital: view.hospital.to_string() }} classes="link"><bdi>{ view.name.clone() }</bdi></Link<Route>></p>
                    </div>
                </div>
                if !is_past(&view) { { steps(&i18n, appointment.phase) } }
                <p class="visit-status" role="status">{ status_line(&i18n, &view) }</p>
                if appointment.contested.is_some() { <Notice kind={NoticeKind::Wait}><p>{ t!(i18n, "visit-contested-do") }</p></Notice> }
                if let Some(about) = preparation(known.as_deref(), &view.title).filter(|_| !is_past(&view)) {
                    <Notice><p><strong>{ t!(i18n, "visit-prepare") }</strong>{ " " }<bdi>{ about }</bdi></p></Notice>
                }
                if view.may.contains(&CareVerb::Accept) { <Offers visit={(*view).clone()} /> }
                if let Some(error) = act.error.clone() { <ErrorBlock {error} /> }
                { timeline(&i18n, &view, Side::Patient) }
                if *writing == Some(Writing::Move) {
                    <div class="visit-write">
                        { field("visit-move", "visit-move-words") }
                        <div class="button-row">
                            <Button kind={ButtonKind::Main} working={act.working} onclick={say(AppointmentAct::Move { wish: Wish { slots: Vec::new(), words: words.clone() }, reason: String::new() })}>{ t!(i18n, "visit-move-send") }</Button>
                            <Button onclick={close.reform(|_: MouseEvent| ())}>{ t!(i18n, "add-cancel") }</Button>
                        </div>
                    </div>
                }
                if !view.may.is_empty() {
                    <div class="action-bar visit-actions">
                        if view.may.contains(&CareVerb::CheckIn) { <Button kind={ButtonKind::Main} working={act.working} onclick={say(AppointmentAct::CheckIn)}>{ t!(i18n, "visit-check-in") }</Button> }
                        if view.may.contains(&CareVerb::Move) { <Button onclick={begin(Writing::Move)}>{ t!(i18n, "visit-move") }</Button> }
                        if view.may.contains(&CareVerb::Cancel) { <Button kind={ButtonKind::Danger} onclick={begin(Writing::Cancel)}>{ t!(i18n, "visit-cancel") }</Button> }
                    </div>
                }
                <Dialog open={*writing == Some(Writing::Cancel)} title={t!(i18n, "visit-cancel-title", name = shell.chart_name())} on_close={close.clone()} tile={tile.unwrap_or_default()}>
                    <p>{ t!(i18n, "visit-cancel-text") }</p>
                    { field("visit-cancel", "visit-cancel-reason") }
                    if let Some(error) = act.error.clone() { <ErrorBlock {error} /> }
                    <div class="dialog-buttons">
                        <Button kind={ButtonKind::DangerFilled} working={act.working} onclick={say(AppointmentAct::Cancel { reason: words })}>{ t!(i18n, "visit-cancel-do") }</Button>
                        <Button safe=true onclick={close.reform(|_: MouseEvent| ())}>{ t!(i18n, "visit-keep") }</Button>
                    </div>
                </Dialog>
            </div>
        }
    })
}
