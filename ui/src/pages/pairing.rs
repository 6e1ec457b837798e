//! Showing a pairing code to a new device and answering whether it is the person's own. The words alone carry the secret; the QR code is the same.

use mecum_api::{CallError, PairOfferView, PairPhase, PairView, Topic, command};
use yew::prelude::*;
use yew_router::prelude::*;

use super::answer::answered;
use super::head::PageHead;
use crate::app::use_shell;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, ErrorBlock, Icon, IconName, Notice, NoticeKind, Qr, Skeleton};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// What the person can do on this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Approve,
    Stop,
}

/// The page.
#[component]
pub fn PairPage() -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let status = use_query::<command::PairStatus>((), vec![Topic::Devices]);
    let offer = use_state(|| None::<PairOfferView>);
    let problem = use_state(|| None::<CallError>);
    let working = use_state(|| false);
    let start = {
        let (offer, problem, working, backend) =
            (offer.clone(), problem.clone(), working.clone(), backend.clone());
        let reload = status.reload();
        Callback::from(move |_: MouseEvent| {
            let (offer, problem, working, backend, reload) =
                (offer.clone(), problem.clone(), working.clone(), backend.clone(), reload.clone());
            working.set(true);
            problem.set(None);
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::PairOffer>(()).await {
                    Ok(view) => offer.set(Some(view)),
                    Err(error) => problem.set(Some(error)),
                }
                working.set(false);
                reload.emit(());
            });
        })
    };
    let act = {
        let (offer, shell, reload) = (offer.clone(), shell.clone(), status.reload());
        Callback::from(move |act: Act| {
            let (offer, shell, backend, reload) =
                (offer.clone(), shell.clone(), backend.clone(), reload.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let answer = match act {
                    Act::Approve => backend.call::<command::PairApprove>(()).await,
                    Act::Stop => backend.call::<command::PairStop>(()).await,
                };
                if let Err(error) = answer {
                    shell.problem(&error);
                }
                if act == Act::Stop {
                    offer.set(None);
                }
                reload.emit(());
            });
        })
    };
    html! {
        <div class="page page-task page-pair">
            <PageHead title={t!(i18n, "pair-title")} back={Route::Devices} />
            if let Some(error) = &*problem { <ErrorBlock error={error.clone()} /> }
            <div aria-live="polite">
                { answered(&i18n, &status, &t!(i18n, "devices-opening"), |view| phase(&i18n, &view, offer.as_ref(), *working, &start, &act)) }
            </div>
        </div>
    }
}

fn phase(
    i18n: &I18n,
    view: &PairView,
    offer: Option<&PairOfferView>,
    working: bool,
    start: &Callback<MouseEvent>,
    act: &Callback<Act>,
) -> Html {
    let other = view.other.clone().unwrap_or_else(|| t!(i18n, "pair-other-unnamed"));
    match view.phase {
        PairPhase::Waiting => match offer {
            Some(offer) => {
                html! {
                    <>
                        if let Some(id) = &view.message_id { <Notice kind={NoticeKind::Plain}><p>{ i18n.text(id) }</p></Notice> }
                        <Offer offer={offer.clone()} on_stop={act.reform(|_: MouseEvent| Act::Stop)} on_again={start.clone()} />
                    </>
                }
            }
            None => begin(i18n, working, start),
        },
        PairPhase::Asking => html! {
            <section class="pair-asking">
                <h2 class="title-2"><bdi>{ t!(i18n, "pair-asking-title", name = other.as_str()) }</bdi></h2>
                <p>{ t!(i18n, "pair-asking-text") }</p>
                <div class="button-row">
                    <Button kind={ButtonKind::Main} onclick={act.reform(|_: MouseEvent| Act::Approve)}>{ t!(i18n, "pair-approve", name = other.as_str()) }</Button>
                    <Button kind={ButtonKind::Danger} onclick={act.reform(|_: MouseEvent| Act::Stop)}>{ t!(i18n, "pair-refuse") }</Button>
                </div>
            </section>
        },
        PairPhase::Working => html! {
            <>
                <Skeleton text={t!(i18n, "pair-working", name = other)} />
                <p class="small">{ t!(i18n, "pair-working-text") }</p>
                if let Some(id) = &view.message_id {
                    <Notice kind={NoticeKind::Plain}><p>{ i18n.text(id) }</p></Notice>
                    <div class="button-row">
                        <Button kind={ButtonKind::Second} onclick={act.reform(|_: MouseEvent| Act::Approve)}>{ t!(i18n, "pair-try-now") }</Button>
                        <Button kind={ButtonKind::Second} onclick={act.reform(|_: MouseEvent| Act::Stop)}>{ t!(i18n, "pair-stop") }</Button>
                    </div>
                }
            </>
        },
        PairPhase::Done => html! {
            <section class="pair-done">
                <h2 class="title-2"><Icon icon={IconName::Check} /><bdi>{ t!(i18n, "pair-done-title", name = other) }</bdi></h2>
                <p>{ i18n.text(view.message_id.as_deref().unwrap_or("pair-done-text")) }</p>
                <div class="button-row">
                    <Link<Route> to={Route::Devices} classes="button button-main">{ t!(i18n, "pair-done-back") }</Link<Route>>
                    <Button kind={ButtonKind::Second} onclick={start.clone()} {working}>{ t!(i18n, "pair-another") }</Button>
                </div>
            </section>
        },
        PairPhase::Ended => html! {
            <section class="pair-ended">
                <h2 class="title-2">{ t!(i18n, "pair-ended-title") }</h2>
                <p>
                    if let Some(id) = &view.message_id { { i18n.text(id) }{ " " } }
                    { t!(i18n, "pair-ended-text") }
                </p>
                { begin(i18n, working, start) }
            </section>
        },
        PairPhase::None => begin(i18n, working, start),
    }
}

