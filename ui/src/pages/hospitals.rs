//! The hospitals of the open record: those that it is connected with, and those whose notice is kept here.

pub mod connect;
pub mod notice;

use mecum_api::domain::Side;
use mecum_api::{
    CareSpaceView, CareView, HospitalFindArgs, HospitalLeaveArgs, HospitalView, MemberState, Topic, command,
};
use yew::prelude::*;
use yew_router::prelude::*;

use super::act::use_act;
use super::answer::answered;
use super::care::use_care;
use super::head::PageHead;
use crate::app::use_shell;
use crate::components::{
    Button, ButtonKind, Dialog, Empty, ErrorBlock, Field, FieldType, Icon, IconName, Tile, TileSize,
};
use crate::i18n::{I18n, t, use_i18n};
use crate::query::use_query;
use crate::route::Route;

/// The hospitals of the open record.
#[component]
pub fn HospitalsPage() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let care = use_care(shell.chart_id());
    let kept = use_query::<command::HospitalList>((), vec![Topic::Charts, Topic::Settings]);
    let leaving = use_state(|| None::<CareSpaceView>);
    let close = {
        let leaving = leaving.clone();
        Callback::from(move |()| leaving.set(None))
    };
    html! {
        <div class="page page-column">
            <PageHead title={t!(i18n, "hospitals-title")} back={Route::Settings}>
                <Link<Route> to={Route::ConnectHospital} classes="button button-main"><Icon icon={IconName::Plus} /><span>{ t!(i18n, "hospitals-connect-short") }</span></Link<Route>>
            </PageHead>
            { answered(&i18n, &care, &t!(i18n, "hospitals-opening"), |view| connected(&i18n, &view, &leaving)) }
            { answered(&i18n, &kept, &t!(i18n, "hospitals-opening"), |all| others(&i18n, care.data().as_deref(), &all)) }
            <FindForm />
            <Dialog open={leaving.is_some()} title={leaving.as_ref().map(|one| t!(i18n, "hospitals-leave-title", name = one.name.as_str())).unwrap_or_default()} on_close={close.clone()}
                tile={shell.chart().map(|chart| html! { <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Small} /> }).unwrap_or_default()}>
                if let Some(space) = (*leaving).clone() {
                    <LeaveForm {space} on_close={close} on_done={care.anew()} />
                }
            </Dialog>
        </div>
    }
}

fn state_words(i18n: &I18n, space: &CareSpaceView) -> String {
    i18n.text(match space.state {
        MemberState::Joining => "hospitals-joining",
        MemberState::Member => "hospitals-member",
        _ => "hospitals-left",
    })
}

fn connected(i18n: &I18n, view: &CareView, leaving: &UseStateHandle<Option<CareSpaceView>>) -> Html {
    let spaces: Vec<&CareSpaceView> = view.spaces.iter().filter(|one| one.side == Side::Patient).collect();
    if spaces.is_empty() {
        return html! {
            <Empty icon={IconName::Hospital} title={t!(i18n, "care-no-hospital-title")} text={t!(i18n, "care-no-hospital-text")}>
                <Link<Route> to={Route::ConnectHospital} classes="link">{ t!(i18n, "care-connect") }</Link<Route>>
            </Empty>
        };
    }
    html! {
        <ul class="settings-list" role="list">
            { for spaces.into_iter().map(|space| {
                let talks = view.threads.iter().filter(|thread| thread.space == space.space).count();
                let onclick = { let (leaving, space) = (leaving.clone(), space.clone()); Callback::from(move |_: MouseEvent| leaving.set(Some(space.clone()))) };
                html! {
                    <li key={space.space.clone()} class="settings-row">
                        <Icon icon={IconName::Hospital} />
                        <span class="settings-words">
                            <Link<Route> to={Route::Hospital { hospital: space.hospital.to_string() }} classes="settings-title link"><bdi>{ space.name.clone() }</bdi></Link<Route>>
                            <span class="small">{ state_words(i18n, space) }{ " " }{ t!(i18n, "hospitals-talks", count = talks) }</span>
                        </span>
                        if matches!(space.state, MemberState::Member | MemberState::Joining) {
                            <Button kind={ButtonKind::Danger} {onclick}>{ t!(i18n, "hospitals-leave") }<span class="visually-hidden">{ " " }{ space.name.clone() }</span></Button>
                        }
                    </li>
                }
            }) }
        </ul>
    }
}

/// Those that are read here and not connected.
fn others(i18n: &I18n, care: Option<&CareView>, all: &[HospitalView]) -> Html {
    let known = |hospital| care.is_some_and(|care| care.spaces.iter().any(|one| one.hospital == hospital));
    let rest: Vec<&HospitalView> = all.iter().filter(|one| !known(one.hospital)).collect();
    if rest.is_empty() {
        return Html::default();
    }
    html! {
        <section class="settings-section">
            <h2 class="section-head">{ t!(i18n, "hospitals-kept") }</h2>
            <ul class="settings-list hospitals-kept" role="list">
                { for rest.into_iter().map(|one| html! {
                    <li key={one.hospital.to_string()}>
                        <Link<Route> to={Route::Hospital { hospital: one.hospital.to_string() }} classes="settings-row">
                            <Icon icon={IconName::Hospital} />
                            <span class="settings-words"><span class="settings-title"><bdi>{ one.name.clone() }</bdi></span><span class="small"><bdi>{ one.address.clone() }</bdi></span></span>
                            <Icon icon={IconName::ChevronRight} small=true />
                        </Link<Route>>
                    </li>
                }) }
            </ul>
        </section>
    }
}

