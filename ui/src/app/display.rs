//! Language and display on the page's root element, where the styles read them.

use mecum_api::{DisplaySettings, Look};
use yew::prelude::*;

/// The sizes of text that are offered, in percent.
pub const TEXT_STEPS: &[u16] = &[85, 100, 120, 140, 170, 200];

/// The offered size nearest to a stored one.
pub fn nearest_text_step(percent: u16) -> u16 {
    TEXT_STEPS.iter().copied().min_by_key(|step| step.abs_diff(percent)).unwrap_or(100)
}

/// Puts the settings on the root element: attributes, because the content security policy allows no style attribute.
#[hook]
pub(super) fn use_display(display: &DisplaySettings, language: &'static str) {
    use_effect_with((display.clone(), language), move |(display, language)| {
        let Some(root) = gloo::utils::document().document_element() else { return };
        let look = match display.look {
            Look::System => "system",
            Look::Light => "light",
            Look::Dark => "dark",
        };
        let text = nearest_text_step(display.text_percent).to_string();
        let flag = |on: bool| if on { "on" } else { "off" };
        for (name, value) in [
            ("lang", *language),
            ("data-look", look),
            ("data-text", &text),
            ("data-contrast", flag(display.contrast)),
            ("data-less-movement", flag(display.less_movement)),
        ] {
            let _ = root.set_attribute(name, value);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_size_finds_its_step() {
        assert_eq!(nearest_text_step(100), 100, "a step is itself");
        assert_eq!(nearest_text_step(190), 200, "the nearest");
        assert_eq!(nearest_text_step(1), 85, "never below the smallest");
    }
}
