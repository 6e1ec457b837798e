//! One series: the newest value large, what changed since the one before, chart or table, and plain words. Used by the results and by an entry.

use std::rc::Rc;

use mecum_api::{PointView, TrendView};
use mecum_domain::Decimal;
use yew::prelude::*;
use yew_router::prelude::*;

use super::about::{InPlainWords, no_range, source_facts};
use crate::app::use_shell;
use crate::charts::{TrendChart, TrendTable, goal_text, point_value};
use crate::components::{Flag, Segment};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::route::Route;

/// A series to show.
#[derive(Properties, PartialEq)]
pub struct TrendDetailProps {
    /// The series.
    pub view: Rc<TrendView>,
    /// Its name as shown.
    pub title: AttrValue,
    /// The value stands above already: on the page of an entry.
    #[prop_or_default]
    pub without_value: bool,
    /// Another unit was asked for; none is the printed one.
    #[prop_or_default]
    pub on_unit: Callback<Option<String>>,
}

/// The detail of a series.
#[component]
pub fn TrendDetail(props: &TrendDetailProps) -> Html {
    let i18n = use_i18n();
    let shell = use_shell();
    let view = &props.view;
    let mode = use_state(|| AttrValue::from("chart"));
    let on_open = Callback::from(move |entry: String| shell.go(Route::Entry { entry }));
    let drawable = view.points.len() > 1;
    let onchange = {
        let mode = mode.clone();
        Callback::from(move |to: AttrValue| mode.set(to))
    };
    let options = vec![
        (AttrValue::from("chart"), AttrValue::from(t!(i18n, "chart-chart"))),
        (AttrValue::from("table"), AttrValue::from(t!(i18n, "chart-table"))),
    ];
    html! {
        <div class="trend-detail">
            <div class="trend-top">
                if !props.without_value { { value_head(&i18n, view) } }
                <div class="trend-switches">
                    if drawable {
                        <Segment label={t!(i18n, "chart-view")} {options} value={(*mode).clone()} {onchange} />
                    }
                    { unit_choice(&i18n, view, &props.on_unit) }
                </div>
            </div>
            if drawable && *mode == "chart" {
                <TrendChart view={view.clone()} title={props.title.clone()} on_open={on_open.clone()} />
                { notes(&i18n, view) }
            } else {
                if !drawable && !view.points.is_empty() {
                    <p class="small">{ t!(i18n, "chart-one-value") }</p>
                }
                <TrendTable view={view.clone()} title={props.title.clone()} {on_open} />
            }
            <div class={if props.without_value { "trend-below" } else { "trend-below trend-below-two" }}>
                <InPlainWords loinc={view.loinc.clone()} printed={view.title.clone()} flag={view.points.last().map(|p| p.flag).unwrap_or_default()} />
                if !props.without_value {
                    <section class="trend-about">
                        <h2 class="section-title">{ t!(i18n, "results-about") }</h2>
                        { view.points.last().map(|point| source_facts(&i18n, view.loinc.as_deref(), point)) }
                        { view.points.last().map(|point| html! {
                            <Link<Route> to={Route::Entry { entry: point.entry.clone() }} classes="link">{ t!(i18n, "results-open-entry") }</Link<Route>>
                        }) }
                    </section>
                }
            </div>
        </div>
    }
}

/// The units of the series, where there is more than the printed one.
fn unit_choice(i18n: &I18n, view: &TrendView, on_unit: &Callback<Option<String>>) -> Html {
    let [printed, _, ..] = view.units.as_slice() else { return Html::default() };
    let options =
        view.units.iter().map(|unit| (unit.clone().into(), format::unit(unit).into())).collect::<Vec<_>>();
    let onchange = {
        let printed = printed.clone();
        on_unit.reform(move |unit: AttrValue| Some(unit.to_string()).filter(|unit| *unit != printed))
    };
    html! { <Segment label={t!(i18n, "chart-unit")} {options} value={view.unit.clone()} {onchange} /> }
}

