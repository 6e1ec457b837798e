//! The states of an answer on a page: waiting in words, an error in place with its way out, or the thing itself.

use std::rc::Rc;

use yew::prelude::*;

use super::head::PageHead;
use crate::components::{ErrorBlock, Skeleton};
use crate::i18n::I18n;
use crate::query::{Query, QueryState};
use crate::route::Route;

/// Shows `query` by `view` once it is there; meanwhile `opening` in words, and an error where it stands.
pub fn answered<T: 'static>(
    _i18n: &I18n,
    query: &Query<T>,
    opening: &str,
    view: impl FnOnce(Rc<T>) -> Html,
) -> Html {
    match &query.state {
        QueryState::Loading => html! { <Skeleton text={opening.to_owned()} /> },
        QueryState::Ready(data) => view(data.clone()),
        QueryState::Failed(error) => html! { <ErrorBlock error={error.clone()} on_retry={query.reload()} /> },
    }
}

/// The same for a page whose title comes with the answer: waiting and failing have an h1 of their own, and a way `back`.
pub fn answered_page<T: 'static>(
    query: &Query<T>,
    opening: &str,
    failed: String,
    back: Route,
    view: impl FnOnce(Rc<T>) -> Html,
) -> Html {
    match &query.state {
        QueryState::Loading => html! {
            <div class="page page-column">
                <h1 class="visually-hidden" tabindex="-1">{ opening.to_owned() }</h1>
                <Skeleton text={opening.to_owned()} />
            </div>
        },
        QueryState::Ready(data) => view(data.clone()),
        QueryState::Failed(error) => html! {
            <div class="page page-column">
                <PageHead title={failed} {back} />
                <ErrorBlock error={error.clone()} on_retry={query.reload()} />
            </div>
        },
    }
}
