//! The record as a timeline: newest first under years and months, with filters by type, author and place, a jump to a year, and what changed since the last look.

mod filters;
mod part;
mod row;

use mecum_api::{TimelineArgs, TimelineView, Topic, command};
use mecum_domain::KindGroup;
use yew::prelude::*;
use yew_router::prelude::*;

use self::filters::Filters;
use self::part::TimelinePart;
use super::answer::answered;
use super::changes::ChangesPanel;
use super::head::PageHead;
use super::members::{SharedLine, may_add, may_import};
use crate::app::{Shell, use_shell};
use crate::components::{Empty, Icon, IconName};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// Rows asked for at once.
const ROWS: u32 = 50;
/// Years offered as links; the rest stand in a list.
const YEARS_SHOWN: usize = 5;

/// What the person asked to see.
#[derive(Clone, Debug, Default, PartialEq)]
struct Shown {
    groups: Vec<KindGroup>,
    author: Option<String>,
    place: Option<String>,
    year: Option<i16>,
    parts: u32,
}

/// The timeline of the open chart.
#[component]
pub fn RecordPage() -> Html {
    let i18n = use_i18n();
    let shell = use_shell();
    let chart = shell.chart_id();
    let shown = use_state(Shown::default);
    {
        let shown = shown.clone();
        use_effect_with(chart, move |_| shown.set(Shown::default()));
    }
    let args = TimelineArgs {
        chart,
        groups: shown.groups.clone(),
        author: shown.author.clone(),
        place: shown.place.clone(),
        year: shown.year,
        offset: 0,
        limit: ROWS,
    };
    let head = use_query::<command::Timeline>(args.clone(), vec![Topic::Record { chart }]);
    let all = head.data().map(|view| view.all);
    let note = all.map(|all| {
        AttrValue::from(t!(
            i18n,
            "record-count",
            count = all,
            shown = format::count(i18n.language(), all.into())
        ))
    });
    let name = shell.chart_name();
    let (import, add) = (may_import(&shell), may_add(&shell));
    let on_choose = {
        let shown = shown.clone();
        Callback::from(move |chosen| shown.set(chosen))
    };
    html! {
        <div class="page page-record">
            <div class="record-head">
                <PageHead title={t!(i18n, "record-title")} note={note}>
                    <Link<Route> to={Route::Members} classes="button button-second record-members in-bar">
                        <Icon icon={IconName::Share} />
                        <span>{ t!(i18n, "members-link") }</span>
                    </Link<Route>>
                    if import {
                        <Link<Route> to={Route::Import} classes="button button-second record-import">
                            <Icon icon={IconName::FileInput} />
                            <span>{ t!(i18n, "record-import") }</span>
                        </Link<Route>>
                    }
                    if add {
                        <Link<Route> to={Route::Add { kind: "new".into() }} classes="button button-main in-bar">
                            <Icon icon={IconName::Plus} />
                            <span>{ t!(i18n, "record-add-short") }</span>
                        </Link<Route>>
                    }
                </PageHead>
                <SharedLine />
            </div>
            if let Some(view) = head.data().filter(|view| view.all > 0) {
                <div class="record-tools">
                    <Filters view={view.clone()} shown={(*shown).clone()} on_choose={on_choose} />
                    { years(&i18n, &view, &shown) }
                </div>
            }
            <ChangesPanel {chart} />
            <div class="record-main">
                { answered(&i18n, &head, &t!(i18n, "record-opening"), |view| body(&i18n, &shell, &name, &view, &args, &shown)) }
            </div>
        </div>
    }
}

fn body(
    i18n: &I18n,
    shell: &Shell,
    name: &str,
    view: &TimelineView,
    args: &TimelineArgs,
    shown: &UseStateHandle<Shown>,
) -> Html {
    if view.all == 0 {
        return html! {
            <Empty icon={IconName::Book} title={t!(i18n, "record-empty-title")} text={t!(i18n, "record-empty-text", name = name)}>
                if may_import(shell) {
                    <Link<Route> to={Route::Import} classes="link">{ t!(i18n, "record-import") }</Link<Route>>
                    <Link<Route> to={Route::Add { kind: "new".into() }} classes="link">{ t!(i18n, "record-add") }</Link<Route>>
                }
            </Empty>
        };
    }
    if view.rows.is_empty() {
        return html! {
            <Empty icon={IconName::Book} title={t!(i18n, "record-empty-filter-title")} text={t!(i18n, "record-empty-filter-text")}>
                { show_all(i18n, shown) }
            </Empty>
        };
    }
    let more = {
        let shown = shown.clone();
        Callback::from(move |()| shown.set(Shown { parts: shown.parts + 1, ..(*shown).clone() }))
    };
    html! {
        <>
            { for (0..=shown.parts).map(|n| html! {
                <TimelinePart key={n} args={TimelineArgs { offset: n * ROWS, ..args.clone() }} last={n == shown.parts} on_more={more.clone()} />
            }) }
            { legend(i18n) }
        </>
    }
}

fn show_all(i18n: &I18n, shown: &UseStateHandle<Shown>) -> Html {
    let shown = shown.clone();
    html! {
        <button type="button" class="link-button" onclick={move |_| shown.set(Shown::default())}>{ t!(i18n, "record-show-all") }</button>
    }
}

/// Jump to a year: the newest as links, all others in one list.
fn years(i18n: &I18n, view: &TimelineView, shown: &UseStateHandle<Shown>) -> Html {
    if view.years.len() < 2 {
        return Html::default();
    }
    let go = {
        let shown = shown.clone();
        move |year: Option<i16>| shown.set(Shown { year, parts: 0, ..(*shown).clone() })
    };
    // All of them stand in the list too: phones show only the newest as links.
    let others = view.years.iter().collect::<Vec<_>>();
    let onchange = {
        let go = go.clone();
        Callback::from(move |event: Event| {
            let select: Option<web_sys::HtmlSelectElement> = event.target_dyn_into();
            go(select.and_then(|s| s.value().parse().ok()));
        })
    };
    let name = |year: i16| if year == 0 { t!(i18n, "record-year-unknown") } else { year.to_string() };
    html! {
        <nav class="years" aria-label={t!(i18n, "record-years")}>
            <span class="years-label" aria-hidden="true">{ t!(i18n, "record-years") }</span>
            if shown.year.is_some() {
                <button type="button" class="link-button" onclick={let go = go.clone(); move |_| go(None)}>{ t!(i18n, "record-year-all") }</button>
            }
            { for view.years.iter().take(YEARS_SHOWN).map(|counted| {
                let (year, go) = (counted.year, go.clone());
                let current = (shown.year == Some(year)).then_some("true");
                html! {
                    <button type="button" class="link-button" aria-current={current} onclick={move |_| go(Some(year))}>{ name(year) }</button>
                }
            }) }
            if others.len() > 3 {
                <select class="years-more" aria-label={t!(i18n, "record-year-other")} {onchange}>
                    <option value="" selected={shown.year.is_none()}>{ t!(i18n, "record-year-other") }</option>
                    { for others.iter().map(|counted| html! {
                        <option value={counted.year.to_string()} selected={shown.year == Some(counted.year)}>{ name(counted.year) }</option>
                    }) }
                </select>
            }
        </nav>
    }
}

fn legend(i18n: &I18n) -> Html {
    html! {
        <ul class="legend">
            <li><Icon icon={IconName::Lock} small=true />{ t!(i18n, "record-legend-lock") }</li>
            <li><Icon icon={IconName::Pencil} small=true />{ t!(i18n, "record-legend-pencil") }</li>
        </ul>
    }
}
