//! Settings: language and display, devices, locking, and what this program is.

pub mod display;
pub mod kit;

use std::rc::Rc;

use mecum_api::{SettingsView, Topic, VaultView, command};
use yew::prelude::*;
use yew_router::prelude::*;

use super::answer::answered;
use super::head::PageHead;
use crate::app::{Shell, use_shell};
use crate::backend::{Backend, use_backend};
use crate::components::{Button, ButtonKind, Icon, IconName};
use crate::i18n::{I18n, LANGUAGES, t, use_i18n};
use crate::query::{Bus, use_bus, use_query};
use crate::route::Route;

/// Minutes without use after which the vault locks itself; 0 never.
const AUTO_LOCK_MIN: &[u16] = &[1, 5, 15, 30, 60, 0];

/// Saves settings and says so.
pub(super) fn save(
    backend: &Backend,
    bus: &Bus,
    shell: &Shell,
    said: Option<String>,
    settings: SettingsView,
) {
    let (backend, bus, shell) = (backend.clone(), bus.clone(), shell.clone());
    wasm_bindgen_futures::spawn_local(async move {
        match backend.call::<command::SettingsSet>(settings).await {
            Ok(_) => {
                bus.tell(&[Topic::Settings]);
                if let Some(said) = said {
                    shell.toast(said, None);
                }
            }
            Err(error) => shell.problem(&error),
        }
    });
}

/// The settings page.
#[component]
pub fn SettingsPage() -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::SettingsGet>((), vec![Topic::Settings]);
    let status = use_query::<command::VaultStatus>((), vec![Topic::Vault]);
    html! {
        <div class="page page-column">
            <PageHead title={t!(i18n, "app-settings")} />
            { answered(&i18n, &query, &t!(i18n, "settings-opening"), |view| html! { <Body settings={view} status={status.data()} /> }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct BodyProps {
    settings: Rc<SettingsView>,
    status: Option<Rc<VaultView>>,
}

#[component]
fn Body(props: &BodyProps) -> Html {
    let (i18n, shell, backend, bus) = (use_i18n(), use_shell(), use_backend(), use_bus());
    let settings = props.settings.clone();
    let language = LANGUAGES.iter().find(|(tag, _)| *tag == i18n.language()).map_or("", |(_, name)| name);
    let on_auto_lock = {
        let (settings, backend, bus, shell, said) =
            (settings.clone(), backend.clone(), bus.clone(), shell.clone(), t!(i18n, "settings-saved"));
        Callback::from(move |event: Event| {
            let select: Option<web_sys::HtmlSelectElement> = event.target_dyn_into();
            if let Some(minutes) = select.and_then(|s| s.value().parse().ok()) {
                save(
                    &backend,
                    &bus,
                    &shell,
                    Some(said.clone()),
                    SettingsView { auto_lock_min: minutes, ..(*settings).clone() },
                );
            }
        })
    };
    let lock = Callback::from(move |_: MouseEvent| {
        let (shell, backend, bus) = (shell.clone(), backend.clone(), bus.clone());
        wasm_bindgen_futures::spawn_local(async move {
            match backend.call::<command::VaultLock>(()).await {
                Ok(_) => bus.tell(&[Topic::Vault]),
                Err(error) => shell.problem(&error),
            }
        });
    });
    html! {
            <>
                <ul class="settings-list" role="list">
                    <li>{ way(Route::Display, IconName::Languages, &t!(i18n, "display-title"), language) }</li>
                    <li>{ way(Route::Members, IconName::Users, &t!(i18n, "members-title"), &t!(i18n, "members-settings-about")) }</li>
                    <li>{ way(Route::Invitation, IconName::Mail, &t!(i18n, "invitation-title"), &t!(i18n, "invitation-settings-about")) }</li>
                    <li>{ way(Route::Hospitals, IconName::Hospital, &t!(i18n, "hospitals-title"), &t!(i18n, "hospitals-settings-about")) }</li>
                    <li>{ way(Route::Devices, IconName::Smartphone, &t!(i18n, "settings-devices"), &t!(i18n, "settings-devices-about")) }</li>
                    <li>{ way(Route::Data, IconName::File, &t!(i18n, "data-title"), &t!(i18n, "data-about")) }</li>
                    <li>{ way(Route::Helpers, IconName::Users, &t!(i18n, "helpers-title"), &t!(i18n, "helpers-about")) }</li>
                    <li>{ way(Route::Desk, IconName::Inbox, &t!(i18n, "desk-settings"), &t!(i18n, "desk-settings-about")) }</li>
                    <li>{ way(Route::Kit, IconName::Key, &t!(i18n, "kit-title"), &t!(i18n, "kit-about")) }</li>
                </ul>
                <section class="settings-section">
                    <h2 class="section-head">{ t!(i18n, "settings-lock") }</h2>
                    <div class="field">
                        <label class="field-label" for="auto-lock">{ t!(i18n, "settings-auto-lock") }</label>
                        <span class="field-hint" id="auto-lock-hint">{ t!(i18n, "settings-auto-lock-hint") }</span>
                        <select class="field-box" id="auto-lock" aria-describedby="auto-lock-hint" onchange={on_auto_lock}>
                            { for minutes(settings.auto_lock_min).into_iter().map(|minutes| html! {
                                <option value={minutes.to_string()} selected={minutes == settings.auto_lock_min}>{ lock_text(&i18n, minutes) }</option>
                            }) }
                        </select>
                    </div>
                    <Button kind={ButtonKind::Second} onclick={lock}><Icon icon={IconName::Lock} /><span>{ t!(i18n, "settings-lock-now") }</span></Button>
                </section>
                <section class="settings-section">
                    <h2 class="section-head">{ t!(i18n, "settings-this-device") }</h2>
    <p>{ settings.device_name.clone() }</p>
                </section>
                <section class="settings-section">
                    <h2 class="section-head">{ t!(i18n, "settings-about") }</h2>
                    <p>{ t!(i18n, "settings-version", version = props.status.as_ref().map(|s| s.version.clone()).unwrap_or_default()) }</p>
                    <p class="small">{ t!(i18n, "settings-licences") }</p>
                </section>
            </>
        }
}

/// The offered minutes, with the stored one among them whatever it is.
fn minutes(stored: u16) -> Vec<u16> {
    let mut all: Vec<u16> = AUTO_LOCK_MIN.to_vec();
    if !all.contains(&stored) {
        all.insert(0, stored);
    }
    all
}

fn lock_text(i18n: &I18n, minutes: u16) -> String {
    if minutes == 0 {
        t!(i18n, "settings-auto-lock-never")
    } else {
        t!(i18n, "settings-auto-lock-after", count = minutes)
    }
}

fn way(to: Route, icon: IconName, title: &str, about: &str) -> Html {
    html! {
        <Link<Route> {to} classes="settings-row">
            <Icon {icon} />
            <span class="settings-words"><span class="settings-title">{ title.to_owned() }</span><span class="caption">{ about.to_owned() }</span></span>
            <Icon icon={IconName::ChevronRight} />
        </Link<Route>>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_time_that_is_not_offered_is_still_shown() {
        assert_eq!(minutes(7).first(), Some(&7), "it stands first");
        assert_eq!(minutes(0).len(), AUTO_LOCK_MIN.len(), "never is one of the offered");
    }
}
