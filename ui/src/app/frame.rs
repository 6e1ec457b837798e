//! The frame around every page: spine, person bar, sidebar or tab bar, and the layers above the page.

use mecum_api::ChartView;
use yew::prelude::*;
use yew_router::prelude::*;

use super::shell::{Shell, use_shell};
use crate::components::{
    Empty, ErrorBlock, Honesty, Icon, IconName, Logo, OfflineLine, Tile, TileSize, Toast,
};
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::members::may_add;
use crate::pages::people::{PeopleSheet, relation_line, use_chart_now};
use crate::pages::whereabouts::WhereSheet;
use crate::route::{Part, Route};

const PARTS: &[(Part, Route, IconName, &str)] = &[
    (Part::Home, Route::Home, IconName::Home, "app-home"),
    (Part::Record, Route::Record, IconName::Book, "app-record"),
    (Part::Visits, Route::Visits, IconName::Calendar, "app-visits"),
    (Part::Messages, Route::Messages, IconName::Messages, "app-messages"),
    (Part::Settings, Route::Settings, IconName::Settings, "app-settings"),
];

/// The staff workspace has ways of its own: no record of the staff's is open in it.
const DESK_PARTS: &[(Part, Route, IconName, &str)] = &[
    (Part::Desk, Route::Desk, IconName::Inbox, "desk-title"),
    (Part::Desk, Route::DeskCodes, IconName::QrCode, "desk-codes-short"),
    (Part::Home, Route::Home, IconName::Home, "desk-back"),
];

/// The parts that the page's frame leads to.
fn parts(route: &Route) -> &'static [(Part, Route, IconName, &'static str)] {
    if route.part() == Part::Desk { DESK_PARTS } else { PARTS }
}

/// Whether the page belongs to a part.
fn is_here(route: &Route, part: Part, to: &Route) -> bool {
    route.part() == part && (part != Part::Desk || (*to == Route::DeskCodes) == (*route == Route::DeskCodes))
}

const RECORD_PARTS: &[(Route, &str)] =
    &[(Route::Record, "app-timeline"), (Route::Results, "app-results"), (Route::Medicines, "app-medicines")];

/// The frame with the page of the address inside.
#[component]
pub(super) fn Frame() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let route = use_route::<Route>().unwrap_or(Route::Home);
    super::use_touch();
    use_focus_on_route(&route, &shell);
    let at_desk = route.part() == Part::Desk;
    let colour = match shell.chart() {
        _ if at_desk => "desk",
        Some(chart) => chart.colour.word(),
        None => "abu",
    };
    let (people, whereabouts) = (shell.people(), shell.whereabouts());
    let close = |state: &UseStateHandle<bool>| {
        let state = state.clone();
        Callback::from(move |()| state.set(false))
    };
    let skip = Callback::from(|event: MouseEvent| {
        event.prevent_default();
        focus("#main h1, #main");
    });
    html! {
        <div class={classes!("app", route.is_task().then_some("app-task"))} data-person={colour}>
            <a class="skip" href="#main" onclick={skip}>{ t!(i18n, "app-skip") }</a>
            <div class="spine" aria-hidden="true" />
            <nav class="sidebar" aria-label={t!(i18n, "app-navigation")}>
                <p class="brand"><Logo /><span>{ "Mecum" }</span></p>
                { sidebar(&i18n, &route) }
                <Honesty />
            </nav>
            <header class="person-bar">
                if at_desk { <p class="person-words"><span class="person-name">{ t!(i18n, "desk-workspace") }</span><span class="person-about">{ t!(i18n, "desk-workspace-about") }</span></p> } else { <Person /> }
            </header>
            <main class="main" id="main" tabindex="-1">
                if route != Route::Home { <OfflineLine /> }
                { problem(&shell) }
                { record_tabs(&i18n, &route) }
                <div class="main-page" key={shell.chart_id().to_string()}>{ super::page(route.clone()) }</div>
            </main>
            <nav class="tabs" aria-label={t!(i18n, "app-navigation")}>{ tabs(&i18n, &route) }</nav>
            <Toast />
            <PeopleSheet open={*people} on_close={close(&people)} />
            <WhereSheet open={*whereabouts} on_close={close(&whereabouts)} />
            <p class="visually-hidden" aria-live="polite">{ if at_desk { t!(i18n, "desk-workspace") } else { t!(i18n, "app-record-open", name = shell.chart_name()) } }</p>
        </div>
    }
}

