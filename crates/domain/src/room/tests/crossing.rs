//! Every pair of acts that can cross, in both orders of the feed.

use super::*;

/// An act of a pair, by the name that the table uses and who does it.
type Act = (&'static str, Pseudonym);

fn what((name, _): Act, post: ActId, appeal: ActId) -> A {
    match name {
        "edit" => A::Edit { post, revision: 2, text: "new".into() },
        "delete" => A::Delete { post },
        "reply" => A::Post { answers: Some(post), text: "a reply".into() },
        "flag" => A::Flag { post, reason: text() },
        "keep" => A::Keep { post },
        "hide" => A::Hide { post, reason: text() },
        "restore" => A::Restore { post },
        "appeal" => A::Appeal { post, words: text() },
        "grant" => A::Decide { appeal, restore: true, reason: text() },
        "refuse" => A::Decide { appeal, restore: false, reason: text() },
        "reviewed" => A::Label { post, revision: 1, label: Label::HospitalReviewed },
        "personal" => A::Label { post, revision: 1, label: Label::PersonalExperience },
        other => panic!("no such act: {other}"),
    }
}

/// What went before, two acts that cross, what another member sees, and what Eko is asked to look at.
const TABLE: &[(Before, Act, Act, &str, &[LookAt])] = &[
    (Shown, ("edit", ANI), ("delete", ANI), "deleted", &[]),
    (Shown, ("edit", ANI), ("hide", DEWI), "hidden", &[LookAt::Changed]),
    (Shown, ("edit", ANI), ("flag", BUDI), "new", &[LookAt::Flagged]),
    (Shown, ("edit", ANI), ("reviewed", DEWI), "new", &[]),
    (Shown, ("edit", ANI), ("reply", BUDI), "new", &[]),
    (Shown, ("delete", ANI), ("reply", BUDI), "deleted", &[]),
    (Shown, ("delete", ANI), ("flag", BUDI), "deleted", &[]),
    (Shown, ("delete", ANI), ("hide", DEWI), "deleted", &[]),
    (Shown, ("delete", ANI), ("reviewed", DEWI), "deleted", &[]),
    (Shown, ("reply", BUDI), ("hide", DEWI), "hidden", &[]),
    (Shown, ("flag", BUDI), ("hide", DEWI), "hidden", &[]),
    (Shown, ("flag", BUDI), ("keep", DEWI), "old", &[LookAt::Flagged]),
    (Shown, ("hide", DEWI), ("hide", EKO), "hidden", &[]),
    (Shown, ("hide", DEWI), ("keep", EKO), "hidden", &[]),
    (Shown, ("hide", DEWI), ("reviewed", EKO), "hidden", &[]),
    (Shown, ("reviewed", DEWI), ("personal", EKO), "old", &[]),
    (Hidden, ("edit", ANI), ("restore", DEWI), "new", &[]),
    (Hidden, ("hide", EKO), ("restore", DEWI), "hidden", &[]),
    (Hidden, ("restore", EKO), ("restore", DEWI), "old", &[]),
    (Hidden, ("restore", EKO), ("delete", ANI), "deleted", &[]),
    (Hidden, ("restore", DEWI), ("flag", BUDI), "old", &[LookAt::Flagged]),
    (Hidden, ("appeal", ANI), ("restore", DEWI), "old", &[]),
    (Hidden, ("appeal", ANI), ("edit", ANI), "hidden", &[LookAt::Appealed, LookAt::Changed]),
    (Hidden, ("appeal", ANI), ("delete", ANI), "deleted", &[]),
    (Hidden, ("appeal", ANI), ("hide", EKO), "hidden", &[LookAt::Appealed]),
    (Hidden, ("appeal", ANI), ("appeal", ANI), "hidden", &[LookAt::Appealed]),
    (Appealed, ("grant", EKO), ("hide", DEWI), "hidden", &[]),
    (Appealed, ("grant", EKO), ("edit", ANI), "new", &[]),
    (Appealed, ("grant", EKO), ("delete", ANI), "deleted", &[]),
    (Appealed, ("grant", EKO), ("restore", DEWI), "old", &[]),
    (Appealed, ("refuse", EKO), ("restore", DEWI), "old", &[]),
    (Appealed, ("refuse", EKO), ("edit", ANI), "hidden", &[LookAt::Changed]),
    (Appealed, ("refuse", EKO), ("hide", HOSPITAL), "hidden", &[]),
    (Shown, ("flag", BUDI), ("reviewed", DEWI), "old", &[LookAt::Flagged]),
    (Shown, ("reply", BUDI), ("reviewed", DEWI), "old", &[]),
    (Hidden, ("reply", BUDI), ("restore", DEWI), "old", &[]),
    (Hidden, ("reviewed", EKO), ("restore", DEWI), "old", &[]),
    (Appealed, ("reply", BUDI), ("refuse", EKO), "hidden", &[]),
    (Appealed, ("flag", BUDI), ("grant", EKO), "old", &[LookAt::Flagged]),
    (Appealed, ("appeal", ANI), ("grant", EKO), "old", &[]),
    (Appealed, ("appeal", ANI), ("refuse", EKO), "hidden", &[]),
    (Appealed, ("reviewed", HOSPITAL), ("grant", EKO), "old", &[]),
];

#[test]
fn every_pair_that_crosses_comes_to_what_the_table_says_in_both_orders_of_the_feed() {
    for (before, one, other, expected, look) in TABLE {
        for (first, second) in [(one, other), (other, one)] {
            let (mut feed, post, appeal) = begun(*before);
            let seen = feed.len();
            for act in [first, second] {
                feed.put_seen(act.1, seen, what(*act, post, appeal));
            }
            let name = format!("{before:?}: {} before {}", first.0, second.0);
            let view = feed.seen(post, BUDI);
            let is = match &view.body {
                PostBody::Shown(text) => text,
                PostBody::Held(_) => "held",
                PostBody::Hidden { text: None, .. } => "hidden",
                PostBody::Hidden { .. } => "hidden words",
                PostBody::Deleted => "deleted",
            };
            assert_eq!(is, *expected, "{name}");
            let reviewed = *expected == "old"
                && [first, second].iter().any(|act| act.0 == "reviewed")
                && [first, second].iter().all(|act| act.0 != "personal");
            assert_eq!(view.label == Label::HospitalReviewed, reviewed, "{name}");
            let asked: Vec<LookAt> = feed.room().to_look_at(EKO).into_iter().map(|(look, _)| look).collect();
            assert_eq!(asked, *look, "{name}");
            let replies = feed.room().seen_by(None).iter().filter(|view| view.answers == Some(post)).count();
            let replied = [first, second].iter().filter(|act| act.0 == "reply").count();
            assert_eq!(replies, replied, "{name}: a reply stays");
        }
    }
}

#[test]
fn of_two_edits_hides_or_decisions_that_cross_the_first_in_the_feed_stands_and_the_other_is_told() {
    let (mut feed, post, _) = begun(Shown);
    let seen = feed.len();
    feed.put_seen(ANI, seen, A::Edit { post, revision: 2, text: "by phone".into() });
    let laptop = feed.put_seen(ANI, seen, A::Edit { post, revision: 2, text: "by laptop".into() });
    assert_eq!(feed.seen(post, BUDI).body, PostBody::Shown("by phone".into()), "the first");
    assert_eq!(feed.why(laptop), Some(RoomRefusal::Overtaken), "the other is kept, and told");
    let (mut feed, post, _) = begun(Hidden);
    feed.put_seen(EKO, feed.len() - 1, A::Hide { post, reason: "another reason".into() });
    let hidden = PostBody::Hidden { reason: "an address".into(), text: None };
    assert_eq!(feed.seen(post, BUDI).body, hidden, "the first reason");
    let (mut feed, post, appeal) = begun(Appealed);
    let seen = feed.len();
    feed.put_seen(EKO, seen, A::Decide { appeal, restore: false, reason: "it stays so".into() });
    let late = feed.put_seen(HOSPITAL, seen, A::Decide { appeal, restore: true, reason: text() });
    let view = feed.seen(post, ANI).appeal.expect("her appeal");
    assert_eq!((view.state, view.reason.as_str()), (AppealState::Refused, "it stays so"), "the first");
    assert_eq!(feed.why(late), Some(RoomRefusal::Overtaken), "the other is told");
}
