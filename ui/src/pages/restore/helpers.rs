//! Restoring on an empty device with two recovery helpers and the server: asking, the days that it takes, gathering parts, and the end.

use mecum_api::{
    CallError, PairOfferView, PairView, RestoreAskArgs, RestoreFinishArgs, RestorePartView, RestorePhase,
    RestoreView, command,
};
use yew::prelude::*;

use super::Watch;
use crate::backend::use_backend;
use crate::components::{
    Button, ButtonKind, ErrorBlock, Field, FieldType, Icon, IconName, Notice, NoticeKind, RadioGroup,
};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::act::{PassphraseForm, use_act};
use crate::pages::answer::answered;
use crate::pages::first_run::passphrase::PassphraseStep;
use crate::pages::first_run::{keep_language, step_head};
use crate::pages::members::{code_block, word_list};
use crate::query::use_query;

/// What the first run hears.
#[derive(Properties, PartialEq)]
pub struct HelpersStepsProps {
    /// Restoring begins or ends.
    pub on_joining: Callback<bool>,
    /// Back to the welcome.
    pub on_back: Callback<()>,
}

/// The steps.
#[component]
pub fn HelpersSteps(props: &HelpersStepsProps) -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::RestoreGet>((), Vec::new());
    let again = query.reload();
    let reload = {
        let again = again.clone();
        Callback::from(move |_: RestoreView| again.emit(()))
    };
    let open = use_act::<command::RestoreOpen>(reload.clone());
    let drop = use_act::<command::RestoreDrop>(reload.clone());
    let back = props.on_back.reform(|_: MouseEvent| ());
    let give_up = drop.send.reform(|_: MouseEvent| ());
    let at = match query.data().map(|view| view.phase) {
        Some(RestorePhase::Waiting | RestorePhase::Stopped | RestorePhase::Over) => 2,
        Some(RestorePhase::Released) => 3,
        _ => 1,
    };
    let body = answered(&i18n, &query, &t!(i18n, "data-opening"), |view| match view.phase {
        RestorePhase::None => html! { <Ask on_asked={reload.clone()} /> },
        RestorePhase::Locked => html! {
            <PassphraseForm lead={t!(i18n, "byhelpers-locked")} action={t!(i18n, "unlock-open")} working={open.working} error={open.error.clone()}
                on_done={open.send.clone()} on_stop={props.on_back.clone()} />
        },
        RestorePhase::Waiting | RestorePhase::Released => html! {
            <Gather view={(*view).clone()} on_again={again.clone()} on_joining={props.on_joining.clone()} on_back={props.on_back.clone()} give_up={give_up.clone()} />
        },
        RestorePhase::Stopped | RestorePhase::Over => html! {
            <>
                <Notice kind={NoticeKind::Urgent}>
                    <p>{ t!(i18n, if view.phase == RestorePhase::Stopped { "byhelpers-stopped" } else { "byhelpers-over" }) }</p>
                    if let Some(at_ms) = view.again_ms { <p>{ t!(i18n, "byhelpers-again", when = when(&i18n, at_ms)) }</p> }
                </Notice>
                <Button kind={ButtonKind::Second} wide=true working={drop.working} onclick={give_up.clone()}>{ t!(i18n, "byhelpers-drop") }</Button>
            </>
        },
    });
    html! {
        <section class="closed-form closed-form-tall">
            { step_head(&i18n, at, 3, "byhelpers-step", &back) }
            <h1 tabindex="-1">{ t!(i18n, "byhelpers-title") }</h1>
            { body }
            if let Some(error) = drop.error.clone() { <ErrorBlock {error} /> }
        </section>
    }
}

fn when(i18n: &I18n, at_ms: i64) -> String {
    format::instant_near(i18n.language(), at_ms, format::local_day(format::now_ms()))
}

#[derive(Properties, PartialEq)]
struct AskProps {
    on_asked: Callback<RestoreView>,
}

