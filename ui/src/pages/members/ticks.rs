//! Sections to tick: each a row with its name and what stands in it.

use yew::prelude::*;

use super::words::section_name;
use crate::components::{Icon, IconName};
use crate::i18n::{t, use_i18n};

/// A set of sections.
#[derive(Properties, PartialEq)]
pub(super) struct TicksProps {
    /// Its name in the page.
    pub(super) name: AttrValue,
    /// What is asked.
    pub(super) legend: AttrValue,
    /// The sections.
    pub(super) sections: Vec<String>,
    /// Those that are ticked.
    pub(super) ticked: Vec<String>,
    /// What stands in each is said too.
    #[prop_or_default]
    pub(super) explained: bool,
    /// What is wrong, and the mend.
    #[prop_or_default]
    pub(super) error: Option<AttrValue>,
    /// The sections that are ticked now, in the order of `sections`.
    pub(super) onchange: Callback<Vec<String>>,
}

/// The sections as they are ticked once `section` is turned.
fn turned(sections: &[String], ticked: &[String], section: &str) -> Vec<String> {
    let on = |one: &String| ticked.contains(one) != (one == section);
    sections.iter().filter(|one| on(one)).cloned().collect()
}

/// Checkboxes in a box.
#[component]
pub(super) fn Ticks(props: &TicksProps) -> Html {
    let i18n = use_i18n();
    let error_id = format!("{}-error", props.name);
    let described = props.error.is_some().then(|| error_id.clone());
    html! {
        <fieldset class={classes!("radios", props.error.is_some().then_some("field-wrong"))} aria-describedby={described}>
            <legend class="field-label">{ props.legend.clone() }</legend>
            if let Some(error) = &props.error {
                <span class="field-error" id={error_id} role="alert"><Icon icon={IconName::OctagonAlert} small=true />{ error.clone() }</span>
            }
            <div class="radios-box">
                { for props.sections.iter().map(|section| {
                    let onchange = {
                        let next = turned(&props.sections, &props.ticked, section);
                        props.onchange.reform(move |_: Event| next.clone())
                    };
                    let about = props.explained.then(|| i18n.try_text(&format!("members-about-{section}"))).flatten();
                    html! {
                        <label class="radio member-tick" key={section.clone()}>
                            <input type="checkbox" name={props.name.clone()} value={section.clone()} checked={props.ticked.contains(section)} {onchange} />
                            <span class="choice-body">
                                <span class="radio-label">{ section_name(&i18n, section) }</span>
                                { about.map(|about| html! { <span class="small">{ about }</span> }) }
                            </span>
                        </label>
                    }
                }) }
            </div>
            if props.sections.is_empty() { <p class="small">{ t!(i18n, "members-no-sections") }</p> }
        </fieldset>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticking_keeps_the_order_of_the_sections() {
        let all: Vec<String> = ["results", "medications", "visits"].map(str::to_owned).into();
        let one = turned(&all, &[], "visits");
        assert_eq!(
            turned(&all, &one, "results"),
            ["results", "visits"],
            "as they are listed, not as they were ticked"
        );
        assert_eq!(turned(&all, &one, "visits"), Vec::<String>::new(), "ticking again takes it away");
    }
}
