//! The desk of a hospital: who sits at it, and its queue over every patient, what is due first at its top.

mod answering;
pub mod codes;
mod offering;
pub mod talk;

use mecum_api::domain::CaseAct;
use mecum_api::{
    CareActArgs, CareActWords, CareThreadArgs, CareThreadView, DeskItemView, DeskKind, DeskPart,
    DeskQueueArgs, DeskQueueView, DeskSignInArgs, DeskView, Topic, command,
};
use yew::prelude::*;
use yew_router::prelude::*;

use super::act::use_act;
use super::answer::answered;
use super::head::PageHead;
use super::messages::{kind_icon, kind_name};
use crate::app::use_shell;
use crate::backend::use_backend;
use crate::components::clock::use_each_minute;
use crate::components::{Button, ButtonKind, Chip, Clock, Empty, ErrorBlock, Field, Icon, IconName, Receipt};
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// Rows of one stretch.
const A_SCREEN: u32 = 50;

const PARTS: &[(DeskPart, &str)] = &[
    (DeskPart::Waiting, "desk-waiting"),
    (DeskPart::Mine, "desk-mine"),
    (DeskPart::Visits, "desk-visits"),
    (DeskPart::Rest, "desk-rest"),
];

/// What a list of conversations asks again on.
fn topics() -> Vec<Topic> {
    vec![Topic::Charts, Topic::Sync, Topic::Settings]
}

