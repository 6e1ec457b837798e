//! The trend chart and its table twin. Keyboard: the chart is one stop; arrows, Home and End step through the points and each is spoken; Enter opens the entry.

use std::rc::Rc;

use gloo::events::EventListener;
use mecum_api::{PointView, TrendView};
use mecum_domain::Flag as Said;
use yew::prelude::*;

use super::plot::{Size, Words, layout, shapes};
use crate::components::Flag;
use crate::format;
use crate::i18n::{I18n, t, use_i18n};

/// What a chart shows.
#[derive(Properties, PartialEq)]
pub struct TrendProps {
    /// The series.
    pub view: Rc<TrendView>,
    /// The name shown, in plain words.
    pub title: AttrValue,
    /// Opens the entry of a point.
    #[prop_or_default]
    pub on_open: Callback<String>,
}

/// A value with its second and its unit: "138/82 mmHg".
pub fn point_value(language: &str, point: &PointView) -> String {
    let both = point
        .value2
        .as_ref()
        .map_or_else(|| point.value.clone(), |second| format!("{}/{second}", point.value));
    format::value(language, &both, &point.unit)
}

/// What is said about a point, in words; empty where nothing is.
fn said(i18n: &I18n, flag: Said) -> String {
    crate::components::flag_text(i18n, flag).unwrap_or_default()
}

