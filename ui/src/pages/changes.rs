//! What changed in the open record since the person last looked on this device: old and new values, who, where, when. Nothing is overwritten.

use mecum_api::{ChangeView, ChangesView, ChartArgs, Origin, SeenArgs, Topic, command};
use mecum_domain::{ChartId, Flag as Said};
use yew::prelude::*;
use yew_router::prelude::*;

use super::answer::answered;
use super::head::PageHead;
use super::members::may_write;
use super::words::{field_name, row_phrase, source_line, wire_word};
use crate::app::{Shell, use_shell};
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, Empty, Flag, Icon, IconName};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// Changes shown beside the timeline; the page of changes shows all.
const PANEL_CHANGES: usize = 4;

/// Whose changes.
#[derive(Properties, PartialEq)]
pub struct ChangesPanelProps {
    /// The chart.
    pub chart: ChartId,
}

/// Marks the changes of a chart as seen on this device.
#[hook]
fn use_seen(chart: ChartId) -> Callback<MouseEvent> {
    let (backend, shell, i18n) = (use_backend(), use_shell(), use_i18n());
    Callback::from(move |_| {
        let (backend, shell, done) = (backend.clone(), shell.clone(), t!(i18n, "changes-seen-done"));
        wasm_bindgen_futures::spawn_local(async move {
            match backend.call::<command::ChangesSeen>(SeenArgs { chart }).await {
                Ok(()) => shell.toast(done, None),
                Err(error) => shell.problem(&error),
            }
        });
    })
}

/// The first changes, beside the timeline on wide screens and above it on phones. Nothing is drawn when nothing changed.
#[component]
pub fn ChangesPanel(props: &ChangesPanelProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let chart = props.chart;
    let query = use_query::<command::Changes>(ChartArgs { chart }, vec![Topic::Record { chart }]);
    let seen = use_seen(chart);
    let Some(view) = query.data().filter(|view| view.total > 0) else { return Html::default() };
    let when = since(&i18n, &view);
    html! {
        <aside class="changes-panel" aria-labelledby="changes-panel-title">
            <div class="changes-panel-head">
                <h2 id="changes-panel-title">{ t!(i18n, "changes-since") }</h2>
                if let Some(when) = when {
                    <span class="caption">{ when }</span>
                }
            </div>
            <p class="caption changes-panel-note">{ t!(i18n, "changes-note") }</p>
            <ul class="changes-list" role="list">
                { for view.changes.iter().take(PANEL_CHANGES).map(|change| change_item(&i18n, &shell, change)) }
            </ul>
            <p class="changes-panel-all">
                <Link<Route> to={Route::Changes} classes="link">{ t!(i18n, "changes-see-all", count = view.total) }</Link<Route>>
            </p>
            <Button kind={ButtonKind::Second} onclick={seen}>{ t!(i18n, "changes-seen") }</Button>
        </aside>
    }
}

/// All changes, those from files apart from those of the family.
#[component]
pub fn ChangesPage() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let chart = shell.chart_id();
    let query = use_query::<command::Changes>(ChartArgs { chart }, vec![Topic::Record { chart }]);
    let seen = use_seen(chart);
    html! {
        <div class="page page-task">
            <PageHead title={t!(i18n, "changes-title")} back={Route::Record} />
            { answered(&i18n, &query, &t!(i18n, "record-opening"), |view| {
                if view.total == 0 {
                    return html! {
                        <Empty icon={IconName::Check} title={t!(i18n, "changes-none-title")} text={t!(i18n, "changes-none-text")}>
                            <Link<Route> to={Route::Record} classes="link">{ t!(i18n, "changes-back") }</Link<Route>>
                        </Empty>
                    };
                }
                let intro = since(&i18n, &view)
                    .map_or_else(|| t!(i18n, "changes-since-never"), |when| t!(i18n, "changes-since-when", when = when));
                let left = usize::try_from(view.total).unwrap_or_default().saturating_sub(view.changes.len());
                html! {
                    <>
                        <p class="lead">{ intro }</p>
                        { group(&i18n, &shell, &view, Origin::Import, "changes-by-files") }
                        { group(&i18n, &shell, &view, Origin::Family, "changes-by-family") }
                        if left > 0 {
                            <p class="caption">{ t!(i18n, "changes-more", count = left) }</p>
                        }
                        <div class="action-bar">
                            <Button kind={ButtonKind::Main} onclick={seen.clone()}>{ t!(i18n, "changes-seen") }</Button>
                        </div>
                    </>
                }
            }) }
        </div>
    }
}

