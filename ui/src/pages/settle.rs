//! Settling a clash: what was agreed, what was written, and a choice that only a person makes.

use mecum_api::{ChartView, ClashSettleArgs, ClashView, EntryArgs, Topic, WrittenView, command};
use mecum_domain::Field;
use yew::prelude::*;
use yew_router::prelude::*;

use super::answer::answered_page;
use super::head::PageHead;
use super::medicines::clash::{author_colour, is_dose, written_value, written_where, written_words};
use super::members::may_write;
use super::words::{field_name, from_wire_word};
use crate::app::use_shell;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, Empty, IconName, Tile, TileSize};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// Which clash.
#[derive(Properties, PartialEq)]
pub struct SettlePageProps {
    /// The entry.
    pub entry: AttrValue,
    /// The field, by its word on the wire.
    pub field: AttrValue,
}

/// The page.
#[component]
pub fn SettlePage(props: &SettlePageProps) -> Html {
    let i18n = use_i18n();
    let shell = use_shell();
    let chart = shell.chart_id();
    let args = EntryArgs { chart, entry: props.entry.to_string() };
    let query = use_query::<command::EntryGet>(args, vec![Topic::Record { chart }]);
    let field = from_wire_word::<Field>(&props.field);
    answered_page(
        &query,
        &t!(i18n, "entry-opening"),
        t!(i18n, "entry-error-title"),
        Route::Medicines,
        |view| {
            let clash = view.clashes.iter().find(|clash| Some(clash.field) == field);
            let Some(clash) = clash else {
                return html! {
                    <div class="page page-task">
                        <PageHead title={view.row.title.clone()} back={Route::Medicines} />
                        <Empty icon={IconName::Check} title={t!(i18n, "settle-done-title")} text={t!(i18n, "settle-done-text")}>
                            <Link<Route> to={Route::Entry { entry: props.entry.to_string() }} classes="link">{ t!(i18n, "results-open-entry") }</Link<Route>>
                        </Empty>
                    </div>
                };
            };
            if !may_write(&shell, view.row.kind) {
                return html! {
                    <div class="page page-task">
                        <PageHead title={view.row.title.clone()} back={Route::Medicines} />
                        <Empty icon={IconName::Lock} title={t!(i18n, "shared-no-writing-title")} text={t!(i18n, "shared-no-writing-text")}>{ Html::default() }</Empty>
                    </div>
                };
            }
            html! { <Settle clash={clash.clone()} version={view.version.clone()} /> }
        },
    )
}

#[derive(Properties, PartialEq)]
struct SettleProps {
    clash: ClashView,
    /// What the person saw: a value that arrives meanwhile is not chosen away unseen.
    version: String,
}

