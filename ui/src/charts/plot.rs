//! The drawing of a trend at a given size: grid, bands, line, marks and the labels that fit. Pure: the same input gives the same shapes.

use mecum_api::TrendView;
use mecum_domain::Flag;
use yew::prelude::*;

use super::marks::mark;
use super::scale::{Area, Band, Drawing, Placed, draw, labels_that_fit};
use super::sparkline::polyline;
use crate::format;

/// Mean width of a figure against the size of the text, measured on Atkinson Hyperlegible Next.
const FIGURE_WIDTH: f64 = 0.6;

/// From this width on, in rem, a drawing has room for years in four figures.
const WIDE_REM: f64 = 28.0;

/// Size of a drawing in CSS pixels and the page's text size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    /// Width of the drawing.
    pub(super) width: f64,
    /// One rem.
    pub(super) rem: f64,
}

impl Size {
    /// Height of the drawing: wide screens get a flatter one.
    pub(super) fn height(self) -> f64 {
        (self.width * 0.66).clamp(15.0 * self.rem, 19.0 * self.rem)
    }

    fn area(self) -> Area {
        Area {
            left: 3.1 * self.rem,
            right: self.width - 1.9 * self.rem,
            top: 1.4 * self.rem,
            bottom: self.height() - 1.9 * self.rem,
        }
    }
}

/// What the plot says in the reader's language.
pub(super) struct Words<'a> {
    /// "en" or "id".
    pub(super) language: &'a str,
    /// The label of the band of a point: "Lab reference 4.0 to 5.6 %".
    pub(super) band: &'a dyn Fn(usize) -> String,
    /// "Goal: below 7.5 %"; empty where there is none to draw.
    pub(super) goal: String,
}

/// The trend's layout at a size.
pub(super) fn layout(view: &TrendView, size: Size) -> Drawing {
    let limits = view.limits.iter().flat_map(|goal| [&goal.low, &goal.high]).flatten();
    let goals: Vec<f64> = limits.filter_map(|limit| limit.parse().ok()).collect();
    draw(&view.points, &goals, size.area())
}

/// The shapes of a trend, with the point `chosen` ringed.
pub(super) fn shapes(
    view: &TrendView,
    drawing: &Drawing,
    size: Size,
    chosen: Option<usize>,
    words: &Words<'_>,
) -> Html {
    let area = size.area();
    let line = polyline(&drawing.points.iter().map(|p| (p.x, p.y)).collect::<Vec<_>>());
    let second: Vec<(f64, f64)> = drawing.points.iter().filter_map(|p| p.y2.map(|y| (p.x, y))).collect();
    html! {
        <>
            { for drawing.bands.iter().map(|b| band(b, size, &(words.band)(b.of))) }
            { for drawing.grid.iter().map(|(y, text)| grid_line(*y, text, area, words.language)) }
            { ticks(view, drawing, area, size, words.language) }
            { goal_lines(drawing, size) }
            <polyline class="chart-line" points={line} />
            if !second.is_empty() {
                <polyline class="chart-line chart-line-second" points={polyline(&second)} />
            }
            { points(view, drawing, chosen, size) }
            { goal_words(drawing, size, &words.goal) }
            { value_labels(view, drawing, size, words.language) }
        </>
    }
}

fn px(n: f64) -> String {
    format!("{n:.1}")
}

fn band(band: &Band, size: Size, label: &str) -> Html {
    let (x, width) = (band.x, band.width);
    let edge = |y: f64| html! { <line class="chart-band-edge" x1={px(x)} x2={px(x + width)} y1={px(y)} y2={px(y)} /> };
    let room = text_width(label, 0.8125 * size.rem) + 1.2 * size.rem <= width
        && band.bottom - band.top > 1.3 * size.rem;
    html! {
        <>
            <rect class="chart-band" x={px(x)} y={px(band.top)} width={px(width)} height={px(band.bottom - band.top)} />
            <rect class="chart-band-hatch" fill="url(#chart-hatch)" x={px(x)} y={px(band.top)} width={px(width)} height={px(band.bottom - band.top)} />
            if band.top_line { { edge(band.top) } }
            if band.bottom_line { { edge(band.bottom) } }
            if room {
                <text class="chart-band-label" x={px(x + 0.6 * size.rem)} y={px(band.bottom - 0.5 * size.rem)}>{ label.to_owned() }</text>
            }
        </>
    }
}

