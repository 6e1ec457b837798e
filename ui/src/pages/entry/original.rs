//! The original of an entry, byte for byte, asked for only when a person opens it.

use mecum_api::{EntryArgs, command};
use yew::prelude::*;

use crate::app::use_shell;
use crate::i18n::{t, use_i18n};
use crate::pages::answer::answered;
use crate::query::use_query;

/// Whose original.
#[derive(Properties, PartialEq)]
pub(super) struct OriginalProps {
    /// The entry.
    pub(super) entry: AttrValue,
}

/// A fold that brings the original when it is opened.
#[component]
pub(super) fn Original(props: &OriginalProps) -> Html {
    let i18n = use_i18n();
    let open = use_state_eq(|| false);
    let ontoggle = {
        let open = open.clone();
        Callback::from(move |event: Event| {
            let details: Option<web_sys::Element> = event.target_dyn_into();
            open.set(details.is_some_and(|d| d.has_attribute("open")));
        })
    };
    html! {
        <details class="entry-section entry-original" {ontoggle}>
            <summary><h2 class="section-title">{ t!(i18n, "entry-original") }</h2></summary>
            if *open {
                <Text entry={props.entry.clone()} />
            }
        </details>
    }
}

#[component]
fn Text(props: &OriginalProps) -> Html {
    let i18n = use_i18n();
    let args = EntryArgs { chart: use_shell().chart_id(), entry: props.entry.to_string() };
    let query = use_query::<command::EntryOriginal>(args, vec![]);
    answered(&i18n, &query, &t!(i18n, "entry-opening"), |view| {
        html! {
            <>
                <p class="caption"><bdi>{ t!(i18n, "entry-original-from", source = view.source.as_str()) }</bdi></p>
                <pre class="original" tabindex="0" dir="ltr" translate="no">{ view.text.clone() }</pre>
            </>
        }
    })
}
