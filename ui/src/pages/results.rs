//! All numeric series of the open record under plain headings, and the one chosen: a list and a detail on wide screens, one after the other on phones.

pub mod about;
pub mod detail;

use std::rc::Rc;

use mecum_api::{ChartArgs, ResultsView, SeriesView, Topic as News, TrendArgs, TrendView, command};
use mecum_domain::Kind;
use yew::prelude::*;
use yew_router::prelude::*;

use self::detail::TrendDetail;
use super::answer::{answered, answered_page};
use super::head::PageHead;
use super::members::{may_import, may_write};
use crate::app::use_shell;
use crate::charts::Sparkline;
use crate::components::{Empty, IconName, Receipt, flag_text};
use crate::format;
use crate::glossary::{Topic, topic, word};
use crate::i18n::{I18n, t, use_i18n};
use crate::query::{Query, use_query};
use crate::route::Route;

/// Which series is open.
#[derive(Properties, PartialEq)]
pub struct ResultsPageProps {
    /// The series; none shows the list alone on phones and the first series on wide screens.
    #[prop_or_default]
    pub trend: Option<AttrValue>,
}

/// The name of a series in plain words where we have them, as printed otherwise.
pub fn series_name(i18n: &I18n, loinc: Option<&str>, printed: &str) -> String {
    loinc.and_then(word).map_or_else(|| printed.to_owned(), |word| i18n.text(&word.name_id()))
}

/// The results page.
#[component]
pub fn ResultsPage(props: &ResultsPageProps) -> Html {
    let i18n = use_i18n();
    let shell = use_shell();
    let chart = shell.chart_id();
    let query = use_query::<command::Results>(ChartArgs { chart }, vec![News::Record { chart }]);
    use_current_in_view(props.trend.clone(), query.data().is_some());
    let alone = if props.trend.is_some() { "page page-split page-split-detail" } else { "page page-split" };
    html! {
        <div class={alone}>
            { answered(&i18n, &query, &t!(i18n, "results-opening"), |view| {
                if view.results.is_empty() && view.measurements.is_empty() {
                    return html! {
                        <div class="page page-column">
                            <PageHead title={t!(i18n, "results-title")} />
                            <Empty icon={IconName::TestTube} title={t!(i18n, "results-empty-title")} text={t!(i18n, "results-empty-text")}>
                                if may_import(&shell) { <Link<Route> to={Route::Import} classes="link">{ t!(i18n, "record-import") }</Link<Route>> }
                                if may_write(&shell, Kind::VitalSign) { <Link<Route> to={Route::Add { kind: "vital-sign".into() }} classes="link">{ t!(i18n, "add-title-vital-sign") }</Link<Route>> }
                            </Empty>
                        </div>
                    };
                }
                let open = props.trend.as_ref().map(ToString::to_string);
                let shown = open.clone().or_else(|| first(&view));
                html! {
                    <>
                        <section class="split-list" aria-label={t!(i18n, "results-title")}>
                            { list_head(&i18n, &view, open.is_none()) }
                            { list(&i18n, &view, shown.as_deref()) }
                        </section>
                        <div class="split-detail">
                            if let Some(trend) = shown {
                                <TrendOf key={trend.clone()} trend={trend.clone()} head={open.is_some()} />
                            }
                        </div>
                    </>
                }
            }) }
        </div>
    }
}

/// Brings the row of the open series into the part of the list that can be seen, beside its detail.
#[hook]
fn use_current_in_view(trend: Option<AttrValue>, drawn: bool) {
    use_effect_with((trend, drawn), |_| {
        let document = gloo::utils::document();
        let found = |selector: &str| document.query_selector(selector).ok().flatten();
        let (Some(list), Some(row)) = (found(".split-list"), found(".split-list .series-row-current")) else {
            return;
        };
        let (around, here) = (list.get_bounding_client_rect(), row.get_bounding_client_rect());
        if here.top() < around.top() || here.bottom() > around.bottom().min(window_height()) {
            let middle = (around.height() - here.height()) / 2.0;
            #[expect(clippy::cast_possible_truncation, reason = "whole pixels of a list")]
            list.set_scroll_top(list.scroll_top() + (here.top() - around.top() - middle) as i32);
        }
    });
}

fn window_height() -> f64 {
    gloo::utils::document().document_element().map_or(0.0, |root| f64::from(root.client_height()))
}

fn first(view: &ResultsView) -> Option<String> {
    let groups = grouped(view);
    groups.into_iter().find_map(|(_, series)| series.first().map(|s| s.trend.clone()))
}

/// The series under their headings, in the order of the headings.
fn grouped(view: &ResultsView) -> Vec<(Topic, Vec<&SeriesView>)> {
    let all: Vec<&SeriesView> = view.results.iter().chain(&view.measurements).collect();
    Topic::ALL
        .iter()
        .map(|heading| {
            (
                *heading,
                all.iter().copied().filter(|s| topic(s.loinc.as_deref()) == *heading).collect::<Vec<_>>(),
            )
        })
        .filter(|(_, series)| !series.is_empty())
        .collect()
}