/// A goal: dashed.
fn goal_lines(drawing: &Drawing, size: Size) -> Html {
    let area = size.area();
    html! {
        { for drawing.goals.iter().map(|y| html! {
            <line class="chart-goal" x1={px(area.left - 8.0)} x2={px(area.right + 8.0)} y1={px(*y)} y2={px(*y)} />
        }) }
    }
}

/// Its words once, beside the upper of its lines. They are drawn last, on a ground of their own: where there is no free place, the
/// line of values goes behind them and not through them.
fn goal_words(drawing: &Drawing, size: Size, words: &str) -> Html {
    let upper = drawing.goals.iter().copied().reduce(f64::min);
    html! {
        if let Some((x, y)) = upper.map(|y| goal_place(drawing, size, y, words)) {
            <text class="chart-goal-label" x={px(x)} y={px(y)}>{ words.to_owned() }</text>
        }
    }
}

/// Where a goal's words begin: above or below its line, wherever they cover the least of the values' line.
fn goal_place(drawing: &Drawing, size: Size, line: f64, words: &str) -> (f64, f64) {
    let (area, rem) = (size.area(), size.rem);
    let width = text_width(words, 0.8125 * rem);
    let last = (area.right - width).max(area.left);
    let drawn = sampled(drawing);
    // What crosses the middle of the words hides them; what touches their edge hardly does.
    let covered = |(x, y): (f64, f64)| -> f64 {
        let beside = |px: f64| px > x - 0.2 * rem && px < x + width + 0.2 * rem;
        let depth = |(px, py): &(f64, f64)| {
            if beside(*px) { (0.75 * rem - (py - (y - 0.3 * rem)).abs()).max(0.0) } else { 0.0 }
        };
        drawn.iter().map(depth).sum()
    };
    let steps = (0..=16).map(|n| area.left + f64::from(n) / 16.0 * (last - area.left));
    let heights = [line + 1.2 * rem, line - 0.5 * rem];
    let fits = |y: &f64| *y > area.top && *y < area.bottom;
    let places = steps.flat_map(|x| heights.into_iter().filter(fits).map(move |y| (x, y)));
    places.min_by(|a, b| covered(*a).total_cmp(&covered(*b))).unwrap_or((area.left, line - 0.5 * rem))
}

/// Places along the lines of the values, close enough to tell what words would cover.
fn sampled(drawing: &Drawing) -> Vec<(f64, f64)> {
    let first: Vec<(f64, f64)> = drawing.points.iter().map(|p| (p.x, p.y)).collect();
    let second: Vec<(f64, f64)> = drawing.points.iter().filter_map(|p| Some((p.x, p.y2?))).collect();
    let between = |line: &[(f64, f64)]| -> Vec<(f64, f64)> {
        let parts = line.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
        let along = parts.flat_map(|(a, b)| {
            (0..8).map(move |n| {
                let part = f64::from(n) / 8.0;
                (a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part)
            })
        });
        along.chain(line.last().copied()).collect()
    };
    [between(&first), between(&second)].concat()
}

fn grid_line(y: f64, text: &str, area: Area, language: &str) -> Html {
    html! {
        <>
            <line class="chart-grid" x1={px(area.left - 8.0)} x2={px(area.right + 8.0)} y1={px(y)} y2={px(y)} />
            <text class="chart-tick" text-anchor="end" dominant-baseline="middle" x={px(area.left - 16.0)} y={px(y)}>
                { format::number(language, text) }
            </text>
        </>
    }
}

fn text_width(text: &str, font_px: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a label is short")]
    let n = text.chars().count() as f64;
    n * font_px * FIGURE_WIDTH
}

/// From this many years on, the years alone stand under the points.
const YEARS_ALONE: i16 = 4;

