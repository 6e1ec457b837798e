//! One conversation at the desk: whose it is, what is owed, what was said, and what the hospital can do now.

use mecum_api::domain::Side;
use mecum_api::{CareThreadView, ClockState, SyncPhase, Topic, command};
use yew::prelude::*;

use super::answering::Answering;
use super::topics;
use crate::components::clock::use_each_minute;
use crate::components::{Clock, Icon, IconName, Notice, NoticeKind};
use crate::i18n::{t, use_i18n};
use crate::pages::answer::answered_page;
use crate::pages::care::{timeline, use_seen, use_talk};
use crate::pages::head::PageHead;
use crate::pages::messages::kind_name;
use crate::query::use_query;
use crate::route::Route;

/// What it is opened with.
#[derive(Properties, PartialEq)]
pub struct DeskTalkProps {
    /// The chart.
    pub chart: AttrValue,
    /// The space of the conversation.
    pub space: AttrValue,
    /// The conversation.
    pub thread: AttrValue,
}

/// One conversation at the desk.
#[component]
pub fn DeskTalkPage(props: &DeskTalkProps) -> Html {
    let i18n = use_i18n();
    let desk = use_query::<command::DeskGet>((), topics());
    let sync = use_query::<command::SyncStatus>((), vec![Topic::Sync]);
    let query = use_talk(props.chart.parse().unwrap_or_default(), &props.space, &props.thread);
    use_each_minute(query.reload());
    let name = desk.data().and_then(|desk| desk.name.clone());
    // Nobody has seen what nobody has signed in for.
    use_seen(query.data().filter(|_| name.is_some()), name.as_deref().unwrap_or_default());
    let offline = sync.data().is_some_and(|sync| sync.phase == SyncPhase::Offline);
    answered_page(&query, &t!(i18n, "care-opening"), t!(i18n, "desk-title"), Route::Desk, |view| {
        let blind = is_blind(&view);
        let whose = if blind { t!(i18n, "desk-blind") } else { view.name.clone() };
        let kind =
            view.case.as_ref().map_or_else(|| t!(i18n, "desk-visit"), |case| kind_name(&i18n, case.kind));
        let runs = view.clock.as_ref().is_some_and(|clock| clock.state != ClockState::Paused);
        html! {
            <div class="page page-task desk-talk">
                <PageHead title={view.title.clone()} back={Route::Desk} note={AttrValue::from(kind)} />
                <p class="desk-whose"><Icon icon={IconName::User} small=true /><bdi>{ whose }</bdi></p>
                if let Some(clock) = &view.clock { <Clock clock={clock.clone()} /> }
                if offline && runs { <Notice kind={NoticeKind::Urgent}><p>{ t!(i18n, "desk-offline") }</p></Notice> }
                if let Some(case) = view.case.as_ref().filter(|case| !case.handler.is_empty()) {
                    <p><bdi>{ t!(i18n, "talk-handler", name = case.handler.as_str()) }</bdi></p>
                }
                { timeline(&i18n, &view, Side::Hospital) }
                if let Some(name) = name {
                    <Answering {view} {name} on_done={query.anew()} />
                } else if desk.data().is_some() {
                    <Notice><p>{ t!(i18n, "desk-sign-in-first") }</p></Notice>
                }
            </div>
        }
    })
}

/// Whether the ward is not to see who asks.
fn is_blind(view: &CareThreadView) -> bool {
    use mecum_api::CareActWords;
    use mecum_api::domain::CaseAct;
    view.acts.iter().any(|act| matches!(act.what, CareActWords::Case(CaseAct::Open { ward_blind: true, .. })))
}