/// The queue of a hospital's desk.
#[component]
pub fn DeskPage() -> Html {
    let i18n = use_i18n();
    let desk = use_query::<command::DeskGet>((), topics());
    html! {
        <div class="page page-column desk">
            <PageHead title={t!(i18n, "desk-title")}>
                <Link<Route> to={Route::DeskCodes} classes="button button-second"><Icon icon={IconName::QrCode} /><span>{ t!(i18n, "desk-codes-title") }</span></Link<Route>>
            </PageHead>
            { answered(&i18n, &desk, &t!(i18n, "desk-opening"), |view| match &view.name {
                None => html! { <SignIn on_done={desk.anew()} /> },
                Some(name) => html! {
                    <>
                        <At name={name.clone()} on_done={desk.anew()} />
                        if view.serves {
                            <Queue name={name.clone()} />
                        } else {
                            <Empty icon={IconName::Inbox} title={t!(i18n, "desk-nobody-title")} text={t!(i18n, "desk-nobody-text")}>
                                <Link<Route> to={Route::DeskCodes} classes="link">{ t!(i18n, "desk-codes-title") }</Link<Route>>
                            </Empty>
                        }
                    </>
                },
            }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct SignInProps {
    on_done: Callback<()>,
}

/// Who sits at this desk: what is said here for the hospital carries this name.
#[component]
fn SignIn(props: &SignInProps) -> Html {
    let i18n = use_i18n();
    let name = use_state(String::new);
    let act = use_act::<command::DeskSignIn>(props.on_done.reform(|_: DeskView| ()));
    let onsubmit = {
        let (name, send) = (name.clone(), act.send.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            send.emit(DeskSignInArgs { name: Some((*name).clone()) });
        })
    };
    html! {
        <form class="form-narrow" {onsubmit} novalidate={true}>
            <p class="lead">{ t!(i18n, "desk-sign-in-text") }</p>
            <Field id="desk-name" label={t!(i18n, "desk-sign-in-name")} hint={AttrValue::from(t!(i18n, "desk-sign-in-hint"))} value={(*name).clone()}
                oninput={let name = name.clone(); Callback::from(move |text| name.set(text))} />
            if let Some(error) = act.error.clone() { <ErrorBlock {error} /> }
            <div class="button-row"><Button kind={ButtonKind::Main} submit=true working={act.working}>{ t!(i18n, "desk-sign-in") }</Button></div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct AtProps {
    name: AttrValue,
    on_done: Callback<()>,
}

/// Who is signed in, and the way out.
#[component]
fn At(props: &AtProps) -> Html {
    let i18n = use_i18n();
    let act = use_act::<command::DeskSignIn>(props.on_done.reform(|_: DeskView| ()));
    let out = act.send.reform(|_: MouseEvent| DeskSignInArgs::default());
    html! {
        <p class="desk-at">
            <Icon icon={IconName::User} small=true /><bdi>{ t!(i18n, "desk-at", name = props.name.as_str()) }</bdi>
            <Button kind={ButtonKind::Quiet} working={act.working} onclick={out}>{ t!(i18n, "desk-sign-out") }</Button>
        </p>
    }
}

#[derive(Properties, PartialEq)]
struct QueueProps {
    name: AttrValue,
}

#[component]
fn Queue(props: &QueueProps) -> Html {
    let i18n = use_i18n();
    let part = use_state(|| DeskPart::Waiting);
    let most = use_state(|| A_SCREEN);
    let args = DeskQueueArgs { part: *part, skip: 0, most: *most };
    let query = use_query::<command::DeskQueue>(args, topics());
    use_each_minute(query.reload());
    let choose = |to: DeskPart| {
        let (part, most) = (part.clone(), most.clone());
        Callback::from(move |_: MouseEvent| {
            part.set(to);
            most.set(A_SCREEN);
        })
    };
    let more = {
        let most = most.clone();
        Callback::from(move |_: MouseEvent| most.set(*most + A_SCREEN))
    };
    html! {
        <>
            <div class="chips" role="group" aria-label={t!(i18n, "desk-which")}>
                { for PARTS.iter().map(|(one, id)| html! { <Chip pressed={*part == *one} onclick={choose(*one)}>{ i18n.text(id) }</Chip> }) }
            </div>
            { answered(&i18n, &query, &t!(i18n, "desk-opening"), |view| html! {
                <>
                    <p class="caption" role="status">{ counts(&i18n, &view) }</p>
                    if view.items.is_empty() {
                        <Empty icon={IconName::Inbox} title={t!(i18n, "desk-empty-title")} text={t!(i18n, "desk-empty-text")}>{ Html::default() }</Empty>
                    }
                    <ul class="desk-queue" role="list">
                        { for view.items.iter().map(|item| html! { <Row key={format!("{}{}", item.space, item.thread)} item={item.clone()} name={props.name.clone()} on_done={query.anew()} /> }) }
                    </ul>
                    if view.items.len() < view.total as usize {
                        <Button onclick={more}>{ t!(i18n, "desk-more", count = view.total) }</Button>
                    }
                </>
            }) }
        </>
    }
}

fn counts(i18n: &I18n, view: &DeskQueueView) -> String {
    if view.late > 0 {
        t!(i18n, "desk-counts-late", waiting = view.waiting, late = view.late)
    } else {
        t!(i18n, "desk-counts", waiting = view.waiting)
    }
}

/// What a conversation is about, in words.
fn kind_words(i18n: &I18n, kind: DeskKind) -> String {
    match kind {
        DeskKind::Visit => t!(i18n, "desk-visit"),
        DeskKind::Case(kind) => kind_name(i18n, kind),
    }
}

#[derive(Properties, PartialEq)]
struct RowProps {
    item: DeskItemView,
    name: AttrValue,
    on_done: Callback<()>,
}

#[component]
fn Row(props: &RowProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let item = &props.item;
    let working = use_state(|| false);
    let take = {
        let (item, name, working, done) =
            (item.clone(), props.name.to_string(), working.clone(), props.on_done.clone());
        Callback::from(move |_: MouseEvent| {
            if *working {
                return;
            }
            working.set(true);
            let DeskItemView { chart, space, thread, .. } = item.clone();
            let (backend, shell, name, working, done) =
                (backend.clone(), shell.clone(), name.clone(), working.clone(), done.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let args = CareThreadArgs { chart, space: space.clone(), thread };
                // What it knows is what stands in the conversation now: the row shows no acts.
                let taken = match backend.call::<command::CareGet>(args).await {
                    Ok(CareThreadView { shown, .. }) => {
                        let what = Some(CareActWords::Case(CaseAct::Take));
                        let args = CareActArgs { chart, space, thread: Some(thread), what, shown, by: name };
                        backend.call::<command::CareActWrite>(args).await.map(|_| ())
                    }
                    Err(error) => Err(error),
                };
                working.set(false);
                match taken {
                    Ok(()) => done.emit(()),
                    Err(error) => shell.problem(&error),
                }
            });
        })
    };
    let to = Route::DeskTalk {
        chart: item.chart.to_string(),
        space: item.space.clone(),
        thread: item.thread.to_string(),
    };
    let whose = if item.whose.is_empty() { t!(i18n, "desk-blind") } else { item.whose.clone() };
    let icon = match item.kind {
        DeskKind::Visit => IconName::Calendar,
        DeskKind::Case(kind) => kind_icon(kind),
    };
    let mine = *item.handler == *props.name;
    html! {
        <li class="desk-row">
            <span class="desk-clock">
                if let Some(clock) = &item.clock { <Clock clock={clock.clone()} row=true /> } else { <span class="small">{ t!(i18n, "desk-no-clock") }</span> }
            </span>
            <span class="talk-icon"><Icon {icon} /></span>
            <span class="desk-words">
                <Link<Route> {to} classes="talk-link"><bdi>{ item.title.clone() }</bdi></Link<Route>>
                <span class="small">{ kind_words(&i18n, item.kind) }{ ", " }<bdi>{ whose }</bdi></span>
                if item.unsent > 0 { <Receipt state={mecum_api::ReceiptState::Device} /> }
            </span>
            <span class="desk-handler">
                if item.handler.is_empty() {
                    <span>{ t!(i18n, "desk-nobody-yet") }</span>
                } else {
                    <span class={mine.then_some("desk-me")}><bdi>{ if mine { t!(i18n, "desk-you") } else { item.handler.clone() } }</bdi></span>
                }
                if item.rung > 0 { <strong class="desk-stepped">{ t!(i18n, "desk-stepped-up") }</strong> }
                if item.unseen > 0 { <span class="flag flag-new">{ t!(i18n, "messages-new", count = item.unseen) }</span> }
                if !mine && matches!(item.kind, DeskKind::Case(_)) {
                    <Button kind={ButtonKind::Quiet} working={*working} onclick={take}>{ t!(i18n, "desk-take") }<span class="visually-hidden">{ " " }{ item.title.clone() }</span></Button>
                }
            </span>
        </li>
    }
}

#[cfg(test)]
mod tests;
