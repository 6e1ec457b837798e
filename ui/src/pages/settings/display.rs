//! Language and display: each choice shows at once.

use std::rc::Rc;

use mecum_api::{DisplaySettings, Look, SettingsView, Topic, command};
use yew::prelude::*;

use super::save;
use crate::app::{TEXT_STEPS, nearest_text_step, use_shell};
use crate::backend::use_backend;
use crate::components::{IconName, RadioGroup, Segment, Switch};
use crate::i18n::{LANGUAGES, t, use_i18n};
use crate::pages::answer::answered;
use crate::pages::head::PageHead;
use crate::query::{use_bus, use_query};
use crate::route::Route;

/// The signs of the looks, in their order.
const LOOK_ICONS: [IconName; 3] = [IconName::Sun, IconName::Moon, IconName::Smartphone];

/// The page.
#[component]
pub fn DisplayPage() -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::SettingsGet>((), vec![Topic::Settings]);
    html! {
        <div class="page page-column">
            <PageHead title={t!(i18n, "display-title")} back={Route::Settings} />
            { answered(&i18n, &query, &t!(i18n, "settings-opening"), |settings| html! { <Body {settings} /> }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct BodyProps {
    settings: Rc<SettingsView>,
}

#[component]
fn Body(props: &BodyProps) -> Html {
    let (i18n, shell, backend, bus) = (use_i18n(), use_shell(), use_backend(), use_bus());
    let display = &props.settings.display;
    let change = {
        let settings = props.settings.clone();
        Callback::from(move |display: DisplaySettings| {
            save(&backend, &bus, &shell, None, SettingsView { display, ..(*settings).clone() });
        })
    };
    let with = |put: fn(&mut DisplaySettings, &str)| {
        let (change, display) = (change.clone(), display.clone());
        Callback::from(move |word: AttrValue| {
            let mut new = display.clone();
            put(&mut new, &word);
            change.emit(new);
        })
    };
    let languages = LANGUAGES
        .iter()
        .map(|(tag, name)| {
            (
                AttrValue::from(*tag),
                AttrValue::from(*name),
                AttrValue::from(i18n.text(&format!("language-{tag}"))),
            )
        })
        .collect::<Vec<_>>();
    let looks = vec![
        (AttrValue::from("light"), AttrValue::from(t!(i18n, "display-light"))),
        (AttrValue::from("dark"), AttrValue::from(t!(i18n, "display-dark"))),
        (AttrValue::from("system"), AttrValue::from(t!(i18n, "display-system"))),
    ];
    let look = match display.look {
        Look::System => "system",
        Look::Light => "light",
        Look::Dark => "dark",
    };
    let turn = |put: fn(&mut DisplaySettings, bool)| {
        let (change, display) = (change.clone(), display.clone());
        Callback::from(move |on: bool| {
            let mut new = display.clone();
            put(&mut new, on);
            change.emit(new);
        })
    };
    html! {
        <div class="display">
            <RadioGroup name="language" legend={t!(i18n, "display-language")} options={languages} value={i18n.language()} onchange={with(|d, word| word.clone_into(&mut d.language))} />
            <TextSize percent={display.text_percent} onchange={
                let (change, display) = (change.clone(), display.clone());
                Callback::from(move |percent: u16| change.emit(DisplaySettings { text_percent: percent, ..display.clone() }))
            } />
            <div class="sample"><p class="sample-value">{ t!(i18n, "display-sample") }</p><p>{ t!(i18n, "display-sample-letters") }</p></div>
            <div>
                <h2 class="field-label">{ t!(i18n, "display-look") }</h2>
                <Segment label={t!(i18n, "display-look")} options={looks} icons={LOOK_ICONS.to_vec()} value={look} onchange={with(|d, word| d.look = match word { "light" => Look::Light, "dark" => Look::Dark, _ => Look::System })} />
            </div>
            <div class="switches">
                <Switch label={t!(i18n, "display-contrast")} hint={t!(i18n, "display-contrast-hint")} on={display.contrast} onchange={turn(|d, on| d.contrast = on)} />
                <Switch label={t!(i18n, "display-less-movement")} hint={t!(i18n, "display-less-movement-hint")} on={display.less_movement} onchange={turn(|d, on| d.less_movement = on)} />
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct TextSizeProps {
    percent: u16,
    onchange: Callback<u16>,
}

/// A slider in steps, with buttons for smaller and larger.
#[component]
fn TextSize(props: &TextSizeProps) -> Html {
    let i18n = use_i18n();
    let here = nearest_text_step(props.percent);
    let at = TEXT_STEPS.iter().position(|step| *step == here).unwrap_or(0);
    let go = |to: usize| {
        let (onchange, step) = (props.onchange.clone(), TEXT_STEPS.get(to).copied());
        Callback::from(move |_: MouseEvent| {
            if let Some(step) = step {
                onchange.emit(step);
            }
        })
    };
    let onchange = {
        let onchange = props.onchange.clone();
        Callback::from(move |event: Event| {
            let input: Option<web_sys::HtmlInputElement> = event.target_dyn_into();
            let step = input
                .and_then(|i| i.value().parse::<usize>().ok())
                .and_then(|at| TEXT_STEPS.get(at).copied());
            if let Some(step) = step {
                onchange.emit(step);
            }
        })
    };
    let percent = |step: u16| t!(i18n, "display-percent", percent = step);
    let said = percent(here);
    html! {
        <div class="text-size">
            <label class="field-label" for="text-size">{ t!(i18n, "display-text-size") }</label>
            <div class="text-size-row">
                <button type="button" class="icon-button" aria-label={t!(i18n, "display-smaller")} onclick={go(at.wrapping_sub(1))}><span class="text-size-small" aria-hidden="true">{ "A" }</span></button>
                <input type="range" id="text-size" min="0" max={(TEXT_STEPS.len() - 1).to_string()} step="1" value={at.to_string()} aria-valuetext={said.clone()} {onchange} />
                <button type="button" class="icon-button" aria-label={t!(i18n, "display-larger")} onclick={go(at + 1)}><span class="text-size-large" aria-hidden="true">{ "A" }</span></button>
            </div>
            <p class="caption text-size-ends" aria-hidden="true">
                <span>{ percent(*TEXT_STEPS.first().unwrap_or(&here)) }</span>
                <strong>{ said }</strong>
                <span>{ percent(*TEXT_STEPS.last().unwrap_or(&here)) }</span>
            </p>
        </div>
    }
}
