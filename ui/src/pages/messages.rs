//! The questions, complaints and messages of the open record.

mod ladder;
pub mod talk;
#[cfg(test)]
mod tests;
mod words;
pub mod write;

use mecum_api::domain::{CaseKind, CasePhase, HospitalId};
use mecum_api::{CareThreadView, CareView, HospitalArgs, ReceiptState, Topic, command};
use yew::prelude::*;
use yew_router::prelude::*;

use self::words::{KINDS, hours_text, kind_word, phase_text};
pub(crate) use self::words::{kind_icon, kind_name};
use super::answer::answered;
use super::care::{no_hospital, open_spaces, use_care};
use super::head::PageHead;
use crate::app::use_shell;
use crate::components::clock::{use_each_minute, when};
use crate::components::{Chip, Clock, Empty, Icon, IconName, Receipt};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// The questions, complaints and messages of the open record.
#[component]
pub fn MessagesPage() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let query = use_care(shell.chart_id());
    use_each_minute(query.reload());
    let only = use_state(|| None::<CaseKind>);
    let may_write = query.data().is_some_and(|view| !open_spaces(&view).is_empty());
    html! {
        <div class="page page-column">
            <PageHead title={t!(i18n, "messages-title")}>
                if may_write {
                    <Link<Route> to={Route::Write { kind: "new".into() }} classes="button button-main"><Icon icon={IconName::Pen} /><span>{ t!(i18n, "messages-write") }</span></Link<Route>>
                }
            </PageHead>
            <NotForEmergencies hospital={query.data().and_then(|view| view.spaces.first().map(|space| space.hospital))} />
            { answered(&i18n, &query, &t!(i18n, "messages-opening"), |view| {
                if view.spaces.is_empty() {
                    return no_hospital(&i18n, IconName::Messages);
                }
                if cases(&view).next().is_none() {
                    return html! { <Beginning hospital={view.spaces.first().map(|space| space.hospital).unwrap_or_default()} open={may_write} /> };
                }
                html! { <>{ chips(&i18n, &view, &only) }{ rows(&i18n, &view, *only, None) }</> }
            }) }
        </div>
    }
}

/// The conversations that are no visits.
fn cases(view: &CareView) -> impl Iterator<Item = &CareThreadView> {
    view.threads.iter().filter(|one| one.case.is_some())
}

fn kind_of(one: &CareThreadView) -> CaseKind {
    one.case.as_ref().map(|case| case.kind).unwrap_or_default()
}

/// Only kinds that there are, each with its count.
fn chips(i18n: &I18n, view: &CareView, only: &UseStateHandle<Option<CaseKind>>) -> Html {
    let choose = |kind: Option<CaseKind>| {
        let only = only.clone();
        Callback::from(move |_: MouseEvent| only.set(kind))
    };
    html! {
        <div class="chips" role="group" aria-label={t!(i18n, "messages-kinds")}>
            <Chip pressed={only.is_none()} onclick={choose(None)}>{ t!(i18n, "messages-all") }</Chip>
            { for KINDS.iter().filter_map(|kind| {
                let count = cases(view).filter(|one| kind_of(one) == *kind).count();
                let words = i18n.format(&format!("messages-chip-{}", kind_word(*kind)), &[("count", count.into())]);
                (count > 0).then(|| html! { <Chip pressed={**only == Some(*kind)} onclick={choose(Some(*kind))}>{ words }</Chip> })
            }) }
        </div>
    }
}

/// The conversations in the order in which they come: what waits for the reader first.
fn rows(i18n: &I18n, view: &CareView, only: Option<CaseKind>, open: Option<&CareThreadView>) -> Html {
    html! {
        <ul class="talk-list" role="list">
            { for cases(view).filter(|one| only.is_none_or(|kind| kind_of(one) == kind)).map(|one| {
                let here = open.is_some_and(|open| open.thread == one.thread && open.space == one.space);
                row(i18n, one, here)
            }) }
        </ul>
    }
}

