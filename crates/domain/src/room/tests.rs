//! Who may do what in a room, what is held and what appears, and what others see.

mod crossing;
mod names;
mod places;
mod readers;

use super::*;
use crate::validate::MAX_TEXT_BYTES;
use RoomAct as A;

pub(super) const HOSPITAL: Pseudonym = Pseudonym::from_bytes([1; 16]);
pub(super) const DEWI: Pseudonym = Pseudonym::from_bytes([2; 16]);
pub(super) const EKO: Pseudonym = Pseudonym::from_bytes([3; 16]);
pub(super) const ANI: Pseudonym = Pseudonym::from_bytes([4; 16]);
pub(super) const BUDI: Pseudonym = Pseudonym::from_bytes([5; 16]);

/// A feed as the hospital's agent makes it.
#[derive(Clone, Default)]
pub(super) struct Feed {
    pub(super) acts: Vec<FeedAct>,
}

impl Feed {
    /// A room that is open, with two moderators.
    fn open() -> Self {
        let mut feed = Self::default();
        feed.put(HOSPITAL, A::Open);
        feed.put(HOSPITAL, A::Appoint { moderator: DEWI, name: "Dewi".into() });
        feed.put(HOSPITAL, A::Appoint { moderator: EKO, name: "Eko".into() });
        feed
    }

    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.acts.len()).expect("few")
    }

    /// By somebody who had read up to `seen`.
    fn put_seen(&mut self, by: Pseudonym, seen: u64, what: A) -> ActId {
        let place = self.len() + 1;
        let mut id = [0; 16];
        // Ids are in no order of the feed.
        id[..4].copy_from_slice(&u32::try_from(place).expect("few").wrapping_mul(0x9e37_79b9).to_be_bytes());
        let id = ActId::from_bytes(id);
        let place = Some(place);
        self.acts.push(FeedAct { id, by, place, seen, after: vec![], at_ms: 0, what, left_out: false });
        id
    }

    /// By somebody who had read everything.
    fn put(&mut self, by: Pseudonym, what: A) -> ActId {
        self.put_seen(by, self.len(), what)
    }

    fn post(&mut self, by: Pseudonym, text: &str) -> ActId {
        self.put(by, A::Post { answers: None, text: text.into() })
    }

    /// What it comes to, which is the same in every order of arrival.
    fn room(&self) -> Room {
        let room = Room::of(HOSPITAL, self.acts.clone());
        for first in 0..self.acts.len() {
            let mut other: Vec<_> =
                self.acts.iter().cycle().skip(first).take(self.acts.len()).cloned().collect();
            assert_eq!(Room::of(HOSPITAL, other.clone()), room, "another order of arrival");
            other.reverse();
            other.push(self.acts[first].clone());
            assert_eq!(Room::of(HOSPITAL, other), room, "the other way round, and one twice");
        }
        room
    }

    fn seen(&self, post: ActId, by: Pseudonym) -> PostView {
        self.room().seen_by(Some(by)).into_iter().find(|view| view.id == post).expect("it is seen")
    }

    fn why(&self, act: ActId) -> Option<RoomRefusal> {
        self.room().undone().iter().find(|undone| undone.act == act).map(|undone| undone.why)
    }
}

fn held(revision: u32, text: &str) -> HeldText {
    HeldText { revision, text: text.into() }
}

fn text() -> String {
    "because".into()
}

/// What went before: a post, one that Dewi has hidden, and one against whose hiding its author appeals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Shown,
    Hidden,
    Appealed,
}

use Before::{Appealed, Hidden, Shown};

/// What went before, in a feed; and the post and the appeal.
fn begun(before: Before) -> (Feed, ActId, ActId) {
    let mut feed = Feed::open();
    let post = feed.post(ANI, "old");
    let mut appeal = post;
    if before != Shown {
        feed.put(DEWI, A::Hide { post, reason: "an address".into() });
    }
    if before == Appealed {
        appeal = feed.put(ANI, A::Appeal { post, words: text() });
    }
    (feed, post, appeal)
}

