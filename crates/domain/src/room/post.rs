//! A post with all that was done to it. Acts are named by their indices in the order of the feed.

use std::collections::BTreeSet;

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
    /// Acts of moderators who looked at it and let it be as it is.
    pub(super) kept: Vec<usize>,
    /// The reason that is told of why it is hidden; empty where it is not.
    pub(super) reason: String,
    /// Who has an act about it that has no place in the feed yet.
    pub(super) waits_for: BTreeSet<Pseudonym>,
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

    /// The text that is held, with its number: the newest that has not appeared. `waiting` is whether those count that have no place
    /// in the feed yet.
    pub(super) fn held(&self, waiting: bool) -> Option<(u32, &Text)> {
        let shown = self.shown().map_or(0, |(revision, _)| revision);
        let numbered = (1..).zip(&self.texts);
        numbered.filter(|(revision, text)| *revision > shown && (waiting || !text.waits)).last()
    }

    /// Words that nobody sees any more are not kept: those of texts that another has taken the place of.
    pub(super) fn leave_words(&mut self) {
        let number = |found: Option<(u32, &Text)>| found.map(|(revision, _)| revision);
        let seen = [number(self.shown()), number(self.held(true)), number(self.held(false))];
        for (revision, text) in (1..).zip(&mut self.texts) {
            if !seen.contains(&Some(revision)) {
                text.words.clear();
            }
        }
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
