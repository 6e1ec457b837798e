//! One of several, each in a row of its own.

use yew::prelude::*;

/// A group.
#[derive(Properties, PartialEq)]
pub struct RadioGroupProps {
    /// Its name in the page.
    pub name: AttrValue,
    /// What is asked.
    pub legend: AttrValue,
    /// Word, label, and a note at the end.
    pub options: Vec<(AttrValue, AttrValue, AttrValue)>,
    /// The word that is chosen.
    pub value: AttrValue,
    /// A choice.
    pub onchange: Callback<AttrValue>,
}

/// Radio buttons in a box. Arrows move within the group.
#[component]
pub fn RadioGroup(props: &RadioGroupProps) -> Html {
    html! {
        <fieldset class="radios">
            <legend class="field-label">{ props.legend.clone() }</legend>
            <div class="radios-box">
                { for props.options.iter().map(|(word, label, note)| {
                    let onchange = { let word = word.clone(); props.onchange.reform(move |_: Event| word.clone()) };
                    html! {
                        <label class="radio" key={word.to_string()}>
                            <input type="radio" name={props.name.clone()} value={word.clone()} checked={props.value == *word} {onchange} />
                            <span class="radio-label">{ label.clone() }</span>
                            <span class="radio-note">{ note.clone() }</span>
                        </label>
                    }
                }) }
            </div>
        </fieldset>
    }
}
