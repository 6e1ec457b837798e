//! What a file holds and whose record it becomes. Nothing is chosen for the person unless name and birth date fit beyond doubt.

use mecum_api::{ChartView, ImportInto, ImportPreview, ImportRunArgs, Topic, command};
use yew::prelude::*;

use crate::components::{Button, ButtonKind, Tile, TileSize};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::members::takes_files;
use crate::pages::words::spaced;
use crate::query::use_query;

/// A file that was looked at.
#[derive(Properties, PartialEq)]
pub(super) struct PreviewProps {
    /// What it holds.
    pub(super) view: ImportPreview,
    /// Keeps it.
    pub(super) on_keep: Callback<ImportRunArgs>,
    /// Lets it go.
    pub(super) on_cancel: Callback<MouseEvent>,
}

/// Subject, counts, and the question whose it is.
#[component]
pub(super) fn Preview(props: &PreviewProps) -> Html {
    let i18n = use_i18n();
    let view = &props.view;
    let charts = use_query::<command::ChartList>((), vec![Topic::Charts]);
    let into = use_state(|| view.fits.map(|chart| ImportInto::Chart { chart }));
    let problem = use_state(|| false);
    let charts: Vec<ChartView> = charts
        .data()
        .map(|list| list.iter().filter(|c| takes_files(c)).cloned().collect())
        .unwrap_or_default();
    let subject = view.subject.as_ref().and_then(|s| s.name.clone());
    let onsubmit = {
        let (into, problem, on_keep, import) =
            (into.clone(), problem.clone(), props.on_keep.clone(), view.import);
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            match &*into {
                Some(into) => on_keep.emit(ImportRunArgs { import, into: into.clone() }),
                None => problem.set(true),
            }
        })
    };
    let choose = {
        let (into, problem) = (into.clone(), problem.clone());
        Callback::from(move |choice: ImportInto| {
            into.set(Some(choice));
            problem.set(false);
        })
    };
    let shown = format::count(i18n.language(), view.total.into());
    html! {
        <form class="import-preview" {onsubmit}>
            <h2 class="title-2">{ t!(i18n, "import-found", count = view.total, shown = shown) }</h2>
            { about(&i18n, view) }
            <fieldset class="choices">
                <legend class="section-title">{ t!(i18n, "import-whose") }</legend>
                if *problem { <p class="field-error" role="alert">{ t!(i18n, "import-choose-first") }</p> }
                <div class="choice-box">
                    { for charts.iter().map(|chart| chart_choice(&i18n, chart, view, into.as_ref(), &choose)) }
                    { new_choice(&i18n, subject.as_deref(), into.as_ref(), &choose) }
                </div>
            </fieldset>
            { holds(&i18n, view) }
            <div class="action-bar"><div class="action-bar-buttons">
                <Button kind={ButtonKind::Second} onclick={props.on_cancel.clone()}>{ t!(i18n, "import-cancel") }</Button>
                <Button kind={if into.is_some() { ButtonKind::Main } else { ButtonKind::NotYet }} submit=true>{ keep_words(&i18n, into.as_ref(), &charts, subject.as_deref()) }</Button>
            </div></div>
        </form>
    }
}

/// The saving button names the person whose record changes.
fn keep_words(i18n: &I18n, into: Option<&ImportInto>, charts: &[ChartView], subject: Option<&str>) -> String {
    match into {
        Some(ImportInto::Chart { chart }) => {
            let name = charts.iter().find(|c| c.chart == *chart).map_or("", |c| c.name.as_str());
            t!(i18n, "import-keep", name = name)
        }
        Some(ImportInto::NewChart) => subject.map_or_else(
            || t!(i18n, "import-new-chart-unknown"),
            |name| t!(i18n, "import-keep-new", name = name),
        ),
        None => t!(i18n, "import-choose-first"),
    }
}

