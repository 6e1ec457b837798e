//! "Who sees this record": everybody who may open the chart, as what, until when, why and how it stands; and the way to let somebody in.

mod choose;
mod code;
mod end;
pub mod invite;
mod meeting;
mod row;
mod shared;
#[cfg(test)]
mod tests;
mod ticks;
mod words;

use mecum_api::{ChartArgs, MemberState, MemberView, MembersView, SyncPhase, Topic, command};
use yew::prelude::*;
use yew_router::prelude::*;

pub(crate) use self::code::{code_block, word_list};
use self::end::EndDialog;
pub use self::invite::ShownInvitation;
pub(super) use self::invite::needs_server;
pub(super) use self::meeting::use_meeting;
use self::row::{MemberRow, present};
pub(super) use self::shared::topics;
pub use self::shared::{SharedLine, may_add, may_import, may_rename, may_write, takes_files};
pub(super) use self::words::{
    of_people, role_of_you, section_name, sections_title, state_flag, until_text, why,
};
use super::answer::answered;
use super::head::PageHead;
use crate::app::use_shell;
use crate::components::{Empty, Icon, IconName, Notice, NoticeKind};
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// The page.
#[component]
pub fn MembersPage() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let chart = shell.chart_id();
    let query = use_query::<command::MemberList>(ChartArgs { chart }, topics(chart));
    let sync = use_query::<command::SyncStatus>((), vec![Topic::Sync]);
    let connected = sync.data().is_none_or(|view| view.phase != SyncPhase::NoServer);
    let asked = use_state(|| None::<MemberView>);
    let on_end = {
        let asked = asked.clone();
        Callback::from(move |member: MemberView| asked.set(Some(member)))
    };
    let on_close = {
        let asked = asked.clone();
        Callback::from(move |()| asked.set(None))
    };
    html! {
        <div class="page page-task page-members">
            <PageHead title={t!(i18n, "members-title")} back={Route::Record} />
            { answered(&i18n, &query, &t!(i18n, "members-opening"), |view| body(&i18n, &view, connected, &on_end)) }
            <EndDialog member={(*asked).clone()} {chart} name={shell.chart_name()} {on_close} on_done={query.reload()} />
        </div>
    }
}

fn body(i18n: &I18n, view: &MembersView, connected: bool, on_end: &Callback<MemberView>) -> Html {
    let (now, before): (Vec<&MemberView>, Vec<&MemberView>) =
        view.members.iter().partition(|member| present(member));
    let alone = now.iter().all(|member| member.own);
    let waits = view.members.iter().flat_map(|member| &member.sections);
    let waits = waits.filter(|one| matches!(one.state, MemberState::Joining | MemberState::Leaving)).count();
    let row = |member: &&MemberView| {
        html! { <MemberRow key={member.account.clone()} member={(*member).clone()} manages={view.manages} on_end={on_end.clone()} /> }
    };
    html! {
        <>
            if let Some(name) = &view.shared_by {
                <p class="lead"><bdi>{ t!(i18n, "shared-by", name = name.as_str()) }</bdi></p>
            }
            if alone {
                <Empty icon={IconName::Lock} title={t!(i18n, "members-empty-title")} text={t!(i18n, "members-empty-text")}>{ Html::default() }</Empty>
            } else {
                <section>
                    <h2 class="section-head">{ t!(i18n, "members-now") }<span class="section-count">{ now.len() }</span></h2>
                    <ul class="member-list" role="list">{ for now.iter().map(row) }</ul>
                </section>
            }
            if waits > 0 {
                <Notice kind={NoticeKind::Wait}><p>{ t!(i18n, "members-waits", count = waits) }</p></Notice>
            }
            if !before.is_empty() {
                <details class="entry-section">
                    <summary><h2 class="section-title">{ t!(i18n, "members-before", count = before.len()) }</h2></summary>
                    <ul class="member-list" role="list">{ for before.iter().map(row) }</ul>
                </details>
            }
            <div class="notice">
                <Icon icon={IconName::Key} />
                <div class="notice-words"><p>{ t!(i18n, "members-online") }{ " " }{ t!(i18n, "members-cannot-recall") }</p></div>
            </div>
            if view.manages && connected {
                <div class="action-bar">
                    <Link<Route> to={Route::Invite} classes="button button-main"><Icon icon={IconName::UserPlus} /><span>{ t!(i18n, "invite-title") }</span></Link<Route>>
                </div>
            } else if view.manages {
                { needs_server(i18n) }
            }
        </>
    }
}
