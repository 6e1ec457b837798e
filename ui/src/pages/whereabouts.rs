//! "Where your things are": every recent item by how far it has got, never further than is true.

use mecum_api::{ReceiptState, SyncPhase, Topic, WhereItem, WhereView, command};
use yew::prelude::*;

use super::answer::answered;
use crate::app::{Shell, use_shell};
use crate::backend::use_backend;
use crate::components::honesty::{sync_line, sync_notices};
use crate::components::{
    Button, ButtonKind, Icon, IconName, Notice, NoticeKind, ReceiptMark, Sheet, Tile, TileSize,
};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// Items of each state that are shown before the rest is asked for.
const SHOWN: usize = 4;

/// A layer of the shell.
#[derive(Properties, PartialEq)]
pub struct WhereSheetProps {
    /// It is open.
    pub open: bool,
    /// It was closed.
    pub on_close: Callback<()>,
}

/// The sheet. Asks only while it is open.
#[component]
pub fn WhereSheet(props: &WhereSheetProps) -> Html {
    let i18n = use_i18n();
    html! {
        <Sheet open={props.open} title={t!(i18n, "where-title")} on_close={props.on_close.clone()}>
            <WhereBody on_close={props.on_close.clone()} />
        </Sheet>
    }
}

#[derive(Properties, PartialEq)]
struct WhereBodyProps {
    on_close: Callback<()>,
}

#[component]
fn WhereBody(props: &WhereBodyProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let query = use_query::<command::Whereabouts>((), vec![Topic::Sync]);
    let exchange = {
        let shell = shell.clone();
        Callback::from(move |_: MouseEvent| {
            let (shell, backend) = (shell.clone(), backend.clone());
            wasm_bindgen_futures::spawn_local(async move {
                if let Err(error) = backend.call::<command::SyncNow>(()).await {
                    shell.problem(&error);
                }
            });
        })
    };
    let to_devices = {
        let (shell, on_close) = (shell.clone(), props.on_close.clone());
        Callback::from(move |_: MouseEvent| {
            on_close.emit(());
            shell.go(Route::Devices);
        })
    };
    answered(&i18n, &query, &t!(i18n, "where-opening"), |view| {
        let phase = view.sync.phase;
        html! {
            <>
                { notice(&i18n, &view) }
                { for [ReceiptState::Device, ReceiptState::Sent, ReceiptState::Received].map(|state| section(&i18n, &shell, &view, state, &props.on_close)) }
                <div class="sheet-buttons">
                    if phase == SyncPhase::NoServer {
                        <Button kind={ButtonKind::Second} onclick={to_devices}><Icon icon={IconName::Server} /><span>{ t!(i18n, "where-connect") }</span></Button>
                    } else {
                        <Button kind={ButtonKind::Second} onclick={exchange} working={phase == SyncPhase::Working}><Icon icon={IconName::Refresh} /><span>{ t!(i18n, "where-exchange") }</span></Button>
                    }
                </div>
            </>
        }
    })
}

fn notice(i18n: &I18n, view: &WhereView) -> Html {
    let sync = &view.sync;
    let (kind, text) = match sync.phase {
        SyncPhase::Offline if view.counts.device > 0 => {
            (NoticeKind::Offline, t!(i18n, "where-offline-waits", count = view.counts.device))
        }
        SyncPhase::Offline => (NoticeKind::Offline, t!(i18n, "where-offline-nothing-waits")),
        SyncPhase::NoServer => (NoticeKind::Plain, t!(i18n, "where-no-server-text")),
        SyncPhase::Refused => {
            (NoticeKind::Urgent, sync.message_id.as_ref().map(|id| i18n.text(id)).unwrap_or_default())
        }
        SyncPhase::Working | SyncPhase::UpToDate => (NoticeKind::Plain, String::new()),
    };
    html! {
        <>
            <Notice {kind}><p><strong>{ sync_line(i18n, sync) }</strong>{ " " }{ text }</p></Notice>
            { sync_notices(i18n, sync) }
            if sync.quarantined > 0 {
                <Notice kind={NoticeKind::Wait}><p>{ t!(i18n, "where-quarantined", count = sync.quarantined) }</p></Notice>
            }
        </>
    }
}

