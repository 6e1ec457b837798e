//! The acts of a room read in the order of the feed.

use std::collections::BTreeMap;

use super::Room;
use super::act::{FeedAct, Label, Pseudonym, RoomAct, RoomRefusal, RoomRole, Undone};
use super::post::{Appeal, Flag, Hide, Labelled, Post, Text};
use crate::act::ActId;
use crate::folding::words;

pub(super) struct Reading<'a> {
    acts: &'a [FeedAct],
    room: Room,
    /// The post of each appeal.
    appealed: BTreeMap<ActId, ActId>,
    /// Posts with a text that is held.
    held: Vec<usize>,
    /// Who has a name, by what it is compared by.
    taken: BTreeMap<Vec<String>, Pseudonym>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(hospital: Pseudonym, acts: &'a [FeedAct]) -> Self {
        let room = Room {
            hospital,
            opened: false,
            closed_for: String::new(),
            moderators: BTreeMap::new(),
            names: BTreeMap::new(),
            posts: Vec::new(),
            places: BTreeMap::new(),
            undone: Vec::new(),
        };
        Self { acts, room, appealed: BTreeMap::new(), held: Vec::new(), taken: BTreeMap::new() }
    }

    pub(super) fn room(mut self) -> Room {
        for (at, act) in self.acts.iter().enumerate() {
            if let Err(why) = self.take(at, act) {
                self.room.undone.push(Undone { act: act.id, why });
            }
        }
        let mut room = self.room;
        for post in &mut room.posts {
            post.label = label(self.acts, post);
            post.changed = changed(self.acts, post);
        }
        room
    }

    fn take(&mut self, at: usize, act: &FeedAct) -> Result<(), RoomRefusal> {
        act.what.may(self.room.role(act.by))?;
        act.what.check()?;
        match &act.what {
            RoomAct::TakeName { name } => self.take_name(act.by, name),
            RoomAct::Post { answers, text } => {
                self.add(at, act, *answers, text);
                Ok(())
            }
            RoomAct::Edit { post, revision, text } => self.edit(at, act, *post, *revision, text),
            RoomAct::Delete { post } => self.delete(act, *post),
            RoomAct::Flag { post, reason } => self.flag(at, act, *post, reason),
            RoomAct::Keep { post } => self.keep(act, *post),
            RoomAct::Hide { post, reason } => {
                let hide = Hide { act: at, by: act.by, reason: reason.clone(), lifted: None };
                self.there(*post)?.hides.push(hide);
                Ok(())
            }
            RoomAct::Restore { post } => self.restore(at, act, *post),
            RoomAct::Appeal { post, words } => self.appeal(act, *post, words),
            RoomAct::Decide { appeal, restore, reason } => self.decide(at, act, *appeal, *restore, reason),
            RoomAct::Label { post, revision, label } => self.label(at, act, *post, *revision, *label),
            RoomAct::Appoint { moderator, name } => {
                self.appoint(*moderator, name);
                Ok(())
            }
            RoomAct::Relieve { moderator } => self.relieve(*moderator),
            RoomAct::Open => {
                self.room.opened = true;
                self.room.closed_for.clear();
                self.let_appear();
                Ok(())
            }
            RoomAct::Close { reason } => {
                self.room.opened = false;
                self.room.closed_for.clone_from(reason);
                Ok(())
            }
        }
    }

    /// A post that is there and not deleted.
    fn there(&mut self, post: ActId) -> Result<&mut Post, RoomRefusal> {
        let at = self.room.places.get(&post).copied().ok_or(RoomRefusal::Unknown)?;
        let post = self.room.posts.get_mut(at).ok_or(RoomRefusal::Unknown)?;
        if post.deleted { Err(RoomRefusal::Deleted) } else { Ok(post) }
    }

    fn own(&mut self, post: ActId, by: Pseudonym) -> Result<&mut Post, RoomRefusal> {
        let post = self.there(post)?;
        if post.by == by { Ok(post) } else { Err(RoomRefusal::NotYours) }
    }

    /// One that the moderator may judge.
    fn judged(&mut self, post: ActId, by: Pseudonym) -> Result<&mut Post, RoomRefusal> {
        // The hospital has nobody above it in a room, and its posts are looked after by its moderators and by itself.
        let hospital = self.room.role(by) == RoomRole::Hospital;
        let post = self.there(post)?;
        if post.by == by && !hospital { Err(RoomRefusal::OwnJudge) } else { Ok(post) }
    }

    fn take_name(&mut self, by: Pseudonym, name: &str) -> Result<(), RoomRefusal> {
        let sound = sound(name);
        if self.taken.get(&sound).is_some_and(|who| *who != by) {
            return Err(RoomRefusal::NameTaken);
        }
        if let Some(before) = self.room.names.insert(by, name.trim().to_owned()) {
            self.leave_name(by, &before);
        }
        self.taken.insert(sound, by);
        Ok(())
    }

    /// A name of theirs is free for others, unless they have it in another part as well.
    fn leave_name(&mut self, by: Pseudonym, name: &str) {
        let sound_left = sound(name);
        let still = [self.room.moderators.get(&by), self.room.names.get(&by)];
        if still.into_iter().flatten().all(|other| sound(other) != sound_left)
            && self.taken.get(&sound_left) == Some(&by)
        {
            self.taken.remove(&sound_left);
        }
    }

    /// A moderator's name is theirs alone: a member who had it has none until they take another.
    fn appoint(&mut self, moderator: Pseudonym, name: &str) {
        if let Some(before) = self.room.moderators.insert(moderator, name.trim().to_owned()) {
            self.leave_name(moderator, &before);
        }
        if let Some(other) = self.taken.insert(sound(name), moderator).filter(|other| *other != moderator) {
            let same = self.room.names.get(&other).is_some_and(|theirs| sound(theirs) == sound(name));
            if same {
                self.room.names.remove(&other);
            }
        }
        self.let_appear();
    }

    fn relieve(&mut self, moderator: Pseudonym) -> Result<(), RoomRefusal> {
        let name = self.room.moderators.remove(&moderator).ok_or(RoomRefusal::Unknown)?;
        self.leave_name(moderator, &name);
        Ok(())
    }

    fn let_appear(&mut self) {
        if !self.room.is_open() {
            return;
        }
        for at in self.held.drain(..) {
            if let Some(post) = self.room.posts.get_mut(at) {
                post.texts.iter_mut().filter(|text| !text.waits).for_each(|text| text.appeared = true);
            }
        }
    }

    fn text(&self, at: usize, act: &FeedAct, text: &str) -> Text {
        let waits = act.place.is_none();
        Text { act: at, words: text.to_owned(), appeared: self.room.is_open() && !waits, waits }
    }

    fn add(&mut self, at: usize, act: &FeedAct, answers: Option<ActId>, text: &str) {
        let text = self.text(at, act, text);
        let place = self.room.posts.len();
        if !text.appeared {
            self.held.push(place);
        }
        self.room.places.insert(act.id, place);
        self.room.posts.push(Post {
            id: act.id,
            by: act.by,
            by_hospital: act.by == self.room.hospital,
            at_ms: act.at_ms,
            answers,
            texts: vec![text],
            deleted: false,
            hides: Vec::new(),
            labels: Vec::new(),
            flags: Vec::new(),
            appeals: Vec::new(),
            changed: false,
            label: Label::default(),
        });
    }

    fn edit(
        &mut self,
        at: usize,
        act: &FeedAct,
        id: ActId,
        revision: u32,
        text: &str,
    ) -> Result<(), RoomRefusal> {
        let text = self.text(at, act, text);
        let appeared = text.appeared;
        let post = self.own(id, act.by)?;
        if post.revision().checked_add(1) != Some(revision) {
            return Err(RoomRefusal::Overtaken);
        }
        post.texts.push(text);
        if let (false, Some(place)) = (appeared, self.room.places.get(&id)) {
            self.held.push(*place);
        }
        Ok(())
    }

    /// The words go from everybody, moderators too: only the mark is left.
    fn delete(&mut self, act: &FeedAct, post: ActId) -> Result<(), RoomRefusal> {
        let post = self.own(post, act.by)?;
        post.deleted = true;
        post.texts.iter_mut().for_each(|text| text.words.clear());
        post.flags.clear();
        post.appeals.clear();
        Ok(())
    }

    fn flag(&mut self, at: usize, act: &FeedAct, post: ActId, reason: &str) -> Result<(), RoomRefusal> {
        let post = self.there(post)?;
        if post.by == act.by {
            return Err(RoomRefusal::OwnJudge);
        }
        if post.flags.iter().any(|flag| flag.by == act.by && !flag.kept) {
            return Err(RoomRefusal::Overtaken);
        }
        post.flags.push(Flag { act: at, by: act.by, reason: reason.to_owned(), kept: false });
        Ok(())
    }

    fn keep(&mut self, act: &FeedAct, post: ActId) -> Result<(), RoomRefusal> {
        let acts = self.acts;
        let post = self.judged(post, act.by)?;
        let known = |flag: &&mut Flag| acts.get(flag.act).is_some_and(|flagged| act.knew(flagged));
        post.flags.iter_mut().filter(known).for_each(|flag| flag.kept = true);
        Ok(())
    }

    fn restore(&mut self, at: usize, act: &FeedAct, post: ActId) -> Result<(), RoomRefusal> {
        let acts = self.acts;
        lift(acts, at, act, self.judged(post, act.by)?)
    }

    fn appeal(&mut self, act: &FeedAct, id: ActId, words: &str) -> Result<(), RoomRefusal> {
        let acts = self.acts;
        let knew = |at: usize| acts.get(at).is_some_and(|earlier| act.knew(earlier));
        let post = self.own(id, act.by)?;
        let appealed: Vec<usize> = post.appeals.iter().flat_map(|appeal| appeal.of.iter().copied()).collect();
        let hidden =
            |hide: &&Hide| knew(hide.act) && !hide.lifted.is_some_and(knew) && !appealed.contains(&hide.act);
        let of: Vec<usize> = post.hides.iter().filter(hidden).map(|hide| hide.act).collect();
        if of.is_empty() {
            return Err(RoomRefusal::NotHidden);
        }
        post.appeals.push(Appeal { id: act.id, words: words.to_owned(), of, decided: None });
        self.appealed.insert(act.id, id);
        Ok(())
    }

    fn decide(
        &mut self,
        at: usize,
        act: &FeedAct,
        id: ActId,
        restore: bool,
        reason: &str,
    ) -> Result<(), RoomRefusal> {
        let acts = self.acts;
        let hospital = self.room.role(act.by) == RoomRole::Hospital;
        let post = self.appealed.get(&id).copied().ok_or(RoomRefusal::Unknown)?;
        let post = self.judged(post, act.by)?;
        let appeal = post.appeals.iter_mut().find(|appeal| appeal.id == id).ok_or(RoomRefusal::Unknown)?;
        let own = post.hides.iter().any(|hide| hide.by == act.by && appeal.of.contains(&hide.act));
        if own && !hospital {
            return Err(RoomRefusal::OwnJudge);
        }
        if appeal.decided.is_some() {
            return Err(RoomRefusal::Overtaken);
        }
        appeal.decided = Some((restore, reason.to_owned()));
        // What somebody else has lifted meanwhile is lifted, and the decision is right.
        if restore { lift(acts, at, act, post).or(Ok(())) } else { Ok(()) }
    }

    fn label(
        &mut self,
        at: usize,
        act: &FeedAct,
        post: ActId,
        revision: u32,
        label: Label,
    ) -> Result<(), RoomRefusal> {
        let post = self.judged(post, act.by)?;
        if revision == 0 || revision > post.revision() {
            return Err(RoomRefusal::Unknown);
        }
        post.labels.push(Labelled { act: at, revision, label });
        Ok(())
    }
}

