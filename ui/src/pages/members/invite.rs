//! Letting somebody in: the form, then its code, then the question whether it is really them. Whoever answers gives a name;
//! only the person in front of this page knows whether it is theirs.

use std::rc::Rc;

use mecum_api::{
    CallError, ChartArgs, MemberInviteArgs, PairOfferView, PairPhase, PairView, SyncPhase, Topic, command,
};
use yew::prelude::*;
use yew_router::prelude::*;

use super::choose::Choose;
use super::code::InvitationCode;
use super::meeting::{Meeting, use_meeting};
use super::shared::topics;
use super::words::{role_name, sections_within, until_text, why};
use crate::app::{Shell, use_shell};
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, Empty, Icon, IconName, Notice, NoticeKind, Skeleton};
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::answer::answered;
use crate::pages::head::PageHead;
use crate::query::use_query;
use crate::route::Route;

/// The invitation that this device shows: kept while the vault is open, so that the page can be left. Never stored.
#[derive(PartialEq)]
pub struct ShownInvitation {
    /// What was chosen.
    args: MemberInviteArgs,
    /// The name of its record: another may be open by now.
    name: String,
    /// The code.
    offer: PairOfferView,
}

impl ShownInvitation {
    fn what(&self, i18n: &I18n) -> String {
        let sections: Vec<&str> = self.args.sections.iter().map(String::as_str).collect();
        sections_within(i18n, &sections)
    }

    /// What a yes means for whoever answered.
    fn with_yes(&self, i18n: &I18n, name: &str) -> String {
        let (role, until) = (role_name(i18n, self.args.role), until_text(i18n, self.args.until.as_deref()));
        t!(i18n, "invite-asking-terms", name = name, role = role, until = until)
    }

    fn sentence(&self, i18n: &I18n) -> String {
        t!(
            i18n,
            "invite-sentence",
            role = role_name(i18n, self.args.role),
            what = self.what(i18n),
            name = self.name.as_str(),
            until = until_text(i18n, self.args.until.as_deref())
        )
    }
}

/// What the person can do on this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Approve,
    Stop,
    /// Back to the form, once it is over.
    Another,
}

/// The page.
#[component]
pub fn InvitePage() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let shown = shell.invitation();
    let meeting = use_meeting::<command::MemberStatus>(shown.is_some());
    let act = use_acts(&shell, &meeting);
    let begin = meeting.begin.clone();
    html! {
        <div class="page page-task page-pair">
            <PageHead title={t!(i18n, "invite-title")} back={Route::Members} />
            <div aria-live="polite" class="members-phase">
                { answered(&i18n, &meeting.query, &t!(i18n, "members-opening"), |answer| {
                    phase(&i18n, &meeting.view(&answer), shown.as_deref(), &begin, &act)
                }) }
            </div>
        </div>
    }
}

#[hook]
fn use_acts(shell: &Shell, meeting: &Meeting) -> Callback<Act> {
    let backend = use_backend();
    let (shell, reload, forget) = (shell.clone(), meeting.query.reload(), meeting.forget.clone());
    Callback::from(move |act: Act| {
        let (shell, backend) = (shell.clone(), backend.clone());
        let (reload, forget) = (reload.clone(), forget.clone());
        wasm_bindgen_futures::spawn_local(async move {
            let answer = match act {
                Act::Approve => backend.call::<command::MemberApprove>(()).await,
                Act::Stop => backend.call::<command::MemberStop>(()).await,
                Act::Another => Ok(PairView::default()),
            };
            match answer {
                Ok(_) if act == Act::Approve => reload.emit(()),
                Ok(_) => {
                    shell.invitation().set(None);
                    forget.emit(());
                }
                Err(error) => {
                    shell.problem(&error);
                    reload.emit(());
                }
            }
        });
    })
}

