//! One member: what they see, as what, until when, why, and how it stands.

use mecum_api::{MemberSectionView, MemberState, MemberView};
use yew::prelude::*;

use super::words::{Alike, alike, day_of, role_name, sections_title, stands, state_flag, until_text};
use crate::components::{Button, ButtonKind, Icon, IconName};
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::words::wire_word;

/// A member.
#[derive(Properties, PartialEq)]
pub(super) struct MemberRowProps {
    /// The member.
    pub(super) member: MemberView,
    /// This account may remove them.
    pub(super) manages: bool,
    /// The end of this membership was asked for.
    pub(super) on_end: Callback<MemberView>,
}

/// Sections that can still be ended by a person: those that stand and are not ending already.
pub(super) fn endable(member: &MemberView) -> Vec<String> {
    let in_force = |one: &&MemberSectionView| matches!(one.state, MemberState::Member | MemberState::Joining);
    member.sections.iter().filter(in_force).map(|one| one.section.clone()).collect()
}

/// Somebody who still sees something.
pub(super) fn present(member: &MemberView) -> bool {
    member.owner || member.sections.iter().any(|one| stands(one.state))
}

/// A row.
#[component]
pub(super) fn MemberRow(props: &MemberRowProps) -> Html {
    let i18n = use_i18n();
    let member = &props.member;
    let may_end = !member.owner && (member.own || props.manages) && !endable(member).is_empty();
    let onclick = {
        let member = member.clone();
        props.on_end.reform(move |_: MouseEvent| member.clone())
    };
    html! {
        <li class="member">
            <div class="member-head">
                <Icon icon={if member.owner { IconName::Book } else { IconName::User }} />
                <div class="member-who">
                    <h3 class="member-name"><bdi>{ member.name.clone() }</bdi></h3>
                    if member.own { <span class="flag flag-plain">{ t!(i18n, "members-you") }</span> }
                </div>
            </div>
            if member.owner {
                <p>{ i18n.text(if member.own { "members-owner-you" } else { "members-owner" }) }</p>
            } else {
                <ul class="member-groups" role="list">{ for alike(&member.sections).iter().map(|group| group_row(&i18n, group)) }</ul>
            }
            if may_end {
                <div class="button-row">
                    <Button kind={ButtonKind::Danger} {onclick}>
                        { if member.own { t!(i18n, "members-leave") } else { t!(i18n, "members-remove", name = member.name.as_str()) } }
                    </Button>
                </div>
            }
        </li>
    }
}

fn group_row(i18n: &I18n, group: &Alike<'_>) -> Html {
    let terms = &group.terms;
    let state = wire_word(terms.state);
    let when = day_of(i18n, terms.at_ms).map(|when| t!(i18n, &format!("members-when-{state}"), when = when));
    let waits = i18n.try_text(&format!("members-waits-{state}"));
    html! {
        <li class="member-group" key={group.sections.join(" ")}>
            <p class="member-what">{ sections_title(i18n, &group.sections) }</p>
            <p class="small">{ format!("{}, {}", role_name(i18n, terms.role), until_text(i18n, terms.until.as_deref())) }</p>
            if let Some(reason) = &terms.reason { <p class="small">{ t!(i18n, "members-why") }{ " " }<q><bdi>{ reason.clone() }</bdi></q></p> }
            <p class="member-state">{ state_flag(i18n, terms.state) }{ when.map(|when| html! { <span class="caption">{ when }</span> }) }</p>
            if let Some(waits) = waits { <p class="small">{ waits }</p> }
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(states: &[MemberState]) -> MemberView {
        let section = |state: &MemberState| MemberSectionView {
            section: format!("{state:?}"),
            state: *state,
            ..MemberSectionView::default()
        };
        MemberView { sections: states.iter().map(section).collect(), ..MemberView::default() }
    }

    #[test]
    fn only_what_is_in_force_can_be_ended() {
        use MemberState::{Expired, Joining, Leaving, Left, Member, Removed};
        let all = member(&[Member, Joining, Leaving, Left, Removed, Expired]);
        assert_eq!(endable(&all), ["Member", "Joining"], "what is ending or over is left alone");
    }

    #[test]
    fn who_is_being_removed_is_listed_among_those_who_see() {
        assert!(present(&member(&[MemberState::Leaving])), "they may still get what is written");
        assert!(!present(&member(&[MemberState::Removed, MemberState::Left])), "all over");
    }
}
