//! Fields: label above, hint below it, error between hint and box, with what to do in words.

use yew::prelude::*;

use super::{Icon, IconName};
use crate::format;
use crate::i18n::{t, use_i18n};

/// What a field takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldType {
    /// One line.
    #[default]
    Line,
    /// Several lines.
    Lines,
    /// A passphrase that is in use: hidden, with an eye.
    Secret,
    /// A passphrase that is being made: hidden, with an eye; shown over two lines.
    NewSecret,
    /// A civil date.
    Date,
    /// A web address.
    Address,
}

/// A field.
#[derive(Properties, PartialEq)]
pub struct FieldProps {
    /// Its id in the page.
    pub id: AttrValue,
    /// The label.
    pub label: AttrValue,
    /// Below the label.
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    /// What is wrong, and the mend.
    #[prop_or_default]
    pub error: Option<AttrValue>,
    /// What stands in it.
    pub value: AttrValue,
    /// What it takes.
    #[prop_or_default]
    pub r#type: FieldType,
    /// It may stay empty.
    #[prop_or_default]
    pub optional: bool,
    /// A secret is shown at first.
    #[prop_or_default]
    pub shown: bool,
    /// Takes focus when it appears.
    #[prop_or_default]
    pub focus: bool,
    /// What is typed.
    pub oninput: Callback<String>,
    /// The field was left.
    #[prop_or_default]
    pub onleave: Callback<()>,
}

/// A field with its words.
#[component]
pub fn Field(props: &FieldProps) -> Html {
    let i18n = use_i18n();
    let shown = use_state(|| props.shown);
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with(props.focus, move |focus| {
            if let (true, Some(element)) = (*focus, node.cast::<web_sys::HtmlElement>()) {
                let _ = element.focus();
            }
        });
    }
    let id = props.id.to_string();
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described: Vec<String> =
        [props.hint.is_some().then(|| hint_id.clone()), props.error.is_some().then(|| error_id.clone())]
            .into_iter()
            .flatten()
            .collect();
    let described = (!described.is_empty()).then(|| described.join(" "));
    let secret = matches!(props.r#type, FieldType::Secret | FieldType::NewSecret);
    let toggle = {
        let shown = shown.clone();
        Callback::from(move |_: MouseEvent| shown.set(!*shown))
    };
    html! {
        <div class={classes!("field", props.error.is_some().then_some("field-wrong"))}>
            <label class="field-label" for={id}>
                { props.label.clone() }
                if props.optional { <span class="field-optional">{ t!(i18n, "app-optional") }</span> }
            </label>
            if let Some(hint) = &props.hint { <span class="field-hint" id={hint_id}>{ hint.clone() }</span> }
            if let Some(error) = &props.error {
                <span class="field-error" id={error_id} role="alert"><Icon icon={IconName::OctagonAlert} small=true />{ error.clone() }</span>
            }
            if secret {
                <span class="field-box field-secret">
                    { control(props, &node, described, *shown) }
                    <button type="button" class="icon-button" onclick={toggle} aria-pressed={if *shown { "true" } else { "false" }} aria-label={t!(i18n, "app-show-words")}>
                        <Icon icon={if *shown { IconName::EyeOff } else { IconName::Eye }} />
                    </button>
                </span>
            } else {
                { control(props, &node, described, true) }
            }
            // The browser writes a date in its own order; below it stands as everywhere else in the app.
            if props.r#type == FieldType::Date && props.value.len() >= 10 {
                <span class="caption field-said">{ format::day_plain(i18n.language(), &props.value) }</span>
            }
        </div>
    }
}

fn control(props: &FieldProps, node: &NodeRef, described: Option<String>, shown: bool) -> Html {
    let oninput = {
        let to = props.oninput.clone();
        Callback::from(move |event: InputEvent| {
            let input = event.target_dyn_into::<web_sys::HtmlInputElement>().map(|i| i.value());
            let typed =
                input.or_else(|| event.target_dyn_into::<web_sys::HtmlTextAreaElement>().map(|a| a.value()));
            if let Some(typed) = typed {
                to.emit(typed);
            }
        })
    };
    let onblur = props.onleave.reform(|_: FocusEvent| ());
    let (id, value) = (props.id.clone(), props.value.clone());
    let (invalid, required) = (props.error.is_some().then_some("true"), (!props.optional).then_some("true"));
    let lines = props.r#type == FieldType::Lines || (props.r#type == FieldType::NewSecret && shown);
    if lines {
        let class = if props.r#type == FieldType::Lines { "field-box field-lines" } else { "field-bare" };
        return html! {
            <textarea ref={node.clone()} {class} {id} rows={if class == "field-bare" { "2" } else { "3" }} autocomplete="off" autocapitalize="none" spellcheck="false"
                {value} {oninput} {onblur} aria-describedby={described} aria-invalid={invalid} aria-required={required} />
        };
    }
    let (kind, complete) = match props.r#type {
        FieldType::Secret => (if shown { "text" } else { "password" }, "current-password"),
        FieldType::NewSecret => ("password", "new-password"),
        FieldType::Date => ("date", "bday"),
        FieldType::Address => ("url", "off"),
        FieldType::Line | FieldType::Lines => ("text", "off"),
    };
    let class = if matches!(props.r#type, FieldType::Secret | FieldType::NewSecret) {
        "field-bare"
    } else {
        "field-box"
    };
    html! {
        <input ref={node.clone()} {class} {id} type={kind} autocomplete={complete} autocapitalize="none" spellcheck="false"
            {value} {oninput} {onblur} aria-describedby={described} aria-invalid={invalid} aria-required={required} />
    }
}
