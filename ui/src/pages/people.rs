//! "Whose record?": switching, adding a person or changing one, settings and locking.

mod form;

use mecum_api::domain::Relation;
use mecum_api::{ChartView, Topic, command};
use yew::prelude::*;
use yew_router::prelude::*;

use self::form::PersonForm;
use super::members::may_rename;
use crate::app::{Shell, use_shell};
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, Icon, IconName, Sheet, Tile, TileSize};
use crate::i18n::{I18n, t, use_i18n};
use crate::query::{use_bus, use_query};
use crate::route::Route;

/// Relation, age and right in one line: "68, your mother, you manage this record".
pub fn relation_line(i18n: &I18n, chart: &ChartView) -> String {
    if let Some(from) = &chart.shared_by {
        let ended = chart.ended.is_some();
        return if ended {
            t!(i18n, "shared-ended-people")
        } else {
            t!(i18n, "shared-people", name = from.as_str())
        };
    }
    if chart.relation == Relation::Own {
        return t!(i18n, "people-own");
    }
    let relation = i18n.text(&format!("relation-{}", chart.relation.word()));
    if let Some(age) = chart.age {
        t!(i18n, "people-managed-age", age = age, relation = relation)
    } else {
        t!(i18n, "people-managed", relation = relation)
    }
}

/// The open record as it is now. The shell asks for its list when records come or go; allergies and conditions are entries,
/// so what is said of them has to follow every entry.
#[hook]
pub fn use_chart_now(shell: &Shell) -> Option<ChartView> {
    let id = shell.chart_id();
    let query = use_query::<command::ChartList>((), vec![Topic::Charts, Topic::Record { chart: id }]);
    let now = query.data().and_then(|all| all.iter().find(|chart| chart.chart == id).cloned());
    now.or_else(|| shell.chart().map(|chart| (*chart).clone()))
}

/// A layer of the shell.
#[derive(Properties, PartialEq)]
pub struct PeopleSheetProps {
    /// It is open.
    pub open: bool,
    /// It was closed.
    pub on_close: Callback<()>,
}

/// What is being written in the sheet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Nothing,
    /// A new record.
    New,
    /// Who the open record is about.
    Open,
}

/// The sheet.
#[component]
pub fn PeopleSheet(props: &PeopleSheetProps) -> Html {
    let (i18n, shell, backend, bus) = (use_i18n(), use_shell(), use_backend(), use_bus());
    let route = use_route::<Route>().unwrap_or(Route::Home);
    let writing = use_state(|| Writing::Nothing);
    {
        let writing = writing.clone();
        use_effect_with(props.open, move |_| writing.set(Writing::Nothing));
    }
    let write = |what: Writing| {
        let writing = writing.clone();
        Callback::from(move |_: MouseEvent| writing.set(what))
    };
    let on_edited = {
        let (shell, on_close) = (shell.clone(), props.on_close.clone());
        Callback::from(move |chart: ChartView| {
            on_close.emit(());
            // The name and the colour stand on every page: ask for the records anew.
            shell.set_chart(chart.chart);
        })
    };
    let on_added = {
        let (shell, on_close) = (shell.clone(), props.on_close.clone());
        Callback::from(move |chart: ChartView| {
            on_close.emit(());
            shell.set_chart(chart.chart);
            shell.go(Route::Record);
        })
    };
    let lock = {
        let (shell, on_close) = (shell.clone(), props.on_close.clone());
        Callback::from(move |_: MouseEvent| {
            on_close.emit(());
            let (backend, bus, shell) = (backend.clone(), bus.clone(), shell.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::VaultLock>(()).await {
                    Ok(_) => bus.tell(&[Topic::Vault]),
                    Err(error) => shell.problem(&error),
                }
            });
        })
    };
    let to = |page: Route| {
        let (shell, on_close) = (shell.clone(), props.on_close.clone());
        Callback::from(move |_: MouseEvent| {
            on_close.emit(());
            shell.go(page.clone());
        })
    };
    html! {
        <Sheet open={props.open} title={t!(i18n, "people-title")} on_close={props.on_close.clone()}>
            <ul class="people" role="list">
                { for shell.charts().iter().map(|chart| {
                    let current = chart.chart == shell.chart_id();
                    let onclick = {
                        let (shell, on_close, chart, to) = (shell.clone(), props.on_close.clone(), chart.chart, route.for_other_chart());
                        Callback::from(move |_: MouseEvent| {
                            on_close.emit(());
                            if !current {
                                shell.set_chart(chart);
                                shell.go(to.clone());
                            }
                        })
                    };
                    html! {
                        <li key={chart.chart.to_string()}>
                            <button type="button" class={if current { "people-row people-row-here" } else { "people-row" }} aria-current={current.then_some("true")} {onclick}>
                                <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Bar} />
                                <span class="people-words">
                                    <span class="people-name"><bdi>{ chart.name.clone() }</bdi></span>
                                    <span class="people-about">{ relation_line(&i18n, chart) }</span>
                                </span>
                                if chart.unreadable {
                                    <span class="flag flag-urgent"><Icon icon={IconName::OctagonAlert} small=true />{ t!(i18n, "people-unreadable-flag") }</span>
                                } else if chart.needs > 0 {
                                    <span class="flag flag-info">{ t!(i18n, "people-needs", count = chart.needs) }</span>
                                }
                                if current { <Icon icon={IconName::Check} /> }
                            </button>
                        </li>
                    }
                }) }
            </ul>
            { match *writing {
                Writing::New => html! { <PersonForm on_done={on_added} /> },
                Writing::Open if shell.chart().is_some() => html! { <PersonForm of={shell.chart()} on_done={on_edited} /> },
                _ => html! {
                    <div class="people-actions">
                        <Button kind={ButtonKind::Second} wide=true onclick={write(Writing::New)}><Icon icon={IconName::Plus} /><span>{ t!(i18n, "people-add") }</span></Button>
                        if shell.chart().is_some_and(|chart| !chart.unreadable && may_rename(&chart)) {
                            <Button kind={ButtonKind::Second} wide=true onclick={write(Writing::Open)}><Icon icon={IconName::Pencil} /><span>{ t!(i18n, "people-edit") }</span></Button>
                        }
                        <Button kind={ButtonKind::Second} onclick={to(Route::Members)}><Icon icon={IconName::Share} /><span>{ t!(i18n, "members-link") }</span></Button>
                        <Button kind={ButtonKind::Second} onclick={to(Route::Invitation)}><Icon icon={IconName::Mail} /><span>{ t!(i18n, "invitation-title") }</span></Button>
                        <Button kind={ButtonKind::Second} onclick={to(Route::Settings)}><Icon icon={IconName::Settings} /><span>{ t!(i18n, "app-settings") }</span></Button>
                        <Button kind={ButtonKind::Second} onclick={lock}><Icon icon={IconName::Lock} /><span>{ t!(i18n, "settings-lock-now") }</span></Button>
                    </div>
                },
            } }
        </Sheet>
    }
}