/// "1 September 2026, 7.8 %, high".
fn spoken(i18n: &I18n, point: &PointView) -> String {
    let language = i18n.language();
    [format::day_spoken(language, &point.date), point_value(language, point), said(i18n, point.flag)]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The band's label: the range as that laboratory printed it.
pub fn range_text(i18n: &I18n, point: &PointView) -> Option<String> {
    let language = i18n.language();
    let range = point.range.as_ref()?;
    let unit = format::unit(&point.unit);
    let n = |d: &mecum_domain::Decimal| format::number(language, &d.to_string());
    Some(match (&range.low, &range.high) {
        (Some(low), Some(high)) => t!(i18n, "chart-range-between", low = n(low), high = n(high), unit = unit),
        (Some(low), None) => t!(i18n, "chart-range-from", low = n(low), unit = unit),
        (None, Some(high)) => t!(i18n, "chart-range-to", high = n(high), unit = unit),
        (None, None) => range.text.clone()?,
    })
}

/// The goal that is drawn, in words: "Goal: below 7.5 %".
pub fn goal_text(i18n: &I18n, view: &TrendView) -> Option<String> {
    let goal = view.limits.as_ref()?;
    let (unit, language) = (format::unit(&view.unit), i18n.language());
    let n = |limit: &str| format::number(language, limit);
    Some(match (goal.low.as_deref(), goal.high.as_deref(), goal.beyond) {
        (Some(low), Some(high), _) => {
            t!(i18n, "chart-goal-between", low = n(low), high = n(high), unit = unit)
        }
        (Some(low), None, false) => t!(i18n, "chart-goal-from", low = n(low), unit = unit),
        (Some(low), None, true) => t!(i18n, "chart-goal-above", low = n(low), unit = unit),
        (None, Some(high), false) => t!(i18n, "chart-goal-to", high = n(high), unit = unit),
        (None, Some(high), true) => t!(i18n, "chart-goal-below", high = n(high), unit = unit),
        (None, None, _) => return None,
    })
}

/// The width of the drawing and the size of the text, measured after each layout.
#[hook]
fn use_size(frame: &NodeRef, probe: &NodeRef) -> Size {
    let size = use_state_eq(|| Size { width: 358.0, rem: 16.0 });
    let measure = {
        let (frame, probe, size) = (frame.clone(), probe.clone(), size.clone());
        move || {
            let width = frame.cast::<web_sys::Element>().map_or(0, |e| e.client_width());
            let ten_rem = probe.cast::<web_sys::Element>().map_or(0, |e| e.client_width());
            if width > 0 && ten_rem > 0 {
                size.set(Size { width: f64::from(width), rem: f64::from(ten_rem) / 10.0 });
            }
        }
    };
    {
        let measure = measure.clone();
        use_effect(measure);
    }
    use_effect_with((), move |()| {
        let listener = web_sys::window().map(|w| EventListener::new(&w, "resize", move |_| measure()));
        move || drop(listener)
    });
    *size
}

/// The chart of a series with more than one drawable value.
#[component]
pub fn TrendChart(props: &TrendProps) -> Html {
    let i18n = use_i18n();
    let (frame, probe) = (use_node_ref(), use_node_ref());
    let size = use_size(&frame, &probe);
    let view = props.view.clone();
    let drawing = layout(&view, size);
    let count = drawing.points.len();
    let chosen = use_state_eq(|| None::<usize>);
    let at = chosen.unwrap_or(count.saturating_sub(1)).min(count.saturating_sub(1));
    let point = drawing.points.get(at).and_then(|p| view.points.get(p.at)).cloned();
    let onkeydown = keys(chosen.clone(), at, count, point.as_ref(), &props.on_open);
    let onpointerdown = nearest(chosen.clone(), &frame, drawing.points.iter().map(|p| p.x).collect());
    let band = |of: usize| {
        let range = view.points.get(of).and_then(|p| range_text(&i18n, p)).unwrap_or_default();
        t!(i18n, "chart-lab-reference", range = range)
    };
    let goal = goal_text(&i18n, &view).unwrap_or_default();
    let words = Words { language: i18n.language(), band: &band, goal };
    let height = size.height();
    html! {
        <figure class="chart">
            <div class="chart-probe" aria-hidden="true" ref={probe} />
            <div
                class="chart-frame"
                ref={frame}
                role="slider"
                tabindex="0"
                aria-orientation="horizontal"
                aria-label={t!(i18n, "chart-label", title = props.title.to_string(), count = count)}
                aria-valuemin="1"
                aria-valuemax={count.to_string()}
                aria-valuenow={(at + 1).to_string()}
                aria-valuetext={point.as_ref().map(|p| spoken(&i18n, p))}
                dir="ltr"
                {onkeydown}
                {onpointerdown}
            >
                <svg
                    class="chart-drawing"
                    viewBox={format!("0 0 {:.0} {height:.0}", size.width)}
                    width={format!("{:.0}", size.width)}
                    height={format!("{height:.0}")}
                    aria-hidden="true"
                    focusable="false"
                >
                    <defs>
                        <pattern id="chart-hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                            <line class="chart-hatch-line" x1="0" y1="0" x2="0" y2="8" />
                        </pattern>
                    </defs>
                    { shapes(&view, &drawing, size, *chosen, &words) }
                </svg>
            </div>
            if let (Some(point), true) = (&point, chosen.is_some()) {
                <figcaption class="chart-readout">{ readout(&i18n, point, &props.on_open) }</figcaption>
            }
        </figure>
    }
}

fn readout(i18n: &I18n, point: &PointView, on_open: &Callback<String>) -> Html {
    let (entry, on_open) = (point.entry.clone(), on_open.clone());
    let language = i18n.language();
    html! {
        <>
            <span>{ format::day(language, &point.date) }</span>
            <strong>{ point_value(language, point) }</strong>
            <Flag flag={point.flag} />
            <button type="button" class="link-button" onclick={move |_| on_open.emit(entry.clone())}>{ t!(i18n, "chart-open-entry") }</button>
        </>
    }
}

fn keys(
    chosen: UseStateHandle<Option<usize>>,
    at: usize,
    count: usize,
    point: Option<&PointView>,
    on_open: &Callback<String>,
) -> Callback<KeyboardEvent> {
    let (entry, on_open) = (point.map(|p| p.entry.clone()), on_open.clone());
    Callback::from(move |event: KeyboardEvent| {
        let last = count.saturating_sub(1);
        let to = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => at.saturating_sub(1),
            "ArrowRight" | "ArrowUp" => (at + 1).min(last),
            "Home" => 0,
            "End" => last,
            "Enter" => {
                if let Some(entry) = &entry {
                    on_open.emit(entry.clone());
                }
                return;
            }
            _ => return,
        };
        event.prevent_default();
        chosen.set(Some(to));
    })
}

/// Chooses the point nearest to where the chart was pressed.
fn nearest(
    chosen: UseStateHandle<Option<usize>>,
    frame: &NodeRef,
    places: Vec<f64>,
) -> Callback<PointerEvent> {
    let frame = frame.clone();
    Callback::from(move |event: PointerEvent| {
        let Some(element) = frame.cast::<web_sys::Element>() else { return };
        let x = f64::from(event.client_x()) - element.get_bounding_client_rect().left();
        let near =
            places.iter().enumerate().min_by(|(_, a), (_, b)| (*a - x).abs().total_cmp(&(*b - x).abs()));
        chosen.set(near.map(|(at, _)| at));
    })
}

