//! Acts that have no place yet, come before what they are about, or are missing.

use super::*;

#[test]
fn an_own_post_that_waits_is_seen_on_its_device_and_takes_its_place_later() {
    let mut feed = Feed::open();
    let mut waiting = |n: u8, after: Vec<ActId>, what| {
        let act = FeedAct {
            id: ActId::from_bytes([n; 16]),
            by: ANI,
            place: None,
            seen: 3,
            after,
            at_ms: 0,
            what,
            left_out: false,
        };
        feed.acts.push(act.clone());
        act
    };
    // The edit has the lower id: it comes after what it was written after all the same.
    let post = waiting(200, vec![], A::Post { answers: None, text: "old".into() });
    let edit = A::Edit { post: post.id, revision: 2, text: "new".into() };
    waiting(100, vec![post.id], edit);
    let view = feed.seen(post.id, ANI);
    assert_eq!((view.body, view.waits), (PostBody::Held("new".into()), true), "it waits");
    feed.acts.push(FeedAct { place: Some(4), ..post.clone() });
    let view = feed.seen(post.id, ANI);
    assert_eq!((view.body, view.waits), (PostBody::Shown("old".into()), true), "the edit does");
    assert_eq!(view.held, Some(held(2, "new")), "and is seen beside it");
    assert_eq!(feed.seen(post.id, BUDI).body, PostBody::Shown("old".into()), "the post has arrived");
}

#[test]
fn what_waits_is_said_to_wait_a_deletion_too() {
    let (mut feed, post, _) = begun(Shown);
    let id = ActId::from_bytes([77; 16]);
    let delete = A::Delete { post };
    let seen = feed.len();
    feed.acts.push(FeedAct {
        id,
        by: ANI,
        place: None,
        seen,
        after: vec![],
        at_ms: 0,
        what: delete,
        left_out: false,
    });
    let view = feed.seen(post, ANI);
    assert_eq!((view.body, view.waits), (PostBody::Deleted, true), "others still read it");
    let last = feed.acts.pop().expect("it was there");
    feed.acts.push(FeedAct { place: Some(seen + 1), ..last });
    assert!(!feed.seen(post, ANI).waits, "now they do not");
}

#[test]
fn a_deletion_that_comes_before_its_post_deletes_it() {
    let mut feed = Feed::open();
    // The third place from here is the post's: ids follow from places.
    let mut ahead = feed.clone();
    ahead.put(ANI, A::Delete { post: ActId::from_bytes([0; 16]) });
    ahead.put(ANI, A::Delete { post: ActId::from_bytes([0; 16]) });
    let post = ahead.post(ANI, "from the phone");
    feed.put(ANI, A::Delete { post });
    feed.put(BUDI, A::Delete { post });
    let mut other = feed.clone();
    let late = FeedAct { place: Some(6), ..ahead.acts.last().expect("the post").clone() };
    feed.acts.push(late.clone());
    assert_eq!(feed.room().seen_by(Some(BUDI)).len(), 1, "its mark is there");
    assert_eq!(feed.seen(post, ANI).body, PostBody::Deleted, "deleted by another device of hers");
    assert!(!format!("{:?}", feed.room()).contains("from the phone"), "and the words are gone");
    other.acts.remove(3);
    other.acts[3].place = Some(4);
    other.acts.push(FeedAct { place: Some(5), ..late });
    assert_eq!(
        other.seen(post, ANI).body,
        PostBody::Shown("from the phone".into()),
        "nobody else deletes it"
    );
}

#[test]
fn a_feed_is_read_no_further_than_to_the_first_place_that_is_missing() {
    let (mut feed, post, _) = begun(Hidden);
    let hidden = feed.len();
    feed.post(BUDI, "later");
    let mut gap = feed.clone();
    gap.acts.remove(usize::try_from(hidden).expect("few") - 1);
    assert_eq!(gap.room().read_to(), hidden - 1, "so far");
    assert_eq!(gap.seen(post, BUDI).body, PostBody::Shown("old".into()), "as it was then");
    assert_eq!(gap.room().seen_by(None).len(), 1, "what follows waits");
    assert_eq!((feed.room().read_to(), feed.room().seen_by(None).len()), (hidden + 1, 2), "now all is there");
    let mut without_appointment = feed.clone();
    without_appointment.acts.remove(1);
    assert_eq!(without_appointment.room().seen_by(None), [], "nothing that a moderator has hidden is shown");
}
