//! What visits, messages and the desk have in common: which hospital, saying something, and that somebody has looked.

mod timeline;

use mecum_api::domain::ChartId;
use mecum_api::{CareActArgs, CareActWords, CareSeenArgs, CareSpaceView, CareThreadView, CareView, command};
use yew::prelude::*;
use yew_router::prelude::*;

pub(crate) use self::timeline::{offered, slot_line, timeline, unsent, wished};
use super::act::{Act, use_act};
use crate::backend::use_backend;
use crate::components::{Empty, IconName};
use crate::i18n::{I18n, t};
use crate::query::{Query, use_query};
use crate::route::Route;

/// The hospitals and conversations of a record, asked again whenever something of it changes.
#[hook]
pub(crate) fn use_care(chart: ChartId) -> Query<CareView> {
    let topics = vec![mecum_api::Topic::Record { chart }, mecum_api::Topic::Charts, mecum_api::Topic::Sync];
    use_query::<command::CareList>(mecum_api::ChartArgs { chart }, topics)
}

/// One conversation, likewise.
#[hook]
pub(crate) fn use_talk(chart: ChartId, space: &str, thread: &str) -> Query<CareThreadView> {
    let args = mecum_api::CareThreadArgs {
        chart,
        space: space.to_owned(),
        thread: thread.parse().unwrap_or_default(),
    };
    let topics = vec![mecum_api::Topic::Record { chart }, mecum_api::Topic::Charts, mecum_api::Topic::Sync];
    use_query::<command::CareGet>(args, topics)
}

/// Says something in a conversation: on a device, whatever the network does.
#[hook]
pub(crate) fn use_say(done: Callback<CareThreadView>) -> Act<CareActArgs> {
    use_act::<command::CareActWrite>(done)
}

/// What is said in an open conversation, in knowledge of what this page shows.
pub(crate) fn says(view: &CareThreadView, what: CareActWords, by: &str) -> CareActArgs {
    CareActArgs {
        chart: view.chart,
        space: view.space.clone(),
        thread: Some(view.thread),
        what: Some(what),
        shown: view.shown.clone(),
        by: by.to_owned(),
    }
}

/// Says that a person has this conversation before them, once for what is new in it.
#[hook]
pub(crate) fn use_seen(view: Option<std::rc::Rc<CareThreadView>>, by: &str) {
    let backend = use_backend();
    let by = by.to_owned();
    let shown = view.as_ref().filter(|view| view.unseen > 0).map(|view| view.shown.clone());
    use_effect_with(shown, move |shown| {
        if let (Some(shown), Some(view)) = (shown.clone(), view) {
            let (chart, space, thread) = (view.chart, view.space.clone(), view.thread);
            wasm_bindgen_futures::spawn_local(async move {
                // Where it cannot be said, it is said when the page is opened again.
                let _ =
                    backend.call::<command::CareSeen>(CareSeenArgs { chart, space, thread, shown, by }).await;
            });
        }
    });
}

/// The hospitals with which something can be begun.
pub(crate) fn open_spaces(view: &CareView) -> Vec<&CareSpaceView> {
    let of_patient = |space: &&CareSpaceView| space.open && space.side == mecum_api::domain::Side::Patient;
    view.spaces.iter().filter(of_patient).collect()
}

/// No hospital is connected with this record: what it would be good for, and the way to it.
pub(crate) fn no_hospital(i18n: &I18n, icon: IconName) -> Html {
    html! {
        <Empty {icon} title={t!(i18n, "care-no-hospital-title")} text={t!(i18n, "care-no-hospital-text")}>
            <Link<Route> to={Route::ConnectHospital} classes="button button-main">{ t!(i18n, "care-connect") }</Link<Route>>
        </Empty>
    }
}
