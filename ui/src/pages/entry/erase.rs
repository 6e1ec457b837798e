//! Erasing an entry for good, and moving it to *sensitive* or back. Before it, who may have read it and keeps what they read;
//! after it, how far it is.

use std::rc::Rc;

use mecum_api::{
    ChartArgs, EntryArgs, EntryEraseArgs, EntryMoveArgs, EntryView, ErasureArgs, ErasureKind, ErasureLook,
    ErasurePhase, ErasureView, MemberState, Topic, command,
};
use yew::prelude::*;

use crate::app::use_shell;
use crate::components::{
    Button, ButtonKind, Dialog, ErrorBlock, Field, Notice, NoticeKind, Skeleton, Tile, TileSize,
};
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::act::use_act;
use crate::pages::members::{state_flag, topics};
use crate::pages::words::row_title;
use crate::query::{QueryState, use_query};
use crate::route::Route;

/// The entry.
#[derive(Properties, PartialEq)]
pub(super) struct EraseProps {
    /// The entry.
    pub(super) view: Rc<EntryView>,
}

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Erase,
    Move,
}

/// What of this entry is under way, and the buttons that begin it.
#[component]
pub(super) fn Erase(props: &EraseProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let (chart, entry) = (shell.chart_id(), props.view.row.entry.clone());
    let query =
        use_query::<command::ErasureList>(ChartArgs { chart }, vec![Topic::Record { chart }, Topic::Sync]);
    let asked = use_state(|| None::<Asked>);
    // Asked before anything is pressed: the button names where the entry would go.
    let ask = use_query::<command::ErasureLookAt>(EntryArgs { chart, entry: entry.clone() }, topics(chart));
    let look = ask.data();
    let stop = use_act::<command::ErasureStop>(query.reload());
    let open = |what: Asked| {
        let (asked, reload) = (asked.clone(), ask.reload());
        Callback::from(move |_: MouseEvent| {
            asked.set(Some(what));
            reload.emit(());
        })
    };
    let close = {
        let asked = asked.clone();
        Callback::from(move |()| asked.set(None))
    };
    let on_done = {
        let (asked, reload, shell, i18n) = (asked.clone(), query.reload(), shell.clone(), i18n.clone());
        Callback::from(move |done: ErasureView| {
            asked.set(None);
            reload.emit(());
            shell.toast(i18n.text(said(&done)), None);
            if done.phase == ErasurePhase::Done && done.kind == ErasureKind::Erase {
                shell.go(Route::Record);
            }
        })
    };
    let going = query.data().and_then(|list| {
        let ours = |one: &&ErasureView| {
            one.phase != ErasurePhase::Done && one.entry.as_deref() == Some(entry.as_str())
        };
        list.iter().find(ours).cloned()
    });
    let sensitive = look.as_ref().is_some_and(|look| look.sensitive);
    let name = shell.chart_name();
    let title = row_title(&i18n, &props.view.row);
    let question = match *asked {
        Some(Asked::Erase) => t!(i18n, "erase-question", title = title, name = name),
        Some(Asked::Move) if sensitive => t!(i18n, "move-back-question", title = title),
        Some(Asked::Move) => t!(i18n, "move-question", title = title),
        None => String::new(),
    };
    let tile = shell.chart().map_or_else(Html::default, |chart| {
        html! { <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Small} /> }
    });
    html! {
        <section class="entry-section">
            <h2 class="section-head">{ t!(i18n, "erase-head") }</h2>
            if let Some(one) = &going { { going_on(&i18n, one, &stop.send) } }
            if may_decide(going.as_ref()) {
                <div class="button-row">
                    <Button kind={ButtonKind::Second} onclick={open(Asked::Move)}>{ i18n.text(move_word(sensitive)) }</Button>
                    <Button kind={ButtonKind::Danger} onclick={open(Asked::Erase)}>{ t!(i18n, "erase-begin") }</Button>
                </div>
            }
            if let Some(error) = stop.error.clone() { <ErrorBlock {error} /> }
            <Dialog open={asked.is_some()} title={question} {tile} on_close={close.clone()}>
                if let QueryState::Failed(error) = &ask.state { <ErrorBlock error={error.clone()} /> }
                else if let (Some(what), Some(look)) = (*asked, look) {
                    <Question {what} look={(*look).clone()} {entry} on_close={close.clone()} {on_done} />
                } else {
                    <Skeleton text={t!(i18n, "erase-looking")} />
                }
            </Dialog>
        </section>
    }
}

/// Whether the entry can be erased or moved now: nothing is under way, or what was could not be done and is decided again.
fn may_decide(going: Option<&ErasureView>) -> bool {
    going.is_none_or(|one| one.phase == ErasurePhase::Refused)
}

/// The word of a button that moves: where to.
fn move_word(sensitive: bool) -> &'static str {
    if sensitive { "move-back-do" } else { "move-do" }
}