fn about(i18n: &I18n, view: &ImportPreview) -> Html {
    let Some(subject) = &view.subject else {
        return html! { <p>{ t!(i18n, "import-about-unknown") }</p> };
    };
    let mut parts: Vec<String> = Vec::new();
    parts.extend(
        subject.born.as_ref().map(|b| t!(i18n, "import-born", when = format::day_plain(i18n.language(), b))),
    );
    let gender = subject.gender.as_ref().and_then(|g| i18n.try_text(&format!("import-gender-{g}")));
    parts.extend(gender);
    html! {
        <p class="import-subject">
            <span class="caption">{ t!(i18n, "import-about") }</span>
            <strong><bdi>{ subject.name.clone().unwrap_or_else(|| t!(i18n, "import-about-unknown")) }</bdi></strong>
            <span class="small">{ parts.join(", ") }</span>
        </p>
    }
}

fn holds(i18n: &I18n, view: &ImportPreview) -> Html {
    html! {
        <section>
            <h2 class="section-title">{ t!(i18n, "import-holds") }</h2>
            <ul class="count-list" role="list">
                { for view.types.iter().map(|counted| html! {
                    <li><span>{ type_name(i18n, &counted.resource_type) }</span><strong>{ format::count(i18n.language(), counted.count.into()) }</strong></li>
                }) }
            </ul>
        </section>
    }
}

/// A resource type in the words of the record; a type that has none is spaced into words.
fn type_name(i18n: &I18n, resource_type: &str) -> String {
    let kebab: String = resource_type
        .char_indices()
        .flat_map(|(at, c)| {
            (at > 0 && c.is_ascii_uppercase()).then_some('-').into_iter().chain([c.to_ascii_lowercase()])
        })
        .collect();
    i18n.try_text(&format!("kind-{kebab}")).unwrap_or_else(|| spaced(resource_type))
}

fn chart_choice(
    i18n: &I18n,
    chart: &ChartView,
    view: &ImportPreview,
    into: Option<&ImportInto>,
    choose: &Callback<ImportInto>,
) -> Html {
    let choice = ImportInto::Chart { chart: chart.chart };
    let checked = into == Some(&choice);
    let same = view.subject.as_ref().is_some_and(|subject| {
        subject.born.is_some()
            && subject.born == chart.born
            && subject.name.as_deref() == Some(chart.name.as_str())
    });
    let note = match (view.fits == Some(chart.chart), same) {
        (true, _) => t!(i18n, "import-fits"),
        // Two records of one name and birth date: nothing says which of them it is.
        (false, true) => t!(i18n, "import-fits-too"),
        (false, false) => t!(i18n, "import-other-name"),
    };
    let onchange = choose.reform(move |_: Event| choice.clone());
    html! {
        <label class="choice" key={chart.chart.to_string()}>
            <input type="radio" name="into" {checked} {onchange} />
            <span class="choice-mark" aria-hidden="true" />
            <span class="choice-body">
                <span class="choice-title"><bdi>{ chart.name.clone() }</bdi></span>
                <span class="small">{ note }</span>
            </span>
            <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Row} />
        </label>
    }
}

fn new_choice(
    i18n: &I18n,
    subject: Option<&str>,
    into: Option<&ImportInto>,
    choose: &Callback<ImportInto>,
) -> Html {
    let title = subject.map_or_else(
        || t!(i18n, "import-new-chart-unknown"),
        |name| t!(i18n, "import-new-chart", name = name),
    );
    let checked = into == Some(&ImportInto::NewChart);
    html! {
        <label class="choice">
            <input type="radio" name="into" {checked} onchange={choose.reform(|_: Event| ImportInto::NewChart)} />
            <span class="choice-mark" aria-hidden="true" />
            <span class="choice-body">
                <span class="choice-title"><bdi>{ title }</bdi></span>
                <span class="small">{ t!(i18n, "import-new-chart-text") }</span>
            </span>
        </label>
    }
}
