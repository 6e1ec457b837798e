//! Home: what needs me today, for all of us; what is new; whose records these are.

use std::rc::Rc;

use mecum_api::domain::PartialDate;
use mecum_api::{
    ChartView, HomeView, LatestView, NeedKind, NeedView, SyncPhase, Topic, WrittenView, command,
};
use yew::prelude::*;
use yew_router::prelude::*;

use super::answer::answered;
use super::helpers::AskedNotice;
use super::medicines::clash::{is_dose, written_device};
use super::people::relation_line;
use super::words::{row_phrase, wire_word};
use crate::app::{Shell, use_shell};
use crate::components::honesty::{sync_line, sync_notices};
use crate::components::{
    Button, ButtonKind, Empty, Flag, HonestyLine, Icon, IconName, Notice, NoticeKind, Receipt, Tile, TileSize,
};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// The home page.
#[component]
pub fn HomePage() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let mut topics = vec![Topic::Charts, Topic::Sync, Topic::Devices];
    topics.extend(shell.charts().iter().map(|chart| Topic::Record { chart: chart.chart }));
    let query = use_query::<command::Home>((), topics);
    html! {
        <div class="page page-home">
            if let Some(view) = query.data() { <HonestyLine counts={view.honesty.clone()} /> }
            { answered(&i18n, &query, &t!(i18n, "home-opening"), |view| html! {
                <>
                    <div class="home-main">
                        if let Some(notice) = view.helpers_notice.clone() { <AskedNotice {notice} reload={query.reload()} /> }
                        <header class="home-head">
                            <h1 tabindex="-1">{ today(&i18n, &view.today) }</h1>
                            <p class="home-as-of">{ sync_line(&i18n, &view.sync) }</p>
                        </header>
                        if view.sync.phase == SyncPhase::Refused {
                            <Notice kind={NoticeKind::Urgent}><p>{ view.sync.message_id.as_ref().map_or_else(|| t!(i18n, "where-refused"), |id| i18n.text(id)) }</p></Notice>
                        } else if let Some(id) = &view.sync.message_id {
                            <Notice kind={NoticeKind::Wait}><p>{ i18n.text(id) }</p></Notice>
                        }
                        { sync_notices(&i18n, &view.sync) }
                        <Needs view={view.clone()} />
                        { latest(&i18n, &shell, &view) }
                    </div>
                    { family(&i18n, &shell, &view.charts) }
                </>
            }) }
        </div>
    }
}

/// "Tuesday 8 September".
fn today(i18n: &I18n, date: &str) -> String {
    let Some(day) = PartialDate::parse(date).and_then(|d| d.day()) else { return t!(i18n, "app-home") };
    let weekday = i18n.text(&format!("weekday-{}", day.weekday().to_monday_one_offset()));
    format!("{weekday} {} {}", day.day(), format::month(i18n.language(), day.month()))
}

fn chart_of<'a>(view: &'a HomeView, need: &NeedView) -> Option<&'a ChartView> {
    view.charts.iter().find(|c| c.chart == need.chart)
}

/// Things that ask for attention at once. Source: design principle 2.
const NEEDS: usize = 3;

#[derive(Properties, PartialEq)]
struct NeedsProps {
    view: Rc<HomeView>,
}

/// What needs the person: three at first, all of them with one press.
#[component]
fn Needs(props: &NeedsProps) -> Html {
    let (i18n, shell, view) = (&use_i18n(), &use_shell(), &props.view);
    let all = use_state(|| false);
    if view.needs.is_empty() {
        return html! {
            <section class="home-section">
                <h2 class="section-title">{ t!(i18n, "home-needs") }</h2>
                <p class="home-nothing"><Icon icon={IconName::Check} />{ t!(i18n, "home-nothing") }</p>
            </section>
        };
    }
    let shown = if *all { view.needs.len() } else { view.needs.len().min(NEEDS) };
    let more = view.needs.len() > shown;
    let onclick = Callback::from(move |_: MouseEvent| all.set(true));
    html! {
        <section class="home-section" aria-labelledby="home-needs">
            <h2 class="section-title" id="home-needs">
                { t!(i18n, "home-needs") }{ " " }
                <span class="section-count">{ t!(i18n, "home-needs-count", shown = shown, total = view.needs_total) }</span>
            </h2>
            <ul class="needs" role="list">
                { for view.needs.iter().take(shown).map(|need| need_row(i18n, shell, chart_of(view, need), need)) }
            </ul>
            if more {
                <button type="button" class="link-button" {onclick}>{ t!(i18n, "home-needs-all", total = view.needs.len()) }</button>
            }
        </section>
    }
}

