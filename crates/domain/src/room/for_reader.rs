//! What of a feed is for whom: the hospital's agent sends each reader this, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::act::{FeedAct, Pseudonym, RoomAct, RoomRefusal, RoomRole, in_order};
use super::post::Post;
use super::reading::Reading;
use super::{Room, Undone};
use crate::act::ActId;

/// The feed as one reader has it; `None` is somebody without a pseudonym. It has the same places, so that nothing is missing; but what
/// is not for this reader is [`RoomAct::Withheld`], or has its words left out. A room made of it shows this reader the same.
///
/// Words are sent that the reader sees: others' as they are shown now, own ones, and to who moderates what is held and hidden. Flags go
/// to who moderates and to who made them, what is held to its author and to who moderates, and the words of a deleted post to nobody.
/// What is for somebody changes as the feed goes on: whoever keeps it puts what comes later for a place in the place of what was there.
pub fn for_reader(hospital: Pseudonym, feed: &[FeedAct], reader: Option<Pseudonym>) -> Vec<FeedAct> {
    let (acts, read_to) = in_order(feed.iter().filter(|act| act.place.is_some()).cloned());
    let room = Reading::new(hospital, &acts, read_to).room();
    let sending = Sending::new(&room, reader);
    acts.iter().enumerate().map(|(at, act)| sending.one(at, act)).collect()
}

struct Sending<'a> {
    room: &'a Room,
    reader: Option<Pseudonym>,
    /// Whether the reader looks after the room by now.
    moderates: bool,
    /// Acts that do nothing.
    undone: BTreeSet<ActId>,
    /// The post of each appeal.
    appealed: BTreeMap<ActId, ActId>,
}

impl<'a> Sending<'a> {
    fn new(room: &'a Room, reader: Option<Pseudonym>) -> Self {
        // Whoever lost a name to a moderator had it until then.
        let nothing = |undone: &&Undone| undone.why != RoomRefusal::NameTaken;
        let of = |post: &'a Post| post.appeals.iter().map(|appeal| (appeal.id, post.id));
        Self {
            room,
            reader,
            moderates: reader.is_some_and(|reader| room.role(reader) != RoomRole::Member),
            undone: room.undone().iter().filter(nothing).map(|undone| undone.act).collect(),
            appealed: room.posts.iter().flat_map(of).collect(),
        }
    }

    fn one(&self, at: usize, act: &FeedAct) -> FeedAct {
        let own = self.reader == Some(act.by);
        let post = match &act.what {
            RoomAct::TakeName { .. }
            | RoomAct::Appoint { .. }
            | RoomAct::Relieve { .. }
            | RoomAct::Open
            | RoomAct::Close { .. }
            | RoomAct::Withheld => {
                let hidden = self.undone.contains(&act.id) && !own;
                return if hidden { act.clone().withheld() } else { act.clone() };
            }
            RoomAct::Decide { appeal, .. } => self.appealed.get(appeal).copied(),
            _ => act.post(),
        };
        let post = post.and_then(|post| self.room.post(post));
        if own {
            // What somebody wrote about a deleted post is gone from their own devices as well.
            let gone = post.is_some_and(|post| post.deleted) || (post.is_none() && act.post().is_none());
            return if gone { act.clone().without_words() } else { act.clone() };
        }
        match post.filter(|_| !self.undone.contains(&act.id)) {
            Some(post) if post.deleted => self.of_deleted(post, act),
            Some(post) if post.has_appeared() || self.moderates || self.reader == Some(post.by) => {
                self.of_post(post, at, act)
            }
            _ => act.clone().withheld(),
        }
    }

    /// The mark of a deleted post, where others have seen it.
    fn of_deleted(&self, post: &Post, act: &FeedAct) -> FeedAct {
        let mark = matches!(act.what, RoomAct::Post { .. } | RoomAct::Edit { .. } | RoomAct::Delete { .. });
        if post.has_appeared() && (mark || self.moderates) {
            act.clone().without_words()
        } else {
            act.clone().withheld()
        }
    }

    fn of_post(&self, post: &Post, at: usize, act: &FeedAct) -> FeedAct {
        let author = self.reader == Some(post.by);
        let flagged = || post.flags.iter().any(|flag| Some(flag.by) == self.reader);
        let restored = || post.appeals.iter().any(|appeal| matches!(appeal.decided, Some((true, _))));
        let (sent, words) = match &act.what {
            RoomAct::Post { .. } | RoomAct::Edit { .. } => self.of_text(post, at),
            RoomAct::Flag { .. } => {
                let judges = self.moderates && (!author || self.reader == Some(self.room.hospital));
                (judges, judges)
            }
            RoomAct::Keep { .. } => (self.moderates || flagged(), true),
            // Where an appeal shows a post again, everybody has to read that; but not what was said of it.
            RoomAct::Appeal { .. } | RoomAct::Decide { .. } => {
                (author || self.moderates || restored(), author || self.moderates)
            }
            _ => (true, true),
        };
        match (sent, words) {
            (true, true) => act.clone(),
            (true, false) => act.clone().without_words(),
            (false, _) => act.clone().withheld(),
        }
    }

    /// Whether a text of somebody else is sent, and whether its words are.
    fn of_text(&self, post: &Post, at: usize) -> (bool, bool) {
        let is = |found: Option<(u32, &super::post::Text)>| found.is_some_and(|(_, text)| text.act == at);
        let appeared = post.texts.iter().any(|text| text.act == at && text.appeared);
        let shown = is(post.shown()) && (self.moderates || !post.is_hidden());
        let held = self.moderates && is(post.held(false));
        (appeared || self.moderates, shown || held)
    }
}
