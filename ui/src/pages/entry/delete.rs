//! Deleting an entry that the family wrote, and bringing it back. Both are recorded; nothing is erased.

use std::rc::Rc;

use mecum_api::{EntryArgs, EntryDeleteArgs, EntryView, command};
use yew::prelude::*;

use crate::app::use_shell;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, Dialog, Icon, IconName, Tile, TileSize};
use crate::i18n::{t, use_i18n};
use crate::pages::words::row_title;
use crate::route::Route;

/// The entry to delete.
#[derive(Properties, PartialEq)]
pub(super) struct DeleteProps {
    /// The entry.
    pub(super) view: Rc<EntryView>,
}

/// Brings the entry back.
#[hook]
pub(super) fn use_restore(view: Rc<EntryView>) -> Callback<()> {
    let (shell, backend, i18n) = (use_shell(), use_backend(), use_i18n());
    Callback::from(move |()| {
        let args = EntryArgs { chart: shell.chart_id(), entry: view.row.entry.clone() };
        let done = t!(i18n, "entry-restored", title = row_title(&i18n, &view.row));
        let (shell, backend) = (shell.clone(), backend.clone());
        wasm_bindgen_futures::spawn_local(async move {
            match backend.call::<command::EntryRestore>(args).await {
                Ok(_) => shell.toast(done, None),
                Err(error) => shell.problem(&error),
            }
        });
    })
}

/// The delete button with its question. Afterwards a toast offers to undo.
#[component]
pub(super) fn DeleteButton(props: &DeleteProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let open = use_state(|| false);
    let reason = use_node_ref();
    let close = {
        let open = open.clone();
        Callback::from(move |()| open.set(false))
    };
    let restore = use_restore(props.view.clone());
    let delete = {
        let (shell, backend, i18n, view) = (shell.clone(), backend.clone(), i18n.clone(), props.view.clone());
        let (open, reason) = (open.clone(), reason.clone());
        Callback::from(move |_: MouseEvent| {
            open.set(false);
            let typed =
                reason.cast::<web_sys::HtmlInputElement>().map(|input| input.value()).unwrap_or_default();
            let reason = if typed.trim().is_empty() {
                t!(i18n, "entry-delete-default")
            } else {
                typed.trim().to_owned()
            };
            let args = EntryDeleteArgs { chart: shell.chart_id(), entry: view.row.entry.clone(), reason };
            let done = t!(i18n, "entry-delete-done", title = row_title(&i18n, &view.row));
            let (shell, backend) = (shell.clone(), backend.clone());
            let undo = restore.clone();
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::EntryDelete>(args).await {
                    Ok(_) => {
                        shell.toast(done, Some(undo));
                        shell.go(Route::Record);
                    }
                    Err(error) => shell.problem(&error),
                }
            });
        })
    };
    let title = t!(
        i18n,
        "entry-delete-question",
        title = row_title(&i18n, &props.view.row),
        name = shell.chart_name()
    );
    let tile = shell.chart().map_or_else(Html::default, |chart| {
        html! { <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Small} /> }
    });
    let ask = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(true))
    };
    html! {
        <>
            <Button kind={ButtonKind::Quiet} onclick={ask}><Icon icon={IconName::Trash} /><span>{ t!(i18n, "entry-delete") }</span></Button>
            <Dialog open={*open} {title} {tile} on_close={close.clone()}>
                <p>{ t!(i18n, "entry-delete-text") }</p>
                <label class="field">
                    <span class="field-label">{ t!(i18n, "entry-delete-reason") }</span>
                    <span class="field-hint">{ t!(i18n, "entry-delete-reason-hint") }</span>
                    <input class="field-box" type="text" maxlength="200" ref={reason} />
                </label>
                <div class="dialog-buttons">
                    <Button kind={ButtonKind::DangerFilled} onclick={delete}>{ t!(i18n, "entry-delete") }</Button>
                    <Button kind={ButtonKind::Second} safe=true onclick={close.reform(|_| ())}>{ t!(i18n, "entry-delete-keep") }</Button>
                </div>
            </Dialog>
        </>
    }
}
