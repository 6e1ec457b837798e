//! What an invitation offers: who invites, whose record, what of it, as what, until when and why; and the name that they will see.

use mecum_api::{CallError, InvitationAnswerArgs, InvitationView, command};
use yew::prelude::*;

use crate::backend::use_backend;
use crate::components::{Button, ButtonKind, ErrorBlock, Field};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::members::{of_people, role_of_you, sections_title, until_text};

/// An invitation.
#[derive(Properties, PartialEq)]
pub(super) struct OfferedProps {
    /// What it offers.
    pub(super) invitation: InvitationView,
    /// The name to begin with.
    pub(super) name: String,
    /// It was accepted or declined.
    pub(super) on_answer: Callback<bool>,
}

/// The offer with its two answers. Neither is chosen for the person.
#[component]
pub(super) fn Offered(props: &OfferedProps) -> Html {
    let (i18n, backend) = (use_i18n(), use_backend());
    let invitation = &props.invitation;
    let name = use_state(|| props.name.clone());
    let tried = use_state(|| false);
    let working = use_state(|| None::<bool>);
    let problem = use_state(|| None::<CallError>);
    let answer = {
        let (name, working, problem) = (name.clone(), working.clone(), problem.clone());
        let on_answer = props.on_answer.clone();
        move |accept: bool| {
            if working.is_some() {
                return;
            }
            working.set(Some(accept));
            problem.set(None);
            let args = InvitationAnswerArgs { accept, name: accept.then(|| name.trim().to_owned()) };
            let (backend, working, problem, on_answer) =
                (backend.clone(), working.clone(), problem.clone(), on_answer.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match backend.call::<command::InvitationAnswer>(args).await {
                    Ok(_) => on_answer.emit(accept),
                    Err(error) => {
                        working.set(None);
                        problem.set(Some(error));
                    }
                }
            });
        }
    };
    let onsubmit = {
        let (answer, name, tried) = (answer.clone(), name.clone(), tried.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            if !name.trim().is_empty() {
                answer(true);
            }
        })
    };
    let decline = Callback::from(move |_: MouseEvent| answer(false));
    let oninput = {
        let name = name.clone();
        Callback::from(move |text: String| name.set(text))
    };
    let missing = (*tried && name.trim().is_empty()).then(|| AttrValue::from(t!(i18n, "first-name-missing")));
    html! {
        <form class="members-form" {onsubmit} novalidate={true}>
            <section>
                <h2 class="title-2"><bdi>{ t!(i18n, "invitation-from", name = invitation.from.as_str(), of = invitation.name.as_str()) }</bdi></h2>
                { facts(&i18n, invitation) }
            </section>
            <p>{ t!(i18n, "invitation-check", name = invitation.from.as_str()) }</p>
            <Field id="invitation-name" label={t!(i18n, "invitation-name")} hint={AttrValue::from(t!(i18n, "invitation-name-hint", name = invitation.from.as_str()))} value={(*name).clone()} error={missing} {oninput} />
            if let Some(error) = (*problem).clone() { <ErrorBlock error={of_people(&i18n, error)} /> }
            <div class="action-bar">
                <div class="action-bar-buttons">
                    <Button kind={ButtonKind::Main} submit=true working={*working == Some(true)}>{ t!(i18n, "invitation-accept") }</Button>
                    <Button kind={ButtonKind::Second} onclick={decline} working={*working == Some(false)}>{ t!(i18n, "invitation-decline") }</Button>
                </div>
            </div>
        </form>
    }
}

fn facts(i18n: &I18n, invitation: &InvitationView) -> Html {
    let sections: Vec<&str> = invitation.sections.iter().map(String::as_str).collect();
    let today = format::local_day(format::now_ms());
    let rows = [
        ("invitation-whose", Some(invitation.name.clone())),
        ("invitation-what", Some(sections_title(i18n, &sections))),
        ("invitation-may", Some(role_of_you(i18n, invitation.role))),
        ("invitation-until", Some(until_text(i18n, invitation.until.as_deref()))),
        ("invitation-why", invitation.reason.clone()),
        ("invitation-code-ends", Some(format::instant_near(i18n.language(), invitation.ends_ms, today))),
    ];
    html! {
        <dl class="facts">
            { for rows.into_iter().filter_map(|(id, value)| value.filter(|value| !value.is_empty()).map(|value| (id, value))).map(|(id, value)| html! {
                <div class="fact"><dt>{ i18n.text(id) }</dt><dd><bdi>{ value }</bdi></dd></div>
            }) }
        </dl>
    }
}
