//! The questions before a membership ends: removing somebody, in some sections or all, and leaving oneself.

use mecum_api::{CallError, ChartArgs, MemberRemoveArgs, MemberState, MemberView, MembersView, command};
use mecum_domain::ChartId;
use yew::prelude::*;

use super::row::endable;
use super::ticks::Ticks;
use super::words::of_people;
use crate::app::use_shell;
use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, Dialog, ErrorBlock, Field, FieldType, Tile, TileSize};
use crate::format;
use crate::i18n::{t, use_i18n};

/// What is asked.
#[derive(Properties, PartialEq)]
pub(super) struct EndDialogProps {
    /// Whose membership; nobody's while the dialog is closed.
    pub(super) member: Option<MemberView>,
    /// The record.
    pub(super) chart: ChartId,
    /// Its name.
    pub(super) name: AttrValue,
    /// It stays, or it has ended.
    pub(super) on_close: Callback<()>,
    /// It has ended: ask anew.
    pub(super) on_done: Callback<()>,
}

/// The dialog.
#[component]
pub(super) fn EndDialog(props: &EndDialogProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let member = props.member.clone();
    let title = match &member {
        Some(member) if member.own => t!(i18n, "leave-question", of = props.name.as_str()),
        Some(member) => t!(i18n, "remove-question", name = member.name.as_str(), of = props.name.as_str()),
        None => String::new(),
    };
    let tile = shell.chart().map_or_else(Html::default, |chart| {
        html! { <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Small} /> }
    });
    html! {
        <Dialog open={member.is_some()} {title} {tile} on_close={props.on_close.clone()}>
            if let Some(member) = member.clone() {
                if member.own {
                    <LeaveForm chart={props.chart} name={props.name.clone()} on_close={props.on_close.clone()} on_done={props.on_done.clone()} />
                } else {
                    <RemoveForm key={member.account.clone()} chart={props.chart} member={member.clone()} on_close={props.on_close.clone()} on_done={props.on_done.clone()} />
                }
            }
        </Dialog>
    }
}

#[derive(Properties, PartialEq)]
struct RemoveFormProps {
    chart: ChartId,
    member: MemberView,
    on_close: Callback<()>,
    on_done: Callback<()>,
}

/// What is sent: no section named means all, also those that come while this is asked.
fn removal(
    chart: ChartId,
    member: &MemberView,
    ticked: &[String],
    reason: &str,
    after: &str,
) -> MemberRemoveArgs {
    let all = endable(member).len() == ticked.len();
    MemberRemoveArgs {
        chart,
        account: member.account.clone(),
        sections: if all { Vec::new() } else { ticked.to_vec() },
        reason: Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty()),
        nothing_after_ms: format::end_of_day_ms(after),
    }
}

/// The removal waits for the network: nothing more than that may be said to be done.
fn leaving(view: &MembersView, account: &str) -> bool {
    let mut theirs =
        view.members.iter().filter(|member| member.account == account).flat_map(|member| &member.sections);
    theirs.any(|one| one.state == MemberState::Leaving)
}

