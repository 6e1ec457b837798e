//! One question, complaint or thread of messages: what is owed and until when, who answers, what was said, and what can be done now.

use mecum_api::domain::{CaseAct, CasePhase, Side};
use mecum_api::{CareActWords, CareThreadView, CareVerb};
use yew::prelude::*;

use super::ladder::Ladder;
use super::words::{kind_name, phase_text};
use crate::app::use_shell;
use crate::components::clock::{use_each_minute, when};
use crate::components::{
    Button, ButtonKind, Clock, Dialog, ErrorBlock, Field, FieldType, Icon, IconName, Tile, TileSize,
};
use crate::i18n::{I18n, t, use_i18n};
use crate::pages::answer::answered_page;
use crate::pages::care::{says, timeline, use_say, use_seen, use_talk};
use crate::pages::head::PageHead;
use crate::route::Route;

/// What it is opened with.
#[derive(Properties, PartialEq)]
pub struct TalkProps {
    /// The space of the conversation.
    pub space: AttrValue,
    /// The conversation.
    pub thread: AttrValue,
}

/// What is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Say,
    StepUp,
    Reopen,
    Withdraw,
}

impl Writing {
    /// The words of its field and of its button.
    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Writing::Say => ("talk-say-words", "talk-say-send"),
            Writing::StepUp => ("talk-step-up-words", "talk-step-up-send"),
            Writing::Reopen => ("talk-reopen-words", "talk-reopen-send"),
            Writing::Withdraw => ("talk-withdraw-words", "talk-withdraw-do"),
        }
    }

    fn act(self, text: String, rung: u8) -> CaseAct {
        match self {
            Writing::Say => CaseAct::Say { text },
            Writing::StepUp => CaseAct::StepUp { rung: rung.saturating_add(1), reason: text },
            Writing::Reopen => CaseAct::Reopen { reason: text },
            Writing::Withdraw => CaseAct::Withdraw { reason: text },
        }
    }

    /// Whether it says nothing without words.
    fn needs_words(self) -> bool {
        matches!(self, Writing::Say | Writing::Reopen)
    }
}