#[test]
fn what_is_written_without_a_moderator_appears_when_one_is_named() {
    let mut feed = Feed::default();
    let early = feed.post(ANI, "before it was opened");
    feed.put(HOSPITAL, A::Open);
    assert!(!feed.room().is_open(), "nobody looks after it");
    let post = feed.post(ANI, "old");
    assert_eq!(feed.room().seen_by(Some(BUDI)), [], "held");
    assert_eq!(feed.seen(post, ANI).body, PostBody::Held("old".into()), "its author sees that it is held");
    assert_eq!(feed.seen(post, HOSPITAL).body, PostBody::Held("old".into()), "and so does the hospital");
    feed.put(HOSPITAL, A::Appoint { moderator: DEWI, name: "Dewi".into() });
    assert_eq!(feed.seen(post, BUDI).body, PostBody::Shown("old".into()), "named: it appears");
    assert_eq!(feed.seen(early, BUDI).body, PostBody::Shown("before it was opened".into()), "all do");
    feed.put(HOSPITAL, A::Relieve { moderator: DEWI });
    assert_eq!(feed.seen(post, BUDI).body, PostBody::Shown("old".into()), "what has appeared stays");
    feed.put(ANI, A::Edit { post, revision: 2, text: "new".into() });
    let reply = feed.put(BUDI, A::Post { answers: Some(post), text: "a reply".into() });
    assert_eq!(feed.seen(post, BUDI).body, PostBody::Shown("old".into()), "an edit is held as a post is");
    let (by_author, by_hospital) = (feed.seen(post, ANI), feed.seen(post, HOSPITAL));
    assert_eq!(by_author.held, Some(held(2, "new")), "its author is told so");
    assert_eq!(
        (by_author.body, by_author.revision),
        (PostBody::Shown("old".into()), 1),
        "and what others see"
    );
    assert_eq!(by_hospital.held, Some(held(2, "new")), "who moderates sees both");
    assert_eq!(by_hospital.body, PostBody::Shown("old".into()), "for it is the shown one that is judged");
    assert_eq!(feed.seen(post, BUDI).held, None, "others see one");
    assert_eq!(feed.room().seen_by(None).len(), 2, "a reply as well");
    feed.put(HOSPITAL, A::Close { reason: "until Monday".into() });
    feed.put(HOSPITAL, A::Appoint { moderator: EKO, name: "Eko".into() });
    assert_eq!(feed.room().closed_for(), "until Monday", "closed");
    assert_eq!(feed.seen(post, BUDI).body, PostBody::Shown("old".into()), "closed is not open");
    feed.put(HOSPITAL, A::Open);
    assert_eq!(feed.seen(post, BUDI).body, PostBody::Shown("new".into()), "now it appears");
    assert_eq!(feed.seen(reply, ANI).body, PostBody::Shown("a reply".into()), "and the reply");
    feed.put(HOSPITAL, A::Close { reason: text() });
    feed.put(ANI, A::Delete { post });
    assert_eq!(feed.seen(post, BUDI).body, PostBody::Deleted, "deletion is never held");
    let never = feed.post(ANI, "never seen");
    feed.put(ANI, A::Delete { post: never });
    assert!(feed.room().seen_by(None).iter().all(|view| view.id != never), "nothing is left of it");
}

#[test]
fn position_in_the_feed_decides_who_moderates() {
    let (mut feed, post, _) = begun(Shown);
    let seen = feed.len();
    feed.put(HOSPITAL, A::Relieve { moderator: DEWI });
    let late = feed.put_seen(DEWI, seen, A::Hide { post, reason: text() });
    assert_eq!(feed.why(late), Some(RoomRefusal::NotModerator), "she had not heard of it: it is over");
    let early = feed.put(BUDI, A::Hide { post, reason: text() });
    feed.put(HOSPITAL, A::Appoint { moderator: BUDI, name: "Budi".into() });
    assert_eq!(feed.why(early), Some(RoomRefusal::NotModerator), "naming him now makes nothing good");
    assert_eq!(feed.seen(post, ANI).body, PostBody::Shown("old".into()), "nobody has hidden it");
}

