//! The acts of a room, their order, and why one does nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::act::ActId;
use crate::entry::id16;
use crate::validate::MAX_TEXT_BYTES;

/// The longest name that somebody is shown by, in bytes.
pub const MAX_NAME_BYTES: usize = 64;

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
    /// Somebody takes the name that they are shown by. Nobody else has it.
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
            | Self::Open => return Ok(()),
        };
        if text.len() > most {
            Err(RoomRefusal::TooLong)
        } else if needed && text.trim().is_empty() {
            Err(RoomRefusal::NoWords)
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
            | Self::Appeal { .. } => Ok(()),
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
}

impl FeedAct {
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
    /// The post was deleted.
    Deleted,
    /// Somebody was first: another device, or another moderator.
    Overtaken,
    /// Nothing is hidden there that an appeal has not been made of.
    NotHidden,
    /// It is about an own post, or an own hiding.
    OwnJudge,
    /// Somebody else has that name.
    NameTaken,
}

impl fmt::Display for RoomRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RoomRefusal::TooLong => "the text is too long: shorten it",
            RoomRefusal::NoWords => "it needs words: write some",
            RoomRefusal::NotYours => "only the author may do that",
            RoomRefusal::NotModerator => "only a moderator of the room may do that",
            RoomRefusal::NotHospital => "only the hospital may do that",
            RoomRefusal::Unknown => "it is about nothing that is in the room: read the room anew",
            RoomRefusal::Deleted => "the post was deleted",
            RoomRefusal::Overtaken => "somebody else was first: read what is there now, and do it again",
            RoomRefusal::NotHidden => "nothing is hidden there, or an appeal has been made already",
            RoomRefusal::OwnJudge => "somebody else has to decide about an own post or an own hiding",
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

/// The acts in their one order: by their places, and then what waits, each after what it was written after.
pub(super) fn in_order(acts: impl IntoIterator<Item = FeedAct>) -> Vec<FeedAct> {
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
    let (mut feed, mut waiting): (Vec<FeedAct>, Vec<FeedAct>) =
        by_id.into_values().partition(|act| act.place.is_some());
    feed.sort_by_key(|act| (act.place, act.id));
    while !waiting.is_empty() {
        let ids: BTreeSet<ActId> = waiting.iter().map(|act| act.id).collect();
        let ready = waiting.iter().position(|act| act.after.iter().all(|id| !ids.contains(id)));
        feed.push(waiting.remove(ready.unwrap_or_default()));
    }
    feed
}
