//! Waiting: bars shaped like rows, with words, and only after 150 ms; what is on the device opens faster than that.

use yew::prelude::*;

/// A wait.
#[derive(Properties, PartialEq)]
pub struct SkeletonProps {
    /// In words: "Opening the record".
    pub text: AttrValue,
}

/// The bars fade in by a delayed animation, so that nothing flickers.
#[component]
pub fn Skeleton(props: &SkeletonProps) -> Html {
    html! {
        <div class="skeleton" role="status" aria-busy="true">
            <span class="skeleton-bar skeleton-bar-1" aria-hidden="true" />
            <span class="skeleton-bar skeleton-bar-2" aria-hidden="true" />
            <span class="skeleton-bar skeleton-bar-3" aria-hidden="true" />
            <span class="skeleton-text">{ props.text.clone() }</span>
        </div>
    }
}