fn row(i18n: &I18n, one: &CareThreadView, here: bool) -> Html {
    let Some(case) = &one.case else { return Html::default() };
    let today = format::local_day(format::now_ms());
    let said = if format::local_day(one.last_ms) == today {
        format::clock(one.last_ms)
    } else {
        format::day_near(i18n.language(), &format::iso(format::local_day(one.last_ms)), today)
    };
    // Before the hospital has it, what it is owed is not a matter yet: how far the words have got is.
    let receipt = if one.unsent > 0 {
        Some(ReceiptState::Device)
    } else {
        (case.phase == CasePhase::Sent).then_some(ReceiptState::Sent)
    };
    let to = Route::Talk { space: one.space.clone(), thread: one.thread.to_string() };
    html! {
        <li class={classes!("talk-item", here.then_some("talk-item-here"))} key={one.thread.to_string()}>
            <span class="talk-icon"><Icon icon={kind_icon(case.kind)} /></span>
            <div class="talk-body">
                <p class="talk-top">
                    <Link<Route> {to} classes="talk-link"><bdi>{ title(one) }</bdi></Link<Route>>
                    <span class="caption">{ said }</span>
                </p>
                <p class="small">{ kind_name(i18n, case.kind) }{ ", " }<bdi>{ if case.handler.is_empty() { &one.name } else { &case.handler }.clone() }</bdi></p>
                <p class={(one.unseen > 0).then_some("talk-new")}>{ phase_text(i18n, one, case) }</p>
                if one.unseen > 0 || receipt.is_some() || one.clock.is_some() {
                    <p class="talk-state">
                        if one.unseen > 0 { <span class="flag flag-new">{ t!(i18n, "messages-new", count = one.unseen) }</span> }
                        if let Some(clock) = &one.clock { <Clock clock={clock.clone()} row=true /> }
                        if let Some(state) = receipt { <Receipt {state} /> }
                    </p>
                }
            </div>
        </li>
    }
}

/// The first line of what was written first.
fn title(one: &CareThreadView) -> String {
    one.title.lines().next().unwrap_or_default().to_owned()
}

#[derive(Properties, PartialEq)]
struct OfHospitalProps {
    hospital: HospitalId,
    /// Something can be begun.
    #[prop_or_default]
    open: bool,
}

#[derive(Properties, PartialEq)]
struct NotForEmergenciesProps {
    #[prop_or_default]
    hospital: Option<HospitalId>,
}

/// Where to call instead, and when somebody reads here. It is said before the hospital is known.
#[component]
fn NotForEmergencies(props: &NotForEmergenciesProps) -> Html {
    let i18n = use_i18n();
    html! {
        <div class="notice notice-urgent talk-emergency">
            <Icon icon={IconName::Phone} />
            <p>
                <strong>{ t!(i18n, "messages-emergency") }</strong>{ " " }<a class="talk-call" href="tel:119">{ t!(i18n, "messages-call") }</a>
                if let Some(hospital) = props.hospital { <HelpAndHours {hospital} /> }
            </p>
        </div>
    }
}

#[component]
fn HelpAndHours(props: &OfHospitalProps) -> Html {
    let i18n = use_i18n();
    let query =
        use_query::<command::HospitalGet>(HospitalArgs { hospital: props.hospital }, vec![Topic::Sync]);
    let Some(view) = query.data() else { return Html::default() };
    html! {
        <>
            if let Some(hours) = hours_text(&i18n, &view.week) { { " " }{ t!(i18n, "messages-hours", hours = hours) } }
            { for view.help_lines.iter().map(|line| html! { <span class="talk-help"><bdi>{ line.name.clone() }</bdi>{ ": " }<bdi>{ line.reach.clone() }</bdi>{ ". " }<bdi>{ line.when.clone() }</bdi></span> }) }
        </>
    }
}

/// Nothing was written yet: how to start, and how soon who answers.
#[component]
fn Beginning(props: &OfHospitalProps) -> Html {
    let i18n = use_i18n();
    let query =
        use_query::<command::HospitalGet>(HospitalArgs { hospital: props.hospital }, vec![Topic::Sync]);
    html! {
        <>
            <Empty icon={IconName::Messages} title={t!(i18n, "messages-empty-title")} text={t!(i18n, "messages-empty-text")}>
                if props.open { <Link<Route> to={Route::Write { kind: "new".into() }} classes="link">{ t!(i18n, "messages-write-first") }</Link<Route>> }
            </Empty>
            if let Some(view) = query.data().filter(|view| !view.ladders.is_empty()) {
                <section>
                    <h2 class="section-head">{ t!(i18n, "messages-how-soon") }</h2>
                    <ul class="talk-list" role="list">
                        { for view.ladders.iter().filter_map(|ladder| Some((ladder.kind, ladder.rungs.first()?))).map(|(kind, rung)| html! {
                            <li class="talk-soon"><strong>{ kind_name(&i18n, kind) }</strong><span>{ words::promise(&i18n, rung) }</span><span class="small"><bdi>{ rung.name.clone() }</bdi></span></li>
                        }) }
                    </ul>
                    <p class="caption">{ t!(i18n, "messages-as-published", when = when(&i18n, view.published_ms)) }</p>
                </section>
            }
        </>
    }
}
