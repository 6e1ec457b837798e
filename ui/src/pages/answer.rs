//! The states of an answer on a page: waiting in words, an error in place with its way out, or the thing itself.

use std::rc::Rc;

use yew::prelude::*;

use crate::components::{ErrorBlock, Skeleton};
use crate::i18n::I18n;
use crate::query::{Query, QueryState};

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
