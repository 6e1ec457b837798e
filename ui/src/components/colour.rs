//! The choice of a person's colour. Each is said by its name and its pattern, not by the colour alone.

use mecum_api::domain::PersonColour;
use yew::prelude::*;

use super::{Tile, TileSize};
use crate::i18n::{t, use_i18n};

/// A choice of colour.
#[derive(Properties, PartialEq)]
pub struct ColourChoiceProps {
    /// Its name in the page.
    pub name: AttrValue,
    /// The letters of the person's tile.
    pub letters: AttrValue,
    /// The colour that is chosen.
    pub value: PersonColour,
    /// A choice.
    pub onchange: Callback<PersonColour>,
}

/// The person's tile in each colour, as radio buttons.
#[component]
pub fn ColourChoice(props: &ColourChoiceProps) -> Html {
    let i18n = use_i18n();
    html! {
        <fieldset class="colours">
            <legend class="field-label">{ t!(i18n, "people-colour") }</legend>
            <div class="colours-box">
                { for PersonColour::ALL.iter().copied().map(|colour| {
                    let onchange = props.onchange.reform(move |_: Event| colour);
                    html! {
                        <label class="colour" key={colour.word()}>
                            <input type="radio" name={props.name.clone()} value={colour.word()} checked={props.value == colour} {onchange} />
                            <Tile letters={props.letters.clone()} {colour} size={TileSize::Small} />
                            <span class="colour-name">{ i18n.text(&format!("colour-{}", colour.word())) }</span>
                        </label>
                    }
                }) }
            </div>
        </fieldset>
    }
}