/// Reads what a hospital publishes, by its link.
#[component]
fn FindForm() -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let link = use_state(String::new);
    let act = use_act::<command::HospitalFind>({
        let shell = shell.clone();
        Callback::from(move |view: HospitalView| {
            shell.go(Route::Hospital { hospital: view.hospital.to_string() });
        })
    });
    let onsubmit = {
        let (link, send) = (link.clone(), act.send.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if !link.trim().is_empty() {
                send.emit(HospitalFindArgs { link: link.trim().to_owned() });
            }
        })
    };
    html! {
        <section class="settings-section">
            <h2 class="section-head">{ t!(i18n, "hospitals-find") }</h2>
            <form class="form-narrow" {onsubmit} novalidate={true}>
                <Field id="hospital-link" label={t!(i18n, "hospitals-link")} hint={AttrValue::from(t!(i18n, "hospitals-link-hint"))} value={(*link).clone()} r#type={FieldType::Lines}
                    oninput={let link = link.clone(); Callback::from(move |text| link.set(text))} />
                if let Some(error) = act.error.clone() { <ErrorBlock {error} /> }
                <div class="button-row"><Button submit=true working={act.working}>{ t!(i18n, "hospitals-read") }</Button></div>
            </form>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct LeaveFormProps {
    space: CareSpaceView,
    on_close: Callback<()>,
    on_done: Callback<()>,
}

#[component]
fn LeaveForm(props: &LeaveFormProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let reason = use_state(String::new);
    let act = use_act::<command::HospitalLeave>({
        let (on_close, on_done) = (props.on_close.clone(), props.on_done.clone());
        Callback::from(move |_: CareView| {
            on_close.emit(());
            on_done.emit(());
        })
    });
    let leave = {
        let (send, reason, chart) = (act.send.clone(), reason.clone(), shell.chart_id());
        let space = props.space.space.clone();
        Callback::from(move |_: MouseEvent| {
            let reason = Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty());
            send.emit(HospitalLeaveArgs { chart, space: space.clone(), reason });
        })
    };
    html! {
        <>
            <p>{ t!(i18n, "hospitals-leave-text") }</p>
            <Field id="leave-reason" label={t!(i18n, "hospitals-leave-reason")} hint={AttrValue::from(t!(i18n, "hospitals-leave-hint"))} value={(*reason).clone()} r#type={FieldType::Lines} optional=true
                oninput={let reason = reason.clone(); Callback::from(move |text| reason.set(text))} />
            if let Some(error) = act.error.clone() { <ErrorBlock {error} /> }
            <div class="dialog-buttons">
                <Button kind={ButtonKind::DangerFilled} working={act.working} onclick={leave}>{ t!(i18n, "hospitals-leave-do") }</Button>
                <Button safe=true onclick={props.on_close.reform(|_: MouseEvent| ())}>{ t!(i18n, "hospitals-stay") }</Button>
            </div>
        </>
    }
}

#[cfg(test)]
mod tests {
    use mecum_api::domain::HospitalId;

    use super::*;
    use crate::app::tests::drawn;
    use crate::backend::fake::Fake;

    fn care(name: &str, state: MemberState) -> CareView {
        let space = CareSpaceView {
            space: "55".into(),
            hospital: HospitalId::from_bytes([1; 16]),
            name: name.into(),
            side: Side::Patient,
            state,
            open: true,
        };
        CareView { spaces: vec![space], threads: Vec::new() }
    }

    #[tokio::test]
    async fn a_hospital_says_how_it_stands_and_one_that_was_left_is_not_left_again() {
        let html = drawn(Fake::family(), "/hospitals", "en").await;
        assert!(html.contains("RS Tirta Asih") && html.contains("Connected."), "{html}");
        assert!(html.contains("Leave"), "it can be left");
        let fake = Fake::family();
        fake.put("care_list", care("RS Tirta Asih", MemberState::Removed));
        let html = drawn(fake, "/hospitals", "en").await;
        assert!(html.contains("It reads nothing new.") && !html.contains("button-danger"), "{html}");
    }

    #[tokio::test]
    async fn where_none_is_connected_the_way_to_one_is_shown_and_a_kept_notice_beside_it() {
        let fake = Fake::family();
        fake.put("care_list", CareView::default());
        let html = drawn(fake, "/hospitals", "id").await;
        assert!(html.contains("Belum ada rumah sakit") && html.contains("/hospitals/connect"), "{html}");
        assert!(html.contains("RS Tirta Asih"), "what was read stays here");
    }

    #[tokio::test]
    async fn a_name_is_text_whatever_it_holds() {
        let fake = Fake::family();
        fake.put("care_list", care("<script>alert(1)</script>", MemberState::Member));
        let html = drawn(fake, "/hospitals", "en").await;
        assert!(!html.contains("<script>alert") && html.contains("&lt;script&gt;"), "{html}");
    }
}