/// The newest value with its flag, its date and its change.
fn value_head(i18n: &I18n, view: &TrendView) -> Html {
    let language = i18n.language();
    let Some(point) = view.points.last() else { return Html::default() };
    let both = point
        .value2
        .as_ref()
        .map_or_else(|| point.value.clone(), |second| format!("{}/{second}", point.value));
    html! {
        <div class="value-head">
            <p class="value-line">
                <span class="value"><bdi>{ format::number(language, &both) }</bdi></span>
                <span class="value-unit">{ format::unit(&point.unit) }</span>
                <Flag flag={point.flag} />
            </p>
            <p class="value-about">{ format::day(language, &point.date) }{ ". " }{ change(i18n, view) }</p>
            // Worked out, it says the same as the drawing, in the reader's language; the file's own words are in the entry.
            if let Some(goal) = goal_text(i18n, view).or_else(|| Some(t!(i18n, "results-goal", goal = view.goal.as_deref()?))) {
                <p class="small">{ goal }</p>
            }
        </div>
    }
}

/// "Up 0.5 since 2 Jun 2026." Worked out in whole decimals of the printed texts, so that 7.8 − 7.3 is 0.5.
pub fn change(i18n: &I18n, view: &TrendView) -> Html {
    let language = i18n.language();
    let mut newest = view.points.iter().rev();
    let (Some(last), Some(before)) = (newest.next(), newest.next()) else {
        return html! { { t!(i18n, "results-first") } };
    };
    if last.value2.is_some() {
        return html! { { was(i18n, before) } };
    }
    let Some((by, up)) = difference(&before.value, &last.value) else { return Html::default() };
    let since = format::day_plain(language, &before.date);
    if by.trim_matches(['0', '.']).is_empty() {
        return html! { { t!(i18n, "results-same-since", when = since) } };
    }
    let by = format::number(language, &by);
    let word = if up { t!(i18n, "results-up", by = by) } else { t!(i18n, "results-down", by = by) };
    html! { <><strong>{ word }</strong>{ " " }{ t!(i18n, "results-since", when = since) }</> }
}

fn was(i18n: &I18n, before: &PointView) -> String {
    t!(
        i18n,
        "results-before",
        value = point_value(i18n.language(), before),
        when = format::day_plain(i18n.language(), &before.date)
    )
}

/// The distance between two printed numbers, with as many decimals as the finer of them, and whether it went up.
fn difference(before: &str, after: &str) -> Option<(String, bool)> {
    let decimals = |text: &str| text.split_once('.').map_or(0, |(_, d)| d.len());
    let digits = decimals(before).max(decimals(after)).min(4);
    let (b, a) = (before.parse::<Decimal>().ok()?.to_f64(), after.parse::<Decimal>().ok()?.to_f64());
    Some((format!("{:.digits$}", (a - b).abs()), a > b))
}

/// What the drawing leaves out, in words.
fn notes(i18n: &I18n, view: &TrendView) -> Html {
    let without = view.points.iter().all(|p| p.range.is_none());
    html! {
        <div class="chart-notes">
            if view.points.iter().any(|point| point.converted) { <p class="caption">{ t!(i18n, "chart-converted") }</p> }
            if without { <p class="caption">{ no_range(i18n, view.loinc.as_deref()) }</p> }
            if !view.other_units.is_empty() {
                <p class="caption">{ t!(i18n, "chart-other-units", count = view.other_units.len()) }</p>
            }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_the_decimals_of_what_was_printed() {
        assert_eq!(difference("7.3", "7.8"), Some(("0.5".into(), true)), "no binary noise");
        assert_eq!(difference("68", "65"), Some(("3".into(), false)), "down");
        assert_eq!(difference("5.10", "5.1"), Some(("0.00".into(), false)), "the same in other digits");
        assert_eq!(difference("about 5", "6"), None, "words have no distance");
    }
}
