//! A person's tile, a small book with pattern and letters, and Mecum's own mark.

use mecum_api::domain::PersonColour;
use yew::prelude::*;

/// How large a tile is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TileSize {
    /// 38 px: the person bar.
    Bar,
    /// 30 px.
    #[default]
    Small,
    /// 24 px, without the pattern.
    Row,
}

/// A tile.
#[derive(Properties, PartialEq)]
pub struct TileProps {
    /// The letters.
    pub letters: AttrValue,
    /// Colour and pattern.
    pub colour: PersonColour,
    /// How large.
    #[prop_or_default]
    pub size: TileSize,
}

/// A tile. Hidden from readers: the name stands beside it.
#[component]
pub fn Tile(props: &TileProps) -> Html {
    let size = match props.size {
        TileSize::Bar => "tile tile-bar",
        TileSize::Small => "tile tile-small",
        TileSize::Row => "tile tile-row",
    };
    html! {
        <span class={size} data-person={props.colour.word()} aria-hidden="true">
            <span class="tile-strip" /><span class="tile-letters">{ props.letters.clone() }</span>
        </span>
    }
}

/// Mecum's mark: an open book that is an M.
#[component]
pub fn Logo() -> Html {
    html! {
        <svg class="logo" viewBox="0 0 40 36" fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
            <path d="M4 33V13.5a8.5 8.5 0 0 1 16-4a8.5 8.5 0 0 1 16 4V33M20 9.5V33" />
            <path stroke-width="3" d="M11.5 29.5c3.6 0 6.6.9 8.5 3.3c1.9-2.4 4.9-3.3 8.5-3.3" />
        </svg>
    }
}