/// Moves the focus to the first element that a selector finds.
pub fn focus(selector: &str) {
    use wasm_bindgen::JsCast;
    let found = gloo::utils::document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// A new page starts at its top with its heading focused, so that readers say where they are. Not on the first page of all.
#[hook]
fn use_focus_on_route(route: &Route, shell: &Shell) {
    let first = use_mut_ref(|| true);
    let problem = shell.problem_state();
    use_effect_with((route.clone(), shell.chart_id()), move |_| {
        if first.replace(false) {
            return;
        }
        if problem.is_some() {
            problem.set(None);
        }
        gloo::utils::window().scroll_to_with_x_and_y(0.0, 0.0);
        // The page draws its heading in the same task or after its first answer.
        gloo::timers::callback::Timeout::new(60, || focus("#main h1")).forget();
    });
}

fn sidebar(i18n: &I18n, route: &Route) -> Html {
    html! {
        <ul class="sidebar-list" role="list">
            { for parts(route).iter().map(|(part, to, icon, id)| {
                let here = is_here(route, *part, to);
                html! {
                    <li>
                        { nav_link(to, route == to, classes!("sidebar-link", here.then_some("sidebar-link-here")), html! { <><Icon icon={*icon} /><span>{ i18n.text(id) }</span></> }) }
                        if here && *part == Part::Record {
                            <ul class="sidebar-sub" role="list">
                                { for RECORD_PARTS.iter().map(|(to, id)| {
                                    let current = route.for_other_chart() == *to;
                                    html! { <li>{ nav_link(to, current, classes!("sidebar-sublink", current.then_some("sidebar-sublink-here")), html! { { i18n.text(id) } }) }</li> }
                                }) }
                            </ul>
                        }
                    </li>
                }
            }) }
        </ul>
    }
}

fn tabs(i18n: &I18n, route: &Route) -> Html {
    html! {
        <ul class="tabs-list" role="list">
            { for parts(route).iter().map(|(part, to, icon, id)| {
                let here = is_here(route, *part, to);
                html! { <li>{ nav_link(to, here, classes!("tab", here.then_some("tab-here")), html! { <><Icon icon={*icon} /><span>{ i18n.text(id) }</span></> }) }</li> }
            }) }
        </ul>
    }
}

/// Timeline, results and medicines as a row above the page, where there is no sidebar.
fn record_tabs(i18n: &I18n, route: &Route) -> Html {
    if !matches!(route, Route::Record | Route::Results | Route::Medicines) {
        return Html::default();
    }
    html! {
        <nav class="record-tabs" aria-label={t!(i18n, "app-record-parts")}>
            <ul class="record-tabs-list" role="list">
                { for RECORD_PARTS.iter().map(|(to, id)| html! {
                    <li>{ nav_link(to, route == to, classes!("record-tab"), html! { { i18n.text(id) } }) }</li>
                }) }
            </ul>
        </nav>
    }
}

/// A link that says whether it leads here: the router's own link has no `aria-current`.
fn nav_link(to: &Route, current: bool, class: Classes, inner: Html) -> Html {
    html! { <NavLink to={to.clone()} {current} {class}>{ inner }</NavLink> }
}

#[derive(Properties, PartialEq)]
struct NavLinkProps {
    to: Route,
    current: bool,
    class: Classes,
    children: Html,
}

#[component]
fn NavLink(props: &NavLinkProps) -> Html {
    let navigator = use_navigator();
    let onclick = {
        let to = props.to.clone();
        Callback::from(move |event: MouseEvent| {
            if event.ctrl_key() || event.meta_key() || event.shift_key() {
                return;
            }
            event.prevent_default();
            if let Some(navigator) = &navigator {
                navigator.push(&to);
            }
        })
    };
    let current = props.current.then_some("page");
    html! { <a href={props.to.to_path()} class={props.class.clone()} aria-current={current} {onclick}>{ props.children.clone() }</a> }
}

/// Whose record is open, and on wide windows what must not be overlooked about them.
#[component]
fn Person() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let route = use_route::<Route>().unwrap_or(Route::Home);
    let Some(chart) = use_chart_now(&shell) else { return Html::default() };
    html! { <>{ person_button(&i18n, &shell, &chart) }{ allergies(&i18n, &chart) }{ actions(&i18n, &shell, &route) }</> }
}

