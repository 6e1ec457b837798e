//! Random rooms: in every order of arrival the same, and never more to see than there should be.

use super::tests::{ANI, BUDI, DEWI, EKO, HOSPITAL};
use super::*;
use RoomAct as A;

const SEED: u64 = 0x6d65_6375_6d72_6f6f;
const STORIES: usize = 2_000;
const WRITERS: [Pseudonym; 5] = [HOSPITAL, DEWI, EKO, ANI, BUDI];

struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % most
    }
}

struct Story {
    dice: Dice,
    feed: Vec<FeedAct>,
    waiting: Vec<FeedAct>,
    ids: u32,
}

impl Story {
    fn new(seed: u64) -> Self {
        Self { dice: Dice(seed), feed: Vec::new(), waiting: Vec::new(), ids: 0 }
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        (!of.is_empty()).then(|| of[self.dice.below(of.len())].clone())
    }

    /// Somebody who has read so far, or less, says something; often nothing that they may.
    fn write(&mut self) {
        let by = WRITERS[self.dice.below(WRITERS.len())];
        let seen = self.feed.len() - self.dice.below(self.feed.len().min(6) + 1);
        let own: Vec<FeedAct> = self.waiting.iter().filter(|act| act.by == by).cloned().collect();
        let known: Vec<FeedAct> = self.feed[..seen].iter().chain(&own).cloned().collect();
        let of = |what: fn(&A) -> bool| -> Vec<ActId> {
            known.iter().filter(|act| what(&act.what)).map(|act| act.id).collect()
        };
        let posts = of(|what| matches!(what, A::Post { .. }));
        let appeals = of(|what| matches!(what, A::Appeal { .. }));
        self.ids += 1;
        let words = format!("words {};", self.ids);
        let revision = 1 + u32::try_from(self.dice.below(3)).expect("small");
        let who = WRITERS[self.dice.below(WRITERS.len())];
        let label = if self.dice.below(3) == 0 { Label::PersonalExperience } else { Label::HospitalReviewed };
        let name = ["Melati", "Mawar", "me lati", "Sari", "Kenanga"][self.dice.below(5)].to_owned();
        let (some, appeal) = (self.pick(&posts), self.pick(&appeals));
        let kind = self.dice.below(30);
        let what = match (kind, some) {
            (0..=4, answers) => A::Post { answers: answers.filter(|_| kind > 2), text: words },
            (5..=8, Some(post)) => A::Edit { post, revision: revision.max(2), text: words },
            (9, Some(post)) => A::Delete { post },
            (10..=11, Some(post)) => A::Flag { post, reason: words },
            (12, Some(post)) => A::Keep { post },
            (13..=15, Some(post)) => A::Hide { post, reason: words },
            (16, Some(post)) => A::Restore { post },
            (17..=18, Some(post)) => A::Appeal { post, words },
            (19..=20, Some(_)) => {
                let Some(appeal) = appeal else { return };
                A::Decide { appeal, restore: kind == 19, reason: words }
            }
            (21..=22, Some(post)) => A::Label { post, revision, label },
            (23..=24, _) => A::Appoint { moderator: who, name },
            (25, _) => A::Relieve { moderator: who },
            (26, _) => A::Open,
            (27, _) => A::Close { reason: words },
            (28..=29, _) => A::TakeName { name },
            _ => return,
        };
        let mut id = [0; 16];
        id[..4].copy_from_slice(&self.ids.wrapping_mul(0x9e37_79b9).to_be_bytes());
        let (id, seen) = (ActId::from_bytes(id), u64::try_from(seen).expect("few"));
        let after = own.iter().map(|act| act.id).collect();
        self.waiting.push(FeedAct { id, by, place: None, seen, after, at_ms: 0, what, left_out: false });
    }

