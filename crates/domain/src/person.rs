//! A chart's person: relation, colour and letters on the tile.

use serde::{Deserialize, Serialize};

use crate::entry::id16;

id16! {
    /// One person's record.
    ChartId
}

/// What the chart's person is to the account's person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The account's person.
    #[default]
    Own,
    /// Mother.
    Mother,
    /// Father.
    Father,
    /// Child.
    Child,
    /// Husband, wife, partner.
    Partner,
    /// Somebody else.
    Other,
}

/// The colour and pattern of a person's spine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonColour {
    /// Slanted lines.
    #[default]
    Nila,
    /// Ovals.
    Manggis,
    /// Diamonds.
    Kunyit,
    /// Bars.
    Toska,
    /// Triangles.
    Bata,
    /// Dots.
    Lumut,
    /// Crosses.
    Kopi,
}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $type {
            /// Every one, in the order in which they are offered.
            pub const ALL: &'static [$type] = &[$($type::$variant),*];

            /// The stable word in stored fields.
            pub fn word(self) -> &'static str { match self { $($type::$variant => $word),* } }

            /// The one of a stored word; an unknown word is the default.
            pub fn from_word(word: &str) -> $type { match word { $($word => $type::$variant,)* _ => $type::default() } }
        }
    };
}

words!(Relation { Own = "own", Mother = "mother", Father = "father", Child = "child", Partner = "partner", Other = "other" });
words!(PersonColour {
    Nila = "nila", Manggis = "manggis", Kunyit = "kunyit", Toska = "toska", Bata = "bata", Lumut = "lumut", Kopi = "kopi"
});

/// Words before a name that are not part of its letters.
const TITLES: &[&str] = &["ibu", "bu", "pak", "bapak", "dr.", "ns.", "mr.", "mrs.", "ms."];

/// The two letters of a person's tile: the first two of the first name that is not a title.
pub fn initials(name: &str) -> String {
    let mut letters = tile_letters(name);
    let head: String = letters.next().map_or_else(|| "?".into(), |c| c.to_uppercase().collect());
    head + &letters.next().map(|c| c.to_lowercase().collect::<String>()).unwrap_or_default()
}

/// The letters of that name as written. For the screens, which have the browser's tables of small and capital letters and
/// need not load their own.
pub fn tile_letters(name: &str) -> impl Iterator<Item = char> {
    let title = |word: &str| TITLES.iter().any(|title| title.eq_ignore_ascii_case(word));
    let mut words = name.split_whitespace();
    let first = words.find(|word| !title(word)).or_else(|| name.split_whitespace().next());
    first.unwrap_or("?").chars().filter(|c| c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_skip_titles() {
        assert_eq!(initials("Ibu Ratna"), "Ra", "a title is not part of the letters");
        assert_eq!(initials("Laras"), "La", "two letters of the first name");
        assert_eq!(initials(""), "?", "an empty name still has a tile");
    }
}
