//! "Whose record?": switching, adding a person, settings and locking.

use mecum_api::domain::Relation;
use mecum_api::{CallError, ChartCreateArgs, ChartView, command};
use yew::prelude::*;
use yew_router::prelude::*;

use crate::app::use_shell;
use crate::backend::use_backend;
use crate::components::{
    Button, ButtonKind, ErrorBlock, Field, FieldType, Icon, IconName, Sheet, Tile, TileSize,
};
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_bus;
use crate::route::Route;

/// Relation, age and right in one line: "68, your mother, you manage this record".
pub fn relation_line(i18n: &I18n, chart: &ChartView) -> String {
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

/// A layer of the shell.
#[derive(Properties, PartialEq)]
pub struct PeopleSheetProps {
    /// It is open.
    pub open: bool,
    /// It was closed.
    pub on_close: Callback<()>,
}

/// The sheet.
#[component]
pub fn PeopleSheet(props: &PeopleSheetProps) -> Html {
    let (i18n, shell, backend, bus) = (use_i18n(), use_shell(), use_backend(), use_bus());
    let route = use_route::<Route>().unwrap_or(Route::Home);
    let adding = use_state(|| false);
    {
        let adding = adding.clone();
        use_effect_with(props.open, move |_| adding.set(false));
    }
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
                    Ok(_) => bus.tell(&[mecum_api::Topic::Vault]),
                    Err(error) => shell.problem(&error),
                }
            });
        })
    };
    let to_settings = {
        let (shell, on_close) = (shell.clone(), props.on_close.clone());
        Callback::from(move |_: MouseEvent| {
            on_close.emit(());
            shell.go(Route::Settings);
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
            if *adding {
                <AddPerson {on_added} />
            } else {
                <div class="people-actions">
                    <Button kind={ButtonKind::Second} wide=true onclick={Callback::from(move |_| adding.set(true))}><Icon icon={IconName::Plus} /><span>{ t!(i18n, "people-add") }</span></Button>
                    <Button kind={ButtonKind::Second} onclick={to_settings}><Icon icon={IconName::Settings} /><span>{ t!(i18n, "app-settings") }</span></Button>
                    <Button kind={ButtonKind::Second} onclick={lock}><Icon icon={IconName::Lock} /><span>{ t!(i18n, "settings-lock-now") }</span></Button>
                </div>
            }
        </Sheet>
    }
}

#[derive(Properties, PartialEq)]
struct AddPersonProps {
    on_added: Callback<ChartView>,
}

/// A new record for somebody one looks after.
#[component]
fn AddPerson(props: &AddPersonProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let (name, born) = (use_state(String::new), use_state(String::new));
    let relation = use_state(|| Relation::Mother);
    let working = use_state(|| false);
    let tried = use_state(|| false);
    let error = use_state(|| None::<CallError>);
    let onsubmit = {
        let (name, born, relation, working, tried, error, on_added) = (
            name.clone(),
            born.clone(),
            relation.clone(),
            working.clone(),
            tried.clone(),
            error.clone(),
            props.on_added.clone(),
        );
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            if *working || name.trim().is_empty() {
                return;
            }
            working.set(true);
            let born = Some(born.trim().to_owned()).filter(|b| !b.is_empty());
            let args =
                ChartCreateArgs { name: name.trim().to_owned(), born, relation: *relation, colour: None };
            let (backend, working, error, on_added) =
                (backend.clone(), working.clone(), error.clone(), on_added.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::ChartCreate>(args).await {
                    Ok(chart) => on_added.emit(chart),
                    Err(refused) => {
                        working.set(false);
                        error.set(Some(refused));
                    }
                }
            });
        })
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    let choose = {
        let relation = relation.clone();
        Callback::from(move |event: Event| {
            if let Some(select) = event.target_dyn_into::<web_sys::HtmlSelectElement>() {
                relation.set(Relation::from_word(&select.value()));
            }
        })
    };
    let missing = (*tried && name.trim().is_empty()).then(|| AttrValue::from(t!(i18n, "first-name-missing")));
    html! {
        <form class="people-form" {onsubmit} novalidate={true}>
            <h3 class="section-title">{ t!(i18n, "people-add") }</h3>
            <Field id="person-name" label={t!(i18n, "first-name")} value={(*name).clone()} error={missing} focus=true oninput={set(&name)} />
            <div class="field">
                <label class="field-label" for="person-relation">{ t!(i18n, "people-relation") }</label>
                <select class="field-box" id="person-relation" onchange={choose}>
                    { for Relation::ALL.iter().filter(|r| **r != Relation::Own).map(|r| html! {
                        <option value={r.word()} selected={*r == *relation}>{ i18n.text(&format!("relation-{}", r.word())) }</option>
                    }) }
                </select>
            </div>
            <Field id="person-born" label={t!(i18n, "first-born")} value={(*born).clone()} r#type={FieldType::Date} optional=true oninput={set(&born)} />
            if let Some(error) = (*error).clone() { <ErrorBlock {error} /> }
            <Button kind={ButtonKind::Main} submit=true wide=true working={*working}>{ t!(i18n, "people-add-do") }</Button>
        </form>
    }
}
