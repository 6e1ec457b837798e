//! The record as a timeline: newest first under years and months, with filters by type, a jump to a year, and what changed since the last look.

mod part;
mod row;

use std::rc::Rc;

use mecum_api::{TimelineArgs, TimelineView, Topic, command};
use mecum_domain::KindGroup;
use yew::prelude::*;
use yew_router::prelude::*;

use self::part::TimelinePart;
use super::answer::answered;
use super::changes::ChangesPanel;
use super::head::PageHead;
use super::words::group_name;
use crate::app::use_shell;
use crate::components::{Chip, Empty, Icon, IconName};
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
    let args = TimelineArgs { chart, groups: shown.groups.clone(), year: shown.year, offset: 0, limit: ROWS };
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
    let on_choose = {
        let shown = shown.clone();
        Callback::from(move |groups| shown.set(Shown { groups, ..Shown::default() }))
    };
    html! {
        <div class="page page-record">
            <div class="record-head">
                <PageHead title={t!(i18n, "record-title")} note={note}>
                    <Link<Route> to={Route::Import} classes="button button-second record-import">
                        <Icon icon={IconName::FileInput} />
                        <span>{ t!(i18n, "record-import") }</span>
                    </Link<Route>>
                    <Link<Route> to={Route::Add { kind: "new".into() }} classes="button button-main">
                        <Icon icon={IconName::Plus} />
                        <span class="for-phone">{ t!(i18n, "record-add-short") }</span>
                        <span class="for-laptop">{ t!(i18n, "record-add") }</span>
                    </Link<Route>>
                </PageHead>
            </div>
            if let Some(view) = head.data().filter(|view| view.all > 0) {
                <div class="record-tools">
                    <Filters view={view.clone()} chosen={shown.groups.clone()} on_choose={on_choose} />
                    { years(&i18n, &view, &shown) }
                </div>
            }
            <ChangesPanel {chart} />
            <div class="record-main">
                { answered(&i18n, &head, &t!(i18n, "record-opening"), |view| body(&i18n, &name, &view, &args, &shown)) }
            </div>
        </div>
    }
}

fn body(
    i18n: &I18n,
    name: &str,
    view: &TimelineView,
    args: &TimelineArgs,
    shown: &UseStateHandle<Shown>,
) -> Html {
    if view.all == 0 {
        return html! {
            <Empty icon={IconName::Book} title={t!(i18n, "record-empty-title")} text={t!(i18n, "record-empty-text", name = name)}>
                <Link<Route> to={Route::Import} classes="link">{ t!(i18n, "record-import") }</Link<Route>>
                <Link<Route> to={Route::Add { kind: "new".into() }} classes="link">{ t!(i18n, "record-add") }</Link<Route>>
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

/// Filters shown on phones; the others stand behind the filter chip there.
const FIRST_GROUPS: &[KindGroup] = &[KindGroup::Results, KindGroup::Medicines, KindGroup::Visits];

#[derive(Properties, PartialEq)]
struct FiltersProps {
    view: Rc<TimelineView>,
    chosen: Vec<KindGroup>,
    on_choose: Callback<Vec<KindGroup>>,
}

#[component]
fn Filters(props: &FiltersProps) -> Html {
    let i18n = use_i18n();
    let open = use_state(|| false);
    let chosen = &props.chosen;
    let chip = |group: KindGroup| {
        let pressed = chosen.contains(&group);
        let mut next = chosen.clone();
        if pressed {
            next.retain(|g| *g != group);
        } else {
            next.push(group);
        }
        html! { <Chip {pressed} onclick={props.on_choose.reform(move |_: MouseEvent| next.clone())}>{ group_name(&i18n, group) }</Chip> }
    };
    let filled = |first: bool| {
        let view = &props.view;
        view.groups
            .iter()
            .filter(|g| g.count > 0)
            .map(|g| g.group)
            .filter(move |g| FIRST_GROUPS.contains(g) == first)
    };
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    html! {
        <div class={classes!("chips", open.then_some("chips-open"))} role="group" aria-label={t!(i18n, "record-filter")}>
            <Chip pressed={chosen.is_empty()} onclick={props.on_choose.reform(|_: MouseEvent| Vec::new())}>{ t!(i18n, "record-all") }</Chip>
            { for filled(true).map(chip) }
            { for filled(false).map(|group| html! { <span class="chip-extra">{ chip(group) }</span> }) }
            if filled(false).next().is_some() {
                <button type="button" class="chip chip-filter" aria-expanded={if *open { "true" } else { "false" }} onclick={toggle}>
                    <Icon icon={IconName::Filter} small=true />
                    <span class="visually-hidden">{ t!(i18n, "record-filter-more") }</span>
                </button>
            }
        </div>
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
        move |year: Option<i16>| shown.set(Shown { year, groups: shown.groups.clone(), parts: 0 })
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
