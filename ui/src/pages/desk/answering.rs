//! What staff can do in a conversation, each with its words, under the name that is signed in at this desk.

use std::rc::Rc;

use mecum_api::domain::{AppointmentAct, CaseAct, PauseFor};
use mecum_api::{CareActWords, CareThreadView, CareVerb};
use yew::prelude::*;

use super::offering::Offering;
use crate::components::{Button, ButtonKind, ErrorBlock, Field, FieldType, Segment};
use crate::i18n::{t, use_i18n};
use crate::pages::care::{says, slot_line, use_say, wished};

/// A conversation to answer.
#[derive(Properties, PartialEq)]
pub(super) struct AnsweringProps {
    /// The conversation.
    pub(super) view: Rc<CareThreadView>,
    /// Who speaks.
    pub(super) name: AttrValue,
    /// Something was said.
    pub(super) on_done: Callback<()>,
}

/// Verbs in their order, with the text of each button.
const VERBS: &[(CareVerb, &str)] = &[
    (CareVerb::Take, "desk-take"),
    (CareVerb::Say, "desk-say"),
    (CareVerb::Outcome, "desk-outcome"),
    (CareVerb::Confirm, "desk-confirm"),
    (CareVerb::Offer, "desk-offer"),
    (CareVerb::WithdrawOffer, "desk-withdraw-offer"),
    (CareVerb::HandOver, "desk-hand-over"),
    (CareVerb::Pause, "desk-pause"),
    (CareVerb::Resume, "desk-resume"),
    (CareVerb::Decline, "desk-decline"),
    (CareVerb::Arrived, "desk-arrived"),
    (CareVerb::Done, "desk-done"),
    (CareVerb::Missed, "desk-missed"),
    (CareVerb::CallOff, "desk-call-off"),
];

/// Verbs that are done with one press.
fn at_once(verb: CareVerb, view: &CareThreadView) -> Option<CareActWords> {
    let visit = |what| Some(CareActWords::Appointment(what));
    match verb {
        CareVerb::Take => Some(CareActWords::Case(CaseAct::Take)),
        CareVerb::Resume => Some(CareActWords::Case(CaseAct::Resume)),
        CareVerb::Arrived => visit(AppointmentAct::Arrived),
        CareVerb::Done => visit(AppointmentAct::Done),
        CareVerb::Missed => visit(AppointmentAct::Missed),
        CareVerb::WithdrawOffer => {
            let offer = *view.appointment.as_ref()?.offers.last()?;
            visit(AppointmentAct::Withdraw { offer, reason: String::new() })
        }
        _ => None,
    }
}

/// What is typed beside the words.
#[derive(Clone, Debug, Default, PartialEq)]
struct Typed {
    text: String,
    /// To whom, or what was changed.
    second: String,
    for_other: bool,
}

fn with_words(verb: CareVerb, typed: &Typed) -> Option<CareActWords> {
    let text = typed.text.trim().to_owned();
    let second = typed.second.trim().to_owned();
    if text.is_empty() || (verb == CareVerb::HandOver && second.is_empty()) {
        return None;
    }
    let waits_for = if typed.for_other { PauseFor::Other } else { PauseFor::Patient };
    Some(match verb {
        CareVerb::Say => CareActWords::Case(CaseAct::Say { text }),
        CareVerb::Outcome => CareActWords::Case(CaseAct::Outcome { text, changed: second }),
        CareVerb::HandOver => CareActWords::Case(CaseAct::HandOver { to: second, reason: text }),
        CareVerb::Pause => CareActWords::Case(CaseAct::Pause { waits_for, reason: text }),
        CareVerb::Decline => CareActWords::Appointment(AppointmentAct::Decline { reason: text }),
        CareVerb::CallOff => CareActWords::Appointment(AppointmentAct::CallOff { reason: text }),
        _ => return None,
    })
}

