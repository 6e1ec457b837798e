//! Bringing a file in: chosen, read on this device in pieces, looked at, and kept only when a person says whose it is. At every step it can be stopped.

mod preview;
mod send;

use std::cell::Cell;
use std::rc::Rc;

use mecum_api::{CallError, ImportArgs, ImportPhase, ImportPreview, ImportRunArgs, ImportView, command};
use yew::prelude::*;

use self::preview::Preview;
use self::send::{Sending, send};
use super::head::PageHead;
use crate::app::use_shell;
use crate::backend::{Backend, use_backend};
use crate::components::{
    Button, ButtonKind, ErrorBlock, Icon, IconName, Notice, NoticeKind, Progress, Skeleton,
};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::sleep_ms;
use crate::route::Route;

/// How often a running import is asked how far it is.
const ASK_EVERY_MS: i32 = 150;

/// Where the page is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Step {
    /// A file is to be chosen.
    #[default]
    Choose,
    /// The file is read.
    Receiving(Sending),
    /// It is looked at.
    Looking,
    /// It waits for the person.
    Preview(ImportPreview),
    /// It is being kept.
    Keeping(ImportView),
    /// It is kept.
    Done(ImportView),
    /// The person stopped it.
    Stopped,
    /// It was refused.
    Failed(CallError),
}

/// The page.
#[component]
pub fn ImportPage() -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let step = use_state(Step::default);
    let stop = use_mut_ref(|| Rc::new(Cell::new(false)));
    let onfile = {
        let (step, stop, backend) = (step.clone(), stop.clone(), backend.clone());
        Callback::from(move |file: web_sys::File| {
            let flag = Rc::new(Cell::new(false));
            *stop.borrow_mut() = flag.clone();
            let (step, backend) = (step.clone(), backend.clone());
            wasm_bindgen_futures::spawn_local(async move { bring(&backend, file, &flag, &step).await });
        })
    };
    let onstop = {
        let (step, stop) = (step.clone(), stop.clone());
        Callback::from(move |_: MouseEvent| {
            stop.borrow().set(true);
            step.set(Step::Stopped);
        })
    };
    let onkeep = {
        let (step, stop, backend) = (step.clone(), stop.clone(), backend.clone());
        Callback::from(move |args: ImportRunArgs| {
            let flag = stop.borrow().clone();
            let (step, backend) = (step.clone(), backend.clone());
            wasm_bindgen_futures::spawn_local(async move { keep(&backend, args, &flag, &step).await });
        })
    };
    let again = {
        let step = step.clone();
        Callback::from(move |()| step.set(Step::Choose))
    };
    let open = {
        let shell = shell.clone();
        Callback::from(move |chart| {
            shell.set_chart(chart);
            shell.go(Route::Record);
        })
    };
    html! {
        <div class="page page-column page-import">
            <PageHead title={t!(i18n, "import-title")} back={Route::Record} />
            <div aria-live="polite">
                { match &*step {
                    Step::Choose => choose(&i18n, &onfile),
                    Step::Receiving(sending) => receiving(&i18n, sending, &onstop),
                    Step::Looking => html! { <Skeleton text={t!(i18n, "import-looking")} /> },
                    Step::Preview(view) => html! { <Preview view={view.clone()} on_keep={onkeep} on_cancel={onstop} /> },
                    Step::Keeping(view) => keeping(&i18n, view, &onstop),
                    Step::Done(view) => done(&i18n, view, &open, &again),
                    Step::Stopped => html! {
                        <>
                            <Notice kind={NoticeKind::Plain}><p><strong>{ t!(i18n, "import-stopped-title") }</strong>{ ". " }{ t!(i18n, "import-stopped-text") }</p></Notice>
                            { choose(&i18n, &onfile) }
                        </>
                    },
                    Step::Failed(error) => html! {
                        <>
                            <h2 class="section-title">{ t!(i18n, "import-failed-title") }</h2>
                            <ErrorBlock error={error.clone()} />
                            <p>{ t!(i18n, "import-safe") }</p>
                            { choose(&i18n, &onfile) }
                        </>
                    },
                } }
            </div>
        </div>
    }
}

/// Reads the file piece by piece and looks at it. Nothing is kept.
async fn bring(backend: &Backend, file: web_sys::File, stop: &Rc<Cell<bool>>, step: &UseStateHandle<Step>) {
    let progress = {
        let step = step.clone();
        move |sending| step.set(Step::Receiving(sending))
    };
    let import = match send(backend, &file, stop, progress).await {
        Ok(Some(import)) => import,
        Ok(None) => return step.set(Step::Stopped),
        Err(error) => return step.set(Step::Failed(error)),
    };
    step.set(Step::Looking);
    match backend.call::<command::ImportLook>(ImportArgs { import }).await {
        Ok(view) => step.set(Step::Preview(view)),
        Err(error) => step.set(Step::Failed(error)),
    }
}