#[test]
fn everybody_does_only_what_is_theirs() {
    let (mut feed, post, _) = begun(Shown);
    let by_dewi = feed.post(DEWI, "mine");
    let hide = A::Hide { post, reason: text() };
    let label = |post| A::Label { post, revision: 1, label: Label::HospitalReviewed };
    let appoint = A::Appoint { moderator: BUDI, name: "Budi".into() };
    let wrong = [
        (BUDI, A::Edit { post, revision: 2, text: text() }, RoomRefusal::NotYours),
        (DEWI, A::Edit { post, revision: 2, text: text() }, RoomRefusal::NotYours),
        (HOSPITAL, A::Delete { post }, RoomRefusal::NotYours),
        (BUDI, hide, RoomRefusal::NotModerator),
        (ANI, label(post), RoomRefusal::NotModerator),
        (DEWI, label(by_dewi), RoomRefusal::OwnJudge),
        (DEWI, A::Keep { post: by_dewi }, RoomRefusal::OwnJudge),
        (DEWI, appoint, RoomRefusal::NotHospital),
        (DEWI, A::Close { reason: text() }, RoomRefusal::NotHospital),
        (HOSPITAL, A::Relieve { moderator: BUDI }, RoomRefusal::Unknown),
        (ANI, A::Flag { post, reason: text() }, RoomRefusal::OwnJudge),
        (ANI, A::Appeal { post, words: text() }, RoomRefusal::NotHidden),
        (EKO, A::Restore { post }, RoomRefusal::NotHidden),
        (EKO, A::Decide { appeal: post, restore: true, reason: text() }, RoomRefusal::Unknown),
        (EKO, A::Label { post, revision: 2, label: Label::HospitalReviewed }, RoomRefusal::Unknown),
        (BUDI, A::Flag { post: ActId::from_bytes([9; 16]), reason: text() }, RoomRefusal::Unknown),
        (BUDI, A::Post { answers: None, text: " ".into() }, RoomRefusal::NoWords),
        (BUDI, A::Post { answers: None, text: "x".repeat(MAX_TEXT_BYTES + 1) }, RoomRefusal::TooLong),
        (BUDI, A::Post { answers: None, text: "\u{200b}\u{3164}\n".into() }, RoomRefusal::NoWords),
        (DEWI, A::Hide { post, reason: String::new() }, RoomRefusal::NoWords),
        (BUDI, A::TakeName { name: "x".repeat(MAX_NAME_BYTES + 1) }, RoomRefusal::TooLong),
        (BUDI, A::TakeName { name: "DÉWI".into() }, RoomRefusal::NameTaken),
    ];
    let before = feed.room().seen_by(Some(BUDI));
    for (by, what, why) in wrong {
        let act = feed.put(by, what.clone());
        assert_eq!(feed.why(act), Some(why), "{what:?}");
    }
    assert_eq!(feed.room().seen_by(Some(BUDI)), before, "none of them did anything");
    let longest = A::Post { answers: None, text: "x".repeat(MAX_TEXT_BYTES) };
    assert_eq!(longest.check(), Ok(()), "so much may be written");
}