/// Dates under the points that have room. Over many years the first point of each year has its year alone; over few, wide
/// drawings name the year once and the months between without it. The newest always has month and year.
fn ticks(view: &TrendView, drawing: &Drawing, area: Area, size: Size, language: &str) -> Html {
    let font = 0.8125 * size.rem;
    let dates: Vec<(f64, &str)> =
        drawing.points.iter().filter_map(|p| Some((p.x, view.points.get(p.at)?.date.as_str()))).collect();
    let last = dates.len().saturating_sub(1);
    let year = |at: usize| {
        dates.get(at).and_then(|(_, date)| mecum_domain::PartialDate::parse(date)).map(|d| d.year())
    };
    let long = year(last).zip(year(0)).is_some_and(|(to, from)| to - from >= YEARS_ALONE);
    let wide = size.width >= WIDE_REM * size.rem;
    let mut texts: Vec<(f64, String)> = Vec::new();
    let mut places: Vec<(f64, f64, u8)> = Vec::new();
    for (at, (x, date)) in dates.iter().enumerate() {
        let begins = at == 0 || year(at) != year(at - 1);
        let tick = match (at == last, long, wide) {
            (true, _, true) => Tick::MonthOfYear,
            (true, ..) | (_, false, false) => Tick::Short,
            (_, true, _) if begins => Tick::Year,
            (_, true, _) => continue,
            (_, false, true) if begins => Tick::MonthOfYear,
            (_, false, true) => Tick::Month,
        };
        let text = tick_text(date, language, tick);
        places.push((*x, text_width(&text, font), if at == last { 2 } else { u8::from(begins) }));
        texts.push((*x, text));
    }
    let fits = labels_that_fit(&places, 0.6 * size.rem);
    html! {
        { for texts.iter().zip(fits).filter(|(_, fits)| *fits).map(|((x, text), _)| html! {
            <>
                <line class="chart-tick-mark" x1={px(*x)} x2={px(*x)} y1={px(area.bottom)} y2={px(area.bottom + 5.0)} />
                <text class="chart-tick" text-anchor="middle" x={px(*x)} y={px(area.bottom + 1.35 * size.rem)}>{ text.clone() }</text>
            </>
        }) }
    }
}

/// How much of a date stands under a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tick {
    /// "2025".
    Year,
    /// "Mar 2025".
    MonthOfYear,
    /// "Mar".
    Month,
    /// "Mar 25".
    Short,
}

/// A date as far as the tick says it; the year alone where no month is known.
fn tick_text(date: &str, language: &str, tick: Tick) -> String {
    let Some(known) = mecum_domain::PartialDate::parse(date) else { return String::new() };
    let year = known.year();
    let Some(month) = known.month().map(|m| format::month_short(language, m)) else {
        return year.to_string();
    };
    match tick {
        Tick::Year => year.to_string(),
        Tick::MonthOfYear => format!("{month} {year}"),
        Tick::Month => month.to_owned(),
        Tick::Short => format!("{month} {:02}", year.rem_euclid(100)),
    }
}

fn points(view: &TrendView, drawing: &Drawing, chosen: Option<usize>, size: Size) -> Html {
    let last = drawing.points.len().saturating_sub(1);
    // Marks of a crowded line shrink until they stand apart.
    let spacing = (size.area().right - size.area().left) / f64::from(u32::try_from(last.max(1)).unwrap_or(1));
    let small = (spacing * 0.4).clamp(0.13 * size.rem, 0.32 * size.rem);
    // Where points still stand closer than their marks, those of which nothing is said leave theirs to the line.
    let mut before = f64::NEG_INFINITY;
    html! {
        { for drawing.points.iter().enumerate().filter_map(|(n, p)| {
            let point = view.points.get(p.at)?;
            let told = matches!(point.flag, Flag::High | Flag::Low) || n == last || chosen == Some(n);
            if !told && p.x - before < small * 2.0 {
                return None;
            }
            before = p.x;
            let r = if n == last { (small * 1.7).clamp(0.3 * size.rem, 0.44 * size.rem) } else { small };
            let ring = (chosen == Some(n)).then(|| html! {
                <line class="chart-cursor" x1={px(p.x)} x2={px(p.x)} y1={px(size.area().top)} y2={px(size.area().bottom)} />
            });
            Some(html! {
                <g>
                    { ring }
                    { mark(point.flag, p.x, p.y, r) }
                    { p.y2.map(|y| mark(point.flag, p.x, y, r * 0.85)) }
                </g>
            })
        }) }
    }
}

