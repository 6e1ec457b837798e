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
    /// They appear when the room is open; or they are on their way. Seen by the author, and once they are in the feed by who moderates.
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
    /// The words.
    pub body: PostBody,
    /// The number of this text, from 1: above that it was edited. A label and the next edit name it.
    pub revision: u32,
    /// What the words are.
    pub label: Label,
    /// For its author: whether something of it has no place in the feed yet.
    pub waits: bool,
    /// Whether the reader has flagged it.
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
        let in_feed = post.texts.first().is_some_and(|text| !text.waits);
        if !appeared && (post.deleted || !(own || (moderates && in_feed))) {
            return None;
        }
        // The author sees what they wrote last, who moderates what is in the feed, and others what has appeared.
        let visible = |text: &super::post::Text| text.appeared || own || (moderates && !text.waits);
        let (revision, text) = (1_u32..).zip(&post.texts).filter(|(_, text)| visible(text)).last()?;
        let words = || text.words.clone();
        let body = if post.deleted {
            PostBody::Deleted
        } else if let Some(hide) = post.standing().next() {
            PostBody::Hidden { reason: hide.reason.clone(), text: (own || moderates).then(words) }
        } else if text.appeared {
            PostBody::Shown(words())
        } else {
            PostBody::Held(words())
        };
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
            label,
            waits: own && post.texts.iter().any(|text| text.waits),
            flagged: post.flags.iter().any(|flag| Some(flag.by) == reader),
            flags: if moderates {
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
    let hides = |hide: &super::post::Hide| appeal.of.contains(&hide.act);
    if !post.standing().any(hides) {
        return AppealState::Restored;
    }
    match appeal.decided {
        None => AppealState::Open,
        Some((true, _)) => AppealState::Restored,
        Some((false, _)) => AppealState::Refused,
    }
}
