//! Nothing here yet: what will come, and the way to it. Never a picture alone.

use yew::prelude::*;

use super::{Icon, IconName};

/// An empty place.
#[derive(Properties, PartialEq)]
pub struct EmptyProps {
    /// A sign of what is missing.
    pub icon: IconName,
    /// What is not there.
    pub title: AttrValue,
    /// What will come here.
    pub text: AttrValue,
    /// Links.
    #[prop_or_default]
    pub children: Html,
}

/// An empty place.
#[component]
pub fn Empty(props: &EmptyProps) -> Html {
    html! {
        <section class="empty">
            <h2 class="empty-title"><Icon icon={props.icon} />{ props.title.clone() }</h2>
            <p>{ props.text.clone() }</p>
            <p class="empty-links">{ props.children.clone() }</p>
        </section>
    }
}