/// Values above their points. Where they would touch, the newest, the highest and the lowest stay; the table has them all.
fn value_labels(view: &TrendView, drawing: &Drawing, size: Size, language: &str) -> Html {
    let last = drawing.points.len().saturating_sub(1);
    let text = |p: &Placed| {
        view.points.get(p.at).map(|v| {
            let both =
                v.value2.as_ref().map_or_else(|| v.value.clone(), |second| format!("{}/{second}", v.value));
            format::number(language, &short_value(&both))
        })
    };
    let extreme =
        |p: &Placed| drawing.points.iter().all(|o| o.y >= p.y) || drawing.points.iter().all(|o| o.y <= p.y);
    let labels: Vec<(&Placed, String)> = drawing.points.iter().filter_map(|p| Some((p, text(p)?))).collect();
    // A label at an end stays beside the axis and inside the drawing.
    let kept_in = |x: f64, width: f64| {
        let (from, to) = (size.area().left - 8.0 + width / 2.0, size.width - width / 2.0);
        x.min(to).max(from.min(to))
    };
    let places: Vec<(f64, f64, u8)> = labels
        .iter()
        .enumerate()
        .map(|(n, (p, text))| {
            let width = text_width(text, size.rem * if n == last { 1.1 } else { 0.8125 });
            (kept_in(p.x, width), width, if n == last { 3 } else { u8::from(extreme(p)) * 2 })
        })
        .collect();
    let mut fits = labels_that_fit(&places, 0.25 * size.rem);
    if fits.iter().any(|fits| !fits) {
        // A line that is too crowded for all of them says its ends and its extremes, and leaves the rest to the table.
        for (n, fit) in fits.iter_mut().enumerate() {
            *fit &= n == 0 || places.get(n).is_some_and(|place| place.2 > 0);
        }
    }
    html! {
        { for labels.iter().zip(&places).enumerate().zip(fits).filter(|(_, fits)| *fits).map(|((n, ((p, text), place)), _)| {
            // The lowest value is said below its point, where the line is not.
            let lowest = n != last && n > 0 && drawing.points.iter().all(|o| o.y <= p.y);
            let y = if lowest { p.y + 1.35 * size.rem } else { p.y - 0.75 * size.rem };
            let class = if n == last { "chart-value chart-value-last" } else { "chart-value" };
            html! { <text {class} text-anchor="middle" x={px(place.0)} y={px(y)}>{ text.clone() }</text> }
        }) }
    }
}

/// A printed value short enough for a label: one that a device printed with noise loses it here, and only here.
fn short_value(value: &str) -> String {
    match value.parse::<mecum_domain::Decimal>() {
        Ok(decimal) if value.len() > 6 => decimal.rounded(1),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_goal_keep_off_the_line_of_values() {
        let size = Size { width: 358.0, rem: 16.0 };
        let area = size.area();
        let goal = f64::midpoint(area.top, area.bottom);
        // Values close under the goal at the start, far above it at the end.
        let points = (0..20).map(|n| Placed {
            at: n,
            x: area.left + f64::from(u32::try_from(n).expect("small")) / 19.0 * (area.right - area.left),
            y: if n < 10 { goal + 10.0 } else { area.top },
            y2: None,
        });
        let drawing = Drawing { points: points.collect(), goals: vec![goal], ..Drawing::default() };
        let (x, y) = goal_place(&drawing, size, goal, "Goal: below 7.5 %");
        let under = |p: &&Placed| p.x > x && p.x < x + 100.0 && (p.y - y).abs() < 14.0;
        assert_eq!(drawing.points.iter().filter(under).count(), 0, "nothing is covered at {x}, {y}");
    }

    #[test]
    fn a_tick_names_month_and_year_as_known() {
        assert_eq!(tick_text("2025-03-03", "en", Tick::Short), "Mar 25", "month and year where it is narrow");
        assert_eq!(
            tick_text("2025-03-03", "en", Tick::MonthOfYear),
            "Mar 2025",
            "in full where there is room"
        );
        assert_eq!(tick_text("2025-03-03", "en", Tick::Year), "2025", "the year over many years");
        assert_eq!(tick_text("2011", "id", Tick::Month), "2011", "a year alone");
    }

    #[test]
    fn noise_of_a_device_stays_out_of_labels() {
        assert_eq!(short_value("58.310000000000002"), "58.3", "one decimal is enough on a label");
        assert_eq!(short_value("7.80"), "7.80", "a printed value stays");
    }
}