/// Lifts what somebody knew of who lifts: what they did not know of hides on.
fn lift(acts: &[FeedAct], at: usize, act: &FeedAct, post: &mut Post) -> Result<(), RoomRefusal> {
    let knew =
        |hide: &&mut Hide| hide.lifted.is_none() && acts.get(hide.act).is_some_and(|hidden| act.knew(hidden));
    let mut lifted = 0;
    for hide in post.hides.iter_mut().filter(knew) {
        hide.lifted = Some(at);
        lifted += 1;
    }
    if lifted == 0 { Err(RoomRefusal::Overtaken) } else { Ok(()) }
}

/// A text is reviewed where somebody has said so of that very text, in knowledge of everybody who said that it is not.
fn label(acts: &[FeedAct], post: &Post) -> Label {
    let Some((revision, _)) = post.shown() else { return Label::PersonalExperience };
    let of = |wanted: Label| {
        post.labels
            .iter()
            .filter(move |label| label.revision == revision && label.label == wanted)
            .filter_map(|label| acts.get(label.act))
    };
    let not: Vec<&FeedAct> = of(Label::PersonalExperience).collect();
    let own = post.by_hospital && not.is_empty();
    let reviewed = of(Label::HospitalReviewed).any(|label| not.iter().all(|other| label.knew(other)));
    if own || reviewed { Label::HospitalReviewed } else { Label::PersonalExperience }
}

fn changed(acts: &[FeedAct], post: &Post) -> bool {
    let Some(newest) = post.texts.last().and_then(|text| acts.get(text.act)) else { return false };
    let knew = |hide: &super::post::Hide| acts.get(hide.act).is_some_and(|hide| hide.knew(newest));
    !post.deleted && post.texts.len() > 1 && post.is_hidden() && !post.standing().any(knew)
}

/// What names are compared by; one of signs alone by itself.
fn sound(name: &str) -> Vec<String> {
    let words: Vec<String> = words(name).into_iter().map(|word| word.folded).collect();
    if words.is_empty() { vec![name.trim().to_owned()] } else { words }
}