#[component]
fn Settle(props: &SettleProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let clash = &props.clash;
    let choice = use_state(|| None::<String>);
    let problem = use_state(|| None::<String>);
    let working = use_state(|| false);
    let title = if is_dose(clash.field) {
        t!(i18n, "settle-title-dose", title = clash.title.as_str())
    } else {
        t!(
            i18n,
            "settle-title",
            title = clash.title.as_str(),
            field = format::lower(&field_name(&i18n, clash.field))
        )
    };
    let onsubmit = {
        let (choice, problem, working) = (choice.clone(), problem.clone(), working.clone());
        let (shell, backend, i18n, clash) = (shell.clone(), backend.clone(), i18n.clone(), clash.clone());
        let version = props.version.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let Some(chosen) = (*choice).clone() else {
                problem.set(Some(t!(i18n, "settle-choose-first")));
                return;
            };
            if *working {
                return;
            }
            working.set(true);
            let value = clash
                .values
                .iter()
                .find(|w| w.choice == chosen)
                .map(|w| written_value(&i18n, w))
                .unwrap_or_default();
            let args = ClashSettleArgs {
                chart: shell.chart_id(),
                entry: clash.entry.clone(),
                field: Some(clash.field),
                choice: chosen,
                seen: Some(version.clone()),
            };
            let (shell, backend, working) = (shell.clone(), backend.clone(), working.clone());
            let done = t!(i18n, "settle-saved", value = value);
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::ClashSettle>(args).await {
                    Ok(_) => {
                        shell.toast(done, None);
                        shell.go(Route::Medicines);
                    }
                    Err(error) => {
                        working.set(false);
                        shell.problem(&error);
                    }
                }
            });
        })
    };
    html! {
        <form class="page page-task" {onsubmit} novalidate={true}>
            <PageHead title={title} back={Route::Medicines} />
            <p class="lead">{ intro(&i18n, clash) }</p>
            { written(&i18n, clash, &shell.charts()) }
            <fieldset class="choices" aria-describedby={problem.is_some().then_some("settle-problem")}>
                <legend class="section-title">{ t!(i18n, "settle-which") }</legend>
                if let Some(problem) = &*problem {
                    <p class="field-error" id="settle-problem" role="alert">{ problem.clone() }</p>
                }
                <div class="choice-box">{ for clash.values.iter().map(|w| {
                    let (value, choice, problem) = (w.choice.clone(), choice.clone(), problem.clone());
                    let checked = choice.as_ref() == Some(&value);
                    let onchange = Callback::from(move |_: Event| { choice.set(Some(value.clone())); problem.set(None); });
                    html! {
                        <label class="choice" key={w.choice.clone()}>
                            <input type="radio" name="settle" {checked} {onchange} />
                            <span class="choice-mark" aria-hidden="true" />
                            <span class="choice-body">
                                <span class="choice-title"><bdi>{ t!(i18n, "settle-as", value = written_value(&i18n, w), author = author_of(&i18n, clash, w)) }</bdi></span>
                                <span class="small">{ against_agreed(&i18n, clash, w.value.as_deref()) }</span>
                            </span>
                        </label>
                    }
                }) }</div>
            </fieldset>
            <div class="action-bar action-bar-stack">
                <p><strong>{ t!(i18n, "settle-hold") }</strong>{ " " }{ t!(i18n, "settle-hold-text") }</p>
                <div class="action-bar-buttons">
                    <Link<Route> to={Route::Medicines} classes="button button-second">{ t!(i18n, "settle-later") }</Link<Route>>
                    if choice.is_some() {
                        <Button kind={ButtonKind::Main} submit=true working={*working}>{ t!(i18n, "settle-save") }</Button>
                    } else {
                        <Button kind={ButtonKind::NotYet} submit=true>{ t!(i18n, "settle-choose-first") }</Button>
                    }
                </div>
            </div>
        </form>
    }
}

/// The writer of a value; where one person wrote both, with the device that tells them apart.
fn author_of(i18n: &I18n, clash: &ClashView, written: &WrittenView) -> String {
    if clash.values.iter().filter(|other| other.author == written.author).count() < 2 {
        return written.author.clone();
    }
    let device = if written.own { t!(i18n, "source-this-device") } else { written.device.clone() };
    format!("{} ({device})", written.author)
}

fn intro(i18n: &I18n, clash: &ClashView) -> String {
    let mut authors: Vec<&str> = clash.values.iter().map(|w| w.author.as_str()).collect();
    authors.dedup();
    let and = format!(" {} ", t!(i18n, "settle-and"));
    if authors.len() == 1 {
        t!(i18n, "settle-intro-one", authors = authors.join(&and))
    } else {
        t!(i18n, "settle-intro", authors = authors.join(&and))
    }
}

/// What was last agreed, then every value in order of time.
fn written(i18n: &I18n, clash: &ClashView, charts: &[ChartView]) -> Html {
    html! {
        <ul class="written-list" role="list">
            if let Some(agreed) = &clash.agreed {
                <li class="written">
                    <strong class="written-value"><bdi>{ written_value(i18n, agreed) }</bdi></strong>
                    <span class="written-who">
                        <bdi>{ agreed.author.clone() }</bdi>
                        { written_words(agreed) }
                        <span class="small"><bdi>{ format::instant(i18n.language(), agreed.at_ms) }</bdi></span>
                    </span>
                    <span class="flag flag-plain">{ t!(i18n, "settle-agreed") }</span>
                </li>
            }
            { for clash.values.iter().enumerate().map(|(at, w)| html! {
                <li class="written" key={w.choice.clone()}>
                    <strong class="written-value"><bdi>{ written_value(i18n, w) }</bdi></strong>
                    <span class="written-who">
                        <bdi>{ w.author.clone() }</bdi>
                        { written_words(w) }
                        <span class="small"><bdi>{ written_where(i18n, w) }</bdi></span>
                    </span>
                    <Tile letters={format::initials(&w.author)} colour={author_colour(charts, &w.author, at)} size={TileSize::Small} />
                </li>
            }) }
        </ul>
    }
}

fn against_agreed(i18n: &I18n, clash: &ClashView, value: Option<&str>) -> String {
    match &clash.agreed {
        Some(agreed) if agreed.value.as_deref() == value => t!(i18n, "settle-matches"),
        Some(agreed) => t!(i18n, "settle-differs", value = written_value(i18n, agreed)),
        None => String::new(),
    }
}
