//! The form of an entry that a person writes: one list of fields per kind, the checks of the domain, and errors where they are and in a summary.

mod controls;
pub mod fields;

use mecum_domain::{Field, FieldError, Kind, validate_draft};
use yew::prelude::*;
use yew_router::prelude::*;

use self::controls::FieldControl;
use self::fields::{Draft, asked, finished, unit_of};
use crate::components::{Button, ButtonKind};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};
use crate::route::Route;

/// A form to fill in.
#[derive(Properties, PartialEq)]
pub struct EntryFormProps {
    /// What is written.
    pub kind: Kind,
    /// What stands in it at first.
    pub initial: Draft,
    /// The words on the saving button.
    pub save: AttrValue,
    /// Saving is under way.
    #[prop_or_default]
    pub working: bool,
    /// What the client refused.
    #[prop_or_default]
    pub refused: Vec<FieldError>,
    /// Where cancelling leads.
    pub cancel: Route,
    /// The fields, checked, with empty ones left out.
    pub on_save: Callback<Draft>,
}

/// The words of a field's error.
pub fn error_text(i18n: &I18n, error: &FieldError, value: &str) -> String {
    let number =
        |n: &Option<String>| n.as_deref().map(|n| format::number(i18n.language(), n)).unwrap_or_default();
    match error.message_id.as_str() {
        "error-field-range" => {
            t!(i18n, "error-field-range", low = number(&error.low), high = number(&error.high), value = value)
        }
        id => i18n.text(id),
    }
}

/// The form.
#[component]
pub fn EntryForm(props: &EntryFormProps) -> Html {
    let i18n = use_i18n();
    let draft = use_state(|| props.initial.clone());
    let errors = use_state(Vec::<FieldError>::new);
    let summary = use_node_ref();
    {
        let errors = errors.clone();
        use_effect_with(props.refused.clone(), move |refused| {
            if !refused.is_empty() {
                errors.set(refused.clone());
            }
        });
    }
    {
        // The summary takes focus when errors appear, so that a reader hears how many and which.
        let summary = summary.clone();
        use_effect_with(errors.len(), move |count| {
            if let (true, Some(element)) = (*count > 0, summary.cast::<web_sys::HtmlElement>()) {
                let _ = element.focus();
            }
        });
    }
    let kind = props.kind;
    let on_change = {
        let (draft, errors) = (draft.clone(), errors.clone());
        Callback::from(move |(field, value): (Field, String)| {
            let mut next = (*draft).clone();
            next.set(field, value);
            if field == Field::Code {
                next.set(Field::Unit, unit_of(next.get(Field::Code)).to_owned());
                next.set(Field::Value2, String::new());
            }
            if errors.iter().any(|e| e.field == field) {
                errors.set(errors.iter().filter(|e| e.field != field).cloned().collect());
            }
            draft.set(next);
        })
    };
    let onsubmit = {
        let (draft, errors, on_save, working) =
            (draft.clone(), errors.clone(), props.on_save.clone(), props.working);
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if working {
                return;
            }
            let done = finished(kind, &draft);
            let found = validate_draft(kind, &done.0);
            if found.is_empty() {
                on_save.emit(done);
            }
            errors.set(found);
        })
    };
    html! {
        <form class="entry-form" {onsubmit} novalidate={true}>
            { error_summary(&i18n, &errors, &draft, &summary) }
            { for asked(kind, &draft).into_iter().map(|ask| {
                let error = errors.iter().find(|e| e.field == ask.field).map(|e| error_text(&i18n, e, draft.get(ask.field)));
                let (key, value) = (format!("{:?}", ask.field), draft.get(ask.field).to_owned());
                html! {
                    <FieldControl {key} {value} unit={format::unit(draft.get(Field::Unit))} {ask} {error} on_change={on_change.clone()} />
                }
            }) }
            <p class="caption">{ t!(i18n, "form-draft") }</p>
            <div class="action-bar">
                <div class="action-bar-buttons">
                    <Link<Route> to={props.cancel.clone()} classes="button button-second">{ t!(i18n, "add-cancel") }</Link<Route>>
                    <Button kind={ButtonKind::Main} submit=true working={props.working}>
                        { if props.working { AttrValue::from(t!(i18n, "add-saving")) } else { props.save.clone() } }
                    </Button>
                </div>
            </div>
        </form>
    }
}

/// All errors above the form, each leading to its field.
fn error_summary(i18n: &I18n, errors: &[FieldError], draft: &Draft, summary: &NodeRef) -> Html {
    if errors.is_empty() {
        return Html::default();
    }
    html! {
        <div class="error-summary" role="alert" tabindex="-1" ref={summary}>
            <h2 class="section-title">{ t!(i18n, "form-errors-title") }</h2>
            <ul>
                { for errors.iter().map(|error| {
                    let id = fields::control_id(error.field);
                    let onclick = Callback::from(move |event: MouseEvent| {
                        event.prevent_default();
                        let control = web_sys::window().and_then(|w| w.document()).and_then(|d| d.get_element_by_id(&id));
                        if let Some(control) = control.and_then(|c| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(c).ok()) {
                            let _ = control.focus();
                        }
                    });
                    let name = i18n.text(fields::label(error.field, draft));
                    html! {
                        <li><button type="button" class="link-button" {onclick}>{ format!("{name}: {}", error_text(i18n, error, draft.get(error.field))) }</button></li>
                    }
                }) }
            </ul>
        </div>
    }
}
