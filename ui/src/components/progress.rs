//! How far something is: a bar with count and unit in words.

use yew::prelude::*;

/// A progress.
#[derive(Properties, PartialEq)]
pub struct ProgressProps {
    /// What is done.
    pub done: u32,
    /// Of how much; 0 when not known.
    pub total: u32,
    /// In words: "Sending 14 of 22 pieces".
    pub label: AttrValue,
}

/// A bar with its words.
#[component]
pub fn Progress(props: &ProgressProps) -> Html {
    let known = props.total > 0;
    html! {
        <div class="progress">
            <p class="progress-label" aria-live="polite">{ props.label.clone() }</p>
            <progress aria-label={props.label.clone()} max={known.then(|| props.total.to_string())} value={known.then(|| props.done.min(props.total).to_string())} />
        </div>
    }
}
