//! The honesty line: how many things are on this device, sent, received. Never hidden when empty: zeros are information.

use mecum_api::{HonestyView, NoticeView, ReceiptState, SyncPhase, SyncView, Topic, command};
use yew::prelude::*;
use yew_router::prelude::*;

use super::{Icon, IconName, Notice, NoticeKind, ReceiptMark};
use crate::app::use_shell;
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// The counts in the order in which they fill.
fn counts(view: &HonestyView) -> [(ReceiptState, &'static str, u32); 3] {
    [
        (ReceiptState::Device, "receipt-device", view.device),
        (ReceiptState::Sent, "receipt-sent", view.sent),
        (ReceiptState::Received, "receipt-received", view.received),
    ]
}

/// One sentence about the exchange with the server.
pub fn sync_line(i18n: &I18n, sync: &SyncView) -> String {
    let time = || format::clock(sync.last_ms);
    match sync.phase {
        SyncPhase::NoServer => t!(i18n, "where-no-server"),
        SyncPhase::Offline if sync.last_ms > 0 => t!(i18n, "where-offline-since", time = time()),
        SyncPhase::Offline => t!(i18n, "where-offline"),
        SyncPhase::Working => t!(i18n, "where-working"),
        SyncPhase::UpToDate if sync.last_ms > 0 => t!(i18n, "where-up-to-date", time = time()),
        SyncPhase::UpToDate => t!(i18n, "where-nothing-waits"),
        SyncPhase::Refused => t!(i18n, "where-refused"),
    }
}

/// The notice beside which a check is offered.
const DAMAGED: &str = "notice-storage-damaged";

/// What was decided here and did not come to be, or waits to be done: a sentence each.
pub fn sync_notices(i18n: &I18n, sync: &SyncView) -> Html {
    let one = |notice: &NoticeView| {
        let who = if notice.who.is_empty() { t!(i18n, "notice-somebody") } else { notice.who.clone() };
        let text = t!(i18n, &notice.message_id, who = who);
        html! {
            <Notice kind={NoticeKind::Wait}>
                <p>{ text }</p>
                if notice.message_id == DAMAGED {
                    <Link<Route> to={Route::Data} classes="link">{ t!(i18n, "check-title") }</Link<Route>>
                }
            </Notice>
        }
    };
    sync.notices.iter().map(one).collect()
}

/// Counts and the state of the exchange, at the foot of the sidebar.
#[component]
pub fn Honesty() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let query = use_query::<command::Whereabouts>((), vec![Topic::Sync]);
    let Some(view) = query.data() else { return Html::default() };
    let onclick = Callback::from(move |_: MouseEvent| shell.open_where());
    html! {
        <section class="honesty-foot" aria-label={t!(i18n, "where-title")}>
            <button type="button" class="honesty-foot-button" aria-haspopup="dialog" {onclick}>
                <span class="honesty-foot-title">{ t!(i18n, "where-title") }</span>
                { for counts(&view.counts).into_iter().map(|(state, id, count)| html! {
                    <span class="honesty-foot-row"><ReceiptMark {state} /><span>{ i18n.text(id) }</span><strong>{ format::count(i18n.language(), count.into()) }</strong></span>
                }) }
            </button>
            <p class="caption" aria-live="polite">{ sync_line(&i18n, &view.sync) }</p>
        </section>
    }
}

/// One sentence above the page while there is no signal.
#[component]
pub fn OfflineLine() -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::SyncStatus>((), vec![Topic::Sync]);
    let offline = query.data().filter(|sync| sync.phase == SyncPhase::Offline);
    html! {
        <div role="status">
            if let Some(sync) = offline {
                <p class="offline-line"><Icon icon={IconName::WifiOff} small=true />{ sync_line(&i18n, &sync) }</p>
            }
        </div>
    }
}

/// What the line shows.
#[derive(Properties, PartialEq)]
pub struct HonestyLineProps {
    /// The counts.
    pub counts: HonestyView,
}

/// The counts in a line under the person bar, on phones.
#[component]
pub fn HonestyLine(props: &HonestyLineProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let onclick = Callback::from(move |_: MouseEvent| shell.open_where());
    html! {
        <button type="button" class="honesty-line" aria-haspopup="dialog" {onclick}>
            <span class="visually-hidden">{ t!(i18n, "where-title") }</span>
            { for counts(&props.counts).into_iter().map(|(state, id, count)| html! {
                <span class="honesty-cell">
                    <span class="honesty-count"><ReceiptMark {state} />{ format::count(i18n.language(), count.into()) }</span>
                    { " " }<span class="honesty-word">{ i18n.text(id) }</span>
                </span>
            }) }
        </button>
    }
}