    /// The oldest waiting act of somebody comes into the feed.
    fn publish(&mut self) {
        let Some(by) = self.pick(&self.waiting.iter().map(|act| act.by).collect::<Vec<_>>()) else { return };
        let Some(at) = self.waiting.iter().position(|act| act.by == by) else { return };
        let act = self.waiting.remove(at);
        let place = Some(u64::try_from(self.feed.len() + 1).expect("few"));
        self.feed.push(FeedAct { place, ..act });
    }

    fn shuffled(&mut self, acts: &[FeedAct]) -> Vec<FeedAct> {
        let mut left = acts.to_vec();
        let mut out = Vec::new();
        while !left.is_empty() {
            out.push(left.swap_remove(self.dice.below(left.len())));
        }
        out
    }
}

/// Whether somebody moderates at a place of the feed, by looking at everything before.
fn moderates(feed: &[FeedAct], who: Pseudonym, place: usize) -> bool {
    let last = feed[..place].iter().rev().find_map(|act| match &act.what {
        A::Appoint { moderator, .. } if *moderator == who && act.by == HOSPITAL => Some(true),
        A::Relieve { moderator } if *moderator == who && act.by == HOSPITAL => Some(false),
        _ => None,
    });
    who == HOSPITAL || last == Some(true)
}

/// Whether the room is open after so many acts.
fn open(feed: &[FeedAct], place: usize) -> bool {
    let last = feed[..place].iter().rev().find_map(|act| match act.what {
        A::Open if act.by == HOSPITAL => Some(true),
        A::Close { .. } if act.by == HOSPITAL => Some(false),
        _ => None,
    });
    let named = |who: Pseudonym| {
        feed[..place].iter().rev().find_map(|act| match &act.what {
            A::Appoint { moderator, .. } if *moderator == who && act.by == HOSPITAL => Some(true),
            A::Relieve { moderator } if *moderator == who && act.by == HOSPITAL => Some(false),
            _ => None,
        }) == Some(true)
    };
    last == Some(true) && WRITERS.into_iter().any(named)
}

/// Where the newest text of a post was written that has appeared.
fn newest(feed: &[FeedAct], post: usize) -> Option<usize> {
    let mut texts = vec![post];
    for (at, act) in feed.iter().enumerate().skip(post) {
        let next = u32::try_from(texts.len() + 1).expect("few");
        let of =
            matches!(act.what, A::Edit { post: of, revision, .. } if of == feed[post].id && revision == next);
        if of && act.by == feed[post].by {
            texts.push(at);
        }
    }
    texts.into_iter().rfind(|written| (written + 1..=feed.len()).any(|place| open(feed, place)))
}