fn begin(i18n: &I18n, working: bool, start: &Callback<MouseEvent>) -> Html {
    html! {
        <>
            <p class="lead">{ t!(i18n, "pair-intro") }</p>
            <p class="small">{ t!(i18n, "pair-once") }</p>
            <Button kind={ButtonKind::Main} onclick={start.clone()} {working}>
                { if working { t!(i18n, "pair-starting") } else { t!(i18n, "pair-start") } }
            </Button>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct OfferProps {
    offer: PairOfferView,
    on_stop: Callback<MouseEvent>,
    on_again: Callback<MouseEvent>,
}

/// The code as QR and as words, with the time that it has left.
#[component]
fn Offer(props: &OfferProps) -> Html {
    let i18n = use_i18n();
    let offer = &props.offer;
    let left = use_state_eq(|| seconds_left(offer.ends_ms));
    {
        let left = left.clone();
        use_effect_with(offer.ends_ms, move |ends| {
            let ends = *ends;
            let clock = gloo::timers::callback::Interval::new(1000, move || left.set(seconds_left(ends)));
            move || drop(clock)
        });
    }
    html! {
        <div class="pair-offer">
            <p class="lead">{ t!(i18n, "pair-intro") }</p>
            <p class="pair-left" role="timer"><strong>{ t!(i18n, "pair-left", time = format!("{}:{:02}", *left / 60, *left % 60)) }</strong></p>
            <div class="pair-code">
                <div class="pair-qr">
                    <h2 class="section-title">{ t!(i18n, "pair-scan") }</h2>
                    <Qr text={offer.qr.clone()} label={t!(i18n, "pair-qr-label")} />
                </div>
                <div class="pair-words">
                    <h2 class="section-title">{ t!(i18n, "pair-or-words") }</h2>
                    <ol class="word-list" translate="no">{ for offer.words.iter().map(|word| html! { <li lang="en">{ word.clone() }</li> }) }</ol>
                    <p class="small">{ t!(i18n, "pair-server") }</p>
                    <p class="pair-server"><bdi translate="no">{ offer.server.clone() }</bdi></p>
                </div>
            </div>
            <p class="small">{ t!(i18n, "pair-once") }</p>
            <p class="pair-waiting"><span class="ring" aria-hidden="true" />{ t!(i18n, "pair-waiting") }</p>
            <div class="button-row">
                <Button kind={ButtonKind::Second} onclick={props.on_again.clone()}>{ t!(i18n, "pair-again") }</Button>
                <Button kind={ButtonKind::Second} onclick={props.on_stop.clone()}>{ t!(i18n, "pair-stop") }</Button>
            </div>
        </div>
    }
}

fn seconds_left(ends_ms: i64) -> i64 {
    ((ends_ms - format::now_ms()) / 1000).max(0)
}