#[test]
fn a_hidden_post_is_judged_by_somebody_else_and_its_author_knows_why() {
    let (mut feed, post, appeal) = begun(Appealed);
    let seen = feed.seen(post, ANI);
    let hidden =
        |text: Option<&str>| PostBody::Hidden { reason: "an address".into(), text: text.map(Into::into) };
    assert_eq!(seen.body, hidden(Some("old")), "she sees her words, and why");
    assert_eq!(feed.seen(post, EKO).body, hidden(Some("old")), "who moderates does");
    assert_eq!(feed.seen(post, BUDI).body, hidden(None), "others see why");
    assert_eq!(feed.seen(post, BUDI).appeal, None, "and nothing of the appeal");
    assert_eq!(feed.room().to_look_at(DEWI), [], "Dewi hid it: she is not asked");
    assert_eq!(feed.room().to_look_at(EKO), [(LookAt::Appealed, post)], "Eko is");
    assert_eq!(feed.room().to_look_at(BUDI), [], "a member is asked nothing");
    let own = feed.put(DEWI, A::Decide { appeal, restore: false, reason: text() });
    assert_eq!(feed.why(own), Some(RoomRefusal::OwnJudge), "nobody judges their own hiding");
    feed.put(EKO, A::Decide { appeal, restore: true, reason: "no address in it".into() });
    assert_eq!(feed.seen(post, BUDI).body, PostBody::Shown("old".into()), "shown again");
    feed.put(EKO, A::Hide { post, reason: "another reason".into() });
    let again = feed.put(ANI, A::Appeal { post, words: text() });
    assert_eq!(feed.room().to_look_at(DEWI), [(LookAt::Appealed, post)], "another hiding, another appeal");
    feed.put(DEWI, A::Decide { appeal: again, restore: false, reason: "it is one".into() });
    let third = feed.put(ANI, A::Appeal { post, words: text() });
    assert_eq!(feed.why(third), Some(RoomRefusal::NotHidden), "one for each hiding");
    feed.put(ANI, A::Edit { post, revision: 2, text: "without it".into() });
    assert_eq!(feed.room().to_look_at(EKO), [(LookAt::Changed, post)], "but who mends it is looked at");
}

#[test]
fn a_decision_lifts_what_the_appeal_is_about_however_little_its_author_had_read() {
    let (mut feed, post, appeal) = begun(Appealed);
    feed.put_seen(EKO, 0, A::Decide { appeal, restore: true, reason: "no address in it".into() });
    let view = feed.seen(post, ANI);
    assert_eq!(view.body, PostBody::Shown("old".into()), "who names the appeal knows what it is about");
    assert_eq!(view.appeal.map(|appeal| appeal.state), Some(AppealState::Restored), "and so it says");
}

#[test]
fn who_looked_again_gives_the_reason_that_is_told_or_lets_it_be() {
    let (mut feed, post, _) = begun(Hidden);
    feed.put(ANI, A::Edit { post, revision: 2, text: "new".into() });
    assert_eq!(feed.room().to_look_at(EKO), [(LookAt::Changed, post)], "somebody has to look");
    feed.put(EKO, A::Hide { post, reason: "a price".into() });
    let reason = |feed: &Feed| match feed.seen(post, ANI).body {
        PostBody::Hidden { reason, .. } => reason,
        other => panic!("it is hidden: {other:?}"),
    };
    assert_eq!(reason(&feed), "a price", "the newer one, for its author knew of the first");
    assert_eq!(feed.room().to_look_at(DEWI), [], "somebody has looked");
    feed.put(ANI, A::Edit { post, revision: 3, text: "newer".into() });
    feed.put(DEWI, A::Keep { post });
    assert_eq!(feed.room().to_look_at(EKO), [], "it stays hidden, and nobody need look again");
    assert_eq!(reason(&feed), "a price", "for the same reason");
}

#[test]
fn a_flag_is_told_once_and_again_after_somebody_has_looked() {
    let (mut feed, post, _) = begun(Shown);
    let flag = || A::Flag { post, reason: text() };
    feed.put(BUDI, flag());
    let twice = feed.put(BUDI, flag());
    assert_eq!(feed.why(twice), Some(RoomRefusal::Already), "one is enough");
    assert!(feed.seen(post, BUDI).flagged, "he has");
    feed.put(DEWI, A::Keep { post });
    assert!(!feed.seen(post, BUDI).flagged, "somebody has looked");
    let again = feed.put(BUDI, flag());
    assert_eq!((feed.why(again), feed.seen(post, BUDI).flagged), (None, true), "he may again");
    let mine = feed.post(EKO, "mine");
    feed.put(BUDI, A::Flag { post: mine, reason: text() });
    assert_eq!(feed.seen(mine, EKO).flags, [] as [&str; 0], "a moderator is not told who flags their own");
    assert_eq!(feed.seen(mine, DEWI).flags, [text()], "another is");
}