/// The buttons of what may be done, and the form of what is being done.
#[component]
pub(super) fn Answering(props: &AnsweringProps) -> Html {
    let i18n = use_i18n();
    let view = &props.view;
    let open = use_state(|| None::<CareVerb>);
    // They outlive every answer that comes meanwhile: only sending them empties them.
    let (typed, tried) = (use_state(Typed::default), use_state(|| false));
    let act = use_say({
        let (open, typed, tried) = (open.setter(), typed.setter(), tried.setter());
        let on_done = props.on_done.clone();
        Callback::from(move |_: CareThreadView| {
            open.set(None);
            typed.set(Typed::default());
            tried.set(false);
            // It stands in the conversation at once, with how far it has got: no word more is needed.
            on_done.emit(());
        })
    });
    let say = {
        let (send, view, name) = (act.send.clone(), view.clone(), props.name.clone());
        Callback::from(move |what: CareActWords| send.emit(says(&view, what, &name)))
    };
    let begin = |verb: CareVerb| {
        let (open, say, once) = (open.clone(), say.clone(), at_once(verb, view));
        Callback::from(move |_: MouseEvent| match &once {
            Some(what) => say.emit(what.clone()),
            None => open.set(Some(verb)),
        })
    };
    let close = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(None))
    };
    let change = |write: fn(&mut Typed, String)| {
        let typed = typed.clone();
        Callback::from(move |text: String| {
            let mut next = (*typed).clone();
            write(&mut next, text);
            typed.set(next);
        })
    };
    let words_form = |verb: CareVerb, label: &str| {
        let missing =
            |empty: bool| (*tried && empty).then(|| AttrValue::from(t!(i18n, "messages-words-missing")));
        let send = {
            let (say, tried, what) = (say.clone(), tried.clone(), with_words(verb, &typed));
            Callback::from(move |_: MouseEvent| match &what {
                Some(what) => say.emit(what.clone()),
                None => tried.set(true),
            })
        };
        let danger = matches!(verb, CareVerb::CallOff | CareVerb::Decline);
        html! {
            <div class="desk-form">
                if verb == CareVerb::HandOver {
                    <Field id="desk-to" label={t!(i18n, "desk-to")} value={typed.second.clone()} error={missing(typed.second.trim().is_empty())} oninput={change(|typed, text| typed.second = text)} />
                }
                if verb == CareVerb::Pause {
                    <Segment label={t!(i18n, "desk-pause-for")} value={if typed.for_other { "other" } else { "patient" }}
                        options={vec![("patient".into(), t!(i18n, "desk-pause-patient").into()), ("other".into(), t!(i18n, "desk-pause-other").into())]}
                        onchange={let typed = typed.clone(); Callback::from(move |word: AttrValue| typed.set(Typed { for_other: word == "other", ..(*typed).clone() }))} />
                }
                <Field id="desk-words" label={label.to_owned()} hint={AttrValue::from(t!(i18n, "desk-words-hint"))} value={typed.text.clone()} r#type={FieldType::Lines} focus=true error={missing(typed.text.trim().is_empty())} oninput={change(|typed, text| typed.text = text)} />
                if verb == CareVerb::Outcome {
                    <Field id="desk-changed" label={t!(i18n, "desk-changed")} hint={AttrValue::from(t!(i18n, "desk-changed-hint"))} value={typed.second.clone()} r#type={FieldType::Lines} optional=true oninput={change(|typed, text| typed.second = text)} />
                }
                <div class="button-row">
                    <Button kind={if danger { ButtonKind::DangerFilled } else { ButtonKind::Main }} working={act.working} onclick={send}>{ t!(i18n, "desk-send", name = props.name.as_str()) }</Button>
                    <Button onclick={close.clone()}>{ t!(i18n, "add-cancel") }</Button>
                </div>
            </div>
        }
    };
    html! {
        <div class="action-bar desk-actions">
            if let Some(error) = act.error.clone() { <ErrorBlock {error} /> }
            { match *open {
                Some(CareVerb::Offer) => html! { <Offering view={view.clone()} working={act.working} on_done={say.clone()} on_stop={close.clone()} /> },
                Some(CareVerb::Confirm) => {
                    let slots = wished(view);
                    html! {
                        <div class="desk-form">
                            <p>{ t!(i18n, if slots.is_empty() { "desk-confirm-none" } else { "desk-confirm-which" }) }</p>
                            <div class="button-row">
                                { for slots.into_iter().map(|(answers, slot)| {
                                    let words = slot_line(&i18n, &slot);
                                    let what = CareActWords::Appointment(AppointmentAct::Confirm { answers, slot });
                                    html! { <Button working={act.working} onclick={say.reform(move |_: MouseEvent| what.clone())}><bdi>{ words }</bdi></Button> }
                                }) }
                                <Button kind={ButtonKind::Quiet} onclick={close.clone()}>{ t!(i18n, "add-cancel") }</Button>
                            </div>
                        </div>
                    }
                }
                Some(verb) if view.may.contains(&verb) => {
                    let label = VERBS.iter().find(|(one, _)| *one == verb).map_or("desk-say", |(_, id)| id);
                    words_form(verb, &i18n.text(label))
                }
                _ => html! {
                    <div class="button-row">
                        { for VERBS.iter().filter(|(verb, _)| view.may.contains(verb) && !(*verb == CareVerb::Take && is_mine(view, &props.name))).enumerate().map(|(at, (verb, id))| {
                            let kind = match verb {
                                CareVerb::CallOff | CareVerb::Decline | CareVerb::Missed => ButtonKind::Danger,
                                _ if at == 0 => ButtonKind::Main,
                                _ => ButtonKind::Second,
                            };
                            html! { <Button {kind} working={act.working} onclick={begin(*verb)}>{ i18n.text(id) }</Button> }
                        }) }
                    </div>
                },
            } }
        </div>
    }
}

fn is_mine(view: &CareThreadView, name: &str) -> bool {
    view.case.as_ref().is_some_and(|case| case.handler == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_without_words_and_nothing_handed_to_nobody() {
        let empty = Typed { text: "  ".into(), ..Typed::default() };
        assert_eq!(with_words(CareVerb::Say, &empty), None);
        let reason = Typed { text: "on leave".into(), ..Typed::default() };
        assert_eq!(with_words(CareVerb::HandOver, &reason), None, "to whom");
        let to = Typed { second: "Ns. Dewi".into(), ..reason };
        let what = CaseAct::HandOver { to: "Ns. Dewi".into(), reason: "on leave".into() };
        assert_eq!(with_words(CareVerb::HandOver, &to), Some(CareActWords::Case(what)));
    }
}
