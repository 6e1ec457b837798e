//! A room: posts of people with one condition under pseudonyms, run and moderated by a hospital.
//!
//! The hospital's agent puts every act into one feed and gives it a place there, counting from 1. An act says up to which place its
//! author had read. So who knew of what is known without any history beside it, and what somebody sees is a function of the acts alone,
//! the same on every device and in whatever order they arrive. It is read only as far as no place is missing: what is missing may hide or
//! delete what follows it. Own acts that wait for the network come after everything else, and do at once on that device what they will
//! do for all: a view says so ([`PostView::waits`]).
//!
//! Not every act is for everybody. The agent sends to each what [`for_reader`] gives of the feed, so that nobody's device holds what is
//! held, hidden or deleted, or who flagged what; docs/adr/0023 says what is signed.
//!
//! **Open** is a room that the hospital has opened and that has a named moderator. What is written while it is not is *held*: a post,
//! a reply, and the new text of an edit as well, for else an edit would be a post that nobody looks after. It appears with the next
//! opening. What has appeared stays when the last moderator goes. Deletion is never held.
//!
//! **Position decides** about parts: an act of somebody who is no moderator at that place of the feed does nothing, also if they did
//! not know of it yet, and so does one before they were named. What two acts come to that did not know of each other, in either order
//! of the feed:
//!
//! | | edit | delete | hide | restore | decide |
//! |---|---|---|---|---|---|
//! | **edit** | the first in the feed; the other is told to its author | deleted | hidden, and said to be changed since | shown, new text | both |
//! | **delete** | | deleted | deleted | deleted | deleted |
//! | **reply** | both | the reply stays, under a mark | the reply stays, under a mark | both | both |
//! | **flag** | both: somebody looks | deleted | hidden: the flag asks for nothing more | both: somebody looks | both |
//! | **hide** | | | hidden: the first reason, and of those that knew of another the last | **hidden**: it lifts what its author knew of | **hidden**, likewise |
//! | **appeal** | both | deleted | hidden by the other one too, of which another appeal may be made | shown: nothing is left to decide | one appeal for each hide: the first |
//! | **keep** | both: the flags that were known are answered, and nobody has looked at the new text | deleted | hidden | both | both |
//! | **decide** | | | | shown: a restoring lifts, whatever else was said | the first in the feed; the other is told |
//! | **label** *reviewed* | **not reviewed**: nobody has reviewed the new text | deleted | hidden | both | both |
//!
//! Of two labels on one text that cross, *personal experience* stands: *reviewed* is what its reviewer says in knowledge of all others.
//! Keeping a flagged post answers the flags that its moderator knew of; keeping a hidden one, that its text was changed. A deletion that
//! comes into the feed before its post, from another device of the author, deletes it all the same.
//!
//! Nobody judges their own: a moderator neither restores, keeps, labels nor decides about an own post, and whoever hid a post does not
//! decide the appeal against it. The hospital may: it answers for the room, and somebody has to where nobody else is left.

mod act;
mod for_reader;
mod post;
mod reading;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;

use crate::act::ActId;
use crate::case::{CaseAct, CaseKind};

use post::Post;
use reading::Reading;

pub use act::{
    FeedAct, Label, MAX_NAME_BYTES, MAX_REVISIONS, Pseudonym, RoomAct, RoomRefusal, RoomRole, Undone,
};
pub use for_reader::for_reader;
pub use view::{AppealState, AppealView, HeldText, LookAt, PostBody, PostView};

/// What the acts of a room come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    hospital: Pseudonym,
    /// The last place that was read.
    read_to: u64,
    /// Whether the hospital has opened it: without a moderator it is not open yet.
    opened: bool,
    /// Why it was closed; empty where it was not.
    closed_for: String,
    moderators: BTreeMap<Pseudonym, String>,
    names: BTreeMap<Pseudonym, String>,
    posts: Vec<Post>,
    places: BTreeMap<ActId, usize>,
    undone: Vec<Undone>,
}

impl Room {
    /// What these acts come to, in whatever order they came; one that came twice counts once. `hospital` is the hospital's own
    /// pseudonym, as the room's description says.
    pub fn of(hospital: Pseudonym, acts: impl IntoIterator<Item = FeedAct>) -> Self {
        let (acts, read_to) = act::in_order(acts);
        Reading::new(hospital, &acts, read_to).room()
    }

    /// The last place of the feed before one that is missing, 0 where the first is: what a writer puts into [`FeedAct::seen`]. Nobody
    /// knows of anything beyond it.
    pub fn read_to(&self) -> u64 {
        self.read_to
    }

    /// Whether what is written now appears.
    pub fn is_open(&self) -> bool {
        self.opened && !self.moderators.is_empty()
    }

    /// Why the hospital closed it; empty where it did not.
    pub fn closed_for(&self) -> &str {
        &self.closed_for
    }

    /// Who looks after it by now, by the names that are shown.
    pub fn moderators(&self) -> &BTreeMap<Pseudonym, String> {
        &self.moderators
    }

    /// In what part somebody is there by now.
    pub fn role(&self, who: Pseudonym) -> RoomRole {
        if who == self.hospital {
            RoomRole::Hospital
        } else if self.moderators.contains_key(&who) {
            RoomRole::Moderator
        } else {
            RoomRole::Member
        }
    }

    /// The name that somebody is shown by; empty where they have none.
    pub fn name(&self, who: Pseudonym) -> &str {
        self.moderators.get(&who).or_else(|| self.names.get(&who)).map_or("", String::as_str)
    }

    /// Acts that do nothing, and why, in the order of the feed; names that went to a moderator among them. They are everybody's: a screen
    /// tells each author their own. The words of a refused edit are not here; its author's device keeps them.
    pub fn undone(&self) -> &[Undone] {
        &self.undone
    }

    /// The case that the author of a post begins with it, also where it is hidden or held. It takes along the newest text of that post
    /// and its id, and nothing else: no reply, no name of the room, no other post, nothing of the record. The case is not
    /// pseudonymous, for somebody has to answer, and by the id of the post who handles it finds the pseudonym and with it every other
    /// post of theirs in that room: the form says both. It begins with the ward not seeing who asks.
    ///
    /// # Errors
    /// [`RoomRefusal::Unknown`], [`RoomRefusal::NotYours`] for everybody but the author, [`RoomRefusal::Deleted`].
    pub fn case_of(&self, post: ActId, by: Pseudonym, kind: CaseKind) -> Result<CaseAct, RoomRefusal> {
        let found = self.post(post).ok_or(RoomRefusal::Unknown)?;
        if found.by != by {
            return Err(RoomRefusal::NotYours);
        }
        let text = found.newest().filter(|_| !found.deleted).ok_or(RoomRefusal::Deleted)?;
        Ok(CaseAct::Open {
            kind,
            about: post.to_string(),
            happened: text.to_owned(),
            help: String::new(),
            ward_blind: true,
        })
    }

    fn post(&self, id: ActId) -> Option<&Post> {
        self.places.get(&id).and_then(|at| self.posts.get(*at))
    }
}
