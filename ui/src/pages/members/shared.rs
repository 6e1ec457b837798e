//! A record that somebody else shares, as its pages see it: who shares it, what may be written in it, and that it has ended.

use std::fmt::Write as _;

use mecum_api::{ChartArgs, ChartView, MemberState, MemberView, MembersView, Topic, command};
use mecum_domain::{ChartId, Kind};
use yew::prelude::*;
use yew_router::prelude::*;

use super::words::{alike, day_of, near_day, role_of_you, sections_title, stands, until_text};
use crate::app::{Shell, use_shell};
use crate::components::{Icon, IconName, Notice, NoticeKind};
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::add::KINDS;
use crate::pages::words::wire_word;
use crate::query::use_query;
use crate::route::Route;

/// News that may change who sees a record.
pub(crate) fn topics(chart: ChartId) -> Vec<Topic> {
    vec![Topic::Record { chart }, Topic::Charts, Topic::Devices]
}

/// Entries of this kind may be written in the open record. What may not be written has no control for it.
pub fn may_write(shell: &Shell, kind: Kind) -> bool {
    shell.chart().is_none_or(|chart| writes(&chart, kind))
}

/// Anything may be added to the open record.
pub fn may_add(shell: &Shell) -> bool {
    KINDS.iter().any(|kind| may_write(shell, *kind))
}

/// Files may be brought into the open record.
pub fn may_import(shell: &Shell) -> bool {
    shell.chart().is_none_or(|chart| takes_files(&chart))
}

/// Files may be brought into a record: only where everything may be written, for a file holds of everything.
pub fn takes_files(chart: &ChartView) -> bool {
    chart.ended.is_none() && chart.writes.is_none()
}

/// Who the record is about may be changed.
pub fn may_rename(chart: &ChartView) -> bool {
    writes(chart, Kind::Patient)
}

fn writes(chart: &ChartView, kind: Kind) -> bool {
    let section = wire_word(kind.section());
    chart.ended.is_none() && chart.writes.as_ref().is_none_or(|writes| writes.contains(&section))
}

/// One line under the title of a shared record; nothing on the account's own records.
#[component]
pub fn SharedLine() -> Html {
    let shell = use_shell();
    match shell.chart().filter(|chart| chart.shared_by.is_some()) {
        Some(chart) => html! { <SharedFrom chart={(*chart).clone()} /> },
        None => Html::default(),
    }
}

#[derive(Properties, PartialEq)]
struct SharedFromProps {
    chart: ChartView,
}

#[component]
fn SharedFrom(props: &SharedFromProps) -> Html {
    let i18n = use_i18n();
    let chart = props.chart.chart;
    let query = use_query::<command::MemberList>(ChartArgs { chart }, topics(chart));
    let members = query.data();
    let from = props.chart.shared_by.clone().unwrap_or_default();
    if let Some(how) = props.chart.ended {
        let (title, text) = ended(&i18n, &from, how, members.as_deref());
        return html! {
            <div class="shared-line">
                <Notice kind={NoticeKind::Wait}><p><strong>{ title }</strong>{ " " }{ text }</p></Notice>
            </div>
        };
    }
    html! {
        <p class="shared-line small">
            <Icon icon={IconName::Users} small=true />
            <span>
                <bdi>{ t!(i18n, "shared-by", name = from) }</bdi>
                { members.as_deref().and_then(own).map(|me| terms(&i18n, me)).unwrap_or_default() }
                { " " }<Link<Route> to={Route::Members} classes="link">{ t!(i18n, "shared-see") }</Link<Route>>
            </span>
        </p>
    }
}

fn own(view: &MembersView) -> Option<&MemberView> {
    view.members.iter().find(|member| member.own)
}

/// " · you read · until Thu 31 Dec"; with several ways of standing, each with its sections.
fn terms(i18n: &I18n, me: &MemberView) -> String {
    let standing: Vec<_> = me.sections.iter().filter(|one| stands(one.state)).cloned().collect();
    let groups = alike(&standing);
    let one = groups.len() == 1;
    groups.iter().fold(String::new(), |mut line, group| {
        let role = role_of_you(i18n, group.terms.role);
        let until = until_text(i18n, group.terms.until.as_deref());
        let what = if one { role } else { format!("{}: {role}", sections_title(i18n, &group.sections)) };
        let _ = write!(line, " · {what} · {until}");
        line
    })
}

/// That it ended, how and when, and what stays.
fn ended(i18n: &I18n, from: &str, how: MemberState, members: Option<&MembersView>) -> (String, String) {
    let agreed =
        members.and_then(own).and_then(|me| me.sections.iter().filter_map(|one| one.until.clone()).max());
    let heard = members.and_then(own).and_then(|me| me.sections.iter().filter_map(|one| one.ended_ms).max());
    let when = match how {
        MemberState::Expired => agreed.map(|date| near_day(i18n, &date)),
        _ => heard.and_then(|at_ms| day_of(i18n, at_ms)),
    };
    let title =
        when.map_or_else(|| t!(i18n, "shared-ended"), |when| t!(i18n, "shared-ended-on", when = when));
    let who = match how {
        MemberState::Left => t!(i18n, "shared-ended-left"),
        MemberState::Removed => t!(i18n, "shared-ended-removed", name = from),
        _ => t!(i18n, "shared-ended-expired"),
    };
    (title, format!("{who} {}", t!(i18n, "shared-ended-stays")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(of: Option<&[&str]>, ended: Option<MemberState>) -> ChartView {
        ChartView {
            shared_by: Some("Laras".into()),
            writes: of.map(|all| all.iter().map(|one| (*one).to_owned()).collect()),
            ended,
            ..ChartView::default()
        }
    }

    #[test]
    fn only_what_one_was_let_into_may_be_written() {
        let shared = chart(Some(&["medications"]), None);
        assert!(writes(&shared, Kind::MedicationStatement), "medicines may");
        assert!(!writes(&shared, Kind::VitalSign), "measurements may not");
        assert!(!may_rename(&shared) && !takes_files(&shared), "nor the name, nor a file");
        assert!(writes(&ChartView::default(), Kind::VitalSign), "one's own record takes everything");
    }

    #[test]
    fn nothing_is_written_in_a_record_that_has_ended() {
        let over = chart(None, Some(MemberState::Removed));
        assert!(!writes(&over, Kind::MedicationStatement), "even where no section is named");
    }
}
