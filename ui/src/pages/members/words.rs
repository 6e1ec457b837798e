//! Sections, roles and spans of a membership in plain words, alike on every page that speaks of them.

use mecum_api::{CallError, MemberRole, MemberSectionView, MemberState};
use yew::prelude::*;

use crate::components::{Icon, IconName};
use crate::format;
use crate::i18n::{I18n, t};
use crate::pages::words::{spaced, wire_word};

/// What is offered when somebody is let in, weakest first.
pub const ROLES: &[MemberRole] = &[MemberRole::Reader, MemberRole::Writer, MemberRole::Manager];

/// The name of a section; one of a newer version is spaced into words.
pub fn section_name(i18n: &I18n, section: &str) -> String {
    i18n.try_text(&format!("members-section-{section}")).unwrap_or_else(|| spaced(section))
}

/// The names of sections as a list that begins a line: "Medicines and lab results".
pub fn sections_title(i18n: &I18n, sections: &[&str]) -> String {
    joined(
        i18n,
        sections.iter().enumerate().map(|(at, section)| {
            let name = section_name(i18n, section);
            if at == 0 { name } else { lower_first(&name) }
        }),
    )
}

/// The same inside a sentence: "medicines and lab results".
pub fn sections_within(i18n: &I18n, sections: &[&str]) -> String {
    lower_first(&sections_title(i18n, sections))
}

fn joined(i18n: &I18n, names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    match (names.pop(), names.is_empty()) {
        (None, _) => String::new(),
        (Some(last), true) => last,
        (Some(last), false) => t!(i18n, "members-and", first = names.join(", "), last = last),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format::lower(&first.to_string()) + letters.as_str())
}

/// What a role does, of somebody else: "reads and writes".
pub fn role_name(i18n: &I18n, role: MemberRole) -> String {
    i18n.text(&format!("members-role-{}", wire_word(role)))
}

/// The same, said to the person: "you read and write".
pub fn role_of_you(i18n: &I18n, role: MemberRole) -> String {
    i18n.text(&format!("members-you-{}", wire_word(role)))
}

/// "until Thu 31 Dec"; without an end, "no end date".
pub fn until_text(i18n: &I18n, until: Option<&str>) -> String {
    until.map_or_else(
        || t!(i18n, "members-no-end"),
        |date| t!(i18n, "members-until", when = near_day(i18n, date)),
    )
}

/// A civil date, without the year where it is this one: "Thu 31 Dec".
pub fn near_day(i18n: &I18n, date: &str) -> String {
    format::day_near(i18n.language(), date, format::local_day(format::now_ms()))
}

/// The day of an instant: "Tue 8 Sep"; none when it is not known.
pub fn day_of(i18n: &I18n, at_ms: i64) -> Option<String> {
    (at_ms > 0).then(|| near_day(i18n, &format::iso(format::local_day(at_ms))))
}

/// Still there: such a member sees what is written.
pub fn stands(state: MemberState) -> bool {
    matches!(state, MemberState::Member | MemberState::Joining | MemberState::Leaving)
}

/// The state with its shape and its word.
pub fn state_flag(i18n: &I18n, state: MemberState) -> Html {
    let (class, icon) = match state {
        MemberState::Member => ("flag flag-ok", Some(IconName::Check)),
        MemberState::Joining | MemberState::Leaving => ("flag flag-hold", Some(IconName::CirclePause)),
        MemberState::Left | MemberState::Removed | MemberState::Expired => ("flag flag-plain", None),
    };
    let word = i18n.text(&format!("members-state-{}", wire_word(state)));
    html! {
        <span {class}>if let Some(icon) = icon { <Icon {icon} small=true /> }{ word }</span>
    }
}

/// Sections that stand alike: said once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike<'a> {
    /// The sections.
    pub sections: Vec<&'a str>,
    /// What is the same of all of them; its moment is the latest.
    pub terms: MemberSectionView,
}