fn need_row(i18n: &I18n, shell: &Shell, chart: Option<&ChartView>, need: &NeedView) -> Html {
    let language = i18n.language();
    let name = chart.map(|c| c.name.clone()).unwrap_or_default();
    let value = need.value.as_deref().map(|v| format::number(language, v));
    let title = match (need.kind, &value) {
        (NeedKind::Clash, _) if need.field.is_some_and(is_dose) => {
            t!(i18n, "need-clash-dose", title = need.title.as_str())
        }
        (NeedKind::Clash, _) => t!(i18n, "need-clash", title = need.title.as_str()),
        (NeedKind::Device, _) => t!(i18n, "need-device", name = need.title.as_str()),
        (NeedKind::Quarantine, _) => t!(i18n, "need-quarantine"),
        (NeedKind::Result, Some(value)) => format!("{}: {value}", need.title),
        (NeedKind::Result, None) => need.title.clone(),
    };
    let about = match need.kind {
        NeedKind::Clash => clash_about(i18n, need, true),
        NeedKind::Result => need.date.as_deref().map(|d| format::day(language, d)).unwrap_or_default(),
        NeedKind::Device => t!(i18n, "need-device-about"),
        NeedKind::Quarantine => t!(i18n, "need-quarantine-about"),
    };
    let (button, kind, to) = match need.kind {
        NeedKind::Clash => ("need-settle", ButtonKind::Main, settle_route(need)),
        NeedKind::Result => ("need-read", ButtonKind::Second, entry_route(need)),
        NeedKind::Device => ("need-look", ButtonKind::Main, Route::Pair),
        NeedKind::Quarantine => ("need-look", ButtonKind::Second, Route::Devices),
    };
    let onclick = {
        let (shell, chart) = (shell.clone(), need.chart);
        let same = shell.chart_id() == chart || matches!(need.kind, NeedKind::Device | NeedKind::Quarantine);
        Callback::from(move |_: MouseEvent| {
            if !same {
                shell.set_chart(chart);
            }
            shell.go(to.clone());
        })
    };
    html! {
        <li class="need" key={format!("{}-{:?}", need.entry.as_deref().unwrap_or_default(), need.kind)}>
            if let Some(chart) = chart {
                <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Small} />
            } else {
                <Icon icon={IconName::Laptop} />
            }
            <div class="need-words">
                <p class="need-title"><span class="visually-hidden">{ name }{ ": " }</span><bdi>{ title }</bdi>{ " " }<Flag flag={flag_of(need)} /></p>
                if need.kind == NeedKind::Clash {
                    <p class="need-about"><bdi class="for-phone">{ clash_about(i18n, need, false) }</bdi><bdi class="for-laptop">{ about }</bdi></p>
                } else {
                    <p class="need-about"><bdi>{ about }</bdi></p>
                }
            </div>
            <Button {kind} {onclick}>{ i18n.text(button) }<span class="visually-hidden">{ ": " }{ need.title.clone() }</span></Button>
        </li>
    }
}

