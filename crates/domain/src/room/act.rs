//! The acts of a room, their order, and why one does nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::act::ActId;
use crate::entry::id16;
use crate::folding::is_latin;
use crate::validate::MAX_TEXT_BYTES;

/// The longest name that somebody is shown by, in bytes.
pub const MAX_NAME_BYTES: usize = 64;

/// Most texts of one post: more than anybody edits, and few enough that a flood of edits costs nothing.
pub const MAX_REVISIONS: u32 = 100;

id16! {
    /// Somebody in one room, by the key that their devices share there: in another room they are another.
    Pseudonym
}

/// In what part somebody is in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoomRole {
    /// They read and write.
    Member,
    /// They look after it, named by the hospital.
    Moderator,
    /// The hospital itself.
    Hospital,
}

/// What a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// What somebody has lived through.
    #[default]
    PersonalExperience,
    /// The hospital has read it and finds it right.
    HospitalReviewed,
}

/// What is done in a room.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoomAct {
    /// Somebody takes the name that they are shown by. Nobody else has it, nor one that looks the same. It is of Latin letters and
    /// digits, with single blanks, hyphens, stops or apostrophes between: in other scripts there are letters that look the same, and
    /// some that are not seen.
    TakeName {
        /// It.
        name: String,
    },
    /// A post, or a reply to one.
    Post {
        /// What it replies to.
        answers: Option<ActId>,
        /// The words.
        text: String,
    },
    /// The author changes the words.
    Edit {
        /// Which post.
        post: ActId,
        /// The number of the text that this is: the post's is 1. It takes the place of the one before, and of no other.
        revision: u32,
        /// The words.
        text: String,
    },
    /// The author takes it back, for good.
    Delete {
        /// Which post.
        post: ActId,
    },
    /// Somebody wants a moderator to look. Only moderators see it.
    Flag {
        /// Which post.
        post: ActId,
        /// Why; may be empty.
        reason: String,
    },
    /// A moderator has looked at what was flagged: it stays.
    Keep {
        /// Which post.
        post: ActId,
    },
    /// A moderator hides it.
    Hide {
        /// Which post.
        post: ActId,
        /// Why, in words for everybody.
        reason: String,
    },
    /// A moderator shows it again.
    Restore {
        /// Which post.
        post: ActId,
    },
    /// The author does not agree that it is hidden.
    Appeal {
        /// Which post.
        post: ActId,
        /// Why.
        words: String,
    },
    /// Somebody who did not hide it decides.
    Decide {
        /// Which appeal.
        appeal: ActId,
        /// Whether the post is shown again.
        restore: bool,
        /// Why, in words for the author.
        reason: String,
    },
    /// A moderator says what a text is.
    Label {
        /// Which post.
        post: ActId,
        /// Which of its texts.
        revision: u32,
        /// What it is.
        label: Label,
    },
    /// The hospital names somebody who looks after the room.
    Appoint {
        /// Who.
        moderator: Pseudonym,
        /// The name that is shown.
        name: String,
    },
    /// They look after it no more.
    Relieve {
        /// Who.
        moderator: Pseudonym,
    },
    /// The hospital opens it.
    Open,
    /// The hospital closes it: what is written from now on is held.
    Close {
        /// Why.
        reason: String,
    },
    /// An act that is not for this reader: it has its place, and nothing else of it is known. The agent sends it, and nobody writes it.
    Withheld,
}

impl RoomAct {
    /// Whether its texts are as they may be: the same check for who writes and for who reads.
    ///
    /// # Errors
    /// [`RoomRefusal::TooLong`], and [`RoomRefusal::NoWords`] where it is nothing without words.
    pub fn check(&self) -> Result<(), RoomRefusal> {
        let (text, most, needed) = match self {
            Self::TakeName { name } | Self::Appoint { name, .. } => (name, MAX_NAME_BYTES, true),
            Self::Post { text, .. } | Self::Edit { text, .. } => (text, MAX_TEXT_BYTES, true),
            Self::Hide { reason, .. } | Self::Decide { reason, .. } | Self::Close { reason } => {
                (reason, MAX_TEXT_BYTES, true)
            }
            Self::Appeal { words, .. } => (words, MAX_TEXT_BYTES, true),
            Self::Flag { reason, .. } => (reason, MAX_TEXT_BYTES, false),
            Self::Delete { .. }
            | Self::Keep { .. }
            | Self::Restore { .. }
            | Self::Label { .. }
            | Self::Relieve { .. }
            | Self::Open
            | Self::Withheld => return Ok(()),
        };
        if text.len() > most {
            Err(RoomRefusal::TooLong)
        } else if needed && !has_sign(text) {
            Err(RoomRefusal::NoWords)
        } else if matches!(self, Self::TakeName { .. } | Self::Appoint { .. }) && !is_name(text) {
            Err(RoomRefusal::BadName)
        } else {
            Ok(())
        }
    }