fn since(i18n: &I18n, view: &ChangesView) -> Option<String> {
    let today = format::local_day(format::now_ms());
    (view.since_ms > 0).then(|| format::instant_near(i18n.language(), view.since_ms, today))
}

fn group(i18n: &I18n, shell: &Shell, view: &ChangesView, origin: Origin, title: &str) -> Html {
    let changes: Vec<&ChangeView> = view.changes.iter().filter(|c| c.row.source.origin == origin).collect();
    if changes.is_empty() {
        return Html::default();
    }
    html! {
        <section class="changes-group">
            <h2 class="section-head">{ i18n.text(title) }<span class="section-count">{ changes.len() }</span></h2>
            <ul class="changes-list" role="list">{ for changes.into_iter().map(|change| change_item(i18n, shell, change)) }</ul>
        </section>
    }
}

/// One change: what, old to new, who and when. A value that was replaced is struck out; one in a clash is still possible and never is.
fn change_item(i18n: &I18n, shell: &Shell, change: &ChangeView) -> Html {
    let row = &change.row;
    let language = i18n.language();
    let (title, value) = row_phrase(i18n, row);
    let title = change
        .field
        .map_or(title.clone(), |field| format!("{title}, {}", format::lower(&field_name(i18n, field))));
    let clash = change.field.filter(|field| row.flag == Said::Clash && field.is_safety());
    let icon = match change.field {
        None => IconName::Plus,
        Some(_) if clash.is_some() => IconName::GitCompare,
        Some(_) => IconName::FilePen,
    };
    let today = format::local_day(format::now_ms());
    let at = format::instant_near(language, change.by.at_ms, today);
    let who = match row.source.origin {
        Origin::Family => change.by.author.clone(),
        Origin::Import => source_line(i18n, row),
    };
    let device = if row.source.origin == Origin::Import {
        String::new()
    } else if change.by.own {
        t!(i18n, "source-this-device")
    } else {
        change.by.device.clone()
    };
    let by = [who, device].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    html! {
        <li class="change" key={format!("{}-{:?}-{}", row.entry, change.field, change.by.at_ms)}>
            <Icon {icon} />
            <div class="change-body">
                <Link<Route> to={Route::Entry { entry: row.entry.clone() }} classes="change-title"><bdi>{ title }</bdi></Link<Route>>
                <div class="change-value">
                    if let Some(field) = clash.filter(|_| may_write(shell, row.kind)) {
                        <Link<Route> to={Route::Settle { entry: row.entry.clone(), field: wire_word(field) }} classes="link">
                            { t!(i18n, "changes-settle") }
                        </Link<Route>>
                    } else if clash.is_some() {
                        { t!(i18n, "changes-clash") }
                    } else if change.field.is_some() {
                        { before_after(i18n, change) }
                    } else if let Some(value) = value {
                        <strong><bdi>{ value }</bdi></strong>
                        <Flag flag={row.flag} />
                    }
                </div>
                <div class="caption"><bdi>{ by.clone() }</bdi>{ if by.is_empty() { "" } else { ", " } }<span class="unbroken">{ at }</span></div>
            </div>
        </li>
    }
}

fn before_after(i18n: &I18n, change: &ChangeView) -> Html {
    let language = i18n.language();
    html! {
        <>
            if let Some(before) = change.before.as_ref().filter(|b| !b.is_empty()) {
                <s class="change-before"><bdi>{ format::number(language, before) }</bdi></s>
                <Icon icon={IconName::ArrowRight} small=true />
                <span class="visually-hidden">{ t!(i18n, "changes-to") }</span>
            }
            if let Some(after) = change.after.as_ref().filter(|a| !a.is_empty()) {
                <strong><bdi>{ format::number(language, after) }</bdi></strong>
            } else {
                <em>{ t!(i18n, "changes-cleared") }</em>
            }
        </>
    }
}
