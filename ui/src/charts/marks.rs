//! The mark of a point: its shape says what is said about the value, before its colour does.

use mecum_domain::Flag;
use yew::prelude::*;

/// Triangle up above the range, triangle down below it, filled circle within, ring where nothing is said. Centre and radius in pixels.
pub fn mark(flag: Flag, x: f64, y: f64, r: f64) -> Html {
    match flag {
        Flag::High => {
            let d = format!(
                "M{:.1} {:.1} L{:.1} {:.1} L{:.1} {:.1} Z",
                x,
                y - r * 1.15,
                x + r * 1.15,
                y + r * 0.85,
                x - r * 1.15,
                y + r * 0.85
            );
            html! { <path class="mark mark-high" {d} /> }
        }
        Flag::Low => {
            let d = format!(
                "M{:.1} {:.1} L{:.1} {:.1} L{:.1} {:.1} Z",
                x,
                y + r * 1.15,
                x + r * 1.15,
                y - r * 0.85,
                x - r * 1.15,
                y - r * 0.85
            );
            html! { <path class="mark mark-low" {d} /> }
        }
        Flag::InRange => circle("mark mark-in-range", x, y, r),
        _ => circle("mark mark-plain", x, y, r),
    }
}

fn circle(class: &'static str, x: f64, y: f64, r: f64) -> Html {
    html! { <circle {class} cx={format!("{x:.1}")} cy={format!("{y:.1}")} r={format!("{r:.1}")} /> }
}