#[test]
fn a_post_is_edited_so_often_and_no_more() {
    let (mut feed, post, _) = begun(Shown);
    for revision in 2..=MAX_REVISIONS {
        feed.put(ANI, A::Edit { post, revision, text: format!("text {revision};") });
    }
    let late = feed.put(ANI, A::Edit { post, revision: MAX_REVISIONS + 1, text: text() });
    // In one order: a hundred acts in every other take long.
    let room = Room::of(HOSPITAL, feed.acts.clone());
    assert_eq!(room.undone(), [Undone { act: late, why: RoomRefusal::TooMany }], "a hundred are enough");
    let kept = format!("{room:?}");
    assert!(kept.contains("text 100;") && !kept.contains("text 99;"), "and only the last is kept");
}

#[test]
fn nobody_appeals_against_what_they_know_to_be_lifted() {
    let (mut feed, post, _) = begun(Hidden);
    feed.put(DEWI, A::Restore { post });
    let late = feed.put(ANI, A::Appeal { post, words: text() });
    assert_eq!(feed.why(late), Some(RoomRefusal::NotHidden), "it is shown, and she knew");
    assert_eq!(feed.seen(post, ANI).appeal, None, "there is none");
}

#[test]
fn reviewed_is_what_somebody_has_reviewed_and_no_other_text() {
    let (mut feed, post, _) = begun(Shown);
    let label = |revision, label| A::Label { post, revision, label };
    feed.put(DEWI, label(1, Label::HospitalReviewed));
    assert_eq!(feed.seen(post, BUDI).label, Label::HospitalReviewed, "reviewed");
    feed.put(ANI, A::Edit { post, revision: 2, text: "new".into() });
    assert_eq!(feed.seen(post, BUDI).label, Label::PersonalExperience, "the new text is not");
    feed.put(EKO, label(2, Label::HospitalReviewed));
    feed.put(DEWI, label(2, Label::PersonalExperience));
    assert_eq!(
        feed.seen(post, BUDI).label,
        Label::PersonalExperience,
        "somebody who knew says that it is not"
    );
    feed.put(HOSPITAL, label(2, Label::HospitalReviewed));
    assert_eq!(
        feed.seen(post, BUDI).label,
        Label::HospitalReviewed,
        "and somebody who knew of that, that it is"
    );
    let own = feed.post(HOSPITAL, "from the hospital");
    assert_eq!(
        feed.seen(own, BUDI).label,
        Label::HospitalReviewed,
        "what the hospital writes is its own word"
    );
}

#[test]
fn only_its_author_makes_a_case_of_a_post_and_takes_nothing_else_along() {
    let (mut feed, post, _) = begun(Hidden);
    feed.put(BUDI, A::Post { answers: Some(post), text: "the same happened to me".into() });
    let room = feed.room();
    for other in [BUDI, DEWI, HOSPITAL] {
        let refused = room.case_of(post, other, CaseKind::Complaint);
        assert_eq!(refused, Err(RoomRefusal::NotYours), "nobody else");
    }
    let case = CaseAct::Open {
        kind: CaseKind::Complaint,
        about: post.to_string(),
        happened: "old".into(),
        help: String::new(),
        ward_blind: true,
    };
    assert_eq!(
        room.case_of(post, ANI, CaseKind::Complaint),
        Ok(case),
        "her words, also where they are hidden"
    );
    feed.put(ANI, A::Delete { post });
    let deleted = feed.room().case_of(post, ANI, CaseKind::Complaint);
    assert_eq!(deleted, Err(RoomRefusal::Deleted), "what she took back is gone");
}
