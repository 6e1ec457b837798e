//! One field of a form: label, hint, error, box. The unit stands inside the box; the error between hint and box, with its mend in words.

use mecum_domain::Field;
use yew::prelude::*;

use super::fields::{Ask, Control, control_id};
use crate::components::{Icon, IconName};
use crate::format;
use crate::i18n::{t, use_i18n};

/// A field to draw.
#[derive(Properties, PartialEq)]
pub(super) struct FieldControlProps {
    /// What is asked.
    pub(super) ask: Ask,
    /// What stands in it.
    pub(super) value: AttrValue,
    /// The unit of numbers.
    pub(super) unit: AttrValue,
    /// What is wrong with it.
    #[prop_or_default]
    pub(super) error: Option<AttrValue>,
    /// Takes what is typed.
    pub(super) on_change: Callback<(Field, String)>,
}

/// The field.
#[component]
pub(super) fn FieldControl(props: &FieldControlProps) -> Html {
    let i18n = use_i18n();
    let ask = &props.ask;
    let id = control_id(ask.field);
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let mut described = Vec::new();
    if ask.hint.is_some() {
        described.push(hint_id.clone());
    }
    if props.error.is_some() {
        described.push(error_id.clone());
    }
    let described = (!described.is_empty()).then(|| described.join(" "));
    html! {
        <div class={classes!("field", half(ask.field).then_some("field-half"), props.error.is_some().then_some("field-wrong"))}>
            <label class="field-label" for={id.clone()}>
                { i18n.text(ask.label) }
                if ask.optional { <span class="field-optional">{ t!(i18n, "form-optional") }</span> }
            </label>
            if let Some(hint) = ask.hint { <span class="field-hint" id={hint_id}>{ i18n.text(hint) }</span> }
            if let Some(error) = &props.error {
                <span class="field-error" id={error_id}><Icon icon={IconName::OctagonAlert} small=true />{ error.clone() }</span>
            }
            { control(props, &id, described, &i18n) }
        </div>
    }
}

/// A number and its unit, or two numbers of one reading, stand side by side where there is room.
fn half(field: Field) -> bool {
    matches!(field, Field::Value | Field::Value2 | Field::Dose | Field::DoseUnit)
}

fn control(props: &FieldControlProps, id: &str, described: Option<String>, i18n: &crate::i18n::I18n) -> Html {
    let ask = &props.ask;
    let (field, on_change) = (ask.field, props.on_change.clone());
    let oninput = Callback::from(move |event: InputEvent| {
        let value = event
            .target_dyn_into::<web_sys::HtmlInputElement>()
            .map(|input| input.value())
            .or_else(|| event.target_dyn_into::<web_sys::HtmlTextAreaElement>().map(|area| area.value()));
        if let Some(value) = value {
            on_change.emit((field, value));
        }
    });
    let required = (!ask.optional).then_some("true");
    let invalid = props.error.is_some().then_some("true");
    let id = id.to_owned();
    let value = props.value.clone();
    match &ask.control {
        Control::Lines => html! {
            <textarea class="field-box field-lines" {id} rows="5" {value} {oninput} aria-describedby={described} aria-required={required} aria-invalid={invalid} />
        },
        Control::Choice(options) => choice(props, id, described, options, i18n),
        Control::Number => html! {
            <span class="field-box field-with-unit">
                <input {id} type="text" inputmode="decimal" autocomplete="off" {value} {oninput} aria-describedby={described} aria-required={required} aria-invalid={invalid} />
                if field != Field::Dose { <span class="field-unit">{ props.unit.clone() }</span> }
            </span>
        },
        // The browser writes the moment in its own way; below it stands as everywhere else in the app.
        Control::DateTime => {
            let said = Some(format::day_time(i18n.language(), &value)).filter(|_| value.len() >= 10);
            html! {
                <>
                    <input class="field-box" {id} type="datetime-local" {value} {oninput} aria-describedby={described} aria-required={required} aria-invalid={invalid} />
                    if let Some(said) = said { <span class="caption field-said">{ said }</span> }
                </>
            }
        }
        Control::Line | Control::PartialDate => html! {
            <input class="field-box" {id} type="text" autocomplete="off" {value} {oninput} aria-describedby={described} aria-required={required} aria-invalid={invalid} />
        },
    }
}

fn choice(
    props: &FieldControlProps,
    id: String,
    described: Option<String>,
    options: &[(String, String)],
    i18n: &crate::i18n::I18n,
) -> Html {
    let (field, on_change) = (props.ask.field, props.on_change.clone());
    let onchange = Callback::from(move |event: Event| {
        if let Some(select) = event.target_dyn_into::<web_sys::HtmlSelectElement>() {
            on_change.emit((field, select.value()));
        }
    });
    html! {
        <select class="field-box" {id} {onchange} aria-describedby={described}>
            { for options.iter().map(|(word, label)| html! {
                <option value={word.clone()} selected={props.value == *word}>{ i18n.try_text(label).unwrap_or_else(|| label.clone()) }</option>
            }) }
        </select>
    }
}