/// Where the account lives, this device's name, and its passphrase.
#[component]
fn Ask(props: &AskProps) -> Html {
    let i18n = use_i18n();
    let (server, account) = (use_state(String::new), use_state(String::new));
    let device = use_state(|| i18n.text("first-device-default"));
    let (tried, next) = (use_state(|| false), use_state(|| false));
    let chosen = use_state(String::new);
    let ask = use_act::<command::RestoreAsk>(props.on_asked.clone());
    let send = {
        let (send, server, account, device) =
            (ask.send.clone(), server.clone(), account.clone(), device.clone());
        move |passphrase: String| {
            send.emit(RestoreAskArgs {
                server: server.trim().to_owned(),
                account: account.trim().to_owned(),
                passphrase,
                device_name: device.trim().to_owned(),
            });
        }
    };
    let put = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    let onsubmit = {
        let (server, account, tried, next) = (server.clone(), account.clone(), tried.clone(), next.clone());
        let (chosen, send) = (chosen.clone(), send.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            let whole = !server.trim().is_empty() && !account.trim().is_empty();
            // Who comes back because of an address has chosen a passphrase already.
            if whole && !chosen.is_empty() {
                send((*chosen).clone());
            }
            next.set(whole);
        })
    };
    if *next && chosen.is_empty() {
        let chosen = chosen.clone();
        let on_done = Callback::from(move |passphrase: String| {
            send(passphrase.clone());
            chosen.set(passphrase);
        });
        return html! { <><p class="small">{ t!(i18n, "join-own-passphrase") }</p><PassphraseStep {on_done} /></> };
    }
    let missing =
        |text: &str, id: &str| (*tried && text.trim().is_empty()).then(|| AttrValue::from(i18n.text(id)));
    html! {
        <form {onsubmit} class="form-narrow" novalidate={true}>
            <p class="lead">{ t!(i18n, "byhelpers-lead") }</p>
            <p>{ t!(i18n, "byhelpers-told") }</p>
            <Field id="server" label={t!(i18n, "join-server")} hint={AttrValue::from(t!(i18n, "byhelpers-server-hint"))} value={(*server).clone()} r#type={FieldType::Address} error={missing(&server, "byhelpers-server-missing")} oninput={put(&server)} />
            <Field id="account" label={t!(i18n, "kit-paper-account")} hint={AttrValue::from(t!(i18n, "byhelpers-account-hint"))} value={(*account).clone()} error={missing(&account, "byhelpers-account-missing")} oninput={put(&account)} />
            <Field id="device" label={t!(i18n, "first-device")} hint={AttrValue::from(t!(i18n, "first-device-hint"))} value={(*device).clone()} oninput={put(&device)} />
            if let Some(error) = ask.error.clone() { <ErrorBlock {error} /> }
            <div class="closed-end"><Button kind={ButtonKind::Main} submit=true wide=true working={ask.working}>{ t!(i18n, "first-continue") }</Button></div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct GatherProps {
    view: RestoreView,
    on_again: Callback<()>,
    on_joining: Callback<bool>,
    on_back: Callback<()>,
    give_up: Callback<MouseEvent>,
}

/// Why nothing goes on just now, and what to do; without signal nothing is wrong.
fn problem(i18n: &I18n, id: &str) -> Html {
    let kind = if id == "error-offline" { NoticeKind::Offline } else { NoticeKind::Wait };
    let to_do = i18n.try_text(&format!("{id}-do"));
    html! { <Notice {kind}><p>{ i18n.text(id) }{ to_do.map(|text| format!(" {text}")) }</p></Notice> }
}

/// The wait, the check words, the parts that have come, and the code for a helper.
#[component]
fn Gather(props: &GatherProps) -> Html {
    let i18n = use_i18n();
    let view = &props.view;
    let shown = use_state(|| None::<PairOfferView>);
    let show = {
        let shown = shown.clone();
        Callback::from(move |offer: PairOfferView| shown.set(Some(offer)))
    };
    let code = use_act::<command::RestoreCode>(show);
    let released = view.phase == RestorePhase::Released;
    let right = view.parts.iter().filter(|part| !part.wrong).count();
    let enough = right >= usize::from(view.needed);
    html! {
        <>
            <Notice kind={if released { NoticeKind::Plain } else { NoticeKind::Wait }}>
                <p><strong>{ if released { t!(i18n, "byhelpers-released") } else { t!(i18n, "byhelpers-waiting", until = when(&i18n, view.released_ms)) } }</strong></p>
                if !released { <p>{ t!(i18n, "byhelpers-waiting-text", asked = when(&i18n, view.asked_ms)) }</p> }
            </Notice>
            if let Some(id) = &view.message_id { { problem(&i18n, id) } }
            <h2 class="title-2">{ t!(i18n, "byhelpers-parts", got = right, needed = view.needed) }</h2>
            <ul class="settings-list" role="list">{ for view.parts.iter().map(|one| part(&i18n, one)) }</ul>
            <p>{ t!(i18n, "byhelpers-words") }</p>
            { word_list(&view.words) }
            if released && enough {
                <Finish on_joining={props.on_joining.clone()} on_back={props.on_back.clone()} />
            } else if let Some(offer) = &*shown {
                <p>{ t!(i18n, "byhelpers-code-text") }</p>
                { code_block(&i18n, offer, &t!(i18n, "byhelpers-code")) }
            } else if !enough {
                <Button kind={ButtonKind::Main} wide=true working={code.working} onclick={code.send.reform(|_| ())}>{ t!(i18n, "byhelpers-code") }</Button>
            }
            if let Some(error) = code.error.clone() { <ErrorBlock {error} /> }
            <div class="button-row">
                <Button kind={ButtonKind::Second} onclick={props.on_again.reform(|_| ())}>{ t!(i18n, "byhelpers-look") }</Button>
                <Button kind={ButtonKind::Quiet} onclick={props.give_up.clone()}>{ t!(i18n, "byhelpers-drop") }</Button>
            </div>
        </>
    }
}

fn part(i18n: &I18n, one: &RestorePartView) -> Html {
    html! {
        <li class="settings-row" key={one.number}>
            <Icon icon={if one.wrong { IconName::OctagonAlert } else { IconName::Check }} />
            <span class="settings-words">
                <span class="settings-title"><bdi>{ one.from.clone() }</bdi></span>
                if one.wrong { <span class="caption">{ t!(i18n, "byhelpers-wrong") }</span> }
            </span>
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct FinishProps {
    on_joining: Callback<bool>,
    on_back: Callback<()>,
}

/// The passphrase that was given when asking, what becomes of the other devices, and how far it is.
#[component]
fn Finish(props: &FinishProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let alone = use_state(|| true);
    let begun = use_state(|| None::<PairView>);
    let (working, error) = (use_state(|| false), use_state(|| None::<CallError>));
    if let Some(view) = &*begun {
        return html! { <Watch begun={view.clone()} on_joining={props.on_joining.clone()} /> };
    }
    let on_done = {
        let (begun, alone, language) = (begun.clone(), *alone, i18n.language());
        let (working, error, on_joining) = (working.clone(), error.clone(), props.on_joining.clone());
        Callback::from(move |args: mecum_api::PassphraseArgs| {
            working.set(true);
            // From here on there is a vault, and the first run goes on speaking.
            on_joining.emit(true);
            let args = RestoreFinishArgs { passphrase: args.passphrase, alone };
            let (backend, begun, working, error, on_joining) =
                (backend.clone(), begun.clone(), working.clone(), error.clone(), on_joining.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::RestoreFinish>(args).await {
                    Ok(view) => {
                        keep_language(&backend, language).await;
                        begun.set(Some(view));
                    }
                    Err(refused) => {
                        on_joining.emit(false);
                        working.set(false);
                        error.set(Some(refused));
                    }
                }
            });
        })
    };
    let onchange = {
        let alone = alone.clone();
        Callback::from(move |chosen: AttrValue| alone.set(chosen == "lost"))
    };
    html! {
        <>
            <RadioGroup name="others" legend={t!(i18n, "restore-others")} value={if *alone { "lost" } else { "mine" }}
                options={vec![
                    ("mine".into(), t!(i18n, "restore-others-mine").into(), t!(i18n, "restore-others-mine-note").into()),
                    ("lost".into(), t!(i18n, "restore-others-lost").into(), t!(i18n, "restore-others-lost-note").into()),
                ]}
                {onchange} />
            <PassphraseForm lead={t!(i18n, "byhelpers-finish")} action={t!(i18n, "byhelpers-finish-do")} working={*working} error={(*error).clone()}
                {on_done} on_stop={props.on_back.clone()} />
        </>
    }
}