fn section(
    i18n: &I18n,
    shell: &Shell,
    view: &WhereView,
    state: ReceiptState,
    on_close: &Callback<()>,
) -> Html {
    let (heading, count) = match state {
        ReceiptState::Device => ("where-device", view.counts.device),
        ReceiptState::Sent => ("where-sent", view.counts.sent),
        ReceiptState::Received => ("where-received", view.counts.received),
    };
    let items: Vec<&WhereItem> = view.items.iter().filter(|item| item.state == state).collect();
    let shown: u32 = items.iter().map(|item| item.things).fold(0, u32::saturating_add);
    html! {
        <section class="where-section">
            <h3 class="where-heading">{ i18n.text(heading) }{ " " }<span class="section-count">{ format::count(i18n.language(), count.into()) }</span></h3>
            if items.is_empty() {
                <p class="caption">{ t!(i18n, "where-none") }</p>
            } else {
                <ul class="where-list" role="list">{ for items.iter().take(SHOWN).map(|item| row(i18n, shell, item, on_close)) }</ul>
                if items.len() > SHOWN {
                    <details class="where-more">
                        <summary>{ t!(i18n, "where-more", count = items.len() - SHOWN) }</summary>
                        <ul class="where-list" role="list">{ for items.iter().skip(SHOWN).map(|item| row(i18n, shell, item, on_close)) }</ul>
                    </details>
                }
            }
            if shown > 0 && count > shown { <p class="caption">{ t!(i18n, "where-newest", count = shown) }</p> }
        </section>
    }
}

/// "Blood pressure 138/82 mmHg"; of a file the first of many, and how many more.
fn what(i18n: &I18n, item: &WhereItem) -> Html {
    let value = item.value.as_deref().map(|value| format::number(i18n.language(), value));
    let more = item.things.saturating_sub(1);
    html! {
        <>
            <bdi>{ item.title.clone() }</bdi>
            if let Some(value) = value { { " " }<bdi>{ value }</bdi> }
            if more > 0 { { " " }{ t!(i18n, "where-and-more", count = more, shown = format::count(i18n.language(), more.into())) } }
        </>
    }
}

fn row(i18n: &I18n, shell: &Shell, item: &WhereItem, on_close: &Callback<()>) -> Html {
    let language = i18n.language();
    let about = match item.state {
        ReceiptState::Device => t!(i18n, "where-written", when = format::instant(language, item.at_ms)),
        ReceiptState::Sent => {
            t!(i18n, "where-sent-at", when = format::instant(language, item.sent_ms.unwrap_or(item.at_ms)))
        }
        ReceiptState::Received => item.by.as_deref().map_or_else(
            || t!(i18n, "where-written", when = format::instant(language, item.at_ms)),
            |by| {
                t!(
                    i18n,
                    "where-received-by",
                    by = by,
                    when = format::instant(language, item.sent_ms.unwrap_or(item.at_ms))
                )
            },
        ),
    };
    let chart = shell.charts().iter().find(|c| c.chart == item.chart).cloned();
    let inner = html! {
        <>
            <ReceiptMark state={item.state} />
            <span class="where-words"><span class="where-title">{ what(i18n, item) }</span><span class="caption">{ about }</span></span>
            if let Some(chart) = chart {
                <Tile letters={chart.letters} colour={chart.colour} size={TileSize::Row} />
                <span class="visually-hidden">{ chart.name }</span>
            }
        </>
    };
    let Some(entry) = item.entry.clone() else { return html! { <li class="where-row">{ inner }</li> } };
    let onclick = {
        let (shell, on_close, chart) = (shell.clone(), on_close.clone(), item.chart);
        Callback::from(move |_: MouseEvent| {
            on_close.emit(());
            if shell.chart_id() != chart {
                shell.set_chart(chart);
            }
            shell.go(Route::Entry { entry: entry.clone() });
        })
    };
    html! { <li><button type="button" class="where-row where-button" {onclick}>{ inner }</button></li> }
}
