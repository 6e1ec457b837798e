//! "Let somebody in": what they may see, what they may do, until when, and why. Nothing is ticked for the person.

use mecum_api::{CallError, MemberInviteArgs, MemberRole};
use mecum_domain::{ChartId, PartialDate};
use yew::prelude::*;

use super::ticks::Ticks;
use super::words::{ROLES, of_people, role_name, sections_title, sections_within, until_text};
use crate::components::{Button, ButtonKind, ErrorBlock, Field, Icon, IconName};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::words::wire_word;

/// The form.
#[derive(Properties, PartialEq)]
pub(super) struct ChooseProps {
    /// The record.
    pub(super) chart: ChartId,
    /// Its name.
    pub(super) name: AttrValue,
    /// The sections that can be shared.
    pub(super) sections: Vec<String>,
    /// The code is being made.
    pub(super) working: bool,
    /// Why there is no code.
    pub(super) problem: Option<CallError>,
    /// What was chosen.
    pub(super) on_done: Callback<MemberInviteArgs>,
}

/// What keeps the form from being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    Sections,
    /// The date is over, or none.
    Until,
}

fn missing(args: &MemberInviteArgs, today: &str) -> Vec<Missing> {
    let over = args.until.as_deref().is_some_and(|until| {
        // Civil dates of the same form compare as texts.
        PartialDate::parse(until).and_then(|date| date.day()).is_none() || until < today
    });
    [(args.sections.is_empty(), Missing::Sections), (over, Missing::Until)]
        .into_iter()
        .filter_map(|(wrong, what)| wrong.then_some(what))
        .collect()
}

fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The form. What was typed stays after a refusal.
#[component]
pub(super) fn Choose(props: &ChooseProps) -> Html {
    let i18n = use_i18n();
    let args = use_state(|| MemberInviteArgs { chart: props.chart, ..MemberInviteArgs::default() });
    let tried = use_state(|| false);
    let today = format::iso(format::local_day(format::now_ms()));
    let lacks = if *tried { missing(&args, &today) } else { Vec::new() };
    let said = |what: Missing, id: &str| lacks.contains(&what).then(|| AttrValue::from(i18n.text(id)));
    let onsubmit = {
        let (args, tried, today) = (args.clone(), tried.clone(), today.clone());
        let (on_done, working) = (props.on_done.clone(), props.working);
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            if !working && missing(&args, &today).is_empty() {
                on_done.emit((*args).clone());
            }
        })
    };
    let sections = change(&args, |args, sections| args.sections = sections);
    let reason = change(&args, |args, text: String| args.reason = given(&text));
    let typed_reason = use_state(String::new);
    let on_reason = {
        let typed = typed_reason.clone();
        Callback::from(move |text: String| {
            reason.emit(text.clone());
            typed.set(text);
        })
    };
    html! {
        <form class="members-form" {onsubmit} novalidate={true}>
            <p class="lead">{ t!(i18n, "invite-intro") }</p>
            if let Some(error) = props.problem.clone() { <ErrorBlock error={of_people(&i18n, error)} /> }
            <Ticks name="invite-sections" legend={t!(i18n, "invite-sections")} sections={props.sections.clone()} ticked={args.sections.clone()} explained=true error={said(Missing::Sections, "invite-sections-missing")} onchange={sections} />
            { roles(&i18n, &args) }
            { until(&i18n, &args, &today, said(Missing::Until, "invite-until-over").as_ref()) }
            <Field id="invite-reason" label={t!(i18n, "invite-reason")} hint={AttrValue::from(t!(i18n, "invite-reason-hint"))} value={(*typed_reason).clone()} optional=true oninput={on_reason} />
            { closed(&i18n, props, &args) }
            <div class="action-bar">
                <p class="small">{ sentence(&i18n, &props.name, &args) }</p>
                <Button kind={ButtonKind::Main} submit=true working={props.working}>
                    { if props.working { t!(i18n, "invite-making") } else { t!(i18n, "invite-make") } }
                </Button>
            </div>
        </form>
    }
}

fn roles(i18n: &I18n, args: &UseStateHandle<MemberInviteArgs>) -> Html {
    html! {
        <fieldset class="radios">
            <legend class="field-label">{ t!(i18n, "invite-may") }</legend>
            <div class="radios-box">
                { for ROLES.iter().map(|role| {
                    let word = wire_word(role);
                    let onchange = change(args, |args, role: MemberRole| args.role = role).reform(|_: Event| *role);
                    html! {
                        <label class="radio" key={word.clone()}>
                            <input type="radio" name="invite-role" value={word.clone()} checked={args.role == *role} {onchange} />
                            <span class="choice-body">
                                <span class="radio-label">{ i18n.text(&format!("members-may-{word}")) }</span>
                                <span class="small">{ i18n.text(&format!("members-may-note-{word}")) }</span>
                            </span>
                        </label>
                    }
                }) }
            </div>
        </fieldset>
    }
}

