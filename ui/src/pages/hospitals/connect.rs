//! Connecting with a hospital by the code of its desk: the code, what connecting means, and then waiting for its yes.

use mecum_api::{
    HospitalConnectArgs, HospitalOfferView, InvitationOpenArgs, PairPhase, PairView, SyncPhase, Topic,
    command,
};
use yew::prelude::*;
use yew_router::prelude::*;

use super::super::act::use_act;
use super::super::answer::answered;
use super::super::head::PageHead;
use super::super::members::{needs_server, of_people, use_meeting, why};
use crate::app::{focus, use_shell};
use crate::components::{
    Button, ButtonKind, ErrorBlock, Field, FieldType, Icon, IconName, Notice, NoticeKind, Tile, TileSize,
};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// Connecting with a hospital.
#[component]
pub fn ConnectPage() -> Html {
    let i18n = use_i18n();
    let sync = use_query::<command::SyncStatus>((), vec![Topic::Sync]);
    let meeting = use_meeting::<command::HospitalStatus>(false);
    let opened = use_state(|| None::<HospitalOfferView>);
    let on_opened = {
        let (opened, forget) = (opened.clone(), meeting.forget.clone());
        Callback::from(move |view: HospitalOfferView| {
            forget.emit(());
            opened.set(Some(view));
            gloo::timers::callback::Timeout::new(60, || focus("#main h1")).forget();
        })
    };
    let on_sent = {
        let (opened, begin) = (opened.clone(), meeting.begin.clone());
        Callback::from(move |()| {
            opened.set(None);
            begin.emit(());
        })
    };
    let another = {
        let (opened, forget) = (opened.clone(), meeting.forget.clone());
        Callback::from(move |_: MouseEvent| {
            opened.set(None);
            forget.emit(());
        })
    };
    let no_server = sync.data().is_some_and(|view| view.phase == SyncPhase::NoServer);
    html! {
        <div class="page page-task page-pair">
            <PageHead title={t!(i18n, "hospitals-connect-title")} back={Route::Hospitals} />
            if no_server {
                { needs_server(&i18n) }
            } else {
                <div aria-live="polite" class="members-phase">
                    if let Some(offer) = (*opened).clone() {
                        <Offered {offer} {on_sent} {another} />
                    } else {
                        { answered(&i18n, &meeting.query, &t!(i18n, "hospitals-opening"), |answer| match meeting.view(&answer) {
                            view if view.phase == PairPhase::None => html! { <CodeForm {on_opened} /> },
                            view => phase(&i18n, &view, &another),
                        }) }
                    }
                </div>
            }
        </div>
    }
}