/// One question, complaint or thread of messages.
#[component]
pub fn TalkPage(props: &TalkProps) -> Html {
    let (i18n, shell) = (use_i18n(), use_shell());
    let query = use_talk(shell.chart_id(), &props.space, &props.thread);
    use_seen(query.data(), "");
    use_each_minute(query.reload());
    let writing = use_state(|| None::<Writing>);
    // It outlives every answer that comes meanwhile: only sending it empties it.
    let (text, tried) = (use_state(String::new), use_state(|| false));
    let act = use_say({
        let (anew, writing, text, tried) = (query.anew(), writing.setter(), text.setter(), tried.setter());
        Callback::from(move |_: CareThreadView| {
            writing.set(None);
            text.set(String::new());
            tried.set(false);
            // It stands in the conversation at once, with how far it has got.
            anew.emit(());
        })
    });
    answered_page(&query, &t!(i18n, "care-opening"), t!(i18n, "messages-title"), Route::Messages, |view| {
        let case = view.case.clone().unwrap_or_default();
        let may = |verb: CareVerb| view.may.contains(&verb);
        let begin = |what: Writing| {
            let writing = writing.clone();
            Callback::from(move |_: MouseEvent| writing.set(Some(what)))
        };
        let close = {
            let writing = writing.clone();
            Callback::from(move |()| writing.set(None))
        };
        let say = |what: CaseAct| {
            let (send, args) = (act.send.clone(), says(&view, CareActWords::Case(what), ""));
            Callback::from(move |_: MouseEvent| send.emit(args.clone()))
        };
        let words = text.trim().to_owned();
        let form = |what: Writing| {
            let (label, action) = what.texts();
            let lacks = what.needs_words() && words.is_empty();
            let missing = (*tried && lacks).then(|| AttrValue::from(t!(i18n, "messages-words-missing")));
            let send = if lacks {
                let tried = tried.clone();
                Callback::from(move |_: MouseEvent| tried.set(true))
            } else {
                say(what.act(words.clone(), case.rung))
            };
            let kind = if what == Writing::StepUp || what == Writing::Withdraw {
                ButtonKind::DangerFilled
            } else {
                ButtonKind::Main
            };
            html! {
                <>
                    <Field id="talk-words" label={i18n.text(label)} value={(*text).clone()} r#type={FieldType::Lines} optional={!what.needs_words()} error={missing} focus={what != Writing::Withdraw}
                        oninput={let text = text.clone(); Callback::from(move |now| text.set(now))} />
                    if let Some(error) = act.error.clone() { <ErrorBlock {error} /> }
                    <div class="button-row">
                        <Button {kind} working={act.working} onclick={send}>{ i18n.text(action) }</Button>
                        <Button safe={what == Writing::Withdraw} onclick={close.reform(|_: MouseEvent| ())}>{ t!(i18n, "add-cancel") }</Button>
                    </div>
                </>
            }
        };
        let tile = shell.chart().map(|chart| html! { <Tile letters={chart.letters.clone()} colour={chart.colour} size={TileSize::Small} /> });
        html! {
            <div class="page page-task talk">
                <PageHead title={view.title.clone()} back={Route::Messages} note={AttrValue::from(kind_name(&i18n, case.kind))} />
                if let Some(clock) = &view.clock { <Clock clock={clock.clone()} /> } else { <p class="talk-phase" role="status">{ phase_text(&i18n, &view, &case) }</p> }
                { handler(&i18n, &view, &case.handler) }
                { timeline(&i18n, &view, Side::Patient) }
                if case.kind.has_outcome() { <Ladder hospital={view.hospital} kind={case.kind} rung={case.rung} /> }
                if let Some(what) = (*writing).filter(|what| *what != Writing::Withdraw) {
                    <div class="action-bar talk-write-bar">{ form(what) }</div>
                } else if !view.may.is_empty() {
                    <div class="action-bar talk-actions">
                        { step_up(&i18n, &view, case.kind.has_outcome() && case.phase == CasePhase::Open, &begin(Writing::StepUp)) }
                        if let Some(error) = act.error.clone() { <ErrorBlock {error} /> }
                        if may(CareVerb::Settle) { <Button kind={ButtonKind::Main} working={act.working} onclick={say(CaseAct::Settle)}>{ t!(i18n, "talk-settle") }</Button> }
                        if may(CareVerb::Reopen) { <Button onclick={begin(Writing::Reopen)}>{ t!(i18n, "talk-reopen") }</Button> }
                        if may(CareVerb::Say) { <Button kind={if may(CareVerb::Settle) { ButtonKind::Second } else { ButtonKind::Main }} onclick={begin(Writing::Say)}>{ t!(i18n, "talk-say") }</Button> }
                        if may(CareVerb::Withdraw) { <Button kind={ButtonKind::Quiet} onclick={begin(Writing::Withdraw)}>{ t!(i18n, "talk-withdraw") }</Button> }
                    </div>
                }
                <Dialog open={*writing == Some(Writing::Withdraw)} title={t!(i18n, "talk-withdraw-title", name = shell.chart_name())} on_close={close.clone()} tile={tile.unwrap_or_default()}>
                    <p>{ t!(i18n, "talk-withdraw-text") }</p>
                    { form(Writing::Withdraw) }
                </Dialog>
            </div>
        }
    })
}

/// Who answers this, by name.
fn handler(i18n: &I18n, view: &CareThreadView, handler: &str) -> Html {
    if handler.is_empty() {
        return html! { <p class="small"><bdi>{ t!(i18n, "talk-no-handler", name = view.name.as_str()) }</bdi></p> };
    }
    html! {
        <div class="talk-handler">
            <Icon icon={IconName::User} />
            <p><strong><bdi>{ t!(i18n, "talk-handler", name = handler) }</bdi></strong><br /><span class="small"><bdi>{ view.name.clone() }</bdi></span></p>
        </div>
    }
}

/// Taking it a step up: once what was promised is late; before that, when it opens.
fn step_up(i18n: &I18n, view: &CareThreadView, runs: bool, begin: &Callback<MouseEvent>) -> Html {
    if view.may.contains(&CareVerb::StepUp) {
        return html! { <Button kind={ButtonKind::DangerFilled} onclick={begin.clone()}><Icon icon={IconName::StepUp} />{ t!(i18n, "talk-step-up") }</Button> };
    }
    match view.clock.as_ref().filter(|_| runs) {
        Some(clock) => {
            html! { <Button kind={ButtonKind::NotYet}><Icon icon={IconName::StepUp} />{ t!(i18n, "talk-step-up-opens", when = when(i18n, clock.due_ms)) }</Button> }
        }
        None => Html::default(),
    }
}