/// Sections with the same role, end, reason and state together, in the order in which they first came.
pub fn alike(sections: &[MemberSectionView]) -> Vec<Alike<'_>> {
    let mut out: Vec<Alike<'_>> = Vec::new();
    for one in sections {
        let same = |other: &&mut Alike<'_>| {
            let terms = &other.terms;
            (terms.role, &terms.until, &terms.reason, terms.state)
                == (one.role, &one.until, &one.reason, one.state)
        };
        if let Some(found) = out.iter_mut().find(same) {
            found.sections.push(&one.section);
            found.terms.at_ms = found.terms.at_ms.max(one.at_ms);
        } else {
            out.push(Alike { sections: vec![&one.section], terms: one.clone() });
        }
    }
    out
}

/// Why an invitation waits or ended. What is shared with adding a device has words about people here.
pub fn why(i18n: &I18n, id: &str) -> String {
    i18n.try_text(&format!("members-{id}")).unwrap_or_else(|| i18n.text(id))
}

/// A refusal in words about people, where there are some.
pub fn of_people(i18n: &I18n, error: CallError) -> CallError {
    let own = format!("members-{}", error.message_id);
    if i18n.try_text(&own).is_some() { CallError { message_id: own, ..error } } else { error }
}

#[cfg(test)]
mod tests {
    use mecum_api::Code;
    use mecum_domain::Section;

    use super::*;

    const STATES: [MemberState; 6] = [
        MemberState::Member,
        MemberState::Joining,
        MemberState::Leaving,
        MemberState::Left,
        MemberState::Removed,
        MemberState::Expired,
    ];

    fn section(name: &str, role: MemberRole, at_ms: i64) -> MemberSectionView {
        MemberSectionView { section: name.into(), role, at_ms, ..MemberSectionView::default() }
    }

    #[test]
    fn every_section_role_and_state_has_its_words_in_both_languages() {
        for language in ["en", "id"] {
            let i18n = I18n::new(language);
            let has = |id: String| assert!(i18n.try_text(&id).is_some(), "{id} in {language}");
            for section in Section::ALL {
                has(format!("members-section-{}", wire_word(section)));
            }
            for role in ROLES {
                for part in ["role", "you", "may", "may-note"] {
                    has(format!("members-{part}-{}", wire_word(role)));
                }
            }
            for state in STATES {
                has(format!("members-state-{}", wire_word(state)));
            }
        }
    }

    #[test]
    fn a_list_of_sections_reads_as_a_sentence() {
        let en = I18n::new("en");
        assert_eq!(sections_title(&en, &["medications"]), "Medicines", "one");
        assert_eq!(
            sections_within(&en, &["medications", "results", "measurements"]),
            "medicines, lab results and measurements",
            "three, inside a sentence"
        );
        assert_eq!(section_name(&en, "sleep-log"), "Sleep log", "a section of a newer version");
    }

    #[test]
    fn sections_that_stand_alike_are_said_once() {
        let all = [
            section("medications", MemberRole::Writer, 5),
            section("results", MemberRole::Reader, 6),
            section("measurements", MemberRole::Writer, 9),
        ];
        let groups = alike(&all);
        assert_eq!(groups.len(), 2, "two ways of standing");
        assert_eq!(groups[0].sections, ["medications", "measurements"], "both that are written");
        assert_eq!(groups[0].terms.at_ms, 9, "with the later moment");
    }

    #[test]
    fn a_refused_code_speaks_of_people_not_of_devices() {
        let en = I18n::new("en");
        let said = en.error(&of_people(&en, CallError::new(Code::BadPairingCode, "error-pairing-code")));
        assert!(said.1.is_some_and(|to_do| !to_do.contains("device")), "no first device is spoken of");
        let other = of_people(&en, CallError::new(Code::Internal, "error-no-answer"));
        assert_eq!(other.message_id, "error-no-answer", "others stay as they are");
    }
}