/// The last day. A field of its own: the shared one offers a birthday.
fn until(
    i18n: &I18n,
    args: &UseStateHandle<MemberInviteArgs>,
    today: &str,
    error: Option<&AttrValue>,
) -> Html {
    let set = change(args, |args, text: String| args.until = given(&text));
    let oninput = Callback::from(move |event: InputEvent| {
        if let Some(input) = event.target_dyn_into::<web_sys::HtmlInputElement>() {
            set.emit(input.value());
        }
    });
    let described =
        if error.is_some() { "invite-until-hint invite-until-error" } else { "invite-until-hint" };
    html! {
        <div class={classes!("field", error.is_some().then_some("field-wrong"))}>
            <label class="field-label" for="invite-until">
                { t!(i18n, "invite-until") }<span class="field-optional">{ t!(i18n, "app-optional") }</span>
            </label>
            <span class="field-hint" id="invite-until-hint">{ t!(i18n, "invite-until-hint") }</span>
            if let Some(error) = error {
                <span class="field-error" id="invite-until-error" role="alert"><Icon icon={IconName::OctagonAlert} small=true />{ error.clone() }</span>
            }
            <input class="field-box" id="invite-until" type="date" autocomplete="off" min={today.to_owned()} value={args.until.clone().unwrap_or_default()} {oninput}
                aria-describedby={described} aria-invalid={error.is_some().then_some("true")} />
        </div>
    }
}

/// What was chosen, as one sentence: it stands above the button that makes the code.
fn sentence(i18n: &I18n, name: &str, args: &MemberInviteArgs) -> String {
    if args.sections.is_empty() {
        return t!(i18n, "invite-nothing-yet");
    }
    let sections: Vec<&str> = args.sections.iter().map(String::as_str).collect();
    t!(
        i18n,
        "invite-sentence",
        role = role_name(i18n, args.role),
        what = sections_within(i18n, &sections),
        name = name,
        until = until_text(i18n, args.until.as_deref())
    )
}

fn closed(i18n: &I18n, props: &ChooseProps, args: &MemberInviteArgs) -> Html {
    let rest: Vec<&str> =
        props.sections.iter().filter(|one| !args.sections.contains(one)).map(String::as_str).collect();
    html! {
        <div class="notice">
            <Icon icon={IconName::EyeOff} />
            <div class="notice-words">
                if !rest.is_empty() && !args.sections.is_empty() {
                    <p><strong>{ t!(i18n, "invite-closed") }</strong>{ " " }{ sections_title(i18n, &rest) }</p>
                }
                <p>{ t!(i18n, "members-cannot-recall") }</p>
            </div>
        </div>
    }
}

/// Writes one part of the form.
fn change<T: 'static>(
    args: &UseStateHandle<MemberInviteArgs>,
    write: fn(&mut MemberInviteArgs, T),
) -> Callback<T> {
    let args = args.clone();
    Callback::from(move |value: T| {
        let mut next = (*args).clone();
        write(&mut next, value);
        args.set(next);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(sections: &[&str], until: Option<&str>) -> MemberInviteArgs {
        MemberInviteArgs {
            sections: sections.iter().map(|one| (*one).to_owned()).collect(),
            until: until.map(str::to_owned),
            ..MemberInviteArgs::default()
        }
    }

    #[test]
    fn nobody_is_let_into_nothing_or_into_the_past() {
        let today = "2026-09-08";
        assert_eq!(missing(&args(&[], None), today), [Missing::Sections], "no section");
        assert_eq!(missing(&args(&["results"], Some("2026-09-07")), today), [Missing::Until], "yesterday");
        assert_eq!(missing(&args(&["results"], Some("soon")), today), [Missing::Until], "no date");
        assert!(missing(&args(&["results"], Some(today)), today).is_empty(), "today still counts");
    }

    #[test]
    fn what_was_chosen_reads_as_one_sentence() {
        let en = I18n::new("en");
        let chosen = MemberInviteArgs {
            role: MemberRole::Writer,
            ..args(&["medications", "results"], Some("2026-12-31"))
        };
        assert_eq!(
            sentence(&en, "Ibu Ratna", &chosen),
            "Whoever takes this code reads and writes medicines and lab results of Ibu Ratna, until Thu 31 Dec.",
            "all four in a row"
        );
    }
}
