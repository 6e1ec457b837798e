//! What one reader sees of a room.

use serde::{Deserialize, Serialize};

use super::Room;
use super::act::{Label, Pseudonym, RoomRole};
use super::post::{Appeal, Post};
use crate::act::ActId;

/// Where an appeal has got to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppealState {
    /// Nobody has decided.
    Open,
    /// What it is about hides the post no more.
    Restored,
    /// The post stays hidden.
    Refused,
}

/// An appeal, for the author and for moderators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppealView {
    /// Its id.
    pub id: ActId,
    /// The author's words.
    pub words: String,
    /// Where it has got to.
    pub state: AppealState,
    /// The reason of the decision; empty where there is none.
    pub reason: String,
}

/// What is seen of the words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostBody {
    /// They are there for everybody.
    Shown(String),
    /// None of it has appeared: it does when the room is open; or it is on its way. Seen by the author, and once it is in the feed by
    /// who moderates.
    Held(String),
    /// A moderator has hidden them.
    Hidden {
        /// Why.
        reason: String,
        /// The words, for the author and for who moderates.
        text: Option<String>,
    },
    /// The author has taken them back.
    Deleted,
}

/// A text that others do not see yet: an edit of what they do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldText {
    /// Its number.
    pub revision: u32,
    /// The words.
    pub text: String,
}

/// One post as one reader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostView {
    /// Its id.
    pub id: ActId,
    /// Whose it is.
    pub by: Pseudonym,
    /// The name that they are shown by; empty where they have none.
    pub name: String,
    /// In what part they are in the room by now.
    pub role: RoomRole,
    /// When it was written, by its author's clock, ms since the epoch.
    pub at_ms: i64,
    /// What it replies to: that may be deleted, hidden or not there yet.
    pub answers: Option<ActId>,
    /// The words, as others see them.
    pub body: PostBody,
    /// The number of the text in `body`, from 1: above that it was edited. A label names it.
    pub revision: u32,
    /// For the author and who moderates: the newest text, where others do not see it yet. What the author edits next is one more than
    /// this one's number, or than `revision` where there is none.
    pub held: Option<HeldText>,
    /// What the words are.
    pub label: Label,
    /// Whether something that the reader did to it has no place in the feed yet: others do not know of it.
    pub waits: bool,
    /// Whether the reader has flagged it, and nobody has looked since.
    pub flagged: bool,
    /// For who moderates: why others want somebody to look.
    pub flags: Vec<String>,
    /// For who moderates: its text was changed since it was hidden.
    pub changed: bool,
    /// For the author and who moderates: the newest appeal.
    pub appeal: Option<AppealView>,
}

/// Why a moderator looks at a post. The most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookAt {
    /// Somebody has flagged it.
    Flagged,
    /// Its author does not agree that it is hidden.
    Appealed,
    /// It was changed since it was hidden.
    Changed,
}

impl Room {
    /// The posts in the order of the feed, as a reader sees them; `None` is somebody without a pseudonym.
    pub fn seen_by(&self, reader: Option<Pseudonym>) -> Vec<PostView> {
        self.posts.iter().filter_map(|post| self.view(post, reader)).collect()
    }

    /// What asks for a moderator, by urgency and then in the order of the feed. `who` is not asked about their own posts, nor about an
    /// appeal against their own hiding.
    pub fn to_look_at(&self, who: Pseudonym) -> Vec<(LookAt, ActId)> {
        let role = self.role(who);
        if role == RoomRole::Member {
            return Vec::new();
        }
        let hospital = role == RoomRole::Hospital;
        let appealed = |post: &Post| {
            let own = |appeal: &Appeal| {
                post.hides.iter().any(|hide| hide.by == who && appeal.of.contains(&hide.act))
            };
            post.appeals
                .iter()
                .any(|appeal| state(post, appeal) == AppealState::Open && (hospital || !own(appeal)))
        };
        let mut found: Vec<(LookAt, usize, ActId)> = Vec::new();
        for (at, post) in self.posts.iter().enumerate().filter(|(_, post)| !post.deleted) {
            if post.by == who && !hospital {
                continue;
            }
            let reasons = [
                (LookAt::Flagged, post.open_flags().next().is_some()),
                (LookAt::Appealed, appealed(post)),
                (LookAt::Changed, post.changed),
            ];
            found.extend(reasons.into_iter().filter(|(_, is)| *is).map(|(look, _)| (look, at, post.id)));
        }
        found.sort_unstable();
        found.into_iter().map(|(look, _, post)| (look, post)).collect()
    }

    fn view(&self, post: &Post, reader: Option<Pseudonym>) -> Option<PostView> {
        let own = reader == Some(post.by);
        let moderates = reader.is_some_and(|reader| self.role(reader) != RoomRole::Member);
        let appeared = post.has_appeared();
        // The author has what waits as well; who moderates, what is in the feed.
        let held = if own || moderates { post.held(own) } else { None };
        if !appeared && (post.deleted || held.is_none()) {
            return None;
        }
        let (revision, text) = post.shown().or(held)?;
        let words = || text.words.clone();
        let body = if post.deleted {
            PostBody::Deleted
        } else if post.is_hidden() {
            PostBody::Hidden { reason: post.reason.clone(), text: (own || moderates).then(words) }
        } else if text.appeared {
            PostBody::Shown(words())
        } else {
            PostBody::Held(words())
        };
        let held = held.filter(|(newer, _)| !post.deleted && *newer != revision);
        // What nobody reads is nothing, and what is held has not been looked at.
        let shown = matches!(body, PostBody::Shown(_));
        let label = if shown { post.label } else { Label::PersonalExperience };
        let appeal = post.appeals.last().filter(|_| own || moderates).map(|appeal| AppealView {
            id: appeal.id,
            words: appeal.words.clone(),
            state: state(post, appeal),
            reason: appeal.decided.as_ref().map(|(_, reason)| reason.clone()).unwrap_or_default(),
        });
        Some(PostView {
            id: post.id,
            by: post.by,
            name: self.name(post.by).to_owned(),
            role: self.role(post.by),
            at_ms: post.at_ms,
            answers: post.answers,
            body,
            revision,
            held: held.map(|(revision, text)| HeldText { revision, text: text.words.clone() }),
            label,
            waits: reader.is_some_and(|reader| post.waits_for.contains(&reader)),
            flagged: post.flags.iter().any(|flag| Some(flag.by) == reader && !flag.kept),
            // A moderator is no judge of an own post, and is not told who wants one.
            flags: if moderates && (!own || reader == Some(self.hospital)) {
                post.open_flags().map(|flag| flag.reason.clone()).collect()
            } else {
                Vec::new()
            },
            changed: moderates && post.changed,
            appeal,
        })
    }
}

/// A hide that is lifted is lifted, whatever was decided.
fn state(post: &Post, appeal: &Appeal) -> AppealState {
    if !post.standing().any(|hide| appeal.of.contains(&hide.act)) {
        AppealState::Restored
    } else if appeal.decided.is_none() {
        AppealState::Open
    } else {
        AppealState::Refused
    }
}