/// What a member may see of one post, asked of the feed and of nothing that the room has worked out.
fn check(feed: &[FeedAct], view: &PostView, story: &str) {
    let (at, post) = feed.iter().enumerate().find(|(_, act)| act.id == view.id).expect("it is in the feed");
    let after = |what: &dyn Fn(&FeedAct) -> bool| -> Vec<usize> {
        (at..feed.len()).filter(|later| what(&feed[*later])).collect()
    };
    let deleted = after(&|act| act.by == post.by && act.what == A::Delete { post: post.id });
    assert_eq!(view.body == PostBody::Deleted, !deleted.is_empty(), "{story}: deleted by its author alone");
    let hides = after(&|act| matches!(&act.what, A::Hide { post, .. } if *post == view.id));
    let hides: Vec<usize> = hides.into_iter().filter(|hide| moderates(feed, feed[*hide].by, *hide)).collect();
    match &view.body {
        PostBody::Deleted => {}
        PostBody::Held(_) => panic!("{story}: a member sees nothing that is held"),
        PostBody::Hidden { text, .. } => {
            assert_eq!(*text, None, "{story}: a member sees no words that are hidden");
            let restored = |hide: &usize| {
                (*hide..feed.len()).any(|later| {
                    let act = &feed[later];
                    let judges = moderates(feed, act.by, later) && (act.by != post.by || act.by == HOSPITAL);
                    judges && act.what == (A::Restore { post: post.id }) && act.knew(&feed[*hide])
                })
            };
            let stands = hides.iter().any(|hide| !restored(hide));
            assert!(
                stands,
                "{story}: somebody who moderates has hidden it, and nobody who knew shows it again"
            );
        }
        PostBody::Shown(text) => {
            let wrote = |act: &FeedAct| match &act.what {
                A::Post { text: words, .. } | A::Edit { text: words, .. } => words == text,
                _ => false,
            };
            let (written, by) = feed.iter().enumerate().find(|(_, act)| wrote(act)).expect("written");
            assert_eq!(Some(written), newest(feed, at), "{story}: the newest text that has appeared");
            assert_eq!(by.by, post.by, "{story}: in its author's words");
            assert!((written + 1..=feed.len()).any(|place| open(feed, place)), "{story}: while it was open");
            for hide in hides {
                let lifted = (hide..feed.len()).any(|later| {
                    let act = &feed[later];
                    let knew = match &act.what {
                        A::Restore { .. } => act.knew(&feed[hide]),
                        // Who decides knows of what the appeal's author knew of.
                        A::Decide { restore: true, appeal, .. } => {
                            let appeal = feed.iter().find(|act| act.id == *appeal);
                            act.knew(&feed[hide]) || appeal.is_some_and(|appeal| appeal.knew(&feed[hide]))
                        }
                        _ => false,
                    };
                    knew && moderates(feed, act.by, later)
                });
                assert!(lifted, "{story}: each hiding was lifted by somebody who knew of it");
            }
        }
    }
    if view.label == Label::HospitalReviewed {
        let reviewed = after(&|act| {
            matches!(act.what, A::Label { post, revision, label: Label::HospitalReviewed }
                if post == view.id && revision == view.revision)
        });
        let by_another = |at: &usize| {
            moderates(feed, feed[*at].by, *at) && (feed[*at].by != post.by || post.by == HOSPITAL)
        };
        assert!(post.by == HOSPITAL || reviewed.iter().any(by_another), "{story}: somebody has reviewed it");
    }
}

/// What the agent sends to one reader: they see the same, and have nothing that is not for them.
fn for_one(feed: &[FeedAct], room: &Room, reader: Option<Pseudonym>, story: &str) {
    let sent = for_reader(HOSPITAL, feed, reader);
    let places = sent.iter().map(|act| (act.id, act.place)).collect::<Vec<_>>();
    assert_eq!(
        places,
        feed.iter().map(|act| (act.id, act.place)).collect::<Vec<_>>(),
        "{story}: no place lacks"
    );
    let theirs = Room::of(HOSPITAL, sent.clone());
    assert_eq!(theirs.seen_by(reader), room.seen_by(reader), "{story}: {reader:?} sees the same");
    assert_eq!(theirs.is_open(), room.is_open(), "{story}: {reader:?}");
    let mut look = (Vec::new(), Vec::new());
    if let Some(who) = reader {
        look = (theirs.to_look_at(who), room.to_look_at(who));
    }
    assert_eq!(look.0, look.1, "{story}: {reader:?} is asked the same");
    for who in WRITERS {
        assert_eq!(
            (theirs.name(who), theirs.role(who)),
            (room.name(who), room.role(who)),
            "{story}: {reader:?}"
        );
    }
    let moderates = reader.is_some_and(|reader| room.role(reader) != RoomRole::Member);
    let (has, sees) = (format!("{sent:?}"), format!("{:?}", room.seen_by(reader)));
    for act in feed.iter().filter(|act| Some(act.by) != reader) {
        let words = match &act.what {
            A::Post { text, .. } | A::Edit { text, .. } => text,
            A::Flag { reason, .. } if !moderates => reason,
            A::Appeal { words, .. } if !moderates => words,
            _ => continue,
        };
        assert!(
            !has.contains(words.as_str()) || sees.contains(words.as_str()),
            "{story}: {reader:?} has {act:?}"
        );
    }
    let flags =
        sent.iter().filter(|act| matches!(act.what, A::Flag { .. }) && Some(act.by) != reader).count();
    assert!(moderates || flags == 0, "{story}: who flags is not told");
}