/// The table twin: every value, newest first, those of other units among them.
#[component]
pub fn TrendTable(props: &TrendProps) -> Html {
    let i18n = use_i18n();
    let language = i18n.language().to_owned();
    let mut points: Vec<&PointView> = props.view.points.iter().chain(&props.view.other_units).collect();
    points.sort_by(|a, b| b.date.cmp(&a.date));
    html! {
        <table class="trend-table">
            <caption class="visually-hidden">
                { t!(i18n, "chart-table-caption", title = props.title.to_string()) }
                if let Some(goal) = goal_text(&i18n, &props.view) { { ". " }{ goal } }
            </caption>
            <thead>
                <tr>
                    <th scope="col">{ t!(i18n, "chart-date") }</th>
                    <th scope="col" class="trend-table-value">{ t!(i18n, "chart-value") }</th>
                    <th scope="col">{ t!(i18n, "chart-against-range") }</th>
                </tr>
            </thead>
            <tbody>
                { for points.into_iter().map(|point| {
                    let (entry, on_open) = (point.entry.clone(), props.on_open.clone());
                    html! {
                        <tr key={point.entry.clone()}>
                            <td>
                                <button type="button" class="link-button" onclick={move |_| on_open.emit(entry.clone())}>
                                    { format::day_plain(&language, &point.date) }
                                </button>
                            </td>
                            <td class="trend-table-value">
                                { point_value(&language, point) }
                                if point.converted { { " " }<span class="caption">{ t!(i18n, "chart-converted-one") }</span> }
                            </td>
                            <td>
                                <Flag flag={point.flag} />
                                if let Some(range) = range_text(&i18n, point) {
                                    <span class="caption">{ range }</span>
                                }
                            </td>
                        </tr>
                    }
                }) }
            </tbody>
        </table>
    }
}

#[cfg(test)]
mod tests {
    use mecum_domain::ReferenceRange;

    use super::*;

    fn point(date: &str, value: &str, flag: Said) -> PointView {
        PointView {
            entry: date.into(),
            date: date.into(),
            value: value.into(),
            number: value.parse().expect("a number"),
            unit: "%".into(),
            flag,
            range: Some(ReferenceRange { low: "4.0".parse().ok(), high: "5.6".parse().ok(), text: None }),
            source: Some("RS Tirta Asih".into()),
            ..PointView::default()
        }
    }

    #[derive(Properties, PartialEq)]
    struct BothProps {
        language: AttrValue,
    }

    #[component]
    fn Both(props: &BothProps) -> Html {
        let view = Rc::new(TrendView {
            title: "HbA1c".into(),
            unit: "%".into(),
            limits: Some(mecum_api::GoalView {
                high: Some("7.5".into()),
                beyond: true,
                ..mecum_api::GoalView::default()
            }),
            points: vec![
                point("2026-03-03", "7.4", Said::InRange),
                point("2026-06-02", "5.1", Said::InRange),
                point("2026-09-01", "7.8", Said::High),
            ],
            ..TrendView::default()
        });
        html! {
            <ContextProvider<I18n> context={I18n::new(&props.language)}>
                <TrendChart view={view.clone()} title="HbA1c" />
                <TrendTable {view} title="HbA1c" />
            </ContextProvider<I18n>>
        }
    }

    async fn drawn(language: &'static str) -> String {
        let props = move || BothProps { language: language.into() };
        yew::LocalServerRenderer::<Both>::with_props(props()).hydratable(false).render().await
    }

    #[tokio::test]
    async fn a_chart_says_in_words_what_it_draws_in_shapes() {
        let html = drawn("en").await;
        assert!(html.contains("1 September 2026, 7.8\u{a0}%"), "the newest point is spoken with its date");
        assert!(html.contains("mark-high") && html.contains("mark-in-range"), "a shape for each flag");
        assert!(
            html.contains("Lab range 4.0 to 5.6 %"),
            "the band is labelled as that laboratory printed it"
        );
        assert!(
            html.contains("chart-goal") && html.contains("Goal: below 7.5 %"),
            "the goal, by its own number"
        );
        assert!(!html.contains("style="), "no style attribute: the policy would block it");
    }

    #[tokio::test]
    async fn a_chart_has_its_table_with_the_newest_first() {
        let html = drawn("id").await;
        let table = html.split("<tbody>").nth(1).expect("a table stands beside the chart");
        let (newest, oldest) =
            (table.find("7,8").expect("the newest"), table.find("7,4").expect("the oldest"));
        assert!(newest < oldest, "the newest value comes first, with a decimal comma");
    }
}
