//! The head of a page: the way back, the one h1 and what stands at its end.

use yew::prelude::*;
use yew_router::prelude::*;

use crate::components::{Icon, IconName};
use crate::i18n::{t, use_i18n};
use crate::route::Route;

/// The head of a page.
#[derive(Properties, PartialEq)]
pub struct PageHeadProps {
    /// The title.
    pub title: AttrValue,
    /// Where back leads, up the hierarchy; none on top pages.
    #[prop_or_default]
    pub back: Option<Route>,
    /// Words beside the title.
    #[prop_or_default]
    pub note: Option<AttrValue>,
    /// Controls at the end.
    #[prop_or_default]
    pub children: Html,
}

/// Back link, h1 and controls. The h1 takes focus when the page is opened.
#[component]
pub fn PageHead(props: &PageHeadProps) -> Html {
    let i18n = use_i18n();
    let class = if props.back.is_some() { "page-head page-head-task" } else { "page-head" };
    html! {
        <header {class}>
            if let Some(back) = props.back.clone() {
                <Link<Route> to={back} classes="icon-link">
                    <Icon icon={IconName::ArrowLeft} />
                    <span class="visually-hidden">{ t!(i18n, "entry-back") }</span>
                </Link<Route>>
            }
            <h1 tabindex="-1">{ props.title.clone() }</h1>
            if let Some(note) = &props.note {
                <span class="page-head-note">{ note.clone() }</span>
            }
            <div class="page-head-end">{ props.children.clone() }</div>
        </header>
    }
}