/// Who sees the record, and adding to it, at the end of the bar of wide windows. Elsewhere both stand beside the title.
fn actions(i18n: &I18n, shell: &Shell, route: &Route) -> Html {
    if route.part() != Part::Record || route.is_task() {
        return Html::default();
    }
    html! {
        <div class="person-actions">
            <Link<Route> to={Route::Members} classes="button button-second"><Icon icon={IconName::Share} /><span>{ t!(i18n, "members-link") }</span></Link<Route>>
            if *route == Route::Record && may_add(shell) {
                <Link<Route> to={Route::Add { kind: "new".into() }} classes="button button-main"><Icon icon={IconName::Plus} /><span>{ t!(i18n, "record-add") }</span></Link<Route>>
            }
        </div>
    }
}

/// Tile, name, relation: tapping it opens "Whose record?".
fn person_button(i18n: &I18n, shell: &Shell, chart: &ChartView) -> Html {
    let onclick = {
        let shell = shell.clone();
        Callback::from(move |_: MouseEvent| shell.open_people())
    };
    html! {
        <button type="button" class="person-button" aria-haspopup="dialog" {onclick}>
            <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Bar} />
            <span class="person-words">
                <span class="person-name"><bdi>{ chart.name.clone() }</bdi><span class="for-phone"><Icon icon={IconName::ChevronDown} small=true /></span><span class="for-laptop"><Icon icon={IconName::ChevronsUpDown} small=true /></span></span>
                <span class="person-about">
                    { relation_line(i18n, chart) }
                    if !chart.conditions.is_empty() { <span class="for-laptop">{ ". " }{ chart.conditions.join(", ") }</span> }
                </span>
            </span>
            <span class="visually-hidden">{ t!(i18n, "people-switch") }</span>
        </button>
    }
}

/// The open record's allergies at the end of the bar, where the window is wide enough for them.
fn allergies(i18n: &I18n, chart: &ChartView) -> Html {
    if chart.allergies.is_empty() {
        return Html::default();
    }
    let what = chart.allergies.join("; ");
    let text = if chart.allergies.len() == 1 {
        t!(i18n, "medicines-allergy", what = what)
    } else {
        t!(i18n, "medicines-allergies", what = what)
    };
    html! { <p class="person-allergies"><Icon icon={IconName::OctagonAlert} small=true /><bdi>{ text }</bdi></p> }
}

fn problem(shell: &Shell) -> Html {
    let problem = shell.problem_state();
    let Some(error) = (*problem).clone() else { return Html::default() };
    let on_close = Callback::from(move |()| problem.set(None));
    html! { <div class="main-problem"><ErrorBlock {error} {on_close} /></div> }
}

/// An address that leads nowhere.
#[component]
pub(super) fn MissingPage() -> Html {
    let i18n = use_i18n();
    html! {
        <div class="page page-column">
            <h1 tabindex="-1">{ t!(i18n, "app-missing-title") }</h1>
            <Empty icon={IconName::Info} title={t!(i18n, "app-missing-head")} text={t!(i18n, "app-missing-text")}>
                <Link<Route> to={Route::Home} classes="link">{ t!(i18n, "app-to-home") }</Link<Route>>
            </Empty>
        </div>
    }
}
