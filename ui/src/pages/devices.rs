//! The account's devices and the exchange with the server: what is connected, when it last answered, and how to add a device.

mod change;
mod server;

use mecum_api::{DeviceView, SyncPhase, Topic, command};
use yew::prelude::*;
use yew_router::prelude::*;

use self::change::{RemoveButton, RenameButton};
use self::server::ServerPart;
use super::answer::answered;
use super::head::PageHead;
use crate::components::{Icon, IconName};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// The page.
#[component]
pub fn DevicesPage() -> Html {
    let i18n = use_i18n();
    let devices = use_query::<command::DeviceList>((), vec![Topic::Devices, Topic::Sync]);
    let sync = use_query::<command::SyncStatus>((), vec![Topic::Sync]);
    let connected = sync.data().is_some_and(|view| view.phase != SyncPhase::NoServer);
    html! {
        <div class="page page-column">
            <PageHead title={t!(i18n, "devices-title")} back={Route::Settings} />
            <p class="lead">{ t!(i18n, "devices-intro") }</p>
            <section>
                <h2 class="section-head">{ t!(i18n, "devices-list") }</h2>
                { answered(&i18n, &devices, &t!(i18n, "devices-opening"), |list| html! {
                    <ul class="device-list" role="list">{ for list.iter().map(|device| row(&i18n, device, &devices.reload())) }</ul>
                }) }
                if connected {
                    <Link<Route> to={Route::Pair} classes="link">{ t!(i18n, "devices-add") }</Link<Route>>
                } else if sync.data().is_some() {
                    <p class="small">{ t!(i18n, "devices-add-needs-server") }</p>
                }
            </section>
            <section>
                <h2 class="section-head">{ t!(i18n, "devices-server") }</h2>
                { answered(&i18n, &sync, &t!(i18n, "devices-opening"), |view| html! { <ServerPart view={(*view).clone()} /> }) }
            </section>
        </div>
    }
}

fn row(i18n: &I18n, device: &DeviceView, on_changed: &Callback<()>) -> Html {
    let when = format::instant_near(i18n.language(), device.last_ms, format::local_day(format::now_ms()));
    let last = if device.last_ms > 0 {
        t!(i18n, "devices-last", when = when)
    } else {
        t!(i18n, "devices-last-unknown")
    };
    let note = match (device.this, device.last_ms > 0) {
        (true, true) => format!("{}. {last}", t!(i18n, "devices-this")),
        (true, false) => t!(i18n, "devices-this"),
        (false, _) => last,
    };
    // The name is all that is known of another device: a phone says so in it.
    let name = format::lower(&device.name);
    let icon = if ["phone", "ponsel", "hp"].iter().any(|word| name.contains(word)) {
        IconName::Smartphone
    } else {
        IconName::Laptop
    };
    html! {
        <li class="device-row" key={device.device.clone()}>
            <Icon {icon} />
            <span class="choice-body">
                <span class="device-name"><bdi>{ device.name.clone() }</bdi></span>
                <span class="small">{ note }</span>
                <span class="device-acts">
                    <RenameButton device={device.clone()} on_changed={on_changed.clone()} />
                    if !device.this { <RemoveButton device={device.clone()} on_changed={on_changed.clone()} /> }
                </span>
            </span>
        </li>
    }
}
