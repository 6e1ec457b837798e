//! The recovery kit: what it is for, whether there is one, and making one. The words stand on this page while it is made, once,
//! to be printed or written down; the asked ones are typed from the paper before it counts.

mod steps;

use mecum_api::{KitStatusView, KitView, Topic, command};
use yew::prelude::*;
use yew_router::prelude::*;

use self::steps::{PassphraseAgain, TypedAgain};
use crate::app::{focus, use_shell};
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, Icon, IconName, Notice, NoticeKind};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::answer::answered;
use crate::pages::head::PageHead;
use crate::query::use_query;
use crate::route::Route;

#[derive(Clone, Default, PartialEq)]
enum Step {
    #[default]
    About,
    Passphrase,
    Paper(KitView),
    Again(KitView),
}

/// The page.
#[component]
pub fn KitPage() -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let status = use_query::<command::KitStatus>((), vec![Topic::Settings, Topic::Sync]);
    let step = use_state(Step::default);
    {
        // What is shown and not confirmed is forgotten when the page is left.
        let backend = backend.clone();
        use_effect_with((), move |()| {
            move || {
                wasm_bindgen_futures::spawn_local(async move {
                    let _ = backend.call::<command::KitDrop>(()).await;
                });
            }
        });
    }
    {
        let at = match &*step {
            Step::About => 0_u8,
            Step::Passphrase => 1,
            Step::Paper(_) => 2,
            Step::Again(_) => 3,
        };
        use_effect_with(at, |_| focus("main h1"));
    }
    let go = |to: Step| {
        let step = step.clone();
        Callback::from(move |()| step.set(to.clone()))
    };
    let body = match (*step).clone() {
        Step::About => {
            let make = go(Step::Passphrase);
            answered(&i18n, &status, &t!(i18n, "settings-opening"), |view| about(&i18n, &view, &make))
        }
        Step::Passphrase => {
            let (step, stop) = (step.clone(), go(Step::About));
            let on_made = Callback::from(move |view: KitView| step.set(Step::Paper(view)));
            html! { <PassphraseAgain {on_made} on_stop={stop} /> }
        }
        Step::Paper(view) => {
            let (next, stop) = (go(Step::Again(view.clone())), go(Step::About));
            html! { <Paper {view} on_next={next} on_stop={stop} /> }
        }
        Step::Again(view) => {
            let back = go(Step::Paper(view.clone()));
            let (step, shell, said, reload) =
                (step.clone(), shell.clone(), t!(i18n, "kit-counts"), status.reload());
            let on_done = Callback::from(move |()| {
                step.set(Step::About);
                reload.emit(());
                shell.toast(said.clone(), None);
            });
            html! { <TypedAgain {view} {on_done} on_back={back} /> }
        }
    };
    html! {
        <div class="page page-column page-kit">
            <PageHead title={t!(i18n, "kit-title")} back={Route::Settings} />
            { body }
        </div>
    }
}

fn about(i18n: &I18n, view: &KitStatusView, make: &Callback<()>) -> Html {
    let make = make.reform(|_: MouseEvent| ());
    html! {
        <>
            <p class="lead">{ t!(i18n, "kit-intro") }</p>
            <ul class="promises" role="list">
                <li><Icon icon={IconName::Key} />{ t!(i18n, "kit-for-passphrase") }</li>
                <li><Icon icon={IconName::Smartphone} />{ t!(i18n, "kit-for-devices") }</li>
                <li><Icon icon={IconName::Lock} />{ t!(i18n, "kit-keep-safe") }</li>
            </ul>
            if view.made {
                <Notice kind={NoticeKind::Plain}>
                    <p><strong>{ if view.made_ms > 0 {
                        t!(i18n, "kit-made-on", date = format::instant_near(i18n.language(), view.made_ms, format::local_day(format::now_ms())))
                    } else {
                        t!(i18n, "kit-made")
                    } }</strong></p>
                    <p>{ t!(i18n, if view.opens_this { "kit-opens-this" } else { "kit-opens-not-this" }) }</p>
                    <p>{ t!(i18n, match (&view.server, view.stored) {
                        (None, _) => "kit-no-server",
                        (Some(_), true) => "kit-at-server",
                        (Some(_), false) => "kit-on-the-way",
                    }) }</p>
                </Notice>
                <p class="small">{ t!(i18n, "kit-replace-text") }</p>
                <div class="button-row"><Button kind={ButtonKind::Second} onclick={make}>{ t!(i18n, "kit-replace") }</Button></div>
            } else {
                if view.server.is_none() {
                    <Notice kind={NoticeKind::Plain}>
                        <p>{ t!(i18n, "kit-before-server") }</p>
                        <p><Link<Route> to={Route::Devices} classes="link">{ t!(i18n, "where-connect") }</Link<Route>></p>
                    </Notice>
                }
                <div class="button-row"><Button kind={ButtonKind::Main} onclick={make}>{ t!(i18n, "kit-make") }</Button></div>
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct PaperProps {
    view: KitView,
    on_next: Callback<()>,
    on_stop: Callback<()>,
}

/// The page to print or to copy by hand.
#[component]
fn Paper(props: &PaperProps) -> Html {
    let i18n = use_i18n();
    let view = &props.view;
    let print = Callback::from(|_: MouseEvent| {
        // Where there is no printer the words are written down by hand: the page says so.
        let _ = gloo::utils::window().print();
    });
    html! {
        <>
            <p class="lead not-printed">{ t!(i18n, "kit-paper-text") }</p>
            <section class="kit-paper" aria-label={t!(i18n, "kit-title")}>
                <h2 class="title-2">{ t!(i18n, "kit-paper-title") }</h2>
                <ol class="word-list kit-words" translate="no">{ for view.words.iter().map(|word| html! { <li lang="en">{ word.clone() }</li> }) }</ol>
                <p class="small">{ t!(i18n, "kit-paper-last") }</p>
                <dl class="kit-facts">
                    <dt>{ t!(i18n, "kit-paper-server") }</dt>
                    <dd><bdi translate="no">{ view.server.clone().unwrap_or_else(|| t!(i18n, "kit-paper-no-server")) }</bdi></dd>
                    <dt>{ t!(i18n, "kit-paper-account") }</dt>
                    <dd><bdi translate="no">{ view.account.clone() }</bdi></dd>
                    if let Some(pin) = &view.pin {
                        <dt>{ t!(i18n, "kit-paper-pin") }</dt>
                        <dd><bdi translate="no">{ pin.clone() }</bdi></dd>
                    }
                </dl>
                <p>{ t!(i18n, "kit-paper-how") }</p>
                <p><strong>{ t!(i18n, "kit-keep-safe") }</strong></p>
            </section>
            <div class="button-row not-printed">
                <Button kind={ButtonKind::Main} onclick={props.on_next.reform(|_| ())}>{ t!(i18n, "kit-have-it") }</Button>
                <Button kind={ButtonKind::Second} onclick={print}>{ t!(i18n, "kit-print") }</Button>
                <Button kind={ButtonKind::Quiet} onclick={props.on_stop.reform(|_| ())}>{ t!(i18n, "pair-stop") }</Button>
            </div>
        </>
    }
}
