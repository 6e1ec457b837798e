//! One of two or three, side by side.

use yew::prelude::*;

/// A segmented choice.
#[derive(Properties, PartialEq)]
pub struct SegmentProps {
    /// What is chosen here.
    pub label: AttrValue,
    /// Word and label.
    pub options: Vec<(AttrValue, AttrValue)>,
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
            { for props.options.iter().map(|(word, label)| {
                let on = props.value == *word;
                let onclick = { let word = word.clone(); props.onchange.reform(move |_: MouseEvent| word.clone()) };
                html! {
                    <button type="button" key={word.to_string()} class={if on { "segment-part segment-on" } else { "segment-part" }} aria-pressed={if on { "true" } else { "false" }} {onclick}>
                        { label.clone() }
                    </button>
                }
            }) }
        </div>
    }
}