/// What was written on which device, and on wide windows on which day.
fn clash_about(i18n: &I18n, need: &NeedView, with_day: bool) -> String {
    let language = i18n.language();
    let today = format::local_day(format::now_ms());
    let one = |w: &WrittenView| {
        let device = written_device(i18n, w);
        let value =
            w.value.as_deref().map_or_else(|| t!(i18n, "need-cleared"), |v| format::number(language, v));
        if !with_day || w.at_ms <= 0 {
            return t!(i18n, "need-wrote-short", device = device, value = value);
        }
        let when = format::day_near(language, &format::iso(format::local_day(w.at_ms)), today);
        t!(i18n, "need-wrote", device = device, value = value, when = when)
    };
    need.written.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// A clash is said by its title and its button already.
fn flag_of(need: &NeedView) -> mecum_api::domain::Flag {
    if need.kind == NeedKind::Clash { mecum_api::domain::Flag::None } else { need.flag }
}

/// Straight to the question; to the entry where it is not known which field is asked about.
fn settle_route(need: &NeedView) -> Route {
    match (&need.entry, need.field) {
        (Some(entry), Some(field)) => Route::Settle { entry: entry.clone(), field: wire_word(field) },
        _ => entry_route(need),
    }
}

fn entry_route(need: &NeedView) -> Route {
    need.entry.clone().map_or(Route::Record, |entry| Route::Entry { entry })
}

fn latest(i18n: &I18n, shell: &Shell, view: &HomeView) -> Html {
    if view.latest.is_empty() {
        return html! {
            <Empty icon={IconName::Book} title={t!(i18n, "home-empty-title")} text={t!(i18n, "home-empty-text")}>
                <Link<Route> to={Route::Import} classes="link">{ t!(i18n, "home-import") }</Link<Route>>
                <Link<Route> to={Route::Add { kind: "new".into() }} classes="link">{ t!(i18n, "home-add") }</Link<Route>>
            </Empty>
        };
    }
    html! {
        <section class="home-section" aria-labelledby="home-latest">
            <div class="section-line">
                <h2 class="section-title" id="home-latest">{ t!(i18n, "home-latest") }</h2>
                <Link<Route> to={Route::Record} classes="link">{ t!(i18n, "home-all") }</Link<Route>>
            </div>
            <ul class="latest" role="list">{ for view.latest.iter().map(|item| latest_row(i18n, shell, view, item)) }</ul>
        </section>
    }
}

fn latest_row(i18n: &I18n, shell: &Shell, view: &HomeView, item: &LatestView) -> Html {
    let chart = view.charts.iter().find(|c| c.chart == item.chart);
    let row = &item.row;
    let (title, value) = row_phrase(i18n, row);
    let day = row.date.as_deref().and_then(PartialDate::parse).and_then(|d| d.day());
    let to = Route::Entry { entry: row.entry.clone() };
    let onclick = {
        let (shell, chart, to) = (shell.clone(), item.chart, to.clone());
        Callback::from(move |event: MouseEvent| {
            event.prevent_default();
            if shell.chart_id() != chart {
                shell.set_chart(chart);
            }
            shell.go(to.clone());
        })
    };
    let today = PartialDate::parse(&view.today).and_then(|d| d.day());
    let when = match (&row.date, today) {
        (Some(date), Some(today)) => format::day_near(i18n.language(), date, today),
        (Some(date), None) => format::day(i18n.language(), date),
        (None, _) => String::new(),
    };
    html! {
        <li key={format!("{}{}", item.chart, row.entry)}>
            <a class="latest-row" href={to.to_path()} {onclick}>
                <span class="latest-day">{ if day.is_some() { when } else { row.date.clone().unwrap_or_default() } }</span>
                if let Some(chart) = chart {
                    <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Row} />
                    <span class="visually-hidden">{ chart.name.clone() }</span>
                }
                <span class="latest-words"><bdi class="latest-title">{ title }</bdi>{ " " }if let Some(value) = value { <bdi>{ value }</bdi> }</span>
                <span class="latest-end">
                    <Flag flag={row.flag} />{ " " }<Receipt state={row.receipt} />
                </span>
            </a>
        </li>
    }
}

fn family(i18n: &I18n, shell: &Shell, charts: &[ChartView]) -> Html {
    html! {
        <aside class="home-side" aria-labelledby="home-family">
            <h2 class="section-title" id="home-family">{ t!(i18n, "home-family") }</h2>
            <ul class="family" role="list">
                { for charts.iter().map(|chart| {
                    let onclick = { let (shell, chart) = (shell.clone(), chart.chart); Callback::from(move |_: MouseEvent| { shell.set_chart(chart); shell.go(Route::Record); }) };
                    html! {
                        <li key={chart.chart.to_string()}>
                            <button type="button" class="family-row" {onclick}>
                                <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Small} />
                                <span class="family-words">
                                    <span class="family-name"><bdi>{ chart.name.clone() }</bdi>{ " " }<span class="family-relation">{ relation_line(i18n, chart) }</span></span>
                                    <span class="family-about">{ about_chart(i18n, chart) }</span>
                                </span>
                            </button>
                        </li>
                    }
                }) }
            </ul>
            <button type="button" class="link-button" onclick={let shell = shell.clone(); Callback::from(move |_: MouseEvent| shell.open_people())}>{ t!(i18n, "people-add") }</button>
        </aside>
    }
}

/// Conditions, or how much there is; a record that cannot be read says so here and nowhere else.
fn about_chart(i18n: &I18n, chart: &ChartView) -> String {
    if chart.unreadable {
        return t!(i18n, "people-unreadable");
    }
    if chart.entries == 0 {
        return t!(i18n, "people-nothing-yet");
    }
    let shown = format::count(i18n.language(), chart.entries.into());
    let entries = t!(i18n, "people-entries", count = chart.entries, shown = shown);
    if chart.conditions.is_empty() { entries } else { format!("{}. {entries}", chart.conditions.join(", ")) }
}