fn phase(i18n: &I18n, view: &PairView, another: &Callback<MouseEvent>) -> Html {
    let name = view.other.clone().unwrap_or_else(|| t!(i18n, "hospitals-unnamed"));
    let (title, text) = match view.phase {
        PairPhase::Done => ("hospitals-done", "hospitals-done-text"),
        PairPhase::Ended => ("hospitals-ended", "hospitals-ended-text"),
        PairPhase::Working => ("hospitals-working", "hospitals-working-text"),
        _ => ("hospitals-waiting", "hospitals-waiting-text"),
    };
    let going = !matches!(view.phase, PairPhase::Done | PairPhase::Ended);
    html! {
        <section>
            <h2 class="title-2">
                if view.phase == PairPhase::Done { <Icon icon={IconName::Check} /> }
                <bdi>{ t!(i18n, title, name = name.as_str()) }</bdi>
            </h2>
            if let Some(id) = &view.message_id { <Notice kind={NoticeKind::Wait}><p>{ why(i18n, id) }</p></Notice> }
            <p>{ t!(i18n, text, name = name.as_str()) }</p>
            if going {
                <p class="working"><span class="ring" aria-hidden="true" />{ t!(i18n, "hospitals-waiting-mark") }</p>
            } else {
                <div class="button-row">
                    if view.phase == PairPhase::Done {
                        <Link<Route> to={Route::AskVisit} classes="button button-main">{ t!(i18n, "visits-ask-title") }</Link<Route>>
                    }
                    <Button onclick={another.clone()}>{ t!(i18n, "hospitals-other-code") }</Button>
                </div>
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct CodeFormProps {
    on_opened: Callback<HospitalOfferView>,
}

/// Where the words are typed, or the text of the code is pasted. What was typed stays after a refusal.
#[component]
fn CodeForm(props: &CodeFormProps) -> Html {
    let i18n = use_i18n();
    let (code, tried) = (use_state(String::new), use_state(|| false));
    let act = use_act::<command::HospitalOpen>(props.on_opened.clone());
    let onsubmit = {
        let (code, tried, send) = (code.clone(), tried.clone(), act.send.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            if !code.trim().is_empty() {
                send.emit(InvitationOpenArgs { code: code.trim().to_owned() });
            }
        })
    };
    let missing =
        (*tried && code.trim().is_empty()).then(|| AttrValue::from(t!(i18n, "invitation-code-missing")));
    html! {
        <form class="members-form" {onsubmit} novalidate={true}>
            <p class="lead">{ t!(i18n, "hospitals-connect-lead") }</p>
            if let Some(error) = act.error.clone() { <ErrorBlock error={of_people(&i18n, error)} /> }
            <Field id="hospital-code" label={t!(i18n, "hospitals-code")} hint={AttrValue::from(t!(i18n, "hospitals-code-hint"))} value={(*code).clone()} r#type={FieldType::Lines} error={missing}
                oninput={let code = code.clone(); Callback::from(move |text| code.set(text))} />
            <p class="small">{ t!(i18n, "invitation-nothing-yet") }</p>
            <div class="action-bar">
                <Button kind={ButtonKind::Main} submit=true working={act.working}>{ t!(i18n, "hospitals-code-open") }</Button>
            </div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct OfferedProps {
    offer: HospitalOfferView,
    on_sent: Callback<()>,
    another: Callback<MouseEvent>,
}

/// Which hospital it is, whose record, and what connecting means.
#[component]
fn Offered(props: &OfferedProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let offer = &props.offer;
    let act = use_act::<command::HospitalConnect>({
        let on_sent = props.on_sent.clone();
        Callback::from(move |_: PairView| on_sent.emit(()))
    });
    let (chart, name) = (shell.chart_id(), shell.chart_name());
    let connect = act.send.reform(move |_: MouseEvent| HospitalConnectArgs { chart });
    let today = format::local_day(format::now_ms());
    html! {
        <section class="members-form">
            <h2 class="title-2"><Icon icon={IconName::Hospital} /><bdi>{ offer.name.clone() }</bdi></h2>
            <p class="small">{ t!(i18n, "invite-good-until", when = format::instant_near(i18n.language(), offer.ends_ms, today)) }</p>
            if offer.connected.contains(&chart) {
                <Notice><p>{ t!(i18n, "hospitals-already", name = name.as_str()) }</p></Notice>
            }
            <p class="hospitals-whose">
                if let Some(chart) = shell.chart() { <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Small} /> }
                <span>{ t!(i18n, "hospitals-whose", name = name.as_str()) }</span>
            </p>
            <ul class="hospitals-means">
                <li>{ t!(i18n, "hospitals-means-read") }</li>
                <li>{ t!(i18n, "hospitals-means-not") }</li>
                <li>{ t!(i18n, "hospitals-means-leave") }</li>
            </ul>
            if let Some(error) = act.error.clone() { <ErrorBlock error={of_people(&i18n, error)} /> }
            <div class="action-bar">
                <Button kind={ButtonKind::Main} working={act.working} onclick={connect}>{ t!(i18n, "hospitals-connect-do", name = name) }</Button>
                <Button onclick={props.another.clone()}>{ t!(i18n, "hospitals-other-code") }</Button>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use mecum_api::SyncView;

    use super::*;
    use crate::app::tests::drawn;
    use crate::backend::fake::Fake;

    #[tokio::test]
    async fn without_a_server_nobody_types_a_code_in_vain() {
        let fake = Fake::family();
        fake.put("sync_status", SyncView { phase: SyncPhase::NoServer, ..SyncView::default() });
        let html = drawn(fake, "/hospitals/connect", "en").await;
        assert!(html.contains("/settings/devices") && !html.contains("hospital-code"), "{html}");
        let html = drawn(Fake::family(), "/hospitals/connect", "en").await;
        assert!(html.contains("hospital-code"), "with one the code is asked for");
    }

    #[tokio::test]
    async fn while_the_desk_is_waited_for_the_page_says_that_asking_works_already() {
        let fake = Fake::family();
        let other = Some("RS Tirta Asih".to_owned());
        fake.put("hospital_status", PairView { phase: PairPhase::Waiting, other, message_id: None });
        let html = drawn(fake, "/hospitals/connect", "en").await;
        assert!(
            html.contains("RS Tirta Asih has to say yes") && html.contains("What you ask now waits"),
            "{html}"
        );
    }
}
