//! One of two or three, side by side.

use yew::prelude::*;

use super::{Icon, IconName};

/// A segmented choice.
#[derive(Properties, PartialEq)]
pub struct SegmentProps {
    /// What is chosen here.
    pub label: AttrValue,
    /// Word and label.
    pub options: Vec<(AttrValue, AttrValue)>,
    /// A sign before each label, in the same order; none for labels that need none.
    #[prop_or_default]
    pub icons: Vec<IconName>,
    /// The word that is chosen.
    pub value: AttrValue,
    /// A choice.
    pub onchange: Callback<AttrValue>,
}

/// Buttons of which one is pressed.
#[component]
pub fn Segment(props: &SegmentProps) -> Html {
    html! {
        <div class="segment" role="group" aria-label={props.label.clone()}>
            { for props.options.iter().enumerate().map(|(at, (word, label))| {
                let on = props.value == *word;
                let onclick = { let word = word.clone(); props.onchange.reform(move |_: MouseEvent| word.clone()) };
                html! {
                    <button type="button" key={word.to_string()} class={if on { "segment-part segment-on" } else { "segment-part" }} aria-pressed={if on { "true" } else { "false" }} {onclick}>
                        if let Some(icon) = props.icons.get(at) { <Icon icon={*icon} /> }
                        { label.clone() }
                    </button>
                }
            }) }
        </div>
    }
}
