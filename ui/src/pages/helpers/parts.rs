//! What this person keeps for others: being asked, the parts that are here, giving one after comparing words, destroying one.

use mecum_api::{
    PartAnswerArgs, PartArgs, PartAskedArgs, PartAskedView, PartOfferView, PartOpenArgs, PartState, PartView,
    Topic, command,
};
use yew::prelude::*;

use crate::app::use_shell;
use crate::components::{Button, ButtonKind, Dialog, ErrorBlock, Field, FieldType, Icon, IconName};
use crate::i18n::{t, use_i18n};
use crate::pages::act::use_act;
use crate::pages::answer::answered;
use crate::pages::members::word_list;
use crate::pages::words::wire_word;
use crate::query::use_query;

/// The parts.
#[component]
pub(super) fn Parts() -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::PartList>((), vec![Topic::Settings, Topic::Sync, Topic::Devices]);
    html! {
        <section class="settings-section">
            <h2 class="section-head">{ t!(i18n, "parts-title") }</h2>
            { answered(&i18n, &query, &t!(i18n, "data-opening"), |list| html! {
                <>
                    if list.is_empty() {
                        <p class="small">{ t!(i18n, "parts-none") }</p>
                    } else {
                        <ul class="settings-list" role="list">
                            { for list.iter().map(|part| html! { <li key={part.account.clone()}><Part part={part.clone()} reload={query.reload()} /></li> }) }
                        </ul>
                    }
                </>
            }) }
            <Offer reload={query.reload()} />
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct CodeProps {
    id: AttrValue,
    lead: AttrValue,
    working: bool,
    error: Option<mecum_api::CallError>,
    on_done: Callback<String>,
    on_stop: Callback<()>,
}

/// A code that somebody shows, typed or pasted.
#[component]
fn Code(props: &CodeProps) -> Html {
    let i18n = use_i18n();
    let code = use_state(String::new);
    let onsubmit = {
        let (code, on_done) = (code.clone(), props.on_done.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if !code.trim().is_empty() {
                on_done.emit(code.trim().to_owned());
            }
        })
    };
    html! {
        <form class="form-narrow" {onsubmit} novalidate={true}>
            <p>{ props.lead.clone() }</p>
            <Field id={props.id.clone()} label={t!(i18n, "join-code")} hint={AttrValue::from(t!(i18n, "join-code-hint"))} value={(*code).clone()} r#type={FieldType::Lines} focus=true
                oninput={let code = code.clone(); Callback::from(move |text| code.set(text))} />
            if let Some(error) = props.error.clone() { <ErrorBlock {error} /> }
            <div class="button-row">
                <Button kind={ButtonKind::Main} submit=true working={props.working}>{ t!(i18n, "first-continue") }</Button>
                <Button kind={ButtonKind::Second} onclick={props.on_stop.reform(|_| ())}>{ t!(i18n, "add-cancel") }</Button>
            </div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct OfferProps {
    reload: Callback<()>,
}

/// Somebody asks this person to be a helper: their code, who they are, yes or no.
#[component]
fn Offer(props: &OfferProps) -> Html {
    let i18n = use_i18n();
    let typing = use_state(|| false);
    let offer = use_state(|| None::<PartOfferView>);
    let opened = {
        let offer = offer.clone();
        Callback::from(move |view: PartOfferView| offer.set(Some(view)))
    };
    let open = use_act::<command::PartOpen>(opened);
    let stop = {
        let (typing, offer, reload) = (typing.clone(), offer.clone(), props.reload.clone());
        Callback::from(move |()| {
            typing.set(false);
            offer.set(None);
            reload.emit(());
        })
    };
    let answer = use_act::<command::PartAnswer>(stop.reform(|_: Vec<PartView>| ()));
    let press = |accept: bool| answer.send.reform(move |_: MouseEvent| PartAnswerArgs { accept, name: None });
    if let Some(view) = &*offer {
        return html! {
            <section>
                <h3 class="title-2"><bdi>{ t!(i18n, "part-offer", name = view.from.as_str()) }</bdi></h3>
                <p>{ t!(i18n, "part-offer-text") }</p>
                if let Some(error) = answer.error.clone() { <ErrorBlock {error} /> }
                <div class="button-row">
                    <Button kind={ButtonKind::Main} working={answer.working} onclick={press(true)}>{ t!(i18n, "part-accept") }</Button>
                    <Button kind={ButtonKind::Second} onclick={press(false)}>{ t!(i18n, "part-decline") }</Button>
                </div>
            </section>
        };
    }
    let begin = {
        let typing = typing.clone();
        Callback::from(move |_: MouseEvent| typing.set(true))
    };
    html! {
        if *typing {
            <Code id="part-code" lead={t!(i18n, "part-code-text")} working={open.working} error={open.error.clone()}
                on_done={open.send.reform(|code| PartOpenArgs { code })} on_stop={stop} />
        } else {
            <div class="button-row"><Button kind={ButtonKind::Second} onclick={begin}>{ t!(i18n, "part-code") }</Button></div>
        }
    }
}

#[derive(Properties, PartialEq)]
struct PartProps {
    part: PartView,
    reload: Callback<()>,
}

/// One part: giving it takes the other's code and the same six words on both screens.
#[component]
fn Part(props: &PartProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let part = &props.part;
    let (typing, asking) = (use_state(|| false), use_state(|| false));
    let asked = use_state(|| None::<PartAskedView>);
    let seen = {
        let asked = asked.clone();
        Callback::from(move |view: PartAskedView| asked.set(Some(view)))
    };
    let look = use_act::<command::PartAsked>(seen);
    let away = {
        let (typing, asking, asked, reload) =
            (typing.clone(), asking.clone(), asked.clone(), props.reload.clone());
        Callback::from(move |()| {
            typing.set(false);
            asking.set(false);
            asked.set(None);
            reload.emit(());
        })
    };
    let given = {
        let (away, shell, said) =
            (away.clone(), shell.clone(), t!(i18n, "part-given", name = part.from.as_str()));
        Callback::from(move |_: Vec<PartView>| {
            away.emit(());
            shell.toast(said.clone(), None);
        })
    };
    let give = use_act::<command::PartGive>(given);
    let withdraw = use_act::<command::PartWithdraw>(away.reform(|_: Vec<PartView>| ()));
    let of = PartArgs { account: part.account.clone() };
    let turn = |state: &UseStateHandle<bool>| {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| state.set(true))
    };
    let account = part.account.clone();
    html! {
        <>
            <div class="settings-row">
                <Icon icon={IconName::Key} />
                <span class="settings-words">
                    <span class="settings-title"><bdi>{ t!(i18n, "part-for", name = part.from.as_str()) }</bdi></span>
                    <span class="caption">{ i18n.text(&format!("part-{}", wire_word(part.state))) }</span>
                    if part.state == PartState::Kept {
                        <span class="caption">{ t!(i18n, "part-tell") }{ " " }<bdi class="breaks" translate="no">{ part.server.clone() }{ ", " }{ part.account.clone() }</bdi></span>
                    }
                </span>
            </div>
            if let Some(view) = &*asked {
                <p>{ t!(i18n, "part-compare", name = part.from.as_str(), device = view.device_name.as_str()) }</p>
                { word_list(&view.words) }
                if let Some(error) = give.error.clone() { <ErrorBlock {error} /> }
                <div class="button-row">
                    <Button kind={ButtonKind::Main} working={give.working} onclick={let of = of.clone(); give.send.reform(move |_| of.clone())}>{ t!(i18n, "part-give-do") }</Button>
                    <Button kind={ButtonKind::Danger} onclick={away.reform(|_| ())}>{ t!(i18n, "part-differ") }</Button>
                </div>
            } else if *typing {
                <Code id={format!("asked-{account}")} lead={t!(i18n, "part-give-text", name = part.from.as_str())} working={look.working} error={look.error.clone()}
                    on_done={look.send.reform(move |code| PartAskedArgs { account: account.clone(), code })} on_stop={away.clone()} />
            } else {
                <div class="button-row">
                    if part.state == PartState::Kept { <Button kind={ButtonKind::Second} onclick={turn(&typing)}>{ t!(i18n, "part-give") }<span class="visually-hidden">{ ": " }{ part.from.clone() }</span></Button> }
                    <Button kind={ButtonKind::Danger} onclick={turn(&asking)}>{ t!(i18n, "part-destroy") }<span class="visually-hidden">{ ": " }{ part.from.clone() }</span></Button>
                </div>
            }
            <Dialog open={*asking} title={t!(i18n, "part-destroy-question", name = part.from.as_str())} on_close={away.clone()}>
                <p>{ t!(i18n, "part-destroy-text") }</p>
                if let Some(error) = withdraw.error.clone() { <ErrorBlock {error} /> }
                <div class="dialog-buttons">
                    <Button kind={ButtonKind::DangerFilled} working={withdraw.working} onclick={withdraw.send.reform(move |_| of.clone())}>{ t!(i18n, "part-destroy") }</Button>
                    <Button kind={ButtonKind::Second} safe=true onclick={away.reform(|_| ())}>{ t!(i18n, "entry-delete-keep") }</Button>
                </div>
            </Dialog>
        </>
    }
}