    /// Who may do it at all.
    pub fn may(&self, role: RoomRole) -> Result<(), RoomRefusal> {
        match self {
            Self::TakeName { .. }
            | Self::Post { .. }
            | Self::Edit { .. }
            | Self::Delete { .. }
            | Self::Flag { .. }
            | Self::Appeal { .. }
            | Self::Withheld => Ok(()),
            Self::Keep { .. }
            | Self::Hide { .. }
            | Self::Restore { .. }
            | Self::Decide { .. }
            | Self::Label { .. } => {
                if role == RoomRole::Member {
                    Err(RoomRefusal::NotModerator)
                } else {
                    Ok(())
                }
            }
            Self::Appoint { .. } | Self::Relieve { .. } | Self::Open | Self::Close { .. } => {
                if role == RoomRole::Hospital { Ok(()) } else { Err(RoomRefusal::NotHospital) }
            }
        }
    }
}

/// An act as it stands in the feed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedAct {
    /// Its id.
    pub id: ActId,
    /// Who did it.
    pub by: Pseudonym,
    /// Its place in the feed; `None` for an own act that waits on this device.
    pub place: Option<u64>,
    /// Up to which place its author had read.
    pub seen: u64,
    /// Own acts that it was written after, and that had no place yet.
    pub after: Vec<ActId>,
    /// When, by the writing device's clock, in ms since the epoch. For display.
    pub at_ms: i64,
    /// What was done.
    pub what: RoomAct,
    /// Whether the agent has left its words out: they are not for this reader.
    pub left_out: bool,
}

impl FeedAct {
    /// The post that it names, or is.
    pub(super) fn post(&self) -> Option<ActId> {
        match &self.what {
            RoomAct::Post { .. } => Some(self.id),
            RoomAct::Edit { post, .. }
            | RoomAct::Delete { post }
            | RoomAct::Flag { post, .. }
            | RoomAct::Keep { post }
            | RoomAct::Hide { post, .. }
            | RoomAct::Restore { post }
            | RoomAct::Appeal { post, .. }
            | RoomAct::Label { post, .. } => Some(*post),
            _ => None,
        }
    }

    /// The same without its words.
    pub(super) fn without_words(mut self) -> Self {
        match &mut self.what {
            RoomAct::Post { text: words, .. }
            | RoomAct::Edit { text: words, .. }
            | RoomAct::Flag { reason: words, .. }
            | RoomAct::Hide { reason: words, .. }
            | RoomAct::Appeal { words, .. }
            | RoomAct::Decide { reason: words, .. } => {
                words.clear();
                self.left_out = true;
            }
            _ => {}
        }
        self
    }

    /// The same as somebody has it for whom it is not: a place, and the id by which it is told from what else may stand there.
    pub(super) fn withheld(self) -> Self {
        let nobody = Pseudonym::from_bytes([0; 16]);
        Self {
            by: nobody,
            seen: 0,
            after: Vec::new(),
            at_ms: 0,
            what: RoomAct::Withheld,
            left_out: true,
            ..self
        }
    }

    /// Whether its author knew of another act.
    pub(super) fn knew(&self, earlier: &Self) -> bool {
        let read =
            earlier.place.is_some_and(|place| place <= self.seen && self.place.is_none_or(|own| place < own));
        read || (self.by == earlier.by && self.after.contains(&earlier.id))
    }
}