/// How far it is, in one sentence.
pub(crate) fn said(one: &ErasureView) -> &'static str {
    match (one.phase, one.kind) {
        (ErasurePhase::Waits | ErasurePhase::Sending, ErasureKind::Erase) => "erasing-waits",
        (ErasurePhase::Waits | ErasurePhase::Sending, _) => "moving-waits",
        (ErasurePhase::Refused, ErasureKind::ToSensitive | ErasureKind::FromSensitive) => "moving-refused",
        (ErasurePhase::Refused, _) => "erasing-refused",
        (ErasurePhase::Done, ErasureKind::ToSensitive) => "moved-sensitive",
        (ErasurePhase::Done, ErasureKind::FromSensitive) => "moved-back",
        (ErasurePhase::Done, _) => "erased-done",
    }
}

/// What stands where after it was refused: a move writes the entry where it goes before it leaves where it was.
fn refused_text(kind: ErasureKind) -> &'static str {
    match kind {
        ErasureKind::ToSensitive | ErasureKind::FromSensitive => "moving-refused-text",
        ErasureKind::Erase | ErasureKind::Cleared => "erasing-refused-text",
    }
}

fn going_on(i18n: &I18n, one: &ErasureView, stop: &Callback<ErasureArgs>) -> Html {
    let args = ErasureArgs { erasure: one.erasure.clone() };
    html! {
        <Notice kind={NoticeKind::Wait}>
            <p><strong>{ i18n.text(said(one)) }</strong></p>
            if let Some(id) = &one.message_id { <p>{ i18n.text(id) }</p> }
            if one.phase == ErasurePhase::Waits {
                <p>{ t!(i18n, "erasing-waits-text") }</p>
                <Button kind={ButtonKind::Second} onclick={stop.reform(move |_| args.clone())}>{ t!(i18n, "erasing-stop") }</Button>
            } else if one.phase == ErasurePhase::Refused {
                <p>{ i18n.text(refused_text(one.kind)) }</p>
                <Button kind={ButtonKind::Second} onclick={stop.reform(move |_| args.clone())}>{ t!(i18n, "erasing-forget") }</Button>
            }
        </Notice>
    }
}

#[derive(Properties, PartialEq)]
struct QuestionProps {
    what: Asked,
    look: ErasureLook,
    entry: String,
    on_close: Callback<()>,
    on_done: Callback<ErasureView>,
}

/// What it means, who has read it, why, and the two buttons.
#[component]
fn Question(props: &QuestionProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let (look, erases) = (&props.look, props.what == Asked::Erase);
    let reason = use_state(String::new);
    let erase = use_act::<command::EntryErase>(props.on_done.clone());
    let moving = use_act::<command::EntryMove>(props.on_done.clone());
    let keep = props.on_close.reform(|_: MouseEvent| ());
    if !look.may {
        let why = look.message_id.as_deref().unwrap_or("error-not-manager");
        let to_do = i18n.try_text(&format!("{why}-do"));
        return html! {
            <>
                <p>{ i18n.text(why) }{ " " }{ to_do.unwrap_or_default() }</p>
                <div class="dialog-buttons"><Button kind={ButtonKind::Second} safe=true onclick={keep}>{ t!(i18n, "app-back") }</Button></div>
            </>
        };
    }
    let onclick = {
        let (chart, entry, reason) = (shell.chart_id(), props.entry.clone(), reason.clone());
        let (erase, moving, sensitive) = (erase.send.clone(), moving.send.clone(), !look.sensitive);
        Callback::from(move |_: MouseEvent| {
            let (entry, reason) = (entry.clone(), reason.trim().to_owned());
            if erases {
                erase.emit(EntryEraseArgs { chart, entry, reason });
            } else {
                moving.emit(EntryMoveArgs { chart, entry, sensitive, reason });
            }
        })
    };
    let text = match (erases, look.sensitive) {
        (true, _) => "erase-text",
        (false, false) => "move-text",
        (false, true) => "move-back-text",
    };
    let error = erase.error.clone().or(moving.error.clone());
    html! {
        <>
            <p>{ i18n.text(text) }</p>
            { readers(&i18n, look) }
            if look.own_devices > 0 { <p class="small">{ t!(i18n, "erase-devices", count = look.own_devices) }</p> }
            if erases && look.from_file { <p class="small">{ t!(i18n, "erase-from-file") }</p> }
            if look.waits { <p class="small">{ t!(i18n, "erase-waits") }</p> }
            <Field id="erase-reason" label={t!(i18n, "entry-delete-reason")} hint={AttrValue::from(t!(i18n, "erase-reason-hint"))} value={(*reason).clone()} optional=true
                oninput={let reason = reason.clone(); Callback::from(move |text| reason.set(text))} />
            if let Some(error) = error { <ErrorBlock {error} /> }
            <div class="dialog-buttons">
                <Button kind={if erases { ButtonKind::DangerFilled } else { ButtonKind::Main }} working={erase.working || moving.working} {onclick}>
                    { i18n.text(if erases { "erase-do" } else { move_word(look.sensitive) }) }
                </Button>
                <Button kind={ButtonKind::Second} safe=true onclick={keep}>{ t!(i18n, "entry-delete-keep") }</Button>
            </div>
        </>
    }
}

