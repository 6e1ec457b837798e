//! The small line of a series in a list: its shape and its newest point, nothing to read. Hidden from readers, because the row says the value.

use mecum_domain::Flag;
use yew::prelude::*;

use super::marks::mark;

const WIDTH: f64 = 76.0;
const HEIGHT: f64 = 28.0;
const INSET: f64 = 5.0;

/// What a small line shows.
#[derive(Properties, PartialEq)]
pub struct SparklineProps {
    /// Values, oldest first, as [`mecum_api::SeriesView::line`].
    pub line: Vec<f64>,
    /// What is said about the newest.
    pub flag: Flag,
}

/// A small line with the newest point marked by the shape of its flag. One value alone draws its mark only.
#[component]
pub fn Sparkline(props: &SparklineProps) -> Html {
    let places = places(&props.line);
    let path = polyline(&places);
    let last = places.last().copied();
    html! {
        <svg class="sparkline" viewBox="0 0 76 28" width="76" height="28" aria-hidden="true" focusable="false">
            if places.len() > 1 {
                <polyline class="sparkline-line" points={path} />
            }
            { last.map(|(x, y)| mark(props.flag, x, y, 4.2)) }
        </svg>
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 12 points")]
fn places(line: &[f64]) -> Vec<(f64, f64)> {
    let finite: Vec<f64> = line.iter().copied().filter(|n| n.is_finite()).collect();
    let (low, high) = finite.iter().fold((f64::MAX, f64::MIN), |(l, h), n| (l.min(*n), h.max(*n)));
    let step = if finite.len() > 1 { (WIDTH - 2.0 * INSET) / (finite.len() - 1) as f64 } else { 0.0 };
    let start = if finite.len() > 1 { INSET } else { WIDTH - INSET };
    let y = |n: f64| {
        if high > low {
            HEIGHT - INSET - (n - low) / (high - low) * (HEIGHT - 2.0 * INSET)
        } else {
            HEIGHT / 2.0
        }
    };
    finite.iter().enumerate().map(|(at, n)| (start + step * at as f64, y(*n))).collect()
}

/// The `points` text of a polyline.
pub(super) fn polyline(places: &[(f64, f64)]) -> String {
    places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_stays_inside_its_box() {
        for line in [vec![1.0, 5.0, 3.0], vec![2.0, 2.0], vec![7.0], vec![], vec![f64::NAN, 1.0, 2.0]] {
            let places = places(&line);
            assert!(
                places.iter().all(|(x, y)| (0.0..=WIDTH).contains(x) && (0.0..=HEIGHT).contains(y)),
                "{line:?} is drawn inside"
            );
        }
        assert_eq!(places(&[f64::NAN, 1.0, 2.0]).len(), 2, "what is no number is left out");
    }
}