/// Keeps the file and follows it until it is done, stopped or refused.
async fn keep(backend: &Backend, args: ImportRunArgs, stop: &Rc<Cell<bool>>, step: &UseStateHandle<Step>) {
    let import = args.import;
    let mut answer = backend.call::<command::ImportRun>(args).await;
    loop {
        match answer {
            Err(error) => return step.set(Step::Failed(error)),
            Ok(view) => match view.phase {
                ImportPhase::Done => return step.set(Step::Done(view)),
                ImportPhase::Stopped => return step.set(Step::Stopped),
                _ if stop.get() => {
                    answer = backend.call::<command::ImportStop>(ImportArgs { import }).await;
                    if answer.as_ref().is_ok_and(|v| v.phase != ImportPhase::Done) {
                        return step.set(Step::Stopped);
                    }
                    continue;
                }
                _ => step.set(Step::Keeping(view)),
            },
        }
        sleep_ms(ASK_EVERY_MS).await;
        answer = backend.call::<command::ImportStatus>(ImportArgs { import }).await;
    }
}

fn choose(i18n: &I18n, onfile: &Callback<web_sys::File>) -> Html {
    let picked = {
        let onfile = onfile.clone();
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<web_sys::HtmlInputElement>() else { return };
            if let Some(file) = input.files().and_then(|files| files.get(0)) {
                onfile.emit(file);
            }
            // The same file can be chosen again.
            input.set_value("");
        })
    };
    let dropped = {
        let onfile = onfile.clone();
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            if let Some(file) = event.data_transfer().and_then(|d| d.files()).and_then(|files| files.get(0)) {
                onfile.emit(file);
            }
        })
    };
    let over = Callback::from(|event: DragEvent| event.prevent_default());
    html! {
        <>
            <p class="lead">{ t!(i18n, "import-intro") }</p>
            <label class="drop" ondrop={dropped} ondragover={over}>
                <Icon icon={IconName::FileInput} />
                <span class="drop-main">{ t!(i18n, "import-choose") }</span>
                <span class="small">{ t!(i18n, "import-drop") }</span>
                <input class="drop-input" type="file" accept=".json,application/json,application/fhir+json" onchange={picked} />
            </label>
            <p class="caption">{ t!(i18n, "import-stays") }</p>
        </>
    }
}

/// Bytes for the bar; a file is far under 4 GiB.
fn small(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn receiving(i18n: &I18n, sending: &Sending, onstop: &Callback<MouseEvent>) -> Html {
    let language = i18n.language();
    let count = t!(
        i18n,
        "import-receiving-count",
        done = format::size(language, sending.done),
        total = format::size(language, sending.total)
    );
    html! {
        <div class="import-progress">
            <Progress label={t!(i18n, "import-receiving", name = sending.name.as_str())} done={small(sending.done)} total={small(sending.total)} />
            <p class="small">{ count }</p>
            <Button kind={ButtonKind::Second} onclick={onstop.clone()}>{ t!(i18n, "import-stop") }</Button>
            <p class="caption">{ t!(i18n, "import-stop-safe") }</p>
        </div>
    }
}

fn keeping(i18n: &I18n, view: &ImportView, onstop: &Callback<MouseEvent>) -> Html {
    let language = i18n.language();
    let label = t!(
        i18n,
        "import-keeping",
        done = format::count(language, view.done.into()),
        total = format::count(language, view.total.into())
    );
    html! {
        <div class="import-progress">
            <Progress {label} done={view.done} total={view.total} />
            <p class="small">{ t!(i18n, "import-keeping-text") }</p>
            <Button kind={ButtonKind::Second} onclick={onstop.clone()}>{ t!(i18n, "import-stop") }</Button>
            <p class="caption">{ t!(i18n, "import-stop-safe") }</p>
        </div>
    }
}

fn done(
    i18n: &I18n,
    view: &ImportView,
    open: &Callback<mecum_domain::ChartId>,
    again: &Callback<()>,
) -> Html {
    let language = i18n.language();
    let shown = |n: u32| format::count(language, n.into());
    let (title, text) = if view.added == 0 {
        (t!(i18n, "import-done-none-title"), t!(i18n, "import-done-none-text", shown = shown(view.already)))
    } else if view.already > 0 {
        (
            t!(i18n, "import-done-title", count = view.added, shown = shown(view.added)),
            t!(i18n, "import-done-already", count = view.already, shown = shown(view.already)),
        )
    } else {
        (t!(i18n, "import-done-title", count = view.added, shown = shown(view.added)), String::new())
    };
    let chart = view.chart;
    html! {
        <div class="import-done">
            <h2 class="title-2"><Icon icon={IconName::Check} />{ title }</h2>
            if !text.is_empty() { <p>{ text }</p> }
            <div class="button-row">
                if let Some(chart) = chart {
                    <Button kind={ButtonKind::Main} onclick={open.reform(move |_: MouseEvent| chart)}>{ t!(i18n, "import-done-open") }</Button>
                }
                <Button kind={ButtonKind::Second} onclick={again.reform(|_: MouseEvent| ())}>{ t!(i18n, "import-done-again") }</Button>
            </div>
        </div>
    }
}