/// Why an act does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RoomRefusal {
    /// A text is longer than it may be.
    TooLong,
    /// A post has [`MAX_REVISIONS`].
    TooMany,
    /// It needs words.
    NoWords,
    /// Only the author may do that.
    NotYours,
    /// Only a moderator may do that, and they were none at that place of the feed.
    NotModerator,
    /// Only the hospital may do that.
    NotHospital,
    /// It is about nothing that is in the room.
    Unknown,
    /// They have said so already.
    Already,
    /// The post was deleted.
    Deleted,
    /// Somebody was first: another device, or another moderator.
    Overtaken,
    /// Nothing is hidden there, or nothing that an appeal has not been made of.
    NotHidden,
    /// It is about an own post, or an own hiding.
    OwnJudge,
    /// Somebody else has that name.
    NameTaken,
    /// It is no name: see [`RoomAct::TakeName`].
    BadName,
}

impl fmt::Display for RoomRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RoomRefusal::TooLong => "the text is too long: shorten it",
            RoomRefusal::TooMany => "the post was edited too often: write another",
            RoomRefusal::NoWords => "it needs words: write some",
            RoomRefusal::NotYours => "only the author may do that: flag it instead",
            RoomRefusal::NotModerator => "only a moderator of the room may do that: flag it instead",
            RoomRefusal::NotHospital => "only the hospital may do that: ask it to",
            RoomRefusal::Unknown => "it is about nothing that is in the room: read the room anew",
            RoomRefusal::Deleted => "the post was deleted: nothing more can be done to it",
            RoomRefusal::Overtaken => "somebody else was first: read what is there now, and do it again",
            RoomRefusal::NotHidden => {
                "nothing is hidden there, or an appeal has been made already: read what is there now"
            }
            RoomRefusal::OwnJudge => "somebody else has to decide about an own post or an own hiding",
            RoomRefusal::Already => "that was said already: somebody will look",
            RoomRefusal::BadName => {
                "a name is of letters and digits, with single blanks between: choose another"
            }
            RoomRefusal::NameTaken => "somebody else has that name: choose another",
        })
    }
}

impl std::error::Error for RoomRefusal {}

/// An act that does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Undone {
    /// Which.
    pub act: ActId,
    /// Why.
    pub why: RoomRefusal,
}

/// Whether there is anything in a text that can be seen.
fn has_sign(text: &str) -> bool {
    let unseen = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
    };
    !text.chars().all(unseen)
}

fn is_name(text: &str) -> bool {
    let text = text.trim();
    let between = |c: char| matches!(c, ' ' | '-' | '.' | '\'' | '’');
    let doubled = text.chars().zip(text.chars().skip(1)).any(|(one, next)| one == ' ' && next == ' ');
    !doubled && is_latin(&text.replace(between, ""))
}

/// The acts in their one order: by their places as far as none is missing, and then what waits, each after what it was written after;
/// with the last place. What stands beyond a place that is missing is not read: what is missing may be what hides it.
pub(super) fn in_order(acts: impl IntoIterator<Item = FeedAct>) -> (Vec<FeedAct>, u64) {
    let mut by_id: BTreeMap<ActId, FeedAct> = BTreeMap::new();
    for act in acts {
        // What has a place goes before the same act waiting; of others the lowest, so that arrival settles nothing.
        let first = |act: &FeedAct, known: &FeedAct| {
            (act.place.is_none(), act.place, act) < (known.place.is_none(), known.place, known)
        };
        match by_id.get_mut(&act.id) {
            Some(known) if first(&act, known) => *known = act,
            Some(_) => {}
            None => {
                by_id.insert(act.id, act);
            }
        }
    }
    let (mut placed, mut waiting): (Vec<FeedAct>, Vec<FeedAct>) =
        by_id.into_values().partition(|act| act.place.is_some());
    placed.sort_by_key(|act| (act.place, act.id));
    let mut feed: Vec<FeedAct> = Vec::with_capacity(placed.len() + waiting.len());
    let mut read_to = 0;
    for act in placed {
        if act.place == Some(read_to + 1) {
            read_to += 1;
            feed.push(act);
        }
    }
    while !waiting.is_empty() {
        let ids: BTreeSet<ActId> = waiting.iter().map(|act| act.id).collect();
        let ready = waiting.iter().position(|act| act.after.iter().all(|id| !ids.contains(id)));
        feed.push(waiting.remove(ready.unwrap_or_default()));
    }
    (feed, read_to)
}
