//! The codes by which patients connect with this hospital, and the desk's yes or no to who answers one.

use mecum_api::{DeskAnswerArgs, DeskCodeArgs, DeskCodeView, PairPhase, Topic, command};
use yew::prelude::*;

use crate::components::{Button, ButtonKind, ErrorBlock, Icon, IconName, Notice, NoticeKind};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::act::{use_act, use_asked_again};
use crate::pages::answer::answered;
use crate::pages::head::PageHead;
use crate::pages::members::{code_block, of_people, why};
use crate::query::use_query;
use crate::route::Route;

/// The codes by which patients connect with this hospital.
#[component]
pub fn CodesPage() -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::DeskList>((), vec![Topic::Charts, Topic::Devices]);
    let going =
        |one: &DeskCodeView| !matches!(one.phase, PairPhase::Done | PairPhase::Ended | PairPhase::None);
    use_asked_again(&query, query.data().is_some_and(|all| all.iter().any(going)));
    let make = use_act::<command::DeskCode>(query.anew().reform(|_: DeskCodeView| ()));
    let answer = use_act::<command::DeskAnswer>(query.anew().reform(|_: Vec<DeskCodeView>| ()));
    let of = |letter: bool| make.send.reform(move |_: MouseEvent| DeskCodeArgs { letter });
    html! {
        <div class="page page-column">
            <PageHead title={t!(i18n, "desk-codes-title")} back={Route::Desk} />
            <p class="lead">{ t!(i18n, "desk-codes-lead") }</p>
            <div class="button-row">
                <Button kind={ButtonKind::Main} working={make.working} onclick={of(false)}><Icon icon={IconName::QrCode} />{ t!(i18n, "desk-code-here") }</Button>
                <Button working={make.working} onclick={of(true)}>{ t!(i18n, "desk-code-letter") }</Button>
            </div>
            if let Some(error) = make.error.clone().or_else(|| answer.error.clone()) { <ErrorBlock error={of_people(&i18n, error)} /> }
            { answered(&i18n, &query, &t!(i18n, "desk-opening"), |all| html! {
                <ul class="desk-codes" role="list">{ for all.iter().rev().map(|one| code(&i18n, one, answer.working, &answer.send)) }</ul>
            }) }
        </div>
    }
}

fn code(i18n: &I18n, one: &DeskCodeView, working: bool, send: &Callback<DeskAnswerArgs>) -> Html {
    let say = |yes: bool| {
        let code = one.code.clone();
        send.reform(move |_: MouseEvent| DeskAnswerArgs { code: code.clone(), yes })
    };
    let from = one.from.clone().unwrap_or_default();
    let whose = one.whose.clone().unwrap_or_default();
    let until = format::instant_near(i18n.language(), one.offer.ends_ms, format::local_day(format::now_ms()));
    html! {
        <li class="desk-code" key={one.code.clone()} aria-live="polite">
            { match one.phase {
                PairPhase::Asking => html! {
                    <>
                        <h2 class="title-2"><bdi>{ t!(i18n, "desk-asks", from = from.as_str(), whose = whose.as_str()) }</bdi></h2>
                        <p>{ t!(i18n, "desk-asks-text") }</p>
                        <div class="button-row">
                            <Button kind={ButtonKind::Main} {working} onclick={say(true)}>{ t!(i18n, "desk-yes") }</Button>
                            <Button kind={ButtonKind::Danger} {working} onclick={say(false)}>{ t!(i18n, "desk-no") }</Button>
                        </div>
                    </>
                },
                PairPhase::Done => html! { <p><Icon icon={IconName::Check} small=true /><bdi>{ t!(i18n, "desk-expected", from = from.as_str(), whose = whose.as_str()) }</bdi></p> },
                PairPhase::Ended => html! { <p>{ one.message_id.as_deref().map_or_else(|| t!(i18n, "desk-code-ended"), |id| why(i18n, id)) }</p> },
                PairPhase::Working => html! { <p class="working"><span class="ring" aria-hidden="true" />{ t!(i18n, "desk-expecting") }</p> },
                PairPhase::None | PairPhase::Waiting => html! {
                    <>
                        <p><strong>{ t!(i18n, "invite-good-until", when = until) }</strong></p>
                        { code_block(i18n, &one.offer, &t!(i18n, "desk-codes-title")) }
                        <div class="button-row"><Button {working} onclick={say(false)}>{ t!(i18n, "desk-code-stop") }</Button></div>
                    </>
                },
            } }
            if let Some(id) = one.message_id.as_deref().filter(|_| !matches!(one.phase, PairPhase::Ended)) {
                <Notice kind={NoticeKind::Wait}><p>{ why(i18n, id) }</p></Notice>
            }
        </li>
    }
}
