//! The acts of a room read in the order of the feed.

use std::collections::{BTreeMap, BTreeSet};

use super::Room;
use super::act::{FeedAct, Label, MAX_REVISIONS, Pseudonym, RoomAct, RoomRefusal, RoomRole, Undone};
use super::post::{Appeal, Flag, Hide, Labelled, Post, Text};
use crate::act::ActId;
use crate::folding::words;

pub(super) struct Reading<'a> {
    acts: &'a [FeedAct],
    room: Room,
    /// The post of each appeal.
    appealed: BTreeMap<ActId, ActId>,
    /// Posts with a text that is held.
    held: BTreeSet<usize>,
    /// Who has a name, by what it is compared by.
    taken: BTreeMap<String, Pseudonym>,
    /// The act by which somebody has their name.
    named_by: BTreeMap<Pseudonym, ActId>,
    /// Posts that their authors have deleted before they came into the feed.
    deleted_early: BTreeSet<(ActId, Pseudonym)>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(hospital: Pseudonym, acts: &'a [FeedAct], read_to: u64) -> Self {
        let room = Room {
            hospital,
            read_to,
            opened: false,
            closed_for: String::new(),
            moderators: BTreeMap::new(),
            names: BTreeMap::new(),
            posts: Vec::new(),
            places: BTreeMap::new(),
            undone: Vec::new(),
        };
        Self {
            acts,
            room,
            appealed: BTreeMap::new(),
            held: BTreeSet::new(),
            taken: BTreeMap::new(),
            named_by: BTreeMap::new(),
            deleted_early: BTreeSet::new(),
        }
    }

    pub(super) fn room(mut self) -> Room {
        for (at, act) in self.acts.iter().enumerate() {
            match self.take(at, act) {
                Err(why) => self.room.undone.push(Undone { act: act.id, why }),
                Ok(()) if act.place.is_none() => self.wait_for(act),
                Ok(()) => {}
            }
        }
        let mut room = self.room;
        for post in &mut room.posts {
            post.label = label(self.acts, post);
            post.changed = changed(self.acts, post);
            post.reason = reason(self.acts, post);
        }
        room
    }

    fn take(&mut self, at: usize, act: &FeedAct) -> Result<(), RoomRefusal> {
        act.what.may(self.room.role(act.by))?;
        match act.what.check() {
            Err(RoomRefusal::NoWords) if act.left_out => {}
            checked => checked?,
        }
        match &act.what {
            RoomAct::TakeName { name } => self.take_name(act, name),
            RoomAct::Post { answers, text } => {
                self.add(at, act, *answers, text);
                Ok(())
            }
            RoomAct::Edit { post, revision, text } => self.edit(at, act, *post, *revision, text),
            RoomAct::Delete { post } => self.delete(act, *post),
            RoomAct::Withheld => Ok(()),
            RoomAct::Flag { post, reason } => self.flag(at, act, *post, reason),
            RoomAct::Keep { post } => self.keep(at, act, *post),
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

    /// Notes that something of a post has no place in the feed yet.
    fn wait_for(&mut self, act: &FeedAct) {
        let post = self.post_of(act).and_then(|post| self.room.places.get(&post).copied());
        if let Some(post) = post.and_then(|at| self.room.posts.get_mut(at)) {
            post.waits_for.insert(act.by);
        }
    }

    /// The post that an act is about.
    fn post_of(&self, act: &FeedAct) -> Option<ActId> {
        match &act.what {
            RoomAct::Decide { appeal, .. } => self.appealed.get(appeal).copied(),
            _ => act.post(),
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

    fn take_name(&mut self, act: &FeedAct, name: &str) -> Result<(), RoomRefusal> {
        let sound = sound(name);
        if self.taken.get(&sound).is_some_and(|who| *who != act.by) {
            return Err(RoomRefusal::NameTaken);
        }
        if let Some(before) = self.room.names.insert(act.by, name.trim().to_owned()) {
            self.leave_name(act.by, &before);
        }
        self.taken.insert(sound, act.by);
        self.named_by.insert(act.by, act.id);
        Ok(())
    }

    /// A name of theirs is free for others, unless they have it in another part as well, or another moderator has the same.
    fn leave_name(&mut self, by: Pseudonym, name: &str) {
        let left = sound(name);
        let still = [self.room.moderators.get(&by), self.room.names.get(&by)];
        if still.into_iter().flatten().any(|other| sound(other) == left) || self.taken.get(&left) != Some(&by)
        {
            return;
        }
        self.taken.remove(&left);
        let same = self.room.moderators.iter().find(|(_, other)| sound(other) == left);
        if let Some((other, _)) = same {
            self.taken.insert(left, *other);
        }
    }

    /// A moderator's name is theirs alone: a member who had it has none until they take another, and is told.
    fn appoint(&mut self, moderator: Pseudonym, name: &str) {
        if let Some(before) = self.room.moderators.insert(moderator, name.trim().to_owned()) {
            self.leave_name(moderator, &before);
        }
        if let Some(other) = self.taken.insert(sound(name), moderator).filter(|other| *other != moderator) {
            let same = self.room.names.get(&other).is_some_and(|theirs| sound(theirs) == sound(name));
            if same {
                self.room.names.remove(&other);
                let told = self.named_by.remove(&other);
                self.room.undone.extend(told.map(|act| Undone { act, why: RoomRefusal::NameTaken }));
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
        for at in std::mem::take(&mut self.held) {
            if let Some(post) = self.room.posts.get_mut(at) {
                post.texts.iter_mut().filter(|text| !text.waits).for_each(|text| text.appeared = true);
                post.leave_words();
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
            self.held.insert(place);
        }
        self.room.places.insert(act.id, place);
        let deleted = self.deleted_early.contains(&(act.id, act.by));
        let mut post = Post {
            id: act.id,
            by: act.by,
            by_hospital: act.by == self.room.hospital,
            at_ms: act.at_ms,
            answers,
            texts: vec![text],
            deleted,
            hides: Vec::new(),
            labels: Vec::new(),
            flags: Vec::new(),
            appeals: Vec::new(),
            changed: false,
            label: Label::default(),
            kept: Vec::new(),
            reason: String::new(),
            waits_for: BTreeSet::new(),
        };
        if deleted {
            post.texts.iter_mut().for_each(|text| text.words.clear());
        }
        self.room.posts.push(post);
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
        if revision > MAX_REVISIONS {
            return Err(RoomRefusal::TooMany);
        }
        post.texts.push(text);
        post.leave_words();
        if let (false, Some(place)) = (appeared, self.room.places.get(&id)) {
            self.held.insert(*place);
        }
        Ok(())
    }

    /// The words go from everybody, moderators too: only the mark is left. Where an author's device publishes it before the post that
    /// another of theirs still has, the post begins deleted.
    fn delete(&mut self, act: &FeedAct, post: ActId) -> Result<(), RoomRefusal> {
        if !self.room.places.contains_key(&post) {
            self.deleted_early.insert((post, act.by));
            return Ok(());
        }
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
            return Err(RoomRefusal::Already);
        }
        post.flags.push(Flag { act: at, by: act.by, reason: reason.to_owned(), kept: false });
        Ok(())
    }

    fn keep(&mut self, at: usize, act: &FeedAct, post: ActId) -> Result<(), RoomRefusal> {
        let acts = self.acts;
        let post = self.judged(post, act.by)?;
        let known = |flag: &&mut Flag| acts.get(flag.act).is_some_and(|flagged| act.knew(flagged));
        post.flags.iter_mut().filter(known).for_each(|flag| flag.kept = true);
        post.kept.push(at);
        Ok(())
    }

    fn restore(&mut self, at: usize, act: &FeedAct, post: ActId) -> Result<(), RoomRefusal> {
        let acts = self.acts;
        lift(acts, at, act, self.judged(post, act.by)?, &[])
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
        // Who names an appeal knows of it and of what it is about. What somebody else has lifted meanwhile is lifted, and the decision
        // is right.
        let of = appeal.of.clone();
        if restore { lift(acts, at, act, post, &of).or(Ok(())) } else { Ok(()) }
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

/// Lifts what somebody knew of who lifts, and what they were asked about: what they did not know of hides on.
fn lift(
    acts: &[FeedAct],
    at: usize,
    act: &FeedAct,
    post: &mut Post,
    of: &[usize],
) -> Result<(), RoomRefusal> {
    let knew = |hide: &&mut Hide| {
        of.contains(&hide.act) || acts.get(hide.act).is_some_and(|hidden| act.knew(hidden))
    };
    let (mut known, mut lifted) = (0, 0);
    for hide in post.hides.iter_mut().filter(knew) {
        known += 1;
        if hide.lifted.is_none() {
            hide.lifted = Some(at);
            lifted += 1;
        }
    }
    match (known, lifted) {
        (0, _) => Err(RoomRefusal::NotHidden),
        (_, 0) => Err(RoomRefusal::Overtaken),
        _ => Ok(()),
    }
}

/// Why it is hidden: of those who looked at it last the first, for that one is told to everybody who has seen the post since.
fn reason(acts: &[FeedAct], post: &Post) -> String {
    let knew = |later: &Hide, earlier: &Hide| match (acts.get(later.act), acts.get(earlier.act)) {
        (Some(later), Some(earlier)) => later.knew(earlier),
        _ => false,
    };
    let newest = post.standing().find(|hide| !post.standing().any(|later| knew(later, hide)));
    newest.map(|hide| hide.reason.clone()).unwrap_or_default()
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
    let knew = |at: usize| acts.get(at).is_some_and(|act| act.knew(newest));
    let looked = post.standing().any(|hide| knew(hide.act)) || post.kept.iter().any(|kept| knew(*kept));
    !post.deleted && post.texts.len() > 1 && post.is_hidden() && !looked
}

/// What names are compared by: letters without case and marks, in one row.
fn sound(name: &str) -> String {
    let mut letters: Vec<char> = words(name).iter().flat_map(|word| word.folded.chars()).collect();
    letters.dedup();
    letters.into_iter().collect()
}
