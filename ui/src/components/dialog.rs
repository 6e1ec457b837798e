//! Layers above the page on the browser's own `<dialog>`: it holds the focus, makes the rest inert, and Esc closes it.

use web_sys::HtmlDialogElement;
use yew::prelude::*;

use super::{Icon, IconName};
use crate::i18n::{t, use_i18n};

/// A layer.
#[derive(Properties, PartialEq)]
pub struct DialogProps {
    /// It is open.
    pub open: bool,
    /// A question naming object and person, or the name of the sheet.
    pub title: AttrValue,
    /// Esc, the cross, or a press beside it.
    pub on_close: Callback<()>,
    /// The tile of the person whom a dialog is about; sheets need none.
    #[prop_or_default]
    pub tile: Html,
    /// What stands in it.
    pub children: Html,
}

/// Opens and closes the element with `open`, and tells of a close that the browser did.
#[hook]
fn use_modal(open: bool, on_close: Callback<()>) -> (NodeRef, Callback<Event>, Callback<MouseEvent>) {
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with(open, move |open| {
            if let Some(dialog) = node.cast::<HtmlDialogElement>() {
                if *open && !dialog.open() {
                    let _ = dialog.show_modal();
                    // The question comes first: where it does not fit, it is not scrolled away for the button with the focus.
                    if dialog.scroll_height() > dialog.client_height() {
                        crate::app::focus("dialog[open] .dialog-title");
                        dialog.set_scroll_top(0);
                    }
                } else if !*open && dialog.open() {
                    dialog.close();
                }
            }
        });
    }
    let closed = {
        let on_close = on_close.clone();
        Callback::from(move |_: Event| on_close.emit(()))
    };
    let beside = {
        let node = node.clone();
        Callback::from(move |event: MouseEvent| {
            // The element itself is pressed only on its backdrop; everything inside is a child.
            let target = event.target_dyn_into::<HtmlDialogElement>();
            if target.is_some() && target == node.cast::<HtmlDialogElement>() {
                on_close.emit(());
            }
        })
    };
    (node, closed, beside)
}

/// A dialog: only for what cannot be undone or needs one answer.
#[component]
pub fn Dialog(props: &DialogProps) -> Html {
    let (node, onclose, onclick) = use_modal(props.open, props.on_close.clone());
    html! {
        <dialog class="dialog" ref={node} {onclose} {onclick} aria-label={props.title.clone()}>
            if props.open {
                <div class="dialog-inner">
                    <div class="dialog-head">{ props.tile.clone() }<h2 class="dialog-title" tabindex="-1">{ props.title.clone() }</h2></div>
                    { props.children.clone() }
                </div>
            }
        </dialog>
    }
}

/// A sheet: rises from the edge on phones, stands at the side on laptops.
#[component]
pub fn Sheet(props: &DialogProps) -> Html {
    let i18n = use_i18n();
    let (node, onclose, onclick) = use_modal(props.open, props.on_close.clone());
    let close = props.on_close.reform(|_: MouseEvent| ());
    html! {
        <dialog class="sheet" ref={node} {onclose} {onclick} aria-label={props.title.clone()}>
            if props.open {
                <div class="sheet-inner">
                    <header class="sheet-head">
                        <h2 class="sheet-title">{ props.title.clone() }</h2>
                        <button type="button" class="icon-button" onclick={close} aria-label={t!(i18n, "app-close")}>
                            <Icon icon={IconName::Close} />
                        </button>
                    </header>
                    <div class="sheet-body">{ props.children.clone() }</div>
                </div>
            }
        </dialog>
    }
}
