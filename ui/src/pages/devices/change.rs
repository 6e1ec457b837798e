//! What can be done with one device: another name, and removing it. Removing says first what it does and what it cannot.

use mecum_api::{CallError, DeviceArgs, DeviceRenameArgs, DeviceView, command};
use yew::prelude::*;

use crate::app::use_shell;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, Dialog, ErrorBlock, Field, FieldType};
use crate::format;
use crate::i18n::{t, use_i18n};

/// One device.
#[derive(Properties, PartialEq)]
pub(super) struct ChangeProps {
    /// The device.
    pub(super) device: DeviceView,
    /// It was changed.
    pub(super) on_changed: Callback<()>,
}

/// Gives a device another name.
#[component]
pub(super) fn RenameButton(props: &ChangeProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let open = use_state(|| false);
    let typed = use_state(|| props.device.name.clone());
    let error = use_state(|| None::<CallError>);
    let ask = {
        let (open, typed, error, name) =
            (open.clone(), typed.clone(), error.clone(), props.device.name.clone());
        Callback::from(move |_: MouseEvent| {
            typed.set(name.clone());
            error.set(None);
            open.set(true);
        })
    };
    let close = {
        let open = open.clone();
        Callback::from(move |()| open.set(false))
    };
    let onsubmit = {
        let (open, typed, error) = (open.clone(), typed.clone(), error.clone());
        let (device, on_changed) = (props.device.device.clone(), props.on_changed.clone());
        let said = t!(i18n, "settings-saved");
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let args = DeviceRenameArgs { device: device.clone(), name: typed.trim().to_owned() };
            let (open, error, shell, backend) = (open.clone(), error.clone(), shell.clone(), backend.clone());
            let (on_changed, said) = (on_changed.clone(), said.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::DeviceRename>(args).await {
                    Ok(_) => {
                        open.set(false);
                        on_changed.emit(());
                        shell.toast(said, None);
                    }
                    Err(refused) => error.set(Some(refused)),
                }
            });
        })
    };
    html! {
        <>
            <button type="button" class="link-button" onclick={ask} aria-label={t!(i18n, "devices-rename-of", name = props.device.name.as_str())}>{ t!(i18n, "devices-rename") }</button>
            <Dialog open={*open} title={t!(i18n, "devices-rename-title", name = props.device.name.as_str())} on_close={close.clone()}>
                <form {onsubmit} novalidate={true}>
                    <Field id={format!("name-{}", props.device.device)} label={t!(i18n, "first-device")} value={(*typed).clone()} focus=true
                        oninput={let typed = typed.clone(); Callback::from(move |text| typed.set(text))} />
                    if let Some(error) = (*error).clone() { <ErrorBlock {error} /> }
                    <div class="dialog-buttons">
                        <Button kind={ButtonKind::Main} submit=true>{ t!(i18n, "devices-rename-save") }</Button>
                        <Button kind={ButtonKind::Second} onclick={close.reform(|_| ())}>{ t!(i18n, "devices-keep") }</Button>
                    </div>
                </form>
            </Dialog>
        </>
    }
}

/// Removes another device, after its question.
#[component]
pub(super) fn RemoveButton(props: &ChangeProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let open = use_state(|| false);
    let working = use_state(|| false);
    let error = use_state(|| None::<CallError>);
    let ask = {
        let (open, error) = (open.clone(), error.clone());
        Callback::from(move |_: MouseEvent| {
            error.set(None);
            open.set(true);
        })
    };
    let close = {
        let open = open.clone();
        Callback::from(move |()| open.set(false))
    };
    let name = props.device.name.as_str();
    let after = use_state(String::new);
    let remove = {
        let (open, working, error, after) = (open.clone(), working.clone(), error.clone(), after.clone());
        let (device, on_changed) = (props.device.device.clone(), props.on_changed.clone());
        let said = t!(i18n, "devices-removed", name = name);
        Callback::from(move |_: MouseEvent| {
            working.set(true);
            let args = DeviceArgs { device: device.clone(), nothing_after_ms: format::end_of_day_ms(&after) };
            let (open, working, error) = (open.clone(), working.clone(), error.clone());
            let (shell, backend) = (shell.clone(), backend.clone());
            let (on_changed, said) = (on_changed.clone(), said.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::DeviceRemove>(args).await {
                    Ok(_) => {
                        open.set(false);
                        on_changed.emit(());
                        shell.toast(said, None);
                    }
                    Err(refused) => error.set(Some(refused)),
                }
                working.set(false);
            });
        })
    };
    html! {
        <>
            <button type="button" class="link-button" onclick={ask} aria-label={t!(i18n, "devices-remove-of", name = name)}>{ t!(i18n, "devices-remove") }</button>
            <Dialog open={*open} title={t!(i18n, "devices-remove-title", name = name)} on_close={close.clone()}>
                <p>{ t!(i18n, "devices-remove-text") }</p>
                <p>{ t!(i18n, "devices-remove-keeps") }</p>
                <Field id="remove-after" label={t!(i18n, "cut-after")} hint={AttrValue::from(t!(i18n, "cut-after-hint"))} value={(*after).clone()} r#type={FieldType::Date} optional=true
                    oninput={let after = after.clone(); Callback::from(move |text| after.set(text))} />
                if let Some(error) = (*error).clone() { <ErrorBlock {error} /> }
                <div class="dialog-buttons">
                    <Button kind={ButtonKind::DangerFilled} onclick={remove} working={*working}>{ t!(i18n, "devices-remove-yes", name = name) }</Button>
                    <Button kind={ButtonKind::Second} safe=true onclick={close.reform(|_| ())}>{ t!(i18n, "devices-keep") }</Button>
                </div>
            </Dialog>
        </>
    }
}