/// Whether somebody goes on seeing it; of anybody else, how their membership stands.
fn reads(i18n: &I18n, state: MemberState) -> Html {
    if matches!(state, MemberState::Member | MemberState::Leaving) {
        return html! { <span class="caption">{ t!(i18n, "erase-reads-now") }</span> };
    }
    state_flag(i18n, state)
}

fn readers(i18n: &I18n, look: &ErasureLook) -> Html {
    if look.readers.is_empty() {
        return html! { <p>{ t!(i18n, "erase-read-by-none") }</p> };
    }
    html! {
        <>
            <p><strong>{ t!(i18n, "erase-read-by") }</strong></p>
            <ul class="count-list" role="list">
                { for look.readers.iter().map(|one| html! {
                    <li key={one.account.clone()}><bdi>{ one.name.clone() }</bdi>{ reads(i18n, one.state) }</li>
                }) }
            </ul>
        </>
    }
}

#[cfg(test)]
mod tests {
    use mecum_api::{PastReaderView, RowView};
    use mecum_domain::Kind;

    use super::*;
    use crate::app::tests::drawn;
    use crate::backend::fake::Fake;

    #[derive(Properties, PartialEq)]
    struct SeenProps {
        look: ErasureLook,
    }

    #[component]
    fn Seen(props: &SeenProps) -> Html {
        readers(&I18n::new("en"), &props.look)
    }

    async fn seen(look: ErasureLook) -> String {
        let props = move || SeenProps { look };
        yew::LocalServerRenderer::<Seen>::with_props(props()).hydratable(false).render().await
    }

    #[tokio::test]
    async fn who_may_have_read_it_is_named_before_it_is_erased_also_who_is_gone() {
        let reader = |name: &str, state| PastReaderView { account: name.into(), name: name.into(), state };
        let readers = vec![reader("Budi", MemberState::Member), reader("Sari", MemberState::Removed)];
        let html = seen(ErasureLook { may: true, readers, ..ErasureLook::default() }).await;
        for words in ["keep what they read", "Budi", "Sees it now", "Sari", "Removed"] {
            assert!(html.contains(words), "the question says: {words}");
        }
        let html = seen(ErasureLook::default()).await;
        assert!(html.contains("Nobody else could read it"), "or that nobody has");
    }

    #[test]
    fn what_waits_is_never_said_to_be_done() {
        let one = |phase, kind| said(&ErasureView { phase, kind, ..ErasureView::default() });
        for kind in [ErasureKind::Erase, ErasureKind::ToSensitive, ErasureKind::FromSensitive] {
            let done = one(ErasurePhase::Done, kind);
            for phase in [ErasurePhase::Waits, ErasurePhase::Sending, ErasurePhase::Refused] {
                assert_ne!(one(phase, kind), done, "{phase:?} is not done");
            }
        }
        assert_eq!(one(ErasurePhase::Sending, ErasureKind::Erase), "erasing-waits", "signed is not in force");
    }

    fn view(phase: ErasurePhase, kind: ErasureKind) -> ErasureView {
        ErasureView { phase, kind, ..ErasureView::default() }
    }

    #[test]
    fn what_was_refused_can_be_decided_again_and_what_is_under_way_cannot() {
        assert!(may_decide(None), "nothing was decided");
        for (phase, may) in
            [(ErasurePhase::Waits, false), (ErasurePhase::Sending, false), (ErasurePhase::Refused, true)]
        {
            assert_eq!(may_decide(Some(&view(phase, ErasureKind::ToSensitive))), may, "{phase:?}");
        }
        let moved = view(ErasurePhase::Refused, ErasureKind::ToSensitive);
        assert_eq!(said(&moved), "moving-refused", "a move is said to be one");
        assert_eq!(refused_text(moved.kind), "moving-refused-text", "and that it may stand in both places");
    }

    #[tokio::test]
    async fn a_move_that_was_refused_says_why_beside_the_buttons_that_decide_it_again() {
        let drawn_as = |phase| async move {
            let fake = Fake::family();
            let row = RowView {
                entry: "e1".into(),
                kind: Kind::MedicationStatement,
                title: "Amlodipine".into(),
                editable: true,
                ..RowView::default()
            };
            fake.put("entry_get", EntryView { row, ..EntryView::default() });
            let message_id = (phase == ErasurePhase::Refused).then(|| "error-settle-first".to_owned());
            let one = ErasureView {
                erasure: "1".into(),
                entry: Some("e1".into()),
                message_id,
                ..view(phase, ErasureKind::ToSensitive)
            };
            fake.put("erasure_list", vec![one]);
            drawn(fake, "/record/entry/e1", "en").await
        };
        let html = drawn_as(ErasurePhase::Refused).await;
        for words in [
            "It could not be moved",
            "Two values stand in this entry",
            "may already stand where it was to go",
            ">Take this off the list<",
            ">Move to sensitive<",
            ">Erase for good<",
        ] {
            assert!(html.contains(words), "the page says: {words}");
        }
        let html = drawn_as(ErasurePhase::Sending).await;
        assert!(!html.contains("It could not be moved"), "control: what is under way was not refused");
        for words in [">Take this off the list<", ">Move to sensitive<", ">Erase for good<"] {
            assert!(!html.contains(words), "and cannot be decided again: {words}");
        }
    }
}