fn phase(
    i18n: &I18n,
    view: &PairView,
    shown: Option<&ShownInvitation>,
    begin: &Callback<()>,
    act: &Callback<Act>,
) -> Html {
    let other = view.other.clone().unwrap_or_else(|| t!(i18n, "invite-other-unnamed"));
    let press = |act_to: Act| act.reform(move |_: MouseEvent| act_to);
    match view.phase {
        PairPhase::None => html! { <Begin begin={begin.clone()} /> },
        PairPhase::Waiting => {
            html! {
                <>
                    if let Some(id) = &view.message_id { <Notice kind={NoticeKind::Plain}><p>{ i18n.text(id) }</p></Notice> }
                    if let Some(shown) = shown {
                        <InvitationCode offer={shown.offer.clone()} offers={shown.sentence(i18n)} on_stop={press(Act::Stop)} />
                    } else {
                        <section>
                            <h2 class="title-2">{ t!(i18n, "invite-still-title") }</h2>
                            <p>{ t!(i18n, "invite-still-text") }</p>
                            <div class="button-row"><Button kind={ButtonKind::Second} onclick={press(Act::Stop)}>{ t!(i18n, "pair-stop") }</Button></div>
                        </section>
                    }
                </>
            }
        }
        PairPhase::Asking => {
            let title = if let Some(shown) = shown {
                let (what, of) = (shown.what(i18n), shown.name.as_str());
                t!(i18n, "invite-asking", name = other.as_str(), what = what, of = of)
            } else {
                t!(i18n, "invite-asking-plain", name = other.as_str())
            };
            html! {
                <section class="pair-asking">
                    <h2 class="title-2"><bdi>{ title }</bdi></h2>
                    if let Some(shown) = shown { <p>{ shown.with_yes(i18n, &other) }</p> }
                    <p>{ t!(i18n, "invite-asking-text") }</p>
                    <div class="button-row">
                        <Button kind={ButtonKind::Main} onclick={press(Act::Approve)}>{ t!(i18n, "invite-approve", name = other) }</Button>
                        <Button kind={ButtonKind::Danger} onclick={press(Act::Stop)}>{ t!(i18n, "invite-refuse") }</Button>
                    </div>
                </section>
            }
        }
        PairPhase::Working => html! {
            <section>
                <Skeleton text={t!(i18n, "invite-working", name = other)} />
                <p class="small">{ t!(i18n, "invite-working-text") }</p>
                if let Some(id) = &view.message_id {
                    <Notice kind={NoticeKind::Wait}><p>{ why(i18n, id) }</p></Notice>
                    <div class="button-row">
                        <Button kind={ButtonKind::Second} onclick={press(Act::Approve)}>{ t!(i18n, "pair-try-now") }</Button>
                        <Button kind={ButtonKind::Second} onclick={press(Act::Stop)}>{ t!(i18n, "pair-stop") }</Button>
                    </div>
                }
            </section>
        },
        PairPhase::Done => html! {
            <section class="pair-done">
                <h2 class="title-2"><Icon icon={IconName::Check} /><bdi>{ t!(i18n, "invite-done", name = other) }</bdi></h2>
                <p>{ view.message_id.as_deref().map_or_else(|| t!(i18n, "invite-done-text"), |id| why(i18n, id)) }</p>
                <div class="button-row">
                    <Link<Route> to={Route::Members} classes="button button-main">{ t!(i18n, "invite-done-back") }</Link<Route>>
                    <Button kind={ButtonKind::Second} onclick={press(Act::Another)}>{ t!(i18n, "invite-another") }</Button>
                </div>
            </section>
        },
        PairPhase::Ended => html! {
            <section class="pair-ended">
                <h2 class="title-2">{ t!(i18n, "invite-ended") }</h2>
                <p>
                    if let Some(id) = &view.message_id { { why(i18n, id) }{ " " } }
                    { t!(i18n, "pair-ended-text") }
                </p>
                <div class="button-row"><Button kind={ButtonKind::Main} onclick={press(Act::Another)}>{ t!(i18n, "invite-again") }</Button></div>
            </section>
        },
    }
}

#[derive(Properties, PartialEq)]
struct BeginProps {
    begin: Callback<()>,
}

/// The form for the open record; where there is no server or no right, what is missing.
#[component]
fn Begin(props: &BeginProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let chart = shell.chart_id();
    let members = use_query::<command::MemberList>(ChartArgs { chart }, topics(chart));
    let sync = use_query::<command::SyncStatus>((), vec![Topic::Sync]);
    let working = use_state(|| false);
    let problem = use_state(|| None::<CallError>);
    let on_done = {
        let (shell, begin) = (shell.clone(), props.begin.clone());
        let (working, problem) = (working.clone(), problem.clone());
        Callback::from(move |args: MemberInviteArgs| {
            let (shell, backend, begin) = (shell.clone(), backend.clone(), begin.clone());
            let (working, problem) = (working.clone(), problem.clone());
            working.set(true);
            problem.set(None);
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::MemberInvite>(args.clone()).await {
                    Ok(offer) => {
                        let name = shell.chart_name();
                        shell.invitation().set(Some(Rc::new(ShownInvitation { args, name, offer })));
                        begin.emit(());
                    }
                    Err(error) => {
                        working.set(false);
                        problem.set(Some(error));
                    }
                }
            });
        })
    };
    if sync.data().is_some_and(|view| view.phase == SyncPhase::NoServer) {
        return needs_server(&i18n);
    }
    answered(&i18n, &members, &t!(i18n, "members-opening"), |view| {
        if !view.manages {
            return html! {
                <Empty icon={IconName::Lock} title={t!(i18n, "invite-not-yours-title")} text={t!(i18n, "invite-not-yours-text")}>
                    <Link<Route> to={Route::Members} classes="link">{ t!(i18n, "members-title") }</Link<Route>>
                </Empty>
            };
        }
        html! { <Choose {chart} name={view.name.clone()} sections={view.sections.clone()} working={*working} problem={(*problem).clone()} {on_done} /> }
    })
}

/// Two people meet at their server: without one there is nothing to give a code for.
pub(in crate::pages) fn needs_server(i18n: &I18n) -> Html {
    html! {
        <Empty icon={IconName::Server} title={t!(i18n, "members-server-title")} text={t!(i18n, "members-server-text")}>
            <Link<Route> to={Route::Devices} classes="link">{ t!(i18n, "where-connect") }</Link<Route>>
        </Empty>
    }
}