#[test]
fn a_room_is_the_same_in_every_order_of_arrival_and_shows_nobody_more_than_it_should() {
    println!("seed {SEED:#x}");
    let (mut shown, mut hidden, mut deleted, mut held) = (0, 0, 0, 0);
    for n in 0..STORIES {
        let mut story = Story::new(SEED ^ (u64::try_from(n).expect("few") << 20));
        if n % 4 > 0 {
            // Most rooms begin open, or little would appear.
            let acts = [A::Open, A::Appoint { moderator: DEWI, name: "Dewi".into() }];
            for (id, what) in (240_u8..).zip(acts) {
                let place = Some(u64::try_from(story.feed.len() + 1).expect("few"));
                let id = ActId::from_bytes([id; 16]);
                story.feed.push(FeedAct {
                    id,
                    by: HOSPITAL,
                    place,
                    seen: 0,
                    after: vec![],
                    at_ms: 0,
                    what,
                    left_out: false,
                });
            }
        }
        for _ in 0..70 {
            if story.dice.below(2) == 0 { story.write() } else { story.publish() }
        }
        let name = format!("story {n}");
        let feed = story.feed.clone();
        let room = Room::of(HOSPITAL, feed.clone());
        for _ in 0..2 {
            let mut arrived = story.shuffled(&feed);
            arrived.extend(feed.iter().take(5).cloned());
            assert_eq!(Room::of(HOSPITAL, arrived), room, "{name}: in whatever order they arrive");
        }
        let mut with_own = feed.clone();
        with_own.extend(story.waiting.iter().filter(|act| act.by == ANI).cloned());
        let own = Room::of(HOSPITAL, with_own.clone());
        let shuffled = story.shuffled(&with_own);
        assert_eq!(Room::of(HOSPITAL, shuffled), own, "{name}: with own acts that wait too");
        assert_eq!(room.is_open(), open(&feed, feed.len()), "{name}: open by the hospital and with somebody");
        for view in room.seen_by(None) {
            check(&feed, &view, &name);
            shown += usize::from(matches!(view.body, PostBody::Shown(_)));
            hidden += usize::from(matches!(view.body, PostBody::Hidden { .. }));
            deleted += usize::from(matches!(view.body, PostBody::Deleted));
        }
        for _ in 0..3 {
            let missing = story.dice.below(feed.len().max(1)).min(feed.len());
            let (before, rest) = feed.split_at(missing);
            let gap = before.iter().chain(rest.iter().skip(1)).cloned();
            let read = Room::of(HOSPITAL, gap);
            assert_eq!(read, Room::of(HOSPITAL, before.to_vec()), "{name}: nothing is read beyond a gap");
            assert_eq!(read.read_to(), u64::try_from(missing).expect("few"), "{name}: and it says so");
        }
        WRITERS.map(Some).into_iter().chain([None]).for_each(|reader| for_one(&feed, &room, reader, &name));
        held += room.seen_by(Some(HOSPITAL)).len() - room.seen_by(None).len();
        // Nor may it hold what nobody is to see.
        let everything = format!("{room:?} {:?}", WRITERS.map(|who| room.seen_by(Some(who))));
        for (at, act) in feed.iter().enumerate() {
            let (A::Post { text, .. } | A::Edit { text, .. }) = &act.what else { continue };
            let post = if let A::Edit { post, .. } = act.what { post } else { act.id };
            let gone = feed[at..].iter().any(|later| later.by == act.by && later.what == A::Delete { post });
            assert!(!(gone && everything.contains(text.as_str())), "{name}: deleted words are nowhere");
        }
    }
    println!("{shown} shown, {hidden} hidden, {deleted} deleted, {held} held");
    assert!(shown > 500 && hidden > 200 && deleted > 100 && held > 500, "each happens often");
}
