//! A QR code: black on white in both themes, four modules of margin, with words beside it that carry the same.

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};
use yew::prelude::*;

const MARGIN: usize = 4;

/// A code.
#[derive(Properties, PartialEq)]
pub struct QrProps {
    /// What it carries.
    pub text: AttrValue,
    /// What readers hear.
    pub label: AttrValue,
}

/// The dark modules as one path, and the side in modules with its margin; nothing when the text is too long for a code.
fn modules(text: &str) -> Option<(String, usize)> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let mut d = String::new();
    for (y, row) in code.data.chunks(code.size).take(code.size).enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, module)| module.value()) {
            let _ = write!(d, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    Some((d, code.size + 2 * MARGIN))
}

/// The code.
#[component]
pub fn Qr(props: &QrProps) -> Html {
    let drawn = use_memo(props.text.clone(), |text| modules(text));
    let Some((d, side)) = (*drawn).clone() else { return Html::default() };
    html! {
        <svg class="qr" viewBox={format!("0 0 {side} {side}")} role="img" aria-label={props.label.clone()} shape-rendering="crispEdges">
            <path class="qr-dark" {d} />
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_margin() {
        let (d, side) = modules("mecum:test").expect("a short text fits");
        assert!(side >= 21 + 8, "at least version 1 with four modules on each side, got {side}");
        assert!(d.starts_with("M4 4h1"), "the finder's corner stands after the margin");
        assert!(modules(&"x".repeat(5000)).is_none(), "too long for a code");
    }
}
