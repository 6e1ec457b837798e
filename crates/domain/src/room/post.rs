//! A post with all that was done to it. Acts are named by their indices in the order of the feed.

use crate::act::ActId;

use super::act::{Label, Pseudonym};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Post {
    pub(super) id: ActId,
    pub(super) by: Pseudonym,
    pub(super) by_hospital: bool,
    pub(super) at_ms: i64,
    pub(super) answers: Option<ActId>,
    /// The first is the post's own.
    pub(super) texts: Vec<Text>,
    pub(super) deleted: bool,
    pub(super) hides: Vec<Hide>,
    pub(super) labels: Vec<Labelled>,
    pub(super) flags: Vec<Flag>,
    pub(super) appeals: Vec<Appeal>,
    /// Whether the newest text is one that no moderator knew of who hid the post.
    pub(super) changed: bool,
    /// Whether the text that is shown is reviewed.
    pub(super) label: Label,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) act: usize,
    pub(super) words: String,
    /// Whether it was written in an open room, or the room has opened since.
    pub(super) appeared: bool,
    /// It has no place in the feed yet.
    pub(super) waits: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hide {
    pub(super) act: usize,
    pub(super) by: Pseudonym,
    pub(super) reason: String,
    /// What lifted it.
    pub(super) lifted: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Labelled {
    pub(super) act: usize,
    pub(super) revision: u32,
    pub(super) label: Label,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flag {
    pub(super) act: usize,
    pub(super) by: Pseudonym,
    pub(super) reason: String,
    /// A moderator who knew of it has let the post stand.
    pub(super) kept: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Appeal {
    pub(super) id: ActId,
    pub(super) words: String,
    /// Of which hides, by their acts.
    pub(super) of: Vec<usize>,
    /// Whether it was to be restored, and the reason.
    pub(super) decided: Option<(bool, String)>,
}

impl Post {
    /// The hides that stand, in the order of the feed.
    pub(super) fn standing(&self) -> impl Iterator<Item = &Hide> {
        self.hides.iter().filter(|hide| hide.lifted.is_none())
    }

    pub(super) fn is_hidden(&self) -> bool {
        self.standing().next().is_some()
    }

    /// Whether others have seen it, or would but for its being hidden or deleted.
    pub(super) fn has_appeared(&self) -> bool {
        self.texts.first().is_some_and(|text| text.appeared)
    }

    /// The text that others see: the newest that has appeared, with its number.
    pub(super) fn shown(&self) -> Option<(u32, &Text)> {
        let numbered = (1..).zip(&self.texts);
        numbered.filter(|(_, text)| text.appeared).last()
    }

    /// The newest text, held or waiting or not.
    pub(super) fn newest(&self) -> Option<&str> {
        self.texts.last().map(|text| text.words.as_str())
    }

    pub(super) fn revision(&self) -> u32 {
        u32::try_from(self.texts.len()).unwrap_or(u32::MAX)
    }

    /// Flags that ask for somebody to look.
    pub(super) fn open_flags(&self) -> impl Iterator<Item = &Flag> {
        let asks = !self.deleted && !self.is_hidden();
        self.flags.iter().filter(move |flag| asks && !flag.kept)
    }
}