/// The list's own head. On a phone it is the page's; beside an open series it is a heading of the second rank.
fn list_head(i18n: &I18n, view: &ResultsView, page: bool) -> Html {
    let newest = view.results.iter().chain(&view.measurements).map(|s| s.date.as_str()).max();
    let note = newest.map(|date| t!(i18n, "results-newest", when = format::day(i18n.language(), date)));
    html! {
        <div class="split-list-head">
            if page {
                <PageHead title={t!(i18n, "results-title")} />
            } else {
                <h2 class="split-title">{ t!(i18n, "results-title") }</h2>
            }
            if let Some(note) = note { <p class="caption">{ note }</p> }
        </div>
    }
}

fn list(i18n: &I18n, view: &ResultsView, open: Option<&str>) -> Html {
    html! {
        { for grouped(view).into_iter().map(|(heading, series)| html! {
            <section key={heading.message_id()}>
                <h2 class="series-heading">{ i18n.text(heading.message_id()) }</h2>
                <ul class="series-list" role="list">{ for series.into_iter().map(|s| series_row(i18n, s, open == Some(s.trend.as_str()))) }</ul>
            </section>
        }) }
    }
}

fn series_row(i18n: &I18n, series: &SeriesView, current: bool) -> Html {
    let language = i18n.language();
    let class = classes!("series-row", current.then_some("series-row-current"));
    let said = flag_text(i18n, series.flag);
    let flag_class = match series.flag {
        mecum_domain::Flag::High => "series-flag series-flag-high",
        mecum_domain::Flag::Low => "series-flag series-flag-low",
        mecum_domain::Flag::InRange => "series-flag series-flag-ok",
        _ => "series-flag",
    };
    html! {
        <li key={series.trend.clone()}>
            <Link<Route> to={Route::Trend { trend: series.trend.clone() }} classes={class}>
                <span class="series-name"><bdi>{ series_name(i18n, series.loinc.as_deref(), &series.title) }</bdi></span>
                <span class="series-line"><Sparkline line={series.line.clone()} flag={series.flag} /></span>
                <span class="series-value"><strong><bdi>{ format::number(language, &series.value) }</bdi></strong>{ " " }<span class="series-unit">{ format::unit(&series.unit) }</span></span>
                if let Some(said) = said {
                    <span class={flag_class}>{ said }</span>
                } else {
                    <span class="series-flag caption">{ format::day_plain(language, &series.date) }</span>
                }
                <span class="series-receipt"><Receipt state={series.receipt} /></span>
            </Link<Route>>
        </li>
    }
}

/// With the page's head the trend is the page; without it, it stands beside the list, which has the h1.
fn answered_trend(
    i18n: &I18n,
    query: &Query<TrendView>,
    page: bool,
    view: impl FnOnce(Rc<TrendView>) -> Html,
) -> Html {
    if page {
        answered_page(
            query,
            &t!(i18n, "results-opening"),
            t!(i18n, "results-no-trend-title"),
            Route::Results,
            view,
        )
    } else {
        answered(i18n, query, &t!(i18n, "results-opening"), view)
    }
}

#[derive(Properties, PartialEq)]
struct TrendOfProps {
    trend: AttrValue,
    head: bool,
}

/// The open series with its page head.
#[component]
fn TrendOf(props: &TrendOfProps) -> Html {
    let i18n = use_i18n();
    let shell = use_shell();
    let chart = shell.chart_id();
    let args = TrendArgs { chart, trend: props.trend.to_string(), unit: shell.unit_of(&props.trend) };
    let on_unit = {
        let trend = props.trend.clone();
        Callback::from(move |chosen| shell.set_unit(&trend, chosen))
    };
    let query = use_query::<command::Trend>(args, vec![News::Record { chart }]);
    answered_trend(&i18n, &query, props.head, |view| {
        if view.points.is_empty() && view.other_units.is_empty() {
            return html! {
                <>
                if props.head { <PageHead title={t!(i18n, "results-no-trend-title")} back={Route::Results} /> }
                <Empty
                    icon={IconName::TestTube}
                    title={t!(i18n, "results-no-trend-title")} text={t!(i18n, "results-no-trend-text")}>
                    <Link<Route> to={Route::Results} classes="link">{ t!(i18n, "results-title") }</Link<Route>>
                </Empty>
                </>
            };
        }
        let title = series_name(&i18n, view.loinc.as_deref(), &view.title);
        html! {
            <>
                if props.head {
                    <PageHead title={title.clone()} back={Route::Results} />
                } else {
                    <h2 class="trend-title">{ title.clone() }</h2>
                }
                <TrendDetail {view} {title} on_unit={on_unit.clone()} />
            </>
        }
    })
}