#[component]
fn RemoveForm(props: &RemoveFormProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let member = &props.member;
    let sections = endable(member);
    let ticked = use_state(|| sections.clone());
    let (reason, after) = (use_state(String::new), use_state(String::new));
    let tried = use_state(|| false);
    let working = use_state(|| false);
    let problem = use_state(|| None::<CallError>);
    let onsubmit = {
        let (ticked, reason, tried, working, problem) =
            (ticked.clone(), reason.clone(), tried.clone(), working.clone(), problem.clone());
        let after = after.clone();
        let (chart, member) = (props.chart, member.clone());
        let (on_close, on_done) = (props.on_close.clone(), props.on_done.clone());
        let name = member.name.as_str();
        let (done, waits) = (t!(i18n, "remove-done", name = name), t!(i18n, "remove-waits", name = name));
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            if *working || ticked.is_empty() {
                return;
            }
            working.set(true);
            problem.set(None);
            let args = removal(chart, &member, &ticked, &reason, &after);
            let (shell, backend, done, waits) = (shell.clone(), backend.clone(), done.clone(), waits.clone());
            let (working, problem) = (working.clone(), problem.clone());
            let (on_close, on_done) = (on_close.clone(), on_done.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let account = args.account.clone();
                match backend.call::<command::MemberRemove>(args).await {
                    Ok(view) => {
                        on_close.emit(());
                        on_done.emit(());
                        shell.toast(if leaving(&view, &account) { waits } else { done }, None);
                    }
                    Err(error) => {
                        working.set(false);
                        problem.set(Some(error));
                    }
                }
            });
        })
    };
    let none = (*tried && ticked.is_empty()).then(|| AttrValue::from(t!(i18n, "remove-none")));
    let onchange = {
        let ticked = ticked.clone();
        Callback::from(move |now: Vec<String>| ticked.set(now))
    };
    let oninput = {
        let reason = reason.clone();
        Callback::from(move |text: String| reason.set(text))
    };
    html! {
        <form class="members-end" {onsubmit} novalidate={true}>
            <p>{ t!(i18n, "remove-text", name = member.name.as_str()) }</p>
            if sections.len() > 1 {
                <Ticks name="remove-sections" legend={t!(i18n, "remove-sections")} {sections} ticked={(*ticked).clone()} error={none} {onchange} />
            }
            <Field id="remove-reason" label={t!(i18n, "remove-reason")} hint={AttrValue::from(t!(i18n, "remove-reason-hint"))} value={(*reason).clone()} optional=true {oninput} />
            <Field id="remove-after" label={t!(i18n, "cut-after")} hint={AttrValue::from(t!(i18n, "cut-after-hint"))} value={(*after).clone()} r#type={FieldType::Date} optional=true
                oninput={let after = after.clone(); Callback::from(move |text| after.set(text))} />
            <p class="small">{ t!(i18n, "remove-online") }</p>
            if let Some(error) = (*problem).clone() { <ErrorBlock error={of_people(&i18n, error)} /> }
            <div class="dialog-buttons">
                <Button kind={ButtonKind::DangerFilled} submit=true working={*working}>{ t!(i18n, "remove-do") }</Button>
                <Button kind={ButtonKind::Second} safe=true onclick={props.on_close.reform(|_: MouseEvent| ())}>{ t!(i18n, "remove-keep") }</Button>
            </div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct LeaveFormProps {
    chart: ChartId,
    name: AttrValue,
    on_close: Callback<()>,
    on_done: Callback<()>,
}

#[component]
fn LeaveForm(props: &LeaveFormProps) -> Html {
    let (i18n, shell, backend) = (use_i18n(), use_shell(), use_backend());
    let working = use_state(|| false);
    let problem = use_state(|| None::<CallError>);
    let onclick = {
        let (working, problem, chart) = (working.clone(), problem.clone(), props.chart);
        let (on_close, on_done) = (props.on_close.clone(), props.on_done.clone());
        let done = t!(i18n, "leave-done", of = props.name.as_str());
        Callback::from(move |_: MouseEvent| {
            working.set(true);
            problem.set(None);
            let (shell, backend, done) = (shell.clone(), backend.clone(), done.clone());
            let (working, problem) = (working.clone(), problem.clone());
            let (on_close, on_done) = (on_close.clone(), on_done.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::ChartLeave>(ChartArgs { chart }).await {
                    Ok(()) => {
                        on_close.emit(());
                        on_done.emit(());
                        shell.toast(done, None);
                    }
                    Err(error) => {
                        working.set(false);
                        problem.set(Some(error));
                    }
                }
            });
        })
    };
    html! {
        <>
            <p>{ t!(i18n, "leave-text") }</p>
            <p class="small">{ t!(i18n, "remove-online") }</p>
            if let Some(error) = (*problem).clone() { <ErrorBlock error={of_people(&i18n, error)} /> }
            <div class="dialog-buttons">
                <Button kind={ButtonKind::DangerFilled} {onclick} working={*working}>{ t!(i18n, "leave-do") }</Button>
                <Button kind={ButtonKind::Second} safe=true onclick={props.on_close.reform(|_: MouseEvent| ())}>{ t!(i18n, "leave-stay") }</Button>
            </div>
        </>
    }
}

#[cfg(test)]
mod tests {
    use mecum_api::MemberSectionView;

    use super::*;

    #[test]
    fn a_removal_that_waits_is_not_said_to_be_done() {
        let section = MemberSectionView { state: MemberState::Leaving, ..MemberSectionView::default() };
        let member = |account: &str, sections| MemberView {
            account: account.into(),
            sections,
            ..MemberView::default()
        };
        let members = vec![member("a", vec![section]), member("b", vec![MemberSectionView::default()])];
        let view = MembersView { members, ..MembersView::default() };
        assert!(leaving(&view, "a"), "the server has not heard of it");
        assert!(!leaving(&view, "b"), "somebody else's waiting is not theirs");
    }

    #[test]
    fn all_sections_are_ended_by_naming_none() {
        let section = |name: &str| MemberSectionView { section: name.into(), ..MemberSectionView::default() };
        let sections = vec![section("results"), section("visits")];
        let member = MemberView { account: "a".into(), sections, ..MemberView::default() };
        let all = removal(ChartId::default(), &member, &["results".into(), "visits".into()], " ", "");
        assert_eq!((all.sections.len(), all.reason), (0, None), "all of them, no empty reason");
        let some = removal(ChartId::default(), &member, &["visits".into()], "moved away", "2026-09-08");
        assert_eq!(some.sections, ["visits"], "only what was ticked");
        assert_eq!(some.reason.as_deref(), Some("moved away"), "with the reason");
        assert_eq!(some.nothing_after_ms, Some(1_788_911_999_999), "to the end of that day");
        assert_eq!(all.nothing_after_ms, None, "else from what the server has ordered by now");
    }
}
